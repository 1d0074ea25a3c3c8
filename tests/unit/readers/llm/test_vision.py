"""Replies about pieces of paper: what becomes a candidate, and what says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import flatten
import pytest

from extractor.errors import UnreadableSource
from extractor.llm.calls import Call, Image, ReplyFiltered, ReplyInvalid, ReplyRefused, ServerRefused
from extractor.model import Box, CellState, Document, Page, Paper, Reading
from extractor.readers.llm.vision import VisionReader
from extractor.readers.looks import Looks
from extractor.settings import Settings
from tests.sheets import UNREAD, Sheet
from tests.unit.readers.llm.scripted import Answering, ScriptedAsker
from tests.unit.readers.test_looks import look_at

A, P, R = "applications", "proactive_disclosure", "review_litigation"
GRANTED = f"{A}.granted"
COLUMNS = ("natural_person", "business", "research", "public_welfare", "legal_service", "other_org", "total")
TRUE = ("1", "2", "3", "4", "5", "6", "21")


@pytest.fixture(scope="module")
def document() -> Document:
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    return Sheet(printed).document({f"{GRANTED}.business": UNREAD})


def cut(document: Document, page: int, boxes: Sequence[Box]) -> list[bytes]:
    return [f"page {page}, {box}".encode() for box in boxes]


def read(
    document: Document, answer: Answering, looks: Looks | None = None, reasks: int = 0
) -> tuple[Reading, ScriptedAsker]:
    asker = ScriptedAsker(answer)
    reader = VisionReader(asker, "m", Settings(reasks=reasks), cut)
    return asyncio.run(reader.read(document, look_at(document) if looks is None else looks)), asker


def answer_with(*rows: Sequence[str | None]) -> Answering:
    return lambda call: {"rows": [list(row) for row in rows]}


def cells_of(reading: Reading) -> list[tuple[CellState, object, str | None] | None]:
    """What is said of each column of the one row that is asked for."""
    found = [reading.candidates.get(f"{GRANTED}.{name}") for name in COLUMNS]
    return [(one[0].state, one[0].value, one[0].raw) if one else None for one in found]


# ---------------------------------------------------------------- what is asked


def test_a_call_shows_the_header_and_the_row_and_names_no_row(document: Document) -> None:
    """Which row it is the model must read off the label."""
    _, asker = read(document, answer_with(["3", *TRUE]))
    (call,) = asker.calls
    assert (call.task, len(call.images), call.document_id) == ("strips", 2, document.id)
    assert all(isinstance(image, Image) and image.media_type == "image/png" for image in call.images)
    assert not any(char.isdigit() for char in call.user)
    assert "全是数据" in call.system


def test_a_page_is_opened_once_for_all_its_pieces(document: Document) -> None:
    opened: list[tuple[int, int]] = []

    def count(document: Document, page: int, boxes: Sequence[Box]) -> list[bytes]:
        opened.append((page, len(boxes)))
        return cut(document, page, boxes)

    reader = VisionReader(ScriptedAsker(answer_with()), "m", Settings(), count)
    asyncio.run(reader.read(document, look_at(document, "both")))
    assert opened == [(1, 5)]  # two calls about section 三 show the same header


# ---------------------------------------------------------------- cells


def test_a_cell_is_read_as_the_rules_read_it(document: Document) -> None:
    cells = ["12件", None, "/", "１２", "（空）", "3.5", "0"]
    reading, _ = read(document, answer_with(["3", *cells]))
    assert cells_of(reading) == [
        (CellState.VALUE, 12, "12件"),
        (CellState.BLANK, None, None),
        (CellState.NA_MARK, None, "/"),
        (CellState.VALUE, 12, "１２"),
        (CellState.UNPARSABLE, None, "（空）"),
        (CellState.VALUE, Decimal("3.5"), "3.5"),
        (CellState.VALUE, 0, "0"),
    ]
    for name in COLUMNS:
        (candidate,) = reading.candidates[f"{GRANTED}.{name}"]
        assert (candidate.reader, candidate.alignment) == ("vision", None)


def test_each_cell_has_the_span_of_the_grids_cell(document: Document) -> None:
    (look,) = look_at(document).tables
    reading, _ = read(document, answer_with(["3", *TRUE]))
    assert [reading.candidates[f"{GRANTED}.{name}"][0].spans for name in COLUMNS] == [
        (cell,) for cell in look.rows[0].cells
    ]


@pytest.mark.parametrize("unsure", ["?", "？", "1?", " ? "])
def test_a_cell_that_the_model_could_not_tell_has_no_candidate(document: Document, unsure: str) -> None:
    reading, _ = read(document, answer_with(["3", unsure, *TRUE[1:]]))
    assert [said is None for said in cells_of(reading)] == [True, *[False] * 6]


def test_an_empty_string_is_an_empty_cell_and_glued_digits_are_no_number(document: Document) -> None:
    reading, _ = read(document, answer_with(["3", "", " ", "0021", *TRUE[3:]]))
    assert [said[0] for said in cells_of(reading)[:3] if said] == [
        CellState.BLANK,
        CellState.BLANK,
        CellState.UNPARSABLE,
    ]


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["3", *TRUE[1:]]],
        [["3", None, *TRUE]],
        [["3"]],
        [["4", *TRUE]],
        [["99", *TRUE]],
        [["三", *TRUE]],
        [["3", *TRUE], ["3", *TRUE[::-1]]],
    ],
    ids=["none", "one too few", "one too many", "no cells", "not shown", "not in the form", "no number", "two ways"],
)
def test_a_row_that_does_not_fit_says_nothing(document: Document, rows: list[list[str | None]]) -> None:
    reading, _ = read(document, answer_with(*rows))
    assert reading.candidates == {}


def test_a_row_that_is_given_twice_alike_counts(document: Document) -> None:
    reading, _ = read(document, answer_with(["3", *TRUE], ["3", *TRUE]))
    assert len(reading.candidates) == 7


def test_only_rows_that_were_looked_at_count(document: Document) -> None:
    """Others may stand in the same strip, or be invented."""
    reading, _ = read(document, answer_with(*([str(number), *TRUE] for number in range(1, 30))))
    assert set(reading.candidates) == {f"{GRANTED}.{name}" for name in COLUMNS}


def test_the_generation_is_that_of_the_rules(document: Document) -> None:
    reading, _ = read(document, answer_with(["3", *TRUE]))
    assert (reading.reader, reading.generation, reading.unread) == ("vision", {A: "2021"}, ())


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize("error", [ReplyRefused("no"), ReplyFiltered("no")])
def test_a_call_without_a_reply_is_told_and_leaves_nothing_unread(document: Document, error: Exception) -> None:
    """The rules have read the row; a second look that failed takes nothing away."""
    reading, _ = read(document, lambda call: error)
    assert [flag.code for flag in reading.flags] == [error.code]  # type: ignore[attr-defined]
    assert (reading.candidates, reading.unread) == ({}, ())


def test_an_invalid_reply_is_asked_for_again(document: Document) -> None:
    answers: list[Mapping[str, object] | Exception] = [ReplyInvalid("no"), {"rows": [["3", *TRUE]]}]
    reading, asker = read(document, lambda call: answers.pop(0), reasks=1)
    assert [call.round for call in asker.calls] == [0, 1]
    assert len(reading.candidates) == 7


def test_one_call_that_fails_leaves_the_others(document: Document) -> None:
    def answer(call: Call) -> Mapping[str, object] | Exception:
        return ReplyRefused("no") if "行政复议" in call.system else {"rows": [["3", "1", "2", "3"], ["3", *TRUE]]}

    reading, _ = read(document, answer, look_at(document, "both"))
    assert "reply-refused" in {flag.code for flag in reading.flags}
    assert not any(name.startswith(R) for name in reading.candidates)


def test_a_server_that_refuses_everything_ends_the_run(document: Document) -> None:
    with pytest.raises(ServerRefused):
        read(document, lambda call: ServerRefused("no key"))


def test_a_page_that_cannot_be_cut_is_told(document: Document) -> None:
    def fail(document: Document, page: int, boxes: Sequence[Box]) -> list[bytes]:
        raise UnreadableSource("a.pdf", "killed", "Try again")

    asker = ScriptedAsker(answer_with())
    reading = asyncio.run(VisionReader(asker, "m", Settings(), fail).read(document, look_at(document)))
    assert [flag.code for flag in reading.flags] == ["call-failed"]
    assert asker.calls == []


def test_a_picture_beyond_all_measure_is_not_sent(document: Document) -> None:
    size = (9000).to_bytes(4, "big")
    huge = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + size + size

    asker = ScriptedAsker(answer_with())
    reader = VisionReader(asker, "m", Settings(), lambda document, page, boxes: [huge] * len(boxes))
    reading = asyncio.run(reader.read(document, look_at(document)))
    assert {flag.code for flag in reading.flags} == {"call-failed"}
    assert asker.calls == []


def test_a_document_without_pages_is_a_mistake_of_the_caller(document: Document) -> None:
    with pytest.raises(ValueError, match="without pages"):
        read(replace(document, paper=None), answer_with(), Looks())


# ---------------------------------------------------------------- whole pages


@pytest.fixture(scope="module")
def torn() -> Document:
    """Section 四 is nowhere in the text, and there is a page that could not be read."""
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    document = Sheet(printed, parts=(P, A)).document()
    assert document.paper is not None
    pages = (*document.paper.pages, Page(2, 595.0, 842.0, "pt", read_by="failed"))
    return replace(document, paper=Paper(pages, document.paper.words, document.paper.cells))


def answer_page(*rows: Sequence[str | None]) -> Answering:
    return lambda call: {"tables": [{"section": "四", "rows": [list(row) for row in rows]}]}


def test_what_stands_on_a_whole_page_is_proposed_and_not_read(torn: Document) -> None:
    reading, asker = read(torn, answer_page(["1", "7", None, "?", "0", "7"]))
    assert asker.tasks == ["page"]
    first, *proposals = reading.candidates[f"{R}.review.upheld"]
    assert (first.state, [one.raw for one in proposals]) == (CellState.NOT_READ, ["7"])
    assert len(reading.candidates) == 15
    assert all(one[0].state is CellState.NOT_READ for one in reading.candidates.values())
    assert all(not candidate.spans for one in reading.candidates.values() for candidate in one)
    (flag,) = reading.flags
    assert (flag.code, len(flag.fields)) == ("not-grounded", 15)


def test_tables_that_the_rules_found_are_not_taken_from_a_whole_page(torn: Document) -> None:
    def answer(call: Call) -> Mapping[str, object]:
        return {"tables": [{"section": "三", "rows": [["3", *TRUE]]}]}

    assert read(torn, answer)[0].candidates == {}


def test_a_page_that_shows_nothing_gives_nothing(torn: Document) -> None:
    reading, _ = read(torn, lambda call: {"tables": []})
    assert (reading.candidates, reading.flags, reading.generation) == ({}, (), {})


def test_two_pages_that_differ_are_two_proposals(torn: Document) -> None:
    paper = torn.paper
    assert paper is not None
    two = replace(torn, paper=Paper((*paper.pages, replace(paper.pages[-1], number=3)), paper.words, paper.cells))
    answers = [["1", "7", "0", "0", "0", "7"], ["1", "8", "0", "0", "0", "8"]]

    def answer(call: Call) -> Mapping[str, object] | Exception:
        return answer_page(answers.pop(0))(call)

    reading, asker = read(two, answer)
    assert len(asker.calls) == 2
    assert [one.raw for one in reading.candidates[f"{R}.review.upheld"][1:]] == ["7", "8"]
