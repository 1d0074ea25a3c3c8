"""The user's own word on which names are one agency: a CSV of `variant,agency`.

Lives here: the file. Without it nothing is merged but names with the same folded form. Called by build.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from extractor.errors import SettingsError
from extractor.panel.names import fold_agency

_HEADER = ("variant", "agency")


def read_aliases(path: Path) -> dict[str, str]:
    """Folded variant -> the agency's name as the file writes it.

    Raises:
        SettingsError: the file cannot be read, a line is incomplete, or the lines contradict each other.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _collect(_read_lines(csv.reader(file, strict=True), path), path)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8. Save it as 'CSV UTF-8' and run again.") from error
    except csv.Error as error:
        raise SettingsError(f"{path}: {error}. Save it again as 'CSV UTF-8'.") from error
    except OSError as error:
        raise SettingsError(f"{path}: the aliases cannot be read ({error.strerror}). Check the path.") from error


def _read_lines(rows: Iterator[list[str]], path: Path) -> Iterator[tuple[int, str, str]]:
    columns: list[str] = []
    for row in rows:
        line: int = rows.line_num  # type: ignore[attr-defined]
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if not columns:
            columns = [cell.lower() for cell in cells]
            if not set(_HEADER) <= set(columns):
                raise SettingsError(
                    f"{path}, line {line}: no columns `variant` and `agency` (found: {', '.join(columns)}). "
                    "The first line must name the columns, separated by commas: variant,agency."
                )
            continue
        named = dict(zip(columns, cells, strict=False))
        variant, agency = (named.get(name, "") for name in _HEADER)
        if not fold_agency(variant) or not fold_agency(agency):
            raise SettingsError(f"{path}, line {line}: two names are needed. Fill them in or delete the line.")
        yield line, variant, agency
    if not columns:
        raise SettingsError(f"{path}, line 1: the file is empty. It must begin with variant,agency.")


def _collect(lines: Iterator[tuple[int, str, str]], path: Path) -> dict[str, str]:
    found: dict[str, tuple[int, str]] = {}
    for line, variant, agency in lines:
        key = fold_agency(variant)
        earlier, name = found.setdefault(key, (line, agency))
        if fold_agency(name) != fold_agency(agency):
            raise SettingsError(
                f"{path}, line {line}: {variant} is {agency} here and {name} in line {earlier}. Delete one of the two."
            )
    for key, (line, agency) in found.items():
        other = found.get(fold_agency(agency))
        if other and fold_agency(agency) != key and fold_agency(other[1]) != fold_agency(agency):
            raise SettingsError(
                f"{path}, line {line}: {agency} is itself a variant of {other[1]} (line {other[0]}). "
                f"Write {other[1]} in both lines."
            )
    return {key: agency for key, (_, agency) in found.items()}
