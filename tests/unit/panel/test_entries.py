"""What is taken from a record, and what is said of a line that is none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError
from extractor.model import Candidate, CellState, DocumentIdentity, Origin, Record, RecordField, Status, Suggestion
from extractor.panel.entries import Cell, Entry, read_entries
from extractor.panel.relations import load_panel_fields
from extractor.pipeline import VERSIONS

CARRIED = "applications.carried_in.total"
ISSUED = "proactive_disclosure.normative_documents.issued"


def _field(value: Any, **changes: Any) -> RecordField:
    given = {"state": CellState.VALUE, "value": value, "raw": None, "spans": (), "reader": "template"}
    return RecordField(**{**given, "decision": "accepted", **changes})


def _record(**fields: RecordField) -> Record:
    return Record(
        document=DocumentIdentity(id="a" * 64, path="a.txt"),
        status=Status.PARTIAL,
        origins=(Origin(path="a.txt", site="甲县"), Origin(path="b.txt", url="https://www.example.org/1.html")),
        generation={"applications": "2021"},
        fields=fields,
        versions=VERSIONS,
    )


def _read(path: Path, *lines: str) -> list[Entry]:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return list(read_entries(path, lambda _done, _total: None))


def _cell(tmp_path: Path, field_id: str, item: RecordField) -> Cell | None:
    (entry,) = _read(tmp_path / "records.jsonl", _record(**{field_id: item}).model_dump_json())
    return entry.cells[load_panel_fields().index(field_id)]


def test_an_entry_has_what_the_panel_needs(tmp_path: Path) -> None:
    record = _record(
        **{
            "header.agency_name": _field("甲县"),
            "header.report_year": _field(2023, decision="review"),
            CARRIED: _field(4),
        }
    )
    first, second = _read(tmp_path / "records.jsonl", _record().model_dump_json(), record.model_dump_json())
    assert (first.agency, first.year, first.key_basis, first.line, first.offset) == (None, None, "accepted", 1, 0)
    assert (second.agency, second.year, second.key_basis, second.line) == ("甲县", 2023, "review", 2)
    assert second.offset == len(_record().model_dump_json().encode()) + 1
    assert second.sites == ("甲县", "www.example.org")
    assert second.generation == {
        "proactive_disclosure": "absent",
        "applications": "2021",
        "review_litigation": "absent",
    }
    assert [cell for cell in second.cells if cell] == [Cell(CellState.VALUE, "accepted", 4, "accepted")]


@pytest.mark.parametrize(
    ("item", "cell"),
    [
        (_field(3, decision="review"), Cell(CellState.VALUE, "review", 3, "review")),
        (_field(Decimal("3.0")), Cell(CellState.VALUE, "accepted", 3, "accepted")),
        (_field(Decimal("3.5")), Cell(CellState.VALUE, "accepted", None, None)),
        (_field(10**30), Cell(CellState.VALUE, "accepted", 10**30, "accepted")),
        (_field(None, state=CellState.BLANK), Cell(CellState.BLANK, "accepted", None, None)),
        (
            _field(2, state=CellState.INFERRED_BY_EQUATION, decision="review"),
            Cell(CellState.INFERRED_BY_EQUATION, "review", 2, "inferred"),
        ),
        (
            _field(3, decision="review", suggestions=(Suggestion(5, "m", "b"),)),
            Cell(CellState.VALUE, "review", 3, "review", 5),
        ),
        (
            _field(None, state=CellState.POSITION_UNKNOWN, decision="review", suggestions=(Suggestion(5, "m", "b"),)),
            Cell(CellState.POSITION_UNKNOWN, "review", 5, "suggested", 5),
        ),
        (
            _field(
                None,
                state=CellState.UNPARSABLE,
                decision="review",
                suggestions=(Suggestion(5, "m", "b", ties=2), Suggestion(6, "m", "b", ties=2)),
            ),
            Cell(CellState.UNPARSABLE, "review", None, None),
        ),
    ],
)
def test_a_cell_keeps_its_number_and_what_it_rests_on(tmp_path: Path, item: RecordField, cell: Cell) -> None:
    assert _cell(tmp_path, CARRIED, item) == cell


@pytest.mark.parametrize(
    ("raws", "run"),
    [
        (("693665",), "693665"),
        (("６９３６６５",), "693665"),
        (("69 3665",), None),
        (("69", "3665"), None),
        ((None,), None),
    ],
)
def test_a_run_is_digits_that_stand_alone(tmp_path: Path, raws: tuple[str | None, ...], run: str | None) -> None:
    candidates = tuple(Candidate(CellState.UNPARSABLE, raw=raw) for raw in raws)
    item = _field(None, state=CellState.UNPARSABLE, decision="review", candidates=candidates)
    cell = _cell(tmp_path, ISSUED, item)
    assert cell
    assert cell.run == run


def test_empty_lines_are_no_records(tmp_path: Path) -> None:
    assert len(_read(tmp_path / "records.jsonl", "", _record().model_dump_json(), "  ")) == 1


def _spoil(**changes: object) -> str:
    return json.dumps(json.loads(_record().model_dump_json()) | changes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (_record().model_dump_json()[:200], "line 2: not a whole record"),
        ("{}", "line 2: not a whole record (document"),
        ("[]", "line 2: not a whole record"),
        (_spoil(status="done"), "line 2: not a whole record (status"),
        (_spoil(versions={"record": "99"}), "line 2: the record has shape 99, and this program reads shape"),
        (_spoil(versions={}), "line 2: the record has no shape"),
    ],
)
def test_a_broken_line_is_named_with_the_remedy(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "records.jsonl"
    with pytest.raises(SettingsError) as raised:
        _read(path, _record().model_dump_json(), line)
    assert str(raised.value).startswith(f"{path}, {said}")
    assert "extractor run" in str(raised.value)


def test_bytes_that_are_no_text_are_a_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"document": "\xff"}\n')
    with pytest.raises(SettingsError, match="line 1: not a whole record"):
        list(read_entries(path, lambda _done, _total: None))


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{_record().model_dump_json()}\n" * 3, encoding="utf-8")
    told: list[tuple[int, int]] = []
    assert len(list(read_entries(path, lambda done, total: told.append((done, total))))) == 3
    size = path.stat().st_size
    assert told == [(size // 3, size), (size // 3 * 2, size), (size, size)]


@pytest.mark.parametrize(
    ("value", "year"), [(2023, 2023), ("2023", 2023), (-5, None), (10**30, None), ("9" * 5000, None), ("二〇", None)]
)
def test_a_year_has_four_digits(tmp_path: Path, value: Any, year: int | None) -> None:
    record = _record(**{"header.report_year": _field(value)})
    (entry,) = _read(tmp_path / "records.jsonl", record.model_dump_json())
    assert entry.year == year
