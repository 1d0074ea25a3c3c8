"""Straightening: small forms drawn and turned; the drawn page says where everything must come to lie."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from extractor.sources.pages.scan.upright import Straight, straighten
from tests.unit.sources.pages.scan.drawn_forms import (
    Form,
    Image,
    add_grain,
    draw_form,
    photograph,
    turn,
)


@pytest.fixture(scope="module")
def form() -> Form:
    return draw_form()


def measure_lean(straight: Straight) -> float:
    """Degrees by which the straight page was turned clockwise out of the given one."""
    return math.degrees(math.atan2(straight.to_original[1, 0], straight.to_original[0, 0]))


def test_a_straight_page_is_given_back_as_it_is(form: Form) -> None:
    straight = straighten(form.image)
    assert straight.image is form.image
    assert straight.turn == 0
    assert (straight.to_original == np.eye(3)).all()


@pytest.mark.parametrize("degrees", [-5.0, -0.7, 0.3, 3.0])
def test_skew_is_taken_away_to_a_tenth_of_a_degree(form: Form, degrees: float) -> None:
    straight = straighten(turn(form.image, degrees))
    assert measure_lean(straight) == pytest.approx(-degrees, abs=0.1)


@pytest.mark.parametrize("degrees", [-2.0, 1.2])
def test_lines_of_text_alone_show_the_skew(form: Form, degrees: float) -> None:
    text = form.image[: round(140 * 150 / 72)]
    assert measure_lean(straighten(turn(text, degrees))) == pytest.approx(-degrees, abs=0.15)


@pytest.mark.parametrize(
    ("quarters", "code"),
    [(90, cv2.ROTATE_90_COUNTERCLOCKWISE), (180, cv2.ROTATE_180), (270, cv2.ROTATE_90_CLOCKWISE)],
)
def test_quarter_turns_are_undone_without_a_change_to_any_pixel(form: Form, quarters: int, code: int) -> None:
    given = np.asarray(cv2.rotate(form.image, code), dtype=np.uint8)
    straight = straighten(given)
    assert straight.turn == quarters
    assert (straight.image == form.image).all()
    x, y = 400, 100
    there = straight.to_original @ (x, y, 1)
    assert (given[round(there[1]), round(there[0])] == form.image[y, x]).all()


def test_the_way_back_leads_to_the_ink_of_the_picture(form: Form) -> None:
    given, seen = photograph(form.image)
    straight = straighten(given)
    corners = np.array([[form.boxes[0][:2], form.boxes[0][2:], form.boxes[-1][2:]]])
    in_photo = cv2.perspectiveTransform(corners, seen)
    in_straight = cv2.perspectiveTransform(in_photo, np.linalg.inv(straight.to_original))
    assert np.abs(cv2.perspectiveTransform(in_straight, straight.to_original) - in_photo).max() < 0.01
    dark = [straight.gray[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].min() for x, y in in_straight[0]]
    assert max(dark) < 140


def test_a_photographed_sheet_becomes_a_rectangle(form: Form) -> None:
    given, seen = photograph(form.image)
    whole = np.linalg.inv(straighten(given).to_original) @ seen
    left, top, right, bottom = form.boxes[0][0], form.boxes[0][1], form.boxes[-1][2], form.boxes[-1][3]
    corners = cv2.perspectiveTransform(np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]]), whole)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners[0]
    assert abs(y0 - y1) < 2
    assert abs(y2 - y3) < 2
    assert abs(x0 - x3) < 2
    assert abs(x1 - x2) < 2


def test_rules_show_the_perspective_without_an_outline(form: Form) -> None:
    height, width = form.image.shape[:2]
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    seen = cv2.getPerspectiveTransform(page, page + np.array([(40, 0), (-10, 15), (0, 0), (0, 0)], dtype=np.float32))
    straight = straighten(cv2.warpPerspective(form.image, seen, (width, height), borderValue=(255, 255, 255)))
    whole = np.linalg.inv(straight.to_original) @ seen
    left, top, right, bottom = form.boxes[0][0], form.boxes[0][1], form.boxes[-1][2], form.boxes[-1][3]
    corners = cv2.perspectiveTransform(np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]]), whole)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners[0]
    assert max(abs(y0 - y1), abs(y2 - y3), abs(x0 - x3), abs(x1 - x2)) < 2


def test_the_outline_of_a_sheet_without_rules(form: Form) -> None:
    text = form.image.copy()
    text[round(140 * 150 / 72) :] = 255
    given, seen = photograph(text)
    height, width = text.shape[:2]
    page = np.array([[(0.0, 0.0), (width, 0), (width, height), (0, height)]])
    found = cv2.perspectiveTransform(page, np.linalg.inv(straighten(given).to_original) @ seen)[0]
    assert found[0] == pytest.approx((0, 0), abs=8)
    assert abs(found[0, 1] - found[1, 1]) < 8
    assert abs(found[1, 0] - found[2, 0]) < 8


def test_a_shadow_is_evened_out_and_ink_stays_dark(form: Form) -> None:
    light = np.linspace(0.5, 1.0, form.image.shape[1])[None, :, None]
    dim = (form.image * light).astype(np.uint8)
    gray = straighten(dim).gray
    paper = [np.percentile(part, 80) for part in np.array_split(gray, 8, axis=1)]
    assert max(paper) - min(paper) < 8
    assert np.percentile(gray, 1) < 120


def test_specks_go_and_digits_do_not(form: Form) -> None:
    rng = np.random.default_rng(1)
    spoilt = form.image.copy()
    paper = np.argwhere(cv2.erode(form.image[:, :, 0], np.ones((7, 7), np.uint8)) == 255)
    spots = paper[rng.choice(len(paper), 400, replace=False)]
    spoilt[spots[:, 0], spots[:, 1]] = 0
    cleaned = straighten(spoilt).image
    assert (cleaned[spots[:, 0], spots[:, 1]].min(axis=1) > 128).mean() > 0.95
    ink = form.image[:, :, 0] < 100
    assert (cleaned[:, :, 0][ink] < 128).all()


def test_rules_under_a_red_stamp_stay_in_the_grey_page(form: Form) -> None:
    stamped = form.image.copy()
    left, top = (round(value) for value in form.boxes[8][:2])
    stamped[top + 5 : top + 25, left + 5 : left + 25] = (50, 50, 220)
    gray = straighten(stamped).gray
    assert gray[top + 10 : top + 20, left + 10 : left + 20].min() > 200
    assert gray[top : top + 2, left : left + 30].min() < 128


@pytest.mark.parametrize("seed", [1, 2])
def test_a_picture_of_something_else_is_not_moved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blobs: Image = cv2.resize(
        rng.integers(0, 255, (20, 15, 3), dtype=np.uint8), (900, 1200), interpolation=cv2.INTER_CUBIC
    )
    straight = straighten(add_grain(blobs, 10, seed))
    assert straight.image.shape == blobs.shape
    assert (straight.to_original == np.eye(3)).all()


def test_a_nearly_blank_page_is_not_moved() -> None:
    page = np.full((1200, 850, 3), 255, dtype=np.uint8)
    cv2.putText(page, "- 3 -", (400, 1150), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2)
    assert straighten(page).image is page
