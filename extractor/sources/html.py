"""Web pages -> linear text and grids; and the layout of blocks that Word files share.

Lives here: what of a page is read (shown text, in reading order), the geometry of its tables, and the
last step from blocks (lines and tables) to a Linear. Does not live here: charset (see detect), headings and
what cells mean. Called by extractor.sources.load_document; extractor.sources.word uses the second half.

The parser is lexbor, so broken markup is mended as browsers mend it. Style sheets are not evaluated: only
attributes of the element itself hide it. Numbers that a browser makes up (list counters) are not text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractor.flags import make_flag
from extractor.model import Cell, Flag, Grid
from extractor.sources.base import Linear
from extractor.sources.detect import count_lost, decode_text, flag_undecodable


def parse_html(raw: bytes, path: str) -> Linear:
    """Read the shown text and the tables of a page.

    One line a block element; a data table has one line a row, its cells separated by tabs. The page's
    title stands in when the body has no text. The text may be empty.

    Args:
        raw: the bytes as found, in any charset.
        path: unused, for the same shape as the other kinds: a page always parses.
    """
    text, charset, lost = decode_text(raw)
    # as a browser that runs scripts: noscript is not shown, and does not tear the head
    page = LexborHTMLParser(text, scripting=True)
    reader = _PageReader()
    if page.root is not None:
        reader.read(page.root)
    blocks = reader.writer.finish()
    title = page.css_first("title")
    linear = lay_out(blocks, flag_hidden(reader.hidden_chars))
    if title is not None and not linear.text.strip():
        linear = lay_out([_SPACES.sub(" ", title.text()).strip(" ")], linear.notices)
    if not lost:
        return linear
    # the places are those of the linear text; their number is that of the source
    notices = (*flag_undecodable(linear.text, charset, count_lost(text)), *linear.notices)
    return Linear(linear.text, linear.grids, notices)


def flag_hidden(chars: int) -> tuple[Flag, ...]:
    """The `hidden-text` flag for that many characters, if any."""
    return (make_flag("hidden-text", count=chars),) if chars else ()


def count_shown(text: str) -> int:
    """Characters that would leave ink."""
    return len(text) - sum(map(str.isspace, text)) if text else 0


# ---------------------------------------------------------------- reading a page

_SPACES = re.compile(r"[ \t\n\r\f]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_ENDS = re.compile(r"[ \t\f]*(?:\r\n|\r|\n)\s*")
_SKIPPED = frozenset(
    {"head", "script", "style", "template", "noscript", "noembed", "noframes", "datalist", "rt", "rp"}
    | {"iframe", "object", "svg", "canvas", "audio", "video"}
)
"""Never shown as text, or (rt, rp) a gloss over the text that would tear its words."""
_PREFORMATTED = frozenset({"pre", "listing", "xmp", "plaintext", "textarea"})
_BLOCKS = (
    _PREFORMATTED
    | {"html", "body", "article", "aside", "footer", "header", "main", "nav", "section", "search", "hgroup", "address"}
    | {"div", "p", "center", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "figure", "figcaption", "caption"}
    | {"ul", "ol", "li", "dl", "dt", "dd", "dir", "menu", "details", "summary", "dialog"}
    | {"form", "fieldset", "legend", "select", "optgroup", "option"}
)
_GROUP_ORDER = {"thead": 0, "tbody": 1, "tfoot": 2}
_TABLE_PARTS = frozenset({"td", "th", "tr", *_GROUP_ORDER})

_Action = Callable[[], None]


class _PageReader:
    """Walks the tree without recursion (pages nest ten thousand deep) and fills a BlockWriter."""

    def __init__(self) -> None:
        self.writer = BlockWriter()
        self.hidden_chars = 0
        self._tables: list[_TableUnderWay] = []
        self._style = _Style(is_invisible=False, is_tiny=False, is_preformatted=False)
        self._pending: list[LexborNode | _Action] = []

    def read(self, root: LexborNode) -> None:
        """Read all below `root`."""
        pending = self._pending
        pending.append(root)
        while pending:
            item = pending.pop()
            if not isinstance(item, LexborNode):
                item()
            elif item.is_text_node:
                self._read_text(item)
            elif item.is_element_node:
                self._read_element(item)

    def _read_text(self, node: LexborNode) -> None:
        text = node.text_content or ""
        if self._style.is_invisible or self._style.is_tiny:
            self.hidden_chars += count_shown(text)
        elif self._style.is_preformatted:
            first, *others = _LINE_END.split(text)
            self.writer.add_text(first)
            for line in others:
                self.writer.break_line()
                self.writer.add_text(line)
        elif ("\n" in text or "\r" in text) and node.parent is not None and node.parent.tag == "body":
            # text that nothing wraps is plain text around pasted tables: its line ends are meant
            first, *others = _LINE_ENDS.split(text)
            self.writer.add_collapsed(first)
            for line in others:
                self.writer.end_line()
                self.writer.add_collapsed(line)
        else:
            self.writer.add_collapsed(text)

    def _read_element(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _SKIPPED:
            return
        attributes = node.attributes
        style = _read_style(tag, attributes.get("style"), "hidden" in attributes)
        if style is not _PLAIN:
            if style.is_gone:
                self._skip_hidden(node)
                return
            self._enter_style(style)
        if self._tables and tag in _TABLE_PARTS:
            self._open_part(tag, attributes)
        elif tag == "br":
            self.writer.break_line()
        elif tag == "table":
            self._open_table()
        elif tag in _BLOCKS or style.is_block:
            self.writer.end_line()
            self._pending.append(self.writer.end_line)
        child = node.last_child
        while child is not None:
            self._pending.append(child)
            child = child.prev

    def _open_part(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in ("td", "th"):
            self._open_cell(attributes)
        elif tag == "tr":
            self._tables[-1].open_row()
        else:
            self._tables[-1].open_group(_GROUP_ORDER[tag])

    def _enter_style(self, style: _Style) -> None:
        """Let the style hold for what is below; visibility and size are inherited unless set anew."""
        outer = self._style
        inner = _Style(
            is_invisible=outer.is_invisible if style.is_invisible is None else style.is_invisible,
            is_tiny=outer.is_tiny if style.is_tiny is None else style.is_tiny,
            is_preformatted=outer.is_preformatted if style.is_preformatted is None else style.is_preformatted,
        )
        if inner == outer:
            return

        def leave() -> None:
            self._style = outer

        self._style = inner
        self._pending.append(leave)

    def _skip_hidden(self, root: LexborNode) -> None:
        """Count what a hidden element holds."""
        pending = [root]
        while pending:
            node = pending.pop()
            if node.is_text_node:
                self.hidden_chars += count_shown(node.text_content or "")
            elif node.tag not in _SKIPPED:
                pending.extend(node.iter(include_text=True))

    def _open_table(self) -> None:
        self.writer.end_line()
        table = _TableUnderWay()
        self._tables.append(table)

        def close() -> None:
            self._tables.pop()
            self.writer.end_line()
            self.writer.add_blocks(table.finish())

        self._pending.append(close)

    def _open_cell(self, attributes: dict[str, str | None]) -> None:
        cell = TableCell(
            row_span=_read_span(attributes.get("rowspan"), default=1),
            column_span=_read_span(attributes.get("colspan"), default=1) or 1,
        )
        self._tables[-1].add_cell(cell)
        self.writer.open_cell()

        def close() -> None:
            cell.blocks = self.writer.close_cell()

        self._pending.append(close)


def _read_span(value: str | None, default: int) -> int:
    """A span attribute as browsers read it: leading digits, else the default; 0 is kept."""
    match = re.match(r"\s*\+?([0-9]{1,6})", value or "")
    return int(match[1]) if match else default


class _TableUnderWay:
    """The rows of an HTML table by row group, until its end tag."""

    def __init__(self) -> None:
        self._groups: list[tuple[int, list[list[TableCell]]]] = []

    def open_group(self, order: int) -> None:
        self._groups.append((order, []))

    def open_row(self) -> None:
        if not self._groups:
            self.open_group(_GROUP_ORDER["tbody"])
        self._groups[-1][1].append([])

    def add_cell(self, cell: TableCell) -> None:
        if not self._groups or not self._groups[-1][1]:
            self.open_row()
        self._groups[-1][1][-1].append(cell)

    def finish(self) -> list[Block]:
        """The table placed, head first and foot last whatever the order in the source."""
        rows: list[list[TableCell]] = []
        group_ends: list[int] = []
        for _, group in sorted(self._groups, key=lambda pair: pair[0]):
            rows.extend(group)
            group_ends.extend([len(rows)] * len(group))
        width = place_cells(rows, group_ends)
        return settle_table(Table(width, [cell for row in rows for cell in row]))


# ---------------------------------------------------------------- what hides an element


class _Style(NamedTuple):
    """What an element's own style says; None: nothing, so what is around it holds."""

    is_gone: bool = False
    is_invisible: bool | None = None
    is_tiny: bool | None = None
    is_block: bool = False
    is_preformatted: bool | None = None


_PLAIN = _Style()
_DECLARATION = re.compile(
    r"(?:^|;)\s*(display|visibility|font-size|opacity|position|left|top|text-indent|margin-left|overflow|height"
    r"|max-height|width|white-space)\s*:\s*([^;!]*)"
)
_LENGTH = re.compile(r"(-?[0-9]*\.?[0-9]+)\s*([a-z%]*)")
_BLOCK_DISPLAYS = frozenset({"block", "flex", "grid", "list-item", "table", "flow-root"})
# largest size that nobody can read, by unit
_UNREADABLE_SIZES = {"": 1.0, "px": 1.0, "pt": 1.0, "em": 0.1, "rem": 0.1, "%": 10.0}
# offset that is off every screen, by unit; not %, which carousels use for what they show next
_OFF_SCREEN_OFFSETS = {"": -500.0, "px": -500.0, "pt": -500.0, "em": -50.0, "rem": -50.0}


@lru_cache(maxsize=4096)
def _read_style(tag: str, style: str | None, has_hidden: bool) -> _Style:
    """The effect of an element's tag, style attribute and hidden attribute (pages repeat them by the hundred)."""
    declared = dict(_DECLARATION.findall(style.lower())) if style else {}
    declared = {name: value.strip() for name, value in declared.items()}
    display = declared.get("display", "")
    white_space = declared.get("white-space", "pre" if tag in _PREFORMATTED else "inherit")
    effect = _Style(
        is_gone=(has_hidden and not display) or display == "none" or _is_out_of_sight(declared),
        is_invisible=declared["visibility"] in ("hidden", "collapse") if "visibility" in declared else None,
        is_tiny=_is_unreadable(declared.get("font-size")),
        is_block=display in _BLOCK_DISPLAYS,
        is_preformatted=None if white_space == "inherit" else white_space.startswith(("pre", "break-spaces")),
    )
    return _PLAIN if effect == _PLAIN else effect


def _read_length(value: str | None) -> tuple[float, str] | None:
    match = _LENGTH.fullmatch(value) if value else None
    return (float(match[1]), match[2]) if match else None


def _is_unreadable(font_size: str | None) -> bool | None:
    """Whether the size is next to nothing; None when it says nothing about that."""
    length = _read_length(font_size)
    if length is None:
        return False if font_size in ("small", "medium", "large", "smaller", "larger", "x-large", "initial") else None
    number, unit = length
    if number == 0 or number <= _UNREADABLE_SIZES.get(unit, 0.0):
        return True
    # a share of nothing is nothing: only absolute sizes make readable again
    return None if unit in ("em", "%") else False


def _is_out_of_sight(declared: dict[str, str]) -> bool:
    opacity = _read_length(declared.get("opacity"))
    if opacity is not None and opacity[0] == 0:
        return True
    is_moved = declared.get("position") in ("absolute", "fixed")
    for name in ("left", "top", "margin-left", "text-indent"):
        length = _read_length(declared.get(name))
        if length and (is_moved or name == "text-indent") and length[0] <= _OFF_SCREEN_OFFSETS.get(length[1], -1e9):
            return True
    sizes = (_read_length(declared.get(name)) for name in ("height", "max-height", "width"))
    return declared.get("overflow") == "hidden" and any(size and size[0] == 0 for size in sizes)


# ---------------------------------------------------------------- blocks: lines and tables


@dataclass(slots=True)
class TableCell:
    """A cell, before its table is laid out. `row_span` 0 means to the end of its row group."""

    row_span: int = 1
    column_span: int = 1
    row: int = 0
    column: int = 0
    blocks: list[Block] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The cell's own lines."""
        return "\n".join([block for block in self.blocks if isinstance(block, str)])


@dataclass(slots=True)
class Table:
    """A table with placed cells in reading order. Width 0: its geometry is not usable."""

    width: int
    cells: list[TableCell]


Block = str | Table
"""A finished line, or a table."""

MAX_COLUMNS = 1000
"""A wider table is no table of a report, and its geometry is not worth the memory."""
MAX_COLUMN_SPAN = 64
"""A wider span means "the whole row"."""
_ARTICLE_CHARS = 200
_FEWEST_NUMBERS = 6
_NUMBER_CELL = re.compile(r"[\s0-9０-９.,，%/／—–\-]+[件个项条元万]{0,2}\s*")
_BLANKS = " \t\n\r\f\v\u00a0\u3000\u2002\u2003\u2009\u200b\ufeff\u2060"


class BlockWriter:
    """Collects lines and tables; cells (and text boxes) collect their own in between."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._line: list[str] = []
        self._outer: list[tuple[list[Block], list[str]]] = []

    def add_text(self, text: str) -> None:
        """Add text as it is to the line under way."""
        if text:
            self._line.append(text)

    def add_collapsed(self, text: str) -> None:
        """Add text with runs of HTML white space made one space, none at the start of a line."""
        text = _SPACES.sub(" ", text)
        if text[:1] == " " and (not self._line or self._line[-1][-1] == " "):
            text = text[1:]
        if text:
            self._line.append(text)

    def end_line(self) -> None:
        """End the line under way if there is one (the edge of a block)."""
        if not self._line:
            return
        line = "".join(self._line).rstrip(" ")
        self._line.clear()
        if line:
            self._blocks.append(line)

    def break_line(self) -> None:
        """End the line under way even when it is empty, but never leave two empty lines."""
        if any(text != " " for text in self._line):
            self.end_line()
            return
        self._line.clear()
        if self._blocks and self._blocks[-1] != "":
            self._blocks.append("")

    def add_blocks(self, blocks: Iterable[Block]) -> None:
        """Add finished blocks after the line under way."""
        self.end_line()
        self._blocks.extend(blocks)

    def open_cell(self) -> None:
        """Collect apart, until close_cell."""
        self._outer.append((self._blocks, self._line))
        self._blocks, self._line = [], []

    def close_cell(self) -> list[Block]:
        """What was collected since open_cell; the line that was under way then goes on."""
        self.end_line()
        blocks = self._blocks
        if blocks and blocks[-1] == "":
            blocks.pop()
        self._blocks, self._line = self._outer.pop()
        return blocks

    def finish(self) -> list[Block]:
        """All blocks."""
        self.end_line()
        return self._blocks


def place_cells(rows: Sequence[Sequence[TableCell]], group_ends: Sequence[int]) -> int:
    """Give every cell its row and column, as browsers do, and cut spans to what the table has.

    Where spans overlap, the cell keeps its place and loses the columns that are taken, so that no slot
    has two cells. (HTML Living Standard, 4.9.12.1 "Forming a table".)

    Args:
        rows: the cells by row in the source.
        group_ends: for each row the end (half-open) of its row group, which row spans do not cross.

    Returns:
        The number of columns; 0 when it is over MAX_COLUMNS.
    """
    usual_width = max((sum(_usual_span(cell) for cell in row) for row in rows), default=0)
    free_from: list[int] = []  # per column the first row that nothing from above reaches into
    for row_number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column < len(free_from) and free_from[column] > row_number:
                column += 1
            if cell.column_span > MAX_COLUMN_SPAN:
                cell.column_span = max(1, min(cell.column_span, usual_width - column))
            end = column + cell.column_span
            if end > MAX_COLUMNS:
                return 0
            free_from.extend([0] * (end - len(free_from)))
            group_end = group_ends[row_number]
            bottom = min(row_number + cell.row_span, group_end) if cell.row_span else group_end
            taken = next((at for at in range(column, end) if free_from[at] > row_number), end)
            cell.row, cell.column = row_number, column
            cell.row_span, cell.column_span = bottom - row_number, taken - column
            free_from[column:end] = [max(bottom, reach) for reach in free_from[column:end]]
            column = end
    return len(free_from)


def _usual_span(cell: TableCell) -> int:
    return cell.column_span if cell.column_span <= MAX_COLUMN_SPAN else 1


def settle_table(table: Table) -> list[Block]:
    """Decide what a closed table is: itself when it holds data, else the blocks of its cells.

    Tables inside it are settled already. Inside a data table they become text of their cell.
    """
    if _is_layout(table):
        return [block for cell in table.cells for block in cell.blocks]
    for cell in table.cells:
        cell.blocks = [line for block in cell.blocks for line in _flatten(block)]
    return [table]


def _is_layout(table: Table) -> bool:
    """Whether the table only arranges: one column, mostly other tables, or an article without numbers."""
    rows = {cell.row for cell in table.cells}
    if not table.width or len(rows) == len(table.cells):
        return True
    nested = sum(len(block.cells) for cell in table.cells for block in cell.blocks if isinstance(block, Table))
    texts = [text for cell in table.cells if (text := cell.text.strip(_BLANKS))]
    if nested >= len(texts):
        return True
    is_article = any(len(text) >= _ARTICLE_CHARS for text in texts)
    return is_article and sum(1 for text in texts if _NUMBER_CELL.fullmatch(text)) < _FEWEST_NUMBERS


def _flatten(block: Block) -> list[str]:
    if isinstance(block, str):
        return [block]
    return "".join(text for text, _ in _write_cells(block)).split("\n")


def _write_cells(table: Table) -> Iterable[tuple[str, TableCell | None]]:
    """The text of a data table in pieces: cells, and what separates them."""
    last: TableCell | None = None
    for cell in table.cells:
        if last is not None:
            yield ("\t" if cell.row == last.row else "\n"), None
        yield cell.text, cell
        last = cell


def lay_out(blocks: Iterable[Block], notices: tuple[Flag, ...]) -> Linear:
    """Write blocks one after another, and note where the cells of tables came to stand."""
    parts: list[str] = []
    grids: list[Grid] = []
    position = 0
    for block in blocks:
        if isinstance(block, str):
            text = block
        else:
            text, cells = _write_table(block, position)
            end = position + len(text)
            grids.append(Grid(len(grids), position, end, "matrix", block.width, is_padded=False, cells=cells))
        parts.append(text)
        parts.append("\n")
        position += len(text) + 1
    return Linear("".join(parts), tuple(grids), notices)


def _write_table(table: Table, position: int) -> tuple[str, tuple[Cell, ...]]:
    pieces: list[str] = []
    cells: list[Cell] = []
    for text, cell in _write_cells(table):
        if cell is not None:
            start = position + len(text) - len(text.lstrip(_BLANKS))
            end = max(start, position + len(text.rstrip(_BLANKS)))
            cells.append(Cell(start, end, cell.row, cell.column, cell.row_span, cell.column_span))
        pieces.append(text)
        position += len(text)
    return "".join(pieces), tuple(cells)
