"""Markdown: markup is hidden in place, and pipe tables are read as in any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.model import Grid, Heading
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.sources.markdown import hide_markup
from extractor.sources.view import GAP


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("**总计**", "总计"),
        ("总__计__", "总计"),
        ("\n## 一、总体情况", "\n 一、总体情况"),
        ("1\\. 属于国家秘密", "1. 属于国家秘密"),
        ("\\-8", "-8"),
        ("`12`", "12"),
        ("甲_乙 * 丙", "甲_乙 * 丙"),
        ("第#3号", "第#3号"),
        ("a\\|b", "a\\|b"),
    ],
)
def test_emphasis_headings_escapes_and_code_marks_are_hidden(view: str, shown: str) -> None:
    assert hide_markup(view).replace(GAP, "") == shown


@pytest.mark.parametrize("tag", ["<br>", "<br/>", "<BR />", "<br  >"])
def test_a_break_in_a_cell_is_space(tag: str) -> None:
    """Two words of a label grow together when it is compared; two numbers must not."""
    assert hide_markup(f"1{tag}2") == f"1{' ' * len(tag)}2"


@given(st.text("*_#\\`<br/>甲1 \n|.-", max_size=40))
def test_hiding_keeps_the_length_and_every_digit(view: str) -> None:
    shown = hide_markup(view)
    assert len(shown) == len(view)
    assert [char for char in shown if char.isdigit()] == [char for char in view if char.isdigit()]
    assert all(after in (before, GAP, " ") for before, after in zip(view, shown, strict=True))


def test_a_markdown_report_has_its_headings_and_tables() -> None:
    text = (
        "# 某局2023年政府信息公开工作年度报告\n\n## 一、总体情况\n\n无。\n\n## **二、主动公开政府信息情况**\n\n"
        "| **信息内容** | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n"
        "|:---|---:|---:|---:|\n| 规章 |  | `1` | 2<br>  |\n"
    )
    document = read_document(text.encode(), "a.md", Settings())
    assert document.media_type == "text/markdown"
    assert [block.section for block in document.blocks if isinstance(block, Heading)] == [
        "overview",
        "proactive_disclosure",
    ]
    (grid,) = (block for block in document.blocks if isinstance(block, Grid))
    shown = [document.view[cell.start : cell.end].replace(GAP, "").strip() for cell in grid.cells]
    assert shown[4:] == ["规章", "", "1", "2"]
    assert [cell.row for cell in grid.cells[4:]] == [1, 1, 1, 1]
    assert not grid.is_padded
