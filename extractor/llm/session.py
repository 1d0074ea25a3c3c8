"""The model for one run: where replies come from, what may be spent, and the account of both.

Lives here: putting journal, budget, client and asker together, from the settings. Does not live
here: reading documents (extractor.readers). Made by the commands, closed by whoever runs them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from extractor.errors import SettingsError
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import Call, sampling_parameters
from extractor.llm.client import ModelClient
from extractor.settings import Settings
from extractor.store.journal import Journal
from extractor.store.replay import read_replies

_NO_MODEL = "no model is set. Set EXTRACTOR_MODEL, or name one with --model."


class Session:
    """A model to ask during one run.

    Attributes:
        asker: answers calls.
        model: the name of the model.
        run_id: whom requests are booked on in the journal.
    """

    def __init__(self, asker: JournalAsker, journal: Journal, client: ModelClient | None, budget: Budget) -> None:
        self.asker = asker
        self.model = asker.model
        self.run_id = asker.run_id
        self._journal = journal
        self._client = client
        self._budget = budget

    def describe(self) -> dict[str, Any]:
        """What was asked and spent, as plain data for run.json."""
        spent = self._budget.spent
        return {
            "name": self.model,
            "run_id": self.run_id,
            "is_live": self._client is not None,
            "replies": [
                {"origin": origin, "from_journal": is_cached, "count": count}
                for (origin, is_cached), count in sorted(self.asker.replied.items())
            ],
            "missing": self.asker.missing,
            "spent": {
                "calls": spent.calls,
                "input_tokens": spent.input_tokens,
                "output_tokens": spent.output_tokens,
                "cached_tokens": spent.cached_tokens,
                "usd": None if spent.unpriced_calls else round(spent.cost_usd, 6),
            },
        }

    def stop(self) -> None:
        """Send nothing more; what is under way goes on to its end and into the journal."""
        self._budget.stop("the run is being ended")

    async def aclose(self) -> None:
        """Close connections and journal."""
        if self._client:
            await self._client.aclose()
        self._journal.close()


def open_live(settings: Settings, run: Limits, document: Limits, on_notice: Callable[[str], None]) -> Session:
    """A session that asks the server for what is not in the journal.

    Raises:
        SettingsError: no model, no price where one is needed, or no usable journal.
    """
    if settings.model is None:
        raise SettingsError(_NO_MODEL)
    price = settings.prices.get(settings.model)
    budget = Budget(run, document, price, model=settings.model)
    journal = Journal.open(settings.journal)
    asker = JournalAsker(
        settings.model,
        sampling_parameters(settings),
        journal,
        cost=budget.cost,
        run_id=uuid.uuid4().hex[:12],
        keeps_requests=settings.journal_requests,
    )
    asker.client = ModelClient(settings, budget=budget, on_attempt=asker.book, on_notice=on_notice)
    return Session(asker, journal, asker.client, budget)


def open_recorded(
    settings: Settings, replay: Path | None, on_missing: Callable[[str, Call], None] = lambda key, call: None
) -> Session:
    """A session that asks nobody: replies come from a replay file, or from the journal when there is none.

    The model and its parameters are those of the replies; where a file holds several models'
    replies, the settings name one.

    Raises:
        SettingsError: no usable file or journal, or no model to choose.
    """
    if replay is None:
        if settings.model is None:
            raise SettingsError(_NO_MODEL)
        journal, model, parameters = Journal.open(settings.journal), settings.model, sampling_parameters(settings)
    else:
        journal = Journal.open(":memory:")
        journal.import_replies(replay)
        model, parameters = _choose_recorded(replay, settings.model)
    asker = JournalAsker(model, parameters, journal, on_missing=on_missing)
    return Session(asker, journal, None, Budget(Limits(), Limits(), None))


def _choose_recorded(replay: Path, wanted: str | None) -> tuple[str, dict[str, object]]:
    models = {reply.model: dict(reply.parameters) for reply in read_replies(replay)}
    if len(models) == 1:
        return next(iter(models.items()))
    if wanted in models:
        return str(wanted), models[str(wanted)]
    names = ", ".join(models) or "none"
    raise SettingsError(f"{replay}: replies of these models: {names}. Name one of them with --model.")
