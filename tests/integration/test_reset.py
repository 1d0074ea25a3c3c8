"""The re-set documents of eval/gold/re-set: real figures, text of our own, and labels that say what is printed."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import flatten
import pytest

from eval.reset.documents import REPORTS, Made, make_documents
from eval.reset.files import list_files, list_stale, write_files
from eval.reset.phrases import FILLERS, MEASURES, PHRASES, PROBLEMS
from extractor.evaluation import Label, find_labels, judge_fields
from extractor.evaluation.check import check_label
from extractor.forms import load_forms
from extractor.model import NARRATIVE_FIELDS, CellState
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import load_document

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "eval" / "gold" / "re-set"
LABELLED = {found.label.name: found for found in find_labels([FOLDER])}
INDEX = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"), parse_float=Decimal)
GLUED = ("glued", "half_glued")


@pytest.fixture(scope="module")
def made(corpus: Path) -> list[Made]:
    return list(make_documents(corpus))


# ---------------------------------------------------------------- the folder


def test_folder_is_what_would_be_made_now(made: list[Made]) -> None:
    assert list(list_stale(FOLDER, list_files(made))) == []


def test_folder_out_of_step_is_told_and_mended(made: list[Made], tmp_path: Path) -> None:
    files = list_files(made)
    write_files(tmp_path, files)
    first, second, *_ = files
    (tmp_path / first).write_text("other")
    (tmp_path / second).unlink()
    (tmp_path / "labels" / "stray.json").write_text("{}")
    assert list(list_stale(tmp_path, files)) == [
        f"{first} is out of step",
        f"{second} is missing",
        "labels/stray.json is not made by anything",
    ]
    write_files(tmp_path, files)
    assert list(list_stale(tmp_path, files)) == []


def test_index_names_every_document_and_nothing_else() -> None:
    assert sorted(INDEX) == sorted(LABELLED)
    documents = {found.document.name for found in LABELLED.values() if found.document}
    assert documents == {path.name for path in (FOLDER / "docs").iterdir()}


def test_every_labelled_report_is_there_in_its_own_noise_and_in_a_clean_layout(corpus: Path) -> None:
    sources = {path.stem for path in (corpus / "labels").glob("*.json")}
    layouts = {
        name: [found.label.layout for found in LABELLED.values() if _source(found.label) == name] for name in sources
    }
    assert all(len(set(names)) >= 2 and set(names) & set(flatten.KEEPING) for names in layouts.values()), layouts


def _source(label: Label) -> str:
    return str(INDEX[label.name]["source"])


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize("name", LABELLED)
def test_label_has_no_slip(name: str) -> None:
    checked = check_label(LABELLED[name].path, Settings())
    assert checked.slips == ()
    assert checked.is_compared


@pytest.mark.parametrize("name", LABELLED)
def test_label_says_all_that_it_can(name: str) -> None:
    """It is of kind re-set, names its layout, and has a word on every fact of the narrative."""
    label = LABELLED[name].label
    assert label.kind == "re-set"
    assert name.endswith(f"_{label.layout}")
    assert {f"narrative.{fact}" for fact in NARRATIVE_FIELDS} <= label.facts.keys()
    torn = set(label.generation) if label.layout in GLUED else {"applications"}
    assert label.is_inferred == (torn if label.layout in (*GLUED, "pdf_text") else set())


@pytest.mark.parametrize("name", LABELLED)
def test_figures_are_the_sources(corpus: Path, name: str) -> None:
    """Every cell that the source's label has a number for, the re-set label has too, and no other one but lost ones."""
    label = LABELLED[name].label
    (source,) = find_labels([corpus / "labels" / f"{_source(label)}.json"])
    assert label.generation == source.label.generation
    lost = {f"{section}.{row}" for section, rows in INDEX[name].get("as_set", {}).items() for row in rows}
    for field_id, cell in source.label.cells.items():
        own = label.cells[field_id]
        if field_id.rpartition(".")[0] in lost:
            assert own.state is CellState.POSITION_UNKNOWN
        elif cell.state is CellState.POSITION_UNKNOWN:
            expected = (CellState.VALUE, 0) if field_id.endswith(".total") else (CellState.BLANK, None)
            assert (own.state, own.value) == expected
        else:
            assert own == cell
    stated = {
        fact: value for fact, value in source.label.facts.items() if fact.startswith("narrative.") and value is not None
    }
    assert stated.items() <= label.facts.items()


@pytest.mark.parametrize("name", [name for name, entry in INDEX.items() if "as_set" in entry])
def test_lost_rows_print_what_was_set(name: str) -> None:
    """The numbers of `as_set` are the tokens of the label, row by row, and the document prints them so."""
    label = json.loads(LABELLED[name].path.read_text(encoding="utf-8"))
    for section, rows in INDEX[name]["as_set"].items():
        tokens = {row: [str(item) for item in items if item != "blank"] for row, items in rows.items()}
        kept = label[section]["row_tokens"]
        joined = [token for row in tokens.values() for token in row]
        assert kept == (tokens if isinstance(kept, dict) else joined)


def test_lone_numbers_of_the_first_seed_stand_under_the_total() -> None:
    rows = INDEX["reset_001_pipe_cells_dropped"]["as_set"]
    assert Counter(tuple(row) for row in rows["applications"].values()) == {("blank",) * 6 + (0,): 23}
    assert set(map(tuple, rows["review_litigation"].values())) == {("blank",) * 4 + (0,)}


def test_what_a_report_contradicts_itself_in_is_kept() -> None:
    said = {name: _read(name)["source_inconsistencies"] for name in LABELLED}
    assert all("393" in said[name][0] for name in said if name.startswith("reset_012"))
    assert all(len(said[name]) == 2 for name in said if name.startswith(("reset_031", "reset_c002")))
    facts = LABELLED["reset_012_glued"].label.facts
    cells = LABELLED["reset_012_glued"].label.cells
    assert facts["narrative.normative_documents_in_force"] == 393
    assert cells["proactive_disclosure.normative_documents.in_force"].value == 470
    assert cells["applications.results_total.total"].value == 81


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(LABELLED[name].path.read_text(encoding="utf-8"))
    return data


# ---------------------------------------------------------------- text


def test_no_sentence_is_copied(corpus: Path) -> None:
    """No run of twelve characters of ours stands in a source, but for what is a label of the form."""
    sources = [*corpus.glob("docs/*.txt"), *corpus.glob("docs/*.md"), *(ROOT / "fixtures").glob("*.txt")]
    printed = "".join("".join(path.read_text(encoding="utf-8").split()) for path in sources)
    rows = [row for form in load_forms().national for section in form.sections.values() for row in section.rows]
    labels = "\n".join(label for row in rows for label in row.labels)
    templates = [template for ways in (*PHRASES.values(), *FILLERS.values(), PROBLEMS, MEASURES) for template in ways]
    pieces = [piece for template in templates for piece in re.split("{.*?}", template)]
    runs = {piece[start : start + 12] for piece in pieces for start in range(len(piece) - 11)}
    assert len(runs) > 400
    assert [run for run in runs if run in printed and run not in labels] == []


def test_no_name_of_a_real_agency_or_place_is_kept(corpus: Path) -> None:
    headers = [json.loads(path.read_text(encoding="utf-8"))["header"] for path in (corpus / "labels").glob("*.json")]
    keys = ("agency_name", "contact_phone", "contact_address", "website")
    real = {header[key] for header in headers for key in keys if header[key]} | {"平潭", "淮安", "洪泽", "乌苏", "忻州"}
    for found in LABELLED.values():
        assert found.document is not None
        text = load_document(found.document, Settings()).text
        assert [name for name in real if name in text] == []


def test_documents_of_one_report_say_it_in_different_words() -> None:
    for report in REPORTS:
        quotes = [_read(name)["narrative"]["quotes"] for name in LABELLED if name.startswith(f"{report.name}_")]
        for fact in quotes[0]:
            said = ["".join(one[fact].split()) for one in quotes]
            assert len(set(said)) > 1, (report.name, fact)


# ---------------------------------------------------------------- what the program makes of them


@pytest.mark.parametrize("name", LABELLED)
def test_what_stands_apart_is_read_and_nothing_wrong_is_accepted(name: str) -> None:
    """Cells that keep their places are all accepted, but for those of a sum that does not hold. Glued ones are not."""
    found = LABELLED[name]
    assert found.document is not None
    record = process_document(load_document(found.document, Settings()))
    outcomes = [one for one in judge_fields(record, found.label) if one.group != "header"]
    assert [one for one in outcomes if one.is_wrong_and_accepted] == []
    cells = [one for one in outcomes if one.is_table]
    if found.label.layout in flatten.KEEPING:
        broken = {field for item in record.equations if item.result == "fail" for field in item.fields}
        assert {one.field_id for one in cells if one.verdict != "right" or not one.is_accepted} <= broken
    elif found.label.layout in GLUED:
        assert [one for one in cells if one.is_accepted and one.is_nonzero] == []


@pytest.mark.parametrize("name", LABELLED)
def test_equations_fail_where_the_report_does_not_add_up(name: str) -> None:
    """As its label says, and nowhere else."""
    found = LABELLED[name]
    assert found.document is not None
    record = process_document(load_document(found.document, Settings()))
    said = {text.partition(":")[0] for text in _read(name)["source_inconsistencies"] if text.startswith("E")}
    assert {item.id for item in record.equations if item.result == "fail"} == said
