"""Document -> the text that a model is shown, within a token budget.

Lives here: one line for each row of cells, empty cells visible; splitting long texts at row or
sentence borders, the header carried along; windows that overlap where no section is known. Does not
live here: instructions (prompts). Nothing here invents or repairs text: a cell is shown as printed,
without hidden characters and line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from extractor.forms import Section, find_labels
from extractor.llm.tokens import bound_tokens, count_tokens
from extractor.model import Cell, Chunk, Document, Grid
from extractor.readers.prose import read_prose
from extractor.readers.tables import find_torn

LineKind = Literal["row", "header", "caption", "cells"]

_SPACES = re.compile(r"[\s\x00]+")
_HAN = re.compile("[\u3400-\u9fff]")
_SENTENCE = re.compile(r"[^。!?\n]*[。!?\n]?")
_HAS_NUMBER = re.compile(r"[\d零〇一二三四五六七八九十百]+\s*(?:余|多)?万?(?:元|[条件篇起宗份则例项笔次个期])")
_PROBLEMS = "problems_improvements"
_PROBLEM_WORDS = re.compile("问题|不足|有待|不够|薄弱|差距|下一步|今后|改进|整改")
# The form prints what its columns add up to; a model that reads it balances the books.
_HINT = re.compile(r"\(?本列数据的勾稽关系[^)\n|]*\)?")
_OVERLAP = 8
_HEAD, _FOOT = 600, 400


class TextLine(NamedTuple):
    """One line to show, where it begins in the source, and what it names."""

    text: str
    start: int
    kind: LineKind = "cells"

    @property
    def is_header(self) -> bool:
        """Whether it names columns, or is a caption beside a line that does."""
        return self.kind == "header"


# ---------------------------------------------------------------- tables


def render_table(document: Document, chunk: Chunk, form: Section) -> list[TextLine]:
    """The lines of a chunk's table; of all its text where no table was found in it."""
    lines = [line for run in chunk.runs for line in _text_lines(document, *run)]
    for cells in chunk.table:
        grid = next(block for block in document.blocks if isinstance(block, Grid) and block.index == cells.grid)
        lines += _grid_lines(document, grid, cells.first, cells.last)
    for piece in find_torn(document, chunk):
        if not any(start < piece.end and piece.start < end for start, end in chunk.runs):
            lines += _text_lines(document, piece.start, piece.end)
    lines = lines or _text_lines(document, chunk.start, chunk.end)
    return list(_tell_kinds(sorted(lines, key=lambda line: line.start), form))


def render_regions(document: Document, chunk: Chunk, form: Section, regions: Iterable[tuple[int, int]]) -> str:
    """Single rows of a table, each with the header over it."""
    lines = render_table(document, chunk, form)
    shown: list[str] = []
    header: list[str] = []
    for start, end in sorted(set(regions)):
        over = _header_over(lines, start)
        shown += over if over != header else []
        header = over
        shown += [line.text for line in _lines_between(document, chunk, start, end)]
    return "\n".join(shown)


def split_table(lines: Sequence[TextLine], limit: int) -> list[str]:
    """Texts of at most `limit` tokens, cut in front of rows, each with a header over its first row.

    A single row may be longer, and so may a row with its header.
    """
    texts = []
    for part in _pack(list(_group_rows(lines)), limit):
        header = [] if part[0].is_header else _header_over(lines, part[0].start)
        texts.append("\n".join([*header, *(line.text for line in part)]))
    return texts


def split_windows(lines: Sequence[TextLine], limit: int) -> list[str]:
    """The same with a few lines of overlap, for text in which the table must first be found."""
    return ["\n".join(line.text for line in part) for part in _pack([[line] for line in lines], limit, _OVERLAP)]


def _tell_kinds(lines: Sequence[TextLine], form: Section) -> Iterator[TextLine]:
    """Tell each line's kind; captions that stand beside column names belong to the header."""
    kinds = [_kind_of(line.text, form) for line in lines]
    for is_over, run in groupby(zip(lines, kinds, strict=True), key=lambda item: item[1] in ("header", "caption")):
        items = list(run)
        is_header = is_over and any(kind == "header" for _, kind in items)
        yield from (line._replace(kind="header" if is_header else kind) for line, kind in items)


def _kind_of(text: str, form: Section) -> LineKind:
    """What a line names. 其他 and 总计 are rows only with an ordinal; a table of one row has no labels."""
    if form.layout == "one_row":
        return "cells"
    hits = find_labels(text, 0, len(text), form.id)
    rows = [hit for hit in hits if any(ref.role == "row" for ref in hit.refs)]
    if any(hit.has_ordinal or all(ref.role == "row" for ref in hit.refs) for hit in rows):
        return "row"
    if any(ref.role == "column" for hit in hits for ref in hit.refs):
        return "header"
    return "caption" if hits else "cells"


def _group_rows(lines: Sequence[TextLine]) -> Iterator[list[TextLine]]:
    """Lines that must stay together: a row, the cells behind it, and the captions and header in front of it."""
    group: list[TextLine] = []
    for line in lines:
        begins = line.kind != "cells" and group and group[-1].kind in ("cells", "row")
        if begins:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def find_header(lines: Sequence[TextLine], position: int) -> list[TextLine]:
    """The nearest run of header lines in front of a position."""
    found: list[TextLine] = []
    for line in reversed([line for line in lines if line.start < position]):
        if line.is_header:
            found.append(line)
        elif found:
            break
    return found[::-1]


def _header_over(lines: Sequence[TextLine], position: int) -> list[str]:
    return [line.text for line in find_header(lines, position)]


def _lines_between(document: Document, chunk: Chunk, start: int, end: int) -> list[TextLine]:
    """What stands in an interval: cells of the table's grids, and text outside of grids."""
    lines: list[TextLine] = []
    for block in document.blocks:
        if isinstance(block, Grid) and chunk.table:
            inside = [index for index, cell in enumerate(block.cells) if start <= cell.start and cell.end <= end]
            lines += _grid_lines(document, block, inside[0], inside[-1] + 1) if inside else []
        elif not isinstance(block, Grid) and block.start < end and start < block.end:
            lines += _text_lines(document, max(start, block.start), min(end, block.end))
    return lines


def _text_lines(document: Document, start: int, end: int) -> list[TextLine]:
    lines = []
    for line in document.view[start:end].split("\n"):
        shown = _HINT.sub("", " ".join(line.replace("\x00", "").split()))
        if shown:
            lines.append(TextLine(shown, start))
        start += len(line) + 1
    return lines


def _grid_lines(document: Document, grid: Grid, first: int, last: int) -> list[TextLine]:
    """Cells between bars, a line for each row; where rows are not known, one begins at every cell with words."""
    rows: list[tuple[int, list[str]]] = []
    row = -1
    for cell in grid.cells[first:last]:
        text = _show_cell(document, cell)
        begins = bool(_HAN.search(text)) if grid.kind == "stream" else cell.row != row
        if begins or not rows:
            rows.append((cell.start, []))
        row = cell.row
        if text or not grid.is_padded:
            rows[-1][1].append(text)
    return [TextLine(line, start) for start, cells in rows if (line := "|".join(cells)).strip("|")]


def _show_cell(document: Document, cell: Cell) -> str:
    text = _SPACES.sub(" ", document.view[cell.start : cell.end].replace("\x00", "")).strip().replace("|", " ")
    return _HINT.sub("", text)


def _pack(groups: Sequence[list[TextLine]], limit: int, overlap: int = 0) -> Iterator[list[TextLine]]:
    """Groups of lines, one behind the other, up to `limit` tokens; the last `overlap` groups are repeated."""
    if sum(bound_tokens(line.text) + 1 for group in groups for line in group) <= limit:
        yield [line for group in groups for line in group]
        return
    part: list[list[TextLine]] = []
    sizes: list[int] = []
    for group in groups:
        size = sum(count_tokens(line.text) + 1 for line in group)
        if part and sum(sizes) + size > limit:
            yield [line for one in part for line in one]
            kept = overlap if len(part) > overlap else 0
            part, sizes = part[len(part) - kept :], sizes[len(part) - kept :]
        part.append(group)
        sizes.append(size)
    if part:
        yield [line for one in part for line in one]


# ---------------------------------------------------------------- running text


def render_header(document: Document, chunks: Sequence[Chunk]) -> str:
    """The beginning and the end of the running text: title, contacts, signature."""
    text = read_prose(document, chunks).text
    head = text[:_HEAD].strip()
    foot = text[max(_HEAD, len(text) - _FOOT) :].strip()
    return f"{head}\n……\n{foot}" if foot else head


def render_narrative(document: Document, chunks: Sequence[Chunk], limit: int) -> list[str]:
    """The running text without tables, in parts of at most `limit` tokens.

    Of section 五 everything, and without its heading the sentences that sound like it; of the rest
    only the sentences that state a number: no fact that is asked for stands in the others.
    """
    has_problems = any(chunk.section == _PROBLEMS for chunk in chunks)
    sentences: list[TextLine] = []
    for chunk in chunks:
        text = read_prose(document, chunks, (chunk.start, chunk.end)).text
        found = (sentence.strip() for sentence in _SENTENCE.findall(text))
        is_whole = chunk.section == _PROBLEMS
        sentences += [
            TextLine(one, 0)
            for one in found
            if one and (is_whole or _HAS_NUMBER.search(one) or (not has_problems and _PROBLEM_WORDS.search(one)))
        ]
    return ["\n".join(line.text for line in part) for part in _pack([[line] for line in sentences], limit)]


def render_older(document: Document, limit: int) -> list[str]:
    """All of a report before the national form: paragraphs and rows of its tables in order of print."""
    lines: list[TextLine] = []
    for block in document.blocks:
        if isinstance(block, Grid):
            lines += _grid_lines(document, block, 0, len(block.cells))
        else:
            for line in _text_lines(document, block.start, block.end):
                lines += [TextLine(one.strip(), line.start) for one in _SENTENCE.findall(line.text) if one.strip()]
    return ["\n".join(line.text for line in part) for part in _pack([[line] for line in lines], limit)]
