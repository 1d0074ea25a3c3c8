"""The page as it is read: upright, in points, with its picture turned alike.

Lives here: the way from pymupdf's coordinates to the upright page and from there to the page as a viewer shows it.
Does not live here: finding out how a page must be turned (characters). Called by text_layer and its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pymupdf

from extractor.model import Box

if TYPE_CHECKING:
    from extractor.sources.pages.raster import Picture


#: Six numbers a, b, c, d, e, f: a point (x, y) goes to (a x + c y + e, b x + d y + f).
Matrix = tuple[float, float, float, float, float, float]


class Frame(NamedTuple):
    """An upright page.

    Attributes:
        matrix: from pymupdf's coordinates to upright points.
        width, height: in points, upright.
        image: uint8 (height, width, 3), blue, green, red.
        scale: pixels a point.
        turn: degrees clockwise from the page as a viewer shows it.
    """

    matrix: Matrix
    width: float
    height: float
    image: npt.NDArray[np.uint8]
    scale: float
    turn: int

    def pixels(self, box: Box, margin: float = 0.0) -> tuple[slice, slice]:
        """Rows and columns of the picture that a box (widened by `margin` points) covers, cut to the picture."""
        left, top, right, bottom = box
        high, wide = self.image.shape[:2]
        rows = _cut((top - margin) * self.scale, (bottom + margin) * self.scale, high)
        return rows, _cut((left - margin) * self.scale, (right + margin) * self.scale, wide)

    def place_point(self, x: float, y: float) -> tuple[float, float]:
        """A point in pymupdf's coordinates on the upright page."""
        a, b, c, d, e, f = self.matrix
        return a * x + c * y + e, b * x + d * y + f

    def place(self, box: Box) -> Box:
        """A box in pymupdf's coordinates on the upright page."""
        (x0, y0), (x1, y1) = self.place_point(box[0], box[1]), self.place_point(box[2], box[3])
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def show(self, box: Box) -> Box:
        """A box of the upright page as a viewer shows it."""
        left, top, right, bottom = box
        match self.turn:
            case 90:
                return top, self.width - right, bottom, self.width - left
            case 180:
                return self.width - right, self.height - bottom, self.width - left, self.height - top
            case 270:
                return self.height - bottom, left, self.height - top, right
        return box


def find_rotation(page: pymupdf.Page) -> Matrix:
    """From pymupdf's coordinates, which know nothing of /Rotate, to the page as a viewer shows it."""
    matrix = page.rotation_matrix
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _multiply(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _cut(start: float, end: float, size: int) -> slice:
    first = min(max(int(np.floor(start)), 0), size)
    return slice(first, max(first, min(int(np.ceil(end)), size)))


def make_frame(page: pymupdf.Page, picture: Picture, turn: int) -> Frame:
    """Turn a page and its picture by `turn` degrees (0, 90, 180, 270) clockwise."""
    width, height = page.rect.width, page.rect.height
    turned: Matrix = {
        0: (1, 0, 0, 1, 0, 0),
        90: (0, 1, -1, 0, height, 0),
        180: (-1, 0, 0, -1, width, height),
        270: (0, -1, 1, 0, 0, width),
    }[turn]
    image = np.ascontiguousarray(np.rot90(picture.image, -turn // 90))
    if turn in (90, 270):
        width, height = height, width
    return Frame(_multiply(find_rotation(page), turned), width, height, image, picture.scale, turn)
