"""A report as damage sees it: parts in order of print, their tables as boxes, and what every cell prints.

Lives here: the noun Report, and what every kind of damage does with it: printing a cell anew, changing words or
tables. Does not live here: where clean reports come from (clean), how a report becomes a file (layouts), any damage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from extractor.evaluation.labels import LabelledCell
from extractor.model import CellState
from tests.flatten import Box, Table

# Pinyin behind a character: beside the text, not in it.
_GLOSS = re.compile(r"\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]+\)")
_FACT = re.compile(r"\{([a-z_]+\.[a-z_]+)\}")


@dataclass(frozen=True)
class ValueBox(Box):
    """A box that prints cells of the form: one, or several that ran together.

    Attributes:
        field_id: of the first of them.
    """

    field_id: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a report.

    Attributes:
        section: id of the section; `header` and `end` for what has no heading; `site` for what the web page adds.
        heading: "" for none.
        items: paragraphs and tables in order of print. `{narrative.reviews}` in a paragraph stands for that fact.
    """

    section: str
    heading: str
    items: tuple[str | Table, ...]


@dataclass(frozen=True)
class Report:
    """One report on its way to a file.

    Attributes:
        source: whose figures: a label's name, or a profile of made-up ones.
        profile: what its made-up figures look like; for those of a label the nearest one.
        layout: how its tables become text (layouts.LAYOUTS).
        generation: per table section.
        cells: the truth: by field id, what the file will print.
        facts: the truth about header and narrative: None where nothing is stated. A fact that is not a key is not
            judged.
        stated: the facts that the running text has numbers of, judged or not.
        edits: what happens to the text once it is one.
    """

    source: str
    profile: str
    layout: str
    generation: Mapping[str, str]
    parts: tuple[Part, ...]
    cells: Mapping[str, LabelledCell]
    facts: Mapping[str, object]
    stated: Mapping[str, object]
    edits: tuple[Callable[[str], str], ...] = ()


# ---------------------------------------------------------------- looking


def tables_of(report: Report) -> Iterator[tuple[str, Table]]:
    """Section and table of every table, or piece of one, in order of print."""
    for part in report.parts:
        for item in part.items:
            if not isinstance(item, str):
                yield part.section, item


def value_boxes(report: Report) -> list[ValueBox]:
    """Every box that prints cells, in order of print."""
    return [box for _, table in tables_of(report) for row in table for box in row if isinstance(box, ValueBox)]


def write_facts(paragraph: str, facts: Mapping[str, object]) -> str:
    """A paragraph with its numbers."""
    return _FACT.sub(lambda match: str(facts[match[1]]), paragraph)


# ---------------------------------------------------------------- changing


def print_cells(report: Report, texts: Mapping[str, str], cells: Mapping[str, LabelledCell]) -> Report:
    """Print boxes anew.

    Args:
        texts: by field id, what stands there now.
        cells: by field id, what that says; cells that are left out say what they said.
    """

    def change(box: Box) -> Box:
        return replace(box, text=texts[box.field_id]) if isinstance(box, ValueBox) and box.field_id in texts else box

    return replace(map_boxes(report, change), cells={**report.cells, **cells})


def map_boxes(report: Report, change: Callable[[Box], Box]) -> Report:
    """Change boxes one by one."""
    return map_tables(report, lambda _, table: (([[change(box) for box in row] for row in table]),))


def map_tables(report: Report, change: Callable[[str, Table], Iterable[str | Table]]) -> Report:
    """Put something in the place of each table, or piece of one."""
    return replace(
        report,
        parts=tuple(
            replace(
                part,
                items=tuple(
                    new
                    for item in part.items
                    for new in ((item,) if isinstance(item, str) else change(part.section, item))
                ),
            )
            for part in report.parts
        ),
    )


def map_words(report: Report, change: Callable[[str], str]) -> Report:
    """Change everything that is no cell of the form: labels, headings, running text.

    The title is then what is printed, without glosses; the agency's name, which stands in it, is judged no more once
    it has changed.
    """

    def change_box(box: Box) -> Box:
        return box if box.is_value else replace(box, text=change(box.text))

    changed = map_boxes(report, change_box)
    parts = tuple(
        replace(
            part,
            heading=change(part.heading),
            items=tuple(_change_words(item, change) if isinstance(item, str) else item for item in part.items),
        )
        for part in changed.parts
    )
    title = _GLOSS.sub("", next(str(part.items[0]) for part in parts if part.section == "header"))
    facts = dict(report.facts)
    if facts["header.title"] != title:
        facts["header.title"] = title
        facts.pop("header.agency_name", None)
    return replace(changed, parts=parts, facts=facts)


def _change_words(paragraph: str, change: Callable[[str], str]) -> str:
    """The words between the numbers that stand for facts."""
    pieces = re.split(r"(\{[a-z_.]+\})", paragraph)
    return "".join(piece if i % 2 else change(piece) for i, piece in enumerate(pieces))


def forget_facts(report: Report, *facts: str) -> Report:
    """Leave facts unjudged: the damaged text may state them or not."""
    return replace(report, facts={name: value for name, value in report.facts.items() if name not in facts})


def lose_rows(report: Report, rows: Iterable[str]) -> Report:
    """Note that rows (`section.row`) are printed no more."""
    gone = set(rows)
    absent = LabelledCell(CellState.ROW_ABSENT)
    cells = {name: absent if name.rpartition(".")[0] in gone else cell for name, cell in report.cells.items()}
    return replace(report, cells=cells)
