"""How one field stands in an evaluation, and how that changed from one evaluation to another.

Lives here: the difference of two documents, field by field. Does not live here: whether it is more than chance
(questions). Called by compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict

from extractor.evaluation.findings import say_found, say_printed
from extractor.evaluation.result import DocumentResult, FieldResult

#: What is asked of a field. `right`: as labelled, accepted or not. `accepted_right`: that and accepted.
#: `accepted_wrong`: accepted and not as labelled; the one where fewer is better.
Question = Literal["right", "accepted_right", "accepted_wrong"]
QUESTIONS: tuple[Question, ...] = get_args(Question)


class FieldStanding(NamedTuple):
    """How a field stands: yes or no to each question, in their order, and the same in words."""

    right: bool
    accepted_right: bool
    accepted_wrong: bool
    words: str


class FieldChange(BaseModel):
    """A field that fares otherwise in B than in A.

    Attributes:
        printed: what the label says of it.
        before, after: how it stands in A and in B, in words.
        steps: by question +1 where B newly says yes, -1 where it no longer does, else 0.
        is_new_accepted_wrong: whether B accepts a wrong value that A did not accept.
    """

    model_config = ConfigDict(frozen=True)

    field: str
    printed: str
    before: str
    after: str
    steps: dict[Question, int]
    is_new_accepted_wrong: bool

    @property
    def gain(self) -> int:
        """Above 0 where the field fares better, below 0 where it fares worse."""
        return self.steps["right"] + self.steps["accepted_right"] - self.steps["accepted_wrong"]


def find_changes(a: DocumentResult, b: DocumentResult) -> Iterator[FieldChange]:
    """The fields that fare otherwise in B, in the order of their ids."""
    before, after = ({field.field: field for field in document.fields} for document in (a, b))
    for field_id, known in sorted((before | after).items()):
        old, new = before.get(field_id), after.get(field_id)
        if old != new and (change := _compare_fields(known, old, new)):
            yield change


def find_accepted_wrong(document: DocumentResult) -> Iterator[FieldResult]:
    """The fields that are accepted and not right."""
    return (field for field in document.fields if field.accepted and field.verdict != "right")


def _compare_fields(known: FieldResult, old: FieldResult | None, new: FieldResult | None) -> FieldChange | None:
    is_invented = known.verdict == "invented"
    stood, stands = _stand(old, is_invented), _stand(new, is_invented)
    steps = {question: int(getattr(stands, question)) - int(getattr(stood, question)) for question in QUESTIONS}
    is_new = stands.accepted_wrong and (not stood.accepted_wrong or stood.words != stands.words)
    if not is_new and not any(steps.values()):
        return None
    return FieldChange(
        field=known.field,
        printed=say_printed(known),
        before=stood.words,
        after=stands.words,
        steps=steps,
        is_new_accepted_wrong=is_new,
    )


def _stand(field: FieldResult | None, is_invented: bool) -> FieldStanding:
    """A field that an evaluation does not list is right and accepted; one outside the label is rightly not there."""
    if field is None and is_invented:
        return FieldStanding(True, False, False, "not there")
    if field is None:
        return FieldStanding(True, True, False, "right, accepted")
    if field.verdict == "right":
        return FieldStanding(True, field.accepted, False, "right, accepted" if field.accepted else "right, in review")
    if field.accepted:
        return FieldStanding(False, False, True, f"accepted as {say_found(field)}")
    return FieldStanding(False, False, False, "missing" if field.found is None else f"{say_found(field)}, in review")
