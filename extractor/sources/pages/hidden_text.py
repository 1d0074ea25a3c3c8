"""Characters of the text layer that a reader of the paper does not see.

Lives here: text painted with nothing, in the colour of the paper, off the page, or covered by what is painted later.
Does not live here: ink that no text explains (left_ink). Called by text_layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pymupdf

from extractor.model import UNREAD, Box
from extractor.sources.pages.characters import Character
from extractor.sources.pages.frame import Frame
from extractor.sources.pages.vector_rules import Fill

_SMALLEST = 1.0  # points
# The least difference of colour that shows, 0 to 255.
_CONTRAST = 24
# Boxes that overlap by more than this share of the smaller one are one place on the paper.
_SAME_PLACE = 0.6


class Cover(NamedTuple):
    """What hides all that was painted before it. `order`: number of the painting operation."""

    box: Box
    order: int


def find_covers(page: pymupdf.Page, fills: Iterable[Fill], frame: Frame) -> Iterator[Cover]:
    """The opaque areas of a page: filled rectangles, and pictures without a mask."""
    for fill in fills:
        if fill.is_opaque:
            yield Cover(fill.box, fill.order)
    masked = [pymupdf.Rect(info["bbox"]) for info in page.get_image_info() if info["has-mask"]]
    for order, (kind, box) in enumerate(page.get_bboxlog()):
        if kind == "fill-image" and not any(abs(pymupdf.Rect(box) - other) < 1.0 for other in masked):
            yield Cover(frame.place(box), order)


def find_seen(characters: Sequence[Character], covers: Sequence[Cover], frame: Frame) -> list[Character]:
    """The characters that leave ink."""
    return [character for character in characters if _is_seen(character, covers, frame)]


def _is_seen(character: Character, covers: Sequence[Cover], frame: Frame) -> bool:
    if not character.is_painted or character.size < _SMALLEST:
        return False
    x, y = character.centre
    if not (0 <= x <= frame.width and 0 <= y <= frame.height) or any(
        cover.order > character.order and cover.box[0] <= x <= cover.box[2] and cover.box[1] <= y <= cover.box[3]
        for cover in covers
    ):
        return False
    return _leaves_ink(character, frame)


def _leaves_ink(character: Character, frame: Frame) -> bool:
    """Whether the picture shows something inside the box, and the text does not have the colour of what is around."""
    area = frame.image[frame.pixels(character.box)]
    if min(area.shape[:2]) < 2:
        return bool(area.size)
    around = np.median(np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]]), axis=0)
    if character.color is not None and np.abs(around - character.color).max() < _CONTRAST:
        return False
    return bool(np.abs(area - around).max() >= _CONTRAST)


def drop_doubles(characters: Sequence[Character]) -> list[Character]:
    """One character where several stand in one place (a poor man's bold); UNREAD where they are not the same one."""
    kept: list[Character] = []
    places: dict[tuple[int, int], list[int]] = {}
    for character in characters:
        x, y = (int(value // 8) for value in character.centre)
        near = [index for dx in (-1, 0, 1) for dy in (-1, 0, 1) for index in places.get((x + dx, y + dy), ())]
        same = next((index for index in near if _share_of(character.box, kept[index].box) > _SAME_PLACE), None)
        if same is None:
            places.setdefault((x, y), []).append(len(kept))
            kept.append(character)
        elif kept[same].text != character.text:
            kept[same] = kept[same]._replace(text=UNREAD)
    return kept


def _share_of(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller > 0 else 0.0
