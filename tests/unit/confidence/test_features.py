"""Features: each one measured on a record made for it, and none moved by what a certificate decided."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.confidence.decide import CERTAIN, SOFT_CODES
from extractor.confidence.features import FEATURES, FEATURES_VERSION, measure_features
from extractor.confidence.govern import govern_record
from extractor.flags import CATALOGUE
from extractor.model import Candidate, CellState, EquationResult, Flag, Place, Record, RecordField, Span, Suggestion
from extractor.pipeline import process_document
from extractor.sources import load_document
from tests.unit.confidence.certificates import make_certificate
from tests.unit.confidence.records import A, B, C, equation, field, flag, record

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("*.txt"))
MODEL_SAID = Candidate(CellState.VALUE, 9, reader="llm")


def measure(
    name: str,
    own: RecordField | None = None,
    flags: tuple[Flag, ...] = (),
    equations: tuple[EquationResult, ...] = (),
    **others: RecordField,
) -> float:
    fields = {A: own or field(), B: field(0), C: field(1)} | others
    return measure_features(record(fields, flags, equations))[A][FEATURES.index(name)]


def on_paper(confidence: float | None) -> Span:
    return Span(10, 11, table=0, row=1, cell=2, place=Place(1, (0, 0, 9, 9), confidence))


def test_names_are_unlike_and_the_version_is_theirs() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    assert hashlib.sha256("\n".join(FEATURES).encode()).hexdigest().startswith(FEATURES_VERSION)


@pytest.mark.parametrize(
    ("name", "plain", "other"),
    [
        ("other_reader_agrees", 0, field(confirmed_by=("llm",))),
        ("has_one_reader", 1, field(confirmed_by=("llm",))),
        ("has_one_reader", 1, field(candidates=(MODEL_SAID,))),
        ("read_by_model", 0, field(reader="llm")),
        ("in_own_cell", 1, field(spans=(Span(10, 11),))),
        ("in_own_cell", 1, field(None, state=CellState.ROW_ABSENT, spans=())),
        ("token_has_more", 0, field(8, raw="8件(撤销1件)")),
        ("token_has_more", 0, field(1234, raw="1,234")),
        ("read_by_ocr", 0, field(spans=(on_paper(0.5),))),
        ("has_suggestion", 0, field(suggestions=(Suggestion(4, "one-cell", "E1"),))),
        ("has_other_candidates", 0, field(candidates=(MODEL_SAID,))),
        ("is_nonzero", 1, field(0)),
        ("is_blank", 0, field(None, state=CellState.BLANK)),
        ("is_mark", 0, field(None, state=CellState.NA_MARK, raw="/")),
        ("is_row_absent", 0, field(None, state=CellState.ROW_ABSENT, spans=())),
    ],
)
def test_what_the_field_says(name: str, plain: float, other: RecordField) -> None:
    assert measure(name) == plain
    assert measure(name, other) == 1 - plain


@pytest.mark.parametrize(
    ("spans", "confidence"),
    [
        ((), 1),
        ((Span(10, 11),), 1),
        ((on_paper(None),), 1),  # a text layer
        ((on_paper(0.75),), 0.75),
        ((on_paper(None), on_paper(0.9), on_paper(0.25)), 0.25),
    ],
)
def test_the_engine_is_as_sure_as_of_the_least_certain_of_the_evidence(
    spans: tuple[Span, ...], confidence: float
) -> None:
    assert measure("ocr_confidence", field(spans=spans)) == confidence
    assert measure("read_by_ocr", field(spans=spans)) == (confidence < 1)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("other_reader_differs", ["reader-disagreement"]),
        ("row_doubts", ["row-out-of-order", "label-inexact"]),
        ("row_doubts", ["page-not-read"]),
        ("column_doubts", ["columns-unverified", "cell-not-separated"]),
        ("ink_doubts", ["ocr-uncertain", "ocr-unconfirmed"]),
        ("arithmetic_doubts", ["value-suspected", "error-not-located"]),
        ("text_doubts", ["narrative-differs", "narrative-share-differs"]),
        ("errors", ["equation-failed"]),
        ("warnings", ["unit-differs", "cut-off"]),
        ("infos", ["positions-enumerated"]),
    ],
)
def test_what_findings_say(name: str, codes: list[str]) -> None:
    assert measure(name, flags=(flag("sections-out-of-order"),)) == 0
    assert measure(name, flags=tuple(flag(code, B) for code in codes)) == 0
    assert measure(name, flags=tuple(flag(code, A, B) for code in codes)) == len(codes)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("equations_passed_nonzero", equation("pass", A, B)),
        ("equations_failed", equation("fail", A, B, verdict="inconclusive")),
        ("equations_failed", equation("fail", A, B, verdict="extraction_error")),
        ("equations_failed_by_source", equation("fail", A, B, verdict="source_inconsistent")),
        ("equations_not_evaluable", equation("not_evaluable", A, B)),
        ("equations_assumed", equation("assumed", A, B)),
    ],
)
def test_equations_are_counted_by_how_they_ended(name: str, result: EquationResult) -> None:
    all_names = [one for one in FEATURES if one.startswith("equations_")]
    counts = {one: measure(one, equations=(result, result, equation("pass", B, C))) for one in all_names}
    assert counts == {one: 2 if one == name else 0 for one in all_names}


def test_an_equation_that_holds_because_all_is_0_is_counted_apart() -> None:
    results = (equation("pass", A, B), equation("pass", A, B, C))
    assert measure("equations_passed_nonzero", field(0), equations=results) == 1
    assert measure("equations_passed_zero", field(0), equations=results) == 1
    blank = field(None, state=CellState.BLANK)
    assert measure("equations_passed_nonzero", blank, equations=results) == 1


def test_shares_of_the_document() -> None:
    flags = (flag("reader-disagreement", A, B), flag("columns-unverified", B, "header.title"))
    results = (equation("fail", A), *(equation("pass", B) for _ in range(3)), equation("not_evaluable", C))
    open_cell = {"applications.refused.total": field(None, state=CellState.NOT_READ, decision="review")}
    facts = {"header.title": field("报告"), "narrative.reviews": field(2)}
    found = {
        name: measure(f"document_{name}", None, flags, results, **open_cell, **facts)
        for name in ("disagreement", "violations", "review")
    }
    assert found == {
        "disagreement": 2 / 4,
        "violations": 1 / 4,
        "review": 3 / 4,
    }  # of cells, of those that say something
    assert measure_features(record({})) == {}
    assert measure("document_violations") == 0


@pytest.mark.parametrize("part", ["proactive_disclosure", "review_litigation", "header", "narrative", "applications"])
def test_where_in_the_form(part: str) -> None:
    (values,) = measure_features(record({f"{part}.x.y": field()})).values()
    said = {name for name, value in zip(FEATURES, values, strict=True) if name.startswith("in_") and value}
    assert said - {"in_own_cell"} == ({f"in_{part}"} if part != "applications" else set())


@pytest.mark.parametrize("state", list(CellState))
def test_only_fields_of_a_certain_state_are_measured(state: CellState) -> None:
    assert (A in measure_features(record({A: field(state=state)}))) == (state in CERTAIN)


@pytest.mark.parametrize("name", ["narrative.problems.1", "narrative.measures.2", "indicators.1.this_year"])
def test_lists_that_no_label_holds_are_not_measured(name: str) -> None:
    assert measure_features(record({name: field()})) == {}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem[:3])
def test_every_field_of_a_report_has_every_feature(path: Path) -> None:
    found = measure_features(process_document(load_document(path)))
    assert found
    assert {len(values) for values in found.values()} == {len(FEATURES)}
    assert all(isinstance(value, int | float) for values in found.values() for value in values)


@given(codes=st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=4), p_wrong=st.floats(0.001, 0.999))
def test_what_a_certificate_decided_changes_no_feature(codes: list[str], p_wrong: float) -> None:
    def decide(name: str) -> Any:
        return "review" if codes and name != C else "accepted"

    fields = {name: field(decision=decide(name)) for name in (A, B, C)}
    before = record(fields, tuple(flag(code, A, B) for code in codes), (equation("fail", A, B),))
    after = govern_record(before, make_certificate(p_wrong))
    assert measure_features(after) == measure_features(before)


def test_every_soft_code_and_every_measured_code_exists() -> None:
    assert set(CATALOGUE) >= SOFT_CODES


def test_a_flag_of_any_code_is_measured() -> None:
    for code in CATALOGUE:
        values: Record = record({A: field()}, (flag(code, A),))
        assert sum(measure_features(values)[A][FEATURES.index("errors") : FEATURES.index("infos") + 1]) == 1, code
