"""Pictures of pages -> one file: a PDF of pictures, as scanners write it, or a picture file.

Lives here: what a PDF adds to its pictures: a page that the viewer turns, the invisible text of a scanner's own OCR.
Does not live here: the pictures (damage).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
import pymupdf

from eval.scans.camera import turn_picture
from eval.scans.damage import Scanned
from eval.scans.form import Inked

_TIFF_LZW, _TIFF_JPEG = 5, 7
_WRONG_SHARE = 0.06


@dataclass(frozen=True)
class Bound:
    """A file. `scale`: units of its pages for a pixel."""

    raw: bytes
    ending: str
    scale: float


def bind_picture(pages: Sequence[Scanned]) -> Bound:
    """A picture of one page as it is; several pages as a TIFF."""
    if len(pages) == 1:
        return Bound(pages[0].data, pages[0].ending, 1.0)
    images = [cv2.imdecode(np.frombuffer(page.data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) for page in pages]
    packing = _TIFF_LZW if all(page.ending == "png" for page in pages) else _TIFF_JPEG
    dpi = round(pages[0].zoom * 72)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, packing, cv2.IMWRITE_TIFF_XDPI, dpi, cv2.IMWRITE_TIFF_YDPI, dpi]
    options += [cv2.IMWRITE_TIFF_ROWSPERSTRIP, 64]  # JPEG wants a multiple of 8
    done, data = cv2.imencodemulti(".tiff", images, options)
    assert done
    return Bound(np.asarray(data).tobytes(), "tiff", 1.0)


def bind_pdf(pages: Sequence[Scanned], turn: int, hidden: Sequence[Sequence[Inked]], rng: Random) -> Bound:
    """A PDF of pictures.

    Args:
        turn: quarters by which each picture lies in its page, and by which viewers turn the page back.
        hidden: per page, what the scanner's own OCR wrote invisibly, in points of the clean page; empty for nothing.
    """
    scale = 1 / pages[0].zoom
    document = pymupdf.open()
    for number, scanned in enumerate(pages):
        width, height = (side * scale for side in scanned.size)
        page = document.new_page(width=height if turn % 2 else width, height=width if turn % 2 else height)
        page.insert_image(page.rect, stream=_turn(scanned, turn) if turn else scanned.data)
        page.set_rotation(-90 * turn % 360)
        if hidden:
            _hide_text(page, scanned, hidden[number], scale, rng)
    document.subset_fonts()
    raw = document.tobytes(garbage=3, deflate=True, no_new_id=True)
    document.close()
    return Bound(raw, "pdf", scale)


def _turn(scanned: Scanned, quarters: int) -> bytes:
    image = cv2.imdecode(np.frombuffer(scanned.data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if scanned.ending == "jpg" else [cv2.IMWRITE_PNG_BILEVEL, 1]
    done, data = cv2.imencode(f".{scanned.ending}", turn_picture(image, quarters), quality)
    assert done
    return np.asarray(data).tobytes()


def _hide_text(page: pymupdf.Page, scanned: Scanned, texts: Sequence[Inked], scale: float, rng: Random) -> None:
    """Invisible text where the print is; some of its digits are wrong, as a scanner's own OCR has them."""
    writer = pymupdf.TextWriter(page.rect)
    font = pymupdf.Font("cjk")
    for item in texts:
        left, top, _, bottom = (value * scale for value in scanned.place(item.box))
        if page.rect.contains(pymupdf.Point(left, bottom)):
            writer.append((left, bottom), _misread(item.text, rng), font=font, fontsize=max(4.0, bottom - top))
    writer.write_text(page, render_mode=3)


def _misread(text: str, rng: Random) -> str:
    return "".join(
        str((int(char) + rng.randint(1, 9)) % 10) if char in "0123456789" and rng.random() < _WRONG_SHARE else char
        for char in text
    )
