"""The text layer of a PDF page as single characters: what they say, where they stand, and how they are painted.

Lives here: reading pymupdf's text trace into one frame, upright and in points, and mending code points that stand for
a usual character. Does not live here: which characters can be seen (hidden_text), words and lines (text_lines). Form
fields and annotations that paint text are in the trace as the page's own text is. Called by text_layer.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from extractor.model import UNREAD, Box
from extractor.sources.pages.frame import Frame, Matrix

#: Where the next character stands; `slanted` is none of the four, such as a watermark from corner to corner.
Direction = Literal["right", "down", "left", "up", "slanted"]

_DIRECTIONS: tuple[Direction, ...] = ("right", "down", "left", "up")
_SLANT = 8.0  # degrees off an axis
_INVISIBLE = 3  # render mode of PDF 32000-1, 9.3.6
_LEAST_OPACITY = 0.1


class Character(NamedTuple):
    """One printed character.

    Attributes:
        text: one character; UNREAD where the font gives it no meaning.
        box: from one origin to the next, and from descender to ascender.
        origin: where its baseline begins.
        size: of its font, in points.
        direction: where the line goes on.
        order: number of the painting operation; later ones cover earlier ones.
        glyph: its number in the font named `font`.
        color: blue, green, red, 0 to 255; None where it is no plain colour.
        is_painted: whether the operation leaves ink at all (it may still be hidden by others).
        after_space: whether a space is printed before it.
    """

    text: str
    box: Box
    origin: tuple[float, float]
    size: float
    direction: Direction
    order: int
    font: str
    glyph: int
    color: tuple[int, int, int] | None
    is_painted: bool
    after_space: bool

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of what is usually inked; of a horizontal line by its baseline, for boxes differ by font."""
        left, top, right, bottom = self.box
        if self.direction == "right":
            return (left + right) / 2, self.origin[1] - 0.35 * self.size
        return (left + right) / 2, (top + bottom) / 2


def find_turn(trace: Sequence[dict[str, Any]], matrix: Matrix) -> int:
    """Degrees clockwise by which a viewer's page must be turned so that most of its text runs to the right."""
    counts: Counter[Direction] = Counter()
    for span in trace:
        counts[_find_direction(span, matrix)] += len(span["chars"])
    del counts["slanted"]
    direction, count = max(counts.items(), key=lambda item: (item[1], item[0] == "right"), default=("right", 0))
    if 2 * count <= counts.total() or any(span["wmode"] for span in trace if direction == "down"):
        return 0
    return {"right": 0, "down": 270, "left": 180, "up": 90}[direction]


def read_characters(trace: Sequence[dict[str, Any]], frame: Frame) -> list[Character]:
    """Read what a text trace paints, in its order, without spaces.

    Args:
        trace: from pymupdf.Page.get_texttrace.
        frame: the page as it is read.
    """
    characters: list[Character] = []
    for span in trace:
        characters.extend(_read_span(span, frame))
    return characters


def _read_span(span: dict[str, Any], frame: Frame) -> list[Character]:
    direction = _find_direction(span, frame.matrix)
    is_painted = span["type"] != _INVISIBLE and span["opacity"] >= _LEAST_OPACITY
    color = _read_color(span["color"])
    characters: list[Character] = []
    after_space = False
    for code, glyph, origin, box in span["chars"]:
        text = mend_character(code)
        if not text:
            after_space = True
            continue
        characters.append(
            Character(
                text,
                frame.place(box),
                frame.place_point(*origin),
                span["size"],
                direction,
                span["seqno"],
                span["font"],
                glyph,
                color,
                is_painted,
                after_space,
            )
        )
        after_space = False
    return characters


def _find_direction(span: dict[str, Any], matrix: Matrix) -> Direction:
    (x, y), (a, b, c, d, _, _) = span["dir"], matrix
    angle = math.degrees(math.atan2(x * b + y * d, x * a + y * c))
    if span["wmode"]:
        angle += 90  # vertical writing goes on below
    quarter = round(angle / 90)
    if abs(angle - 90 * quarter) > _SLANT:
        return "slanted"
    return _DIRECTIONS[quarter % 4]


def _read_color(parts: Sequence[float]) -> tuple[int, int, int] | None:
    if len(parts) == 1:
        parts = (parts[0],) * 3
    if len(parts) != 3:
        return None
    red, green, blue = (round(255 * part) for part in parts)
    return blue, green, red


# ---------------------------------------------------------------- code points

# Radicals that NFKC leaves as they are, though fonts paint with them the character itself.
_RADICALS = dict(
    zip(
        "⺁⺄⺇⺈⺌⺎⺒⺜⺝⺠⺩⺪⺫⺬⺮⺯⺼⻁⻄⻅⻆⻉⻊⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻞⻟⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻭⻰⻱",
        "厂乙几刀小兀巳日月民王疋目示竹糸月虎西见角贝足车長长门雨青韦页风飞食食食首马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
_COMPATIBILITY = ((0x2E80, 0x2FDF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, 0x10FFFF))


def mend_character(code: int) -> str:
    """The usual character for a code point: "" for space and what prints nothing, UNREAD for what has no meaning."""
    if code < 0x20 or 0x7F <= code < 0xA0 or code == 0xFFFD or code > 0x10FFFF:
        return "" if code in (0x09, 0x0A, 0x0D, 0x85) else UNREAD
    if any(first <= code <= last for first, last in _PRIVATE) or 0xD800 <= code < 0xE000 or code >= 0xFFFE:
        return UNREAD
    char = chr(code)
    if char.isspace() or unicodedata.category(char) in ("Cf", "Zs"):
        return ""
    if any(first <= code <= last for first, last in _COMPATIBILITY):
        return _RADICALS.get(char) or _fold_one(char)
    return char


def _fold_one(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char
