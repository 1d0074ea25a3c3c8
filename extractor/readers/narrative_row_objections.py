"""What speaks against a statement that restates a row of the tables.

Lives here: the objections to the facts of narrative_row_rules. Called by narrative_objections.
"""

from __future__ import annotations

import re

from extractor.readers.narrative_statement import Context, Statement, Text

_ABOUT = re.compile("[约近超逾]")
_OTHER_SUBJECT = re.compile("留言|热线|提案|建议|工单|信箱|复议|诉讼|许可|专利|救助")
_INFORMATION = re.compile("依申请公开|信息公开申请|公开政府信息")
# 上年结转的2件申请中,予以公开1件: outcomes of a part of them.
_OF_A_PART = re.compile("(?:结转|网上|网络|信函|邮寄|当面|现场|自然人|公民|法人|企业)[^。;]{0,24}中[,:]?$")
_COUNTED = re.compile(
    "(?:申请[^,。;\\d]{0,8}\\d+(?:件|起|宗|份|例|件次)|\\d+(?:件|起|宗|份|例|件次)[^,。;\\d]{0,16}申请)(?:\\([^()]*\\))?,$"
)
_PART_OF_THEM = re.compile("其中|网上|网络|信函|邮寄|当面|现场|自然人|公民|法人|企业")
_NOT_THEIR_MAKER = re.compile("对|审查|审核|备案|评估|解读|征求|起草|草案|转发|上级|名义|建议|培训|报送")
_OTHER_DOCUMENTS = re.compile("规章|政策|法规|清单|证明|制度|办法|文件|事项")
_CAMPAIGN = re.compile("清理|梳理")
_THIS_YEAR = re.compile("全年|[本当今]年|年度")
_NOT_THE_FEE = re.compile("[减免降停退]|取消|应[收缴]|预算|标准|项目|目录")


def is_no_outcome(text: Text, statement: Statement, context: Context) -> bool:
    """An estimate, another subject, or an outcome of some of the applications only."""
    ahead = _sentence_ahead(text, statement)
    if _is_estimate(text, statement, context) or _OTHER_SUBJECT.search(ahead) or _OF_A_PART.search(ahead):
        return True
    if "申请" in context.sentence or text.section(statement.start) == "applications":
        return False
    return not _INFORMATION.search(text.prose.text, max(0, statement.start - 600), statement.start)


def is_not_all_settled(text: Text, statement: Statement, context: Context) -> bool:
    """A bare 全部办结 counts only behind the number of all applications."""
    if not statement.is_zero_phrase or "申请" in statement.object:
        return False
    return not _COUNTED.search(context.sentence) or bool(_PART_OF_THEM.search(context.sentence))


def is_no_document_count(text: Text, statement: Statement, context: Context) -> bool:
    """Documents of others, of all years, or of another kind."""
    if _is_estimate(text, statement, context) or _NOT_THEIR_MAKER.search(context.clause):
        return True
    is_stock = statement.field == "normative_documents_in_force"
    if not is_stock and "累计" in context.clause and not _THIS_YEAR.search(context.sentence):
        return True
    if statement.object:
        return False
    # 废止3件: of the documents that the sentence named before, and of this year's doing, not of a campaign.
    ahead = _sentence_ahead(text, statement)
    _, named, since = ahead.rpartition("规范性文件")
    return not named or bool(_OTHER_DOCUMENTS.search(since) or _CAMPAIGN.search(ahead))


def is_no_admin_fee(text: Text, statement: Statement, context: Context) -> bool:
    """Reduced, waived, due: not what was charged."""
    return _is_estimate(text, statement, context) or bool(_NOT_THE_FEE.search(context.clause))


def _sentence_ahead(text: Text, statement: Statement) -> str:
    return text.prose.text[text.prose.sentence_start(statement.start) : statement.start]


def _is_estimate(text: Text, statement: Statement, context: Context) -> bool:
    between = text.prose.text[statement.end : statement.behind]
    return not statement.is_zero_phrase and bool(
        "余" in between or "多" in between or _ABOUT.search(context.clause[-6:])
    )
