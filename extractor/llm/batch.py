"""Batches from the first line to the end: chosen, sent, looked after.

Lives here: what is written down when, so that a program that dies at any moment neither loses calls
nor pays for them twice. Does not live here: files of lines (batch_lines), HTTP (batch_server), taking
the replies in (batch_harvest). Called by the batch commands.

A batch and its keys are written down as `prepared` before anything is sent; then the file goes up
and its name is noted; then the batch is made, which is the step that costs money, and noted as
`submitted`. Whoever finds a batch still `prepared` looks for it on the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from extractor.llm.batch_lines import BatchName, Part, RequestFiles
from extractor.llm.batch_remote import CreationUnknown, RemoteBatch
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import BudgetReached, Call, CallError, ServerRefused
from extractor.llm.limits import bound_input
from extractor.settings import Settings
from extractor.store.journal import Journal
from extractor.store.rows import IN_FLIGHT, BatchRow, BatchState, now

if TYPE_CHECKING:
    from extractor.llm.batch_server import BatchServer

#: How long a batch that the server does not have stays untouched: another program may still be
#: sending it, and a server may list a new batch a little later. Longer than any transfer may take.
PATIENCE = timedelta(minutes=15)
# Our clock and the server's need not agree.
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(slots=True)
class Selection:
    """Of the calls that a run would make those that go into new batches.

    Attributes:
        files: takes their lines.
        budget: holds their worst cases; it counts a batch's price.
        in_flight: keys of calls in other batches.
        held_back: calls that wait for one of those batches.
        over_limit: calls for which the budget does not suffice; `limit` says which limit.
    """

    files: RequestFiles
    budget: Budget
    in_flight: set[str]
    taken: int = 0
    held_back: int = 0
    over_limit: int = 0
    limit: str = ""

    @classmethod
    def open(cls, folder: Path, settings: Settings, limits: Limits) -> Self:
        """Begin with nothing.

        Args:
            folder: where the lines are kept until they are sent.
            settings: with the model that is asked.
            limits: what all calls together may cost.

        Raises:
            SettingsError: USD are limited but the price is not known.
        """
        model = str(settings.model)
        budget = Budget(limits, Limits(), settings.prices.get(model), model=model, is_batch=True)
        return cls(RequestFiles(folder, settings), budget, set())

    def take(self, key: str, call: Call) -> None:
        """Choose one call or leave it out."""
        if key in self.in_flight:
            self.held_back += 1
            return
        try:
            self.budget.reserve(call.document_id, bound_input(call), call.max_output_tokens)
        except BudgetReached as error:
            self.over_limit += 1
            self.limit = self.limit or str(error)
            return
        self.files.add(key, call)
        self.taken += 1


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as the journal knows it, and as the server describes it where it was asked.

    Attributes:
        calls: how many calls are in it.
    """

    row: BatchRow
    calls: int
    remote: RemoteBatch | None = None


@dataclass(slots=True)
class BatchDesk:
    """Hands batches to one server and keeps the journal's account of them.

    Attributes:
        notices: what the operator should know.
    """

    journal: Journal
    server: BatchServer
    notices: list[str] = field(default_factory=list)

    # ------------------------------------------------------------ sending

    async def send(self, part: Part, model: str) -> BatchView | None:
        """Make a batch of a file of requests.

        Returns:
            None when other programs have put all of its calls into batches meanwhile.

        Raises:
            ServerRefused, CallError: the server does not take it, or cannot be reached.
        """
        name = str(BatchName.make(part.task, part.prompt_version))
        row = BatchRow(id=name, model=model, base_url=self.server.address)
        self.journal.add_batch(row)
        keys = self.journal.add_batch_items(name, part.keys)
        if len(keys) < len(part.keys):
            self.notices.append(f"{len(part.keys) - len(keys)} calls went into another program's batch meanwhile")
            part.keep_only(set(keys))
        if not keys:
            self._give_up(row, "other batches hold its calls")
            return None
        row = await self._upload(row, part)
        return await self._create(row, len(keys))

    async def _upload(self, row: BatchRow, part: Part) -> BatchRow:
        try:
            file_id = await self.server.upload(part.path, f"{row.id}.jsonl")
        except BaseException:  # also an interrupt: no batch can come of it
            self._give_up(row, "its file was not sent")
            raise
        if row.id not in {batch.id for batch in self.journal.find_batches("prepared")}:
            raise CallError(f"batch {row.id} took so long to send that another program gave it up. Submit again.")
        return self._note(replace(row, input_file=file_id))

    async def _create(self, row: BatchRow, calls: int) -> BatchView:
        try:
            remote = await self.server.create(str(row.input_file), row.id)
        except CreationUnknown:
            await self.settle()
            return self._find_view(row.id)
        except (ServerRefused, CallError):
            self._give_up(row, "the server did not take it")
            raise
        row = self._note(replace(row, state="submitted", remote_id=remote.id))
        return BatchView(row, calls, remote)

    # ------------------------------------------------------------ looking after

    async def settle(self) -> None:
        """See what became of batches whose sending broke off: the server has them, or their calls are free again."""
        broken = [row for row in self.journal.find_batches("prepared") if row.base_url == self.server.address]
        if not broken:
            return
        listed = await self.server.list_since(min(row.created_at for row in broken) - _CLOCKS_DIFFER)
        for row in broken:
            remote = next((one for one in listed if one.name == row.id or one.input_file == row.input_file), None)
            if remote:
                self._note(replace(row, state="submitted", remote_id=remote.id, input_file=remote.input_file))
                self.notices.append(f"batch {row.id}: its sending broke off, but the server has it")
            elif now() - row.updated_at < PATIENCE:
                until = (row.updated_at + PATIENCE).astimezone(UTC)
                self.notices.append(
                    f"batch {row.id}: still being sent, or broken off; the server does not list it. "
                    f"The next batch command after {until:%H:%M} UTC frees its calls"
                )
            else:
                if row.input_file:
                    await self.server.delete_file(row.input_file)
                self._give_up(row, "its sending broke off")
                self.notices.append(
                    f"batch {row.id}: its sending broke off before the server had it; its calls are free"
                )

    async def refresh(self, ended: int = 0) -> list[BatchView]:
        """Ask the server about all batches that it may be working on.

        Args:
            ended: how many of those come along that were over before, the latest ones.

        Returns:
            The batches, oldest first.
        """
        await self.settle()
        rows = self.journal.find_batches()
        over = [row.id for row in rows if row.state not in IN_FLIGHT]
        left_out = set(over[: max(0, len(over) - ended)])
        return [await self._look_at(row) for row in rows if row.id not in left_out]

    async def _look_at(self, row: BatchRow) -> BatchView:
        calls = len(self.journal.items_of(row.id))
        if row.state in IN_FLIGHT and row.base_url != self.server.address:
            self.notices.append(f"batch {row.id} is on {row.base_url}: name that server with --base-url")
            return BatchView(row, calls)
        if row.state not in ("submitted", "finished"):
            return BatchView(row, calls)
        remote = await self.server.retrieve(str(row.remote_id))
        if remote is None:
            self.notices.append(
                f"batch {row.id}: the server does not know {row.remote_id}. Use the EXTRACTOR_API_KEY that sent it"
            )
            return BatchView(row, calls)
        state, message = _judge_state(remote)
        seen = replace(row, state=state, message=message, output_file=remote.output_file, error_file=remote.error_file)
        return BatchView(self._note(seen) if seen != row else row, calls, remote)

    # ------------------------------------------------------------ the journal

    def _note(self, row: BatchRow) -> BatchRow:
        self.journal.update_batch(row)
        return row

    def _give_up(self, row: BatchRow, reason: str) -> None:
        self._note(replace(row, state="failed", message=f"never made: {reason}"))

    def _find_view(self, name: str) -> BatchView:
        row = next(row for row in self.journal.find_batches() if row.id == name)
        return BatchView(row, len(self.journal.items_of(name)))


def _judge_state(remote: RemoteBatch) -> tuple[BatchState, str | None]:
    """The journal's word for a server's state, and what went wrong."""
    if remote.status == "failed" and not (remote.output_file or remote.error_file):
        return "failed", remote.problems or "the server gave no reason"
    if remote.status in ("completed", "failed", "expired", "cancelled"):
        return "finished", remote.problems or None
    return "submitted", None
