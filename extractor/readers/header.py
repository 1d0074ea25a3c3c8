"""What a report says about itself: title, agency, year, dates, and where to ask.

Lives here: the rules for the `header.*` fields, over the part before the first heading, the foot,
and sentences of fixed wording in between. Does not live here: the running text itself (prose), the
numbers of the narrative (narrative), and any comparison with the tables. Called by the template
reader; find_report_year also by narrative.

Only what is printed is returned. A fact for which several different values stand in the text gets
all of them, in order of print, and a flag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import Candidate, Chunk, Document, Flag
from extractor.readers.base import Facts
from extractor.readers.prose import (
    YEAR,
    Prose,
    find_words,
    make_candidate,
    make_iso_date,
    merge_candidates,
    parse_small_numeral,
    parse_year,
    read_lines,
    read_prose,
)

# A header is a title and a paragraph; what is longer has no headings, and its title stands on top.
_LONGEST_HEADER = 4000
_LONGEST_FOOT = 4000
_LONGEST_NAME = 120


def read_header(document: Document, chunks: Sequence[Chunk], prose: Prose | None = None) -> Facts:
    """Read what the report says about itself.

    The year is the title's; without one, the period's; without either, the year of the sentences
    that open with "2019年，我局 …", and only when all of these agree. A date of signature is one
    that stands alone at the foot; the page's date is taken where there is none.

    Args:
        document: the source file.
        chunks: its sections, with the places of their tables.
        prose: the running text, where the caller has it already.

    Returns:
        Candidates for those of HEADER_FIELDS that the text states.
    """
    prose = prose or read_prose(document, chunks)
    found: dict[str, tuple[Candidate, ...]] = {}
    flags: list[Flag] = []
    title = find_title(document, chunks)
    period = find_period(prose)
    if title:
        found["title"] = (make_candidate(document, title.interval),)
        if title.agency:
            found["agency_name"] = (make_candidate(document, title.agency),)
    if period:
        found["period_start"] = (make_candidate(document, period.start, period.start_date),)
        found["period_end"] = (make_candidate(document, period.end, period.end_date),)
    years = [make_candidate(document, year.interval, year.value) for year in _stated_years(prose, title, period)]
    if years:
        found["report_year"] = merge_candidates(years[:1] if years[0].value == years[-1].value else years)
        flags.extend(_compare_years(prose, title, period, years))
    published = _find_signature_date(document, chunks) or _find_page_date(prose, document, chunks)
    if published:
        found["published_on"] = (make_candidate(document, *published),)
    for name, intervals in _find_contacts(prose).items():
        candidates = merge_candidates(make_candidate(document, interval) for interval in intervals)
        found[name] = candidates
        if len(candidates) > 1:
            flags.append(_flag_several(f"header.{name}", candidates))
    return Facts({f"header.{name}": candidates for name, candidates in found.items()}, tuple(flags))


def find_report_year(document: Document, chunks: Sequence[Chunk], prose: Prose) -> int | None:
    """The year that the report is about, by the same rule as `header.report_year`."""
    years = _stated_years(prose, find_title(document, chunks), find_period(prose))
    return years[0].value if years else None


def _flag_several(field: str, candidates: Sequence[Candidate]) -> Flag:
    raw = " / ".join(str(candidate.value) for candidate in candidates)
    return make_flag("header-several-values", fields=(field,), spans=[c.spans[0] for c in candidates], raw=raw)


# ---------------------------------------------------------------- title, and the agency in it

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
_TITLE_STOPS = re.compile(r"[。,;:!?<>《》|/→\[\]“”‘’\"_=*#&]")
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
    header = _header_interval(chunks)
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


def _header_interval(chunks: Sequence[Chunk]) -> tuple[int, int] | None:
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


# ---------------------------------------------------------------- dates

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


def _find_signature_date(document: Document, chunks: Sequence[Chunk]) -> tuple[tuple[int, int], str] | None:
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


def _find_page_date(prose: Prose, document: Document, chunks: Sequence[Chunk]) -> tuple[tuple[int, int], str] | None:
    """The date that the page gives itself: 发布时间: 2022-02-08. One of release goes before others."""
    header = _header_interval(chunks)
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


# ---------------------------------------------------------------- the year of the report

# 2019年,我区…: a sentence about the agency's own year. What it will do next year is not.
_OPENING = re.compile(
    f"(?P<year>{YEAR})年度?,?(?:我|本)(?:[局委办区市县乡镇街院厅处会旗校站所中部]|单位|机关)(?![^。]{{0,8}}(?:将|拟|计划))"
)


def _openings(prose: Prose) -> list[StatedYear]:
    found = []
    for position in sorted(find_words(prose.text, ("年,我", "年我", "年度,我", "年度我", "年,本", "年本", "年度,本"))):
        match = _OPENING.match(prose.text, max(0, position - 4), position + 40)
        if match:
            found.append(StatedYear(parse_year(match["year"]), prose.locate(*match.span("year"))))
    return found


def _stated_years(prose: Prose, title: Title | None, period: Period | None) -> list[StatedYear]:
    """The years that the report is said to be about, the best statement first."""
    years = [year for year in (title and title.year, period and period.year) if year]
    if years:
        return years
    openings = _openings(prose)
    return openings[:1] if len({year.value for year in openings}) == 1 else []


def _compare_years(
    prose: Prose, title: Title | None, period: Period | None, candidates: Sequence[Candidate]
) -> Iterator[Flag]:
    """A wrong year in a title is a common slip (last year's report was copied)."""
    if not title or not title.year:
        return
    text_year = None
    if period and period.year.value != title.year.value:
        text_year = period.year.value
    else:
        openings = Counter(year.value for year in _openings(prose))
        year, count = max(openings.items(), key=lambda item: item[1], default=(None, 0))
        if year != title.year.value and count > 1 and count > openings[title.year.value]:
            text_year = year
    if text_year:
        yield make_flag(
            "year-differs",
            fields=("header.report_year",),
            spans=[candidate.spans[0] for candidate in candidates],
            title_year=title.year.value,
            text_year=text_year,
        )


# ---------------------------------------------------------------- where to ask

_PHONE = re.compile(
    r"电话(?:号码)?(?:[/、及兼]?\(?(?:传真|号码)\)?)?[:为是]{0,2}"
    r"(?P<phone>\(?0\d{2,3}\)?[-—–―─~ ]{0,3}\d{7,8}(?:[-—]\d{1,5})?|400-?\d{3}-?\d{4}|1\d{10}|[2-9]\d{6,7})(?!\d)"
)
_OTHER_PHONE = re.compile(r"(?:监督|举报|投诉|热线|技术|客服|报警)(?:举报|投诉|联系|咨询|服务|支持)?$")
_ADDRESS = re.compile(
    r"地址[:为是]{1,2}(?P<address>(?:\([^()。\n]{1,40}\)|[^,;:。()\n]){3,80}?)"
    r"(?=[,;。)\n]|$|[、 ]?(?:邮编|邮政|电话|联系|传真|办公时间|办公电话|咨询|电子|E-?mail))"
)
_OTHER_ADDRESS = re.compile(r"(?:网站|网|邮箱|邮件|电子|下载|链接|IP|查阅|信箱)$")
_URL = re.compile(
    r"(?:https?://|www\.)[A-Za-z0-9./_%?=&#~:+-]+|(?<![\w.@-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.gov\.cn(?:/[\w./%-]*)?"
)
# A site is named because the report can be had there; other links belong to the page.
_SITE_CUE = re.compile("网站|网址|门户|电子版|查阅|登录|下载|专栏|公布")
_PAGE_LINK = re.compile("(?:原文|链接|来源|页面|目录|附件|邮箱)[^,。;()\n]{0,6}$")
_ASKS = re.compile("疑问|请与|联系|咨询|意见")


def _find_contacts(prose: Prose) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    text = prose.text

    def keep(name: str, start: int, end: int) -> None:
        found.setdefault(name, []).append(prose.locate(start, end))

    for position in find_words(text, ("电话",)):
        match = _PHONE.match(text, position, position + 60)
        if match and not _OTHER_PHONE.search(text[max(0, position - 6) : position]) and _asks_before(text, position):
            keep("contact_phone", *match.span("phone"))
    for position in find_words(text, ("地址",)):
        match = _ADDRESS.match(text, position, position + 120)
        if not match or _OTHER_ADDRESS.search(text[max(0, position - 4) : position]):
            continue
        if _is_place(match["address"]) and _asks_before(text, position):
            keep("contact_address", *match.span("address"))
    for position in sorted({*find_words(text, ("http://", "https://", "www.", ".gov.cn"))}):
        start, end = _url_around(text, position)
        if (
            start < end
            and _SITE_CUE.search(text[max(0, start - 60) : start])
            and not _PAGE_LINK.search(text[max(0, start - 20) : start])
        ):
            keep("website", start, end)
    return {name: list(dict.fromkeys(intervals)) for name, intervals in found.items()}


def _asks_before(text: str, position: int) -> bool:
    """Whether the text invites questions here: a number in a page's foot is the site's."""
    return bool(_ASKS.search(text, max(0, position - 150), position))


def _is_place(address: str) -> bool:
    return "@" not in address and "www" not in address and "http" not in address


def _url_around(text: str, position: int) -> tuple[int, int]:
    """The address that covers `position`; the search may begin inside it (www. behind http://)."""
    low = max(0, position - 60)
    for match in _URL.finditer(text, low, min(len(text), position + 200)):
        if match.start() <= position < match.end():
            printed = match.group().rstrip("./:-?&")
            return match.start(), match.start() + len(printed)
    return position, position
