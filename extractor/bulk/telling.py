"""What a run tells of itself: its begin and end, what was kept, how much is under way.

Lives here: from the nouns of a run to the events that are told. Does not live here: who listens and what is made of it
(extractor.telemetry). Called by run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from extractor.bulk.keeping import Receipt
from extractor.bulk.progress import Progress
from extractor.telemetry.events import BatchKept, DocumentEnded, RunEnded, RunResumed, RunStarted, Standing
from extractor.telemetry.watching import tell

if TYPE_CHECKING:
    from extractor.bulk.engines import RunEngine
    from extractor.bulk.flow import ModelPart


def tell_start(documents: int, model: ModelPart | None) -> None:
    """A run of so many documents begins."""
    tell(RunStarted(documents, model.policy if model else "template", model.session.model if model else None))


def tell_kept(receipts: Sequence[Receipt]) -> None:
    """Documents are safe, in one transaction or several."""
    for receipt in receipts:
        entry = receipt.ticket.entry
        tell(
            DocumentEnded(
                entry.document_id,
                entry.position,
                "quarantined" if receipt.state == "quarantined" else receipt.status.value,
                receipt.stages,
                attempts=receipt.ticket.attempts,
                doubted=receipt.review,
                reason=receipt.reason,
            )
        )
    transactions = Counter(stage for receipt in receipts for stage in receipt.stages if stage.name == "file")
    for filed, documents in transactions.items():
        tell(BatchKept(documents, filed.seconds))


def tell_standing(before: Progress, now: Progress) -> None:
    """So much is done, at work, and waiting."""
    if now.kept and not before.kept:
        tell(RunResumed())
    tell(Standing(max(0, (now.total or 0) - now.done - now.in_flight), now.in_flight, now.calls_in_flight))


def tell_end(last: Progress, engine: RunEngine, error: BaseException | None) -> None:
    """The run is over.

    Args:
        last: how far it came.
        engine: knows whether it ended early.
        error: what ended it from outside; None where its outputs are written.
    """
    cause = engine.stopped_by or error
    tell(
        RunEnded(
            documents=last.done,
            kept=last.kept,
            failed=last.failed,
            quarantined=last.quarantined,
            flagged=last.flagged,
            is_interrupted=engine.is_interrupted,
            seconds=last.seconds,
            stopped_by=getattr(cause, "code", type(cause).__name__) if cause else "",
        )
    )
