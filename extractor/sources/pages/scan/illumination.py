"""Light on paper: shadows and yellow paper evened out, specks of dust taken away, red stamps left out of the grey page.

Lives here: what changes grey levels and moves nothing. Does not live here: geometry. Called by upright. Nothing here
blurs: each step does nothing at all where it is not needed.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_PAPER_WHITE = 245.0
_DARKEST_PAPER = 90  # what is darker is the table under the paper
_DIM, _UNEVEN, _TINTED = 205, 25, 25  # grey levels
_SPECK_CONTRAST, _TRACE_CONTRAST = 60, 25
_SPECKS_PER_MEGAPIXEL = 60
_RED = 40


def even_light(image: Image, text_height: float) -> Image:
    """The page with its paper white everywhere; the same array where it is already.

    Args:
        image: BGR, uint8.
        text_height: px.
    """
    scale = 3 / text_height
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 7)
    if not _is_needed(np.asarray(paper, dtype=np.uint8)):
        return image
    paper = cv2.blur(np.maximum(paper, _DARKEST_PAPER), (5, 5))
    paper = cv2.resize(paper, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(image, paper, scale=_PAPER_WHITE), dtype=np.uint8)


def _is_needed(paper: Image) -> bool:
    """By the light of large parts of the page, so that shaded cells are no shadow."""
    height, width = paper.shape[:2]
    parts = [
        np.percentile(part.reshape(-1, 3), 75, axis=0)
        for band in np.array_split(paper, min(8, height))
        for part in np.array_split(band, min(6, width), axis=1)
    ]
    lights = np.array(parts)
    grey = lights.mean(axis=1)
    tint = np.median(lights.max(axis=1) - lights.min(axis=1))
    return bool(np.median(grey) < _DIM or np.percentile(grey, 90) - np.percentile(grey, 10) > _UNEVEN or tint > _TINTED)


def remove_specks(image: Image) -> Image:
    """The page without dark dots of one or two pixels; the same array where there are hardly any.

    A decimal point has at least four pixels at 150 dpi.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    is_dot = cv2.subtract(cv2.medianBlur(gray, 3), gray) > _SPECK_CONTRAST
    if np.count_nonzero(is_dot) < _SPECKS_PER_MEGAPIXEL * gray.size / 1e6:
        return image
    # A dot of a character has more ink around it, be it faint.
    is_ink = (cv2.subtract(cv2.dilate(gray, np.ones((5, 5), np.uint8)), gray) > _TRACE_CONTRAST).view(np.uint8)
    is_speck = is_dot & (cv2.boxFilter(is_ink, -1, (5, 5), normalize=False) <= 2)
    if np.count_nonzero(is_speck) < _SPECKS_PER_MEGAPIXEL * gray.size / 1e6:
        return image
    cleaned = image.copy()
    cleaned[is_speck] = cv2.medianBlur(image, 3)[is_speck]
    return cleaned


def to_gray(image: Image) -> Image:
    """Grey levels by lightness; red ink (stamps) as light as it looks in red light, so that rules under it stay."""
    gray: Image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    small = image[::4, ::4].astype(np.int16)
    if not ((small[:, :, 2] - small[:, :, :2].max(axis=2)) > _RED).any():
        return gray
    blue, green, red = cv2.split(image)
    is_red = cv2.subtract(red, cv2.max(blue, green)) > _RED
    return np.asarray(np.where(is_red, red, gray), dtype=np.uint8)
