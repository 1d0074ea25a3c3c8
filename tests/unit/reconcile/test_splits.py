"""Glued digits: what equations decide is inferred and says so; what they leave open stays open."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.evaluation.labels import load_label
from extractor.forms import load_forms
from extractor.model import Candidate, CellState, Document, Span
from extractor.readers.template import TemplateReader
from extractor.reconcile.merge import Merged, merge_readings
from extractor.reconcile.open_rows import Recovery
from extractor.reconcile.splits import split_glued
from extractor.sources import load_document

G = {"applications": "2021", "review_litigation": "2021"}
INFERRED = CellState.INFERRED_BY_EQUATION


def read(path: Path) -> tuple[Document, dict[str, Merged], Recovery]:
    document = load_document(path)
    reading = TemplateReader().read(document, split_chunks(document))
    merged = merge_readings([reading])
    return document, merged, split_glued(merged, reading.generation)


def glue(fields: tuple[str, ...], *raws: str, first: int = 0) -> dict[str, Merged]:
    """A row as the rules leave it when its tokens cannot be divided."""
    spans = []
    for raw in raws:
        spans.append(Span(first, first + len(raw)))
        first += len(raw) + 1
    tokens = tuple(
        Candidate(CellState.UNPARSABLE, raw=raw, spans=(span,)) for raw, span in zip(raws, spans, strict=True)
    )
    return dict.fromkeys(fields, Merged(Candidate(CellState.UNPARSABLE, spans=tuple(spans)), tokens))


def glue_row(row: str, *raws: str, section: str = "applications", generation: str = "2021") -> dict[str, Merged]:
    form = load_forms().section(section, generation)
    assert form is not None
    return glue(tuple(form.field_id(row, column.id) for column in form.rows_by_id[row].columns), *raws)


def glue_table(section: str, generation: str, printed: Mapping[str, str]) -> dict[str, Merged]:
    form = load_forms().section(section, generation)
    assert form is not None
    rows = [form.rows] if form.layout == "one_row" else [(row,) for row in form.rows]
    merged: dict[str, Merged] = {}
    for number, members in enumerate(rows):
        fields = tuple(form.field_id(row.id, column.id) for row in members for column in row.columns)
        merged |= glue(fields, "".join(printed[name] for name in fields), first=1000 * number)
    return merged


def values_of(merged: Mapping[str, Merged]) -> list[object]:
    return [entry.printed.value for entry in merged.values()]


def codes(found: Recovery) -> list[str]:
    return [flag.code for flag in found.flags]


@pytest.mark.parametrize(
    "name", ["010_pingtan_region_2021", "012_pingtan_region_2023", "015_pingtan_region_2019_excerpt"]
)
def test_real_reports_are_divided_completely(corpus: Path, name: str) -> None:
    label = load_label(corpus / "labels" / f"{name}.json")
    document, _, found = read(corpus.parent / label.file)
    for field_id, cell in label.cells.items():
        if field_id.startswith("proactive_disclosure"):
            continue
        printed = found.merged[field_id].printed
        assert (printed.state, printed.value) == (INFERRED, cell.value), field_id
        assert document.text[printed.spans[0].start : printed.spans[0].end] == printed.raw == str(printed.value)
    assert codes(found) == ["inferred-by-equation", "inferred-by-equation"]


def test_the_text_decides_where_no_equation_does(corpus: Path) -> None:
    """012: `77132470`, and 制发的规范性文件77件 in the text; 现行有效393件 fits no split and is of something else."""
    document = load_document(corpus / "docs" / "012_pingtan_region_2023.txt")
    reading = TemplateReader().read(document, split_chunks(document))
    stated = {
        f"narrative.normative_documents_{name}": Merged(Candidate(CellState.VALUE, value, raw=str(value)), ())
        for name, value in (("issued", 77), ("in_force", 393))
    }
    found = split_glued(merge_readings([reading]) | stated, reading.generation)
    row = "proactive_disclosure.normative_documents"
    (issued,) = found.suggestions[f"{row}.issued"]
    assert (issued.value, issued.ties) == (77, 5)
    assert issued.basis == "no_blanks; no equation decides; narrative.normative_documents_issued = 77"
    assert [item.value for item in found.suggestions[f"{row}.in_force"]] == [0, 70, 470, 2470, 32470]
    (zero,) = found.suggestions["proactive_disclosure.regulations.issued"]
    assert (zero.value, zero.ties) == (0, 1)
    assert found.merged[f"{row}.issued"].printed.state is CellState.UNPARSABLE


def test_money_may_have_decimals_and_only_money(tmp_path: Path) -> None:
    """015: 采购项目数量 and 采购总金额 in one run."""
    merged = glue_row("procurement", "12394.5元", section="proactive_disclosure", generation="2019")
    found = split_glued(merged, {"proactive_disclosure": "2019"})
    amounts = [str(item.value) for item in found.suggestions["proactive_disclosure.procurement.amount"]]
    assert amounts == ["4.5", "94.5", "394.5", "2394.5"]


def test_what_was_printed_is_kept_and_each_cell_has_its_place() -> None:
    merged = glue_row("carried_in", "500000", "5")
    found = split_glued(merged, G)
    assert values_of(found.merged) == [5, 0, 0, 0, 0, 0, 5]
    total = found.merged["applications.carried_in.total"]
    assert (total.printed.raw, total.printed.spans) == ("5", (Span(7, 8),))
    assert total.losing == (
        merged["applications.carried_in.total"].printed,
        *merged["applications.carried_in.total"].losing,
    )
    (suggestion,) = found.suggestions["applications.carried_in.total"]
    assert suggestion.basis == "no_blanks; the number of digits, confirmed by E3[carried_in]"
    assert found.assumed == {"E3[carried_in]"}


@pytest.mark.parametrize(
    ("raws", "values"),
    [
        (("230", "000023"), [23, 0, 0, 0, 0, 0, 23]),
        (("0", "0", "0", "0", "0", "00"), [0] * 7),
        (("８０１００００８１",), [80, 1, 0, 0, 0, 0, 81]),
        (("1000\u200b001",), [1, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_tokens_as_real_reports_have_them(raws: tuple[str, ...], values: list[int]) -> None:
    assert values_of(split_glued(glue_row("carried_in", *raws), G).merged) == values


@pytest.mark.parametrize("ending", ["2.", "2．", "2，", "(2)", "2"])
def test_the_ordinal_of_the_next_label_is_no_digit_of_the_row(ending: str) -> None:
    """What the rules leave in front of a misprinted label: `00000002.其它法律行政法规禁止公开`."""
    found = split_glued(glue_row("refused.state_secret", f"0000000{ending}"), G)
    assert values_of(found.merged) == [0] * 7
    (suggestion,) = found.suggestions["applications.refused.state_secret.total"]
    assert "without the next row's ordinal" in suggestion.basis


def test_what_a_model_proposes_is_no_token() -> None:
    merged = {
        name: entry._replace(
            losing=(Candidate(CellState.VALUE, 9, raw="9", spans=(Span(0, 1),), reader="llm"), *entry.losing)
        )
        for name, entry in glue_row("carried_in", "1000001").items()
    }
    assert values_of(split_glued(merged, G).merged) == [1, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("raw", ["2700201301", "1,000001", "00000", "0" * 400, "1" * 400])
def test_nothing_is_inferred_from_a_row_that_cannot_be(raw: str) -> None:
    found = split_glued(glue_row("granted", raw), G)
    assert {entry.printed.state for entry in found.merged.values()} == {CellState.UNPARSABLE}
    assert codes(found) == ["splits-remain"]
    assert found.assumed == frozenset()


def test_several_splits_are_suggested_and_none_is_taken() -> None:
    """010's 予以公开 alone: its row sum leaves 2,7,... and 27,0,...; the columns are not there to decide."""
    found = split_glued(glue_row("granted", "270020130"), G)
    assert codes(found) == ["splits-remain"]
    first = found.suggestions["applications.granted.natural_person"]
    assert {item.value for item in first} >= {2, 27}
    assert len(first) <= 5
    assert {(item.method, item.ties) for item in first} == {("glued-digits", first[0].ties)}
    assert found.merged["applications.granted.total"].printed.state is CellState.UNPARSABLE


def test_a_blank_cell_that_would_fit_as_well_stands_against_inferring() -> None:
    """6,40,0,_,20,4,70 adds up as 64,0,0,2,0,4,70 does: alone the row is open, in its table it is not."""
    assert codes(split_glued(glue_row("new_received", "640020470"), G)) == ["splits-remain"]


def test_a_row_that_does_not_add_up_is_suggested_as_its_digits_say() -> None:
    found = split_glued(glue_row("granted", "1000002") | glue_row("carried_in", "1000001"), G)
    assert found.merged["applications.granted.total"].printed.state is CellState.UNPARSABLE
    (suggestion,) = found.suggestions["applications.granted.total"]
    assert (suggestion.value, suggestion.basis) == (2, "no_blanks; the number of digits; E3[granted] not satisfied")
    carried = found.suggestions["applications.carried_in.total"][0]
    assert found.merged["applications.carried_in.total"].printed.value == 1
    assert carried.basis.endswith("E1 could not be used")
    assert codes(found) == ["inferred-by-equation", "splits-remain"]


def test_a_row_of_several_tokens_that_does_not_add_up_has_lost_more_than_borders() -> None:
    """`0 0 0 0 1 27注1 28`: a note cut the row in two, and 2 and 7 are no cells."""
    found = split_glued(glue_row("granted", "0", "0", "0", "0", "1", "27"), G)
    assert found.suggestions == {}
    assert codes(found) == ["splits-remain"]


def test_a_row_that_a_reader_doubts_is_not_inferred_and_says_so() -> None:
    merged = glue_row("granted", "1000001") | glue_row("carried_in", "1000001")
    found = split_glued(merged, G, doubted={"applications.granted.total"})
    assert found.merged["applications.granted.total"] == merged["applications.granted.total"]
    assert found.merged["applications.carried_in.total"].printed.state is INFERRED
    assert found.assumed == {"E3[carried_in]"}
    (suggestion,) = found.suggestions["applications.granted.total"]
    assert suggestion.value == 1
    assert suggestion.basis.endswith("whose numbers these are is in doubt")


def test_nor_is_it_where_the_whole_table_has_one_split() -> None:
    """Two result rows whose labels changed places: every sum holds all the same."""
    values = flatten.as_printed(flatten.make_values("2021", 2))
    merged = glue_table("applications", "2021", values)
    certain = split_glued(merged, G)
    assert {entry.printed.state for entry in certain.merged.values()} == {INFERRED}
    doubted = {name for name in values if name.startswith(("applications.granted.", "applications.partially_granted."))}
    found = split_glued(merged, G, doubted)
    assert {name for name, entry in found.merged.items() if entry.printed.state is not INFERRED} == doubted
    assert certain.assumed - found.assumed == {"E3[granted]", "E3[partially_granted]"}
    assert doubted <= found.suggestions.keys()
    assert doubted.isdisjoint(field for flag in found.flags for field in flag.fields)


def test_a_row_with_too_few_digits_leaves_only_zeros_certain() -> None:
    rows = glue_row("granted", "000011") | glue_row("carried_in", "1000001") | glue_row("carried_out", "0000000")
    found = split_glued(rows, G)
    assert found.merged["applications.carried_in.total"].printed.state is CellState.UNPARSABLE
    assert found.merged["applications.carried_out.total"].printed.state is INFERRED


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_glued_pages_of_balanced_tables_are_never_divided_wrongly(generation: str, tmp_path: Path) -> None:
    inferred = 0
    for seed in range(12):
        values = flatten.make_values(generation, seed)
        path = tmp_path / f"{seed}.txt"
        path.write_bytes(flatten.LAYOUTS["glued"](flatten.build_tables(generation, flatten.as_printed(values))))
        document, _, found = read(path)
        for field_id, entry in found.merged.items():
            if entry.printed.state is INFERRED:
                inferred += 1
                assert entry.printed.value == values[field_id], (seed, field_id)
                span = entry.printed.spans[0]
                assert document.text[span.start : span.end] == str(values[field_id])
    assert inferred > 12 * 140


@pytest.mark.parametrize("change", ["altered", "blank"])
@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_tables_that_break_the_hypotheses_are_not_divided_wrongly(generation: str, change: str) -> None:
    """One number off by one at the source, or one cell empty: what is inferred all the same is what is printed."""
    for seed in range(15):
        values = flatten.make_values(generation, seed)
        rng = random.Random(seed)
        cell = rng.choice([name for name in values if name.startswith("applications.")])
        printed = flatten.as_printed(values) | {cell: str(values[cell] + 1) if change == "altered" else ""}
        merged = glue_table("applications", generation, printed)
        found = split_glued(merged, {"applications": generation})
        for field_id, entry in found.merged.items():
            if entry.printed.state is INFERRED:
                assert entry.printed.raw == printed[field_id], (seed, field_id)
        assert "splits-remain" in codes(found)


def test_a_blank_column_of_totals_is_not_filled() -> None:
    """Seen in real reports: 总计 left empty on the result rows. `29` and nothing are not 2 and 9."""
    values = flatten.make_values("2021", 3)
    form = load_forms().section("applications", "2021")
    assert form is not None
    empty = {form.field_id(row.id, "total"): "" for row in form.rows if row.is_result}
    special = {form.field_id("granted", column.id): "0" for column in form.columns}
    special |= {"applications.granted.other_org": "11", "applications.granted.total": ""}
    found = split_glued(glue_table("applications", "2021", flatten.as_printed(values) | empty | special), G)
    assert found.merged["applications.granted.total"].printed.state is CellState.UNPARSABLE
