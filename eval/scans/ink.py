"""What happens to the ink of a page before it is scanned: faint print, worn rules, stamps, pens, the other side.

Does not live here: paper, light, and the scanner (light); how much of it at which severity (damage).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from random import Random

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray

from eval.scans.camera import Image
from extractor.model import Box

_STAMP = 300  # pixels of the drawing, before it is scaled


def draw_field(rng: Random, size: tuple[int, int], low: float, high: float, knots: int = 5) -> NDArray[np.float32]:
    """A smooth field over a picture of that width and height, with values between `low` and `high`."""
    grid = np.array([[rng.uniform(low, high) for _ in range(knots)] for _ in range(knots)], dtype=np.float32)
    return np.clip(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), low, high)


def fade(image: Image, field: NDArray[np.float32]) -> Image:
    """Ink that is lighter: `field` 1 leaves it as it is, 0 leaves white paper."""
    return (255 - (255 - image) * field[..., None]).astype(np.uint8)


def wear_rules(image: Image, rng: Random, rules: Sequence[Box], rest: float, width: float) -> Image:
    """Rules that are faint or broken in places.

    Args:
        rules: from x0, y0 to x1, y1 in pixels.
        rest: how much of the ink is left there.
        width: of a rule in pixels.
    """
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    for x0, y0, x1, y1 in rules:
        a, b = sorted((rng.random(), rng.random()))
        ends = [(round(x0 + t * (x1 - x0)), round(y0 + t * (y1 - y0))) for t in (a, b)]
        cv2.line(mask, ends[0], ends[1], 255, thickness=round(width) + 2)
    worn = image.copy()
    spots = mask > 0
    worn[spots] = (255 - (255 - image[spots].astype(np.float32)) * rest).astype(np.uint8)
    return worn


def show_other_side(image: Image, other: Image, strength: float) -> Image:
    """The print of the other side of the sheet, seen through the paper."""
    mirrored = cv2.GaussianBlur(cv2.resize(other, image.shape[1::-1])[:, ::-1], (0, 0), 2.0)
    return np.minimum(image, (255 - (255 - mirrored) * strength).astype(np.uint8))


def press_stamp(image: Image, rng: Random, text: str, centre: tuple[float, float], size: float) -> Image:
    """A round red stamp, patchy, that lets the print below through.

    Args:
        size: diameter in pixels.
    """
    shape = draw_stamp(text)
    turn = cv2.getRotationMatrix2D((_STAMP / 2, _STAMP / 2), rng.uniform(-20, 20), size / _STAMP)
    turn[:, 2] += np.array(centre) - _STAMP / 2
    cover = cv2.warpAffine(shape, turn, image.shape[1::-1], flags=cv2.INTER_AREA).astype(np.float32) / 255
    left, top = (max(0, int(c - size)) for c in centre)
    window = np.s_[top : int(centre[1] + size), left : int(centre[0] + size)]
    part = image[window].astype(np.float32)
    patches = draw_field(rng, part.shape[1::-1], 0.35, 0.95, knots=9)
    alpha = (cover[window] * patches)[..., None]
    red = np.array([rng.randint(40, 90), rng.randint(30, 70), rng.randint(190, 235)], dtype=np.float32) / 255
    stamped = image.copy()
    stamped[window] = (part * (1 - alpha * (1 - red))).astype(np.uint8)
    return stamped


def draw_stamp(text: str) -> Image:
    """The cover of a stamp, 0 to 255: ring, star, and the name along the upper arc."""
    document = pymupdf.open()
    page = document.new_page(width=_STAMP, height=_STAMP)
    middle, radius = _STAMP / 2, _STAMP / 2 - 12
    page.draw_circle((middle, middle), radius, width=9)
    points = []
    for n in range(10):
        reach = radius * (0.34 if n % 2 == 0 else 0.13)
        points.append((middle + reach * sin(n * pi / 5), middle - reach * cos(n * pi / 5)))
    page.draw_polyline([*points, points[0]], fill=(0, 0, 0), width=0)
    size = 36 if len(text) < 8 else 29
    for n, char in enumerate(text):
        angle = (n - (len(text) - 1) / 2) * min(28.0, 240 / len(text))
        foot = pymupdf.Point(middle, middle - radius * 0.68)
        spin = pymupdf.Matrix(-angle)
        spot = (foot - (middle, middle)) * pymupdf.Matrix(angle) + (middle, middle)
        page.insert_text((spot.x - size / 2, spot.y), char, fontname="china-s", fontsize=size, morph=(spot, spin))
    pixels = page.get_pixmap(colorspace=pymupdf.csGRAY)
    shape = 255 - np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.h, pixels.w)
    document.close()
    return shape


def draw_pen(image: Image, rng: Random, spots: Sequence[Box], width: float) -> Image:
    """Marks of a pen: a tick, a line below, or a ring round each of some spots."""
    marked = image.copy()
    colour = rng.choice(((150, 60, 40), (60, 50, 50), (50, 50, 200)))
    thickness = max(1, round(width))
    for left, top, right, bottom in spots:
        x, y, w, h = left, top, right - left, bottom - top
        kind = rng.choice(("tick", "line", "ring"))
        if kind == "ring":
            centre = (round(x + w / 2), round(y + h / 2))
            cv2.ellipse(
                marked, centre, (round(w * 0.6), round(h * 0.55)), rng.uniform(-8, 8), 0, 350, colour, thickness
            )
            continue
        if kind == "tick":
            track = [(x - h, y + h * 0.5), (x - h * 0.7, y + h * 0.9), (x - h * 0.1, y - h * 0.1)]
        else:
            track = [(x + w * t, y + h * (0.95 + 0.08 * sin(9 * t + rng.random()))) for t in np.linspace(0, 1, 12)]
        cv2.polylines(marked, [np.round(track).astype(np.int32)], isClosed=False, color=colour, thickness=thickness)
    return marked
