"""What listing a container finds, and why something in it cannot be read.

Lives here: the nouns that zips, tars and lines share, and the names of members. Called by them and by scan.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import tarfile
from typing import NamedTuple, Protocol

from extractor.bulk.inputs.kinds import tell_container
from extractor.bulk.inputs.paths import is_ignored
from extractor.errors import (
    DamagedSource,
    EmptySource,
    SourceError,
    SourceTooLarge,
    UnreadableSource,
    UnsupportedFormat,
)
from extractor.settings import Settings
from extractor.sources.detect import ZIP_ERRORS

ARCHIVE_ERRORS = (*ZIP_ERRORS, tarfile.TarError, lzma.LZMAError)
"""All that the archive modules of the standard library raise on bytes that are damaged."""
BLOCK_BYTES = 1 << 20
_LONGEST_NAME = 1000
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_KINDS: dict[str, type[SourceError]] = {
    kind.code: kind
    for kind in (SourceError, DamagedSource, EmptySource, SourceTooLarge, UnreadableSource, UnsupportedFormat)
}


class Problem(NamedTuple):
    """Why a place cannot be read: code of the error, what is wrong, what to do."""

    code: str
    problem: str
    remedy: str

    def write(self) -> str:
        """As one text."""
        return json.dumps(self, ensure_ascii=False)

    @classmethod
    def read(cls, written: str) -> Problem:
        """What was written."""
        return cls(*json.loads(written))

    def make_error(self, path: str) -> SourceError:
        """As an error at a place."""
        return _KINDS[self.code](path, self.problem, self.remedy)


class Said(NamedTuple):
    """Where a document came from by its own word."""

    url: str | None
    site: str | None
    fetched_at: str | None


class Found(NamedTuple):
    """What a container holds in one place.

    Attributes:
        inner: what is shown behind the container's path: `!/name` or `#line`; empty for the container as a whole.
        name: what the manifest may call it, where that is not `inner`.
        start: where to begin to read it, in bytes.
        size: how far to read.
        digest: sha256 of the document's bytes.
        file: a file of its own that holds the bytes.
    """

    inner: str
    name: str = ""
    start: int = 0
    size: int = 0
    digest: bytes | None = None
    problem: Problem | None = None
    said: Said | None = None
    file: str | None = None


def too_large(size: int, settings: Settings) -> Problem:
    """The problem of bytes over the limit."""
    return Problem(
        SourceTooLarge.code,
        f"the file has {size / 1e6:.1f} MB, the limit is {settings.max_source_mb} MB",
        "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report",
    )


def damaged(what: object) -> Problem:
    """The problem of bytes in an archive that cannot be read."""
    return Problem(
        DamagedSource.code, f"it cannot be read out of its archive ({what})", "Fetch the archive again, whole"
    )


def nested() -> Problem:
    """The problem of an archive in an archive."""
    return Problem(
        UnsupportedFormat.code,
        "this is an archive, or a file of many documents, inside an archive",
        "Unpack the outer one, and give what is in it",
    )


def is_container(name: str) -> bool:
    """Whether a member of an archive would hold many documents itself."""
    return tell_container(name) is not None


def is_ignored_member(name: str) -> bool:
    """Whether a member is left out as a file of a folder would be: hidden, a lock file, or macOS's own."""
    *folders, last = [part for part in name.split("/") if part not in ("", ".", "..")] or [""]
    return is_ignored(last) or any(folder.startswith(".") or folder == "__MACOSX" for folder in folders)


def decode_name(raw: bytes) -> str:
    """The name of a member whose archive does not say how names are written.

    Archives of Chinese Windows write GBK. Names that are neither UTF-8 nor that are shown as the archive's standard
    has them, code page 437. What names mean to a file system does not matter: nothing is ever written.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        name = raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("cp437")
    foreign = [letter for letter in name if not letter.isascii()]
    common = sum(_is_common(letter) for letter in foreign)
    return name if 2 * common > len(foreign) else raw.decode("cp437")


def _is_common(letter: str) -> bool:
    """Whether a letter is of the small set of 1980, as most are in any Chinese name."""
    try:
        return bool(letter.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def show_name(name: str) -> str:
    """A member's name as text that every output, and a terminal, can hold."""
    shown = os.fsencode(name.removeprefix("./")).decode("utf-8", "backslashreplace").translate(_CONTROLS)
    return "!/" + (shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…")


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def hash_stream(stream: Readable, limit: int) -> tuple[bytes | None, int]:
    """The sha256 of what a stream still holds, and how many bytes there are; no hash where they are over the limit."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(min(BLOCK_BYTES, limit + 1 - size)):
        size += len(block)
        if size > limit:
            return None, size
        digest.update(block)
    return digest.digest(), size
