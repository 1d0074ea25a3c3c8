"""Whole replies over generated and real reports: the true one is recognised, and no changed one is placed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import flatten
import mutations
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.chunks import split_chunks
from extractor.errors import EmptySource
from extractor.forms import TABLE_SECTIONS, Section, load_forms
from extractor.grounding import RowAlignment, align_rows
from extractor.model import Document
from extractor.settings import Settings
from extractor.sources import load_document, read_document
from tests.unit.grounding.tables import FOUR, THREE, TWO, check_row, find_chunk, form, read

ROOT = Path(__file__).parents[3]
LABELS = sorted((ROOT / "eval" / "gold").glob("*.json"))
BROKEN = "001_6bf7699e84e20962"
#: Word files take long to make; the grids of web pages are like theirs.
QUICK = [name for name in flatten.LAYOUTS if name != "word"]
DAMAGEABLE = [name for name in QUICK if name not in ("glued", "html_page")]
GENERATIONS = ("2021", "2019")
Reply = dict[str, tuple[str | None, ...]]


def true_reply(section: Section, printed: flatten.Printed) -> Reply:
    return {
        row.id: tuple(printed[section.field_id(row.id, column.id)] or None for column in row.columns)
        for row in section.rows
    }


@cache
def make_report(layout: str, generation: str, seed: int, empty_share: float = 0) -> tuple[Document, flatten.Printed]:
    """A report in one layout, some cells empty, and what each field prints."""
    rng = random.Random(seed)
    values = flatten.as_printed(flatten.make_values(generation, seed))
    printed = {name: "" if rng.random() < empty_share else text for name, text in values.items()}
    raw = flatten.LAYOUTS[layout](flatten.build_tables(generation, printed))
    return read_document(raw, layout, Settings()), printed


def align(document: Document, section: Section, reply: Reply) -> dict[str, RowAlignment]:
    chunk = next(c for c in split_chunks(document) if c.section == section.id and (c.table or c.runs))
    found = align_rows(document, chunk, section, reply)
    for row_id, row in found.items():
        check_row(document, reply[row_id], row)
    return found


def outcomes(found: dict[str, RowAlignment]) -> set[str]:
    return {row.outcome for row in found.values()}


def sections(generation: str) -> list[Section]:
    return list(load_forms().generations[generation].sections.values())


# ---------------------------------------------------------------- the true reply


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("layout", list(flatten.LAYOUTS))
def test_the_true_reply_is_placed_wherever_cells_are_separated(layout: str, generation: str) -> None:
    document, printed = make_report(layout, generation, 1)
    for section in sections(generation):
        found = align(document, section, true_reply(section, printed))
        assert outcomes(found) == ({"glued"} if layout == "glued" else {"placed"})
        assert not any(row.is_anchored_by_order or row.is_out_of_order for row in found.values())


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("layout", QUICK)
def test_with_empty_cells_the_true_reply_is_never_contradicted(layout: str, generation: str, share: float) -> None:
    """Where empty cells keep their places nearly all rows are placed; elsewhere the tokens agree."""
    document, printed = make_report(layout, generation, 3, share)
    rows: list[tuple[RowAlignment, bool]] = []
    for section in sections(generation):
        reply = true_reply(section, printed)
        rows += [(row, any(reply[row_id])) for row_id, row in align(document, section, reply).items()]
    for row, is_printed in rows:
        assert row.outcome != "not_anchored"
        assert row.outcome != "mismatch" or not is_printed  # a row of nothing leaves nothing in some flattenings
    if layout in flatten.KEEPING:
        assert sum(row.outcome in ("placed", "blank") for row, _ in rows) >= 0.85 * len(rows)


# ---------------------------------------------------------------- real reports


def labelled_reply(label: dict[str, Any], section: Section) -> Reply:
    """A reply as a faithful model would give it; where positions are lost, the tokens alone."""
    printed: dict[str, str | None] = {}
    for name, cells in label[section.id].items():
        if name == "row_tokens":
            continue
        if not isinstance(cells, list):
            printed[f"{section.id}.{name}"] = read_label(cells)
            continue
        for column, cell in zip(section.rows_by_id[name].columns, cells, strict=True):
            printed[section.field_id(name, column.id)] = read_label(cell)
    reply = {
        row.id: tuple(printed[section.field_id(row.id, column.id)] for column in row.columns) for row in section.rows
    }
    tokens = label[section.id].get("row_tokens", {})
    return reply | {row_id: tuple(map(str, cells)) for row_id, cells in tokens.items() if row_id in reply}


def read_label(cell: object) -> str | None:
    if isinstance(cell, dict):
        return str(cell["raw"])
    if isinstance(cell, str):
        return cell.partition(":")[2] or None
    return str(cell)


def align_labelled(folder: Path, label_path: Path) -> dict[str, frozenset[str]]:
    label = json.loads(label_path.read_text(encoding="utf-8"))
    document = load_document(folder / label["file"])
    found = {}
    for section_id in TABLE_SECTIONS:
        section = load_forms().section(section_id, label["generation"][section_id])
        assert section is not None
        found[section_id] = frozenset(outcomes(align(document, section, labelled_reply(label, section))))
    return found


@pytest.mark.parametrize("path", [path for path in LABELS if path.stem != BROKEN], ids=lambda path: path.stem)
def test_labelled_reports_are_placed(path: Path) -> None:
    assert set(align_labelled(ROOT, path).values()) == {frozenset({"placed"})}


def test_of_lone_numbers_only_the_tokens_agree() -> None:
    """Rows filled up at their end: any column is as good as another, and none is certain."""
    section = load_forms().generations["2021"].sections[THREE]
    document = load_document(ROOT / "fixtures" / f"{BROKEN}.txt")
    lone = {row.id: ("0",) for row in section.rows if not row.id.startswith("other_result.")}
    assert outcomes(align(document, section, lone)) == {"tokens"}
    for place in range(7):
        cells = (None,) * place + ("0",) + (None,) * (6 - place)
        assert outcomes(align(document, section, dict.fromkeys(lone, cells))) == {"tokens"}
    assert outcomes(align(document, section, dict.fromkeys(lone, ("0",) * 7))) == {"mismatch"}
    blank: Reply = {"other_result.fee_unpaid": (None,) * 7, "other_result.other": (None,) * 7}
    found = align(document, section, blank)
    assert [row.outcome for row in found.values()] == ["blank", "not_anchored"]


def test_the_other_tables_of_that_report() -> None:
    document = load_document(ROOT / "fixtures" / f"{BROKEN}.txt")
    two, _, four = load_forms().generations["2021"].sections.values()
    reply: Reply = {
        "regulations": (None, None, None),
        "normative_documents": ("4", "0", "7"),
        "penalties": ("8件(撤销1件、警告7件)",),
        "coercion": ("0",),
    }
    assert [row.outcome for row in align(document, two, reply).values()] == ["blank", "placed", "placed", "placed"]
    tokens: Reply = dict.fromkeys(four.rows_by_id, (None, None, None, None, "0"))
    assert outcomes(align(document, four, tokens)) == {"tokens"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("018_pingtan_finance_2020", "placed"),
        ("010_pingtan_region_2021", "glued"),
        ("012_pingtan_region_2023", "glued"),
        ("015_pingtan_region_2019_excerpt", "glued"),
    ],
)
def test_labelled_reports_of_the_corpus(corpus: Path, name: str, expected: str) -> None:
    found = align_labelled(corpus.parent, corpus / "labels" / f"{name}.json")
    assert set(found.values()) == {frozenset({expected})}


def test_a_report_with_rows_torn_from_their_labels(corpus: Path) -> None:
    found = align_labelled(corpus.parent, corpus / "labels" / "031_shanghai_kewei_2024_pdftext.json")
    assert found == {
        "proactive_disclosure": {"placed"},
        THREE: {"tokens", "mismatch", "not_anchored"},
        FOUR: {"tokens"},
    }


# ---------------------------------------------------------------- changed replies

Change = Callable[[random.Random, Reply], Reply | None]


def _pick(rng: random.Random, reply: Reply, is_fit: Callable[[tuple[str | None, ...]], bool]) -> str | None:
    fit = [row_id for row_id, cells in reply.items() if is_fit(cells)]
    return rng.choice(fit) if fit else None


def swap_neighbours(rng: random.Random, reply: Reply) -> Reply | None:
    places = [(r, i) for r, cells in reply.items() for i in range(len(cells) - 1) if cells[i] != cells[i + 1]]
    if not places:
        return None
    row_id, i = rng.choice(places)
    cells = reply[row_id]
    return {**reply, row_id: (*cells[:i], cells[i + 1], cells[i], *cells[i + 2 :])}


def shift_row(rng: random.Random, reply: Reply) -> Reply | None:
    row_id = _pick(rng, reply, lambda cells: len(set(cells)) > 1)
    if row_id is None:
        return None
    cells = reply[row_id]
    return {**reply, row_id: rng.choice([(*cells[1:], cells[0]), (cells[-1], *cells[:-1]), (None, *cells[:-1])])}


def replace_digit(rng: random.Random, reply: Reply) -> Reply | None:
    row_id = _pick(rng, reply, any)
    if row_id is None:
        return None
    cells = list(reply[row_id])
    i = rng.choice([i for i, cell in enumerate(cells) if cell])
    text = str(cells[i])
    at = rng.choice([j for j, char in enumerate(text) if char.isdigit()])
    digit = rng.choice([digit for digit in "0123456789" if digit != text[at]])
    cells[i] = text[:at] + digit + text[at + 1 :]
    return {**reply, row_id: tuple(cells)}


def swap_rows(rng: random.Random, reply: Reply) -> Reply | None:
    pairs = [(a, b) for a in reply for b in reply if reply[a] != reply[b] and len(reply[a]) == len(reply[b])]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return {**reply, a: reply[b], b: reply[a]}


def drop_cell(rng: random.Random, reply: Reply) -> Reply | None:
    row_id = rng.choice(list(reply))
    i = rng.randrange(len(reply[row_id]))
    return {**reply, row_id: (*reply[row_id][:i], *reply[row_id][i + 1 :])}


def add_cell(rng: random.Random, reply: Reply) -> Reply | None:
    row_id = rng.choice(list(reply))
    i = rng.randrange(len(reply[row_id]) + 1)
    return {**reply, row_id: (*reply[row_id][:i], rng.choice(["0", "7", None]), *reply[row_id][i:])}


def fill_blank(rng: random.Random, reply: Reply) -> Reply | None:
    places = [(r, i) for r, cells in reply.items() for i, cell in enumerate(cells) if cell is None]
    if not places:
        return None
    row_id, i = rng.choice(places)
    return {**reply, row_id: (*reply[row_id][:i], "0", *reply[row_id][i + 1 :])}


def blank_a_value(rng: random.Random, reply: Reply) -> Reply | None:
    row_id = _pick(rng, reply, any)
    if row_id is None:
        return None
    i = rng.choice([i for i, cell in enumerate(reply[row_id]) if cell])
    return {**reply, row_id: (*reply[row_id][:i], None, *reply[row_id][i + 1 :])}


CHANGES = (
    swap_neighbours, shift_row, replace_digit, swap_rows, drop_cell, add_cell, fill_blank, blank_a_value,
)  # fmt: skip


def wrongly_placed(found: dict[str, RowAlignment], truth: Reply) -> Iterator[str]:
    """Rows that are said to be certain and are not what is printed."""
    for row_id, row in found.items():
        if row.outcome in ("placed", "blank") and tuple(cell.raw for cell in row.cells) != truth[row_id]:
            yield row_id


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("layout", QUICK)
def test_a_changed_row_is_never_placed(layout: str, change: Change) -> None:
    tried = 0
    for seed in range(8):
        generation = GENERATIONS[seed % 2]
        document, printed = make_report(layout, generation, seed % 4, 0.1)
        for section in sections(generation):
            truth = true_reply(section, printed)
            changed = change(random.Random(seed), truth)
            if changed is None:
                continue
            tried += 1
            found = align(document, section, changed)
            different = [row_id for row_id in truth if changed[row_id] != truth[row_id]]
            assert not [r for r in different if found[r].outcome in ("placed", "blank")], (seed, section.id)
            if layout == "full_width":  # the digits of the source are other characters
                continue
            assert list(wrongly_placed(found, truth)) == [], (seed, section.id)
    assert tried >= 6


@pytest.mark.parametrize("change", [replace_digit, swap_rows, add_cell], ids=lambda change: change.__name__)
@pytest.mark.parametrize("layout", QUICK)
def test_a_changed_number_is_a_mismatch_in_every_layout(layout: str, change: Change) -> None:
    """Not even a candidate: another number, another row's numbers, one number more."""
    for seed in range(4):
        document, printed = make_report(layout, "2021", seed)
        section = load_forms().generations["2021"].sections[THREE]
        truth = true_reply(section, printed)
        changed = change(random.Random(seed), truth)
        assert changed is not None
        for row_id, row in align(document, section, changed).items():
            said = [cell for cell in changed[row_id] if cell is not None]
            if said != list(truth[row_id]):
                assert row.outcome == "mismatch", (seed, row_id)


@pytest.mark.parametrize("layout", QUICK)
def test_a_made_up_table_that_adds_up_is_a_mismatch(layout: str) -> None:
    """All equations hold for it; the source does not say it."""
    document, printed = make_report(layout, "2021", 1)
    section = load_forms().generations["2021"].sections[THREE]
    truth = true_reply(section, printed)
    made_up = true_reply(section, flatten.as_printed(flatten.make_values("2021", 2)))
    found = align(document, section, made_up)
    assert {row_id for row_id, row in found.items() if row.outcome != "mismatch"} == {
        row_id for row_id in truth if truth[row_id] == made_up[row_id]
    }
    zeros: Reply = dict.fromkeys(truth, ("0",) * 7)
    agreeing = {row_id for row_id, row in align(document, section, zeros).items() if row.outcome != "mismatch"}
    assert agreeing == {row_id for row_id in truth if set(truth[row_id]) == {"0"}}


# ---------------------------------------------------------------- damaged documents


def damage(seed: int, layouts: list[str], kinds: tuple[mutations.Mutation, ...]) -> tuple[Document, str, Any] | None:
    rng = random.Random(seed)
    generation = rng.choice(GENERATIONS)
    share = rng.choice([0, 0, 0.05, 0.3])
    values = flatten.as_printed(flatten.make_values(generation, rng.randrange(20)))
    printed = {name: "" if rng.random() < share else text for name, text in values.items()}
    layout = rng.choice(layouts)
    charset = "gbk" if layout == "html_page" else "utf-8"
    text = flatten.LAYOUTS[layout](flatten.build_tables(generation, printed)).decode(charset)
    try:
        damaged = rng.choice(kinds)(rng, text).encode(charset)
        return read_document(damaged, "damaged", Settings()), generation, printed
    except EmptySource:
        return None


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize(
    ("layouts", "kinds"),
    [
        (DAMAGEABLE, mutations.TEXT_MUTATIONS),
        (["html_page"], mutations.HTML_MUTATIONS),
    ],
    ids=["text", "markup"],
)
def test_a_damaged_document_confirms_no_row_of_another(
    block: int, layouts: list[str], kinds: tuple[mutations.Mutation, ...]
) -> None:
    """Of all rows of the table tried for each label, only its own is placed, or it says that it is out of order."""
    for seed in range(block * 10, block * 10 + 10):
        damaged = damage(seed, layouts, kinds)
        if damaged is None:
            continue
        document, generation, printed = damaged
        section = load_forms().generations[generation].sections[THREE]
        chunk = next((c for c in split_chunks(document) if c.section == THREE and (c.table or c.runs)), None)
        if chunk is None:
            continue
        truth = true_reply(section, printed)
        for shift in (0, 1, 2, len(truth) - 1):
            order = list(truth)
            reply = {row_id: truth[order[(i + shift) % len(order)]] for i, row_id in enumerate(order)}
            for row_id, row in align_rows(document, chunk, section, reply).items():
                check_row(document, reply[row_id], row)
                is_right = reply[row_id] == truth[row_id]
                assert row.outcome not in ("placed", "blank") or is_right or row.is_out_of_order, (seed, row_id)


@pytest.mark.parametrize("page_number", ["\n- 4 -\n", "\n第 4 页\n"])
def test_a_page_number_inside_a_row_leaves_no_empty_cell(page_number: str) -> None:
    """Where all pieces of text are joined by tabs and empty cells are lost, it looks like one."""
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    section = load_forms().generations["2021"].sections[THREE]
    printed[section.field_id("carried_in", "business")] = ""
    text = flatten.joined_by_tabs(flatten.build_tables("2021", printed)).decode()
    row = true_reply(section, printed)["carried_in"]
    cells = [cell for cell in row if cell is not None]
    line = "\t".join(["二、上年结转政府信息公开申请数量", *cells])
    broken = line.replace(
        "\t".join(cells), "\t".join([*cells[:3], page_number, *cells[3:]]).replace(f"\t{page_number}", page_number)
    )
    assert text.count(line) == 1
    document = read(text.replace(line, broken))
    for place in range(7):
        reply: Reply = {"carried_in": (*cells[:place], None, *cells[place:])}
        assert align(document, section, reply)["carried_in"].outcome != "placed"


CELLS = st.tuples(*[st.sampled_from([None, "0", "12", "/", "1,2", "二", " ", "0件"])] * 3)


@settings(max_examples=150, deadline=None)
@given(st.text("规章行政规范性文件许可其他总计本年制发废止现有效件数（一）第.0123/二 \t\n|\u200b", max_size=160), CELLS)
def test_any_text_is_aligned_without_an_exception(text: str, cells: tuple[str | None, ...]) -> None:
    names = "信息内容\t本年制发件数\t本年废止件数\t现行有效件数\n"
    document = read("报告\n二、主动公开政府信息情况\n" + names + text)
    chunk, section = find_chunk(document, TWO), form(TWO)
    reply: Reply = {"regulations": cells, "normative_documents": cells[1:], "licences": cells[:1], "penalties": ()}
    for row_id, row in align_rows(document, chunk, section, reply).items():
        check_row(document, reply[row_id], row)
