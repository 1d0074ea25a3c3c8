"""One peer over some documents: python work.py < job.json, by the interpreter of the peers' own environment.

Lives here: the job and its results, a line of JSON for each document. Does not live here: the peers (readers,
asking, spans, tables), nor anything of the package extractor: this environment does not have it. Started by
eval/bench/peers_run.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Job = dict[str, Any]


def run(job: Job) -> Iterator[dict[str, Any]]:
    """A result for each document, and behind those of each kind what they took; what the start took first."""
    clock = Clock()
    run_one = load_peer(job)
    yield {"start": clock.read()}
    for kind, documents in job["documents"].items():
        yield from run_one({**job, "documents": documents})
        yield {"kind": kind, "spent": clock.read()}


def load_peer(job: Job) -> Callable[[Job], Iterable[dict[str, Any]]]:
    """A peer with all that it loads: it has seen one document. It loads its own libraries and no other's."""
    if job["peer"] == "instructor":
        from asking import ask_all as run_one  # noqa: PLC0415
    elif job["peer"] == "langextract":
        from spans import extract_all as run_one  # noqa: PLC0415
    else:
        from tables import match_all as run_one  # noqa: PLC0415
    from readers import TABLES, TEXTS  # noqa: PLC0415

    first = next(document for documents in job["documents"].values() for document in documents)
    with suppress(Exception):  # whether it can read it shows later
        (TABLES if job["peer"] == "tables" else TEXTS).get(job["reader"], str)(Path(first["path"]))
    return run_one


class Clock:
    """Seconds, and seconds of the processor, since it was read last."""

    def __init__(self) -> None:
        self._last = self._look()

    def read(self) -> list[float]:
        """Both."""
        last, self._last = self._last, self._look()
        return [now - then for now, then in zip(self._last, last, strict=True)]

    def _look(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def find_versions(names: list[str]) -> Iterator[dict[str, str | None]]:
    """By distribution, its version; None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    yield found


def main() -> None:
    """Read the job, write the results."""
    job = json.load(sys.stdin)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no result
    for result in find_versions(job["versions"]) if "versions" in job else run(job):
        print(json.dumps(result, ensure_ascii=False), file=out, flush=True)


if __name__ == "__main__":
    main()
