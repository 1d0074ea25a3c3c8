"""Draft labels: what is filled in, what is left to a person, and the text of the file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor.evaluation.draft import dump_label, make_blank, make_draft
from extractor.evaluation.label_file import LabelFile, parse_json
from extractor.evaluation.labels import find_labels, load_label
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, Record
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import load_document, read_document

ROOT = Path(__file__).parents[3]
GOLD = sorted((ROOT / "eval" / "gold").glob("*.json"))
TABLE = """某局2023年政府信息公开工作年度报告
一、总体情况
2023年，我局通过政府网站公开信息12条。全年因政府信息公开引起的行政复议案件3件。
四、政府信息公开行政复议、行政诉讼情况
| 行政复议 | | | | | 行政诉讼 | | | | | | | | | |
| 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 未经复议直接起诉 | | | | | 复议后起诉 | | | | |
| | | | | | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 |
| 10 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 0 | / | 0 | 1 |
五、存在的主要问题及改进情况
无。
"""
# As an archive of web pages prints it.
GLUED = """某局2023年政府信息公开工作年度报告
四、政府信息公开行政复议、行政诉讼情况 行政复议行政诉讼结果维持结果纠正其他结果尚未审结总计未经复议直接起诉复议后起诉结果维持结果纠正其他结果尚未审结总计结果维持结果纠正其他结果尚未审结总计10203120001200000五、存在的主要问题及改进情况 无。
"""  # noqa: E501


def draft_of(path: Path) -> tuple[dict[str, Any], Record]:
    document = load_document(path, Settings())
    record = process_document(document)
    return make_draft(record, document, "fixtures/x.txt"), record


def draft_text(text: str) -> dict[str, Any]:
    document = read_document(text.encode(), "a.txt", Settings())
    return make_draft(process_document(document), document, "a.txt")


def cells_of(draft: dict[str, Any]) -> dict[str, object]:
    """The draft's cells by field id, as written."""
    found: dict[str, object] = {}
    for section_id in TABLE_SECTIONS:
        form = load_forms().section(section_id, draft["generation"][section_id])
        for name, entry in draft[section_id].items():
            assert form is not None
            if isinstance(entry, list):
                columns = form.rows_by_id[name].columns
                found |= {form.field_id(name, column.id): cell for column, cell in zip(columns, entry, strict=True)}
            else:
                found[f"{section_id}.{name}"] = entry
    return found


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_what_is_accepted_is_filled_in_and_nothing_else(path: Path) -> None:
    """A doubtful number that is there already is one that nobody looks for."""
    draft, record = draft_of(ROOT / load_label(path).file)
    cells = cells_of(draft)
    assert list(cells) == [field_id for field_id in record.fields if field_id in cells]
    assert {name for name, cell in cells.items() if cell != "?"} == {
        name for name in cells if record.fields[name].decision == "accepted"
    }


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_draft_that_is_filled_in_from_the_label_is_the_label(path: Path) -> None:
    """What the draft fills in is what the hand-made label says, quotes apart, where nothing is open."""
    label = parse_json(path.read_text(encoding="utf-8"))
    draft, _ = draft_of(ROOT / label["file"])
    for part in ("generation", "basis", "header", *TABLE_SECTIONS):
        for name, entry in draft[part].items():
            if entry != "?" and not (isinstance(entry, list) and "?" in entry):
                assert entry == label[part][name], (part, name)
    facts = {name: value for name, value in draft["narrative"].items() if name != "quotes" and value != "?"}
    assert facts.items() <= label["narrative"].items()


def test_lost_positions_are_to_be_checked_and_not_filled_in() -> None:
    draft, _ = draft_of(ROOT / "fixtures" / "001_6bf7699e84e20962.txt")
    assert draft["applications"]["granted"] == ["?"] * 7
    assert draft["applications"]["other_result.fee_unpaid"] == ["blank"] * 7
    assert any(line.startswith("applications, 23 rows: column positions are lost") for line in draft["to_check"])


def test_glued_digits_leave_cells_and_basis_to_a_person() -> None:
    """Neither the split that the equations chose nor how it became known is put into a labeller's mouth."""
    draft = draft_text(GLUED)
    assert draft["basis"]["review_litigation"] == "?"
    assert {cell for row in draft["review_litigation"].values() for cell in row} == {"?"}


def test_failed_sum_is_told_and_its_cells_are_open() -> None:
    draft = draft_text(TABLE)
    assert draft["review_litigation"]["review"] == ["?"] * 5
    assert any(text.startswith("E4[review]: ") for text in draft["source_inconsistencies"])
    assert draft["review_litigation"]["litigation_after_review"][2] == "na_mark:/"


def test_what_the_text_says_otherwise_and_what_is_nowhere_is_told() -> None:
    draft = draft_text(TABLE)
    assert "reviews: the text says 3, the table 0" in draft["source_inconsistencies"]
    assert "the document: section applications is nowhere in the text" in draft["to_check"]


def test_quote_is_the_sentence_of_the_number() -> None:
    """Up to the end of the sentence, not into the next one; and it stands in the document."""
    quotes = draft_text(TABLE)["narrative"]["quotes"]
    assert quotes["website_items"] == "2023年，我局通过政府网站公开信息12条"


def test_every_draft_asks_for_the_facts_that_were_not_found() -> None:
    """A null is a claim; the program does not make it for the labeller."""
    assert all(
        any("null says" in line for line in draft_of(ROOT / load_label(path).file)[0]["to_check"]) for path in GOLD
    )


# ---------------------------------------------------------------- blank drafts


def test_blank_draft_says_nothing_but_names() -> None:
    generation = {"proactive_disclosure": "2019", "applications": "2021", "review_litigation": "absent"}
    draft = make_blank(generation, "a.pdf")
    assert draft["generation"] == generation
    assert set(cells_of(draft).values()) == {"?"}
    assert len(cells_of(draft)) == 22 + 175
    assert draft["review_litigation"] == {}
    assert draft["header"] == dict.fromkeys(HEADER_FIELDS, "?")
    assert draft["narrative"] == {**dict.fromkeys(NARRATIVE_FIELDS, "?"), "quotes": {}}


# ---------------------------------------------------------------- text


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_label_survives_its_text(path: Path) -> None:
    """The five labels are written as dump_label writes them: a row of the form on one line."""
    text = path.read_text(encoding="utf-8")
    assert dump_label(parse_json(text)) == text
    assert len(text.splitlines()) < 150
    assert '    "granted": [' in text


def test_text_keeps_decimals_tokens_and_quotation_marks() -> None:
    label = {
        "a": Decimal("96171.60"),
        "b": {"c": [{"value": Decimal("2"), "raw": '2"笔"'}, "na_mark:/"]},
        "d": ["x", "y"],
        "e": [],
    }
    text = dump_label(label)
    assert parse_json(text) == label
    assert "96171.60" in text
    assert text.splitlines()[3] == '    "c": [{"value": 2, "raw": "2\\"笔\\""}, "na_mark:/"]'
    assert text.splitlines()[6:8] == ['    "x",', '    "y"']


def test_draft_with_its_marks_filled_in_has_the_format(tmp_path: Path) -> None:
    """Filling in a draft and taking its marks away is all there is to do."""
    text = dump_label(draft_of(ROOT / "fixtures" / "001_6bf7699e84e20962.txt")[0])
    data = json.loads(text.replace('"?"', '"position_unknown"')) | {"draft": False, "to_check": []}
    LabelFile.model_validate(data)
    (tmp_path / "x.json").write_text(json.dumps(data), encoding="utf-8")
    assert len(next(find_labels([tmp_path])).label.cells) == 200
