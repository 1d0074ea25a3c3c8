"""Values recognised from ink: which are in doubt, and what vouches for one that was recognised only once.

Lives here: doubts of words and cells, brought to the fields that rest on them, and the findings about them. Does not
live here: how the doubts came about (extractor.sources.pages) and the sums themselves (balances). Called by the
pipeline, only for sources with pages.

A second look by the same engine is a look, not a second reader: it may misread a blot alike twice. And a model that
is given the text of the OCR has seen no ink at all: its agreement clears nothing. Only who saw the image does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import CellState, Document, Doubt, EquationResult, Flag, Grid, Paper, Span
from extractor.reconcile.balances import Balances, count_of, weigh_balances
from extractor.reconcile.merge import Merged
from extractor.reconcile.paper import PaperIndex

VISION = "vision"
PERSON = "person"
_WITHOUT_SUMS = "proactive_disclosure."
_TABLES = ("proactive_disclosure.", "applications.", "review_litigation.")
# Cells are looked at twice where the engine is less than certain. Facts outside the tables are long: of one wrong
# character in a phone number or an agency's name nothing else tells.
_LEAST_OF_FACTS = 0.9
# A printed 0 and an empty cell add up alike, so that no sum tells them apart: it takes ink that is clearly a 0.
_CLEARLY_INK = 0.9
ONE_LOOK: Doubt = "one_look"
_HAN = re.compile("[\u3400-\u9fff]")
_SAID: Mapping[Doubt, tuple[str, str]] = {
    "looks_differ": ("两次识别结果不同", "two recognitions of the same ink differ"),
    "unsure": ("识别把握不大", "the engine is not sure"),
    "faint": ("看似空白的格内有淡墨迹", "an empty cell shows traces of something"),
    "structure": ("格线的两种判断不一致", "two ways to find the cells of the table differ here"),
}
SUMS = ("空格按无数计，各项之和与总计不符", "with empty cells counted as nothing the sums do not add up")


class FieldInk(NamedTuple):
    """The ink under one field.

    Attributes:
        doubts: of its words and its cell.
        confidence: the least of its characters; 1 of an empty cell; None where a text layer gave them.
        spans: the evidence.
    """

    doubts: frozenset[Doubt]
    confidence: float | None
    spans: tuple[Span, ...]

    @property
    def has_clear_doubt(self) -> bool:
        """Whether there is more against it than that nobody looked twice."""
        return bool(self.doubts - {ONE_LOOK})


def examine_ink(merged: Mapping[str, Merged], document: Document) -> dict[str, FieldInk]:
    """The ink under every field that was recognised or is doubted, and that nobody else saw.

    Left out are fields of a text layer without a doubt, those that a person read, and those that a model read alike
    from the image. A source without pages has none.
    """
    if document.paper is None or not _has_ink(document.paper):
        return {}
    index = PaperIndex(document.paper)
    doubted_rows = _list_doubted_rows(document, document.paper)
    torn_rows = {(table, row) for table, row, _ in _list_torn(document.paper)}
    shared = _list_shared(merged)
    found: dict[str, FieldInk] = {}
    for field_id, entry in merged.items():
        if entry.printed.reader == PERSON or VISION in entry.confirmed_by or not entry.printed.spans:
            continue
        ink = _look_under(entry.printed.spans, index, shared)
        # No sum tells of a number of section two that stands one cell off.
        rows = doubted_rows | torn_rows if field_id.startswith(_WITHOUT_SUMS) else doubted_rows
        if any((span.table, span.row) in rows for span in entry.printed.spans):
            ink = ink._replace(doubts=ink.doubts | {"structure"})
        if ink.confidence is not None and not field_id.startswith(_TABLES):
            if ink.confidence < _LEAST_OF_FACTS or _has_variant(entry.printed.raw):
                ink = ink._replace(doubts=ink.doubts | {"unsure"})
        elif ink.confidence is not None and not all(map(index.cell_under, ink.spans)):
            # Numbers of a table without rules stand in running text: nobody looked at them twice.
            ink = ink._replace(doubts=ink.doubts | {ONE_LOOK})
        if ink.doubts or ink.confidence is not None:
            found[field_id] = ink
    return found


def _has_ink(paper: Paper) -> bool:
    is_doubted = any(word.doubt for word in paper.words) or any(cell.doubt for cell in paper.cells.values())
    return is_doubted or any(page.read_by == "ocr" for page in paper.pages)


def _has_variant(text: str | None) -> bool:
    """Whether a fact has a character that official texts do not: the engine reads 財 for 财, and is sure of it."""
    for character in _HAN.findall(text or ""):
        try:
            character.encode("gb2312")
        except UnicodeEncodeError:
            return True
    return False


def _look_under(spans: tuple[Span, ...], index: PaperIndex, shared: Collection[Span]) -> FieldInk:
    doubts: set[Doubt] = set()
    confidences: list[float] = []
    for span in spans:
        words, cell = index.words_under(span), index.cell_under(span)
        cells = index.row_behind(span) if span in shared else [cell] if cell else []
        doubts.update([word.doubt for word in words if word.doubt], [one.doubt for one in cells if one.doubt])
        if (confidence := index.confidence_of(words, cell)) is not None:
            confidences.append(confidence)
    return FieldInk(frozenset(doubts), min(confidences, default=None), spans)


def _list_shared(merged: Mapping[str, Merged]) -> frozenset[Span]:
    """Spans of rows that are empty as a whole: their first cell stands for all of them."""
    blanks = Counter(
        entry.printed.spans[0]
        for entry in merged.values()
        if entry.printed.state is CellState.BLANK and entry.printed.spans
    )
    return frozenset(span for span, count in blanks.items() if count > 1)


def _list_torn(paper: Paper) -> Iterator[tuple[int, int, int]]:
    """Grid, row and column of the cells whose borders are in doubt."""
    return (key for key, cell in paper.cells.items() if cell.doubt == "structure")


def _list_doubted_rows(document: Document, paper: Paper) -> set[tuple[int | None, int | None]]:
    """Grid and row of the labels of one row whose cell is doubted: they may be those of the row beside it.

    A label whose characters are doubted needs nothing here: it is one of the form's all the same, or the readers say
    that it is like one (`label-inexact`). A doubted cell over several rows holds the name of a group of rows, or, where
    numbers stand right beside it, the labels of each of them.
    """
    torn = set(_list_torn(paper))
    doubted: set[tuple[int | None, int | None]] = set()
    for block in document.blocks if torn else ():
        if not isinstance(block, Grid):
            continue
        words = {(cell.row, cell.column) for cell in block.cells if _HAN.search(document.view, cell.start, cell.end)}
        others = {(cell.row, cell.column) for cell in block.cells} - words
        for cell in block.cells:
            if (cell.row, cell.column) not in words or (block.index, cell.row, cell.column) not in torn:
                continue
            rows = range(cell.row, cell.row + cell.row_span)
            if len(rows) == 1 or any((row, cell.column + cell.column_span) in others for row in rows):
                doubted.update((block.index, row) for row in rows)
    return doubted


# ---------------------------------------------------------------- what is in doubt


def flag_doubts(ink: Mapping[str, FieldInk]) -> tuple[Flag, ...]:
    """Name the fields whose ink is in doubt: one flag for each kind of doubt and part of the form."""
    return tuple(
        make_flag("ocr-uncertain", fields=fields, spans=_spans(ink, fields), doubts_zh=zh, doubts_en=en)
        for doubt, (zh, en) in _SAID.items()
        for fields in _by_part(name for name, one in ink.items() if doubt in one.doubts)
    )


def flag_unconfirmed(
    ink: Mapping[str, FieldInk],
    merged: Mapping[str, Merged],
    generation: Mapping[str, str],
    equations: Sequence[EquationResult],
    once: Collection[str] | None = None,
) -> Iterator[Flag]:
    """Name the fields that sums speak against, and those recognised once for which no sum speaks.

    What vouches for a value recognised once only, besides that it stands in no equation that fails:

    - A number other than 0: an equation that balances with it, and in it another number other than 0 that was looked
      at twice, or in all its equations two others. One other alone may be the same figure printed twice, and misread
      alike twice: `1` and 总计 `1`, both taken for `7`.
    - A 0: an equation that balances with it, and ink that the engine clearly takes for a 0. In section 三 a number
      misread as 0 breaks the sum of its column even where its row and the row's total are misread alike; in 四, which
      has only the row, two numbers would have to be misread as a clear 0 both. That all terms are 0 is allowed: most
      rows of most reports are so, and to refuse them would refuse nearly everything.
    - A mark for "none": as a 0.

    Args:
        ink: see examine_ink.
        merged: all fields of the document.
        generation: form generation per table section.
        equations: see evaluate_equations.
        once: the fields to vouch for; None for all that were recognised once only.
    """
    if not ink:
        return
    balances = weigh_balances(merged, generation, equations)
    against = [name for name in ink if name in balances.unbalanced]
    for fields in _by_part(against):
        yield make_flag("ocr-uncertain", fields=fields, spans=_spans(ink, fields), doubts_zh=SUMS[0], doubts_en=SUMS[1])
    lone = [name for name, one in ink.items() if (ONE_LOOK in one.doubts if once is None else name in once)]
    for fields in _by_part(name for name in lone if not _is_vouched_for(name, ink, merged, balances)):
        yield make_flag("ocr-unconfirmed", fields=fields, spans=_spans(ink, fields))


def _is_vouched_for(
    field_id: str, ink: Mapping[str, FieldInk], merged: Mapping[str, Merged], balances: Balances
) -> bool:
    if field_id in balances.contradicted or field_id not in balances.witnesses:
        return False
    if not count_of(merged[field_id]):
        return (ink[field_id].confidence or 0) >= _CLEARLY_INK
    others = [name for name in balances.witnesses[field_id] if name not in ink or not ink[name].has_clear_doubt]
    return len(others) > 1 or any(name not in ink or not ink[name].doubts for name in others)


def _spans(ink: Mapping[str, FieldInk], fields: Iterable[str]) -> list[Span]:
    return list(dict.fromkeys(span for name in fields for span in ink[name].spans))


def _by_part(fields: Iterable[str]) -> Collection[list[str]]:
    """Fields by the part of the form that they stand in, so that a person meets each part once."""
    parts: dict[str, list[str]] = {}
    for field_id in fields:
        parts.setdefault(field_id.partition(".")[0], []).append(field_id)
    return parts.values()
