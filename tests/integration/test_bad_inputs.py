"""Bad input gets a clear error or a flag, stops nothing else, and loses nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import flatten
import pytest
from typer.testing import CliRunner

from extractor import load_document, process_document
from extractor.cli import app
from extractor.errors import DamagedSource, EmptySource, SourceTooLarge, UnsupportedFormat
from extractor.model import Record
from extractor.settings import Settings
from extractor.sources import read_document

VALUES = flatten.as_printed(flatten.make_values("2021", 1))
OTHER_VALUES = flatten.as_printed(flatten.make_values("2021", 2))
TABLES = flatten.build_tables("2021", VALUES)


def extract(raw: bytes) -> Record:
    return process_document(read_document(raw, "input", Settings()))


def codes(record: Record) -> set[str]:
    return {flag.code for flag in record.flags}


def accepted_tables(record: Record) -> list[str]:
    return [name for name, field in record.fields.items() if field.decision == "accepted" and "." in name]


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"", EmptySource, "empty"),
        (b" \r\n\t ", EmptySource, "empty"),
        (random.Random(1).randbytes(5000), UnsupportedFormat, "neither text nor"),
        (b"%PDF-1.7 ...", DamagedSource, "damaged"),
        (flatten.word(TABLES)[:9000], DamagedSource, "broken"),
    ],
    ids=["empty", "blank", "binary junk", "pdf", "truncated docx"],
)
def test_what_cannot_be_read_says_why(raw: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        read_document(raw, "somewhere/report.txt", Settings())
    assert str(caught.value).startswith("somewhere/report.txt: ")


def test_a_giant_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    giant = tmp_path / "giant.txt"
    with giant.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(SourceTooLarge, match=r"50\.0 MB, the limit is 20 MB.*EXTRACTOR_MAX_SOURCE_MB"):
        load_document(giant, Settings())


@pytest.mark.parametrize(
    "raw",
    [
        b"Annual report of the department on access to information.\n" * 50,
        "<html><body><p>首页</p><ul><li>政务公开</li></ul></body></html>".encode(),
    ],
    ids=["english", "menu page"],
)
def test_what_is_no_report_is_said_to_be_none(raw: bytes) -> None:
    record = extract(raw)
    assert record.status == "not_a_report"
    assert codes(record) == {"not-a-report"}
    assert not record.fields


def test_headings_over_pictures_are_missing_tables() -> None:
    headings = ("一、总体情况", "二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况")
    page = "<p>某县2023年政府信息公开工作年度报告</p>" + "".join(f"<p>{text}</p><img src=a.png>" for text in headings)
    record = extract(page.encode())
    assert record.status == "partial"
    assert codes(record) == {"table-missing", "section-missing"}
    assert set(record.generation.values()) == {"absent"}


def test_two_reports_in_one_file_accept_nothing_and_keep_both() -> None:
    second = flatten.tab_cells(flatten.build_tables("2021", OTHER_VALUES))
    record = extract(flatten.tab_cells(TABLES) + b"\n\n" + second.replace("民政局".encode(), "财政局".encode()))
    assert "several-reports" in codes(record)
    assert accepted_tables(record) == []
    field = record.fields["applications.granted.total"]
    printed = VALUES["applications.granted.total"], OTHER_VALUES["applications.granted.total"]
    assert (field.raw, field.candidates[0].raw) == printed


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "one_line", "markdown"])
def test_sections_in_another_order_are_read_all_the_same(layout: str) -> None:
    record = extract(flatten.LAYOUTS[layout]([TABLES[2], TABLES[0], TABLES[1]]))
    assert record.status == "succeeded"
    assert codes(record) == {"sections-out-of-order"}
    assert all(str(record.fields[name].value) == text for name, text in VALUES.items())


@pytest.mark.parametrize("layout", ["tab_cells", "html_page"])
def test_tables_are_found_without_headings(layout: str) -> None:
    record = extract(flatten.LAYOUTS[layout]([(" ", table) for _, table in TABLES]))
    assert all(str(record.fields[name].value) == text for name, text in VALUES.items())


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"")
    (folder / "b.txt").write_bytes(random.Random(2).randbytes(3000))
    (folder / "c.txt").write_bytes(flatten.tab_cells(TABLES))
    (folder / "d.docx").write_bytes(flatten.word(TABLES)[:5000])
    result = CliRunner().invoke(app, ["run", str(folder), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    records = [json.loads(line) for line in (tmp_path / "out" / "records.jsonl").read_text("utf-8").splitlines()]
    assert [record["status"] for record in records] == ["failed", "failed", "succeeded", "failed"]
    assert all(record["flags"][0]["code"] == "source-failed" for record in records if record["status"] == "failed")
