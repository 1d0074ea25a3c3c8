"""The label format: what it takes, what it refuses, and how labels find their documents."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from extractor.errors import SettingsError
from extractor.evaluation.label_file import Header, LabelFile, Narrative, parse_json
from extractor.evaluation.labels import LabelledCell, find_document, find_labels, load_label, read_cell, read_label
from extractor.forms import load_codebook, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, CellState

ROOT = Path(__file__).parents[3]
GOLD = sorted((ROOT / "eval" / "gold").glob("*.json"))
SECTIONS = ("proactive_disclosure", "applications", "review_litigation")


def write_label(path: Path, **changes: Any) -> Path:
    """A small right label, with changes."""
    data = {
        "file": "a.txt",
        "generation": dict.fromkeys(SECTIONS, "2021"),
        "review_litigation": {"review": [1, 0, 0, 0, 1]},
    }
    path.write_text(json.dumps(data | changes, ensure_ascii=False), encoding="utf-8")
    return path


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        (0, LabelledCell(CellState.VALUE, 0)),
        (Decimal("96171.60"), LabelledCell(CellState.VALUE, Decimal("96171.60"))),
        (24252.311082, LabelledCell(CellState.VALUE, Decimal("24252.311082"))),
        ("blank", LabelledCell(CellState.BLANK)),
        ("row_absent", LabelledCell(CellState.ROW_ABSENT)),
        ("position_unknown", LabelledCell(CellState.POSITION_UNKNOWN)),
        ("na_mark:/", LabelledCell(CellState.NA_MARK, raw="/")),
        ("na_mark", LabelledCell(CellState.NA_MARK)),
        ("unparsable:若干", LabelledCell(CellState.UNPARSABLE, raw="若干")),
        ({"value": 2, "raw": "2笔"}, LabelledCell(CellState.VALUE, 2, "2笔")),
    ],
)
def test_cells_are_read_as_written(written: object, cell: LabelledCell) -> None:
    assert read_cell(written) == cell


@pytest.mark.parametrize(
    "written",
    [
        *(None, True, [1], "", "?", "4", "zero", "blank:", "blank:x", "na_mark:"),
        *("value", "not_read", "inferred_by_equation"),
        *(
            {"value": 2},
            {"value": 2, "raw": ""},
            {"value": "2", "raw": "2笔"},
            {"value": 2, "raw": "2笔", "unit": "笔"},
        ),
    ],
)
def test_what_is_no_cell_is_refused(written: object) -> None:
    """What only a program can say (not_read, inferred) is no label; neither is null, nor a number in quotes."""
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        read_cell(written)


def test_decimals_stay_as_written(tmp_path: Path) -> None:
    """A binary float would be another number."""
    path = write_label(tmp_path / "a.json", proactive_disclosure={"admin_fees.amount_wan": 0.1})
    assert load_label(path).cells["proactive_disclosure.admin_fees.amount_wan"].value == Decimal("0.1")


# ---------------------------------------------------------------- files


def test_null_fact_is_not_the_same_as_no_fact(tmp_path: Path) -> None:
    """Null: the text does not state it. Left out: not labelled, not judged."""
    label = load_label(write_label(tmp_path / "a.json", narrative={"reviews": None, "litigations": 2}))
    assert label.facts == {"narrative.reviews": None, "narrative.litigations": 2}


def test_quotes_and_page_date_are_no_facts(tmp_path: Path) -> None:
    header = {"published_on": "2021-01-27", "page_date": "2021-01-28"}
    label = load_label(write_label(tmp_path / "a.json", header=header, narrative={"quotes": {"reviews": "复议1件"}}))
    assert label.facts == {"header.published_on": "2021-01-27"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "synthetic"}, "kind"),
        ({"narative": {}}, "narative"),
        ({"header": {"titel": "x"}}, "titel"),
        ({"header": {"report_year": "2023"}}, "report_year"),
        ({"header": {"published_on": "2024年1月16日"}}, "published_on"),
        ({"header": {"title": "?"}}, "not filled in"),
        ({"narrative": {"reviews": -1}}, "reviews"),
        ({"narrative": {"reviews": 1.5}}, "reviews"),
        ({"narrative": {"admin_fees_wan": -1}}, "admin_fees_wan"),
        ({"narrative": {"reviews": "?"}}, "not filled in"),
        ({"basis": {"applications": "raed"}}, "basis"),
        ({"severity": 4}, "severity"),
        ({"review_litigation": {"review": [1, 0, "x", 0, 1]}}, r"review_litigation.review\[3\]"),
        ({"review_litigation": {"review": [1, 0, 0, 1]}}, "4 cells, the row has 5"),
        ({"review_litigation": {"revue": [1, 0, 0, 0, 1]}}, "revue"),
        ({"generation": {"overview": "2021"}}, "generation"),
        ({"generation": {"review_litigation": "2012"}}, "there is no form '2012'"),
    ],
)
def test_what_is_no_label_is_refused_by_name(changes: dict[str, Any], word: str, tmp_path: Path) -> None:
    """The message names the file, the place, and where to read about the format."""
    path = write_label(tmp_path / "a.json", **changes)
    with pytest.raises(SettingsError, match=word) as caught:
        load_label(path)
    assert str(path) in str(caught.value)
    assert "docs/label.md" in str(caught.value)


@pytest.mark.parametrize("mark", [{"draft": True}, {"to_check": ["applications, 3 rows: doubtful"]}])
def test_draft_is_never_a_label(mark: dict[str, Any], tmp_path: Path) -> None:
    """Nothing but a person's act makes gold of a draft; the remedy is in the message."""
    path = write_label(tmp_path / "a.json", **mark)
    with pytest.raises(SettingsError, match="a draft still") as caught:
        load_label(path)
    assert "--check" in str(caught.value)
    with pytest.raises(SettingsError, match="a draft still"):
        list(find_labels([tmp_path]))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_none_here(word: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_json(f'{{"a": {word}}}')


@pytest.mark.parametrize(
    ("text", "word"), [('{"a": 1e999999999}', "exponent"), ('{"a": ' + "[" * 100_000, "brackets in brackets")]
)
def test_what_never_ends_is_refused(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=word):
        load_label(path)
    with pytest.raises(SettingsError, match=word):
        list(find_labels([tmp_path]))


def test_file_of_an_editor_that_marks_its_encoding_is_read(tmp_path: Path) -> None:
    """Some editors put a byte order mark in front."""
    path = write_label(tmp_path / "a.json")
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert [item.label.name for item in find_labels([tmp_path])] == ["a"]


def test_example_of_the_guide_has_the_format() -> None:
    text = (ROOT / "docs" / "label.md").read_text(encoding="utf-8")
    example = re.search(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    assert len(read_label(parse_json(example[1]), "x").cells) == 3 + 14 + 5


def test_key_that_stands_twice_is_refused() -> None:
    """JSON would take the last one's word and say nothing."""
    with pytest.raises(ValueError, match="'granted' stands twice"):
        parse_json('{"applications": {"granted": [1], "granted": [2]}}')


def test_layout_damage_and_kind_are_kept() -> None:
    made = {"kind": "corrupted", "layout": "glued", "damage": "drop-pipes", "severity": 2}
    label = read_label({"file": "a", "generation": {}, **made}, "x")
    assert {name: getattr(label, name) for name in made} == made


def test_sections_that_were_not_read_are_told() -> None:
    basis = {"applications": "equations", "review_litigation": "read", "proactive_disclosure": "publisher_html"}
    assert read_label({"file": "a", "generation": {}, "basis": basis}, "x").is_inferred == {
        "applications",
        "proactive_disclosure",
    }


# ---------------------------------------------------------------- folders


def test_other_json_is_passed_over_and_broken_json_is_not(tmp_path: Path) -> None:
    """A label with a slip must not drop out of an evaluation unseen."""
    write_label(tmp_path / "a.json")
    (tmp_path / "index.json").write_text('{"documents": 3}', encoding="utf-8")
    assert [item.label.name for item in find_labels([tmp_path])] == ["a"]
    (tmp_path / "b.json").write_text('{"file": "b.txt", "generation": {},}', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"b\.json"):
        list(find_labels([tmp_path]))


@pytest.mark.parametrize(("key", "slip"), [("generation", "generaton"), ("file", "File")])
def test_label_with_a_slip_in_a_key_does_not_drop_out(key: str, slip: str, tmp_path: Path) -> None:
    path = write_label(tmp_path / "a.json")
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{key}"', f'"{slip}"'), encoding="utf-8")
    write_label(tmp_path / "b.json")
    with pytest.raises(SettingsError, match=r"a\.json"):
        list(find_labels([tmp_path]))


def test_name_that_no_file_can_have_is_no_document(tmp_path: Path) -> None:
    assert find_document(write_label(tmp_path / "a.json"), "x" * 5000) is None


@pytest.mark.parametrize("name", ["gone", "empty"])
def test_place_without_labels_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="label"):
        list(find_labels([tmp_path / name]))


def test_nearest_folder_above_names_the_document(tmp_path: Path) -> None:
    (tmp_path / "deep" / "labels").mkdir(parents=True)
    label = tmp_path / "deep" / "labels" / "a.json"
    (tmp_path / "a.txt").touch()
    assert find_document(label, "a.txt") == tmp_path.resolve() / "a.txt"
    (tmp_path / "deep" / "a.txt").touch()
    assert find_document(label, "a.txt") == tmp_path.resolve() / "deep" / "a.txt"
    assert find_document(label, "b.txt") is None


# ---------------------------------------------------------------- the format's own make-up


def test_facts_are_those_of_the_model() -> None:
    """A new fact of the program can be labelled; counts are whole, fees are not."""
    assert tuple(Header.model_fields) == (*HEADER_FIELDS, "page_date")
    assert tuple(Narrative.model_fields) == (*NARRATIVE_FIELDS, "quotes")
    schema = LabelFile.model_json_schema()["$defs"]["Narrative"]["properties"]
    kinds = {entry.id.removeprefix("narrative."): entry.kind for entry in load_codebook()}
    for name in NARRATIVE_FIELDS:
        types = {part["type"] for part in schema[name]["anyOf"]}
        assert types == {"null", "integer" if kinds[name] == "int" else "number"}, name


def test_tables_are_those_of_the_forms() -> None:
    assert set(LabelFile.model_fields) >= {name for form in load_forms().national for name in form.sections}


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads((ROOT / "docs" / "label.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_gold_has_the_published_schema(path: Path, validator: Any) -> None:
    validator.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"review_litigation": {"review": [1, "zero"]}},
        {"header": {"titel": None}},
        {"narrative": {"reviews": "1"}},
        {"x": 1},
    ],
)
def test_published_schema_refuses_what_the_program_refuses(change: dict[str, Any], validator: Any) -> None:
    data = json.loads(GOLD[0].read_text(encoding="utf-8")) | change
    assert not validator.is_valid(data)
    with pytest.raises(ValidationError):
        read_label(data, "x")


# ---------------------------------------------------------------- the five reports


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_gold_labels_every_cell_and_every_fact(path: Path) -> None:
    label = load_label(path)
    assert len(label.cells) == 200
    assert set(label.facts) == {f"header.{name}" for name in HEADER_FIELDS} | {
        f"narrative.{name}" for name in NARRATIVE_FIELDS
    }
    assert find_document(path, label.file) is not None
