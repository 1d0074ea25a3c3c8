"""What the gate has to say: one sentence a finding, with document, field and remedy.

Lives here: the rules' names and the words that several of them use. Does not live here: the rules (gate, regression).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from extractor.evaluation.result import FieldResult
from extractor.model import CellState, Value

#: `accepted-wrong`, `reply-missing`: looked for always. The others need a baseline.
Rule = Literal[
    "accepted-wrong",
    "evidence-lost",
    "reply-missing",
    "not-read",
    "not-evaluated",
    "label-reduced",
    "unjudged",
    "loss",
    "accepted-share",
    "declaration",
]


class Finding(NamedTuple):
    """One thing that the gate has to say. `document` and `field` are empty where it is about none."""

    rule: Rule
    document: str
    field: str
    sentence: str


def say_printed(field: FieldResult) -> str:
    """What the label says of a field: `prints 4`, `prints blank`, `is not stated in the text`."""
    if field.verdict == "invented":
        return "is not in the document's form"
    if field.expected is None:
        return "is not stated in the text"
    return f"prints {_say(field.expected, field.printed)}"


def say_found(field: FieldResult) -> str:
    """What the record says of a field: `4`, `blank`, `nothing`."""
    return _say(field.found, field.said)


def _say(state: CellState | None, value: Value | None) -> str:
    return str(value) if value is not None else str(state or "nothing")
