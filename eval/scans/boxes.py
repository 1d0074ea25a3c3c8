"""Whether the box that a record gives for a value holds that value, in the picture that was read.

Two ways: by geometry, against the place where the generator printed it; and by OCR of the crop alone, with an engine
of its own. Only values that the record reads right are looked at: what is read wrong is counted elsewhere (evaluate).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.console import Console

from eval.scans.generate import Scan, ValueBox, make_scan
from eval.scans.results import Found, Result
from extractor.model import Box, CellState
from extractor.settings import Settings
from extractor.sources.pages import crop_page_png

_DPI = 200.0
#: Slack around a box, as a share of the height of the printed value.
_SLACK = 0.25
_MARGIN = 0.15


class Placed(NamedTuple):
    """A value that was read right, where the record says that it stands, and the truth."""

    document: str
    field: str
    printed: str
    found: Found | None
    truth: ValueBox

    @property
    def is_on_page(self) -> bool:
        """Whether the page is right."""
        return self.found is not None and self.found.page == self.truth.page

    @property
    def holds_ink(self) -> bool:
        """Whether the record's box holds the printed value, but for the slack."""
        if self.found is None or self.truth.ink is None or not self.is_on_page:
            return False
        return contains(self.found.box, self.truth.ink, self._slack)

    @property
    def is_in_cell(self) -> bool:
        """Whether the record's box lies in the printed cell, but for the slack: the whole page would hold any value."""
        if self.found is None or not self.is_on_page:
            return False
        return contains(self.truth.cell, self.found.box, self._slack)

    @property
    def _slack(self) -> float:
        assert self.truth.ink is not None
        left, top, right, bottom = self.truth.ink
        return _SLACK * min(right - left, bottom - top) + 1.0


def contains(outer: Box, inner: Box, slack: float) -> bool:
    """Whether one box lies in another, but for so much on each side."""
    return (
        outer[0] - slack <= inner[0]
        and outer[1] - slack <= inner[1]
        and outer[2] + slack >= inner[2]
        and outer[3] + slack >= inner[3]
    )


def check_boxes(level: str, numbers: Sequence[int], results: Sequence[Result], count: int, console: Console) -> int:
    """Print how many boxes hold their values; returns how many of the crops were read as another value.

    Args:
        results: of the documents with these numbers.
        count: of crops, half of them of values other than 0.
    """
    scans = {}
    placed: list[Placed] = []
    for number, result in zip(numbers, results, strict=True):
        scan = make_scan(level, number)
        scans[scan.name] = (scan, result)
        placed += list_placed(scan, result)
    for name, counted in count_boxes(placed).items():
        console.print(f"{level}: {name}: {counted[0]} / {counted[1]}")
    sample = draw_sample(placed, count, Random(f"boxes/{level}"))
    outcome: Counter[str] = Counter()
    for document in sorted({item.document for item in sample}):
        scan, result = scans[document]
        mine = [item for item in sample if item.document == document]
        for item, text in read_crops(scan, result, mine):
            is_same = _plain(text) == _plain(item.printed)
            outcome["same" if is_same else "other" if text else "nothing"] += 1
            if not is_same:
                console.print(f"  {item.document} {item.field}: prints {item.printed}, the crop reads {text!r}")
    console.print(
        f"{level}: crop at the record's box, read alone: same value {outcome['same']} / {len(sample)}, another "
        f"{outcome['other']}, nothing {outcome['nothing']}"
    )
    return outcome["other"]


def count_boxes(placed: Sequence[Placed]) -> dict[str, tuple[int, int]]:
    """By geometry: counts and their n."""
    boxed = [item for item in placed if item.found]
    return {
        "values read right that have a place": (len(boxed), len(placed)),
        "places on the right page": (sum(item.is_on_page for item in boxed), len(boxed)),
        "boxes that hold the printed value": (sum(item.holds_ink for item in boxed), len(boxed)),
        "boxes that lie in the printed cell": (sum(item.is_in_cell for item in boxed), len(boxed)),
    }


def list_placed(scan: Scan, result: Result) -> Iterator[Placed]:
    """The values of the tables that the record reads right."""
    for field in result.outcome.fields:
        if field.is_table and field.verdict == "right" and field.expected is CellState.VALUE:
            found = result.places.get(field.field_id)
            yield Placed(scan.name, field.field_id, str(field.printed), found, scan.boxes[field.field_id])


def draw_sample(placed: Sequence[Placed], count: int, rng: Random) -> list[Placed]:
    """Half zeros, half other values, as far as there are so many."""
    boxed = [item for item in placed if item.found]
    zeros = [item for item in boxed if item.printed == "0"]
    others = [item for item in boxed if item.printed != "0"]
    chosen = rng.sample(others, min(len(others), count // 2))
    return chosen + rng.sample(zeros, min(len(zeros), count - len(chosen)))


def read_crops(scan: Scan, result: Result, items: Sequence[Placed]) -> Iterator[tuple[Placed, str]]:
    """What stands in the crops at the record's boxes."""
    settings = Settings(page_workers=1)
    for page in sorted({item.found.page for item in items if item.found}):
        mine = [(item, item.found) for item in items if item.found and item.found.page == page]
        boxes = [_widen(found.box) for _, found in mine]
        turn = result.turns[page - 1]
        crops = crop_page_png(scan.raw, scan.file, page, boxes, settings, dpi=_DPI, turn=turn)
        for (item, _), png in zip(mine, crops, strict=True):
            yield item, _recognise(png)


def _widen(box: Box) -> Box:
    left, top, right, bottom = box
    margin = _MARGIN * min(right - left, bottom - top)
    return (left - margin, top - margin, right + margin, bottom + margin)


@cache
def _load_engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 - slow to load

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(params={"Global.log_level": "error", "Global.text_score": 0})


def _recognise(png: bytes) -> str:
    image = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    read = _load_engine()(image, use_det=False, use_cls=False, use_rec=True)
    return "".join(read.txts or ())


def _plain(text: str) -> str:
    return text.replace(",", "").replace(" ", "").replace("O", "0").replace("o", "0")
