"""What a program said of a document against its label: numbers right, wrong, missing, made up, and silently wrong.

Lives here: one measure for all programs, in numbers as printed. Does not live here: the program's own measure, which is
finer (extractor.evaluation.outcomes); what is accepted wrong by that one counts here, too. Called by peers_run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import NamedTuple

from eval.bench.peers_documents import FACTS, Case
from extractor.evaluation.outcomes import judge_fields
from extractor.model import CellState, Record
from extractor.readers.cells import read_cell
from extractor.readers.numerals import read_numeral

Number = int | Decimal


class Said(NamedTuple):
    """One number that a program gives, and whether it vouches for it. A program without doubts vouches for all."""

    value: Number
    is_accepted: bool


@dataclass
class Tally:
    """Counts over documents; all but the last ones are of numbers.

    Attributes:
        printed, nonzero: numbers in the tables, and those other than 0, by the labels.
        right, nonzero_right, wrong, missing: what became of the printed ones.
        invented: given where no number is printed, or where nobody can know the column.
        accepted, nonzero_accepted: right, and nobody is sent to look.
        accepted_wrong: wrong or invented, and nobody is sent to look.
        facts, facts_right, facts_accepted_wrong: the same of the running text, of the facts that a model is asked for.
        documents, unread, silent: documents, those that were given up, those with anything accepted wrong.
        errors: why they were given up.
    """

    printed: int = 0
    nonzero: int = 0
    right: int = 0
    nonzero_right: int = 0
    wrong: int = 0
    missing: int = 0
    invented: int = 0
    accepted: int = 0
    nonzero_accepted: int = 0
    accepted_wrong: int = 0
    facts: int = 0
    facts_right: int = 0
    facts_accepted_wrong: int = 0
    documents: int = 0
    unread: int = 0
    silent: int = 0
    errors: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(Tally)))


def judge(case: Case, said: Mapping[str, Said], silently_wrong: frozenset[str] = frozenset()) -> Tally:
    """Count one document.

    Args:
        silently_wrong: fields that are accepted wrong by a finer measure.
    """
    tally = Tally(documents=1)
    wrong = set(silently_wrong)
    for field_id, cell in case.label.cells.items():
        given = said.get(field_id)
        if cell.state is CellState.VALUE:
            _judge_printed(tally, Decimal(str(cell.value)), given)
        elif given is not None:
            tally.invented += 1
        if given and given.is_accepted and (cell.state is not CellState.VALUE or given.value != cell.value):
            wrong.add(field_id)
    wrong |= {name for name in said.keys() - case.label.cells.keys() if name in case.values and said[name].is_accepted}
    tally.accepted_wrong = sum(not name.startswith("narrative.") for name in wrong)
    for field_id in FACTS & case.label.facts.keys():
        value, given = case.label.facts[field_id], said.get(field_id)
        tally.facts += value is not None
        tally.facts_right += value is not None and given is not None and given.value == value
        if given and given.is_accepted and given.value != value:
            wrong.add(field_id)
    tally.facts_accepted_wrong = sum(name.startswith("narrative.") for name in wrong)
    tally.silent = int(bool(wrong))
    return tally


def _judge_printed(tally: Tally, printed: Decimal, given: Said | None) -> None:
    is_right = given is not None and given.value == printed
    is_accepted = is_right and given is not None and given.is_accepted
    tally.printed += 1
    tally.right += is_right
    tally.accepted += is_accepted
    tally.wrong += given is not None and not is_right
    tally.missing += given is None
    if printed:
        tally.nonzero += 1
        tally.nonzero_right += is_right
        tally.nonzero_accepted += is_accepted


def judge_unread(case: Case, problem: str) -> Tally:
    """A document that a program gave up."""
    tally = judge(case, {})
    tally.unread, tally.errors = 1, [f"{case.name}: {problem}"]
    return tally


def judge_record(case: Case, record: Record | None) -> Tally:
    """Our own record."""
    if record is None:
        return judge_unread(case, "no record")
    said = {
        field_id: Said(found.value, found.decision == "accepted")
        for field_id, found in record.fields.items()
        if found.state is CellState.VALUE and isinstance(found.value, int | Decimal)
    }
    outcomes = judge_fields(record, case.label)
    judged = (outcome for outcome in outcomes if outcome.is_table or outcome.field_id.startswith("narrative."))
    return judge(case, said, frozenset(outcome.field_id for outcome in judged if outcome.is_wrong_and_accepted))


def judge_reply(case: Case, result: Mapping[str, object]) -> Tally:
    """A peer's result: it vouches for all it says, or for what it found in the text."""
    if result.get("error"):
        return judge_unread(case, str(result["error"]))
    given: Mapping[str, object] = result["said"]  # type: ignore[assignment]
    grounded = result.get("grounded")
    said = {}
    for field_id, text in given.items():
        value = read_number(text)
        if value is not None:
            said[field_id] = Said(value, grounded is None or field_id in grounded)  # type: ignore[operator]
    return judge(case, said)


def judge_zeros(case: Case) -> Tally:
    """A program that reads nothing and says 0 everywhere."""
    return judge(case, {field_id: Said(0, is_accepted=True) for field_id in case.values})


def read_number(text: object) -> Number | None:
    """A number as a peer gives it: as such, or as a text that holds one."""
    if text is None or isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return Decimal(str(text))
    cell = read_cell(str(text))
    return cell.value if isinstance(cell.value, int | Decimal) else read_numeral(str(text))
