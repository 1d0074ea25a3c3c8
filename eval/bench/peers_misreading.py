"""What the simulated model believes to read in a document: what is printed, but for mistakes at a given rate.

A belief is made once for each document and level, before anyone asks: whoever asks, however often and in whatever
shape, is told the same. That is what makes programs comparable; that a real model reads another time otherwise, and a
narrower question better, is left out (it would favour programs that ask again). Does not live here: any reply
(peers_model), the kinds of mistakes themselves (tests.loopback.mistakes).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval.bench.peers_documents import Case
from extractor.forms import Section
from extractor.llm.wire import StatedFact
from extractor.model import Value
from extractor.readers.cells import read_cell
from extractor.readers.numerals import read_numeral
from tests.loopback.mistakes import ROW_MISTAKES, wrong_number
from tests.loopback.replies import TableReply, find_changes
from tests.loopback.truths import Cells

#: Of one row, or of two neighbours; each is as likely as the others where it changes anything.
KINDS = ("digit_error", "column_shift", "neighbour_swap", "row_swap", "zero_fill")
#: A document gives up looking for a mistake that changes something after so many tries.
_TRIES = 200


@dataclass(frozen=True)
class Level:
    """How the model errs.

    Attributes:
        rate: the share of values that it misreads; the chance, for each value of a row whose columns the source lost,
            that it places the row's numbers by guessing; and the chance, for each 1,000 tokens it writes, that the
            reply breaks off.
        guesses: it always places them, as models mostly do that have to fill named columns.
    """

    name: str
    rate: float = 0.0
    guesses: bool = False


#: It makes no mistake; also in place of a level where no model is asked.
NO_LEVEL = "0"
LEVELS = {
    level.name: level for level in (Level(NO_LEVEL), Level("1", 0.01), Level("5", 0.05), Level("guess", guesses=True))
}


@dataclass(frozen=True)
class Belief:
    """What the model believes of one document.

    Attributes:
        rows: by section and row, cells; fewer where the source lost their columns, and it does not guess.
        spoiled: fields of the tables that are not as printed; without those of rows that lost their columns.
        guessed: rows whose numbers it placed without knowing where they belong.
    """

    rows: Mapping[tuple[str, str], Cells]
    facts: tuple[StatedFact, ...]
    spoiled: frozenset[str]
    guessed: int


def form_beliefs(cases: Iterable[Case], level: Level, seed: int) -> dict[str, Belief]:
    """Beliefs by document. Over all of them the rate is kept: what one has too many, the next has fewer."""
    beliefs: dict[str, Belief] = {}
    due = 0.0
    for case in cases:
        rng = random.Random(f"{seed}/{level.name}/{case.name}")
        printed = {section.id: read_table(case, section) for section in case.sections}
        tables = dict(printed)
        due += level.rate * sum(len(cells) for table in printed.values() for cells in table.rows.values())
        spoiled: frozenset[str] = frozenset()
        for _ in range(_TRIES):
            if due - len(spoiled) < 1:
                break
            _spoil(tables, rng)
            spoiled = frozenset(name for key in printed for name in find_changes(printed[key], tables[key]))
        due -= len(spoiled)
        rows = {(name, row): cells for name, table in tables.items() for row, cells in table.rows.items()}
        guesses = dict(_guess(case, rng, level))
        beliefs[case.name] = Belief(rows | guesses, _misread_facts(case, rng, level), spoiled, len(guesses))
    return beliefs


def read_table(case: Case, section: Section) -> TableReply:
    """The rows of a table whose columns are known."""
    lost = case.truth.tokens
    rows = {row.id: case.truth.row(section, row.id) for row in section.rows if f"{section.id}.{row.id}" not in lost}
    return TableReply(section, {row: cells for row, cells in rows.items() if cells}, tuple(section.rows_by_id))


def _spoil(tables: dict[str, TableReply], rng: random.Random) -> None:
    """One more mistake; some change nothing, in a row of zeros for instance."""
    kind = rng.choice(KINDS)
    places = [(name, row) for name, table in tables.items() for row in table.rows]
    if not places:
        return
    name, row = rng.choice(places)
    table = tables[name]
    start = list(table.rows).index(row)
    touched = list(table.rows)[start : start + 2] if kind == "row_swap" else [row]
    part = TableReply(table.section, {row: table.rows[row] for row in touched}, tuple(touched))
    tables[name] = table.with_rows({**table.rows, **ROW_MISTAKES[kind](part, rng, 1.0).rows})


def _guess(case: Case, rng: random.Random, level: Level) -> Iterable[tuple[tuple[str, str], Cells]]:
    """Numbers that lost their columns, put into the first ones, with zeros behind them."""
    for section in case.sections:
        for row in section.rows:
            tokens = case.truth.tokens.get(f"{section.id}.{row.id}")
            width = len(row.columns)
            if tokens is None:
                continue
            is_guessed = level.guesses or rng.random() < 1 - (1 - level.rate) ** width
            if is_guessed:
                yield (section.id, row.id), (*tokens[:width], *["0"] * (width - len(tokens)))


def _misread_facts(case: Case, rng: random.Random, level: Level) -> tuple[StatedFact, ...]:
    reply = wrong_number({"facts": [fact.model_dump() for fact in case.truth.facts]}, rng, level.rate)
    return tuple(StatedFact(**fact) for fact in reply["facts"])


def read_number(text: str | None) -> Value | None:
    """A printed text as the number that a model writes for it; None for an empty cell and for a mark."""
    if text is None:
        return None
    value = read_cell(text).value
    if value is None:
        value = read_numeral(text)
    if value is None:
        return 0 if text and not any(map(str.isdigit, text)) and len(text) > 1 else None  # a denial says 0
    return int(value) if value == int(value) else float(value)
