"""Failed equations: the verdict rests on readings, suggestions on arithmetic, and nothing printed ever changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import flatten
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.flags import make_flag
from extractor.forms import load_forms
from extractor.model import Alignment, Candidate, CellState, Flag, Span
from extractor.reconcile import Merged, evaluate_equations, explain_failures
from extractor.reconcile.explain import Findings

GENERATION = {"applications": "2021", "review_litigation": "2021"}
CELL = "applications.granted.natural_person"
REVIEW = "review_litigation.review."
TRUE = flatten.make_values("2021", 4)


def printed(value: int, reader: str = "template", alignment: Alignment | None = None) -> Candidate:
    return Candidate(CellState.VALUE, value, None, str(value), (Span(1, 2),), reader, alignment)


def report(changed: Mapping[str, int], confirmed_by: tuple[str, ...] = ()) -> dict[str, Merged]:
    """A balanced report with some cells changed, all of it read alike by `confirmed_by`."""
    return {name: Merged(printed(changed.get(name, value)), (), confirmed_by) for name, value in TRUE.items()}


def with_other(merged: dict[str, Merged], **others: Candidate) -> dict[str, Merged]:
    """The same with a losing candidate for some cells of row `granted`, by column."""
    return merged | {
        f"applications.granted.{column}": merged[f"applications.granted.{column}"]._replace(losing=(candidate,))
        for column, candidate in others.items()
    }


def explain(merged: Mapping[str, Merged], doubts: Iterable[Flag] = ()) -> Findings:
    return explain_failures(merged, GENERATION, evaluate_equations(merged, GENERATION), tuple(doubts))


def verdicts(findings: Findings) -> dict[str, str | None]:
    return {result.id: result.verdict for result in findings.equations if result.result == "fail"}


def codes(findings: Findings) -> set[str]:
    return {flag.code for flag in findings.flags}


def test_where_all_holds_nothing_is_said() -> None:
    findings = explain(report({}))
    assert findings.flags == ()
    assert findings.suggestions == {}
    assert {result.verdict for result in findings.equations} == {None}


def test_a_lone_readers_failed_equation_is_inconclusive_and_the_cell_is_suspected() -> None:
    findings = explain(report({CELL: TRUE[CELL] + 7}))
    assert verdicts(findings) == {"E2[natural_person]": "inconclusive", "E3[granted]": "inconclusive"}
    (suggestion,) = findings.suggestions.pop(CELL)
    assert (suggestion.value, suggestion.ties) == (TRUE[CELL], 1)
    assert suggestion.cost > 0
    assert "E3[granted]" in suggestion.basis
    assert findings.suggestions == {}
    (suspected,) = [flag for flag in findings.flags if flag.code == "value-suspected"]
    assert suspected.fields == (CELL,)
    assert f"{TRUE[CELL] + 7} → {TRUE[CELL]}" in suspected.message.en
    failed = [flag for flag in findings.flags if flag.code == "equation-failed"]
    assert {field for flag in failed for field in flag.fields} > {CELL}
    assert all(flag.spans for flag in findings.flags)


def test_what_two_readers_read_alike_is_the_reports_own_and_sends_nothing_to_review() -> None:
    findings = explain(report({CELL: TRUE[CELL] + 7}, ("llm",)))
    assert set(verdicts(findings).values()) == {"source_inconsistent"}
    assert codes(findings) == {"source-inconsistent"}
    assert {flag.fields for flag in findings.flags} == {()}
    assert findings.suggestions[CELL][0].value == TRUE[CELL]


def test_a_person_is_enough() -> None:
    merged = {
        name: Merged(replace(entry.printed, reader="person"), ())
        for name, entry in report({CELL: TRUE[CELL] + 7}).items()
    }
    assert set(verdicts(explain(merged)).values()) == {"source_inconsistent"}


@pytest.mark.parametrize("changed", [{"spans": ()}, {"state": CellState.POSITION_UNKNOWN}])
def test_a_cell_without_its_place_vouches_for_nothing(changed: dict[str, object]) -> None:
    other = "applications.granted.business"
    merged = report({CELL: TRUE[CELL] + 7}, ("llm",))
    merged[other] = merged[other]._replace(printed=replace(merged[other].printed, **changed))
    assert verdicts(explain(merged)).get("E3[granted]") in ("inconclusive", None)


@pytest.mark.parametrize(
    "lost",
    [
        Candidate(CellState.POSITION_UNKNOWN, spans=(Span(1, 2),)),
        Candidate(CellState.UNPARSABLE, spans=(Span(1, 2),)),
        Candidate(CellState.INFERRED_BY_EQUATION, 0, raw="0", spans=(Span(1, 2),)),
        Candidate(CellState.NOT_READ),
    ],
    ids=lambda candidate: candidate.state.value,
)
def test_where_the_page_lost_another_rows_places_two_readers_who_count_alike_prove_nothing(lost: Candidate) -> None:
    """Cells joined by tabs, the empty ones lost, and one tab too many: `113 _ 27 0 0 113 0` has as many as columns."""
    merged = report({CELL: TRUE[CELL] + 7}, ("llm",))
    merged["applications.carried_in.total"] = Merged(lost, ())
    assert set(verdicts(explain(merged)).values()) == {"inconclusive"}
    assert "source-inconsistent" not in codes(explain(merged))


def test_a_single_cell_that_cannot_be_read_is_no_lost_place() -> None:
    merged = report({CELL: TRUE[CELL] + 7}, ("llm",))
    merged["applications.carried_in.total"] = Merged(
        Candidate(CellState.UNPARSABLE, raw="约3", spans=(Span(1, 2),)), ()
    )
    assert set(verdicts(explain(merged)).values()) == {"source_inconsistent"}


def test_a_persons_word_needs_no_whole_table() -> None:
    read = report({CELL: TRUE[CELL] + 7})
    merged = {name: Merged(replace(entry.printed, reader="person"), ()) for name, entry in read.items()}
    merged["applications.carried_in.total"] = Merged(Candidate(CellState.POSITION_UNKNOWN, spans=(Span(1, 2),)), ())
    assert set(verdicts(explain(merged)).values()) == {"source_inconsistent"}


def test_a_cell_that_something_else_doubts_vouches_for_nothing() -> None:
    doubt = make_flag("columns-unverified", fields=["applications.granted.business"])
    found = verdicts(explain(report({CELL: TRUE[CELL] + 7}, ("llm",)), [doubt]))
    assert found == {"E2[natural_person]": "source_inconsistent", "E3[granted]": "inconclusive"}


def test_that_the_text_says_otherwise_is_no_doubt_about_what_the_table_prints() -> None:
    doubt = make_flag("narrative-differs", fields=[CELL], stated=1, printed=2)
    found = verdicts(explain(report({CELL: TRUE[CELL] + 7}, ("llm",)), [doubt]))
    assert set(found.values()) == {"source_inconsistent"}


# ---------------------------------------------------------------- another reading


def test_another_grounded_reading_that_settles_it_is_offered() -> None:
    merged = with_other(report({CELL: TRUE[CELL] + 7}), natural_person=printed(TRUE[CELL], "llm", "exact"))
    findings = explain(merged)
    assert set(verdicts(findings).values()) == {"extraction_error"}
    (suggestion,) = findings.suggestions[CELL]
    assert (suggestion.value, suggestion.method) == (TRUE[CELL], "other-reading")
    assert "llm" in suggestion.basis
    assert CELL in {field for flag in findings.flags for field in flag.fields}


@pytest.mark.parametrize(
    "other",
    [
        replace(printed(TRUE[CELL], "llm"), spans=()),
        printed(TRUE[CELL], "llm", "not_found"),
        printed(TRUE[CELL] + 1, "llm", "exact"),
        printed(TRUE[CELL], "template"),
        Candidate(CellState.BLANK, None, spans=(Span(1, 2),), reader="llm"),
    ],
    ids=["nowhere", "not found", "settles nothing", "same reader", "blank"],
)
def test_another_reading_that_is_not_grounded_or_settles_nothing_is_not(other: Candidate) -> None:
    findings = explain(with_other(report({CELL: TRUE[CELL] + 7}), natural_person=other))
    assert set(verdicts(findings).values()) == {"inconclusive"}
    assert findings.suggestions[CELL][0].method != "other-reading"


def test_a_whole_row_of_another_reading_is_offered() -> None:
    columns = [column.id for column in load_forms().generations["2021"].sections["applications"].columns]
    moved = {f"applications.granted.{column}": TRUE[f"applications.granted.{column}"] + 1 for column in columns[:5]}
    others = {column: printed(TRUE[f"applications.granted.{column}"], "llm", "exact") for column in columns[:5]}
    findings = explain(with_other(report(moved), **others))
    assert set(verdicts(findings).values()) == {"extraction_error"}
    assert {name: found[0].value for name, found in findings.suggestions.items()} == {
        name: TRUE[name] for name in moved
    }


def test_two_ways_of_taking_another_readers_word_decide_nothing() -> None:
    """複议: either part of the sum may be the misread one."""
    parts = {REVIEW + "upheld": 1, REVIEW + "corrected": 1, REVIEW + "other_result": 0, REVIEW + "pending": 0}
    merged = report(parts | {REVIEW + "total": 3})
    for name in ("upheld", "corrected"):
        merged[REVIEW + name] = merged[REVIEW + name]._replace(losing=(printed(2, "llm", "exact"),))
    findings = explain(merged)
    assert verdicts(findings) == {"E4[review]": "inconclusive"}
    assert findings.suggestions == {}


def test_one_way_decides_even_in_section_four() -> None:
    parts = {REVIEW + "upheld": 1, REVIEW + "corrected": 1, REVIEW + "other_result": 0, REVIEW + "pending": 0}
    merged = report(parts | {REVIEW + "total": 3})
    merged[REVIEW + "upheld"] = merged[REVIEW + "upheld"]._replace(losing=(printed(2, "llm", "exact"),))
    assert verdicts(explain(merged)) == {"E4[review]": "extraction_error"}


# ---------------------------------------------------------------- where the cell cannot be told


def test_section_four_has_too_few_equations_for_a_suggestion() -> None:
    parts = {REVIEW + "upheld": 10, REVIEW + "corrected": 1, REVIEW + "other_result": 0, REVIEW + "pending": 0}
    findings = explain(report(parts | {REVIEW + "total": 0}))
    assert findings.suggestions == {}
    (flag,) = [flag for flag in findings.flags if flag.code == "error-not-located"]
    assert set(flag.fields) == {*parts, REVIEW + "total"}
    assert "too few equations" in flag.message.en


def test_a_tie_names_the_region_and_suggests_nothing() -> None:
    """Row and sum of a column changed alike: any other row of the column could be the one."""
    other, total = "applications.granted.research", "applications.granted.total"
    findings = explain(report({other: TRUE[other] + 1, total: TRUE[total] + 1}))
    assert findings.suggestions == {}
    (flag,) = [flag for flag in findings.flags if flag.code == "error-not-located"]
    assert "equally simple" in flag.message.en
    assert {other, total} <= set(flag.fields)


@pytest.mark.parametrize("column", ["business", "natural_person", "total"])
def test_a_doubt_breaks_no_tie(column: str) -> None:
    """Five counted in another row of 商业企业: had they moved in any other column, the sums would fail alike."""
    rows = ("applications.other_result.other", "applications.other_result.fee_unpaid")
    moved = {f"{row}.business": TRUE[f"{row}.business"] + by for row, by in zip(rows, (-5, 5), strict=True)}
    doubt = make_flag("row-out-of-order", fields=[f"{row}.{column}" for row in rows])
    findings = explain(report(moved), [doubt])
    assert findings.suggestions == {}
    (flag,) = [flag for flag in findings.flags if flag.code == "error-not-located"]
    assert {f"{row}.{name}" for row in rows for name in ("business", "total")} <= set(flag.fields)


def test_what_two_readers_confirmed_is_located_like_anything_else() -> None:
    """A row shifted at the source: that it was read rightly does not make another row the likelier culprit."""
    names = [column.id for column in load_forms().generations["2021"].sections["applications"].columns]
    row = "applications.other_result.other"
    cells = [TRUE[f"{row}.{name}"] for name in names]
    shifted = dict(zip((f"{row}.{name}" for name in names), [0, *cells[:-1]], strict=True))
    merged = report(shifted, ("llm",))
    doubted = [f"applications.granted.{name}" for name in names]
    for name in doubted:
        merged[name] = merged[name]._replace(confirmed_by=())
    findings = explain(merged, [make_flag("row-out-of-order", fields=doubted)])
    assert {name: found[0].value for name, found in findings.suggestions.items()} == {
        name: TRUE[name] for name in shifted if shifted[name] != TRUE[name]
    }


def test_a_broken_bound_names_its_fields() -> None:
    merged = report({REVIEW + "upheld": 5, REVIEW + "total": 1})
    merged[REVIEW + "pending"] = Merged(Candidate(CellState.BLANK, spans=(Span(1, 2),)), ())
    findings = explain(merged)
    assert verdicts(findings) == {"E4[review]": "inconclusive"}
    (flag,) = [flag for flag in findings.flags if flag.code == "error-not-located"]
    assert "already exceed" in flag.message.en
    assert REVIEW + "upheld" in flag.fields


FIELDS = [name for name in TRUE if name.startswith("applications.")]


@given(st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 60), min_size=1, max_size=6))
def test_whatever_is_wrong_what_is_printed_stays_and_every_failed_equation_is_flagged(changed: dict[str, int]) -> None:
    merged = report(changed)
    before = repr(merged)
    findings = explain(merged)
    assert repr(merged) == before
    flagged = {field for flag in findings.flags for field in flag.fields}
    for result in findings.equations:
        if result.result == "fail":
            assert result.verdict == "inconclusive"
            assert flagged.issuperset(result.fields)
    assert flagged.issuperset(findings.suggestions)
