"""Which files hold many documents, and which are one.

Lives here: the ends of names, and the first look into a file. Does not live here: what a document is
(extractor.sources.detect), reading archives (zips, tars, lines). Called by scan and manifest.

A file is an archive where its name ends so and its content is so. A docx or xlsx is a zip, too, but its name or, under
the name of a zip, its first parts say that it is one document. What is named like an archive and is none (a page that
says "not found") is a document like any other; what is an archive under another name is refused by
extractor.sources, which says so.
"""

from __future__ import annotations

import re
from enum import StrEnum


class ContainerKind(StrEnum):
    """How documents lie in a file."""

    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"
    TAR_BZ2 = "tar.bz2"
    TAR_XZ = "tar.xz"
    JSONL = "jsonl"
    JSONL_GZ = "jsonl.gz"


_ENDS = {
    ".zip": ContainerKind.ZIP,
    ".tar": ContainerKind.TAR,
    ".tar.gz": ContainerKind.TAR_GZ,
    ".tgz": ContainerKind.TAR_GZ,
    ".tar.bz2": ContainerKind.TAR_BZ2,
    ".tbz2": ContainerKind.TAR_BZ2,
    ".tar.xz": ContainerKind.TAR_XZ,
    ".txz": ContainerKind.TAR_XZ,
    ".jsonl": ContainerKind.JSONL,
    ".ndjson": ContainerKind.JSONL,
    ".jsonl.gz": ContainerKind.JSONL_GZ,
    ".ndjson.gz": ContainerKind.JSONL_GZ,
}
_ARCHIVES = tuple(end for end in _ENDS if "json" not in end)
_LINES = tuple(end for end in _ENDS if "json" in end)
_MEMBER = re.compile(
    rf"(?P<archive>.*?(?:{'|'.join(map(re.escape, _ARCHIVES))}))(?P<name>!/.+)"
    rf"|(?P<lines>.*?(?:{'|'.join(map(re.escape, _LINES))}))(?P<line>#\d+(?:!/.*)?)",
    re.IGNORECASE | re.DOTALL,
)


def tell_container(name: str) -> ContainerKind | None:
    """The kind of container that a file is by its name; None for a document."""
    # The longest end first: .tar.gz before .gz, were there one.
    lowered = name.lower()
    return next((_ENDS[end] for end in sorted(_ENDS, key=len, reverse=True) if lowered.endswith(end)), None)


def split_member(path: str) -> tuple[str, str] | None:
    """The container's path and the rest (`!/name`, `#line`) of the path of what is in one; None for other paths."""
    found = _MEMBER.fullmatch(path)
    if found is None:
        return None
    return (found["archive"], found["name"]) if found["archive"] else (found["lines"], found["line"])
