"""Mistakes that models make, on purpose and at given rates, so that it can be measured what is noticed.

Each function takes a true reply and returns it with one kind of mistake; `rate` is the chance for each
row, or for the whole reply where that is said. The same seed and the same request give the same
mistakes. Does not live here: true replies (simulated), faults of servers (faults).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.forms import Column, Section, load_forms
from extractor.readers.cells import read_cell
from tests import flatten
from tests.loopback.faults import cut_answer
from tests.loopback.messages import Answer, Json
from tests.loopback.replies import TableReply, find_changes
from tests.loopback.truths import Cells

Rng = random.Random
RowMistake = Callable[[TableReply, Rng, float], TableReply]
FactMistake = Callable[[Json, Rng, float], Json]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake that was made: its kind, and the fields that are not as they would have been."""

    kind: str
    fields: tuple[str, ...]


# ---------------------------------------------------------------- rows of a table


def consistent_fabrication(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """The whole reply gives way to another table that satisfies the form's equations. Per reply."""
    if rng.random() >= rate:
        return reply
    values = flatten.make_values(_generation_of(reply.section), rng.randrange(1 << 30))
    rows = {
        row: tuple(str(values[reply.section.field_id(row, column.id)]) for column in _columns(reply, row))
        for row in reply.rows
    }
    return reply.with_rows(rows)


def column_shift(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """An empty cell turns up at another place of its row; a row without one is turned by one column."""

    def shift(cells: Cells) -> Cells:
        blanks = [i for i, cell in enumerate(cells) if cell is None]
        if not blanks:
            return (*cells[-1:], *cells[:-1])
        rest = list(cells)
        del rest[rng.choice(blanks)]
        shifted = [(*rest[:i], None, *rest[i:]) for i in range(len(cells))]
        return rng.choice([row for row in shifted if row != cells] or [cells])

    return _change_rows(reply, rng, rate, shift)


def dropped_row(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """A row is left out."""
    return reply.with_rows({row: cells for row, cells in reply.rows.items() if rng.random() >= rate})


def zero_fill(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """Empty cells, cells without a place, and rows that are not printed become "0"."""
    rows = dict(reply.rows)
    for row in reply.asked:
        if rng.random() < rate:
            cells = rows.get(row, ())
            rows[row] = tuple(cell or "0" for cell in cells) + ("0",) * (reply.width(row) - len(cells))
    return reply.with_rows({row: rows[row] for row in (*reply.asked, *reply.rows) if row in rows})


def digit_error(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """One digit of a row is another."""

    def misread(cells: Cells) -> Cells:
        places = [(i, j) for i, cell in enumerate(cells) for j, char in enumerate(cell or "") if char in "0123456789"]
        if not places:
            return cells
        i, j = rng.choice(places)
        cell = cells[i] or ""
        other = rng.choice([digit for digit in "0123456789" if digit != cell[j]])
        return (*cells[:i], cell[:j] + other + cell[j + 1 :], *cells[i + 1 :])

    return _change_rows(reply, rng, rate, misread)


def neighbour_swap(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """Two cells side by side change places."""

    def swap(cells: Cells) -> Cells:
        places = [i for i, (left, right) in enumerate(pairwise(cells)) if left != right]
        if not places:
            return cells
        i = rng.choice(places)
        return (*cells[:i], cells[i + 1], cells[i], *cells[i + 2 :])

    return _change_rows(reply, rng, rate, swap)


def row_swap(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """Two rows one above the other change their cells."""
    rows = dict(reply.rows)
    swapped: set[str] = set()
    for upper, lower in pairwise(reply.rows):
        is_alike = rows[upper] == rows[lower] or len(rows[upper]) != len(rows[lower])
        if upper not in swapped and not is_alike and rng.random() < rate:
            rows[upper], rows[lower] = rows[lower], rows[upper]
            swapped.add(lower)
    return reply.with_rows(rows)


def invented_total(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """A total that is not printed, or does not add up, becomes the sum of the others."""
    rows = dict(reply.rows)
    for row, cells in reply.rows.items():
        has_total = row in reply.section.rows_by_id and _columns(reply, row)[-1].id == "total"
        if has_total and len(cells) == reply.width(row) and rng.random() < rate:
            rows[row] = (*cells[:-1], str(sum(map(_number_in, cells[:-1]))))
    results = [row.id for row in reply.section.rows if row.is_result]
    is_whole = all(len(rows.get(row, ())) == len(reply.section.columns) for row in (*results, "results_total"))
    if results and is_whole and rng.random() < rate:
        columns = zip(*(rows[row] for row in results), strict=True)
        rows["results_total"] = tuple(str(sum(map(_number_in, column))) for column in columns)
    return reply.with_rows(rows)


def verbatim_drift(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """A number of a row is the same and written in another way."""
    wide = {ord("0") + i: chr(0xFF10 + i) for i in range(10)}

    def rewrite(cells: Cells) -> Cells:
        places = [i for i, cell in enumerate(cells) if cell and cell.isascii() and cell.isdigit()]
        if not places:
            return cells
        i = rng.choice(places)
        cell = cells[i] or ""
        other = rng.choice((cell.translate(wide), f"{cell} 件", f"0{cell}", f"{cell}.0"))
        return (*cells[:i], other, *cells[i + 1 :])

    return _change_rows(reply, rng, rate, rewrite)


def extra_row(reply: TableReply, rng: Rng, rate: float) -> TableReply:
    """A row that was not printed: another's cells under a number that was not answered. Per reply."""
    if not reply.rows or rng.random() >= rate:
        return reply
    model = rng.choice(list(reply.rows.values()))
    free = [row.id for row in reply.section.rows if row.id not in reply.rows]
    name = rng.choice(free) if free else str(len(reply.section.rows) + 1)
    return reply.with_rows({**reply.rows, name: model})


# ---------------------------------------------------------------- facts of the running text


def wrong_number(reply: Json, rng: Rng, rate: float) -> Json:
    """One digit of a fact's number is another; the quote stays. Per fact."""

    def misread(fact: Json) -> Json:
        number: str = fact["number"]
        places = [i for i, char in enumerate(number) if char in "0123456789"]
        if not places:
            return fact
        i = rng.choice(places)
        other = rng.choice([digit for digit in "0123456789" if digit != number[i]])
        return fact | {"number": number[:i] + other + number[i + 1 :]}

    return reply | {"facts": [misread(fact) if rng.random() < rate else fact for fact in reply["facts"]]}


def wrong_quote(reply: Json, rng: Rng, rate: float) -> Json:
    """A quote is not word for word: two characters change places. Per fact."""

    def garble(fact: Json) -> Json:
        quote: str = fact["quote"]
        places = [
            i for i, (left, right) in enumerate(pairwise(quote)) if left != right and not (left + right).isdigit()
        ]
        if not places:
            return fact
        i = rng.choice(places)
        return fact | {"quote": quote[:i] + quote[i + 1] + quote[i] + quote[i + 2 :]}

    return reply | {"facts": [garble(fact) if rng.random() < rate else fact for fact in reply["facts"]]}


# ---------------------------------------------------------------- all of them

ROW_MISTAKES: Mapping[str, RowMistake] = {
    f.__name__: f
    for f in (
        consistent_fabrication,
        column_shift,
        dropped_row,
        zero_fill,
        digit_error,
        neighbour_swap,
        row_swap,
        invented_total,
        verbatim_drift,
        extra_row,
    )
}
FACT_MISTAKES: Mapping[str, FactMistake] = {f.__name__: f for f in (wrong_number, wrong_quote)}
#: Of any reply: it stops where the token limit would be. Per reply.
TRUNCATION = "truncation"
KINDS = (*ROW_MISTAKES, *FACT_MISTAKES, TRUNCATION)


class Mistakes:
    """The mistakes of one simulated reader.

    Args:
        seed: another seed, other mistakes.
        rates: chance by kind.
    """

    def __init__(self, seed: int = 0, rates: Mapping[str, float] | None = None) -> None:
        self._seed = seed
        self._rates = dict(rates or {})
        unknown = sorted(set(self._rates) - set(KINDS))
        if unknown:
            raise ValueError(f"mistakes {unknown}: no such kinds. There are {', '.join(KINDS)}")

    def spoil_rows(self, reply: TableReply, digest: str) -> tuple[TableReply, list[Mistake]]:
        """A table's reply with its mistakes. `digest` names the request."""
        made: list[Mistake] = []
        for kind, mistake in ROW_MISTAKES.items():
            if kind in self._rates:
                before, reply = reply, mistake(reply, self._rng(kind, digest), self._rates[kind])
                _note(made, kind, find_changes(before, reply))
        return reply, made

    def spoil_facts(self, reply: Json, digest: str) -> tuple[Json, list[Mistake]]:
        """The same for the facts of the running text."""
        made: list[Mistake] = []
        for kind, mistake in FACT_MISTAKES.items():
            if kind in self._rates and "facts" in reply:
                before, reply = reply, mistake(reply, self._rng(kind, digest), self._rates[kind])
                pairs = zip(before["facts"], reply["facts"], strict=True)
                _note(made, kind, [f"narrative.{was['fact']}" for was, now in pairs if was != now])
        return reply, made

    def spoil_text(self, text: str, digest: str) -> tuple[Answer, list[Mistake]]:
        """The written reply, whole or cut."""
        rng = self._rng(TRUNCATION, digest)
        if rng.random() >= self._rates.get(TRUNCATION, 0):
            return Answer(text), []
        return cut_answer(Answer(text), rng.randrange(len(text))), [Mistake(TRUNCATION, ())]

    def _rng(self, kind: str, digest: str) -> Rng:
        return Rng(f"{self._seed}/{kind}/{digest}")


def _note(made: list[Mistake], kind: str, fields: Sequence[str]) -> None:
    if fields:
        made.append(Mistake(kind, tuple(fields)))


def _change_rows(reply: TableReply, rng: Rng, rate: float, change: Callable[[Cells], Cells]) -> TableReply:
    return reply.with_rows({row: change(cells) if rng.random() < rate else cells for row, cells in reply.rows.items()})


def _columns(reply: TableReply, row: str) -> Sequence[Column]:
    return reply.section.rows_by_id[row].columns


def _generation_of(section: Section) -> str:
    return next(form.generation for form in load_forms().national if section in form.sections.values())


def _number_in(cell: str | None) -> int:
    value = read_cell(cell).value if cell else None
    return int(value) if value is not None and not isinstance(value, str) else 0
