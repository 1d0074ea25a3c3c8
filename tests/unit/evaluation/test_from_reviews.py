"""Labels from reviews: only what two people read becomes gold, and the checks find nothing in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.evaluation.labels import load_label
from extractor.model import CellState, Record
from extractor.review.answers import SAYS, Answer
from extractor.review.desk import Desk
from extractor.settings import Settings, load_settings
from extractor.store.shapes import Account
from extractor.store.store import Store
from tests.bulk_runs import run_bulk

ROOT = Path(__file__).parents[3]
WHOLE = "000_c61908031b779533"
LOST = "001_6bf7699e84e20962"
CELL = "applications.granted.natural_person"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVERYTHING = Settings(audit_share=1, double_review_share=1)
Choose = Callable[[Record, str], Answer]


def read(record: Record, field_id: str) -> Answer:
    """What an honest reader says who finds everything as it was read, and nothing where no column is left."""
    state = record.fields[field_id].state
    return Answer(field_id, "accepted" if state in SAYS else "unknowable")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    opened = Store.open("store.sqlite")
    with opened.write() as books:
        for name in ("an", "bo", "cy"):
            books.people.add_account(Account(name, "reviewer", None, True, START))
    yield opened
    opened.close()


def fill(store: Store, tmp_path: Path, *names: str, settings: Settings = EVERYTHING) -> None:
    (tmp_path / "docs").mkdir()
    for name in names:
        shutil.copy(ROOT / "fixtures" / f"{name}.txt", tmp_path / "docs")
    run_bulk(["docs"], None, settings, store=store)


def review(store: Store, account: str, choose: Choose = read, settings: Settings = EVERYTHING) -> int:
    """Answer all that waits for one person; how many items that was."""
    desk, count = Desk(store, settings), 0
    while task := desk.claim_next(account):
        answers = [choose(task.record, name) for name in task.item.fields]
        desk.decide(task.item.id, task.item.version, account, answers)
        count += 1
    return count


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def label() -> Result:
    return invoke("label", "--from-reviews", "--store", "store.sqlite", "--out", "gold")


@pytest.mark.parametrize("name", [WHOLE, LOST])
def test_what_two_people_read_is_what_was_labelled_by_hand(store: Store, tmp_path: Path, name: str) -> None:
    fill(store, tmp_path, name)
    assert review(store, "an") == review(store, "bo") > 0
    assert "1 labels written; 0 documents" in label().stdout
    (path,) = (tmp_path / "gold/labels").iterdir()
    found, by_hand = load_label(path), load_label(ROOT / "eval/gold" / f"{name}.json")
    assert found.cells == by_hand.cells
    assert found.generation == by_hand.generation
    assert {fact: by_hand.facts[fact] for fact in found.facts} == found.facts
    assert len(found.facts) >= 3
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["reviewed_by"] == ["an", "bo"]
    assert set(written["basis"].values()) == {"read"}
    assert (tmp_path / "gold" / found.file).read_bytes() == (ROOT / "fixtures" / f"{name}.txt").read_bytes()
    assert "none with slips" in invoke("label", "--check", "gold/labels").stdout


def test_nothing_that_one_person_alone_read_becomes_gold(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)
    review(store, "an")
    said = label().stdout
    assert "0 labels written; 1 documents" in said
    assert "applications: 175 of 175 cells not read by two people" in said
    assert not (tmp_path / "gold/labels").exists()


def test_what_nobody_was_asked_is_told_as_missing(store: Store, tmp_path: Path) -> None:
    """Without an audit nobody looks at accepted cells, however often two people agree on the doubted ones."""
    settings = Settings(double_review_share=1)
    fill(store, tmp_path, LOST, settings=settings)
    assert review(store, "an", settings=settings) == review(store, "bo", settings=settings) > 0
    said = label().stdout
    assert "0 labels written" in said
    assert "proactive_disclosure" in said
    assert "applications: 14 of 175 cells" in said  # the others were doubted, and so were read


def test_one_look_each_at_single_items_is_no_double_look(store: Store, tmp_path: Path) -> None:
    settings = Settings(audit_share=1)
    fill(store, tmp_path, WHOLE, settings=settings)
    review(store, "an", settings=settings)
    assert "0 labels written" in label().stdout


def test_a_difference_is_gold_only_when_a_third_one_settled_it(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)

    def blank(record: Record, name: str) -> Answer:
        return Answer(name, "corrected", "") if name == CELL else read(record, name)

    review(store, "an")
    review(store, "bo", blank)
    assert "0 labels written" in label().stdout
    assert review(store, "cy") == 1
    assert "1 labels written" in label().stdout
    (path,) = (tmp_path / "gold/labels").iterdir()
    assert load_label(path).cells[CELL].state is CellState.VALUE
    assert json.loads(path.read_text(encoding="utf-8"))["reviewed_by"] == ["an", "bo", "cy"]


def test_a_word_that_was_taken_back_is_none(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)
    review(store, "an")
    review(store, "bo")
    with store.read() as books:
        (card,) = books.documents.cards()[0]
        reviews = books.reviews.of_document(card.id)
    last = [one for one in reviews if any(said.field_id == CELL for said in one.fields)][-1]
    Desk(store, EVERYTHING).undo(last.id, last.account, "reviewer")
    assert "0 labels written" in label().stdout


def test_what_the_document_does_not_print_is_no_gold_though_two_people_say_so(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)

    def dream(record: Record, name: str) -> Answer:
        return Answer(name, "corrected", "4321") if name == CELL else read(record, name)

    for account in ("an", "bo", "an", "bo", "cy"):
        review(store, account, dream)
    said = label().stdout
    assert "0 labels written" in said
    assert "4321" in said
    assert not (tmp_path / "gold/labels").exists()


def test_a_label_that_is_there_and_says_something_else_stays(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)
    review(store, "an")
    review(store, "bo")
    label()
    (path,) = (tmp_path / "gold/labels").iterdir()
    assert "1 labels written" in label().stdout  # the same again
    path.write_text('{"mine": 1}', encoding="utf-8")
    assert "move it" in label().stdout
    assert path.read_text(encoding="utf-8") == '{"mine": 1}'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from-reviews", "--store", "store.sqlite"], "--out"),
        (["--from-reviews", "--store", "none.sqlite", "--out", "gold"], "there is no store"),
        (["--from-reviews", "--out", "gold", "a.txt"], "nothing else"),
        (["--store", "store.sqlite", "a.txt"], "--from-reviews"),
        ([], "no documents"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(store: Store, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["label", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path("none.sqlite").exists()


def test_who_looked_twice_because_he_was_alone_makes_no_gold(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path, WHOLE)
    first = review(store, "an")
    with store.write() as books:
        for name in ("bo", "cy"):
            books.people.change_account(name, is_active=False)
    assert review(store, "an") == first > 0
    said = label().stdout
    assert "0 labels written" in said
    assert "applications: 175 of 175 cells not read by two people" in said
