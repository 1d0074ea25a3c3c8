"""Fields in review are cut into items: each in exactly one, what one answer settles together."""

from __future__ import annotations

from functools import cache

import flatten
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import load_forms
from extractor.model import Record
from extractor.pipeline import process_document
from extractor.review.items import group_items
from extractor.review.priors import PRIORS, STRENGTH, Chances, Finding
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.shapes import ItemDraft

from .conftest import print_form

TRUE = flatten.make_values("2021", 4)
BLANKS = {name: "" for name in TRUE if name.startswith("applications.") and not name.endswith(".total")}
LAYOUTS = sorted({**flatten.KEEPING, **flatten.DROPPING})


@cache
def read(raw: bytes, name: str = "报告.txt") -> Record:
    return process_document(read_document(raw, name, Settings()))


def by_kind(record: Record) -> dict[str, list[ItemDraft]]:
    found: dict[str, list[ItemDraft]] = {}
    for draft in group_items(record):
        found.setdefault(draft.kind, []).append(draft)
    return found


@pytest.mark.parametrize("layout", [*(name for name in LAYOUTS if name != "word"), "glued", "half_glued", "pdf_text"])
@pytest.mark.parametrize("generation", ["2019", "2021"])
def test_every_field_in_review_is_in_exactly_one_item(layout: str, generation: str) -> None:
    values = flatten.make_values(generation, 7)
    blanks = dict.fromkeys(list(values)[::5], "")
    name = "报告.html" if layout == "html_page" else "报告.txt"
    record = read(print_form(values | blanks, layout, generation), name)
    drafts = group_items(record)
    asked = [name for draft in drafts for name in draft.fields]
    assert sorted(asked) == sorted(name for name, field in record.fields.items() if field.decision == "review")
    assert len({draft.key for draft in drafts}) == len(drafts)
    assert all(draft.expected > 0 and draft.looks >= 1 for draft in drafts)
    assert group_items(record) == drafts


def test_a_table_of_lone_numbers_is_one_question_worth_all_of_it() -> None:
    zeros = {name: "0" for name in TRUE if name.startswith("applications.") and name.endswith(".total")}
    record = read(print_form(TRUE | BLANKS | zeros, "pipe_cells_dropped"))
    (layout,) = [draft for draft in group_items(record) if draft.kind == "layout"]
    assert (layout.looks, layout.expected) == (1, len(layout.fields))
    assert layout.section == "applications"


def test_glued_digits_of_a_table_are_one_item_with_a_look_for_each_row() -> None:
    glued = by_kind(read(print_form(TRUE, "glued")))["glued"]
    applications = next(draft for draft in glued if draft.section == "applications")
    form = load_forms().section("applications", "2021")
    assert form
    assert applications.looks == len(form.rows)
    assert applications.expected == len(applications.fields)


def test_the_cells_under_suspicion_come_before_the_rest_of_the_equation() -> None:
    cell = "applications.granted.natural_person"
    regions = by_kind(read(print_form(TRUE | {cell: TRUE[cell] + 1})))["equation"]
    assert cell in regions[0].fields
    assert len(regions) == 2
    assert regions[0].expected > regions[1].expected
    assert sum(region.expected for region in regions) == pytest.approx(1)  # one wrong value


def test_two_errors_that_share_nothing_are_two_items() -> None:
    one, other = "applications.granted.natural_person", "review_litigation.review.upheld"
    record = read(print_form(TRUE | {one: TRUE[one] + 1, other: TRUE[other] + 1}))
    first = [draft for draft in by_kind(record)["equation"] if one in draft.fields]
    second = [draft for draft in by_kind(record)["equation"] if other in draft.fields]
    assert first != second
    assert {name.partition(".")[0] for name in second[0].fields} == {"review_litigation"}


def test_rows_that_are_nowhere_are_one_question() -> None:
    rows = ("refused.", "unable.")
    left_out = {
        name: value for name, value in TRUE.items() if not name.startswith(tuple(f"applications.{r}" for r in rows))
    }
    tables = by_kind(read(print_form(left_out)))["table"]
    assert [draft.codes[0] for draft in tables] == ["rows-missing"]
    assert tables[0].looks == 1


def test_a_contradicted_cell_is_looked_at_with_its_sentence() -> None:
    prose = flatten.Prose(
        before=(
            *flatten.BEFORE,
            f"2023年，因政府信息公开被申请行政复议{TRUE['review_litigation.review.total'] + 5}件。",
        )
    )
    tables = flatten.build_tables("2021", {name: str(value) for name, value in TRUE.items()})
    facts = by_kind(read(flatten.tab_rows(tables, prose)))["facts"]
    compared = [draft for draft in facts if "narrative-differs" in draft.codes]
    assert len(compared) == 1
    assert set(compared[0].fields) == {"narrative.reviews", "review_litigation.review.total"}


def test_fields_that_are_asked_about_already_are_left_out() -> None:
    record = read(print_form(TRUE, "glued"))
    taken = {name for name in record.fields if name.startswith("applications.")}
    assert not {name for draft in group_items(record, taken=taken) for name in draft.fields} & taken


def test_an_audit_asks_about_accepted_fields_beside_the_doubted() -> None:
    record = read(print_form(TRUE | {"applications.granted.natural_person": "若干"}))
    drafts = group_items(record, is_audited=True)
    assert sorted(name for draft in drafts for name in draft.fields) == sorted(record.fields)


# ---------------------------------------------------------------- chances


@given(st.sampled_from(sorted(PRIORS)), st.integers(0, 10**6), st.floats(0, 1))
def test_findings_move_a_prior_towards_what_was_found(code: str, looked_at: int, share: float) -> None:
    wrong = int(looked_at * share)
    prior = PRIORS[code].share
    found = Chances({code: Finding(looked_at, wrong)}).of_code(code)
    low, high = sorted((prior, wrong / looked_at if looked_at else prior))
    assert low - 1e-9 <= found <= high + 1e-9


def test_a_prior_weighs_as_many_observations() -> None:
    prior = PRIORS["row-repeated"].share
    same = Chances({"row-repeated": Finding(int(STRENGTH), int(STRENGTH))}).of_code("row-repeated")
    assert same == pytest.approx((prior + 1) / 2)


def test_more_findings_make_a_value_likelier_wrong() -> None:
    chances = Chances()
    one, two = chances.of_codes(["row-repeated"]), chances.of_codes(["row-repeated", "cut-off"])
    assert 0 < one < two < 1


def test_every_prior_is_of_a_known_code() -> None:
    from extractor.flags import CATALOGUE

    assert set(PRIORS) <= set(CATALOGUE)
    assert all(0 < prior.share < 1 and prior.source for prior in PRIORS.values())
