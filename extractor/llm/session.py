"""The model for one run: where replies come from, what may be spent, and the account of both.

Lives here: putting journal, budget, client and asker together, from the settings. Does not live
here: reading documents (extractor.readers). Made by the commands, closed by whoever runs them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import SettingsError
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import Call, sampling_parameters
from extractor.llm.client import ModelClient
from extractor.settings import Settings
from extractor.store.journal import Journal
from extractor.store.replay import read_replies
from extractor.store.rows import Spent

if TYPE_CHECKING:
    from extractor.llm.shared import SharedLimits

_NO_MODEL = "no model is set. Set EXTRACTOR_MODEL, or name one with --model."


class Session:
    """A model to ask during one run.

    Attributes:
        asker: answers calls.
        model: the name of the model.
        run_id: whom requests are booked on in the journal.
        replies_from: what tells one source of replies from another: the hash of a replay file, or `journal`.
    """

    def __init__(
        self,
        asker: JournalAsker,
        journal: Journal,
        client: ModelClient | None,
        budget: Budget,
        replies_from: str = "journal",
    ) -> None:
        self.asker = asker
        self.replies_from = replies_from
        self.model = asker.model
        self.run_id = asker.run_id
        self._journal = journal
        self._client = client
        self._budget = budget
        self._elsewhere = Spent()

    def describe(self) -> dict[str, Any]:
        """What was asked and spent, as plain data for run.json."""
        spent = self.spent
        return {
            "name": self.model,
            "run_id": self.run_id,
            "is_live": self.is_live,
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

    @property
    def calls_in_flight(self) -> int:
        """Requests that wait for their reply."""
        return self._client.calls_in_flight if self._client else 0

    @property
    def is_live(self) -> bool:
        """Whether a server is asked for what is not on record."""
        return self._client is not None

    @property
    def reply_mode(self) -> str | None:
        """How the server keeps to the schema, where that is known."""
        return self._client.reply_mode if self._client else None

    @property
    def spent(self) -> Spent:
        """What was paid in this session, and elsewhere for it."""
        return self._budget.spent.plus(self._elsewhere)

    def count_elsewhere(self, spent: Spent, replied: Mapping[tuple[str, bool], int], missing: int) -> None:
        """Take in what another machine asked for this session: it was booked on the same run."""
        self._elsewhere = self._elsewhere.plus(spent)
        self.asker.missing += missing
        for kind, count in replied.items():
            self.asker.replied[kind] = self.asker.replied.get(kind, 0) + count

    def recount(self) -> None:
        """Take from the journal what was spent elsewhere: what died with its machine told nobody else.

        Raises:
            OutputError: the journal cannot be read.
        """
        self._elsewhere = self._journal.spent(self.run_id)

    def stop(self) -> None:
        """Send nothing more; what is under way goes on to its end and into the journal."""
        self._budget.stop("the run is being ended")

    async def aclose(self) -> None:
        """Close connections and journal."""
        if self._client:
            await self._client.aclose()
        await self._budget.aclose()
        self._journal.close()


def open_live(
    settings: Settings,
    run: Limits,
    document: Limits,
    on_notice: Callable[[str], None],
    shared: SharedLimits | None = None,
) -> Session:
    """A session that asks the server for what is not in the journal.

    Args:
        shared: where the limits of a run are kept whose calls are sent from many machines; it then counts what
            `run` allows. The requests are booked on its run.

    Raises:
        SettingsError: no model, no price where one is needed, or no usable journal.
        StoreError: the shared limits cannot be reached.
    """
    if settings.model is None:
        raise SettingsError(_NO_MODEL)
    price = settings.prices.get(settings.model)
    budget = Budget(run, document, price, model=settings.model)
    journal = Journal.open(settings.journal)
    if shared:
        budget = shared.make_budget(document, price, settings)
    asker = JournalAsker(
        settings.model,
        sampling_parameters(settings),
        journal,
        cost=budget.cost,
        run_id=shared.run_id if shared else uuid.uuid4().hex[:12],
        keeps_requests=settings.journal_requests,
    )
    rates = shared.make_rates(settings) if shared else None
    asker.client = ModelClient(settings, budget=budget, on_attempt=asker.book, on_notice=on_notice, rates=rates)
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
        replies_from = "journal"
    else:
        journal = Journal.open(":memory:")
        journal.import_replies(replay)
        model, parameters = _choose_recorded(replay, settings.model)
        replies_from = hashlib.sha256(replay.read_bytes()).hexdigest()
    asker = JournalAsker(model, parameters, journal, on_missing=on_missing)
    return Session(asker, journal, None, Budget(Limits(), Limits(), None), replies_from)


def _choose_recorded(replay: Path, wanted: str | None) -> tuple[str, dict[str, object]]:
    models = {reply.model: dict(reply.parameters) for reply in read_replies(replay)}
    if len(models) == 1:
        return next(iter(models.items()))
    if wanted in models:
        return str(wanted), models[str(wanted)]
    names = ", ".join(models) or "none"
    raise SettingsError(f"{replay}: replies of these models: {names}. Name one of them with --model.")
