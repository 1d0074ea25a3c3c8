"""Tar archives, packed or not: their members listed.

Lives here: tar alone. Names, limits and problems: found; reading a member, which is a stretch of the archive's bytes:
reading. Called by scan.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from typing import IO, cast

from extractor.bulk.inputs.found import (
    ARCHIVE_ERRORS,
    Found,
    Problem,
    damaged,
    decode_name,
    hash_stream,
    is_container,
    is_ignored_member,
    nested,
    show_name,
    too_large,
)
from extractor.bulk.inputs.kinds import ContainerKind
from extractor.errors import DamagedSource, UnreadableSource, UnsupportedFormat
from extractor.settings import Settings

# More than any header has, names of its members included: hostile ones claim to have gigabytes.
_LONGEST_HEADER = 1 << 22
# Zeros behind the end mark: tar fills up to 10 kB, some programs more.
_MOST_PADDING = 1 << 20
_NO_END = "its end mark is missing"


def open_tar(stream: IO[bytes], kind: ContainerKind) -> TarMembers | None:
    """Begin to list an archive; None where a file without packing is none.

    Raises:
        ARCHIVE_ERRORS: what is packed is none.
    """
    try:
        return TarMembers(stream)
    except tarfile.ReadError:
        if kind is ContainerKind.TAR:
            return None
        raise


class TarMembers:
    """An archive that is read forward, once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = _Watched(stream)
        self._last = -1
        source = cast("IO[bytes]", self._stream)
        self._tar = tarfile.open(fileobj=source, mode="r:", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115

    def list(
        self, settings: Settings, wanted: Callable[[str], bool], find: Callable[[str], Found | None]
    ) -> Iterator[Found]:
        """The members in order, and a last Found without a name where the archive breaks off.

        Args:
            wanted: whether to look at what is shown so.
            find: what was found before under a name.
        """
        try:
            while (info := self._next()) is not None:
                self._tar.members.clear()  # type: ignore[attr-defined]  # it remembers them all
                name = decode_name(info.name.encode("utf-8", "surrogateescape"))
                inner = show_name(name)
                if not info.isdir() and not is_ignored_member(name) and wanted(inner):
                    yield self._look(info, inner, settings, find)
            problem = None if self._has_ended() else _NO_END
        except ARCHIVE_ERRORS as error:
            problem = str(error)
        if problem:
            problem = f"the archive is cut off or damaged behind its members listed here ({problem})"
            yield Found("", problem=Problem(DamagedSource.code, problem, "Fetch it again, whole"))

    def _next(self) -> tarfile.TarInfo | None:
        info = self._tar.next()
        if info:
            if info.offset <= self._last:  # sizes below zero: the same members would come for ever
                raise tarfile.ReadError("its headers lead back")
            self._last = info.offset
        return info

    def _look(
        self, info: tarfile.TarInfo, inner: str, settings: Settings, find: Callable[[str], Found | None]
    ) -> Found:
        found = Found(inner, start=info.offset_data, size=info.size)
        limit = settings.max_source_mb * 1_000_000
        if info.islnk():
            target = find(show_name(decode_name(info.linkname.encode("utf-8", "surrogateescape"))))
            return target._replace(inner=inner) if target else found._replace(problem=_refuse_link(info))
        if problem := _refuse(info, inner):
            return found._replace(problem=problem)
        if info.size > limit:
            return found._replace(problem=too_large(info.size, settings))
        self._stream.seek(info.offset_data)
        digest, size = hash_stream(_Stretch(self._stream, info.size), limit)
        if size < info.size:
            return found._replace(problem=damaged("its end is missing"))
        return found._replace(digest=digest)

    def _has_ended(self) -> bool:
        """Whether the end mark is there, and what lies behind it, with the check sums of a packed archive, is whole."""
        is_whole = self._stream.last == bytes(tarfile.BLOCKSIZE)
        left = _MOST_PADDING
        while left > 0 and (block := self._stream.read(1 << 16)):
            left -= len(block)
        return is_whole


def _refuse(info: tarfile.TarInfo, inner: str) -> Problem | None:
    if info.issym():
        return _refuse_link(info)
    if not info.isreg() or info.type not in tarfile.SUPPORTED_TYPES:
        return Problem(UnreadableSource.code, "this is a device or the like, no file", "Leave it out of the archive")
    if info.issparse():
        remedy = "Pack the archive without --sparse, or unpack it and give the files"
        return Problem(UnsupportedFormat.code, "it is packed as a file with holes", remedy)
    return nested() if is_container(inner) else None


def _refuse_link(info: tarfile.TarInfo) -> Problem:
    what = "a link to a member that is not in front of it" if info.islnk() else "a link, no file"
    return Problem(UnreadableSource.code, f"this is {what}", "Give the file that it leads to")


class _Watched:
    """A stream that refuses to read much at once, and remembers what it read last."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        self.last = self._stream.read(size)
        return self.last

    def seek(self, position: int) -> int:
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()


class _Stretch:
    """The next bytes of a stream, so many and no more."""

    def __init__(self, stream: _Watched, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        block = self._stream.read(min(size, self._left))
        self._left -= len(block)
        return block
