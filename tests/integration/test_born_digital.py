"""Born-digital PDFs the whole way: every cell by state and value, with its page and its box."""

from __future__ import annotations

from pathlib import Path

import flatten
import paper
import pymupdf
import pytest

from extractor import load_document, process_document
from extractor.evaluation.labels import load_label
from extractor.evaluation.outcomes import judge_fields
from extractor.model import Document, Record

REAL = {"001_huaian_city_2024": 200, "002_hongze_district_2023": 186}


@pytest.mark.parametrize("name", REAL)
def test_every_cell_of_a_real_report_is_as_printed(corpus: Path, name: str) -> None:
    label = load_label(corpus / "labels" / f"{name}.json")
    document = load_document(corpus / "docs" / f"{name}.pdf")
    record = process_document(document)
    outcomes = {outcome.field_id: outcome for outcome in judge_fields(record, label) if outcome.is_table}
    labelled = [outcomes[field_id] for field_id in label.cells]
    assert len(labelled) == REAL[name]
    assert [outcome for outcome in labelled if outcome.verdict != "right"] == []
    assert [outcome for outcome in outcomes.values() if outcome.is_wrong_and_accepted] == []
    assert document.paper is not None
    assert {page.read_by for page in document.paper.pages} == {"text_layer"}


def test_sums_that_a_real_report_prints_wrong_stay_and_are_flagged(corpus: Path) -> None:
    """复议: 10 + 1 + 0 + 0, printed total 0; 复议后起诉: 5, printed total 0."""
    record = process_document(load_document(corpus / "docs" / "002_hongze_district_2023.pdf"))
    failed = {result.id for result in record.equations if result.result == "fail"}
    assert failed == {"E4[review]", "E4[litigation_after_review]"}
    flagged = [flag for flag in record.flags if flag.code == "equation-failed"]
    assert {field for flag in flagged for field in flag.fields} == {
        f"review_litigation.{row}.{column}"
        for row in ("review", "litigation_after_review")
        for column in ("upheld", "corrected", "other_result", "pending", "total")
    }
    assert [record.fields[f"review_litigation.review.{name}"].raw for name in ("upheld", "corrected", "total")] == [
        "10",
        "1",
        "0",
    ]


# ---------------------------------------------------------------- forms made for the purpose


def read(path: Path, raw: bytes) -> tuple[Document, Record]:
    path.write_bytes(raw)
    document = load_document(path)
    return document, process_document(document)


def say(record: Record, printed: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (str(record.fields[name].value), record.fields[name].decision) for name in printed}


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_a_form_with_a_page_break_in_a_table_is_read_whole_and_accepted(tmp_path: Path, generation: str) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, 4))
    raw = paper.draw_report(flatten.build_tables(generation, printed), paper.thin_rectangle, is_open=True)
    document, record = read(tmp_path / "form.pdf", raw)
    assert say(record, printed) == {name: (text, "accepted") for name, text in printed.items()}
    assert record.status == "succeeded"
    assert document.paper is not None
    assert len(document.paper.pages) == 2


def test_each_number_stands_where_it_is_printed(tmp_path: Path) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 5))
    raw = paper.draw_report(flatten.build_tables("2021", printed))
    document, record = read(tmp_path / "form.pdf", raw)
    assert document.paper is not None
    with pymupdf.open(stream=raw) as file:
        for name, text in printed.items():
            span = record.fields[name].spans[0]
            (word,) = [word for word in document.paper.words if word.start <= span.start < word.end]
            box = pymupdf.Rect(word.box)
            around = pymupdf.Rect(box.x0 - 1, box.y0 - 1, box.x1 + 1, box.y1 + 1)
            assert file[word.page - 1].get_textbox(around).strip() == text


def test_an_empty_cell_is_blank_and_one_with_a_drawn_digit_is_not(tmp_path: Path) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 6))
    blank, drawn = "proactive_disclosure.penalties.decisions", "proactive_disclosure.coercion.decisions"
    printed |= {blank: "", drawn: ""}
    sheet = paper.Sheet()
    heading, table = flatten.build_tables("2021", printed)[0]
    sheet.write(flatten.TITLE)
    sheet.write(heading)
    *_, place, _ = [place for _, box, place in sheet.draw_table(table, paper.COLUMNS[4]) if box.is_value]
    sheet.page.draw_line((place.x0 + 6, place.y0 + 4), (place.x0 + 6, place.y0 + 11), width=0.9)
    _, record = read(tmp_path / "form.pdf", sheet.finish())
    assert record.fields[blank].state == "blank"
    assert record.fields[drawn].state == "unparsable"
    assert record.fields[drawn].decision == "review"
