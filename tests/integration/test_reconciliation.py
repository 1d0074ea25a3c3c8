"""Real figures under the equations: what labels say is wrong at the source is flagged, and nothing else is.

The labelled reports stand outside the repository. Their figures are also set into the official form again, in layouts
that keep or glue the cells: that is synthetic, and the only way here to have real figures whose truth is known exactly.
"""

from __future__ import annotations

from pathlib import Path

import flatten
import pytest

from extractor import load_document, process_document
from extractor.evaluation import Label, judge_fields, load_label
from extractor.forms import load_forms
from extractor.model import CellState, Record
from extractor.settings import Settings
from extractor.sources import read_document

#: What the labels list under source_inconsistencies, as flags; everything else must hold.
NARRATIVE = {
    "012_pingtan_region_2023": {"narrative-differs": "narrative.normative_documents_in_force"},
    "031_shanghai_kewei_2024_pdftext": {
        "narrative-parts-differ": "narrative.website_items",
        "narrative-several-values": "narrative.applications_carried_out",
    },
}
ARITHMETIC = {"002_hongze_district_2023": {"E4[review]", "E4[litigation_after_review]"}}
READ = (CellState.VALUE, CellState.INFERRED_BY_EQUATION)


def labels_of(corpus: Path) -> list[tuple[str, Label]]:
    return [(path.stem, load_label(path)) for path in sorted((corpus / "labels").glob("*.json"))]


def set_again(label: Label, layout: str) -> Record:
    """The label's figures in the official form, each table in its own generation."""
    tables = []
    for section, generation in label.generation.items():
        form = load_forms().generations[generation]
        empty = {item.id: "" for table in form.sections.values() for item in table.fields}
        printed = {name: "" if cell.value is None else str(cell.value) for name, cell in label.cells.items()}
        built = dict(zip(form.sections, flatten.build_tables(generation, empty | printed), strict=True))
        tables.append(built[section])
    return process_document(read_document(flatten.LAYOUTS[layout](tables), layout, Settings()))


def failed(record: Record) -> set[str]:
    return {result.id for result in record.equations if result.result == "fail"}


def differing(record: Record, label: Label) -> list[str]:
    """Fields with another number than the label's."""
    found = {name: record.fields[name] for name in label.cells if name in record.fields}
    return [name for name, field in found.items() if field.state in READ and field.value != label.cells[name].value]


def test_what_is_wrong_in_real_reports_is_flagged_and_no_equation_fails_that_the_source_satisfies(corpus: Path) -> None:
    for name, label in labels_of(corpus):
        record = process_document(load_document(corpus.parent / label.file))
        assert failed(record) == ARITHMETIC.get(name, set()), name
        narrative = {flag.code: flag.fields for flag in record.flags if flag.code.startswith("narrative-")}
        expected = NARRATIVE.get(name, {})
        assert expected.keys() <= narrative.keys(), name
        assert all(field in narrative[code] for code, field in expected.items()), name


@pytest.mark.parametrize("layout", ["tab_rows", "html_page", "markdown"])
def test_real_figures_come_out_as_printed_and_fail_only_what_the_report_itself_fails(corpus: Path, layout: str) -> None:
    for name, label in labels_of(corpus):
        record = set_again(label, layout)
        assert differing(record, label) == [], name
        assert failed(record) == ARITHMETIC.get(name, set()), name
        doubted = {field for result in record.equations if result.result == "fail" for field in result.fields}
        review = {field for field in label.cells if record.fields[field].decision == "review"}
        assert review == doubted, name


def test_a_sum_that_the_report_prints_wrong_stays_as_printed(corpus: Path) -> None:
    """复议: 10 + 1 + 0 + 0, printed total 0."""
    label = load_label(corpus / "labels" / "002_hongze_district_2023.json")
    record = set_again(label, "html_page")
    row = [record.fields[f"review_litigation.review.{name}"] for name in ("upheld", "corrected", "total")]
    assert [(field.value, field.raw, field.suggestions) for field in row] == [
        (10, "10", ()),
        (1, "1", ()),
        (0, "0", ()),
    ]
    (flag,) = [flag for flag in record.flags if flag.code == "error-not-located"]
    assert len(flag.fields) == 10
    assert {result.verdict for result in record.equations if result.result == "fail"} == {"inconclusive"}


def test_glued_figures_are_divided_as_they_were_or_not_at_all(corpus: Path) -> None:
    """Where a table has one joint split it is the true one; one report does not add up, one has a blank sum."""
    inferred = {}
    for name, label in labels_of(corpus):
        record = set_again(label, "glued")
        assert differing(record, label) == [], name
        cells = [record.fields[field] for field in label.cells]
        assert {cell.decision for cell in cells} == {"review"}, name
        inferred[name] = sum(cell.state is CellState.INFERRED_BY_EQUATION for cell in cells)
    assert inferred == {
        "000_c61908031b779533": 190,
        "001_6bf7699e84e20962": 0,  # nearly all cells are blank
        "001_huaian_city_2024": 175,  # two splits of section 四 add up
        "002_2aa3b087b6fd8b19": 190,
        "002_hongze_district_2023": 161,  # section 四 does not add up
        "003_fe8339c0c3ff18e6": 190,
        "004_12dffacc33d2df96": 190,
        "010_pingtan_region_2021": 190,
        "012_pingtan_region_2023": 190,
        "015_pingtan_region_2019_excerpt": 176,
        "018_pingtan_finance_2020": 176,
        "031_shanghai_kewei_2024_pdftext": 113,  # the sum of one row is blank: only what digits alone decide
    }


@pytest.mark.parametrize(
    ("name", "cells"),
    [("010_pingtan_region_2021", 190), ("012_pingtan_region_2023", 190), ("015_pingtan_region_2019_excerpt", 176)],
)
def test_real_glued_reports_are_divided_as_their_labels_have_them(corpus: Path, name: str, cells: int) -> None:
    """Agreement: the labels of these sections came from the same equations."""
    label = load_label(corpus / "labels" / f"{name}.json")
    record = process_document(load_document(corpus.parent / label.file))
    outcomes = list(judge_fields(record, label))
    inferred = [field for field in outcomes if field.found is CellState.INFERRED_BY_EQUATION]
    assert len(inferred) == cells
    assert [field for field in inferred if field.said != field.printed] == []
    assert [field for field in outcomes if field.is_wrong_and_accepted] == []
    assert [field for field in outcomes if field.is_table and field.is_accepted and field.said is not None] == []
    in_section_two = [f for n, f in record.fields.items() if n.startswith("proactive_disclosure.")]
    assert not any(field.state is CellState.INFERRED_BY_EQUATION for field in in_section_two)
    assert {result.result for result in record.equations} == {"assumed"}
