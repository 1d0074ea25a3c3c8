"""An item of the queue as its page shows it: question, reasons, one line for each field, form, source, history.

Lives here: what of a record the page needs, in the order of the page. Does not live here: HTML, what an answer does
(extractor.review). Called by items.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from extractor.model import CellState, Flag, Page, Record, RecordField, Word
from extractor.review.answers import DOCUMENT, SAYS
from extractor.store.shapes import Item, Review
from extractor.web.pages.cells import CellView, Painter, show_value, show_word
from extractor.web.pages.form import FormSection, lay_out_form
from extractor.web.pages.labels import name_code, name_field
from extractor.web.pages.source import Line, PageView, find_near, mark_lines, place_boxes
from extractor.web.pages.sums import SumView, draw_lines, find_failed_sums
from extractor.web.pages.telling import tell_flag, tell_suggestion
from extractor.web.pages.words import Words

_MOST_PROPOSALS = 6
_MOST_REASONS = 8


class Proposal(NamedTuple):
    """What somebody or something else says of a field. `text`: as it would be typed. `basis`: what it rests on."""

    text: str
    shown: str
    by: str
    basis: str


class Look(NamedTuple):
    """What one of two reviewers said of a field. `text`: as it would be typed; None where nothing was typed."""

    by: str
    action: str
    shown: str
    text: str | None


class Asked(NamedTuple):
    """One field of the item. `codes`: of the flags that name it. `looks`: what others said, for who settles it."""

    field: str
    label: str
    cell: CellView
    proposals: tuple[Proposal, ...]
    codes: tuple[str, ...]
    can_accept: bool
    looks: tuple[Look, ...] = ()


class Fact(NamedTuple):
    """A fact outside the tables."""

    label: str
    cell: CellView


class FormView(NamedTuple):
    """All fields of a record: facts, the form, its failed equations."""

    header: tuple[Fact, ...]
    narrative: tuple[Fact, ...]
    sections: tuple[FormSection, ...]
    sums: tuple[SumView, ...]


class SourceView(NamedTuple):
    """What stands beside the form. `panes`: the tabs that there are, the best one first."""

    document_id: str
    panes: tuple[str, ...]
    lines: tuple[Line, ...]
    pages: tuple[PageView, ...]


class Act(NamedTuple):
    """What somebody said of one field, for the history."""

    label: str
    action: str
    before: str
    after: str


class PastReview(NamedTuple):
    """A review with what it says, long ones cut."""

    review: Review
    acts: tuple[Act, ...]
    more: int


def view_form(record: Record, asked: Collection[str] = (), answered: Collection[str] = ()) -> FormView:
    """The fields of a record, those that an item asks about told apart."""
    sums = find_failed_sums(record)
    painter = Painter(record, draw_lines(sums.values()), asked, answered)

    def facts(*parts: str) -> tuple[Fact, ...]:
        names = (name for name in record.fields if name.startswith(parts))
        return tuple(Fact(name_field(name), painter.paint(name)) for name in names)

    sections = tuple(lay_out_form(record, painter, sums))
    return FormView(facts("header."), facts("narrative.", "indicators."), sections, tuple(sums.values()))


def view_source(
    document_id: str, record: Record, text: str, pages: Sequence[Page], item: Item | None = None
) -> SourceView:
    """Text and pages with the places of fields marked, those that an item asks about told apart."""
    asked = item.fields if item else ()
    near = find_near(item, record) if item else ()
    panes = ["page"] if pages else []
    panes.append("text")
    if record.document.media_type == "text/html":
        panes.append("frame")
    return SourceView(
        document_id,
        tuple(panes),
        tuple(mark_lines(text, record, asked, near)),
        tuple(place_boxes(pages, record, asked, near)),
    )


def list_asked(item: Item, record: Record, words: Words, proposals: Sequence[Review] = ()) -> list[Asked]:
    """The fields of an item, each with what is proposed for it.

    Args:
        item: of the queue.
        record: the live one.
        words: of the page.
        proposals: the two looks that differ, for who settles them.
    """
    looks = _list_looks(proposals, words)
    codes: dict[str, dict[str, None]] = {}
    for flag in record.flags:
        for name in flag.fields:
            codes.setdefault(name, {})[flag.code] = None
    painter = Painter(record, draw_lines(find_failed_sums(record).values()), item.fields)
    if not item.fields:
        return [Asked(DOCUMENT, words("section.document"), painter.paint(DOCUMENT), (), item.codes, can_accept=True)]
    return [
        Asked(
            name,
            name_field(name),
            painter.paint(name),
            tuple(_list_proposals(record.fields[name], record, words)) if name in record.fields else (),
            tuple(codes.get(name, ())),
            name in record.fields and record.fields[name].state in SAYS,
            tuple(looks.get(name, ())),
        )
        for name in item.fields
    ]


def _list_looks(proposals: Sequence[Review], words: Words) -> dict[str, list[Look]]:
    found: dict[str, list[Look]] = {}
    for review in proposals:
        for one in review.fields:
            text = (one.after.raw or "").strip() if one.action == "corrected" else ""
            look = Look(review.account, one.action, _show(one.after, words), text or None)
            found.setdefault(one.field_id, []).append(look)
    return found


def _list_proposals(item: RecordField, record: Record, words: Words) -> list[Proposal]:
    found: dict[str, Proposal] = {}
    if item.state is CellState.INFERRED_BY_EQUATION and item.value is not None:
        text = show_value(item.value)
        found[text] = Proposal(text, text, words("by.equation"), "")
    for one in item.suggestions:
        text = show_value(one.value)
        found.setdefault(text, Proposal(text, text, *tell_suggestion(one, record, words)))
    for other in item.candidates:
        text = (other.raw or "").strip()
        shown, note, _ = show_word(Word(other.state, other.value, other.raw, other.unit))
        if text and text not in found and other.state in SAYS:
            by = words(f"by.{other.reader}") if f"by.{other.reader}" in words else other.reader
            found[text] = Proposal(text, shown if not note else text, by, "")
    if item.state in SAYS:  # then it can be accepted
        found.pop(item.raw or "", None)
        found.pop("" if item.value is None else show_value(item.value), None)
    return list(found.values())[:_MOST_PROPOSALS]


class Told(NamedTuple):
    """A flag in the language of the page. `name`: its code in a few words."""

    severity: str
    name: str
    text: str


def list_reasons(item: Item, record: Record, words: Words) -> list[Told]:
    """The flags for which the item is asked, each message once, most severe first."""
    asked = set(item.fields)
    found = [
        flag for flag in record.flags if asked.intersection(flag.fields) or (not asked and flag.code in item.codes)
    ]
    return _tell_flags(found, record, words)[:_MOST_REASONS]


def list_flags(record: Record, words: Words) -> list[Told]:
    """All flags of a record in the same order."""
    return _tell_flags(record.flags, record, words)


def _tell_flags(flags: Iterable[Flag], record: Record, words: Words) -> list[Told]:
    order = {"error": 0, "warning": 1, "info": 2}
    unique = {(flag.code, flag.message.zh): flag for flag in flags}
    ordered = sorted(unique.values(), key=lambda flag: order[flag.severity])
    return [Told(flag.severity, name_code(flag.code, words), tell_flag(flag, record, words)) for flag in ordered]


def view_history(reviews: Sequence[Review], words: Words, most: int = 6) -> list[PastReview]:
    """Reviews in words, the newest first."""
    return [
        PastReview(
            review,
            tuple(
                Act(name_field(one.field_id), one.action, _show(one.before, words), _show(one.after, words))
                for one in review.fields[:most]
            ),
            max(len(review.fields) - most, 0),
        )
        for review in reversed(reviews)
    ]


def _show(word: Word, words: Words) -> str:
    shown, note, glyph = show_word(word)
    return f"{shown} {words(glyph)}" if glyph else f"{shown} {note}".strip()
