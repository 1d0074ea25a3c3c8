"""What a finished record still tells of its document: ink under its fields, what could not be read, places on paper.

Lives here: reading these off a record. Does not live here: how they came about (ink, ledger, paper). Called by
extractor.revision, where a record is checked anew without its document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from extractor.model import Candidate, Doubt, Flag, Record, RecordField, Span
from extractor.reconcile.ink import ONE_LOOK, PERSON, SUMS, VISION, FieldInk
from extractor.reconcile.ledger import keep_ledger
from extractor.reconcile.merge import Merged

_UNSURE: frozenset[Doubt] = frozenset({"unsure"})
_ONCE: frozenset[Doubt] = frozenset({ONE_LOOK})


def recall_ink(merged: Mapping[str, Merged], flags: Iterable[Flag]) -> dict[str, FieldInk]:
    """The ink under every field that was recognised or is doubted, and that nobody else saw (see examine_ink).

    A record does not say which of its fields were recognised once only and vouched for: each is taken for one, so that
    none vouches for another that did not before.

    Args:
        merged: all fields, before anything was inferred.
        flags: the extracted record's.
    """
    doubted = {
        name for flag in flags if flag.code == "ocr-uncertain" and not _is_about_sums(flag) for name in flag.fields
    }
    found: dict[str, FieldInk] = {}
    for name, entry in merged.items():
        printed = entry.printed
        if printed.reader == PERSON or VISION in entry.confirmed_by or not printed.spans:
            continue
        known = [span.place.confidence for span in printed.spans if span.place is not None]
        confidence = min((one for one in known if one is not None), default=None)
        doubts = (_UNSURE if name in doubted else frozenset()) | (_ONCE if confidence is not None else frozenset())
        if doubts:
            found[name] = FieldInk(doubts, confidence, printed.spans)
    return found


def recall_once(flags: Iterable[Flag]) -> frozenset[str]:
    """The fields recognised once only for which nothing spoke."""
    return frozenset(name for flag in flags if flag.code == "ocr-unconfirmed" for name in flag.fields)


def _is_about_sums(flag: Flag) -> bool:
    return SUMS[1] in flag.message.en


def list_unread(record: Record, settled: Set[str]) -> list[str]:
    """What could not be read, beyond the states of the fields, as the ledger names it.

    Args:
        record: as extracted.
        settled: fields that a person read; a row all of which he read is read.
    """
    merged = {name: Merged(Candidate(field.state), ()) for name, field in record.fields.items()}
    by_fields = keep_ledger(merged, record.generation, ())
    failed = [name for name, outcome in record.ledger.items() if outcome == "failed" != by_fields.get(name)]
    rows = [name for name in failed if "." in name and name in by_fields]
    sections = {name.partition(".")[0] for name in rows}  # these failed with their rows
    others = [name for name in failed if name not in rows and name not in sections]
    return [
        *(f"{row}.*" for row in rows if not _is_settled(row, record, settled)),
        *(name for name in others if not _is_settled(name, record, settled)),
    ]


def _is_settled(name: str, record: Record, settled: Set[str]) -> bool:
    own = [field_id for field_id in record.fields if field_id == name or field_id.startswith(f"{name}.")]
    return bool(own) and all(field_id in settled for field_id in own)


class KnownPlaces:
    """The places of a record's spans, for spans that are made anew without the paper at hand."""

    def __init__(self, record: Record) -> None:
        self._known: dict[Span, Span] = {}
        for field in record.fields.values():
            self._note(field.spans)
            for candidate in field.candidates:
                self._note(candidate.spans)
        for flag in record.flags:
            self._note(flag.spans)

    def _note(self, spans: Iterable[Span]) -> None:
        for span in spans:
            if span.place is not None:
                self._known[replace(span, place=None)] = span

    def place_fields(self, fields: dict[str, RecordField]) -> dict[str, RecordField]:
        """The same fields with the places that are known."""
        if not self._known:
            return fields
        return {name: replace(field, spans=self._place(field.spans)) for name, field in fields.items()}

    def place_flags(self, flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
        """The same findings with the places that are known."""
        if not self._known:
            return flags
        return tuple(replace(flag, spans=self._place(flag.spans)) for flag in flags)

    def _place(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(self._known.get(span, span) if span.place is None else span for span in spans)
