"""A table as a line of atoms: labels, values, empty cells and other text, in order of print.

Lives here: classifying what stands in the cells of one section's table, whether the source
separates them (grids) or only their labels do (running text). Does not live here: which row a
value belongs to (tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from extractor.forms import LabelRef, drop_note, find_labels, fold_label, load_forms
from extractor.model import CellRange, Document, Grid, Span
from extractor.readers.cells import BLANK, GLUED, UNPARSABLE, Token, find_tokens, read_cell

AtomKind = Literal["label", "cell", "text"]

_LEAST_LIKENESS = 0.7
_LEAST_MARGIN = 0.1
_LEAST_FUZZY_CHARS = 4
# A known label counts for a longer wording of which it is at least this part.
_LEAST_SHARE_OF_CELL = 0.5
_LONGEST_LABEL = 90
_MOST_ROWS = 1_000_000
_HAN = re.compile("[\u3400-\u9fff]")
_DIGITS = re.compile(r"[\d.,+/—-]*\d[\d.,+/—-]*", re.A)
_SEVERAL = re.compile(r"[+-]?\d[\d.,]*(?:[ \t\n\x00]+[+-]?\d[\d.,]*)+", re.A)
_ORDINAL = re.compile(r"\s*(?:\(|\d+\s*[.、,]|[一二三四五六七]、)")
# In front of a label OCR may lose the 、.
_WORN_ORDINAL = re.compile(rf"{_ORDINAL.pattern}|\s*[一二三四五六七]")


class Atom(NamedTuple):
    """One printed thing.

    Attributes:
        kind: `label`; `cell` (a value, a mark, an empty cell, or something unreadable where a
            value may stand); `text` (anything else, most often an unknown label).
        folded: the folded label, for labels.
        refs: what the label may mean.
        is_exact: false for a label taken by likeness.
        has_ordinal: whether an ordinal is printed in front of the label.
        token: what a cell says.
        is_separated: whether cell borders, spaces or line ends stand on both sides of a cell.
        is_printed: false for an empty cell only.
        grid, cell: where it stands; None in running text.
        row: grid and row number where rows are known, as one comparable number; else None.
    """

    kind: AtomKind
    start: int
    end: int
    folded: str = ""
    refs: tuple[LabelRef, ...] = ()
    is_exact: bool = True
    has_ordinal: bool = False
    token: Token = BLANK
    is_separated: bool = True
    is_printed: bool = True
    grid: Grid | None = None
    cell: int | None = None
    row: int | None = None

    def span(self) -> Span:
        """Where it stands in the source."""
        if self.grid is None or self.cell is None:
            return Span(start=self.start, end=self.end)
        cell = self.grid.cells[self.cell]
        return Span(start=self.start, end=self.end, table=self.grid.index, row=cell.row, cell=cell.column)


def grid_atoms(document: Document, part: CellRange, section: str) -> Iterator[Atom]:
    """The atoms of cells that the source separates."""
    view = document.view
    grid = next(block for block in document.blocks if isinstance(block, Grid) and block.index == part.grid)
    for position in range(part.first, part.last):
        cell = grid.cells[position]
        row = None if grid.kind == "stream" else grid.index * _MOST_ROWS + cell.row
        token = read_cell(view[cell.start : cell.end])
        if token is UNPARSABLE and grid.kind != "matrix" and _SEVERAL.fullmatch(view[cell.start : cell.end]):
            token = GLUED  # a border between two cells is lost
        if token is not UNPARSABLE:
            is_printed = token is not BLANK
            yield Atom("cell", cell.start, cell.end, "", (), True, False, token, True, is_printed, grid, position, row)
        else:
            for atom in _label_atoms(view, cell.start, cell.end, section):
                yield atom._replace(grid=grid, cell=position, row=row)


def _label_atoms(view: str, start: int, end: int, section: str) -> Iterator[Atom]:
    """A cell that is no number: a label, a label and numbers in one cell, or other text."""
    text = view[start:end]
    refs, folded = _match_label(text, section)
    if refs:
        yield Atom("label", start, end, folded, refs, has_ordinal=_has_ordinal(text))
        return
    ordinal = _WORN_ORDINAL.match(text)  # the number of a label, not of a cell, though only the label's rest is known
    body = start + (ordinal.end() if ordinal else 0)
    inner = [atom for atom in run_atoms(view, start, end, section) if atom.kind != "text" and atom.end > body]
    if any(atom.kind == "label" for atom in inner) and len(inner) > 1:
        yield from inner  # text left over is part of a label that is printed in another wording
        return
    likely = _match_alike(folded, section)
    if not likely and inner and inner[0].refs and len(inner[0].folded) >= _LEAST_SHARE_OF_CELL * len(folded):
        likely = inner[0].folded, inner[0].refs
    if likely:
        yield Atom("label", start, end, likely[0], likely[1], False, _has_ordinal(text))
    else:
        yield Atom("text", start, end, token=UNPARSABLE)


def run_atoms(view: str, start: int, end: int, section: str) -> Iterator[Atom]:
    """The atoms of running text: known labels, and what stands between them."""
    position = start
    for hit in find_labels(view, start, end, section):
        yield from _between_labels(view, position, hit.start, section)
        yield Atom("label", hit.start, hit.end, hit.folded, hit.refs, has_ordinal=hit.has_ordinal)
        position = hit.end
    yield from _between_labels(view, position, end, section)


def _between_labels(view: str, start: int, end: int, section: str) -> Iterator[Atom]:
    for token_start, token_end in find_tokens(view, start, end):
        text = view[token_start:token_end]
        token = read_cell(text)
        if token is UNPARSABLE and _DIGITS.fullmatch(text):
            token = GLUED
        if token is not UNPARSABLE:
            yield Atom(
                "cell", token_start, token_end, token=token, is_separated=_is_separated(view, token_start, token_end)
            )
            continue
        likely = _match_alike(fold_label(text), section) if len(text) <= _LONGEST_LABEL else None
        if likely:
            yield Atom("label", token_start, token_end, likely[0], likely[1], False, _has_ordinal(text))
        else:
            yield Atom("text", token_start, token_end, token=UNPARSABLE)


def _is_separated(view: str, start: int, end: int) -> bool:
    before = view[start - 1] if start else " "
    after = view[end] if end < len(view) else " "
    return before in " \t\n\x00|" and after in " \t\n\x00|"


def _has_ordinal(text: str) -> bool:
    return _ORDINAL.match(text) is not None


@lru_cache(maxsize=8192)
def _match_label(text: str, section: str) -> tuple[tuple[LabelRef, ...], str]:
    folded = fold_label(text) if len(text) <= 2 * _LONGEST_LABEL else ""
    index = load_forms().label_index
    for variant in (folded, fold_label(drop_note(text)) if folded else ""):
        refs = tuple(ref for ref in index.get(variant, ()) if ref.section == section)
        if refs:
            return refs, variant
    return (), folded


@lru_cache(maxsize=4096)
def _match_alike(folded: str, section: str) -> tuple[str, tuple[LabelRef, ...]] | None:
    """The one label of the section that a misprinted one is like, or None when two come close."""
    if len(_HAN.findall(folded)) < _LEAST_FUZZY_CHARS:
        return None
    index = {
        label: refs for label, refs in load_forms().label_index.items() if any(ref.section == section for ref in refs)
    }
    best = process.extract(
        folded,
        index.keys(),
        scorer=Levenshtein.normalized_similarity,
        limit=4,
        score_cutoff=_LEAST_LIKENESS - _LEAST_MARGIN,
    )
    if not best or best[0][1] < _LEAST_LIKENESS:
        return None
    refs = tuple(ref for ref in index[best[0][0]] if ref.section == section)
    rivals = [
        name for name, score, _ in best[1:] if score > best[0][1] - _LEAST_MARGIN and not set(index[name]) & set(refs)
    ]
    return None if rivals else (best[0][0], refs)
