"""The outline of a sheet of paper in a photo.

Lives here: the four corners of a bright sheet before a darker background, where they are plain to see. Does not live
here: perspective by rules (skew). Called by upright.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_SIDE = 500  # px of the picture that is searched
_LEAST_STEP = 40  # grey levels between paper and what it lies on
_SMALLEST, _LARGEST = 0.3, 0.97  # share of the picture
_FILLED = 0.97  # share of the quadrangle that the sheet fills
# How far a photo pulls a rectangle apart: opposite sides, and the cosine of a corner (15 degrees from a right angle).
_MOST_TAPER, _MOST_LEAN = 1.3, 0.26


def find_sheet(gray: npt.NDArray[np.uint8]) -> Matrix | None:
    """The 3 x 3 matrix that makes the photographed sheet a rectangle at (0, 0), and None where no sheet is sure."""
    corners = find_corners(gray)
    if corners is None:
        return None
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    wide, high = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    target = np.array([(0, 0), (wide, 0), (wide, high), (0, high)])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, dtype=np.float64)


def find_corners(gray: npt.NDArray[np.uint8]) -> Matrix | None:
    """Corners in px (4, 2): top left, top right, bottom right, bottom left; None where no sheet is sure."""
    scale = min(1.0, _SIDE / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # Without the ink, so that a sheet is one bright area.
    small = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 5)
    threshold, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inside, outside = small[small > threshold], small[small <= threshold]
    if not len(outside) or float(np.median(inside)) - float(np.median(outside)) < _LEAST_STEP:
        return None
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    sheet = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(sheet)
    hull = cv2.convexHull(sheet)
    quad = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True).reshape(-1, 2).astype(np.float64)
    if len(quad) != 4 or not _SMALLEST * small.size <= area <= _LARGEST * small.size:
        return None
    if area < _FILLED * cv2.contourArea(quad.astype(np.float32)) or _leaves_picture(quad, small.shape):
        return None
    corners = _order_corners(quad)
    return np.asarray((corners + 0.5) / scale, dtype=np.float64) if _may_be_sheet(corners) else None


def _may_be_sheet(corners: Matrix) -> bool:
    """Whether the corners may be those of a rectangle: what a shadow leaves of a sheet has four corners, too."""
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    tapers = np.maximum(lengths[:2], lengths[2:]) / np.minimum(lengths[:2], lengths[2:])
    units = sides / lengths[:, None]
    leans = np.abs((units * np.roll(units, -1, axis=0)).sum(axis=1))
    return bool(tapers.max() <= _MOST_TAPER and leans.max() <= _MOST_LEAN)


def _leaves_picture(quad: Matrix, shape: tuple[int, ...]) -> bool:
    """Whether a corner lies at the rim of the picture: the sheet goes on outside."""
    near = (quad < 3) | (quad > np.array([shape[1], shape[0]]) - 4)
    return bool(near.all(axis=1).any() or near.any(axis=1).sum() > 1)


def _order_corners(quad: Matrix) -> Matrix:
    middle = quad.mean(axis=0)
    angle = np.arctan2(quad[:, 1] - middle[1], quad[:, 0] - middle[0])
    ordered = quad[np.argsort(angle)]  # clockwise on the screen, from the left
    first = int((ordered.sum(axis=1)).argmin())
    return np.roll(ordered, -first, axis=0)
