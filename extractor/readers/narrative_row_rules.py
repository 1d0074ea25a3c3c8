"""The rules of facts that restate a row of the tables: normative documents, outcomes, what is carried over, fees.

Lives here: ROW_COUNT_RULES and ROW_ZERO_RULES, in the form of narrative_rules. Does not live here: what speaks against
a match (narrative_row_objections). Called by narrative.

These facts are compared with one cell or one group of rows, so a rule takes the label of the form and little else:
"因不掌握无法提供3件" is a part of 无法提供, "公开规范性文件3件" says nothing of when they were made.
"""

from __future__ import annotations

import re

from extractor.readers.narrative_rules import CountRule, ZeroRule

_CASES = frozenset(("件", "起", "宗", "份", "例", "件次"))
_DOCUMENTS = frozenset(("件", "份", "个", "部", "项"))
_MONEY = frozenset(("元", "万元"))
#: Words between what is counted and its number; none that says "about".
_SUM = "[均共计总合累数量件有达为:]{0,8}"
_END = "(?=[,。;、()\n]|$)"

# ---------------------------------------------------------------- normative documents

_OWN = "(?:各类|本级|[省市区县]级|[省市区县]?政府|我[省市区县局委]|全[省市区县]|的|了|新){0,4}"
_DOCUMENT = "(?P<object>(?:行政)?规范性文件)"
_MAKE = "(?:制发|印发|出台|制定(?:并)?(?:印发|出台|发布|公布)?)"
# 修订、制定…: two kinds together; 制定8件、废止3件: an enumeration of counts.
_ALONE = "(?<![^件份个部项]、)(?<![和及或与并])"

_DOCUMENT_RULES = (
    CountRule(
        "normative_documents_issued",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"{_ALONE}{_MAKE}{_OWN}{_DOCUMENT}{_SUM}$"),
        re.compile(_END),
        "动态更新本年度制发的规范性文件77件。",
    ),
    CountRule(
        "normative_documents_issued",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"{_ALONE}{_MAKE}(?:了)?{_SUM}$"),
        re.compile(f"{_OWN}{_DOCUMENT}{_END}"),
        "全年出台8件行政规范性文件。",
    ),
    CountRule(
        "normative_documents_repealed",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"{_ALONE}废止{_OWN}{_DOCUMENT}{_SUM}$"),
        re.compile(_END),
        "全年清理废止行政规范性文件12件。",
    ),
    CountRule(
        "normative_documents_repealed",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"{_ALONE}废止(?:了)?{_SUM}$"),
        re.compile(f"{_OWN}{_DOCUMENT}{_END}"),
        "全年废止12件行政规范性文件。",
    ),
    CountRule(
        "normative_documents_repealed",
        ("废止",),
        _DOCUMENTS,
        re.compile(f"(?:^|{_ALONE}(?<=、))废止(?:了)?{_SUM}$"),
        re.compile(_END),
        "本年度制发行政规范性文件8件、废止3件、现行有效125件。",
    ),
    CountRule(
        "normative_documents_in_force",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"现行有效{_OWN}{_DOCUMENT}{_SUM}$"),
        re.compile(_END),
        "清理并集中发布现行有效行政规范性文件393件。",
    ),
    CountRule(
        "normative_documents_in_force",
        ("规范性文件",),
        _DOCUMENTS,
        re.compile(f"现行有效{_SUM}$"),
        re.compile(f"{_OWN}{_DOCUMENT}{_END}"),
        "现行有效393件行政规范性文件。",
    ),
    CountRule(
        "normative_documents_in_force",
        ("现行有效",),
        _DOCUMENTS,
        re.compile(f"(?:^|{_ALONE}(?<=、))现行有效{_SUM}$"),
        re.compile(_END),
        "本年度制发行政规范性文件8件、废止3件、现行有效125件。",
    ),
)

# ---------------------------------------------------------------- outcomes of applications

# What may stand before an outcome's label: the begin of its clause, the number before it in a list, or words that
# change nothing.
_IN_A_LIST = "(?<=[件起宗份例次%\\d])、|(?<=\\d)\\."
_BEFORE_OUTCOME = (
    f"(?:^|{_IN_A_LIST}|[:()]|其中|包括|申请中|[作做]出|给予)(?:全年|[本当]年度?|依法|已|均|共|决定|答复){{0,3}}"
)
_AFTER_OUTCOME = f"(?:答复|决定|处理|办理)?(?:的)?(?:政府)?(?:信息公开)?(?:申请)?(?:的)?{_SUM}$"
_WHOLLY = "(?:予以|同意|准予)(?:全部)?公开"
_PARTLY = "(?:予以|同意|准予)?部分公开"


def _outcome(field: str, label: str, cue: str, example: str) -> CountRule:
    pattern = re.compile(f"{_BEFORE_OUTCOME}{label}{_AFTER_OUTCOME}")
    return CountRule(field, (cue,), _CASES, pattern, re.compile(_END), example)


_OUTCOME_RULES = (
    _outcome("applications_granted", _WHOLLY, "公开", "办结政府信息公开申请81件，其中：予以公开40件，占49.38%。"),
    _outcome(
        "applications_partially_granted", _PARTLY, "部分公开", "所有办结的申请中同意公开答复 9 件，部分公开答复 0 件。"
    ),
    _outcome(
        "applications_granted_or_partially_granted",
        f"{_WHOLLY}(?:答复)?[及和与或、]{_PARTLY}",
        "部分公开",
        "办结依申请公开81件，其中：予以公开及部分公开42件，占51.85%。",
    ),
    _outcome("applications_refused", "不予公开", "不予公开", "收到政府信息公开申请36件，不予公开答复 2 件。"),
    _outcome(
        "applications_unable",
        "(?:因[^,;:()]{1,16}等原因)?无法提供",
        "无法提供",
        "收到政府信息公开申请36件，无法提供的 10 件。",
    ),
    _outcome("applications_not_processed", "不予处理", "不予处理", "收到政府信息公开申请36件，不予处理 0 件。"),
    _outcome("applications_other_result", "其[他它]处理", "处理", "收到政府信息公开申请36件，其他处理 14 件。"),
)

# ---------------------------------------------------------------- carried over from one year to the next

_FOR_INFORMATION = "(?:未办结)?(?:的)?(?:(?:政府)?(?:信息)?(?:公开)?申请)?(?:事项|件|数量)?(?:的)?"
_TO_NEXT_YEAR = "(?:结转|顺延|延续|转)(?:至|到|入)?(?:下一?年度?|次年)(?:继续)?(?:办理|答复|处理){0,2}"

_RIGHTLY = "(?:依法|按规定|按照《条例》(?:规定)?)?"

_CARRIED_RULES = (
    CountRule(
        "applications_carried_in",
        ("结转",),
        _CASES,
        re.compile(f"(?:上一?年度?|去年度?)结转(?:[至到]?本年度?)?(?:继续)?(?:办理)?{_FOR_INFORMATION}{_SUM}$"),
        re.compile(f"{_FOR_INFORMATION}{_END}"),
        "全年收到政府信息公开申请 34 件，上年结转政府信息公开申请 2 件。",
    ),
    CountRule(
        "applications_carried_out",
        ("下年", "下一年", "次年"),
        _CASES,
        re.compile(f"{_TO_NEXT_YEAR}{_FOR_INFORMATION}{_SUM}$"),
        re.compile(_END),
        "收到政府信息公开申请36件，转下一年度办理答复的有 1 件。",
    ),
    CountRule(
        "applications_carried_out",
        ("下年", "下一年", "次年"),
        _CASES,
        re.compile("(?:^|[、:(]|其余|剩余|[另尚还仍]?有)$"),
        re.compile(f"{_FOR_INFORMATION}{_RIGHTLY}{_TO_NEXT_YEAR}{_END}"),
        "共收到70件政府信息公开申请，办结69件，1件结转下年度继续办理。",
    ),
)

# ---------------------------------------------------------------- fees of section 二

_FEE_RULES = (
    CountRule(
        "admin_fees_wan",
        ("行政事业性收费",),
        _MONEY,
        re.compile(f"行政事业性收费(?:收入|收取|征收|的|总金额|金额|总额|资金){{0,3}}{_SUM}(?:人民币)?$"),
        re.compile(_END),
        "全年行政事业性收费金额96171.6万元。",
    ),
)

ROW_COUNT_RULES = (*_DOCUMENT_RULES, *_OUTCOME_RULES, *_CARRIED_RULES, *_FEE_RULES)

# ---------------------------------------------------------------- statements without a number

_DULY = (
    "(?:依法|依规|及时|妥善|规范|全部|[按如]期|按时|按(?:照)?(?:要求|规定|时限)|在(?:法定|规定)(?:期限|时限)内){0,4}"
)
_SETTLED = f"(?:已|已经)?{_DULY}(?:办结|办理完成|办理完毕|办理完结|处理完毕){_END}"

ROW_ZERO_RULES = (
    ZeroRule(
        "normative_documents_issued",
        ("规范性文件",),
        re.compile(f"(?:未|没有|未曾|尚未){_MAKE}(?:过)?(?:任何)?{_OWN}{_DOCUMENT}{_END}"),
        "2023年，我局未制发行政规范性文件。",
    ),
    # All settled: nothing is carried to the next year.
    ZeroRule(
        "applications_carried_out",
        ("办结", "办理完", "处理完"),
        re.compile(f"(?:所有|全部)(?:的)?(?:政府)?(?:信息)?(?:公开)?(?P<object>申请)(?:事项|件)?(?:均|都)?{_SETTLED}"),
        "上年结转政府信息公开申请 2 件，所有申请均已按要求办理完成。",
        starts=("所有", "全部"),
    ),
    ZeroRule(
        "applications_carried_out",
        ("办结", "办理完", "处理完"),
        re.compile(f"(?:已全部|全部|[均都]){_SETTLED}"),
        "2023年收到政府信息公开申请21件，均已办结。",
        starts=("已全部", "全部", "均", "都"),
    ),
)
