"""The reader that knows the truth: its replies fit the wire schemas and say what is printed, no more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.forms import TABLE_SECTIONS, Section, find_labels, load_forms
from extractor.llm.prompts import ask_for, describe_table, load_prompt, row_numbers
from extractor.llm.wire import HeaderFacts, NarrativeFacts, OlderReport, StatedFact, TableRows
from extractor.settings import Settings
from extractor.sources import read_document
from tests.loopback.clients import connect
from tests.loopback.generated import Generated, generate
from tests.loopback.labelled import load_truths
from tests.loopback.messages import ApiError, ChatRequest
from tests.loopback.mistakes import Mistakes
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader
from tests.loopback.truths import Truth, squeeze

GOLD = Path(__file__).parents[3] / "eval" / "gold"


@cache
def section_of(section: str, generation: str = "2021") -> Section:
    found = load_forms().section(section, generation)
    assert found is not None
    return found


def with_blanks(generation: str = "2021", share: int = 5) -> dict[str, str]:
    """Made-up numbers; every fifth cell is empty, every seventh holds more than a number."""
    printed = flatten.as_printed(flatten.make_values(generation, 3))
    names = list(printed)
    printed |= dict.fromkeys(names[::share], "")
    return printed | {name: f"{printed[name] or 0}件(补办1件)" for name in names[::7]}


def request(task: str, shown: str, section: Section | None = None, rows: Sequence[str] | None = None) -> ChatRequest:
    words = describe_table(section) if section else {}
    system = load_prompt(task).render(**words)
    messages = [{"role": "system", "content": system}, {"role": "user", "content": ask_for(shown, rows)}]
    return ChatRequest(1, {"model": "m", "messages": messages})


def ask(reader: SimulatedReader, *asked: Any, **more: Any) -> Any:
    answer = reader(request(*asked, **more))
    assert answer.finish_reason == "stop"
    return json.loads(answer.content or "")


def text_of(raw: bytes, section: str) -> str:
    """The part of a made document that holds a section."""
    document = read_document(raw, "x", Settings())
    chunk = max((c for c in split_chunks(document) if c.section == section), key=lambda c: c.end - c.start)
    return document.view[chunk.start : chunk.end]


def printed_rows(made: Generated, section: Section) -> dict[str, list[str | None]]:
    return {
        number: [made.truth.cells[section.field_id(row, column.id)] for column in section.rows_by_id[row].columns]
        for number, row in row_numbers(section).items()
    }


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("generation", ["2021", "2019"])
@pytest.mark.parametrize("layout", [name for name in flatten.KEEPING if name != "word"])  # slow to make
def test_all_cells_as_printed_where_the_layout_keeps_them(layout: str, generation: str) -> None:
    made = generate(layout, generation, with_blanks(generation))
    reader = SimulatedReader([made.truth])
    for name in TABLE_SECTIONS:
        section = section_of(name, generation)
        reply = TableRows.model_validate(ask(reader, name, text_of(made.raw, name), section))
        assert {row[0]: row[1:] for row in reply.rows} == printed_rows(made, section)


@pytest.mark.parametrize("layout", ["paragraphs", "pipe_cells_dropped", "one_line", "glued"])
def test_only_what_is_printed_where_empty_cells_are_lost(layout: str) -> None:
    made = generate(layout, "2021", with_blanks())
    reader = SimulatedReader([made.truth])
    section = section_of("applications")
    expected = {number: [cell for cell in cells if cell] for number, cells in printed_rows(made, section).items()}
    for task in ("applications", "rows_without_columns"):
        rows = ask(reader, task, text_of(made.raw, "applications"), section)["rows"]
        assert {row[0]: row[1:] for row in rows} == expected
    lost = ask(reader, "review_litigation", text_of(made.raw, "review_litigation"), section_of("review_litigation"))
    assert lost == {"rows": []}  # of one line of cells nobody can say which are missing


def test_rows_without_columns_hold_no_empty_cells() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")
    rows = ask(SimulatedReader([made.truth]), "rows_without_columns", text_of(made.raw, "applications"), section)[
        "rows"
    ]
    assert {row[0]: row[1:] for row in rows} == {
        number: [cell for cell in cells if cell] for number, cells in printed_rows(made, section).items()
    }


def test_only_the_asked_rows() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")
    rows = ask(SimulatedReader([made.truth]), "applications", text_of(made.raw, "applications"), section, ["3", "17"])[
        "rows"
    ]
    assert [row[0] for row in rows] == ["3", "17"]


def test_only_rows_that_are_shown() -> None:
    """A part of the table, as when a long one is split: what stands in the other part is left out."""
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")
    lines = text_of(made.raw, "applications").split("\n")
    reader = SimulatedReader([made.truth])
    first, last = (ask(reader, "applications", "\n".join(part), section)["rows"] for part in (lines[:14], lines[14:]))
    assert 5 < len(first) < 20
    assert [row[0] for row in first + last] == list(row_numbers(section))


def test_row_cut_off_behind_its_label_is_left_out() -> None:
    made = generate("bare_lines", "2021", flatten.as_printed(flatten.make_values("2021", 1)))
    shown = text_of(made.raw, "applications")
    section = section_of("applications")
    hit = next(h for h in find_labels(shown, 0, len(shown), "applications") if h.refs[0].id == "refused.state_secret")
    rows = ask(SimulatedReader([made.truth]), "applications", shown[: hit.end + 3], section)["rows"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]


def test_single_rows_are_read_from_their_own_lines() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")
    lines = [line for line in text_of(made.raw, "applications").split("\n") if "重复申请" in line or "(七)" in line]
    rows = ask(SimulatedReader([made.truth]), "row", "\n".join(lines), section, ["17", "24"])["rows"]
    assert {row[0]: row[1:] for row in rows} == {n: printed_rows(made, section)[n] for n in ("17", "24")}


def test_misprinted_label_is_known_by_its_neighbours() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")

    def misprint(text: str) -> str:
        return text.replace("3.危及“三安全一稳定”", "3.危汲三安一稳")

    shown = misprint(text_of(made.raw, "applications"))
    reader = SimulatedReader([Truth("x", misprint(made.truth.view), made.truth.cells)])
    rows = ask(reader, "applications", shown, section)["rows"]
    assert [row[0] for row in rows] == list(row_numbers(section))
    alone = next(line for line in shown.split("\n") if "危汲" in line)
    assert ask(reader, "row", alone, section, ["7"])["rows"] == [rows[6]]


def test_row_that_is_not_printed_is_left_out() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    section = section_of("applications")
    missing = [section.field_id("carried_out", column.id) for column in section.columns]
    truth = Truth("x", made.truth.view, {k: v for k, v in made.truth.cells.items() if k not in missing})
    rows = ask(SimulatedReader([truth]), "applications", text_of(made.raw, "applications"), section)["rows"]
    assert [row[0] for row in rows] == list(row_numbers(section))[:-1]


def test_document_is_found_among_many() -> None:
    """Same form, same layout, other numbers."""
    made = [generate("bare_lines", "2021", flatten.as_printed(flatten.make_values("2021", seed))) for seed in range(8)]
    reader = SimulatedReader([item.truth for item in made])
    for item in made:
        for name in TABLE_SECTIONS:
            rows = ask(reader, name, text_of(item.raw, name), section_of(name))["rows"]
            assert {row[0]: row[1:] for row in rows} == printed_rows(item, section_of(name))


# ---------------------------------------------------------------- labelled documents


@pytest.fixture(scope="module")
def labelled() -> dict[str, Truth]:
    return {truth.name[:3]: truth for truth in load_truths([GOLD])}


def test_every_truth_stands_in_its_document(labelled: dict[str, Truth]) -> None:
    assert sorted(labelled) == ["000", "001", "002", "003", "004"]
    for truth in labelled.values():
        printed = [text for text in truth.cells.values() if text] + [t for row in truth.tokens.values() for t in row]
        said = [*printed, *truth.header.values(), *(fact.quote for fact in truth.facts)]
        assert [text for text in said if squeeze(text) not in truth.squeezed] == []
        assert all(fact.number in fact.quote for fact in truth.facts)


def test_lost_columns_are_answered_with_what_is_left(labelled: dict[str, Truth]) -> None:
    """Fixture 001: the scrape left one 0 a row, and nothing behind 2.申请人逾期未按收费通知缴纳费用."""
    truth = labelled["001"]
    start, end = truth.view.index("三、收到和处理"), truth.view.index("四、政府信息公开行政复议")
    section = section_of("applications")
    reader = SimulatedReader(labelled.values())
    for task, empty in (("applications", [None] * 7), ("rows_without_columns", [])):
        rows = {row[0]: row[1:] for row in ask(reader, task, truth.view[start:end], section)["rows"]}
        assert rows.pop("22") == empty
        assert "23" not in rows  # 3.其他 is not printed
        assert list(rows.values()) == [["0"]] * 23
    marked = ask(reader, "proactive_disclosure", truth.view[:start], section_of("proactive_disclosure"))["rows"]
    assert marked[0] == ["1", None, None, None]
    assert marked[2:4] == [["3", "0"], ["4", "8件(撤销1件、警告7件)"]]


def test_header_and_narrative_of_the_fixtures(labelled: dict[str, Truth]) -> None:
    reader = SimulatedReader(labelled.values())
    for truth in labelled.values():
        header = HeaderFacts.model_validate(ask(reader, "header", truth.view))
        narrative = NarrativeFacts.model_validate(ask(reader, "narrative", truth.view))
        assert {name: text for name, text in header.model_dump().items() if text} == truth.header
        assert tuple(narrative.facts) == truth.facts
        assert all(squeeze(text) in truth.squeezed for text in (*narrative.problems, *narrative.measures))
        assert max(map(len, (*narrative.problems, *narrative.measures))) <= 40


def test_what_is_not_shown_is_not_told(labelled: dict[str, Truth]) -> None:
    reader = SimulatedReader(labelled.values())
    truth = labelled["003"]
    middle = truth.view.index("二、主动公开")
    assert ask(reader, "header", truth.view[:middle])["published_on"] is None
    assert ask(reader, "header", truth.view[:middle])["title"] == truth.header["title"]
    said = [ask(reader, "narrative", part)["facts"] for part in (truth.view[:middle], truth.view[middle:])]
    assert [fact["fact"] for part in said for fact in part] == [fact.fact for fact in truth.facts]
    assert all(said)


def test_older_report_has_its_indicator_table() -> None:
    view = "2012年主动公开政府信息86条。\n附表\n主动公开信息数|条|86|340\n其中:网站公开|条|80|\n"
    fact = StatedFact(fact="proactive_items_total", number="86", quote="主动公开政府信息86条")
    rows = (("主动公开信息数", "条", "86", "340"), ("其中:网站公开", "条", "80", None), ("行政复议数", "件", "0", "0"))
    reply = ask(SimulatedReader([Truth("old", view, facts=(fact,), indicators=rows)]), "older_report", view)
    assert OlderReport.model_validate(reply).indicators == [list(row) for row in rows[:2]]
    assert [item["number"] for item in reply["facts"]] == ["86"]


# ---------------------------------------------------------------- questions that are none


def test_schema_behind_the_instruction_changes_nothing() -> None:
    """Where nothing enforces a schema, clients write it into the system message."""
    made = generate("tab_rows", "2021", with_blanks())
    asked = request("row", text_of(made.raw, "applications"), section_of("applications"), ["1"])
    asked.body["messages"][0]["content"] += "\n\nJSON Schema: {}"
    answer = SimulatedReader([made.truth])(asked)
    assert [row[0] for row in json.loads(answer.content or "")["rows"]] == ["1"]


def test_unknown_questions_are_refused_aloud() -> None:
    made = generate("tab_rows", "2021", with_blanks())
    reader = SimulatedReader([made.truth])
    shown, section = text_of(made.raw, "applications"), section_of("applications")
    unfenced = request("header", shown)
    unfenced.body["messages"][1]["content"] = shown
    foreign = request("header", shown)
    foreign.body["messages"][0]["content"] = "翻译成英文"
    asked = [
        (foreign, "no prompt"),
        (unfenced, "no fenced text"),
        (request("row", shown, section, ["1", "40"]), "40"),
        (request("header", "另一份完全不同的报告，谁也不认识它。"), "no known document"),
    ]
    for question, problem in asked:
        with pytest.raises(ApiError, match=problem) as caught:
            reader(question)
        assert caught.value.status == 422


def test_whole_way_through_the_server() -> None:
    made = generate("markdown", "2021", with_blanks())
    reader = SimulatedReader([made.truth], Mistakes(1, {"dropped_row": 1.0}))
    section = section_of("review_litigation")
    body = request("review_litigation", text_of(made.raw, "review_litigation"), section).body
    with running_server(reader) as server:
        client = connect(server.base_url)
        reply = client.chat.completions.create(model="m", messages=body["messages"])
    assert json.loads(reply.choices[0].message.content or "") == {"rows": []}
    assert [(item.document, item.task, item.kind) for item in reader.spoiled] == [
        ("markdown", "review_litigation", "dropped_row")
    ]
    assert reader.spoiled[0].fields == tuple(field.id for field in section.fields)
