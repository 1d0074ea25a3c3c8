"""Pictures that a web page or a Word file shows: which of them may hold text, and where their bytes are.

Lives here: following the address of an <img> to bytes, within limits, and taking in those of a docx. Does not live
here: reading them (picture_text), and where in the text they stand (html, word).

Nothing is ever fetched. A page's picture is a file in its own folder or below it, or stands in the page itself as a
data: address; a Word file's is a part of it. Every other address is only named.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import unquote, urlsplit

from PIL import Image

from extractor.settings import Settings
from extractor.sources.detect import tell_picture

MOST_PICTURES = 20
"""Pictures of one file that are read, and those that are named as not read."""
LEAST_WIDTH, LEAST_HEIGHT = 300, 100
"""A smaller picture holds no table, in pixels."""
SHOWN_ADDRESS = 120
"""Characters of an address that are told."""

_SOURCES = ("src", "data-src", "data-original", "original", "_src")
_DATA = re.compile(r"data:image/[a-z0-9.+-]+(?:;[^,;]*)*;base64,", re.I)
# Absolute, of another system, or no path at all.
_NO_PATH = re.compile(r"[a-zA-Z]:|/|~|.*[\\\x00]", re.S)
_HEAD_BYTES = 1024

REMOTE = "it is not beside the page, and nothing is fetched from the network"
MISSING = "the file is not in the page's folder"
OUTSIDE = "its address leads out of the page's folder"
TOO_MANY = f"the file shows more than {MOST_PICTURES} pictures"
TOO_LARGE = "the pictures of this file are over the limit for one file"
NO_PICTURE = "it is no picture that can be opened"


class Shown(NamedTuple):
    """What a file shows in one place.

    Attributes:
        name: path below the page's folder, `data:` and a number, the part of a docx, or the address as written.
        raw: its bytes; None when they are out of reach, and `problem` says why.
        is_large: whether it may hold a table by its size; None where no size is known.
    """

    name: str
    raw: bytes | None = None
    is_large: bool | None = None
    problem: str = ""


class PictureMark(str):
    """A line of blocks (see extractor.sources.blocks) that stands for a picture until the page is laid out."""

    __slots__ = ("shown",)

    shown: Shown

    def __new__(cls, shown: Shown) -> PictureMark:
        """A mark whose text is the picture's name."""
        mark = super().__new__(cls, shown.name)
        mark.shown = shown
        return mark


class PictureShelf:
    """The pictures of one file. Each is taken once, however often the file shows it."""

    def __init__(self, settings: Settings) -> None:
        self.bytes_left = settings.max_source_mb * 1_000_000
        self._places_left = MOST_PICTURES
        self._seen: set[str] = set()

    def take(self, name: str, stream: IO[bytes]) -> Shown | None:
        """Take a picture when it is large, and count it against the limits; None for one that was taken before."""
        is_large = _measure(stream)
        if is_large is None:
            return Shown(name, problem=NO_PICTURE)
        if not is_large:
            return Shown(name, is_large=False)
        stream.seek(0)
        raw = stream.read(self.bytes_left + 1)
        if len(raw) > self.bytes_left:
            return Shown(name, is_large=True, problem=TOO_LARGE)
        if not self._places_left:
            return Shown(name, is_large=True, problem=TOO_MANY)
        if self.is_known(hashlib.sha256(raw).hexdigest()):
            return None
        self.bytes_left -= len(raw)
        self._places_left -= 1
        return Shown(name, raw, is_large=True)

    def is_known(self, name: str) -> bool:
        """Whether a name (or the hash of its bytes) was asked for before."""
        if name in self._seen:
            return True
        self._seen.add(name)
        return False


class PagePictures:
    """The pictures of one web page, by the addresses that it writes."""

    def __init__(self, path: str, settings: Settings) -> None:
        page = Path(path)
        # Bytes that are no file here have no folder: what lies in the working directory is not theirs.
        self._folder = page.parent.resolve() if page.is_file() else None
        self._shelf = PictureShelf(settings)
        self._data_count = 0

    def find(self, attributes: Mapping[str, str | None]) -> Shown | None:
        """The picture that an <img> shows; None when it is too small for a table, or was found before."""
        addresses = dict.fromkeys(address.strip() for name in _SOURCES if (address := attributes.get(name)))
        found = [shown for address in addresses if address and (shown := self._follow(address))]
        # Pages that load their pictures late name a small stand-in first.
        best = next((shown for shown in found if shown.raw is not None), None)
        best = best or next((shown for shown in found if shown.problem), None)
        if best is None:
            return None
        is_large = _read_declared_size(attributes) if best.is_large is None else best.is_large
        return None if is_large is False else best._replace(is_large=is_large)

    def _follow(self, address: str) -> Shown | None:
        """What stands at an address; None for what was seen before."""
        if self._shelf.is_known(address):
            return None
        if address[:5].lower() == "data:":
            return self._open_data(address)
        name = address[:SHOWN_ADDRESS]
        try:
            parts = urlsplit(address)
        except ValueError:
            return Shown(name, problem=REMOTE)
        if parts.netloc or parts.scheme.lower() in ("http", "https") or self._folder is None:
            return Shown(name, problem=REMOTE)
        if parts.scheme:
            return Shown(name, problem=OUTSIDE)
        return self._open_file(self._folder, name, unquote(parts.path))

    def _open_file(self, folder: Path, name: str, address: str) -> Shown | None:
        if _NO_PATH.match(address):
            return Shown(name, problem=OUTSIDE)
        try:
            file = (folder / address).resolve()
            if not file.is_relative_to(folder):
                return Shown(name, problem=OUTSIDE)
            if not file.is_file():
                return Shown(name, problem=MISSING)
            name = file.relative_to(folder).as_posix()
            if name != address and self._shelf.is_known(name):
                return None
            with file.open("rb") as stream:
                return self._shelf.take(name, stream)
        except (OSError, ValueError, RuntimeError):  # names too long, loops of links
            return Shown(name, problem=MISSING)

    def _open_data(self, address: str) -> Shown | None:
        head = _DATA.match(address)
        if not head:
            return None  # drawings and the like
        self._data_count += 1
        name = f"data:{self._data_count}"
        if len(address) > 2 * self._shelf.bytes_left:
            return Shown(name, problem=TOO_LARGE)
        try:
            raw = base64.b64decode(unquote(address[head.end() :]))
        except ValueError:
            return Shown(name, problem=NO_PICTURE)
        return self._shelf.take(name, io.BytesIO(raw))


def _measure(stream: IO[bytes]) -> bool | None:
    """Whether a picture is large, by its first bytes (nothing is unpacked here); None when it is no picture."""
    head = stream.read(_HEAD_BYTES)
    if tell_picture(head) is None:
        return None
    stream.seek(0)
    try:
        with Image.open(stream) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        return True  # whoever reads it has limits of its own
    except Exception:  # broken heads raise whatever comes to the decoder's mind
        return None
    return width >= LEAST_WIDTH and height >= LEAST_HEIGHT


_STYLE_SIZE = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*(\d{1,5})(?:\.\d*)?px", re.I)


def _read_declared_size(attributes: Mapping[str, str | None]) -> bool | None:
    """Whether a picture is large by what the page says of it; None when it says nothing."""
    sizes = {name.lower(): int(value) for name, value in _STYLE_SIZE.findall(attributes.get("style") or "")}
    for name in ("width", "height"):
        match = re.match(r"\s*(\d{1,5})(?:px)?\s*$", attributes.get(name) or "")
        if match and name not in sizes:
            sizes[name] = int(match[1])
    if not sizes:
        return None
    return sizes.get("width", LEAST_WIDTH) >= LEAST_WIDTH and sizes.get("height", LEAST_HEIGHT) >= LEAST_HEIGHT
