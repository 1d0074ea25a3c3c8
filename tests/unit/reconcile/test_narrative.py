"""The text against the tables: flagged only where no reading of the phrase fits."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path

import pytest

from extractor.chunks import split_chunks
from extractor.model import Candidate, CellState, Flag, Span, Unit, Value
from extractor.readers.template import TemplateReader
from extractor.reconcile import Merged, compare_narrative, merge_readings
from extractor.reconcile.narrative import COMPARISONS
from extractor.settings import Settings
from extractor.sources import load_document, read_document

A, R, D = "applications", "review_litigation", "proactive_disclosure.normative_documents"
TABLE = {
    f"{D}.issued": 77,
    f"{D}.repealed": 132,
    f"{D}.in_force": 470,
    f"{A}.new_received.total": 70,
    f"{A}.carried_in.total": 4,
    f"{A}.granted.total": 27,
    f"{A}.partially_granted.total": 15,
    f"{A}.refused.state_secret.total": 2,
    f"{A}.refused.third_party_rights.total": 3,
    f"{A}.unable.not_held.total": 11,
    f"{A}.unable.needs_creation.total": 0,
    f"{A}.not_processed.duplicate.total": 9,
    f"{A}.other_result.merged.total": 4,
    f"{A}.results_total.total": 71,
    f"{A}.carried_out.total": 3,
    f"{R}.review.total": 26,
    f"{R}.litigation_direct.total": 12,
    f"{R}.litigation_after_review.total": 8,
}


def merged(fact: str, stated: Value, **changes: Merged) -> dict[str, Merged]:
    cells = {name: cell(value, i) for i, (name, value) in enumerate(TABLE.items())}
    return {**cells, f"narrative.{fact}": cell(stated, 90), **changes}


def cell(value: Value | None, at: int = 0, state: CellState = CellState.VALUE) -> Merged:
    return Merged(Candidate(state=state, value=value, spans=(Span(at, at + 1),)), ())


FITS = {
    "normative_documents_issued": (77,),
    "normative_documents_repealed": (132,),
    "normative_documents_in_force": (470,),
    "applications_received": (70, 74),
    "applications_carried_in": (4,),
    "applications_granted": (27, 42),
    "applications_partially_granted": (15,),
    "applications_granted_or_partially_granted": (42,),
    "applications_refused": (5,),
    "applications_unable": (11,),
    "applications_not_processed": (9,),
    "applications_other_result": (4,),
    "applications_answered": (71,),
    "applications_carried_out": (3,),
    "reviews": (26,),
    "litigations": (20, 12, 8, 46),
}
DIFFERS = {
    "normative_documents_issued": (470, 0),
    "normative_documents_repealed": (77, 0),
    "normative_documents_in_force": (393, 0),
    "applications_received": (69, 4, 71, 0),
    "applications_carried_in": (3, 0),
    "applications_granted": (15, 0),
    "applications_partially_granted": (42, 27, 0),
    "applications_granted_or_partially_granted": (27, 15, 0),
    "applications_refused": (2, 3, 0),
    "applications_unable": (10, 0),
    "applications_not_processed": (8, 0),
    "applications_other_result": (5, 0),
    "applications_answered": (70, 74, 0),
    "applications_carried_out": (4, 0),
    "reviews": (20, 46, 0),
    "litigations": (26, 34, 38, 0),
}
# Facts that doubt cells that are read.
WITNESSES = {"applications_received", "applications_answered", "reviews", "litigations"}


def test_every_comparison_has_its_cases() -> None:
    assert {comparison.fact for comparison in COMPARISONS} == set(FITS) == set(DIFFERS)


@pytest.mark.parametrize(("fact", "stated"), [(fact, value) for fact, values in FITS.items() for value in values])
def test_every_reading_that_real_reports_use_fits(fact: str, stated: int) -> None:
    """收到 N 件 is the new ones, or together with those carried in; 诉讼 N 件 one kind, both, or 复议 too."""
    assert compare_narrative(merged(fact, stated)) == ()


@pytest.mark.parametrize(("fact", "stated"), [(fact, value) for fact, values in DIFFERS.items() for value in values])
def test_what_fits_no_reading_is_flagged_with_the_places_of_its_cells(fact: str, stated: int) -> None:
    (flag,) = compare_narrative(merged(fact, stated))
    cells = cells_of(fact)
    assert (flag.code, flag.severity) == ("narrative-differs", "warning")
    assert flag.fields == (f"narrative.{fact}", *(cells if fact in WITNESSES else ()))
    assert flag.spans[0] == Span(90, 91)
    assert len(flag.spans) == 1 + len(cells)


def test_a_row_in_words_doubts_no_cell_that_is_read_and_names_those_that_are_open() -> None:
    """区本级 in the text and 全区 in the table: the cell is as printed."""
    assert {item.fact for item in COMPARISONS if item.is_witness} == WITNESSES
    inferred = {f"{A}.refused.state_secret.total": cell(2, state=CellState.INFERRED_BY_EQUATION)}
    (flag,) = compare_narrative(merged("applications_refused", 9, **inferred))
    assert flag.fields == ("narrative.applications_refused", f"{A}.refused.state_secret.total")


def test_beside_an_inferred_cell_those_that_are_read_stay_accepted() -> None:
    inferred = {f"{A}.carried_in.total": cell(4, state=CellState.INFERRED_BY_EQUATION)}
    (flag,) = compare_narrative(merged("applications_received", 9, **inferred))
    assert flag.fields == ("narrative.applications_received", f"{A}.carried_in.total")


def cells_of(fact: str) -> list[str]:
    readings = next(comparison.readings for comparison in COMPARISONS if comparison.fact == fact)
    patterns = list(dict.fromkeys(term for terms in readings for term in terms))
    return [name for pattern in patterns for name in TABLE if fnmatch(name, pattern)]


def test_a_group_of_rows_is_the_rows_that_the_form_has() -> None:
    """（六） is one row in the form of 2019 and three in that of 2021."""
    assert cells_of("applications_other_result") == [f"{A}.other_result.merged.total"]
    assert len(cells_of("applications_refused")) == 2
    three = {f"{A}.other_result.{row}.total": cell(1) for row in ("no_timely_correction", "fee_unpaid", "other")}
    assert compare_narrative({**three, "narrative.applications_other_result": cell(3)}) == ()
    assert len(compare_narrative({**three, "narrative.applications_other_result": cell(4)})) == 1


def test_a_group_with_an_unread_row_says_nothing() -> None:
    unread = {f"{A}.refused.third_party_rights.total": cell(None, state=CellState.NOT_READ)}
    assert compare_narrative(merged("applications_refused", 9, **unread)) == ()


def test_the_message_names_what_is_stated_and_every_sum_that_it_may_be() -> None:
    (flag,) = compare_narrative(merged("applications_received", 5))
    assert "5" in flag.message.en
    assert "70 / 74" in flag.message.en
    assert "70 / 74" in flag.message.zh


@pytest.mark.parametrize("fact", sorted(FITS))
@pytest.mark.parametrize(
    "state", [CellState.BLANK, CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NA_MARK]
)
def test_cells_that_are_no_values_say_nothing(fact: str, state: CellState) -> None:
    cells = {name: cell(None, state=state) for name in TABLE}
    assert compare_narrative({**cells, f"narrative.{fact}": cell(5)}) == ()


@pytest.mark.parametrize("fact", sorted(FITS))
def test_tables_that_are_not_there_say_nothing(fact: str) -> None:
    assert compare_narrative({f"narrative.{fact}": cell(5)}) == ()


def test_a_comparison_of_which_one_reading_cannot_be_evaluated_says_nothing() -> None:
    """5 may be the new ones with an unread number of those carried in."""
    unread = {f"{A}.carried_in.total": cell(None, state=CellState.POSITION_UNKNOWN)}
    assert compare_narrative(merged("applications_received", 75, **unread)) == ()


@pytest.mark.parametrize("fact", sorted(FITS))
def test_a_fact_that_is_not_stated_is_not_compared(fact: str) -> None:
    cells = {name: cell(value) for name, value in TABLE.items()}
    assert compare_narrative(cells) == ()
    assert compare_narrative({**cells, f"narrative.{fact}": cell(5, state=CellState.UNPARSABLE)}) == ()
    assert compare_narrative({**cells, f"narrative.{fact}": cell(Decimal("5.5"))}) == ()


def test_several_facts_give_a_flag_each() -> None:
    flags = compare_narrative({**merged("reviews", 1), "narrative.litigations": cell(1)})
    assert [flag.fields[0] for flag in flags] == ["narrative.reviews", "narrative.litigations"]


# ---------------------------------------------------------------- who found the number in the text


def fact_of(stated: Value, reader: str, confirmed_by: tuple[str, ...] = ()) -> Merged:
    candidate = Candidate(state=CellState.VALUE, value=stated, spans=(Span(90, 91),), reader=reader)
    return Merged(candidate, (), confirmed_by)


def test_a_number_that_the_model_alone_found_says_nothing_against_the_table() -> None:
    """It may be a part, or another year's: it flags itself, and the cells stay accepted."""
    (flag,) = compare_narrative({**merged("reviews", 5), "narrative.reviews": fact_of(5, "llm")})
    assert flag.fields == ("narrative.reviews",)


@pytest.mark.parametrize(("reader", "confirmed_by"), [("template", ()), ("template", ("llm",)), ("llm", ("template",))])
def test_a_number_that_a_rule_found_too_does(reader: str, confirmed_by: tuple[str, ...]) -> None:
    (flag,) = compare_narrative({**merged("reviews", 5), "narrative.reviews": fact_of(5, reader, confirmed_by)})
    assert flag.fields == ("narrative.reviews", f"{R}.review.total")


def test_a_number_of_the_model_that_fits_is_no_finding() -> None:
    assert compare_narrative({**merged("reviews", 26), "narrative.reviews": fact_of(26, "llm")}) == ()


# ---------------------------------------------------------------- numbers that are not printed plainly


@pytest.mark.parametrize("fact", sorted(FITS))
def test_an_inferred_number_is_compared_like_a_printed_one(fact: str) -> None:
    """The equations chose the split; the text is another witness."""
    state = CellState.INFERRED_BY_EQUATION
    cells = {name: cell(value, state=state) for name, value in TABLE.items()}
    assert compare_narrative({**cells, f"narrative.{fact}": cell(FITS[fact][0])}) == ()
    assert len(compare_narrative({**cells, f"narrative.{fact}": cell(DIFFERS[fact][0])})) == 1


def test_a_fact_stated_several_times_fits_with_one_number_or_their_sum() -> None:
    """10 of the district's office and 17 of its departments are 27."""
    parts = [Candidate(CellState.VALUE, value, spans=(Span(90, 91),)) for value in (10, 17)]
    several = {"narrative.applications_granted": Merged(parts[0], (parts[1],))}
    assert compare_narrative(merged("applications_granted", 0, **several)) == ()
    changed = {f"{A}.granted.total": cell(28), f"{A}.partially_granted.total": cell(0)}
    (flag,) = compare_narrative(merged("applications_granted", 0, **several, **changed))
    assert "10 / 17" in flag.message.en


def test_words_that_stand_for_none_are_quoted() -> None:
    settled = Candidate(CellState.VALUE, 0, raw="均已\n办结", spans=(Span(90, 92),))
    (flag,) = compare_narrative(
        merged("applications_carried_out", 0, **{"narrative.applications_carried_out": Merged(settled, ())})
    )
    assert "0（均已办结）" in flag.message.zh


REPORT = """甲市2023年政府信息公开工作年度报告
一、总体情况
{text}
二、主动公开政府信息情况
第二十条第（一）项信息内容本年制发件数本年废止件数现行有效件数规章000行政规范性文件{run}第二十条第（五）项信息内容本年处理决定数量行政许可396
"""


def compare_report(text: str, run: str = "77132470") -> list[Flag]:
    document = read_document(REPORT.format(text=text, run=run).encode(), "report.txt", Settings())
    reading = TemplateReader().read(document, split_chunks(document))
    return list(compare_narrative(merge_readings([reading])))


@pytest.mark.parametrize("stated", [7, 77, 771])
def test_a_number_that_a_run_of_digits_may_begin_with_is_no_finding(stated: int) -> None:
    assert compare_report(f"全年制发行政规范性文件{stated}件。") == []


@pytest.mark.parametrize("stated", [0, 70, 470, 2470])
def test_a_number_that_a_run_of_digits_may_end_with_is_no_finding(stated: int) -> None:
    assert compare_report(f"现行有效行政规范性文件{stated}件。") == []


@pytest.mark.parametrize("stated", [393, 47, 77132470, 7132470])
def test_a_number_that_no_split_of_the_digits_holds_is_flagged_with_the_run(stated: int) -> None:
    """Two other cells need a digit each, so that no number of seven digits fits."""
    (flag,) = compare_report(f"现行有效行政规范性文件{stated}件。")
    assert flag.fields == ("narrative.normative_documents_in_force", f"{D}.in_force")
    assert "77132470" in flag.message.zh


def test_a_number_in_the_middle_of_a_run() -> None:
    assert compare_report("全年废止行政规范性文件132件。") == []
    assert compare_report("全年废止行政规范性文件32件。") == []
    (flag,) = compare_report("全年废止行政规范性文件393件。")
    assert flag.fields[1] == f"{D}.repealed"


def test_the_real_report_of_393_and_470(corpus: Path) -> None:
    document = load_document(corpus / "docs" / "012_pingtan_region_2023.txt", Settings())
    reading = TemplateReader().read(document, split_chunks(document))
    (flag,) = compare_narrative(merge_readings([reading]))
    assert (flag.code, flag.severity) == ("narrative-differs", "warning")
    assert flag.fields == ("narrative.normative_documents_in_force", f"{D}.in_force")
    assert [document.text[span.start : span.end] for span in flag.spans] == ["393", "77132470"]


def test_no_other_real_report_has_a_finding(corpus: Path) -> None:
    for path in sorted([*(corpus / "docs").glob("*.txt"), *(corpus / "docs").glob("*.md")]):
        document = load_document(path, Settings())
        reading = TemplateReader().read(document, split_chunks(document))
        assert path.stem.startswith("012") or not compare_narrative(merge_readings([reading])), path.stem


# ---------------------------------------------------------------- the fee of section two

FEE, FEE_CELL = "narrative.admin_fees_wan", "proactive_disclosure.admin_fees.amount_wan"


def money(value: str, unit: Unit | None) -> Merged:
    number = Decimal(value) if "." in value else int(value)
    return Merged(Candidate(CellState.VALUE, number, unit, value, (Span(0, 1),)), ())


@pytest.mark.parametrize(
    ("stated", "printed"),
    [
        (("96171.6", "wan"), ("96171.6", "wan")),
        (("961716000", "yuan"), ("96171.6", "wan")),
        (("96171.6", "wan"), ("96171.6", None)),
        (("96171.6", "wan"), ("96171.58", "wan")),
        (("96171", "wan"), ("96171.6", "wan")),
        (("0", "yuan"), ("0", "wan")),
        (("3940", "yuan"), ("0.39", "wan")),
        (("5", "wan"), ("5", "unknown")),
    ],
)
def test_a_fee_is_the_same_in_any_unit_and_precision(
    stated: tuple[str, Unit | None], printed: tuple[str, Unit | None]
) -> None:
    assert compare_narrative({FEE: money(*stated), FEE_CELL: money(*printed)}) == ()


@pytest.mark.parametrize(
    ("stated", "printed"),
    [
        (("96171.6", "yuan"), ("96171.6", "wan")),
        (("96170.6", "wan"), ("96171.6", "wan")),
        (("3940", "yuan"), ("0.3950", "wan")),
    ],
)
def test_another_fee_is_flagged_with_the_place_of_its_cell(
    stated: tuple[str, Unit | None], printed: tuple[str, Unit | None]
) -> None:
    (flag,) = compare_narrative({FEE: money(*stated), FEE_CELL: money(*printed)})
    assert (flag.code, flag.fields, len(flag.spans)) == ("narrative-differs", (FEE,), 2)


def test_the_processing_fee_is_another_fee() -> None:
    fee = "narrative.information_processing_fee_yuan"
    assert compare_narrative({fee: money("3940", "yuan"), FEE_CELL: money("96171.6", "wan")}) == ()
