"""Pictures beside a web page: they travel with it, because no worker sees the folder where it lies.

Lives here: their bytes, and a folder like theirs for a worker. Does not live here: which they are (beside), and what is
done with them (extractor.sources.pictures), which takes only those that it would take at home.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from extractor.bulk.beside import name_pictures
from extractor.sources import reads_in_processes


def collect_pictures(raw: bytes, where: str, most_bytes: int) -> dict[str, bytes]:
    """The files in the folder of a page that its images name, by their path in it.

    Args:
        where: the page's own path; empty: it has no folder.
        most_bytes: of all of them together; no more is taken.
    """
    if not where or not reads_in_processes(raw):
        return {}
    folder = Path(where).parent.resolve()
    found: dict[str, bytes] = {}
    for name in name_pictures(where, raw):
        picture = _read_within(folder, name, most_bytes)
        if picture is not None:
            most_bytes -= len(picture)
            found[name] = picture
    return found


def _read_within(folder: Path, name: str, most_bytes: int) -> bytes | None:
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            return None
        with file.open("rb") as stream:
            raw = stream.read(most_bytes + 1)
    except (OSError, ValueError, RuntimeError):
        return None
    return raw if len(raw) <= most_bytes else None


def lay_out(folder: Path, number: int, raw: bytes, pictures: Mapping[str, bytes]) -> str:
    """A folder like that of the page, with the page in it. Returns the page's path."""
    home = folder / str(number)
    home.mkdir()
    page = home / "page"
    page.write_bytes(raw)
    for name, picture in pictures.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
    return str(page)
