"""Finding the document that a text is from."""

from __future__ import annotations

import flatten
import pytest

from tests.loopback.generated import generate, generate_balanced
from tests.loopback.library import Library
from tests.loopback.truths import Truth, squeeze

MANY = 120


@pytest.fixture(scope="module")
def many() -> list[Truth]:
    """The same form in one layout, over and over."""
    return [generate_balanced("bare_lines", "2021", seed).truth for seed in range(MANY)]


def part(truth: Truth, start: str, end: str) -> str:
    return truth.view[truth.view.index(start) : truth.view.index(end)]


def test_each_document_is_found_by_a_part_of_a_table(many: list[Truth]) -> None:
    """Parts that print the same numbers are the same to the reader; so the numbers are compared, not the document."""
    library = Library(many)
    for truth in many:
        for start, end in (("规章\n", "第二十条第(五)项"), ("(一)予以公开", "(三)不予公开"), ("结果维持", "五、存在")):
            shown = part(truth, start, end)
            found = library.find(shown)
            assert found is not None
            assert squeeze(shown) in found.squeezed


def test_number_that_goes_on_is_another_number() -> None:
    """行政许可 1 does not stand in 行政许可 12."""
    twelve, one = (Truth(text, f"第五项\n行政许可|{text}|\n第六项\n行政强制|7\n") for text in ("12", "1"))
    for truth in (twelve, one):
        found = Library([twelve, one]).find(f"行政许可|{truth.name}")
        assert found is truth


def test_cells_do_not_grow_together() -> None:
    """1 and 23 are not 12 and 3, whatever separates them."""
    first, second = Truth("a", "受理 1 | 23 |\n"), Truth("b", "受理\n12\n3\n")
    assert Library([first, second]).find("受理|12|3") is second
    assert Library([second, first]).find("受理|1|23") is first
    assert squeeze("1 | 23\n\n4\x00\x005 件") == "1¦23¦45件"


def test_text_with_its_middle_left_out_is_found(many: list[Truth]) -> None:
    other = Truth("other", many[0].view.replace("某某市民政局", "另一市水务局"))
    library = Library([*many, other])
    assert library.find(f"{other.view[:60]}\n……\n{other.view[-40:].strip()}") is other


def test_damaged_text_is_found_by_what_is_left() -> None:
    made = generate_balanced("tab_rows", "2021", 1).truth
    library = Library([generate_balanced("tab_rows", "2021", 2).truth, made])
    assert library.find(made.view.replace("某某市民政局2023年", "").replace("申请", "审请")) is made


@pytest.mark.parametrize("shown", ["另一份完全不同的报告，谁也不认识它。", "规章", "0", "", "\n"])
def test_text_of_no_known_document(shown: str) -> None:
    assert Library([Truth("a", "某某市民政局年度报告")]).find(shown) is None
    assert Library([]).find(shown) is None


def test_order_of_questions_changes_nothing(many: list[Truth]) -> None:
    shown = [part(truth, "(一)予以公开", "(三)不予公开") for truth in many[:20]]
    forwards, backwards = Library(many[:20]), Library(many[:20])
    there = [forwards.find(text) for text in shown]
    back = [backwards.find(text) for text in reversed(shown)]
    for text, one, other in zip(shown, there, reversed(back), strict=True):
        assert one is not None
        assert other is not None
        assert squeeze(text) in one.squeezed
        assert squeeze(text) in other.squeezed


def test_generated_truth_is_what_its_document_prints() -> None:
    printed = flatten.as_printed(flatten.make_values("2019", 4))
    truth = generate("html_page", "2019", printed).truth
    assert {field_id: text for field_id, text in truth.cells.items() if text} == printed
    assert all(squeeze(text) in truth.squeezed for text in (*printed.values(), *truth.header.values()))
