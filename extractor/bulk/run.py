"""The bulk run: every planned file to a record, every record to the outputs.

Lives here: the loop, what happens to a file that fails, and the run's own account
(run.json). Does not live here: choosing files (plan), reading them (loading), the shape of outputs (export), counting
(tally), the record of a failed file (failures), the audit sample (audit), anything about one document (pipeline), nor
how documents that ask a model overlap (flow). Called by cli.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from extractor.bulk.audit import AuditSample
from extractor.bulk.failures import describe_failure
from extractor.bulk.flow import ModelPart, Work, open_standing, process_concurrently
from extractor.bulk.interrupts import hold_interrupts
from extractor.bulk.loading import load_in_order
from extractor.bulk.plan import Plan, printable_path
from extractor.bulk.tally import Tally
from extractor.errors import OutputError, SettingsError
from extractor.export import OutputWriter
from extractor.llm.calls import BudgetReached, ServerRefused
from extractor.model import Document, Origin, Record, Status
from extractor.pipeline import VERSIONS, process_document
from extractor.settings import Settings

_BLOCK_BYTES = 1 << 20

ProcessDocument = Callable[[Document, tuple[Origin, ...]], Record]


class Progress(NamedTuple):
    """Where a run stands. `stage` is `hash` (finding equal files) or `extract`; `done` of `total` are finished."""

    stage: Literal["hash", "extract"]
    done: int
    total: int
    path: str
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended.

    Attributes:
        account: what run.json says.
        outputs: the files written; empty when the run was interrupted before its first document.
        notable: at most thirty records, the failed ones and those with most fields in review
            first to be chosen, in the order of the run.
        standing: by what values were accepted, in a sentence.
        stopped_by: why the run ended before its last document, when nobody interrupted it.
    """

    account: Mapping[str, Any]
    outputs: tuple[Path, ...]
    notable: tuple[Record, ...]
    failed: int
    is_interrupted: bool
    xlsx_rows_left_out: int = 0
    standing: str = ""
    stopped_by: str | None = None


def run_documents(
    plan: Plan,
    out_dir: Path,
    settings: Settings,
    on_progress: Callable[[Progress], None],
    *,
    process: ProcessDocument | None = None,
    model: ModelPart | None = None,
    arguments: Mapping[str, object] | None = None,
) -> RunSummary:
    """Process every file of a plan and write the outputs.

    One bad file never stops the rest: it becomes a record with status `failed`. Files with equal
    bytes are one document with all their origins. Ctrl-C ends the run early and in good order.

    Args:
        plan: see plan_inputs.
        out_dir: made when missing; outputs of an earlier run are replaced at the very end.
        settings: for loading; certificate and audit sample are chosen here.
        on_progress: called after every file.
        process: what turns one document into a record; process_document, with the certificate, unless given.
        model: asked for what its policy wants; then many documents are on their way at once. It is closed at the end.
        arguments: how the run was asked for, kept in run.json.

    Raises:
        OutputError: the outputs cannot be written; earlier ones stay as they were.
        SettingsError: the certificate cannot be used.
        ServerRefused, BudgetReached: before the first document was finished.
    """
    started_at, clock = datetime.now(UTC), time.perf_counter()
    standing = open_standing(model, settings)
    if process is None:
        process = partial(process_document, certificate=standing.certificate)
    tally, audit = Tally(files=len(plan.files)), AuditSample(settings)
    is_interrupted, stopped_by = False, None
    with _collect_less_often(), OutputWriter(out_dir) as writer:
        try:
            works = group_files(plan, on_progress)
            results = (
                process_concurrently(works, model, settings, standing.certificate)
                if model
                else _process_in_turn(works, process, settings)
            )
            with closing(results):  # an interrupt leaves nothing under way
                for work, result in results:
                    record = _with_printable_path(_record_of(work, result, tally))
                    with hold_interrupts():
                        record = _write_record(writer, record, audit.takes(record), tally)
                        tally.count(record)
                        audit.count(record)
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
            with hold_interrupts(is_final=True):
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
                    "confidence": standing.describe(),
                    "audit": audit.describe(),
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
            standing=standing.tell(),
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
    works: Sequence[Work], process: ProcessDocument, settings: Settings
) -> Generator[tuple[Work, Record | Exception]]:
    with closing(load_in_order([work.path for work in works], settings)) as documents:
        for work, document in zip(works, documents, strict=True):
            yield work, _process(document, work.origins, process)


def _process(
    document: Document | Exception, origins: tuple[Origin, ...], process: ProcessDocument
) -> Record | Exception:
    if isinstance(document, OutputError | SettingsError):
        raise document  # wrong for every file alike
    if isinstance(document, Exception):
        return document
    try:
        return process(document, origins)
    except (OutputError, SettingsError):
        raise
    except Exception as error:  # one bad file never stops the rest
        return error


def _record_of(work: Work, result: Record | Exception, tally: Tally) -> Record:
    if isinstance(result, Record):
        return result
    return _fail(work.path, work.document_id, work.origins, result, tally)


def _fail(path: str, document_id: str | None, origins: tuple[Origin, ...], error: Exception, tally: Tally) -> Record:
    failure = describe_failure(path, document_id, origins, error)
    tally.errors.append(failure.entry)
    return failure.record


def _write_record(writer: OutputWriter, record: Record, is_audited: bool, tally: Tally) -> Record:
    """Write a record, or, when no output can hold it, the fact that it failed; return what was written."""
    try:
        writer.write(record, is_audited=is_audited)
    except OutputError:
        raise
    except Exception as error:  # one bad record never stops the rest either
        record = _fail(record.document.path, record.document.id, record.origins, error, tally)
        writer.write(record)
    return record


def _with_printable_path(record: Record) -> Record:
    path = printable_path(record.document.path)
    if path == record.document.path:
        return record
    return record.model_copy(update={"document": replace(record.document, path=path)})
