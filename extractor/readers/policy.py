"""What a model is asked about one document.

Lives here: the three policies that ask (`auto`, `both`, `llm`), from what the template reader found.
Does not live here: asking (extractor.readers.llm), what is shown of the paper (looks). Called by the pipeline.

`auto` asks only where an answer can help: rows that the template reader left open, a table that it
did not find under its heading, and the running text. A number whose column the source destroyed is
not asked for: no reader can know it. Digits that run together are, unless the equations allow one
way to split them only: the model's way is a candidate for the person who decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from extractor.forms import TABLE_SECTIONS, Section, load_forms
from extractor.model import CellState, Chunk, Document, Grid, Reading, Record

Policy = Literal["template", "auto", "both", "llm"]

# Findings about what is printed, about the file, or about its ink: reading the same text once more settles none.
_NOT_FOR_A_READER = frozenset(
    {
        "narrative-differs",
        "unit-differs",
        "not-a-count",
        "several-reports",
        "cut-off",
        "ocr-uncertain",
        "ocr-unconfirmed",
        "page-not-read",
    }
)
_HEADER_FACTS = ("header.title", "header.agency_name", "header.report_year")
# No reader can know the column, or a model's word would be no evidence beside what the equations say.
_BEYOND_READING = (CellState.POSITION_UNKNOWN, CellState.INFERRED_BY_EQUATION)
_NUMBER = re.compile(r"(?<![\d.年月])\d{1,7}(?![\d年月日]|\.\d)")
# A table of the form prints more numbers than this; text about it rarely does.
_LEAST_NUMBERS = 12


@dataclass(frozen=True, slots=True)
class TableAsk:
    """Rows of one table to ask for.

    Attributes:
        form: the section's table in the generation that was decided for it.
        chunk: where it stands; without table and runs, the text to look for it in.
        rows: row ids, in the form's order.
        is_without_columns: whether the source destroyed the positions: tokens are asked, not columns.
        is_searched: whether the table was not found, and all of the text is searched in windows.
    """

    form: Section
    generation: str
    chunk: Chunk
    rows: tuple[str, ...]
    is_without_columns: bool = False
    is_searched: bool = False


@dataclass(frozen=True, slots=True)
class Asks:
    """All that is asked about one document. `is_older`: before the national form."""

    tables: tuple[TableAsk, ...] = ()
    header: bool = False
    narrative: bool = False
    is_older: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables) or self.header or self.narrative


def choose_asks(policy: Policy, document: Document, chunks: Sequence[Chunk], template: Reading, draft: Record) -> Asks:
    """Choose what to ask.

    Args:
        template: the template reader's reading, for generations.
        draft: the record that it alone would give, for what is still open.
    """
    if policy == "template" or not template.is_report or any(flag.code == "several-reports" for flag in draft.flags):
        return Asks()
    is_open = policy == "auto"
    return Asks(
        tables=tuple(_choose_tables(document, chunks, template.generation, draft if is_open else None)),
        header=not is_open or _is_header_open(draft),
        narrative=True,
        is_older="pre2019" in template.generation.values(),
    )


def _is_header_open(draft: Record) -> bool:
    return any(name not in draft.fields or draft.fields[name].decision == "review" for name in _HEADER_FACTS)


def _choose_tables(
    document: Document, chunks: Sequence[Chunk], generation: Mapping[str, str], draft: Record | None
) -> Iterator[TableAsk]:
    if "pre2019" in generation.values():
        return
    found = next((name for name in generation.values() if name != "absent"), load_forms().national[0].generation)
    for section in TABLE_SECTIONS:
        is_absent = generation[section] == "absent"
        form = load_forms().section(section, found if is_absent else generation[section])
        chunk, is_searched = place_of(document, chunks, section, is_absent)
        if form is None or chunk is None:
            continue
        rows = tuple(row.id for row in form.rows)
        if draft is not None and not is_absent:
            is_row_open = find_open_rows(draft, _NOT_FOR_A_READER)
            rows = tuple(row for row in rows if f"{section}.{row}" in is_row_open)
        if rows:
            name = found if is_absent else generation[section]
            yield TableAsk(form, name, chunk, rows, _has_lost_columns(document, chunk), is_searched)


def place_of(document: Document, chunks: Sequence[Chunk], section: str, is_absent: bool) -> tuple[Chunk | None, bool]:
    """The chunk to ask about: the one with the table, else the section's text, else all of the text."""
    own = [chunk for chunk in chunks if chunk.section == section]
    if not is_absent:
        return next((chunk for chunk in own if chunk.table or chunk.runs), None), False
    if own:
        widest = max(own, key=lambda chunk: chunk.end - chunk.start)
        return (widest if _has_numbers(document, widest.start, widest.end) else None), False
    end = len(document.view)
    if any(chunk.has_heading for chunk in chunks) or not _has_numbers(document, 0, end):
        return None, False
    return Chunk(section, 0, end, has_heading=False), True


def _has_numbers(document: Document, start: int, end: int) -> bool:
    return len(_NUMBER.findall(document.view, start, end)) >= _LEAST_NUMBERS


def _has_lost_columns(document: Document, chunk: Chunk) -> bool:
    """Whether the source found that positions do not survive; decided once per grid, it binds the model too."""
    grids = {block.index: block for block in document.blocks if isinstance(block, Grid)}
    return any(grids[part.grid].is_padded for part in chunk.table)


def find_open_rows(draft: Record, beyond: Set[str]) -> set[str]:
    """Rows, as section.row, with a field for review.

    Args:
        draft: what the rules say.
        beyond: codes of findings that the reader who is to be asked could not settle; a field with no others is
            left out, and so is one whose column is lost.
    """
    reasons: dict[str, set[str]] = {}
    for flag in draft.flags:
        for field_id in flag.fields:
            reasons.setdefault(field_id, set()).add(flag.code)
    return {
        field_id.rpartition(".")[0]
        for field_id, field in draft.fields.items()
        if field.decision == "review"
        and field.state not in _BEYOND_READING
        and not (reasons.get(field_id) and reasons[field_id] <= beyond)
    }
