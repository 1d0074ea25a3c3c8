"""Bulk runs as a command makes them, without the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from extractor.bulk.plan import Entry, Plan, open_plan
from extractor.bulk.progress import Progress
from extractor.bulk.run import RunSummary, run_documents
from extractor.export import OUTPUTS
from extractor.model import Record
from extractor.settings import Settings

REPORT = (Path(__file__).parents[1] / "fixtures" / "000_c61908031b779533.txt").read_text(encoding="utf-8")
#: A workbook holds the time, and run.json is the account of one start.
LASTING = tuple(name for name in OUTPUTS if name not in ("run.json", "table.xlsx"))


def ignore(progress: Progress) -> None:
    """Nobody watches."""


def run_bulk(
    paths: Sequence[str | Path],
    out: Path | None,
    settings: Settings | None = None,
    on_progress: Callable[[Progress], None] = ignore,
    *,
    manifest: Path | None = None,
    turn: Callable[[Plan], Any] = lambda plan: plan,
    **more: Any,
) -> RunSummary:
    """Plan and run.

    Args:
        turn: what becomes of the plan before it is run.
        more: of run_documents.
    """
    settings = settings or Settings()
    with open_plan([str(path) for path in paths], manifest, settings=settings, on_progress=ignore) as plan:
        return run_documents(turn(plan), out, settings, on_progress, **more)


class TurnedPlan:
    """A plan that gives other bytes for some of its documents.

    Args:
        read: from the entry and a function that reads it as usual.
    """

    def __init__(self, plan: Plan, read: Callable[[Entry, Callable[[Entry], bytes]], bytes]) -> None:
        self._plan = plan
        self._read = read
        self.files, self.documents = plan.files, plan.documents
        self.unmatched, self.unmatched_rows = plan.unmatched, plan.unmatched_rows

    def entries(self, after: int = -1) -> Iterator[Entry]:
        """As they are."""
        return self._plan.entries(after)

    def read(self, entry: Entry) -> bytes:
        """As told."""
        return self._read(entry, self._plan.read)


def never_read(plan: Plan) -> TurnedPlan:
    """A plan of which nothing may be read any more."""

    def refuse(entry: Entry, read: Callable[[Entry], bytes]) -> bytes:
        raise AssertionError(f"{entry.path} is read again")

    return TurnedPlan(plan, refuse)


def write_reports(folder: Path, *names: str) -> Path:
    """Reports that differ in one line."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.txt").write_text(f"{REPORT}\n附 {name}\n", encoding="utf-8")
    return folder


def read_records(out: Path) -> list[Record]:
    """The records of an output folder."""
    return [Record.model_validate_json(line) for line in (out / "records.jsonl").read_text("utf-8").splitlines()]


def read_account(out: Path) -> dict[str, Any]:
    """run.json of an output folder."""
    account: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return account


def read_outputs(out: Path) -> dict[str, bytes]:
    """The files of a folder that are the same whenever and however often they were written."""
    return {name: (out / name).read_bytes() for name in LASTING}
