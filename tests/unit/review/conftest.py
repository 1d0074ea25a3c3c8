"""A store with documents in it, a desk with a clock of its own, and answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flatten
import pytest

from extractor.model import Origin, Record
from extractor.pipeline import process_document
from extractor.review.answers import SAYS, Answer
from extractor.review.choices import choices
from extractor.review.desk import Desk, Task
from extractor.review.intake import file_record
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.shapes import Account, Item
from extractor.store.store import Store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)  # no two acts at the same moment
        return self.time

    def wait(self, **length: float) -> None:
        self.time += timedelta(**length)


@dataclass
class Office:
    """A store, its settings, the time, and the desk over them."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.settings, self.clock)

    def file(self, raw: bytes, name: str = "报告.txt", origins: Iterable[Origin] = ()) -> str:
        """Read and file a document; its id."""
        document = read_document(raw, name, self.settings)
        return self.file_as(process_document(document, tuple(origins)), document.text, raw)

    def file_as(self, record: Record, text: str, raw: bytes) -> str:
        with self.store.write() as books:
            document_id, _ = file_record(
                books,
                record=record,
                text=text,
                pages=(),
                raw=raw,
                name=record.document.path,
                media_type=record.document.media_type,
                made_at=self.clock(),
                settings=self.settings,
            )
        assert document_id
        return document_id

    def hire(self, *names: str, role: str = "reviewer") -> None:
        with self.store.write() as books:
            for name in names:
                books.people.add_account(Account(name, role, None, True, START))  # type: ignore[arg-type]

    def live(self, document_id: str) -> Record:
        with self.store.read() as books:
            return books.documents.live(document_id).record

    def items(self, document_id: str, *states: str) -> list[Item]:
        with self.store.read() as books:
            return books.queue.of_document(document_id, states or ("open",))

    def the_item(self, document_id: str, kind: str) -> Item:
        (item,) = [item for item in self.items(document_id) if item.kind == kind]
        return item

    def the_row(self, document_id: str, row: str) -> Item:
        (item,) = [item for item in self.items(document_id) if item.key == f"row:{row}"]
        return item

    def open_fields(self, document_id: str) -> set[str]:
        return {name for name, one in self.live(document_id).fields.items() if one.decision == "review"}


def choose(task: Task, choice_id: str) -> tuple[Answer, ...]:
    """The answers of one choice of a task."""
    return next(choice.answers for choice in choices(task.item, task.record) if choice.id == choice_id)


def accept_all(task: Task) -> tuple[Answer, ...]:
    """Every field as extracted; of what says nothing, that it cannot be known."""
    if not task.item.fields:
        return choose(task, "nothing")
    return tuple(
        Answer(name, "accepted" if task.record.fields[name].state in SAYS else "unknowable")
        for name in task.item.fields
    )


def answer_with(task: Task, truth: Mapping[str, int]) -> tuple[Answer, ...]:
    """What the page really prints."""
    return tuple(Answer(name, "corrected", text=str(truth[name])) for name in task.item.fields)


def print_form(values: Mapping[str, int | str], layout: str = "tab_rows", generation: str = "2021") -> bytes:
    """A report with these values in one of the layouts of flatten."""
    printed = {name: str(value) for name, value in values.items()}
    render = getattr(flatten, layout)
    raw = render(flatten.build_tables(generation, printed))
    assert isinstance(raw, bytes)
    return raw


def lose_columns() -> bytes:
    """Three rows of two numbers and empty cells, whose columns are lost."""
    true = flatten.make_values("2021", 4)
    values: dict[str, int | str] = dict.fromkeys(true, 0)
    for row in ("new_received", "granted", "results_total"):
        own = [name for name in true if name.startswith(f"applications.{row}.")]
        values |= dict.fromkeys(own, "") | {f"applications.{row}.{column}": 12 for column in ("business", "total")}
    return print_form(values, "spaced_rows")


def place_twelves(task: Task) -> tuple[Answer, ...]:
    """Where lose_columns has the numbers of a row."""
    return tuple(
        Answer(name, "corrected", text="12" if name.endswith((".business", ".total")) else "")
        for name in task.item.fields
    )


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("review") / "store.sqlite"
    Store.open(str(path)).close()
    return path


@pytest.fixture
def office(empty_store: Path, tmp_path: Path) -> Iterator[Office]:
    path = tmp_path / "store.sqlite"
    shutil.copy(empty_store, path)
    with Store.open(str(path)) as store:
        yield Office(store)
