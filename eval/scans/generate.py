"""The number of a document -> a synthetic scan with its label and the place of every value.

Lives here: tying report, look, pages and damage together, and writing folders. Does not live here: the parts.

A report with one number is the same one at every severity.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pymupdf

from eval.corruption.report import Report
from eval.scans.binding import Bound, bind_pdf, bind_picture
from eval.scans.camera import Image
from eval.scans.damage import SEVERITIES, Recipe, Scanned, Sheet, draw_recipe, scan_page
from eval.scans.form import Drawn, Printed, draw_form
from eval.scans.labels import label_report
from eval.scans.looks import Look, draw_look, draw_poster_look
from eval.scans.profiles import draw_report
from extractor.model import Box

#: What a document may be: the PDF as drawn, or a scan of it.
LEVELS = ("clean", *SEVERITIES)
_PICTURE_SHARE = 0.16
_SHORT_SHARE = 0.5
#: PDFs whose viewer turns the page, and PDFs with the text of a scanner's own OCR.
_TURNED_SHARE = 0.04
_HIDDEN_SHARE = 0.06


class ValueBox(NamedTuple):
    """Where a cell of the form stands in the file: page from 1, boxes in units of the page as a viewer shows it.

    Attributes:
        ink: around the printed value; None where nothing is printed.
        cell: on the rules around it.
    """

    page: int
    ink: Box | None
    cell: Box


class Scan(NamedTuple):
    """A document with its truth.

    Attributes:
        label: as its file holds it, in the format of eval/gold.
        boxes: by field id.
        pages: width and height, in points for a PDF, in pixels for a picture.
    """

    name: str
    file: str
    raw: bytes
    label: dict[str, Any]
    boxes: Mapping[str, ValueBox]
    pages: tuple[tuple[float, float], ...]
    profile: str


def make_scans(level: str, count: int, seed: int = 0) -> Iterator[Scan]:
    """Documents number `seed` to `seed + count - 1`, each made from its own number alone.

    Args:
        level: one of LEVELS.
    """
    if level not in LEVELS:
        raise ValueError(f"{level} is none of {', '.join(LEVELS)}")
    for number in range(seed, seed + count):
        yield make_scan(level, number)


def make_scan(level: str, number: int) -> Scan:
    """One document."""
    rng = Random(f"report-{number}")
    is_picture = rng.random() < _PICTURE_SHARE
    is_short = is_picture and rng.random() < _SHORT_SHARE
    report = draw_report(rng, is_short=is_short)
    look = draw_poster_look(rng) if is_short else draw_look(rng)
    drawn = draw_form(report, look)
    name = f"{level}-{number:05d}"
    if level in SEVERITIES:
        rng = Random(name)
        recipe = draw_recipe(rng, level)
        scanned = _scan_pages(rng, recipe, report, look, drawn)
        bound = _bind(rng, scanned, recipe, drawn, is_picture=is_picture)
        boxes = {field: _place_value(value, scanned[value.page], bound.scale) for field, value in drawn.values.items()}
        pages = tuple((page.size[0] * bound.scale, page.size[1] * bound.scale) for page in scanned)
    else:
        bound = Bound(drawn.pdf, "pdf", 1.0)
        boxes = {field: ValueBox(value.page + 1, value.ink, value.cell) for field, value in drawn.values.items()}
        pages = (look.paper,) * drawn.pages
    file = f"{name}.{bound.ending}"
    return Scan(name, file, bound.raw, label_report(report, file, level), boxes, pages, report.profile)


def _scan_pages(rng: Random, recipe: Recipe, report: Report, look: Look, drawn: Drawn) -> list[Scanned]:
    zoom = recipe.dpi / 72
    images = _render(drawn.pdf, zoom)
    stamps = _choose_stamps(rng, recipe, drawn)
    pens = _choose_pens(rng, recipe, drawn)
    pages = []
    for n, image in enumerate(images):
        sheet = Sheet(
            image=image,
            other=images[n ^ 1] if (n ^ 1) < len(images) else None,
            rules=[_scale(rule[1:], zoom) for rule in drawn.rules if rule.page == n],
            rule_width=look.rule_width * zoom,
            stamp=str(report.facts["header.agency_name"]),
            stamps=[(x * zoom, y * zoom) for page, x, y in stamps if page == n],
            pens=[_scale(box, zoom) for page, box in pens if page == n],
        )
        pages.append(scan_page(rng, recipe, sheet))
    return pages


def _render(pdf: bytes, zoom: float) -> list[Image]:
    images = []
    with pymupdf.open(stream=pdf) as document:
        for page in document:
            pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom))
            rgb = np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.h, pixels.w, 3)
            images.append(np.ascontiguousarray(rgb[:, :, ::-1]))
    return images


def _choose_stamps(rng: Random, recipe: Recipe, drawn: Drawn) -> list[tuple[int, float, float]]:
    """One across agency and date; a second one somewhere on a table."""
    places = [drawn.signature][: recipe.stamps]
    if recipe.stamps > 1:
        value = drawn.values[rng.choice(sorted(drawn.values))]
        places.append((value.page, (value.cell[0] + value.cell[2]) / 2, (value.cell[1] + value.cell[3]) / 2))
    return places


def _choose_pens(rng: Random, recipe: Recipe, drawn: Drawn) -> list[tuple[int, Box]]:
    """Printed values that somebody has marked; a blank cell is never marked, for it would no longer be blank."""
    printed = sorted((value.page, value.cell) for value in drawn.values.values() if value.ink)
    return rng.sample(printed, recipe.pens)


def _scale(box: tuple[float, ...], zoom: float) -> Box:
    x0, y0, x1, y1 = box
    return (x0 * zoom, y0 * zoom, x1 * zoom, y1 * zoom)


def _place_value(value: Printed, page: Scanned, scale: float) -> ValueBox:
    ink, cell = (_scale(page.place(box), scale) if box else None for box in (value.ink, value.cell))
    assert cell is not None
    return ValueBox(value.page + 1, ink, cell)


def _bind(rng: Random, pages: list[Scanned], recipe: Recipe, drawn: Drawn, *, is_picture: bool) -> Bound:
    if is_picture:
        return bind_picture(pages)
    is_plain = not recipe.quarters and not recipe.is_photo
    turn = rng.choice((1, 2, 3)) if is_plain and rng.random() < _TURNED_SHARE else 0
    is_read = is_plain and not turn and rng.random() < _HIDDEN_SHARE
    hidden = [[item for item in drawn.texts if item.page == n] for n in range(drawn.pages)] if is_read else []
    return bind_pdf(pages, turn, hidden, rng)


# ---------------------------------------------------------------- folders


def write_scans(out: Path, scans: Iterable[Scan]) -> int:
    """Write documents to `out/docs`, labels to `out/labels`, places to `out/boxes`.

    Returns:
        How many.
    """
    for name in ("docs", "labels", "boxes"):
        (out / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for scan in scans:
        (out / "docs" / scan.file).write_bytes(scan.raw)
        _write_json(out / "labels" / f"{scan.name}.json", scan.label)
        _write_json(out / "boxes" / f"{scan.name}.json", describe_boxes(scan))
        count += 1
    return count


def describe_boxes(scan: Scan) -> dict[str, Any]:
    """Places as their file holds them."""
    return {
        "pages": [
            {"width": round(width, 2), "height": round(height, 2), "unit": "pt" if scan.file.endswith("pdf") else "px"}
            for width, height in scan.pages
        ],
        "values": {
            name: {
                "page": box.page,
                "ink": [round(v, 2) for v in box.ink] if box.ink else None,
                "cell": [round(v, 2) for v in box.cell],
            }
            for name, box in scan.boxes.items()
        },
    }


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
