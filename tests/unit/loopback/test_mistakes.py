"""Every kind of mistake changes what it says it changes, and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

import flatten
import pytest

from extractor.forms import Section, load_forms
from extractor.llm.prompts import row_numbers
from extractor.llm.wire import NarrativeFacts, TableRows
from extractor.readers.cells import read_cell
from tests.loopback import mistakes
from tests.loopback.mistakes import FACT_MISTAKES, KINDS, ROW_MISTAKES, Mistakes
from tests.loopback.replies import TableReply, find_changes
from tests.loopback.truths import Cells

SEEDS = range(12)


def section_of(name: str = "applications") -> Section:
    section = load_forms().section(name, "2021")
    assert section is not None
    return section


def true_reply(name: str = "applications", blank_share: float = 0.3) -> TableReply:
    section, rng = section_of(name), random.Random(5)
    values = flatten.make_values("2021", 2)
    rows: dict[str, Cells] = {
        row.id: tuple(
            None if rng.random() < blank_share else str(values[section.field_id(row.id, column.id)])
            for column in row.columns
        )
        for row in section.rows
    }
    return TableReply(section, rows, tuple(rows))


def numbers(cells: Cells) -> list[str | None]:
    return sorted(cell or "" for cell in cells)


def make(kind: str, reply: TableReply, seed: int, rate: float = 1.0) -> TableReply:
    return ROW_MISTAKES[kind](reply, random.Random(seed), rate)


def differing(before: TableReply, after: TableReply) -> dict[str, tuple[Cells, Cells]]:
    return {row: (cells, after.rows[row]) for row, cells in before.rows.items() if after.rows[row] != cells}


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("kind", ROW_MISTAKES)
def test_nothing_happens_at_rate_0(kind: str) -> None:
    for seed in SEEDS:
        assert make(kind, true_reply(), seed, rate=0.0).rows == true_reply().rows


@pytest.mark.parametrize("kind", ROW_MISTAKES)
def test_something_happens_at_rate_1_and_is_told(kind: str) -> None:
    """The fields that are told are those whose cells differ from the true reply, and no others."""
    before = true_reply()
    reply, made = Mistakes(3, {kind: 1.0}).spoil_rows(before, "digest")
    assert [mistake.kind for mistake in made] == [kind]
    assert reply.rows != before.rows
    told = set(made[0].fields)
    for row in before.section.rows:
        was, now = before.rows.get(row.id), reply.rows.get(row.id)
        for index, column in enumerate(row.columns):
            cell_was, cell_now = (cells[index] if cells else "no row" for cells in (was, now))
            assert (before.section.field_id(row.id, column.id) in told) is (cell_was != cell_now)


@pytest.mark.parametrize("name", ["proactive_disclosure", "applications", "review_litigation"])
@pytest.mark.parametrize("kind", ROW_MISTAKES)
def test_spoiled_replies_still_fit_the_wire_schema(kind: str, name: str) -> None:
    """Mistakes are of content: a server that enforces the schema lets them pass."""
    for seed in SEEDS:
        rows = TableRows.model_validate_json(make(kind, true_reply(name), seed).write()).rows
        assert all(row[0] for row in rows)


@pytest.mark.parametrize("kind", ROW_MISTAKES)
def test_tokens_without_columns_can_be_spoiled_too(kind: str) -> None:
    """Replies about rows whose columns are lost have fewer cells than columns, or none."""
    before = true_reply()
    rows = {row: tuple(cell for cell in cells if cell)[:3] for row, cells in before.rows.items()}
    before = before.with_rows({**rows, "granted": ()})
    for seed in SEEDS:
        after = make(kind, before, seed)
        assert set(find_changes(before, after)) <= {field.id for field in before.section.fields} | {"26"}


@pytest.mark.parametrize("kind", [*ROW_MISTAKES, mistakes.TRUNCATION])
def test_seed_and_request_decide(kind: str) -> None:
    def spoil(seed: int, digest: str) -> tuple[object, object]:
        plan = Mistakes(seed, {kind: 0.5})
        reply, made = plan.spoil_rows(true_reply(), digest)
        return made, plan.spoil_text(reply.write(), digest)

    digests = [f"request {n}" for n in range(20)]
    there = [spoil(1, digest) for digest in digests]
    assert there == [spoil(1, digest) for digest in digests]
    assert there != [spoil(2, digest) for digest in digests]
    assert len({str(item) for item in there}) > 1


@pytest.mark.parametrize("kind", ["digit_error", "dropped_row", "verbatim_drift", "neighbour_swap"])
def test_rate_is_per_row(kind: str) -> None:
    spoiled = sum(len({name.split(".")[1:-1][0] for name in _told(kind, seed)}) for seed in range(40))
    assert _told(kind, 0) != _told(kind, 1)
    assert 0 < spoiled < 40 * 25 * 0.5


def _told(kind: str, seed: int) -> tuple[str, ...]:
    _, made = Mistakes(seed, {kind: 0.2}).spoil_rows(true_reply(), "digest")
    return made[0].fields if made else ()


def test_kinds_do_not_disturb_each_other() -> None:
    """The same rows are dropped whether digits are misread or not."""
    _, alone = Mistakes(4, {"dropped_row": 0.3}).spoil_rows(true_reply(), "digest")
    _, both = Mistakes(4, {"dropped_row": 0.3, "digit_error": 0.0}).spoil_rows(true_reply(), "digest")
    assert alone == both


def test_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\['typo'\]: no such kinds"):
        Mistakes(0, {"typo": 0.1})


def test_no_mistake_unless_asked_for() -> None:
    reply, made = Mistakes().spoil_rows(true_reply(), "digest")
    assert (reply.rows, made) == (true_reply().rows, [])
    assert Mistakes().spoil_text("{}", "digest")[0].content == "{}"


# ---------------------------------------------------------------- one by one


@pytest.mark.parametrize("seed", SEEDS)
def test_column_shift_keeps_what_is_printed_and_its_order(seed: int) -> None:
    before = true_reply()
    shifted = [pair for pair in differing(before, make("column_shift", before, seed)).values() if None in pair[0]]
    assert len(shifted) > 10
    for was, now in shifted:
        assert [cell for cell in was if cell] == [cell for cell in now if cell]
        assert len(was) == len(now)


def test_column_shift_turns_a_full_row_round() -> None:
    before = true_reply(blank_share=0.0)
    for was, now in differing(before, make("column_shift", before, 1)).values():
        assert now == (was[-1], *was[:-1])


@pytest.mark.parametrize("seed", SEEDS)
def test_dropped_row_leaves_the_others(seed: int) -> None:
    before = true_reply()
    after = make("dropped_row", before, seed, rate=0.3)
    assert 0 < len(after.rows) < len(before.rows)
    assert all(before.rows[row] == cells for row, cells in after.rows.items())


def test_zero_fill_fills_empty_cells_lost_cells_and_absent_rows() -> None:
    before = true_reply()
    rows = dict(before.rows)
    rows["granted"], rows["carried_out"] = ("3",), ()
    del rows["results_total"]
    after = make("zero_fill", before.with_rows(rows), 1)
    assert after.rows["granted"] == ("3", *["0"] * 6)
    assert after.rows["carried_out"] == after.rows["results_total"] == ("0",) * 7
    assert list(after.rows) == [row.id for row in before.section.rows]
    assert all(
        now == (was or "0")
        for row, cells in before.rows.items()
        if row in rows and row not in ("granted", "carried_out")
        for was, now in zip(cells, after.rows[row], strict=True)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_digit_error_changes_one_digit_of_a_row(seed: int) -> None:
    before = true_reply()
    for was, now in differing(before, make("digit_error", before, seed)).values():
        (pair,) = [(a, b) for a, b in zip(was, now, strict=True) if a != b]
        assert pair[0] is not None
        assert pair[1] is not None
        assert sum(a != b for a, b in zip(*pair, strict=True)) == 1
        assert pair[1].isdigit()


@pytest.mark.parametrize("seed", SEEDS)
def test_neighbour_swap_swaps_two_neighbours(seed: int) -> None:
    before = true_reply()
    for was, now in differing(before, make("neighbour_swap", before, seed)).values():
        places = [i for i in range(len(was)) if was[i] != now[i]]
        assert places == [places[0], places[0] + 1]
        assert numbers(was) == numbers(now)


@pytest.mark.parametrize("seed", SEEDS)
def test_row_swap_swaps_rows_one_above_the_other(seed: int) -> None:
    before = true_reply()
    after = make("row_swap", before, seed, rate=0.3)
    order = list(before.rows)
    changed = [order.index(row) for row in differing(before, after)]
    assert len(changed) % 2 == 0
    for upper, lower in zip(changed[::2], changed[1::2], strict=True):
        assert lower == upper + 1
        assert (after.rows[order[upper]], after.rows[order[lower]]) == (
            before.rows[order[lower]],
            before.rows[order[upper]],
        )


def test_invented_total_balances_what_does_not() -> None:
    before = true_reply()
    after = make("invented_total", before, 1)
    for row, cells in after.rows.items():
        if row != "results_total":
            assert cells[:-1] == before.rows[row][:-1]
            assert cells[-1] == str(sum(int(cell or 0) for cell in cells[:-1]))
    results = [row.id for row in before.section.rows if row.is_result]
    sums = [
        sum(int(cell or 0) for cell in column) for column in zip(*(after.rows[row] for row in results), strict=True)
    ]
    assert after.rows["results_total"] == tuple(map(str, sums))


def test_invented_total_leaves_what_balances() -> None:
    assert make("invented_total", true_reply(blank_share=0.0), 1).rows == true_reply(blank_share=0.0).rows


@pytest.mark.parametrize("name", ["applications", "review_litigation"])
def test_consistent_fabrication_satisfies_the_equations(name: str) -> None:
    before = true_reply(name)
    after = make("consistent_fabrication", before, 1)
    values = {
        before.section.field_id(row, column.id): int(cell or "")
        for row, cells in after.rows.items()
        for column, cell in zip(before.section.rows_by_id[row].columns, cells, strict=True)
    }
    assert list(after.rows) == list(before.rows)
    for equation in before.section.equations:
        assert sum(values[term] for term in equation.left) == sum(values[term] for term in equation.right)
    assert after.rows != make("consistent_fabrication", before, 2).rows


@pytest.mark.parametrize("seed", SEEDS)
def test_verbatim_drift_keeps_the_number(seed: int) -> None:
    before = true_reply()
    for was, now in differing(before, make("verbatim_drift", before, seed)).values():
        (pair,) = [(a, b) for a, b in zip(was, now, strict=True) if a != b]
        assert pair[1] is not None
        folded = pair[1].translate({ord("０") + i: str(i) for i in range(10)})
        assert read_cell(folded).value == int(pair[0] or "")


@pytest.mark.parametrize("seed", SEEDS)
def test_extra_row_is_one_that_was_not_answered(seed: int) -> None:
    before = true_reply()
    without = before.with_rows({row: cells for row, cells in before.rows.items() if row != "granted"})
    after = make("extra_row", without, seed)
    assert set(after.rows) - set(without.rows) == {"granted"}
    assert after.rows["granted"] in without.rows.values()
    beyond = make("extra_row", before, seed)
    assert json.loads(beyond.write())["rows"][-1][0] == "26"
    assert "26" not in row_numbers(before.section)
    assert find_changes(before, beyond) == ("26",)


def test_truncation_cuts_the_text() -> None:
    text = true_reply().write()
    answer, made = Mistakes(1, {"truncation": 1.0}).spoil_text(text, "digest")
    assert answer.finish_reason == "length"
    assert text.startswith(answer.content or "-")
    assert len(answer.content or "") < len(text)
    assert [mistake.kind for mistake in made] == ["truncation"]


# ---------------------------------------------------------------- facts

FACTS = {
    "facts": [
        {"fact": "website_items", "number": "691", "quote": "通过政府门户网站转载发布信息691条"},
        {"fact": "applications_received", "number": "未收到", "quote": "我局未收到政府信息公开申请"},
        {"fact": "reviews", "number": "2", "quote": "行政复议案件2件"},
    ],
    "problems": ["更新不够及时"],
    "measures": [],
}


def spoil(kind: str, seed: int) -> Mapping[str, list[dict[str, str]]]:
    reply, made = Mistakes(seed, {kind: 1.0}).spoil_facts(FACTS, "digest")
    NarrativeFacts.model_validate(reply)
    changed = [now["fact"] for was, now in zip(FACTS["facts"], reply["facts"], strict=True) if was != now]
    assert [name for mistake in made for name in mistake.fields] == [f"narrative.{name}" for name in changed]
    assert {**reply, "facts": None} == {**FACTS, "facts": None}
    return reply


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_number_is_another_number_beside_the_same_quote(seed: int) -> None:
    reply = spoil("wrong_number", seed)
    assert [fact["quote"] for fact in reply["facts"]] == [fact["quote"] for fact in FACTS["facts"]]  # type: ignore[index]
    said = [fact["number"] for fact in reply["facts"]]
    assert said[0] != "691"
    assert len(said[0]) == 3
    assert said[1] == "未收到"  # has no digit
    assert said[2] != "2"


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_quote_is_not_word_for_word(seed: int) -> None:
    for was, now in zip(FACTS["facts"], spoil("wrong_quote", seed)["facts"], strict=True):
        assert now["quote"] != was["quote"]  # type: ignore[index]
        assert sorted(now["quote"]) == sorted(was["quote"])  # type: ignore[index]
        assert now["number"] == was["number"]  # type: ignore[index]


def test_header_has_no_facts_to_spoil() -> None:
    header = {"title": "某局报告"}
    assert Mistakes(1, dict.fromkeys(FACT_MISTAKES, 1.0)).spoil_facts(header, "digest") == (header, [])


def test_kinds_are_those_of_the_registries() -> None:
    assert sorted(KINDS) == sorted({*ROW_MISTAKES, *FACT_MISTAKES, "truncation"})
    assert all((mistake.__doc__ or "").strip() for mistake in (*ROW_MISTAKES.values(), *FACT_MISTAKES.values()))
