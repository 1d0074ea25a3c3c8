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
from extractor.readers.narrative_scope import is_estimate, is_other_body, is_other_time, is_other_time_than_carried
from extractor.readers.narrative_statement import Context, Statement, Text

_PART_BEHIND = re.compile(r"(?:\([^()]{0,20}\))?,?(?:约)?占")
_NOT_APPLICATIONS = re.compile(
    "复议|诉讼|投诉|举报|信访|赔偿|减免|许可|救助|补贴|低保|资助|入党|执行|专利|商标|项目|职称|行政确认|更正|撤[回销]|"
    "转[办来送交]|交办|上级"
)
_KIND = re.compile(
    "自然人|公民|个人|法人|企业|单位|当面|现场|窗口|网上|网络|信函|邮寄|邮件|邮箱|传真|在线|平台|书面|口头|"
    "(?<![各公信])(?<!公开)(?<!信息)类|(?<!申请人)[提递]交的"
)
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
_OTHER_ANSWERS = re.compile(
    "留言|热线|信访|提案|建议|投诉|工单|来信|信件|复议|诉讼|案件|咨询|模拟|测试|暗访|12345|信箱|延期|逾期"
)
_DISCLOSURE = re.compile("信息公开|依申请|申请公开|公开政府信息|公开信息")
# What was received or settled last: 受理行政审批申请256件,办结….
_LAST_RECEIVED = re.compile(
    "(?:收到|受理|接收|接到|新收|办理|处理|撤回|撤销)(?P<ahead>[^\\d,。;]{0,40})\\d+(?:件次|[件条份起宗例项笔])(?P<behind>[^\\d,。;]{0,40})"
)
_LONGEST_RECEIVED = 240
_BARE_APPLICATION = re.compile("(?:申请)?(?:各类|全部|各种)?(?:申请)?(?:事项|件)?")
_ABOUT_CASES_OF_OTHERS = re.compile(
    "审理|复议机关|代理|[占比](?:全部|所有|总)|(?<![我本].)(?<!本机关)(?:(?<!作)为|作为)(?:被申请人|被告)|针对[^我本]"
)
# 未发生被纠错的…: none of these; others there may be.
_SOME_CASES = re.compile("(?<=.{4})(?:受理|办理|办结|化解)|纠|败诉|重大|恶性")
_LOST_CASE = re.compile("纠|败诉|撤销|变更|责令|应诉|维持")
_CASES = f"(?:{REVIEW}|{LITIGATION}){CASE}"
_BOTH_CASES = re.compile(f"{_CASES}(?:[、和及与或/]|以及)?(?:被)?(?:提起)?{_CASES}{SUM}$")
_ONE_OF_SEVERAL_FEES = re.compile("向[^,]{0,12}申请人|[另每]")
_ADOPTED = re.compile("采用|采纳|[被获](?:各级|上级)?$|报送")
_FOREIGN_SITE = re.compile(
    "省(?:级|政府|人民政府|厅|门户)|[市县区]级网站|国家|国务院|中央|上级|村务|信用|采购|交易|招[聘标]|人才|人民网|新华|乡镇专[栏区]"
)
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
    received = list(_LAST_RECEIVED.finditer(context.sentence[-_LONGEST_RECEIVED:]))
    if received and not _is_for_information(received[-1]["ahead"] + received[-1]["behind"]):
        return True
    return "申请" not in context.sentence or not _BEHIND_ANSWERS.match(context.behind)


def _is_for_information(words: str) -> bool:
    return "公开" in words or bool(_BARE_APPLICATION.fullmatch(words))


def _is_no_case(text: Text, statement: Statement, context: Context) -> bool:
    if statement.is_zero_phrase:
        rest = re.split("[,。;\n]", context.behind, maxsplit=1)[0]
        return bool(_LOST_CASE.search(rest) or _SOME_CASES.search(statement.object))
    if _ABOUT_CASES_OF_OTHERS.search(context.clause):
        return True
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
    if not statement.is_zero_phrase and _ONE_OF_SEVERAL_FEES.search(context.clause):
        return True
    return "实际收取" in context.clause and not re.search(FEE, _words_before(text, statement, 160) + context.clause)


def _is_no_item_count(text: Text, statement: Statement, context: Context) -> bool:
    ahead = context.clause[: statement.start - statement.position]
    return bool(
        _PART_BEHIND.match(context.behind)
        or _PARTLY.search(ahead)
        or _ADOPTED.search(ahead)
        or (_FOREIGN_SITE.search(ahead) and "省" not in text.agency)
    )


_Objection = Callable[[Text, Statement, Context], bool]
_ALWAYS: tuple[_Objection, ...] = (is_other_time, is_other_body, is_estimate, _is_part, _is_denied)
_OUTCOME: tuple[_Objection, ...] = (is_other_time, is_other_body, is_estimate, _is_denied, is_no_outcome)
_CARRIED: tuple[_Objection, ...] = (
    is_other_time_than_carried,
    is_other_body,
    is_estimate,
    _is_denied,
    is_no_outcome,
    is_not_all_settled,
)
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
