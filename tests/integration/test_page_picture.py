"""extractor show on files with pages: the evidence names its page, and pages are drawn with what was read."""

from __future__ import annotations

from pathlib import Path

import flatten
import pytest
from paper import draw_report
from PIL import Image
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.model import Record

GREEN, RED = (0, 140, 60), (210, 20, 40)
TOTAL = "applications.granted.total"


def show(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["show", *arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of several pages with a sum that does not add up."""
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    printed[TOTAL] = str(int(printed[TOTAL]) + 1)
    path = tmp_path_factory.mktemp("pages") / "report.pdf"
    path.write_bytes(draw_report(flatten.build_tables("2021", printed)))
    return path


@pytest.fixture(scope="module")
def record(report: Path) -> Record:
    return Record.model_validate_json(show(str(report), "--json").stdout)


def test_every_value_has_its_box_and_the_evidence_its_page(report: Path, record: Record) -> None:
    tables = {name: field for name, field in record.fields.items() if field.spans and field.spans[0].table is not None}
    assert len(tables) > 190
    assert all(field.spans[0].place for field in tables.values())
    assert len({field.spans[0].place.page for field in tables.values() if field.spans[0].place}) > 1
    (span,) = record.fields[TOTAL].spans
    assert span.place is not None
    assert f"p. {span.place.page}, line " in show(str(report), "--all").stdout


def test_pages_with_tables_are_drawn_each_in_its_file(report: Path, record: Record, tmp_path: Path) -> None:
    (span,) = record.fields[TOTAL].spans
    assert span.place is not None
    result = show(str(report), "--page-image", str(tmp_path / "look.png"))
    files = sorted(tmp_path.iterdir())
    assert [f"saved {path}" for path in files] == result.stdout.splitlines()
    assert len(files) > 1
    assert tmp_path / f"look-{span.place.page}.png" in files
    show(str(report), "--page-image", str(tmp_path / "one.png"), "--page", str(span.place.page))
    image = Image.open(tmp_path / "one.png")
    colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or ()}
    assert colours >= {GREEN, RED}
    # In the margin of the wrong total's cell, where the page is white, is the colour of its doubt.
    scale = image.width / 595
    left, top, right, bottom = (edge * scale for edge in span.place.box)
    around = image.convert("RGB").crop((int(left) - 40, int(top) - 12, int(right) + 40, int(bottom) + 12))
    assert RED in {colour for _, colour in around.getcolors(100_000) or ()}


def test_a_page_that_is_not_there_is_told(report: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(report), "--page-image", str(tmp_path / "a.png"), "--page", "99"])
    assert result.exit_code == 2
    assert "pages. Choose one of them" in result.stderr
    assert not list(tmp_path.iterdir())
