"""The bytes of a document, from the place where it was found.

Lives here: getting at the bytes, and seeing that they are still those that were planned. Does not live here: finding
them (scan). Called by extractor.bulk.plan.
"""

from __future__ import annotations

import hashlib
import os

from extractor.bulk.inputs.found import ARCHIVE_ERRORS, Problem
from extractor.bulk.inputs.kinds import ContainerKind
from extractor.bulk.inputs.lines import read_line
from extractor.bulk.inputs.streams import OpenStreams
from extractor.bulk.inputs.zips import read_zip_member
from extractor.errors import DamagedSource, SourceError, UnreadableSource
from extractor.settings import Settings
from extractor.store.worklist import Place


class PlaceReader:
    """Reads places; archives stay open for a while. One thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limit = settings.max_source_mb * 1_000_000
        self._streams = OpenStreams()

    def close(self) -> None:
        """Close the archives that are open."""
        self._streams.close()

    def read(self, place: Place, container: tuple[bytes, ContainerKind] | None) -> bytes:
        """The bytes of a document.

        Args:
            container: path and kind of the archive that the place is in.

        Raises:
            SourceError: they could not be read when the run was planned, cannot be now, or are others.
        """
        if place.problem:
            raise Problem.read(place.problem).make_error(place.path)
        try:
            if container and place.file is None:
                raw: bytes | None = self._read_inside(place, *container)
            else:
                raw = _read_file(place.file or os.fsencode(place.path), self._limit)
        except OSError as error:
            problem = error.strerror or str(error)
            remedy = "Check that the file exists and may be read"
            raise UnreadableSource(place.path, problem, remedy) from error
        if raw is None or hashlib.sha256(raw).digest() != place.digest:
            raise SourceError(place.path, "the file changed while the run was going on", "Run again")
        return raw

    def _read_inside(self, place: Place, path: bytes, kind: ContainerKind) -> bytes:
        try:
            stream = self._streams.get(path, kind)
            if kind is ContainerKind.ZIP:
                return read_zip_member(stream, place.start, place.size, self._limit)
            stream.seek(place.start)
            raw = stream.read(place.size)
            is_line = kind in (ContainerKind.JSONL, ContainerKind.JSONL_GZ)
            return read_line(raw, os.path.dirname(os.fsdecode(path)), self._limit).raw or b"" if is_line else raw
        except ARCHIVE_ERRORS as error:
            self._streams.drop(path, kind)
            if isinstance(error, OSError) and error.errno is not None:
                raise
            # Behind damage, how much can be unpacked depends on where one begins.
            problem = f"it cannot be read any more out of its archive, which is damaged or changed meanwhile ({error})"
            raise DamagedSource(place.path, problem, "Fetch the archive again, whole, and run again") from error


def _read_file(path: bytes, limit: int) -> bytes | None:
    """The bytes of a file; None where it has more of them than it may."""
    with open(path, "rb") as file:
        return file.read() if os.fstat(file.fileno()).st_size <= limit else None
