"""A filter of the queue in the address of a page, and back.

Lives here: reading and writing of addresses. Does not live here: what a filter finds (extractor.store). Called by queue
and items.
"""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import parse_qsl, urlencode

from extractor.store.shapes import ItemKind, QueueFilter
from extractor.web.text import clean_line

#: The kinds that a reviewer may ask for; nobody is to pick the items that check accepted values.
KINDS = tuple(kind for kind in get_args(ItemKind) if kind != "audit")
_LONGEST = 200
_LONGEST_QUERY = 8000
_LATEST_YEAR = 2100


def read_filter(query: str) -> QueueFilter:
    """A filter from the part of an address behind the `?`; what is none of ours is left out."""
    given = {name: clean_line(value)[:_LONGEST] for name, value in parse_qsl(query[:_LONGEST_QUERY]) if value.strip()}
    kind = given.get("kind")
    year = given.get("year", "")
    return QueueFilter(
        kind=cast(ItemKind, kind) if kind in KINDS else None,
        report_year=int(year) if _is_number(year, _LATEST_YEAR) else None,
        document_id=given.get("document"),
        section=given.get("section"),
        code=given.get("code"),
        site=given.get("site"),
        text=given.get("text"),
    )


def write_filter(chosen: QueueFilter) -> str:
    """A filter as the part of an address behind the `?`."""
    named = {
        "kind": chosen.kind,
        "section": chosen.section,
        "code": chosen.code,
        "site": chosen.site,
        "year": chosen.report_year,
        "document": chosen.document_id,
        "text": chosen.text,
    }
    return urlencode({name: value for name, value in named.items() if value is not None})


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most
