"""The registry of damage: every kind with one line about it, and what its three severities mean.

Lives here: the noun Kind and the order in which kinds of a mix act. Does not live here: any damage (cells, tables,
separators, wording, surroundings), which register themselves when eval.corruption is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from random import Random
from typing import NamedTuple

from eval.corruption.layouts import LAYOUTS
from eval.corruption.report import Report

Damage = Callable[[Report, Random, float], Report]
SEVERITIES = (1, 2, 3)


class Stage(IntEnum):
    """When a kind acts: first on what is printed, then on tables, words and surroundings, last on the text.

    Empty cells are dropped once the tables have their shape: whoever drops them drops all.
    """

    CELLS = 0
    TABLES = 1
    EMPTIES = 2
    WORDS = 3
    AROUND = 4
    TEXT = 5
    END = 6


class Kind(NamedTuple):
    """One kind of damage.

    Attributes:
        name: its id.
        what: one line about it.
        levels: for severity 1 to 3, how much of `unit`.
        unit: what the levels count.
        layouts: those in which it can happen.
        apply: report, randomness and level -> the damaged report.
    """

    name: str
    what: str
    levels: tuple[float, float, float]
    unit: str
    stage: Stage
    layouts: tuple[str, ...]
    apply: Damage


KINDS: dict[str, Kind] = {}


def register(
    stage: Stage,
    levels: tuple[float, float, float],
    unit: str,
    layouts: tuple[str, ...] = LAYOUTS,
) -> Callable[[Damage], Damage]:
    """Put a function into the registry: its name is the kind's, the first line of its docstring says what it does."""

    def enter(apply: Damage) -> Damage:
        name = apply.__name__  # type: ignore[attr-defined]
        what = (apply.__doc__ or "").partition("\n")[0].rstrip(".")
        KINDS[name] = Kind(name, what, levels, unit, stage, layouts, apply)
        return apply

    return enter
