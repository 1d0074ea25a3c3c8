"""The same synthetic scans through other programs: what our own way of reading pages adds.

    engine     RapidOCR on the whole page; its words put into rows by y, and into order by x
    markdown   pymupdf4llm, OCR as it comes, tables as Markdown
    html       the same, tables as HTML
    img2table  img2table with RapidOCR: cells between rules; words outside them in rows by y

What they write is read by our own text path, and judged against the same truth. pymupdf4llm and img2table are no
dependencies of this project: install them for this (README.md). Seconds are of the processor, summed over its threads.
"""

from __future__ import annotations

import contextlib
import html
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import pymupdf
from rich.console import Console
from rich.progress import track

from eval.scans.camera import Image
from eval.scans.evaluate import show_rate
from eval.scans.generate import Scan, make_scan
from eval.scans.results import judge_scan
from extractor.errors import SourceError
from extractor.evaluation.metrics import measure
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.model import Document
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document

_DPI = 200
_SHOWN = ("cells_right", "nonzero_recall", "nonzero_precision", "accepted_nonzero", "accepted_wrong")


class Word(NamedTuple):
    """A word of the engine: its text, its left edge, the middle and half of its height."""

    text: str
    x: float
    y: float
    half: float


class Row(NamedTuple):
    """Words in one line, tabs between them, and the y of its first word."""

    y: float
    text: str


def compare_peers(level: str, numbers: Sequence[int], names: Sequence[str], console: Console) -> None:
    """Print the figures of some peers over some documents."""
    for name in names:
        outcomes, seconds, pages = [], 0.0, 0
        for number in track(numbers, description=f"{level} {name}", console=Console(stderr=True)):
            scan = make_scan(level, number)
            start = time.process_time()
            try:
                read = PEERS[name](scan)
            except Exception as error:  # whatever another program ends with: it did not read this document
                console.print(f"{scan.name}: {name} ended with {type(error).__name__}: {error}", markup=False)
                outcomes.append(judge_scan(scan, error, None))
            else:
                outcomes.append(_judge(scan, *read))
            seconds += time.process_time() - start
            pages += len(scan.pages)
        rates = measure(outcomes).rates
        console.print(
            f"{level}, {name}: {len(outcomes)} documents, {seconds / pages:.2f} s of CPU a page ({pages} pages)"
        )
        for rate in _SHOWN:
            console.print(f"    {rate}: {' '.join(show_rate(rates[rate]))}")


def _judge(scan: Scan, text: str, ending: str) -> DocumentOutcome:
    try:
        document: Document | Exception = read_document(text.encode(), f"{scan.name}.{ending}", Settings())
    except SourceError as error:
        document = error
    return judge_scan(scan, document, process_document(document) if isinstance(document, Document) else None)


# ---------------------------------------------------------------- the engine alone


@cache
def _load_engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 - slow to load

    return RapidOCR(params={"Global.log_level": "error"})


def read_with_engine(scan: Scan) -> tuple[str, str]:
    """Words of every page in rows, separated by tabs."""
    lines = [row.text for image in render_pages(scan) for row in put_in_rows(_find_words(image))]
    return "\n".join(lines), "txt"


def _find_words(image: Image) -> list[Word]:
    read = _load_engine()(image)
    if read.boxes is None:
        return []
    return [
        Word(text, float(quad[:, 0].min()), float(quad[:, 1].mean()), float(np.ptp(quad[:, 1])) / 2)
        for text, quad in zip(read.txts, read.boxes, strict=True)
    ]


def put_in_rows(words: Sequence[Word]) -> list[Row]:
    """Words whose middles are less than half a height apart are one row, from left to right."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.y):
        if rows and abs(rows[-1][-1].y - word.y) < min(rows[-1][-1].half, word.half):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [Row(row[0].y, "\t".join(word.text for word in sorted(row, key=lambda word: word.x))) for row in rows]


def render_pages(scan: Scan) -> list[Image]:
    """The pages as a viewer shows them; pictures at their own resolution."""
    with pymupdf.open(stream=scan.raw) as document:
        if document.is_pdf:
            pictures = [page.get_pixmap(dpi=_DPI).tobytes("png") for page in document]
            return [_decode(picture) for picture in pictures]
    if scan.file.endswith("tiff"):
        _, images = cv2.imdecodemulti(np.frombuffer(scan.raw, dtype=np.uint8), cv2.IMREAD_COLOR)
        return list(images)
    return [_decode(scan.raw)]


def _decode(raw: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(raw, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image  # type: ignore[return-value]


# ---------------------------------------------------------------- pymupdf4llm


def read_as_markdown(scan: Scan) -> tuple[str, str]:
    """All of pymupdf4llm's defaults."""
    return _convert(scan), "md"


def read_as_html_tables(scan: Scan) -> tuple[str, str]:
    """Its defaults, but tables with their merged cells."""
    return _convert(scan, table_output="html"), "html"


def _convert(scan: Scan, **options: str) -> str:
    import pymupdf4llm  # noqa: PLC0415 - only for this

    with pymupdf.open(stream=scan.raw) as source, contextlib.redirect_stdout(io.StringIO()):
        document = source if source.is_pdf else pymupdf.open("pdf", source.convert_to_pdf())
        return str(pymupdf4llm.to_markdown(document, **options))


# ---------------------------------------------------------------- img2table


def read_with_img2table(scan: Scan) -> tuple[str, str]:
    """A page of HTML: tables as img2table gives them, and the words outside them, from top to bottom."""
    body = [text for image in render_pages(scan) for _, text in sorted(_list_parts(image))]
    return f"<html><body>{''.join(body)}</body></html>", "html"


def _list_parts(image: Image) -> Iterator[tuple[float, str]]:
    """Height and HTML of each part of a page."""
    from img2table.document import Image as Picture  # noqa: PLC0415 - only for this
    from img2table.ocr import RapidOCR  # noqa: PLC0415
    from rapidocr import LangRec  # noqa: PLC0415

    png = cv2.imencode(".png", image)[1].tobytes()
    found = RapidOCR({"Rec.lang_type": LangRec.CH, "Global.log_level": "error"}).of(Picture(png))
    tables = Picture(png, ocr_data=found).extract_tables()
    for table in tables:
        yield float(table.bbox.y1), table.html
    words = []
    for word in found.records[0] if found else ():
        y = (word["y1"] + word["y2"]) / 2
        if not any(table.bbox.y1 <= y <= table.bbox.y2 for table in tables):
            words.append(Word(word["value"], word["x1"], y, (word["y2"] - word["y1"]) / 2))
    for row in put_in_rows(words):
        yield row.y, f"<p>{html.escape(row.text)}</p>"


PEERS: Mapping[str, Callable[[Scan], tuple[str, str]]] = {
    "engine": read_with_engine,
    "markdown": read_as_markdown,
    "html": read_as_html_tables,
    "img2table": read_with_img2table,
}
