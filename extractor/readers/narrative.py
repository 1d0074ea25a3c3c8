"""Counts that the narrative states: items disclosed, applications, reviews, litigation, the fee.

Lives here: finding the statements of the rules, and what speaks against one. Does not live here:
the rules (narrative_rules), the running text (prose), and the comparison of these counts with the tables
(reconcile). Called by the template reader.

Precision goes first: a sentence that a rule does not know is left out, and so is a count that may
be a part ("其中…"), another year's, a plan, another body's, or several channels' together. A count
rule looks at one printed number: what stands before it in its clause, and what stands behind. A
zero rule looks at a negation ("未收到…申请"). Each rule carries a sentence that it must find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import Candidate, Chunk, Document, Flag, Unit
from extractor.readers.base import Facts
from extractor.readers.header import find_report_year
from extractor.readers.narrative_rules import (
    BARE_ZERO_FEE,
    CASE,
    COUNT_RULES,
    FEE,
    FEE_CAPTION,
    ITEM_AFTER,
    ITEM_AROUND,
    ITEM_BEFORE,
    ITEM_UNITS,
    LITIGATION,
    REVIEW,
    SUM,
    VERBS,
    ZERO_RULES,
    ZeroRule,
)
from extractor.readers.numerals import YEAR, parse_year
from extractor.readers.prose import Prose, find_words, make_candidate, merge_candidates, read_prose


def read_narrative(
    document: Document, chunks: Sequence[Chunk], prose: Prose | None = None, report_year: int | None = None
) -> Facts:
    """Read the counts that the running text states with certainty.

    Args:
        document: the source file.
        chunks: its sections, with the places of their tables.
        prose: the running text, where the caller has it already.
        report_year: the year of the report, where the caller knows it; else it is looked up.

    Returns:
        Candidates for those of NARRATIVE_FIELDS that the text states; a fee in 万元 keeps its
        printed number with `unit="wan"` and a flag.
    """
    text = _Text(document, chunks, prose or read_prose(document, chunks), report_year)
    found: dict[str, list[Candidate]] = {}
    for statement in sorted(_find_statements(text), key=lambda item: item.position):
        if text.accepts(statement):
            found.setdefault(statement.field, []).append(_make_candidate(document, text.prose, statement))
    candidates = {f"narrative.{name}": merge_candidates(items) for name, items in found.items()}
    return Facts(candidates, tuple(_find_doubts(candidates)))


def _find_doubts(candidates: dict[str, tuple[Candidate, ...]]) -> Iterator[Flag]:
    for name, items in candidates.items():
        spans = [item.spans[0] for item in items]
        if len(items) > 1:
            raw = " / ".join(str(item.value) for item in items)
            yield make_flag("narrative-several-values", fields=(name,), spans=spans, raw=raw)
        for item in items:
            if item.unit == "wan":
                yield make_flag("unit-differs", fields=(name,), spans=item.spans, raw=f"{item.raw}万元")


# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class _Statement:
    """A match of a rule, as intervals in the prose.

    `start` is where its words begin, `position` and `end` are what is printed for the value, and
    `behind` is where the rest of the sentence goes on.
    """

    field: str
    value: int | Decimal
    start: int
    position: int
    end: int
    object: str = ""
    unit: Unit | None = None
    is_zero_phrase: bool = False
    behind: int = 0


_COUNT = re.compile(
    # The looks behind stand second: a pattern that begins with a class is searched for much faster.
    r"(?P<number>\d(?<![\d#]\d)(?<!\d[.,\- ]\d)(?:\d{0,2}(?:,\d{3})+(?!\d)|\d*(?:\.\d+)?))(?:余|多)?"
    r"(?P<unit>万元|元|条次|件次|余条|[条件篇起宗份则例项笔])(?!月)"
)
_NEARLY = re.compile(r"(?:近|不足|不到|接近|少于)$")
_UNIT_OF_MONEY: dict[str, Unit] = {"元": "yuan", "万元": "wan"}


def _find_statements(text: _Text) -> Iterator[_Statement]:
    prose = text.prose
    for match in _COUNT.finditer(prose.text):
        start = prose.clause_start(match.start())
        before = prose.text[start : match.start()]
        if not _NEARLY.search(before):
            yield from _read_count(text, match, start, before)
    seen = set(find_words(prose.text, ("未", "没有", "无")))
    for position in sorted(seen):
        clause = prose.text[position : prose.clause_end(position)]
        for rule in ZERO_RULES:
            if any(cue in clause for cue in rule.cues) or rule is BARE_ZERO_FEE:
                yield from _read_zero(prose, rule, position, clause)


def _read_count(text: _Text, match: re.Match[str], start: int, before: str) -> Iterator[_Statement]:
    unit = match["unit"]
    after = text.prose.text[match.end() : match.end() + 48]
    found: dict[str, _Statement | None] = {}
    for rule in COUNT_RULES:
        if rule.field in found or unit not in rule.units or not any(cue in before or cue in after for cue in rule.cues):
            continue
        ahead = rule.before.search(before)
        behind = rule.after.match(after) if rule.after else None
        if ahead and (behind or not rule.after):
            words = _named_object(ahead) or _named_object(behind)
            found[rule.field] = _build_statement(rule.field, match, start + ahead.start(), words)
    if not found and unit in ITEM_UNITS and any(word in before for word in VERBS):
        found["items"] = _read_items(text, match, start, before, after)
    yield from filter(None, found.values())


def _named_object(match: re.Match[str] | None) -> str:
    return match["object"] or "" if match and "object" in match.re.groupindex else ""


def _build_statement(name: str, match: re.Match[str], start: int, words: str = "") -> _Statement | None:
    number = match["number"].replace(",", "")
    if "." in number and name != "information_processing_fee_yuan":
        return None
    value = Decimal(number) if "." in number else int(number)
    unit = _UNIT_OF_MONEY.get(match["unit"])
    return _Statement(name, value, start, *match.span("number"), object=words, unit=unit, behind=match.end())


def _read_zero(prose: Prose, rule: ZeroRule, position: int, clause: str) -> Iterator[_Statement]:
    match = rule.pattern.match(clause)
    if not match:
        return
    if rule is BARE_ZERO_FEE and not FEE_CAPTION.search(prose.text[max(0, position - 60) : position]):
        return
    unit: Unit | None = "yuan" if rule.field == "information_processing_fee_yuan" else None
    end = position + match.end()
    yield _Statement(rule.field, 0, position, position, end, match.group(), unit, is_zero_phrase=True, behind=end)


# ---------------------------------------------------------------- items, by the channel that is named

_WEBSITE = re.compile("网站|门户网|官网")
_WECHAT = re.compile("微信|公众号")
_OTHER_CHANNEL = re.compile(
    "微博|抖音|视频号|头条|客户端|APP|QQ|新媒体|报纸|报刊|日报|电视|广播|LED|公示栏|宣传栏|公开栏|公告栏|短信|会议|公报"
)
# Names of channels that may be the website's own part; for a count over all channels, a limit.
_PLACE = re.compile("平台|系统|目录|专栏|栏目|互联网|网上|专区")
_ENUMERATION = re.compile(
    '(?:网站|门户网|官网|微信|公众号)[”"]?(?:平台)?[、和及与]|[、和及与](?:政务)?(?:微信|公众号|[^、和及与,]{0,12}网站)'
)
# Several are named and "等" says that these are not all: what is counted is then not one channel's.
_ALL_CHANNELS = re.compile(
    "[、和及][^、,。;\n]{1,24}等(?:多种|各种|各类|多个|多)?(?:渠道|方式|形式|媒介|平台|途径|载体|媒体)"
)
_ANY_CHANNEL = re.compile("|".join(p.pattern for p in (_WEBSITE, _WECHAT, _OTHER_CHANNEL, _PLACE)))
# 依申请公开, 更新公开 and the like are other things than what was disclosed this year.
_NOT_NEW = re.compile("(?:申请|不予|部分|予以|同意|更新|清理|删除|撤下|归集|梳理|整改|应|拟|未|没有|无|不|的)$")


def _read_items(text: _Text, match: re.Match[str], start: int, before: str, after: str) -> _Statement | None:
    """A count of items belongs to the website, to WeChat, or to all channels, or it is left out."""
    found = ITEM_BEFORE.search(before) or ITEM_AROUND.search(before)
    behind = ITEM_AFTER.match(after)
    if not found or not (_named_object(found) or behind) or _NOT_NEW.search(before, 0, found.start()):
        return None
    words = _named_object(found) or _named_object(behind)
    name = _name_channel(before[: found.start()])
    if not name and words:
        sentence = text.prose.text[text.prose.sentence_start(start) : start + found.start()]
        name = _name_total(sentence, found["verb"], words)
    return _build_statement(name, match, start + found.start(), words) if name else None


def _name_channel(place: str) -> str | None:
    """The one channel that the clause names before its verb."""
    if _OTHER_CHANNEL.search(place) or _ENUMERATION.search(place):
        return None
    is_website, is_wechat = bool(_WEBSITE.search(place)), bool(_WECHAT.search(place))
    if is_website == is_wechat:
        return None
    return "website_items" if is_website else "wechat_items"


def _name_total(sentence: str, verb: str, words: str) -> str | None:
    """A count for all channels: disclosed (not only published), and no channel is named before it."""
    if not ("主动" in verb or "主动" in words or ("公开" in verb and "政府信息" in words)):
        return None
    if "申请" in sentence and "主动" not in verb:
        return None  # …办结申请113件,公开政府信息167项: on request
    channels = [match.end() for match in _ANY_CHANNEL.finditer(sentence)]
    every = [match.end() for match in _ALL_CHANNELS.finditer(sentence)]
    if channels and not (every and every[-1] >= channels[-1]):
        return None
    return "proactive_items_total"


# ---------------------------------------------------------------- what speaks against a statement

_OTHER_TIME = re.compile(
    "上年|去年|上一年|往年|历年|前一年|前年|同期|同比|环比|[较比][^,]{0,12}(?:增|减|上升|下降|多|少)|至今|年底累计|到年底|截至目前|截止目前|迄今|以来|结转|开通"
)
# 截至2023年12月31日,累计…: since when, it does not say.
_UP_TO = re.compile("截[至止][^。]{0,80}累计|累计[^。]{0,30}截[至止]")
_THIS_YEAR = re.compile("全年|当年|本年|年度")
_PLAN = re.compile("将|拟|计划|力争|目标|预计|明年|下一年")
_YEAR_BEFORE = re.compile(f"({YEAR})年")
_QUOTED = re.compile("《[^》]{0,80}》")
_PART_BEHIND = re.compile(r"(?:\([^()]{0,20}\))?,?(?:约)?占")
_NOT_APPLICATIONS = re.compile(
    "复议|诉讼|投诉|举报|信访|赔偿|减免|许可|救助|补贴|低保|资助|入党|执行|专利|商标|项目|职称|行政确认"
)
_KIND = re.compile("自然人|公民|个人|法人|企业|单位|当面|现场|窗口|网上|网络|信函|邮寄|邮件|邮箱|传真|在线|平台")
_NOT_PLAIN = re.compile("未|逾期|超期|重复|补正|不服|有误|收费|不予")
_CHANNEL_OF_ASKING = re.compile("当面|现场|窗口|网上|网络|信函|邮寄|邮件|传真")
_PART_OF_ANSWERS = (
    "公开",
    "不予",
    "提供",
    "延期",
    "逾期",
    "超期",
    "处理",
    "会商",
    "口头",
    "书面",
    "当面",
    "电话",
    "同意",
    "部分",
)
_BEHIND_ANSWERS = re.compile("$|[,。;、\n()]|申请|依申请|政府信息")
_OTHER_ANSWERS = re.compile("留言|热线|信访|提案|建议|投诉|工单|来信|信件|复议|诉讼|案件|咨询|12345|信箱|延期|逾期")
_DISCLOSURE = re.compile("信息公开|依申请|申请公开|公开政府信息|公开信息")
_LOST_CASE = re.compile("纠|败诉|撤销|变更|责令|应诉|维持")
_CASES = f"(?:{REVIEW}|{LITIGATION}){CASE}"
_BOTH_CASES = re.compile(f"{_CASES}(?:[、和及与或/]|以及)?(?:被)?(?:提起)?{_CASES}{SUM}$")
_PARTLY = re.compile("乡镇[()、街道]*$|^(?:市|县|区)?(?:各|直)?部门$|各(?:乡镇|街道|村|社区|科室|股室)[^,]{0,6}$")


@dataclass
class _Text:
    """The running text with what the objections need to know."""

    document: Document
    chunks: Sequence[Chunk]
    prose: Prose
    known_year: int | None = None
    # Where the last review or litigation was accepted: the next sentence may go on about them.
    last_case: int = -1

    @cached_property
    def report_year(self) -> int | None:
        return self.known_year or find_report_year(self.document, self.chunks, self.prose)

    def accepts(self, statement: _Statement) -> bool:
        """Whether nothing speaks against the statement. Call it in the order of the text."""
        context = _Context(
            clause=self.prose.text[self.prose.clause_start(statement.start) : statement.position],
            sentence=self.prose.text[self.prose.sentence_start(statement.start) : statement.position],
            behind=self.prose.text[statement.behind : statement.behind + 40],
        )
        objections = (_is_other_time, _is_part, _is_denied, *_OBJECTIONS[statement.field])
        if any(objects(self, statement, context) for objects in objections):
            return False
        if statement.field in ("reviews", "litigations"):
            self.last_case = statement.position
        return True

    def section(self, position: int) -> str:
        """The section in which a place of the prose stands."""
        source = self.prose.source(position)
        return next((chunk.section for chunk in self.chunks if chunk.start <= source < chunk.end), "header")


class _Context(NamedTuple):
    """What stands around a statement: before its value in the clause and the sentence, and behind it."""

    clause: str
    sentence: str
    behind: str


def _is_other_time(text: _Text, statement: _Statement, context: _Context) -> bool:
    if _OTHER_TIME.search(context.clause) or _PLAN.search(context.clause):
        return True
    if _UP_TO.search(context.sentence) and not _THIS_YEAR.search(context.sentence):
        return True
    if "年" not in context.sentence:
        return False
    years = _YEAR_BEFORE.findall(_QUOTED.sub("", context.sentence))
    return bool(years) and parse_year(years[-1]) != text.report_year


def _is_part(text: _Text, statement: _Statement, context: _Context) -> bool:
    """A part of another number. Reviews and litigation may follow the parts of something else."""
    scope = context.sentence
    if statement.field in ("reviews", "litigations"):
        scope = scope[scope.rfind(";") + 1 :]
    if statement.is_zero_phrase or "其中" not in scope:
        return False
    # 制作、获取政府信息总数425条,其中主动公开政府信息148条: a whole of another kind.
    return not (statement.field == "proactive_items_total" and _ends_a_whole(scope))


def _ends_a_whole(scope: str) -> bool:
    whole, _, part = scope.rpartition("其中")
    return "获取" in whole[-60:] and not re.search(r"\d", part) and "其中" not in whole


def _is_denied(text: _Text, statement: _Statement, context: _Context) -> bool:
    """未收到1件申请 states no 1."""
    before = text.prose.text[max(0, statement.start - 2) : statement.start]
    return not statement.is_zero_phrase and before.endswith(("未", "没有", "无", "不", "未曾"))


def _is_no_application(text: _Text, statement: _Statement, context: _Context) -> bool:
    words = statement.object.removeprefix("未") if statement.is_zero_phrase else statement.object
    if _NOT_APPLICATIONS.search(words) or _NOT_PLAIN.search(words) or _is_one_kind(words, statement.is_zero_phrase):
        return True
    if "公开" in words or "信息" in words:
        return False
    return len(words) > 5 or not _speaks_of_applications(text, statement.start)


def _is_one_kind(words: str, is_zero: bool) -> bool:
    """收到网上信息公开申请3件 is a part; 通过邮寄、网络提交的各类申请81件 is all of them."""
    kind = _CHANNEL_OF_ASKING if is_zero else _KIND
    return bool(kind.search(words)) and not re.search("[、等]|各类|任何", words)


def _speaks_of_applications(text: _Text, position: int) -> bool:
    """Whether a bare 申请 is one for information: by its section, or by what was said before."""
    return text.section(position) == "applications" or bool(
        re.search("依申请公开|信息公开申请", text.prose.text[max(0, position - 600) : position])
    )


def _words_before(text: _Text, statement: _Statement, length: int) -> str:
    return text.prose.text[max(0, statement.start - length) : statement.start]


def _is_no_answer(text: _Text, statement: _Statement, context: _Context) -> bool:
    if _OTHER_ANSWERS.search(context.sentence) or _words_before(text, statement, 2).endswith(_PART_OF_ANSWERS):
        return True
    return "申请" not in context.sentence or not _BEHIND_ANSWERS.match(context.behind)


def _is_no_case(text: _Text, statement: _Statement, context: _Context) -> bool:
    if statement.is_zero_phrase:
        rest = re.split("[,。;\n]", context.behind, maxsplit=1)[0]
        return bool(_LOST_CASE.search(rest) or re.search("受理|办理|办结|化解", statement.object[4:]))
    if statement.value and _BOTH_CASES.search(context.clause):
        return True  # one number for both
    if _DISCLOSURE.search(context.clause + statement.object) or text.section(statement.position) == "review_litigation":
        return False
    if statement.value == 0 and _DISCLOSURE.search(context.sentence):
        return False  # none of any kind
    sentence = text.prose.sentence_start(statement.start)
    return text.last_case < text.prose.sentence_start(max(0, sentence - 1))


def _is_no_fee(text: _Text, statement: _Statement, context: _Context) -> bool:
    if re.search("减免|免收|免除|退还|应收|应缴", context.clause):
        return True
    return "实际收取" in context.clause and not re.search(FEE, _words_before(text, statement, 160) + context.clause)


def _is_no_item_count(text: _Text, statement: _Statement, context: _Context) -> bool:
    return bool(
        _PART_BEHIND.match(context.behind) or _PARTLY.search(context.clause[: statement.start - statement.position])
    )


_Objection = Callable[[_Text, _Statement, _Context], bool]
_OBJECTIONS: dict[str, tuple[_Objection, ...]] = {
    "applications_received": (_is_no_application,),
    "applications_answered": (_is_no_answer,),
    "reviews": (_is_no_case,),
    "litigations": (_is_no_case,),
    "information_processing_fee_yuan": (_is_no_fee,),
    "proactive_items_total": (_is_no_item_count,),
    "website_items": (_is_no_item_count,),
    "wechat_items": (_is_no_item_count,),
}


def _make_candidate(document: Document, prose: Prose, statement: _Statement) -> Candidate:
    interval = prose.locate(statement.position, statement.end)
    return make_candidate(document, interval, statement.value, statement.unit)
