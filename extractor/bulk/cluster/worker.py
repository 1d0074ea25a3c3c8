"""A worker's part: one chunk, made by the engine of a local run, kept in the store.

Lives here: what a worker checks, its own settings, which documents of the chunk are left. Does not live here: making
and keeping (extractor.bulk.engine), what travels (order). Called on the worker, in a thread.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from extractor.bulk.cluster.order import Order, Parcel, Report, refuse_difference, take_fingerprint, take_versions
from extractor.bulk.cluster.pictures import lay_out
from extractor.bulk.engine import Engine
from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt, Ticket
from extractor.bulk.making import Source
from extractor.bulk.recipe import Recipe
from extractor.errors import NotInStore, SettingsError
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.llm.shared import SharedLimits
from extractor.model import Status
from extractor.settings import Settings, load_settings
from extractor.store.ledger import LedgerMark
from extractor.store.quota import Quota
from extractor.store.store import Store
from extractor.telemetry.events import StageTime
from extractor.telemetry.watching import gather_events

# For a lock of a machine that was cut off: the database ends its session after a while.
_PATIENCE_S = 120


def work_chunk(versions: Mapping[str, str], payload: bytes) -> bytes:
    """Make a chunk.

    Args:
        versions: of the driver (take_versions). Nothing else is looked at before these are the same.
        payload: an Order, pickled.

    Returns:
        A Report, pickled.

    Raises:
        SettingsError: this worker is not as the driver wants it.
        StoreError, OutputError: the database is away.
    """
    refuse_difference(versions, take_versions(), socket.gethostname())
    if multiprocessing.current_process().daemon:
        problem = f"worker {socket.gethostname()} may not start processes of its own"
        raise SettingsError(f"{problem}. Start it with DASK_DISTRIBUTED__WORKER__DAEMON=False in its environment.")
    order: Order = pickle.loads(payload)  # noqa: S301 - from the driver, whose code this worker runs anyway
    return pickle.dumps(_work(order), 5)


def _work(order: Order) -> Report:
    recipe = _make_recipe(order)
    receipts, left = _look_up(recipe, order.parcels)
    notices: list[str] = []
    model = _open_model(order, recipe.settings, notices.append) if order.model and left else None
    engine = Engine(recipe, model, on_kept=receipts.extend)
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder, gather_events() as events:
        engine.run(_unpack(left, Path(folder)))
    session = model.session if model else None
    return Report(
        receipts=[_strip(receipt) for receipt in receipts],
        stopped=_describe_stop(engine),
        replied=dict(session.asker.replied) if session else {},
        missing=session.asker.missing if session else 0,
        spent=session.spent if session else None,
        reply_mode=session.reply_mode if session else None,
        notices=notices,
        events=events,
    )


# ---------------------------------------------------------------- its own


def _make_recipe(order: Order) -> Recipe:
    """The recipe with this machine's own settings."""
    own = load_settings()
    store = _choose(own.store, order.store)
    update = {**order.settings, "store": store, "certificate": None}
    if order.journal is not None:
        update["journal"] = _choose(own.journal, order.journal)
    settings = own.model_copy(update=update)
    found = take_fingerprint(settings, order.recipe.policy, order.model, order.nonce)
    refuse_difference(order.fingerprint, found, socket.gethostname())
    return replace(order.recipe, settings=settings, store=store)


def _choose(own: str, travelled: str) -> str:
    """This machine's own address, which may hold a password; else the driver's, which does not."""
    return own if "://" in own else travelled


def _open_model(order: Order, settings: Settings, on_notice: Callable[[str], None]) -> ModelPart:
    spending = order.spending
    quota = _open_quota(settings.store, os.getpid())
    shared = SharedLimits(quota, spending.run_id, f"chunk {order.number}", spending.has_purse)
    session = open_live(settings, Limits(), spending.document, on_notice, shared)
    return ModelPart.build(order.recipe.policy, session, settings)


@cache
def _open_quota(where: str, _process: int) -> Quota:
    return Quota.open(where, lock_timeout_s=_PATIENCE_S)


@cache
def _open_store_of(where: str, run_id: str, process: int) -> Store:
    """The store, looked at once for each run: a worker with another one would keep documents where nobody looks."""
    store = _open_store(where, process)
    try:
        with store.read() as books:
            books.runs.get(run_id)
    except NotInStore as error:
        problem = f"worker {socket.gethostname()}: {store.name} is not the store of the driver"
        raise SettingsError(f"{problem}. Correct EXTRACTOR_STORE there, or leave it out.") from error
    return store


@cache
def _open_store(where: str, _process: int) -> Store:
    return Store.open(where, lock_timeout_s=_PATIENCE_S)


# ---------------------------------------------------------------- what is left of the chunk


def _look_up(recipe: Recipe, parcels: Sequence[Parcel]) -> tuple[list[Receipt], list[Parcel]]:
    """What a worker that died with this chunk kept of it, and what is left to do."""
    with _open_store_of(recipe.store or "", recipe.run_id, os.getpid()).read() as books:
        marks = books.ledger.find([parcel.ticket.key for parcel in parcels])
    done, left = [], []
    for parcel in parcels:
        mark = marks.get(parcel.ticket.key)
        if mark and mark.attempts >= parcel.ticket.attempts:
            done.append(_receive(parcel.ticket, mark))
        else:
            left.append(parcel)
    return done, left


def _receive(ticket: Ticket, mark: LedgerMark) -> Receipt:
    status = Status.FAILED if mark.state in ("failed", "quarantined") else Status.SUCCEEDED
    looked_up = StageTime("file", time.time_ns(), 0.0)  # who timed its stages is dead
    return Receipt(ticket, mark.state, status, mark.review, (looked_up,), "")


def _unpack(parcels: Sequence[Parcel], folder: Path) -> Iterator[Source]:
    for number, parcel in enumerate(parcels):
        ticket, raw = parcel.ticket, parcel.raw
        where = lay_out(folder, number, raw, parcel.pictures) if raw is not None and parcel.pictures else ""
        ticket = ticket._replace(entry=ticket.entry._replace(where=where))
        yield Source(ticket, raw, problem=parcel.problem)


def _strip(receipt: Receipt) -> Receipt:
    """Without what the driver has anyway."""
    entry = receipt.ticket.entry._replace(origins=(), where="")
    return receipt._replace(ticket=receipt.ticket._replace(entry=entry))


def _describe_stop(engine: Engine) -> tuple[str, str] | None:
    error = engine.stopped_by
    if error is None:
        return None
    return type(error).__name__, str(error)
