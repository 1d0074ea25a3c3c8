"""Word files become the text of the printed page, and their tables true geometry."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import shutil
import stat
import subprocess
import time
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import assume, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st
from parsing import parse_doc, parse_docx
from PIL import Image

from extractor.errors import DamagedSource, ExtractorError, MissingProgram, SourceTooLarge
from extractor.model import Grid
from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.blocks import Table
from extractor.sources.pictures import NO_PICTURE, PictureMark
from extractor.sources.word import collect_docx

SETTINGS = Settings()
NAMESPACES = (
    nsdecls("w") + ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)


def save(document: docx.document.Document) -> bytes:
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def make_docx(body: str) -> bytes:
    """A real docx whose body is that XML."""
    document = docx.Document()
    holder = parse_xml(f"<w:body {NAMESPACES}>{body}</w:body>")
    for number, element in enumerate(list(holder)):
        document.element.body.insert(number, element)
    return save(document)


def read(body: str) -> Linear:
    return parse_docx(make_docx(body), "a.docx", SETTINGS)


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


def cell(content: str, properties: str = "") -> str:
    body = content if content.startswith("<") else paragraph(content)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{body}</w:tc>"


def row(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def texts(linear: Linear, grid: Grid) -> list[str]:
    return [linear.text[one.start : one.end] for one in grid.cells]


def places(grid: Grid) -> list[tuple[int, int, int, int]]:
    return [(one.row, one.column, one.row_span, one.column_span) for one in grid.cells]


def slots(linear: Linear, grid: Grid) -> dict[tuple[int, int], str]:
    """The text in each slot; fails when one slot has two cells."""
    found: dict[tuple[int, int], str] = {}
    for one in grid.cells:
        for down in range(one.row, one.row + one.row_span):
            for right in range(one.column, one.column + one.column_span):
                assert (down, right) not in found
                found[down, right] = linear.text[one.start : one.end]
    return found


# ---------------------------------------------------------------- text


def test_one_line_a_paragraph_and_tables_in_order() -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "页眉"
    document.add_heading("年度报告")
    document.add_paragraph("一、").add_run("总体情况")
    grid = document.add_table(2, 2)
    for number, one in enumerate(grid._cells):
        one.text = str(number)
    document.add_paragraph("后\t文\n行")
    linear = parse_docx(save(document), "a", SETTINGS)
    assert linear.text == "年度报告\n一、总体情况\n0\t1\n2\t3\n后\t文\n行\n"
    assert linear.grids[0].width == 2


def test_empty_paragraphs_make_one_empty_line() -> None:
    assert read(paragraph("甲") + "<w:p/><w:p/>" + paragraph("乙")).text == "甲\n\n乙\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<w:ins w:id='1'>" + run("新") + "</w:ins><w:del w:id='2'><w:r><w:delText>旧</w:delText></w:r></w:del>", "新"),
        ("<w:moveFrom w:id='1'>" + run("旧") + "</w:moveFrom><w:moveTo w:id='2'>" + run("新") + "</w:moveTo>", "新"),
        (
            "<w:sdt><w:sdtPr><w:alias w:val='x'/></w:sdtPr><w:sdtContent>" + run("控") + "</w:sdtContent></w:sdt>件",
            "控",
        ),
        ("<w:hyperlink>" + run("链") + "</w:hyperlink><w:smartTag>" + run("签") + "</w:smartTag>", "链签"),
        (
            "<w:r><w:fldChar w:fldCharType='begin'/><w:instrText>PAGE</w:instrText></w:r>"
            "<w:r><w:fldChar w:fldCharType='separate'/></w:r>"
            + run("7")
            + "<w:r><w:fldChar w:fldCharType='end'/></w:r>",
            "7",
        ),
        ("<w:fldSimple w:instr='DATE'>" + run("8") + "</w:fldSimple>", "8"),
        (run("注") + "<w:r><w:footnoteReference w:id='2'/><w:commentReference w:id='1'/></w:r>", "注"),
        ("<w:r><w:t>a</w:t><w:noBreakHyphen/><w:softHyphen/><w:t>b</w:t><w:tab/><w:t>c</w:t></w:r>", "a-b\tc"),
        ("<w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:cr/><w:t>c</w:t></w:r>", "a\nb\nc"),
        (
            f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('shi')}</w:rt><w:rubyBase>{run('是')}</w:rubyBase></w:ruby></w:r>",
            "是",
        ),
    ],
)
def test_runs_read_as_printed(content: str, text: str) -> None:
    assert (
        read(f"<w:p><w:pPr><w:tabs><w:tab w:val='left' w:pos='1'/></w:tabs></w:pPr>{content}</w:p>").text == text + "\n"
    )


def test_deleted_paragraph_mark_joins() -> None:
    assert read(paragraph("甲", "<w:rPr><w:del w:id='1'/></w:rPr>") + paragraph("乙")).text == "甲乙\n"


def test_hidden_runs_are_left_out_and_counted() -> None:
    hidden = run("隐 藏", "<w:vanish/>") + run("小", "<w:sz w:val='1'/>") + run("显", "<w:vanish w:val='0'/>")
    linear = read(f"<w:p>{hidden}</w:p>")
    assert linear.text == "显\n"
    assert [flag.code for flag in linear.notices] == ["hidden-text"]
    assert linear.notices[0].message.en.startswith("3 ")


def test_text_boxes_come_once_after_their_paragraph() -> None:
    box = (
        f"<w:txbxContent>{paragraph('框')}{table(row(cell('a'), cell('1')), row(cell('b'), cell('2')))}</w:txbxContent>"
    )
    linear = read(
        f"<w:p>{run('前')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>{box}</wps:txbx>"
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback>"
        f"</mc:AlternateContent></w:r>{run('后')}</w:p>"
    )
    assert linear.text == "前后\n框\na\t1\nb\t2\n"
    assert len(linear.grids) == 1


# ---------------------------------------------------------------- tables


def test_merged_cells_have_true_columns() -> None:
    linear = read(
        table(
            row(cell("行", '<w:vMerge w:val="restart"/>'), cell("法人", '<w:gridSpan w:val="2"/>')),
            row(cell("", "<w:vMerge/>"), cell("企业"), cell("")),
            row(cell("新收"), cell("1"), cell("0")),
        )
    )
    (grid,) = linear.grids
    assert (grid.kind, grid.width, grid.is_padded) == ("matrix", 3, False)
    assert places(grid) == [(0, 0, 2, 1), (0, 1, 1, 2), (1, 1, 1, 1), (1, 2, 1, 1)] + [(2, n, 1, 1) for n in range(3)]
    assert linear.text == "行\t法人\n企业\t\n新收\t1\t0\n"
    assert grid.cells[3].start == grid.cells[3].end


def test_rows_may_begin_late_and_cells_join_left() -> None:
    linear = read(
        table(
            row(cell("b"), properties='<w:gridBefore w:val="1"/><w:gridAfter w:val="1"/>'),
            row(cell("c", '<w:hMerge w:val="restart"/>'), cell("", "<w:hMerge/>"), cell("d")),
        )
    )
    assert places(linear.grids[0]) == [(0, 1, 1, 1), (1, 0, 1, 2), (1, 2, 1, 1)]


def test_merge_without_a_beginning_and_text_under_a_merge() -> None:
    linear = read(
        table(
            row(cell("a", "<w:vMerge/>"), cell("1", '<w:vMerge w:val="restart"/>')),
            row(cell("b"), cell("盖住", '<w:vMerge w:val="continue"/>')),
        )
    )
    assert texts(linear, linear.grids[0]) == ["a", "1", "b"]
    assert linear.notices[0].message.en.startswith("2 ")


def test_content_controls_around_rows_and_cells() -> None:
    wrapped_cell = f"<w:sdt><w:sdtContent>{cell('1')}</w:sdtContent></w:sdt>"
    wrapped_row = f"<w:sdt><w:sdtContent>{row(cell('b'), cell('2'))}</w:sdtContent></w:sdt>"
    body = f"<w:sdt><w:sdtContent>{table(row(cell('a'), wrapped_cell), wrapped_row)}</w:sdtContent></w:sdt>"
    linear = read(body)
    assert texts(linear, linear.grids[0]) == ["a", "1", "b", "2"]


def test_deleted_and_hidden_rows() -> None:
    linear = read(
        table(
            row(cell("a"), cell("1")),
            row(cell("旧"), cell("9"), properties="<w:del w:id='1'/>"),
            row(cell("隐"), cell("8"), properties="<w:hidden/>"),
            row(cell("b"), cell("2")),
        )
    )
    assert texts(linear, linear.grids[0]) == ["a", "1", "b", "2"]
    assert [one.row for one in linear.grids[0].cells] == [0, 0, 1, 1]
    assert linear.notices[0].message.en.startswith("2 ")


def test_nested_tables() -> None:
    """The larger one is the data: an outer frame becomes lines, a small inner table text of its cell."""
    inner = table(row(cell("x"), cell("1")), row(cell("y"), cell("2")))
    framed = read(table(row(cell("左"), cell(paragraph("右") + inner + "<w:p/>"))))
    assert framed.text == "左\n右\nx\t1\ny\t2\n"
    assert [len(grid.cells) for grid in framed.grids] == [4]
    rows = [row(cell(f"{number}"), cell("0")) for number in range(4)]
    (grid,) = (data := read(table(*rows, row(cell("末"), cell(inner + "<w:p/>"))))).grids
    assert texts(data, grid)[-1] == "x\t1\ny\t2"


def test_senseless_spans_take_no_memory() -> None:
    wide = '<w:gridSpan w:val="999999"/>'
    linear = read(table(*[row(*[cell("1", wide)] * 5, properties='<w:gridBefore w:val="99999"/>')] * 5))
    assert linear.grids[0].width <= 1000


@property_settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_merges_read_as_python_docx_reads_them(seed: int) -> None:
    chance = random.Random(seed)
    document = docx.Document()
    height, width = chance.randrange(2, 7), chance.randrange(2, 7)
    made = document.add_table(height, width)
    for number, one in enumerate(made._cells):
        one.text = chance.choice(["", str(number), f"{number}、\n行"])
    taken: set[tuple[int, int]] = set()
    for _ in range(chance.randrange(4)):
        top, left = chance.randrange(height), chance.randrange(width)
        bottom, right = chance.randrange(top, height), chance.randrange(left, width)
        area = {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)}
        assume(not area & taken)  # merged twice, python-docx leaves the table torn
        taken |= area
        made.cell(top, left).merge(made.cell(bottom, right))
    linear = parse_docx(save(document), "a", SETTINGS)
    assert linear.notices == ()
    for grid in linear.grids:
        found = slots(linear, grid)
        for at, text in found.items():
            # of several empty lines one is kept
            assert re.sub("\n+", "\n", text) == re.sub("\n+", "\n", made.cell(*at).text.strip())
        assert len(found) == height * width


def test_the_blank_form_has_all_its_cells() -> None:
    form = Path(__file__).parents[4] / "shared" / "corpus" / "form_2021_blank.docx"
    if not form.is_file():
        pytest.skip("the blank form is not beside the repository")
    linear = parse_docx(form.read_bytes(), form.name, SETTINGS)
    assert [grid.width for grid in linear.grids] == [4, 10, 15]
    for grid, expected in zip(linear.grids, docx.Document(str(form)).tables, strict=True):
        found = slots(linear, grid)
        for down, one_row in enumerate(expected.rows):
            for right, one in enumerate(one_row.cells):
                assert found[down, right] == one.text.strip()
    rows_of_results = {one.row for one in linear.grids[1].cells if one.column == 9 and one.row > 2}
    assert len(rows_of_results) == 25


# ---------------------------------------------------------------- pictures

RELATIONS = {
    "r1": ("media/1.png", ""),
    "r2": ("../word/media/2.emf", ""),
    "r3": ("media/icon.png", ""),
    "r4": ("file:///C:/photo.png", "External"),
    "r5": ("media/gone.png", ""),
    "r6": ("../../../../etc/passwd", ""),
}
NAMES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height)).save(stream, "PNG")
    return stream.getvalue()


def show(relation: str, attribute: str = "embed") -> str:
    return f'<w:r><w:drawing><a:blip {NAMES} r:{attribute}="{relation}"/></w:drawing></w:r>'


def list_pictures(body: str) -> list[tuple[str, str, bool]]:
    """The pictures of a report whose tables are missing, in order: name, problem, whether their bytes were found."""
    links = "".join(
        f'<Relationship Id="{name}" Type="t/image" Target="{target}" {f"""TargetMode="{mode}" """ if mode else ""}/>'
        for name, (target, mode) in RELATIONS.items()
    )
    raw = repack(
        make_docx(body),
        {
            "word/_rels/document.xml.rels": f"<Relationships>{links}</Relationships>".encode(),
            "word/media/1.png": png(400, 300),
            "word/media/2.emf": b"\x01\0\0\0",
            "word/media/icon.png": png(20, 20),
        },
    )
    blocks = collect_docx(raw, "a.docx", SETTINGS).blocks
    cells = [line for block in blocks if isinstance(block, Table) for cell in block.cells for line in cell.blocks]
    return [
        (mark.shown.name, mark.shown.problem, mark.shown.raw is not None)
        for mark in (*blocks, *cells)
        if isinstance(mark, PictureMark)
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (show("r1"), [("word/media/1.png", "", True)]),
        (show("r1") + run("字") + show("r1"), [("word/media/1.png", "", True)]),
        (f'<w:r><w:pict><v:imagedata {NAMES} r:id="r1"/></w:pict></w:r>', [("word/media/1.png", "", True)]),
        (show("r2"), [("word/media/2.emf", NO_PICTURE, False)]),
        (show("r3"), []),
        (show("r4", "link"), [("file:///C:/photo.png", "the document only links to it", False)]),
        (show("r5"), [("word/media/gone.png", "its part of the docx is broken", False)]),
        (show("r6"), [("../../../etc/passwd", "its part of the docx is broken", False)]),
        (show("none"), [("none", "its part of the docx is broken", False)]),
        (f"<w:r><w:rPr><w:vanish/></w:rPr><w:drawing><a:blip {NAMES} r:embed='r1'/></w:drawing></w:r>", []),
        (f"<w:del>{show('r1')}</w:del>", []),
    ],
)
def test_pictures_of_the_text_are_taken(content: str, found: list[tuple[str, str, bool]]) -> None:
    assert list_pictures(f"<w:p>{content}</w:p>") == found
    if found:
        in_a_cell = table(row(cell(f"<w:p>{content}</w:p>"), cell("1")), row(cell("b"), cell("2")))
        assert list_pictures(in_a_cell) == found


def test_a_picture_that_cannot_be_read_is_named_where_a_table_is_missing() -> None:
    def flag(*body: str) -> list[str]:
        linear = read("".join(body))
        return [flag.message.en for flag in linear.notices if flag.code == "picture-not-read"]

    heading, lost = paragraph("三、收到和处理政府信息公开申请情况"), f"<w:p>{show('none')}</w:p>"
    (said,) = flag(paragraph("一、总体情况"), lost, heading, lost)
    assert "none" in said
    assert (
        flag(paragraph("一、总体情况"), lost, heading, table(row(cell("a"), cell("1")), row(cell("b"), cell("2"))))
        == []
    )


# ---------------------------------------------------------------- packages


def repack(raw: bytes, change: dict[str, bytes | None]) -> bytes:
    """The same zip with members changed, added, or (None) dropped."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        members = {name: old.read(name) for name in old.namelist()} | change
        for name, member in members.items():
            if member is not None:
                new.writestr(name, member)
    return content.getvalue()


GOOD = make_docx(paragraph("好") + table(row(cell("a"), cell("1")), row(cell("b"), cell("2"))))


def test_broken_relations_and_parts_do_not_matter() -> None:
    broken = b'<Relationships><Relationship Id="r1" Type="image" Target="NULL"/></Relationships>'
    raw = repack(GOOD, {"word/_rels/document.xml.rels": broken, "word/styles.xml": None, "_rels/.rels": b"<"})
    assert parse_docx(raw, "a", SETTINGS) == parse_docx(GOOD, "a", SETTINGS)


def test_the_document_may_have_another_name() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        body, relations = archive.read("word/document.xml"), archive.read("_rels/.rels")
    changed = {"word/document.xml": None, "word/document2.xml": body}
    renamed = repack(GOOD, changed | {"_rels/.rels": relations.replace(b"document.xml", b"document2.xml")})
    assert parse_docx(renamed, "a", SETTINGS).text == "好\na\t1\nb\t2\n"


@pytest.mark.parametrize(
    "raw",
    [
        GOOD[:-100],
        GOOD[: len(GOOD) // 2],
        b"PK\x03\x04",
        b"",
        repack(GOOD, {"word/document.xml": b"<w:document><w:p>"}),
        repack(GOOD, {"word/document.xml": b""}),
        repack(GOOD, {"word/document.xml": None}),
    ],
)
def test_damaged_packages_are_named(raw: bytes) -> None:
    with pytest.raises(DamagedSource, match=r"a\.docx"):
        parse_docx(raw, "a.docx", SETTINGS)


def test_bombs_are_refused() -> None:
    small = Settings(max_source_mb=1)
    with pytest.raises(SourceTooLarge, match="10 MB"):
        parse_docx(repack(GOOD, {"word/media/1.png": bytes(11_000_000)}), "a", small)
    with pytest.raises(SourceTooLarge, match=r"document\.xml"):
        parse_docx(repack(GOOD, {"word/document.xml": bytes(2_000_000)}), "a", small)


def test_sizes_in_headers_are_not_believed() -> None:
    raw = repack(GOOD, {"word/document.xml": b" " * 3_000_000})
    lying = raw.replace((3_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != raw
    with pytest.raises((SourceTooLarge, DamagedSource)):
        parse_docx(lying, "a", Settings(max_source_mb=1))


def test_entities_are_not_expanded() -> None:
    laughs = '<!ENTITY a0 "ha">'
    for number in range(1, 10):
        laughs += f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">'
    head = f'<!DOCTYPE x [{laughs}<!ENTITY f SYSTEM "file:///etc/hostname">]><w:document {NAMESPACES}>'
    body = head + "<w:body><w:p><w:r><w:t>a&a9;&f;</w:t></w:r></w:p></w:body></w:document>"
    raw = repack(GOOD, {"word/document.xml": body.encode()})
    with contextlib.suppress(DamagedSource):
        assert parse_docx(raw, "a", SETTINGS).text == "a\n"


@property_settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_packages_raise_only_our_errors(seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(GOOD)
    for _ in range(chance.randrange(1, 20)):
        at = chance.randrange(len(raw))
        raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
    with contextlib.suppress(ExtractorError):
        parse_docx(bytes(raw), "a", SETTINGS)


@property_settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_documents_raise_only_our_errors(seed: int) -> None:
    """Mutations inside the XML, which the checksum of the zip would otherwise catch."""
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        body = archive.read("word/document.xml")
    words = [b"w:tc", b"w:tr", b"w:tbl", b"w:p", b"w:r", b"w:t", b"w:tcPr", b"w:vMerge", b"w:txbxContent", b"mc:Choice"]
    for _ in range(chance.randrange(1, 8)):
        body = body.replace(chance.choice(words) + b">", chance.choice(words) + b">")
    with contextlib.suppress(ExtractorError):
        linear = parse_docx(repack(GOOD, {"word/document.xml": body}), "a", SETTINGS)
        for grid in linear.grids:
            slots(linear, grid)


# ---------------------------------------------------------------- old Word


def write_program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_missing_libreoffice_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingProgram, match="libreoffice-writer-nogui"):
        parse_doc(b"x", "a.doc", Settings(soffice=tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="libreoffice-writer-nogui"):
        parse_doc(b"x", "a.doc", SETTINGS)


def test_a_program_that_cannot_start_is_missing(tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_bytes(b"\x7fELF junk")
    program.chmod(0o755)
    with pytest.raises(MissingProgram):
        parse_doc(b"x", "a.doc", Settings(soffice=program))


def test_failed_conversion_is_damage(tmp_path: Path) -> None:
    program = write_program(tmp_path / "soffice", "echo 'Error: source file could not be loaded'; exit 0")
    with pytest.raises(DamagedSource, match="could not be loaded"):
        parse_doc(b"x", "a.doc", Settings(soffice=program))


def test_timeout_ends_the_whole_process_group(tmp_path: Path) -> None:
    program = write_program(tmp_path / "soffice", f"sleep 60 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with pytest.raises(DamagedSource, match="1 s"):
        parse_doc(b"x", "a.doc", Settings(soffice=program, soffice_timeout_s=1))
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    for _ in range(50):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.1)
    os.kill(child, 0)
    pytest.fail("the child of the converter still runs")


def find_libreoffice() -> str:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed (Debian package libreoffice-writer-nogui)")
    return program


@pytest.mark.parametrize(("suffix", "filter_name"), [("doc", "MS Word 97"), ("rtf", "Rich Text Format")])
def test_old_word_files_read_like_their_docx(tmp_path: Path, suffix: str, filter_name: str) -> None:
    program = find_libreoffice()
    source = make_docx(
        paragraph("一、总体情况")
        + table(
            row(cell("行", '<w:vMerge w:val="restart"/>'), cell("法人", '<w:gridSpan w:val="2"/>')),
            row(cell("", "<w:vMerge/>"), cell("企业"), cell("其他")),
            row(cell("新收"), cell("1"), cell("")),
        )
        + paragraph("后")
    )
    (tmp_path / "made.docx").write_bytes(source)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    target = f"{suffix}:{filter_name}"
    command = [
        program,
        profile,
        "--headless",
        "--convert-to",
        target,
        "--outdir",
        str(tmp_path),
        str(tmp_path / "made.docx"),
    ]
    subprocess.run(  # noqa: S603 - paths of our own making
        command, check=True, timeout=120, capture_output=True
    )
    linear = parse_doc((tmp_path / f"made.{suffix}").read_bytes(), "a", SETTINGS)
    expected = parse_docx(source, "a", SETTINGS)
    assert linear.text.strip() == expected.text.strip()
    assert places(linear.grids[0]) == places(expected.grids[0])


def test_a_broken_doc_is_not_read_as_plain_text() -> None:
    find_libreoffice()
    with pytest.raises(DamagedSource):
        parse_doc(bytes.fromhex("d0cf11e0a1b11ae1") + "政府信息公开 words 12".encode() * 50, "a.doc", SETTINGS)
