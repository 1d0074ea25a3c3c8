"""Slips in labels: each is found, named with its place, and a right label has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError
from extractor.evaluation.check import CheckedLabel, check_label, check_labels
from extractor.evaluation.check_form import check_values
from extractor.evaluation.draft import dump_label, make_blank
from extractor.evaluation.label_file import parse_json
from extractor.evaluation.labels import Label, LabelledCell
from extractor.model import CellState
from extractor.settings import Settings

ROOT = Path(__file__).parents[3]
GOLD = sorted((ROOT / "eval" / "gold").glob("*.json"))
SEPARATED, LOST, STATED = GOLD[0], GOLD[1], GOLD[3]
BLANKS = """某局2023年政府信息公开工作年度报告

四、政府信息公开行政复议、行政诉讼情况

| 行政复议 | | | | | 行政诉讼 | | | | | | | | | |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
| 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 未经复议直接起诉 | | | | | 复议后起诉 | | | | |
| | | | | | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 |
| 1 | | 0 | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |

五、存在的主要问题及改进情况
无。
"""
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of labels that stands above the documents as eval/gold does."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "gold").mkdir()
    return tmp_path / "gold"


def check(folder: Path, gold: Path, change: Change | None = None) -> CheckedLabel:
    label = parse_json(gold.read_text(encoding="utf-8"))
    if change:
        change(label)
    path = folder / gold.name
    path.write_text(dump_label(label), encoding="utf-8")
    return check_label(path, Settings())


def places(checked: CheckedLabel) -> list[str]:
    return [slip.place for slip in checked.slips]


def put(*keys: Any) -> Change:
    """A change that puts the last of `keys` at the place that the others name."""

    def change(label: dict[str, Any]) -> None:
        *way, last, value = keys
        for key in way:
            label = label[key]
        label[last] = value

    return change


# ---------------------------------------------------------------- right labels


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem[:3])
def test_gold_has_no_slip_and_is_compared_with_its_document(path: Path) -> None:
    checked = check_label(path, Settings())
    assert checked.slips == ()
    assert (checked.cells, checked.facts, checked.is_compared) == (200, 30, True)


def test_labels_of_the_corpus_have_no_slip(corpus: Path) -> None:
    """Glued digits, PDF, a merged row, sums that fail at the source: each compared with its document."""
    checked = list(check_labels([corpus / "labels"], Settings()))
    assert {item.path.stem: item.slips for item in checked if item.slips} == {}
    assert all(item.is_compared for item in checked)


# ---------------------------------------------------------------- format and form


@pytest.mark.parametrize(
    ("change", "place", "word"),
    [
        (put("generation", "applications", "2020"), "generation.applications", "2020"),
        (put("generation", "applications", "absent"), "applications", "has cells"),
        (lambda label: label["generation"].pop("applications"), "generation.applications", "missing"),
        (lambda label: label["applications"].pop("granted"), "applications.granted", "missing"),
        (put("applications", "grantd", [0] * 7), "applications.grantd", "no such row"),
        (put("applications", "granted.total", 0), "applications.granted.total", "twice"),
        (put("applications", "granted", [0] * 6), "applications.granted", "6 cells, the row has 7"),
        (put("applications", "granted", 2, "zero"), "applications.granted[3]", "none of"),
        (put("proactive_disclosure", "licences.decisons", 1), "proactive_disclosure.licences.decisons", "no such cell"),
        (
            put("proactive_disclosure", "licences.decisions", -11),
            "proactive_disclosure.licences.decisions",
            "less than 0",
        ),
        (put("header", "published_on", "2024/01/16"), "header.published_on", "not a date"),
        (put("hints", []), "hints", "not permitted"),
        (put("file", "fixtures/gone.txt"), "file", "no folder above"),
    ],
)
def test_slip_of_form_is_named(change: Change, place: str, word: str, folder: Path) -> None:
    checked = check(folder, SEPARATED, change)
    assert [slip.problem for slip in checked.slips if slip.place == place and word in slip.problem], checked.slips
    assert all(slip.remedy for slip in checked.slips)


@pytest.mark.parametrize(
    ("field_id", "value", "word"),
    [
        ("licences.decisions", Decimal("1.5"), "no whole number"),
        ("licences.decisions", -1, "less than 0"),
        ("admin_fees.amount_wan", Decimal("-1.5"), "less than 0"),
        ("admin_fees.amount_wan", Decimal("1.5"), ""),
        ("licences.items_change", -8, ""),
    ],
)
def test_numbers_are_of_the_kind_of_their_column(field_id: str, value: int | Decimal, word: str) -> None:
    cells = {f"proactive_disclosure.{field_id}": LabelledCell(CellState.VALUE, value)}
    slips = list(check_values(Label("a", "a.txt", "real", {}, cells)))
    assert len(slips) == bool(word)
    assert all(word in slip.problem for slip in slips)


def test_key_that_stands_twice(folder: Path) -> None:
    text = SEPARATED.read_text(encoding="utf-8").replace('"carried_in"', '"granted"')
    (folder / "a.json").write_text(text, encoding="utf-8")
    assert "'granted' stands twice" in check_label(folder / "a.json", Settings()).slips[0].problem


# ---------------------------------------------------------------- drafts


def test_draft_is_refused_until_all_is_done(folder: Path) -> None:
    """What is open, what is to be looked at, and the mark itself: each by itself is enough."""
    left = ["applications, 3 rows: doubtful"]
    for change, place in (
        (put("draft", True), "draft"),
        (put("to_check", left), "to_check"),
        (put("applications", "granted", 3, "?"), "applications.granted[4]"),
        (put("header", "title", "?"), "header.title"),
    ):
        assert places(check(folder, SEPARATED, change)) == [place]


def test_open_cells_are_counted_and_not_listed_one_by_one(folder: Path) -> None:
    path = folder / "a.json"
    path.write_text(dump_label(make_blank({"applications": "2021"}, "a.txt")), encoding="utf-8")
    slips = check_label(path, Settings()).slips
    assert [slip.place for slip in slips][1:] == ["draft"]
    assert slips[0].problem.startswith("205 not filled in")


# ---------------------------------------------------------------- sums


def test_slip_that_breaks_a_sum_is_found(folder: Path) -> None:
    """The labeller's slip and the report's own mistake break the same sums; only the second is written down."""
    checked = check(folder, SEPARATED, put("applications", "granted", 0, 1))
    assert {"E2[natural_person]", "E3[granted]"} <= set(places(checked))


def test_failure_that_is_written_down_is_none(folder: Path) -> None:
    def change(label: dict[str, Any]) -> None:
        label["review_litigation"]["review"] = [10, 1, 0, 0, 0]
        label["source_inconsistencies"] = ["E4[review]: 10 + 1 = 11, printed total 0"]

    assert not {"E4[review]", "source_inconsistencies"} & set(places(check(folder, SEPARATED, change)))


def test_failure_that_is_none_must_not_be_written_down(folder: Path) -> None:
    for key in ("source_inconsistencies", "not_evaluable"):
        assert places(check(folder, SEPARATED, put(key, ["E4[review]: printed so"]))) == [key]


def test_broken_bound_is_a_failure(folder: Path) -> None:
    """Parts that are more than their whole fail without the rest."""

    def change(label: dict[str, Any]) -> None:
        label["review_litigation"]["review"] = ["blank", 3, 0, 0, 1]

    assert "E4[review]" in places(check(folder, SEPARATED, change))


def test_text_against_table_is_written_down_or_a_slip(folder: Path) -> None:
    def change(label: dict[str, Any]) -> None:
        label["narrative"]["applications_received"] = 0
        label["applications"]["new_received"] = [2, 0, 0, 0, 0, 0, 2]

    assert "narrative.applications_received" in places(check(folder, SEPARATED, change))

    def excuse(label: dict[str, Any]) -> None:
        change(label)
        label["source_inconsistencies"] = ["applications_received: the text says 0, the table 2"]

    assert "narrative.applications_received" not in places(check(folder, SEPARATED, excuse))


@pytest.mark.parametrize("name", ["normative_documents_in_force", "normative_documents.in_force"])
def test_fact_is_named_by_its_own_name_or_its_cells(name: str, folder: Path) -> None:
    def change(label: dict[str, Any]) -> None:
        label["narrative"]["normative_documents_in_force"] = 0
        label["proactive_disclosure"]["normative_documents.in_force"] = 3
        label["source_inconsistencies"] = [f"narrative 0 against table {name} 3"]

    assert "narrative.normative_documents_in_force" not in places(check(folder, SEPARATED, change))


# ---------------------------------------------------------------- the document


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (put("header", "agency_name", "乌苏市统计厅"), "header.agency_name"),
        (put("header", "contact_phone", "0992—8205823"), "header.contact_phone"),
        (put("narrative", "quotes", "website_items", "通过门户网站公开政府信息12件"), "narrative.quotes.website_items"),
        (put("narrative", "website_items", 21), "narrative.quotes.website_items"),
        (lambda label: label["narrative"]["quotes"].pop("website_items"), "narrative.quotes.website_items"),
        (put("narrative", "quotes", "reviews", "我局未收到政府信息公开申请"), "narrative.quotes.reviews"),
    ],
)
def test_what_the_document_does_not_say_is_found(change: Change, place: str, folder: Path) -> None:
    assert places(check(folder, STATED, change)) == [place]


def test_white_space_and_width_do_not_matter(folder: Path) -> None:
    """The title is broken over two lines; a labeller may type half-width for full-width."""
    change = put("narrative", "quotes", "website_items", "通过政府门户网站 公开政府信息１２件")
    assert places(check(folder, STATED, change)) == []


@pytest.mark.parametrize(
    ("quote", "number"),
    [("公开信息1,234条", 1234), ("公开信息7万条", 70000), ("公开信息1.5亿条", 150_000_000), ("公开信息二十三条", 23)],
)
def test_numbers_are_stated_in_many_ways(quote: str, number: int, folder: Path) -> None:
    (folder / "a.txt").write_text(f"某局年度报告\n全年通过网站{quote}。\n", encoding="utf-8")

    def change(label: dict[str, Any]) -> None:
        absent = dict.fromkeys(("proactive_disclosure", "applications", "review_litigation"), "absent")
        label.clear()
        label |= {"file": "a.txt", "generation": absent}
        label["narrative"] = {"website_items": number, "quotes": {"website_items": f"网站{quote}"}}

    assert places(check(folder, SEPARATED, change)) == []


def test_number_that_the_document_does_not_print(folder: Path) -> None:
    checked = check(folder, SEPARATED, put("proactive_disclosure", "licences.decisions", 17))
    assert places(checked) == ["proactive_disclosure.licences.decisions", "the tables"]


def test_blank_that_is_labelled_zero_is_found(folder: Path) -> None:
    """A blank is no 0, and every sum holds with it."""
    text = BLANKS.replace("四、", "收到复议0件，诉讼0件。\n\n四、")  # zeros that are no cells
    (folder / "a.md").write_text(text, encoding="utf-8")
    rows = {"review": [1, "blank", 0, 0, 1], "litigation_direct": [0] * 5, "litigation_after_review": [0] * 5}

    def change(label: dict[str, Any]) -> None:
        label.clear()
        label |= {"file": "a.md", "generation": dict.fromkeys(("proactive_disclosure", "applications"), "absent")}
        label["generation"]["review_litigation"] = "2021"
        label["review_litigation"] = rows

    assert places(check(folder, SEPARATED, change)) == []
    rows["review"][1] = 0
    checked = check(folder, SEPARATED, change)
    assert [slip.problem for slip in checked.slips] == ["0 is labelled 13 times, and the tables print it 12 times"]


def test_zero_that_is_labelled_blank_is_found(folder: Path) -> None:
    """No sum fails: an equation with a blank cell cannot be evaluated."""
    checked = check(folder, SEPARATED, put("applications", "granted", 3, "blank"))
    assert places(checked) == ["the tables"]
    assert "print 0 199 times, and 198 cells" in checked.slips[0].problem


def test_number_of_the_tables_that_is_no_cell_is_named_in_the_notes(folder: Path) -> None:
    def change(label: dict[str, Any]) -> None:
        label["proactive_disclosure"]["licences.decisions"] = "blank"
        label["notes"] = notes

    notes = "11 decisions in all."
    assert places(check(folder, SEPARATED, change)) == ["the tables"]
    notes = "Torn page. no cell: 11, 12."
    assert places(check(folder, SEPARATED, change)) == []


@pytest.mark.parametrize("raw", ["9件(撤销1件、警告7件)", "8件（撤销3件）", "若干"])
def test_token_holds_its_value_and_stands_in_the_document(raw: str, folder: Path) -> None:
    cell = {"value": 8, "raw": raw}
    place = "proactive_disclosure.penalties.decisions"
    assert place in places(check(folder, LOST, put("proactive_disclosure", "penalties.decisions", cell)))


def test_value_that_its_token_does_not_hold(folder: Path) -> None:
    cell = {"value": 9, "raw": "8件(撤销1件、警告7件)"}
    checked = check(folder, LOST, put("proactive_disclosure", "penalties.decisions", cell))
    assert [slip.problem for slip in checked.slips] == ["8件(撤销1件、警告7件) does not hold 9"]


def test_token_of_one_character_is_looked_for(folder: Path) -> None:
    """四 for 4: too short for a quote, and a token all the same."""
    place = "proactive_disclosure.normative_documents.issued"
    cell = {"value": 4, "raw": "四"}
    checked = check(folder, LOST, put("proactive_disclosure", "normative_documents.issued", cell))
    assert place not in places(checked)
    cell = {"value": 9, "raw": "玖"}
    checked = check(folder, LOST, put("proactive_disclosure", "normative_documents.issued", cell))
    assert place in places(checked)


def test_marks_of_a_draft_of_the_wrong_kind_are_slips(folder: Path) -> None:
    assert places(check(folder, SEPARATED, put("to_check", 3))) == ["to_check"]


def test_numbers_of_other_than_read_cells_are_not_looked_for(folder: Path) -> None:
    """Glued digits cannot be found one by one."""

    def change(label: dict[str, Any]) -> None:
        label["proactive_disclosure"]["licences.decisions"] = 17
        label["basis"]["proactive_disclosure"] = "publisher_html"

    assert places(check(folder, SEPARATED, change)) == []


def test_document_that_is_not_read_is_told_and_no_slip(folder: Path) -> None:
    """A document of a kind that the program does not read can be labelled all the same."""
    (folder / "a.gz").write_bytes(b"\x1f\x8b\x08 of a report")
    checked = check(folder, SEPARATED, put("file", "a.gz"))
    assert (checked.slips, checked.is_compared) == ((), False)


def test_damaged_document_is_a_slip(folder: Path) -> None:
    (folder / "a.txt").write_text("\n\n", encoding="utf-8")
    assert places(check(folder, SEPARATED, put("file", "a.txt"))) == ["file"]


# ---------------------------------------------------------------- folders


def test_folder_is_checked_to_its_end(folder: Path) -> None:
    """A label that is no JSON stops no other."""
    (folder / "a.json").write_text("{", encoding="utf-8")
    (folder / "b.json").write_text(json.dumps({"file": "b", "generation": {}}), encoding="utf-8")
    checked = list(check_labels([folder], Settings()))
    assert [(item.path.stem, item.slips[0].place) for item in checked] == [
        ("a", "the file"),
        ("b", "generation.proactive_disclosure"),
    ]


def test_folder_without_labels_is_an_error(folder: Path) -> None:
    with pytest.raises(SettingsError, match="holds no label"):
        list(check_labels([folder], Settings()))
