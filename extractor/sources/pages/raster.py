"""Pages as pixels, within limits. Runs in worker processes only.

Lives here: the resolution of a page, rendering, crops. Does not live here: looking for anything in them (scan).
Called by tasks, and by the text layer's tests of what leaves ink.
"""

from __future__ import annotations

import io
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image

from extractor.model import Box
from extractor.settings import Settings
from extractor.sources.pages.opening import count_pixels_per_point

DEFAULT_DPI = 200.0
# Between these, recognition gains nothing from more pixels and loses little from fewer.
LEAST_DPI, MOST_DPI = 150.0, 300.0
# A picture's own word about its resolution is worth nothing: it is taken for a page of A4 (8.27 x 11.69 inches).
_SQUARE_INCHES = 8.27 * 11.69
_MOST_ENLARGED = 2.0
# Share of the page that images must cover for the page to be a scan.
_SCAN_SHARE = 0.8
LEAST_PIXELS = 8


class TooNarrow(ValueError):
    """A page, or what its limit of pixels leaves of it, has no room for a line of text."""


class Picture(NamedTuple):
    """A page as pixels: `image` of shape (height, width, 3), BGR; `scale` is pixels per page unit."""

    image: npt.NDArray[np.uint8]
    scale: float


def choose_dpi(page: pymupdf.Page) -> float:
    """The resolution to read a page at: 200, or that of the scan that fills the page within 150 to 300."""
    if not page.parent.is_pdf:
        own = _guess_dpi(page)
        return min(max(own, min(LEAST_DPI, own * _MOST_ENLARGED)), MOST_DPI)
    scanned_at = _find_scan_dpi(page)
    return DEFAULT_DPI if scanned_at is None else min(max(scanned_at, LEAST_DPI), MOST_DPI)


def _find_scan_dpi(page: pymupdf.Page) -> float | None:
    """Pixels an inch of the images that together fill the page, that of the largest; None: they do not."""
    if not page.get_images():
        return None
    shown = []
    for image in page.get_image_info():
        box = pymupdf.Rect(image["bbox"]) & page.rect
        if not box.is_empty:
            pixels = image["width"] * image["height"]
            shown.append((box.get_area(), sqrt(pixels / pymupdf.Rect(image["bbox"]).get_area())))
    if sum(area for area, _ in shown) < _SCAN_SHARE * page.rect.get_area():
        return None
    return max(shown)[1] * 72


def _guess_dpi(page: pymupdf.Page) -> float:
    return sqrt(page.rect.get_area() * count_pixels_per_point(page) ** 2 / _SQUARE_INCHES)


def render_page(page: pymupdf.Page, dpi: float, settings: Settings) -> Picture:
    """Render a page as a viewer shows it.

    Args:
        page: of a PDF or a picture.
        dpi: pixels an inch; of a picture, as if it were a page of A4.
        settings: a page over `max_page_megapixels` is rendered at a lower resolution.

    Raises:
        TooNarrow: there would be no room for a character.
    """
    zoom = dpi / 72 if page.parent.is_pdf else dpi / _guess_dpi(page) * count_pixels_per_point(page)
    zoom = min(zoom, sqrt(settings.max_page_megapixels * 1e6 / page.rect.get_area()))
    if min(page.rect.width, page.rect.height) * zoom < LEAST_PIXELS:
        raise TooNarrow(f"a page of {page.rect.width:g} x {page.rect.height:g} points is too narrow to hold text")
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
    rows = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.stride)
    rgb = rows[:, : pixmap.width * 3].reshape(pixmap.height, pixmap.width, 3)
    return Picture(np.ascontiguousarray(rgb[:, :, ::-1]), zoom / count_pixels_per_point(page))


def crop(picture: Picture, box: Box, turn: int) -> npt.NDArray[np.uint8]:
    """A part of a page, at least one pixel of it, turned clockwise by 0, 90, 180 or 270 degrees."""
    height, width = picture.image.shape[:2]
    left, top, right, bottom = (edge * picture.scale for edge in box)
    x = min(max(int(left), 0), width - 1)
    y = min(max(int(top), 0), height - 1)
    part = picture.image[y : max(y + 1, int(np.ceil(bottom))), x : max(x + 1, int(np.ceil(right)))]
    return np.ascontiguousarray(np.rot90(part, -turn // 90)) if turn else part


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """PNG bytes of a BGR image."""
    written = io.BytesIO()
    # The least compression: more of it takes several times as long and gains little on text.
    Image.fromarray(image[:, :, ::-1]).save(written, "PNG", compress_level=1)
    return written.getvalue()
