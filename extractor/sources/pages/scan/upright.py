"""A picture of a page -> the page upright and straight, and the way back to the picture.

    sheet in a photo -> quarter turn -> rules (else text) level and square -> one resampling -> not on its head -> light

Lives here: Straight, and the order of the steps. Does not live here: the steps themselves (outline, direction, skew,
illumination); tables and text. Called by extractor.sources.pages.scan.reader.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.direction import Recogniser, find_runs, is_upside_down, lies_on_side
from extractor.sources.pages.scan.engine import recognise
from extractor.sources.pages.scan.illumination import even_light, remove_specks, to_gray
from extractor.sources.pages.scan.outline import find_sheet
from extractor.sources.pages.scan.skew import find_straightening
from extractor.sources.pages.scan.strokes import measure_text_height

Image = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

# Angles are measured on a page as small as its text allows.
_WORKING_TEXT = 16.0
_MOST_GROWTH = 1.3


class Straight(NamedTuple):
    """A page upright and straight.

    Attributes:
        image: BGR, uint8; the given array itself where nothing had to be done.
        gray: the same in grey, without red stamps.
        to_original: 3 x 3, px here -> px of the given picture.
        turn: degrees clockwise (0, 90, 180, 270) by which the given picture was turned.
    """

    image: Image
    gray: Image
    to_original: Matrix
    turn: int


def straighten(image: Image, recogniser: Recogniser = recognise) -> Straight:
    """Make a page upright and straight, its paper evenly light.

    A picture without text or rules stays as it is.

    Args:
        image: BGR, uint8 (height, width, 3).
        recogniser: reads crops of lines of text; asked for one line, for up to 22 where the page may stand on its head.
    """
    turned, matrix, is_on_side = _lay_level(image)
    turned = remove_specks(turned)
    gray = to_gray(turned)
    text_height = measure_text_height(gray)
    is_on_head = is_upside_down(gray, find_runs(gray, text_height), recogniser)
    if is_on_head:
        back = _turn_matrix(cv2.ROTATE_180, turned.shape)
        turned, matrix = np.asarray(cv2.rotate(turned, cv2.ROTATE_180), dtype=np.uint8), back @ matrix
    lit = even_light(turned, text_height)
    if is_on_head or lit is not turned:
        gray = to_gray(lit)
    return Straight(lit, gray, np.asarray(np.linalg.inv(matrix), dtype=np.float64), 90 * is_on_side + 180 * is_on_head)


def _lay_level(image: Image) -> tuple[Image, Matrix, bool]:
    """The page level, the matrix from the given picture to it, and whether it was turned by 90 degrees."""
    gray = to_gray(image)
    text_height = measure_text_height(gray)
    scale = min(1.0, _WORKING_TEXT / text_height)
    small = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    text_height *= scale
    sheet = find_sheet(small)
    if sheet is not None:
        small = _resample(small, sheet)
        text_height = measure_text_height(small)
    is_on_side = lies_on_side(find_runs(small, text_height))
    if is_on_side:
        small = np.asarray(cv2.rotate(small, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
    level = find_straightening(small, text_height)
    if sheet is None and level is None:
        if not is_on_side:
            return image, np.eye(3), False
        turned = np.asarray(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
        return turned, _turn_matrix(cv2.ROTATE_90_CLOCKWISE, image.shape), True
    steps = np.eye(3) if sheet is None else sheet
    if is_on_side:
        upright_shape = (small.shape[1], small.shape[0])  # before it was turned
        steps = _turn_matrix(cv2.ROTATE_90_CLOCKWISE, upright_shape) @ steps
    if level is not None:
        steps = level @ steps
    zoom = np.diag([scale, scale, 1.0])
    full = np.linalg.inv(zoom) @ steps @ zoom
    frame = None if sheet is None else (small.shape[1] / scale, small.shape[0] / scale)
    shift, size = _frame_page(full, image.shape, frame)
    full = shift @ full
    paper = tuple(float(value) for value in np.percentile(image[::8, ::8].reshape(-1, 3), 90, axis=0))
    warped = cv2.warpPerspective(image, full, size, flags=cv2.INTER_CUBIC, borderValue=paper)
    return np.asarray(warped, dtype=np.uint8), full, is_on_side


def _resample(gray: Image, matrix: Matrix) -> Image:
    """The sheet itself, from (0, 0) on."""
    height, width = gray.shape
    corners = cv2.perspectiveTransform(np.array([[(0.0, 0.0), (width, 0), (width, height), (0, height)]]), matrix)[0]
    wide, high = np.minimum(corners.max(axis=0), (1.2 * width, 1.2 * height))
    size = (max(1, round(float(wide))), max(1, round(float(high))))
    return np.asarray(cv2.warpPerspective(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def _frame_page(
    matrix: Matrix, shape: tuple[int, ...], sheet: tuple[float, float] | None
) -> tuple[Matrix, tuple[int, int]]:
    """What moves the whole page into a new picture, and its size."""
    height, width = shape[:2]
    if sheet is not None:
        return np.eye(3), (round(sheet[0]), round(sheet[1]))
    corners = cv2.perspectiveTransform(np.array([[(0.0, 0.0), (width, 0), (width, height), (0, height)]]), matrix)[0]
    low, high = corners.min(axis=0), corners.max(axis=0)
    most = _MOST_GROWTH * max(width, height)
    shift = np.eye(3)
    shift[:2, 2] = -low
    size = np.minimum(np.ceil(high - low), most)
    return shift, (int(size[0]), int(size[1]))


def _turn_matrix(code: int, shape: tuple[int, ...]) -> Matrix:
    """Where the middles of the pixels go when a picture of that shape is turned."""
    height, width = shape[:2]
    if code == cv2.ROTATE_180:
        return np.array([(-1.0, 0.0, width - 1.0), (0.0, -1.0, height - 1.0), (0.0, 0.0, 1.0)])
    return np.array([(0.0, -1.0, height - 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])
