"""What wrong answers of a reviewer do to other values: python eval/bench/review_slips.py [slips|pairs …].

slips: a simulated reviewer answers everything and is wrong once in each document. How often it stands, and how many
other values are accepted wrongly through it. `slip`: right when asked again. `lie`: says the same again. `balance`: a
number that makes a failed sum add up.
pairs: two cells of one row were read wrongly. The reviewer types a number into one of them that makes the row add up
with the other one wrong. How often that one is then accepted, and nobody was asked about it.

The documents of `slips` are those of review_worth.py. The reviewer is simulated, and so are all figures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

# The printed forms stand with the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import flatten

from eval.bench.review_worth import Case, run_parts
from extractor.evaluation.labels import Label
from extractor.evaluation.outcomes import judge_fields
from extractor.model import CellState, Record, Ruling, Word
from extractor.pipeline import apply_rulings, process_document
from extractor.review.answers import SAYS, is_same_word, word_of
from extractor.review.items import group_items
from extractor.settings import Settings
from extractor.sources import read_document

AT = "2026-01-01T00:00:00+00:00"
_MOST_LOOKS = 60


def find_truth(case: Case) -> dict[str, Word]:
    """What a reader of the page says of each field; of one that the label does not know, what was extracted."""
    words = {}
    for name, field in case.record.fields.items():
        cell = case.label.cells.get(name)
        if cell is not None:
            words[name] = Word(cell.state, cell.value, cell.raw or str(cell.value or ""), field.unit)
        elif name in case.label.facts:
            fact = case.label.facts[name]
            state = CellState.BLANK if fact is None else CellState.VALUE
            words[name] = Word(state, fact, str(fact), field.unit)  # type: ignore[arg-type]
        else:
            words[name] = word_of(field)
    return words


# ---------------------------------------------------------------- slips


class Stand(NamedTuple):
    """How far a review is."""

    case: Case
    rulings: Mapping[str, Ruling]
    live: Record
    truth: Mapping[str, Word]


Spoil = Callable[[Stand, Sequence[str], Random], tuple[str, Word] | None]


def show_slips(cases: Sequence[Case]) -> None:
    """One wrong answer in each document, three ways of being wrong."""
    print(f"{'way':9}{'documents':>10}{'standing':>9}{'others wrongly accepted':>25}{'without a slip':>16}")
    for way, spoil, is_stubborn in (
        ("slip", _mistype, False),
        ("lie", _mistype, True),
        ("balance", _balance, True),
    ):
        done = standing = others = before = 0
        for number, case in enumerate(cases):
            said = _review(case, spoil, Random(number), is_stubborn=is_stubborn)
            if said is None:
                continue
            field, live = said
            honest = _review(case, _say_nothing_wrong, Random(number), is_stubborn=False)
            wrong, usual = (
                _accepted_wrong(live, case.label),
                _accepted_wrong(honest[1], case.label) if honest else set(),
            )
            done += 1
            standing += field in wrong
            others += len(wrong - usual - {field})
            before += len(usual)
        print(f"{way:9}{done:>10}{standing:>9}{others:>25}{before:>16}", flush=True)


def _accepted_wrong(record: Record, label: Label) -> set[str]:
    return {
        one.field_id for one in judge_fields(record, label) if one.is_wrong_and_accepted and one.verdict != "invented"
    }


def _review(case: Case, spoil: Spoil, chance: Random, *, is_stubborn: bool) -> tuple[str, Record] | None:
    """Answer item by item until none is left; None where there was nothing to be wrong about."""
    truth, rulings = find_truth(case), dict[str, Ruling]()
    live, wrong = case.record, None
    for _ in range(_MOST_LOOKS):
        drafts = [draft for draft in group_items(live) if draft.fields]
        if not drafts:
            break
        draft = min(drafts, key=lambda one: -one.expected / one.looks)
        words = {name: truth[name] for name in draft.fields}
        if wrong is None:
            wrong = spoil(Stand(case, rulings, live, truth), draft.fields, chance)
            words |= dict([wrong] if wrong else ())
        elif is_stubborn and wrong[0] in words:
            words |= dict([wrong])
        for name, word in words.items():
            is_as_shown = is_same_word(word, word_of(live.fields[name])) and word.state in SAYS
            # What the page does not tell nobody says.
            action = "accepted" if is_as_shown else "corrected" if word.state in SAYS else "unknowable"
            rulings[name] = Ruling(action, ("an",), AT, 1, word)  # type: ignore[arg-type]
        live = apply_rulings(case.record, rulings)
    if spoil is _say_nothing_wrong:
        return "", live
    return (wrong[0], live) if wrong else None


def _say_nothing_wrong(_stand: Stand, _names: Sequence[str], _chance: Random) -> None:
    return None


def _mistype(stand: Stand, names: Sequence[str], chance: Random) -> tuple[str, Word] | None:
    """Another number."""
    truth = stand.truth
    numbers = [name for name in names if isinstance(truth[name].value, int)]
    if not numbers:
        return None
    name = chance.choice(numbers)
    value = int(str(truth[name].value)) + chance.choice((1, 2, 10))
    return name, Word(CellState.VALUE, value, str(value))


def _balance(stand: Stand, names: Sequence[str], chance: Random) -> tuple[str, Word] | None:
    """A right number made wrong so that a failed sum adds up."""
    live, truth = stand.live, stand.truth
    for result in live.equations:
        right = [
            name
            for name in names
            if name in result.fields and live.fields[name].value == truth[name].value and truth[name].value is not None
        ]
        if result.result != "fail" or not result.residual or not right:
            continue
        name = chance.choice(sorted(right))
        for residual in (result.residual, -result.residual):
            value = int(live.fields[name].value or 0) + int(residual)
            tried = Word(CellState.VALUE, value, str(value))
            after = apply_rulings(
                stand.case.record, {**stand.rulings, name: Ruling("corrected", ("an",), AT, 1, tried)}
            )
            if value >= 0 and any(one.id == result.id and one.result == "pass" for one in after.equations):
                return name, tried
    return None


# ---------------------------------------------------------------- pairs


def show_pairs(cases: Sequence[Case]) -> None:
    """As many reports as there are cases, by table."""
    for section, row in (("applications", "granted"), ("review_litigation", "review")):
        done = asked = unasked = 0
        for number in range(len(cases)):
            true = flatten.make_values("2021", number)
            names = [name for name in true if name.startswith(f"{section}.{row}.") and not name.endswith(".total")]
            first, second = Random(number).sample(names, 2)
            off = 3 if true[first] >= 3 else -3
            raw = flatten.tab_rows(flatten.build_tables("2021", _print(true | {first: 77, second: true[second] + off})))
            record = process_document(read_document(raw, "report.txt", Settings()))
            if first not in {name for draft in group_items(record) for name in draft.fields}:
                continue
            done += 1
            (together,) = [draft for draft in group_items(record) if first in draft.fields]
            lie = Word(CellState.VALUE, true[first] - off, str(true[first] - off))
            live = apply_rulings(record, {first: Ruling("corrected", ("an",), AT, 1, lie)})
            if second in together.fields or live.fields[second].decision == "review":
                asked += 1
            else:
                unasked += 1
        print(f"{section:20}{done} reports: the other cell is asked about in {asked}, accepted in {unasked}")


def _print(values: Mapping[str, int]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


if __name__ == "__main__":
    run_parts(__doc__, {"slips": show_slips, "pairs": show_pairs})
