"""Synthetic scans through the program: what became of each document, kept so that a run can go on where it ended.

Lives here: running and keeping. Does not live here: what is counted (extractor.evaluation.metrics) and shown
(evaluate). A kept result is taken only while generator and program are the same files as when it was made.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.scans.generate import Scan, make_scan
from extractor.bulk.loading import load_in_order
from extractor.evaluation.labels import Label, read_label
from extractor.evaluation.outcomes import DocumentOutcome, judge_fields, list_misplaced, list_unjudged
from extractor.model import Box, Document, Record
from extractor.pipeline import process_document
from extractor.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
#: So many documents are made, and then read, at a time.
_PORTION = 8


class Found(BaseModel):
    """Where the record says that a value stands."""

    model_config = ConfigDict(frozen=True)

    page: int
    box: Box


class Result(BaseModel):
    """What became of one document.

    Attributes:
        seconds: of wall time, an even share of what its portion took.
        peak_mb: the largest resident memory of any worker process so far.
        places: by field id, of what the record has.
        turns: of the pages, as the program found them.
        fingerprint: of generator and program.
    """

    model_config = ConfigDict(frozen=True)

    outcome: DocumentOutcome
    profile: str
    pages: int
    seconds: float
    peak_mb: int
    places: dict[str, Found]
    turns: tuple[int, ...]
    fingerprint: str


def evaluate_scans(
    level: str, numbers: Sequence[int], settings: Settings, kept: Path | None, on_progress: Callable[[], None]
) -> list[Result]:
    """Documents through the program, in order; those that `kept` holds from an earlier run are not read again."""
    found: dict[int, Result] = {}
    for number in numbers:
        result = _load_kept(kept, level, number)
        if result:
            found[number] = result
            on_progress()
    missing = [number for number in numbers if number not in found]
    for first in range(0, len(missing), _PORTION):
        for number, result in _run_portion(level, missing[first : first + _PORTION], settings):
            found[number] = result
            if kept:
                _keep(kept, level, number, result)
            on_progress()
    return [found[number] for number in numbers]


def _run_portion(level: str, numbers: Sequence[int], settings: Settings) -> Iterator[tuple[int, Result]]:
    scans = [make_scan(level, number) for number in numbers]
    with tempfile.TemporaryDirectory(prefix="scans-") as folder:
        paths = [Path(folder) / scan.file for scan in scans]
        for path, scan in zip(paths, scans, strict=True):
            path.write_bytes(scan.raw)
        start = time.perf_counter()
        loaded = []
        for item in load_in_order([str(path) for path in paths], settings):
            record = process_document(item) if isinstance(item, Document) else None
            loaded.append((item, record))
        seconds = (time.perf_counter() - start) / sum(len(scan.pages) for scan in scans)
    peak = measure_workers()
    for number, scan, (item, record) in zip(numbers, scans, loaded, strict=True):
        yield (
            number,
            Result(
                outcome=judge_scan(scan, item, record),
                profile=scan.profile,
                pages=len(scan.pages),
                seconds=seconds * len(scan.pages),
                peak_mb=peak,
                places=dict(_list_places(record)) if record else {},
                turns=tuple(page.turn for page in item.paper.pages)
                if isinstance(item, Document) and item.paper
                else (),
                fingerprint=fingerprint(),
            ),
        )


def judge_scan(scan: Scan, item: Document | Exception, record: Record | None) -> DocumentOutcome:
    """One document against its truth, with the functions of `extractor eval`."""
    label: Label = read_label(scan.label, scan.name)
    return DocumentOutcome(
        name=scan.name,
        kind=label.kind,
        path=scan.file,
        layout=label.layout,
        generation="+".join(sorted(set(label.generation.values()))),
        status=record.status.value if record else "failed",
        fields=tuple(judge_fields(record, label)),
        damage=label.damage,
        severity=label.severity,
        problem=f"{type(item).__name__}: {item}" if isinstance(item, Exception) else "",
        unjudged=tuple(list_unjudged(record, label)) if record else (),
        misplaced=tuple(list_misplaced(record, item.text)) if record and isinstance(item, Document) else (),
    )


def _list_places(record: Record) -> Iterator[tuple[str, Found]]:
    for name, field in record.fields.items():
        if field.spans and field.spans[0].place:
            yield name, Found(page=field.spans[0].place.page, box=field.spans[0].place.box)


def measure_workers() -> int:
    """Largest resident memory in MB that any living child process of this one has had (Linux)."""
    peaks = [0]
    for child in multiprocessing.active_children():
        try:
            status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
        except OSError:
            continue  # it has ended
        peaks += [int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+) kB", status)]
    return max(peaks) // 1000


# ---------------------------------------------------------------- keeping


@cache
def fingerprint() -> str:
    """Of all that a result depends on in this repository."""
    digest = hashlib.sha256()
    for folder in ("extractor", "eval/scans", "eval/corruption", "eval/bench"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _load_kept(kept: Path | None, level: str, number: int) -> Result | None:
    path = kept / f"{level}-{number:05d}.json" if kept else None
    if path is None or not path.is_file():
        return None
    try:
        result = Result.model_validate_json(path.read_bytes())
    except ValidationError:
        return None  # kept by another version
    return result if result.fingerprint == fingerprint() else None


def _keep(kept: Path, level: str, number: int, result: Result) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"{level}-{number:05d}.json"
    path.with_suffix(".new").write_text(result.model_dump_json(), encoding="utf-8")
    path.with_suffix(".new").replace(path)
