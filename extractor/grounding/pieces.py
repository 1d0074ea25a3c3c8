"""A table as pieces in order of print: labels, value tokens, empty cells and other text.

Lives here: telling what stands in the cells of a chunk's table, whether borders separate them or only their
labels do. Does not live here: which row a piece belongs to (regions). Called by regions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from extractor.forms import LabelRef, drop_note, find_labels, fold_label, load_forms
from extractor.grounding.values import NUMERALS, is_mark, is_number
from extractor.model import Cell, CellRange, Chunk, Document, Grid, Paragraph, Span

PieceKind = Literal["label", "value", "empty", "text"]

_LONGEST_LABEL = 180
_SPACE = " \t\n\x00"
_BORDERS = frozenset(" \t\n\x00|")
_ENDS = _BORDERS | frozenset("。;")
_HAN = re.compile("[\u3400-\u9fff]")
_MOST_HAN_IN_A_VALUE = 4
_ORDINAL = re.compile(r"\s*(?:\(|\d+\s*[.、,]|[一二三四五六七]、)")
_NUMERAL = re.compile(f"[{NUMERALS}]+")
# Behind an empty cell stands a border or a line end, and nothing that was hidden from readers (a page number).
_TEXT_BEHIND = re.compile(r"[ ]*[^\s\x00|]")
_HIDDEN_BEHIND = re.compile(r"[ \n]*\x00{3}")
_HIDDEN_BEFORE = re.compile(r"\x00{3}[ \n]*$")
_MOST_SPACE = 12
_ORDINAL_END = re.compile("[.、,][ \t]*[\u3400-\u9fff(“]")
_MOST_ORDINAL_DIGITS = 2


class Piece(NamedTuple):
    """One printed thing.

    Attributes:
        refs: what a label may mean, in its section.
        has_ordinal: whether an ordinal is printed in front of a label.
        is_separated: whether borders, spaces or line ends stand on both sides of a value.
        is_note: whether a text stands in parentheses.
        grid, cell: where it stands; None in running text.
        row: number of the grid's row where rows are known; else None.
    """

    kind: PieceKind
    start: int
    end: int
    refs: tuple[LabelRef, ...] = ()
    has_ordinal: bool = False
    is_separated: bool = True
    is_note: bool = False
    grid: Grid | None = None
    cell: Cell | None = None
    row: int | None = None

    def span(self) -> Span:
        """Where it stands in the source."""
        if self.grid is None or self.cell is None:
            return Span(self.start, self.end)
        return Span(self.start, self.end, self.grid.index, self.cell.row, self.cell.column)


def collect_pieces(document: Document, chunk: Chunk) -> list[list[Piece]]:
    """The pieces of a chunk's table, part by part (grids and stretches of running text) in order of print.

    Short lines between the grids of one table belong to it: they hold labels torn from their rows. Without a known
    table all of the chunk is searched.
    """
    grids = {block.index: block for block in document.blocks if isinstance(block, Grid)}
    parts = [
        (grids[cells.grid].cells[cells.first].start, list(_grid_pieces(document, grids[cells.grid], cells, chunk)))
        for cells in chunk.table
    ]
    texts = _torn_text(document, [grids[cells.grid] for cells in chunk.table])
    texts += [run for run in chunk.runs if not any(run[0] < end and start < run[1] for start, end in texts)]
    if not parts and not texts:
        texts = [(chunk.start, chunk.end)]
    parts += [(start, list(_run_pieces(document.view, start, end, chunk.section))) for start, end in texts]
    return [pieces for _, pieces in sorted(parts, key=lambda part: part[0])]


def _torn_text(document: Document, grids: list[Grid]) -> list[tuple[int, int]]:
    if len({grid.index for grid in grids}) < 2:
        return []
    return [
        (block.start, block.end)
        for block in document.blocks
        if isinstance(block, Paragraph)
        and grids[0].end <= block.start
        and block.end <= grids[-1].start
        and "。" not in document.view[block.start : block.end]
    ]


# ---------------------------------------------------------------- cells that the source separates


def _grid_pieces(document: Document, grid: Grid, cells: CellRange, chunk: Chunk) -> Iterator[Piece]:
    view = document.view
    for cell in grid.cells[cells.first : cells.last]:
        row = None if grid.kind == "stream" else cell.row
        start, end = _trim(view, cell.start, cell.end)
        text = view[start:end]
        if start == end:
            if _is_no_cell(view, start):
                continue
            yield Piece("empty", start, end, (), False, True, False, grid, cell, row)
        elif text.isdigit() or is_number(text):
            yield Piece("value", start, end, (), False, True, False, grid, cell, row)
        else:
            for piece in _read_text_cell(view, start, end, chunk.section):
                yield piece._replace(grid=grid, cell=cell, row=row)


def _is_no_cell(view: str, position: int) -> bool:
    """Whether the border of an empty cell was a line end, or the edge of something hidden."""
    if _TEXT_BEHIND.match(view, position) or _HIDDEN_BEHIND.match(view, position):
        return True
    return _HIDDEN_BEFORE.search(view[max(0, position - _MOST_SPACE) : position]) is not None


def _trim(view: str, start: int, end: int) -> tuple[int, int]:
    body = view[start:end]
    text = body.strip(_SPACE)
    begin = start + (body.index(text) if text else 0)
    return begin, begin + len(text)


def _read_text_cell(view: str, start: int, end: int, section: str) -> Iterator[Piece]:
    """A cell that is no number: a label, a label and numbers, a value of an odd kind, or other text."""
    text = view[start:end]
    refs = _match_label(text, section) if end - start <= _LONGEST_LABEL else ()
    if refs:
        yield Piece("label", start, end, refs, _ORDINAL.match(text) is not None)
        return
    inner = [piece for piece in _run_pieces(view, start, end, section) if piece.kind != "text"]
    labels = [piece for piece in inner if piece.kind == "label"]
    if len(inner) > len(labels) > 0 or (labels and _is_most_of(labels, text)):
        yield from inner  # what is left over is a note, or a label in another wording
    elif any(map(str.isdigit, text)) and not _ORDINAL.match(text) and len(_HAN.findall(text)) <= _MOST_HAN_IN_A_VALUE:
        yield Piece("value", start, end)
    else:
        yield Piece("text", start, end)


def _is_most_of(labels: Sequence[Piece], text: str) -> bool:
    """Whether a cell of text is its labels, and not some other label that names two rows of the form."""
    rows = sum(1 for label in labels if {ref.role for ref in label.refs} == {"row"})
    return rows <= 1 and len(_HAN.findall(text)) <= 2 * sum(label.end - label.start for label in labels)


@lru_cache(maxsize=8192)
def _match_label(text: str, section: str) -> tuple[LabelRef, ...]:
    index = load_forms().label_index
    for variant in (fold_label(text), fold_label(drop_note(text))):
        refs = tuple(ref for ref in index.get(variant, ()) if ref.section == section)
        if refs:
            return refs
    return ()


# ---------------------------------------------------------------- running text


def _run_pieces(view: str, start: int, end: int, section: str) -> Iterator[Piece]:
    position = start
    for hit in find_labels(view, start, end, section):
        yield from _between_labels(view, position, hit.start)
        yield Piece("label", hit.start, hit.end, hit.refs, hit.has_ordinal)
        position = hit.end
    yield from _between_labels(view, position, end)


@cache
def _tokens() -> re.Pattern[str]:
    forms = load_forms()
    units = "|".join(map(re.escape, sorted([*forms.count_units, *forms.money_units], key=len, reverse=True)))
    # A note in parentheses belongs to its number, but not an ordinal of the next label.
    note = r"[ \t]*\((?![一二三四五六七八九十\d]{1,2}\))[^()\n]*\)"
    return re.compile(
        r"(?P<rule>[-—=_+|:]{3,})"
        rf"|(?P<number>[+-]?\d(?:[\d\x00.,/+—-]*[\d\x00])?)(?P<tail>(?:[ \t]?(?:{units}))?(?:{note})?)"
        r"|(?P<note>\([^()]{0,60}\))"
        r"|(?P<word>[^\s\x00|\d(]+|\()",
        re.A,
    )


def _between_labels(view: str, start: int, end: int) -> Iterator[Piece]:
    if not view[start:end].strip(_SPACE):
        return
    for match in _tokens().finditer(view, start, end):
        if match["number"]:
            yield _read_number(view, match, end)
        elif match["note"]:
            yield Piece("text", *match.span(), is_note=True)
        elif match["word"]:
            yield from _read_word(view, *match.span())


def _read_number(view: str, match: re.Match[str], limit: int) -> Piece:
    """A run of digits, less the ordinal of an unknown label that is glued to its end."""
    start, end = match.span("number")
    if match["tail"] or end >= limit or not _ORDINAL_END.match(view, end):
        start, end = _trim(view, start, match.end())
        return Piece("value", start, end, is_separated=_is_separated(view, start, end))
    if end - start == 1 or (end - start <= _MOST_ORDINAL_DIGITS and _is_separated(view, start, start)):
        return Piece("text", start, end)
    return Piece("value", start, end - 1, is_separated=False)


def _read_word(view: str, start: int, end: int) -> Iterator[Piece]:
    """A mark or a Chinese numeral that stands alone, or text; lone punctuation is nothing."""
    word = view[start:end]
    if _is_separated(view, start, end) and (is_mark(word) or _NUMERAL.fullmatch(word)):
        yield Piece("value", start, end)
    elif word.strip("|,，。;；、.:\"'“”()"):
        yield Piece("text", start, end)


def _is_separated(view: str, start: int, end: int) -> bool:
    before = view[start - 1] if start else " "
    after = view[end] if end < len(view) else " "
    return before in _BORDERS and (start == end or after in _ENDS)
