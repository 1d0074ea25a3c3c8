"""A table that is a picture, in a web page and in a Word file: read in its place, with its place on paper.

The picture is synthetic.
"""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import docx
import flatten
import paper
import pymupdf
import pytest
from PIL import Image
from typer.testing import CliRunner

from extractor.cli import app
from extractor.model import Document, Page
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import begin_document, load_document, open_page
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


@pytest.fixture(scope="module", params=["report.html", "report.docx"])
def document(
    picture: bytes, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Document]:
    """The report with section two as a picture, shown twice, and a broken picture for section four."""
    path = tmp_path_factory.mktemp("site") / request.param
    (write_page if path.suffix == ".html" else write_word)(path, picture)
    yield load_document(path, SETTINGS)
    close_workers()


def write_page(path: Path, picture: bytes) -> None:
    """As a web page: the second time the picture stands in the page itself."""
    (path.parent / "files").mkdir()
    (path.parent / "files" / "two.png").write_bytes(picture)
    (path.parent / "files" / "broken.png").write_bytes(picture[:2000])
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
    path.write_text("<meta charset=utf-8>" + "".join(page), encoding="utf-8")


def _cell(box: flatten.Box) -> str:
    return f"<td rowspan={box.rows} colspan={box.columns}>{box.text}</td>"


def write_word(path: Path, picture: bytes) -> None:
    """As a Word file, written by another program; the second of its two pictures breaks afterwards."""
    word = docx.Document(io.BytesIO(flatten.word(TABLES)))
    two, _, four = word.tables
    for table, pictures in ((two, (picture, picture)), (four, (picture + b"\0",))):
        for one in pictures:
            paragraph = word.add_paragraph()
            paragraph.add_run().add_picture(io.BytesIO(one))
            table._tbl.addprevious(paragraph._p)
        table._tbl.getparent().remove(table._tbl)
    whole = io.BytesIO()
    word.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, member[:2000] if name == "word/media/image2.png" else member)


def test_the_table_stands_behind_its_heading(document: Document) -> None:
    assert document.paper is not None
    (page,) = document.paper.pages
    assert isinstance(page, Page)
    assert (page.number, page.unit, page.read_by) == (1, "px", "ocr")
    assert page.name in ("files/two.png", "word/media/image1.png")
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
    (flag,) = flags
    assert "files/broken.png" in flag.message.en or "word/media/image2.png" in flag.message.en


def test_recognition_is_said_once(document: Document) -> None:
    assert [flag.code for flag in document.notices].count("pages-by-ocr") == 1


def test_its_page_is_the_picture(document: Document, picture: bytes, tmp_path: Path) -> None:
    """It can be cut out for a model, and drawn, wherever it is kept."""
    assert document.paper is not None
    (page,) = document.paper.pages
    file = open_page(document, page, SETTINGS)
    assert (file.raw, file.number) == (picture, 1)
    out = tmp_path / "page.png"
    CliRunner().invoke(app, ["show", document.path, "--page-image", str(out)])
    with Image.open(out) as drawn, Image.open(io.BytesIO(picture)) as shown:
        assert drawn.width >= shown.width


def test_a_document_with_pictures_can_be_given_up(tmp_path: Path, picture: bytes) -> None:
    """From another thread, before its pictures are begun and while they are read."""
    write_word(tmp_path / "report.docx", picture)
    early = begin_document(tmp_path / "report.docx", SETTINGS)
    early.cancel()
    with pytest.raises(CancelledError):
        early.finish()
    late = begin_document(tmp_path / "report.docx", SETTINGS)
    timer = threading.Timer(0.5, late.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        late.finish()
    timer.join()
