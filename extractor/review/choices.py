"""Answers to a whole item at once: one key instead of one for each field.

Lives here: which there are for an item, and what each says of every field. Does not live here: the reading of answers
(answers). Called by pages and by programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from extractor.model import CellState, Record
from extractor.readers.cells import read_cell
from extractor.review.answers import DOCUMENT, SAYS, Answer, is_sure_suggestion
from extractor.review.lines import Line, list_lines
from extractor.sources.view import fold_view
from extractor.store.shapes import Item

_PERSON = "person"
_READERS = {"template": ("规则", "the rules"), "llm": ("模型", "the model"), "vision": ("看图模型", "the image model")}


class Choice(NamedTuple):
    """One answer to all of an item, in both languages of the page. `id` is the same for the same question."""

    id: str
    zh: str
    en: str
    answers: tuple[Answer, ...]


def choices(item: Item, record: Record) -> tuple[Choice, ...]:
    """The answers to all of an item, likeliest first.

    Args:
        item: of the queue.
        record: the live one.

    Returns:
        Each answers every field of the item, and can be decided as it is.
    """
    if not item.fields:
        return (
            Choice(
                "nothing", "看过，没有遗漏的内容", "looked at: nothing is left out", (Answer(DOCUMENT, "accepted"),)
            ),
            Choice("unknowable", "无法从本文件得知", "this source does not tell", (Answer(DOCUMENT, "unknowable"),)),
        )
    if any(name not in record.fields for name in item.fields):
        return ()
    return (
        *_place_lines(item, record),
        *_take_suggestions(item, record),
        *_take_extracted(item, record),
        *_take_readers(item, record),
        *_say_empty(item, record),
        _give_up(item),
    )


def _place_lines(item: Item, record: Record) -> Iterator[Choice]:
    """Where every line has one number for each row: all of them under one column."""
    lines = list_lines(record, item.section, item.fields)
    if not lines or sum(len(line.fields) for line in lines) != len(item.fields) or not all(map(_is_lone, lines)):
        return
    yield Choice("last-column", "都在最后一列（总计）下", "all under the last column (总计)", _place(lines, -1))
    yield Choice("first-column", "都在第一列下", "all under the first column", _place(lines, 0))
    if all(read_cell(fold_view(token)).value == 0 for line in lines for token in line.tokens):
        answers = tuple(
            Answer(name, "corrected", text=token)
            for line in lines
            for row, token in zip(line.rows, line.tokens, strict=True)
            for name in row
        )
        yield Choice("every-cell", "原网页上每格都印有 0", "the page itself prints 0 in every cell", answers)


def _is_lone(line: Line) -> bool:
    return line.is_lone


def _place(lines: list[Line], column: int) -> tuple[Answer, ...]:
    answers = []
    for line in lines:
        for row, token in zip(line.rows, line.tokens, strict=True):
            held = row[column]
            answers += [Answer(name, "corrected", text=token if name == held else "") for name in row]
    return tuple(answers)


def _take_suggestions(item: Item, record: Record) -> Iterator[Choice]:
    """All as suggested, where each has one sure suggestion; what has none as extracted, where that says something."""
    answers = []
    for name in item.fields:
        field = record.fields[name]
        if field.suggestions and not is_sure_suggestion(field):
            return
        if field.suggestions:
            answers.append(Answer(name, "as_suggested"))
        elif field.state in SAYS:
            answers.append(Answer(name, "accepted"))
        else:
            return
    if any(answer.action == "as_suggested" for answer in answers):
        yield Choice("as-suggested", "都按建议", "all as suggested", tuple(answers))


def _take_extracted(item: Item, record: Record) -> Iterator[Choice]:
    if all(record.fields[name].state in SAYS for name in item.fields):
        yield _all(item, "as-extracted", "都与原文一致", "all printed as extracted", "accepted")
        if item.kind == "equation":
            yield _all(
                item, "source-wrong", "原文如此，报告本身有误", "printed so: the report itself is wrong", "source_wrong"
            )


def _all(item: Item, choice_id: str, zh: str, en: str, action: str) -> Choice:
    answers = [
        Answer(name, "accepted") if action == "accepted" else Answer(name, "source_wrong") for name in item.fields
    ]
    return Choice(choice_id, zh, en, tuple(answers))


def _take_readers(item: Item, record: Record) -> Iterator[Choice]:
    """All as another reader read it, where he read every field that he does not read alike."""
    readers = dict.fromkeys(
        one.reader for name in item.fields for one in record.fields[name].candidates if one.reader != _PERSON
    )
    for reader in readers:
        answers = [answer for name in item.fields if (answer := _take_reader(record, name, reader))]
        if len(answers) == len(item.fields) and any(answer.action == "corrected" for answer in answers):
            zh, en = _READERS.get(reader, (reader, reader))
            yield Choice(f"as-{reader}", f"都按{zh}所读", f"all as read by {en}", tuple(answers))


def _take_reader(record: Record, name: str, reader: str) -> Answer | None:
    field = record.fields[name]
    said = next((one for one in field.candidates if one.reader == reader and one.state in SAYS), None)
    if said is not None and said.state in (CellState.VALUE, CellState.NA_MARK) and said.raw is not None:
        return Answer(name, "corrected", text=said.raw, unit=said.unit)
    if said is not None and said.state in (CellState.BLANK, CellState.ROW_ABSENT):
        return Answer(name, "corrected", state=said.state)
    alike = field.state in SAYS and (field.reader == reader or reader in field.confirmed_by)
    return Answer(name, "accepted") if alike else None


def _say_empty(item: Item, record: Record) -> Iterator[Choice]:
    """Where nothing was read: the cells are empty, or the row is not there."""
    if item.kind not in ("row", "cells") or any(record.fields[name].state in SAYS for name in item.fields):
        return
    blank = tuple(Answer(name, "corrected", text="") for name in item.fields)
    absent = tuple(Answer(name, "corrected", state=CellState.ROW_ABSENT) for name in item.fields)
    yield Choice("all-blank", "都是空格", "all cells are empty", blank)
    if item.kind == "row":
        yield Choice("row-absent", "表中没有这一行", "the table has no such row", absent)


def _give_up(item: Item) -> Choice:
    answers = tuple(Answer(name, "unknowable") for name in item.fields)
    return Choice("unknowable", "都无法从本文件得知", "this source tells none of them", answers)
