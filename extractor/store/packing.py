"""Records, texts and words as the tables hold them, and back.

Lives here: compression and JSON. Does not live here: SQL. Called by the modules that hold them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from pydantic import TypeAdapter

from extractor.model import Origin, Page, Record, Word
from extractor.store.rows import canonical_json
from extractor.store.shapes import RunDocument

_PAGES = TypeAdapter(tuple[Page, ...])
_ORIGINS = TypeAdapter(tuple[Origin, ...])
_WORD = TypeAdapter(Word)
# A PDF or a picture is packed already. What the first bytes do not yield, the rest will not.
_SAMPLE, _WORTH = 65_536, 0.9


def pack_text(text: str) -> bytes:
    """A text in few bytes. Level 1: half the size is gained at once, the rest would cost ten times the time."""
    return zlib.compress(text.encode(), 1)


def unpack_text(packed: bytes) -> str:
    """The text that pack_text was given."""
    return zlib.decompress(packed).decode()


def pack_raw(raw: bytes) -> tuple[bool, bytes]:
    """Bytes of a source, and whether they were packed."""
    sample = raw[:_SAMPLE]
    is_worth = len(zlib.compress(sample, 1)) < _WORTH * len(sample)
    return (True, zlib.compress(raw, 1)) if is_worth else (False, raw)


def unpack_raw(is_packed: bool, raw: bytes) -> bytes:
    """The bytes that pack_raw was given."""
    return zlib.decompress(raw) if is_packed else bytes(raw)


def pack_record(record: Record) -> bytes:
    """A record in few bytes."""
    return pack_text(record.model_dump_json())


def unpack_record(packed: bytes) -> Record:
    """The record that pack_record was given; written as JSON it is the same, byte for byte."""
    return Record.model_validate_json(zlib.decompress(packed))


def fingerprint_extraction(record: Record, text: str) -> str:
    """The same for the same words about the same text, wherever the document was found."""
    # A file that could not be opened has no other identity than its path.
    elsewhere = {"document": {"path"}} if record.document.id else {}
    said = record.model_dump_json(exclude={"origins": True, **elsewhere})
    return sha256(f"{said}\0{text}".encode()).hexdigest()


def pack_pages(pages: Sequence[Page]) -> bytes:
    """Pages in few bytes."""
    return zlib.compress(_PAGES.dump_json(tuple(pages)), 1)


def unpack_pages(packed: bytes) -> tuple[Page, ...]:
    """The pages that pack_pages was given."""
    return _PAGES.validate_json(zlib.decompress(packed))


def write_origins(origins: Sequence[Origin]) -> str:
    """Origins as JSON text."""
    return _ORIGINS.dump_json(tuple(origins)).decode()


def read_origins(text: str) -> tuple[Origin, ...]:
    """The origins that write_origins was given."""
    return _ORIGINS.validate_json(text)


def write_word(word: Word) -> str:
    """A word as JSON text."""
    return _WORD.dump_json(word).decode()


def read_word(text: str) -> Word:
    """The word that write_word was given."""
    return _WORD.validate_json(text)


def write_texts(texts: Iterable[str]) -> str:
    """Texts as a JSON list; each is found in it between quotes."""
    return canonical_json(list(texts))


def read_texts(text: str) -> tuple[str, ...]:
    """The texts that write_texts was given."""
    return tuple(json.loads(text))


def place_at(record: Record, found: RunDocument) -> Record:
    """The record of a document that was found in another place as it would have been made there."""
    if record.document.path == found.name and record.origins == found.origins:
        return record
    identity = replace(record.document, path=found.name)
    return record.model_copy(update={"origins": found.origins, "document": identity})
