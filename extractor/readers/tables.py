"""One table of the form: its lines, the generation that explains them, and its fields.

Lives here: collecting the lines of a chunk's table from grids and running text, and the score of a generation.
Does not live here: classifying cells (atoms), grouping them (lines), reading a layout (labelled_rows, one_row),
deciding the generation over all tables (template).
"""

from __future__ import annotations

from functools import lru_cache

from extractor.forms import Section, fold_label
from extractor.model import Chunk, Document, Grid, Paragraph
from extractor.readers.atoms import Atom, grid_atoms, run_atoms
from extractor.readers.labelled_rows import LabelledRowsReader
from extractor.readers.lines import TableLines, collect_lines, row_of
from extractor.readers.one_row import OneRowReader
from extractor.readers.table_reader import TableReading


def collect_table(document: Document, chunk: Chunk) -> TableLines:
    """The lines of a chunk's table, in order of print."""
    parts = [(run[0], list(run_atoms(document.view, *run, chunk.section))) for run in chunk.runs]
    for cells in chunk.table:
        atoms = list(grid_atoms(document, cells, chunk.section))
        parts.append((atoms[0].start, atoms))
    parts += _torn_pieces(document, chunk)
    return collect_lines(atom for _, atoms in sorted(parts, key=lambda part: part[0]) for atom in atoms)


def _torn_pieces(document: Document, chunk: Chunk) -> list[tuple[int, list[Atom]]]:
    return [
        (block.start, list(run_atoms(document.view, block.start, block.end, chunk.section)))
        for block in find_torn(document, chunk)
    ]


def find_torn(document: Document, chunk: Chunk) -> list[Paragraph]:
    """What stands in short lines between the grids of one table: labels or numbers torn from their rows."""
    indexes = {part.grid for part in chunk.table}
    grids = [block for block in document.blocks if isinstance(block, Grid) and block.index in indexes]
    if len(grids) < 2:
        return []
    return [
        block
        for block in document.blocks
        if isinstance(block, Paragraph)
        and grids[0].end <= block.start
        and block.end <= grids[-1].start
        and "。" not in document.view[block.start : block.end]
    ]


def score_generation(table: TableLines, section: Section) -> int:
    """How well a generation explains a table: its labels that are printed, less the rows that it cannot hold.

    A line with cells whose label is no row of the generation (2019's （六）其他处理 seen as 2021's
    group) counts against it.
    """
    known = _labels_of(section)
    score = sum(1 for label in table.labels if label.folded in known)
    return score - sum(1 for line in table.lines if line.printed and not row_of(line, section))


@lru_cache(maxsize=64)
def _labels_of(section: Section) -> frozenset[str]:
    labels = [label for row in section.rows for label in row.labels]
    labels += [label for column in section.columns for label in column.labels]
    labels += list(section.captions)
    return frozenset(fold_label(label) for label in labels)


def read_table(document: Document, table: TableLines, section: Section) -> TableReading:
    """Read a table as one generation's.

    Args:
        document: the document that the table stands in.
        table: the table's lines.
        section: the table of the generation that was decided for it.
    """
    if section.layout == "one_row":
        return OneRowReader(document, table, section).read()
    return LabelledRowsReader(document, table, section).read()
