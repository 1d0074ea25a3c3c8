"""The bulk run: a plan to documents that are kept, and what is kept to outputs.

Lives here: the order of things, the run's own account (run.json). Does not live here: choosing files (plan), what is
left of them (remaining), making documents (engine, making), keeping them (keeping), the shape of outputs (export,
publish), the store's own entry (filing). Called by cli.

A run that was ended, in whatever way, goes on where it stood: what is in the ledger is not made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from extractor.bulk.engine import Engine
from extractor.bulk.engines import MakeEngine
from extractor.bulk.filing import RunFiling
from extractor.bulk.flow import ModelPart, open_standing
from extractor.bulk.keeping import Keeper, Receipt
from extractor.bulk.plan import Plan
from extractor.bulk.progress import Progress, RunFile, RunState, Stage
from extractor.bulk.publish import Tally, put_together, read_notable
from extractor.bulk.recipe import Recipe, sign
from extractor.bulk.remaining import GO_ON, Counted, Remaining, Resume
from extractor.bulk.telling import tell_end, tell_kept, tell_standing, tell_start
from extractor.confidence.standing import Standing, collect_versions
from extractor.errors import OutputError, SettingsError
from extractor.export import OutputWriter
from extractor.export.staging import open_work_folder
from extractor.model import Record
from extractor.pipeline import VERSIONS
from extractor.settings import Settings
from extractor.store.ledger import LedgerFile
from extractor.telemetry.watching import watch_run

if TYPE_CHECKING:
    from extractor.store.store import Store

_PAGE = 200
_LEDGER = "ledger-{}.sqlite"  # one for each way to read


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended.

    Attributes:
        account: what run.json says; empty when the run was interrupted before any document was done.
        outputs: the files written; empty also where no folder was given.
        notable: at most thirty records, the failed ones and those with most fields in review
            first to be chosen, in the order of the run.
        failed: documents that could not be read, those set aside among them.
        kept: documents that an earlier start had finished.
        left: documents that are not done.
        standing: by what values were accepted, in a sentence.
        stopped_by: why the run ended before its last document, when nobody interrupted it.
        run_id: the run's name in the store, where one was given.
    """

    account: Mapping[str, Any]
    outputs: tuple[Path, ...]
    notable: tuple[Record, ...]
    failed: int
    is_interrupted: bool
    kept: int = 0
    quarantined: int = 0
    left: int = 0
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
    model: ModelPart | None = None,
    store: Store | None = None,
    arguments: Mapping[str, object] | None = None,
    resume: Resume = GO_ON,
    make_engine: MakeEngine = Engine,
) -> RunSummary:
    """Make every document of a plan that is not made yet, and write the outputs of all.

    One bad file never stops the rest: it becomes a record with status `failed`. Files with equal
    bytes are one document with all their origins. Ctrl-C ends the run early and in good order.

    Args:
        plan: see open_plan.
        out_dir: made when missing; outputs of an earlier run are replaced at the very end. None: no output files.
        settings: for loading; certificate and audit sample are chosen here.
        on_progress: called after every batch, and about once a second.
        model: asked for what its policy wants; then many documents are on their way at once. It is closed at the end.
        store: every finished document goes into it at once. It is not closed.
        arguments: how the run was asked for, kept in run.json.
        resume: what becomes of documents that an earlier start finished or gave up.
        make_engine: who makes the documents: this machine, or the workers of a cluster (extractor.bulk.cluster).

    Raises:
        OutputError: the outputs cannot be written; earlier ones stay as they were, and so does what is done.
        StoreError: the store cannot be written; what it took stays in it, outputs stay as they were.
        SettingsError: the certificate cannot be used, there is nowhere to keep documents, or a store is in memory.
        ServerRefused, BudgetReached: before any document was done.
    """
    _check_places(out_dir, store)
    with ExitStack() as cleanup:
        run = _Run(
            plan,
            out_dir,
            settings,
            on_progress,
            model=model,
            store=store,
            arguments=arguments or {},
            resume=resume,
            make_engine=make_engine,
            cleanup=cleanup,
        )
        with run.watched():
            run.engine.run(run.remaining.sources())
            return run.conclude()


class _Run:
    """One start of a run."""

    def __init__(
        self,
        plan: Plan,
        out_dir: Path | None,
        settings: Settings,
        on_progress: Callable[[Progress], None],
        *,
        model: ModelPart | None,
        store: Store | None,
        arguments: Mapping[str, object],
        resume: Resume,
        make_engine: MakeEngine,
        cleanup: ExitStack,
    ) -> None:
        self.plan, self.out_dir, self.settings = plan, out_dir, settings
        self.on_progress, self.model, self.arguments = on_progress, model, arguments
        self.started_at, self.clock = datetime.now(UTC), time.perf_counter()
        self.standing = open_standing(model, settings)
        self.new, self.last = Counted(), cast("Receipt | None", None)
        self.progress = Progress("read", 0, plan.documents)
        work = cleanup.enter_context(open_work_folder(out_dir)) if out_dir else None
        self.file = cleanup.enter_context(RunFile(work, self._open_account()))
        self.filing = cleanup.enter_context(RunFiling(store, arguments)) if store else None
        signature = _sign(settings, model, self.standing)
        # Absolute, as the store's address is: workers may have begun in another folder.
        ledger = work.absolute() / _LEDGER.format(signature[:12]) if work and not store else None
        self.ledger = ledger
        self.keeper = cast("Keeper", store) if store else cleanup.enter_context(LedgerFile.open(ledger or Path()))
        self.recipe = Recipe(
            settings=settings.model_copy(update={"api_key": None}),
            policy=model.policy if model else "template",
            certificate=self.standing.certificate,
            signature=signature,
            ledger=str(ledger) if ledger else None,
            store=store.address if store else None,
            run_id=self.filing.run_id if self.filing else uuid4().hex,
            chances=self.filing.chances if self.filing else None,
            makes_files=out_dir is not None,
        )
        self.remaining = Remaining(plan, self.recipe, self.keeper, resume)
        self.engine = make_engine(self.recipe, model, on_kept=self._note, on_tick=lambda: self._tell("read"))

    # ---------------------------------------------------------------- on the way

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Whoever listens is told of what happens inside."""
        with watch_run(self.settings, self.recipe.run_id):
            tell_start(self.plan.documents, self.model)
            error: BaseException | None = None
            try:
                yield
            except BaseException as raised:
                error = raised
                raise
            finally:
                tell_end(self.progress, self.engine, error)

    def _note(self, receipts: Sequence[Receipt]) -> None:
        tell_kept(receipts)
        for receipt in receipts:
            self.new.count(receipt.state, receipt.review)
        self.last = receipts[-1]
        self._tell("read")

    def _tell(self, stage: Stage, done: int | None = None) -> None:
        kept, new, last, session = self.remaining.kept, self.new, self.last, self.model.session if self.model else None
        spent = session.spent if session else None
        progress = Progress(
            stage,
            done=kept.done + new.done if done is None else done,
            total=self.plan.documents,
            kept=kept.done,
            failed=kept.failed + new.failed,
            quarantined=kept.quarantined + new.quarantined,
            flagged=kept.flagged + new.flagged,
            in_flight=self.engine.in_flight,
            calls_in_flight=session.calls_in_flight if session else 0,
            calls=spent.calls if spent else 0,
            cached=sum(n for (_, is_cached), n in session.asker.replied.items() if is_cached) if session else 0,
            input_tokens=spent.input_tokens if spent else 0,
            output_tokens=spent.output_tokens if spent else 0,
            usd=None if spent is None or spent.unpriced_calls else spent.cost_usd,
            seconds=time.perf_counter() - self.clock,
            path=last.ticket.entry.path if last else "",
            status=last.status if last else None,
            is_ending=self.engine.is_interrupted or self.engine.stopped_by is not None,
        )
        if stage == "read":
            tell_standing(self.progress, progress)
            self.progress = progress
        self.file.note(progress)
        self.on_progress(progress)

    # ---------------------------------------------------------------- the end

    def conclude(self) -> RunSummary:
        """Write the outputs of all that is done, and say how it went."""
        engine = self.engine
        self._tell("read")
        is_nothing_done = not self.progress.done
        if is_nothing_done and engine.stopped_by:
            raise engine.stopped_by
        if is_nothing_done and engine.is_interrupted:  # earlier outputs are not replaced by empty ones
            self.file.end("interrupted")
            account = {**self._open_account(), **self.file.describe("interrupted")}
            return RunSummary(account, (), (), 0, is_interrupted=True, left=self.plan.documents)
        with ExitStack() as cleanup:
            writer = cleanup.enter_context(OutputWriter(self.out_dir)) if self.out_dir else None
            tally = put_together(self.plan, self.recipe, self.keeper, writer, self._tell_written)
            is_ended_early = engine.stopped_by is not None or engine.is_interrupted
            if tally.left and not is_ended_early:
                raise OutputError(f"{tally.left} documents are gone from the ledger. Nothing was replaced; run again.")
            self._tell("write", tally.counts.documents)  # run.json ends with it
            if writer:
                writer.seal()
            left = self.remaining.count_left(self.new.done) if is_ended_early else 0
            account = self._give_account(tally, left)
            # Behind publish nothing may fail: it would put its own words over the account of outputs that are in place.
            notable = read_notable(tally, self.recipe, self.keeper)
            if self.filing:
                self.filing.finish(account, is_interrupted=account["state"] != "finished")
            outputs = writer.publish(account) if writer else ()
            if not left:  # else whoever goes back to the settings of before begins anew, for nothing
                self._sweep()
            return RunSummary(
                account=account,
                outputs=outputs,
                notable=notable,
                failed=tally.states.get("failed", 0) + tally.states.get("quarantined", 0),
                is_interrupted=account["is_interrupted"],
                kept=self.remaining.kept.done,
                quarantined=tally.states.get("quarantined", 0),
                left=left,
                xlsx_rows_left_out=writer.xlsx_rows_left_out if writer else 0,
                standing=self.standing.tell(),
                stopped_by=str(engine.stopped_by) if engine.stopped_by else None,
                run_id=self.filing.run_id if self.filing else None,
            )

    def _sweep(self) -> None:
        """Throw away what documents were once read to in another way: the outputs are of this one."""
        if self.ledger:
            for path in self.ledger.parent.glob(_LEDGER.format("*") + "*"):
                if not path.name.startswith(self.ledger.name):
                    with suppress(OSError):  # it takes room, and nothing else
                        path.unlink(missing_ok=True)

    def _tell_written(self, done: int) -> None:
        if done % _PAGE == 0:
            self._tell("write", done)

    def _open_account(self) -> dict[str, Any]:
        """What run.json says from the beginning."""
        started_at = self.started_at.isoformat(timespec="seconds")
        return {"versions": VERSIONS, "started_at": started_at, "arguments": dict(self.arguments)}

    def _give_account(self, tally: Tally, left: int) -> dict[str, Any]:
        engine, filing = self.engine, self.filing
        is_interrupted = engine.is_interrupted and left > 0  # too late, where everything was under way
        state: RunState = "stopped" if engine.stopped_by else "interrupted" if is_interrupted else "finished"
        stopped_by = str(engine.stopped_by) if engine.stopped_by else None
        return {
            **self.file.describe(state, stopped_by),
            **self._open_account(),
            "run_id": self.recipe.run_id,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self.clock, 3),
            "is_interrupted": is_interrupted,
            "stopped_by": stopped_by,
            "files": self.plan.files,
            "kept": self.remaining.kept.done,
            "left": left,
            "quarantined": tally.states.get("quarantined", 0),
            "incomplete": tally.states.get("incomplete", 0),
            **tally.counts.describe(),
            "errors": tally.errors,
            "confidence": self.standing.describe(),
            "audit": tally.describe_audit(self.settings.audit_share),
            "model": self.model.describe() if self.model else None,
            "store": {"name": filing.name, "run_id": filing.run_id} if filing else None,
            "manifest_rows_unmatched": self.plan.unmatched,
        }


def _check_places(out_dir: Path | None, store: Store | None) -> None:
    if store and store.address.removeprefix("sqlite:///") == ":memory:":
        problem = "is in memory, where no other process sees it; documents are made in several"
        raise SettingsError(f"store: {store.name} {problem}. Name a file, or postgresql://USER@HOST/DATABASE.")
    if out_dir is None and store is None:
        raise SettingsError("nowhere to write to. Give a folder with --out, a store with --store, or both.")


def _sign(settings: Settings, model: ModelPart | None, standing: Standing) -> str:
    if model is None:
        return sign(settings, "template", standing, {})
    session = model.session
    versions = collect_versions(str(model.policy), session.model, settings.prompts_dir)
    parts = {"parameters": session.asker.parameters, "prompts": dict(versions.prompts), "model": session.model}
    return sign(settings, model.policy, standing, {**parts, "replies_from": session.replies_from})
