"""The manifest: a CSV that says where files came from.

Lives here: its rows, and what a row's path may mean. Does not live here: which rows found their files
(extractor.store.worklist). Called by scan.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from extractor.bulk.inputs.kinds import split_member
from extractor.bulk.inputs.paths import PathKeys
from extractor.errors import SettingsError
from extractor.store.worklist import Listed

_PATH_COLUMNS = ("path", "file")
_ORIGIN_COLUMNS = ("url", "site", "fetched_at")
_NAME_OF_LINE = re.compile(r"(#\d+)!/.*", re.DOTALL)


class _Row(NamedTuple):
    path: str
    url: str | None
    site: str | None
    fetched_at: str | None


def read_manifest(manifest: Path, keys: PathKeys) -> Iterator[Listed]:
    """The rows of a manifest, with the keys of what each may mean.

    Raises:
        SettingsError: it cannot be read; the message names the line.
    """
    for row in _read_rows(manifest):
        meant = tuple(_key_of(path, keys) for path in list_meant(row.path, manifest))
        yield Listed(row.path, meant, row.url, row.site, row.fetched_at)


def list_meant(path: str, manifest: Path) -> tuple[str, str]:
    """What a row's path may mean: counted from the manifest's folder, and from the working directory."""
    return os.path.join(os.path.dirname(manifest), path), path


def _key_of(path: str, keys: PathKeys) -> bytes:
    member = split_member(path)
    if member is None:
        return keys.of(path)
    outer, inner = member
    return keys.of_member(outer, _NAME_OF_LINE.sub(r"\1", inner))


def _read_rows(manifest: Path) -> Iterator[_Row]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            yield from _parse_rows(csv.reader(file, strict=True), manifest)
    except UnicodeDecodeError as error:
        line = _line_of_bytes(manifest)
        raise SettingsError(f"{manifest}, line {line}: not UTF-8. Save it as 'CSV UTF-8' and run again.") from error
    except OSError as error:
        raise SettingsError(f"{manifest}: the manifest cannot be read ({error.strerror}). Check the path.") from error


def _parse_rows(reader: Iterator[list[str]], manifest: Path) -> Iterator[_Row]:
    header: list[str] = []
    line = 0
    try:
        for cells in reader:
            first_line, line = line + 1, reader.line_num  # type: ignore[attr-defined]
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip().lower() for cell in cells]
                if not any(name in header for name in _PATH_COLUMNS):
                    raise SettingsError(
                        f"{manifest}, line {first_line}: no column `path` (found: {', '.join(header)}). "
                        "The first line must name the columns, separated by commas: path,url,site,fetched_at."
                    )
                continue
            yield _parse_row(cells, header, f"{manifest}, line {first_line}")
    except csv.Error as error:
        raise SettingsError(f"{manifest}, line {line + 1}: {error}. Save it again as 'CSV UTF-8'.") from error
    if not header:
        raise SettingsError(f"{manifest}, line 1: the manifest is empty. It must begin with path,url,site,fetched_at.")


def _parse_row(cells: list[str], header: list[str], where: str) -> _Row:
    if len(cells) != len(header):
        raise SettingsError(
            f"{where}: {len(cells)} columns where the first line has {len(header)}. "
            "Complete the row, or put cells that hold a comma in double quotes."
        )
    named = dict(zip(reversed(header), reversed(cells), strict=True))  # reversed: of equal names the first wins
    path = next((named[name].strip() for name in _PATH_COLUMNS if name in named), "")
    if not path or "\0" in path:
        raise SettingsError(f"{where}: the path is empty. Fill it in or delete the row.")
    return _Row(path, *(named.get(name, "").strip() or None for name in _ORIGIN_COLUMNS))


def _line_of_bytes(manifest: Path) -> int:
    """The first line that is not UTF-8: the error of reading counts from the reader's buffer."""
    with manifest.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
