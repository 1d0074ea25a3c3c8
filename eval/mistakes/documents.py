"""Documents whose every cell is known: the fixtures, and made-up ones in all layouts; whole, damaged, or misread.

Lives here: making them, with label and truth. Does not live here: reading them (collect).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from eval import simulate
from extractor.evaluation.labels import Label, LabelledCell, load_label
from extractor.forms import Section, load_forms
from extractor.model import CellState, Document
from extractor.readers.cells import read_cell
from extractor.settings import Settings
from extractor.sources import load_document, read_document
from tests import flatten, mutations
from tests.loopback.generated import generate
from tests.loopback.labelled import load_truth
from tests.loopback.mistakes import Mistakes
from tests.loopback.replies import TableReply
from tests.loopback.truths import Truth

#: Layouts whose bytes are no text: no characters are taken out of them.
_NOT_TEXT = ("word",)
#: Without white space there is nothing to damage between words.
_NO_SPACE = ("glued", "joined_by_bars")
_PAGE = "html_page"
# Cut off, a document no longer prints what its label says.
_DAMAGES = [mutate for mutate in mutations.TEXT_MUTATIONS if mutate is not mutations.cut_off]

Printed = Mapping[str, str]


class Known(NamedTuple):
    """A document, its label, and what the simulated reader may read in it.

    Attributes:
        name: the same for all that is made of one document: whole, damaged or misread, it is one unit.
        printed: text of every field; empty for a fixture.
        lost: characters that are missing from labels and headings.
    """

    name: str
    document: Document
    label: Label
    truth: Truth
    printed: Printed
    lost: int = 0


def make_known(*, is_quick: bool) -> Iterator[Known]:
    """The fixtures, and made-up documents, no two with the same numbers."""
    yield from _load_fixtures()
    layouts = list(flatten.LAYOUTS)[: 12 if is_quick else None]
    for seed, (layout, generation) in enumerate(product(layouts, simulate.GENERATIONS)):
        # Some have lost characters, some cells, some nothing.
        yield _make(layout, generation, seed, 20 if seed % 3 == 2 else 0, 0.1 if seed % 2 else 0.0)
    if not is_quick:
        for seed, (layout, generation) in enumerate(product(simulate.LAYOUTS, simulate.GENERATIONS), 1000):
            yield _make(layout, generation, seed, 20, 0.1)


def make_damaged(known: Known, copies: int) -> Iterator[Known]:
    """A made-up document with its structure damaged, its numbers as they were."""
    layout = known.label.layout
    if layout in (*_NOT_TEXT, *_NO_SPACE) or not known.printed:
        return
    kinds = mutations.HTML_MUTATIONS if layout == _PAGE else _DAMAGES
    for number in range(copies):
        rng = random.Random(f"{known.name}/{number}")
        text = known.document.raw.decode(_charset(layout))
        for _ in range(1 + number % 3):
            text = rng.choice(kinds)(rng, text)
        document = read_document(text.encode(_charset(layout)), known.name, Settings())
        yield known._replace(document=document)


def make_misread(known: Known, mistake: str, rate: float) -> Known:
    """A made-up document whose text is wrong before any reader sees it, as when pages were read by a machine.

    The label says what the page prints, the truth what the text says: nobody who reads the text can see the difference.
    A row that the text has lost is absent by the label, too: that much can be seen.
    """
    mistakes = Mistakes(1, {mistake: rate})
    printed: dict[str, str] = {}
    for name, generation in known.label.generation.items():
        section = load_forms().section(name, generation)
        assert section is not None
        reply, _ = mistakes.spoil_rows(_as_reply(section, known.printed), f"{known.name}/{rate}")
        # A form of one row has no row to leave out.
        rows = {**_as_reply(section, known.printed).rows, **reply.rows} if section.layout == "one_row" else reply.rows
        for row, cells in rows.items():
            columns = section.rows_by_id[row].columns
            texts = (cell or "" for cell in cells)
            printed |= zip((section.field_id(row, column.id) for column in columns), texts, strict=True)
    document, truth = _print(known.label, known.name, printed, known.lost)
    return known._replace(
        document=document, truth=truth, label=forget_rows(known.label, known.printed.keys() - printed)
    )


def forget_rows(label: Label, absent: Set[str]) -> Label:
    """The label of a document in which the rows of these fields are not printed any more."""
    cells = {name: LabelledCell(CellState.ROW_ABSENT) if name in absent else cell for name, cell in label.cells.items()}
    return replace(label, cells=cells)


def _as_reply(section: Section, printed: Printed) -> TableReply:
    rows = {
        row.id: tuple(printed[section.field_id(row.id, column.id)] or None for column in row.columns)
        for row in section.rows
    }
    return TableReply(section, rows, tuple(rows))


def _load_fixtures() -> Iterator[Known]:
    for path in sorted((simulate.ROOT / "eval" / "gold").glob("*.json")):
        if truth := load_truth(path):
            label = load_label(path)
            yield Known(label.name, load_document(simulate.ROOT / label.file), label, truth, {})


def _make(layout: str, generation: str, seed: int, lost: int, empty_share: float) -> Known:
    name = f"{layout}-{generation}-{seed}"
    rng = random.Random(name)
    values = flatten.as_printed(flatten.make_values(generation, seed))
    printed = {field_id: "" if rng.random() < empty_share else text for field_id, text in values.items()}
    generations = dict.fromkeys(load_forms().generations[generation].sections, generation)
    cells = {field_id: _label_cell(text) for field_id, text in printed.items()}
    label = Label(name, name, "generated", generations, cells, layout=layout)
    document, truth = _print(label, name, printed, lost)
    return Known(name, document, label, truth, printed, lost)


def _print(label: Label, name: str, printed: Printed, lost: int) -> tuple[Document, Truth]:
    generation = next(iter(label.generation.values()))
    made = generate(label.layout, generation, printed)
    raw = made.raw
    if label.layout not in _NOT_TEXT:
        rng = random.Random(f"{name}/lost")
        text = raw.decode(_charset(label.layout))
        for _ in range(lost):
            text = mutations.drop_character_of_label(rng, text)
        raw = text.encode(_charset(label.layout))
    document = read_document(raw, name, Settings())
    return document, replace(made.truth, name=name, view=document.view)


def _label_cell(text: str) -> LabelledCell:
    if not text:
        return LabelledCell(CellState.BLANK)
    token = read_cell(text)
    return LabelledCell(token.state, token.value)


def _charset(layout: str) -> str:
    return "gb18030" if layout == _PAGE else "utf-8"
