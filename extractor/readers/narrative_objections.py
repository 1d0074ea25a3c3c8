"""What speaks against a statement: another time, a part, a denial, another subject.

Lives here: the objections to each fact, and their order. Does not live here: those to facts that restate a row of
the tables (narrative_row_objections). Called by narrative.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from extractor.readers.narrative_row_objections import (
    is_no_admin_fee,
    is_no_document_count,
    is_no_outcome,
    is_not_all_settled,
)
from extractor.readers.narrative_rules import CASE, FEE, LITIGATION, REVIEW, SUM
from extractor.readers.narrative_statement import Context, Statement, Text
from extractor.readers.numerals import YEAR, parse_year

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


def accepts(text: Text, statement: Statement) -> bool:
    """Whether nothing speaks against the statement. Call it in the order of the text."""
    prose = text.prose
    context = Context(
        clause=prose.text[prose.clause_start(statement.start) : statement.position],
        sentence=prose.text[prose.sentence_start(statement.start) : statement.position],
        behind=prose.text[statement.behind : statement.behind + 40],
    )
    if any(objects(text, statement, context) for objects in _OBJECTIONS[statement.field]):
        return False
    if statement.field in ("reviews", "litigations"):
        text.last_case = statement.position
    return True


def _is_other_time(text: Text, statement: Statement, context: Context) -> bool:
    if _OTHER_TIME.search(context.clause) or _PLAN.search(context.clause):
        return True
    if _UP_TO.search(context.sentence) and not _THIS_YEAR.search(context.sentence):
        return True
    if "年" not in context.sentence:
        return False
    years = _YEAR_BEFORE.findall(_QUOTED.sub("", context.sentence))
    return bool(years) and parse_year(years[-1]) != text.report_year


def _is_part(text: Text, statement: Statement, context: Context) -> bool:
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


def _is_denied(text: Text, statement: Statement, context: Context) -> bool:
    """未收到1件申请 states no 1."""
    before = text.prose.text[max(0, statement.start - 2) : statement.start]
    return not statement.is_zero_phrase and before.endswith(("未", "没有", "无", "不", "未曾"))


def _is_no_application(text: Text, statement: Statement, context: Context) -> bool:
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


def _speaks_of_applications(text: Text, position: int) -> bool:
    """Whether a bare 申请 is one for information: by its section, or by what was said before."""
    return text.section(position) == "applications" or bool(
        re.search("依申请公开|信息公开申请", text.prose.text[max(0, position - 600) : position])
    )


def _words_before(text: Text, statement: Statement, length: int) -> str:
    return text.prose.text[max(0, statement.start - length) : statement.start]


def _is_no_answer(text: Text, statement: Statement, context: Context) -> bool:
    if _OTHER_ANSWERS.search(context.sentence) or _words_before(text, statement, 2).endswith(_PART_OF_ANSWERS):
        return True
    return "申请" not in context.sentence or not _BEHIND_ANSWERS.match(context.behind)


def _is_no_case(text: Text, statement: Statement, context: Context) -> bool:
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


def _is_no_fee(text: Text, statement: Statement, context: Context) -> bool:
    if re.search("减免|免收|免除|退还|应收|应缴", context.clause):
        return True
    return "实际收取" in context.clause and not re.search(FEE, _words_before(text, statement, 160) + context.clause)


def _is_no_item_count(text: Text, statement: Statement, context: Context) -> bool:
    return bool(
        _PART_BEHIND.match(context.behind) or _PARTLY.search(context.clause[: statement.start - statement.position])
    )


def _is_other_time_than_carried(text: Text, statement: Statement, context: Context) -> bool:
    """上年结转 speaks of this year: only what stands before these words counts."""
    ahead = text.prose.text[text.prose.clause_start(statement.start) : statement.start]
    return _is_other_time(text, statement, context._replace(clause=ahead))


_Objection = Callable[[Text, Statement, Context], bool]
_ALWAYS: tuple[_Objection, ...] = (_is_other_time, _is_part, _is_denied)
_OUTCOME: tuple[_Objection, ...] = (_is_other_time, _is_denied, is_no_outcome)
_CARRIED: tuple[_Objection, ...] = (_is_other_time_than_carried, _is_denied, is_no_outcome, is_not_all_settled)
_DOCUMENTS: tuple[_Objection, ...] = (*_ALWAYS, is_no_document_count)
_ITEMS: tuple[_Objection, ...] = (*_ALWAYS, _is_no_item_count)
_OBJECTIONS: dict[str, tuple[_Objection, ...]] = {
    "proactive_items_total": _ITEMS,
    "website_items": _ITEMS,
    "wechat_items": _ITEMS,
    "normative_documents_issued": _DOCUMENTS,
    "normative_documents_repealed": _DOCUMENTS,
    "normative_documents_in_force": _DOCUMENTS,
    "applications_received": (*_ALWAYS, _is_no_application),
    "applications_carried_in": _CARRIED,
    "applications_granted": _OUTCOME,
    "applications_partially_granted": _OUTCOME,
    "applications_granted_or_partially_granted": _OUTCOME,
    "applications_refused": _OUTCOME,
    "applications_unable": _OUTCOME,
    "applications_not_processed": _OUTCOME,
    "applications_other_result": _OUTCOME,
    "applications_answered": (*_ALWAYS, _is_no_answer),
    "applications_carried_out": _CARRIED,
    "reviews": (*_ALWAYS, _is_no_case),
    "litigations": (*_ALWAYS, _is_no_case),
    "information_processing_fee_yuan": (*_ALWAYS, _is_no_fee),
    "admin_fees_wan": (*_ALWAYS, is_no_admin_fee),
}
