"""The panel over real outputs: reports written as files, read by the program, checked against each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from yearly import Panel, read_panel, report_values, write_report

from extractor.errors import OutputError, SettingsError
from extractor.export import PANEL_OUTPUTS
from extractor.export.staging import WORK_FOLDER
from extractor.panel import build_panel

AGENCY = "平潭综合实验区"
ROW = "proactive_disclosure.normative_documents"
RunPanel = Callable[..., Panel]


def _stock(issued: int, repealed: int, in_force: int) -> dict[str, int]:
    row = "normative_documents__"
    return {f"{row}issued": issued, f"{row}repealed": repealed, f"{row}in_force": in_force}


def test_years_that_fit_raise_nothing(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "1.txt", AGENCY, 2021, report_values(carried_out=1, **_stock(69, 3, 665)))
    write_report(reports / "2.txt", AGENCY, 2022, report_values(carried_in=1, carried_out=2, **_stock(88, 55, 698)))
    write_report(reports / "3.txt", AGENCY, 2023, report_values(carried_in=2, **_stock(0, 0, 698)))
    panel = run_panel()
    assert panel.flags == []
    assert (panel.summary.agencies, panel.summary.agency_years, panel.summary.pairs) == (1, 3, 2)
    assert panel.summary.outcomes["X1", "holds"] == 14
    assert panel.summary.outcomes["X2", "holds"] == 4


def test_rows_are_documents_with_their_neighbours(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=3))
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    panel = run_panel()
    first, second = panel.rows
    assert (first["agency"], first["report_year"], second["report_year"]) == (AGENCY, 2021, 2022)
    assert (first["previous_documents"], first["next_documents"]) == ([], [second["document"]])
    assert (second["previous_documents"], second["next_documents"]) == ([first["document"]], [])
    assert first["X1[total]"] is None
    said = ("", ".basis", ".reason", ".residual")
    assert [second[f"X1[total]{part}"] for part in said] == ["differs", "accepted", None, -2]
    assert [second[f"X1[business]{part}"] for part in said] == ["holds", "accepted", None, 0]
    assert [first[f"applications.carried_out.total{part}"] for part in ("", ".state", ".doubted")] == [1, "value", None]


def test_what_is_carried_over_must_agree(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=3))
    panel = run_panel()
    (flag,) = panel.flags
    assert (flag["code"], flag["severity"], flag["confirmed"]) == ("carry-differs", "warning", "yes")
    assert flag["years"] == "2021 2022"
    assert flag["documents"].split() == [row["document"] for row in panel.rows]
    assert flag["fields"].split() == [
        f"applications.{row}.{column}"
        for column in ("natural_person", "total")
        for row in ("carried_out", "carried_in")
    ]
    assert (
        "2021 applications.carried_out.total = 1 [accepted]; 2022 applications.carried_in.total = 3" in flag["values"]
    )
    assert "总计 1 ≠ 3" in flag["message_zh"]
    assert "X1[total] 1 ≠ 3" in flag["message_en"]
    assert [item.flag.code for item in panel.summary.notable] == ["carry-differs"]


def test_a_value_in_review_confirms_nothing(reports: Path, run_panel: RunPanel) -> None:
    """A table that does not add up: its cells are in review, and so is what rests on them."""
    values = report_values(carried_in=3) | {"applications.new_received.natural_person": "8"}
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", AGENCY, 2022, values)
    panel = run_panel()
    sure, doubted = panel.flags_of("carry-differs")
    assert (sure["confirmed"], doubted["confirmed"]) == ("yes", "no")
    assert sure["fields"] == "applications.carried_out.total applications.carried_in.total"
    assert doubted["fields"] == "applications.carried_out.natural_person applications.carried_in.natural_person"
    assert "2022 applications.carried_in.natural_person = 3 [review" in doubted["values"]
    assert "not confirmed" in doubted["message_en"]
    assert [item.flag.fields for item in panel.summary.notable] == [tuple(sure["fields"].split())]
    row = panel.row("b.txt")
    field_id = "applications.carried_in.natural_person"
    assert [row[f"{field_id}{part}"] for part in ("", ".state", ".doubted")] == [None, "review:value", 3]
    assert row["X1[natural_person].basis"] == "review"


def test_forms_of_two_generations_share_what_is_carried_over(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2019, report_values("2019", licences__items_prev_year=5), form="2019")
    later = report_values("2019", carried_out=2, licences__items_prev_year=4)
    write_report(reports / "b.txt", AGENCY, 2020, later, form="2019")
    write_report(reports / "c.txt", AGENCY, 2021, report_values(carried_in=1))
    panel = run_panel()
    assert [flag["code"] for flag in panel.flags] == ["stock-differs", "carry-differs"]
    assert "行政许可 5 + 0 ≠ 4" in panel.flags[0]["message_zh"]
    row = panel.row("c.txt")
    assert (row["X2[regulations]"], row["X2[regulations].reason"]) == ("not-evaluable", "forms-differ")


def test_pending_cases_that_vanish_are_a_hint(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(review__pending=2, review__total=2))
    write_report(reports / "b.txt", AGENCY, 2022, report_values())
    (flag,) = run_panel().flags
    assert (flag["code"], flag["severity"]) == ("pending-vanished", "info")
    assert "X3[review] 2 > 0" in flag["message_en"]


def test_missing_years_are_told(reports: Path, run_panel: RunPanel) -> None:
    for year in (2011, 2012, 2014, 2021):
        write_report(reports / f"{year}.txt", AGENCY, year, report_values())
    (flag,) = run_panel().flags
    assert (flag["code"], flag["years"]) == ("year-gap", "2011 2021")
    assert flag["message_en"].endswith("2013, 2015-2020")


def test_two_documents_of_one_year_are_compared_cell_by_cell(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=1))
    write_report(reports / "c.txt", AGENCY, 2022, report_values(carried_in=3))
    panel = run_panel()
    (flag,) = panel.flags
    assert (flag["code"], flag["severity"]) == ("duplicate-year", "warning")
    assert set(flag["fields"].split()) == {
        f"applications.{row}.{column}"
        for row in ("new_received", "carried_in")
        for column in ("natural_person", "total")
    }
    assert "2 documents of one agency and year: 196 cells alike, 4 differ, 0 cannot" in flag["message_en"]
    row = panel.row("b.txt")
    assert (row["documents_of_year"], row["X1[total]"], row["X1[total].reason"]) == (
        2,
        "not-evaluable",
        "documents-differ",
    )
    assert panel.row("a.txt")["next_documents"] == [panel.row(name)["document"] for name in ("b.txt", "c.txt")]


def test_a_torn_copy_does_not_spoil_the_whole_one(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=1))
    write_report(reports / "c.txt", AGENCY, 2022, report_values(carried_in=1), layout="glued")
    panel = run_panel()
    (flag,) = panel.flags
    assert flag["code"] == "duplicate-year"
    assert flag["fields"] == ""
    assert "cells alike, 0 differ" in flag["message_en"]
    assert panel.row("c.txt")["X1[total]"] == "holds"


def test_a_slip_of_the_year_that_puts_two_years_into_one_is_told(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "2022.txt", AGENCY, 2022, report_values())
    write_report(reports / "2023.txt", AGENCY, 2023, report_values())
    slip = reports / "2023.txt"
    slip.write_text(slip.read_text("utf-8").replace(f"{AGENCY}2023年", f"{AGENCY}2022年"), encoding="utf-8")
    (flag,) = run_panel().flags
    assert flag["code"] == "duplicate-year"
    assert flag["values"].endswith("2023.txt: agency or year [review]")
    assert "; " not in flag["values"]


def test_an_inferred_number_is_not_said_twice(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1), layout="glued")
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=3))
    (flag,) = run_panel().flags_of("carry-differs")
    assert "2021 applications.carried_out.total = 1 [inferred];" in flag["values"]


def test_a_document_of_no_series_has_no_decision_and_no_number_in_its_year(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", "", 2021, report_values())
    (row,) = run_panel().rows
    assert [row[name] for name in ("report_year", "agency", "key_decision", "documents_of_year")] == [2021] + [None] * 3


def test_equal_bytes_are_one_document(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    write_report(reports / "copy.txt", AGENCY, 2021, report_values())
    panel = run_panel()
    assert (len(panel.rows), panel.flags) == (1, [])
    lines = panel.out / "records.jsonl"
    lines.write_bytes(lines.read_bytes() * 2)  # the records of two runs, put together
    again = read_panel(panel.out)
    assert (len(again.rows), again.flags, again.summary.repeated) == (1, [], 1)


def test_names_are_listed_and_merged_only_on_the_users_word(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", f"{AGENCY}管委会", 2022, report_values(carried_in=3))
    panel = run_panel()
    (flag,) = panel.flags
    assert flag["code"] == "agency-variants"
    assert f"{AGENCY} (2021) / {AGENCY}管委会 (2022)" in flag["message_en"]
    assert panel.summary.pairs == 0
    merged = read_panel(panel.out, {f"{AGENCY}管委会": AGENCY, "甲县": "乙县"})
    assert [flag["code"] for flag in merged.flags] == ["agency-merged", "carry-differs"]
    assert merged.flags[0]["message_en"] == f"merged into '{AGENCY}' by the file of aliases: {AGENCY}管委会 (1)"
    assert merged.summary.unused_aliases == ("甲县",)
    assert [row["agency"] for row in merged.rows] == [AGENCY, AGENCY]
    assert merged.row("b.txt")["agency_as_printed"] == f"{AGENCY}管委会"


def test_documents_without_agency_or_year_are_listed(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    (reports / "b.txt").write_bytes(b"")
    (reports / "c.txt").write_text("首页 > 政务公开", encoding="utf-8")
    text = (reports / "a.txt").read_text("utf-8").replace(f"{AGENCY}2021年", "").replace("2021年", "")
    (reports / "d.txt").write_text(text, encoding="utf-8")
    panel = run_panel()
    said = {flag["paths"].rpartition("/")[2]: flag["message_en"] for flag in panel.flags_of("not-in-panel")}
    assert said == {
        "b.txt": "not in the panel: the file failed",
        "c.txt": "not in the panel: it is no yearly report",
        "d.txt": "not in the panel: no agency was read",
    }
    assert (len(panel.rows), panel.summary.in_panel, panel.row("d.txt")["agency"]) == (4, 1, None)


def test_the_year_behind_suggests_a_split_and_changes_no_record(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(**_stock(69, 3, 665)), layout="glued")
    write_report(reports / "b.txt", AGENCY, 2022, report_values(**_stock(88, 55, 698)), layout="glued")
    panel = run_panel()
    before = (panel.out / "records.jsonl").read_bytes()
    (flag,) = read_panel(panel.out).flags
    assert (flag["code"], flag["severity"], flag["confirmed"]) == ("split-suggested-by-year", "info", "")
    assert flag["values"] == (
        f"2021 {ROW} = 6,93,665 or 69,3,665 [of 693665, by X2 and no_blanks]; "
        f"2022 {ROW} = 88,55,698 [of 8855698, by X2 and no_blanks]"
    )
    assert "often does not" in flag["message_en"]
    assert (panel.out / "records.jsonl").read_bytes() == before


# ---------------------------------------------------------------- files


def test_the_panel_stands_beside_the_outputs_of_the_run(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    out = run_panel().out
    names = {path.name for path in out.iterdir()}
    assert set(PANEL_OUTPUTS) < names
    assert [name for name in names if name.startswith(".")] == [WORK_FOLDER]
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    read_panel(out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_a_broken_record_leaves_an_earlier_panel_whole(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    out = run_panel().out
    before = (out / "panel.parquet").read_bytes()
    with (out / "records.jsonl").open("ab") as file:
        file.write(b'{"document":')
    with pytest.raises(SettingsError, match="line 2"):
        read_panel(out)
    assert (out / "panel.parquet").read_bytes() == before


def test_a_disk_that_refuses_leaves_an_earlier_panel_whole(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    out = run_panel().out
    (out / "panel_flags.csv").unlink()
    (out / "panel_flags.csv").mkdir()
    (out / "panel_flags.csv" / "busy").touch()
    with pytest.raises(OutputError, match="the panel cannot be written"):
        build_panel(out, {}, lambda _done, _total: None)
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == [WORK_FOLDER]


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no records\.jsonl in there.*extractor run"):
        build_panel(tmp_path, {}, lambda _done, _total: None)
    (tmp_path / "records.jsonl").touch()
    with pytest.raises(SettingsError, match="holds no record"):
        build_panel(tmp_path, {}, lambda _done, _total: None)


def test_real_reports_of_one_agency_are_one_series(corpus: Path, reports: Path, run_panel: RunPanel) -> None:
    """平潭 has reports of 2011, 2021 and 2023 there: no neighbours, and years between them are missing."""
    reports.mkdir()
    for path in (corpus / "docs").glob("*.txt"):
        (reports / path.name).write_bytes(path.read_bytes())
    panel = run_panel()
    assert [row["report_year"] for row in panel.rows if row["agency"] == AGENCY] == [2011, 2021, 2023]
    (gap,) = panel.flags_of("year-gap")
    assert gap["message_en"].endswith("2012-2020, 2022")
    assert (
        panel.summary.in_panel + len(panel.flags_of("not-in-panel")) == len(panel.rows) == len(list(reports.iterdir()))
    )
    assert panel.flags_of("agency-variants") == []


def test_the_real_report_of_2021_and_the_printed_row_of_2022(corpus: Path, reports: Path, run_panel: RunPanel) -> None:
    """The publisher's page of 2022 has 88, 55 and 698; of the digits of 2021 that leaves 665 in force."""
    real = corpus / "docs" / "010_pingtan_region_2021.txt"
    reports.mkdir()
    (reports / "a.txt").write_bytes(real.read_bytes())
    write_report(reports / "b.txt", AGENCY, 2022, report_values(**_stock(88, 55, 698)))
    (flag,) = run_panel().flags_of("split-suggested-by-year")
    assert flag["fields"] == f"{ROW}.in_force"
    assert f"2021 {ROW} = 6,93,665 or 69,3,665 [of 693665" in flag["values"]
