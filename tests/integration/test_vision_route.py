"""Rows of a scan go to an image model as pictures, and what it says is compared with the grid, cell by cell.

The model is simulated (tests.loopback.pictures): it finds every picture on the page that it knows and says what stands
there, with mistakes where a test wants them. So these tests show what becomes of right and of wrong replies, and
nothing about how well any model reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.errors import SettingsError, UnreadableSource
from extractor.forms import load_forms
from extractor.llm.budget import Limits
from extractor.llm.calls import BudgetReached
from extractor.llm.session import open_live, open_recorded
from extractor.model import Box, CellState, Document, Doubt, Heading, Page, Paper, Reading, Record
from extractor.pipeline import _conclude, process_document
from extractor.readers.llm.vision import Crop, VisionReader
from extractor.readers.looks import choose_looks
from extractor.readers.policy import Policy
from extractor.readers.template import TemplateReader
from extractor.settings import Price, Settings
from extractor.sources import load_document
from extractor.sources.pages import crop_page_png
from extractor.sources.view import fold_view
from extractor.store.journal import Journal
from tests.loopback.answerers import QueuedAnswers
from tests.loopback.messages import Answer, Answerer
from tests.loopback.pictures import PictureReader, Rows
from tests.loopback.server import LoopbackServer, running_server
from tests.sheets import UNREAD, Sheet

A, P, R = "applications", "proactive_disclosure", "review_litigation"
NO_LIMIT = Limits()
MODEL = "simulated"
GRANTED = f"{A}.granted.business"
ISSUED = f"{P}.normative_documents.issued"
REVIEWS = f"{R}.review.upheld"


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    values = flatten.make_values("2021", 1)
    rest = values[f"{R}.review.total"] - values[REVIEWS]
    return Sheet(flatten.as_printed(values | {ISSUED: 138, REVIEWS: 7, f"{R}.review.total": rest + 7}))


def settings_for(server: LoopbackServer | None, folder: Path) -> Settings:
    url = server.base_url if server else "http://127.0.0.1:9/v1"
    prices = {MODEL: Price(input=1.0, output=2.0)}
    return Settings(
        model=MODEL,
        base_url=url,
        journal=str(folder / "journal.sqlite"),
        reply_mode="json_schema",
        prices=prices,
        call_attempts=1,
        reasks=0,
    )


class Outcome:
    """What one look at a document gave."""

    def __init__(self, document: Document, draft: Record, seen: Reading, record: Record) -> None:
        self.document = document
        self.draft = draft
        self.seen = seen
        self.record = record

    def decisions(self, *fields: str) -> dict[str, str]:
        return {name: self.record.fields[name].decision for name in fields}

    def codes(self, field_id: str) -> set[str]:
        return {flag.code for flag in self.record.flags if field_id in flag.fields}

    def accepted_wrong(self, sheet: Sheet) -> list[str]:
        return [
            f"{name}: {field.raw!r} for {sheet.printed[name]!r}"
            for name, field in self.record.fields.items()
            if name in sheet.printed and field.decision == "accepted" and (field.raw or "") != sheet.printed[name]
        ]


def look_at(
    document: Document,
    crop: Crop,
    settings: Settings,
    *,
    policy: Policy = "both",
    limits: Limits = NO_LIMIT,
    document_limits: Limits = NO_LIMIT,
    replay: Path | None = None,
) -> Outcome:
    """The rules, then the image model, then all that follows."""
    chunks = split_chunks(document)
    template, draft = TemplateReader().read(document, chunks), process_document(document)
    looks = choose_looks(policy, document, chunks, template, draft)

    async def run() -> Reading:
        live = open_live if replay is None else None
        session = live(settings, limits, document_limits, lambda _: None) if live else open_recorded(settings, replay)
        try:
            return await VisionReader(session.asker, session.model, settings, crop).read(document, looks)
        finally:
            await session.aclose()

    seen = asyncio.run(run())
    return Outcome(document, draft, seen, _conclude(document, (), [template, seen]))


def look(
    sheet: Sheet,
    folder: Path,
    answerer: Answerer | None = None,
    *,
    read: Mapping[str, str] | None = None,
    doubts: Mapping[str, Doubt] | None = None,
    **given: Any,
) -> Outcome:
    with running_server(answerer or PictureReader(sheet)) as server:
        return look_at(sheet.document(read, doubts), sheet.crop, settings_for(server, folder), **given)


# ---------------------------------------------------------------- what becomes of a reply


def test_what_both_saw_alike_is_accepted(sheet: Sheet, tmp_path: Path) -> None:
    """Doubts about the ink alone send a field to review; a second reader of the same ink lifts them."""
    doubts: dict[str, Doubt] = {GRANTED: "unsure", ISSUED: "looks_differ", REVIEWS: "structure"}
    found = look(sheet, tmp_path, doubts=doubts)
    assert {found.draft.fields[name].decision for name in doubts} == {"review"}
    assert found.decisions(*doubts) == dict.fromkeys(doubts, "accepted")
    assert found.record.fields[ISSUED].confirmed_by == ("vision",)
    assert found.record.fields[ISSUED].reader == "template"
    fields = [name for name in found.record.fields if name in sheet.printed]
    assert len(fields) == len(sheet.printed)
    assert {found.record.fields[name].confirmed_by for name in fields} == {("vision",)}


@pytest.mark.parametrize("field_id", [GRANTED, ISSUED, REVIEWS])
def test_what_they_saw_differently_goes_to_review_with_both_values(sheet: Sheet, tmp_path: Path, field_id: str) -> None:
    """The engine took the printed number for another."""
    found = look(sheet, tmp_path, read={field_id: "4071"})
    field = found.record.fields[field_id]
    assert (field.decision, field.raw) == ("review", "4071")
    assert "reader-disagreement" in found.codes(field_id)
    assert [(one.reader, one.raw) for one in field.candidates] == [("vision", sheet.printed[field_id])]
    assert found.accepted_wrong(sheet) == []


def test_what_the_model_alone_could_read_is_for_a_person(sheet: Sheet, tmp_path: Path) -> None:
    """Also a 0, and also where every equation holds with it."""
    zero = next(name for name, text in sheet.printed.items() if name.startswith(A) and text == "0")
    unread = [GRANTED, ISSUED, REVIEWS, zero]
    found = look(sheet, tmp_path, read=dict.fromkeys(unread, UNREAD))
    for name in unread:
        field = found.record.fields[name]
        assert (field.decision, field.reader, field.raw) == ("review", "vision", sheet.printed[name])
        assert "model-alone" in found.codes(name)
    assert not [equation.id for equation in found.record.equations if equation.result == "fail"]


def test_a_candidate_has_the_place_of_the_grid_cell(sheet: Sheet, tmp_path: Path) -> None:
    found = look(sheet, tmp_path, read={GRANTED: UNREAD})
    own, by_rules = found.record.fields[GRANTED].spans[0], found.draft.fields[GRANTED].spans[0]
    assert own == by_rules
    assert own.place is not None
    placed = next(
        one
        for one in sheet.tables[1].cells
        if one.is_value and sheet.fields[A, one.cell.row, one.cell.column] == GRANTED
    )
    assert own.place.box == placed.box


def test_an_empty_cell_with_traces_is_accepted_when_the_model_sees_nothing_either(tmp_path: Path) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 1)) | {ISSUED: ""}
    sheet = Sheet(printed, parts=(P, A))
    found = look(sheet, tmp_path, doubts={ISSUED: "faint"})
    assert found.draft.fields[ISSUED].decision == "review"
    field = found.record.fields[ISSUED]
    assert (field.state, field.decision, field.confirmed_by) == (CellState.BLANK, "accepted", ("vision",))


@pytest.mark.parametrize(("inked", "read"), [("138", ""), ("", "1"), ("0", ""), ("", UNREAD)])
def test_nothing_against_ink_stays_in_review(tmp_path: Path, inked: str, read: str) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 1)) | {ISSUED: inked}
    sheet = Sheet(printed, parts=(P, A))
    found = look(sheet, tmp_path, read={ISSUED: read})
    assert found.record.fields[ISSUED].decision == "review"
    assert found.codes(ISSUED) & {"reader-disagreement", "model-alone"}


# ---------------------------------------------------------------- replies that are wrong


def shift_labels(rows: Rows) -> Rows:
    return [[str(int(row[0] or 0) + 1), *row[1:]] for row in rows]


def drop_cell(rows: Rows) -> Rows:
    return [[row[0], *row[2:]] for row in rows]


def add_cell(rows: Rows) -> Rows:
    return [[row[0], None, *row[1:]] for row in rows]


def invent_rows(rows: Rows) -> Rows:
    width = max(len(row) for row in rows)
    return [*rows, *([str(number), *["5"] * (width - 1)] for number in range(1, 40))]


def swap_columns(rows: Rows) -> Rows:
    return [[row[0], *reversed(row[1:])] for row in rows]


def doubt_all(rows: Rows) -> Rows:
    return [[row[0], *("?" for _ in row[1:])] for row in rows]


def say_nothing(rows: Rows) -> Rows:
    return []


#: Mistakes after which nothing of the reply is taken.
WITHOUT_USE = (drop_cell, add_cell, doubt_all, say_nothing)
#: Mistakes that contradict what the engine read.
CONTRADICTING = (shift_labels, invent_rows, swap_columns)


@pytest.mark.parametrize("spoil", WITHOUT_USE, ids=lambda spoil: spoil.__name__)
def test_a_reply_that_does_not_fit_the_grid_says_nothing(
    sheet: Sheet, tmp_path: Path, spoil: Callable[[Rows], Rows]
) -> None:
    """Shifted rows, cells that it could not tell, rows left out: all as without it."""
    doubts: dict[str, Doubt] = {GRANTED: "unsure", ISSUED: "looks_differ"}
    found = look(sheet, tmp_path, PictureReader(sheet, spoil), doubts=doubts, read={REVIEWS: UNREAD})
    assert found.seen.candidates == {}
    assert found.record.fields == found.draft.fields
    assert found.decisions(*doubts, REVIEWS) == dict.fromkeys([*doubts, REVIEWS], "review")


@pytest.mark.parametrize("spoil", CONTRADICTING, ids=lambda spoil: spoil.__name__)
def test_a_reply_about_other_cells_makes_nothing_wrong_accepted(
    sheet: Sheet, tmp_path: Path, spoil: Callable[[Rows], Rows]
) -> None:
    """The engine misread three cells, and the model answers for other rows or columns."""
    read = {GRANTED: "4071", ISSUED: "188", REVIEWS: "1"}
    found = look(sheet, tmp_path, PictureReader(sheet, spoil), read=read, doubts=dict.fromkeys(read, "unsure"))
    assert found.accepted_wrong(sheet) == []
    assert found.decisions(*read) == dict.fromkeys(read, "review")


def test_rows_of_other_numbers_are_no_rows_of_the_picture(sheet: Sheet, tmp_path: Path) -> None:
    """One row is shown; a reply about all rows of the table counts for that one alone."""
    whole = load_forms().generations["2021"].sections[A]

    def say_all(_: Rows) -> Rows:
        return [
            [str(number), *(sheet.printed[whole.field_id(row.id, column.id)] for column in row.columns)]
            for number, row in enumerate(whole.rows, start=1)
        ]

    found = look(sheet, tmp_path, PictureReader(sheet, say_all), read={GRANTED: UNREAD}, policy="auto")
    assert {name.rpartition(".")[0] for name in found.seen.candidates} == {f"{A}.granted"}


# ---------------------------------------------------------------- what is shown


def test_auto_shows_the_rows_in_doubt_and_no_others(sheet: Sheet, tmp_path: Path) -> None:
    reader = PictureReader(sheet)
    found = look(sheet, tmp_path, reader, doubts={GRANTED: "unsure", ISSUED: "unsure"}, policy="auto")
    assert {name.rpartition(".")[0] for name in found.seen.candidates} == {f"{A}.granted", f"{P}.normative_documents"}
    assert found.decisions(GRANTED, ISSUED) == {GRANTED: "accepted", ISSUED: "accepted"}
    forms = load_forms().generations["2021"].sections
    rows = {row for seen in reader.seen for row in sheet.rows_within(forms[A], seen.top, seen.bottom)}
    assert rows == {"granted"}


def test_auto_shows_nothing_of_a_page_without_doubts(sheet: Sheet, tmp_path: Path) -> None:
    reader = PictureReader(sheet)
    assert not look(sheet, tmp_path, reader, policy="auto").seen.candidates
    assert reader.seen == []


def test_the_note_on_what_adds_up_is_not_shown(sheet: Sheet, tmp_path: Path) -> None:
    """It stands in the corner of section 三, left of the first column of numbers and above the first row."""
    reader = PictureReader(sheet)
    look(sheet, tmp_path, reader)
    corner = sheet.tables[1].cells[0].box
    over = [seen for seen in reader.seen if seen.top < corner[3] - 3 and corner[1] + 3 < seen.bottom]
    assert over
    assert all(seen.left > corner[2] - 5 for seen in over)


# ---------------------------------------------------------------- whole pages


def test_a_page_without_a_table_is_shown_whole_and_gives_proposals_only(sheet: Sheet, tmp_path: Path) -> None:
    """The engine found the tables of the first page, and could not read the second."""
    whole = sheet.document()
    heading = whole.text.index("四、政府信息公开行政复议")
    lost = Sheet(sheet.printed, parts=(P, A)).document()
    text = lost.text + whole.text[heading : whole.text.index("\n", heading)] + "\n无。\n"
    document = _without_table(lost, text, heading_at=len(lost.text))
    reader = PictureReader(Sheet(sheet.printed, parts=(R,)))
    with running_server(reader) as server:
        other = Sheet(sheet.printed, parts=(R,))
        settings = settings_for(server, tmp_path)
        found = look_at(document, lambda d, page, boxes: (sheet, other)[page - 1].crop(d, page, boxes), settings)
    assert [seen.task for seen in reader.seen if seen.task == "page"] == ["page"]
    fields = {name: field for name, field in found.record.fields.items() if name.startswith(R)}
    assert len(fields) == 15
    assert {(field.state, field.decision) for field in fields.values()} == {(CellState.NOT_READ, "review")}
    assert [one.raw for one in fields[REVIEWS].candidates] == [sheet.printed[REVIEWS]]
    assert found.record.ledger[R] == "failed"
    assert found.record.status.value == "partial"


def _without_table(lost: Document, text: str, heading_at: int) -> Document:
    assert lost.paper is not None
    heading = Heading(R, heading_at, text.index("\n", heading_at))
    pages = (*lost.paper.pages, Page(2, 595.0, 842.0, "pt", read_by="failed"))
    paper = Paper(pages, lost.paper.words, lost.paper.cells)
    return replace(lost, text=text, view=fold_view(text), blocks=(*lost.blocks, heading), paper=paper)


# ---------------------------------------------------------------- when there is no reply


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(None, refusal="I cannot help with that."), "reply-refused"),
        (Answer('{"rows":[["1","2"'), "reply-invalid"),
        (Answer('{"rows":[["1","2"', finish_reason="length"), "reply-truncated"),
        (Answer(None, finish_reason="content_filter"), "reply-filtered"),
    ],
)
def test_without_a_usable_reply_the_record_is_that_of_the_rules(
    sheet: Sheet, tmp_path: Path, answer: Answer, code: str
) -> None:
    found = look(sheet, tmp_path, QueuedAnswers([answer]), doubts={ISSUED: "unsure"})
    assert code in {flag.code for flag in found.record.flags}
    assert found.record.fields == found.draft.fields
    assert found.record.status == found.draft.status


def test_a_page_that_cannot_be_cut_is_told_and_harms_nothing(sheet: Sheet, tmp_path: Path) -> None:
    def fail(document: Document, page: int, boxes: object) -> list[bytes]:
        raise UnreadableSource(document.path, "the worker was killed", "Try again")

    with running_server(PictureReader(sheet)) as server:
        found = look_at(sheet.document(doubts={ISSUED: "unsure"}), fail, settings_for(server, tmp_path))
        assert not server.chats
    assert "call-failed" in {flag.code for flag in found.record.flags}
    assert found.record.fields == found.draft.fields


# ---------------------------------------------------------------- money


def test_pictures_count_in_the_budget_of_a_document(sheet: Sheet, tmp_path: Path) -> None:
    with running_server(PictureReader(sheet)) as server:
        settings = settings_for(server, tmp_path)
        document = sheet.document(doubts={ISSUED: "unsure"})
        found = look_at(document, sheet.crop, settings, document_limits=Limits(max_tokens=1500))
        assert not server.chats
    assert "budget-reached" in {flag.code for flag in found.record.flags}
    assert found.record.fields == found.draft.fields


def test_the_limit_of_a_run_stops_it(sheet: Sheet, tmp_path: Path) -> None:
    with running_server(PictureReader(sheet)) as server, pytest.raises(BudgetReached):
        look_at(sheet.document(), sheet.crop, settings_for(server, tmp_path), limits=Limits(max_calls=1))


def test_a_second_run_asks_nothing_and_says_the_same(sheet: Sheet, tmp_path: Path) -> None:
    document = sheet.document(read={GRANTED: UNREAD, ISSUED: "183"})
    with running_server(PictureReader(sheet)) as server:
        settings = settings_for(server, tmp_path)
        first = look_at(document, sheet.crop, settings)
        paid = len(server.chats)
        again = look_at(document, sheet.crop, settings)
        assert len(server.chats) == paid > 0
    assert again.record == first.record
    with Journal.open(settings.journal) as journal:
        assert journal.spent().calls == paid
        assert journal.export_replies(tmp_path / "replies.jsonl") == paid
    replayed = look_at(document, sheet.crop, settings_for(None, tmp_path), replay=tmp_path / "replies.jsonl")
    assert replayed.record == first.record


def test_a_picture_that_changed_is_asked_for_anew(sheet: Sheet, tmp_path: Path) -> None:
    """The key covers the pixels: another scan of the same report is another question."""
    other = Sheet(sheet.printed | {ISSUED: "139"})
    with running_server(PictureReader(sheet)) as server:
        settings = settings_for(server, tmp_path)
        look_at(sheet.document(), sheet.crop, settings)
        paid = len(server.chats)
    with running_server(PictureReader(other)) as server:
        settings = settings_for(server, tmp_path)
        look_at(other.document(), other.crop, settings)
        asked = [seen.body["messages"][0]["content"] for seen in server.chats]
    assert paid > len(asked) > 0
    assert all(load_forms().generations["2021"].sections[P].title.split("、")[1] in system for system in asked)


def test_no_picture_is_kept_in_the_journal(sheet: Sheet, tmp_path: Path) -> None:
    with running_server(PictureReader(sheet)) as server:
        settings = settings_for(server, tmp_path)
        look_at(sheet.document(), sheet.crop, settings)
        urls = [
            part["image_url"]["url"].partition(",")[2]
            for seen in server.chats
            for part in seen.body["messages"][1]["content"]
            if part["type"] == "image_url"
        ]
    replies = tmp_path / "replies.jsonl"
    with Journal.open(settings.journal) as journal:
        journal.export_replies(replies, has_requests=True)
    kept = replies.read_text(encoding="utf-8")
    assert urls
    assert kept.count("请抄录图中的行") == len(server.chats)
    assert all(url[200:280] not in kept for url in urls)


def test_limits_in_usd_need_a_price(sheet: Sheet, tmp_path: Path) -> None:
    settings = settings_for(None, tmp_path).model_copy(update={"prices": {}})
    with pytest.raises(SettingsError, match="price"):
        look_at(sheet.document(), sheet.crop, settings, limits=Limits(max_usd=1))


def test_versions_name_the_model_and_the_prompt_apart_from_those_of_the_text(sheet: Sheet, tmp_path: Path) -> None:
    versions = look(sheet, tmp_path).record.versions
    assert versions["vision.model"] == MODEL
    assert versions["vision.replies"] == "live"
    assert "prompt.strips" in versions
    assert "model" not in versions


# ---------------------------------------------------------------- the whole way


def cut_by_worker(settings: Settings, dpi: int) -> Crop:
    """Pieces cut by a worker process, as a run does it."""

    def crop(document: Document, page: int, boxes: Sequence[Box]) -> list[bytes]:
        return crop_page_png(document.raw, document.path, page, boxes, settings, dpi=dpi)

    return crop


def test_a_scan_goes_the_whole_way(tmp_path: Path) -> None:
    """A page of ink is recognised, its rows are cut out by a worker, and the model reads them alike.

    The page is synthetic, the model simulated. Pictures that differ between two runs would be asked for twice.
    """
    sheet = Sheet(flatten.as_printed(flatten.make_values("2021", 1)), parts=(P,), dpi=200)
    path = tmp_path / "scan.pdf"
    path.write_bytes(sheet.raw)
    with running_server(PictureReader(sheet)) as server:
        settings = settings_for(server, tmp_path).model_copy(update={"page_workers": 1})
        document = load_document(path, settings)
        crop = cut_by_worker(settings, sheet.dpi)
        first = look_at(document, crop, settings)
        paid = len(server.chats)
        again = look_at(document, crop, settings)
        assert len(server.chats) == paid == 1
    assert document.paper is not None
    assert document.paper.pages[0].read_by == "ocr"
    assert again.record == first.record
    assert first.accepted_wrong(sheet) == []
    alike = [
        name for name in sheet.printed if name.startswith(P) and first.draft.fields[name].raw == sheet.printed[name]
    ]
    assert len(alike) >= 8
    assert {first.record.fields[name].confirmed_by for name in alike} == {("vision",)}
    ink = [name for name in alike if first.codes(name) & {"ocr-uncertain", "ocr-unconfirmed"}]
    assert ink == []
