"""The whole way over the official form in every flattening: no silent wrong number, and no refusal of what is plain."""

from __future__ import annotations

import random

import flatten
import pytest

from extractor.model import CellState, Record
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document

GENERATIONS = ("2021", "2019")
SEEDS = (1, 2, 3)


def extract(raw: bytes, name: str = "report") -> Record:
    return process_document(read_document(raw, name, Settings()))


def accepted_wrong(record: Record, printed: dict[str, str]) -> list[str]:
    """Fields accepted with anything else than what is printed."""
    wrong = []
    for field_id, text in printed.items():
        field = record.fields[field_id]
        said = (
            str(field.value)
            if field.state is CellState.VALUE
            else ("" if field.state is CellState.BLANK else field.state.value)
        )
        if field.decision == "accepted" and said != text:
            wrong.append(f"{field_id}: printed {text!r}, accepted {said!r}")
    return wrong


def read_right(record: Record, printed: dict[str, str]) -> list[str]:
    return [
        i
        for i, text in printed.items()
        if text and str(record.fields[i].value) == text and record.fields[i].decision == "accepted"
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("layout", [name for name in flatten.LAYOUTS if name != "glued"])
def test_every_separated_value_is_read_and_accepted(layout: str, generation: str, seed: int) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, seed))
    record = extract(flatten.LAYOUTS[layout](flatten.build_tables(generation, printed)))
    assert accepted_wrong(record, printed) == []
    assert len(read_right(record, printed)) == len(printed), [f.message.en for f in record.flags]
    assert set(record.generation.values()) == {generation}
    assert {equation.result for equation in record.equations} == {"pass"}
    assert record.status == "succeeded"


@pytest.mark.parametrize("share", [0.02, 0.2, 0.8])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("layout", list(flatten.LAYOUTS))
def test_empty_cells_never_shift_a_value(layout: str, generation: str, seed: int, share: float) -> None:
    rng = random.Random(seed)
    values = flatten.as_printed(flatten.make_values(generation, seed))
    printed = {field_id: "" if rng.random() < share else text for field_id, text in values.items()}
    record = extract(flatten.LAYOUTS[layout](flatten.build_tables(generation, printed)))
    assert accepted_wrong(record, printed) == []
    # With most cells empty, rows of one width may show empty cells at their ends only, and then
    # nothing tells them from rows that were filled up.
    if layout in flatten.KEEPING and share < 0.5:
        floor = 0.85 if layout == "pipe_cells_kept" else 0.95
        assert len(read_right(record, printed)) >= floor * sum(1 for text in printed.values() if text)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_glued_digits_are_flagged_and_never_accepted(generation: str) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, 1))
    record = extract(flatten.glued(flatten.build_tables(generation, printed)))
    assert read_right(record, printed) == []
    assert "glued-digits" in {flag.code for flag in record.flags}
    assert record.status == "partial"
