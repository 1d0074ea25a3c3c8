"""One document the whole way with a model: who says what is printed, what is accepted, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import flatten
import pytest

from extractor.forms import TABLE_SECTIONS
from extractor.llm.calls import BudgetReached, Call, CallError, ServerRefused, ServerUnavailable
from extractor.llm.prompts import row_numbers
from extractor.llm.wire import HeaderFacts
from extractor.model import CellState, Document, Origin, Record, Status
from extractor.pipeline import draft_document, process_document, process_with_model
from extractor.readers.llm import LlmReader
from extractor.readers.policy import Policy
from extractor.settings import Settings
from tests.unit.readers.llm.scripted import Json, ScriptedAsker, form_of, load, numbers, print_form, rows_in, rows_of

A, P, R = TABLE_SECTIONS[1], TABLE_SECTIONS[0], TABLE_SECTIONS[2]
STATED = "全年共收到政府信息公开申请7件。"
POLICIES: tuple[Policy, ...] = ("auto", "both", "llm")


def reader(printed: Mapping[str, str], **instead: Json | Exception) -> Callable[[Call], Json | Exception]:
    """A perfect reader of tables that finds nothing in the words, but for the tasks whose answer is given."""

    def answer(call: Call) -> Json | Exception:
        if call.task in instead:
            return instead[call.task]
        if call.task == "header":
            return dict.fromkeys(HeaderFacts.model_fields)
        if call.task == "narrative":
            return {"facts": [], "problems": [], "measures": []}
        forms = [form_of(section) for section in TABLE_SECTIONS]
        form = next(form for form in forms if form.id == call.task or form.title[2:] in call.system)
        wanted = rows_in(call)
        return {"rows": [row for row in rows_of(form, printed) if wanted is None or row[0] in wanted]}

    return answer


def process(document: Document, answer: Callable[[Call], Json | Exception], policy: Policy = "auto") -> Record:
    model = LlmReader(ScriptedAsker(answer), "m", Settings())
    return asyncio.run(process_with_model(document, (), model, policy))


def decisions(record: Record, section: str) -> dict[str, str]:
    return {name: field.decision for name, field in record.fields.items() if name.startswith(f"{section}.")}


def codes(record: Record) -> set[str]:
    return {flag.code for flag in record.flags}


def with_words(said: str, printed: Mapping[str, str] | None = None) -> Document:
    text = flatten.tab_rows(flatten.build_tables("2021", printed or numbers())).decode()
    return load(text.replace("依法予以公开。", f"依法予以公开。{said}"))


def narrative(*facts: tuple[str, str, str]) -> Json:
    found = [{"fact": name, "number": number, "quote": quote} for name, number, quote in facts]
    return {"facts": found, "problems": [], "measures": []}


# ---------------------------------------------------------------- auto


def test_what_the_rules_settled_stays_as_they_read_it() -> None:
    document = print_form("tab_rows")
    alone, record = process_document(document), process(document, reader(numbers()))
    assert record.status is Status.SUCCEEDED
    for section in TABLE_SECTIONS:
        assert set(decisions(record, section).values()) == {"accepted"}
    assert all(record.fields[name] == field for name, field in alone.fields.items())
    assert record.equations == alone.equations


def test_a_number_of_the_text_that_the_model_alone_found_is_for_review_and_doubts_nothing_else() -> None:
    document = with_words("收到复议申请书四份。")
    answer = reader(numbers(), narrative=narrative(("reviews", "四", "收到复议申请书四份")))
    record = process(document, answer)
    fact = record.fields["narrative.reviews"]
    assert (fact.value, fact.reader, fact.decision) == (4, "llm", "review")
    assert {flag.code for flag in record.flags if "narrative.reviews" in flag.fields} == {
        "model-alone",
        "narrative-differs",
    }
    assert set(decisions(record, R).values()) == {"accepted"}


def test_a_number_of_the_text_that_both_found_is_confirmed() -> None:
    received = numbers()[f"{A}.new_received.total"]
    said = f"全年共收到政府信息公开申请{received}件。"
    answer = reader(numbers(), narrative=narrative(("applications_received", received, said)))
    record = process(with_words(said), answer)
    fact = record.fields["narrative.applications_received"]
    assert (fact.reader, fact.confirmed_by, fact.decision) == ("template", ("llm",), "accepted")


def test_a_number_of_the_text_that_they_read_differently_is_for_review() -> None:
    said = "全年共收到政府信息公开申请1161件，其中网上9件。"
    answer = reader(numbers(), narrative=narrative(("applications_received", "9", said)))
    record = process(with_words(said), answer)
    fact = record.fields["narrative.applications_received"]
    assert (fact.value, fact.decision) == (1161, "review")
    assert "reader-disagreement" in codes(record)


def test_problems_and_measures_are_accepted_as_the_quotes_that_they_are() -> None:
    said: Json = {"facts": [], "problems": ["公开意识有待加强"], "measures": ["下一步将予以改进"]}
    record = process(print_form("tab_rows"), reader(numbers(), narrative=said))
    assert {name: field.decision for name, field in record.fields.items() if name.startswith("narrative.")} == {
        "narrative.problems.1": "accepted",
        "narrative.measures.1": "accepted",
    }


def test_a_sum_that_two_readers_read_alike_is_the_reports_own_error() -> None:
    """The sums do not add up, and the model reads the same: real reports are like that."""
    printed = numbers()
    printed[f"{A}.granted.total"] = str(int(printed[f"{A}.granted.total"]) + 1)
    record = process(print_form("tab_rows", printed), reader(printed))
    field = record.fields[f"{A}.granted.total"]
    assert (field.state, str(field.value)) == (CellState.VALUE, printed[f"{A}.granted.total"])
    assert (field.confirmed_by, field.decision) == (("llm",), "accepted")
    assert [str(one.value) for one in field.suggestions] == [numbers()[f"{A}.granted.total"]]
    verdicts = {result.verdict for result in record.equations if result.result == "fail"}
    assert verdicts == {"source_inconsistent"}
    assert {"source-inconsistent"} <= codes(record)
    assert "equation-failed" not in codes(record)


def test_what_the_rules_alone_read_is_not() -> None:
    printed = numbers()
    printed[f"{A}.granted.total"] = str(int(printed[f"{A}.granted.total"]) + 1)
    record = process_document(print_form("tab_rows", printed))
    field = record.fields[f"{A}.granted.total"]
    assert (str(field.value), field.decision) == (printed[f"{A}.granted.total"], "review")
    assert {result.verdict for result in record.equations if result.result == "fail"} == {"inconclusive"}
    assert {"equation-failed", "value-suspected"} <= codes(record)


# ---------------------------------------------------------------- both


def test_what_both_read_alike_is_confirmed_in_every_cell() -> None:
    record = process(print_form("tab_rows"), reader(numbers()), "both")
    for section in TABLE_SECTIONS:
        fields = [field for name, field in record.fields.items() if name.startswith(f"{section}.")]
        assert {(field.reader, field.confirmed_by, field.decision) for field in fields} == {
            ("template", ("llm",), "accepted")
        }
    assert codes(record) <= {"model-alone"}


def test_where_the_model_sees_another_row_nothing_is_changed_and_that_row_is_for_review() -> None:
    printed = numbers()
    wrong = dict(printed)
    for column in form_of(A).columns:
        one, other = f"{A}.granted.{column.id}", f"{A}.partially_granted.{column.id}"
        wrong[one], wrong[other] = printed[other], printed[one]
    record = process(print_form("tab_rows"), reader(wrong), "both")
    assert {
        str(record.fields[f"{A}.granted.{c.id}"].value) == printed[f"{A}.granted.{c.id}"] for c in form_of(A).columns
    } == {True}
    reviewed = {name.split(".")[1] for name, decision in decisions(record, A).items() if decision == "review"}
    assert reviewed == {"granted", "partially_granted"}


# ---------------------------------------------------------------- llm


def test_the_model_alone_is_believed_where_equations_hold_and_of_zeros_elsewhere() -> None:
    printed = numbers()
    record = process(print_form("tab_rows"), reader(printed), "llm")
    assert {field.reader for field in record.fields.values()} == {"llm"}
    assert set(decisions(record, A).values()) == {"accepted"}
    for section in (P, R):
        accepted = {name for name, decision in decisions(record, section).items() if decision == "accepted"}
        assert accepted == {name for name in printed if name.startswith(section) and printed[name] == "0"}
    assert record.status is Status.SUCCEEDED
    assert record.generation == dict.fromkeys(TABLE_SECTIONS, "2021")


def test_one_row_that_it_did_not_read_leaves_all_of_its_sums_open() -> None:
    printed = numbers()
    number = next(number for number, row in row_numbers(form_of(A)).items() if row == "carried_out")
    rows = [row for row in rows_of(form_of(A), printed) if row[0] != number]
    record = process(print_form("tab_rows"), reader(printed, applications={"rows": rows}, row={"rows": []}), "llm")
    reviewed = {name.split(".")[1] for name, decision in decisions(record, A).items() if decision == "review"}
    assert reviewed == {"new_received", "carried_in", "results_total", "carried_out"}
    assert record.ledger[f"{A}.carried_out"] == "failed"
    assert record.status is Status.PARTIAL


@pytest.mark.parametrize("layout", ["tab_rows", "html_page"])
def test_rows_whose_labels_changed_places_are_not_accepted(layout: str) -> None:
    """All equations hold, whichever row is which."""
    first, second = "1.属于国家秘密", "2.其他法律行政法规禁止公开"
    raw = flatten.LAYOUTS[layout](flatten.build_tables("2021", numbers()))
    charset = "gbk" if layout == "html_page" else "utf-8"
    text = raw.decode(charset).replace(first, "@").replace(second, first).replace("@", second)
    seen = numbers()
    rows = [f"{A}.refused.state_secret", f"{A}.refused.prohibited_by_law"]
    for column in form_of(A).columns:
        one, other = (f"{row}.{column.id}" for row in rows)
        seen[one], seen[other] = seen[other], seen[one]
    record = process(load(text.encode(charset)), reader(seen), "llm")
    wrong = [name for name in numbers() if name.rpartition(".")[0] in rows and seen[name] != numbers()[name]]
    assert {record.fields[name].decision for name in wrong} == {"review"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_zero_under_an_unknown_label_is_not_accepted_for_the_row_that_is_missing(policy: Policy) -> None:
    """行政征收 stands where the form has 行政处罚, and the model takes the one for the other."""
    printed = numbers(proactive_disclosure__penalties__decisions="0")
    text = flatten.tab_rows(flatten.build_tables("2021", printed)).decode().replace("行政处罚\t", "行政征收\t")
    record = process(load(text), reader(printed), policy)
    assert record.fields[f"{P}.penalties.decisions"].decision == "review"


# ---------------------------------------------------------------- what no reader can know


@pytest.mark.parametrize("policy", POLICIES)
def test_a_position_that_the_source_destroyed_stays_unknown(policy: Policy) -> None:
    """Two cells of the row are empty and gone; the model deals the other five out to columns all the same."""
    printed = numbers(**{f"{A}__granted__{name}": "" for name in ("business", "research")})
    record = process(print_form("spaced_rows", printed), reader(printed), policy)
    granted = {record.fields[f"{A}.granted.{column.id}"] for column in form_of(A).columns}
    assert {(field.state, field.value, field.decision) for field in granted} == {
        (CellState.POSITION_UNKNOWN, None, "review")
    }
    assert "position-unknown" in codes(record)
    assert record.status is Status.PARTIAL


@pytest.mark.parametrize("policy", POLICIES)
def test_a_models_split_of_glued_digits_is_shown_and_not_taken(policy: Policy) -> None:
    printed = numbers()
    record = process(print_form("glued"), reader(printed), policy)
    name = "proactive_disclosure.normative_documents.issued"
    field = record.fields[name]
    assert (field.state, field.value, field.decision) == (CellState.UNPARSABLE, None, "review")
    assert printed[name] in {str(one.value) for one in field.candidates if one.reader == "llm"}
    assert record.status is Status.PARTIAL


@pytest.mark.parametrize("policy", POLICIES)
def test_glued_digits_that_the_equations_divide_are_inferred_and_for_review(policy: Policy) -> None:
    printed = numbers()
    record = process(print_form("glued"), reader(printed), policy)
    cells = {name: record.fields[name] for name in printed if name.startswith((A, R))}
    states = {CellState.INFERRED_BY_EQUATION} if policy != "llm" else {CellState.UNPARSABLE}
    assert {(field.state, field.decision) for field in cells.values()} == {(state, "review") for state in states}
    if policy != "llm":
        assert {name: str(field.value) for name, field in cells.items()} == {name: printed[name] for name in cells}
        assert {name: field.raw for name, field in cells.items()} == {name: printed[name] for name in cells}
        results = {result.result for result in record.equations}
        assert results == {"assumed"}
    assert record.status is Status.PARTIAL


def test_a_model_is_not_asked_about_what_the_equations_divide() -> None:
    document = print_form("glued")
    draft = draft_document(document, (), "auto")
    assert {ask.form.id for ask in draft.questions.asks.tables} == {"proactive_disclosure"}


OLDER = (
    "<p>2012年政府信息公开工作年度报告</p><p>全年主动公开86条。</p><table>"
    "<tr><td>指标名称</td><td>计量单位</td><td>2012年度</td><td>历年累计</td></tr>"
    "<tr><td>主动公开信息数</td><td>条</td><td>86</td><td>340</td></tr>"
    "<tr><td>行政复议数</td><td>件</td><td></td><td>0</td></tr></table>"
)


def test_a_zero_of_an_older_table_is_not_accepted_in_a_column_that_prints_nothing() -> None:
    said = narrative() | {"indicators": [["主动公开信息数", "条", "86", "340"], ["行政复议数", "件", "0", None]]}
    record = process(load(OLDER), reader({}, older_report=said))
    assert record.fields["indicators.2.this_year"].decision == "review"


def test_an_older_table_that_the_model_read_is_no_longer_unread() -> None:
    said = narrative() | {"indicators": [["主动公开信息数", "条", "86", "340"], ["行政复议数", "件", None, "0"]]}
    document = load(OLDER)
    assert process_document(document).status is Status.PARTIAL
    record = process(document, reader({}, older_report=said))
    assert record.status is Status.SUCCEEDED
    assert (record.ledger["indicators"], "indicator_table" in record.ledger) == ("read", False)
    assert "indicator-table-not-read" not in codes(record)
    assert record.fields["indicators.1.this_year"].decision == "review"  # nothing vouches for it


# ---------------------------------------------------------------- calls that fail


@pytest.mark.parametrize("policy", POLICIES)
def test_without_a_server_the_rules_say_what_they_can_and_the_document_is_partial(policy: Policy) -> None:
    document = print_form("tab_rows")
    record = process(document, lambda call: ServerUnavailable("down"), policy)
    assert record.status is Status.PARTIAL
    assert record.ledger["narrative"] == "failed"
    assert "server-unavailable" in codes(record)
    if policy != "llm":
        alone = process_document(document)
        assert {name: field.decision for name, field in record.fields.items()} == {
            name: field.decision for name, field in alone.fields.items()
        }


@pytest.mark.parametrize(
    ("policy", "task", "failed"),
    [
        ("auto", "narrative", {"narrative"}),
        ("both", "narrative", {"narrative"}),
        ("both", "applications", set()),
        ("both", "header", set()),
        ("llm", "narrative", {"narrative"}),
        ("llm", "applications", {A}),
        ("llm", "header", {"header"}),
    ],
)
def test_a_document_is_partial_where_what_failed_was_not_read_by_anybody(
    policy: Policy, task: str, failed: set[str]
) -> None:
    """A second reading's failure does not undo the first one's."""
    record = process(print_form("tab_rows"), reader(numbers(), **{task: CallError("HTTP 400")}), policy)
    assert {name for name, outcome in record.ledger.items() if outcome == "failed"} == failed
    assert record.status is (Status.PARTIAL if failed else Status.SUCCEEDED)
    assert "call-failed" in codes(record)


@pytest.mark.parametrize("error", [BudgetReached("enough", "run"), ServerRefused("401")])
def test_what_stops_the_run_gives_no_record(error: Exception) -> None:
    with pytest.raises(type(error)):
        process(print_form("tab_rows"), lambda call: error)


def test_a_heading_without_a_table_is_partial_whoever_reads() -> None:
    """The table may be a picture: it exists, and nobody read it."""
    tables = flatten.build_tables("2021", numbers())
    text = flatten.tab_rows(tables[:2]).decode()
    document = load(text.replace("五、存在的主要问题", f"{tables[2][0]}\n（见附件）\n五、存在的主要问题"))
    assert process(document, reader(numbers())).status is Status.PARTIAL
    assert process(document, reader(numbers()), "llm").status is Status.PARTIAL


# ---------------------------------------------------------------- nothing to ask, and the record itself


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_no_report_is_not_asked_about(policy: Policy) -> None:
    document = load("关于召开会议的通知\n时间：3月1日\n")

    def never(call: Call) -> Json:
        raise AssertionError(call.task)

    record = process(document, never, policy)
    assert record == process_document(document)
    assert record.status is Status.NOT_A_REPORT


def test_the_record_says_which_model_and_prompts_it_rests_on() -> None:
    record = process(print_form("tab_rows"), reader(numbers()), "both")
    assert record.versions["model"] == "m"
    assert record.versions["replies"] == "simulated"
    tasks = ("header", *TABLE_SECTIONS, "narrative")
    assert {name for name in record.versions if name.startswith("prompt.")} == {f"prompt.{task}" for task in tasks}
    assert {"extractor", "forms", "record"} <= set(record.versions)


def test_origins_are_kept() -> None:
    origins = (Origin("a.txt", url="http://a"), Origin("b.txt"))
    model = LlmReader(ScriptedAsker(reader(numbers())), "m", Settings())
    record = asyncio.run(process_with_model(print_form("tab_rows"), origins, model, "auto"))
    assert record.origins == origins
    assert replace(origins[0], url=None) not in record.origins
