"""What speaks against a statement that restates a row of the tables.

Lives here: the objections to the facts of narrative_row_rules. Called by narrative_objections.
"""

from __future__ import annotations

import re

from extractor.readers.narrative_scope import is_own_name
from extractor.readers.narrative_statement import Context, Statement, Text

_OTHER_SUBJECT = re.compile("留言|热线|提案|建议|工单|信箱|复议|诉讼|许可|专利|救助")
_INFORMATION = re.compile("依申请公开|信息公开申请|公开政府信息")
# 上年结转的2件申请中,予以公开1件; 自然人申请40件(予以公开14件; 自然人申请:予以公开14件: outcomes of a part of them.
_KINDS = "(?:结转|网上|网络|信函|邮寄|当面|现场|自然人|公民|法人|企业|[^各公信开息]类)"
_OF_A_PART = re.compile(
    f"{_KINDS}[^。;]{{0,24}}中[,:]?[^,。;:()\\d]{{0,16}}$|{_KINDS}[^。;:()\\d]{{0,12}}(?:\\d+[件起宗份例])?[:(][^。;:()]*$"
)
# How far back a list is looked at.
_LONGEST_LIST = 240
# 制发公文…,主动公开120件,依申请公开20件,不予公开16件: kinds of documents.
_OF_DOCUMENTS = re.compile("主动公开[^,。;、]{0,12}\\d[^。;]*$|(?:公文|发文|文件|属性)[^。;]*$")
_ASKED_SINCE = re.compile("收到|受理|接收|接到|新收|办结|申请(?!公开)|答复")
_COUNTED = re.compile(
    "(?P<what>[^,。;\\d]{0,40}(?:申请[^,。;\\d]{0,8}\\d+(?:件|起|宗|份|例|件次)|\\d+(?:件|起|宗|份|例|件次)[^,。;\\d]{0,16}申请))"
    "(?:\\([^()]*\\))?,$"
)
# 办理出入境证件申请32560件: applications for something else.
_OTHER_APPLICATIONS = re.compile("(?:收到|受理|接[收到]|新收|办理|处理)(?!了?(?:各类|全部)?申请)[^公\\d]*申请")
# With what stands in brackets behind it.
_LONGEST_COUNT = 160
_LEFT_OVER = re.compile("结转|转[下入至]|顺延|下一?年|次年|除|其余|未")
_PART_OF_THEM = re.compile("其中|网上|网络|信函|邮寄|当面|现场|自然人|公民|法人|企业")
_NOT_THEIR_MAKER = re.compile(
    "对|审查|审核|备案|评估|解读|征求|起草|草案|转发|上级|名义|建议|培训|报送|提请|报请|牵头|代拟|参与|学习|贯彻|国务院|国家"
)
_MADE = re.compile("制[发定]|印发|出台")
_DRAFTS = ("审查", "审核", "备案", "草案")
# 制定市政府规范性文件: of the city, where the agency is no government.
_OF_A_GOVERNMENT = re.compile("[省市区县州旗盟]?(?:人民)?政府$")
_OTHER_DOCUMENTS = re.compile("规章|政策|法规|清单|证明|制度|办法|文件|事项")
_CAMPAIGN = ("清理", "梳理")
_THIS_YEAR = re.compile("全年|[本当今]年|年度")
_NOT_THE_FEE = re.compile("[减免降停退]|取消|应[收缴]|预算|标准|项目|目录|公[示布开]|查处|违规|违法|节[省约]|乱收")


def is_no_outcome(text: Text, statement: Statement, context: Context) -> bool:
    """Another subject, kinds of documents, or an outcome of some of the applications only."""
    ahead = _sentence_ahead(text, statement)
    if _OTHER_SUBJECT.search(ahead) or _OF_A_PART.search(context.sentence[-_LONGEST_LIST:]):
        return True
    kinds = _OF_DOCUMENTS.search(ahead[-_LONGEST_LIST:])
    if kinds and not _ASKED_SINCE.search(kinds.group()):
        return True
    if "申请" in context.sentence or text.section(statement.start) == "applications":
        return False
    return not _INFORMATION.search(text.prose.text, max(0, statement.start - 600), statement.start)


def is_not_all_settled(text: Text, statement: Statement, context: Context) -> bool:
    """A bare 全部办结 counts only behind the number of all applications, and nothing may be left behind it."""
    if not statement.is_zero_phrase:
        return False
    rest = re.split("[。\n]", context.behind, maxsplit=1)[0]
    if _LEFT_OVER.search(rest):
        return True
    if "申请" in statement.object:
        return False
    counted = _COUNTED.search(context.sentence[-_LONGEST_COUNT:])
    if not counted or "结转" in counted["what"] or _OTHER_APPLICATIONS.search(counted["what"]):
        return True
    return bool(_PART_OF_THEM.search(context.sentence))


def is_no_document_count(text: Text, statement: Statement, context: Context) -> bool:
    """Documents of others, of all years, or of another kind."""
    ahead = _sentence_ahead(text, statement)
    if _NOT_THEIR_MAKER.search(context.clause) or any(word in ahead for word in _DRAFTS):
        return True
    words = text.prose.text[statement.start : statement.behind].partition("规范性文件")[0].removesuffix("行政")
    maker = _OF_A_GOVERNMENT.search(words)
    if maker and not is_own_name(text, maker.group()):
        return True
    is_stock = statement.field == "normative_documents_in_force"
    if not is_stock and "累计" in context.clause and not _THIS_YEAR.search(context.sentence):
        return True
    if statement.object:
        return False
    # 废止3件: of the documents that the sentence made before, and of this year's doing, not of a campaign.
    before, named, since = ahead.rpartition("规范性文件")
    return not (named and _MADE.search(before[-12:] + since)) or bool(
        _OTHER_DOCUMENTS.search(since) or any(word in ahead for word in _CAMPAIGN)
    )


def is_no_admin_fee(text: Text, statement: Statement, context: Context) -> bool:
    """Reduced, waived, due: not what was charged."""
    return bool(_NOT_THE_FEE.search(context.clause))


def _sentence_ahead(text: Text, statement: Statement) -> str:
    return text.prose.text[text.prose.sentence_start(statement.start) : statement.start]
