"""Files with a document a line, as crawlers and data sets have them: JSON Lines.

Lives here: which keys are understood, and the bytes of a document. Does not live here: compression (streams). Called by
scan and reading.

The bytes of a document that is given as text are that text in UTF-8, whatever the page says of its charset.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import IO, Any, NamedTuple

from extractor.bulk.inputs.found import BLOCK_BYTES, Found, Problem, Said, show_name, too_large
from extractor.errors import DamagedSource, SourceTooLarge, UnreadableSource
from extractor.settings import Settings

# The first of these that holds something, in this order: the source of a page before what somebody made of it.
_CONTENT = ("html", "raw_html", "rawHtml", "content", "body", "markdown", "text")
_ENCODED = ("content_base64", "body_base64", "httpResponseBody")
_FILE = ("file",)
_PATH = ("path", "file_path", "filename")
_URL = ("url", "source_url")
_SITE = ("site", "domain", "hostname")
_FETCHED_AT = ("fetched_at", "crawled_at", "crawl_time", "timestamp")
# As JSON, text takes up to twice its bytes (\u4e2d), and base64 a third more; the rest of a line is small.
_ROOM = 2
_ROOM_BESIDE = 1 << 20


class _Unusable(Exception):
    """A line that holds no document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.problem)
        self.problem = problem


class Line(NamedTuple):
    """What a line says: the bytes of a document or the file that holds them, its name, where it came from."""

    raw: bytes | None
    file: str | None
    name: str
    said: Said


def list_lines(
    stream: IO[bytes],
    folder: str,
    settings: Settings,
    wanted: Callable[[str], bool],
    hash_file: Callable[[str], tuple[bytes | None, Problem | None]],
) -> Iterator[Found]:
    """The documents of a file, in order; empty lines are none.

    Args:
        folder: of the file; other files that it names lie in it or below.
        wanted: whether to look at what is shown so.
        hash_file: the sha256 of another file, or why there is none.
    """
    limit = settings.max_source_mb * 1_000_000
    longest, start, number = _ROOM * limit + _ROOM_BESIDE, 0, 0
    while raw := stream.readline(longest + 1):
        number += 1
        size = len(raw) if raw.endswith(b"\n") or len(raw) <= longest else len(raw) + _skip_line(stream)
        inner = f"#{number}"
        if raw.strip(b"\xef\xbb\xbf\r\n\t ") and wanted(inner):
            found = Found(inner, inner, start=start, size=size)
            if size > longest:
                yield found._replace(problem=too_large(size, settings))
            else:
                yield _look(raw, found, folder, settings, hash_file)
        start += size


def read_line(raw: bytes, folder: str, limit: int) -> Line:
    """What a line says.

    Args:
        folder: see list_lines.
        limit: most bytes of a document.

    Raises:
        ValueError: it holds no document.
    """
    try:
        return _parse(raw, folder, limit)
    except _Unusable as error:
        raise ValueError(str(error)) from error


def _look(
    raw: bytes,
    found: Found,
    folder: str,
    settings: Settings,
    hash_file: Callable[[str], tuple[bytes | None, Problem | None]],
) -> Found:
    try:
        line = _parse(raw, folder, settings.max_source_mb * 1_000_000)
    except _Unusable as error:
        return found._replace(problem=error.problem)
    found = found._replace(inner=found.inner + (show_name(line.name) if line.name else ""), said=line.said)
    if line.file is not None:
        digest, problem = hash_file(line.file)
        return found._replace(digest=digest, problem=problem, file=line.file)
    return found._replace(digest=sha256(line.raw or b"").digest())


def _parse(raw: bytes, folder: str, limit: int) -> Line:
    try:
        fields = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _unusable(f"the line is no JSON ({error})", "Write one JSON object a line, in UTF-8") from error
    if not isinstance(fields, dict):
        raise _unusable("the line is JSON, but no object", "Write one JSON object a line: {...}")
    said = Said(*(_pick_printable(fields, names) for names in (_URL, _SITE, _FETCHED_AT)))
    content, file = _take_content(fields), _pick_printable(fields, _FILE)
    if content is None and file is None:
        known = ", ".join((*_CONTENT, *_ENCODED, *_FILE))
        raise _unusable("the line holds no document", f"Give it in one of these: {known}")
    if content is not None and len(content) > limit:
        problem = f"the document has {len(content) / 1e6:.1f} MB, the limit is {limit // 1_000_000} MB"
        remedy = "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report"
        raise _Unusable(Problem(SourceTooLarge.code, problem, remedy))
    path = None if content is not None or file is None else _find_beside(folder, file)
    return Line(content, path, _pick_printable(fields, _PATH) or "", said)


def _take_content(fields: Mapping[str, Any]) -> bytes | None:
    text = _pick(fields, _CONTENT)
    encoded = None if text else _pick(fields, _ENCODED)
    try:
        if text:
            return text.encode()
        return base64.b64decode(encoded, validate=True) if encoded else None
    except UnicodeEncodeError as error:
        raise _unusable("its text holds half characters (lone surrogates)", "Write the file anew, in UTF-8") from error
    except (binascii.Error, ValueError) as error:
        raise _unusable(f"its base64 is damaged ({error})", "Write the file anew") from error


def _pick_printable(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first that holds text, as text that every output can hold: JSON can write half characters."""
    text = _pick(fields, names)
    return text and text.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


def _pick(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first that holds text."""
    return next((value for name in names if isinstance(value := fields.get(name), str) and value.strip()), None)


def _find_beside(folder: str, name: str) -> str:
    """A file in the folder or below: whoever wrote the lines reaches no other file of this machine."""
    root = os.path.realpath(folder)
    path = "" if "\0" in name else os.path.realpath(os.path.join(root, name))
    if not path.startswith(os.path.join(root, "")):
        problem = f"its file {name[:120]!r} does not lie beside the lines, or below"
        raise _Unusable(Problem(UnreadableSource.code, problem, "Put it there, and name it from there"))
    return path


def _skip_line(stream: IO[bytes]) -> int:
    """Read to the end of a line that nobody wants, and tell how much that was."""
    size = 0
    while block := stream.readline(BLOCK_BYTES):
        size += len(block)
        if block.endswith(b"\n"):
            break
    return size


def _unusable(problem: str, remedy: str) -> _Unusable:
    return _Unusable(Problem(DamagedSource.code, problem, remedy))
