"""One table by a model: what stands where the model says is taken, all else is asked again and then doubted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import flatten
import pytest

from extractor.forms import find_labels
from extractor.llm.calls import (
    BudgetReached,
    Call,
    CallError,
    ReplyFiltered,
    ReplyInvalid,
    ReplyMissing,
    ReplyRefused,
    ReplyTruncated,
    ServerRefused,
    ServerUnavailable,
)
from extractor.model import CellState, Chunk, Document, Reading, Span
from extractor.readers.policy import Asks, TableAsk
from tests.unit.readers.llm.scripted import (
    Json,
    ScriptedAsker,
    ask_table,
    form_of,
    load,
    numbers,
    print_form,
    read_asks,
    rows_in,
    rows_of,
    shown_in,
)

A, P, R = "applications", "proactive_disclosure", "review_litigation"
Rows = list[list[str | None]]
#: The rows of section 三, by id: their numbers in the prompt.
NUMBER = {row.id: str(place) for place, row in enumerate(form_of(A).rows, start=1)}


def answer_rows(rows: Sequence[Sequence[str | None]]) -> Callable[[Call], Json]:
    """Always the same rows; of those asked for, where some are."""

    def answer(call: Call) -> Json:
        wanted = rows_in(call)
        return {"rows": [list(row) for row in rows if wanted is None or row[0] in wanted]}

    return answer


def perfect(section: str = A, **changes: str) -> Callable[[Call], Json]:
    return answer_rows(rows_of(form_of(section), numbers(**changes)))


def in_turn(*answers: Json | Exception | Callable[[Call], Json]) -> Callable[[Call], Json | Exception]:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def answer(call: Call) -> Json | Exception:
        now = left.pop(0) if len(left) > 1 else left[0]
        return now(call) if callable(now) else now

    return answer


def changed(row: str, cells: Sequence[str | None]) -> Rows:
    """All rows as printed, but one."""
    rows = rows_of(form_of(A), numbers())
    rows[int(NUMBER[row]) - 1] = [NUMBER[row], *cells]
    return rows


def without(*rows: str) -> Rows:
    return [row for row in rows_of(form_of(A), numbers()) if row[0] not in [NUMBER[name] for name in rows]]


def read_table(
    document: Document, answer: Callable[[Call], Any], section: str = A, **settings: Any
) -> tuple[Reading, ScriptedAsker]:
    return read_asks(document, ask_table(document, section), answer, **settings)


def states(reading: Reading, row: str, section: str = A) -> set[CellState]:
    return {reading.candidates[f"{section}.{row}.{c.id}"][0].state for c in form_of(section).rows_by_id[row].columns}


def flags(reading: Reading) -> dict[str, set[str]]:
    """Code -> rows that it concerns."""
    return {flag.code: {name.rpartition(".")[0].partition(".")[2] for name in flag.fields} for flag in reading.flags}


# ---------------------------------------------------------------- what stands where the model says


@pytest.mark.parametrize("section", [P, A, R])
@pytest.mark.parametrize("layout", ["tab_rows", "html_page", "bare_lines"])
def test_every_cell_that_stands_where_the_model_says_is_read_with_its_place(layout: str, section: str) -> None:
    document = print_form(layout)
    reading, asker = read_table(document, perfect(section), section)
    printed = numbers()
    for item in form_of(section).fields:
        (candidate,) = reading.candidates[item.id]
        assert (candidate.state, str(candidate.value), candidate.raw) == (
            CellState.VALUE,
            printed[item.id],
            printed[item.id],
        )
        assert document.text[candidate.spans[0].start : candidate.spans[0].end] == candidate.raw
        assert (candidate.reader, candidate.alignment) == ("llm", "exact")
    assert reading.generation == {section: "2021"}
    assert (reading.flags, reading.unread) == ((), ())
    assert asker.tasks == [section]


def test_the_reading_says_which_model_prompt_and_kind_of_reply_it_rests_on() -> None:
    reading, asker = read_table(print_form("tab_rows"), perfect())
    assert reading.versions == {
        "model": "m",
        "prompt.applications": asker.calls[0].prompt_version,
        "replies": "simulated",
    }


def test_the_call_names_its_document_and_holds_no_number_of_the_form_itself() -> None:
    document = print_form("tab_rows")
    _, asker = read_table(document, perfect())
    (call,) = asker.calls
    assert call.document_id == document.id
    assert call.round == 0
    assert rows_in(call) is None
    assert numbers()["applications.new_received.total"] in shown_in(call)
    assert numbers()["applications.new_received.total"] not in call.system


@pytest.mark.parametrize("empty", [None, "", " "])
def test_an_empty_cell_is_blank_and_has_the_place_of_an_empty_cell(empty: str | None) -> None:
    document = print_form("tab_rows", numbers(applications__granted__business=""))
    cells = rows_of(form_of(A), numbers(applications__granted__business=""))
    reading, _ = read_table(
        document, answer_rows([[cell if cell is not None else empty for cell in row] for row in cells])
    )
    (blank,) = reading.candidates[f"{A}.granted.business"]
    (before,) = reading.candidates[f"{A}.granted.natural_person"]
    assert blank.state is CellState.BLANK
    assert blank.value is None
    assert blank.spans[0].start > before.spans[0].end
    assert states(reading, "granted") == {CellState.VALUE, CellState.BLANK}


@pytest.mark.parametrize("mark", ["/", "—", "无"])
def test_a_mark_is_a_mark(mark: str) -> None:
    changes = {f"{A}__granted__business": mark}
    reading, _ = read_table(print_form("tab_rows", numbers(**changes)), perfect(**changes))
    assert reading.candidates[f"{A}.granted.business"][0].state is CellState.NA_MARK


def test_a_cell_with_a_note_keeps_what_is_printed() -> None:
    changes = {f"{A}__granted__business": "8件（撤销1件、警告7件）"}
    document = print_form("tab_rows", numbers(**changes))
    for said in ("8件（撤销1件、警告7件）", "8件(撤销1件、警告7件)", "8"):
        row = rows_of(form_of(A), numbers())
        row[2][2] = said
        reading, _ = read_table(document, answer_rows(row))
        (candidate,) = reading.candidates[f"{A}.granted.business"]
        assert (candidate.value, candidate.raw) == (8, "8件（撤销1件、警告7件）")


def test_a_number_that_no_count_can_be_is_doubted() -> None:
    changes = {f"{A}__granted__business": "2.5"}
    reading, _ = read_table(print_form("tab_rows", numbers(**changes)), perfect(**changes))
    assert [(flag.code, flag.fields) for flag in reading.flags] == [("not-a-count", (f"{A}.granted.business",))]


def test_rows_that_were_not_asked_for_are_not_taken() -> None:
    document = print_form("tab_rows")
    reading, asker = read_asks(
        document,
        ask_table(document, A, ["granted", "carried_out"]),
        lambda call: {"rows": rows_of(form_of(A), numbers())},
    )
    assert {name.rpartition(".")[0] for name in reading.candidates} == {f"{A}.granted", f"{A}.carried_out"}
    assert [rows_in(call) for call in asker.calls] == [[NUMBER["granted"], NUMBER["carried_out"]]]


@pytest.mark.parametrize("strange", [["99", "1", "2"], [None, "1"], ["", "1"], [], ["一", "1"]])
def test_rows_that_the_form_does_not_have_are_not_taken(strange: list[str | None]) -> None:
    reading, _ = read_table(print_form("tab_rows"), answer_rows([*rows_of(form_of(A), numbers()), strange]))
    assert len(reading.candidates) == len(form_of(A).fields)
    assert reading.flags == ()


# ---------------------------------------------------------------- columns that nobody knows

LOST = {f"{A}__granted__{name}": "" for name in ("business", "research")}


def test_tokens_without_columns_are_of_unknown_position() -> None:
    """Spaces alone part the cells, and two are empty: five numbers stand in seven columns."""
    document = print_form("spaced_rows", numbers(**LOST))
    reading, asker = read_table(document, perfect(**LOST))
    assert states(reading, "granted") == {CellState.POSITION_UNKNOWN}
    printed = numbers(**LOST)
    wanted = [text for c in form_of(A).columns if (text := printed[f"{A}.granted.{c.id}"])]
    spans = reading.candidates[f"{A}.granted.total"][0].spans
    assert [document.text[span.start : span.end] for span in spans] == wanted
    assert flags(reading) == {"position-unknown": {"granted"}}
    assert asker.tasks == [A]


def test_of_a_table_that_was_filled_up_the_tokens_alone_are_asked() -> None:
    document = print_form("pipe_cells_dropped", numbers(**LOST))
    asks = ask_table(document, A, is_without_columns=True)

    def answer(call: Call) -> Json:
        return {"rows": [[cell for cell in row if cell] for row in rows_of(form_of(A), numbers(**LOST))]}

    reading, asker = read_asks(document, asks, answer)
    assert asker.tasks == ["rows_without_columns"]
    assert states(reading, "granted") == {CellState.POSITION_UNKNOWN}
    assert states(reading, "carried_in") == {CellState.VALUE}  # as many numbers as columns


def test_of_one_line_that_was_filled_up_nothing_is_asked() -> None:
    """Section 四 has one line of cells: a lone number in it belongs to none of its groups."""
    document = print_form("pipe_cells_dropped")
    reading, asker = read_asks(document, ask_table(document, R, is_without_columns=True), perfect(R))
    assert asker.calls == []
    assert {candidate[0].state for candidate in reading.candidates.values()} == {CellState.POSITION_UNKNOWN}
    assert len(reading.candidates) == len(form_of(R).fields)
    assert [(flag.code, len(flag.fields)) for flag in reading.flags] == [("position-unknown", 15)]


# ---------------------------------------------------------------- digits that run together


def test_one_split_of_glued_digits_is_a_proposal_and_no_value() -> None:
    document = print_form("glued")
    reading, _ = read_table(document, perfect())
    name = f"{A}.granted.total"
    first, *proposals = reading.candidates[name]
    assert first.state is CellState.UNPARSABLE
    assert first.value is None
    assert [str(one.value) for one in proposals] == [numbers()[name]]
    assert "granted" in flags(reading)["glued-digits"]


# ---------------------------------------------------------------- what does not stand there


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(("9", "9", "9", "9", "9", "9", "63"), id="invented"),
        pytest.param(("0", "2", "0", "0", "2", "5"), id="a cell too few"),
        pytest.param(("0", "2", "0", "0", "2", "5", "9", "9"), id="a cell too many"),
        pytest.param(("2", "0", "0", "0", "2", "5", "9"), id="neighbours exchanged"),
        pytest.param((None, "2", "0", "0", "2", "5", "9"), id="0 left out"),
        pytest.param(("0", "2", "0", "0", "2", "5", "09"), id="written in another way"),
        pytest.param(("0",), id="one token"),
    ],
)
def test_a_row_that_the_source_does_not_show_is_not_read(cells: tuple[str | None, ...]) -> None:
    assert [numbers()[f"{A}.granted.{c.id}"] for c in form_of(A).columns] == ["0", "2", "0", "0", "2", "5", "9"]
    reading, _ = read_table(print_form("tab_rows"), answer_rows(changed("granted", cells)))
    assert states(reading, "granted") == {CellState.NOT_READ}
    assert flags(reading) == {"not-grounded": {"granted"}}
    assert states(reading, "partially_granted") == {CellState.VALUE}


def test_what_the_model_said_of_such_a_row_is_kept_as_a_proposal() -> None:
    reading, _ = read_table(
        print_form("tab_rows"), answer_rows(changed("granted", ("0", "2", "0", "0", "2", "5", "8")))
    )
    first, proposal = reading.candidates[f"{A}.granted.total"]
    assert (first.state, first.value) == (CellState.NOT_READ, None)
    assert (proposal.value, proposal.raw, proposal.spans, proposal.alignment) == (8, "8", (), "not_found")
    (flag,) = reading.flags
    assert "8" in flag.message.en


def test_a_row_repeated_in_the_reply_is_the_last_one() -> None:
    """Either is compared with the source: only the one that stands there can be read."""
    rows = rows_of(form_of(A), numbers())
    reading, _ = read_table(print_form("tab_rows"), answer_rows([[NUMBER["granted"], *["9"] * 7], *rows]))
    assert states(reading, "granted") == {CellState.VALUE}


def test_rows_in_the_place_of_each_other_are_not_read() -> None:
    rows = rows_of(form_of(A), numbers())
    rows[2][1:], rows[3][1:] = rows[3][1:], rows[2][1:]
    reading, _ = read_table(print_form("tab_rows"), answer_rows(rows))
    assert states(reading, "granted") == states(reading, "partially_granted") == {CellState.NOT_READ}


def test_a_row_whose_label_and_numbers_may_not_belong_together_is_doubted() -> None:
    """Two labels torn off and put back in each other's place: all that shows it is their order."""
    lines = print_form("tab_rows").text
    first, second = "1.属于国家秘密", "2.其他法律行政法规禁止公开"
    text = lines.replace(first, "\ue000").replace(second, first).replace("\ue000", second)
    printed = numbers()
    for column in form_of(A).columns:
        one, other = (f"{A}.refused.{row}.{column.id}" for row in ("state_secret", "prohibited_by_law"))
        printed[one], printed[other] = printed[other], printed[one]
    reading, _ = read_table(load(text), answer_rows(rows_of(form_of(A), printed)))
    assert states(reading, "refused.state_secret") == {CellState.VALUE}
    assert flags(reading) == {"row-out-of-order": {"refused.state_secret", "refused.prohibited_by_law"}}


def renamed(old: str, new: str) -> Document:
    return load(print_form("tab_rows").text.replace(old, new))


def test_a_row_under_an_unknown_label_is_doubted() -> None:
    """Its neighbours leave room for 2.重复申请 alone; but nothing says that 2.其他事由 is what is meant by it."""
    reading, _ = read_table(renamed("2.重复申请", "2.其他事由"), perfect())
    assert {name for rows in flags(reading).values() for name in rows} == {"not_processed.duplicate"}


def test_a_row_under_a_misprinted_label_is_known_by_its_neighbours() -> None:
    document = renamed("5.要求行政机关确认或重新出具已获取信息", "5.要求行政机关确汄或重新出俱已获取信息")
    reading, _ = read_table(document, perfect())
    assert states(reading, "not_processed.confirm_or_reissue") == {CellState.VALUE}
    assert reading.flags == ()


def test_nothing_that_could_be_found_is_an_unread_table() -> None:
    reading, _ = read_table(
        print_form("tab_rows"), lambda call: {"rows": [[str(n), *["7777"] * 7] for n in range(1, 26)]}
    )
    assert reading.unread == (A,)
    assert reading.generation == {}
    assert {candidates[0].state for candidates in reading.candidates.values()} == {CellState.NOT_READ}


def test_a_row_that_is_not_printed_and_not_answered_is_absent() -> None:
    text = print_form("tab_rows").text
    lines = [line for line in text.split("\n") if "2.重复申请" not in line]
    reading, asker = read_table(load("\n".join(lines)), answer_rows(without("not_processed.duplicate")))
    assert states(reading, "not_processed.duplicate") == {CellState.ROW_ABSENT}
    assert reading.candidates[f"{A}.not_processed.duplicate.total"][0].spans == ()
    assert asker.tasks == [A]


# ---------------------------------------------------------------- asking again


def test_a_row_that_was_left_out_is_asked_once_more_with_its_own_text_alone() -> None:
    document = print_form("tab_rows")
    reading, asker = read_table(document, in_turn({"rows": without("granted")}, perfect()))
    assert asker.tasks == [A, "row"]
    again = asker.calls[1]
    assert rows_in(again) == [NUMBER["granted"]]
    values = "|".join(numbers()[f"{A}.granted.{c.id}"] for c in form_of(A).columns)
    *header, line = shown_in(again).split("\n")
    assert line.endswith(f"(一)予以公开|{values}")
    assert header[-1].strip("|").split("|") == ["商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他"]
    assert states(reading, "granted") == {CellState.VALUE}
    assert reading.flags == ()


def test_no_earlier_question_or_reply_goes_along_when_asked_again() -> None:
    _, asker = read_table(print_form("tab_rows"), in_turn({"rows": changed("granted", ["88888"] * 7)}, perfect()))
    again = asker.calls[1]
    assert "88888" not in again.system + again.user
    assert numbers()[f"{A}.new_received.total"] not in again.user


def test_all_failing_rows_are_asked_again_together() -> None:
    _, asker = read_table(print_form("tab_rows"), in_turn({"rows": without("granted", "carried_out")}, perfect()))
    assert [rows_in(call) for call in asker.calls] == [None, [NUMBER["granted"], NUMBER["carried_out"]]]


@pytest.mark.parametrize("reasks", [0, 1, 2, 4])
def test_failing_rows_are_asked_again_at_most_as_often_as_set(reasks: int) -> None:
    """A model that says another wrong thing each time."""
    answers = [{"rows": changed("granted", [str(1000 + number)] * 7)} for number in range(10)]
    reading, asker = read_table(print_form("tab_rows"), in_turn(*answers), reasks=reasks)
    assert asker.tasks == [A, *["row"] * reasks]
    assert len({call.round for call in asker.calls[1:]}) == reasks
    assert flags(reading) == {"not-grounded": {"granted"}}


def test_a_model_that_insists_is_not_asked_a_third_time() -> None:
    """It was shown the row alone and says the same as before."""
    _, asker = read_table(print_form("tab_rows"), answer_rows(changed("granted", ["1000"] * 7)), reasks=4)
    assert asker.tasks == [A, "row"]


def test_a_row_that_answers_at_the_second_time_is_read() -> None:
    wrong = [{"rows": changed("granted", [str(number)] * 7)} for number in (1000, 1001)]
    reading, asker = read_table(print_form("tab_rows"), in_turn(*wrong, perfect()))
    assert asker.tasks == [A, "row", "row"]
    assert states(reading, "granted") == {CellState.VALUE}
    assert reading.flags == ()


def test_what_is_asked_again_never_has_the_round_of_an_earlier_question() -> None:
    """A reply of no use takes a round of its own; else the journal answers the next question with the last reply."""
    answers = in_turn(
        {"rows": without("granted")},
        ReplyInvalid("no JSON"),
        {"rows": changed("granted", ["1000"] * 7)},
        perfect(),
    )
    _, asker = read_table(print_form("tab_rows"), answers)
    asked = [(call.task, call.user, call.round) for call in asker.calls]
    assert len(set(asked)) == len(asked) == 4


def test_a_row_without_anything_printed_in_it_is_not_asked_again() -> None:
    printed = numbers() | {f"{A}.granted.{c.id}": "" for c in form_of(A).columns}
    _, asker = read_table(print_form("tab_rows", printed), answer_rows(without("granted")))
    assert asker.tasks == [A]


# ---------------------------------------------------------------- replies of no use


def test_a_reply_that_was_cut_off_is_asked_for_in_halves() -> None:
    def answer(call: Call) -> Json | Exception:
        wanted = rows_in(call)
        return ReplyTruncated("cut") if wanted is None or len(wanted) > 7 else perfect()(call)

    reading, asker = read_table(print_form("tab_rows"), answer)
    answered = [rows_in(call) for call in asker.calls if len(rows_in(call) or NUMBER) <= 7]
    assert sorted(int(number) for part in answered for number in part or ()) == list(range(1, 26))
    assert {shown_in(call) for call in asker.calls} == {shown_in(asker.calls[0])}
    assert len(reading.candidates) == len(form_of(A).fields)
    assert reading.flags == ()


def test_a_reply_that_is_cut_off_down_to_the_last_row_is_an_unread_table() -> None:
    reading, asker = read_table(print_form("tab_rows"), lambda call: ReplyTruncated("cut"))
    assert min(len(rows_in(call) or NUMBER) for call in asker.calls) == 1
    assert {flag.code for flag in reading.flags} == {"reply-truncated"}
    assert A in reading.unread


def test_an_invalid_reply_is_asked_for_again_in_another_round() -> None:
    reading, asker = read_table(print_form("tab_rows"), in_turn(ReplyInvalid("no"), ReplyInvalid("no"), perfect()))
    assert [call.round for call in asker.calls] == [0, 1, 2]
    assert len({call.user for call in asker.calls}) == 1
    assert reading.flags == ()


FAILURES = [
    (ReplyInvalid("no JSON"), "reply-invalid"),
    (ReplyRefused("no"), "reply-refused"),
    (ReplyFiltered("no"), "reply-filtered"),
    (ReplyMissing("not on record"), "reply-missing"),
    (ServerUnavailable("down"), "server-unavailable"),
    (BudgetReached("enough", "document"), "budget-reached"),
    (CallError("HTTP 400"), "call-failed"),
]


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=lambda item: item if isinstance(item, str) else "")
def test_a_call_without_a_reply_has_a_flag_of_its_own_and_leaves_the_table_unread(error: CallError, code: str) -> None:
    reading, _ = read_table(print_form("tab_rows"), lambda call: error)
    (flag,) = reading.flags
    assert (flag.code, flag.fields) == (code, ())
    assert form_of(A).title in flag.message.zh
    assert reading.unread == (A,)
    assert reading.candidates == {}
    assert reading.generation == {}


def test_an_invalid_reply_is_given_up_after_as_many_tries_as_set() -> None:
    _, asker = read_table(print_form("tab_rows"), lambda call: ReplyInvalid("no"), reasks=3)
    assert len(asker.calls) == 4


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=lambda item: item if isinstance(item, str) else "")
def test_where_only_the_second_question_fails_what_was_read_stays(error: CallError, code: str) -> None:
    def answer(call: Call) -> Json | Exception:
        return error if call.task == "row" else {"rows": without("granted")}

    reading, _ = read_table(print_form("tab_rows"), answer)
    assert code in {flag.code for flag in reading.flags}
    assert reading.unread == ()
    assert states(reading, "granted") == {CellState.NOT_READ}
    assert states(reading, "carried_out") == {CellState.VALUE}
    assert reading.generation == {A: "2021"}


@pytest.mark.parametrize("error", [BudgetReached("the run", "run"), ServerRefused("401")])
def test_what_stops_the_run_is_no_finding_about_the_document(error: Exception) -> None:
    with pytest.raises(type(error)):
        read_table(print_form("tab_rows"), lambda call: error)


def test_what_stops_the_run_waits_for_the_questions_under_way() -> None:
    """Else their replies, which are paid for, would come when nobody keeps them any more."""
    document = print_form("tab_rows")
    ended: list[str] = []

    def answer(call: Call) -> Json | Exception:
        if call.task == "header":
            return ServerRefused("401")
        ended.append(call.task)
        return {"rows": without("granted")}

    asks = Asks(tables=ask_table(document, A).tables, header=True)
    with pytest.raises(ServerRefused):
        read_asks(document, asks, answer)
    assert ended == [A, "row"]


# ---------------------------------------------------------------- long texts


def test_each_part_of_a_long_table_is_asked_and_all_rows_are_put_together() -> None:
    document = print_form("tab_rows")

    def answer(call: Call) -> Json:
        shown = shown_in(call)
        hits = find_labels(shown, 0, len(shown), A)
        rows = {NUMBER[ref.id] for hit in hits if hit.has_ordinal for ref in hit.refs if ref.id in NUMBER}
        return {"rows": [row for row in rows_of(form_of(A), numbers()) if row[0] in rows]}

    reading, asker = read_table(document, answer, chunk_tokens=200)
    assert len([task for task in asker.tasks if task == A]) > 2
    assert {candidates[0].state for candidates in reading.candidates.values()} == {CellState.VALUE}
    assert len(reading.candidates) == len(form_of(A).fields)
    assert reading.flags == ()


def test_a_row_that_two_parts_read_differently_is_doubted() -> None:
    document = print_form("tab_rows")
    first = rows_of(form_of(A), numbers())[0]
    answers = in_turn({"rows": [first]}, {"rows": [[first[0], "7"]]})
    reading, _ = read_table(document, answers, chunk_tokens=200, reasks=0)
    assert flags(reading)["row-repeated"] == {"new_received"}


def searched(document: Document, section: str = A) -> Asks:
    chunk = Chunk(section, 0, len(document.view), has_heading=False)
    form = form_of(section)
    rows = tuple(row.id for row in form.rows)
    return Asks(tables=(TableAsk(form, "2021", chunk, rows, is_searched=True),))


def test_a_table_that_is_searched_for_and_not_there_says_nothing() -> None:
    document = load("报告\n" + "\n".join(f"第{n}段文字写着 {n} 个。" for n in range(300)))
    reading, asker = read_asks(document, searched(document), lambda call: {"rows": []}, chunk_tokens=400)
    assert len(asker.calls) > 3
    assert (reading.candidates, reading.flags, reading.unread, reading.generation) == ({}, (), (), {})


def test_a_table_that_is_found_in_one_window_is_read() -> None:
    document = load(print_form("bare_lines").text.replace(flatten.BEFORE[1], ""))

    def answer(call: Call) -> Json:
        shown = shown_in(call)
        is_whole = all(min(row.labels, key=len)[:4] in shown for row in form_of(P).rows)
        return perfect(P)(call) if is_whole or call.task == "row" else {"rows": []}

    reading, asker = read_asks(document, searched(document, P), answer, chunk_tokens=500)
    assert len(asker.calls) >= 2
    assert {candidates[0].state for candidates in reading.candidates.values()} == {CellState.VALUE}
    assert reading.generation == {P: "2021"}


def test_evidence_is_a_place_in_the_cell_grid_where_there_is_one() -> None:
    document = print_form("html_page")
    reading, _ = read_table(document, perfect())
    (candidate,) = reading.candidates[f"{A}.granted.total"]
    span = candidate.spans[0]
    assert isinstance(span, Span)
    assert None not in (span.table, span.row, span.cell)
    assert json.loads(json.dumps(candidate.value)) == int(numbers()[f"{A}.granted.total"])
