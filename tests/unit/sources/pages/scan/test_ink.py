"""Is there ink in a cell? Drawn cells with known content on papers of all sorts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extractor.sources.pages.scan.ink import CellInk, find_cell_ink, measure_sheet

LINE_HEIGHT = 28.0
CELL = (200.0, 150.0, 300.0, 210.0)  # left, top, right, bottom; its rules are drawn on these lines
BLACK = (30, 30, 30)


def draw_sheet(paper: int = 255) -> np.ndarray:
    """A table of black rules and some lines of print, so that the page has a usual darkness."""
    image = np.full((420, 520, 3), paper, np.uint8)
    for x in (100, 200, 300, 400):
        cv2.line(image, (x, 90), (x, 330), BLACK, 3)
    for y in (90, 150, 210, 270, 330):
        cv2.line(image, (100, y), (400, y), BLACK, 3)
    for x in (130, 330):
        for y in (130, 190, 250, 310):
            cv2.putText(image, "804", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, BLACK, 2, cv2.LINE_AA)
    return image


def roughen(image: np.ndarray, noise: float = 8.0, blur: float = 0.8, seed: int = 5) -> np.ndarray:
    """As from a scanner."""
    soft = cv2.GaussianBlur(image, (0, 0), blur).astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, noise, image.shape[:2])[..., None]
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def look(image: np.ndarray, cell: tuple[float, float, float, float] = CELL) -> CellInk:
    return find_cell_ink(measure_sheet(image, LINE_HEIGHT), cell)


def shade(image: np.ndarray) -> np.ndarray:
    fall = np.linspace(1.0, 0.55, image.shape[1])[None, :, None]
    return np.clip(image * fall, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        draw_sheet(),
        roughen(draw_sheet()),
        roughen(draw_sheet(paper=200), noise=14),
        shade(roughen(draw_sheet())),
    ],
    ids=["clean", "noise", "grey paper", "shadow"],
)
def test_an_empty_cell_is_empty_on_any_paper(image: np.ndarray) -> None:
    assert look(image).kind == "none"


@pytest.mark.parametrize("darkness", [22, 34, 60])
def test_faint_print_among_the_grain_is_seen(darkness: int) -> None:
    """Of the faintest no pixel is darker than the grain of the paper is here and there."""
    image = draw_sheet().astype(np.int16)
    figure = np.zeros(image.shape[:2], np.uint8)
    cv2.putText(figure, "11", (232, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2, cv2.LINE_AA)
    faint = np.clip(image - (figure[..., None] / 255 * darkness), 0, 255).astype(np.uint8)
    for seed in range(5):
        assert look(roughen(faint, noise=14, seed=seed)).kind != "none"
        assert look(roughen(draw_sheet(), noise=14, seed=seed)).kind == "none"


@pytest.mark.parametrize("off", [(-4, -4, -4, -4), (4, 4, 4, 4), (-3, 3, 3, -3)])
def test_rules_that_are_found_some_pixels_off_are_no_ink(off: tuple[int, int, int, int]) -> None:
    cell = tuple(edge + shift for edge, shift in zip(CELL, off, strict=True))
    assert look(roughen(draw_sheet()), cell).kind == "none"


def test_bits_of_a_worn_rule_inside_the_cell_are_no_ink() -> None:
    image = draw_sheet()
    for y in (158, 172, 187, 198):  # beside the rule at the right, where it bends into the cell
        cv2.line(image, (294, y), (297, y + 6), BLACK, 3)
    assert look(roughen(image)).kind == "none"


@pytest.mark.parametrize("darkness", [30, 110, 170], ids=["black", "grey", "faint"])
def test_a_thin_1_is_print_however_faint(darkness: int) -> None:
    image = draw_sheet()
    cv2.line(image, (250, 170), (250, 190), (darkness,) * 3, 2)
    assert look(roughen(image)).kind == "print"


def test_the_box_of_the_ink_is_that_of_the_print_without_the_rules() -> None:
    image = draw_sheet()
    cv2.rectangle(image, (240, 168), (256, 192), BLACK, -1)
    box = look(roughen(image, noise=3)).box
    assert box == pytest.approx((240, 168, 257, 193), abs=3)


def test_a_fleck_leaves_a_doubt_and_is_no_print() -> None:
    image = draw_sheet()
    cv2.circle(image, (230, 185), 2, BLACK, -1)
    assert look(roughen(image, noise=3)).kind == "traces"


STAMP_RED, STAMP_BLUE = (70, 60, 220), (210, 90, 50)


def stamp_over(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A ring and a disc as a rubber stamp leaves them: they darken what is below and hide nothing."""
    layer = np.full_like(image, 255)
    cv2.circle(layer, (250, 180), 75, colour, 8)
    cv2.circle(layer, (262, 180), 22, colour, -1)
    return (image.astype(np.float32) * layer / 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [STAMP_RED, STAMP_BLUE], ids=["red", "blue"])
def test_a_stamp_over_an_empty_cell_is_no_ink(colour: tuple[int, int, int]) -> None:
    ink = look(roughen(stamp_over(draw_sheet(), colour), noise=4))
    assert (ink.kind, ink.is_stamped) == ("none", True)


@pytest.mark.parametrize("colour", [STAMP_RED, STAMP_BLUE], ids=["red", "blue"])
def test_a_digit_under_a_stamp_is_ink_and_shown_without_the_stamp(colour: tuple[int, int, int]) -> None:
    image = draw_sheet()
    cv2.rectangle(image, (252, 170), (256, 190), BLACK, -1)
    ink = look(roughen(stamp_over(image, colour), noise=4))
    assert ink.kind == "print"
    left, top = ink.origin
    shown = ink.picture[180 - top, :, 0].astype(int)
    assert shown[254 - left] < 110  # the digit
    assert shown[272 - left] > 200  # the stamp beside it


def test_coloured_print_is_no_stamp() -> None:
    image = draw_sheet()
    cv2.putText(image, "7", (240, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.8, STAMP_BLUE, 2, cv2.LINE_AA)
    ink = look(roughen(image, noise=4))
    assert (ink.kind, ink.is_stamped) == ("print", False)
