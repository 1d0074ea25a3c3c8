"""Looking for slips in a label: its own sums, and its text against its tables.

A report that does not add up is labelled as printed, and a slip of the labeller breaks the same sums. So what does not
fit must be said in `source_inconsistencies`, by someone who has looked at the document again. Called by check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from extractor.evaluation.label_file import LabelFile, Slip
from extractor.evaluation.labels import Label
from extractor.model import Candidate, CellState, EquationOutcome, EquationResult
from extractor.reconcile import Merged, compare_narrative, evaluate_equations

_LOOK = "Compare its cells with the document; if it is printed so, say it in source_inconsistencies, beginning with the"


def check_sums(file: LabelFile, label: Label) -> Iterator[Slip]:
    """What does not add up is said, and what is said does not add up."""
    printed = _as_record(label)
    results = {item.id: item for item in evaluate_equations(printed, label.generation)}
    said = {name for text in file.source_inconsistencies if (name := _equation_of(text, results))}
    for name, item in results.items():
        if item.result == "fail" and name not in said:
            yield Slip(name, f"does not hold: the left side is {item.residual:+} beside the right", f"{_LOOK} id")
    yield from _check_statements("source_inconsistencies", file.source_inconsistencies, results, "fail")
    yield from _check_statements("not_evaluable", file.not_evaluable, results, "not_evaluable")
    for flag in compare_narrative(printed):
        fact = flag.fields[0].removeprefix("narrative.")
        if not any(fact in text.replace(".", "_") for text in file.source_inconsistencies):
            yield Slip(f"narrative.{fact}", flag.message.en, f"{_LOOK} fact's name")


def _check_statements(
    place: str, texts: tuple[str, ...], results: Mapping[str, EquationResult], expected: EquationOutcome
) -> Iterator[Slip]:
    for text in texts:
        name = _equation_of(text, results)
        if name and results[name].result != expected:
            yield Slip(place, f"{name} is {results[name].result}", "Take the sentence out, or correct a cell")


def _equation_of(text: str, names: Mapping[str, object]) -> str | None:
    """The equation that a sentence is about: the id that it begins with."""
    name = text.partition("]")[0] + "]"
    return name if name in names else None


def _as_record(label: Label) -> dict[str, Merged]:
    """The label as what a reader would have read."""
    cells = {
        field_id: Merged(Candidate(cell.state, cell.value, raw=cell.raw), ()) for field_id, cell in label.cells.items()
    }
    facts = {
        field_id: Merged(Candidate(CellState.VALUE, value), ())
        for field_id, value in label.facts.items()
        if isinstance(value, int | Decimal | str)
    }
    return cells | facts
