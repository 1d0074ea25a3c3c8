"""The geometry of a scan: how a page comes to lie in its picture, and where its points go.

Lives here: skew, perspective, bent paper, quarter turns, as one map of pixels. Does not live here: ink and light (ink,
light), how much of it at which severity (damage).
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from extractor.model import Box

Image = NDArray[np.uint8]


class Warp(NamedTuple):
    """From the pixels of the flat page to those of the picture.

    Attributes:
        matrix: 3 x 3, applied after the bend.
        size: width and height of the picture.
        bend: pixels by which the page's lines rise and fall.
        waves: how often over the width of the page, in radians a pixel.
        phase: of the wave, in radians.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    bend: float = 0.0
    waves: float = 0.0
    phase: float = 0.0

    def take(self, image: Image, background: tuple[int, int, int]) -> Image:
        """The picture of a flat page."""
        width, height = self.size
        if not self.bend:
            return cv2.warpPerspective(  # type: ignore[return-value]
                image,
                self.matrix,
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=background,
            )
        back = np.linalg.inv(self.matrix)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
        from_x = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
        from_y = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
        from_y -= self.bend * np.sin(self.waves * from_x + self.phase)
        return cv2.remap(  # type: ignore[return-value]
            image,
            from_x.astype(np.float32),
            from_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=background,
        )

    def place(self, box: Box) -> Box:
        """The upright box around where a box of the flat page comes to lie."""
        left, top, right, bottom = box
        across = np.linspace(left, right, 5)
        x, y = np.concatenate([across, across]), np.repeat([top, bottom], 5)
        y = y + self.bend * np.sin(self.waves * x + self.phase)
        u, v, w = self.matrix @ np.stack([x, y, np.ones_like(x)])
        u, v = u / w, v / w
        return (float(u.min()), float(v.min()), float(u.max()), float(v.max()))


def lay_flat(rng: Random, width: int, height: int, skew: float, tilt: float) -> Warp:
    """A page on the glass of a scanner.

    Args:
        skew: degrees.
        tilt: most by which a corner is off, as a share of the page.
    """
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0), [0, 0, 1]])
    return Warp(_tilt(rng, width, height, tilt) @ turn, (width, height))


def hold_camera(rng: Random, flat: Warp, bend: float) -> Warp:
    """A page on a desk, seen by a phone: a margin of desk around it, perspective, and paper that is not flat."""
    width, height = flat.size
    scale = rng.uniform(0.9, 0.96)
    frame = np.array([[scale, 0, width * (1 - scale) / 2], [0, scale, height * (1 - scale) / 2], [0, 0, 1]])
    return Warp(
        frame @ flat.matrix,
        flat.size,
        bend=bend,
        waves=rng.uniform(0.7, 1.6) * np.pi / width,
        phase=rng.uniform(0, 2 * np.pi),
    )


def turn_picture(image: Image, quarters: int) -> Image:
    """Turned clockwise by so many quarters."""
    return np.ascontiguousarray(np.rot90(image, -quarters))


def turn_box(box: Box, quarters: int, size: tuple[float, float]) -> Box:
    """A box of a picture of that width and height after the picture was turned clockwise."""
    width, height = size
    for _ in range(quarters % 4):
        left, top, right, bottom = box
        box = (height - bottom, left, height - top, right)
        width, height = height, width
    return box


def _tilt(rng: Random, width: int, height: int, most: float) -> NDArray[np.float64]:
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    off = [[rng.uniform(-most, most) * width, rng.uniform(-most, most) * height] for _ in range(4)]
    return cv2.getPerspectiveTransform(corners, corners + np.array(off, dtype=np.float32)).astype(np.float64)
