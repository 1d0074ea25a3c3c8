"""The text of every cell of a table, with what doubt about it remains.

Lives here: which cells are looked at again, and what the looks together say. Does not live here: the looks themselves
(words: the first, second_look: the second, glyphs: the third), the ink test (ink). Called by reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extractor.model import UNREAD, Doubt
from extractor.sources.pages.scan.cells import CellWords
from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.glyphs import Shape, Shapes, compare_shapes, cut_symbols, has_bar_before, learn_shapes
from extractor.sources.pages.scan.ink import CellInk, PixelBox, Sheet, find_cell_ink, has_stamp
from extractor.sources.pages.scan.second_look import (
    INSTEAD_OF_FIRST,
    SECOND,
    Look,
    Sight,
    bound_looks,
    choose_look,
    doubt_looks,
    fold,
    look_at_ink,
)
from extractor.sources.pages.scan.words import InkWord, bound, group_lines

_HAN = re.compile(r"[㐀-鿿]")
_DIGIT = re.compile(r"[0-9]")
# Characters of one or two strokes that may stand for a mark or a digit.
_STROKES = str.maketrans(dict.fromkeys("一〇丨", ""))
_NUMBER_OF_A_LABEL = re.compile(r"[（(]?[0-9]{1,2}[.、．,，）)]")
# With fewer columns of numbers no sum vouches for a 0.
_COLUMNS_OF_SUMS = 6
_SURE_ZERO = 0.9
_FAIR_LETTER = 0.5
_SURE_SIGN = 0.98
_LEAST_FAINT, _FAINT_SHARE = 2, 0.2

Kind = Literal["empty", "number", "mixed", "text"]
Lines = tuple[tuple[InkWord, ...], ...]


class ReadCell(NamedTuple):
    """A cell as read: its printed lines, none where the cell is empty; and the doubt about it as a whole."""

    lines: Lines
    doubt: Doubt | None = None


@dataclass(slots=True)
class _Case:
    """A cell on its way. `symbols` are the shapes of its print, for cells of numbers."""

    kind: Kind
    words: list[InkWord]
    is_cut: bool
    ink: CellInk | None
    first: Look
    symbols: list[Shape]
    second: list[Look]
    third: list[Look]
    was_seen: bool


class TableReading(NamedTuple):
    """The cells of a table in order, and how many of them were looked at again."""

    cells: list[ReadCell]
    looked_again: int


def read_cells(
    sheet: Sheet, boxes: Sequence[PixelBox], columns: Sequence[int], placed: Sequence[CellWords]
) -> TableReading:
    """Reads the cells of one table.

    Args:
        sheet: the page as measured.
        boxes: of the cells, in pixels of the straight page, on their rules.
        columns: the column of each cell.
        placed: what the first pass saw in each cell.
    """
    cases = [_open_case(sheet, box, seen) for box, seen in zip(boxes, placed, strict=True)]
    number_columns = {column for column, case in zip(columns, cases, strict=True) if case.kind == "number"}
    for number, (column, case) in enumerate(zip(columns, cases, strict=True)):
        if column in number_columns and _is_doubtful_sign(case):
            cases[number] = _open_case(sheet, boxes[number], placed[number], "number")
    again = [case for case in cases if _needs_second_look(case, len(number_columns) >= _COLUMNS_OF_SUMS)]
    for case, looks in zip(
        again, look_at_ink([_sight(case) for case in again], sheet.line_height, SECOND), strict=True
    ):
        case.second = looks
    # Where the first look was spoilt (a stamp, words of several cells at once, nothing found) the second needs its own.
    spoilt = [case for case in again if case.is_cut or not case.words or (case.ink and case.ink.is_stamped)]
    instead = look_at_ink([_sight(case) for case in spoilt], sheet.line_height, INSTEAD_OF_FIRST)
    for case, looks in zip(spoilt, instead, strict=True):
        case.third = looks
    shapes = learn_shapes(sample for case in cases for sample in _find_samples(case))
    return TableReading(_doubt_empty([_close_case(case, shapes) for case in cases]), len(again))


def _doubt_empty(cells: list[ReadCell]) -> list[ReadCell]:
    """Where a good part of the empty cells shows traces, print is too faint to call any of them empty."""
    empty = [cell for cell in cells if not cell.lines]
    faint = [cell for cell in empty if cell.doubt]
    if len(faint) < _LEAST_FAINT or len(faint) <= _FAINT_SHARE * len(empty):
        return cells
    return [cell if cell.lines else ReadCell((), "faint") for cell in cells]


def _open_case(sheet: Sheet, box: PixelBox, seen: CellWords, known: Kind | None = None) -> _Case:
    words = [word for line in group_lines(seen.words) for word in line if word.characters]
    kind = known or _tell_kind(fold("".join(word.text for word in words)))
    is_stamped = any(has_stamp(sheet, word.box) for word in words)
    ink = find_cell_ink(sheet, box) if kind != "text" or seen.is_cut or is_stamped else None
    if ink is not None and is_stamped and ink.kind == "none":
        kind, words = "empty", []  # the engine read the stamp, or faint print below it
    first = Look(tuple(character for word in words for character in word.characters), bound(words) if words else box)
    symbols = cut_symbols(ink, len(first.text)) if ink is not None and kind == "number" else []
    return _Case(kind, words, seen.is_cut, ink, first, symbols, [], [], bool(seen.words))


def _tell_kind(text: str) -> Kind:
    if not text:
        return "empty"
    if not _HAN.search(text.translate(_STROKES)):
        return "number"
    return "mixed" if _DIGIT.search(_NUMBER_OF_A_LABEL.sub("", text)) else "text"


def _sight(case: _Case) -> Sight:
    assert case.ink is not None  # noqa: S101 - only cases with ink are looked at again
    return Sight(case.ink, case.first.box if case.words else None)


def _is_doubtful_sign(case: _Case) -> bool:
    """One or two signs of writing among numbers that the engine is not sure of: blurred digits look like it."""
    return case.kind in ("text", "mixed") and len(case.first.text) <= 2 and case.first.confidence < _SURE_SIGN


def _is_sure_zero(case: _Case) -> bool:
    """A plain 0 that the engine is sure of, and no ink beside it."""
    if case.first.text != "0" or case.first.confidence < _SURE_ZERO or case.ink is None or case.is_cut:
        return False
    box, seen = case.ink.box, case.first.box
    return case.ink.kind != "none" and not case.ink.is_stamped and box[0] >= seen[0] - 2 and box[2] <= seen[2] + 2


def _needs_second_look(case: _Case, has_sums: bool) -> bool:
    if case.ink is None:
        return False
    if case.kind == "empty":
        return case.ink.kind == "print"
    return not (has_sums and _is_sure_zero(case))


def _find_samples(case: _Case) -> Iterator[tuple[str, Shape]]:
    """Digits that are surely read, with their shapes."""
    text = case.first.text
    if case.kind != "number" or case.is_cut or not text.isdigit() or len(text) != len(case.symbols):
        return
    if _is_sure_zero(case) or (case.second and _join(case.second).text == text):
        yield from zip(text, case.symbols, strict=True)


def _join(looks: Sequence[Look]) -> Look:
    box = bound_looks(looks) if looks else (0.0, 0.0, 0.0, 0.0)
    return Look(tuple(character for look in looks for character in look.characters), box)


def _close_case(case: _Case, shapes: Shapes) -> ReadCell:
    if case.ink is None:
        return ReadCell(_lines_of_words([_doubt_letters(word) for word in case.words]))
    if case.kind == "empty" and case.ink.kind != "print":
        return ReadCell((), "faint" if case.ink.kind == "traces" or case.was_seen else None)
    if not case.second:
        return ReadCell(_lines_of_words([_doubt(word, _doubt_one_look(case, shapes)) for word in case.words]))
    return ReadCell(_weigh(case, case.ink, shapes))


def _doubt_letters(word: InkWord) -> InkWord:
    return _doubt(word, "unsure" if word.confidence < _FAIR_LETTER else None)


def _doubt(word: InkWord, doubt: Doubt | None) -> InkWord:
    return word._replace(doubt=doubt)


def _doubt_one_look(case: _Case, shapes: Shapes) -> Doubt | None:
    verdict = compare_shapes(case.first.text, case.symbols, shapes)
    return None if verdict == "agrees" else "looks_differ" if verdict == "differs" else "one_look"


def _weigh(case: _Case, ink: CellInk, shapes: Shapes) -> Lines:
    """The lines of a cell that was looked at again."""
    first, second = case.first, _join(case.second)
    if case.kind == "number" and _tell_kind(first.text) == "text" and not second.text.isdigit():
        # A short label among numbers stays what it is; only where it is read the same twice is it without doubt.
        agree = first.text == second.text
        return _lines_of_words([_doubt_letters(word) if agree else _doubt(word, "looks_differ") for word in case.words])
    look, agree = choose_look(first, second)
    if case.third and not agree:
        first = _join(case.third)
        look, agree = choose_look(first, second)
    if not look.characters:
        return ((InkWord((Character(UNREAD, 0.0, 0.5),), ink.box, "unsure"),),)
    symbols = case.symbols if look.text == case.first.text else cut_symbols(ink, len(look.text))
    verdict = compare_shapes(look.text, symbols, shapes) if look.text.isdigit() else "unknown"
    doubt = doubt_looks(first, second, verdict) if agree else "looks_differ"
    if look.text.isdigit() and has_bar_before(ink):
        doubt = "looks_differ"
    if not case.words and verdict != "agrees":
        doubt = doubt or "unsure"  # no text to the first pass: dirt can look like a digit
    if case.kind == "number" or not case.words:
        return ((InkWord(look.characters, ink.box, doubt),),)
    if look is second:
        return tuple((InkWord(line.characters, line.box, doubt),) for line in case.second if line.characters)
    return _lines_of_words([_doubt(word, doubt) for word in case.words])


def _lines_of_words(words: Sequence[InkWord]) -> Lines:
    return tuple(tuple(line) for line in group_lines(words))
