"""The sample reports against their labels, cell by cell, and what must be said about each."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor import load_document, process_document
from extractor.evaluation import FieldOutcome, judge_fields, load_label
from extractor.model import CellState, Record

ROOT = Path(__file__).parents[2]
LABELS = sorted((ROOT / "eval" / "gold").glob("*.json"))
BROKEN = "001_6bf7699e84e20962"
INNER = ("natural_person", "business", "research", "public_welfare", "legal_service", "other_org")


def extract(path: Path) -> Record:
    return process_document(load_document(path))


def judge(path: Path, label_path: Path) -> list[FieldOutcome]:
    return list(judge_fields(extract(path), load_label(label_path)))


def printed_numbers(outcomes: list[FieldOutcome]) -> list[FieldOutcome]:
    return [field for field in outcomes if field.is_table and field.expected is CellState.VALUE]


@pytest.fixture(scope="module")
def broken() -> Record:
    """The report whose flattener dropped empty cells and filled rows up with bars."""
    return extract(ROOT / "fixtures" / f"{BROKEN}.txt")


@pytest.mark.parametrize("label_path", LABELS, ids=lambda path: path.stem)
def test_every_cell_and_fact_is_as_labelled(label_path: Path) -> None:
    outcomes = judge(ROOT / load_label(label_path).file, label_path)
    assert [field for field in outcomes if field.verdict != "right"] == []
    assert [field for field in printed_numbers(outcomes) if not field.is_accepted] == []


@pytest.mark.parametrize("label_path", [path for path in LABELS if path.stem != BROKEN], ids=lambda path: path.stem)
def test_whole_reports_succeed_without_a_flag(label_path: Path) -> None:
    record = extract(ROOT / load_label(label_path).file)
    assert record.status == "succeeded"
    assert record.flags == ()
    assert [equation.result for equation in record.equations] == ["pass"] * 42
    assert {field.decision for field in record.fields.values()} == {"accepted"}


def test_lone_numbers_keep_their_token_and_lose_their_column(broken: Record) -> None:
    assert broken.status == "partial"
    for column in (*INNER, "total"):
        field = broken.fields[f"applications.new_received.{column}"]
        assert (field.state, field.value, field.decision) == (CellState.POSITION_UNKNOWN, None, "review")
        assert [(token.raw, token.value) for token in field.candidates] == [("0", 0)]
    assert [token.raw for token in broken.fields["review_litigation.review.upheld"].candidates] == ["0", "0", "0"]


def test_rows_without_a_number_are_blank_or_absent_as_printed(broken: Record) -> None:
    for column in (*INNER, "total"):
        assert broken.fields[f"applications.other_result.fee_unpaid.{column}"].state is CellState.BLANK
        assert broken.fields[f"applications.other_result.other.{column}"].state is CellState.ROW_ABSENT
    for column in ("issued", "repealed", "in_force"):
        assert broken.fields[f"proactive_disclosure.regulations.{column}"].state is CellState.BLANK


def test_a_note_in_a_cell_is_kept_beside_the_value(broken: Record) -> None:
    field = broken.fields["proactive_disclosure.penalties.decisions"]
    assert (field.value, field.raw, field.decision) == (8, "8件(撤销1件、警告7件)", "accepted")


def test_no_equation_is_evaluated_over_lost_positions(broken: Record) -> None:
    assert {equation.result for equation in broken.equations} == {"not_evaluable"}


def test_labels_of_the_corpus_hold_where_cells_are_separated(corpus: Path) -> None:
    label = load_label(corpus / "labels" / "018_pingtan_finance_2020.json")
    record = extract(corpus.parent / label.file)
    outcomes = list(judge_fields(record, label))
    assert [field for field in outcomes if field.verdict != "right"] == []
    accepted = [field for field in printed_numbers(outcomes) if field.is_accepted]
    assert (len(accepted), sum(field.is_nonzero for field in accepted)) == (198, 6)
    assert record.fields["proactive_disclosure.procurement.amount"].unit == "yuan"


@pytest.mark.parametrize(
    "name", ["010_pingtan_region_2021", "012_pingtan_region_2023", "015_pingtan_region_2019_excerpt"]
)
def test_glued_reports_of_the_corpus_accept_no_number_of_their_tables(corpus: Path, name: str) -> None:
    label_path = corpus / "labels" / f"{name}.json"
    outcomes = judge(corpus.parent / load_label(label_path).file, label_path)
    assert [field for field in outcomes if field.is_wrong_and_accepted or field.verdict == "invented"] == []
    assert [field for field in printed_numbers(outcomes) if field.is_accepted] == []
    assert {field.verdict for field in outcomes if not field.is_table} == {"right"}


def test_torn_rows_of_the_corpus_go_to_review(corpus: Path) -> None:
    label = load_label(corpus / "labels" / "031_shanghai_kewei_2024_pdftext.json")
    record = extract(corpus.parent / label.file)
    assert [field for field in judge_fields(record, label) if field.is_wrong_and_accepted] == []
    assert record.status == "partial"
    assert all(field.decision == "review" for name, field in record.fields.items() if name.startswith("applications."))


@pytest.mark.parametrize(
    ("name", "status", "generation"),
    [
        ("024_pingtan_county_finance_2009.txt", "partial", "pre2019"),
        ("026_pingtan_region_2011.txt", "partial", "pre2019"),
        ("052_ningqiang_civilaffairs_2023_pinyin_excerpt.txt", "partial", "2019"),
        ("053_wuchang_minyi_township_2021_no_tables.txt", "partial", "absent"),
        ("050_dttz_xinfang_2021_excerpt.txt", "succeeded", "2021"),
        ("063_lzq_education_2019_excerpt.txt", "succeeded", "2019"),
        ("067_tianmen_hushi_town_2019_annotated_excerpt.txt", "partial", "2019"),
    ],
)
def test_excerpts_old_reports_and_mirrors_are_told_apart(corpus: Path, name: str, status: str, generation: str) -> None:
    record = extract(corpus / "docs" / name)
    assert (record.status, record.generation["proactive_disclosure"]) == (status, generation)


def test_reports_before_the_national_form_invent_no_cell(corpus: Path) -> None:
    record = extract(corpus / "docs" / "026_pingtan_region_2011.txt")
    assert not [name for name in record.fields if name.partition(".")[0] not in ("header", "narrative")]
    assert record.fields["narrative.proactive_items_total"].value == 425
    assert record.fields["header.report_year"].value == 2011


def test_the_blank_form_reads_as_blank(corpus: Path) -> None:
    record = extract(corpus / "form_2021_blank.docx")
    cells = [field for name, field in record.fields.items() if name.partition(".")[0] not in ("header", "narrative")]
    assert len(cells) == 200
    assert {field.state for field in cells} == {CellState.BLANK}
    assert record.status == "succeeded"
