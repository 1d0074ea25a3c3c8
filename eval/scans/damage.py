"""How bad a scan is: three severities, what is drawn for a document, and the order in which it happens to a page.

Lives here: the amounts. Does not live here: how any damage is done (ink, light, camera), files (generate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

import cv2
import numpy as np

from eval.scans.camera import Image, Warp, hold_camera, lay_flat, turn_box, turn_picture
from eval.scans.ink import draw_field, draw_pen, fade, press_stamp, show_other_side, wear_rules
from eval.scans.light import add_dirt, add_noise, blur, cast_shadow, make_gray, make_two_tone, shade_light, tint_paper
from extractor.model import Box

#: The number that a label has for each severity.
SEVERITIES = {"mild": 1, "medium": 2, "severe": 3}
_STAMP_POINTS = 120  # 42 mm, the size of an office's stamp
_DESKS = ((70, 90, 120), (60, 60, 60), (120, 125, 130))
_PAPERS = ((215, 240, 248), (225, 245, 250), (200, 228, 240))


@dataclass(frozen=True)
class Recipe:
    """What happens to all pages of one document. Shares are of 1; lengths in pixels unless said otherwise.

    Attributes:
        dpi: of the picture.
        tones: colour, gray or two-tone.
        quality: of JPEG; two-tone pictures are PNG.
        skew: most, in degrees.
        tilt: most by which a corner is off, as a share of the page.
        bend: of the paper; only of photos.
        quarters: quarter turns of the picture, clockwise.
        ink: least that is left of the print in places.
        worn: share of the rules that are worn; `rest` is what is left of their ink.
        light: the darkest light in places; `shadow` that of a shadow, 1 for none.
        other_side: strength of what shines through.
        stamps: how many: the first is across the signature, others on tables.
        pens: marks of a pen.
    """

    dpi: int
    tones: Literal["colour", "gray", "two-tone"]
    quality: int
    is_photo: bool
    skew: float
    tilt: float
    bend: float
    quarters: int
    ink: float
    worn: float
    rest: float
    light: float
    shadow: float
    paper: tuple[int, int, int]
    other_side: float
    blur: float
    noise: float
    salt: float
    speckles: int
    stamps: int
    pens: int


def draw_recipe(rng: Random, severity: str) -> Recipe:
    """What happens to a document at one of SEVERITIES."""
    return {"mild": _draw_mild, "medium": _draw_medium, "severe": _draw_severe}[severity](rng)


def _often(rng: Random, share: float) -> bool:
    return rng.random() < share


def _draw_mild(rng: Random) -> Recipe:
    """A decent office scan."""
    return Recipe(
        dpi=rng.choice((200, 200, 300)),
        tones=rng.choice(("colour", "colour", "colour", "gray", "gray", "two-tone")),
        quality=rng.randint(75, 95),
        is_photo=False,
        skew=1.0,
        tilt=0.0,
        bend=0.0,
        quarters=2 if _often(rng, 0.02) else 0,
        ink=rng.uniform(0.9, 1.0),
        worn=0.0,
        rest=1.0,
        light=rng.uniform(0.96, 1.0),
        shadow=1.0,
        paper=(255, 255, 255) if _often(rng, 0.7) else rng.choice(_PAPERS),
        other_side=0.0,
        blur=rng.uniform(0.0, 0.5),
        noise=rng.uniform(1.0, 4.0),
        salt=0.0,
        speckles=rng.randint(0, 8),
        stamps=int(_often(rng, 0.4)),
        pens=0,
    )


def _draw_medium(rng: Random) -> Recipe:
    """A scan of a copy, at 200 dpi."""
    return Recipe(
        dpi=200,
        tones=rng.choice(("colour", "colour", "gray")),
        quality=rng.randint(45, 60),
        is_photo=False,
        skew=3.0,
        tilt=0.003 if _often(rng, 0.3) else 0.0,
        bend=0.0,
        quarters=rng.choice((1, 2, 3)) if _often(rng, 0.06) else 0,
        ink=rng.uniform(0.6, 0.9),
        worn=0.3 if _often(rng, 0.4) else 0.0,
        rest=rng.uniform(0.3, 0.7),
        light=rng.uniform(0.85, 1.0),
        shadow=1.0,
        paper=rng.choice(_PAPERS) if _often(rng, 0.4) else (248, 250, 250),
        other_side=rng.uniform(0.05, 0.1) if _often(rng, 0.3) else 0.0,
        blur=rng.uniform(0.5, 0.9),
        noise=rng.uniform(4.0, 8.0),
        salt=rng.choice((0.0, 0.0002)),
        speckles=rng.randint(5, 40),
        stamps=2 if _often(rng, 0.25) else 1,
        pens=rng.randint(1, 3) if _often(rng, 0.2) else 0,
    )


def _draw_severe(rng: Random) -> Recipe:
    """A photo by phone, or a poor scan at 150 dpi."""
    is_photo = _often(rng, 0.5)
    return Recipe(
        dpi=rng.choice((170, 200)) if is_photo else 150,
        tones="colour" if is_photo else rng.choice(("colour", "gray")),
        quality=rng.randint(28, 38),
        is_photo=is_photo,
        skew=3.0,
        tilt=rng.uniform(0.01, 0.03) if is_photo else 0.004,
        bend=rng.uniform(2.0, 8.0) if is_photo else 0.0,
        quarters=rng.choice((1, 2, 3)) if _often(rng, 0.08) else 0,
        ink=rng.uniform(0.45, 0.8),
        worn=rng.uniform(0.3, 0.7) if _often(rng, 0.7) else 0.0,
        rest=rng.uniform(0.0, 0.5),
        light=rng.uniform(0.7, 0.9),
        shadow=rng.uniform(0.55, 0.8) if is_photo else 1.0,
        paper=rng.choice(_PAPERS) if _often(rng, 0.5) else (245, 248, 248),
        other_side=rng.uniform(0.06, 0.14) if _often(rng, 0.4) else 0.0,
        blur=rng.uniform(0.6, 1.0),
        noise=rng.uniform(6.0, 11.0),
        salt=rng.choice((0.0, 0.0005)),
        speckles=rng.randint(20, 90),
        stamps=2 if _often(rng, 0.4) else 1,
        pens=rng.randint(1, 5) if _often(rng, 0.4) else 0,
    )


class Sheet(NamedTuple):
    """A flat page in pixels, and what damage must know of it.

    Attributes:
        image: the clean page, blue, green, red.
        other: the clean page on its other side; None for none.
        rules: from x0, y0 to x1, y1.
        rule_width: of the rules.
        stamp: what the stamps say.
        stamps: middles of the stamps on this page.
        pens: what a pen marks.
    """

    image: Image
    other: Image | None
    rules: Sequence[Box]
    rule_width: float
    stamp: str
    stamps: Sequence[tuple[float, float]]
    pens: Sequence[Box]


class Scanned(NamedTuple):
    """A picture of a page as it is kept in a file, and the way from the flat page to it; `zoom` is pixels a point."""

    data: bytes
    ending: Literal["jpg", "png"]
    size: tuple[int, int]
    zoom: float
    warp: Warp
    quarters: int

    def place(self, box: Box) -> Box:
        """Where a box of the flat page, in points, is in the picture, in its pixels."""
        x0, y0, x1, y1 = (value * self.zoom for value in box)
        return turn_box(self.warp.place((x0, y0, x1, y1)), self.quarters, self.warp.size)


def scan_page(rng: Random, recipe: Recipe, sheet: Sheet) -> Scanned:
    """Do all of a recipe to one page."""
    image = _print_sheet(rng, recipe, sheet)
    height, width = image.shape[:2]
    skew = rng.uniform(-recipe.skew, recipe.skew)
    warp = lay_flat(rng, width, height, skew, recipe.tilt)
    background = recipe.paper
    if recipe.is_photo:
        warp = hold_camera(rng, warp, recipe.bend)
        background = rng.choice(_DESKS)
    image = _expose(rng, recipe, warp.take(image, background))
    picture = turn_picture(image, recipe.quarters)
    data, ending = _encode(picture, recipe)
    return Scanned(data, ending, (picture.shape[1], picture.shape[0]), recipe.dpi / 72, warp, recipe.quarters)


def _print_sheet(rng: Random, recipe: Recipe, sheet: Sheet) -> Image:
    """The sheet of paper before anyone scans it."""
    image = sheet.image
    size = (image.shape[1], image.shape[0])
    if recipe.worn:
        rules = [rule for rule in sheet.rules if rng.random() < recipe.worn]
        image = wear_rules(image, rng, rules, recipe.rest, sheet.rule_width)
    if recipe.ink < 1:
        image = fade(image, draw_field(rng, size, recipe.ink, 1.0))
    if recipe.other_side and sheet.other is not None:
        image = show_other_side(image, sheet.other, recipe.other_side)
    for centre in sheet.stamps:
        image = press_stamp(image, rng, sheet.stamp, centre, _STAMP_POINTS * recipe.dpi / 72)
    if sheet.pens:
        image = draw_pen(image, rng, sheet.pens, recipe.dpi / 72)
    return tint_paper(image, recipe.paper)


def _expose(rng: Random, recipe: Recipe, image: Image) -> Image:
    """What light, lens and sensor make of it."""
    image = shade_light(image, rng, recipe.light)
    if recipe.shadow < 1:
        image = cast_shadow(image, rng, recipe.shadow)
    image = add_noise(blur(image, recipe.blur), rng, recipe.noise)
    return add_dirt(image, rng, recipe.salt, recipe.speckles)


def _encode(image: Image, recipe: Recipe) -> tuple[bytes, Literal["jpg", "png"]]:
    if recipe.tones == "two-tone":
        done, data = cv2.imencode(".png", make_two_tone(image), [cv2.IMWRITE_PNG_BILEVEL, 1])
        ending: Literal["jpg", "png"] = "png"
    else:
        toned = make_gray(image) if recipe.tones == "gray" else image
        done, data = cv2.imencode(".jpg", toned, [cv2.IMWRITE_JPEG_QUALITY, recipe.quality])
        ending = "jpg"
    assert done
    return np.asarray(data).tobytes(), ending
