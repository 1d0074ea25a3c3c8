"""Parts and shares inside the running text: a finding only where the list itself leaves no doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.chunks import split_chunks
from extractor.model import Flag
from extractor.readers.narrative import read_narrative
from extractor.settings import Settings
from extractor.sources import read_document

HEAD = "甲县民政局2023年政府信息公开工作年度报告\n一、总体情况\n"
CODES = ("narrative-parts-differ", "narrative-share-differs")


def find(sentence: str) -> list[Flag]:
    document = read_document((HEAD + sentence).encode(), "report.txt", Settings())
    return [flag for flag in read_narrative(document, split_chunks(document)).flags if flag.code in CODES]


def printed(sentence: str, flag: Flag) -> list[str]:
    return [(HEAD + sentence)[span.start : span.end] for span in flag.spans]


# ---------------------------------------------------------------- parts

WEBSITE = (
    "“上海科技”网站全年累计发布信息 2139 条，其中动态类信息发布 1744 条，政务信息发布 393 条，解读类信息发布 21 条，"
    "回应公众关注热点信息 2 条。"
)


def test_parts_that_come_to_more_than_their_whole() -> None:
    (flag,) = find(WEBSITE)
    assert flag.code == "narrative-parts-differ"
    assert flag.fields == ("narrative.website_items",)
    assert "1744 + 393 + 21 + 2 = 2160" in flag.message.en
    assert printed(WEBSITE, flag) == ["2139", "1744", "393", "21", "2"]


def test_a_whole_that_is_no_fact_is_flagged_without_a_field() -> None:
    (flag,) = find("办理申请100件。其中，网络60件，当面20件，其他30件。")
    assert flag.fields == ()


def test_the_others_make_a_list_complete() -> None:
    (flag,) = find("发布信息100条，其中动态类60条，公告类20条，其他信息10条。")
    assert "60 + 20 + 10 = 90" in flag.message.zh


@pytest.mark.parametrize(
    "sentence",
    [
        # lists that hold, as found
        "办理各类留言53条,其中政府网站“局长信箱”27条,“忻州随手拍”问政6条,“忻州市12345政务服务便民热线”20条,办结率100%。",
        "制作、获取政府信息总数425条，其中主动公开政府信息148条，依申请公开信息数182条，不予公开信息数95条。",
        "全文电子化的主动公开信息数共148条，其中：财税相关政策及解读共3条；财政预算、决算报告共4条；行政执法共2条；突发公共事件的应急"
        "预案、预警信息及应对情况共4条；其他文件共1条；工作动态共1条；地方性法规、政府规章和规范性文件共4条；财政资金管理共129条。",
        "公开信息共计121条，其中：概况类12条，文件类1条、动态类91条、服务类17条。",
        "政府信息公开行政复议351件，其中结果维持72件，结果纠正64件，其他结果178件，尚未审结37件；",
        "办结依申请公开81件，其中：予以公开及部分公开42件，占51.85%；不予公开5件，占6.17%；无法提供31件，占38.27%；不予处理1件，"
        "占1.23%；其他处理2件，占2.47%；因政府信息公开引起的行政复议案件2件、行政诉讼案件7件。",
        # some parts only, other units, two ways to divide, two parts, counted twice on purpose
        "公开政府信息60条，其中，概况信息2篇，公文1篇，政务动态45篇，业务工作类6篇等。",
        "公开政府信息60条，其中概况信息20篇，公文10篇，政务动态45篇。",
        "获取政府信息总数1873条，其中主动公开政府信息425条，作为依申请公开信息数46条，不予公开信息数1402。",
        "公开信息60条，其中概况信息20条，公文10条，动态10条。",
        "收到申请100件，其中自然人80件，法人20件，网络申请30件，信函申请10件。",
        "收到申请100件，其中自然人80件，网络申请60件。",
        "发布信息1000条，其中原创800条，图文700条，视频200条。",
        # 35 outcomes of the 34 new ones and of 2 carried in
        "全年收到申请 34 件，其中同意公开答复 9 件，不予公开答复 2 件，无法提供的 10 件，其他处理 14 件。",
        # what goes on about something else
        "收到申请100件，其中网络60件，当面20件，信函15件，同比增长10件。",
        "收到申请100件，其中网络60件，当面20件，其他15件，5件结转下年度。",
        "收到申请100件，其中网络60件，当面20件，信函19件，行政复议30件。",
        "办结81件，其中予以公开42件，不予公开5件，其他处理2件。",
        "发布信息1000余条，其中动态900条，公告90条，解读90条。",
    ],
)
def test_no_finding_about_a_list_that_may_be_right(sentence: str) -> None:
    assert find(sentence) == []


@given(st.lists(st.integers(0, 9999), min_size=3, max_size=6))
def test_parts_that_make_their_whole_are_never_flagged(parts: list[int]) -> None:
    listed = "，".join(f"甲{'乙丙丁戊己庚'[number]}类{part}条" for number, part in enumerate(parts))
    assert find(f"发布信息{sum(parts)}条，其中{listed}。") == []


# ---------------------------------------------------------------- shares

ANSWERED = (
    "予以公开及部分公开258件，占33.9%；不予公开35件，占4.34%；因本机关不掌握等原因无法提供265件，占32.9%；"
    "不予处理158件，占19.6%。"
)


def test_a_share_that_the_others_contradict() -> None:
    """258 of 805 are 32.0 %; 35, 265 and 158 are what is printed beside them (4.34 is cut off, not rounded)."""
    text = f"答复政府信息公开申请805件。{ANSWERED}"
    (flag,) = find(text)
    assert flag.code == "narrative-share-differs"
    assert flag.fields == ("narrative.applications_granted_or_partially_granted",)
    assert printed(text, flag) == ["258", "35", "265", "158"]
    assert "805" in flag.message.zh


def test_a_share_of_another_whole_that_the_text_names() -> None:
    """258 is 33.9 % of 761."""
    assert find(f"答复政府信息公开申请805件，其中已公开761件。{ANSWERED}") == []


@pytest.mark.parametrize(
    "sentence",
    [
        "予以公开及部分公开42件，占51.85%；不予公开5件，占6.17%；无法提供31件，占38.27%；不予处理1件，占1.23%；其他处理2件，占2.47%。",
        "予以公开答复966件,占66.48%;不予公开81件,占5.57%;无法提供的182件,占12.53%;不予处理的61件,占4.20%;其他处理96件,占6.61%。",
        "机构职能、主要职能、办事程序信息148条，占34.8%；政策、规范性文件类信息21条，占4.9%；规划计划类信息21条，占4.9%；行政许可类信息8条，"
        "占1.9%；重大建设项目、为民办实事类信息49条，占11.5%；民政扶贫救灾社会社保就业类信息23条，占5.4%。",
        # the three lists as found; now too few to agree, and more than one that differs
        "网络申请1303件，占86.92%；信函申请172件，占31.47%；当面申请24件，占1.60%。",
        "甲类10条，占10%；乙类20条，占20%；丙类30条，占60%；丁类40条，占80%。",
        "甲类0条，占0%；乙类20条，占20%；丙类30条，占30%；丁类50条，占50%。",
        # two lists, each of its own whole
        "自然人申请90件，占90%；法人10件，占10%；予以公开45件，占50%；不予公开9件，占10%；无法提供36件，占40%。",
    ],
)
def test_no_finding_about_shares_that_may_be_right(sentence: str) -> None:
    assert find(sentence) == []


@given(st.lists(st.integers(1, 500), min_size=4, max_size=8), st.integers(0, 2), st.booleans())
def test_shares_of_one_whole_are_never_flagged(parts: list[int], decimals: int, is_cut_off: bool) -> None:
    scale = 10**decimals
    words = []
    for number, part in enumerate(parts):
        exact = part * 100 * scale
        scaled = exact // sum(parts) if is_cut_off else (2 * exact + sum(parts)) // (2 * sum(parts))
        share = f"{scaled // scale}.{scaled % scale:0{decimals}}" if decimals else str(scaled)
        words.append(f"{'甲乙丙丁戊己庚辛'[number]}类{part}条，占{share}%")
    assert find("；".join(words) + "。") == []
