"""The questions of a comparison, and their answers: better, worse, no difference, inconclusive.

Lives here: one test a question, the correction over all of them, the words. Does not live here: how a field changed
(field_standing), the test itself (permutation). Called by compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from extractor.evaluation.field_standing import QUESTIONS, FieldChange, Question
from extractor.evaluation.labels import DocumentKind
from extractor.evaluation.permutation import adjust_holm, flip_signs, reach_p

Judgement = Literal["better", "worse", "no difference", "inconclusive"]

# Shares of the level. What must not happen gets as much as the others together.
_WEIGHTS: Mapping[Question, int] = {"right": 1, "accepted_right": 1, "accepted_wrong": 2}


class Answer(BaseModel):
    """One question over the documents of one kind.

    Attributes:
        more, fewer: fields of which B newly says yes, and no longer does.
        documents: those whose sum of both is not 0; the test rests on them.
        p: two-sided, by sign flips over documents; None where no document differs, or so few that no p could count.
        p_adjusted: p as it counts, with all questions of the comparison taken into account.
        reachable: the smallest p that so many documents can have.
    """

    model_config = ConfigDict(frozen=True)

    question: Question
    more: int
    fewer: int
    documents: int
    p: float | None
    p_adjusted: float | None
    reachable: float
    verdict: Judgement


class _Asked(NamedTuple):
    """A question before its p is known; `sums` are B's more less its fewer, of the documents where that is not 0."""

    question: Question
    more: int
    fewer: int
    sums: tuple[int, ...]


def answer_questions(
    changes: Mapping[DocumentKind, Sequence[Sequence[FieldChange]]], *, permutations: int, seed: int, level: float
) -> dict[DocumentKind, tuple[Answer, ...]]:
    """All questions of all kinds, with the level shared between them.

    Holm's weighted correction (1979) keeps the chance of ANY false verdict at `level`: it allows whatever Bonferroni's
    does and more, and holds for questions that hang together, as these do. Questions that so few documents bear on
    that no p could reach the level are not tested and take no part in the correction; which these are depends on how
    many documents differ alone, never on which way, so that leaving them out is no second look.

    Args:
        changes: by kind, for each document that both evaluations have.
        permutations, seed: see permutation.flip_signs.
        level: most that the chance of any false verdict may be.
    """
    asked = [(kind, _ask(question, documents)) for kind, documents in changes.items() for question in QUESTIONS]
    tested = [one for one in asked if reach_p(len(one[1].sums), permutations) <= level]
    p_values = [flip_signs(one.sums, permutations=permutations, seed=seed) for _, one in tested]
    adjusted = adjust_holm(p_values, [_WEIGHTS[one.question] for _, one in tested])
    found = dict(zip(tested, zip(p_values, adjusted, strict=True), strict=True))
    return {
        kind: tuple(
            _answer(one, reach_p(len(one.sums), permutations), found.get((of, one)), level)
            for of, one in asked
            if of == kind
        )
        for kind in changes
    }


def conclude(answers: Iterable[Answer], has_new_accepted_wrong: bool) -> Judgement:
    """One word for all questions: any that is worse outweighs what is better."""
    verdicts = {answer.verdict for answer in answers}
    if has_new_accepted_wrong or "worse" in verdicts:
        return "worse"
    if "better" in verdicts:
        return "better"
    return "no difference" if verdicts == {"no difference"} else "inconclusive"


def _ask(question: Question, documents: Sequence[Sequence[FieldChange]]) -> _Asked:
    steps = [[change.steps[question] for change in changes] for changes in documents]
    flat = [step for document in steps for step in document]
    return _Asked(question, flat.count(1), flat.count(-1), tuple(total for total in map(sum, steps) if total))


def _answer(asked: _Asked, reachable: float, found: tuple[float, float] | None, level: float) -> Answer:
    p, p_adjusted = found or (None, None)
    return Answer(
        question=asked.question,
        more=asked.more,
        fewer=asked.fewer,
        documents=len(asked.sums),
        p=p,
        p_adjusted=p_adjusted,
        reachable=reachable,
        verdict=_judge(asked, p_adjusted, level),
    )


def _judge(asked: _Asked, p_adjusted: float | None, level: float) -> Judgement:
    if not asked.more and not asked.fewer:
        return "no difference"
    if p_adjusted is None or p_adjusted >= level:
        return "inconclusive"
    return "better" if (sum(asked.sums) > 0) != (asked.question == "accepted_wrong") else "worse"
