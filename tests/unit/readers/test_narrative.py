"""Counts in the narrative: each rule finds its example, what only looks like a fact is left out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.chunks import split_chunks
from extractor.model import Chunk, Document
from extractor.readers.base import Facts
from extractor.readers.narrative import read_narrative
from extractor.readers.narrative_row_rules import ROW_COUNT_RULES, ROW_ZERO_RULES
from extractor.readers.narrative_rules import COUNT_RULES, ZERO_RULES, CountRule, ZeroRule
from extractor.settings import Settings
from extractor.sources import load_document, read_document

ROOT = Path(__file__).parents[3]
CORPUS = ROOT.parent / "shared" / "corpus"
SEEDS = sorted((ROOT / "fixtures").glob("00*.txt"))

FIXTURES = {
    "000_c61908031b779533": {"website_items": 40, "applications_received": 0},
    "001_6bf7699e84e20962": {"website_items": 691},
    "002_2aa3b087b6fd8b19": {},
    "003_fe8339c0c3ff18e6": {"website_items": 12, "applications_received": 0, "information_processing_fee_yuan": 0},
    "004_12dffacc33d2df96": {"wechat_items": 228, "applications_received": 0, "information_processing_fee_yuan": 0},
}
# Read by eye in the documents that have no label.
UNLABELLED = {
    "024_pingtan_county_finance_2009": {"proactive_items_total": 6, "applications_received": 0},
    "026_pingtan_region_2011": {"proactive_items_total": 425, "applications_received": 0, "reviews": 0},
    "050_dttz_xinfang_2021_excerpt": {"reviews": 0, "litigations": 0},
    "052_ningqiang_civilaffairs_2023_pinyin_excerpt": {},
    "053_wuchang_minyi_township_2021_no_tables": {"applications_received": 0, "reviews": 0, "litigations": 0},
    "063_lzq_education_2019_excerpt": {"website_items": 12, "applications_received": 0, "reviews": 0, "litigations": 0},
    "065_unknown_town_2019_pipes_excerpt": {"applications_received": 0},
    "067_tianmen_hushi_town_2019_annotated_excerpt": {"proactive_items_total": 60},
    "069_lezhi_huilan_town_2019_spaces_excerpt": {"website_items": 121},
}
# Two counts for the website (393 件政府信息, 2139 条 of all): both are returned, neither is the total.
SEVERAL = {"031_shanghai_kewei_2024_pdftext": {"proactive_items_total": None, "website_items": [393, 2139]}}
# Facts that restate a row of the tables, read by eye; no label has them. No other document states one.
ROWS = {
    "010_pingtan_region_2021": {"applications_carried_out": 1},
    "012_pingtan_region_2023": {
        "normative_documents_in_force": 393,
        "normative_documents_issued": 77,
        "applications_granted_or_partially_granted": 42,
        "applications_refused": 5,
        "applications_unable": 31,
        "applications_not_processed": 1,
        "applications_other_result": 2,
    },
    # 所有申请均已按要求办理完成, and two sentences later 转下一年度办理答复的有 1 件.
    "031_shanghai_kewei_2024_pdftext": {
        "applications_carried_in": 2,
        "applications_granted": 9,
        "applications_partially_granted": 0,
        "applications_refused": 2,
        "applications_unable": 10,
        "applications_not_processed": 0,
        "applications_other_result": 14,
        "applications_carried_out": [0, 1],
    },
}
ALL_RULES = (*COUNT_RULES, *ZERO_RULES, *ROW_COUNT_RULES, *ROW_ZERO_RULES)

HEAD = "甲县民政局2023年政府信息公开工作年度报告\n一、总体情况\n"


def make_document(text: str) -> tuple[Document, list[Chunk]]:
    document = read_document(text.encode(), "report.txt", Settings())
    return document, split_chunks(document)


def read(sentence: str) -> Facts:
    return read_narrative(*make_document(HEAD + sentence))


def values(facts: Facts) -> dict[str, object]:
    """The value of each field; a list where there are several."""
    found = {}
    for name, candidates in facts.candidates.items():
        items = [candidate.value for candidate in candidates]
        found[name.partition(".")[2]] = items[0] if len(items) == 1 else items
    return found


def assert_grounded(document: Document, facts: Facts) -> None:
    for candidates in facts.candidates.values():
        for candidate in candidates:
            first = candidate.spans[0]
            assert candidate.raw == document.text[first.start : first.end]
            assert candidate.raw == candidate.raw.strip() != ""
            assert type(candidate.value) in (int, Decimal)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: f"{rule.field}-{rule.example[:12]}")
def test_each_rule_finds_its_example(rule: CountRule | ZeroRule) -> None:
    assert any(cue in rule.example for cue in rule.cues)
    facts = read(rule.example)
    assert f"narrative.{rule.field}" in facts.candidates
    if isinstance(rule, ZeroRule):
        assert values(facts)[rule.field] == 0


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # items: the total, the website, WeChat
        (
            "全年主动公开我区各级单位政府信息2645条，主要通过政府网站、政务新媒体进行公开。",
            {"proactive_items_total": 2645},
        ),
        (
            "全年制作、获取政府信息总数425条，其中主动公开政府信息148条，依申请公开信息数182条。",
            {"proactive_items_total": 148},
        ),
        ("通过政府网站、微信公众号等渠道主动公开政府信息120条。", {"proactive_items_total": 120}),
        ("全年主动公开政府信息共计1,234条。", {"proactive_items_total": 1234}),
        ("全年共主动公开120条政府信息。", {"proactive_items_total": 120}),
        ("通过“乌苏政府”网站主动公开政府信息40条。", {"website_items": 40}),
        ("市政府网站主动公开各类政府信息5500条，全年新增规章1件。", {"website_items": 5500}),
        ("市政府网站主动公开各类政府信息5500余条。", {}),
        ("在政府网站公开目录公开信息共计121条，其中：概况类12条。", {"website_items": 121}),
        ("通过政务新媒体“忻州民政”转载发布各类信息551条。", {}),
        ("“甲”微信公众号共编发文章 1640 篇，其中原创文章294篇，关注人数达1016823人。", {"wechat_items": 1640}),
        ("甲局微信公众号发布咨询电话以及延时服务等各类信息共计228条。", {"wechat_items": 228}),
        ("通过微信公众号发布20680批次农产品抽检情况。", {}),
        ("通过政府网站和微信公众号发布信息120条。", {}),
        ("通过政府网站发布政策解读18篇。", {}),
        ("收到好差评评价近7万条，主动公开政府信息近500条。", {}),
        ("主动公开政府信息1.2万条。", {}),
        ("区直单位主动公开政府信息303条，占71.3%。", {}),
        ("在主动公开的148条政府信息中，全文电子化120条。", {}),
        ("截至目前共主动公开政府信息592条。", {}),
        ("在区政府网站上主动公开政府信息5项。", {"website_items": 5}),
        ("共通过各类渠道公开政府信息82276项，其中通过门户网站公开81217项。", {"proactive_items_total": 82276}),
        ("办结政府信息公开申请113件，公开政府信息167项。", {"applications_answered": 113}),
        ("截至2023年12月31日，我局累计公开政府信息1280条。", {}),
        ("到年底累计主动公开政府信息5928条，其中，本年度新增主动公开政府信息2110条。", {}),
        ("乡镇（街道）主动公开政府信息3500条，部门主动公开政府信息2000条。", {}),
        ("主动公开文件35件，更新主动公开信息12条。", {}),
        ("2022年主动公开政府信息592条。", {}),
        ("在信息公开目录系统累计主动公开政府信息66条。", {}),
        ("较上年主动公开政府信息增加66条。", {}),
        ("依申请公开政府信息5条，不予公开政府信息3条。", {}),
        ("2024年，我局将主动公开政府信息500条。", {}),
        # applications
        ("全区接收通过邮寄、网络提交的各类政府信息公开申请共计81件，涉及自然人80件。", {"applications_received": 81}),
        (
            "全市共受理政府信息公开申请3119件，答复3050件（含上年度结转申请34件）。",
            {"applications_received": 3119, "applications_answered": 3050, "applications_carried_in": 34},
        ),
        (
            "全年收到政府信息公开申请 34 件，上年结转政府信息公开申请 2 件。",
            {"applications_received": 34, "applications_carried_in": 2},
        ),
        ("我局未收到和处理政府信息公开申请,零报告。", {"applications_received": 0}),
        ("未收到任何公民、法人和其他组织提出的公开政府信息的申请。", {"applications_received": 0}),
        ("依申请公开信息数182条。", {}),
        ("未收到1件政府信息公开申请。", {}),
        ("收到政府信息公开申请5件，其中收到网上信息公开申请3件。", {"applications_received": 5}),
        ("收到网上信息公开申请3件、信函信息公开申请2件。", {}),
        ("收到行政复议申请2件，收到救助申请30件。", {}),
        ("未收到需要补正的政府信息公开申请。", {}),
        ("未收到政府信息公开申请人的投诉。", {}),
        ("我局收到政府信息依申请公开办理事项1件，已办结答复。", {"applications_received": 1}),
        ("2023年收到申请公开政府信息3件。", {"applications_received": 3}),
        ("共收到36件依申请公开件，同比下降10%。", {"applications_received": 36}),
        ("上年收到政府信息公开申请7件。", {}),
        ("同意公开答复 9 件，部分公开答复 0 件，转下一年度办理答复的有 1 件。", {}),
        ("收到政府信息公开申请5件，延期答复2件。", {"applications_received": 5}),
        ("办结12345热线工单200件，答复人大建议50件。", {}),
        ("收到政府信息公开申请5件。答复网民留言30件。", {"applications_received": 5}),
        # reviews and litigation
        ("因政府信息公开引起的行政复议案件2件、行政诉讼案件7件。", {"reviews": 2, "litigations": 7}),
        (
            "2023年县民政局有 1 件涉及政府信息公开工作的行政复\n议，未被复议审查机关纠错。涉及的行政诉讼数为\n0 件。",
            {"reviews": 1, "litigations": 0},
        ),
        (
            "未发生针对本乡有关政府信息公开事务的行政复议案件、行政诉讼案件和举报申诉件。",
            {"reviews": 0, "litigations": 0},
        ),
        (
            "未收到有关政府信息公开的申请，未收到有关政府信息公开行政复议申请。",
            {"applications_received": 0, "reviews": 0},
        ),
        (
            "政府信息公开行政复议351件，其中结果维持72件；政府信息公开行政诉讼46件，其中结果维持25件。",
            {"reviews": 351, "litigations": 46},
        ),
        ("因政府信息公开被申请行政复议、提起行政诉讼3件。", {}),
        ("政府信息公开行政复议被纠错0件，行政诉讼败诉0件。", {}),
        ("未发生政府信息公开行政复议、行政诉讼被纠错或败诉的情况。", {}),
        ("全年办理行政复议案件200件。", {}),
        ("未经复议直接起诉0件。", {}),
        # the fee
        ("全年收取政府信息公开信息处理费3940元。", {"information_processing_fee_yuan": 3940}),
        ("全年收取信息处理费120.50元。", {"information_processing_fee_yuan": Decimal("120.50")}),
        ("2023年，无收取信息处理费情况。", {"information_processing_fee_yuan": 0}),
        ("2023 年，县民政局未发生政府信息公开收费事项。", {"information_processing_fee_yuan": 0}),
        ("减免信息处理费50元。", {}),
        ("未制定信息处理费标准，落实信息处理费有关规定。", {}),
        ("四、收费及减免情况 无收费及减免情况。", {}),
    ],
)
def test_sentence(sentence: str, expected: dict[str, object]) -> None:
    document, chunks = make_document(HEAD + sentence)
    facts = read_narrative(document, chunks)
    assert_grounded(document, facts)
    assert values(facts) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # normative documents
        (
            "清理并集中发布现行有效行政规范性文件393件，动态更新本年度制发的规范性文件77件。",
            {"normative_documents_in_force": 393, "normative_documents_issued": 77},
        ),
        (
            "本年度制发行政规范性文件8件、废止3件、现行有效125件。",
            {
                "normative_documents_issued": 8,
                "normative_documents_repealed": 3,
                "normative_documents_in_force": 125,
            },
        ),
        (
            "全年出台8件行政规范性文件，清理废止行政规范性文件2个。",
            {"normative_documents_issued": 8, "normative_documents_repealed": 2},
        ),
        ("2023年，我局未制发行政规范性文件。", {"normative_documents_issued": 0}),
        ("全年新增公开市政府规章1件、市政府及市政府办政策性文件11件。", {}),
        ("主动公开规章12件，行政规范性文件43件，市政府其他文件93件。", {}),
        ("主动公开市政府规章13件（含新制定5件，修改4件，废止4件），主动公开行政规范性文件42件。", {}),
        ("其中包括：行政规范性文件 13 件；规划计划文件 2 件。", {}),
        ("地方性法规、政府规章和规范性文件共4条。", {}),
        ("政策、规范性文件类信息21条。", {}),
        ("修订、制定规范性文件5件。", {}),
        ("对制发的规范性文件20件进行合法性审查。", {}),
        ("审查各部门制定规范性文件20件。", {}),
        ("以区政府名义印发规范性文件20件。", {}),
        ("开展规范性文件清理，废止5件，继续有效20件。", {}),
        ("全年制定规范性文件2件，制定制度3件、废止1件。", {"normative_documents_issued": 2}),
        ("拟制定规范性文件5件。", {}),
        ("2022年制发行政规范性文件5件。", {}),
        ("截至2023年底，累计制发规范性文件200件。", {}),
        ("制发规范性文件约20件，现行有效规范性文件100余件。", {}),
        # outcomes
        (
            "收到信息公开申请20件，办理结果：1.予以公开10件、2.部分公开5件；3.不予公开5件。",
            {
                "applications_received": 20,
                "applications_granted": 10,
                "applications_partially_granted": 5,
                "applications_refused": 5,
            },
        ),
        (
            "办结依申请公开69件，其中予以公开、部分公开42件，因本机关不掌握等原因无法提供27件。",
            {
                "applications_answered": 69,
                "applications_granted_or_partially_granted": 42,
                "applications_unable": 27,
            },
        ),
        ("收到政府信息公开申请9件，本机关不掌握无法提供3件，不予公开和不予处理5件。", {"applications_received": 9}),
        ("收到政府信息公开申请9件，不予公开约3件，无法提供3余件。", {"applications_received": 9}),
        ("上年结转的2件申请中，予以公开1件。", {}),
        ("收到政府信息公开申请9件，人大建议办理结果：予以公开20件，不予公开3件。", {"applications_received": 9}),
        ("制作、获取政府信息总数425条，不予公开信息数95条。", {}),
        ("政府信息公开申请办理情况同上年比，同比不予公开3件。", {}),
        # carried over
        (
            "答复政府信息公开申请805件（含上年度结转申请18件，另有72件申请按照《条例》顺延到下年度答复）。",
            {"applications_answered": 805, "applications_carried_in": 18, "applications_carried_out": 72},
        ),
        ("行政复议受理7件，上年结转2件，1件结转下年度。", {}),
        ("上年结转政府信息公开申请2件，较上年增加1件结转下年度。", {"applications_carried_in": 2}),
        # all settled
        (
            "收到政府信息公开申请21件，均已按期办结。其中网上申请20件，已全部办结。",
            {"applications_received": 21, "applications_carried_out": 0},
        ),
        ("收到政府信息公开申请21件，均在法定期限内答复。", {"applications_received": 21}),
        ("办理人大建议20件，均已办结。", {}),
        ("收到网上信息公开申请20件，均已办结。", {}),
        ("截至目前，所有申请均已办结。", {}),
        # the fee of section 二
        ("全年行政事业性收费金额96171.6万元。", {"admin_fees_wan": Decimal("96171.6")}),
        ("减免行政事业性收费20万元。", {}),
        ("一般预算中行政事业性收费收入300万元。", {}),
        ("公布行政事业性收费项目20项。", {}),
    ],
)
def test_a_row_of_the_tables_in_words(sentence: str, expected: dict[str, object]) -> None:
    document, chunks = make_document(HEAD + sentence)
    facts = read_narrative(document, chunks)
    assert_grounded(document, facts)
    assert values(facts) == expected


def test_all_settled_against_what_is_carried_over() -> None:
    facts = read(
        "上年结转政府信息公开申请 2 件，所有申请均已按要求办理完成。其他处理 14 件，转下一年度办理答复的有 1 件。"
    )
    (flag,) = facts.flags
    assert (flag.code, flag.fields) == ("narrative-several-values", ("narrative.applications_carried_out",))
    assert "0（所有申请均已按要求办理完成） / 1" in flag.message.zh


def test_a_fee_of_section_two_in_yuan_is_flagged() -> None:
    facts = read("全年收取行政事业性收费5000元。")
    (fee,) = facts.candidates["narrative.admin_fees_wan"]
    assert (fee.value, fee.unit) == (5000, "yuan")
    assert [(flag.code, flag.fields) for flag in facts.flags] == [("unit-differs", ("narrative.admin_fees_wan",))]


def test_a_fee_of_nothing_is_nothing_in_every_unit() -> None:
    facts = read("行政事业性收费0元。")
    assert (values(facts), facts.flags) == ({"admin_fees_wan": 0}, ())


def test_the_evidence_is_the_number_or_the_phrase() -> None:
    facts = read("共收到 70 件政府信息公开申请。未发生政府信息公开行政复议。")
    (received,) = facts.candidates["narrative.applications_received"]
    (reviews,) = facts.candidates["narrative.reviews"]
    assert received.raw == "70"
    assert reviews.raw == "未发生政府信息公开行政复议"


def test_the_sub_heading_says_what_a_bare_application_is() -> None:
    text = "（二）依申请公开方面。坚持第一时间登记。本年度全区共收到70件申请，及时依法依规办结69件，1件结转下年度。"
    assert values(read(text)) == {
        "applications_received": 70,
        "applications_answered": 69,
        "applications_carried_out": 1,
    }


def test_different_values_are_all_returned_and_flagged() -> None:
    facts = read("全年主动公开政府信息40条。2023年共主动公开政府信息45条。全年主动公开政府信息40条。")
    assert values(facts)["proactive_items_total"] == [40, 45]
    assert len(facts.candidates["narrative.proactive_items_total"][0].spans) == 2
    (flag,) = facts.flags
    assert (flag.code, flag.fields) == ("narrative-several-values", ("narrative.proactive_items_total",))


def test_a_fee_in_wan_keeps_its_number_and_is_flagged() -> None:
    facts = read("全年收取信息处理费0.12万元。")
    (fee,) = facts.candidates["narrative.information_processing_fee_yuan"]
    assert (fee.value, fee.unit, fee.raw) == (Decimal("0.12"), "wan", "0.12")
    assert [flag.code for flag in facts.flags] == ["unit-differs"]


def test_a_year_is_no_hindrance_where_it_is_the_reports() -> None:
    document, chunks = make_document("政府信息公开年报\n一、总体情况\n2019年我镇主动公开政府信息66条。")
    assert values(read_narrative(document, chunks)) == {"proactive_items_total": 66}
    assert values(read_narrative(document, chunks, report_year=2020)) == {}


def test_a_table_is_not_narrative() -> None:
    text = "其中：1．网站公开 条 6 2．公报公开 条 0 受理依申请公开信息总数 条 0 行政复议数 件 0 行政诉讼数 件 0"
    assert values(read(text)) == {}


# ---------------------------------------------------------------- real files


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_fixture(path: Path) -> None:
    document = load_document(path, Settings())
    facts = read_narrative(document, split_chunks(document))
    assert_grounded(document, facts)
    assert not facts.flags
    if path.stem in FIXTURES:
        assert values(facts) == FIXTURES[path.stem]


def corpus_documents() -> list[Path]:
    return sorted([*(CORPUS / "docs").glob("*.txt"), *(CORPUS / "docs").glob("*.md")])


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus lies outside of the repository and is not here")
@pytest.mark.parametrize("path", corpus_documents(), ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    document = load_document(path, Settings())
    facts = read_narrative(document, split_chunks(document))
    assert_grounded(document, facts)
    expected: dict[str, object] = dict(UNLABELLED.get(path.stem, {}))
    label = CORPUS / "labels" / f"{path.stem}.json"
    if label.exists():
        expected = json.loads(label.read_text(encoding="utf-8"))["narrative"] | SEVERAL.get(path.stem, {})
        expected = {name: value for name, value in expected.items() if value is not None and name != "quotes"}
    assert values(facts) == expected | ROWS.get(path.stem, {})
    assert bool(facts.flags) == (path.stem in SEVERAL)


# ---------------------------------------------------------------- whatever comes

SENTENCES = "".join(rule.example for rule in ALL_RULES)


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """A real text (or all examples) with slices deleted, doubled or moved."""
    sources = [path.read_text(encoding="utf-8") for path in SEEDS]
    text = draw(st.sampled_from([*sources, HEAD + SENTENCES]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 300)))
        rest, part = text[:start] + text[end:], text[start:end]
        place = draw(st.integers(0, len(rest)))
        text = draw(st.sampled_from([rest, text[:end] + part + text[end:], rest[:place] + part + rest[place:]]))
    return text


@settings(max_examples=60, deadline=None)
@given(mutated_texts())
def test_no_text_breaks_the_reader(text: str) -> None:
    if not text.strip():
        return
    document, chunks = make_document(text)
    for sections in (chunks, [Chunk("header", 0, len(document.text), False)], []):
        assert_grounded(document, read_narrative(document, sections))
