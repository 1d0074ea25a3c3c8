"""Glued digits: which way to cut them the equations leave.

Lives here: what follows, table by table, from the number of joint splits. One: the cells are inferred, and say so.
Several or none: their values are suggested. Does not live here: how a run can be cut (runs), how combinations are
counted (joint), and how suggestions are worded (split_suggestions). Called by recovery.

What is inferred rests on the hypothesis `no_blanks`: every cell of the row printed something. It is put to the test:
a split that leaves one cell of a row empty, if the equations allow it, stands against the one that leaves none. A row
that a reader doubts for more than its glue is not inferred: digits that add up do not say whose they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from extractor.flags import make_flag
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import Candidate, CellState, Flag, Span, Suggestion
from extractor.reconcile.equations import list_amounts
from extractor.reconcile.joint import Block, Joint, solve_jointly
from extractor.reconcile.merge import MOST_LOSING, Merged
from extractor.reconcile.open_rows import Recovery, find_open_rows
from extractor.reconcile.runs import Split, count_blanks
from extractor.reconcile.split_suggestions import (
    GluedRow,
    own_equations,
    say_basis,
    suggest,
    suggest_alone,
    suggest_freely,
)
from extractor.reconcile.system import Amount, System, load_system

#: Empty cells of a row that the test of `no_blanks` allows. More would fit too many balanced tables.
_BLANKS_TESTED = 1


def split_glued(
    merged: Mapping[str, Merged], generation: Mapping[str, str], doubted: Set[str] = frozenset()
) -> Recovery:
    """Divide glued digits where the equations leave one way to do it.

    Args:
        merged: all fields of the document.
        generation: form generation per table section.
        doubted: fields of rows that may be another row's, or may not be all there.

    Returns:
        The fields, with those inferred in state INFERRED_BY_EQUATION and their former candidates among the losing
        ones; suggestions by field id, each naming its basis; findings; ids of the equations that were assumed.
    """
    found = Recovery(dict(merged), {}, (), frozenset())
    for section in TABLE_SECTIONS:
        name = generation.get(section, "absent")
        form = load_forms().section(section, name)
        rows = find_open_rows(merged, form, CellState.UNPARSABLE, doubted) if form else []
        if form is None or not rows:
            continue
        system = load_system(section, name)
        if system is None:
            for row in rows:
                found.suggestions.update(suggest_freely(GluedRow.read(row, None, 0), merged))
        else:
            glued = [GluedRow.read(row, system, _BLANKS_TESTED) for row in rows]
            found = _Table(glued, system, list_amounts(merged, form)).conclude(found)
    return found


class _Table:
    """The glued rows of one table that has equations.

    Attributes:
        joint: what the equations leave of all combinations; None when not all could be looked at.
        remaining: row -> the splits that are part of a joint one, and of how many.
        is_decided: whether one joint split remains and leaves no cell empty.
        inferred: row -> the split that can be inferred.
    """

    def __init__(self, rows: Sequence[GluedRow], system: System, constants: Mapping[str, Amount]) -> None:
        self.rows = rows
        self.system = system
        self.joint = self._solve(constants)
        self.remaining = self._list_remaining(self.joint) if self.joint else {}
        self.is_decided = (
            self.joint is not None
            and self.joint.solutions == 1
            and not any(count_blanks(split) for splits in self.remaining.values() for split in splits)
        )
        self.inferred = {one.row.id: split for one in rows if (split := self._infer(one))}

    def _solve(self, constants: Mapping[str, Amount]) -> Joint | None:
        if not all(one.cuts.is_complete for one in self.rows):
            return None
        blocks = [
            Block(one.row.id, one.row.fields, tuple(one.by_values), tuple(map(len, one.by_values.values())))
            for one in self.rows
        ]
        joint = solve_jointly(blocks, self.system, constants)
        return joint if joint.is_complete else None

    def _list_remaining(self, joint: Joint) -> dict[str, dict[Split, int]]:
        return {
            one.row.id: {
                split: used // len(splits)
                for splits, used in zip(one.by_values.values(), joint.through[one.row.id], strict=True)
                for split in splits
                if used
            }
            for one in self.rows
        }

    def _infer(self, one: GluedRow) -> Split | None:
        """The split of a row that can be inferred.

        Where no split of the whole table is the only one, no more than needs no column is inferred: what digits and
        cells alone decide, confirmed by the row's sum. Where blank cells are likely, only zeros: each is a cell.
        """
        if one.row.is_doubted:
            return None
        if self.is_decided:
            return next(iter(self.remaining[one.row.id]))
        is_safe = not self._hints_at_blanks() or not one.run.text.strip("0")
        return one.cuts.splits[0] if one.is_forced and is_safe else None

    def _hints_at_blanks(self) -> bool:
        """Whether a row has too few digits for its cells, or several rows do not add up.

        A wrong number breaks one row; a blank column of totals, seen in real reports, breaks many.
        """
        return any(not one.run.ways for one in self.rows) or sum(not one.full_splits for one in self.rows) > 1

    def conclude(self, found: Recovery) -> Recovery:
        """Infer what may be inferred, suggest the rest."""
        merged, suggestions = dict(found.merged), dict(found.suggestions)
        for one in self.rows:
            split = self.inferred.get(one.row.id)
            if split:
                merged |= _put(one, split, merged)
            suggestions |= self._suggest(one, split)
        assumed = found.assumed | self._list_assumed()
        return Recovery(merged, suggestions, (*found.flags, *self._flag()), assumed)

    def _suggest(self, one: GluedRow, split: Split | None) -> dict[str, tuple[Suggestion, ...]]:
        if split:
            return suggest(one, {split: 1}, say_basis(one, self.system, with_columns=self.is_decided))
        if self.joint and self.joint.solutions:
            return suggest(one, self.remaining[one.row.id], f"{self.joint.solutions} joint splits remain")
        return suggest_alone(one, self.system)

    def _list_assumed(self) -> frozenset[str]:
        inferred = [one.row for one in self.rows if one.row.id in self.inferred]
        if self.is_decided and self.joint:
            of_field = self.system.of_field
            touched = {name for row in inferred for field_id in row.fields for name in of_field[field_id]}
            return frozenset(touched.intersection(self.joint.equations))
        return frozenset(name for row in inferred for name in own_equations(row, self.system))

    def _flag(self) -> list[Flag]:
        flags = []
        done = [one for one in self.rows if one.row.id in self.inferred]
        if done:
            how = Counter(one.how for one in done)
            words = {"by_count": how["count"], "by_sum": how["sum"], "by_columns": how["columns"]}
            flags.append(make_flag("inferred-by-equation", fields=_fields(done), spans=_spans(done), **words))
        if not self.is_decided:
            rest = [one for one in self.rows if one.row.id not in self.inferred] or self.rows
            zh, en = self._say_found()
            flags.append(make_flag("splits-remain", fields=_fields(rest), spans=_spans(rest), found_zh=zh, found_en=en))
        return flags

    def _say_found(self) -> tuple[str, str]:
        if self.joint is None:
            return "分法过多，未逐一核算", "there are too many ways to examine them all"
        ways = self.joint.solutions
        if ways:
            zh, en = f"有 {ways} 种分法满足全部等式", f"{ways} ways satisfy all equations"
            return f"{zh}（含留空一格的分法）", f"{en}, those that leave a cell of a row blank included"
        return (
            "没有一种分法满足全部等式（原文不平衡、有空格，或数字残缺）",
            "no way satisfies all equations (the report does not add up, cells are blank, or digits are damaged)",
        )


def _fields(rows: Sequence[GluedRow]) -> list[str]:
    return [field_id for one in rows for field_id in one.row.fields]


def _spans(rows: Sequence[GluedRow]) -> list[Span]:
    return [token.spans[0] for one in rows for token in one.row.tokens]


def _put(one: GluedRow, split: Split, merged: Mapping[str, Merged]) -> dict[str, Merged]:
    """The cells of a row as inferred; what was there before becomes losing."""
    cells = {}
    for field_id, piece in zip(one.row.fields, split, strict=True):
        raw, span = one.run.locate(piece)
        candidate = Candidate(CellState.INFERRED_BY_EQUATION, piece.value, raw=raw, spans=(span,))
        before = merged[field_id]
        cells[field_id] = before._replace(printed=candidate, losing=(before.printed, *before.losing)[:MOST_LOSING])
    return cells
