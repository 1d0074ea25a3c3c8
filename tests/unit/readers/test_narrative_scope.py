"""Whose number the text gives, of what time, how exactly: what is not surely the agency's of the year is left out."""

from __future__ import annotations

import pytest

from extractor.chunks import split_chunks
from extractor.readers.narrative import read_narrative
from extractor.settings import Settings
from extractor.sources import read_document

BUREAU, CITY, COUNTY, TOWN = "甲县民政局", "甲市人民政府", "乙县", "乙县丙镇人民政府"


def read(sentence: str, agency: str) -> dict[str, object]:
    """The value of each fact; a list where there are several."""
    text = f"{agency}2023年政府信息公开工作年度报告\n一、总体情况\n{sentence}"
    document = read_document(text.encode(), "report.txt", Settings())
    found = {}
    for name, candidates in read_narrative(document, split_chunks(document)).candidates.items():
        items = [str(candidate.value) for candidate in candidates]
        found[name.partition(".")[2]] = items[0] if len(items) == 1 else items
    return found


@pytest.mark.parametrize(
    "sentence",
    [
        # a part of the year, several years, a rate
        "今年上半年主动公开政府信息560条，下半年主动公开政府信息620条。",
        "截至10月底，收到政府信息公开申请12件。",
        "2023年12月份收到政府信息公开申请6件。",
        "第四季度收到政府信息公开申请3件。",
        "平均每月收到政府信息公开申请3件。",
        "单日最多收到政府信息公开申请8件。",
        "2008年5月1日至2023年12月31日，累计主动公开信息9800条。",
        "2021—2023年，累计收到政府信息公开申请86件。",
        "2022年12月至2023年11月，共收到依申请公开12件。",
        "近三年，主动公开政府信息8356条。",
        "“十三五”期间，主动公开政府信息8356条。",
        "累计主动公开政府信息10236条，其中2023年新增2356条。",
        "近年来未发生政府信息公开行政复议、行政诉讼案件。",
        "2021年、2022年、2023年分别收到政府信息公开申请30件、42件、37件。",
        # a goal, an estimate
        "市政府下达我局主动公开政府信息500条的任务，实际完成520条。",
        "每季度主动公开政府信息120条以上。",
        "主动公开政府信息约500条。",
        "收到政府信息公开申请50余件。",
        # another body, a part of the agency, done for others
        "下属单位收到政府信息公开申请5件。",
        "机关本级收到政府信息公开申请3件，所属事业单位收到2件。",
        "局机关主动公开政府信息325条，局属单位主动公开政府信息120条。",
        "县自然资源局收到政府信息公开申请45件，县住建局收到政府信息公开申请23件，数量居前。",
        "县政府制发规范性文件8件，县政府办制发规范性文件12件，部门制发规范性文件20件。",
        "协助县政府答复政府信息公开申请8件。",
        "代理市政府政府信息公开行政诉讼案件6件。",
        "市司法局审理政府信息公开行政复议案件56件。",
        "督促各部门在政府网站补充公开信息86条，删除过期信息1200条。",
        "下属单位未发生政府信息公开行政复议、行政诉讼案件。",
        # what follows such a number is of the same body
        "县直各部门收到政府信息公开申请86件，办结80件，其中予以公开30件，不予公开5件。",
        "推动市政府出台规范性文件2件。",
        "牵头制定市政府规范性文件2件。",
        "对部门报送的规范性文件草案12件进行审核，出台8件规范性文件。",
        # a part of the applications, other applications, other answers
        "收到王某提交的政府信息公开申请8件，均为同一事项。",
        "全年收到征地拆迁类政府信息公开申请20件，城乡规划类政府信息公开申请5件。",
        "收到更正政府信息申请2件，收到上级转办政府信息公开申请5件。",
        "全年办理出入境证件申请32560件，均已办结。",
        "自然人申请：予以公开14件，不予公开2件；法人申请：予以公开1件。",
        "其中自然人申请40件（予以公开14件，不予公开2件），企业申请2件（予以公开1件）。",
        "制作公文325件，主动公开200件，依申请公开105件，不予公开20件。",
        "组织对60家单位开展模拟申请测试，发出申请120件，收到答复118件。",
        "政府信息公开类行政复议案件占全部行政复议案件56件的12%。",
        "未发生因信息公开被纠错的行政复议案件。",
        # other sites, other money
        "市级网站采用发布信息12条，省级网站采用发布信息3条。",
        "通过村务公开网站公开信息1560条。",
        "查处违规收取行政事业性收费12万元，为企业节省行政事业性收费12万元。",
        "向1名申请人收取信息处理费20元，向另1名申请人收取信息处理费30元。",
    ],
)
def test_what_is_not_surely_its_own_number_of_the_year_is_left_out(sentence: str) -> None:
    assert read(sentence, BUREAU) == {}


@pytest.mark.parametrize(
    ("agency", "sentence", "expected"),
    [
        # limits of the year, the year named after a part of it, an opening that is no part of it
        (BUREAU, "截至12月31日，主动公开政府信息1256条。", {"proactive_items_total": "1256"}),
        (BUREAU, "2023年1月1日至12月31日，共收到依申请公开12件。", {"applications_received": "12"}),
        (BUREAU, "2023年1—12月，共收到依申请公开12件。", {"applications_received": "12"}),
        (BUREAU, "5月举办培训1次，全年主动公开政府信息1256条。", {"proactive_items_total": "1256"}),
        (BUREAU, "一是每月开展自查，主动公开政府信息1256条。", {"proactive_items_total": "1256"}),
        (BUREAU, "2022年制定规范性文件3件，2023年未制定规范性文件。", {"normative_documents_issued": "0"}),
        # its own name, in short and in full; the whole of an area
        (BUREAU, "县民政局共收到政府信息公开申请12件。", {"applications_received": "12"}),
        (BUREAU, "我局及下属单位共收到政府信息公开申请5件。", {"applications_received": "5"}),
        (TOWN, "丙镇人民政府2023年主动公开政府信息236条。", {"proactive_items_total": "236"}),
        (TOWN, "镇党政办收到政府信息公开申请2件。", {}),
        (COUNTY, "县政府收到政府信息公开申请12件。", {"applications_received": "12"}),
        (COUNTY, "县政府办公室收到政府信息公开申请12件，办结10件。", {}),
        (
            CITY,
            "全市共收到政府信息公开申请3560件，其中市政府办公室收到256件，县（市、区）收到2101件。",
            {"applications_received": "3560"},
        ),
        (CITY, "市政府收到政府信息公开申请256件，市政府部门收到1203件。", {}),
        (CITY, "市本级收到政府信息公开申请12件；各县（区）收到政府信息公开申请86件。", {}),
        (CITY, "市政府收到政府信息公开申请312件，同比增长5%；全市收到2860件。", {}),
        (CITY, "一年来，市政府制发行政规范性文件23件。", {"normative_documents_issued": "23"}),
        (CITY, "各单位高度重视，收到政府信息公开申请12件。", {"applications_received": "12"}),
        (BUREAU, "以我局为被告的政府信息公开行政诉讼案件2件。", {"litigations": "2"}),
        # what the sentence counted last
        (
            BUREAU,
            "受理行政审批申请256件，办结250件；收到政府信息公开申请5件，办结5件。",
            {"applications_received": "5", "applications_answered": "5"},
        ),
        (BUREAU, "收到政府信息公开申请8件，均已办结，其中1件结转下年度。", {"applications_received": "8"}),
        (BUREAU, "上年度结转至本年度办理的政府信息公开申请3件，均已办结。", {"applications_carried_in": "3"}),
        (BUREAU, "公开规范性文件5件，废止3件。", {}),
    ],
)
def test_whose_number_it_is(agency: str, sentence: str, expected: dict[str, object]) -> None:
    assert read(sentence, agency) == expected
