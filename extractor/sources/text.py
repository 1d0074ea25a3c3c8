"""Plain text of any flattening -> headings, paragraphs and grids.

Lives here: recovering the cells that the text itself still separates, by tabs or by bars, and the
decision whether their positions survived. Does not live here: what the cells mean; tables whose
cells nothing but spaces or line ends separate stay paragraphs, and the reader finds their rows by
label. Called for text and Markdown files, and for the running text of every other kind.

Three flattenings by bars are told apart: rows filled up at their end to one width (cells may have
been dropped: positions are not certain), one row a line, and one cell a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple

from extractor.model import Block, Cell, Grid, Paragraph
from extractor.sources.headings import find_headings

_FEWEST_SEPARATORS = 4
_WIDTHS = range(3, 17)
_MOST_LEAD_CHARS = 40
_WIDEST_ROW = 20
# Two cells with a bar around each; a lone cell has one bar beside it.
_LEAST_BARS = 3
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_TAB = re.compile(r"\t")
_BLANK_LINE = re.compile(r"\n[ \x00]*(?=\n)")
_BLANK_LINE_END = re.compile(r"\n[ \x00]*\n[ \x00]*$")
_DELIMITER_ROW = re.compile(r"^[\s\x00|:\-]*-[\s\x00|:\-]*$")
_NUMBER = re.compile(r"[+-]?\d[\d,.]*(?![、.,]?[\u3400-\u9fff(])")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SPACE = " \t\n\x00"


class Interval(NamedTuple):
    """A half-open interval of the view."""

    start: int
    end: int


Rows = list[list[Interval]]


def split_blocks(view: str, start: int, end: int) -> Iterator[Block]:
    """Split running text into blocks, in order. Grids carry index 0; the caller numbers them."""
    position = start
    for heading in find_headings(view, start, end):
        yield from _split_region(view, position, heading.start)
        yield heading
        position = heading.end
    yield from _split_region(view, position, end)


def _split_region(view: str, start: int, end: int) -> Iterator[Block]:
    """Split text that holds no heading."""
    if not view[start:end].strip(_SPACE):
        return
    if view.count("|", start, end) >= _FEWEST_SEPARATORS:
        blocks = _split_bars(view, start, end)
    elif view.count("\t", start, end) >= _FEWEST_SEPARATORS:
        blocks = _split_tabs(view, start, end)
    else:
        blocks = [Paragraph(start, end)]
    position = start
    for block in blocks:  # what lies between the grids is running text
        yield from _paragraph(view, position, block.start)
        yield block
        position = block.end
    yield from _paragraph(view, position, end)


def _paragraph(view: str, start: int, end: int) -> Iterator[Block]:
    if view[start:end].strip(_SPACE + "|:-"):
        yield Paragraph(start, end)


def _trim(view: str, start: int, end: int) -> Interval:
    """Shrink an interval to what is printed in it; an empty one stays where it began."""
    body = view[start:end]
    return _place_text(body, body.strip(_SPACE), start)


def _build_grid(rows: Rows, kind: Literal["rows", "stream"], is_padded: bool) -> Grid:
    cells = tuple([Cell(cell.start, cell.end, r, c) for r, row in enumerate(rows) for c, cell in enumerate(row)])
    return Grid(0, cells[0].start, cells[-1].end, kind, 0, is_padded, cells)


# ---------------------------------------------------------------- tabs


def _split_tabs(view: str, start: int, end: int) -> list[Block]:
    lines = [match for match in _LINE.finditer(view, start, end) if "\t" in match.group()]
    cell_lines = sum(1 for line in lines if line.group().count("\t") == 1 and line.group().lstrip(" \x00")[0] == "\t")
    if cell_lines >= 0.8 * len(lines):
        return list(_split_tab_cells(view, lines[0].start(), end))
    return list(_group_row_lines(view, lines, _split_tab_row))


def _split_tab_cells(view: str, start: int, end: int) -> Iterator[Block]:
    """Word's text export with rows collapsed: a tab opens each cell, a blank line ends each row.

    A cell may hold line breaks, even blank lines in front of its text (a label centred by empty
    paragraphs); text behind a blank line that follows a cell's text is no part of the table.
    """
    rows: Rows = [[]]
    starts = [match.end() for match in _TAB.finditer(view, start, end)]
    for cell_start, cell_end in pairwise([*starts, end + 1]):
        body = view[cell_start : cell_end - 1]
        text = body.strip(_SPACE)
        if text and body.startswith("\n\n") and _NUMBER.fullmatch(text):  # behind a row that ended: the page's
            cell, rest = Interval(cell_start, cell_start), _place_text(body, text, cell_start)
        elif "\n" not in text:  # by far the most cells: one line, or nothing
            cell, rest = _place_text(body, text, cell_start), None
        else:
            cell, rest = _split_tall_cell(view, cell_start, cell_end - 1, is_last=cell_end > end)
        rows[-1].append(cell)
        if rest:  # running text behind the table
            yield _build_grid([row for row in rows if row], "rows", False)
            rows = [[]]
        elif body.endswith("\n\n") or _BLANK_LINE_END.search(body):
            rows.append([])
    if any(rows):
        yield _build_grid([row for row in rows if row], "rows", False)


def _place_text(body: str, text: str, start: int) -> Interval:
    begin = start + (body.index(text) if text else 0)
    return Interval(begin, begin + len(text))


def _split_tall_cell(view: str, start: int, end: int, is_last: bool) -> tuple[Interval, Interval | None]:
    """A cell of several lines, and the running text behind a blank line, if any."""
    first_line = view[start : view.index("\n", start, end)]
    if not first_line.strip(_SPACE) and not is_last:
        return _trim(view, start, end), None
    blank_line = _BLANK_LINE.search(view, start, end)
    cell_end = blank_line.start() if blank_line else end
    rest = _trim(view, cell_end, end)
    return _trim(view, start, cell_end), rest if rest.start < rest.end else None


def _split_tab_row(view: str, line: Interval) -> list[Interval]:
    cuts = [line.start, *(match.end() for match in re.finditer("\t", view[line.start : line.end]))]
    starts = [line.start, *(line.start + offset for offset in cuts[1:])]
    ends = [*(position - 1 for position in starts[1:]), line.end]
    return [_trim(view, a, b) for a, b in zip(starts, ends, strict=True)]


# ---------------------------------------------------------------- bars


def _split_bars(view: str, start: int, end: int) -> list[Block]:
    lines = [match for match in _LINE.finditer(view, start, end) if "|" in match.group()]
    stream = _bar_stream(view, lines, start, end)
    padded = _cut_padded_rows(view, stream)
    if padded:
        return [_build_grid(padded, "rows", True)]
    if _are_row_lines(lines):
        return list(_group_row_lines(view, lines, _split_bar_row))
    return [_build_grid([stream], "stream", _has_only_end_blanks(view, stream))]


def _are_row_lines(lines: Sequence[re.Match[str]]) -> bool:
    """Whether a line holds a row, not a cell: most lines with text hold two cells or more, empty ones counted."""
    texts = [line.group() for line in lines]
    filled = [text for text in texts if text.replace("|", "").strip(_SPACE)]
    return sum(1 for text in filled if text.count("|") >= _LEAST_BARS or _count_filled(text) > 1) > 0.6 * len(filled)


def _count_filled(line: str) -> int:
    return sum(1 for cell in line.split("|") if cell.strip(_SPACE))


def _bar_stream(view: str, lines: Sequence[re.Match[str]], floor: int, end: int) -> list[Interval]:
    """All cells between bars in order; line ends inside a cell do not matter."""
    start = lines[0].start()
    if not view[start : view.index("|", start)].strip(_SPACE):
        start = _lead_start(view, start, floor)
    last_bar = view.rindex("|", start, end)
    tail = _trim(view, last_bar + 1, end)
    bars = [start - 1, *(match.start() for match in re.finditer(r"\|", view[start:end]))]
    bars = [bars[0], *(start + offset for offset in bars[1:])]
    cells = [_trim(view, a + 1, b) for a, b in pairwise(bars)]
    if tail.start < tail.end and "。" not in view[tail.start : tail.end] and tail.end - tail.start <= _MOST_LEAD_CHARS:
        cells.append(tail)
    return cells


def _lead_start(view: str, line_start: int, floor: int) -> int:
    """Where the first cell begins when its bar stands alone on the next line."""
    previous = max(view.rfind("\n", 0, max(line_start - 1, 0)) + 1, floor)
    text = view[previous:line_start].strip(_SPACE)
    is_cell = text and "。" not in text and "|" not in text and len(text) <= _MOST_LEAD_CHARS
    return previous if is_cell else line_start


def _cut_padded_rows(view: str, cells: Sequence[Interval]) -> Rows | None:
    """Cut a stream into rows of one width, if rows were filled up at their end to one width.

    Equal bar counts although spans differ, and empty cells only at the ends of rows: such a
    flattener may have dropped empty cells, so that a lone number has lost its column.
    """
    is_blank = [cell.start == cell.end for cell in cells]
    leads = bool(is_blank) and is_blank[0]  # rows that open with a bar leave an empty cell at each seam
    offset = 1 if leads else 0
    for width in _WIDTHS:
        step = width + offset
        starts = range(offset, len(cells), step)
        if len(starts) < 2:
            break
        if all(_is_filled_row(is_blank[s : s + step], leads) for s in starts):
            rows = [list(cells[s : s + width]) for s in starts]
            is_evident = any(row[-1].start == row[-1].end for row in rows[:-1])
            if is_evident and all(_reads_as_row(view, row) for row in rows[:-1]):
                return rows
    return None


def _reads_as_row(view: str, row: Sequence[Interval]) -> bool:
    """Whether a row opens with text and has no further text behind a number."""
    is_number = [bool(_NUMBER.match(view, *cell)) for cell in row]
    is_text = [not number and len(_HAN.findall(view, *cell)) > 1 for number, cell in zip(is_number, row, strict=True)]
    first_number = is_number.index(True) if True in is_number else len(row)
    return is_text[0] and not any(is_text[first_number:])


def _is_filled_row(blanks: Sequence[bool], leads: bool) -> bool:
    if blanks[0] or (leads and not blanks[-1]):
        return False
    first_blank = blanks.index(True) if True in blanks else len(blanks)
    return all(blanks[first_blank:])


def _split_bar_row(view: str, line: Interval) -> list[Interval]:
    start, end = _trim(view, *line)
    start += view[start] == "|"
    end -= end > start and view[end - 1] == "|"
    cuts = [start - 1, *(i for i in range(start, end) if view[i] == "|" and view[i - 1] != "\\"), end]
    return [_trim(view, a + 1, b) for a, b in pairwise(cuts)]


def _group_row_lines(
    view: str, lines: Sequence[re.Match[str]], split_row: Callable[[str, Interval], list[Interval]]
) -> Iterator[Grid]:
    """Rows, one a line; running text between lines separates grids."""
    rows: Rows = []
    previous_end = -1
    for line in lines:
        if rows and view[previous_end : line.start()].strip(_SPACE):
            yield _build_lines_grid(view, rows)
            rows = []
        previous_end = line.end()
        if not _DELIMITER_ROW.match(line.group()):
            rows.append(split_row(view, Interval(*line.span())))
    if rows:
        yield _build_lines_grid(view, rows)


def _build_lines_grid(view: str, rows: Rows) -> Grid:
    """Lines are rows, unless one holds more cells than any row of the form: then line ends say nothing."""
    if max(map(len, rows)) <= _WIDEST_ROW:
        return _build_grid(rows, "rows", _hides_dropped_cells(rows))
    stream = [cell for row in rows for cell in row]
    # Between a separator and a heading there is no cell.
    if stream[0].start == stream[0].end:
        del stream[0]
    if stream[-1].start == stream[-1].end:
        del stream[-1]
    return _build_grid([stream], "stream", _has_only_end_blanks(view, stream))


def _hides_dropped_cells(rows: Rows) -> bool:
    """Whether empty cells stand at row ends only, in rows of one width (see _cut_padded_rows)."""
    blanks = [[cell.start == cell.end for cell in row] for row in rows]
    same_width = len({len(row) for row in rows}) == 1
    return same_width and any(row[-1] for row in blanks) and all(_is_filled_row(row, False) for row in blanks)


def _has_only_end_blanks(view: str, stream: Sequence[Interval]) -> bool:
    """The same question where rows are not known: there are empty cells, and no number follows one."""
    blanks = [cell.start == cell.end for cell in stream]
    return any(blanks) and not any(
        blank and _NUMBER.match(view, after.start, after.end) for blank, after in zip(blanks, stream[1:], strict=False)
    )


def number_grids(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Give the grids their numbers in reading order."""
    numbered: list[Block] = []
    count = 0
    for block in blocks:
        if isinstance(block, Grid):
            numbered.append(replace(block, index=count))
            count += 1
        else:
            numbered.append(block)
    return tuple(numbered)
