"""Zip archives: their members listed, and one of them read.

Lives here: zip alone. Names, limits and problems: found; the directory: zip_directory. Called by scan and reading.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

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
from extractor.bulk.inputs.zip_directory import Member, ZipDirectory
from extractor.errors import UnreadableSource, UnsupportedFormat
from extractor.settings import Settings

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_IS_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_ON_WINDOWS = 0
# Parts at the root of documents that are zips themselves: Office, OpenDocument, OFD.
_OF_A_DOCUMENT = re.compile(rb"\[Content_Types\]\.xml|OFD\.xml|mimetype|(?:word|xl|ppt)/[^/]+\.xml", re.IGNORECASE)


def is_document(directory: ZipDirectory) -> bool:
    """Whether a zip is one document and no archive of documents."""
    return any(_OF_A_DOCUMENT.fullmatch(member.name) for member in directory)


def list_zip(
    directory: ZipDirectory, stream: IO[bytes], settings: Settings, wanted: Callable[[str], bool]
) -> Iterator[Found]:
    """The members of an archive, in the order of its directory.

    Args:
        stream: the archive once more, for their contents.
        wanted: whether to look at what is shown so.
    """
    for member in directory:
        name = _decode(member)
        inner = show_name(name)
        if name.endswith("/") or is_ignored_member(name) or not wanted(inner):
            continue
        found = Found(inner, start=member.start, size=member.packed_size)
        problem = _refuse(member, name, settings)
        yield found._replace(problem=problem) if problem else _hash(stream, member, found, settings)


def read_zip_member(stream: IO[bytes], start: int, packed_size: int, limit: int) -> bytes:
    """The bytes of a member.

    Args:
        start: of its own header.
        packed_size: of its compressed bytes.
        limit: most bytes of the content; one more is read where there is more.

    Raises:
        ARCHIVE_ERRORS: it is no longer there, or damaged.
    """
    info = zipfile.ZipInfo()
    info.compress_size, info.file_size = packed_size, limit + 1
    with _open_member(stream, start, info) as member:
        return member.read(limit + 1)


def _open_member(stream: IO[bytes], start: int, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    stream.seek(start)
    mark, _, _, info.compress_type, *_, name_size, extra_size = _LOCAL_HEADER.unpack(stream.read(_LOCAL_HEADER.size))
    if mark != b"PK\x03\x04":
        raise zipfile.BadZipFile("there is no member in its place")
    stream.seek(name_size + extra_size, 1)
    return zipfile.ZipExtFile(stream, "r", info)


def _decode(member: Member) -> str:
    is_utf8 = member.flags & _IS_UTF8
    name = (member.utf8_name or member.name).partition(b"\0")[0]
    text = name.decode("utf-8", "surrogateescape") if is_utf8 or member.utf8_name else decode_name(name)
    return text.replace("\\", "/") if member.system == _ON_WINDOWS else text


def _refuse(member: Member, name: str, settings: Settings) -> Problem | None:
    if stat.S_ISLNK(member.mode):
        return Problem(UnreadableSource.code, "this is a link, no file", "Give the file that it leads to")
    if member.flags & _IS_ENCRYPTED:
        remedy = "Unpack the archive with its password, and give the files"
        return Problem(UnreadableSource.code, "it is locked by a password in its archive", remedy)
    if is_container(name):
        return nested()
    return too_large(member.size, settings) if member.size > settings.max_source_mb * 1_000_000 else None


def _hash(stream: IO[bytes], member: Member, found: Found, settings: Settings) -> Found:
    limit = settings.max_source_mb * 1_000_000
    info = zipfile.ZipInfo()
    info.CRC, info.compress_size, info.file_size = member.check_sum, member.packed_size, limit + 1
    try:
        with _open_member(stream, member.start, info) as content:
            digest, size = hash_stream(content, limit)
    except NotImplementedError as error:
        remedy = "Unpack the archive, and give the files"
        return found._replace(problem=Problem(UnsupportedFormat.code, f"it is packed in a rare way ({error})", remedy))
    except ARCHIVE_ERRORS as error:
        return found._replace(problem=damaged(error))
    if size != member.size:
        return found._replace(problem=damaged("it has another size than the archive says"))
    return found._replace(digest=digest)
