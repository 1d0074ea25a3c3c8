"""What a reviewer sent with an item's form, and the answers that it makes.

Lives here: reading of the form. Does not live here: what an answer means (extractor.review.answers). Called by items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, cast

from starlette.datastructures import FormData

from extractor.errors import BadAnswer
from extractor.model import RulingAction
from extractor.review.answers import Answer
from extractor.review.choices import Choice
from extractor.web.text import clean_line, has_unwritten

#: What the form lets one say of a field; `blank` is a correction to nothing.
ACTIONS = ("accepted", "corrected", "blank", "source_wrong", "unknowable")
_MOST_SKIPPED = 100
_LONGEST_NOTE = 2000


class Sent(NamedTuple):
    """The form as sent.

    Attributes:
        version: of the item that was shown.
        answers: (action, text) by field; only of those for which something was said.
        choice: id of the answer to the whole question, or "".
        is_rest_accepted: whether fields of which nothing is said are to be taken as extracted.
        among: the filter of the queue that the reviewer works through, as in an address.
        skipped: items that he has skipped.
    """

    version: int
    answers: Mapping[str, tuple[str, str]]
    choice: str
    is_rest_accepted: bool
    note: str
    among: str
    skipped: tuple[int, ...]

    def of(self, field: str) -> tuple[str, str]:
        """What was said of a field: action and text."""
        return self.answers.get(field, ("", ""))


def read_sent(form: FormData) -> Sent:
    """Read an item's form; nothing of it is believed yet."""
    answers: dict[str, tuple[str, str]] = {}
    for name, value in form.multi_items():
        if name.startswith("act:") and value in ACTIONS:
            field = name.removeprefix("act:")
            answers[field] = (str(value), _text(form, f"txt:{field}"))
    return Sent(
        version=_number(_text(form, "version")),
        answers=answers,
        choice=_text(form, "choice") or _text(form, "chosen"),
        is_rest_accepted=_text(form, "rest") == "accepted",
        note=clean_line(_text(form, "note")[:_LONGEST_NOTE]),
        among=_text(form, "among"),
        skipped=read_skipped(_text(form, "skipped")),
    )


def read_skipped(text: str) -> tuple[int, ...]:
    """Numbers of items, the last ones of many."""
    return tuple(number for part in text.split(",") if (number := _number(part)) > 0)[-_MOST_SKIPPED:]


def make_answers(
    sent: Sent, fields: Sequence[str], acceptable: Set[str], choices: Sequence[Choice]
) -> tuple[Answer, ...]:
    """The answers of a form: what is said of a field itself, else what the choice says, else the rest as extracted.

    Args:
        sent: the form.
        fields: those that are asked about.
        acceptable: those of them whose state says what is printed.
        choices: the answers to the whole question that there are.

    Raises:
        BadAnswer: a correction without a text.
    """
    chosen = next((choice for choice in choices if choice.id == sent.choice), None)
    whole = {answer.field_id: answer for answer in chosen.answers} if chosen else {}
    made = []
    for field in fields:
        action, text = sent.of(field)
        if action:
            made.append(_make_answer(field, action, text))
        elif field in whole:
            made.append(whole[field])
        elif sent.is_rest_accepted and field in acceptable:
            made.append(Answer(field, "accepted"))
    return tuple(made)


def _make_answer(field: str, action: str, text: str) -> Answer:
    if action == "blank":
        return Answer(field, "corrected", text="")
    if action == "corrected" and not text.strip():
        raise BadAnswer(
            f"{field}: a correction needs what is printed. Type it, or answer that the cell is blank.",
            f"{field}：更正要写明原文所印。请填写，或答「空格」。",
        )
    if has_unwritten(text):
        raise BadAnswer(
            f"{field}: there are characters in the text that cannot be seen. Type it anew.",
            f"{field}：文字里有看不见的控制字符。请重新填写。",
        )
    is_typed = action in ("corrected", "source_wrong") and text.strip() != ""
    return Answer(field, cast(RulingAction, action), text=text if is_typed else None)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
