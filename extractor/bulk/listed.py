"""The plan of a bulk run: which files, and where each came from.

Lives here: expanding paths, folders and globs, and reading the manifest. Does not live here:
opening the inputs themselves, or any decision about what they are. Called by cli.
"""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from extractor.bulk.inputs.paths import printable_path
from extractor.errors import SettingsError
from extractor.model import Origin

_PATH_COLUMNS = ("path", "file")
_ORIGIN_COLUMNS = ("url", "site", "fetched_at")


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file to read. `origins` has more than one entry when the manifest names it repeatedly."""

    path: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class PlannedFiles:
    """What a run will read.

    Attributes:
        files: in the order given, folders in sorted order, each file once.
        unmatched_rows: the manifest's paths that are not among the files, as written there.
    """

    files: tuple[PlannedFile, ...]
    unmatched_rows: tuple[str, ...] = ()


class _ManifestRow(NamedTuple):
    path: str
    url: str | None
    site: str | None
    fetched_at: str | None


def plan_inputs(paths: Sequence[str], manifest: Path | None, skip: Sequence[Path] = ()) -> PlannedFiles:
    """List the files of a run with their origins.

    Args:
        paths: files, folders (read recursively, hidden files and Office lock files left out), or
            glob patterns that the shell did not expand. Empty: the manifest's own files.
        manifest: CSV with a column `path` (or `file`) and any of `url`, `site`, `fetched_at`.
        skip: files that are never inputs (the outputs of an earlier run inside an input folder).

    Raises:
        SettingsError: a path that does not exist, a manifest that cannot be read, or no file at all.
    """
    keys = _PathKeys()
    rows = _read_manifest(manifest) if manifest else []
    skipped = {keys.of(os.fspath(path)) for path in (*skip, *([manifest] if manifest else []))}
    files: dict[str, str] = {}
    for path in _expand_paths(paths):
        if (key := keys.of(path)) not in skipped:
            files.setdefault(key, path)  # named twice: as it was written first
    origins: dict[str, list[Origin]] = {}
    unmatched: list[str] = []
    for row in rows:
        located = _locate_row(row.path, manifest, keys, files if paths else None)
        if located is None:
            unmatched.append(row.path)
            continue
        key, path = located
        files.setdefault(key, path)
        origin = Origin(path=printable_path(files[key]), url=row.url, site=row.site, fetched_at=row.fetched_at)
        known = origins.setdefault(key, [])
        if origin not in known:
            known.append(origin)
    if not files:
        raise SettingsError(_explain_no_files(paths, manifest))
    planned = tuple(
        PlannedFile(path, tuple(origins[key]) if key in origins else (Origin(path=printable_path(path)),))
        for key, path in files.items()
    )
    return PlannedFiles(planned, tuple(unmatched))


# ---------------------------------------------------------------- paths, folders, globs


class _PathKeys:
    """One key a file, however it was written. Only folders are resolved, once each: 100,000 files stay cheap."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def of(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder or ".")
        return os.path.join(real, name)


def _expand_paths(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        # A file whose own name holds [ or * is a file before it is a pattern.
        if os.path.lexists(path):
            yield from _expand_existing(path)
        elif glob.has_magic(path):
            matches = [match for match in glob.glob(path, recursive=True) if not _is_ignored(os.path.basename(match))]
            if not matches:
                raise SettingsError(f"{printable_path(path)}: nothing matches this pattern. Check it.")
            for match in sorted(matches):
                yield from _expand_existing(match)
        else:
            raise SettingsError(f"{printable_path(path)}: no such file or folder. Check the path; nothing was started.")


def _expand_existing(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        yield from _walk_folder(path)
    elif os.path.isfile(path):
        yield path
    else:
        raise SettingsError(f"{printable_path(path)}: neither a file nor a folder (a broken link?). Remove it.")


def _walk_folder(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        # A folder that silently reads as empty would look like a complete run.
        shown = printable_path(str(error.filename))
        raise SettingsError(f"{shown}: the folder cannot be listed ({error.strerror}). Check its permissions.")

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(root, name)
            if not _is_ignored(name) and os.path.isfile(path):
                yield path


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "~$"))


def _explain_no_files(paths: Sequence[str], manifest: Path | None) -> str:
    if not paths and manifest is None:
        return "nothing to read. Give files, folders or globs, or a manifest with --manifest."
    if not paths:
        return f"{manifest}: none of its files exists. Paths count from the manifest's folder or the working directory."
    shown = ", ".join(map(printable_path, paths))
    return f"{shown}: no files in there. Hidden files and Office lock files (~$…) are left out."


# ---------------------------------------------------------------- manifest


def _locate_row(
    path: str, manifest: Path | None, keys: _PathKeys, inputs: dict[str, str] | None
) -> tuple[str, str] | None:
    """The file that a manifest row means: its key and path; None when it is not among the inputs (or on disk)."""
    beside_manifest = os.path.join(os.path.dirname(manifest) if manifest else "", path)
    for candidate in (beside_manifest, path):
        key = keys.of(candidate)
        if inputs is not None:
            if key in inputs:
                return key, inputs[key]
        elif os.path.isfile(candidate):
            return key, candidate
    return None


def _read_manifest(manifest: Path) -> list[_ManifestRow]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            return list(_parse_rows(csv.reader(file, strict=True), manifest))
    except UnicodeDecodeError as error:
        line = _line_of_byte(manifest, error)
        raise SettingsError(f"{manifest}, line {line}: not UTF-8. Save it as 'CSV UTF-8' and run again.") from error
    except OSError as error:
        raise SettingsError(f"{manifest}: the manifest cannot be read ({error.strerror}). Check the path.") from error


def _parse_rows(reader: Iterator[list[str]], manifest: Path) -> Iterator[_ManifestRow]:
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


def _parse_row(cells: list[str], header: list[str], where: str) -> _ManifestRow:
    if len(cells) != len(header):
        raise SettingsError(
            f"{where}: {len(cells)} columns where the first line has {len(header)}. "
            "Complete the row, or put cells that hold a comma in double quotes."
        )
    named = dict(zip(reversed(header), reversed(cells), strict=True))  # reversed: of equal names the first wins
    path = next((named[name].strip() for name in _PATH_COLUMNS if name in named), "")
    if not path:
        raise SettingsError(f"{where}: the path is empty. Fill it in or delete the row.")
    return _ManifestRow(path, *(named.get(name, "").strip() or None for name in _ORIGIN_COLUMNS))


def _line_of_byte(manifest: Path, error: UnicodeDecodeError) -> int:
    # The error counts from the reader's buffer, not from the file's start.
    raw = manifest.read_bytes()
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as found:
        return raw.count(b"\n", 0, found.start) + 1
    return error.start  # pragma: no cover
