"""The dates of a report: the period it covers, the date of signature, the date of its page.

Called by header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractor.model import Chunk, Document
from extractor.readers.numerals import YEAR, parse_small_numeral, parse_year
from extractor.readers.prose import Prose, find_words, make_iso_date, read_lines
from extractor.readers.title import StatedYear, header_interval

_LONGEST_FOOT = 4000

_DAY = f"(?P<year>{YEAR})年(?P<month>\\d{{1,2}})月(?P<day>\\d{{1,2}})日"
_PERIOD = re.compile(
    f"(?:统计|数据|起止时间)[^。\n]{{0,24}}?(?P<first>{_DAY})(?:起|开始)?,?(?:至|到|[-—–~])+"
    f"(?P<last>(?:(?P<last_year>{YEAR})年)?(?P<last_month>\\d{{1,2}})月(?P<last_day>\\d{{1,2}})日)"
)
_NUMERAL = "[\\d一二三四五六七八九十〇○零元廿卅]{1,3}"
_FOOT_DATE = re.compile(
    f"(?P<year>{YEAR}) ?年 ?(?P<month>{_NUMERAL}) ?月 ?(?P<day>{_NUMERAL}) ?日"
    "(?=[ ]?(?:$|\n|[)]$|附[件表:]|扫一扫|打印|关闭|分享|【|相关|责任|来源|微信|上一|下一|主办|版权|文件下载))"
)
_BEFORE_FOOT_DATE = re.compile(r"(?:^|[。)”]|[局委办厅府院会乡镇区县市旗处站所校部社队中心街道室馆])[ \n]*$")
# A line that breaks off like this runs on into the date below it.
_RUNS_ON = re.compile(r"[自至从于为在到截止即以,、年月日][ \n]*$")
_PAGE_DATE = re.compile(
    r"(?:时间|日期)[ :|]{0,4}(?P<year>(?:19|20)\d\d)[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?!\d{3})"
)
_RELEASE = re.compile(r"(?:发布|公开|发文|公布)(?:时间|日期)$|^时间$")


class Period(NamedTuple):
    """The period that the figures cover."""

    start: tuple[int, int]
    start_date: str
    end: tuple[int, int]
    end_date: str
    year: StatedYear


def find_period(prose: Prose) -> Period | None:
    """The first period that is said to be that of the figures: 统计期限自…至…."""
    for position in find_words(prose.text, ("统计", "数据", "起止时间")):
        match = _PERIOD.match(prose.text, position, position + 120)
        if not match:
            continue
        year = parse_year(match["year"])
        start = make_iso_date(year, int(match["month"]), int(match["day"]))
        end_year = parse_year(match["last_year"]) if match["last_year"] else year
        end = make_iso_date(end_year, int(match["last_month"]), int(match["last_day"]))
        if start and end and start <= end:
            stated = StatedYear(year, prose.locate(*match.span("year")))
            return Period(prose.locate(*match.span("first")), start, prose.locate(*match.span("last")), end, stated)
    return None


def find_signature_date(document: Document, chunks: Sequence[Chunk]) -> tuple[tuple[int, int], str] | None:
    """The last date that stands alone behind the beginning of the last section."""
    start = max((chunk.start for chunk in chunks if chunk.has_heading), default=0)
    if "日" not in document.view[start:]:
        return None
    lines = read_lines(document, max(start, len(document.view) - _LONGEST_FOOT), len(document.view))
    found = None
    for match in _FOOT_DATE.finditer(lines.text):
        before = lines.text[max(0, match.start() - 40) : match.start()]
        stands_alone = (
            not before or (before.endswith("\n") and not _RUNS_ON.search(before)) or _BEFORE_FOOT_DATE.search(before)
        )
        day = make_iso_date(
            parse_year(match["year"]), parse_small_numeral(match["month"]), parse_small_numeral(match["day"])
        )
        if stands_alone and day:
            found = (lines.locate(*match.span()), day)
    return found


def find_page_date(prose: Prose, document: Document, chunks: Sequence[Chunk]) -> tuple[tuple[int, int], str] | None:
    """The date that the page gives itself: 发布时间: 2022-02-08. One of release goes before others."""
    header = header_interval(chunks)
    # In the header it may stand in what looks like a table; at the foot only running text counts.
    for text in (read_lines(document, *header), prose) if header else (prose,):
        dates = sorted(_page_dates(text), key=lambda item: not item[0])
        if dates:
            return dates[0][1:]
    return None


def _page_dates(prose: Prose) -> Iterator[tuple[bool, tuple[int, int], str]]:
    """Each date behind a label, and whether the label speaks of release."""
    for position in sorted(find_words(prose.text, ("时间", "日期"))):
        match = _PAGE_DATE.match(prose.text, position, position + 24)
        day = match and make_iso_date(int(match["year"]), int(match["month"]), int(match["day"]))
        if match and day:
            start, end = match.span("year")[0], match.span("day")[1]
            end += prose.text.startswith("日", end)
            is_release = bool(_RELEASE.search(prose.text[max(0, position - 2) : position + 2]))
            yield is_release, prose.locate(start, end), day
