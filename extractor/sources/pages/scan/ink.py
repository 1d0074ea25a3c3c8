"""Where there is ink on a straight page, and which of it is print: darkness against the paper's own shade.

Lives here: the sheet as measured (shade of the paper, noise, stamps) and the ink inside one cell. A cell is empty only
where nothing is left after the remnants of its rules are gone. Does not live here: reading. Called by reader, cells and
second_look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.engine import Image

Gray = npt.NDArray[np.uint8]
PixelBox = tuple[float, float, float, float]

# What colour must differ between the channels (of 255) to be colour and not the fringe of black print.
_TINTED = 60
# Darkness is smoothed by so many pixels (sigma) before it is cut at a level.
_SOFT = 0.8
# Faint print: how wide a stroke is, in lines; so far from the paper's own shade, in its spread there (grey levels).
_STROKE = 0.07
_FAR, _LEAST_SPREAD = 4.0, 0.4


@dataclass(frozen=True, slots=True)
class Sheet:
    """A straight page as measured.

    Attributes:
        image: shape (height, width, 3), BGR.
        dark: shape (height, width); 0 where there is paper (its own shade and shadows apart) or a stamp, 255 for black.
        stamp: shape (height, width); not 0 where a coloured stamp lies.
        ink: from this darkness on something is print.
        trace: from this darkness on something is more than the paper's noise.
        black: how dark the print of this page usually is.
        line_height: usual height of a line of text, in pixels.
    """

    image: Image
    dark: Gray
    stamp: Gray
    ink: int
    trace: int
    black: int
    line_height: float


class CellInk(NamedTuple):
    """The ink inside a cell; the arrays cover the inside of its rules.

    Attributes:
        kind: `none`; `traces`: too little to be told from dirt; `print`.
        box: around the ink, in pixels of the page; of the cell's inside where there is none.
        picture: shape (height, width, 3), BGR; remnants of rules, and stamps, are painted over with paper.
        dark: shape (height, width); 0 where remnants of rules are.
        mask: shape (height, width); not 0 where the ink is.
        origin: left and top of the arrays on the page.
        is_stamped: whether a coloured stamp lies over the cell.
    """

    kind: Literal["none", "traces", "print"]
    box: PixelBox
    picture: Image
    dark: Gray
    mask: Gray
    origin: tuple[int, int]
    is_stamped: bool


def measure_sheet(image: Image, line_height: float) -> Sheet:
    """Measures paper, ink and stamps of a straight page; `image` has shape (height, width, 3), BGR."""
    balanced = _balance(image)
    blue, green, red = cv2.split(balanced)
    # Black is dark in every channel, a stamp is bright in that of its own colour.
    brightest = cv2.max(cv2.max(blue, green), red)
    dimmest = cv2.min(cv2.min(blue, green), red)
    paper = _estimate_paper(np.asarray(brightest, np.uint8), line_height)
    dark = cv2.bitwise_not(cv2.divide(brightest, paper, scale=255))
    coloured = np.asarray(cv2.subtract(brightest, dimmest) > _TINTED, np.uint8)
    stamp = np.zeros_like(coloured)
    if coloured.any():
        stamp = _find_stamps(coloured, line_height)
        # Coloured print that is no stamp counts as what it looks like without colour.
        plain = cv2.bitwise_not(cv2.divide(dimmest, paper, scale=255))
        dark = np.where((coloured > 0) & (stamp == 0), plain, dark)
    dark = _lift_stamps(np.asarray(dark, np.uint8), stamp)
    soft = cv2.GaussianBlur(dark, (0, 0), _SOFT)
    cut, _ = cv2.threshold(soft, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    cut = max(cut, 20)
    inked = soft[soft > cut]
    black = int(np.percentile(inked, 75)) if inked.size else 255
    # The paper's estimate sits in the middle of its noise: what is brighter is cut off, so only one side is measured.
    noise = float(np.percentile(soft[soft <= cut], 84))
    ink = round(max(0.35 * black, 5 * noise, 24))
    trace = round(max(0.15 * black, 4 * noise, 14))
    return Sheet(image, dark, stamp, ink, trace, black, line_height)


def _balance(image: Image) -> Image:
    """Without the colour of the paper and of the light: its bright half becomes grey."""
    small = cv2.resize(image, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    white = np.median(small[small.sum(axis=1) >= np.median(small.sum(axis=1))], axis=0)
    gains = white.max() / np.maximum(white, 1)
    if gains.max() < 1.01:
        return image
    steps = np.clip(np.arange(256)[:, None, None] * gains, 0, 255).reshape(1, 256, 3).astype(np.uint8)
    return np.asarray(cv2.LUT(image, steps), np.uint8)


def _estimate_paper(bright: Gray, line_height: float) -> Gray:
    # Print is thin against the paper around it: on a small image a closing wider than a stroke removes it.
    small = cv2.resize(bright, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    size = 2 * max(2, round(line_height / 8)) + 1
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    closed = cv2.GaussianBlur(cv2.medianBlur(closed, 5), (0, 0), 2)
    return np.asarray(cv2.resize(closed, (bright.shape[1], bright.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def _lift_stamps(dark: Gray, stamp: Gray) -> Gray:
    """Darkness with the stamp's own shade taken off where it lies; what is black stays black."""
    under = dark[stamp > 0]
    if not under.size:
        return dark
    shade = min(float(np.percentile(under, 60)) * 1.3, 140.0)
    lifted = np.clip((under.astype(np.float32) - shade) * (255.0 / (255.0 - shade)), 0, 255)
    result = dark.copy()
    result[stamp > 0] = lifted.astype(np.uint8)
    return result


def _find_stamps(coloured: Gray, line_height: float) -> Gray:
    """Coloured areas that are several lines high and wide, and all colour within: a stamp, and not coloured print."""
    reach = max(3, round(0.8 * line_height))
    joined = cv2.morphologyEx(coloured, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    _, _, facts, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    within = np.zeros_like(coloured)
    for x, y, width, height, _ in facts[1:].tolist():
        if min(width, height) > 2.5 * line_height:
            within[y : y + height, x : x + width] = 255
    # Its edges are too pale to count as colour.
    return np.where(cv2.dilate(coloured, np.ones((5, 5), np.uint8)) > 0, within, 0).astype(np.uint8)


def find_cell_ink(sheet: Sheet, box: PixelBox) -> CellInk:
    """The ink inside a cell whose rules run along `box` (pixels of the straight page)."""
    inset = max(2, round(0.1 * sheet.line_height))
    height, width = sheet.dark.shape
    left, top = max(0, round(box[0]) + inset), max(0, round(box[1]) + inset)
    right, bottom = min(width, round(box[2]) - inset), min(height, round(box[3]) - inset)
    if right - left < 3 or bottom - top < 3:
        none = np.zeros((0, 0), np.uint8)
        return CellInk("none", box, np.zeros((0, 0, 3), np.uint8), none, none, (left, top), False)
    inside = np.s_[top:bottom, left:right]
    dark = sheet.dark[inside]
    is_stamped = bool(np.count_nonzero(sheet.stamp[inside]) > 0.01 * dark.size)
    soft = np.asarray(cv2.GaussianBlur(dark, (0, 0), _SOFT), np.uint8)
    spots = _judge_spots(soft, sheet)
    picture = cv2.cvtColor(cv2.bitwise_not(dark), cv2.COLOR_GRAY2BGR) if is_stamped else sheet.image[inside].copy()
    over = cv2.dilate(spots.remnants, np.ones((3, 3), np.uint8)) > spots.ink
    if over.any() and not over.all():
        picture[over] = np.median(picture[~over], axis=0)
    around = (left + spots.box[0], top + spots.box[1], left + spots.box[2], top + spots.box[3])
    clean = np.where(over, 0, dark).astype(np.uint8)
    return CellInk(spots.kind, around, np.asarray(picture, np.uint8), clean, spots.ink, (left, top), is_stamped)


def has_stamp(sheet: Sheet, box: PixelBox) -> bool:
    """Whether a coloured stamp lies over a good part of `box` (pixels)."""
    inside = sheet.stamp[max(0, round(box[1])) : round(box[3]), max(0, round(box[0])) : round(box[2])]
    return bool(np.count_nonzero(inside) > 0.05 * inside.size)


def is_only_stamp(sheet: Sheet, box: PixelBox) -> bool:
    """Whether what the engine took for text at `box` is the stamp alone: without it no trace of print is left."""
    dark = sheet.dark[max(0, round(box[1])) : round(box[3]), max(0, round(box[0])) : round(box[2])]
    if not dark.size or not has_stamp(sheet, box):
        return False
    return bool(np.count_nonzero(cv2.GaussianBlur(dark, (0, 0), _SOFT) > sheet.trace) < _speck_size(sheet))


def _speck_size(sheet: Sheet) -> float:
    """Pixels that a spot must have to be more than a fleck."""
    return max(4.0, 0.009 * sheet.line_height**2)


class _Spots(NamedTuple):
    """What is dark inside a cell: masks of its ink and of remnants of rules; `box` around the ink."""

    kind: Literal["none", "traces", "print"]
    ink: Gray
    remnants: Gray
    box: PixelBox


def _find_rules(mask: Gray, line_height: float) -> Gray:
    """Long straight runs near the edges."""
    height, width = mask.shape
    band = max(2, round(0.3 * line_height))
    rules = np.zeros_like(mask)
    across = np.ones((1, min(width, round(max(0.7 * width, 1.5 * line_height)))), np.uint8)
    down = np.ones((min(height, round(max(0.8 * height, 1.2 * line_height))), 1), np.uint8)
    for kernel, edge in (
        (across, np.s_[:band]),
        (across, np.s_[-band:]),
        (down, np.s_[:, :band]),
        (down, np.s_[:, -band:]),
    ):
        part = np.ascontiguousarray(mask[edge])
        found = cv2.morphologyEx(part, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        rules[edge] = np.maximum(rules[edge], found)
    return np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), np.uint8) & mask


def _is_remnant(spot: tuple[int, int, int, int], shape: tuple[int, int], fringe: int) -> bool:
    """What is left of a rule: within the fringe of the cell, or thin and touching its edge."""
    left, top, right, bottom = spot
    height, width = shape
    is_in_fringe = right <= fringe or left >= width - fringe or bottom <= fringe or top >= height - fringe
    is_thin_column = right - left <= 2 * fringe and (left <= 1 or right >= width - 1)
    is_thin_row = bottom - top <= 2 * fringe and (top <= 1 or bottom >= height - 1)
    return is_in_fringe or is_thin_column or is_thin_row


def _shows_faint_print(soft: Gray, remnants: Gray, sheet: Sheet) -> bool:
    """Whether something as large as a figure is darker than the rest of a cell, however little each pixel tells.

    On grainy paper faint print is lost among the noise of single pixels; over the width of a stroke the noise is less.
    """
    reach = max(1.5, _STROKE * sheet.line_height)
    is_paper = cv2.dilate(remnants, np.ones((5, 5), np.uint8)) == 0
    fringe = max(2, round(0.1 * sheet.line_height))
    is_paper[:fringe] = is_paper[-fringe:] = False
    is_paper[:, :fringe] = is_paper[:, -fringe:] = False
    if not is_paper.any():
        return False
    level = float(np.median(soft[is_paper]))
    wide = cv2.GaussianBlur(np.where(is_paper, soft, level).astype(np.float32), (0, 0), reach)
    middle = float(np.median(wide[is_paper]))
    spread = max(1.4826 * float(np.median(np.abs(wide[is_paper] - middle))), _LEAST_SPREAD)
    spots = np.asarray((wide > middle + _FAR * spread) & is_paper, np.uint8)
    count, _, facts, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
    return count > 1 and int(facts[1:, cv2.CC_STAT_AREA].max()) >= 3 * _speck_size(sheet)


def _judge_spots(soft: Gray, sheet: Sheet) -> _Spots:
    height, width = soft.shape
    weak = np.asarray(soft > sheet.trace, np.uint8)
    remnants = _find_rules(weak, sheet.line_height)
    fringe = max(2, round(0.1 * sheet.line_height))
    speck = _speck_size(sheet)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(weak & ~remnants & 1, connectivity=8)
    ink = np.zeros_like(weak)
    boxes: list[tuple[int, int, int, int]] = []
    has_print = False
    for label in range(1, count):
        x, y, w, h, area = (int(fact) for fact in facts[label])
        spot = labels[y : y + h, x : x + w] == label
        if _is_remnant((x, y, x + w, y + h), (height, width), fringe):
            remnants[y : y + h, x : x + w][spot] = 1
            continue
        is_strong = int(soft[y : y + h, x : x + w][spot].max()) > sheet.ink and area >= speck
        if is_strong or area >= 4 * speck:
            ink[y : y + h, x : x + w][spot] = 1
            boxes.append((x, y, x + w, y + h))
        has_print |= is_strong and (h >= 0.36 * sheet.line_height or w >= 0.36 * sheet.line_height)
    if not boxes:
        kind: Literal["none", "traces"] = "traces" if _shows_faint_print(soft, remnants, sheet) else "none"
        return _Spots(kind, ink, remnants, (0, 0, width, height))
    edges = np.array(boxes)
    box = (int(edges[:, 0].min()), int(edges[:, 1].min()), int(edges[:, 2].max()), int(edges[:, 3].max()))
    return _Spots("print" if has_print else "traces", ink, remnants, box)
