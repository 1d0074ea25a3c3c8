"""The ways in which a label writes what is printed: cells, counts, amounts, texts, days.

Does not live here: the keys under which they stand (label_file). Called by label_file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

from extractor.model import CellState, Number, Value

#: Stands in a draft where a person has to write.
TO_FILL = "?"

# What a label may say of a cell that holds no number. The other states are what only a program may say.
_STATES = (CellState.BLANK, CellState.NA_MARK, CellState.ROW_ABSENT, CellState.POSITION_UNKNOWN, CellState.UNPARSABLE)
_WITH_TOKEN = (CellState.NA_MARK, CellState.UNPARSABLE)
_WAYS = '4, "blank", "na_mark:/", "row_absent", "position_unknown", "unparsable:若干", {"value": 8, "raw": "8件"}'


class LabelledCell(NamedTuple):
    """What one cell prints: its state, the number where it is a value, and the token where it is more than that."""

    state: CellState
    value: Value | None = None
    raw: str | None = None


def read_cell(item: object) -> LabelledCell:
    """A cell as labels write it: 4, "blank", "na_mark:/", {"value": 8, "raw": "8件"}.

    Raises:
        ValueError: none of these.
    """
    if isinstance(item, Mapping):
        if set(item) != {"value", "raw"} or not isinstance(item["raw"], str) or not item["raw"]:
            raise ValueError(f"{dict(item)} is not a value with the raw token that holds it")
        return LabelledCell(CellState.VALUE, _read_number(item["value"]), item["raw"])
    if isinstance(item, str):
        state, colon, raw = item.partition(":")
        if state not in _STATES or bool(colon) != bool(raw) or (raw and state not in _WITH_TOKEN):
            raise ValueError("not filled in" if item == TO_FILL else f"{item!r} is none of {_WAYS}")
        return LabelledCell(CellState(state), raw=raw or None)
    if item is None:
        raise ValueError('null is for facts; of a cell in which nothing is printed write "blank"')
    return LabelledCell(CellState.VALUE, _read_number(item))


def _read_number(item: object) -> Number:
    if isinstance(item, bool) or not isinstance(item, int | float | Decimal):
        raise ValueError(f"{item!r} is no number")
    return Decimal(str(item)) if isinstance(item, float) else item


def _refuse_marker(item: object) -> object:
    if item == TO_FILL:
        raise ValueError("not filled in")
    return item


def _check_date(text: str) -> str:
    try:
        is_date = date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_date = False
    if not is_date:
        raise ValueError(f"{text!r} is not a date such as 2024-01-16")
    return text


def _check_amount(item: Number) -> Number:
    if item < 0:
        raise ValueError(f"{item} is less than 0")
    return item


_NUMBER = {"type": "number"}
_CELL_SCHEMA = {
    "anyOf": [
        _NUMBER,
        {"type": "string", "pattern": "^(blank|row_absent|position_unknown|(na_mark|unparsable)(:.+)?)$"},
        {
            "type": "object",
            "properties": {"value": _NUMBER, "raw": {"type": "string", "minLength": 1}},
            "required": ["value", "raw"],
            "additionalProperties": False,
        },
    ]
}
_Cell = Annotated[LabelledCell, PlainValidator(read_cell), WithJsonSchema(_CELL_SCHEMA)]
CellOrRow = Annotated[
    Annotated[_Cell, Tag("cell")] | Annotated[tuple[_Cell, ...], Tag("row")],
    Discriminator(lambda item: "row" if isinstance(item, list | tuple) else "cell"),
]
Text = Annotated[str, StringConstraints(min_length=1)]
Filled = BeforeValidator(_refuse_marker)
TextFact = Annotated[Text | None, Filled]
_Day = Annotated[str, AfterValidator(_check_date), WithJsonSchema({"type": "string", "format": "date"})]
DayFact = Annotated[_Day | None, Filled]
Count = Annotated[Annotated[int, Strict(), Field(ge=0)] | None, Filled]
Amount = Annotated[
    Annotated[
        Number, PlainValidator(_read_number), AfterValidator(_check_amount), WithJsonSchema(_NUMBER | {"minimum": 0})
    ]
    | None,
    Filled,
]
