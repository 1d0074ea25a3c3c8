"""What changed against a baseline: by kind in figures, by document where anything changed.

Lives here: the figures of both evaluations side by side. Does not live here: which changes are failures (gate), HTML
(templates). Called by page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from extractor.evaluation.labels import KINDS
from extractor.evaluation.report.wording import write_count
from extractor.evaluation.result import DocumentResult, Evaluation

#: So many documents and sentences are listed; a program that broke changes every one.
MOST_CHANGES = 100


class Figures(NamedTuple):
    """Counts over the fields of some documents: cells of tables and facts together."""

    accepted_nonzero: int
    printed_nonzero: int
    accepted_wrong: int
    not_right: int
    in_review: int

    @classmethod
    def of(cls, documents: Iterable[DocumentResult]) -> Figures:
        """Add up."""
        documents = list(documents)
        fields = [field for document in documents for field in document.fields]
        return cls(
            accepted_nonzero=sum(document.accepted_nonzero for document in documents),
            printed_nonzero=sum(document.printed_nonzero for document in documents),
            accepted_wrong=sum(field.accepted and field.verdict != "right" for field in fields),
            not_right=sum(field.verdict != "right" for field in fields),
            in_review=sum(field.found is not None and not field.accepted for field in fields),
        )


class Change(NamedTuple):
    """One figure before and now. `trend`: 1 better, -1 worse, 0 the same."""

    before: str
    now: str
    trend: int


class ChangeRow(NamedTuple):
    """A kind of documents, or one document."""

    name: str
    note: str
    changes: tuple[Change, ...]


class ChangeTable(NamedTuple):
    """Both evaluations. `same`: documents of both in which nothing changed; `left_out`: changed ones not shown."""

    kinds: tuple[ChangeRow, ...]
    documents: tuple[ChangeRow, ...]
    same: int
    left_out: int


def compare_documents(evaluation: Evaluation, baseline: Evaluation) -> ChangeTable:
    """The figures of both, side by side."""
    before = {document.name: document for document in baseline.documents}
    now = {document.name: document for document in evaluation.documents}
    changed = list(_list_changed(now, before))
    return ChangeTable(
        kinds=tuple(_compare_kinds(evaluation.documents, baseline.documents)),
        documents=tuple(changed[:MOST_CHANGES]),
        same=len(now.keys() | before.keys()) - len(changed),
        left_out=len(changed[MOST_CHANGES:]),
    )


def _compare_kinds(now: Sequence[DocumentResult], before: Sequence[DocumentResult]) -> Iterator[ChangeRow]:
    for kind in KINDS:
        mine = [document for document in now if document.kind == kind]
        theirs = [document for document in before if document.kind == kind]
        if mine or theirs:
            count = write_count(len(mine))
            note = f"n = {count}" if len(mine) == len(theirs) else f"n = {write_count(len(theirs))} → {count}"
            yield ChangeRow(kind, note, _compare(Figures.of(mine), Figures.of(theirs)))


def _list_changed(now: dict[str, DocumentResult], before: dict[str, DocumentResult]) -> Iterator[ChangeRow]:
    for name in sorted(now.keys() | before.keys()):
        mine, theirs = now.get(name), before.get(name)
        if mine is None or theirs is None:
            note = "not evaluated now" if mine is None else "not in the baseline"
        elif mine.fields == theirs.fields and mine.problem == theirs.problem:
            continue
        else:
            note = mine.problem
        yield ChangeRow(name, note, _compare(*(Figures.of([one] if one else []) for one in (mine, theirs))))


def _compare(now: Figures, before: Figures) -> tuple[Change, ...]:
    """Non-zero accepted, accepted wrong, not right, in review."""
    # Crosswise, so that a share may be compared where its n changed, too.
    gain = now.accepted_nonzero * before.printed_nonzero - before.accepted_nonzero * now.printed_nonzero
    return (
        Change(_write_nonzero(before), _write_nonzero(now), (gain > 0) - (gain < 0)),
        *(
            Change(write_count(old), write_count(new), (new < old) - (new > old))
            for old, new in zip(before[2:], now[2:], strict=True)
        ),
    )


def _write_nonzero(figures: Figures) -> str:
    return f"{write_count(figures.accepted_nonzero)} of {write_count(figures.printed_nonzero)}"
