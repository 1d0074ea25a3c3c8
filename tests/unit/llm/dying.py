"""A program that ends at a chosen step, as if the power had failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from extractor.llm.batch_remote import RemoteBatch
from extractor.llm.batch_server import BatchServer
from extractor.store.journal import Journal
from extractor.store.rows import BatchRow


class Dead(BaseException):
    """The program is gone."""


class Life:
    """Counts the steps that change something outside, and ends before or after one of them for good."""

    def __init__(self, last: int, *, is_done: bool) -> None:
        self.last, self.is_done, self.steps = last, is_done, 0

    def begin(self) -> None:
        self.steps += 1
        if self.steps > self.last or (self.steps == self.last and not self.is_done):
            raise Dead

    def end(self) -> None:
        if self.steps >= self.last:
            raise Dead


def make_mortal(life: Life) -> dict[str, Any]:
    """A journal and a server that live together."""

    def step(do: Callable[[], Any]) -> Any:
        life.begin()
        result = do()
        life.end()
        return result

    class MortalJournal(Journal):
        def add_batch(self, batch: BatchRow) -> None:
            step(lambda: super(MortalJournal, self).add_batch(batch))

        def add_batch_items(self, batch_id: str, keys: Any) -> list[str]:
            return list(step(lambda: super(MortalJournal, self).add_batch_items(batch_id, keys)))

        def update_batch(self, batch: BatchRow) -> None:
            step(lambda: super(MortalJournal, self).update_batch(batch))

        def add_attempt(self, attempt: Any) -> None:
            step(lambda: super(MortalJournal, self).add_attempt(attempt))

        def record(self, reply: Any, attempt: Any) -> bool:
            return bool(step(lambda: super(MortalJournal, self).record(reply, attempt)))

    class MortalServer(BatchServer):
        async def upload(self, path: Path, name: str) -> str:
            life.begin()
            file_id = await super().upload(path, name)
            life.end()
            return file_id

        async def create(self, file_id: str, name: str) -> RemoteBatch:
            life.begin()
            batch = await super().create(file_id, name)
            life.end()
            return batch

    return {"journal": MortalJournal, "server": MortalServer}
