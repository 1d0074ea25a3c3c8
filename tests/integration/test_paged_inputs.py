"""PDFs and pictures the whole way: what is read, what is refused and why, and many of them in one run."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest

from eval import page_fuzz
from extractor.bulk.loading import load_in_order
from extractor.bulk.progress import Progress
from extractor.errors import (
    DamagedSource,
    EmptySource,
    PagesNotRead,
    SourceError,
    SourceTooLarge,
    UnsupportedFormat,
)
from extractor.model import Document
from extractor.settings import Settings
from extractor.sources import begin_document, load_document, read_document
from extractor.sources.pages import crop_page_png, render_page_png
from extractor.sources.pages.reading import join_numbers
from extractor.sources.pages.workers import close_workers
from tests.bulk_runs import run_bulk

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
#: One worker: the OCR engine is loaded once for all tests of this file.
SETTINGS = Settings(page_workers=1, max_pages=12)
# No two alike: what stands on every page is taken for a running head.
ENDS = ("首页的文字到此", "中间一段说明", "最后几句内容")
TITLE = "某某县民政局2023年政府信息公开工作年度报告"
SCANNED = ("总体情况", "主动公开政府信息情况")


@pytest.fixture(scope="module", autouse=True)
def no_workers_are_left() -> Iterator[None]:
    yield
    close_workers()


def make_pdf(lines: list[str], *, pages: int = 1, **saving: object) -> bytes:
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page(width=420, height=300)
        for row, line in enumerate([*(lines if number == 0 else ()), ENDS[number % 3]]):
            page.insert_text((30, 40 + 30 * row), line, fontname="china-s", fontsize=12)
    return bytes(document.tobytes(**saving))


def draw(lines: list[str], dpi: int = 150) -> np.ndarray:
    with pymupdf.open(stream=make_pdf(lines), filetype="pdf") as document:
        pixmap = document[0].get_pixmap(dpi=dpi)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)[:, :, ::-1].copy()


def encode(extension: str, image: np.ndarray) -> bytes:
    return cv2.imencode(extension, image)[1].tobytes()


def build_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first one the catalogue."""
    out, places = io.BytesIO(b"%PDF-1.7\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(places) + 1, table))
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start))
    return out.getvalue()


def build_pages(*pages: tuple[bytes, bytes], more: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of pages, each a media box and its contents. The first of `more`, if any, is the XObject /X of all."""
    first = 5 + 2 * len(pages)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * index) for index in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for index, (box, contents) in enumerate(pages):
        resources = b"<</Font<</F 3 0 R>>/XObject<</X %d 0 R>>>>" % (first - 1)
        place = b"/Contents %d 0 R/Resources%s" % (5 + 2 * index, resources)
        objects += [b"<</Type/Page/Parent 2 0 R/MediaBox%s%s>>" % (box, place), build_stream(contents)]
    return build_pdf(*objects, *more)


def nest_forms(number: int, depth: int) -> tuple[bytes, ...]:
    """Forms from object `number` on, each of which draws the next one eight times."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    levels = [
        build_stream(b"/X Do " * 8, head + b"/Resources<</XObject<</X %d 0 R>>>>" % (number + level + 1))
        for level in range(depth)
    ]
    return (*levels, build_stream(b"0 0 9 9 re f", head))


def build_stream(data: bytes, keys: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (keys, len(data), data)


# ---------------------------------------------------------------- what is read


def test_pages_of_a_pdf_become_one_document() -> None:
    raw = make_pdf([TITLE], pages=3)
    document = read_document(raw, "report.bin", SETTINGS)
    assert document.media_type == "application/pdf"
    assert TITLE in document.text
    assert [document.text.count(end) for end in ENDS] == [1, 1, 1]
    assert sorted(ENDS, key=document.text.index) == list(ENDS)
    assert document.paper is not None
    assert [page.number for page in document.paper.pages] == [1, 2, 3]
    assert {page.read_by for page in document.paper.pages} == {"text_layer"}
    assert {flag.code for flag in document.notices} == set()


@pytest.mark.parametrize(("extension", "media_type"), [(".png", "image/png"), (".webp", "image/webp")])
def test_a_picture_is_recognised(extension: str, media_type: str) -> None:
    document = read_document(encode(extension, draw([TITLE])), "photo", SETTINGS)
    assert document.media_type == media_type
    assert "政府信息公开工作年度报告" in document.text
    assert document.paper is not None
    (page,) = document.paper.pages
    assert (page.unit, page.read_by) == ("px", "ocr")
    (flag,) = (flag for flag in document.notices if flag.code == "pages-by-ocr")
    assert flag.message.en == "read by OCR (a picture): page 1"


def test_pages_without_a_text_layer_are_recognised_and_named_by_reason() -> None:
    document = pymupdf.open(stream=make_pdf([TITLE], pages=3), filetype="pdf")
    document.delete_pages(0, 1)
    for index in (0, 1):  # scans in front of a page that was typed
        page = document.new_page(index, width=420, height=300)
        page.insert_image(page.rect, stream=encode(".png", draw([SCANNED[index], TITLE])))
    found = read_document(bytes(document.tobytes()), "mixed.pdf", SETTINGS)
    assert found.paper is not None
    assert [page.read_by for page in found.paper.pages] == ["ocr", "ocr", "text_layer"]
    (flag,) = (flag for flag in found.notices if flag.code == "pages-by-ocr")
    assert flag.message.en.endswith("page 1-2")
    assert found.text.index(SCANNED[0]) < found.text.index(SCANNED[1]) < found.text.index(ENDS[2])


def test_pages_in_a_row_are_told_as_ranges() -> None:
    assert join_numbers([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert join_numbers([4]) == "4"


def test_an_empty_password_is_none(tmp_path: Path) -> None:
    raw = make_pdf([TITLE], encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="owner")
    (tmp_path / "a").write_bytes(raw)
    assert TITLE in load_document(tmp_path / "a", SETTINGS).text


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (
            make_pdf([TITLE], encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner"),
            UnsupportedFormat,
            "locked by a password. Save it without the password",
        ),
        (make_pdf([TITLE])[:-200], DamagedSource, "its end is missing"),
        (b"%PDF-1.7 ...", DamagedSource, "damaged"),
        (build_pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"), DamagedSource, "no pages"),
        (make_pdf([TITLE], pages=13), SourceTooLarge, "13 pages, the limit is 12. Raise EXTRACTOR_MAX_PAGES"),
        (encode(".png", np.full((40, 40, 3), 255, np.uint8)), EmptySource, "no text"),
        (encode(".png", draw([TITLE]))[:900], DamagedSource, "premature end"),
        (encode(".jpg", draw([TITLE]))[:9000], DamagedSource, "premature end"),
    ],
    ids=["locked", "cut off", "head only", "no pages", "too many pages", "blank", "half png", "half jpeg"],
)
def test_what_cannot_be_read_says_why(raw: bytes, error: type[SourceError], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)) as caught:
        read_document(raw, "somewhere/a.pdf", SETTINGS)
    assert str(caught.value).startswith("somewhere/a.pdf: ")
    assert caught.value.remedy


SHEET = b"[0 0 420 300]"


def test_a_page_that_cannot_be_read_does_not_take_the_others_with_it() -> None:
    def say(words: bytes) -> tuple[bytes, bytes]:
        return SHEET, b"BT /F 12 Tf 50 200 Td (" + words + b") Tj ET"

    endless = (SHEET, b"/X Do")
    raw = build_pages(say(b"the first page"), endless, say(b"the third page"), more=nest_forms(10, 12))
    settings = SETTINGS.model_copy(update={"page_timeout_s": 12})
    found = read_document(raw, "a.pdf", settings)
    assert found.paper is not None
    assert [page.read_by for page in found.paper.pages] == ["text_layer", "failed", "text_layer"]
    assert [(page.width, page.height) for page in found.paper.pages] == [(420, 300)] * 3
    (flag,) = (flag for flag in found.notices if flag.code == "page-not-read")
    assert flag.severity == "error"
    assert flag.message.en == "page 2 could not be read: it takes longer than 12 s to read"
    assert "the first page" in found.text
    assert "the third page" in found.text
    with pytest.raises(PagesNotRead, match=r"longer than 12 s.*EXTRACTOR_PAGE_TIMEOUT_S"):
        read_document(build_pages(endless, more=nest_forms(6, 12)), "a.pdf", settings)


def test_a_page_over_its_memory_is_not_read_as_an_empty_one() -> None:
    """Where the memory ends (in the task, or outside of it) is chance; the remedy is the same."""
    settings = Settings(page_workers=1, page_memory_mb=800, max_page_megapixels=100)
    raw = build_pages((b"[0 0 9000 9000]", b"0 0 1 rg 0 0 50 50 re f"))
    with pytest.raises(PagesNotRead, match="EXTRACTOR_PAGE_MEMORY_MB"):
        read_document(raw, "large.pdf", settings)


def test_a_picture_in_a_page_whose_end_is_missing_is_told() -> None:
    head = (
        b"/Type/XObject/Subtype/Image/Width 400/Height 400/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode"
    )
    image = build_stream(zlib.compress(bytes(80_000)), head)
    words = b"BT /F 12 Tf 50 250 Td (words beside a picture) Tj ET q 200 0 0 200 50 20 cm /X Do Q"
    found = read_document(build_pages((SHEET, words), more=(image,)), "a.pdf", SETTINGS)
    assert "words beside a picture" in found.text
    (flag,) = (flag for flag in found.notices if flag.code == "page-not-read")
    assert "a part of it is damaged (padding truncated image)" in flag.message.en


def test_all_on_a_page_with_a_broken_stream_is_doubted() -> None:
    """A wrong bit may make another digit of one, and the page looks whole. Here it is one of the checksum."""
    whole = make_pdf([TITLE, "规章 0 0 0 行政规范性文件 3 1 12"], pages=2, deflate=True)
    with pymupdf.open(stream=whole, filetype="pdf") as document:
        stream = document[0].get_contents()[0]
    place = whole.index(b"\nendstream", whole.index(b"\n%d 0 obj" % stream)) - 1
    damaged = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    kept, doubted = (read_document(raw, "a.pdf", SETTINGS) for raw in (whole, damaged))
    assert kept.text == doubted.text
    assert kept.paper is not None
    assert doubted.paper is not None
    assert {word.doubt for word in kept.paper.words} == {None}
    assert {(word.page, word.doubt) for word in doubted.paper.words} == {(1, "unsure"), (2, None)}
    assert [flag.code for flag in doubted.notices] == ["page-not-read"]


@pytest.mark.parametrize(
    ("box", "error"),
    [(b"[0 0 14400 14400]", EmptySource), (b"[0 0 0.01 100000]", PagesNotRead), (b"[0 0 0 0]", EmptySource)],
    ids=["five metres", "a thread", "nothing"],
)
def test_no_page_is_too_large_to_be_bounded(box: bytes, error: type[SourceError]) -> None:
    settings = SETTINGS.model_copy(update={"max_page_megapixels": 3})
    with pytest.raises(error):
        read_document(build_pages((box, b"")), "huge.pdf", settings)


def test_damaged_files_end_as_documents_or_clear_errors() -> None:
    settings = page_fuzz.SETTINGS.model_copy(update={"page_workers": 1})
    outcome = page_fuzz.run_cases(40, 20260101, settings, corpus=None)
    assert outcome.unforeseen == []
    assert sum(outcome.ends.values()) == 40
    assert outcome.ends["document"] > 0
    assert outcome.worker_mb < settings.page_memory_mb


# ---------------------------------------------------------------- pictures of pages


def size_of(png: bytes) -> tuple[int, int]:
    height, width = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    return width, height


def test_a_page_and_parts_of_it_are_shown() -> None:
    raw = make_pdf([TITLE], pages=2)
    assert size_of(render_page_png(raw, "a.pdf", 2, SETTINGS, dpi=144)) == (840, 600)
    first, second = crop_page_png(raw, "a.pdf", 1, [(30, 20, 130, 45), (0, 0, 10, 300)], SETTINGS, dpi=144, turn=90)
    assert (size_of(first), size_of(second)) == ((50, 200), (600, 20))
    assert cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_GRAYSCALE).min() < 100  # the title is in it


def test_a_picture_is_shown_and_cut_in_its_own_pixels() -> None:
    raw = encode(".png", draw([TITLE]))
    assert size_of(crop_page_png(raw, "a.png", 1, [(0, 0, 200, 100)], SETTINGS, dpi=100)[0])[0] == pytest.approx(
        size_of(render_page_png(raw, "a.png", 1, SETTINGS, dpi=100))[0] * 200 / 875, abs=2
    )


def test_a_page_that_is_not_there_is_an_error() -> None:
    with pytest.raises(PagesNotRead, match=r"a\.pdf: it has 1 pages and no page 2"):
        render_page_png(make_pdf([TITLE]), "a.pdf", 2, SETTINGS)


# ---------------------------------------------------------------- many files


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    """Text files, PDFs, one that is broken, one that is not there."""
    paths = []
    for number in range(12):
        path = tmp_path / "in" / f"{number:02}"
        path.parent.mkdir(exist_ok=True)
        text = f"{TITLE}{number:02}"
        if number == 5:
            path.write_bytes(make_pdf([text])[:700])
        elif number != 6:
            path.write_bytes(make_pdf([text]) if number % 3 else text.encode())
        paths.append(str(path))
    return paths


def tell(outcome: Document | Exception) -> str:
    if isinstance(outcome, Document):
        return outcome.text.split("度报告")[1][:2]
    return type(outcome).__name__


def test_documents_come_in_order_whoever_is_ready_first(mixed: list[str]) -> None:
    expected = [f"{number:02}" for number in range(12)]
    expected[5:7] = ["DamagedSource", "UnreadableSource"]
    assert [tell(outcome) for outcome in load_in_order(mixed, SETTINGS)] == expected


def test_pages_of_later_documents_are_read_while_the_first_is_waited_for(tmp_path: Path) -> None:
    """Two workers: the second document is done though nobody has asked for it."""
    settings = SETTINGS.model_copy(update={"page_workers": 2})
    slow, quick = tmp_path / "slow.pdf", tmp_path / "quick.pdf"
    slow.write_bytes(build_pages((SHEET, b"/X Do"), more=nest_forms(6, 12)))
    quick.write_bytes(make_pdf([TITLE]))
    later = begin_document(slow, settings), begin_document(quick, settings)
    assert later[1].finish().text
    later[0].cancel()


def test_a_run_left_early_leaves_no_page_under_way(tmp_path: Path) -> None:
    for number in range(6):
        endless = build_pages((SHEET, b"/X Do"), more=nest_forms(6, 12))
        (tmp_path / f"{number}.pdf").write_bytes(endless + b"%%%d" % number)
    (tmp_path / "!.pdf").write_bytes(make_pdf([TITLE]))
    settings = SETTINGS.model_copy(update={"page_timeout_s": 1000})
    documents = load_in_order(sorted(str(path) for path in tmp_path.iterdir()), settings)
    assert isinstance(next(documents), Document)
    documents.close()
    with ThreadPoolExecutor() as aside:
        loading = aside.submit(load_document, tmp_path / "!.pdf", settings)
        try:
            assert TITLE in loading.result(PATIENCE_S).text  # no worker is held up
        finally:
            close_workers()


def test_records_of_a_run_are_those_of_the_documents_alone(mixed: list[str], tmp_path: Path) -> None:
    run_bulk([Path(mixed[0]).parent], tmp_path / "out", SETTINGS)
    lines = (tmp_path / "out" / "records.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [Path(record["document"]["path"]).name for record in records] == [
        Path(path).name for path in mixed if Path(path).exists()
    ]
    assert [record["status"] == "failed" for record in records].count(True) == 1


def test_an_interrupt_begins_no_more_pages(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for index in range(10):
        (tmp_path / "in" / f"{index}.pdf").write_bytes(make_pdf([f"{TITLE}{index}"]))
    pressed: list[int] = []

    def press(progress: Progress) -> None:
        if progress.done and not pressed:
            pressed.append(progress.done)
            signal.raise_signal(signal.SIGINT)

    summary = run_bulk([tmp_path / "in"], tmp_path / "out", SETTINGS, press)
    assert summary.is_interrupted
    assert summary.left >= 4
    assert run_bulk([tmp_path / "in"], tmp_path / "out", SETTINGS).kept == 10 - summary.left


def test_a_run_that_is_stopped_by_a_terminal_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    endless = build_pages((SHEET, b"/X Do"), more=nest_forms(6, 12))
    for index in range(8):
        (tmp_path / "in" / f"{index}.pdf").write_bytes(make_pdf([TITLE]) if not index else endless + b"%%%d" % index)
    command = [sys.executable, "-m", "extractor", "run", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EXTRACTOR_PAGE_WORKERS": "2"}
    process = subprocess.Popen(  # noqa: S603
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE_S
    while count_busy(process.pid) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for _ in range(2):  # the first one alone waits for the pages under way
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
    said, _ = process.communicate(timeout=PATIENCE_S)
    while count_members(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert b"Traceback" not in said


def list_members(group: int) -> list[list[str]]:
    """/proc/PID/stat of the processes of a group, from the state on."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == str(group) and fields[0] != "Z":
            found.append(fields)
    return found


def count_members(group: int) -> int:
    return len(list_members(group))


def count_busy(group: int) -> int:
    """Processes of a group that have computed for a second."""
    return sum(int(fields[11]) > os.sysconf("SC_CLK_TCK") for fields in list_members(group))
