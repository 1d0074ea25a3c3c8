"""A document's part of every output file, packed to wait until it is its turn.

Lives here: packing and unpacking. Does not live here: making the parts (writer.prepare), where they wait
(extractor.store.ledger). Called by bulk.
"""

from __future__ import annotations

import json
import zlib

from extractor.export.rows import TableRow
from extractor.export.writer import Prepared

_TEXTS = ("records", "values", "queue", "flags")


def pack_pieces(prepared: Prepared) -> bytes:
    """Pack. Level 1: the texts shrink to a tenth all the same."""
    texts = [getattr(prepared, name) for name in _TEXTS]
    head = {
        "lengths": [len(text) for text in texts],
        "row": prepared.row,
        "units": prepared.units,
        "unknown": prepared.unknown,
    }
    return zlib.compress(b"\n".join([json.dumps(head, ensure_ascii=False).encode(), b"".join(texts)]), 1)


def unpack_pieces(packed: bytes) -> Prepared:
    """What pack_pieces was given."""
    first, _, rest = zlib.decompress(packed).partition(b"\n")
    head = json.loads(first)
    texts, start = {}, 0
    for name, length in zip(_TEXTS, head["lengths"], strict=True):
        texts[name] = rest[start : start + length]
        start += length
    return Prepared(**texts, row=TableRow(*head["row"]), units=head["units"], unknown=head["unknown"])
