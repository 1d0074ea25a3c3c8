"""The driver's side of what travels: chunks written as orders, and the purse that they spend from.

Lives here: what all orders of a run have in common, what is learnt from reports. Does not live here: the nouns (order),
which chunk goes when (engine).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from extractor.bulk.cluster.order import Order, Parcel, Spending, pick_settings, strip_password, take_fingerprint
from extractor.bulk.cluster.pictures import collect_pictures
from extractor.bulk.flow import ModelPart
from extractor.bulk.making import Source
from extractor.bulk.recipe import Recipe
from extractor.llm.budget import Limits
from extractor.settings import Settings
from extractor.store.quota import PICO, Quota


class OrderBook:
    """The orders of one run."""

    def __init__(self, recipe: Recipe, model: ModelPart | None, run: Limits, document: Limits) -> None:
        """Begin one.

        Args:
            run: what the run may spend, over all machines.
            document: what each document may spend.

        Raises:
            SettingsError: store or journal is a file.
        """
        self._settings, self._limits = recipe.settings, run
        nonce, name = uuid4().hex, model.session.model if model else None
        run_id = model.session.run_id if model else recipe.run_id
        self._order = Order(
            number=0,
            recipe=replace(recipe, settings=Settings.model_construct(), store=None),
            settings=pick_settings(recipe.settings),
            store=strip_password(recipe.store or recipe.settings.store, "store"),
            journal=strip_password(recipe.settings.journal, "journal") if model else None,
            fingerprint=take_fingerprint(recipe.settings, recipe.policy, name, nonce),
            nonce=nonce,
            model=name,
            spending=Spending(run_id, run != Limits(), document),
            parcels=(),
        )

    def write(self, number: int, share: int, sources: Sequence[Source]) -> bytes:
        """A chunk as it travels, with so many calls in flight."""
        settings = {**self._order.settings, "concurrency": share}
        parcels = [self._pack(source) for source in sources]
        return pickle.dumps(replace(self._order, number=number, settings=settings, parcels=parcels), 5)

    def learn_reply_mode(self, mode: str) -> None:
        """How the server keeps to the schema: later chunks need not find it out."""
        self._order = replace(self._order, settings={**self._order.settings, "reply_mode": mode})

    @contextmanager
    def open_purse(self) -> Iterator[None]:
        """What the run may spend is kept in the store inside; what is still held at the end is charged."""
        spending, limits = self._order.spending, self._limits
        if not spending.has_purse:
            yield
            return
        most_usd = None if limits.max_usd is None else int(Decimal(str(limits.max_usd)) * PICO)
        with closing(Quota.open(self._settings.store)) as quota:
            quota.open_purse(spending.run_id, limits.max_calls, limits.max_tokens, most_usd)
            try:
                yield
            finally:
                quota.close_purse(spending.run_id)

    def _pack(self, source: Source) -> Parcel:
        raw, most_bytes = source.raw, self._settings.max_source_mb * 1_000_000
        pictures = collect_pictures(raw, source.ticket.entry.where, most_bytes) if raw is not None else {}
        return Parcel(source.ticket, raw, pictures, source.problem)
