"""What a model is asked: only what it could settle, and everything where that is wanted."""

from __future__ import annotations

from dataclasses import replace

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.forms import TABLE_SECTIONS
from extractor.model import CellState, Document
from extractor.pipeline import process_document
from extractor.readers.policy import Asks, Policy, choose_asks
from extractor.readers.template import TemplateReader
from tests.unit.readers.llm.scripted import form_of, load, numbers, print_form

A, P, R = "applications", "proactive_disclosure", "review_litigation"
BEYOND_AUTO: tuple[Policy, ...] = ("both", "llm")


def asks_about(document: Document, policy: Policy = "auto") -> Asks:
    chunks = split_chunks(document)
    return choose_asks(policy, document, chunks, TemplateReader().read(document, chunks), process_document(document))


def rows_asked(asks: Asks) -> dict[str, tuple[str, ...]]:
    return {ask.form.id: ask.rows for ask in asks.tables}


def without_table(section: str, instead: str, layout: str = "tab_rows") -> Document:
    """The form with some text where one of its tables should stand."""
    tables = flatten.build_tables("2021", numbers())
    place = TABLE_SECTIONS.index(section)
    title = tables[place][0]
    kept = [table for index, table in enumerate(tables) if index != place]
    text = flatten.LAYOUTS[layout](kept).decode()
    behind = kept[place][0] if place < len(kept) else flatten.AFTER[0]
    return load(text.replace(f"\n{behind}\n", f"\n{title}\n{instead}\n{behind}\n", 1))


# ---------------------------------------------------------------- auto


@pytest.mark.parametrize("layout", ["tab_rows", "html_page", "bare_lines", "markdown"])
def test_a_settled_table_is_not_asked_for(layout: str) -> None:
    document = print_form(layout)
    assert {field.decision for name, field in process_document(document).fields.items() if name.startswith(A)} == {
        "accepted"
    }
    asks = asks_about(document)
    assert asks.tables == ()
    assert asks.narrative


def test_only_rows_that_are_open_are_asked_for() -> None:
    """A cell that no rule can read, in two of the rows."""
    document = print_form(
        "tab_rows",
        numbers(
            applications__granted__business="见附件",
            proactive_disclosure__licences__decisions="见附件",
        ),
    )
    assert rows_asked(asks_about(document)) == {P: ("licences",), A: ("granted",)}


def test_all_rows_of_a_failed_equation_are_asked_for() -> None:
    """One digit may be wrong in any of them."""
    printed = numbers()
    printed[f"{A}.granted.total"] = str(int(printed[f"{A}.granted.total"]) + 1)
    asked = rows_asked(asks_about(print_form("tab_rows", printed)))
    results = {row.id for row in form_of(A).rows if row.is_result}
    assert set(asked) == {A}
    assert set(asked[A]) == {*results, "results_total"}


def test_a_row_whose_columns_the_source_destroyed_is_not_asked_for() -> None:
    """Empty cells are lost between spaces: which columns the rest stands in, no reader can know."""
    changes = {f"{A}__granted__{name}": "" for name in ("business", "research")}
    document = print_form("spaced_rows", numbers(**changes))
    record = process_document(document)
    assert record.fields[f"{A}.granted.total"].state is CellState.POSITION_UNKNOWN
    assert "granted" not in rows_asked(asks_about(document)).get(A, ())


def test_a_unit_that_differs_is_not_asked_for() -> None:
    """What is printed is plain; only a person can say what it means."""
    document = print_form("tab_rows", numbers(proactive_disclosure__admin_fees__amount_wan="300元"))
    record = process_document(document)
    assert [flag.code for flag in record.flags if f"{P}.admin_fees.amount_wan" in flag.fields] == ["unit-differs"]
    assert asks_about(document).tables == ()


def test_a_number_that_is_no_count_is_not_asked_for() -> None:
    document = print_form("tab_rows", numbers(proactive_disclosure__licences__decisions="-3"))
    assert "not-a-count" in {flag.code for flag in process_document(document).flags}
    assert asks_about(document).tables == ()


def test_cells_that_the_running_text_contradicts_are_not_asked_for() -> None:
    text = flatten.LAYOUTS["tab_rows"](flatten.build_tables("2021", numbers())).decode()
    document = load(text.replace("依法予以公开。", "依法予以公开。全年共收到政府信息公开申请99999件。"))
    flagged = [flag for flag in process_document(document).flags if flag.code == "narrative-differs"]
    assert len(flagged[0].fields) > 1
    assert asks_about(document).tables == ()


def test_a_doubt_beside_one_that_only_a_person_can_settle_is_asked_for() -> None:
    """A fee in another unit, and its row is printed twice."""
    printed = numbers(proactive_disclosure__admin_fees__amount_wan="300元")
    text = flatten.LAYOUTS["tab_rows"](flatten.build_tables("2021", printed)).decode()
    document = load(text.replace("行政事业性收费\t300元\n", "行政事业性收费\t300元\n" * 2))
    field_id = f"{P}.admin_fees.amount_wan"
    codes = {flag.code for flag in process_document(document).flags if field_id in flag.fields}
    assert codes == {"unit-differs", "row-repeated"}
    assert rows_asked(asks_about(document)) == {P: ("admin_fees",)}


# ---------------------------------------------------------------- tables that were not found

NUMBERED = "\n".join(f"第{place}行写着 {place + 10} 个" for place in range(14))


def test_a_table_that_is_missing_under_its_heading_is_asked_for_where_numbers_stand() -> None:
    document = without_table(R, NUMBERED)
    assert TemplateReader().read(document, split_chunks(document)).generation[R] == "absent"
    (ask,) = asks_about(document).tables
    assert ask.form is form_of(R)
    assert ask.rows == tuple(row.id for row in form_of(R).rows)
    assert not ask.is_searched
    assert document.view[ask.chunk.start : ask.chunk.end].startswith(form_of(R).title)


def test_it_is_asked_for_in_the_generation_of_the_other_tables() -> None:
    tables = flatten.build_tables("2019", numbers("2019"))
    text = flatten.tab_rows(tables[1:]).decode()
    document = load(text.replace(f"\n{tables[1][0]}\n", f"\n{tables[0][0]}\n{NUMBERED}\n{tables[1][0]}\n"))
    (ask,) = asks_about(document).tables
    assert (ask.form.id, ask.generation, ask.form) == (P, "2019", form_of(P, "2019"))


@pytest.mark.parametrize("instead", ["", "（见附件）", "本年度收到申请3件，结转0件，共计3件。"])
def test_it_is_not_asked_for_where_hardly_a_number_stands(instead: str) -> None:
    assert asks_about(without_table(R, instead)).tables == ()


def test_years_and_days_are_no_numbers_of_a_table() -> None:
    instead = "\n".join(f"2023年{place}月{place}日召开会议" for place in range(1, 13))
    assert asks_about(without_table(R, instead)).tables == ()


def test_a_section_without_heading_is_not_searched_where_others_have_one() -> None:
    tables = flatten.build_tables("2021", numbers())
    assert asks_about(load(flatten.tab_rows(tables[:2]))).tables == ()


def test_without_any_heading_all_text_is_searched_for_all_tables() -> None:
    document = load(f"{flatten.TITLE}\n附表\n主动公开规章、行政许可\n{NUMBERED}")
    chunks = split_chunks(document)
    reading = TemplateReader().read(document, chunks)
    assert not any(chunk.has_heading for chunk in chunks)
    asks = choose_asks("auto", document, chunks, replace(reading, is_report=True), process_document(document))
    assert [ask.form.id for ask in asks.tables] == list(TABLE_SECTIONS)
    assert all(ask.is_searched and (ask.chunk.start, ask.chunk.end) == (0, len(document.view)) for ask in asks.tables)


# ---------------------------------------------------------------- what is no single report


@pytest.mark.parametrize("policy", ["auto", *BEYOND_AUTO])
def test_what_is_no_report_is_not_asked_about(policy: Policy) -> None:
    assert not asks_about(load("关于召开全市绿化工作会议的通知\n时间：2023年3月1日\n" + NUMBERED), policy)


@pytest.mark.parametrize("policy", ["auto", *BEYOND_AUTO])
def test_several_reports_in_one_file_are_not_asked_about(policy: Policy) -> None:
    text = flatten.tab_rows(flatten.build_tables("2021", numbers())).decode()
    document = load(f"{text}\n{text}")
    assert "several-reports" in {flag.code for flag in process_document(document).flags}
    assert not asks_about(document, policy)


def test_the_policy_template_asks_nothing() -> None:
    assert not asks_about(print_form("glued"), "template")


# ---------------------------------------------------------------- both, llm


@pytest.mark.parametrize("policy", BEYOND_AUTO)
@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_beyond_auto_everything_is_asked_for(policy: Policy, generation: str) -> None:
    asks = asks_about(print_form("tab_rows", generation=generation), policy)
    assert asks.header
    assert asks.narrative
    assert [(ask.form, ask.generation) for ask in asks.tables] == [
        (form_of(section, generation), generation) for section in TABLE_SECTIONS
    ]
    assert all(ask.rows == tuple(row.id for row in ask.form.rows) for ask in asks.tables)


@pytest.mark.parametrize("policy", BEYOND_AUTO)
@pytest.mark.parametrize(("layout", "is_lost"), [("pipe_cells_dropped", True), ("tab_rows", False)])
def test_of_a_table_that_was_filled_up_tokens_are_asked_not_columns(policy: Policy, layout: str, is_lost: bool) -> None:
    printed = numbers() | dict.fromkeys([f"{A}.granted.business", f"{A}.carried_in.total"], "")
    asks = asks_about(print_form(layout, printed), policy)
    assert {ask.is_without_columns for ask in asks.tables if ask.form.id == A} == {is_lost}


# ---------------------------------------------------------------- header and older reports


@pytest.mark.parametrize(
    ("lost", "is_asked"),
    [("", False), ("title", True), ("agency", True)],
)
def test_the_header_is_asked_for_where_title_agency_or_year_are_open(lost: str, is_asked: bool) -> None:
    text = flatten.tab_rows(flatten.build_tables("2021", numbers())).decode()
    text = text.replace("统计期限自2023年", "编制机关：某某市民政局。统计期限自2023年")
    if lost == "title":
        text = text.replace(flatten.TITLE, "年度报告")
    elif lost == "agency":
        text = text.replace("某某市民政局", "")
    document = load(text)
    record = process_document(document)
    open_facts = [
        name
        for name in ("title", "agency_name", "report_year")
        if f"header.{name}" not in record.fields or record.fields[f"header.{name}"].decision == "review"
    ]
    assert bool(open_facts) == is_asked, open_facts
    assert asks_about(document).header == is_asked


OLDER = """某某市民政局2012年政府信息公开年度报告
一、概述
2012年，我局认真贯彻《中华人民共和国政府信息公开条例》（国务院令第492号）。
二、主动公开政府信息的情况
全年主动公开86条。
三、依申请公开政府信息情况
没有收到申请。
四、政府信息公开的收费及减免情况
没有收费。
指标名称	计量单位	2012年度	历年累计
主动公开信息数	条	86	340
"""


@pytest.mark.parametrize("policy", ["auto", *BEYOND_AUTO])
def test_a_report_before_the_national_form_is_asked_about_as_one(policy: Policy) -> None:
    document = load(OLDER)
    assert set(TemplateReader().read(document, split_chunks(document)).generation.values()) == {"pre2019"}
    asks = asks_about(document, policy)
    assert asks.is_older
    assert asks.narrative
    assert asks.tables == ()


def test_a_report_of_the_national_form_is_none() -> None:
    assert not asks_about(print_form("tab_rows")).is_older
