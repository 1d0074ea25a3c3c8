"""What a run works on: files with equal bytes together, and what becomes of each.

Lives here: grouping, and the nouns that pass between planning, reading and keeping. Does not live here: choosing files
(plan), reading them (loading, flow), what is done with the result (run). Called by run and foresight; the nouns are
those of all of bulk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal, NamedTuple

from extractor.bulk.plan import Plan, printable_path
from extractor.model import Document, Origin, Record, Status

_BLOCK_BYTES = 1 << 20


class Progress(NamedTuple):
    """Where a run stands. `stage` is `hash` (finding equal files) or `extract`; `done` of `total` are finished."""

    stage: Literal["hash", "extract"]
    done: int
    total: int
    path: str
    status: Status | None = None


class Work(NamedTuple):
    """One document to make: a file to read, and every place where the same bytes were found."""

    path: str
    document_id: str | None
    origins: tuple[Origin, ...]
    total: int


class Made(NamedTuple):
    """A finished document: the source as it was read, and what is said of it."""

    document: Document
    record: Record


def group_files(plan: Plan, on_progress: Callable[[Progress], None]) -> list[Work]:
    """Files with equal bytes together, in the order of the plan. Only digests are kept in memory."""
    groups: dict[bytes | int, list[int]] = {}
    for index, planned in enumerate(plan.files):
        # A file that cannot be read is a group of its own: it fails by itself later, with its reason.
        groups.setdefault(_hash_file(planned.path) or index, []).append(index)
        on_progress(Progress("hash", index + 1, len(plan.files), printable_path(planned.path)))
    return [
        Work(
            path=plan.files[members[0]].path,
            document_id=key.hex() if isinstance(key, bytes) else None,
            origins=tuple(dict.fromkeys(origin for index in members for origin in plan.files[index].origins)),
            total=len(groups),
        )
        for key, members in groups.items()
    ]


def _hash_file(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
            return digest.digest()
    except OSError:
        return None
