"""Many documents at once: in the order of the run, not too many, and nothing left behind when it ends early."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import flatten
import pymupdf
import pytest

from extractor.bulk.flow import ModelPart, process_concurrently
from extractor.bulk.works import Made, Work
from extractor.errors import EmptySource, OutputError, PagesNotRead, SettingsError
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import Asker, BudgetReached, Call, CallError, Reply, ServerRefused, Usage, call_key
from extractor.llm.session import Session
from extractor.model import Origin, Status
from extractor.readers.llm import LlmReader
from extractor.settings import Settings
from extractor.sources.pages.workers import close_workers
from extractor.store.journal import Journal

TABLES = flatten.build_tables("2021", flatten.as_printed(flatten.make_values("2021", 1)))
REPORT = flatten.tab_rows(TABLES).decode().replace("公开意识有待加强", "{name}局公开意识有待加强")
NOTHING = {"facts": [], "problems": [], "measures": []}
#: What is done before a call of a document is answered; it may raise.
Before = Callable[[str], Awaitable[None]]


async def at_once(name: str) -> None:
    return


class Watching(Asker):
    """Answers that nothing is stated, and watches who asks at the same time."""

    def __init__(self, before: Before) -> None:
        self.before = before
        self.at_work: set[str] = set()
        self.most_at_work = 0
        self.cancelled: list[str] = []

    async def ask(self, call: Call) -> Reply:
        name = call.user.split("局公开意识")[0][-2:] if "局公开意识" in call.user else "?"
        self.at_work.add(call.document_id)
        self.most_at_work = max(self.most_at_work, len(self.at_work))
        try:
            await self.before(name)
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.at_work.discard(call.document_id)
        value = dict.fromkeys(call.schema.model_fields) if call.task == "header" else NOTHING
        return Reply(call_key(call, "m", {}), call.schema.model_validate(value), Usage(), "simulated")


class Closing(Session):
    """Notes that it was closed."""

    is_closed = False

    async def aclose(self) -> None:
        await super().aclose()
        self.is_closed = True


@pytest.fixture
def works(tmp_path: Path) -> list[Work]:
    """Two dozen reports, by two digits."""
    made = []
    for number in range(24):
        path = tmp_path / f"{number:02}.txt"
        path.write_text(REPORT.format(name=f"{number:02}"), encoding="utf-8")
        made.append(Work(str(path), f"{number:02}", (Origin(path.name, url=f"http://{number}"),), 24))
    return made


def start(
    works: list[Work], tmp_path: Path, before: Before = at_once, **given: Any
) -> tuple[Iterator[tuple[Work, Made | Exception]], Watching, Closing]:
    settings = Settings(model="m", journal=str(tmp_path / "journal.sqlite"), **given)
    journal = Journal.open(settings.journal)
    session = Closing(JournalAsker("m", {}, journal), journal, None, Budget(Limits(), Limits(), None))
    asker = Watching(before)
    part = ModelPart("auto", LlmReader(asker, "m", settings), session)
    return process_concurrently(works, part, settings), asker, session


def names(results: list[tuple[Work, Made | Exception]]) -> list[str]:
    return [Path(work.path).stem for work, _ in results]


def test_records_come_in_the_order_of_the_run_whoever_is_ready_first(works: list[Work], tmp_path: Path) -> None:
    async def first_ones_last(name: str) -> None:
        await asyncio.sleep(0.05 if name < "08" else 0)

    results, _, _ = start(works, tmp_path, first_ones_last, concurrency=4)
    found = list(results)
    assert names(found) == [f"{number:02}" for number in range(24)]
    assert all(isinstance(made, Made) and made.record.document.path == work.path for work, made in found)
    assert [made.record.origins for _, made in found if isinstance(made, Made)] == [work.origins for work in works]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_as_many_documents_ask_at_once_as_twice_the_calls(works: list[Work], tmp_path: Path, concurrency: int) -> None:
    are_all_here = asyncio.Event()

    async def wait_for_the_others(name: str) -> None:
        if len(asker.at_work) >= 2 * concurrency:
            are_all_here.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(are_all_here.wait(), 30)
        are_all_here.set()
        await asyncio.sleep(0.05)  # for one more than there may be

    results, asker, _ = start(works, tmp_path, wait_for_the_others, concurrency=concurrency)
    list(results)
    assert asker.most_at_work == 2 * concurrency


def test_a_slow_document_does_not_let_all_others_pile_up_behind_it(works: list[Work], tmp_path: Path) -> None:
    asked: list[str] = []
    go = asyncio.Event()

    async def first_one_waits(name: str) -> None:
        asked.append(name)
        if name == "00":
            await asyncio.wait_for(go.wait(), 5)
        elif len(set(asked)) == 8:  # four documents for each call, the slow one included
            asyncio.get_running_loop().call_later(0.05, go.set)

    results, _, _ = start(works, tmp_path, first_one_waits, concurrency=2)
    next(results)
    assert sorted(set(asked)) == [f"{number:02}" for number in range(8)]
    assert len(list(results)) == 23


def test_a_file_that_cannot_be_read_is_an_error_in_its_place(works: list[Work], tmp_path: Path) -> None:
    Path(works[3].path).write_bytes(b"")
    results, _, _ = start(works, tmp_path)
    found = list(results)
    assert names(found) == [f"{number:02}" for number in range(24)]
    assert isinstance(found[3][1], EmptySource)
    assert sum(isinstance(made, Made) for _, made in found) == 23


def test_an_unforeseen_error_is_that_documents_alone(works: list[Work], tmp_path: Path) -> None:
    async def breaks(name: str) -> None:
        if name == "05":
            raise ZeroDivisionError

    results, _, _ = start(works, tmp_path, breaks)
    found = list(results)
    assert isinstance(found[5][1], ZeroDivisionError)
    assert sum(isinstance(made, Made) for _, made in found) == 23


def test_a_call_that_fails_is_no_error_of_the_run(works: list[Work], tmp_path: Path) -> None:
    async def breaks(name: str) -> None:
        if name == "05":
            raise CallError("HTTP 400")

    results, _, _ = start(works, tmp_path, breaks)
    statuses = [made.record.status for _, made in results if isinstance(made, Made)]
    assert [number for number, status in enumerate(statuses) if status is not Status.SUCCEEDED] == [5]
    assert statuses[5] is Status.PARTIAL


@pytest.mark.parametrize(
    ("error", "is_waited_for"),
    [
        (BudgetReached("enough", "run"), True),
        (ServerRefused("401"), True),
        (OutputError("disk full"), False),
        (SettingsError("prompt"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_wrong_for_all_ends_the_run_behind_the_documents_before_it(
    works: list[Work], tmp_path: Path, error: Exception, is_waited_for: bool
) -> None:
    """Requests under way are paid for; where only the model stops, they come to their end."""

    async def ends(name: str) -> None:
        if name == "05":
            raise error
        if name > "05":
            await asyncio.sleep(0.2 if is_waited_for else 60)

    results, asker, session = start(works, tmp_path, ends, concurrency=4)
    with pytest.raises(type(error)):
        list(results)
    assert (asker.cancelled == []) is is_waited_for
    assert asker.at_work == set()
    assert session.is_closed


def test_records_in_front_of_what_ends_the_run_are_handed_over(works: list[Work], tmp_path: Path) -> None:
    async def ends(name: str) -> None:
        if name == "05":
            raise ServerRefused("401")

    results, _, _ = start(works, tmp_path, ends)
    assert names([next(results) for _ in range(5)]) == ["00", "01", "02", "03", "04"]
    with pytest.raises(ServerRefused):
        next(results)


def test_a_run_that_is_left_early_leaves_nothing_behind(works: list[Work], tmp_path: Path) -> None:
    async def slow(name: str) -> None:
        await asyncio.sleep(0 if name == "00" else 60)

    results, asker, session = start(works, tmp_path, slow, concurrency=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert asker.cancelled != []
    assert asker.at_work == set()
    assert session.is_closed


def test_a_run_to_the_end_closes_its_session(works: list[Work], tmp_path: Path) -> None:
    results, _, session = start(works, tmp_path)
    assert len(list(results)) == 24
    assert session.is_closed


def test_no_documents_are_no_records(tmp_path: Path) -> None:
    results, _, session = start([], tmp_path)
    assert list(results) == []
    assert session.is_closed


# ---------------------------------------------------------------- documents with pages


def make_endless_pdf() -> bytes:
    """One page whose drawing takes for ever: forms that draw forms."""
    document = pymupdf.open()
    page = document.new_page(width=100, height=100)
    head = "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]{}>>"
    inner = document.get_new_xref()
    document.update_object(inner, head.format(""))
    document.update_stream(inner, b"0 0 9 9 re f")
    for _ in range(12):
        outer = document.get_new_xref()
        document.update_object(outer, head.format(f"/Resources<</XObject<</X {inner} 0 R>>>>"))
        document.update_stream(outer, b"/X Do " * 8)
        inner = outer
    contents = document.get_new_xref()
    document.update_object(contents, "<<>>")
    document.update_stream(contents, b"/X Do")
    document.xref_set_key(page.xref, "Contents", f"{contents} 0 R")
    document.xref_set_key(page.xref, "Resources", f"<</XObject<</X {inner} 0 R>>>>")
    return bytes(document.tobytes())


@pytest.fixture
def slow_pdf(tmp_path: Path) -> Iterator[Work]:
    path = tmp_path / "slow.pdf"
    path.write_bytes(make_endless_pdf())
    yield Work(str(path), "slow", (), 25)
    close_workers()


def test_a_document_whose_pages_are_read_holds_up_no_other(works: list[Work], slow_pdf: Work, tmp_path: Path) -> None:
    asked: set[str] = set()

    async def note(name: str) -> None:
        asked.add(name)

    results, _, _ = start([slow_pdf, *works], tmp_path, note, page_timeout_s=5, page_workers=1)
    _, error = next(results)
    assert isinstance(error, PagesNotRead)
    assert asked == {f"{number:02}" for number in range(24)}  # while it was read
    assert names(list(results)) == [f"{number:02}" for number in range(24)]


def test_a_run_left_early_does_not_wait_for_pages(works: list[Work], slow_pdf: Work, tmp_path: Path) -> None:
    results, _, session = start([works[0], slow_pdf], tmp_path, page_timeout_s=1000, page_workers=1)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert session.is_closed


def test_records_of_pdfs_come_in_order_with_the_others(works: list[Work], tmp_path: Path) -> None:
    for number in (0, 3, 4):
        document = pymupdf.open()
        document.new_page().insert_text((50, 50), f"{number:02}局公开意识", fontname="china-s")
        document.save(works[number].path)
    results, _, _ = start(works[:6], tmp_path, page_workers=1)
    found = list(results)
    close_workers()
    assert names(found) == [f"{number:02}" for number in range(6)]
    kinds = [made.document.media_type for _, made in found if isinstance(made, Made)]
    assert [kind == "application/pdf" for kind in kinds] == [number in (0, 3, 4) for number in range(6)]
