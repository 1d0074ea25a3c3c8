"""Failed equations -> who is to blame, which cells are suspected, and what would settle them.

Lives here: verdicts, suggestions and flags about failed equations. Does not live here: the evaluation (equations)
and the search for wrong cells (localise). Called by the pipeline.

A verdict rests on readings of the source, never on arithmetic alone: that other numbers would add up says nothing
about what is printed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.forms import Equation
from extractor.model import Candidate, CellState, EquationResult, Flag, Span, Suggestion, Verdict
from extractor.reconcile.equations import list_amounts, sum_known
from extractor.reconcile.localise import Location, locate_errors
from extractor.reconcile.merge import Merged
from extractor.reconcile.system import Amount, System, load_system

_PERSON = "person"
# States of cells that are there and have no place of their own; a single cell that cannot be read has a text.
_WITHOUT_PLACE = frozenset({CellState.POSITION_UNKNOWN, CellState.NOT_READ, CellState.INFERRED_BY_EQUATION})
# Findings that compare the table with the text, and leave open which of them is right.
_NOT_ABOUT_READING = ("narrative-",)
# Of more disagreements than these no combinations are tried, only cells and rows.
_MOST_COMBINED = 8
_LARGEST_COMBINATION = 3
_MOST_NAMED = 4
_REASONS: Mapping[str, tuple[str, str]] = {
    "tied": ("有 {ties} 种同样简单的解释", "{ties} explanations are equally simple"),
    "too-many-cells": ("需改动三格以上", "more than three cells would have to change"),
    "few-equations": ("可用的等式太少", "too few equations can be evaluated"),
    "work-limit": ("查找超出工作量上限", "the search reached its work limit"),
    "bound": ("部分项缺失，只能确定已知项超出", "terms are missing; the known ones already exceed"),
}


class Findings(NamedTuple):
    """What is said about failed equations: results with verdicts, flags, and suggestions by field id."""

    equations: tuple[EquationResult, ...]
    flags: tuple[Flag, ...]
    suggestions: dict[str, tuple[Suggestion, ...]]


def explain_failures(
    merged: Mapping[str, Merged],
    generation: Mapping[str, str],
    equations: Sequence[EquationResult],
    doubts: Iterable[Flag],
    unseen: Collection[str] = (),
) -> Findings:
    """Give every failed equation its verdict and look for the cells to blame.

    Args:
        equations: all results, see evaluate_equations.
        doubts: every other finding; the fields that they name are no evidence.
        unseen: fields whose ink the OCR alone saw: who reads its text alike vouches for nothing that it misread.
    """
    failed = [result for result in equations if result.result == "fail"]
    if not failed:
        return Findings(tuple(equations), (), {})
    doubted = {field_id for flag in doubts if not flag.code.startswith(_NOT_ABOUT_READING) for field_id in flag.fields}
    doubted.update(unseen)
    verdicts: dict[str, Verdict] = {}
    flags: list[Flag] = []
    suggestions: dict[str, tuple[Suggestion, ...]] = {}
    for section, name in generation.items():
        system = load_system(section, name)
        own = [result for result in failed if system and result.id in system.terms]
        if system and own:
            table = _Table(system, merged, doubted)
            verdicts |= table.judge(own)
            suggestions |= table.suggestions
            flags += table.flags
    results = tuple(replace(result, verdict=verdicts.get(result.id)) for result in equations)
    return Findings(results, tuple(flags), suggestions)


class _Table:
    """The failed equations of one table."""

    def __init__(self, system: System, merged: Mapping[str, Merged], doubted: Set[str]) -> None:
        self.system = system
        self.merged = merged
        self.doubted = doubted
        self.values = list_amounts(merged, system.section)
        self.is_whole = not any(
            _lost_its_place(merged[item.id].printed) for item in system.section.fields if item.id in merged
        )
        self.suggestions: dict[str, tuple[Suggestion, ...]] = {}
        self.flags: list[Flag] = []

    def judge(self, failed: Sequence[EquationResult]) -> dict[str, Verdict]:
        """Verdicts by equation id; fills `suggestions` and `flags`."""
        cleared = self._take_other_readings(failed)
        verdicts: dict[str, Verdict] = {
            result.id: "extraction_error"
            if result.id in cleared
            else "source_inconsistent"
            if all(map(self._is_vouched_for, result.fields))
            else "inconclusive"
            for result in failed
        }
        self.flags += [self._flag_failure(result, verdicts[result.id]) for result in failed]
        if not cleared:
            # Equal weights: a doubt is no evidence that the error is there, and broke ties for the wrong cells.
            location = locate_errors(self.system, self.values, {})
            self._note_location(location, [result for result in failed if verdicts[result.id] == "inconclusive"])
        return verdicts

    def _is_vouched_for(self, field_id: str) -> bool:
        """Whether a cell is printed so beyond doubt: two readers read it at its place, or a person says so.

        Two readers count the cells of one and the same page: where it lost the places of other rows, their agreement
        does not show that it kept this one's.
        """
        entry = self.merged.get(field_id)
        if entry is None or field_id in self.doubted:
            return False
        if entry.printed.reader == _PERSON:
            return True
        is_printed = bool(entry.printed.spans) and entry.printed.state in (CellState.VALUE, CellState.BLANK)
        return is_printed and self.is_whole and bool(entry.confirmed_by)

    # ------------------------------------------------------------ other readings

    def _take_other_readings(self, failed: Sequence[EquationResult]) -> set[str]:
        """Failed equations that another reader's words settle, if there is just one smallest way to take them."""
        sizes: dict[int, list[dict[str, Candidate]]] = {}
        for taken in self._substitutions():
            touched = {equation for field_id in taken for equation in self.system.of_field[field_id]}
            values = self.values | {field_id: _amount(candidate) for field_id, candidate in taken.items()}
            residuals = [self.system.residual(equation, values) for equation in touched]
            if touched & {result.id for result in failed} and not any(residuals):
                sizes.setdefault(len(taken), []).append(taken)
        smallest = sizes[min(sizes)] if sizes else []
        if len(smallest) != 1:
            return set()
        taken = smallest[0]
        settled = {equation for field_id in taken for equation in self.system.of_field[field_id]}
        cleared = [result.id for result in failed if result.id in settled]
        for field_id, candidate in taken.items():
            basis = f"{candidate.reader} reads {candidate.raw}; settles {_name(cleared)}"
            self.suggestions[field_id] = (Suggestion(_amount(candidate), "other-reading", basis, len(taken)),)
        return set(cleared)

    def _substitutions(self) -> Iterator[dict[str, Candidate]]:
        """Ways to take another reader's word: cell by cell, a few cells together, a whole row."""
        others: dict[str, dict[str, Candidate]] = {}
        for field_id, value in self.values.items():
            entry = self.merged[field_id]
            for candidate in entry.losing:
                if candidate.reader != entry.printed.reader and _is_grounded(candidate) and candidate.value != value:
                    others.setdefault(candidate.reader, {}).setdefault(field_id, candidate)
        for candidates in others.values():
            fields = list(candidates)
            largest = _LARGEST_COMBINATION if len(fields) <= _MOST_COMBINED else 1
            for size in range(1, largest + 1):
                for chosen in combinations(fields, size):
                    yield {field_id: candidates[field_id] for field_id in chosen}
            rows: dict[str, dict[str, Candidate]] = {}
            for field_id in fields:
                rows.setdefault(field_id.rpartition(".")[0], {})[field_id] = candidates[field_id]
            yield from (row for row in rows.values() if len(row) > largest)

    # ------------------------------------------------------------ flags

    def _flag_failure(self, result: EquationResult, verdict: Verdict) -> Flag:
        equation = next(one for one in self.system.section.equations if one.id == result.id)
        left, right = (_say_sum(*sum_known(side, self.merged)) for side in (equation.left, equation.right))
        is_source = verdict == "source_inconsistent"
        return make_flag(
            "source-inconsistent" if is_source else "equation-failed",
            fields=() if is_source else result.fields,
            spans=self._spans(equation),
            id=result.id,
            left=left,
            right=right,
        )

    def _note_location(self, location: Location | None, open_: Sequence[EquationResult]) -> None:
        """Suggest where the search found one explanation, else name the region."""
        if location and location.outcome == "located":
            (explanation,) = location.explanations
            basis = f"settles {_name(location.equations)}"
            for change in explanation.changes:
                self.suggestions[change.field] = (
                    Suggestion(change.proposed, explanation.method, basis, explanation.cost),
                )
            if open_:
                shown = [f"{change.field}: {change.printed} → {change.proposed}" for change in explanation.changes]
                self._flag("value-suspected", location.region, changes=_name(shown, "; "))
        elif open_:
            outcome = location.outcome if location else "bound"
            zh, en = (text.format(ties=location.ties if location else 0) for text in _REASONS[outcome])
            region = location.region if location else tuple(name for result in open_ for name in result.fields)
            ids = _name(location.equations if location else [result.id for result in open_])
            self._flag("error-not-located", dict.fromkeys(region), ids=ids, reason_zh=zh, reason_en=en)

    def _flag(self, code: str, fields: Iterable[str], **words: object) -> None:
        fields = tuple(fields)
        spans = [span for field_id in fields if field_id in self.merged for span in _first_span(self.merged[field_id])]
        self.flags.append(make_flag(code, fields=fields, spans=spans, **words))

    def _spans(self, equation: Equation) -> list[Span]:
        terms = (self.merged[term] for term in (*equation.left, *equation.right) if term in self.merged)
        return [span for term in terms if term.printed.value for span in _first_span(term)]


def _lost_its_place(candidate: Candidate) -> bool:
    is_glued = candidate.state is CellState.UNPARSABLE and candidate.raw is None
    return is_glued or candidate.state in _WITHOUT_PLACE


def _is_grounded(candidate: Candidate) -> bool:
    is_number = candidate.state is CellState.VALUE and isinstance(candidate.value, Amount)
    return is_number and bool(candidate.spans) and candidate.alignment != "not_found"


def _amount(candidate: Candidate) -> Amount:
    if not isinstance(candidate.value, Amount):
        raise TypeError(f"no number: {candidate}")
    return candidate.value


def _first_span(entry: Merged) -> tuple[Span, ...]:
    return entry.printed.spans[:1]


def _say_sum(amount: Amount, missing: int) -> str:
    return f"{amount}{' + …' if missing else ''}"


def _name(names: Sequence[str], joint: str = ", ") -> str:
    return joint.join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
