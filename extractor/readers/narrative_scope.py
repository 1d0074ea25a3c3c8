"""Whose number a statement gives, and of what time.

Lives here: another year or a part of this one, a plan, another body, a task handed on. Does not live here: what
speaks against one fact only (narrative_objections, narrative_row_objections). Called by narrative_objections.

A report states numbers of many bodies and spans of time. What is not surely the agency's own and of the whole year is
left out: 上半年收到…, 下属单位收到…, 市本级… where the table may be the whole city's.
"""

from __future__ import annotations

import re

from extractor.readers.narrative_statement import Context, Statement, Text
from extractor.readers.numerals import YEAR

# ---------------------------------------------------------------- time

_OTHER_TIME = re.compile(
    "上年|去年|上一年|往年|历年|前一年|前年|同期|同比|环比|[较比][^,]{0,12}(?:增|减|上升|下降|多|少)|至今|年底累计|到年底|截至目前|截止目前|迄今|以来|结转|开通"
)
_PLAN = re.compile("将|拟|计划|力争|目标|预计|明年|下一年|下达|不少于|不低于|至少|确保|要求(?:各|其|所)")
_GOAL_BEHIND = re.compile(
    "(?:万?元|条次|件次|[条件篇起宗份则例项笔个部])(?:以[上内]|左右|上下|的?(?:目标|任务|指标|要求|标准))"
)
# 截至2023年12月31日,累计…: since when, it does not say.
_UP_TO = re.compile("截[至止][^。]{0,80}累计|累计[^。]{0,30}截[至止]")
_THIS_YEAR = re.compile("全年|当年|本年|年度")
# Of a month, a day, an applicant: said of the number itself.
_RATE = re.compile("[月日季周]均|每[个年月日季周天]|平均|单[日月]|最多|一次性|季度")
# 累计公开10236条,其中2023年新增2356条: of all years.
_THIS_YEAR_BEHIND = re.compile(f"[^。;]{{0,6}}其中,?(?:全年|[本当今]年|{YEAR}年)")


def is_other_time(text: Text, statement: Statement, context: Context) -> bool:
    """Another year, several, a part of the year, or a plan."""
    if any(words.search(context.clause) for words in (_OTHER_TIME, _PLAN, _RATE)):
        return True
    if "累计" in context.clause and _THIS_YEAR_BEHIND.match(context.behind):
        return True
    if not statement.is_zero_phrase and _GOAL_BEHIND.match(text.prose.text, statement.end):
        return True
    if _UP_TO.search(context.sentence) and not _THIS_YEAR.search(context.sentence):
        return True
    start = text.prose.sentence_start(statement.start)
    part = max(start, text.prose.text.rfind(";", start, statement.position) + 1)
    times = text.times
    year = times.last_year(start, statement.position)
    return (
        times.is_part_of_year(part, statement.position)
        or times.is_several_years(start, statement.position)
        or (year is not None and year != text.report_year)
    )


def is_other_time_than_carried(text: Text, statement: Statement, context: Context) -> bool:
    """上年结转 speaks of this year: only what stands before these words counts."""
    ahead = text.prose.text[text.prose.clause_start(statement.start) : statement.start]
    return is_other_time(text, statement, context._replace(clause=ahead))


# ---------------------------------------------------------------- whose

# What a body did for another one, or had others do.
_FOR_OTHERS = re.compile("转[办来送交]|交办|承办|协[办助]|配合|指导|督促|推动|会同|代理|抽查|检查|核查|考核")
# Where the words about channels and manners begin, the subject ends.
_BEHIND_SUBJECT = re.compile("收取|通过|在|利用|依托|借助|运用|经|向|按|依|根据|严格|[“《]")
_BEFORE_SUBJECT = re.compile(f"(?:[一二三四五六七八九十]是|其中|全年|[本当今]年度?|{YEAR}年度?|\\d+\\.|[;:、()0-9])+")
_ORGAN = re.compile(
    "[\u3400-\u9fff]{0,18}?(?:[\u3400-\u9fff](?:局|委|厅|乡|镇|院|办)|[\u3400-\u9fff]{2}[所处科股]|委员会|办公室|政府(?!信息)|中心|大队|"
    "支队|部门|单位|机关|本级|街道|县区)"
    "(?=$|[共已均有无没未因为的,(]|总|累计|合计|全年|[本当今]年|20\\d\\d|分别|新[收制]|先后|现行|[仅只]|收到|受理|接[收到]|发生|审[理结]|办[理结]|"
    "承办|处理|公开|主动|制[发定]|印发|出台|废止|答复|代理|行政|政府信息)"
)
_OWN = re.compile(
    "我|全(?:[省市区县州盟旗乡镇街局委厅院校]|系统)|本(?:[省市区县州盟旗乡镇街局委厅院校办]|机关|单位|部门|级政府)"
)
_COUNTED = re.compile("\\d(?:万?元|[条件篇起宗份则例项笔个部])")
_TOGETHER = re.compile("[及和与含]|全|各级")
_OTHERS = re.compile("[下所直局委厅]属|[局委厅]机关|派出|基层|上级|[省市区县州旗镇]直|各(?![类种项级])|兄弟|个别|本级")
# 市政府收到256件,市政府部门收到1203件: neither is the number of all.
_OTHERS_BEHIND = re.compile(
    "[^。;]{0,16}[,;、][^。,;\\d]{0,12}(?:部门|单位|县区|乡镇|街道|办公室|[县市区旗]\\)?)(?:共|累计|主动){0,2}(?:收到|受理|公开|发布|制发|新收)"
)
_GOVERNED = tuple("省市区县州盟旗镇乡")


def is_other_body(text: Text, statement: Statement, context: Context) -> bool:
    """The number of another body, of a part of the agency, or of what it did for others."""
    start = text.prose.clause_start(statement.start)
    ahead = text.prose.text[start : statement.start]
    if _FOR_OTHERS.search(ahead):
        return True
    subject = _find_subject(ahead)
    if _ORGAN.match(subject) and not statement.is_zero_phrase and _OTHERS_BEHIND.match(context.behind):
        return "全" not in subject
    is_other = _is_others(text, subject)
    return bool(_is_others_before(text, start) if is_other is None else is_other)


def _find_subject(ahead: str) -> str:
    """What a clause begins with, without its time and what it says of channels and manners."""
    subject = _BEHIND_SUBJECT.split(ahead, maxsplit=1)[0]
    begin = _BEFORE_SUBJECT.match(subject)
    return subject[begin.end() :] if begin else subject


def _is_others(text: Text, subject: str) -> bool | None:
    """Whether a subject is another body; None where no body is named."""
    if _OTHERS.search(subject):
        return not _TOGETHER.search(subject)
    if _OWN.search(subject):
        return False
    organ = _ORGAN.match(subject)
    return not is_own_name(text, organ.group()) if organ else None


def _is_others_before(text: Text, start: int) -> bool | None:
    """What the clauses in front of one say: 区本级收到申请23件,办结20件. Each clause is looked at once."""
    prose = text.prose
    first = prose.sentence_start(start)
    passed: list[int] = []
    is_other: bool | None = None
    while is_other is None and start > first:
        if start in text.others_before:
            is_other = text.others_before[start]
            break
        passed.append(start)
        previous = prose.clause_start(start - 1)
        clause = prose.text[previous : start - 1]
        is_other = _is_others(text, _find_subject(clause))
        if is_other and not _COUNTED.search(clause):
            is_other = None  # 各单位高度重视,收到…
        start = previous
    text.others_before |= dict.fromkeys(passed, is_other)
    return is_other


def is_own_name(text: Text, name: str) -> bool:
    """Whether a name may be short for the agency's: its characters stand in that one in the same order."""
    own = text.agency + ("人民政府" if text.agency.endswith(_GOVERNED) else "")
    place = 0
    for char in name:
        place = own.find(char, place) + 1
        if not place:
            return False
    return True


# ---------------------------------------------------------------- how exactly

# 分别收到申请30件、42件: which of them is whose, the words around do not say.
_NEXT_NUMBER = re.compile("[、,]\\d+(?:条次|件次|[条件篇起宗份则例项笔个部元])")
_ABOUT = re.compile("[约近超逾]")


def is_estimate(text: Text, statement: Statement, context: Context) -> bool:
    """About so many, more than so many, or one number of a row of them."""
    if statement.is_zero_phrase:
        return False
    if "分别" in context.clause and _NEXT_NUMBER.match(text.prose.text, statement.behind):
        return True
    return text.prose.text[statement.end : statement.end + 1] in ("余", "多") or bool(
        _ABOUT.search(context.clause[-6:])
    )
