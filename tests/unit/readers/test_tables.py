"""One table of the form, from text to candidates: values with their doubts, and never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.forms import load_forms
from extractor.model import Candidate, Document, Flag, Reading
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import read_document

TWO, THREE, FOUR = "proactive_disclosure", "applications", "review_litigation"
TITLE = "某某市民政局2023年政府信息公开工作年度报告\n一、总体情况\n工作如下。\n"
END = "\n五、存在的主要问题及改进情况\n有待改进。\n"

SECTION_TWO = """二、主动公开政府信息情况
信息内容\t本年制发件数\t本年废止件数\t现行有效件数
规章\t1\t2\t3
行政规范性文件\t4\t5\t6
信息内容\t本年处理决定数量
行政许可\t7
行政处罚\t8
行政强制\t9
信息内容\t本年收费金额（单位：万元）
行政事业性收费\t10.5
"""
SECTION_TWO_2019 = """二、主动公开政府信息情况
信息内容\t本年新制作数量\t本年新公开数量\t对外公开总数量
规章\t1\t2\t3
规范性文件\t4\t5\t6
信息内容\t上一年项目数量\t本年增/减\t处理决定数量
行政许可\t7\t-2\t8
其他对外管理服务事项\t9\t0\t10
行政处罚\t11\t+1\t12
行政强制\t13\t14\t15
信息内容\t上一年项目数量\t本年增/减
行政事业性收费\t16\t17
信息内容\t采购项目数量\t采购总金额
政府集中采购\t2笔\t984361元
"""


def read_text(text: str, path: str = "a.txt") -> tuple[Document, Reading]:
    document = read_document(text.encode(), path, Settings())
    return document, TemplateReader().read(document, split_chunks(document))


def read_two(table: str) -> Reading:
    return read_text(TITLE + table + END)[1]


def first(reading: Reading, field_id: str) -> Candidate:
    return reading.candidates[field_id][0]


def said(reading: Reading, field_id: str) -> tuple[str, object]:
    candidate = first(reading, field_id)
    return candidate.state.value, candidate.value


def flag(reading: Reading, code: str) -> Flag:
    """The one flag with that code."""
    (found,) = (one for one in reading.flags if one.code == code)
    return found


def doubts(reading: Reading, section: str) -> set[str]:
    """Codes of the flags that name a field of the section."""
    return {one.code for one in reading.flags if any(name.startswith(section) for name in one.fields)}


def doubted(reading: Reading) -> set[str]:
    """Every field that some flag names."""
    return {name for one in reading.flags for name in one.fields}


def values_of(reading: Reading, section: str) -> set[str]:
    """The fields of a section that have a value."""
    return {name for name, one in reading.candidates.items() if name.startswith(section) and one[0].state == "value"}


def codes(reading: Reading) -> set[str]:
    return {one.code for one in reading.flags}


def test_a_plain_table_is_read_without_a_doubt() -> None:
    reading = read_two(SECTION_TWO)
    found = {name: first(reading, name).value for name in reading.candidates if name.startswith(TWO)}
    assert list(found.values()) == [1, 2, 3, 4, 5, 6, 7, 8, 9, Decimal("10.5")]
    assert doubts(reading, TWO) == set()
    assert reading.generation[TWO] == "2021"


def test_a_plain_table_of_2019_is_read_with_its_signs_and_units() -> None:
    reading = read_two(SECTION_TWO_2019)
    assert reading.generation[TWO] == "2019"
    assert said(reading, f"{TWO}.licences.items_change") == ("value", -2)
    assert said(reading, f"{TWO}.penalties.items_change") == ("value", 1)
    assert said(reading, f"{TWO}.procurement.projects") == ("value", 2)
    amount = first(reading, f"{TWO}.procurement.amount")
    assert (amount.value, amount.unit, amount.raw) == (984361, "yuan", "984361元")
    assert doubts(reading, TWO) == set()


# ---------------------------------------------------------------- what one cell says

LICENCES, FEES = f"{TWO}.licences.decisions", f"{TWO}.admin_fees.amount_wan"


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("22（其中修订16件）", 22),
        ("22 （其中修订16件）", 22),
        ("8件(撤销1件、警告7件)", 8),
        ("2笔", 2),
        ("1,234", 1234),
        ("１２", 12),
        ("二十三", 23),
    ],
)
def test_a_note_or_another_notation_is_read_and_its_raw_token_kept(printed: str, value: int) -> None:
    reading = read_two(SECTION_TWO.replace("行政许可\t7", f"行政许可\t{printed}"))
    candidate = first(reading, LICENCES)
    assert (candidate.state, candidate.value, candidate.raw) == ("value", value, printed)
    assert LICENCES not in doubted(reading)


@pytest.mark.parametrize("mark", ["/", "—", "——", "无", "不涉及", "-"])
def test_a_mark_of_nothing_is_kept_as_printed(mark: str) -> None:
    reading = read_two(SECTION_TWO.replace("规章\t1\t2\t3", f"规章\t{mark}\t2\t{mark}"))
    candidate = first(reading, f"{TWO}.regulations.issued")
    assert (candidate.state, candidate.value, candidate.raw) == ("na_mark", None, mark)
    assert len(candidate.spans) == 1
    assert doubts(reading, TWO) == set()


def test_an_empty_cell_between_numbers_is_blank_and_shows_where() -> None:
    reading = read_two(SECTION_TWO.replace("规章\t1\t2\t3", "规章\t1\t\t3"))
    candidate = first(reading, f"{TWO}.regulations.repealed")
    assert (candidate.state, candidate.value, candidate.raw) == ("blank", None, None)
    assert candidate.spans
    assert said(reading, f"{TWO}.regulations.in_force") == ("value", 3)


@pytest.mark.parametrize("printed", ["10.5元", "105000元", "10.5 元（含税）"])
def test_yuan_in_a_column_of_ten_thousand_yuan_differ(printed: str) -> None:
    reading = read_two(SECTION_TWO.replace("\t10.5\n", f"\t{printed}\n"))
    assert first(reading, FEES).unit == "yuan"
    assert flag(reading, "unit-differs").fields == (FEES,)


@pytest.mark.parametrize("label", ["本年收费金额（单位：元）", "本年收费金额（元）"])
def test_a_column_that_is_printed_in_yuan_differs(label: str) -> None:
    """The number is read; that it stands in another unit than the form's is said."""
    reading = read_two(SECTION_TWO.replace("本年收费金额（单位：万元）", label))
    fees = first(reading, FEES)
    assert (fees.value, fees.unit) == (Decimal("10.5"), "yuan")
    assert FEES in {name for one in reading.flags for name in one.fields if one.code == "unit-differs"}


def test_the_unit_of_the_column_or_of_the_cell_is_kept() -> None:
    assert first(read_two(SECTION_TWO), FEES).unit == "wan"
    reading = read_two(SECTION_TWO.replace("\t10.5\n", "\t10.5万元\n"))
    assert first(reading, FEES).unit == "wan"
    assert "unit-differs" not in codes(reading)


def test_a_column_without_a_printed_unit_has_an_unknown_one() -> None:
    reading = read_two(SECTION_TWO.replace("本年收费金额（单位：万元）", "本年收费金额"))
    assert first(reading, FEES).unit == "unknown"
    assert FEES in doubted(reading)


@pytest.mark.parametrize("printed", ["-7", "7.5", "-7件"])
def test_a_count_is_a_whole_number_and_not_negative(printed: str) -> None:
    reading = read_two(SECTION_TWO.replace("行政许可\t7", f"行政许可\t{printed}"))
    assert first(reading, LICENCES).raw == printed
    assert flag(reading, "not-a-count").fields == (LICENCES,)


def test_money_may_have_decimals_but_is_not_negative() -> None:
    reading = read_two(SECTION_TWO.replace("\t10.5\n", "\t-10.5\n"))
    assert flag(reading, "not-a-count").fields == (FEES,)


@pytest.mark.parametrize("printed", ["约7", "见附件", "5件6件", "7②"])
def test_what_is_no_number_is_kept_unparsed(printed: str) -> None:
    reading = read_two(SECTION_TWO.replace("行政许可\t7", f"行政许可\t{printed}"))
    candidate = first(reading, LICENCES)
    assert candidate.state == "unparsable"
    assert candidate.value is None
    assert LICENCES in doubted(reading)


@pytest.mark.parametrize("printed", ["007", "00", "1234567890123"])
def test_digits_that_look_glued_are_never_a_value(printed: str) -> None:
    reading = read_two(SECTION_TWO.replace("行政许可\t7", f"行政许可\t{printed}"))
    assert first(reading, LICENCES).value is None
    assert flag(reading, "glued-digits").fields == (LICENCES,)


# ---------------------------------------------------------------- rows


def row_fields(reading: Reading, row: str, section: str = TWO) -> list[str]:
    return [name for name in reading.candidates if name.startswith(f"{section}.{row}.")]


def test_a_row_that_is_printed_twice_keeps_both_readings() -> None:
    reading = read_two(SECTION_TWO.replace("规章\t1\t2\t3\n", "规章\t1\t2\t3\n规章\t1\t2\t4\n"))
    assert [one.value for one in reading.candidates[f"{TWO}.regulations.in_force"]] == [3, 4]
    assert set(flag(reading, "row-repeated").fields) == set(row_fields(reading, "regulations"))


def test_rows_in_another_order_are_doubted() -> None:
    swapped = "行政规范性文件\t4\t5\t6\n规章\t1\t2\t3\n"
    reading = read_two(SECTION_TWO.replace("规章\t1\t2\t3\n行政规范性文件\t4\t5\t6\n", swapped))
    expected = {*row_fields(reading, "regulations"), *row_fields(reading, "normative_documents")}
    assert set(flag(reading, "row-out-of-order").fields) == expected
    assert said(reading, f"{TWO}.regulations.issued") == ("value", 1)


def test_a_row_that_the_form_does_not_know_is_reported() -> None:
    reading = read_two(SECTION_TWO.replace("行政处罚\t8\n", "行政处罚\t8\n行政检查次数\t99\n"))
    assert "行政检查次数" in flag(reading, "unknown-row").message.zh
    assert "行政检查次数" in reading.unread
    assert all(one.value != 99 for found in reading.candidates.values() for one in found)


def test_numbers_without_a_label_are_reported_and_make_empty_cells_uncertain() -> None:
    torn = SECTION_TWO.replace("规章\t1\t2\t3\n", "规章\t1\t\t3\n\t\t5\t6\n")
    reading = read_two(torn)
    found = flag(reading, "unclaimed-numbers")
    assert f"{TWO}.regulations.repealed" in found.fields
    assert reading.unread


def test_a_row_without_its_cells_is_not_read() -> None:
    reading = read_two(SECTION_TWO.replace("行政强制\t9\n", "行政强制\n"))
    name = f"{TWO}.coercion.decisions"
    assert first(reading, name).state in ("not_read", "row_absent")
    assert name in doubted(reading)


# ---------------------------------------------------------------- a whole section three

VALUES = flatten.as_printed(flatten.make_values("2021", 2))
TABLES = dict(zip((TWO, THREE, FOUR), flatten.build_tables("2021", VALUES), strict=True))


def read_three(change: Callable[[flatten.Table], None] | None = None, layout: str = "tab_cells") -> Reading:
    """Section 三 of a filled form, with `change` done to its table (a list of rows of boxes)."""
    heading, table = TABLES[THREE]
    table = [list(row) for row in table]
    if change:
        change(table)
    document = read_document(flatten.LAYOUTS[layout]([(heading, table)]), "a", Settings())
    return TemplateReader().read(document, split_chunks(document))


def read_three_without(*labels: str) -> Reading:
    """The same in tab rows, the lines with these labels left out."""
    lines = flatten.tab_rows([TABLES[THREE]]).decode().split("\n")
    kept = [line for line in lines if not any(label in line for label in labels)]
    assert len(kept) == len(lines) - len(labels)
    return read_text("\n".join(kept))[1]


def wrong(reading: Reading) -> list[str]:
    """Fields of section 三 read with another value than is printed, whatever their doubts."""
    return [
        name
        for name, found in reading.candidates.items()
        if name.startswith(THREE) and found[0].state == "value" and str(found[0].value) != VALUES[name]
    ]


def find_row(table: flatten.Table, label: str) -> int:
    return next(i for i, row in enumerate(table) if any(box.text.startswith(label) for box in row))


def replace_text(old: str, new: str) -> Callable[[flatten.Table], None]:
    def change(table: flatten.Table) -> None:
        for row in table:
            row[:] = [replace(box, text=new if box.text == old else box.text) for box in row]

    return change


def test_section_three_of_a_filled_form_is_read_without_a_doubt() -> None:
    reading = read_three()
    assert wrong(reading) == []
    assert doubts(reading, THREE) == set()


@pytest.mark.parametrize(
    "label",
    [
        "2.其他法律行政止公开",
        "2.其他法律行政法规禁止公",
        "其他法律行政法规禁止公开（含例外）",
        "2、其他法律、行政法规 禁止公开",
    ],
)
def test_a_misprinted_label_is_taken_by_likeness_where_the_order_leaves_no_other_row(label: str) -> None:
    reading = read_three(replace_text("2.其他法律行政法规禁止公开", label))
    assert wrong(reading) == []
    assert doubts(reading, THREE) == set()
    assert said(reading, f"{THREE}.refused.prohibited_by_law.total") == (
        "value",
        int(VALUES[f"{THREE}.refused.prohibited_by_law.total"]),
    )


def test_a_misprinted_label_out_of_order_is_doubted() -> None:
    def change(table: flatten.Table) -> None:
        i = find_row(table, "2.其他法律")
        moved = table.pop(i)
        moved[0] = replace(moved[0], text="2.其他法律行政止公开")
        table.insert(find_row(table, "8.属于"), moved)

    reading = read_three(change)
    name = f"{THREE}.refused.prohibited_by_law.total"
    assert name in flag(reading, "label-inexact").fields
    assert name in flag(reading, "row-out-of-order").fields


def test_one_missing_row_inside_the_table_is_absent_and_not_blank() -> None:
    reading = read_three_without("2.重复申请")
    assert said(reading, f"{THREE}.not_processed.duplicate.total") == ("row_absent", None)
    assert wrong(reading) == []
    assert f"{THREE}.not_processed.duplicate.total" not in doubted(reading)


LABELS = [row.labels[0] for row in load_forms().generations["2021"].sections[THREE].rows]


@pytest.mark.parametrize(
    "layout", ["tab_cells", "tab_rows", "bare_lines", "pipe_cells_kept", "spaced_rows", "markdown"]
)
def test_the_row_in_front_of_a_gap_may_have_the_cells_of_the_row_behind_it(layout: str) -> None:
    """A stretch from the cells of one row to the label of the next is lost: the count of cells still fits."""
    text = flatten.LAYOUTS[layout]([TABLES[THREE]]).decode()
    start = text.index("一、本年新收")
    for label, following in pairwise(LABELS):
        cut = text.index(label, start) + len(label)
        end = text.index(following, cut) + len(following)
        _, reading = read_text(text[:cut] + text[end:])
        assert [name for name in wrong(reading) if name not in doubted(reading)] == [], label


@pytest.mark.parametrize("layout", ["tab_cells", "tab_rows", "bare_lines", "pipe_cells_kept", "spaced_rows"])
def test_a_misprinted_label_beside_a_gap_is_doubted(layout: str) -> None:
    """Half of one label and half of another, with the rows between them lost, are like a misprint."""
    text = flatten.LAYOUTS[layout]([TABLES[THREE]]).decode()
    start = text.index("4.保护第三方合法权") + len("4.保护第三方合法权")
    end = text.index("3.补正后申请内容仍不明确") + len("3.补正后申请内容仍不")
    _, reading = read_text(text[:start] + text[end:])
    assert [name for name in wrong(reading) if name not in doubted(reading)] == []


def test_the_row_in_front_of_a_gap_is_doubted_in_section_two_as_well() -> None:
    """Where no equation would notice."""
    reading = read_two(SECTION_TWO.replace("规章\t1\t2\t3\n行政规范性文件\t4\t5\t6\n", "规章\t4\t5\t6\n"))
    assert set(row_fields(reading, "regulations")) <= doubted(reading)


def test_many_missing_rows_or_a_missing_last_one_mean_that_the_table_is_cut_off() -> None:
    many = flag(read_three_without("2.重复申请", "3.要求", "4.无正当"), "rows-missing")
    assert f"{THREE}.not_processed.duplicate.total" in many.fields
    assert "3" in many.message.en
    last = flag(read_three_without("四、结转"), "rows-missing")
    assert f"{THREE}.carried_out.total" in last.fields
    before = flag(read_three_without("四、结转"), "row-before-gap")
    assert f"{THREE}.results_total.total" in before.fields, "the last row that is there may be cut off, too"


def test_a_missing_first_row_may_be_one_whose_label_was_not_known() -> None:
    """Labels over the first known one are prose to the reader, and so are the numbers behind them."""
    damaged = flatten.bare_lines([TABLES[TWO]]).decode()
    misprints = {
        "规章\n": "现章\n",
        "规范性文件": "现范性文件",
        "信息内容": "倍息内客",
        "第二十条第（一）项": "第二十条第（一）顶",
    }
    misprints |= {"本年制发件数": "本年友件仵", "本年废止件数": "木年废正件数", "现行有效件数": "观行有效件敷"}
    for good, bad in misprints.items():
        damaged = damaged.replace(good, bad)
    _, reading = read_text(damaged)
    assert said(reading, f"{TWO}.regulations.issued") == ("row_absent", None)
    assert set(row_fields(reading, "regulations")) <= set(flag(reading, "rows-missing").fields)


@pytest.mark.parametrize("printed", ["1件00000000件0", "3条、5条", "//—/", "-—无-/", "OOl"])
def test_a_cell_of_words_and_numbers_is_no_label_in_front_of_empty_cells(printed: str) -> None:
    """Section 四 has no row labels: what stands in front of its empty cells is a cell."""
    heading, table = TABLES[FOUR]
    flattened = flatten.pipe_rows_padded([(heading, table)]).decode().split("\n")
    cells = max(i for i, line in enumerate(flattened) if line.count("|") > 10 and line[0].isdigit())
    flattened[cells] = printed + " |" + "|" * 14
    _, reading = read_text("\n".join(flattened))
    states = {found[0].state.value for name, found in reading.candidates.items() if name.startswith(FOUR)}
    assert "blank" not in states


@pytest.mark.parametrize("layout", ["tab_cells", "spaced_rows", "pipe_cells_kept"])
def test_the_row_at_the_end_of_the_text_may_be_cut_off(layout: str) -> None:
    heading, table = TABLES[THREE]
    text = flatten.LAYOUTS[layout]([(heading, table)]).decode()
    cut = text.index("五、存在")
    _, reading = read_text(text[:cut])
    assert set(flag(reading, "cut-off").fields) == set(row_fields(reading, "carried_out", THREE))
    assert "cut-off" not in codes(read_text(text)[1])


def test_columns_without_their_header_are_not_verified() -> None:
    def change(table: flatten.Table) -> None:
        del table[:3]

    reading = read_three(change)
    found = flag(reading, "columns-unverified")
    assert len(found.fields) == 175
    assert wrong(reading) == []


def test_a_header_with_one_column_name_missing_is_not_verified() -> None:
    reading = read_three(replace_text("科研机构", "其它机构类型"), layout="spaced_rows")
    assert f"{THREE}.granted.total" in flag(reading, "columns-unverified").fields


def swap_columns(table: flatten.Table) -> None:
    """商业企业 and 科研机构 change places, in the header and in every row."""
    table[2][0], table[2][1] = table[2][1], table[2][0]
    for row in table[3:]:
        row[-6], row[-5] = row[-5], row[-6]


def test_columns_in_another_order_are_read_by_the_geometry_of_a_page_and_doubted() -> None:
    reading = read_three(swap_columns, layout="html_page")
    assert wrong(reading) == []
    assert len(flag(reading, "columns-reordered").fields) == 175


@pytest.mark.parametrize("layout", ["tab_cells", "tab_rows", "spaced_rows", "pipe_rows_padded", "markdown"])
def test_columns_in_another_order_without_geometry_are_never_accepted(layout: str) -> None:
    reading = read_three(swap_columns, layout=layout)
    assert [name for name in wrong(reading) if name not in doubted(reading)] == []
    assert f"{THREE}.granted.business" in doubted(reading)


def test_a_lone_number_in_a_padded_row_is_asked_for_and_its_token_kept() -> None:
    def change(table: flatten.Table) -> None:
        for row in table[3:]:
            values = [box for box in row if box.is_value]
            row[:] = [box for box in row if not box.is_value] + [replace(values[0], text="5")]

    reading = read_three(change, layout="pipe_cells_dropped")
    found = reading.candidates[f"{THREE}.granted.research"]
    assert (found[0].state, found[0].value, found[0].raw) == ("position_unknown", None, None)
    assert [(one.state, one.value, one.raw) for one in found[1:]] == [("position_unknown", 5, "5")]
    assert len(flag(reading, "position-unknown").fields) == 175


# ---------------------------------------------------------------- section four


def read_four(layout: str, change: Callable[[flatten.Table], None] | None = None) -> Reading:
    """Section 四 behind a section 三 that tells the generation."""
    heading, table = TABLES[FOUR]
    table = [list(row) for row in table]
    if change:
        change(table)
    document = read_document(flatten.LAYOUTS[layout]([TABLES[THREE], (heading, table)]), "a", Settings())
    return TemplateReader().read(document, split_chunks(document))


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "spaced_rows", "markdown"])
def test_section_four_is_read_from_its_one_row(layout: str) -> None:
    reading = read_four(layout)
    found = {name: str(one[0].value) for name, one in reading.candidates.items() if name.startswith(FOUR)}
    assert found == {name: text for name, text in VALUES.items() if name.startswith(FOUR)}
    assert doubts(reading, FOUR) == set()


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "spaced_rows"])
def test_two_rows_of_numbers_in_section_four_are_never_accepted(layout: str) -> None:
    reading = read_four(layout, lambda table: table.append([flatten.Box(text) for text in "123456789012345"]))
    assert values_of(reading, FOUR) <= doubted(reading)


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "spaced_rows"])
@pytest.mark.parametrize("rows", [1, 3])
def test_section_four_without_its_whole_header_is_never_accepted(layout: str, rows: int) -> None:
    def change(table: flatten.Table) -> None:
        if rows < 3:
            table[1] = [replace(box, rows=1) for box in table[1]]
        del table[:rows]

    reading = read_four(layout, change)
    assert values_of(reading, FOUR) <= doubted(reading)


def test_an_empty_row_in_section_four_is_blank() -> None:
    reading = read_four("tab_cells", lambda table: table.__setitem__(3, [replace(box, text="") for box in table[3]]))
    assert {one[0].state for name, one in reading.candidates.items() if name.startswith(FOUR)} == {"blank"}


def test_one_lost_cell_in_section_four_loses_all_places() -> None:
    reading = read_four("spaced_rows", lambda table: table.__setitem__(3, table[3][1:]))
    assert {one[0].state for name, one in reading.candidates.items() if name.startswith(FOUR)} == {"position_unknown"}
