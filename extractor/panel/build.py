"""The panel of a finished run: read, group, compare, write.

Lives here: the order of the steps, and the counts for the summary. Does not live here: any check, any wording, any
terminal. Called by cli.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import SettingsError
from extractor.panel.compare import Comparison, compare_years
from extractor.panel.duplicates import compare_documents
from extractor.panel.entries import Entry, read_entries
from extractor.panel.findings import (
    PanelFlag,
    flag_comparisons,
    flag_duplicates,
    flag_gap,
    flag_left_out,
    flag_merged,
    flag_split,
    flag_variants,
)
from extractor.panel.output import PanelRow, PanelWriter, open_panel
from extractor.panel.series import Grouped, Series, Year, group_entries
from extractor.panel.splits import find_splits
from extractor.panel.variants import find_variants

_NOTABLE = 5


@dataclass(slots=True)
class PanelSummary:
    """What was found.

    Attributes:
        documents: different documents; `repeated` lines hold a document that an earlier one holds.
        in_panel: documents with an agency and a year.
        years: the first and the last; None where no document is in the panel.
        pairs: neighbouring years of one agency.
        outcomes: by family of relation and outcome; `not confirmed` counts those that rest on a number that was not
            accepted, beside the outcome itself.
        flags: by code.
        confirmed: findings all of whose numbers were accepted, by code.
        notable: the first findings of severity warning between years, confirmed ones only.
        unused_aliases: variants of the file of aliases that no document has, folded.
    """

    outputs: tuple[Path, ...] = ()
    documents: int = 0
    repeated: int = 0
    in_panel: int = 0
    agencies: int = 0
    agency_years: int = 0
    years: tuple[int, int] | None = None
    pairs: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    notable: list[PanelFlag] = field(default_factory=list)
    unused_aliases: tuple[str, ...] = ()

    def count_comparison(self, item: Comparison) -> None:
        """Count one outcome."""
        family = item.relation.family
        self.outcomes[family, item.outcome] += 1
        if item.outcome != "not-evaluable" and not item.is_confirmed:
            self.outcomes[family, f"{item.outcome}, not confirmed"] += 1

    def count_flag(self, item: PanelFlag) -> None:
        """Count one finding, and keep it if it is among the first that matter."""
        self.flags[item.flag.code] += 1
        self.confirmed[item.flag.code] += bool(item.is_confirmed)
        if item.is_confirmed and item.flag.severity == "warning" and len(self.notable) < _NOTABLE:
            self.notable.append(item)


def build_panel(out_dir: Path, aliases: Mapping[str, str], on_progress: Callable[[int, int], None]) -> PanelSummary:
    """Check the documents of a run against each other and write panel.parquet and panel_flags.csv beside them.

    Args:
        out_dir: what `extractor run` wrote; nothing that is there is changed.
        aliases: folded variant -> agency, see read_aliases.
        on_progress: called with the bytes of records.jsonl that are read, and all of them.

    Raises:
        SettingsError: there are no records, or they cannot be read.
        OutputError: the files cannot be written; earlier ones stay as they were.
    """
    records = out_dir / "records.jsonl"
    if out_dir.is_file():
        raise SettingsError(f"{out_dir}: a file. Give the folder that `extractor run` wrote with --out.")
    if not records.is_file():
        raise SettingsError(
            f"{out_dir}: no records.jsonl in there. Give the folder that `extractor run` wrote with --out."
        )
    summary = PanelSummary()
    entries = list(_drop_repeated(read_entries(records, on_progress), summary))
    if not entries:
        raise SettingsError(f"{records}: holds no record. Run `extractor run` first.")
    grouped = group_entries(entries, aliases)
    _count_groups(grouped, aliases, summary)
    with open_panel(out_dir) as writer:
        for item in _check_all(grouped, records, writer, summary):
            summary.count_flag(item)
            writer.write_flag(item)
        summary.outputs = writer.publish()
    return summary


def _drop_repeated(entries: Iterable[Entry], summary: PanelSummary) -> Iterator[Entry]:
    """Each document once: equal bytes are one document, as when records of several runs were put together."""
    seen: set[str] = set()
    for entry in entries:
        if entry.document is not None and entry.document in seen:
            summary.repeated += 1
            continue
        if entry.document is not None:
            seen.add(entry.document)
        summary.documents += 1
        yield entry


def _count_groups(grouped: Grouped, aliases: Mapping[str, str], summary: PanelSummary) -> None:
    years = [year.year for item in grouped.series for year in item.years]
    summary.in_panel = summary.documents - len(grouped.left_out)
    summary.agencies, summary.agency_years = len(grouped.series), len(years)
    summary.years = (min(years), max(years)) if years else None
    used = {fold for item in grouped.series for fold in item.folded}
    summary.unused_aliases = tuple(variant for variant in aliases if variant not in used)


def _check_all(grouped: Grouped, records: Path, writer: PanelWriter, summary: PanelSummary) -> Iterator[PanelFlag]:
    """Every finding, agency by agency; the rows are written on the way."""
    for series in grouped.series:
        yield from _check_series(series, records, writer, summary)
    yield from map(flag_variants, find_variants(grouped.series))
    for entry, absence in grouped.left_out:
        writer.write_row(PanelRow(entry))
        yield flag_left_out(entry, absence)


def _check_series(series: Series, records: Path, writer: PanelWriter, summary: PanelSummary) -> Iterator[PanelFlag]:
    yield from filter(None, (flag_merged(series), flag_gap(series)))
    pairs = series.pairs()
    summary.pairs += len(pairs)
    compared = {after.year: compare_years(before, after) for before, after in pairs}
    for before, after in pairs:
        for item in compared[after.year]:
            summary.count_comparison(item)
        yield from flag_comparisons(series, before, after, compared[after.year])
    for before, after, found in find_splits(pairs):
        yield flag_split(series, before, after, found)
    by_year = {year.year: year for year in series.years}
    for year in series.years:
        if len(year.entries) > 1:
            yield flag_duplicates(series, year, compare_documents(records, year.entries))
        for row in _list_rows(series, year, by_year, compared.get(year.year, ())):
            writer.write_row(row)


def _list_rows(
    series: Series, year: Year, by_year: Mapping[int, Year], comparisons: tuple[Comparison, ...]
) -> Iterator[PanelRow]:
    previous, following = by_year.get(year.year - 1), by_year.get(year.year + 1)
    for entry in year.entries:
        yield PanelRow(
            entry,
            series.name,
            series.key,
            len(year.entries),
            previous.entries if previous else (),
            following.entries if following else (),
            comparisons,
        )
