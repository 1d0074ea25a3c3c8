"""A small form drawn as a picture, and damage to it. Only for the tests of straightening and rules.

Lives here: one table with spans over a line of text, drawn at a resolution; its cells in pixels. No randomness without
a seed.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf

from extractor.model import Box

Image = npt.NDArray[np.uint8]

X_EDGES = (60, 120, 240, 290, 340, 390, 440, 535)
Y_EDGES = (150, 175, 200, 222, 244, 266, 288, 310, 332)
#: Row, column, row span, column span.
CELLS = (
    (0, 0, 2, 2),
    (0, 2, 1, 5),
    *((1, column, 1, 1) for column in range(2, 7)),
    (2, 0, 1, 2),
    *((2, column, 1, 1) for column in range(2, 7)),
    (3, 0, 4, 1),
    *(place for row in range(3, 7) for place in [(row, column, 1, 1) for column in range(1, 7)]),
    (7, 0, 1, 2),
    *((7, column, 1, 1) for column in range(2, 7)),
)
_LABELS = ("予以公开", "属于国家秘密", "属于三类内部事务", "重复申请")


class Form(NamedTuple):
    """A page and where its cells stand, in pixels, as `CELLS` lists them."""

    image: Image
    boxes: tuple[Box, ...]


def draw_form(dpi: int = 150, width: float = 0.5) -> Form:
    """The form on A5 across, with Chinese labels and numbers; rules of that width in points."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=420)
        page.insert_text((60, 60), "三、收到和处理政府信息公开申请情况", fontname="china-s", fontsize=16)
        page.insert_text(
            (60, 100), "本机关收到的政府信息公开申请逐年增加，均在法定期限内答复。", fontname="china-s", fontsize=12
        )
        page.insert_text(
            (60, 122), "申请人对答复不服的，依法申请行政复议或者提起行政诉讼。", fontname="china-s", fontsize=12
        )
        for row, column, row_span, column_span in CELLS:
            place = _place(row, column, row_span, column_span)
            page.draw_rect(pymupdf.Rect(place), width=width)
            _write(page, place, row, column)
        pixels = page.get_pixmap(dpi=dpi)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w, 3)[:, :, ::-1].copy()
    boxes = tuple(tuple(value * dpi / 72 for value in _place(*cell)) for cell in CELLS)
    return Form(image, boxes)  # type: ignore[arg-type]


def _place(row: int, column: int, row_span: int, column_span: int) -> Box:
    return X_EDGES[column], Y_EDGES[row], X_EDGES[column + column_span], Y_EDGES[row + row_span]


def _write(page: pymupdf.Page, place: Box, row: int, column: int) -> None:
    middle = (place[1] + place[3]) / 2 + 3.5
    if column >= 2:
        text = "0" if row > 1 else "其他"
        page.insert_text(((place[0] + place[2]) / 2 - 4, middle), text, fontname="china-s", fontsize=9)
    else:
        page.insert_text((place[0] + 3, middle), _LABELS[row % 4][: 5 if column else 9], fontname="china-s", fontsize=9)


def turn(image: Image, degrees: float) -> Image:
    """Turned counter-clockwise about its middle; paper is white."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderValue=(255, 255, 255)), dtype=np.uint8)


def photograph(image: Image) -> tuple[Image, npt.NDArray[np.float64]]:
    """The page on a dark desk, seen aslant: the photo, and the matrix from the page to it."""
    height, width = image.shape[:2]
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    seen = page * 0.85 + np.array([(70, 60), (40, 35), (75, 50), (30, 65)], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(page, seen)
    photo = cv2.warpPerspective(image, matrix, (width + 60, height + 60), borderValue=(60, 70, 80))
    return np.asarray(photo, dtype=np.uint8), np.asarray(matrix, dtype=np.float64)


def add_grain(image: Image, sigma: float, seed: int = 0) -> Image:
    """Gaussian noise of that many grey levels."""
    grain = np.random.default_rng(seed).normal(0, sigma, image.shape[:2])[:, :, None]
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def compress(image: Image, quality: int) -> Image:
    """Through JPEG and back."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
