"""Files with pages as they are opened: what is wrong with them, and how large their pages are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest

from extractor.errors import MissingProgram
from extractor.model import Page
from extractor.settings import Settings
from extractor.sources.pages.opening import refuse, take_losses
from extractor.sources.pages.tasks import PageFile, Refusal, inspect_file


def inspect(file: PageFile) -> tuple[Page, ...] | Refusal:
    return inspect_file(file, Settings(max_pages=3))


def write_pdf(path: Path, pages: int = 3, **saving: object) -> PageFile:
    document = pymupdf.open()
    for number in range(pages):
        document.new_page(width=300, height=400 + number).insert_text((50, 50), f"page {number + 1}")
    document.save(path, **saving)
    return PageFile(str(path), "pdf")


def write_picture(path: Path, extension: str, image: np.ndarray) -> PageFile:
    path.write_bytes(cv2.imencode(extension, image)[1].tobytes())
    return PageFile(str(path), {".jpg": "jpeg", ".tif": "tiff"}.get(extension, extension[1:]))


def damage(file: PageFile, change: Callable[[bytes], bytes]) -> PageFile:
    path = Path(file.path)
    path.write_bytes(change(path.read_bytes()))
    return file


def test_pages_are_counted_from_one_and_measured_in_points(tmp_path: Path) -> None:
    pages = inspect(write_pdf(tmp_path / "a.pdf"))
    assert pages == (Page(1, 300, 400, "pt"), Page(2, 300, 401, "pt"), Page(3, 300, 402, "pt"))


def test_more_pages_than_the_limit_are_refused(tmp_path: Path) -> None:
    outcome = inspect(write_pdf(tmp_path / "a.pdf", pages=4))
    assert outcome == Refusal("long", "it has 4 pages, the limit is 3")


@pytest.mark.parametrize("extension", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_pictures_are_pages_measured_in_pixels(tmp_path: Path, extension: str) -> None:
    file = write_picture(tmp_path / "a", extension, np.full((70, 50, 3), 255, np.uint8))
    assert inspect(file) == (Page(1, 50, 70, "px"),)


def test_a_tiff_has_as_many_pages_as_pictures(tmp_path: Path) -> None:
    images = [np.full((height, 50, 3), 255, np.uint8) for height in (70, 80)]
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), images)
    assert inspect(PageFile(str(tmp_path / "a.tif"), "tiff")) == (Page(1, 50, 70, "px"), Page(2, 50, 80, "px"))


def test_a_photo_is_as_its_camera_was_held(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.jpg", ".jpg", np.full((70, 50, 3), 255, np.uint8))
    orientation = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    mark = b"\xff\xe1" + (len(orientation) + 2).to_bytes(2, "big") + orientation
    damage(file, lambda raw: raw[:2] + mark + raw[2:])
    assert inspect(file) == (Page(1, 70, 50, "px"),)


def test_a_password_locks_a_pdf_and_an_empty_one_does_not(tmp_path: Path) -> None:
    locked = write_pdf(tmp_path / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="o")
    assert inspect(locked) == Refusal("locked", "it is locked by a password")
    guarded = write_pdf(tmp_path / "b.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="o")
    assert len(inspect(guarded)) == 3


def test_leading_white_space_does_no_harm(tmp_path: Path) -> None:
    file = damage(write_pdf(tmp_path / "a.pdf"), lambda raw: b"\xef\xbb\xbf \r\n" + raw)
    assert len(inspect(file)) == 3


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_a_pdf_without_its_end_is_damaged_however_much_is_left(tmp_path: Path, share: float) -> None:
    file = damage(write_pdf(tmp_path / "a.pdf", garbage=0), lambda raw: raw[: round(len(raw) * share)])
    outcome = inspect(file)
    assert isinstance(outcome, Refusal)
    assert outcome.kind == "damaged"


def test_a_pdf_whose_places_are_wrong_is_mended(tmp_path: Path) -> None:
    file = damage(write_pdf(tmp_path / "a.pdf"), lambda raw: raw.replace(b"startxref\n", b"startxref\n9"))
    assert len(inspect(file)) == 3


@pytest.mark.parametrize("raw", [b"%PDF-1.7 ...", b"%PDF-1.4\n%%EOF", b"%PDF" + bytes(range(256)) * 20])
def test_what_only_begins_as_a_pdf_is_damaged(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(raw)
    outcome = inspect(PageFile(str(tmp_path / "a.pdf"), "pdf"))
    assert isinstance(outcome, Refusal)
    assert outcome.kind == "damaged"


def test_a_file_is_opened_as_what_its_bytes_say_and_nothing_else(tmp_path: Path) -> None:
    """mupdf would open web pages, e-books and archives, too."""
    (tmp_path / "a.html").write_text("<html><body>page</body></html>", encoding="utf-8")
    assert isinstance(inspect(PageFile(str(tmp_path / "a.html"), "pdf")), Refusal)
    assert isinstance(inspect(PageFile(str(tmp_path / "a.html"), "png")), Refusal)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("code=1: malloc (600000000 bytes) failed"), "memory"),
        (cv2.error("Insufficient memory (Failed to allocate 99 bytes)"), "memory"),
        (pymupdf.FileDataError("broken"), "damaged"),
        (pymupdf.mupdf.FzErrorFormat("code=7: broken"), "damaged"),
        (MissingProgram("model.onnx", "gone", "install"), "missing"),
        (ZeroDivisionError("x"), "unforeseen"),
    ],
)
def test_every_error_has_a_meaning(error: Exception, kind: str) -> None:
    try:
        raise error
    except type(error) as raised:
        outcome = refuse(raised)
    assert outcome.kind == kind
    assert outcome.problem


def test_lost_parts_are_told_once(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", ".jpg", np.random.default_rng(1).integers(0, 255, (70, 50, 3), np.uint8))
    raw = (tmp_path / "a.jpg").read_bytes()
    take_losses()
    pymupdf.open(stream=raw, filetype="jpeg")[0].get_pixmap()
    assert take_losses() == ""
    pymupdf.open(stream=raw[: len(raw) // 2], filetype="jpeg")[0].get_pixmap()
    assert "premature end" in take_losses()
    assert take_losses() == ""
