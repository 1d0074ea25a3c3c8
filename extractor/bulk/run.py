"""The bulk run: every planned file to a record, every record to the outputs and into the store.

Lives here: the loop, what happens to a file that fails, and the run's own account
(run.json). Does not live here: choosing files (plan), reading them (loading), the shape of outputs (export), the store
(filing), counting (tally), the record of a failed file (failures), the audit sample (audit), anything about one
document (pipeline), nor how documents that ask a model overlap (flow). Called by cli.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.bulk.audit import AuditSample
from extractor.bulk.failures import describe_failure
from extractor.bulk.filing import RunFiling
from extractor.bulk.flow import ModelPart, open_standing, process_concurrently
from extractor.bulk.interrupts import hold_interrupts
from extractor.bulk.loading import load_in_order
from extractor.bulk.plan import Plan, printable_path
from extractor.bulk.tally import Tally
from extractor.bulk.works import Made, Progress, Work, group_files
from extractor.errors import OutputError, SettingsError, StoreError
from extractor.export import OutputWriter
from extractor.llm.calls import BudgetReached, ServerRefused
from extractor.model import Document, Origin, Record
from extractor.pipeline import VERSIONS, process_document
from extractor.settings import Settings

if TYPE_CHECKING:
    from extractor.store.store import Store

ProcessDocument = Callable[[Document, tuple[Origin, ...]], Record]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended.

    Attributes:
        account: what run.json says; empty when the run was interrupted before its first document.
        outputs: the files written; empty also where no folder was given.
        notable: at most thirty records, the failed ones and those with most fields in review
            first to be chosen, in the order of the run.
        standing: by what values were accepted, in a sentence.
        stopped_by: why the run ended before its last document, when nobody interrupted it.
        run_id: the run's name in the store, where one was given.
    """

    account: Mapping[str, Any]
    outputs: tuple[Path, ...]
    notable: tuple[Record, ...]
    failed: int
    is_interrupted: bool
    xlsx_rows_left_out: int = 0
    standing: str = ""
    stopped_by: str | None = None
    run_id: str | None = None


def run_documents(
    plan: Plan,
    out_dir: Path | None,
    settings: Settings,
    on_progress: Callable[[Progress], None],
    *,
    process: ProcessDocument | None = None,
    model: ModelPart | None = None,
    store: Store | None = None,
    arguments: Mapping[str, object] | None = None,
) -> RunSummary:
    """Process every file of a plan and keep what was made of it.

    One bad file never stops the rest: it becomes a record with status `failed`. Files with equal
    bytes are one document with all their origins. Ctrl-C ends the run early and in good order.

    Args:
        plan: see plan_inputs.
        out_dir: made when missing; outputs of an earlier run are replaced at the very end. None: no output files.
        settings: for loading; certificate and audit sample are chosen here.
        on_progress: called after every file.
        process: what turns one document into a record; process_document, with the certificate, unless given.
        model: asked for what its policy wants; then many documents are on their way at once. It is closed at the end.
        store: every finished document goes into it at once. It is not closed.
        arguments: how the run was asked for, kept in run.json.

    Raises:
        OutputError: the outputs cannot be written; earlier ones stay as they were.
        StoreError: the store cannot be written; what it took stays in it, outputs stay as they were.
        SettingsError: the certificate cannot be used.
        ServerRefused, BudgetReached: before the first document was finished.
    """
    started_at, clock = datetime.now(UTC), time.perf_counter()
    standing = open_standing(model, settings)
    if process is None:
        process = partial(process_document, certificate=standing.certificate)
    is_interrupted, stopped_by = False, None
    with _collect_less_often(), ExitStack() as cleanup:
        keeping = _Keeping(
            tally=Tally(files=len(plan.files)),
            audit=AuditSample(settings),
            writer=cleanup.enter_context(OutputWriter(out_dir)) if out_dir else None,
            filing=cleanup.enter_context(RunFiling(store, settings, arguments or {})) if store else None,
        )
        tally = keeping.tally
        try:
            works = group_files(plan, on_progress)
            results = (
                process_concurrently(works, model, settings, standing.certificate)
                if model
                else _process_in_turn(works, process, settings)
            )
            with closing(results):  # an interrupt leaves nothing under way
                for work, result in results:
                    with hold_interrupts():
                        record = keeping.keep(work, result)
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
                keeping.seal()
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
                    "audit": keeping.audit.describe(),
                    "model": model.describe() if model else None,
                    "store": keeping.describe_store(),
                    "manifest_rows_unmatched": len(plan.unmatched_rows),
                }
                outputs = keeping.publish(account, is_whole=not is_interrupted and stopped_by is None)
        return RunSummary(
            account=account,
            outputs=outputs,
            notable=tally.notable(),
            failed=tally.failed,
            is_interrupted=is_interrupted,
            xlsx_rows_left_out=keeping.writer.xlsx_rows_left_out if keeping.writer else 0,
            stopped_by=stopped_by,
            standing=standing.tell(),
            run_id=keeping.filing.run_id if keeping.filing else None,
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


def _process_in_turn(
    works: Sequence[Work], process: ProcessDocument, settings: Settings
) -> Generator[tuple[Work, Made | Exception]]:
    with closing(load_in_order([work.path for work in works], settings)) as documents:
        for work, document in zip(works, documents, strict=True):
            yield work, _process(document, work.origins, process)


def _process(document: Document | Exception, origins: tuple[Origin, ...], process: ProcessDocument) -> Made | Exception:
    if isinstance(document, OutputError | SettingsError):
        raise document  # wrong for every file alike
    if isinstance(document, Exception):
        return document
    try:
        return Made(document, process(document, origins))
    except (OutputError, SettingsError):
        raise
    except Exception as error:  # one bad file never stops the rest
        return error


# ---------------------------------------------------------------- documents kept


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Where finished documents go: counts, output files, store."""

    tally: Tally
    audit: AuditSample
    writer: OutputWriter | None
    filing: RunFiling | None

    def keep(self, work: Work, result: Made | Exception) -> Record:
        """Keep one result everywhere, or, where its record cannot be kept, the fact that it failed."""
        if isinstance(result, Exception):
            record = self._fail(work, work.path, result)
            self._put(work, record, None)
        else:
            record = _with_printable_path(result.record)
            try:
                self._put(work, record, result.document)
            except (OutputError, StoreError):
                raise
            except Exception as error:  # one bad record never stops the rest either
                record = self._fail(work, record.document.path, error)
                self._put(work, record, None)
        self.tally.count(record)
        self.audit.count(record)
        return record

    def _put(self, work: Work, record: Record, document: Document | None) -> None:
        # What no file can hold shows before anything is written, so that store and files say the same.
        prepared = self.writer.prepare(record, is_audited=self.audit.takes(record)) if self.writer else None
        if self.filing:
            self.filing.add(self.tally.documents, work, record, document)
        if self.writer and prepared:
            self.writer.put(prepared)

    def _fail(self, work: Work, path: str, error: Exception) -> Record:
        failure = describe_failure(path, work.document_id, work.origins, error)
        self.tally.errors.append(failure.entry)
        return failure.record

    def seal(self) -> None:
        if self.writer:
            self.writer.seal()

    def describe_store(self) -> dict[str, str] | None:
        return {"name": self.filing.name, "run_id": self.filing.run_id} if self.filing else None

    def publish(self, account: Mapping[str, Any], *, is_whole: bool) -> tuple[Path, ...]:
        if self.filing:
            self.filing.finish(account, is_interrupted=not is_whole)
        return self.writer.publish(account) if self.writer else ()


def _with_printable_path(record: Record) -> Record:
    path = printable_path(record.document.path)
    if path == record.document.path:
        return record
    return record.model_copy(update={"document": replace(record.document, path=path)})
