"""What one cell says: one number, nothing, a mark, or something that is left for a person."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.forms import load_forms
from extractor.model import CellState
from extractor.readers.cells import BLANK, UNPARSABLE, find_tokens, read_cell
from extractor.sources.view import fold_view


def state(text: str) -> str:
    return read_cell(fold_view(text)).state.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("138", 138),
        ("+3", 3),
        ("-8", -8),
        ("−8", -8),
        ("１２３", 123),
        (" 5\u00a0", 5),
        ("\u200b5", 5),
        ("1,234", 1234),
        ("1，234，567", 1234567),
        ("12.50", Decimal("12.50")),
        ("0.005", Decimal("0.005")),
        ("1,234.567891", Decimal("1234.567891")),
        ("4 件", 4),
        ("4件。", 4),
        ("5;", 5),
        ("123456789012", 123456789012),
    ],
)
def test_a_number_is_read_exactly(text: str, value: int | Decimal) -> None:
    token = read_cell(fold_view(text))
    assert (token.state, token.value, token.is_glued) == (CellState.VALUE, value, False)
    assert type(token.value) is type(value)
    assert str(token.value) == str(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22（其中修订16件）", 22),
        ("22 （其中修订16件）", 22),
        ("22(其中修订16件)", 22),
        ("22，其中修订16件", 22),
        ("22其中修订16件", 22),
        ("8件(撤销1件、警告7件)", 8),
        ("8件（撤销1件、\n警告7件）", 8),
        ("0（无）", 0),
        ("3[注]", 3),
    ],
)
def test_a_note_behind_a_number_does_not_change_it(text: str, value: int) -> None:
    assert read_cell(fold_view(text))[:2] == (CellState.VALUE, value)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("2笔", 2, None),
        ("11项", 11, None),
        ("3人次", 3, None),
        ("984361元", 984361, "yuan"),
        ("984361 人民币元", 984361, "yuan"),
        ("98.4361万元", Decimal("98.4361"), "wan"),
        ("1,200元（含税）", 1200, "yuan"),
        ("12", 12, None),
    ],
)
def test_units_of_counts_are_dropped_and_those_of_money_kept(text: str, value: int | Decimal, unit: str | None) -> None:
    token = read_cell(fold_view(text))
    assert (token.state, token.value, token.unit) == (CellState.VALUE, value, unit)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("零", 0),
        ("〇", 0),
        ("三", 3),
        ("两件", 2),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("二十三", 23),
        ("一百", 100),
        ("一百零五件", 105),
        ("一千二百三十四", 1234),
        ("二〇", 20),
        ("一二三", 123),
        ("三万", 30000),
        ("三万五千", 35000),
    ],
)
def test_chinese_numerals(text: str, value: int) -> None:
    assert read_cell(text)[:2] == (CellState.VALUE, value)


@pytest.mark.parametrize("text", ["十十", "百千", "二十三十", "一十百", "万", "一万二万"])
def test_what_is_no_chinese_numeral_is_not_read(text: str) -> None:
    assert read_cell(text) is UNPARSABLE


@pytest.mark.parametrize(
    "text", ["/", "\\", "—", "——", "－", "-", "--", "―", "无", "不适用", "不涉及", "N/A", " / ", "／"]
)
def test_marks_of_nothing_are_marks_and_no_zero(text: str) -> None:
    token = read_cell(fold_view(text))
    assert (token.state, token.value) == (CellState.NA_MARK, None)


def test_every_mark_of_the_data_file_reads_as_one_after_folding() -> None:
    assert {state(mark) for mark in load_forms().na_marks} == {"na_mark"}


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000", "\u200b\ufeff", "\xa0"])
def test_an_empty_cell_is_blank_and_no_zero(text: str) -> None:
    assert read_cell(fold_view(text)) is BLANK


@pytest.mark.parametrize("text", ["00", "000", "012", "007件", "0000000", "1234567890123", "0,123"])
def test_digits_that_no_one_prints_as_one_number_look_glued(text: str) -> None:
    assert read_cell(text).is_glued


@pytest.mark.parametrize(
    "text",
    [
        "12 34",
        "1,2",
        "1,23",
        "1,2345",
        "12,34,567",
        "1.2.3",
        "1-2",
        "3/4",
        "5%",
        "5②",
        "10³",
        "①",
        "约5",
        "近7万条",
        "5件6件",
        "5人",
        "(5)",
        ".5",
        "5.",
        "--5",
        "1+1",
        "１２ ３４",
        "5\n6",
        "O",
        "l",
        "有",
        "规章",
        "2023年",
        "1e5",
        "0x10",
        "1_000",
    ],
)
def test_what_is_not_plainly_one_number_is_unparsable(text: str) -> None:
    assert read_cell(fold_view(text)).state is CellState.UNPARSABLE


@given(st.integers(0, 10**12 - 1), st.sampled_from(["", "件", " 项", "元", "（其中修订16件）", "。"]), st.booleans())
@example(1234567, "件", True)
def test_any_printed_count_is_read_back(number: int, suffix: str, has_separators: bool) -> None:
    text = f"{number:,}" if has_separators else str(number)
    token = read_cell(fold_view(text + suffix))
    assert (token.state, token.value, token.is_glued) == (CellState.VALUE, number, False)


@given(st.text("0123456789０１２３,，.+-− 件元()（）其中\n", max_size=14))
@example("1,2")
@example("12 34")
def test_a_number_that_is_read_has_the_digits_of_the_text(text: str) -> None:
    """No digit is dropped, added or moved but what stands in a note or behind 其中."""
    view = fold_view(text)
    token = read_cell(view)
    if token.state is not CellState.VALUE or token.is_glued:
        return
    printed = re.split(r"[\[(]|其中", view)[0]
    digits = [char for char in printed if char.isdigit()]
    assert [char for char in str(token.value) if char.isdigit()] == digits
    assert (token.value < 0) == ("-" in printed and any(char != "0" for char in digits))


@given(st.text(max_size=12))
def test_reading_any_text_never_fails_and_only_values_have_one(text: str) -> None:
    token = read_cell(fold_view(text))
    assert (token.value is not None) == (token.state is CellState.VALUE)


# ---------------------------------------------------------------- tokens in running text


def tokens(text: str) -> list[str]:
    return [text[start:end] for start, end in find_tokens(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 0 0 12", ["1", "0", "0", "12"]),
        ("1\n0\n\n12", ["1", "0", "12"]),
        ("22 (其中修订16件)", ["22 (其中修订16件)"]),
        ("22 (其中修订16件) 3", ["22 (其中修订16件)", "3"]),
        ("8件(撤销1件、警告7件)\n0", ["8件(撤销1件、警告7件)", "0"]),
        ("4 件", ["4 件"]),
        ("/ - 无", ["/", "-", "无"]),
        ("0000000", ["0000000"]),
        ("行政许可12项", ["行政许可", "12项"]),
        ("1,234 5", ["1,234", "5"]),
        ("  ", []),
        ("", []),
        ("、。", []),
    ],
)
def test_spaces_and_line_ends_separate_the_tokens_of_running_text(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@given(st.text("0123 \n/无件规章(),.-|\x00", max_size=40))
def test_tokens_stand_in_order_do_not_overlap_and_hold_every_digit(text: str) -> None:
    position = 0
    found = find_tokens(text, 0, len(text))
    for start, end in found:
        assert position <= start < end <= len(text)
        position = end
    held = "".join(text[start:end] for start, end in found)
    assert [char for char in held if char.isdigit()] == [char for char in text if char.isdigit()]
