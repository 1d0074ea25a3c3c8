"""Bytes that do to the process that reads them what no report at hand does: end it, hold it up, raise in it.

The parent only passes them on.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from extractor.bulk.plan import Entry, Plan
from tests.bulk_runs import TurnedPlan


class Poison(bytes):
    """Acts where the kind of a file is looked for."""

    def act(self) -> None:
        """What it does."""
        raise NotImplementedError

    def strip(self, *given: Any) -> bytes:
        """Of bytes."""
        if multiprocessing.parent_process() is not None:
            self.act()
        return super().strip(*given)


class Ending(Poison):
    """Ends the process."""

    def act(self) -> None:
        """Without a word."""
        os._exit(3)


class Hanging(Poison):
    """Never comes to an end."""

    def act(self) -> None:
        """Far longer than any limit."""
        time.sleep(1000)


class Raising(Poison):
    """Raises what nobody foresaw."""

    def act(self) -> None:
        """With braces, which are for format strings."""
        raise ZeroDivisionError("by {braces}")


def poison(**kinds: type[Poison]) -> Callable[[Plan], TurnedPlan]:
    """Turn the bytes of some files, by their stems."""

    def turn(plan: Plan) -> TurnedPlan:
        return TurnedPlan(plan, lambda entry, read: _spoil(entry, read(entry), kinds))

    return turn


def _spoil(entry: Entry, raw: bytes, kinds: Mapping[str, type[Poison]]) -> bytes:
    kind = kinds.get(Path(entry.path).stem)
    return kind(raw) if kind else raw
