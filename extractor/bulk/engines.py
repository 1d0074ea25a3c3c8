"""What a run wants of an engine: this machine's (engine) or a cluster's (cluster).

Lives here: the shape. Called by run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt
from extractor.bulk.making import Source
from extractor.bulk.recipe import Recipe
from extractor.errors import ServerRefused
from extractor.llm.calls import BudgetReached


class RunEngine(Protocol):
    """Makes documents and keeps them.

    Attributes:
        in_flight: documents at work.
        stopped_by: why it ended before the last document: a limit, or a server that refuses every call.
        is_interrupted: whether somebody ended it.
    """

    in_flight: int
    stopped_by: BudgetReached | ServerRefused | None
    is_interrupted: bool

    def run(self, sources: Iterator[Source]) -> None:
        """Make and keep what `sources` gives."""


class MakeEngine(Protocol):
    """How an engine is made: see extractor.bulk.engine.Engine."""

    def __call__(
        self,
        recipe: Recipe,
        model: ModelPart | None,
        *,
        on_kept: Callable[[Sequence[Receipt]], None],
        on_tick: Callable[[], None],
    ) -> RunEngine:
        """Set one up; nothing begins yet."""
