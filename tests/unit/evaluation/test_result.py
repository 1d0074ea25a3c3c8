"""An evaluation as a file: nothing is lost on the way, and a wrong file is refused with its remedy."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import SettingsError
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, Verdict
from extractor.evaluation.result import (
    Evaluation,
    dump_evaluation,
    load_evaluation,
    summarise_documents,
)
from extractor.model import CellState, Value


def outcome(field_id: str, printed: Value | None, said: Value | None, *, accepted: bool = True) -> FieldOutcome:
    verdict: Verdict = "right" if printed == said else "wrong"
    group = field_id.partition(".")[0]
    return FieldOutcome(field_id, group, verdict, accepted, CellState.VALUE, printed, CellState.VALUE, said)


def document(name: str, *fields: FieldOutcome) -> DocumentOutcome:
    return DocumentOutcome(name, "real", f"{name}.txt", "text, rows", "2021", "succeeded", fields)


def evaluation(*documents: DocumentOutcome) -> Evaluation:
    return Evaluation(readers="template", documents=summarise_documents(documents))


def test_what_is_right_and_accepted_is_counted_and_all_else_is_listed() -> None:
    (kept,) = summarise_documents(
        [
            document(
                "a",
                outcome("applications.granted.total", 4, 4),
                outcome("applications.granted.business", 0, 0),
                outcome("applications.carried_in.total", 7, 7, accepted=False),
                outcome("applications.carried_out.total", 7, 1),
                outcome("narrative.reviews", 3, 3),
                outcome("narrative.litigations", 3, 5),
                FieldOutcome("applications.x.y", "applications", "invented", False, None, None, CellState.BLANK, None),
            )
        ]
    )
    assert (kept.labelled, kept.printed_nonzero, kept.accepted_nonzero) == (6, 3, 1)
    assert [(field.field, field.verdict, field.accepted) for field in kept.fields] == [
        ("applications.carried_in.total", "right", False),
        ("applications.carried_out.total", "wrong", True),
        ("narrative.litigations", "wrong", True),
        ("applications.x.y", "invented", False),
    ]


def test_documents_are_kept_in_the_order_of_their_names() -> None:
    assert [kept.name for kept in summarise_documents([document("b"), document("a")])] == ["a", "b"]


def test_file_says_its_format_and_gives_each_field_a_line() -> None:
    text = dump_evaluation(evaluation(document("a", outcome("header.title", "某局", "某市某局"))))
    assert json.loads(text)["format"] == "extractor evaluation 1"
    assert "某市某局" in text
    (line,) = [line for line in text.splitlines() if "header.title" in line]
    assert json.loads(line)["printed"] == "某局"


VALUES = (
    st.none()
    | st.integers(0, 10**12)
    | st.text(max_size=8)
    | st.text("0123456789.-", min_size=1, max_size=6)
    | st.decimals(0, 10**6, places=2)
)


@given(st.lists(st.tuples(VALUES, VALUES, st.booleans()), max_size=4), st.floats(0, 1))
def test_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[Value | None, Value | None, bool]], share: float
) -> None:
    outcomes = [outcome(f"header.f{n}", *pair, accepted=accepted) for n, (*pair, accepted) in enumerate(fields)]
    written = evaluation(document("a", *outcomes), document("b")).model_copy(
        update={"metrics": {"real": {"all": {"documents": 2, "cells_right": [1, 2, None, share]}}}}
    )
    path = tmp_path_factory.mktemp("x") / "e.json"
    path.write_text(dump_evaluation(written), encoding="utf-8")
    assert load_evaluation(path) == written


def test_amount_keeps_its_digits(tmp_path: Path) -> None:
    """No number passes through a float of other value."""
    path = tmp_path / "e.json"
    path.write_text(dump_evaluation(evaluation(document("a", outcome("x.y", Decimal("984361.07"), 984361)))), "utf-8")
    (field,) = load_evaluation(path).documents[0].fields
    assert (field.printed, field.said) == (Decimal("984361.07"), 984361)
    assert isinstance(field.said, int)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("{", "no evaluation"),
        ('{"readers": "template"}', "documents: Field required"),
        ('{"format": "extractor evaluation 9", "readers": "x", "documents": []}', "format"),
        ('{"readers": "x", "documents": [], "more": 1}', "more"),
    ],
)
def test_wrong_file_is_named_with_its_remedy(tmp_path: Path, text: str | None, problem: str) -> None:
    path = tmp_path / "e.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=problem) as caught:
        load_evaluation(path)
    assert str(path) in str(caught.value)
    assert "extractor eval --json" in str(caught.value)
