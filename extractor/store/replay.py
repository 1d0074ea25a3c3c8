"""Replay files: replies as lines of JSON, to be kept beside a version, diffed, and read in elsewhere.

The first line says what the file is; each further line is one reply, sorted by key, so that the same
replies always give the same bytes. Lives here: the shape of these lines, writing and reading them.
Does not live here: the journal they come from and go to (journal), which is the only caller.
"""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from extractor.errors import OutputError, SettingsError
from extractor.store.rows import Origin, StoredReply, canonical_json

_FORMAT = "extractor replies"
_VERSION = 1
_Text = Annotated[str, Field(min_length=1)]
_Count = Annotated[int, Field(ge=0)]


class _Header(BaseModel):
    """The first line. A file made by hand may leave `replies` out; then nothing tells that its end is missing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["extractor replies"]
    version: int
    origins: list[Origin]
    replies: _Count | None = None


class _Line(BaseModel):
    """One reply. `reply` is JSON, not JSON in a text: such a file can be read, and written by hand."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    task: _Text
    model: _Text
    parameters: dict[str, JsonValue]
    prompt_version: _Text
    schema_hash: _Text
    reply: JsonValue
    origin: Origin
    request: str | None = None
    mode: str | None = None
    input_tokens: _Count = 0
    output_tokens: _Count = 0
    cached_tokens: _Count = 0
    is_estimated: bool = False
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    created_at: AwareDatetime


def write_replies(path: Path, replies: Iterable[StoredReply], count: int, origins: Iterable[str]) -> None:
    """Write a replay file; it appears when it is complete.

    Args:
        path: the file; one that is there is replaced.
        replies: sorted by key.
        count: how many they are.
        origins: where they came from.

    Raises:
        OutputError: the file cannot be written.
    """
    header = {"format": _FORMAT, "version": _VERSION, "origins": sorted(set(origins)), "replies": count}
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(header) + "\n")
            file.writelines(f"{canonical_json(_line_of(reply))}\n" for reply in replies)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}). Name another file, or make room.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def read_replies(path: Path) -> Iterator[StoredReply]:
    """Read a replay file line by line.

    Raises:
        SettingsError: with the line that is wrong.
    """
    try:
        with path.open("rb") as file:
            lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
            number, first = next(lines, (1, b""))
            header = _read_header(path, number, first.removeprefix(codecs.BOM_UTF8))
            read = 0
            for number, line in lines:
                yield _read_line(path, number, line)
                read += 1
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}). Name a replay file.") from error
    if header.replies is not None and read != header.replies:
        problem = f"{read} replies, but the first line says {header.replies}"
        raise SettingsError(f"{path}:{number}: {problem}. The file is cut short or was edited; export it anew.")


def _line_of(reply: StoredReply) -> dict[str, Any]:
    line = asdict(reply) | {"reply": json.loads(reply.reply), "created_at": reply.created_at.isoformat()}
    if reply.request is None:
        del line["request"]
    return line


def _read_header(path: Path, number: int, text: bytes) -> _Header:
    try:
        header = _Header.model_validate_json(text)
    except ValidationError as error:
        problem = f"no replay file: the first line is not its header ({_describe(error)})"
        raise SettingsError(f"{path}:{number}: {problem}. Name a file that was exported from a journal.") from error
    if header.version != _VERSION:
        problem = f"a replay file of version {header.version}; this program reads version {_VERSION}"
        raise SettingsError(f"{path}:{number}: {problem}. Update the program, or export the file anew.")
    return header


def _read_line(path: Path, number: int, text: bytes) -> StoredReply:
    try:
        line = _Line.model_validate_json(text)
        values = {name: getattr(line, name) for name in _Line.model_fields}
        return StoredReply(**(values | {"reply": canonical_json(line.reply)}))
    except ValidationError as error:
        problem = _describe(error)
    except ValueError:
        problem = "reply: holds a number that JSON does not know"
    raise SettingsError(f"{path}:{number}: {problem}. Correct the line; nothing was read in.")


def _describe(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
