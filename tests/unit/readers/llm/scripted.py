"""A model reader in front of answers that a test writes, and the documents that it reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flatten

from extractor.chunks import split_chunks
from extractor.forms import Section, load_forms
from extractor.llm.calls import Asker, Call, Reply, Usage, call_key
from extractor.model import Chunk, Document, Reading
from extractor.readers.llm import LlmReader
from extractor.readers.policy import Asks, TableAsk
from extractor.settings import Settings
from extractor.sources import read_document

Json = Mapping[str, object]
#: What a call is answered with: an object of its schema, or what is raised instead.
Answering = Callable[[Call], Json | Exception]

_FENCED = re.compile(r"<(?P<mark>原文 \w+)>\n(?P<text>.*)\n</(?P=mark)>\Z", re.DOTALL)
_ROWS = re.compile(r"\A只答第([\d、]+)行\n")


class ScriptedAsker(Asker):
    """Answers as the test says, and remembers what was asked."""

    def __init__(self, answer: Answering) -> None:
        self.calls: list[Call] = []
        self._answer = answer

    async def ask(self, call: Call) -> Reply:
        self.calls.append(call)
        await asyncio.sleep(0)
        answer = self._answer(call)
        if isinstance(answer, Exception):
            raise answer
        return Reply(call_key(call, "m", {}), call.schema.model_validate(answer), Usage(), "simulated")

    @property
    def tasks(self) -> list[str]:
        return [call.task for call in self.calls]


def shown_in(call: Call) -> str:
    """The document text of a call."""
    found = _FENCED.search(call.user)
    assert found is not None
    return found["text"]


def rows_in(call: Call) -> list[str] | None:
    """The row numbers that a call asks for; None where it asks for all."""
    found = _ROWS.match(call.user)
    return found[1].split("、") if found else None


def read_asks(document: Document, asks: Asks, answer: Answering, **settings: Any) -> tuple[Reading, ScriptedAsker]:
    """Read with answers; `settings` are those that differ."""
    asker = ScriptedAsker(answer)
    reader = LlmReader(asker, "m", Settings(**settings))
    return asyncio.run(reader.read(document, split_chunks(document), asks)), asker


# ---------------------------------------------------------------- documents


def load(raw: str | bytes) -> Document:
    return read_document(raw.encode() if isinstance(raw, str) else raw, "report", Settings())


def form_of(section: str, generation: str = "2021") -> Section:
    found = load_forms().section(section, generation)
    assert found is not None
    return found


def chunk_of(document: Document, section: str) -> Chunk:
    """The chunk with a section's table, or the widest one without."""
    own = [chunk for chunk in split_chunks(document) if chunk.section == section]
    return next(
        (chunk for chunk in own if chunk.table or chunk.runs),
        max(own, key=lambda one: one.end - one.start, default=own[0]),
    )


def print_form(layout: str, printed: Mapping[str, str] | None = None, generation: str = "2021") -> Document:
    """The form in a layout; by default with made-up numbers that satisfy its equations."""
    return load(flatten.LAYOUTS[layout](flatten.build_tables(generation, printed or numbers(generation))))


def print_page(**markup: str) -> Document:
    """The form as a web page, with the markup of some cells (`__` for the dot)."""
    marks = {name: f"mark{place}mark" for place, name in enumerate(markup)}
    page = flatten.html_page(flatten.build_tables("2021", numbers(**marks))).decode("gbk")
    for name, mark in marks.items():
        page = page.replace(mark, markup[name])
    return load(page.encode("gbk"))


def numbers(generation: str = "2021", **changes: str) -> dict[str, str]:
    """Made-up numbers of all cells, with changes (`__` for the dot)."""
    printed = flatten.as_printed(flatten.make_values(generation, 1))
    return printed | {name.replace("__", "."): text for name, text in changes.items()}


def rows_of(section: Section, printed: Mapping[str, str]) -> list[list[str | None]]:
    """What a perfect reader would answer about a table."""
    return [
        [str(number), *(printed[section.field_id(row.id, column.id)] or None for column in row.columns)]
        for number, row in enumerate(section.rows, start=1)
    ]


def ask_table(document: Document, section: str, rows: Sequence[str] | None = None, **changes: Any) -> Asks:
    """Ask for one table, or some of its rows."""
    form = form_of(section)
    ids = tuple(row.id for row in form.rows) if rows is None else tuple(rows)
    return Asks(tables=(TableAsk(form, "2021", chunk_of(document, section), ids, **changes),))
