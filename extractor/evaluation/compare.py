"""Two evaluations of the same documents: what B gains and loses against A, and whether that is more than chance.

Lives here: pairing the documents, the questions asked of each kind, their verdicts. Does not live here: one field's
change (field_standing), the tests (questions), the gate's rules (gate), tables for people (console). Called by
`extractor compare` and eval/bench/compare.py. Needs numpy and scipy (extra `evaluation`).

Two things are kept apart. Whether B is better or worse on the whole is a matter of chance, and tested over documents.
Whether B accepts a wrong value that A did not is none: each one is listed, whatever any p says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from extractor.errors import SettingsError
from extractor.evaluation.field_standing import FieldChange, find_accepted_wrong, find_changes
from extractor.evaluation.findings import say_found, say_printed
from extractor.evaluation.labels import KINDS, DocumentKind
from extractor.evaluation.questions import Answer, Judgement, answer_questions, conclude
from extractor.evaluation.result import DocumentResult, Evaluation

#: Most that the chance of any false verdict may be, over all questions of a comparison together. False alarms are to
#: stay below 1 %; half of it is kept for what the test takes for granted, that documents are independent of each other.
LEVEL = 0.005


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DocumentChange(_Part):
    """A document of both in which any field fares otherwise.

    Attributes:
        problem: why it could be read in one of them only; else empty.
    """

    name: str
    problem: str = ""
    gains: tuple[FieldChange, ...]
    losses: tuple[FieldChange, ...]


class KindComparison(_Part):
    """The documents of one kind that both evaluations have, with the same label."""

    kind: DocumentKind
    documents: int
    answers: tuple[Answer, ...]
    changes: tuple[DocumentChange, ...]


class AcceptedWrong(_Part):
    """A wrong value that B accepts and A did not; `before` says how the field stood in A."""

    kind: DocumentKind
    document: str
    field: str
    printed: str
    said: str
    before: str


class Comparison(_Part):
    """Evaluation B against evaluation A.

    Attributes:
        questions: how many could have been answered at all, and so share the level.
        relabelled: documents whose label is another one in B, or whose file is: in no test.
        notes: what makes the two less than comparable.
        verdict: over all kinds: `worse` for any question that is, and for any new accepted wrong value.
    """

    verdict: Judgement
    level: float
    questions: int
    kinds: tuple[KindComparison, ...]
    new_accepted_wrong: tuple[AcceptedWrong, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    relabelled: tuple[str, ...]
    notes: tuple[str, ...]


class _Pair(NamedTuple):
    before: DocumentResult
    after: DocumentResult
    changes: tuple[FieldChange, ...]


_Key = tuple[str, str]


def compare_evaluations(
    a: Evaluation, b: Evaluation, *, permutations: int = 10_000, seed: int = 0, level: float = LEVEL
) -> Comparison:
    """What B gains and loses against A.

    Three questions are asked of each kind of document, and each is tested by sign flips over whole documents; all of
    them share one level (see questions.answer_questions).

    Args:
        a, b: of the same labels; documents of only one of them are listed and not compared.
        permutations: most arrangements of signs that are tried; all are, where there are fewer.
        seed: of the random ones.
        level: most that the chance of any false verdict may be.

    Raises:
        SettingsError: an evaluation names two documents of a kind alike.
    """
    before, after = _index(a, "A"), _index(b, "B")
    both = [(before[key], after[key]) for key in sorted(before) if key in after]
    pairs = [_Pair(old, new, tuple(find_changes(old, new))) for old, new in both]
    same = {kind: [pair for pair in pairs if pair.after.kind == kind and not _is_relabelled(pair)] for kind in KINDS}
    answers = answer_questions(
        {kind: [pair.changes for pair in mine] for kind, mine in same.items() if mine},
        permutations=permutations,
        seed=seed,
        level=level,
    )
    kinds = tuple(_compare_kind(kind, same[kind], mine) for kind, mine in answers.items())
    new = (*_list_new(pairs), *_list_added(after[key] for key in sorted(after) if key not in before))
    return Comparison(
        verdict=conclude((answer for kind in kinds for answer in kind.answers), bool(new)),
        level=level,
        questions=sum(answer.p is not None for kind in kinds for answer in kind.answers),
        kinds=kinds,
        new_accepted_wrong=new,
        only_a=tuple(before[key].name for key in sorted(before) if key not in after),
        only_b=tuple(after[key].name for key in sorted(after) if key not in before),
        relabelled=tuple(pair.after.name for pair in pairs if _is_relabelled(pair)),
        notes=tuple(_note_differences(a, b, pairs)),
    )


def _index(evaluation: Evaluation, side: str) -> dict[_Key, DocumentResult]:
    documents: dict[_Key, DocumentResult] = {}
    for document in evaluation.documents:
        key = (document.kind, document.name)
        if key in documents:
            raise SettingsError(
                f"evaluation {side}: two {document.kind} documents are called {document.name}. Rename one's label."
            )
        documents[key] = document
    return documents


def _is_relabelled(pair: _Pair) -> bool:
    old, new = pair.before, pair.after
    hashes = ((old.label_hash, new.label_hash), (old.document_hash, new.document_hash))
    return old.labelled != new.labelled or any(one and other and one != other for one, other in hashes)


# ---------------------------------------------------------------- lists


def _compare_kind(kind: DocumentKind, pairs: Sequence[_Pair], answers: tuple[Answer, ...]) -> KindComparison:
    return KindComparison(
        kind=kind,
        documents=len(pairs),
        answers=answers,
        changes=tuple(
            DocumentChange(
                name=pair.after.name,
                problem=_say_problem(pair),
                gains=tuple(change for change in pair.changes if change.gain > 0),
                losses=tuple(change for change in pair.changes if change.gain < 0),
            )
            for pair in pairs
            if any(change.gain for change in pair.changes)
        ),
    )


def _say_problem(pair: _Pair) -> str:
    is_failed, was_failed = (document.status == "failed" for document in (pair.after, pair.before))
    if is_failed == was_failed:
        return ""
    side, document = ("B", pair.after) if is_failed else ("A", pair.before)
    return f"could not be read in {side}{f' ({document.problem})' if document.problem else ''}"


def _list_new(pairs: Sequence[_Pair]) -> Iterator[AcceptedWrong]:
    for pair in pairs:
        for change in pair.changes:
            if change.is_new_accepted_wrong:
                yield AcceptedWrong(
                    kind=pair.after.kind,
                    document=pair.after.name,
                    field=change.field,
                    printed=change.printed,
                    said=change.after,
                    before=change.before,
                )


def _list_added(documents: Iterable[DocumentResult]) -> Iterator[AcceptedWrong]:
    """Those of documents that A does not have: nothing shows that they were wrong before."""
    for document in documents:
        for field in find_accepted_wrong(document):
            yield AcceptedWrong(
                kind=document.kind,
                document=document.name,
                field=field.field,
                printed=say_printed(field),
                said=f"accepted as {say_found(field)}",
                before="not evaluated",
            )


def _note_differences(a: Evaluation, b: Evaluation, pairs: Sequence[_Pair]) -> Iterator[str]:
    for name in ("readers", "model", "replies", "certificate"):
        old, new = getattr(a, name), getattr(b, name)
        if old != new:
            yield f"{name}: A {_say(old)}, B {_say(new)}"
    for name in sorted(a.versions.keys() | b.versions.keys()):
        if a.versions.get(name) != b.versions.get(name):
            yield f"version of {name}: A {_say(a.versions.get(name))}, B {_say(b.versions.get(name))}"
    old, new = sum(pair.before.missing_replies for pair in pairs), sum(pair.after.missing_replies for pair in pairs)
    if old or new:
        yield f"documents of both that want a recorded reply which is not there: A {old}, B {new}"


def _say(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value or "none")
