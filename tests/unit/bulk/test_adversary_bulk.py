"""What a hostile tester found in runs that go on: each was once wrong."""

from __future__ import annotations

import io
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor.bulk.beside import has_changed, list_beside
from extractor.bulk.cluster.pictures import collect_pictures
from extractor.bulk.keeping import Ticket, _tell_state, fail, find_receipt, keep_batch
from extractor.bulk.making import Halt, set_aside
from extractor.bulk.plan import open_plan
from extractor.bulk.recipe import Recipe
from extractor.bulk.remaining import Resume
from extractor.errors import DamagedSource
from extractor.flags import make_flag
from extractor.model import Status
from extractor.review.intake import file_record
from extractor.settings import Settings
from extractor.store.store import Store
from tests.bulk_runs import ignore, read_account, read_records, run_bulk, write_reports
from tests.unit.bulk.test_run_endings import MANY, ONE, press, when

FRESH = Resume(is_fresh=True)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out"


# ---------------------------------------------------------------- a fresh start that is interrupted


def test_an_interrupted_fresh_start_says_so_and_the_next_one_reads_the_rest(out: Path, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *(f"{number:03}" for number in range(MANY)))
    run_bulk(["docs"], out, ONE)
    summary = run_bulk(["docs"], out, ONE, when(8, press), resume=FRESH)
    account = read_account(out)
    assert (summary.is_interrupted, account["state"]) == (True, "interrupted")
    assert 0 < summary.left == account["left"] < MANY
    assert len(read_records(out)) == MANY  # what the first start made of the rest is no worse than nothing
    again = run_bulk(["docs"], out, ONE)
    assert (again.kept, again.left, again.is_interrupted) == (MANY - summary.left, 0, False)
    assert run_bulk(["docs"], out, ONE).kept == MANY


def test_an_interrupt_before_the_last_retry_is_no_end(out: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(MANY):
        (tmp_path / "docs" / f"{number:03}.pdf").write_bytes(b"PK\3\4" + b"%d" % number)
    first = run_bulk(["docs"], out, ONE)
    assert first.failed == MANY
    summary = run_bulk(["docs"], out, ONE, when(1, press))
    assert (summary.is_interrupted, summary.left > 0) == (True, True)


# ---------------------------------------------------------------- pictures beside a page


PAGE = '<html><body><p>2023</p><IMG alt=x src="img/%E8%A1%A8&amp;1.png"></body></html>'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "img").mkdir(parents=True)
    path = tmp_path / "docs" / "a.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_a_page_is_read_again_when_a_picture_beside_it_is_another_one(out: Path, page: Path) -> None:
    picture = page.parent / "img" / "表&1.png"
    run_bulk([page], out)
    assert run_bulk([page], out).kept == 1
    picture.write_bytes(b"one")  # there at last
    assert run_bulk([page], out).kept == 0
    assert run_bulk([page], out).kept == 1
    picture.write_bytes(b"another")
    assert run_bulk([page], out).kept == 0
    picture.unlink()
    assert run_bulk([page], out).kept == 0
    assert run_bulk([page], out).kept == 1


@pytest.mark.parametrize("address", ["http://x/a.png", "//x/a.png", "/a.png", "data:image/png;base64,AA", "../a.png"])
def test_what_no_page_may_show_is_not_looked_at(page: Path, address: str) -> None:
    (page.parent.parent / "a.png").write_bytes(b"x")
    found = list_beside(str(page), f"<img src='{address}'>".encode())
    assert all(len(one) == 1 for one in found)


def test_a_page_in_an_archive_has_nothing_beside_it(tmp_path: Path) -> None:
    assert list_beside("/dev/null/document", PAGE.encode()) == []
    assert not has_changed("", '{"counts":{}}')


def test_pictures_travel_by_the_names_that_a_page_in_gbk_writes(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_bytes('<html><body><p>政府信息公开工作年度报告</p><img src="表格.png"></body></html>'.encode("gbk"))
    (tmp_path / "表格.png").write_bytes(b"picture")
    assert collect_pictures(page.read_bytes(), str(page), 100) == {"表格.png": b"picture"}
    assert [len(one) for one in list_beside(str(page), page.read_bytes())] == [2]


# ---------------------------------------------------------------- what another time may end otherwise


def test_a_page_that_took_too_long_is_asked_for_again(recipe: Recipe, ticket: Ticket) -> None:
    made = fail(ticket, b"", DamagedSource("a", "b", "c"))
    record = made.record.model_copy(
        update={"status": Status.PARTIAL, "flags": (make_flag("page-not-read", page=1, problem="too long"),)}
    )
    assert _tell_state(made._replace(record=record)) == "incomplete"


# ---------------------------------------------------------------- read otherwise meanwhile


def test_the_store_shows_what_the_last_run_says(out: Path, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", "a", "b")
    one, other = Settings(), Settings(max_source_mb=7)

    def fake(reading: int) -> None:
        """As another model would have read it."""
        with store.write() as books:
            for document in books.runs.documents(str(summary.run_id))[0]:
                extraction = books.documents.extraction(document.extraction_id or 0)
                record = extraction.record.model_copy(update={"status": Status.PARTIAL})
                file_record(
                    books,
                    record=record,
                    text=f"{reading}",
                    pages=(),
                    raw=Path(document.name).read_bytes(),
                    name=document.name,
                    media_type=None,
                    made_at=datetime.now(UTC),
                    settings=other,
                )

    with closing(Store.open("store.sqlite")) as store:
        summary = run_bulk(["docs"], None, one, store=store)
        assert run_bulk(["docs"], None, one, store=store).kept == 2
        fake(1)
        assert run_bulk(["docs"], None, one, store=store).kept == 0
        with store.read() as books:
            for document in books.runs.documents(str(summary.run_id))[0]:
                newest = books.documents.newest_extraction(document.document_id or "")
                assert newest.id == document.extraction_id
        assert run_bulk(["docs"], None, one, store=store).kept == 2


# ---------------------------------------------------------------- killed behind the commit


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe(
        Settings(), "template", None, "s", str(tmp_path / "ledger.sqlite"), None, f"run {tmp_path}", None, True
    )


@pytest.fixture
def ticket(tmp_path: Path) -> Ticket:
    write_reports(tmp_path / "docs", "a")
    with open_plan([str(tmp_path / "docs")], None, settings=Settings(), on_progress=ignore) as plan:
        return Ticket("key", next(plan.entries()), 1)


def test_what_was_kept_is_not_set_aside(recipe: Recipe, ticket: Ticket) -> None:
    (kept,) = keep_batch(recipe, [fail(ticket, b"", DamagedSource("a", "b", "c"))])
    assert set_aside(recipe, ticket, b"", "it ended") == [kept._replace(stages=())]
    again = ticket._replace(attempts=2)
    assert find_receipt(recipe, again) is None
    aside = set_aside(recipe, again, b"", "it ended")
    assert not isinstance(aside, Halt)
    assert aside[0].state == "quarantined"


# ---------------------------------------------------------------- one name twice


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_that_cannot_be_read_have_a_reason_each(out: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("b.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.txt", bytes(1_100_000))
        archive.writestr(link, "target")
    (tmp_path / "d.zip").write_bytes(whole.getvalue())
    run_bulk(["d.zip"], out, Settings(max_source_mb=1))
    assert [error["error"] for error in read_account(out)["errors"]] == ["SourceTooLarge", "UnreadableSource"]


# ---------------------------------------------------------------- other settings by mistake


def test_an_interrupt_under_other_settings_throws_nothing_away(out: Path, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *(f"{number:03}" for number in range(MANY)))
    run_bulk(["docs"], out, ONE)
    summary = run_bulk(["docs"], out, ONE.model_copy(update={"max_source_mb": 7}), when(8, press))
    assert summary.left
    assert run_bulk(["docs"], out, ONE).kept == MANY


@pytest.mark.parametrize(
    ("other", "status"), [(b"one", Status.SUCCEEDED), (b"two", Status.FAILED), (None, Status.FAILED)]
)
def test_one_page_in_two_folders_with_other_pictures_is_not_one_document(
    out: Path, tmp_path: Path, other: bytes | None, status: Status
) -> None:
    """Else the second folder's picture would never be looked at, and nothing would say so."""
    report = (Path(__file__).parents[3] / "fixtures/002_2aa3b087b6fd8b19.txt").read_text(encoding="utf-8")
    for name, picture in (("a", b"one"), ("b", other)):
        folder = tmp_path / "in" / name
        folder.mkdir(parents=True)
        text = f"<html><body><pre>{report}</pre><img src='stamp.bin'></body></html>"
        (folder / "page.html").write_text(text, encoding="utf-8")
        if picture:
            (folder / "stamp.bin").write_bytes(picture)
    paths = [tmp_path / "in" / name / "page.html" for name in "ab"]
    run_bulk(paths, out)
    (record,) = read_records(out)
    assert (record.status is Status.FAILED) == (status is Status.FAILED)
    assert any("other pictures beside it" in flag.message.en for flag in record.flags) == (status is Status.FAILED)
