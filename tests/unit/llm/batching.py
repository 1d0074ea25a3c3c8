"""Batches against the loopback server: calls, answers, the whole way in one line, and what the server took in."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

from extractor.llm.batch import BatchDesk, BatchView, Selection
from extractor.llm.batch_harvest import Harvest, collect_batches
from extractor.llm.batch_server import BatchServer
from extractor.llm.budget import Limits
from extractor.llm.calls import Call, call_key, sampling_parameters
from extractor.llm.wire import HeaderFacts, TableRows
from extractor.settings import Price, Settings
from extractor.store.journal import Journal
from tests.loopback.messages import Answer, ChatRequest, answer_json
from tests.loopback.server import LoopbackServer

NO_LIMITS = Limits()


def answer_anything(request: ChatRequest) -> Answer:
    """A reply that fits any wire model: empty lists, and null for the rest."""
    assert request.schema is not None
    properties = request.schema["properties"].items()
    return answer_json({name: [] if value.get("type") == "array" else None for name, value in properties})


def make_call(number: int, task: str = "applications") -> Call:
    """A call that no other number gives."""
    schema = HeaderFacts if task == "header" else TableRows
    return Call(task, "0123456789ab", schema, "instruction", f"text {number}", 300, document_id=f"{number:064d}")


def make_calls(count: int) -> list[Call]:
    """Calls of two tasks."""
    return [make_call(number, "header" if number % 3 == 0 else "applications") for number in range(count)]


class Office:
    """One operator: settings, a journal, a server, and a new program for every command.

    Attributes:
        sleeps: seconds that the programs wanted to wait; nobody waits.
        notices: what the last program said.
    """

    def __init__(self, server: LoopbackServer, folder: Path, **changes: Any) -> None:
        given = {"model": "m", "base_url": server.base_url, "journal": str(folder / "journal.sqlite")}
        self.settings = Settings(**given | {"prices": {"m": Price(input=2, output=8)}} | changes)
        self.server = server
        self.folder = folder
        self.sleeps: list[float] = []
        self.notices: list[str] = []

    def colleague(self) -> Self:
        """Another program with the same journal."""
        folder = self.folder / "colleague"
        folder.mkdir()
        return type(self)(self.server, folder, journal=self.settings.journal)

    def key(self, call: Call) -> str:
        return call_key(call, "m", sampling_parameters(self.settings))

    def submit(self, calls: list[Call], limits: Limits = NO_LIMITS, **parts: Any) -> Selection:
        """As the command does it: what has a reply is not foreseen at all."""
        folder = self.folder / "lines"
        folder.mkdir(exist_ok=True)
        selection = Selection.open(folder, self.settings, limits)

        async def work(desk: BatchDesk) -> None:
            await desk.server.check()
            await desk.settle()
            selection.in_flight |= desk.journal.keys_in_flight()
            for call in calls:
                key = self.key(call)
                if desk.journal.find(key) is None:
                    selection.take(key, call)
            for part in selection.files.close():
                await desk.send(part, "m")

        self.work(work, **parts)
        return selection

    def look(self, **parts: Any) -> list[BatchView]:
        """What `status` shows."""
        views: list[BatchView] = self.work(lambda desk: desk.refresh(ended=99), **parts)
        return views

    def collect(self, **parts: Any) -> list[Harvest]:
        """What `collect` takes in."""

        async def work(desk: BatchDesk) -> list[Harvest]:
            return [found async for found in collect_batches(desk, self.settings) if isinstance(found, Harvest)]

        harvests: list[Harvest] = self.work(work, **parts)
        return harvests

    def finish(self) -> None:
        """Look until the server is done with everything."""
        while any(view.row.state == "submitted" for view in self.look()):
            pass

    def work(
        self,
        work: Callable[[BatchDesk], Any],
        *,
        journal: type[Journal] = Journal,
        server: type[BatchServer] = BatchServer,
    ) -> Any:
        async def do() -> Any:
            with journal.open(self.settings.journal) as opened:
                desk = BatchDesk(opened, server(self.settings, sleep=self._sleep))
                try:
                    return await work(desk)
                finally:
                    self.notices = desk.notices
                    await desk.server.aclose()

        return asyncio.run(do())

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    @property
    def journal(self) -> Journal:
        """To look into; close it."""
        return Journal.open(self.settings.journal)

    def replies(self, calls: list[Call]) -> int:
        with self.journal as journal:
            return len(journal.find_many(map(self.key, calls)))

    def spent(self) -> tuple[int, int, int, float]:
        """Requests, tokens in, tokens out, USD."""
        with self.journal as journal:
            spent = journal.spent()
        return spent.calls, spent.input_tokens, spent.output_tokens, round(spent.cost_usd, 9)

    def states(self) -> list[str]:
        with self.journal as journal:
            return [row.state for row in journal.find_batches()]

    def age(self) -> None:
        """Let the batches have been written down a while ago."""
        with closing(sqlite3.connect(self.settings.journal)) as connection, connection:
            connection.execute("UPDATE batches SET updated_at = '2020-01-01T00:00:00.000000+00:00'")


def accepted(server: LoopbackServer) -> Counter[str]:
    """The keys of all calls in batches that the server made, as often as it will answer them."""
    made = [seen for seen in server.requests if seen.path == "/v1/batches" and seen.http.method == "POST"]
    found: Counter[str] = Counter()
    for seen in made:
        if seen.status == 200:
            content = get(server, f"files/{seen.body['input_file_id']}/content")
            found.update(json.loads(line)["custom_id"] for line in content.splitlines())
    return found


def get(server: LoopbackServer, path: str, method: str = "GET") -> bytes:
    """Ask the server without any of our code."""
    request = Request(f"{server.base_url}/{path}", method=method)  # noqa: S310 - our own server
    with urlopen(request, timeout=10) as response:  # noqa: S310
        return bytes(response.read())
