"""What is found between documents, in words.

Lives here: one flag for each finding, with its documents and values. Does not live here: any check (compare, splits,
duplicates, variants). Called by build.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from extractor.flags import make_flag
from extractor.model import Flag
from extractor.panel.compare import Comparison
from extractor.panel.duplicates import Duplicates
from extractor.panel.entries import Entry
from extractor.panel.relations import SPLIT_COLUMNS
from extractor.panel.series import Absence, Series, Term, Year
from extractor.panel.splits import Row, Side, SplitFound
from extractor.panel.variants import Likeness, Variants

_NOT_CONFIRMED = ("（未经确认：所依据的数字有待复核）", " (not confirmed: it rests on a number that was not accepted)")
_NAMES_SHOWN = 10
_REASONS: Mapping[Absence, tuple[str, str]] = {
    "failed": ("文件处理失败", "the file failed"),
    "not_a_report": ("不是年度报告", "it is no yearly report"),
    "no_agency": ("未读出机关名称", "no agency was read"),
    "no_year": ("未读出报告年度", "no year was read"),
}
_LIKENESS: Mapping[Likeness, tuple[str, str]] = {
    "suffix": ("仅差“人民政府”“管委会”“办公室”等", "equal but for 人民政府, 管委会, 办公室 or the like"),
    "prefix": ("仅差省市区县", "equal but for province, city or county in front"),
    "spelling": ("同一网站，仅差一字", "one character apart, on one site"),
}


@dataclass(frozen=True, slots=True)
class PanelFlag:
    """A finding across documents.

    Attributes:
        entries: its documents.
        values: the numbers that it rests on, with year, field and basis.
        is_confirmed: whether all of them were accepted; None where the finding rests on no number.
    """

    flag: Flag
    agency: str
    years: tuple[int, ...]
    entries: tuple[Entry, ...]
    values: str = ""
    is_confirmed: bool | None = None


def flag_comparisons(
    series: Series, before: Year, after: Year, comparisons: Sequence[Comparison]
) -> Iterator[PanelFlag]:
    """One flag for each kind of relation that does not hold between two years, confirmed or not."""
    broken = [item for item in comparisons if item.outcome == "differs"]
    # A doubtful column takes nothing away from the others: what is confirmed stands in a flag of its own.
    broken.sort(key=lambda item: (item.relation.family, not item.is_confirmed))
    for (code, is_confirmed), grouped in groupby(broken, key=lambda item: (item.relation.code, item.is_confirmed)):
        items = list(grouped)
        terms = [term for item in items for term in item.terms]
        note_zh, note_en = ("", "") if is_confirmed else _NOT_CONFIRMED
        flag = make_flag(
            code,
            fields=dict.fromkeys(field_id for _, field_id, _ in terms),
            before=before.year,
            after=after.year,
            shown_zh="；".join(f"{item.relation.name} {_show_sides(item)}" for item in items),
            shown_en="; ".join(f"{item.relation.id} {_show_sides(item)}" for item in items),
            note_zh=note_zh,
            note_en=note_en,
        )
        entries = _distinct(term.entry for _, _, term in terms)
        values = "; ".join(_show_term(*term) for term in terms)
        yield PanelFlag(flag, series.name, (before.year, after.year), entries, values, is_confirmed)


def _show_sides(item: Comparison) -> str:
    """Both sides with their numbers: `1 ≠ 0`, `470 + 62 - 33 ≠ 440`, `3 > 1`."""
    *terms, (_, _, right) = item.terms
    signs = [sign for _, sign in (*item.relation.before, *item.relation.after)]
    amounts = [sign * (term.amount or 0) for sign, (_, _, term) in zip(signs, terms, strict=False)]
    shown = " ".join(f"{'-' if amount < 0 else '+'} {abs(amount)}" for amount in amounts).removeprefix("+ ")
    return f"{shown} {'>' if item.relation.is_bound else '≠'} {right.amount}"


def _show_term(year: int, field_id: str, term: Term) -> str:
    beside = "" if term.suggested in (None, term.amount) else f", suggested {term.suggested}"
    return f"{year} {field_id} = {term.amount} [{term.basis}{beside}]"


def flag_split(series: Series, before: Year, after: Year, found: SplitFound) -> PanelFlag:
    """The one way to split digits that two years leave."""
    prefix = found.relation.before[0][0].rpartition(".")[0]
    earlier, later = found.sides
    shown = []
    fields: list[str] = []
    if earlier.run:
        shown.append((before.year, earlier.run, found.before))
        # Issued and repealed may be open still.
        fields += [f"{prefix}.{name}" for name in (SPLIT_COLUMNS if len(found.before) == 1 else SPLIT_COLUMNS[2:])]
    if later.run:
        shown.append((after.year, later.run, (found.after,)))
        fields += [f"{prefix}.{name}" for name in SPLIT_COLUMNS]
    name = found.relation.name
    flag = make_flag(
        "split-suggested-by-year",
        fields=dict.fromkeys(fields),
        shown_zh=f"{name} " + "；".join(f"{year} 年 {run} → {_show_rows(rows, '或')}" for year, run, rows in shown),
        shown_en=f"{found.relation.id} "
        + "; ".join(f"{year} {run} → {_show_rows(rows, 'or')}" for year, run, rows in shown),
    )
    sides = ((before.year, earlier, found.before), (after.year, later, (found.after,)))
    values = "; ".join(
        f"{year} {prefix} = {_show_rows(rows, 'or')} [{_show_basis(side)}]" for year, side, rows in sides
    )
    return PanelFlag(flag, series.name, (before.year, after.year), (*before.entries, *after.entries), values)


def _show_basis(side: Side) -> str:
    return f"of {side.run}, by X2 and no_blanks" if side.run else str(side.basis)


def _show_rows(rows: Iterable[Row], joint: str) -> str:
    return f" {joint} ".join(",".join("?" if part is None else str(part) for part in row) for row in rows)


def flag_gap(series: Series) -> PanelFlag | None:
    """Years between the first and the last without a document."""
    present = [year.year for year in series.years]
    missing = [
        str(one + 1) if other - one == 2 else f"{one + 1}-{other - 1}"
        for one, other in pairwise(present)
        if other - one > 1
    ]
    if not missing:
        return None
    flag = make_flag("year-gap", first=present[0], last=present[-1], missing=", ".join(missing))
    return PanelFlag(flag, series.name, (present[0], present[-1]), ())


def flag_duplicates(series: Series, year: Year, found: Duplicates) -> PanelFlag:
    """Several documents of one year."""
    flag = make_flag(
        "duplicate-year",
        fields=found.differing,
        count=len(year.entries),
        same=found.same,
        differing=len(found.differing),
        open=found.open,
    )
    # A year in review may be the slip that put two years into one.
    doubted = [f"{entry.path}: agency or year [review]" for entry in year.entries if entry.key_basis == "review"]
    return PanelFlag(flag, series.name, (year.year,), year.entries, "; ".join(doubted))


def flag_variants(found: Variants) -> PanelFlag:
    """Names that are alike, each with its years."""
    zh, en = _LIKENESS[found.likeness]
    shown = [f"{item.name} ({_show_years(item)})" for item in found.series[:_NAMES_SHOWN]]
    more = len(found.series) - len(shown)
    names = " / ".join([*shown, f"… +{more}"] if more else shown)
    flag = make_flag("agency-variants", likeness_zh=zh, likeness_en=en, names=names)
    years = sorted({year.year for item in found.series for year in item.years})
    return PanelFlag(flag, found.series[0].name, tuple(years), ())


def _show_years(series: Series) -> str:
    years = [str(year.year) for year in series.years]
    return " ".join(years) if len(years) <= _NAMES_SHOWN else f"{years[0]}-{years[-1]}"


def flag_merged(series: Series) -> PanelFlag | None:
    """Names that only the file of aliases brings together."""
    if not series.merged:
        return None
    names = ", ".join(f"{name} ({count})" for name, count in series.merged.items())
    flag = make_flag("agency-merged", agency=series.name, names=names)
    return PanelFlag(flag, series.name, tuple(year.year for year in series.years), ())


def flag_left_out(entry: Entry, absence: Absence) -> PanelFlag:
    """A document that belongs to no series."""
    zh, en = _REASONS[absence]
    fields = {"no_agency": ("header.agency_name",), "no_year": ("header.report_year",)}.get(absence, ())
    flag = make_flag("not-in-panel", fields=fields, reason_zh=zh, reason_en=en)
    return PanelFlag(flag, entry.agency or "", () if entry.year is None else (entry.year,), (entry,))


def _distinct(entries: Iterable[Entry | None]) -> tuple[Entry, ...]:
    found = {entry.line: entry for entry in entries if entry is not None}
    return tuple(found.values())
