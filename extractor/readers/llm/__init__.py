"""The model reader: asks a language model, and believes only what it finds again in the source.

Lives here: putting together what was asked about the text of one document. Does not live here: what is asked
(extractor.readers.policy), the calls themselves (extractor.llm), alignment (extractor.grounding), the reader that
shows pictures of the paper (vision). Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractor.llm.calls import Asker
from extractor.model import Chunk, Document, Reading
from extractor.readers.llm.asking import READER, PartReading, Questioner
from extractor.readers.llm.facts import FactQuestion
from extractor.readers.llm.tables import TableQuestion
from extractor.readers.policy import Asks
from extractor.settings import Settings

__all__ = ["LlmReader"]


class LlmReader:
    """Reads by asking. One for a whole run."""

    def __init__(self, asker: Asker, model: str, settings: Settings) -> None:
        self._asker = asker
        self._model = model
        self._settings = settings

    async def read(self, document: Document, chunks: Sequence[Chunk], asks: Asks) -> Reading:
        """Ask everything about one document at once.

        Raises:
            BudgetReached: the run's limit is reached.
            ServerRefused: the server refuses every call alike.
        """
        questioner = Questioner(self._asker, document.id, self._settings)
        parts = [TableQuestion(document, ask, questioner).read() for ask in asks.tables]
        if asks.header:
            parts.append(FactQuestion(document, chunks, questioner).read_header())
        if asks.narrative:
            facts = FactQuestion(document, chunks, questioner)
            parts.append(facts.read_older() if asks.is_older else facts.read_narrative())
        whole = PartReading()
        await whole.gather(parts)
        return whole.finish(READER, {"model": self._model, **dict(sorted(questioner.versions.items()))})
