"""The five sample reports (fixtures/), to be re-set.

Agencies, years, dates, telephones and addresses are made up; what is stated, and where a report contradicts itself, is
as in the source. Numbers of facts come from the source's label, or stand here where the label has no key for them;
`a`, `b`, … are numbers that the source's text prints beside the facts.
"""

from __future__ import annotations

from eval.reset.noise import bookmark, halve_punctuation, number_by_hand
from eval.reset.report import NORMATIVE, Report, Statement, set_noisy

_NARROW = {
    "商业企业": "商业\n企业",
    "科研机构": "科研\n机构",
    "结果纠正": "结果\n纠正",
    "其他结果": "其他\n结果",
    "尚未审结": "尚未\n审结",
}

SEEDS = (
    Report(
        source="000_c61908031b779533",
        name="reset_000",
        agency="某甲市民政局",
        us="我局",
        year=2022,
        title="某甲市民政局政府信息公开工作\n2022年度报告",
        settings=set_noisy("tab_cells", "markdown"),
        says={"proactive": (Statement("website"),), "applications": (Statement("received_none"),)},
        signed="2023年1月18日",
        published_on="2023-01-18",
        labels=NORMATIVE,
        noise=(bookmark,),
    ),
    Report(
        source="001_6bf7699e84e20962",
        name="reset_001",
        agency="某乙市民政局",
        us="我局",
        year=2022,
        title="某乙市民政局2022年政府信息公开工作年度报告",
        settings=set_noisy("pipe_cells_dropped", "tab_rows"),
        says={
            "proactive": (
                Statement("website"),
                Statement("new_media", {"a": 551}),
                Statement("documents", {"a": 18, "b": 18, "c": 31}),
            ),
            "platform": (Statement("messages", {"a": 53, "b": 27, "c": 6, "d": 20}),),
        },
        labels={
            "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请": (
                "2.申请人逾期未按收费通知缴纳费用、行政机关不再处理其政府信息公开申请"
            )
        },
        noise=(halve_punctuation,),
    ),
    Report(
        source="002_2aa3b087b6fd8b19",
        name="reset_002",
        agency="某丙镇人民政府",
        us="我镇",
        year=2022,
        title="某丙镇人民政府政府信息公开工作2022年度报告",
        settings=set_noisy("tab_cells", "html_page"),
        labels=NORMATIVE,
    ),
    Report(
        source="003_fe8339c0c3ff18e6",
        name="reset_003",
        agency="某丁市统计局",
        us="我局",
        year=2021,
        title="某丁市统计局2021年政府信息公开\n工作年度报告",
        settings=set_noisy("tab_cells", "pipe_cells_kept"),
        says={
            "proactive": (Statement("website"),),
            "applications": (Statement("received_none"),),
            "other": (Statement("fee_none"),),
        },
        phone="0500—8123456",
        address="某丁市平安路9号统计局办公室",
        signed="2022年1月17日",
        published_on="2022-01-17",
        torn_labels=_NARROW,
        noise=(bookmark,),
    ),
    Report(
        source="004_12dffacc33d2df96",
        name="reset_004",
        agency="某戊旗政务服务局",
        us="我局",
        year=2022,
        title="某戊旗政务服务局2022年\n政府信息公开工作年度报告",
        settings=set_noisy("tab_cells", "markdown"),
        says={
            "proactive": (Statement("wechat"), Statement("survey", {"a": 19, "b": 139, "c": 1650})),
            "applications": (Statement("received_none"),),
            "other": (Statement("fee_none"),),
        },
        phone="0500-3765432",
        website="http://www.mouwuqi.gov.cn",
        signed="2023年1月12日",
        published_on="2023-01-12",
        torn_labels=_NARROW,
        noise=(number_by_hand,),
    ),
)
