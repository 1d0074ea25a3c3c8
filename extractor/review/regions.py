"""Failed equations as questions: the cells among which an error is.

Lives here: joining findings about failed equations that share cells. Does not live here: finding the error
(extractor.reconcile.localise). Called by items.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from extractor.model import Flag

_FAILED = "equation-failed"
_REGIONS = frozenset({"value-suspected", "error-not-located"})
# How likely the error is among the cells that the search names; the rest of the equation's cells share what is left.
# Assumed: the search is right in most cases of eval.simulate, and the report itself may be wrong.
_IN_REGION = 0.9


class Region(NamedTuple):
    """Cells to look at together. `expected`: wrong values among them."""

    key: str
    fields: tuple[str, ...]
    expected: float


def list_regions(flags: Iterable[Flag], free: Collection[str]) -> list[Region]:
    """The regions of failed equations that share cells, most likely cells first.

    Args:
        flags: of the record.
        free: fields that may be asked about, in the order of the form.
    """
    found: list[Region] = []
    for group in _join(flag for flag in flags if flag.code == _FAILED or flag.code in _REGIONS):
        named = {name for flag in group for name in flag.fields}
        likely = {name for flag in group if flag.code in _REGIONS for name in flag.fields}
        first = tuple(name for name in free if name in (likely or named))
        rest = tuple(name for name in free if name in named and name not in first)
        if first:
            found.append(Region(_name(first), first, _IN_REGION if rest else 1.0))
        if rest:
            found.append(Region(_name(rest), rest, 1 - _IN_REGION if first else 1.0))
    return found


def _name(fields: tuple[str, ...]) -> str:
    return f"equation:{fields[0]}"


def _join(flags: Iterable[Flag]) -> list[list[Flag]]:
    """Flags that share a field, directly or through others."""
    groups: list[tuple[set[str], list[Flag]]] = []
    for flag in flags:
        fields, members = set(flag.fields), [flag]
        apart = []
        for others, own in groups:
            if others.isdisjoint(fields):
                apart.append((others, own))
            else:
                fields |= others
                members = [*own, *members]
        groups = [*apart, (fields, members)]
    return [members for _, members in groups]
