"""Pages as pixels: the resolution that is chosen, the bound on it, and parts of pages."""

from __future__ import annotations

import cv2
import numpy as np
import pymupdf
import pytest

from extractor.settings import Settings
from extractor.sources.pages.opening import describe_page
from extractor.sources.pages.raster import Picture, TooNarrow, choose_dpi, crop, encode_png, render_page

SETTINGS = Settings()
A4 = (595, 842)


def make_page(*, width: float = 595, height: float = 842, rotation: int = 0) -> pymupdf.Page:
    page = pymupdf.open().new_page(width=width, height=height)
    page.set_rotation(rotation)
    return page


def make_png(width: int, height: int) -> bytes:
    return cv2.imencode(".png", np.full((height, width, 3), 255, np.uint8))[1].tobytes()


def open_picture(width: int, height: int) -> pymupdf.Page:
    return pymupdf.open(stream=make_png(width, height), filetype="png")[0]


def test_a_page_without_pictures_is_read_at_200_dpi() -> None:
    assert choose_dpi(make_page()) == 200


@pytest.mark.parametrize(("scanned_at", "read_at"), [(96, 150), (180, 180), (600, 300)])
def test_a_scan_is_read_at_its_own_resolution_within_bounds(scanned_at: int, read_at: int) -> None:
    page = make_page()
    half = page.rect.height / 2  # some scanners deliver strips
    for top in (0.0, half):
        strip = make_png(round(595 * scanned_at / 72), round(half * scanned_at / 72))
        page.insert_image(pymupdf.Rect(0, top, 595, top + half), stream=strip, keep_proportion=False)
    assert choose_dpi(page) == pytest.approx(read_at, rel=0.01)


def test_a_small_picture_on_a_page_says_nothing_about_its_resolution() -> None:
    page = make_page()
    page.insert_image(pymupdf.Rect(0, 0, 100, 100), stream=make_png(1000, 1000))
    assert choose_dpi(page) == 200


@pytest.mark.parametrize(
    ("size", "shown_at"),
    [((1654, 2339), 1.0), ((4000, 6000), 0.6), ((600, 900), 2.0), ((100, 100), 2.0), ((800, 6000), 1.0)],
    ids=["scan", "photo", "screenshot", "scrap", "long screenshot"],
)
def test_a_picture_is_shown_at_a_scale_that_suits_a_page_of_its_size(size: tuple[int, int], shown_at: float) -> None:
    page = open_picture(*size)
    picture = render_page(page, choose_dpi(page), SETTINGS)
    assert picture.scale == pytest.approx(shown_at, rel=0.07)
    height, width = picture.image.shape[:2]
    facts = describe_page(page)
    assert (facts.unit, facts.width, facts.height) == ("px", *size)
    assert (width / facts.width, height / facts.height) == pytest.approx((picture.scale, picture.scale), rel=0.02)


def test_colours_are_blue_green_red_and_the_scale_is_pixels_a_unit() -> None:
    page = make_page()
    page.draw_rect(pymupdf.Rect(100, 200, 300, 400), fill=(1, 0, 0), color=(1, 0, 0))
    picture = render_page(page, 144, SETTINGS)
    assert picture.scale == pytest.approx(2)
    assert picture.image.shape == (1684, 1190, 3)
    assert picture.image[600, 400].tolist() == [0, 0, 255]
    assert picture.image[398, 400].tolist() == [255, 255, 255]
    assert picture.image.flags.c_contiguous


def test_a_turned_page_is_as_a_viewer_shows_it() -> None:
    page = make_page(rotation=90)
    facts = describe_page(page)
    assert (facts.width, facts.height) == (842, 595)
    assert render_page(page, 72, SETTINGS).image.shape == (595, 842, 3)


@pytest.mark.parametrize("size", [(14400, 14400), (90, 14400), A4], ids=["five metres", "a ribbon", "A4"])
def test_pixels_are_bounded_whatever_the_page(size: tuple[float, float]) -> None:
    settings = Settings(max_page_megapixels=2)
    picture = render_page(make_page(width=size[0], height=size[1]), 300, settings)
    height, width = picture.image.shape[:2]
    assert 0 < height * width <= 2_040_000  # sides are rounded up
    assert picture.scale == pytest.approx(height / size[1], rel=0.01)


def test_a_page_without_room_for_a_character_is_not_rendered() -> None:
    with pytest.raises(TooNarrow, match=r"2 x 14400 points"):
        render_page(make_page(width=2, height=14400), 200, SETTINGS)


def test_a_part_of_a_page_is_cut_and_turned() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 30:60] = (255, 0, 0)
    picture = Picture(image, 2.0)
    part = crop(picture, (15, 5, 30, 10), 0)
    assert part.shape == (10, 30, 3)
    assert (part == (255, 0, 0)).all()
    left_half_white = image.copy()
    left_half_white[10:20, 30:45] = 255
    turned = crop(Picture(left_half_white, 2.0), (15, 5, 30, 10), 90)
    assert turned.shape == (30, 10, 3)
    assert (turned[:15] == 255).all()  # turned clockwise, what was left is on top
    assert not (turned[15:] == 255).all()


@pytest.mark.parametrize("box", [(-5, -5, 3, 3), (100, 100, 200, 200), (5, 5, 5, 5), (9, 9, 2, 2)])
def test_a_box_off_the_page_or_without_size_still_gives_a_picture(box: tuple[float, float, float, float]) -> None:
    part = crop(Picture(np.zeros((40, 60, 3), np.uint8), 2.0), box, 0)
    assert part.size > 0
    assert encode_png(part).startswith(b"\x89PNG")
