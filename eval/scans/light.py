"""Paper, light and the sensor: colour of the paper, shadows, blur, noise, dirt, two tones.

Does not live here: ink (ink), geometry (camera), how much of it at which severity (damage).
"""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.scans.camera import Image
from eval.scans.ink import draw_field

_TILE = 512


def tint_paper(image: Image, colour: tuple[int, int, int]) -> Image:
    """Paper of another colour (blue, green, red), print on it as before."""
    return (image.astype(np.float32) * (np.array(colour, dtype=np.float32) / 255)).astype(np.uint8)


def shade_light(image: Image, rng: Random, low: float) -> Image:
    """Uneven light: here as bright as it was, there down to `low` of it."""
    field = draw_field(rng, image.shape[1::-1], low, 1.0, knots=4)
    return (image * field[..., None]).astype(np.uint8)


def cast_shadow(image: Image, rng: Random, depth: float) -> Image:
    """The soft shadow of a hand or a phone over one side of the picture; `depth` is the light that is left."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    reach = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) - np.float32(rng.uniform(-0.2, 0.5))
    field = depth + (1 - depth) / (1 + np.exp(reach * np.float32(rng.uniform(6, 14))))
    return (image * field[..., None]).astype(np.uint8)


def blur(image: Image, sigma: float) -> Image:
    """Out of focus."""
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.2 else image  # type: ignore[return-value]


def add_noise(image: Image, rng: Random, sigma: float) -> Image:
    """Noise of the sensor, alike in all three colours."""
    source = np.random.default_rng(rng.getrandbits(64))
    tile = source.normal(0, sigma, (_TILE, _TILE)).astype(np.int16)
    height, width = image.shape[:2]
    field = np.tile(tile, (height // _TILE + 1, width // _TILE + 1))[:height, :width, None]
    return np.clip(image.astype(np.int16) + field, 0, 255).astype(np.uint8)


def add_dirt(image: Image, rng: Random, salt: float, speckles: int) -> Image:
    """Single pixels of black or white, and dark specks.

    Args:
        salt: share of the pixels.
        speckles: how many, of one to three pixels across.
    """
    source = np.random.default_rng(rng.getrandbits(64))
    height, width = image.shape[:2]
    dirty = image.copy()
    count = int(height * width * salt)
    dirty[source.integers(0, height, count), source.integers(0, width, count)] = source.choice([0, 255], (count, 1))
    for _ in range(speckles):
        place = (rng.randrange(width), rng.randrange(height))
        cv2.circle(dirty, place, rng.choice((0, 1, 1)), (rng.randint(20, 110),) * 3, -1)
    return dirty


def make_gray(image: Image) -> Image:
    """Without colour; still three channels."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]


def make_two_tone(image: Image) -> NDArray[np.uint8]:
    """Black and white, as copiers send it: one channel, 0 and 255."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.threshold(gray, 165, 255, cv2.THRESH_BINARY)[1]  # type: ignore[return-value]
