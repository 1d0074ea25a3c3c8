"""Files that may be compressed, opened as plain bytes, and few of them kept open.

Lives here: opening. Does not live here: what the bytes are (zips, tars, lines). Called by scan and reading.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections import OrderedDict
from typing import IO, cast

from extractor.bulk.inputs.kinds import ContainerKind

_KEPT_OPEN = 4
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_GZIP = b"\x1f\x8b"
_PACKED_TARS = {
    _GZIP: ContainerKind.TAR_GZ,
    b"BZh": ContainerKind.TAR_BZ2,
    b"\xfd7zXZ\x00": ContainerKind.TAR_XZ,
}


def open_stream(path: str | bytes, kind: ContainerKind) -> IO[bytes]:
    """A container's bytes, decompressed where it is compressed as a whole. Seeking back there begins anew.

    Raises:
        OSError: it cannot be opened.
    """
    if kind in (ContainerKind.TAR_GZ, ContainerKind.JSONL_GZ):
        return cast("IO[bytes]", gzip.open(path))
    if kind is ContainerKind.TAR_BZ2:
        return cast("IO[bytes]", bz2.open(path))
    return cast("IO[bytes]", lzma.open(path)) if kind is ContainerKind.TAR_XZ else open(path, "rb")


def look_into(path: str, kind: ContainerKind) -> ContainerKind | None:
    """What a container is by its content; its name may be that of another packing. None where it is no container.

    A tar without packing has no sure mark: whether it is one shows when it is opened.

    Args:
        kind: by its name.

    Raises:
        OSError: it cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(8)
    if kind is ContainerKind.ZIP:
        return kind if head.startswith(_ZIP) else None
    if kind in (ContainerKind.JSONL, ContainerKind.JSONL_GZ):
        return ContainerKind.JSONL_GZ if head.startswith(_GZIP) else ContainerKind.JSONL
    return next((packed for mark, packed in _PACKED_TARS.items() if head.startswith(mark)), ContainerKind.TAR)


class OpenStreams:
    """The containers that were read from last. Not for several threads at once."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[bytes, ContainerKind], IO[bytes]] = OrderedDict()

    def get(self, path: bytes, kind: ContainerKind) -> IO[bytes]:
        """An open container, wherever it was left.

        Raises:
            OSError: it cannot be opened.
        """
        stream = self._open.pop((path, kind), None) or open_stream(path, kind)
        self._open[path, kind] = stream
        if len(self._open) > _KEPT_OPEN:
            self._open.popitem(last=False)[1].close()
        return stream

    def drop(self, path: bytes, kind: ContainerKind) -> None:
        """Close a container that gave an error: the next read begins anew."""
        if stream := self._open.pop((path, kind), None):
            stream.close()

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popitem()[1].close()
