"""How many calls each chunk may have in flight, so that all of them together have no more than the run may.

Lives here: dividing. Does not live here: what a chunk does with its share (extractor.llm.limits).
"""

from __future__ import annotations


class Shares:
    """The calls in flight of a run, divided among the chunks that are at work."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self, waiting: int) -> int | None:
        """A share for one more chunk.

        Args:
            waiting: how many chunks could begin now, this one included.

        Returns:
            Its calls in flight; None where all are in use.
        """
        if self._free < 1:
            return None
        share = -(-self._free // max(1, waiting))  # rounded up: what is left over must not lie idle
        self._free -= share
        return share

    def give_back(self, share: int) -> None:
        """A chunk is over."""
        self._free += share
