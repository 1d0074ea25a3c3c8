"""The rules of narrative facts, as data: how real reports state a count, and how they state that there is none.

Lives here: the form of a rule, COUNT_RULES and ZERO_RULES, each rule with a sentence that it must find. Does not live
here: the rules of facts that restate a row of the tables (narrative_row_rules), finding a rule's words in a text
(narrative), and what speaks against a match (narrative_objections).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class CountRule(NamedTuple):
    """A printed number that states a fact.

    Attributes:
        field: the fact, without `narrative.`.
        cues: words of which one must stand in the clause, before any pattern is tried.
        units: what may be counted by.
        before: must end where the number begins.
        after: must begin where the unit ends; None where anything may follow.
        example: a sentence in which the rule finds its number.
    """

    field: str
    cues: tuple[str, ...]
    units: frozenset[str]
    before: re.Pattern[str]
    after: re.Pattern[str] | None
    example: str


class ZeroRule(NamedTuple):
    """Words that state that a fact is 0. `pattern` matches where one of `starts` stands: mostly at a negation."""

    field: str
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    example: str
    starts: tuple[str, ...] = ("未", "没有", "无")


_APPLICATION_UNITS = frozenset(("件", "起", "宗", "份", "条", "例", "项", "笔", "件次"))
_CASE_UNITS = frozenset(("件", "起", "宗", "例", "件次"))
ITEM_UNITS = frozenset(("条", "项", "篇", "件", "份", "则", "条次"))
_MONEY_UNITS = frozenset(("元", "万元"))

# Words between what is counted and its number that change nothing.
# A class, not alternatives: 共|计|共计 would give a pattern many ways to read the same words.
SUM = "[均共计总合累数量件条有达到为约超过逾:]{0,12}"
_ALL = (
    "(?:各类|各种|各项|各级|所有|全部|全年|当年|本年度|共计|累计|我[局委办区市县乡镇旗厅街]|本机关|全[区市县]"
    "|[各本]?单位|部门|政府|政务|主动|公开|相关|有关|微信|的){0,8}"
)

_RECEIVE = "(?:收到|受理|接收|接到|收悉|新收)(?:到)?"
_ASKED = "申请(?:公开)?(?:政府信息)?(?:的)?(?:事项|件)?"
_CLOSE = (
    "(?:办结|办理完毕|办复|答复)(?:了|完毕|完成)?"
    "(?:各类|全部)?(?:政府)?(?:信息公开)?(?:依申请公开)?(?:政府)?(?:信息)?(?:的)?(?:申请)?(?:公开)?(?:事项|件)?"
)
REVIEW = "(?:行政)?复议"
LITIGATION = "(?:行政)?诉讼"
CASE = "(?:案件|申请|事项|案|件)?"
FEE = "(?:信息公开信息处理费|信息处理费|信息公开处理费)(?:用)?"
VERBS = ("公开", "发布", "转载", "编发", "推送", "刊发", "登载", "刊登", "公布", "发表", "发送", "上传")
_PUBLISH = f"(?:{'|'.join(VERBS)})"
_ITEM = "(?:图文信息|信息|文章|推文|图文|消息|稿件)"
# What makes a count one of items: a verb and, between it and the number, all of its object.
ITEM_BEFORE = re.compile(
    f"(?P<verb>(?:主动)?{_PUBLISH}(?:{_PUBLISH}|并发布)?)(?:了)?(?:[^\\d]{{0,60}}等)?(?P<object>{_ALL}{_ITEM}){SUM}$"
)
ITEM_AROUND = re.compile(f"(?P<verb>(?:主动)?{_PUBLISH}(?:{_PUBLISH}|并发布)?)(?:了)?{SUM}$")
ITEM_AFTER = re.compile(f"(?P<object>{_ALL}{_ITEM})(?![中里内的])|(?=[,。;\n]|$)")

COUNT_RULES = (
    CountRule(
        "applications_received",
        ("申请",),
        _APPLICATION_UNITS,
        re.compile(f"{_RECEIVE}(?P<object>[^\\d]{{0,50}}?{_ASKED}){SUM}$"),
        None,
        "全年收到政府信息公开申请34件。",
    ),
    CountRule(
        "applications_received",
        ("依申请公开",),
        _APPLICATION_UNITS,
        re.compile(
            f"{_RECEIVE}(?P<object>[^\\d]{{0,20}}?依申请公开)(?:办理)?(?:政府)?(?:信息)?(?:事项|办件|件|要求)?{SUM}$"
        ),
        None,
        "本年度共受理依申请公开事项3件。",
    ),
    CountRule(
        "applications_received",
        ("申请",),
        _APPLICATION_UNITS,
        re.compile(f"{_RECEIVE}(?:了)?{SUM}$"),
        re.compile("(?P<object>[^,。;\n\\d]{0,24}?申请(?:公开)?)(?![人书表])"),
        "本年度全区共收到70件政府信息公开申请,办结69件。",
    ),
    CountRule(
        "applications_answered",
        ("办结", "答复", "办理完毕", "办复"),
        _APPLICATION_UNITS,
        re.compile(f"{_CLOSE}{SUM}$"),
        None,
        "共收到70件申请,及时依法依规办结69件。",
    ),
    CountRule(
        "reviews",
        ("复议",),
        _CASE_UNITS,
        re.compile(f"(?<!诉讼){REVIEW}{CASE}{SUM}$"),
        None,
        "因政府信息公开引起的行政复议案件2件、行政诉讼案件7件。",
    ),
    CountRule(
        "reviews",
        ("复议",),
        _CASE_UNITS,
        re.compile("(?<!经)$"),
        re.compile(f"(?P<object>[^,。;、\n\\d未无没后]{{0,30}}?{REVIEW}{CASE})(?=[,。;\n]|、\\d|$)"),
        "2023年有1件涉及政府信息公开工作的行政复议,",
    ),
    CountRule(
        "litigations",
        ("诉讼",),
        _CASE_UNITS,
        re.compile(f"(?<!复议){LITIGATION}{CASE}{SUM}$"),
        None,
        "政府信息公开行政诉讼46件。",
    ),
    CountRule(
        "litigations",
        ("诉讼",),
        _CASE_UNITS,
        re.compile("(?<!经)$"),
        re.compile(f"(?P<object>[^,。;、\n\\d未无没后]{{0,30}}?{LITIGATION}{CASE})(?=[,。;\n]|、\\d|$)"),
        "发生2起因政府信息公开引起的行政诉讼案件。",
    ),
    CountRule(
        "reviews",
        ("复议",),
        _CASE_UNITS,
        re.compile(f"(?P<object>{REVIEW}{CASE}(?:[、和及与或]|以及)(?:被)?(?:提起)?{LITIGATION}{CASE}){SUM}$"),
        None,
        "政府信息公开行政复议、行政诉讼均为0件。",
    ),
    CountRule(
        "information_processing_fee_yuan",
        ("费",),
        _MONEY_UNITS,
        re.compile(
            f"(?<!减免)(?<!免收)(?<!退还){FEE}(?:收取|收费|收缴|的)?(?:总金额|金额|总额|人民币)?{SUM}(?:人民币)?$"
        ),
        None,
        "全年收取政府信息公开信息处理费3940元。",
    ),
    CountRule(
        "information_processing_fee_yuan",
        ("收取",),
        _MONEY_UNITS,
        re.compile(f"收取(?:了)?{SUM}(?:人民币)?$"),
        re.compile(f"(?:的)?(?:政府|依申请公开)?{FEE}"),
        "本年度收取120.5元政府信息公开信息处理费。",
    ),
    CountRule(
        "information_processing_fee_yuan",
        ("实际收取",),
        _MONEY_UNITS,
        re.compile(f"实际收取(?:的|信息处理费)?(?:总金额|金额|费用){SUM}$"),
        None,
        "收取信息处理费的情况:发出收费通知0件,总金额0元,实际收取总金额0元。",
    ),
)

# Nothing of a kind happened: the verbs that say so.
_NONE_OF = "(?:未|没有|尚未|未曾|从未)(?:发生|收到|产生|出现|引发|引起|接到|接收|受理|涉及|存在|因|被|有)"
_NONE_OF_CASES = f"(?:{_NONE_OF}|无(?=因|有关|关于|涉及|政府信息公开|信息公开|依申请公开|行政复议|行政诉讼|发生))"
_CASE_END = "(?=$|[,。;、和及与或等\n)]|情况|问题|现象|发生|方面|的(?:情况|情形|案件|事项|申请))"

ZERO_RULES = (
    ZeroRule(
        "applications_received",
        ("申请",),
        re.compile(
            "(?:未|没有|未曾|尚未)(?:收到|接到|受理|接收)(?:过|到)?(?P<object>[^\\d]{0,45}?"
            "(?:申请(?![人书表而被引提行]|材料|产生|答复|公开的?(?:行政)?[复诉]|的?(?:行政)?[复诉])|依申请公开(?!的?行政|引|产|方面的)))"
            "(?:公开)?(?:政府信息)?(?:事项|件)?"
        ),
        "2023年,我局未收到政府信息公开申请。",
    ),
    ZeroRule(
        "applications_received",
        ("申请",),
        re.compile(
            "无(?:公民|任何|人)?(?P<object>(?:政府)?信息公开申请|依申请公开(?:政府)?(?:信息)?)(?:申请)?(?:事项|件)?(?=$|[,。;\n]|情况|的情况)"
        ),
        "2023年,我局无依申请公开情况。",
    ),
    ZeroRule(
        "reviews",
        ("复议",),
        re.compile(f"{_NONE_OF_CASES}[^\\d]{{0,90}}?{REVIEW}{CASE}{_CASE_END}"),
        "我局未发生依申请公开政府信息方面的行政复议和行政诉讼。",
    ),
    ZeroRule(
        "litigations",
        ("诉讼",),
        re.compile(f"{_NONE_OF_CASES}[^\\d]{{0,90}}?{LITIGATION}{CASE}{_CASE_END}"),
        "我局未发生依申请公开政府信息方面的行政复议和行政诉讼。",
    ),
    ZeroRule(
        "information_processing_fee_yuan",
        ("费",),
        re.compile(
            "(?:未|没有|未曾|尚未|无)(?:向[^\\d]{0,12})?(?:收取|产生|发生|涉及|收到|有|存在)?(?:过)?"
            f"(?:任何|相关|有关|政府|依申请公开|的)*(?:{FEE}|信息公开收费|信息公开(?:相关)?费用)(?:收取|收费)?(?:的)?(?:情况|事项)?(?!减|免|管|标|规|办法|退)"
        ),
        "本年度未收取任何信息处理费。",
    ),
    ZeroRule(
        "information_processing_fee_yuan",
        ("收取",),
        re.compile("(?:未收取|无收取|没有收取|无)(?:费用)?(?=$|[,。;\n])"),
        "收取信息处理费情况:2023年未收取。",
    ),
)
BARE_ZERO_FEE = ZERO_RULES[-1]
FEE_CAPTION = re.compile(f"{FEE}(?:收取|收费|收缴|的)*(?:的)?情况:[^:。;\n]{{0,24}}$")
