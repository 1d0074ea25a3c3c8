"""Labels as JSON, one row a line, and the folder of the re-set documents.

Lives here: bytes on disk, and whether they are in step. Does not live here: what they say (documents).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from eval.reset.documents import Made


def list_files(documents: Iterable[Made]) -> dict[str, bytes]:
    """Path below the folder -> content."""
    files: dict[str, bytes] = {}
    index = {}
    for made in documents:
        files[f"docs/{made.file}"] = made.raw
        files[f"labels/{made.name}.json"] = f"{_dump(made.label)}\n".encode()
        index[made.name] = {"source": made.source} | ({"as_set": made.as_set} if made.as_set else {})
    files["index.json"] = f"{_dump(index)}\n".encode()
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write them all, and take away what is no longer made."""
    for path in _list_made(folder):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def list_stale(folder: Path, files: Mapping[str, bytes]) -> Iterator[str]:
    """Files that are missing, differ, or would not be made."""
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            yield f"{name} is {'out of step' if path.is_file() else 'missing'}"
    for path in _list_made(folder):
        if path.relative_to(folder).as_posix() not in files:
            yield f"{path.relative_to(folder).as_posix()} is not made by anything"


def _list_made(folder: Path) -> list[Path]:
    return sorted(path for part in ("docs", "labels") for path in (folder / part).glob("*"))


def _dump(value: Any, indent: int = 0) -> str:
    """JSON with one row of a table a line, and decimals as they are printed."""
    if isinstance(value, dict) and "raw" not in value and value:
        space = " " * (indent + 2)
        lines = [f"{space}{json.dumps(name)}: {_dump(item, indent + 2)}" for name, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_dump(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
