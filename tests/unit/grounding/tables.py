"""Documents and replies for the tests of this package: how a reply is aligned with one section of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from extractor.chunks import split_chunks
from extractor.forms import Section, load_forms
from extractor.grounding import RowAlignment, align_rows
from extractor.model import Chunk, Document, Grid, Span
from extractor.settings import Settings
from extractor.sources import read_document

TWO, THREE, FOUR = "proactive_disclosure", "applications", "review_litigation"
TITLE = "某某市民政局2023年政府信息公开工作年度报告\n一、总体情况\n工作如下。\n"
END = "\n五、存在的主要问题及改进情况\n有待改进。\n"
Reply = Mapping[str, Sequence[str | None]]


def read(text: str, path: str = "a.txt") -> Document:
    return read_document(text.encode(), path, Settings())


def find_chunk(document: Document, section: str) -> Chunk:
    """The chunk with the section's table; without a table the one under its heading."""
    chunks = [chunk for chunk in split_chunks(document) if chunk.section == section]
    return next((chunk for chunk in chunks if chunk.table or chunk.runs), chunks[0])


def form(section: str, generation: str = "2021") -> Section:
    found = load_forms().section(section, generation)
    assert found is not None
    return found


def align(document: Document, section: str, reply: Reply, generation: str = "2021") -> dict[str, RowAlignment]:
    """Align, and hold what holds for every alignment."""
    rows = {row_id: tuple(cells) for row_id, cells in reply.items()}
    found = align_rows(document, find_chunk(document, section), form(section, generation), rows)
    assert list(found) == list(rows)
    for row_id, row in found.items():
        check_row(document, rows[row_id], row)
    return found


def check_row(document: Document, cells: Sequence[str | None], row: RowAlignment) -> None:
    """Every span is in the text, in order, and holds what is said of it."""
    assert len(row.cells) == len(cells)
    spans = []
    for said, cell in zip(cells, row.cells, strict=True):
        assert (cell.span is None) == (cell.alignment == "not_found")
        if cell.span is None:
            assert cell.raw is None
            continue
        check_span(document, cell.span)
        spans.append(cell.span)
        if cell.raw is None:
            assert not (said or "").strip()
            assert cell.span.start == cell.span.end
        else:
            assert said is not None
            assert cell.raw == document.text[cell.span.start : cell.span.end]
            assert cell.alignment != "exact" or cell.raw == said.strip()
    assert all(a.end <= b.start for a, b in pairwise(spans))
    if row.outcome in ("placed", "blank"):
        assert all(cell.span for cell in row.cells)
    if row.outcome == "not_anchored":
        assert (row.anchor, row.region, spans) == (None, None, [])
    elif row.region:
        assert all(row.region[0] <= span.start and span.end <= row.region[1] for span in spans)
        if row.anchor:
            check_span(document, row.anchor)


def check_span(document: Document, span: Span) -> None:
    assert 0 <= span.start <= span.end <= len(document.text)
    if span.table is None:
        assert (span.row, span.cell) == (None, None)
        return
    grid = next(block for block in document.blocks if isinstance(block, Grid) and block.index == span.table)
    assert any(
        (cell.row, cell.column) == (span.row, span.cell) and cell.start <= span.start and span.end <= cell.end
        for cell in grid.cells
    )


def outcomes(found: Mapping[str, RowAlignment]) -> dict[str, str]:
    return {row_id: row.outcome for row_id, row in found.items()}
