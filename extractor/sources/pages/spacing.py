"""What stands between the printed words and lines of a page once they are text: nothing, a space, or a line end.

Lives here: the white space inside a line, and where the line end of a cell or of running text falls away because one
word was wrapped. Does not live here: which lines belong together (paragraphs, compose). Pure functions over words
and boxes. Called by compose and paragraphs.

Two digits never come to stand side by side: who printed them apart meant two numbers, or one that only a person can
put together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from extractor.model import Box
from extractor.sources.pages.shapes import Line, Word

# Han, and the punctuation that is as wide; not dashes, which are marks of cells.
_WIDE = re.compile("[\u2e80-\u2fdf\u3001-\u3003\u3005-\u3011\u3014-\u301b\u3400-\u9fff\uf900-\ufaff！（），：；？。]")
_QUOTES = frozenset("“”‘’…")
_NUMERALS = frozenset("〇零○一二两三四五六七八九十百千万")
_CLOSING = frozenset("，。、；：？！）》〉】」』”’,.;:?!)")
_ADDRESS = re.compile(r"(?:https?:/|www\.|[/@])[!-~]*$")
# Of a word that does not fit on a line; nothing in a report is longer.
_LONGEST_UNIT = 40
# What separates words, as a share of their height, by how many of the two characters are wide: Latin letters leave a
# quarter for a space, typesetting leaves as much between Han and Latin, and Han are spread to fill a line.
_LEAST_GAPS = (0.05, 0.6, 1.5)


def is_wide(char: str) -> bool:
    """Whether a character takes a full square, as Han and their punctuation do."""
    return _WIDE.match(char) is not None


def count_squares(text: str) -> float:
    """The width of a text in squares of its size: a Han character takes one, a Latin one half."""
    return sum(0.5 if "!" <= char <= "~" or char == " " else 1.0 for char in text)


def line_text(line: Line) -> str:
    """A printed line as text."""
    texts = [word.text for word in line.words]
    gaps = [between_words(a, b) for a, b in pairwise(line.words)]
    return "".join(part for pair in zip(texts, [*gaps, ""], strict=True) for part in pair)


def is_upright(line: Line) -> bool:
    """Whether the line runs from top to bottom."""
    left, top, right, bottom = line.box
    return bottom - top > 1.5 * (right - left) and sum(len(word.text) for word in line.words) > 1


def square_of(line: Line) -> float:
    """The size of a line's characters, in page units, by its width; 0 for a line without text."""
    squares = count_squares(line_text(line))
    length = line.box[3] - line.box[1] if is_upright(line) else line.box[2] - line.box[0]
    return length / squares if squares else 0.0


def between_words(left: Word, right: Word) -> str:
    """What stands between two words of one line: a space, or nothing where no room is left between them."""
    last, first = left.text[-1], right.text[0]
    if _is_of_number(last) and _is_of_number(first):
        return " "
    gap = max(right.box[0] - left.box[2], right.box[1] - left.box[3])
    size = min(box[3] - box[1] for box in (left.box, right.box))
    return " " if gap > size * _LEAST_GAPS[is_wide(last) + is_wide(first)] else ""


def _is_of_number(char: str) -> bool:
    """Whether a character may be part of a number, of any width."""
    folded = unicodedata.normalize("NFKC", char)
    return folded.isdigit() or folded in ".,+-%"


def between_wrapped(before: str, after: str) -> str:
    """What stands between two lines of running text of which the second continues the first."""
    last, first = before[-1], after[0]
    if last > "~" or first > "~":
        return ""
    if last.isdigit() or first.isdigit():
        return "\n"
    return "" if last == "-" or _ADDRESS.search(before) else " "


def first_unit(text: str) -> float:
    """The width in squares of what no line break divides at the start of a text."""
    end = 1
    if is_wide(text[0]) or text[0] in _QUOTES:
        while end < len(text) and (text[end] in _CLOSING or text[end - 1] in "（《“‘"):
            end += 1
    else:
        while end < min(len(text), _LONGEST_UNIT) and "!" <= text[end] <= "~":
            end += 1
    return count_squares(text[:end])


def between_cell_lines(cell: Box, lines: Sequence[Line]) -> list[str]:
    """What stands between the lines of a cell: a line end, or nothing where Han text was wrapped at the cell's edge.

    Args:
        cell: box of the cell.
        lines: its lines; the result has one text less.
    """
    size = median([square_of(line) for line in lines])
    margins = [min(line.box[0] - cell[0], cell[2] - line.box[2]) for line in lines]
    margin = min(max(0.0, min(margins)), size)
    width = cell[2] - cell[0] - 2 * margin
    return [
        "" if _is_wrapped(line_text(a), line_text(b), (width - (a.box[2] - a.box[0])) / (size or 1.0)) else "\n"
        for a, b in pairwise(lines)
    ]


def between_parts(before: str, after: str) -> str:
    """What stands between the two parts of a cell that a page break cut."""
    return "" if is_wide(before[-1]) and is_wide(after[0]) else "\n"


def _is_wrapped(before: str, after: str, room: float) -> bool:
    """Whether `after` would not have fitted into `room` squares behind `before`, and both are Han at the break."""
    last, first = before[-1], after[0]
    if not (is_wide(last) and is_wide(first)) or (last in _NUMERALS and first in _NUMERALS):
        return False
    return room < first_unit(after) + 0.3
