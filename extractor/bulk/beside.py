"""Pictures beside a page: whether a page that did not change still shows what it showed when it was read.

Its record holds what they say, and its bytes do not tell. So the ledger's account of a page names the files and their
hashes, and the next start compares. Lives here: which files these are. Does not live here: reading them
(extractor.sources.pictures). Called by keeping, remaining and cluster.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from extractor.sources.detect import decode_text

_KEY = '"beside":'
_SHOWS = re.compile(rb"<img\b", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^>]{1,10000}>", re.IGNORECASE)
# Whatever may name a picture: one too many costs a reading, one too few a value.
_ADDRESS = re.compile(r"""(?:src|original)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_MOST = 200


def list_beside(where: str, raw: bytes | None) -> list[list[str]]:
    """The pictures that a page may show, in its folder or below: name and hash; a name alone where none is there.

    Args:
        where: the page's own file; empty, or below a file: it has no folder.
        raw: its bytes.
    """
    return [_stamp(where, name) for name in name_pictures(where, raw)]


def name_pictures(where: str, raw: bytes | None) -> list[str]:
    """The files of a page's folder that its images name, by their path in it, whether or not they are there."""
    if not where or raw is None or b"<" not in raw or not Path(where).is_file():
        return []
    shown = (found for image in _IMAGE.findall(decode_text(raw)[0]) for found in _ADDRESS.findall(image))
    addresses = (html.unescape("".join(groups)).strip() for groups in shown)
    names = dict.fromkeys(name for address in addresses if (name := _name_file(address)))
    return list(names)[:_MOST]


def differ_beside(paths: Iterable[str], raw: bytes) -> bool:
    """Whether the same page lies in several folders with other pictures beside it: then it is not one document."""
    if _SHOWS.search(raw) is None:
        return False
    stamps = [list_beside(path, raw) for path in dict.fromkeys(paths) if Path(path).is_file()]
    return any(stamp != stamps[0] for stamp in stamps)


def has_changed(where: str, account: str) -> bool:
    """Whether a picture is another one, gone or there at last since the account of a page was written."""
    if _KEY not in account:
        return False
    beside: Sequence[list[str]] = json.loads(account)["beside"]
    return any(_stamp(where, stamp[0]) != stamp for stamp in beside)


def _name_file(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    name = unquote(parts.path)
    # The way out and in again is not there where pages are laid out for workers (extractor.bulk.cluster.pictures).
    is_out = parts.scheme or parts.netloc or name.startswith(("/", "~")) or "\\" in name or ".." in name.split("/")
    return name if name and not is_out and name.isprintable() else None


def _stamp(where: str, name: str) -> list[str]:
    try:
        folder = Path(where).parent.resolve()
        file = (folder / name).resolve()
        if file.is_relative_to(folder) and file.is_file():
            with file.open("rb") as stream:
                return [name, hashlib.file_digest(stream, "sha256").hexdigest()]
    except (OSError, ValueError, RuntimeError):  # names too long, loops of links
        pass
    return [name]
