"""What a report says about itself: each rule on a snippet, then real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.chunks import split_chunks
from extractor.model import Chunk, Document
from extractor.readers.base import Facts
from extractor.readers.header import read_header
from extractor.readers.numerals import parse_small_numeral, parse_year
from extractor.readers.prose import read_lines, read_prose
from extractor.settings import Settings
from extractor.sources import load_document, read_document

ROOT = Path(__file__).parents[3]
CORPUS = ROOT.parent / "shared" / "corpus"
SEEDS = sorted((ROOT / "fixtures").glob("00*.txt"))

# Read by eye in the documents that have no label.
UNLABELLED = {
    "024_pingtan_county_finance_2009.txt": {
        "title": "平潭县财政局2009年度政府信息公开年度报告",
        "agency_name": "平潭县财政局",
        "report_year": 2009,
        "published_on": "2010-04-10",
    },
    "026_pingtan_region_2011.txt": {
        "title": "平潭综合实验区2011年政府信息公开工作年度报告",
        "agency_name": "平潭综合实验区",
        "report_year": 2011,
        "published_on": "2012-02-20",
        "contact_phone": "24336243",
        "contact_address": "平潭综合实验区管委会办公室",
        "website": "www.pingtan.gov.cn",
        "period_start": "2011-01-01",
        "period_end": "2011-12-31",
    },
    "050_dttz_xinfang_2021_excerpt.txt": {
        "report_year": 2021,
        "period_start": "2021-01-01",
        "period_end": "2021-12-31",
    },
    "052_ningqiang_civilaffairs_2023_pinyin_excerpt.txt": {
        "title": "寧強縣民政局關于2023年政府信息公開年度報告",
        "agency_name": "寧強縣民政局",
        "report_year": 2023,
        "contact_phone": "0916-4221044",
        "contact_address": "寧強縣羌州南路九畝地",
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
    },
    "053_wuchang_minyi_township_2021_no_tables.txt": {
        "title": "五常市民意乡2021年政府信息公开工作年度报告",
        "agency_name": "五常市民意乡",
        "report_year": 2021,
        "contact_phone": "0451-55843017",
        "contact_address": "五常市民意乡人民政府",
        "website": "http://wcsxxgk.harbin.gov.cn/col/col12596/index.html",
        "period_start": "2021-01-01",
        "period_end": "2021-12-31",
    },
    "063_lzq_education_2019_excerpt.txt": {},
    "065_unknown_town_2019_pipes_excerpt.txt": {"title": "政府政务公开年报", "report_year": 2019},
    "067_tianmen_hushi_town_2019_annotated_excerpt.txt": {
        "title": "胡市镇人民政府2019年政府信息公开工作年度报告",
        "agency_name": "胡市镇人民政府",
        "report_year": 2019,
    },
    "069_lezhi_huilan_town_2019_spaces_excerpt.txt": {
        "title": "乐至县回澜镇人民政府2019年政府信息公开工作年度报告",
        "agency_name": "乐至县回澜镇人民政府",
        "report_year": 2019,
        "published_on": "2020-01-31",
        "period_start": "2019-01-01",
        "period_end": "2019-12-31",
    },
}
FIXTURES = {
    "000_c61908031b779533": {
        "title": "乌苏市民政局政府信息公开工作2023年度报告",
        "agency_name": "乌苏市民政局",
        "report_year": 2023,
        "published_on": "2024-01-16",
    },
    "001_6bf7699e84e20962": {
        "title": "忻州市民政局2023年政府信息公开工作年度报告",
        "agency_name": "忻州市民政局",
        "report_year": 2023,
    },
    "002_2aa3b087b6fd8b19": {
        "title": "塔布勒合特蒙古民族乡政府信息公开工作2023年度报告",
        "agency_name": "塔布勒合特蒙古民族乡",
        "report_year": 2023,
    },
    "003_fe8339c0c3ff18e6": {
        "title": "乌苏市统计局2023年政府信息公开工作年度报告",
        "agency_name": "乌苏市统计局",
        "report_year": 2023,
        "published_on": "2024-01-15",
        "contact_phone": "0992—8205822",
        "contact_address": "乌苏市长江路139号市统计局办公室",
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
    },
    "004_12dffacc33d2df96": {
        "title": "乌拉特前旗政务服务局2023年政府信息公开工作年度报告",
        "agency_name": "乌拉特前旗政务服务局",
        "report_year": 2023,
        "published_on": "2024-01-10",
        "contact_phone": "0478-3267955",
        "website": "http://www.wltqq.gov.cn",
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
    },
}


def make_document(text: str) -> tuple[Document, list[Chunk]]:
    document = read_document(text.encode(), "report.txt", Settings())
    return document, split_chunks(document)


def read(text: str) -> Facts:
    return read_header(*make_document(text))


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
            for span in candidate.spans:
                assert 0 <= span.start < span.end <= len(document.text)
            first = candidate.spans[0]
            assert candidate.raw == document.text[first.start : first.end]
            assert candidate.raw == candidate.raw.strip()


# ---------------------------------------------------------------- title and agency


@pytest.mark.parametrize(
    ("head", "title", "agency", "year"),
    [
        ("甲县民政局2023年政府信息公开工作年度报告", "甲县民政局2023年政府信息公开工作年度报告", "甲县民政局", 2023),
        ("甲县民政局\n2023年政府信息公开工作年度报告", "甲县民政局2023年政府信息公开工作年度报告", "甲县民政局", 2023),
        (
            "# 甲县民政局\n2023年政府信息公开工作年度报告",
            "甲县民政局2023年政府信息公开工作年度报告",
            "甲县民政局",
            2023,
        ),
        ("甲县民政局2023年政府信息公开\n工作年度报告", "甲县民政局2023年政府信息公开工作年度报告", "甲县民政局", 2023),
        (
            "甲县民政局 2023 年度 政府信息公开工作年度报告",
            "甲县民政局2023年度政府信息公开工作年度报告",
            "甲县民政局",
            2023,
        ),
        ("2023年甲县民政局政府信息公开年报", "2023年甲县民政局政府信息公开年报", "甲县民政局", 2023),
        ("2023年度\n甲县民政局政府信息公开年报", "甲县民政局政府信息公开年报", "甲县民政局", None),
        (
            "甲县民政局关于2023年政府信息公开工作情况的报告",
            "甲县民政局关于2023年政府信息公开工作情况的报告",
            "甲县民政局",
            2023,
        ),
        (
            "甲县乙镇人民政府信息公开工作年度报告（2023年度）",
            "甲县乙镇人民政府信息公开工作年度报告（2023年度）",
            "甲县乙镇人民政府",
            2023,
        ),
        ("甲县民政局二〇二三年政府信息公开年度报告", "甲县民政局二〇二三年政府信息公开年度报告", "甲县民政局", 2023),
        (
            "标题： 甲县民政局2023年政府信息公开工作年度报告\n来源：本站",
            "甲县民政局2023年政府信息公开工作年度报告",
            "甲县民政局",
            2023,
        ),
        ("当前位置：首页 > 政府信息公开年报\n甲县2023年政务公开年报", "甲县2023年政务公开年报", "甲县", 2023),
        (
            "首页政府信息公开年报 甲县民政局2023年政府信息公开工作年度报告 来源：甲县",
            "甲县民政局2023年政府信息公开工作年度报告",
            "甲县民政局",
            2023,
        ),
        ("2023年政府信息公开工作年度报告", "2023年政府信息公开工作年度报告", None, 2023),
    ],
)
def test_title_holds_agency_and_year(head: str, title: str, agency: str | None, year: int | None) -> None:
    document, chunks = make_document(f"{head}\n一、总体情况\n略。")
    facts = read_header(document, chunks)
    assert_grounded(document, facts)
    found = values(facts)
    assert found.get("title") == title
    assert found.get("agency_name") == agency
    assert found.get("report_year") == year


@pytest.mark.parametrize(
    "head",
    [
        "根据《关于做好2023年政府信息公开工作年度报告编制工作的通知》，编制本报告。",
        "现公布2023年度政府信息公开年度报告。本报告由五部分组成。",
        "现将信访局2021年度政府信息公开工作报告如下：",
        "关于印发《政府信息公开工作年度报告格式》的通知",
    ],
)
def test_a_sentence_is_no_title(head: str) -> None:
    assert "title" not in values(read(f"{head}\n一、总体情况\n略。"))


def test_a_title_without_agency_and_year_may_be_the_pages_own_words() -> None:
    """As in a breadcrumb over a report whose own title is misprinted."""
    facts = read("首页 > 政务公开 > 政府信息公开年报\n甲县民攻局2020午政府信思公开工作年度报告\n一、总体情况\n略。")
    assert [flag.fields for flag in facts.flags if flag.code == "title-incomplete"] == [("header.title",)]
    assert not read("甲县民政局政府信息公开年报\n一、总体情况\n略。").flags


def test_the_name_on_the_line_above_must_look_like_a_name() -> None:
    found = values(read("欢迎访问政务公开栏目\n2023年政府信息公开工作年度报告\n一、总体情况\n略。"))
    assert found["title"] == "2023年政府信息公开工作年度报告"
    assert "agency_name" not in found


# ---------------------------------------------------------------- year


def test_year_from_the_period_where_the_title_has_none() -> None:
    found = values(read("政府信息公开年报\n统计期限自2021年1月1日起至2021年12月31日止。\n一、总体情况\n略。"))
    assert found["report_year"] == 2021


def test_year_from_openings_only_when_they_agree() -> None:
    assert (
        values(read("五、存在的主要问题及改进情况2019年，我区工作有进展。2020年，我区将改进。"))["report_year"] == 2019
    )
    assert "report_year" not in values(read("一、总体情况2019年，我区工作有进展。2020年，我区再进一步。"))


def test_title_against_period_is_a_flag_with_both_values() -> None:
    facts = read("甲局2022年政府信息公开工作年度报告\n统计期限自2023年1月1日至12月31日。\n一、总体情况\n略。")
    assert values(facts)["report_year"] == [2022, 2023]
    assert [(flag.code, flag.fields) for flag in facts.flags] == [("year-differs", ("header.report_year",))]


def test_title_against_the_sentences_is_a_flag() -> None:
    facts = read("甲局2022年政府信息公开工作年度报告\n一、总体情况\n2023年，我局甲。2023年，我局乙。2022年，我局丙。")
    assert values(facts)["report_year"] == 2022
    assert [flag.code for flag in facts.flags] == ["year-differs"]


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("foot", "day"),
    [
        ("暂无。\n\n   甲县民政局\n2024年1月16日\n", "2024-01-16"),
        ("暂无。\n甲县民政局2024年1月16日", "2024-01-16"),
        ("暂无。 甲县民政局 2024年1月16日 附件下载", "2024-01-16"),
        ("暂无。 二○一○年四月十日 附表： 指标名称", "2010-04-10"),
        ("暂无。\n二〇二四年十二月三十一日\n扫一扫在手机打开当前页面", "2024-12-31"),
        ("暂无。\n2024 年 1 月 16 日\n（此件公开发布）", "2024-01-16"),
        ("截至2024年1月16日，未发生。", None),
        ("统计时间为自\n2024年1月16日\n起。", None),
        ("暂无。\n2024年2月30日", None),
    ],
)
def test_signature_date_stands_alone_at_the_foot(foot: str, day: str | None) -> None:
    assert values(read(f"一、总体情况\n2023年1月5日\n略。\n六、其他需要报告的事项\n{foot}")).get("published_on") == day


def test_the_page_date_is_taken_where_no_one_signed() -> None:
    page = "生成时间：2022-03-01\n发布时间: 2022-02-08 16:34\n一、总体情况\n略。\n六、其他需要报告的事项\n"
    assert values(read(page + "无。"))["published_on"] == "2022-02-08"
    assert values(read(page + "无。\n2022年1月27日"))["published_on"] == "2022-01-27"
    assert "published_on" not in values(read("发布时间:\n一、总体情况\n略。"))


@pytest.mark.parametrize(
    ("sentence", "start", "end"),
    [
        ("所列数据的统计期限自2023年1月1日起至2023年12月31日止。", "2023-01-01", "2023-12-31"),
        ("统计周期\n为 2024 年 1 月 1 日至 12 月 31 日。", "2024-01-01", "2024-12-31"),
        ("本报告数据统计时间：2023年1月1日—2023年12月31日。", "2023-01-01", "2023-12-31"),
        ("2009年1月1日至2009年12月31日，本局共主动公开政府信息6条。", None, None),
        ("统计期限自2023年12月31日起至2023年1月1日止。", None, None),
    ],
)
def test_period_is_that_of_the_figures(sentence: str, start: str | None, end: str | None) -> None:
    found = values(read(f"本报告\n{sentence}\n一、总体情况\n略。"))
    assert (found.get("period_start"), found.get("period_end")) == (start, end)


# ---------------------------------------------------------------- contacts


@pytest.mark.parametrize(
    ("contact", "phone", "address"),
    [
        ("地址：甲市长江路139号，电话：0992—8205822。", "0992—8205822", "甲市长江路139号"),
        ("联系地址：甲区主楼14层；邮编：350400；电话/传真：0591-23165370。", "0591-23165370", "甲区主楼14层"),
        ("地址：甲镇主楼6层；邮 编：350400；电 话：0591-23163551；传真：0591-23100206", "0591-23163551", "甲镇主楼6层"),
        ("地址：甲路1号（政务中心3楼）邮编：350400，传真：0591-23100206", None, "甲路1号（政务中心3楼）"),
        ("监督电话：0591-23165370，网站地址：www.a.gov.cn，电子邮箱地址：a@b.cn", None, None),
        ("电话：（0591）23165370", "（0591）23165370", None),
    ],
)
def test_contacts(contact: str, phone: str | None, address: str | None) -> None:
    document, chunks = make_document(f"如有疑问，请与我局联系。{contact}\n一、总体情况\n略。")
    facts = read_header(document, chunks)
    assert_grounded(document, facts)
    assert (values(facts).get("contact_phone"), values(facts).get("contact_address")) == (phone, address)


def test_a_phone_in_the_page_foot_is_not_the_reports() -> None:
    assert "contact_phone" not in values(read("一、总体情况\n略。\n主办：甲县人民政府办公室 电话：0591-23165370"))


def test_two_phones_are_both_returned_and_flagged() -> None:
    facts = read("如有疑问请联系，电话：0591-23165370；办公电话：0591-23165371。\n一、总体情况\n略。")
    assert values(facts)["contact_phone"] == ["0591-23165370", "0591-23165371"]
    assert [(flag.code, flag.fields) for flag in facts.flags] == [("header-several-values", ("header.contact_phone",))]


@pytest.mark.parametrize(
    ("sentence", "website"),
    [
        ("电子版可在门户网站（www.pingtan.gov.cn）下载", "www.pingtan.gov.cn"),
        ("网址为:http://a.gov.cn/col/index.html进行查阅。", "http://a.gov.cn/col/index.html"),
        ("可在政府网站（pingtan.gov.cn）查阅。", "pingtan.gov.cn"),
        ("原文链接: https://www.pingtan.gov.cn/a.htm", None),
        ("可登录网站查阅，邮箱：a@www.pingtan.gov.cn", None),
    ],
)
def test_website_is_where_the_report_can_be_had(sentence: str, website: str | None) -> None:
    assert values(read(f"{sentence}\n一、总体情况\n略。")).get("website") == website


# ---------------------------------------------------------------- the way back, and numerals


def test_squeezed_text_knows_its_way_back() -> None:
    document, chunks = make_document("甲[bookmark: x]乙 丙\n丁 12 34\n一、总体情况\n\n戊")
    for prose in (read_prose(document, chunks), read_lines(document, 0, len(document.text))):
        for offset, char in enumerate(prose.text):
            if not char.isspace():
                assert document.view[prose.source(offset)] == char
    assert "甲乙丙丁12 34" in read_prose(document, chunks).text


@pytest.mark.parametrize(
    ("numeral", "number"),
    [("16", 16), ("十", 10), ("十六", 16), ("二十", 20), ("三十一", 31), ("廿三", 23), ("一〇", 10), ("十十", 0)],
)
def test_small_numerals(numeral: str, number: int) -> None:
    assert parse_small_numeral(numeral) == number
    assert parse_year("二○二三") == 2023


# ---------------------------------------------------------------- real files


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_fixture(path: Path) -> None:
    document = load_document(path, Settings())
    facts = read_header(document, split_chunks(document))
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
    facts = read_header(document, split_chunks(document))
    assert_grounded(document, facts)
    expected: dict[str, object] = UNLABELLED.get(path.name, {})
    label = CORPUS / "labels" / f"{path.stem}.json"
    if label.exists():
        header = json.loads(label.read_text(encoding="utf-8"))["header"]
        expected = {name: value for name, value in header.items() if value is not None and name != "page_date"}
    assert values(facts) == expected


# ---------------------------------------------------------------- whatever comes

SNIPPETS = (
    "甲县民政局2023年政府信息公开工作年度报告\n统计期限自2023年1月1日起至2023年12月31日止。地址：甲路1号，电话：0992—8205822。\n",
    "一、总体情况\n2023年，我局主动公开政府信息40条。\n六、其他需要报告的事项\n无。\n甲县民政局\n2024年1月16日\n",
)


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """A real text (or the snippets) with slices deleted, doubled or moved."""
    sources = [path.read_text(encoding="utf-8") for path in SEEDS] or ["".join(SNIPPETS)]
    text = draw(st.sampled_from([*sources, "".join(SNIPPETS)]))
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
        facts = read_header(document, sections)
        assert_grounded(document, facts)
        for name, candidates in facts.candidates.items():
            kind = int if name == "header.report_year" else str
            assert all(type(candidate.value) is kind for candidate in candidates)
