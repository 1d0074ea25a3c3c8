"""Rows that a flattening damaged: nothing is accepted that is not printed at its place, and the rest is still read.

Each case is a report of known values in one layout, whole and damaged in one place. The whole one is accepted to the
last cell that the layout can show; in the damaged one nothing wrong is accepted, the damaged row goes to a person, and
no more than that row does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import flatten
import pytest

from extractor.model import CellState, RecordField
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document

TWO, THREE, FOUR = "proactive_disclosure", "applications", "review_litigation"
REGULATIONS, SECRET = f"{TWO}.regulations", f"{THREE}.refused.state_secret"


@dataclass(frozen=True)
class Case:
    """A report, where it is damaged, and the row that this puts in doubt.

    Attributes:
        whole, damaged: the place in the text before and after.
        row: beginning of the ids of the fields that a person must look at.
        printed: texts of cells, by a pattern for the field's id; all others are numbers that balance.
        before: the row in front of it, where it may have got the cells of a lost one.
        in_doubt: a row that a person must look at in the whole report too.
    """

    layout: str
    whole: str
    damaged: str
    row: str = ""
    printed: Mapping[str, str] = field(default_factory=dict)
    generation: str = "2021"
    before: str = ""
    in_doubt: str = ""

    def values(self) -> dict[str, str]:
        """The printed text of every field."""
        values = flatten.as_printed(flatten.make_values(self.generation, 1))
        for pattern, text in self.printed.items():
            hits = [name for name in values if re.fullmatch(pattern, name)]
            assert hits, pattern
            values |= dict.fromkeys(hits, text)
        return values

    def text(self) -> str:
        """The whole report."""
        tables = flatten.build_tables(self.generation, self.values())
        return flatten.LAYOUTS[self.layout](tables).decode()

    def damage(self) -> str:
        """The damaged report."""
        text = self.text()
        assert text.count(self.whole) == 1
        return text.replace(self.whole, self.damaged)


def accepted(text: str, values: Mapping[str, str]) -> dict[str, str]:
    """What each accepted field of the tables says is printed; of `values` all, of others what says more than no row."""
    record = process_document(read_document(text.encode(), "a.txt", Settings()))
    said = {name: say(one) for name, one in record.fields.items() if one.decision == "accepted"}
    return {
        name: text
        for name, text in said.items()
        if name in values or (name.startswith((TWO, THREE, FOUR)) and text != CellState.ROW_ABSENT)
    }


def say(one: RecordField) -> str:
    if one.state is CellState.VALUE:
        return str(one.value)
    return {CellState.BLANK: "", CellState.NA_MARK: one.raw or ""}.get(one.state, one.state.value)


def without(values: Mapping[str, str], *rows: str) -> dict[str, str]:
    return {name: text for name, text in values.items() if not name.startswith(tuple(filter(None, rows)))}


# An empty cell in front of a filled one shows that the layout keeps empty cells where they were.
REGULATIONS_1_2_38 = {
    rf"{REGULATIONS}\.issued": "1",
    rf"{REGULATIONS}\.repealed": "2",
    rf"{REGULATIONS}\.in_force": "38",
    rf"{TWO}\.normative_documents\.repealed": "",
}
# 34 and 3 of the year, in a table without totals, all of them granted.
SPARSE_THREE = {
    rf"{THREE}\..*": "",
    rf"{THREE}\.(new_received|granted|results_total)\..*": "0",
    rf"{THREE}\.(new_received|granted|results_total)\.natural_person": "34",
    rf"{THREE}\.(new_received|granted|results_total)\.business": "3",
    rf"{THREE}\..*\.total": "",
}
NO_APPLICATIONS_BUT_FIVE = {
    rf"{THREE}\..*": "",
    rf"{SECRET}\.(business|total)": "5",
}
CASES = {
    "01 digits of a row in its first cell": Case(
        "markdown", "规章 | 1 | 2 | 38 |", "规章 | 1238 |  |  |", REGULATIONS, REGULATIONS_1_2_38
    ),
    "01 with a letter among them": Case(
        "markdown", "规章 | 1 | 2 | 38 |", "规章 | 1Z38 |  |  |", REGULATIONS, REGULATIONS_1_2_38
    ),
    "01 between tabs": Case("tab_rows", "规章\t1\t2\t38", "规章\t1238\t\t", REGULATIONS, REGULATIONS_1_2_38),
    "01 half of a row's digits in one cell": Case(
        "markdown",
        "收政府信息公开申请数量 |  |  | 34 | 3 | 0 | 0 | 0 | 0 |  |",
        "收政府信息公开申请数量 |  |  | 34 | 30000 |  |  |  |  |  |",
        f"{THREE}.new_received",
        SPARSE_THREE,
    ),
    "03 a lost bar joins two cells": Case(
        "markdown", "规章 | 1 | 2 | 38 |", "规章 | 1  2 | 38 |  |", REGULATIONS, REGULATIONS_1_2_38
    ),
    "03 a lost tab": Case("tab_rows", "规章\t1\t2\t38", "规章\t1  2\t38\t", REGULATIONS, REGULATIONS_1_2_38),
    "05 a full stop behind a number": Case(
        "pipe_rows_padded", "行政强制 | 12 |", "行政强制 | 12. |", f"{TWO}.coercion"
    ),
    "05 behind a nought": Case(
        "pipe_rows_padded",
        "行政强制 | 0 |",
        "行政强制 | 0. |",
        f"{TWO}.coercion",
        {rf"{TWO}\.coercion\.decisions": "0"},
    ),
    "06 a page's number behind a row that ends empty": Case(
        "tab_cells",
        "\t\n\n\t行政规范",
        "\t\n\n4\n\t行政规范",
        REGULATIONS,
        {rf"{REGULATIONS}\.in_force": ""},
    ),
    "07 a page's number between rows of bars": Case(
        "pipe_rows_padded",
        "138 |\n行政强制",
        "138 |\n5\n行政强制",
        f"{TWO}.penalties",
        {rf"{TWO}\.penalties\.items_change": ""},
        "2019",
    ),
    "07 between rows of tabs": Case(
        "tab_rows",
        "138\n行政强制",
        "138\n5\n行政强制",
        f"{TWO}.penalties",
        {rf"{TWO}\.penalties\.items_change": ""},
        "2019",
    ),
    "08 filling makes up for a lost bar": Case(
        "pipe_cells_padded",
        "1.属于国家秘密 |\n |\n5 |",
        "1.属于国家秘密 |\n \n5 |",
        printed=NO_APPLICATIONS_BUT_FIVE,
        in_doubt=SECRET,  # filling and empty cells look alike
    ),
    "09 a label runs on from a number": Case("pipe_cells_kept", "9\n|\n（二）部分", "9\n\n（二）部分"),
    "10 an unknown label between tabs": Case(
        "tab_rows", "行政强制\t", "行攻许何\t", f"{TWO}.coercion", {rf"{TWO}\.coercion\.decisions": ""}
    ),
    "10 between bars": Case(
        "markdown", "行政强制 |", "行攻许何 |", f"{TWO}.coercion", {rf"{TWO}\.coercion\.decisions": ""}
    ),
    "12 a label of 2019 reads like one of 2021": Case(
        "spaced_rows",
        "（六）其他处理 ",
        "（六）其他 ",
        f"{THREE}.other_result",
        generation="2019",
        before=f"{THREE}.not_processed.confirm_or_reissue",
    ),
    "13 marks ran into the label": Case(
        "pipe_rows_padded",
        "行政许可 | / | / | / |",
        "行政许可/// | | | |",
        f"{TWO}.licences",
        {rf"{TWO}\.licences\..*": "/"},
        "2019",
    ),
    "13 words did": Case(
        "pipe_rows_padded",
        "行政许可 | 无 | 无 | 无 |",
        "行政许可无无无 | | | |",
        f"{TWO}.licences",
        {rf"{TWO}\.licences\..*": "无"},
        "2019",
    ),
    "13 letters for noughts did": Case(
        "tab_rows", "行政许可\t0\t0\t0", "行政许可OOO\t\t\t", f"{TWO}.licences", {rf"{TWO}\.licences\..*": "0"}, "2019"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_damaged_row_goes_to_a_person_and_no_other_row_does(case: Case) -> None:
    """What is accepted of the whole report is all that it prints; of the damaged one, all but the damaged row."""
    values = case.values()
    assert accepted(case.text(), values) == without(values, case.in_doubt)
    assert accepted(case.damage(), values) == without(values, case.in_doubt, case.row, case.before)


HEADER, TORN_HEADER = "复议后起诉 |||||||||", "复议后起诉 ||||||||"
REVIEW = f"{FOUR}.review"
SPARSE_FOUR = {
    rf"{FOUR}\..*": "",
    rf"{REVIEW}\.(upheld|corrected)": "1",
    rf"{REVIEW}\.total": "2",
    rf"{FOUR}\.litigation_after_review\.(upheld|total)": "4",
}
KEPT = "1 | 1 |  |  | 2 |  |  |  |  |  | 4 |  |  |  | 4 |"
DROPPED = "1 | 1 | 2 | 4 | 4 |" + "|" * 10


def test_11_filling_behind_the_one_row_of_section_four_is_no_cell_where_a_header_lost_a_bar() -> None:
    """Rows of unequal width hide that the table was filled up; empty cells between numbers show that it was not."""
    kept = Case("pipe_rows_padded", HEADER, TORN_HEADER, printed=SPARSE_FOUR)
    values = kept.values()
    assert accepted(kept.text(), values) == values
    assert accepted(kept.damage(), values) == values
    assert kept.damage().count(KEPT) == 1
    assert accepted(kept.damage().replace(KEPT, DROPPED), values) == without(values, FOUR)


def test_a_first_cell_of_two_digits_may_be_a_whole_row_that_has_no_total() -> None:
    """1, 0 and 1 ran together; with the total behind it the same number is a number."""
    rows = rf"{THREE}\.(new_received|granted|results_total)"
    printed = {rf"{THREE}\..*": "", rf"{rows}\.natural_person": "101"}
    run = Case("markdown", "", "", printed=printed)
    assert not any(text == "101" for text in accepted(run.text(), run.values()).values())
    with_total = Case("markdown", "", "", printed=printed | {rf"{rows}\.total": "101"})
    assert accepted(with_total.text(), with_total.values()) == with_total.values()


@pytest.mark.parametrize(("garbled", "is_absent"), [("", True), ("行攻许何\t0\n", False), ("某某事项\n", False)])
def test_a_row_is_absent_only_where_nothing_stands_in_its_place(garbled: str, is_absent: bool) -> None:
    values = flatten.as_printed(flatten.make_values("2021", 1))
    text = flatten.tab_rows(flatten.build_tables("2021", values)).decode()
    damaged, count = re.subn(r"行政许可\t.*\n", garbled, text)
    assert count == 1
    record = process_document(read_document(damaged.encode(), "a.txt", Settings()))
    licences = record.fields[f"{TWO}.licences.decisions"]
    assert (licences.state is CellState.ROW_ABSENT and licences.decision == "accepted") is is_absent


def test_a_row_filled_up_with_bars_keeps_no_column_where_every_row_ends_in_fillings() -> None:
    """Widths differ, so that the table does not look filled up; only that no empty cell stands in front of a number."""
    lines = [
        "信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |",
        "规章 | 91 |||",
        "行政规范性文件 | 34 | 3 | 3 |",
    ]
    lines += ["信息内容 | 本年处理决定数量 ||", "行政许可 | 15 ||||", "行政处罚 | 1 |||", "行政强制 | 16 ||"]
    lines += ["信息内容 | 本年收费金额（单位：万元） |", "行政事业性收费 | 2 ||"]
    head = "某县民政局2023年政府信息公开工作年度报告\n二、主动公开政府信息情况\n"
    tail = "\n三、收到和处理政府信息公开申请情况\n无。"
    said = accepted(head + "\n".join(lines) + tail, {})
    assert f"{REGULATIONS}.issued" not in said
    assert said[f"{TWO}.normative_documents.issued"] == "34"
    inner = [*lines[:1], "规章 |  | 91 ||", *lines[2:]]  # here an empty cell shows that they are kept
    assert accepted(head + "\n".join(inner) + tail, {})[f"{TWO}.normative_documents.in_force"] == "3"
