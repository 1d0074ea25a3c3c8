"""The blank form of the State Council, filled in by Word's own format: as docx, as old Word, and printed to a PDF."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from docx.table import _Cell

from extractor import load_document, process_document
from extractor.evaluation.labels import Label, load_label
from extractor.evaluation.outcomes import FieldOutcome, judge_fields
from extractor.forms import Section, load_forms

#: One with numbers of seven digits and a decimal, one with a blank cell.
LABELS = ("001_huaian_city_2024", "031_shanghai_kewei_2024_pdftext")
FORM = load_forms().generations["2021"]


def fill_form(blank: Path, label: Label, target: Path) -> None:
    """Write the labelled cells into the tables of the blank form."""
    document = docx.Document(str(blank))
    for paragraph in document.paragraphs:
        if paragraph.text == "政府信息公开工作年度报告格式模板":
            paragraph.text = "某某市民政局2024年政府信息公开工作年度报告"
        elif paragraph.text.startswith("（文字描述"):
            paragraph.text = "按照规定办理。"
    two, three, four = document.tables
    cells = [
        *_list_cells(FORM.sections["proactive_disclosure"], [list(_distinct(row.cells))[1:] for row in two.rows]),
        *_list_cells(FORM.sections["applications"], [list(row.cells)[3:] for row in three.rows]),
        *zip([item.id for item in FORM.sections["review_litigation"].fields], four.rows[-1].cells, strict=True),
    ]
    assert {field_id for field_id, _ in cells} == label.cells.keys()
    for field_id, cell in cells:
        value = label.cells[field_id].value
        if value is not None:
            cell.text = str(value)
    document.save(str(target))


def _distinct(cells: tuple[_Cell, ...]) -> Iterator[_Cell]:
    """Merged cells once."""
    last = None
    for cell in cells:
        if cell._tc is not last:
            yield cell
        last = cell._tc


def _list_cells(section: Section, rows: list[list[_Cell]]) -> Iterator[tuple[str, _Cell]]:
    """Field ids and cells of the rows whose cells are still empty, which are the form's rows in their order."""
    open_rows = [row for row in rows if row and not any(cell.text.strip() for cell in row)]
    for row, cells in zip(section.rows, open_rows, strict=True):
        yield from ((section.field_id(row.id, c.id), cell) for c, cell in zip(row.columns, cells, strict=True))


@pytest.fixture(scope="module")
def filled(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the filled forms in all three kinds, the last two written by LibreOffice."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed (Debian: libreoffice-writer-nogui)")
    folder = tmp_path_factory.mktemp("forms")
    for name in LABELS:
        label = load_label(corpus / "labels" / f"{name}.json")
        fill_form(corpus / "form_2021_blank.docx", label, folder / f"{name}.docx")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    for kind in ("doc", "pdf"):
        files = [str(path) for path in sorted(folder.glob("*.docx"))]
        command = [program, profile, "--headless", "--convert-to", kind, "--outdir", str(folder), *files]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - the program found above
    return folder


@pytest.mark.parametrize("kind", ["docx", "doc", "pdf"])
@pytest.mark.parametrize("name", LABELS)
def test_every_cell_of_a_filled_form_is_right(filled: Path, corpus: Path, name: str, kind: str) -> None:
    label = load_label(corpus / "labels" / f"{name}.json")
    document = load_document(filled / f"{name}.{kind}")
    record = process_document(document)
    outcomes = [outcome for outcome in judge_fields(record, label) if outcome.is_table]
    assert len(outcomes) == len(label.cells) == 200
    assert [_say(outcome) for outcome in outcomes if outcome.verdict != "right"] == []
    assert record.status == "succeeded"
    pages = document.paper.pages if document.paper else ()
    assert {page.read_by for page in pages} == ({"text_layer"} if kind == "pdf" else set())
    assert sum(outcome.is_accepted for outcome in outcomes) >= 199


def _say(outcome: FieldOutcome) -> str:
    return f"{outcome.field_id}: {outcome.printed} read as {outcome.said} ({outcome.found})"
