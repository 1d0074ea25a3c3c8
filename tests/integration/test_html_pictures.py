"""A web page whose table is a picture: read by OCR, in its place, with its place on paper. The picture is synthetic."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import flatten
import paper
import pymupdf
import pytest

from extractor.model import Document, Page
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.sources.pages.workers import close_workers

SETTINGS = Settings(page_workers=1)
PRINTED = flatten.as_printed(flatten.make_values("2021", 5))
TABLES = flatten.build_tables("2021", PRINTED)


def draw_picture(table: flatten.Table) -> bytes:
    """A table alone, as a PNG of 200 dpi."""
    sheet = paper.Sheet(height=320)
    sheet.draw_table(table)
    with pymupdf.open(stream=sheet.finish()) as file:
        return bytes(file[0].get_pixmap(dpi=200).tobytes("png"))


@pytest.fixture(scope="module")
def picture() -> bytes:
    return draw_picture(TABLES[0][1])


@pytest.fixture(scope="module")
def document(picture: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Document]:
    """The report as a page: section two is a picture, and so is, once more, the same picture inside the page."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "files").mkdir()
    (folder / "files" / "two.png").write_bytes(picture)
    (folder / "files" / "broken.png").write_bytes(picture[:2000])
    again = base64.b64encode(picture).decode()
    (two, _), (three, table), (four, _) = TABLES
    paragraphs = [f"<p>{text}</p>" for text in flatten.PROSE.before]
    cells = "".join("<tr>" + "".join(_cell(box) for box in row) + "</tr>" for row in table)
    page = [
        *paragraphs,
        f"<p>{two}</p><p><img src=files/two.png></p><img src='data:image/png;base64,{again}'>",
        f"<p>{three}</p><table>{cells}</table>",
        f"<p>{four}</p><img src=files/broken.png><p>五、存在的主要问题及改进情况</p>",
    ]
    (folder / "report.html").write_text("<meta charset=utf-8>" + "".join(page), encoding="utf-8")
    yield load_document(folder / "report.html", SETTINGS)
    close_workers()


def _cell(box: flatten.Box) -> str:
    return f"<td rowspan={box.rows} colspan={box.columns}>{box.text}</td>"


def test_the_table_stands_behind_its_heading(document: Document) -> None:
    assert document.paper is not None
    (page,) = document.paper.pages
    assert isinstance(page, Page)
    assert (page.number, page.name, page.unit, page.read_by) == (1, "files/two.png", "px", "ocr")
    heading, three = (document.text.index(name) for name, _ in TABLES[:2])
    words = document.paper.words
    assert all(heading < word.start < word.end < three for word in words)
    assert len([word for word in words if document.text[word.start : word.end].isdigit()]) >= 10


def test_values_of_the_picture_are_never_accepted_wrong(document: Document) -> None:
    fields = process_document(document).fields
    for field_id, text in PRINTED.items():
        if field_id in fields and fields[field_id].decision == "accepted":
            assert str(fields[field_id].value) == text
    in_picture = {name: text for name, text in PRINTED.items() if name.startswith("proactive_disclosure.")}
    right = [name for name, text in in_picture.items() if str(fields[name].value) == text]
    assert len(right) >= 0.8 * len(in_picture)


def test_a_picture_that_cannot_be_read_is_named(document: Document) -> None:
    flags = [flag for flag in document.notices if flag.code == "picture-not-read"]
    assert ["files/broken.png" in flag.message.en for flag in flags] == [True]


def test_recognition_is_said_once(document: Document) -> None:
    assert [flag.code for flag in document.notices].count("pages-by-ocr") == 1
