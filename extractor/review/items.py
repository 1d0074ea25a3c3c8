"""What a person is asked about a record: fields in review, grouped by what one look settles.

Lives here: the cut into items, and what each is worth. Does not live here: which document is drawn for audit or two
looks (intake), the order over all documents (the store sorts by expected values per look), answers. Called by sync.

Every field in review is in exactly one item, but those that a person called unknowable: there is nothing more to ask.
The order in which kinds take their fields goes from the largest question that one answer settles to the smallest.
docs/review.md explains it to reviewers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from extractor.flags import CATALOGUE
from extractor.forms import TABLE_SECTIONS
from extractor.model import CellState, Record, RecordField
from extractor.review.answers import SAYS
from extractor.review.lines import list_lines
from extractor.review.places import split_by_place
from extractor.review.priors import UNFLAGGED, Chances
from extractor.review.regions import list_regions
from extractor.store.shapes import ItemDraft, ItemKind

#: Cells that one look takes in.
_CELLS_A_LOOK = 12
#: A finding about all of a table names more cells than a row has.
_LEAST_OF_TABLE = 8
_GLUED = frozenset({CellState.UNPARSABLE, CellState.INFERRED_BY_EQUATION})
# One doubt about a table, most far-reaching first.
_ABOUT_TABLES = (
    "several-reports",
    "generation-unclear",
    "columns-unverified",
    "columns-reordered",
    "rows-missing",
    "page-not-read",
    "ocr-uncertain",
)
_ABOUT_INK = frozenset({"page-not-read", "ocr-uncertain"})
_ABOUT_ROWS = frozenset(
    {
        "cut-off",
        "label-inexact",
        "row-before-gap",
        "row-out-of-order",
        "row-repeated",
        "row-without-cells",
        "rows-missing",
    }
)
# Findings without a field that a person can look into; others are about the program's own doing or about nothing.
_ABOUT_DOCUMENTS = frozenset(
    {
        "page-not-read",
        "picture-not-read",
        "section-missing",
        "several-reports",
        "table-missing",
        "unclaimed-numbers",
        "unknown-row",
    }
)
_SEVERITIES = {"error": 0, "warning": 1, "info": 2}


def group_items(
    record: Record, *, is_audited: bool = False, taken: Collection[str] = (), chances: Chances | None = None
) -> tuple[ItemDraft, ...]:
    """Cut a record into items.

    Args:
        record: the live one.
        is_audited: whether accepted fields that nobody looked at are asked about, too.
        taken: fields that are asked about already.
        chances: of errors by code; the priors alone when None.

    Returns:
        Items with distinct keys, in the order of the form.
    """
    return tuple(_Grouping(record, frozenset(taken), chances or Chances()).list_drafts(is_audited=is_audited))


class _Grouping:
    """The fields of one record that are left to ask about."""

    def __init__(self, record: Record, taken: frozenset[str], chances: Chances) -> None:
        self.record = record
        self.taken = taken
        self.chances = chances
        self.codes = _list_codes(record)
        # In the order of the record; None is no value, the keys are an ordered set.
        self.free = dict.fromkeys(
            name
            for name, field in record.fields.items()
            if field.decision == "review" and not _is_unknowable(field) and name not in taken
        )

    def list_drafts(self, *, is_audited: bool) -> list[ItemDraft]:
        drafts: list[ItemDraft] = []
        for section in TABLE_SECTIONS:
            drafts += self.take_layout(section)
            drafts += self.take_glued(section)
        drafts += self.take_regions()
        for section in TABLE_SECTIONS:
            drafts += self.take_tables(section)
        drafts += self.take_facts()
        drafts += self.take_rows()
        drafts += self.ask_document()
        if is_audited:
            drafts += self.audit()
        return drafts

    # ------------------------------------------------------------ the kinds, in their order

    def take_layout(self, section: str) -> Iterator[ItemDraft]:
        """All lines of a table with one number for each row: under which column? One answer settles them all."""
        lines = list_lines(self.record, section, self.free)
        if lines and all(line.is_lone for line in lines) and sum(len(line.rows) for line in lines) > 1:
            names = self.take(name for line in lines for name in line.fields)
            yield self.draft("layout", f"layout:{section}", names, looks=1)

    def take_glued(self, section: str) -> Iterator[ItemDraft]:
        """All digits of a table that have lost what divides them; every row is a place of its own."""
        names = self.take(name for name in self.free if _is_in(name, section) and self.is_glued(name))
        if names:
            rows = {_row_of(name) for name in names}
            yield self.draft("glued", f"glued:{section}", names, looks=len(rows))

    def take_regions(self) -> Iterator[ItemDraft]:
        """Of equations that fail: first the cells among which the error is, then the others."""
        for region in list_regions(self.record.flags, self.free):
            names = self.take(region.fields)
            if names:
                yield self.draft("equation", region.key, names, expected=region.expected)

    def take_tables(self, section: str) -> Iterator[ItemDraft]:
        """What one finding says of many rows of a table."""
        for code in _ABOUT_TABLES:
            names = [name for name in self.free if _is_in(name, section) and code in self.codes.get(name, ())]
            names = [name for name in names if self.is_one_doubt(name, code)]
            if len(names) > _LEAST_OF_TABLE:
                yield self.draft("table", f"table:{section}:{code}", self.take(names), looks=1)

    def take_facts(self) -> Iterator[ItemDraft]:
        """Facts outside the tables: the header as a whole, narrative facts by where they stand.

        A cell that the text contradicts goes with its fact: whoever looks compares them.
        """
        header = self.take(name for name in self.free if _is_in(name, "header"))
        if header:
            yield self.draft("facts", "facts:header", header)
        told = [name for name in self.free if not name.startswith(TABLE_SECTIONS)]
        for names in split_by_place(self.record, told):
            compared = [cell for name in names for cell in self.list_compared(name)]
            yield self.draft("facts", f"facts:{names[0]}", self.take([*names, *compared]))

    def take_rows(self) -> Iterator[ItemDraft]:
        """What is left, by rows of the form."""
        rows: dict[str, list[str]] = {}
        for name in self.free:
            rows.setdefault(_row_of(name), []).append(name)
        for row, names in rows.items():
            kind: ItemKind = "row" if any(map(self.is_about_row, names)) else "cells"
            yield self.draft(kind, f"row:{row}", self.take(names))

    def ask_document(self) -> Iterator[ItemDraft]:
        """What nobody read at all, and which is no field: is there something?"""
        codes = [flag.code for flag in self.record.flags if not flag.fields and flag.code in _ABOUT_DOCUMENTS]
        if codes:
            expected = sum(self.chances.of_code(code) for code in dict.fromkeys(codes))
            yield ItemDraft("document", "document", "document", (), _sort_codes(codes), expected)

    def audit(self) -> Iterator[ItemDraft]:
        """Accepted values that nobody looked at, part by part.

        An audit is worth what it tells, not what it mends: it counts as one look, so that it stands among the doubted.
        """
        parts: dict[str, list[str]] = {}
        for name, field in self.record.fields.items():
            if field.decision == "accepted" and field.ruling is None and name not in self.taken:
                parts.setdefault(name.partition(".")[0], []).append(name)
        for part, names in parts.items():
            yield self.draft("audit", f"audit:{part}", tuple(names), looks=1)

    # ------------------------------------------------------------ parts

    def take(self, names: Iterable[str]) -> tuple[str, ...]:
        """Take fields out of those that are left; in the order of the record."""
        chosen = {name for name in names if name in self.free}
        found = tuple(name for name in self.free if name in chosen)
        for name in found:
            del self.free[name]
        return found

    def draft(
        self,
        kind: ItemKind,
        key: str,
        names: tuple[str, ...],
        *,
        expected: float | None = None,
        looks: float | None = None,
    ) -> ItemDraft:
        worth = sum(map(self.expect, names)) if expected is None else expected
        codes = _sort_codes(code for name in names for code in self.codes.get(name, ()))
        section = names[0].partition(".")[0]
        return ItemDraft(kind, key, section, names, codes, worth, looks or max(1.0, len(names) / _CELLS_A_LOOK))

    def expect(self, name: str) -> float:
        """The expected number of wrong or missing values in a field."""
        field = self.record.fields[name]
        if field.state not in SAYS:
            return 1.0
        if field.p_wrong is not None:
            return field.p_wrong
        codes = self.codes.get(name)
        return self.chances.of_codes(codes) if codes else UNFLAGGED

    def is_one_doubt(self, name: str, code: str) -> bool:
        """Whether a field is doubted with its table; ink is in doubt cell by cell, but for rows that are nowhere."""
        state = self.record.fields[name].state
        return state is CellState.ROW_ABSENT if code in _ABOUT_INK else state in SAYS

    def is_glued(self, name: str) -> bool:
        field = self.record.fields[name]
        has_own_text = field.state is CellState.UNPARSABLE and field.raw is not None
        return field.state in _GLUED and not has_own_text

    def is_about_row(self, name: str) -> bool:
        return self.record.fields[name].state not in SAYS or not _ABOUT_ROWS.isdisjoint(self.codes.get(name, ()))

    def list_compared(self, fact: str) -> Iterator[str]:
        for flag in self.record.flags:
            if flag.code == "narrative-differs" and fact in flag.fields:
                yield from flag.fields


def _is_unknowable(field: RecordField) -> bool:
    return field.ruling is not None and field.ruling.action == "unknowable"


def _list_codes(record: Record) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for flag in record.flags:
        for name in flag.fields:
            codes.setdefault(name, []).append(flag.code)
    return codes


def _sort_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Each code once, most severe first, then in the catalogue's order."""
    order = {code: (_SEVERITIES[finding.severity], place) for place, (code, finding) in enumerate(CATALOGUE.items())}
    return tuple(sorted(dict.fromkeys(codes), key=lambda code: order.get(code, (len(_SEVERITIES), 0))))


def _row_of(name: str) -> str:
    return name.rpartition(".")[0]


def _is_in(name: str, part: str) -> bool:
    return name.startswith(f"{part}.")
