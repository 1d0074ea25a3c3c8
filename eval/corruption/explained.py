"""Accepted values that are not what the clean page printed, and cannot be known to be wrong from the text.

Lives here: reading explained.toml, and whether a case is one of its patterns. Called by eval.corrupted, which exits
with 1 for every case that is none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Explanation:
    """One pattern of explained.toml.

    Attributes:
        id: short name.
        kinds: kinds of damage of which the document must have one.
        layouts: in which it can happen.
        field: pattern that the field's id matches as a whole.
        said: pattern that what the record says matches as a whole: a state, or a value as text.
        why: why the text cannot show it.
    """

    id: str
    kinds: frozenset[str]
    layouts: frozenset[str]
    field: re.Pattern[str]
    said: re.Pattern[str]
    why: str

    def covers(self, damage: str, layout: str, field_id: str, said: str) -> bool:
        """Whether a case is one of this pattern."""
        return bool(
            self.kinds & set(damage.split("+"))
            and layout in self.layouts
            and self.field.fullmatch(field_id)
            and self.said.fullmatch(said)
        )


def load_explanations(path: Path = FILE) -> tuple[Explanation, ...]:
    """All patterns, in the order of the file."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Explanation(
            id=item["id"],
            kinds=frozenset(item["kinds"]),
            layouts=frozenset(item["layouts"]),
            field=re.compile(item["field"]),
            said=re.compile(item["said"]),
            why=item["why"],
        )
        for item in data.get("explained", [])
    )


def explain(
    explanations: Sequence[Explanation], damage: str, layout: str, field_id: str, said: str
) -> Explanation | None:
    """The first pattern that covers a case."""
    return next((one for one in explanations if one.covers(damage, layout, field_id, said)), None)
