"""The directory of a zip archive, member by member.

Lives here: its headers. Does not live here: what becomes of members, and their contents (zips, the caller).

The standard library's zipfile holds the whole directory, 0.8 kB for each member: 400 MB for half a million. Here one
member is held. Layout: APPNOTE.TXT of PKWARE, 4.3.12 to 4.3.16, 4.5.3 and 4.6.9.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple
from zipfile import BadZipFile

_HEADER = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_EXTRA = struct.Struct("<2H")
_LONGEST_COMMENT = (1 << 16) - 1
_IN_EXTRA = 0xFFFFFFFF
_SIZES_64, _NAME_IN_UTF8 = 0x0001, 0x7075


class Member(NamedTuple):
    """A line of the directory.

    Attributes:
        name: as it is written.
        utf8_name: the same in UTF-8, where a program put that beside it.
        system: number of the system that wrote the archive; 0 is Windows.
        mode: of the file, as Unix has it; 0 where nothing is known.
        start: of the member's own header, in bytes from the beginning of the file.
    """

    name: bytes
    utf8_name: bytes | None
    system: int
    flags: int
    method: int
    check_sum: int
    packed_size: int
    size: int
    mode: int
    start: int


class ZipDirectory:
    """The directory. It can be gone through several times, with nothing else reading the same stream meanwhile."""

    def __init__(self, stream: IO[bytes]) -> None:
        """`stream`: of the directory's own.

        Raises:
            BadZipFile: there is no directory.
        """
        self._stream = stream
        self._start, self._size, self._shift = _find(stream)

    def __iter__(self) -> Iterator[Member]:
        position, end = self._start, self._start + self._size
        while position < end:
            self._stream.seek(position)  # a buffered file stays where it is
            header = _HEADER.unpack(self._stream.read(_HEADER.size))
            if header[0] != b"PK\x01\x02":
                raise BadZipFile("its directory is damaged")
            name_size, extra_size, comment_size = header[12:15]
            name, extra = self._stream.read(name_size), self._stream.read(extra_size)
            yield _read_member(header, name, dict(_split_extra(extra)), self._shift)
            position += _HEADER.size + name_size + extra_size + comment_size


def _find(stream: IO[bytes]) -> tuple[int, int, int]:
    """Begin and size of the directory, and what stands in front of the archive in its file, in bytes."""
    file_size = stream.seek(0, os.SEEK_END)
    tail_start = max(0, file_size - _LONGEST_COMMENT - _END.size)
    stream.seek(tail_start)
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise BadZipFile("its directory is missing")
    *_, size, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    locator = end - _LOCATOR_64.size
    record = locator - _END_64.size
    if record >= 0:
        stream.seek(record)
        both = stream.read(_END_64.size + _LOCATOR_64.size)
        if both.startswith(b"PK\x06\x06") and both[_END_64.size :].startswith(b"PK\x06\x07"):
            *_, size, start = _END_64.unpack_from(both)
            end = record
    shift = end - size - start
    if shift < 0:
        raise BadZipFile("its directory is cut off")
    return start + shift, size, shift


def _read_member(header: tuple[int, ...], name: bytes, extra: dict[int, bytes], shift: int) -> Member:
    _, _, system, _, _, flags, method, _, _, check_sum, *sizes, _, _, _, _, _, attributes, start = header
    packed_size, size = sizes
    field = extra.get(_SIZES_64, b"")
    large = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
    size, packed_size, start = (
        next(large, number) if number == _IN_EXTRA else number for number in (size, packed_size, start)
    )
    utf8_name = _find_utf8_name(extra.get(_NAME_IN_UTF8, b""), name)
    return Member(name, utf8_name, system, flags, method, check_sum, packed_size, size, attributes >> 16, start + shift)


def _split_extra(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= _EXTRA.size:
        kind, size = _EXTRA.unpack_from(extra)
        yield kind, extra[_EXTRA.size : _EXTRA.size + size]
        extra = extra[_EXTRA.size + size :]


def _find_utf8_name(field: bytes, name: bytes) -> bytes | None:
    """The name in an extra field, unless the member was renamed since by a program that does not know the field."""
    is_current = len(field) > 5 and field[0] == 1 and field[1:5] == zlib.crc32(name).to_bytes(4, "little")
    return field[5:] if is_current else None
