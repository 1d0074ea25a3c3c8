"""The title of a report, and the agency and the year in it.

Lives here: finding the most complete title before the first heading. Called by header and dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from extractor.model import Chunk, Document
from extractor.readers.numerals import YEAR, parse_year
from extractor.readers.prose import Prose, find_words, read_lines

# A header is a title and a paragraph; what is longer has no headings, and its title stands on top.
_LONGEST_HEADER = 4000
_LONGEST_NAME = 120

_BREAK = "[ \n]?"


def _loose(words: str) -> str:
    """A pattern for words that a line break or a space may have torn at any place."""
    return "".join(char + _BREAK for char in words)


_TITLE_YEAR = f"{YEAR}{_BREAK}(?:年{_BREAK})?(?:度{_BREAK})?"
# Behind a title the line ends, or (in a text without lines) the page or the report goes on.
_BEHIND_TITLE = f"(?:(?<=[ \n])|$|(?=[ \n_|<-]|来源|发布|时间|日期|字号|根据|依据|按照|现将|本报告|一、|{YEAR}年))"
_TITLE_PHRASE = re.compile(
    f"(?:{_loose('政府')}|{_loose('政务')}){{0,2}}(?:{_loose('信息')}|{_loose('政务')}){_loose('公开')}"
    f"(?:{_loose('工作')})?(?:{_TITLE_YEAR})?(?:{_loose('情况')})?(?:{_loose('的')})?"
    f"(?:{_loose('年度')})?(?:{_loose('工作')})?(?:{_loose('总结')})?(?:{_loose('报告')}|{_loose('年报')})"
    f"(?:\\({_TITLE_YEAR}\\){_BREAK})?{_BEHIND_TITLE}"
)
# Breadcrumbs, labels and ordinary sentences end here; a title does not reach over them.
_TITLE_STOPS = re.compile(r"返回顶部|关闭窗口|打印本页|分享到|当前位置|[。,;:!?<>《》|/→\[\]“”‘’\"_=*#&]")
_YEAR_IN_TITLE = re.compile(f"(?P<year>{YEAR}){_BREAK}(?:年|度|[)]|$)")
_AGENCY_IN_TITLE = re.compile(
    f"[ \n]*(?:{_loose('关于')})?(?:{_TITLE_YEAR})?(?P<agency>(?!{YEAR}).+?)?"
    f"[ \n]*(?:{_loose('关于')})?(?:\\({_TITLE_YEAR}\\)|{_TITLE_YEAR})?[ \n(]*(?:{_loose('本级')}|{_loose('的')})?",
    re.S,
)
_NAME_LINE = re.compile(
    f"[\u3400-\u9fff()·]{{2,40}}(?:[局委办厅府院会乡镇区县市旗盟州处站所校部社队场室馆团岛]|街道|中心|公司|工作|政府|法院|公安)(?:{YEAR}年?度?)?"
)
_YEAR_LINE = re.compile(f"(?:关于)?(?:{YEAR}年?度?|\\d{{4}})")
_NO_NAMES = frozenset(
    {"政府", "政务", "本级", "本级政府", "本机关", "本单位", "年度", "关于", "基层", "部门", "我局", "人民政府"}
)
_NO_PART_OF_NAMES = re.compile("公开|首页|网站|位置|年报|报告|来源|下载|打印|微信|微博|栏目|目录|文字版")


class Title(NamedTuple):
    """A title, as intervals in the source text; `score` says how complete it is."""

    interval: tuple[int, int]
    agency: tuple[int, int] | None
    year: StatedYear | None
    score: int


class StatedYear(NamedTuple):
    """A year and where it is printed."""

    value: int
    interval: tuple[int, int]


def find_title(document: Document, chunks: Sequence[Chunk]) -> Title | None:
    """The most complete title before the first heading; of equal ones the first."""
    header = header_interval(chunks)
    if not header or "公" not in document.view[header[0] : header[1]]:
        return None
    lines = read_lines(document, *header)
    best: Title | None = None
    end = 0
    for position in sorted(find_words(lines.text, "政信")):
        match = _TITLE_PHRASE.match(lines.text, position) if position >= end else None
        if match:
            end = match.end()
            title = _build_title(lines, position, end)
            if title and (best is None or title.score > best.score):
                best = title
    return best


def header_interval(chunks: Sequence[Chunk]) -> tuple[int, int] | None:
    """What stands before the first heading, cut to the length that a header can have."""
    for chunk in chunks:
        if chunk.section == "header" and chunk.end > chunk.start:
            return chunk.start, min(chunk.end, chunk.start + _LONGEST_HEADER)
    return None


def _build_title(lines: Prose, phrase: int, end: int) -> Title | None:
    text = lines.text
    end = phrase + len(text[phrase:end].rstrip())
    start = _extend_left(text, phrase)
    start += len(text[start:phrase]) - len(text[start:phrase].lstrip())
    agency = _find_agency(text, start, phrase)
    years = list(_YEAR_IN_TITLE.finditer(text, start, end))
    year = None
    if years:
        interval = lines.locate(*years[0].span("year"))
        year = StatedYear(parse_year(years[0]["year"]), interval)
    if not agency and not year and start < phrase:
        return None  # a sentence or a breadcrumb that ends in the words of a title
    score = 2 * bool(agency) + bool(year)
    return Title(lines.locate(start, end), lines.locate(*agency) if agency else None, year, score)


def _extend_left(text: str, phrase: int) -> int:
    """Where a title begins whose phrase begins at `phrase`.

    Over a space or a line break only while the name of the agency is still missing: in a text
    without lines, what stands before the title belongs to the page.
    """
    line_start = text.rfind("\n", 0, phrase) + 1
    low = max(line_start, phrase - _LONGEST_NAME)
    low = max([match.end() for match in _TITLE_STOPS.finditer(text, low, phrase)], default=low)
    start = max(low, text.rfind(" ", low, phrase) + 1)
    while start > low:
        previous = max(low, text.rfind(" ", low, start - 1) + 1)
        token = text[previous : start - 1]
        if not text.startswith(("年", "度"), start) and (
            _find_agency(text, start, phrase) or not _is_name_or_year(token)
        ):
            break
        start = previous
    if low == line_start and start == low:
        for _ in range(2):  # the name, and the year, on lines of their own
            previous = text.rfind("\n", 0, max(0, start - 1)) + 1
            previous += len(text[previous:start]) - len(text[previous:start].lstrip("#* "))  # marks of a heading
            line = text[previous : max(0, start - 1)].replace(" ", "")
            if start == 0 or _find_agency(text, start, phrase) or not _is_name_or_year(line):
                break
            start = previous
    return start


def _is_name_or_year(token: str) -> bool:
    if _NO_PART_OF_NAMES.search(token):
        return False
    return token in ("年", "年度") or bool(_NAME_LINE.fullmatch(token) or _YEAR_LINE.fullmatch(token))


def _find_agency(text: str, start: int, phrase: int) -> tuple[int, int] | None:
    """The name between the start of a title and its phrase, without year and connecting words."""
    match = _AGENCY_IN_TITLE.fullmatch(text, start, phrase)
    if not match or not match["agency"]:
        return None
    first, last = match.span("agency")
    if text[first:last].endswith("人民") and text.startswith("政府", last):
        last += len("政府")  # XX镇人民|政府信息公开: the word serves both
    name = text[first:last].replace(" ", "").replace("\n", "")
    if len(name) < 2 or name in _NO_NAMES or _NO_PART_OF_NAMES.search(name) or re.search(f"{YEAR}年", name):
        return None
    return first, last
