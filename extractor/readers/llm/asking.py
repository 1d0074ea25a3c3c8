"""Asking one thing: the prompt, the call, and what to do when the reply is of no use.

Lives here: building calls, asking again after an invalid reply, and turning a failed call into a
finding. Does not live here: what is asked (tables, facts) and how a call travels (extractor.llm).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from extractor.flags import CATALOGUE, make_flag
from extractor.llm.calls import Asker, BudgetReached, Call, CallError, Image, Reply, ReplyInvalid
from extractor.llm.prompts import Prompt, ask_for, load_prompt
from extractor.model import Candidate, Flag, Reading
from extractor.settings import Settings

READER = "llm"
T = TypeVar("T")


@dataclass(slots=True)
class PartReading:
    """What asking about one part of a document gave. Parts are put together by extractor.readers.llm."""

    candidates: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    generation: dict[str, str] = field(default_factory=dict)

    def fail(self, error: CallError, part: str, unread: Sequence[str]) -> None:
        """Note a call without a reply.

        Raises:
            BudgetReached: the run's limit is reached: it stops here, and the document is not finished.
        """
        if isinstance(error, BudgetReached) and error.scope == "run":
            raise error
        code = error.code if error.code in CATALOGUE else CallError.code
        self.flags.append(make_flag(code, part=part, problem=str(error)))
        self.unread.extend(unread)

    def add(self, other: PartReading) -> None:
        """Take in another part."""
        self.candidates |= other.candidates
        self.flags += other.flags
        self.unread += other.unread
        self.generation |= other.generation

    async def gather(self, parts: Iterable[Awaitable[PartReading]]) -> None:
        """Take in parts that are being asked about, in their order.

        All are waited for, so that none goes on asking for a document that is given up.
        """
        for part in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(part, BaseException):
                raise part
            self.add(part)

    def finish(self, reader: str, versions: Mapping[str, str]) -> Reading:
        """The whole of a document as one reading."""
        return Reading(
            reader, self.generation, self.candidates, tuple(self.flags), unread=tuple(self.unread), versions=versions
        )


async def ask_all(questions: Iterable[Awaitable[T]], reading: PartReading, part: str, unread: str) -> list[T]:
    """Wait for all answers about one part; what has none is noted, and the others count.

    Raises:
        BudgetReached: the run's limit is reached.
        ServerRefused: the server refuses every call alike.
    """
    answers: list[T] = []
    errors: list[BaseException] = []
    for answer in await asyncio.gather(*questions, return_exceptions=True):
        if isinstance(answer, BaseException):
            errors.append(answer)
        else:
            answers.append(answer)
    for error in errors:
        if not isinstance(error, CallError):
            raise error
        reading.fail(error, part, [unread])
    return answers


class Questioner:
    """Asks about one document and notes which prompts and replies its reading rests on."""

    def __init__(self, asker: Asker, document_id: str, settings: Settings) -> None:
        self.document_id = document_id
        self.reasks = settings.reasks
        self.chunk_tokens = settings.chunk_tokens
        self.versions: dict[str, str] = {}
        self._prompts_dir = settings.prompts_dir
        self._asker = asker
        self._origins: set[str] = set()

    async def ask(
        self,
        task: str,
        text: str,
        words: Mapping[str, str],
        *,
        rows: Sequence[str] | None = None,
        turn: int = 0,
        images: tuple[Image, ...] = (),
    ) -> Any:
        """Ask, and ask again while the reply does not have the agreed form.

        Args:
            task: the prompt's name.
            text: the document's text; with images, what to do with them.
            words: what fills the prompt's placeholders.
            rows: numbers of the rows to answer, when not all.
            turn: how often this very text was asked before.
            images: pictures to look at.

        Returns:
            An instance of the prompt's schema.

        Raises:
            CallError: no usable reply.
        """
        prompt = load_prompt(task, self._prompts_dir)
        system = prompt.render(**words)
        for extra in range(self.reasks + 1):
            call = Call(
                task=prompt.task,
                prompt_version=prompt.version,
                schema=prompt.schema,
                system=system,
                user=text if images else ask_for(text, rows),
                max_output_tokens=prompt.max_output_tokens,
                document_id=self.document_id,
                images=images,
                round=turn * (self.reasks + 1) + extra,
            )
            try:
                reply = await self._asker.ask(call)
            except ReplyInvalid:
                if extra == self.reasks:
                    raise
                continue
            self._note(prompt, reply)
            return reply.value
        raise AssertionError("unreachable")  # pragma: no cover

    def _note(self, prompt: Prompt, reply: Reply) -> None:
        self.versions[f"prompt.{prompt.task}"] = prompt.version
        self._origins.add(reply.origin)
        self.versions["replies"] = ", ".join(sorted(self._origins))
