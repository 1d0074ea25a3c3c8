"""Pictures beside a web page: they travel with it, because no worker sees the folder where it lies.

Lives here: which files of the folder a page names, and a folder like it for a worker. Does not live here: what is done
with them (extractor.sources.pictures), which takes only those that it would take at home.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from extractor.sources import reads_in_processes
from extractor.sources.detect import decode_text

# Whatever may be an address: too many are looked for rather than too few.
_ADDRESS = re.compile(r"""[\w-]+\s*=\s*(?:"([^"]{1,1000})"|'([^']{1,1000})'|([^\s"'>]{1,1000}))""")
_IMAGE = re.compile(r"<img\b[^>]{1,10000}>", re.IGNORECASE)
_NAMES_NO_FILE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|/|\\)", re.IGNORECASE)


def collect_pictures(raw: bytes, where: str, most_bytes: int) -> dict[str, bytes]:
    """The files in the folder of a page that its images name, by their path in it.

    Args:
        where: the page's own path; empty: it has no folder.
        most_bytes: of all of them together; no more is taken.
    """
    if not where or not reads_in_processes(raw):
        return {}
    page = Path(where)
    if not page.is_file():
        return {}
    folder = page.parent.resolve()
    found: dict[str, bytes] = {}
    for image in _IMAGE.findall(decode_text(raw)[0]):
        for address in ("".join(groups) for groups in _ADDRESS.findall(image)):
            name = unquote(html.unescape(address).strip().partition("?")[0].partition("#")[0])
            picture = _read_within(folder, name, most_bytes)
            if picture is None or name in found:
                continue
            most_bytes -= len(picture)
            found[name] = picture
    return found


def _read_within(folder: Path, name: str, most_bytes: int) -> bytes | None:
    if not name or _NAMES_NO_FILE.match(name):
        return None
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
        if ".." in PurePosixPath(name).parts:  # it stayed in its folder by a way that is not there
            continue
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
    return str(page)
