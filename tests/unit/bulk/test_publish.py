"""Outputs from the ledger: the order of the plan, what is left, and the few documents worth showing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from extractor.bulk.keeping import Made, Ticket, fail, keep_batch
from extractor.bulk.plan import Plan, open_plan
from extractor.bulk.publish import MOST_ERRORS, Tally, put_together, read_notable
from extractor.bulk.recipe import Recipe
from extractor.errors import EmptySource
from extractor.export import OutputWriter
from extractor.model import DocumentIdentity, Record, Status
from extractor.settings import Settings
from extractor.store.ledger import LedgerFile
from tests.bulk_runs import ignore, read_records
from tests.unit.bulk.test_keeping import make_recipe
from tests.unit.confidence.records import A, B, C, field

FIELDS = (A, B, C)


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Forty documents, nothing of which is ever read here."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(str(number), encoding="utf-8")
    with open_plan([str(folder)], None, settings=Settings(), on_progress=ignore) as opened:
        yield opened


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return make_recipe(tmp_path)


def keep(plan: Plan, recipe: Recipe, reviews: Mapping[int, int], failed: frozenset[int] = frozenset()) -> None:
    """Keep documents, the last one first: with so many fields in review, or failed."""
    made = []
    for number, entry in enumerate(plan.entries()):
        ticket = Ticket(recipe.key(entry), entry, 1)
        if number in failed:
            made.append(fail(ticket, b"", EmptySource(entry.path, "empty", "Fetch it again")))
        elif number in reviews:
            fields = {name: field(decision="review") for name in FIELDS[: reviews[number]]}
            identity = DocumentIdentity(id=entry.document_id, path=entry.path)
            record = Record(document=identity, status=Status.PARTIAL, origins=entry.origins, fields=fields)
            made.append(Made(ticket, record, None, b""))
    for batch in reversed([made[start : start + 8] for start in range(0, len(made), 8)]):
        keep_batch(recipe, batch)


def tally(plan: Plan, recipe: Recipe, out: Path | None = None) -> tuple[Tally, list[int], list[Record]]:
    """The tally, what was told on the way, and the records worth showing."""
    told: list[int] = []
    with LedgerFile.open(Path(str(recipe.ledger))) as ledger:
        if out is None:
            found = put_together(plan, recipe, ledger, None, told.append)
        else:
            with OutputWriter(out) as writer:
                found = put_together(plan, recipe, ledger, writer, told.append)
                writer.publish({})
        return found, told, list(read_notable(found, recipe, ledger))


def stems(records: list[Record]) -> list[int]:
    return [int(Path(record.document.path).stem) for record in records]


def test_documents_stand_in_the_order_of_the_plan_whoever_was_ready_first(
    plan: Plan, recipe: Recipe, tmp_path: Path
) -> None:
    keep(plan, recipe, dict.fromkeys(range(40), 0))
    found, told, _ = tally(plan, recipe, tmp_path / "out")
    assert stems(read_records(tmp_path / "out")) == list(range(40))
    assert (found.left, found.states, told) == (0, {"done": 40}, list(range(1, 41)))


def test_what_is_not_done_is_left_and_in_no_output(plan: Plan, recipe: Recipe, tmp_path: Path) -> None:
    keep(plan, recipe, dict.fromkeys(range(0, 40, 2), 0))
    found, _, _ = tally(plan, recipe, tmp_path / "out")
    assert (found.left, found.counts.documents) == (20, 20)
    assert stems(read_records(tmp_path / "out")) == list(range(0, 40, 2))


def test_failures_are_counted_and_told(plan: Plan, recipe: Recipe) -> None:
    keep(plan, recipe, {1: 0}, failed=frozenset({0, 7}))
    found, _, _ = tally(plan, recipe)
    assert found.states == {"failed": 2, "done": 1}
    assert [Path(error["path"]).stem for error in found.errors] == ["00", "07"]
    assert found.counts.describe()["documents_by_status"]["failed"] == 2


def test_failed_ones_and_those_with_most_to_review_are_worth_showing(plan: Plan, recipe: Recipe) -> None:
    reviews = dict.fromkeys(range(38), 1) | {5: 3, 30: 2}
    keep(plan, recipe, reviews, failed=frozenset({38, 39}))
    _, _, notable = tally(plan, recipe)
    shown = stems(notable)
    assert len(shown) == 30
    assert shown == sorted(shown)
    assert {5, 30, 38, 39} <= set(shown)
    assert set(range(26)) <= set(shown)  # of equal ones the first


def test_the_account_names_only_so_many_failures(plan: Plan, recipe: Recipe) -> None:
    keep(plan, recipe, {}, failed=frozenset({0}))
    with LedgerFile.open(Path(str(recipe.ledger))) as ledger, ledger.read() as books:
        entry = next(iter(plan.entries()))
        (row,) = books.ledger.read([recipe.key(entry)]).values()
    found = Tally()
    for _ in range(MOST_ERRORS + 5):
        found.count(entry, row)
    assert len(found.errors) == MOST_ERRORS
    assert found.states == {"failed": MOST_ERRORS + 5}
