"""The template reader: the deterministic reader of the known forms. No network, no guess.

Lives here: putting together what the parts read, and deciding each table's generation. Does not
live here: reading cells (tables), header and narrative. Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from extractor.flags import make_flag
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import Candidate, CellState, Chunk, Document, Flag, Reading
from extractor.readers.header import read_header
from extractor.readers.lines import TableLines
from extractor.readers.narrative import read_narrative
from extractor.readers.prose import read_prose
from extractor.readers.tables import collect_table, read_table, score_generation

_ABSENT = "absent"
_LEAST_MARKS = 2
_LEAST_HEADINGS = 2


class TemplateReader:
    """Reads all table fields, the header and the narrative facts that a rule reads with certainty."""

    def read(self, document: Document, chunks: Sequence[Chunk]) -> Reading:
        """Read one document. See extractor.readers.base.Reader."""
        tables = {chunk.section: collect_table(document, chunk) for chunk in chunks if chunk.table or chunk.runs}
        generation, flags = _decide_generations(document, chunks, tables)
        candidates: dict[str, tuple[Candidate, ...]] = {}
        unread: list[str] = []
        for section, table in tables.items():
            form = load_forms().section(section, generation[section])
            if form is None:
                continue
            reading = read_table(document, table, form)
            candidates |= reading.candidates
            flags += reading.flags
            unread += reading.unread
        flags += _rows_before_gaps(generation, candidates)
        missing, missing_flags = _missing_tables(document, chunks, generation)
        unread += missing
        flags += missing_flags
        prose = read_prose(document, chunks)
        header = read_header(document, chunks, prose)
        years = header.candidates.get("header.report_year", ())
        report_year = int(str(years[0].value)) if len(years) == 1 else None
        for part in (header, read_narrative(document, chunks, prose, report_year)):
            candidates |= part.candidates
            flags += part.flags
        if not _is_report(chunks, generation, candidates):
            return Reading("template", generation, candidates, (make_flag("not-a-report"),), is_report=False)
        flags = _join_repeats(flags, candidates)
        return Reading("template", generation, candidates, tuple(flags), unread=tuple(unread))


def _decide_generations(
    document: Document, chunks: Sequence[Chunk], tables: Mapping[str, TableLines]
) -> tuple[dict[str, str], list[Flag]]:
    """The generation of each table, from its own labels; where they do not tell, from its neighbours."""
    decided: dict[str, str | None] = {section: _best_generation(tables[section], section) for section in tables}
    flags: list[Flag] = []
    generation: dict[str, str] = {}
    for section in TABLE_SECTIONS:
        if section not in tables:
            generation[section] = "pre2019" if not tables and _is_pre2019(document, chunks) else _ABSENT
            continue
        neighbours = [decided.get(other) for other in TABLE_SECTIONS if other != section]
        named = decided[section] or next((name for name in neighbours if name), None)
        if named is None:
            forms = [form.sections[section] for form in load_forms().national if section in form.sections]
            named = next(form.generation for form in load_forms().national if section in form.sections)
            fields = [item.id for item in forms[0].fields]
            if any([item.id for item in form.fields] != fields for form in forms):
                flags.append(make_flag("generation-unclear", fields=fields, section=section, generation=named))
        generation[section] = named
    return generation, flags


def _best_generation(table: TableLines, section: str) -> str | None:
    """The one generation that explains the table best; None on a tie."""
    scores = {
        form.generation: score_generation(table, form.sections[section])
        for form in load_forms().national
        if section in form.sections
    }
    best = max(scores.values())
    names = [name for name, score in scores.items() if score == best]
    return names[0] if len(names) == 1 else None


def _is_pre2019(document: Document, chunks: Sequence[Chunk]) -> bool:
    """No table of the national form, none of its headings in wording of its own, but marks of the older reports."""
    marks = [mark for form in load_forms().generations.values() for mark in form.marks]
    found = sum(1 for mark in marks if mark in document.view)
    return found >= _LEAST_MARKS or _has_older_headings(document, chunks)


def _has_older_headings(document: Document, chunks: Sequence[Chunk]) -> bool:
    names = load_forms().section_names
    headings = [(chunk.section, document.view[chunk.start : chunk.end]) for chunk in chunks if chunk.has_heading]
    official = any(names[section][1][:8] in text[:40] for section, text in headings if section in TABLE_SECTIONS)
    return not official and len(headings) >= _LEAST_HEADINGS


def _rows_before_gaps(generation: Mapping[str, str], candidates: Mapping[str, tuple[Candidate, ...]]) -> Iterator[Flag]:
    """Where a table has lost its first row, the table in front of it may have lost its end with it."""
    for before, section in pairwise(TABLE_SECTIONS):
        forms = load_forms().section(before, generation[before]), load_forms().section(section, generation[section])
        if forms[0] is None or forms[1] is None or forms[1].layout != "labelled_rows":
            continue
        first = candidates[forms[1].field_id(forms[1].rows[0].id, forms[1].columns[0].id)][0]
        if first.state in (CellState.ROW_ABSENT, CellState.NOT_READ):
            last = forms[0].rows[-1]
            fields = [forms[0].field_id(last.id, column.id) for column in last.columns]
            yield make_flag("row-before-gap", fields=fields)


def _missing_tables(
    document: Document, chunks: Sequence[Chunk], generation: Mapping[str, str]
) -> tuple[list[str], list[Flag]]:
    """Headings without their table, sections that are nowhere, and the unread indicator table."""
    forms = load_forms()
    flags: list[Flag] = []
    unread: list[str] = []
    with_heading = {chunk.section for chunk in chunks if chunk.has_heading}
    named = [form for name in generation.values() if (form := forms.generations.get(name)) and form.sections]
    for section in TABLE_SECTIONS:
        is_expected = section in with_heading or not named or any(section in form.sections for form in named)
        if generation[section] == _ABSENT and is_expected:
            title = "、".join(forms.section_names[section][:2])
            code = "table-missing" if section in with_heading else "section-missing"
            flags.append(make_flag(code, title=title, section=section))
            unread += [section] if section in with_heading else []
    if "pre2019" in generation.values():
        labels = [label for form in forms.generations.values() for label in form.indicator_table]
        if all(label in "".join(document.view.split()) for label in labels):
            flags.append(make_flag("indicator-table-not-read"))
            unread.append("indicator_table")
    order = [chunk.section for chunk in chunks if chunk.has_heading]
    official = [section for section in forms.section_names if section in order]
    if list(dict.fromkeys(order)) != official:
        flags.append(make_flag("sections-out-of-order"))
    return unread, flags


def _join_repeats(flags: Sequence[Flag], candidates: Mapping[str, tuple[Candidate, ...]]) -> list[Flag]:
    """Where most rows of a table repeat, the file holds two reports, and nothing in it can be told apart."""
    repeated = [flag for flag in flags if flag.code == "row-repeated"]
    tables = {name.partition(".")[0] for flag in repeated for name in flag.fields}
    cells = [name for name in candidates if name.partition(".")[0] in tables]
    if sum(len(flag.fields) for flag in repeated) * 2 <= len(cells) or not repeated:
        return list(flags)
    spans = [span for flag in repeated for span in flag.spans]
    section = ", ".join(sorted(tables))
    several = make_flag("several-reports", fields=candidates, spans=spans, section=section)
    return [several, *(flag for flag in flags if flag.code != "row-repeated")]


def _is_report(
    chunks: Sequence[Chunk], generation: Mapping[str, str], candidates: Mapping[str, tuple[Candidate, ...]]
) -> bool:
    """A report has a table of the form, or two of its headings, or a title and the marks of its time."""
    has_table = any(name not in (_ABSENT, "pre2019") for name in generation.values())
    headings = {chunk.section for chunk in chunks if chunk.has_heading}
    has_title = "header.title" in candidates
    return has_table or (has_title and (len(headings) >= _LEAST_HEADINGS or "pre2019" in generation.values()))
