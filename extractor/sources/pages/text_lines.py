"""Characters -> words and lines, by the gaps between their boxes.

Lives here: which characters stand on one line, where a word ends, and labels that run from top to bottom. Does not
live here: which cell a character belongs to; whoever calls has divided the characters by cell, so that nothing here
can glue what stands in two cells. Called by text_layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from extractor.model import Box
from extractor.sources.pages.characters import Character
from extractor.sources.pages.shapes import Line, Word

# A gap of more than this share of the size ends a word. The narrowest space of a usual font is a quarter.
_WORD_GAP = 0.2
# Han are spread to fill a line, which does not divide them.
_HAN_GAP = 0.6
# Two characters stand on one line where their bands share this much of the narrower one.
_SHARED_BAND = 0.5
# A note's mark in shares of the size of what it is set to.
_NOTE_SIZE = 0.8
_NOTE_RISE = 0.15
_FIRST_HAN = "\u2e80"


def set_lines(characters: Iterable[Character]) -> tuple[Line, ...]:
    """Put the characters of one cell, or of what stands outside the tables, together in reading order."""
    by_direction: dict[str, list[Character]] = {}
    for character in characters:
        by_direction.setdefault(character.direction, []).append(character)
    lines = [line for direction in by_direction for line in _set_direction(by_direction[direction])]
    if len(by_direction) > 1:
        lines.sort(key=lambda line: (line.box[1], line.box[0]))
    return tuple(lines)


def stack_label(lines: Sequence[Line]) -> tuple[Line, ...]:
    """One line for a label printed with one character a line (here and there two); any other lines as they are."""
    texts = ["".join(word.text for word in line.words) for line in lines]
    text = "".join(texts)
    singles = sum(1 for part in texts if len(part) == 1)
    if len(lines) < 2 or max(map(len, texts)) > 2 or 2 * singles < len(lines) or min(text) < _FIRST_HAN:
        return tuple(lines)
    box = join_boxes([line.box for line in lines])
    return (Line((Word(text, box),), box),)


def join_boxes(boxes: Sequence[Box]) -> Box:
    """The box around all."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _set_direction(characters: list[Character]) -> list[Line]:
    """Lines of characters that all run in one direction."""
    if characters[0].direction == "slanted":
        return [_make_line([run]) for run in _split_operations(characters)]
    lines = []
    for row in _group_rows(characters):
        row.sort(key=lambda character: _along(character)[0])
        lines.append(_make_line(_split_words(row)))
    return lines


def _along(character: Character) -> tuple[float, float]:
    """Start and end in the direction of the line."""
    left, top, right, bottom = character.box
    match character.direction:
        case "down":
            return top, bottom
        case "up":
            return -bottom, -top
        case "left":
            return -right, -left
    return left, right


def _band(character: Character) -> tuple[float, float]:
    """Where the character stands across its line, growing to the next line: the box without what fonts add."""
    left, top, right, bottom = character.box
    match character.direction:
        case "down":
            return -right, -left
        case "up":
            return left, right
        case "left":
            return -bottom, -top
    baseline, size = character.origin[1], character.size
    return baseline - 0.75 * size, baseline + 0.05 * size


def _group_rows(characters: list[Character]) -> list[list[Character]]:
    """Divide by line, first line first. A small character beside a large one belongs to the large one's line."""
    rows: list[tuple[list[float], list[Character]]] = []
    for character in sorted(characters, key=lambda each: (-each.size, sum(_band(each)), _along(each))):
        start, end = _band(character)
        best, best_share = None, _SHARED_BAND
        for band, row in rows:
            share = (min(end, band[1]) - max(start, band[0])) / max(min(end - start, band[1] - band[0]), 0.01)
            if share > best_share:
                best, best_share = row, share
        if best is None:
            rows.append(([start, end], [character]))
        else:
            best.append(character)
    rows.sort(key=lambda item: sum(item[0]))
    return [row for _, row in rows]


def _split_words(row: Sequence[Character]) -> list[list[Character]]:
    words = [[row[0]]]
    for before, after in pairwise(row):
        if _is_apart(before, after):
            words.append([])
        words[-1].append(after)
    return words


def _is_apart(before: Character, after: Character) -> bool:
    if after.after_space:
        return True
    size = max(before.size, after.size)
    if before.text.isdigit() and after.text.isdigit() and _is_raised(before, after):
        return True
    gap = _along(after)[0] - _along(before)[1]
    if before.text >= _FIRST_HAN and after.text >= _FIRST_HAN:
        return gap > _HAN_GAP * size
    return gap > _WORD_GAP * size and not _is_full_width(before, after)


def _is_raised(before: Character, after: Character) -> bool:
    """Whether one of two digits is the mark of a note: smaller, or not on the other's baseline."""
    size = max(before.size, after.size)
    if min(before.size, after.size) < _NOTE_SIZE * size:
        return True
    return before.direction == "right" and abs(before.origin[1] - after.origin[1]) > _NOTE_RISE * size


def _is_full_width(before: Character, after: Character) -> bool:
    """Whether narrow characters stand exactly one square apart: how a Chinese font without widths sets numbers."""
    pitch = _along(after)[0] - _along(before)[0]
    return before.order == after.order and abs(pitch - before.size) < 0.02 * before.size


def _split_operations(characters: Sequence[Character]) -> list[list[Character]]:
    runs: dict[int, list[Character]] = {}
    for character in characters:
        runs.setdefault(character.order, []).append(character)
    return list(runs.values())


def _make_line(words: Sequence[Sequence[Character]]) -> Line:
    made = tuple(Word("".join(each.text for each in word), join_boxes([each.box for each in word])) for word in words)
    return Line(made, join_boxes([word.box for word in made]))
