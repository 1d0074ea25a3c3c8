"""One pass over all inputs: every place where a document lies goes into the scratch index.

Lives here: from arguments and manifest to places, with the hash of what lies there. Does not live here: the kinds of
containers (zips, tars, lines), reading documents later (reading), what a run makes of the places (extractor.bulk.plan,
the caller).

Files are hashed one after another: two or four threads were not faster, on files that the machine has in its memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from extractor.bulk.inputs.found import ARCHIVE_ERRORS, Found, Problem, too_large
from extractor.bulk.inputs.kinds import ContainerKind, split_member, tell_container
from extractor.bulk.inputs.lines import list_lines
from extractor.bulk.inputs.manifest import list_meant, read_manifest
from extractor.bulk.inputs.paths import Named, PathKeys, expand_list, expand_paths, printable_path
from extractor.bulk.inputs.streams import look_into, open_stream
from extractor.bulk.inputs.tars import open_tar
from extractor.bulk.inputs.zip_directory import ZipDirectory
from extractor.bulk.inputs.zips import is_document, list_zip
from extractor.errors import DamagedSource, EmptySource, UnreadableSource
from extractor.settings import Settings
from extractor.store.worklist import Place, Worklist

_BLOCK_BYTES = 1 << 20
# Headers may claim more than the index can hold; nothing lies there, and reading says so.
_FARTHEST = (1 << 63) - 1


class Scan:
    """The pass.

    Its methods raise SettingsError where an argument leads nowhere, and OutputError where the index has no room.
    """

    def __init__(self, worklist: Worklist, settings: Settings, on_place: Callable[[str], None]) -> None:
        """`on_place` is called with every place, as it is shown."""
        self._worklist = worklist
        self._settings = settings
        self._limit = settings.max_source_mb * 1_000_000
        self._on_place = on_place
        self._keys = PathKeys()
        self._skipped: set[bytes] = set()

    def skip(self, paths: Iterable[Path]) -> None:
        """Leave files out, wherever they come up."""
        self._skipped |= {self._keys.of(os.fspath(path)) for path in paths}

    def take_manifest(self, manifest: Path) -> None:
        """Read the manifest, which is no input itself."""
        self.skip([manifest])
        self._worklist.add_rows(read_manifest(manifest, self._keys))

    def add_paths(self, paths: Iterable[str]) -> None:
        """Add files, folders, patterns."""
        self._add_files(expand_paths(paths, self._worklist.sort_names))

    def add_list(self, where: str) -> None:
        """Add the files that a list names."""
        self._add_files(expand_list(where, self._worklist.sort_names))

    def add_listed(self, manifest: Path) -> None:
        """Add the manifest's own files, where it names them or what is in them."""
        for row in self._worklist.rows():
            for path in list_meant(row, manifest):
                outer = path if os.path.isfile(path) else (split_member(path) or ("", ""))[0]
                if outer and os.path.isfile(outer):
                    self._add_files([Named(outer)], only_named=not self._worklist.names(self._keys.of(outer)))
                    break

    def _add_files(self, files: Iterable[Named], *, only_named: bool = False) -> None:
        for named in files:
            key = self._keys.of(named.path)
            if key in self._skipped or not self._worklist.is_new(key):
                continue
            if named.is_listed and not os.path.isfile(named.path):
                self._add(Place(printable_path(named.path), key, problem=_missing(named.path).write()))
            elif not self._add_container(named.path, key, only_named):
                self._add(self._look(named.path, key))

    def _add(self, place: Place) -> None:
        self._worklist.add(place)
        self._on_place(place.path)

    # ------------------------------------------------------------ files

    def _look(self, path: str, key: bytes) -> Place:
        shown = printable_path(path)
        digest, problem = self._hash_file(path)
        file = None if shown == path else os.fsencode(path)
        return Place(shown, key, file=file, digest=digest, problem=problem and problem.write())

    def _hash_file(self, path: str) -> tuple[bytes | None, Problem | None]:
        try:
            with open(path, "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size > self._limit:
                    return None, too_large(size, self._settings)
                digest = hashlib.sha256()
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
                return digest.digest(), None
        except OSError as error:
            return None, _unreadable(error)

    # ------------------------------------------------------------ containers

    def _add_container(self, path: str, key: bytes, only_named: bool) -> bool:
        """Add what is in a file of many documents; False where it is one document."""
        kind = _tell_kind(path)
        if kind is None:
            return False
        shown, before = printable_path(path), self._worklist.places
        number = self._worklist.add_container(os.fsencode(path), kind, key)

        def is_wanted(inner: str) -> bool:
            return not only_named or self._worklist.names(self._keys.of_member(path, inner))

        def find(inner: str) -> Found | None:
            place = self._worklist.find(number, self._keys.of_member(path, inner))
            return _as_found(place) if place else None

        for found in self._list(path, kind, is_wanted, find):
            if found is None:
                return False
            self._add(self._place(found, shown, path, key, number))
        if self._worklist.places == before and not only_named:
            problem = Problem(EmptySource.code, "there is no document in it", "Look at it, or fetch it again")
            self._add(Place(shown, key, problem=problem.write()))
        return True

    def _list(
        self, path: str, kind: ContainerKind, wanted: Callable[[str], bool], find: Callable[[str], Found | None]
    ) -> Iterator[Found | None]:
        """What is in a container, and a last Found for itself where it breaks off; None where it is one document."""
        try:
            yield from self._list_whole(path, kind, wanted, find)
        except ARCHIVE_ERRORS as error:
            yield Found("", problem=_broken(error))

    def _list_whole(
        self, path: str, kind: ContainerKind, wanted: Callable[[str], bool], find: Callable[[str], Found | None]
    ) -> Iterator[Found | None]:
        with open_stream(path, kind) as stream:
            if kind is ContainerKind.ZIP:
                with open_stream(path, kind) as beside:
                    directory = ZipDirectory(beside)
                    is_one = is_document(directory)
                    yield from [None] if is_one else list_zip(directory, stream, self._settings, wanted)
            elif kind in (ContainerKind.JSONL, ContainerKind.JSONL_GZ):
                yield from list_lines(stream, os.path.dirname(path), self._settings, wanted, self._hash_file)
            else:
                tar = open_tar(stream, kind)
                yield from tar.list(self._settings, wanted, find) if tar else [None]

    def _place(self, found: Found, shown: str, path: str, key: bytes, number: int) -> Place:
        name = found.name or found.inner
        return Place(
            path=shown + found.inner,
            key=self._keys.of_member(path, name) if name else key,
            container=number,
            file=os.fsencode(found.file) if found.file else None,
            start=min(found.start, _FARTHEST),
            size=min(found.size, _FARTHEST),
            digest=found.digest,
            problem=found.problem and found.problem.write(),
            origin=json.dumps(found.said, ensure_ascii=False) if found.said and any(found.said) else None,
        )


def _tell_kind(path: str) -> ContainerKind | None:
    kind = tell_container(path)
    try:
        return kind and look_into(path, kind)
    except OSError:  # whoever reads it as one document says why it cannot be read
        return None


def _as_found(place: Place) -> Found:
    problem = Problem.read(place.problem) if place.problem else None
    return Found("", start=place.start, size=place.size, digest=place.digest, problem=problem)


def _missing(path: str) -> Problem:
    problem = "it is no file" if os.path.lexists(path) else "there is no such file"
    return Problem(UnreadableSource.code, problem, "Correct the list of files, or leave it out")


def _unreadable(error: OSError) -> Problem:
    return Problem(UnreadableSource.code, error.strerror or str(error), "Check that the file exists and may be read")


def _broken(error: Exception) -> Problem:
    if isinstance(error, OSError) and error.errno is not None:
        return _unreadable(error)
    return Problem(DamagedSource.code, f"the archive is cut off or damaged ({error})", "Fetch it again, whole")
