"""The cells of one reply row against the tokens of one region.

Lives here: comparison in order, cell by cell, and the outcome that follows. Does not live here: which region is the
row's (anchors) and which columns are certain (placement). Called by rows and one_row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from extractor.grounding.alignment import NOT_FOUND, AlignedCell, RowOutcome
from extractor.grounding.pieces import Piece
from extractor.grounding.values import compare_cell, fold_token, looks_glued
from extractor.model import Document, Span

_MOST_SLOTS = 64  # what is longer is no row, and not worth the search

Reply = tuple[str | None, ...]
Judged = tuple[RowOutcome, tuple[AlignedCell, ...]]


def clean_reply(cells: Sequence[str | None]) -> Reply:
    """Cells without space around; a cell of nothing but space is an empty one."""
    return tuple((cell.strip() or None) if cell else None for cell in cells)


def judge_cells(document: Document, reply: Reply, slots: Sequence[Piece], columns: Sequence[Piece] | None) -> Judged:
    """What a reply row is worth.

    Args:
        document: the document.
        reply: the cells, cleaned.
        slots: everything behind the row's label, empty cells included.
        columns: the cell of each column, where that is certain.
    """
    printed = [slot for slot in slots if slot.kind != "empty"]
    if columns is not None:
        cells = _match_each(document, reply, columns)
        if cells:
            return ("placed" if printed else "blank"), cells
    elif printed:
        cells = _match_tokens(document, reply, printed)
        if cells:
            return ("glued" if _is_one_glued_token(document, printed) else "tokens"), cells
        cells = _match_runs(document, reply, slots)
        if cells:
            return "glued", cells
    elif slots and reply and not any(reply):
        return "tokens", (NOT_FOUND,) * len(reply)  # empty cells are to be seen, not all, or not for certain
    return "mismatch", match_what_fits(document, reply, slots)


def _match_each(document: Document, reply: Reply, slots: Sequence[Piece]) -> tuple[AlignedCell, ...] | None:
    if len(reply) != len(slots):
        return None
    found: list[AlignedCell] = []
    for said, slot in zip(reply, slots, strict=True):
        cell = _match_cell(document, said, slot)
        if cell is None:
            return None
        found.append(cell)
    return tuple(found)


def _match_cell(document: Document, said: str | None, slot: Piece) -> AlignedCell | None:
    """An empty cell is matched by None only, a printed one by its own text only."""
    if said is None or slot.kind == "empty":
        return AlignedCell("exact", slot.span()) if said is None and slot.kind == "empty" else None
    raw = document.text[slot.start : slot.end]
    alignment = compare_cell(said, raw, document.view[slot.start : slot.end])
    return AlignedCell(alignment, slot.span(), raw) if alignment else None


def _match_tokens(document: Document, reply: Reply, printed: Sequence[Piece]) -> tuple[AlignedCell, ...] | None:
    """The reply's texts are the printed tokens in order; where its empty cells stand says nothing."""
    said = [cell for cell in reply if cell is not None]
    found = _match_each(document, tuple(said), printed)
    return _spread(reply, found) if found else None


def _spread(reply: Reply, found: Sequence[AlignedCell]) -> tuple[AlignedCell, ...]:
    """Give the cells that hold text what was found for them, in order."""
    cells = iter(found)
    return tuple(NOT_FOUND if said is None else next(cells) for said in reply)


def _is_one_glued_token(document: Document, printed: Sequence[Piece]) -> bool:
    """A token that adjoins other text, or has too many digits, may hold more or less than its cell."""
    if any(looks_glued(document.view[piece.start : piece.end]) for piece in printed):
        return True
    return len(printed) == 1 and not printed[0].is_separated


# ---------------------------------------------------------------- digits that run together


def _match_runs(document: Document, reply: Reply, slots: Sequence[Piece]) -> tuple[AlignedCell, ...] | None:
    """Each printed run is the texts of some cells, one behind the other."""
    printed = [slot for slot in slots if slot.kind != "empty"]
    if not _may_be_glued(document, slots, printed):
        return None
    said = [cell for cell in reply if cell is not None]
    found: list[AlignedCell] = []
    for run in printed:
        cells = _cut_run(document, run, said[len(found) :])
        if cells is None:
            return None
        found.extend(cells)
    return _spread(reply, found) if len(found) == len(said) else None


def _may_be_glued(document: Document, slots: Sequence[Piece], printed: Sequence[Piece]) -> bool:
    """Whether borders of cells were lost: only then may one token hold several cells."""
    return len(slots) == 1 or any(
        not piece.is_separated or looks_glued(document.view[piece.start : piece.end]) for piece in printed
    )


def _cut_run(document: Document, run: Piece, said: Sequence[str]) -> list[AlignedCell] | None:
    """Cut a run of digits into the cells that it begins with; None when they do not add up to it."""
    positions = [i for i in range(run.start, run.end) if not document.view[i].isspace() and document.view[i] != "\x00"]
    compact = "".join(document.view[i] for i in positions)
    found: list[AlignedCell] = []
    at = 0
    for cell in said:
        if at == len(compact):
            break
        text = "".join(fold_token(cell).split())
        if not compact.startswith(text, at) or not text:
            return None
        start, end = positions[at], positions[at + len(text) - 1] + 1
        span = run.span()
        raw = document.text[start:end]
        found.append(
            AlignedCell(
                "exact" if raw == cell else "normalised", Span(start, end, span.table, span.row, span.cell), raw
            )
        )
        at += len(text)
    return found if at == len(compact) else None


# ---------------------------------------------------------------- what is left of a row that does not match


def match_what_fits(document: Document, reply: Reply, slots: Sequence[Piece]) -> tuple[AlignedCell, ...]:
    """The most cells of a reply that stand there in this order; the others are not found."""
    slots = slots[:_MOST_SLOTS]
    pairs = {
        (i, j): cell
        for i, said in enumerate(reply)
        for j, slot in enumerate(slots)
        if (cell := _match_cell(document, said, slot))
    }
    best = [[0] * (len(slots) + 1) for _ in range(len(reply) + 1)]
    for i in range(len(reply) - 1, -1, -1):
        for j in range(len(slots) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + _weight(pairs.get((i, j))))
    return tuple(_walk_back(reply, slots, pairs, best))


def _weight(cell: AlignedCell | None) -> int:
    """A printed token counts more than any number of empty cells."""
    return 0 if cell is None else (1 if cell.raw is None else 100)


def _walk_back(
    reply: Reply, slots: Sequence[Piece], pairs: dict[tuple[int, int], AlignedCell], best: list[list[int]]
) -> Iterator[AlignedCell]:
    j = 0
    for i in range(len(reply)):
        while j < len(slots) and best[i][j] == best[i][j + 1]:
            j += 1
        cell = pairs.get((i, j))
        if cell and best[i][j] == best[i + 1][j + 1] + _weight(cell):
            yield cell
            j += 1
        else:
            yield NOT_FOUND
