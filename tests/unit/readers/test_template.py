"""The whole template reading: which generation each table has, what is missing, and what is no report."""

from __future__ import annotations

from dataclasses import replace

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.model import CellState, Reading
from extractor.pipeline import process_document
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import read_document

TWO, THREE, FOUR = "proactive_disclosure", "applications", "review_litigation"
COLUMNS = ("issued", "repealed", "in_force")
TITLE = "某某市民政局2023年政府信息公开工作年度报告\n"
HEADINGS = (
    "一、总体情况\n工作如下。\n二、主动公开政府信息情况\n{two}\n三、收到和处理政府信息公开申请情况\n{three}\n"
    "四、政府信息公开行政复议、行政诉讼情况\n{four}\n五、存在的主要问题及改进情况\n有待改进。\n六、其他需要报告的事项\n无。\n"
)


def read(raw: bytes | str) -> Reading:
    document = read_document(raw if isinstance(raw, bytes) else raw.encode(), "a", Settings())
    return TemplateReader().read(document, split_chunks(document))


def tables(generation: str) -> tuple[dict[str, str], list[tuple[str, flatten.Table]]]:
    printed = flatten.as_printed(flatten.make_values(generation, 8))
    return printed, flatten.build_tables(generation, printed)


def codes(reading: Reading) -> list[str]:
    return [flag.code for flag in reading.flags]


# ---------------------------------------------------------------- generation


@pytest.mark.parametrize("generation", ["2021", "2019"])
@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "spaced_rows"])
def test_the_generation_is_told_by_the_tables_own_labels(generation: str, layout: str) -> None:
    reading = read(flatten.LAYOUTS[layout](tables(generation)[1]))
    assert dict(reading.generation) == {TWO: generation, THREE: generation, FOUR: generation}


@pytest.mark.parametrize(("two", "three"), [("2021", "2019"), ("2019", "2021")])
def test_each_table_has_its_own_generation_and_section_four_that_of_section_two(two: str, three: str) -> None:
    mixed = [tables(two)[1][0], tables(three)[1][1], tables("2021")[1][2]]
    reading = read(flatten.tab_cells(mixed))
    assert dict(reading.generation) == {TWO: two, THREE: three, FOUR: two}


def test_section_four_has_the_generation_of_section_three_where_section_two_is_missing() -> None:
    reading = read(flatten.tab_cells(tables("2019")[1][1:]))
    assert dict(reading.generation) == {TWO: "absent", THREE: "2019", FOUR: "2019"}


def merge_other_results(table: flatten.Table) -> flatten.Table:
    """（六）其他处理 as one row with the numbers of its three."""
    first = next(i for i, row in enumerate(table) if any(box.text == "（六）其他处理" for box in row))
    numbers = [box for box in table[first] if box.is_value]
    merged = [flatten.Box("（六）其他处理", columns=2), *numbers]
    outer = next(i for i, row in enumerate(table) if any(box.text == "三、本年度办理结果" for box in row))
    changed = [*table[:first], merged, *table[first + 3 :]]
    changed[outer] = [replace(box, rows=box.rows - 2) if box.rows > 9 else box for box in changed[outer]]
    return changed


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "spaced_rows"])
def test_a_new_report_with_other_results_in_one_row_is_read_as_printed(layout: str) -> None:
    """Section 三 has then the rows of 2019; section 四 follows section 二."""
    printed, made = tables("2021")
    made[1] = (made[1][0], merge_other_results(made[1][1]))
    reading = read(flatten.LAYOUTS[layout](made))
    assert dict(reading.generation) == {TWO: "2021", THREE: "2019", FOUR: "2021"}
    merged = reading.candidates[f"{THREE}.other_result.merged.total"]
    assert str(merged[0].value) == printed[f"{THREE}.other_result.no_timely_correction.total"]
    assert not any("fee_unpaid" in name for name in reading.candidates)


def test_an_ordinal_that_lost_its_mark_is_no_number() -> None:
    """OCR reads 三本年度办理结果 where 、 is faint."""
    raw = flatten.html_page(tables("2021")[1]).decode("gbk").replace("三、本年度办理结果", "三本年度办理结果")
    reading = read(raw.encode("gbk"))
    assert not {"unclaimed-numbers", "unknown-row"} & set(codes(reading))


def test_a_year_in_the_title_does_not_tell_the_generation() -> None:
    raw = flatten.tab_cells(tables("2019")[1])
    assert read(raw).generation[TWO] == "2019"
    assert read(raw.decode().replace("2023", "2020")).generation[TWO] == "2019"


# ---------------------------------------------------------------- before the national form


def test_marks_of_the_older_reports_make_a_pre2019_report_without_tables() -> None:
    text = (
        "平潭县财政局2009年度政府信息公开工作年度报告\n一、概述\n2009年，我局主动公开政府信息6条。\n"
        "二、主动公开政府信息的情况\n公开6条。\n五、附表\n指标名称 计量单位 年末统计\n主动公开信息数 条 6\n"
    )
    reading = read(text)
    assert dict(reading.generation) == dict.fromkeys((TWO, THREE, FOUR), "pre2019")
    assert reading.is_report
    assert "indicator-table-not-read" in codes(reading)
    assert "indicator_table" in reading.unread
    assert not any(name.startswith((TWO, THREE, FOUR)) for name in reading.candidates)
    assert not {"section-missing", "table-missing"} & set(codes(reading))


def test_one_mark_alone_makes_no_pre2019_report() -> None:
    text = TITLE + HEADINGS.format(two="计量单位：条", three="无", four="无")
    assert dict(read(text).generation) == dict.fromkeys((TWO, THREE, FOUR), "absent")


def test_a_report_with_a_table_is_never_pre2019() -> None:
    raw = flatten.tab_cells(tables("2021")[1][:1]).decode() + "\n指标名称 计量单位 历年累计\n"
    assert dict(read(raw).generation) == {TWO: "2021", THREE: "absent", FOUR: "absent"}


# ---------------------------------------------------------------- what is missing


def test_a_heading_without_its_table_is_something_that_was_not_read() -> None:
    text = TITLE + HEADINGS.format(two="（见附件）", three="（见附件）", four="（见附件）")
    reading = read(text)
    assert codes(reading).count("table-missing") == 3
    assert set(reading.unread) == {TWO, THREE, FOUR}
    assert reading.is_report


def test_a_section_that_is_nowhere_is_flagged_but_leaves_nothing_unread() -> None:
    reading = read(flatten.tab_cells(tables("2021")[1][:2]))
    assert codes(reading).count("section-missing") == 1
    assert reading.generation[FOUR] == "absent"
    assert reading.unread == ()
    (flag,) = (flag for flag in reading.flags if flag.code == "section-missing")
    assert FOUR in flag.message.en
    assert "行政复议" in flag.message.zh


def test_absent_tables_have_no_fields() -> None:
    reading = read(flatten.tab_cells(tables("2021")[1][:1]))
    assert not any(name.startswith((THREE, FOUR)) for name in reading.candidates)


def test_sections_in_another_order_are_read_and_flagged() -> None:
    _, (two, three, four) = tables("2021")
    reading = read(flatten.tab_cells([three, two, four]))
    assert dict(reading.generation) == {TWO: "2021", THREE: "2021", FOUR: "2021"}
    assert "sections-out-of-order" in codes(reading)
    assert "sections-out-of-order" not in codes(read(flatten.tab_cells([two, three, four])))


# ---------------------------------------------------------------- what is no report

MENU = (
    "首页\n政务公开\n政府信息公开指南\n政府信息公开制度\n法定主动公开内容\n政府信息公开年报\n依申请公开\n"
    "政府网站年度报表\n2023年政府信息公开工作年度报告\n2022年政府信息公开工作年度报告\n联系我们\n版权所有\n"
)
ENGLISH = (
    "Annual Report on Open Government Information 2023\n1. Overview\nThe bureau received 12 requests in 2023.\n"
    "2. Proactive disclosure\nRules issued: 4\nTotal 5 6 7 8 9\n" * 5
)


@pytest.mark.parametrize("text", [MENU, ENGLISH, "关于召开会议的通知\n各单位：\n定于12日召开会议。\n某某局"])
def test_other_pages_are_no_reports_and_give_no_numbers(text: str) -> None:
    reading = read(text)
    assert not reading.is_report
    assert not any(name.startswith((TWO, THREE, FOUR, "narrative")) for name in reading.candidates)
    document = read_document(text.encode(), "a", Settings())
    assert process_document(document).status == "not_a_report"


def test_a_title_and_two_headings_make_a_report() -> None:
    assert read(TITLE + "一、总体情况\n工作如下。\n六、其他需要报告的事项\n无。\n").is_report
    assert not read(TITLE + "一、总体情况\n工作如下。\n").is_report
    assert not read("一、总体情况\n工作如下。\n六、其他需要报告的事项\n无。\n").is_report


def test_a_table_of_the_form_makes_a_report_without_title_and_headings() -> None:
    text = flatten.tab_cells(tables("2021")[1]).decode()
    start = text.index("\t", text.index("收到和处理政府信息公开申请情况"))
    end = text.index("四、政府信息公开行政复议")
    assert read(text[start:end]).is_report


def test_a_line_of_its_own_between_glued_cells_does_not_make_their_count_fit() -> None:
    """规章 138, 12, 7 run together, and a page number fell into them: three tokens, none of them a cell."""
    printed, _ = tables("2021")
    row = {f"{TWO}.regulations.{name}": value for name, value in zip(COLUMNS, ("138", "12", "7"), strict=True)}
    raw = flatten.LAYOUTS["glued"](flatten.build_tables("2021", printed | row)).decode()
    assert "规章138127" in raw
    found = read(raw.replace("规章138127", "规章1\n8\n38127")).candidates
    assert {found[name][0].state for name in row} <= {CellState.UNPARSABLE, CellState.POSITION_UNKNOWN}
    in_lines = read(raw.replace("规章138127", "规章\n138\n12\n7\n")).candidates
    assert [in_lines[name][0].raw for name in row] == ["138", "12", "7"]
