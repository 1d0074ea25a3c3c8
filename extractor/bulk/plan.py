"""The plan of a run: which documents, where each was found, and how to get at its bytes.

Lives here: the plan as a run sees it. Does not live here: looking for the documents (inputs), the index that holds them
(extractor.store.worklist), what a document is. Called by cli, run and foresight.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from extractor.bulk.inputs.kinds import ContainerKind
from extractor.bulk.inputs.paths import printable_path
from extractor.bulk.inputs.reading import PlaceReader
from extractor.bulk.inputs.scan import Scan
from extractor.bulk.progress import Progress
from extractor.errors import SettingsError
from extractor.model import Origin
from extractor.settings import Settings
from extractor.store.worklist import Place, Placed, Worklist

#: Rows of the manifest without a file that are named.
MOST_UNMATCHED = 100
_TOLD_EVERY_S = 0.5
_NOWHERE = os.path.join(os.devnull, "document")


class Entry(NamedTuple):
    """One document of a run.

    Attributes:
        position: its place in the order of the run; numbers may be missing in between.
        document_id: sha256 of its bytes as hex; None where they could not be read.
        path: where it was found first, as it is shown: `a.zip!/b/c.html` in an archive, `x.jsonl#17` for a line.
        origins: every place where the same bytes were found, and what the manifest says of each.
        where: the path of a file of its own, in whose folder a page's pictures are. For what lies in an archive it is
            one below a file, where nothing can be: bytes from there reach no file of this machine, whatever they
            are named.
        start: where it begins in its archive; 0 where its bytes are known, which tell it from others.
    """

    position: int
    document_id: str | None
    path: str
    origins: tuple[Origin, ...]
    where: str = ""
    start: int = 0


class Plan:
    """What a run will read, in a scratch index. To be closed.

    Attributes:
        files: places found, equal ones and unreadable ones included.
        documents: entries.
        unmatched: rows of the manifest that name nothing that was found.
        unmatched_rows: the paths of the first hundred of them, as written there.
    """

    def __init__(self, worklist: Worklist, settings: Settings) -> None:
        """See open_plan."""
        self._worklist = worklist
        self._reader = PlaceReader(settings)
        self.files = worklist.places
        self.documents = worklist.count_documents()
        self.unmatched = worklist.count_unmatched()
        self.unmatched_rows = worklist.list_unmatched(MOST_UNMATCHED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give archives and index back."""
        self._reader.close()
        self._worklist.close()

    def entries(self, after: int = -1) -> Iterator[Entry]:
        """The documents in order. `after`: the position behind which to begin."""
        for places, rows in self._worklist.documents(after):
            said = _group_rows(rows)
            for _, group in groupby(places, key=lambda placed: placed.lead):
                yield _make_entry(list(group), said)

    def read(self, entry: Entry) -> bytes:
        """The bytes of a document. Quickest in the order of entries; one thread at a time.

        Raises:
            SourceError: they cannot be read, or are no longer those that were planned.
        """
        place = self._worklist.get(entry.position)
        if place.container is None:
            return self._reader.read(place, None)
        path, kind = self._worklist.get_container(place.container)
        return self._reader.read(place, (path, ContainerKind(kind)))


def open_plan(
    paths: Sequence[str],
    manifest: Path | None,
    *,
    skip: Sequence[Path] = (),
    file_lists: Sequence[str] = (),
    settings: Settings,
    on_progress: Callable[[Progress], None],
) -> Plan:
    """Look through all inputs, once.

    Args:
        paths: files, folders (read recursively, hidden files and Office lock files left out), or glob patterns that
            the shell did not expand. Archives and JSON Lines are looked into wherever they lie. With neither paths nor
            lists: the manifest's own files.
        manifest: CSV with a column `path` (or `file`) and any of `url`, `site`, `fetched_at`.
        skip: files that are never inputs (the outputs of an earlier run inside an input folder).
        file_lists: files with a path a line, or NUL between paths; `-` is standard input.
        settings: for the limit of size.
        on_progress: called about twice a second with the places found so far.

    Raises:
        SettingsError: a path that does not exist, a manifest or list that cannot be read, or no document at all.
        OutputError: there is no room for the index.
    """
    ticker = _Ticker(on_progress)
    worklist = Worklist()
    try:
        scan = Scan(worklist, settings, ticker.note)
        scan.skip(skip)
        if manifest:
            scan.take_manifest(manifest)
        scan.add_paths(paths)
        for where in file_lists:
            scan.add_list(where)
        if manifest and not paths and not file_lists:
            scan.add_listed(manifest)
        if not worklist.places:
            raise SettingsError(_explain_no_files([*paths, *file_lists], manifest))
        worklist.finish()
        ticker.tell(worklist.places)
        return Plan(worklist, settings)
    except BaseException:
        worklist.close()
        raise


class _Ticker:
    """Tells of the pass now and then."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._started_at = self._told_at = time.monotonic()
        self._places = 0

    def note(self, path: str) -> None:
        self._places += 1
        if time.monotonic() - self._told_at >= _TOLD_EVERY_S:
            self._told_at = time.monotonic()
            self._on_progress(self._describe(self._places, None, path))

    def tell(self, total: int) -> None:
        self._on_progress(self._describe(total, total, ""))

    def _describe(self, done: int, total: int | None, path: str) -> Progress:
        return Progress("plan", done, total, seconds=time.monotonic() - self._started_at, path=path)


def _group_rows(rows: Sequence[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """What the manifest says, by the number of the place."""
    said = defaultdict(list)
    for position, *fields in rows:
        said[position].append(tuple(fields))
    return said


def _make_entry(group: Sequence[Placed], said: dict[int, list[tuple[Any, ...]]]) -> Entry:
    first = group[0]
    place = first.place
    origins = dict.fromkeys(
        Origin(placed.place.path, *fields)
        for placed in group
        for fields in said.get(placed.position) or [_own_origin(placed.place)]
    )
    document_id = place.digest.hex() if place.digest else None
    return Entry(
        first.position, document_id, place.path, tuple(origins), _tell_where(place), 0 if document_id else place.start
    )


def _own_origin(place: Place) -> tuple[Any, ...]:
    return tuple(json.loads(place.origin)) if place.origin else ()


def _tell_where(place: Place) -> str:
    if place.file is not None:
        return os.path.abspath(os.fsdecode(place.file))
    return os.path.abspath(place.path) if place.container is None else _NOWHERE


def _explain_no_files(paths: Sequence[str], manifest: Path | None) -> str:
    if not paths and manifest is None:
        return "nothing to read. Give files, folders or globs, or a manifest with --manifest."
    if not paths:
        return f"{manifest}: none of its files exists. Paths count from the manifest's folder or the working directory."
    shown = ", ".join(map(printable_path, paths))
    return f"{shown}: no files in there. Hidden files and Office lock files (~$…) are left out."
