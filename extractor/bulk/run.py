"""The bulk run: every planned file to a record, every record to the outputs.

Lives here: the loop, what happens to a file that fails, counting, and the run's own account
(run.json). Does not live here: choosing files (plan), the shape of outputs (export), or anything
about one document (pipeline), nor how documents that ask a model overlap (flow). Called by cli.
"""

from __future__ import annotations

import gc
import hashlib
import heapq
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from extractor.bulk.flow import ModelPart, Work, process_concurrently
from extractor.bulk.plan import Plan, printable_path
from extractor.errors import ExtractorError, OutputError, SettingsError, SourceError
from extractor.export import OutputWriter
from extractor.flags import make_flag
from extractor.forms import load_forms
from extractor.llm.calls import BudgetReached, ServerRefused
from extractor.model import CellState, DocumentIdentity, Origin, Record, Status
from extractor.pipeline import VERSIONS, process_document
from extractor.settings import Settings
from extractor.sources import load_document

_BLOCK_BYTES = 1 << 20
_NOTABLE = 30

ProcessFile = Callable[[Path, tuple[Origin, ...], Settings], Record]


class Progress(NamedTuple):
    """Where a run stands. `stage` is `hash` (finding equal files) or `extract`; `done` of `total` are finished."""

    stage: Literal["hash", "extract"]
    done: int
    total: int
    path: str
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class RunError:
    """A file that could not be processed. `traceback` is there when the error was not foreseen."""

    path: str
    error: str
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended.

    Attributes:
        account: what run.json says.
        outputs: the files written; empty when the run was interrupted before its first document.
        notable: at most thirty records, the failed ones and those with most fields in review
            first to be chosen, in the order of the run.
        stopped_by: why the run ended before its last document, when nobody interrupted it.
    """

    account: Mapping[str, Any]
    outputs: tuple[Path, ...]
    notable: tuple[Record, ...]
    failed: int
    is_interrupted: bool
    xlsx_rows_left_out: int = 0
    stopped_by: str | None = None


def extract_file(path: Path, origins: tuple[Origin, ...], settings: Settings) -> Record:
    """One file the whole way: load and process.

    Raises:
        SourceError: the file cannot be turned into a document.
    """
    return process_document(load_document(path, settings), origins)


def run_documents(
    plan: Plan,
    out_dir: Path,
    settings: Settings,
    on_progress: Callable[[Progress], None],
    *,
    process: ProcessFile = extract_file,
    model: ModelPart | None = None,
    arguments: Mapping[str, object] | None = None,
) -> RunSummary:
    """Process every file of a plan and write the outputs.

    One bad file never stops the rest: it becomes a record with status `failed`. Files with equal
    bytes are one document with all their origins. Ctrl-C ends the run early and in good order.

    Args:
        plan: see plan_inputs.
        out_dir: made when missing; outputs of an earlier run are replaced at the very end.
        settings: handed to `process`.
        on_progress: called after every file.
        process: what turns one file into a record.
        model: asked for what its policy wants; then many documents are on their way at once. It is closed at the end.
        arguments: how the run was asked for, kept in run.json.

    Raises:
        OutputError: the outputs cannot be written; earlier ones stay as they were.
        ServerRefused, BudgetReached: before the first document was finished.
    """
    started_at, clock = datetime.now(UTC), time.perf_counter()
    tally = _Tally(files=len(plan.files))
    is_interrupted, stopped_by = False, None
    with _collect_less_often(), OutputWriter(out_dir) as writer:
        try:
            works = group_files(plan, on_progress)
            results = (
                process_concurrently(works, model, settings) if model else _process_in_turn(works, process, settings)
            )
            for work, result in results:
                record = _with_printable_path(_record_of(work, result, tally))
                with _hold_interrupts():
                    tally.count(_write_record(writer, record, tally))
                on_progress(Progress("extract", tally.documents, work.total, record.document.path, record.status))
        except KeyboardInterrupt:
            is_interrupted = True
        except (BudgetReached, ServerRefused) as error:  # what is done stays; the rest can be read later
            if not tally.documents:
                raise
            stopped_by = str(error)
        outputs: tuple[Path, ...] = ()
        account: dict[str, Any] = {}
        # An interrupt before the first document must not replace earlier outputs by empty ones.
        if tally.documents or not is_interrupted:
            with _hold_interrupts(is_final=True):
                writer.seal()
                account = {
                    "versions": VERSIONS,
                    "started_at": started_at.isoformat(timespec="seconds"),
                    "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "seconds": round(time.perf_counter() - clock, 3),
                    "is_interrupted": is_interrupted,
                    "stopped_by": stopped_by,
                    "arguments": dict(arguments or {}),
                    **tally.describe(),
                    "model": model.describe() if model else None,
                    "manifest_rows_unmatched": len(plan.unmatched_rows),
                }
                outputs = writer.publish(account)
        return RunSummary(
            account=account,
            outputs=outputs,
            notable=tally.notable(),
            failed=tally.statuses[Status.FAILED],
            is_interrupted=is_interrupted,
            xlsx_rows_left_out=writer.xlsx_rows_left_out,
            stopped_by=stopped_by,
        )


@contextmanager
def _collect_less_often() -> Iterator[None]:
    """Let the cyclic garbage collector run less often.

    A document makes thousands of small objects and no cycles; walking over them took a sixth of a run.
    """
    usual = gc.get_threshold()
    gc.set_threshold(20_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


# ---------------------------------------------------------------- files to documents


def group_files(plan: Plan, on_progress: Callable[[Progress], None]) -> list[Work]:
    """Files with equal bytes together, in the order of the plan. Only digests are kept in memory."""
    groups: dict[bytes | int, list[int]] = {}
    for index, planned in enumerate(plan.files):
        # A file that cannot be read is a group of its own: it fails by itself later, with its reason.
        groups.setdefault(_hash_file(planned.path) or index, []).append(index)
        on_progress(Progress("hash", index + 1, len(plan.files), printable_path(planned.path)))
    return [
        Work(
            path=plan.files[members[0]].path,
            document_id=key.hex() if isinstance(key, bytes) else None,
            origins=tuple(dict.fromkeys(origin for index in members for origin in plan.files[index].origins)),
            total=len(groups),
        )
        for key, members in groups.items()
    ]


def _hash_file(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
            return digest.digest()
    except OSError:
        return None


def _process_in_turn(
    works: list[Work], process: ProcessFile, settings: Settings
) -> Iterator[tuple[Work, Record | Exception]]:
    for work in works:
        try:
            yield work, process(Path(work.path), work.origins, settings)
        except (OutputError, SettingsError):
            raise  # wrong for every file alike
        except Exception as error:  # one bad file never stops the rest
            yield work, error


def _record_of(work: Work, result: Record | Exception, tally: _Tally) -> Record:
    if isinstance(result, Record):
        return result
    return _describe_failure(work.path, work.document_id, work.origins, result, tally)


def _write_record(writer: OutputWriter, record: Record, tally: _Tally) -> Record:
    """Write a record, or, when no output can hold it, the fact that it failed; return what was written."""
    try:
        writer.write(record)
    except OutputError:
        raise
    except Exception as error:  # one bad record never stops the rest either
        record = _describe_failure(record.document.path, record.document.id, record.origins, error, tally)
        writer.write(record)
    return record


def _describe_failure(
    path: str, document_id: str | None, origins: tuple[Origin, ...], error: Exception, tally: _Tally
) -> Record:
    shown = printable_path(path)
    if isinstance(error, SourceError):
        problem = f"{error.problem}. {error.remedy}"
    elif isinstance(error, ExtractorError):
        problem = str(error)
    else:
        problem = f"{type(error).__name__}: {error}"
    problem = _printable(problem)
    # `problem` says what a person can do; the place in our code helps only where the error was not foreseen.
    trace = None if isinstance(error, ExtractorError) else _printable("".join(traceback.format_exception(error)))
    tally.errors.append(RunError(shown, type(error).__name__, problem, trace))
    return Record(
        document=DocumentIdentity(id=document_id, path=shown),
        status=Status.FAILED,
        origins=origins,
        flags=(make_flag("source-failed", problem=problem),),
        versions=VERSIONS,
    )


def _with_printable_path(record: Record) -> Record:
    path = printable_path(record.document.path)
    if path == record.document.path:
        return record
    return record.model_copy(update={"document": replace(record.document, path=path)})


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def _hold_interrupts(*, is_final: bool = False) -> Iterator[None]:
    """Hold Ctrl-C back while files are written, so that none has half a record.

    Args:
        is_final: the outputs are being put into place anyway: there is nothing left to interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if pending and not is_final:
        raise KeyboardInterrupt


# ---------------------------------------------------------------- counting


@dataclass(slots=True)
class _Tally:
    """The counts of a run, and the few records worth showing at its end. Grows with errors only."""

    files: int
    documents: int = 0
    found_files: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    errors: list[RunError] = field(default_factory=list)
    _heap: list[tuple[bool, int, int, Record]] = field(default_factory=list)

    def count(self, record: Record) -> None:
        self.documents += 1
        self.found_files += len({origin.path for origin in record.origins}) or 1
        self.statuses[record.status] += 1
        self.flags.update(flag.code for flag in record.flags)
        review = self._count_fields(record)
        # Unique order number third: records themselves cannot be compared.
        item = (record.status is Status.FAILED, review, -self.documents, record)
        if len(self._heap) < _NOTABLE:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def _count_fields(self, record: Record) -> int:
        cells, value_state = load_forms().fields, CellState.VALUE
        printed = accepted = nonzero = accepted_nonzero = reviewed = confirmed = read_by_model = 0
        for field_id, item in record.fields.items():
            is_accepted = item.decision == "accepted"
            reviewed += not is_accepted
            confirmed += bool(item.confirmed_by)
            read_by_model += item.reader == "llm"
            if item.state is value_state and field_id in cells:
                printed += 1
                accepted += is_accepted
                if item.value:
                    nonzero += 1
                    accepted_nonzero += is_accepted
        self.decisions.update(accepted=len(record.fields) - reviewed, review=reviewed)
        self.decisions.update(confirmed=confirmed, read_by_model=read_by_model)
        self.cells.update(printed=printed, accepted=accepted, nonzero=nonzero, accepted_nonzero=accepted_nonzero)
        return reviewed

    def notable(self) -> tuple[Record, ...]:
        return tuple(item[3] for item in sorted(self._heap, key=lambda item: -item[2]))

    def describe(self) -> dict[str, Any]:
        """The counts for run.json. `table_values` are the printed cells of the tables (state `value`)."""
        cells = self.cells
        return {
            "files": self.files,
            "documents": self.documents,
            "duplicate_files": self.found_files - self.documents,
            "documents_by_status": {status.value: self.statuses[status] for status in Status},
            "fields": {name: self.decisions[name] for name in ("accepted", "review", "confirmed", "read_by_model")},
            "table_values": {
                "printed": cells["printed"],
                "accepted": cells["accepted"],
                "accepted_share": _share(cells["accepted"], cells["printed"]),
                "printed_nonzero": cells["nonzero"],
                "accepted_nonzero": cells["accepted_nonzero"],
                "accepted_nonzero_share": _share(cells["accepted_nonzero"], cells["nonzero"]),
            },
            "flags": dict(self.flags.most_common()),
            "errors": [asdict(error) for error in self.errors],
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
