"""Taking the replies of a finished batch into the journal.

Lives here: reading the server's files line by line, and what becomes of each line. Does not live
here: the states of batches (batch), HTTP and the judgement of a reply (batch_server).

Requests are booked under the batch's name and in the order of the files, so their number in the
journal says how far an earlier attempt came: a program that dies in the middle goes on there.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from extractor.llm.batch import BatchDesk, BatchView
from extractor.llm.batch_lines import BatchName, Request, RequestIndex, Response, Result, choose_mode, read_lines
from extractor.llm.batch_remote import RemoteBatch
from extractor.llm.budget import cost_usd
from extractor.llm.calls import Call, Usage, sampling_parameters, schema_json
from extractor.llm.endings import Ending
from extractor.llm.limits import bound_input
from extractor.llm.prompts import load_prompt
from extractor.llm.refusals import end_refused
from extractor.settings import Settings
from extractor.store.rows import Attempt, BatchState, Spent, StoredReply, canonical_json

_ENDED: dict[str, BatchState] = {
    "completed": "collected",
    "expired": "expired",
    "cancelled": "cancelled",
    "failed": "failed",
}


@dataclass(slots=True)
class Harvest:
    """What a batch brought.

    Attributes:
        state: the journal's word for how it ended.
        replies: calls with a reply.
        without: calls without one, by the reason.
        problems: what is wrong with the server's files, with file and line.
        spent: what its requests cost.
    """

    batch: str
    state: BatchState
    calls: int
    replies: int = 0
    without: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)


async def collect_batches(desk: BatchDesk, settings: Settings) -> AsyncIterator[Harvest | BatchView]:
    """Take in the replies of all batches that the server is done with.

    Yields:
        What each of them brought, as soon as it is in the journal; and the batches that are not done
        or cannot be asked about, as they are.

    Raises:
        ServerRefused, ServerUnavailable: the server does not give them; what is taken in stays.
    """
    for view in await desk.refresh():
        if view.row.state == "finished" and view.remote:
            yield await _collect(desk, view, view.remote, settings)
        else:
            yield view


async def _collect(desk: BatchDesk, view: BatchView, remote: RemoteBatch, settings: Settings) -> Harvest:
    harvest = Harvest(view.row.id, _ENDED[remote.status], view.calls)
    with tempfile.TemporaryDirectory(prefix="extractor-batch-") as folder:
        files = await _fetch(desk, remote, Path(folder), harvest)
        asked = Path(folder) / "input"
        has_input = await desk.server.download(remote.input_file, asked)
        if not has_input:
            desk.notices.append(f"batch {view.row.id}: its input file is gone; replies are kept without what was asked")
        _Collector(desk, view, RequestIndex(asked) if has_input else None, harvest, settings).read(files)
    harvest.spent = desk.journal.spent(view.row.id)
    message = f"{harvest.replies} of {view.calls} calls have a reply"
    desk.journal.update_batch(replace(view.row, state=harvest.state, message=message))
    return harvest


async def _fetch(desk: BatchDesk, remote: RemoteBatch, folder: Path, harvest: Harvest) -> list[tuple[str, Path]]:
    """The server's two files: what to call them, and where they are now."""
    files = []
    for kind, file_id in (("output", remote.output_file), ("error", remote.error_file)):
        if file_id is None:
            continue
        if await desk.server.download(file_id, folder / kind):
            files.append((f"{kind} file {file_id}", folder / kind))
        else:
            harvest.problems.append(f"{kind} file {file_id}: the server no longer has it; its replies are lost")
    if remote.output_file is None and remote.completed:
        harvest.problems.append(f"the server counts {remote.completed} replies, but names no output file")
    return files


class _Collector:
    """Takes in the lines of one batch."""

    def __init__(
        self, desk: BatchDesk, view: BatchView, index: RequestIndex | None, harvest: Harvest, settings: Settings
    ) -> None:
        name = BatchName.read(view.row.id)
        self._row = view.row
        self._journal = desk.journal
        self._index = index
        self._harvest = harvest
        self._settings = settings
        self._task, self._prompt_version = name.task, name.prompt_version
        self._schema = load_prompt(name.task).schema
        self._schema_hash = hashlib.sha256(schema_json(self._schema).encode()).hexdigest()
        self._price = settings.prices.get(view.row.model)
        self._keys = set(desk.journal.items_of(view.row.id))
        self._seen: set[str] = set()
        self._booked_before = desk.journal.spent(view.row.id).calls
        self._booked = 0

    def read(self, files: list[tuple[str, Path]]) -> None:
        """Take in all lines."""
        for result in self._results(files):
            if result.response is None:
                reason = result.error and result.error.code
                self._harvest.without[reason or "no response"] += 1
                continue
            request = self._find_request(result.custom_id)
            ending = self._judge(result.custom_id, result.response, request)
            if ending.value is not None:
                self._harvest.replies += 1
            else:
                self._harvest.without[_say_reason(ending, result.response.status_code)] += 1
            self._booked += 1
            if self._booked > self._booked_before:
                self._keep(result.custom_id, request, ending)
        if silent := len(self._keys - self._seen):
            self._harvest.without["no line in the server's files"] += silent

    def _results(self, files: list[tuple[str, Path]]) -> Iterator[Result]:
        """The lines that are results of this batch; the others are reported."""
        for name, path in files:
            for number, line in read_lines(path):
                try:
                    result = Result.model_validate_json(line)
                except ValidationError:
                    self._report(name, number, f"no result line ({len(line.strip())} bytes)")
                    continue
                if result.custom_id not in self._keys:
                    self._report(name, number, f"unknown custom_id {result.custom_id[:64]!r}")
                elif result.custom_id in self._seen:
                    self._report(name, number, f"a second result for call {result.custom_id[:12]}; the first counts")
                else:
                    self._seen.add(result.custom_id)
                    yield result

    def _report(self, file: str, line: int, problem: str) -> None:
        self._harvest.problems.append(f"{file}, line {line}: {problem}")

    def _find_request(self, key: str) -> Request:
        """What was asked; where the server no longer has the file, what is asked now."""
        found = self._index.find(key) if self._index else None
        return found or Request("", "", 0, sampling_parameters(self._settings), choose_mode(self._settings))

    def _judge(self, key: str, response: Response, request: Request) -> Ending:
        from extractor.llm.batch_server import read_completion  # noqa: PLC0415 - loads openai, which is loaded here

        if response.status_code != 200:
            return end_refused(response.status_code, response.body, self._settings, about=self._task)
        call = Call(
            task=self._task,
            prompt_version=self._prompt_version,
            schema=self._schema,
            system=request.system,
            user=request.user,
            max_output_tokens=request.max_output_tokens,
        )
        ending = read_completion(response.body, call, request.mode, f"{self._task} (call {key[:12]})")
        if ending.usage is not None:
            return ending
        return replace(ending, usage=Usage(bound_input(call), call.max_output_tokens, is_estimated=True))

    def _keep(self, key: str, request: Request, ending: Ending) -> None:
        usage = ending.usage or Usage()
        cost = None if self._price is None else cost_usd(usage, self._price, is_batch=True)
        attempt = Attempt(
            key=key,
            run_id=self._row.id,
            document_id="",
            task=self._task,
            model=self._row.model,
            outcome=ending.outcome,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            is_estimated=usage.is_estimated,
            cost_usd=cost,
            mode=request.mode,
        )
        if ending.value is None:
            self._journal.add_attempt(attempt)
            return
        keeps_request = self._settings.journal_requests and bool(request.user)
        reply = StoredReply(
            key=key,
            task=self._task,
            model=self._row.model,
            parameters=request.parameters,
            prompt_version=self._prompt_version,
            schema_hash=self._schema_hash,
            reply=canonical_json(ending.value.model_dump(mode="json")),
            origin="batch",
            request=canonical_json({"system": request.system, "user": request.user}) if keeps_request else None,
            mode=request.mode,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            is_estimated=usage.is_estimated,
            cost_usd=cost,
        )
        self._journal.record(reply, attempt)


def _say_reason(ending: Ending, status: int) -> str:
    """Why there is no reply, in words that are the same for all calls of a kind."""
    return ending.outcome if status == 200 else str(ending.error)
