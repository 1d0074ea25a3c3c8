"""Document -> Chunks: the parts of the form, and where each table's cells are.

Lives here: cutting by section heading, and finding the three tables by what stands in them (a
table may stand under another heading, or under none). Does not live here: reading the cells.
Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from extractor.forms import TABLE_SECTIONS, LabelHit, LabelRef, drop_note, find_labels, fold_label, load_forms
from extractor.model import CellRange, Chunk, Document, Grid, Heading, Paragraph

# What makes a table of this form out of a grid that only shares words with it.
_LEAST_COLUMN_LABELS = 2
_LEAST_ROW_LABELS = 5
# The same under the table's own heading: of a torn table a piece may be left.
_LEAST_ROWS_AT_HOME = 2
# Between two labels of a table stand cells, not sentences.
_MOST_GAP = 40
_LONGEST_LABEL = 90


def split_chunks(document: Document) -> list[Chunk]:
    """Cut a document into its sections, each with the place of its table.

    Returns:
        Chunks in order of print; the first is `header`. A section whose heading is missing but
        whose table was found gets a chunk of its own over the table. A section may have several
        chunks; at most one carries its table.
    """
    chunks = _cut_by_headings(document)
    tables = _find_grid_tables(document)
    for section in TABLE_SECTIONS:
        grids = tables.get(section, _GridTable())
        runs = () if grids.is_complete else _find_runs(document, chunks, section, has_grids=bool(grids.ranges))
        if grids.ranges or runs:
            chunks = _place(chunks, _table_chunk(document, section, tuple(grids.ranges), runs))
    return chunks


def _cut_by_headings(document: Document) -> list[Chunk]:
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    starts = [0, *(heading.start for heading in headings), len(document.text)]
    sections = ["header", *(heading.section for heading in headings)]
    return [
        Chunk(section, start, end, has_heading=section != "header")
        for section, (start, end) in zip(sections, pairwise(starts), strict=True)
    ]


# ---------------------------------------------------------------- tables whose cells are separated


@dataclass(slots=True)
class _GridTable:
    """Ranges of grid cells that hold one section's table, and the labels seen in them.

    `has_rows_at_home`: a grid under the section's own heading holds several of its rows.
    """

    ranges: list[CellRange] = field(default_factory=list)
    refs: set[LabelRef] = field(default_factory=set)
    is_complete: bool = False
    has_rows_at_home: bool = False


def _find_grid_tables(document: Document) -> dict[str, _GridTable]:
    """The grids of each section, where there is enough evidence for a table of the form."""
    tables: dict[str, _GridTable] = {}
    section_of = _enclosing_sections(document)
    for grid in (block for block in document.blocks if isinstance(block, Grid)):
        enclosing = section_of[grid.index]
        for section, first, last, refs in _cut_grid(document, grid, enclosing):
            table = tables.setdefault(section, _GridTable())
            table.ranges.append(CellRange(grid.index, first, last))
            table.refs |= refs
            table.has_rows_at_home |= section == enclosing and _count_rows(refs) >= _LEAST_ROWS_AT_HOME
    for section, table in tables.items():
        forms = [form.sections[section] for form in load_forms().national if section in form.sections]
        seen = {ref.id for ref in table.refs if ref.role == "row"}
        table.is_complete = any(form.layout == "one_row" or set(form.rows_by_id) <= seen for form in forms)
    # A table without labelled rows may have lost its header and still stand under its heading.
    return {
        section: table
        for section, table in tables.items()
        if _is_table(table.refs) or table.has_rows_at_home or (table.is_complete and section in section_of.values())
    }


def _enclosing_sections(document: Document) -> dict[int, str | None]:
    section: str | None = None
    found = {}
    for block in document.blocks:
        if isinstance(block, Heading):
            section = block.section
        elif isinstance(block, Grid):
            found[block.index] = section if section in TABLE_SECTIONS else None
    return found


def _cut_grid(document: Document, grid: Grid, enclosing: str | None) -> Iterator[tuple[str, int, int, set[LabelRef]]]:
    """Cut one grid where the section changes. A grid without any label belongs to its heading."""
    labels = [
        (position, refs)
        for position, cell in enumerate(grid.cells)
        if cell.end - cell.start > 1 and (refs := _cell_refs(document, cell.start, cell.end))
    ]
    named = [(position, _only_section(refs)) for position, refs in labels]
    changes = _section_changes([(position, section) for position, section in named if section])
    if not changes and enclosing is None:
        return
    changes = changes or [(0, str(enclosing))]
    cuts = [0, *(_row_start(grid, position) for position, _ in changes[1:]), len(grid.cells)]
    for (_, section), (first, last) in zip(changes, pairwise(cuts), strict=True):
        found = {ref for position, refs in labels if first <= position < last for ref in refs if ref.section == section}
        if first < last:  # two sections in one row: the row is the later one's
            yield section, first, last, found


def _section_changes(labels: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Where the section changes: at a label that is not the only one of its section there.

    A single label of another section inside a table is a misprint, not another table.
    """
    runs = [
        (section, [position for position, _ in run]) for section, run in groupby(labels, key=lambda label: label[1])
    ]
    if len(runs) > 1:
        runs = [run for run in runs if len(run[1]) > 1] or runs[:1]
    return [(next(run)[0], section) for section, run in groupby(((p[0], s) for s, p in runs), key=lambda item: item[1])]


def _cell_refs(document: Document, start: int, end: int) -> tuple[LabelRef, ...]:
    text = document.view[start:end]
    if text.isdigit():
        return ()
    forms = load_forms()
    if end - start <= _LONGEST_LABEL:
        folded = fold_label(text)
        if folded in forms.heading_index and forms.heading_index[folded] in TABLE_SECTIONS:
            return (LabelRef(forms.heading_index[folded], "caption", folded),)
        found = forms.label_index.get(folded) or forms.label_index.get(fold_label(drop_note(text)))
        if found:
            return found
    if end - start <= 2 * _MOST_GAP:  # a label with its numbers in one cell
        hits = (hit for section in TABLE_SECTIONS for hit in find_labels(document.view, start, end, section))
        return tuple(ref for hit in hits for ref in hit.refs)
    return ()


def _only_section(refs: Sequence[LabelRef]) -> str | None:
    """The section that a label names; None for those that stand in several tables or roles (其他, 总计)."""
    return refs[0].section if len(refs) == 1 else None


def _row_start(grid: Grid, position: int) -> int:
    """The first cell of the row of cell `position`, where rows are known."""
    if grid.kind == "stream":
        return position
    row = grid.cells[position].row
    while position and grid.cells[position - 1].row == row:
        position -= 1
    return position


def _has_header(refs: Iterable[LabelRef]) -> bool:
    return len({ref for ref in refs if ref.role == "column"}) >= _LEAST_COLUMN_LABELS


def _is_table(refs: Iterable[LabelRef]) -> bool:
    refs = set(refs)
    return _has_header(refs) or _count_rows(refs) >= _LEAST_ROW_LABELS


def _count_rows(refs: Iterable[LabelRef]) -> int:
    return len({ref for ref in refs if ref.role == "row"})


def _table_chunk(
    document: Document, section: str, table: tuple[CellRange, ...], runs: tuple[tuple[int, int], ...]
) -> Chunk:
    """A chunk that covers just the table."""
    grids = [block for block in document.blocks if isinstance(block, Grid)]
    starts = [grids[part.grid].cells[part.first].start for part in table] + [run[0] for run in runs]
    ends = [grids[part.grid].cells[part.last - 1].end for part in table] + [run[1] for run in runs]
    return Chunk(section, min(starts), max(ends), False, table=table, runs=runs)


def _place(chunks: list[Chunk], table_chunk: Chunk) -> list[Chunk]:
    """Give the table to the chunk of its section that holds or precedes it, or add a chunk."""
    own = [i for i, chunk in enumerate(chunks) if chunk.section == table_chunk.section and chunk.has_heading]
    before = [i for i in own if chunks[i].start <= table_chunk.start]
    if own:
        i = before[-1] if before else own[0]
        chunks[i] = replace(chunks[i], table=table_chunk.table, runs=table_chunk.runs)
        return chunks
    return [*chunks, table_chunk]


# ---------------------------------------------------------------- tables inside running text


def _find_runs(document: Document, chunks: list[Chunk], section: str, has_grids: bool) -> tuple[tuple[int, int], ...]:
    """The stretches of running text that hold a section's table, or the parts that no grid holds.

    Beside grids only the section's own text is searched; a whole table may also stand elsewhere.
    """
    own = [(chunk.start, chunk.end) for chunk in chunks if chunk.section == section]
    paragraphs = [(block.start, block.end) for block in document.blocks if isinstance(block, Paragraph)]
    inside = [p for p in paragraphs if any(start <= p[0] < end for start, end in own)]
    searched = inside if inside or has_grids else paragraphs
    runs = (_find_run_in(document.view, start, end, section) for start, end in searched)
    return tuple(run for run in runs if run)


def _find_run_in(view: str, start: int, end: int, section: str) -> tuple[int, int] | None:
    """The stretch in which labels of the section follow each other as in a table."""
    hits = find_labels(view, start, end, section)
    clusters: list[list[LabelHit]] = []
    for hit in hits:
        if clusters and _is_table_gap(view[clusters[-1][-1].end : hit.start]):
            clusters[-1].append(hit)
        else:
            clusters.append([hit])
    # Prose lists the rows' names, too; only a table names its columns.
    tables = [cluster for cluster in clusters if _has_header(ref for hit in cluster for ref in hit.refs)]
    if not tables:
        return None
    first, last = tables[0][0], tables[-1][-1]
    return first.start, _run_end(view, last.end, end)


def _is_table_gap(gap: str) -> bool:
    return "。" not in gap and sum(1 for char in gap if "\u3400" <= char <= "\u9fff") <= _MOST_GAP


def _run_end(view: str, position: int, limit: int) -> int:
    """Where the cells behind the last label end: before the first sentence."""
    stop = view.find("。", position, limit)
    if stop < 0:
        return limit
    line = view.rfind("\n", position, stop)
    return line if line >= 0 else stop
