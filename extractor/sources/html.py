"""Web pages -> linear text and grids.

Lives here: what of a page is read: shown text, in reading order, and the cells of its tables. Does not live
here: charset (see detect), where cells come to stand (see blocks), headings and what cells mean. Called by
extractor.sources.

The parser is lexbor, so broken markup is mended as browsers mend it. Style sheets are not evaluated: only
attributes of the element itself hide it. Numbers that a browser makes up (list counters) are not text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.blocks import (
    Block,
    BlockWriter,
    Collected,
    Table,
    TableCell,
    collapse_spaces,
    count_shown,
    flag_hidden,
    lay_out,
    place_cells,
    settle_table,
)
from extractor.sources.detect import count_lost, decode_text, flag_undecodable
from extractor.sources.pictures import PagePictures, PictureMark


def collect_html(raw: bytes, path: str, settings: Settings) -> Collected:
    """Take in the shown text, the tables and the pictures of a page. A page always parses.

    One line a block element; a data table has one line a row, its cells separated by tabs. A large picture that lies
    beside the page, or in it, stands behind the line that shows it. The page's title stands in when the body has no
    text. The text may be empty.

    Args:
        raw: the bytes as found, in any charset.
        path: the page's file; its pictures are looked for in its folder and below.
        settings: limits for pictures.
    """
    text, charset, lost = decode_text(raw)
    # as a browser that runs scripts: noscript is not shown, and does not tear the head
    page = LexborHTMLParser(text, scripting=True)
    reader = _PageReader(PagePictures(path, settings))
    if page.root is not None:
        reader.read(page.root)
    title = page.css_first("title")
    named = collapse_spaces(title.text()).strip(" ") if title is not None else ""

    def complete(linear: Linear) -> Linear:
        if named and not linear.text.strip():
            linear = replace(lay_out([named], linear.notices), paper=linear.paper)
        linear = replace(linear, notices=(*flag_hidden(reader.hidden_chars), *linear.notices))
        if not lost:
            return linear
        # the places are those of the linear text; their number is that of the source
        notices = (*flag_undecodable(linear.text, charset, count_lost(text)), *linear.notices)
        return replace(linear, notices=notices)

    return Collected(reader.finish(), complete)


# ---------------------------------------------------------------- reading a page

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

    def __init__(self, pictures: PagePictures) -> None:
        self.writer = BlockWriter()
        self.hidden_chars = 0
        self._pictures = pictures
        self._marks: list[PictureMark] = []  # of the line under way
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

    def finish(self) -> list[Block]:
        """All blocks."""
        self._end_line()
        return self.writer.finish()

    def _end_line(self) -> None:
        """End the line under way; the pictures in it stand behind it."""
        self.writer.end_line()
        if self._marks:
            self.writer.add_blocks(self._marks)
            self._marks.clear()

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
                self._end_line()
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
            self._break_line()
        elif tag == "img":
            self._show_picture(attributes)
        elif tag == "table":
            self._open_table()
        elif tag in _BLOCKS or style.is_block:
            self._end_line()
            self._pending.append(self._end_line)
        child = node.last_child
        while child is not None:
            self._pending.append(child)
            child = child.prev

    def _break_line(self) -> None:
        if self._marks:
            self._end_line()
        else:
            self.writer.break_line()

    def _show_picture(self, attributes: dict[str, str | None]) -> None:
        shown = None if self._style.is_invisible else self._pictures.find(attributes)
        if shown is not None:
            self._marks.append(PictureMark(shown))

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
        self._end_line()
        table = _TableUnderWay()
        self._tables.append(table)

        def close() -> None:
            self._tables.pop()
            self._end_line()
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
            self._end_line()
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
