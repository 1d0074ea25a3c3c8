"""Whether a cell of a reply says what is printed: as written, never as reckoned."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.grounding.values import compare_cell, is_number, looks_glued
from extractor.sources.view import fold_view


def compare(reply: str, printed: str) -> str | None:
    return compare_cell(reply, printed, fold_view(printed))


@pytest.mark.parametrize("text", ["0", "12", "-3", "1.50", "/", "8件(撤销1件、警告7件)", "二十", "约5"])
def test_the_same_characters_are_exact(text: str) -> None:
    assert compare(f" {text}\n", text) == "exact"


@pytest.mark.parametrize(
    ("reply", "printed"),
    [
        ("12", "１２"),
        ("1234", "1,234"),
        ("1，234", "1234"),
        ("12345678.5", "12,345,678.5"),
        ("8", "8件(撤销1件、警告7件)"),
        ("8件", "8件（撤销1件、警告7件）"),
        ("8件(撤销1件,警告7件)", "8件（撤销1件、警告7件）"),
        ("22", "22 （其中修订16件）"),
        ("2", "2 笔"),
        ("984361", "984361元"),
        ("12", "1\u200b2"),
        ("—", "——"),
        ("-", "—"),
        ("不适用", "不適用"),
        ("-5", "−5"),
        ("二十", "二十 件"),
    ],
)
def test_width_script_space_separators_and_what_follows_a_number_do_not_matter(reply: str, printed: str) -> None:
    assert compare(reply, printed) == "normalised"


@pytest.mark.parametrize(
    ("reply", "printed"),
    [
        ("1", "12"),
        ("2", "12"),
        ("12", "1 2"),
        ("12", "1\n2"),
        ("12", "1、2"),
        ("1234", "1、234"),
        ("12", "1,2"),
        ("5", "-5"),
        ("5", "+5"),
        ("-5", "5"),
        ("0", "00"),
        ("0", "0.0"),
        ("1", "1.0"),
        ("1", "1.5"),
        ("8件", "8"),
        ("98万元", "98"),
        ("7", "8件(撤销1件、警告7件)"),
        ("1", "8件(撤销1件、警告7件)"),
        ("16", "22 （其中修订16件）"),
        ("5", "约5"),
        ("5", "5②"),
        ("20", "二十"),
        ("0", "/"),
        ("无", "/"),
        ("0", "〇"),
        ("100", "100%"),
        ("0", "O"),
        ("0", "0."),
        ("\u200b", "0"),
    ],
)
def test_another_number_is_another_number(reply: str, printed: str) -> None:
    assert compare(reply, printed) is None


@settings(deadline=None)
@given(st.integers(0, 99999), st.integers(0, 99999), st.sampled_from(["", "件", "（其中1件）", "元"]))
def test_two_integers_are_never_equated(said: int, printed: int, tail: str) -> None:
    assert (compare(str(said), f"{printed}{tail}") is not None) == (said == printed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00", True), ("0000002", True), ("1" * 13, True), ("0", False), ("0.5", False), ("1" * 12, False), ("/", False)],
)
def test_digits_of_several_cells_show(text: str, expected: bool) -> None:
    assert looks_glued(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", True), ("8件(撤销1件)", True), ("/", True), ("二", True), ("约5", False), ("", False), ("规章", False)],
)
def test_what_reads_as_one_number(text: str, expected: bool) -> None:
    assert is_number(text) is expected
