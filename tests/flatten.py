"""The official form, filled with given values, in every flattening that real files come in.

Only for tests. `build_tables` makes the three tables with their true merged cells; each function in
LAYOUTS and TORN turns them into the bytes of a file the way some real scrape or export does.
"""

from __future__ import annotations

import html
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import docx

from extractor.forms import Row, Section, load_forms

Printed = Mapping[str, str]


@dataclass(frozen=True)
class Box:
    """One printed cell: text, and how many rows and columns it spans."""

    text: str
    rows: int = 1
    columns: int = 1
    is_value: bool = False


Table = list[list[Box]]


# ---------------------------------------------------------------- the form with its merged cells


def build_tables(generation: str | Mapping[str, str], printed: Printed) -> list[tuple[str, Table]]:
    """Heading and table of the three sections, `printed` giving the text of each field ("" is an empty cell).

    Args:
        generation: of all tables, or of each by its section.
        printed: a row of which it has no field is left out.
    """
    forms = load_forms().generations
    builders = {
        "proactive_disclosure": _section_two,
        "applications": _section_three,
        "review_litigation": _section_four,
    }
    tables = []
    for name, build in builders.items():
        section = forms[generation if isinstance(generation, str) else generation[name]].sections[name]
        tables.append((section.title, build(section, printed)))
    return tables


def _value(printed: Printed, field_id: str, columns: int = 1) -> Box:
    return Box(printed[field_id], columns=columns, is_value=True)


def _printed_rows(section: Section, printed: Printed) -> list[Row]:
    return [row for row in section.rows if any(section.field_id(row.id, c.id) in printed for c in row.columns)]


def _section_two(section: Section, printed: Printed) -> Table:
    table: Table = []
    part = None
    for row in _printed_rows(section, printed):
        width = len(row.columns)
        if row.group != part:
            part = row.group
            table.append([Box(part or "", columns=4)])
            table.append(
                [Box("信息内容"), *(Box(c.labels[0], columns=_span(i, width)) for i, c in enumerate(row.columns))]
            )
        cells = [_value(printed, section.field_id(row.id, c.id), _span(i, width)) for i, c in enumerate(row.columns)]
        table.append([Box(row.labels[0]), *cells])
    return table


def _span(index: int, width: int) -> int:
    """The last cell of a short row spans what is left of the three value columns."""
    return 3 - width + 1 if index == width - 1 else 1


def _section_three(section: Section, printed: Printed) -> Table:
    names = [column.labels[0] for column in section.columns]
    table: Table = [
        [Box(section.captions[0], rows=3, columns=3), Box("申请人情况", columns=7)],
        [Box(names[0], rows=2), Box("法人或其他组织", columns=5), Box(names[6], rows=2)],
        [Box(name) for name in names[1:6]],
    ]
    rows = _printed_rows(section, printed)
    results = [row for row in rows if row.group]
    for row in rows:
        cells = [_value(printed, section.field_id(row.id, column.id)) for column in section.columns]
        lead: list[Box] = []
        if row is results[0]:
            lead.append(Box("三、本年度办理结果", rows=len(results)))
        group = [other for other in rows if other.group == row.group]
        if not row.group:
            lead.append(Box(row.labels[0], columns=3))
        elif row.group == "三、本年度办理结果":
            lead.append(Box(row.labels[0], columns=2))
        else:
            if row is group[0]:
                lead.append(Box(row.group, rows=len(group)))
            lead.append(Box(row.labels[0]))
        table.append([*lead, *cells])
    return table


def _section_four(section: Section, printed: Printed) -> Table:
    names = [column.labels[0] for column in section.columns]
    return [
        [Box("行政复议", columns=5), Box("行政诉讼", columns=10)],
        [*(Box(name, rows=2) for name in names), Box("未经复议直接起诉", columns=5), Box("复议后起诉", columns=5)],
        [*map(Box, names), *map(Box, names)],
        [_value(printed, item.id) for item in section.fields],
    ]


def expand(table: Table) -> list[list[Box | None]]:
    """The table as a full grid: merged cells once, at their upper left; None where they reach."""
    width = sum(box.columns for box in table[0])
    grid: list[list[Box | None]] = [[None] * width for _ in table]
    taken = [[False] * width for _ in table]
    for r, row in enumerate(table):
        c = 0
        for box in row:
            while taken[r][c]:
                c += 1
            grid[r][c] = box
            for rr in range(r, r + box.rows):
                for cc in range(c, c + box.columns):
                    taken[rr][cc] = True
    return grid


# ---------------------------------------------------------------- flattenings

TITLE = "某某市民政局2023年政府信息公开工作年度报告"
INTRO = (
    "本报告由总体情况、主动公开政府信息情况等六个部分组成。本报告所列数据的统计期限自2023年1月1日起至2023年12月31日止。"
)
BEFORE = ("一、总体情况", "2023年，我局认真贯彻落实条例，主动公开规章、行政许可、行政处罚等信息，依法予以公开。")
AFTER = (
    "五、存在的主要问题及改进情况",
    "公开意识有待加强，下一步将予以改进。",
    "六、其他需要报告的事项",
    "无。",
    "某某市民政局",
    "2024年1月16日",
)


@dataclass(frozen=True)
class Prose:
    """The paragraphs around the tables."""

    before: Sequence[str] = (TITLE, INTRO, *BEFORE)
    after: Sequence[str] = AFTER


PROSE = Prose()


def _report(tables: list[tuple[str, Table]], prose: Prose, flatten: Callable[[Table], str], joint: str = "\n") -> bytes:
    parts = list(prose.before)
    for heading, table in tables:
        parts += [heading, flatten(table)]
    return joint.join([*parts, *prose.after]).encode()


def _collapsed_rows(table: Table) -> Iterator[list[str]]:
    """Word's plain-text view of a row: vertical merges as empty cells, horizontal ones once."""
    grid = expand(table)
    for r, row in enumerate(grid):
        cells: list[str] = []
        c = 0
        while c < len(row):
            box = row[c]
            cells.append(box.text if box else "")
            if box is None:  # reached by a cell from above
                box = next(above for rr in range(r - 1, -1, -1) if (above := grid[rr][c]) is not None)
            c += box.columns
        yield cells


def tab_cells(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """One cell a line behind a tab, a blank line behind each row."""
    return _report(
        tables, prose, lambda t: "\n".join("".join(f"\t{cell}\n" for cell in row) for row in _collapsed_rows(t))
    )


def tab_rows(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """One row a line, cells separated by tabs."""
    return _report(tables, prose, lambda t: "\n".join("\t".join(row) for row in _collapsed_rows(t)))


def bare_lines(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Tabs lost as well: one cell a line, merged and empty cells as blank lines."""
    return _report(tables, prose, lambda t: "\n\n".join("\n".join(row) for row in _collapsed_rows(t)))


def paragraphs(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """One cell a paragraph, empty ones lost."""
    return _report(tables, prose, lambda t: "\n\n".join(cell for row in _texts(t) for cell in row if cell))


def _texts(table: Table) -> list[list[str]]:
    return [[box.text for box in row] for row in table]


def pipe_rows_padded(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """One row a line, cells pushed left, bars added at the row's end up to one width."""
    return _report(
        tables, prose, lambda t: "\n".join(" | ".join(row) + " |" + "|" * (_width(t) - len(row)) for row in _texts(t))
    )


def _width(table: Table) -> int:
    return sum(box.columns for box in table[0])


def pipe_cells_padded(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """The same with one cell a line; nothing is dropped but what is merged."""
    return _report(tables, prose, lambda t: "\n".join(_cell_lines(t, keep_empty=True)))


def pipe_cells_dropped(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """The same, and the empty cells dropped before the row is filled up."""
    return _report(tables, prose, lambda t: "\n".join(_cell_lines(t, keep_empty=False)))


def _cell_lines(table: Table, keep_empty: bool) -> Iterator[str]:
    for row in _texts(table):
        kept = [text for text in row if text or keep_empty]
        yield from (f"{text} |" for text in kept)
        if _width(table) > len(kept):
            yield "|" * (_width(table) - len(kept))


def pipe_cells_kept(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Cell and bar on lines of their own, no filling up."""
    return _report(tables, prose, lambda t: "\n".join(f"{text}\n|" for row in _texts(t) for text in row))


def markdown(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """A Markdown table of full width; merged cells leave empty ones."""

    def flatten(table: Table) -> str:
        rows = ["| " + " | ".join(box.text if box else "" for box in row) + " |" for row in expand(table)]
        return "\n".join([rows[0], "|" + "---|" * _width(table), *rows[1:]])

    return ("# " + _report(tables, prose, flatten, "\n\n").decode()).encode()


def spaced_rows(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """One row a line, cells separated by spaces, empty ones lost."""
    return _report(tables, prose, lambda t: "\n".join(" ".join(text for text in row if text) for row in _texts(t)))


def one_line(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """The whole report on one line, cells separated by spaces."""
    return _report(tables, prose, lambda t: " ".join(text for row in _texts(t) for text in row if text), " ")


def joined_by_tabs(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Every piece of text joined by one tab, empty cells lost."""
    return _report(tables, prose, lambda t: "\t".join(text for row in _texts(t) for text in row if text), "\t")


def joined_by_bars(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """The same with bars."""
    return _report(tables, prose, lambda t: "|".join(text for row in _texts(t) for text in row if text), "|")


def ruled(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Columns aligned by spaces between drawn rules, empty cells as space."""

    def flatten(table: Table) -> str:
        rows = ["  ".join((box.text if box else "").ljust(6) for box in row) for row in expand(table)]
        rule = "  ".join("-" * 6 for _ in range(_width(table)))
        return "\n".join([rule, *rows, rule])

    return _report(tables, prose, flatten)


def glued(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Nothing between cells."""
    return _report(tables, prose, lambda t: "".join(text for row in _texts(t) for text in row), "")


def full_width(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Tab cells with full-width digits and non-breaking spaces around."""
    digits = {ord("0") + i: chr(0xFF10 + i) for i in range(10)}
    wide = [
        (
            h,
            [
                [
                    replace(b, text=f"\u00a0{b.text.translate(digits)}\u200b") if b.is_value and b.text else b
                    for b in row
                ]
                for row in t
            ],
        )
        for h, t in tables
    ]
    return tab_cells(wide, prose)


def html_page(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """A page with true row and column spans, in GBK without a declared charset."""

    def cell(box: Box) -> str:
        spans = (f' rowspan="{box.rows}"' if box.rows > 1 else "") + (
            f" colspan={box.columns}" if box.columns > 1 else ""
        )
        return f"<td{spans}><p>{html.escape(box.text) or '&nbsp;'}</p></td>"

    def flatten(table: Table) -> str:
        return "<table border=1>" + "".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in table) + "</table>"

    body = "".join(f"<p>{html.escape(text)}</p>" for text in prose.before)
    body += "".join(f"<p>{heading}</p>{flatten(table)}" for heading, table in tables)
    body += "".join(f"<p>{html.escape(text)}</p>" for text in prose.after)
    return (
        f"<html><head><title>x</title></head><body><div class=nav>首页 &gt; 政务公开</div>{body}</body></html>".encode(
            "gbk"
        )
    )


def word(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """A docx with merged cells."""
    document = docx.Document()
    for text in prose.before:
        document.add_paragraph(text)
    for heading, table in tables:
        document.add_paragraph(heading)
        grid = expand(table)
        target = document.add_table(rows=len(grid), cols=len(grid[0]))
        cells = [row.cells for row in target.rows]  # looked up once: each look walks over the whole table
        for r, row in enumerate(grid):
            for c, box in enumerate(row):
                if box is not None:
                    first, last = cells[r][c], cells[r + box.rows - 1][c + box.columns - 1]
                    (first if first is last else first.merge(last)).text = box.text
    for text in prose.after:
        document.add_paragraph(text)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def half_glued(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """Nothing between cells, but for spaces here and there in some of the rows."""
    rng = random.Random(0)

    def join(row: list[Box]) -> str:
        gaps = 0.6 if rng.random() < 0.2 else 0.0
        return "".join(box.text + (" " if box.is_value and rng.random() < gaps else "") for box in row)

    return _report(tables, prose, lambda t: "".join(map(join, t)), "")


#: So many characters of a label stand in one line of a narrow column.
_COLUMN_WIDTH = 11


def pdf_text(tables: list[tuple[str, Table]], prose: Prose = PROSE) -> bytes:
    """What a reader of PDF geometry gives: labels of several lines fall out of their rows, which stand on their own."""
    return _report(tables, prose, lambda t: "\n".join(_fall_apart(t)))


def _fall_apart(table: Table) -> Iterator[str]:
    """Header lines, then each group of rows: the labels that fell out, and the rows as Markdown tables."""
    fallen: list[str] = []
    rows: list[list[str]] = []
    width = 0
    for row in table:
        lead = [box for box in row if not box.is_value]
        cells = [box.text for box in row if box.is_value]
        if len(cells) > 1 and (len(lead) == 1 and lead[0].columns == width):
            pass  # of the same group as the row above
        else:
            yield from [*fallen, *_markdown_rows(rows)]
            fallen, rows = [], []
        width = lead[-1].columns if lead else 0
        if len(cells) < 2:
            yield "".join(box.text for box in lead) + "".join(f" {cell}" for cell in cells)
            continue
        *groups, label = [box.text for box in lead] or [""]
        fallen += [line for text in groups for line in _wrap(text, 5)]
        if len(label) > _COLUMN_WIDTH * width:
            fallen += _wrap(label, _COLUMN_WIDTH)
            label = ""
        rows.append([label, *cells] if label else cells)
    yield from [*fallen, *_markdown_rows(rows)]


def _markdown_rows(rows: list[list[str]]) -> Iterator[str]:
    """A table for each run of rows of one width, its rule under the first row."""
    for width, run in groupby(rows, len):
        lines = [f"| {' | '.join(row)} |" for row in run]
        yield from [lines[0], "|" + "---|" * width, *lines[1:]]


def _wrap(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]


#: Layouts in which every cell keeps its place, empty ones too.
KEEPING = {f.__name__: f for f in (tab_cells, tab_rows, markdown, html_page, word, full_width, pipe_cells_kept)}
#: Layouts that separate cells, but lose empty ones or where they stood.
DROPPING = {
    f.__name__: f
    for f in (
        bare_lines,
        paragraphs,
        pipe_rows_padded,
        pipe_cells_padded,
        pipe_cells_dropped,
        spaced_rows,
        one_line,
        joined_by_tabs,
        joined_by_bars,
        ruled,
    )
}
LAYOUTS = {**KEEPING, **DROPPING, "glued": glued}
#: Layouts that are half one thing and half another.
TORN = {f.__name__: f for f in (half_glued, pdf_text)}


# ---------------------------------------------------------------- values


def make_values(generation: str, seed: int) -> dict[str, int]:
    """Balanced values for every field: mostly zeros, some tens, a few hundreds."""
    rng = random.Random(f"{generation}/{seed}")
    form = load_forms().generations[generation]
    values: dict[str, int] = {}
    for item in form.sections["proactive_disclosure"].fields:
        values[item.id] = rng.choice([0, 0, 1, 7, 12, 138, 2293]) * (
            -1 if item.column.is_signed and rng.random() < 0.5 else 1
        )
    section = form.sections["applications"]
    inner = [column.id for column in section.columns[:-1]]
    results = [row.id for row in section.rows if row.is_result]

    def put(row: str, column: str, value: int) -> None:
        values[section.field_id(row, column)] = value

    for column in inner:
        counts = {row: rng.choice([0] * 9 + [1, 2, 5, 27, 113]) for row in results}
        for row, count in counts.items():
            put(row, column, count)
        total = sum(counts.values())
        out = rng.choice([0, 0, 1, 3])
        carried = rng.randint(0, total + out) if rng.random() < 0.4 else 0
        put("results_total", column, total)
        put("carried_out", column, out)
        put("carried_in", column, carried)
        put("new_received", column, total + out - carried)
    for row in section.rows:
        put(row.id, "total", sum(values[section.field_id(row.id, column)] for column in inner))
    for row in form.sections["review_litigation"].rows:
        parts = [rng.choice([0, 0, 0, 1, 12]) for _ in range(4)]
        for column, value in zip(row.columns, [*parts, sum(parts)], strict=True):
            values[f"review_litigation.{row.id}.{column.id}"] = value
    return values


def as_printed(values: Mapping[str, int]) -> dict[str, str]:
    """Plain numbers."""
    return {field_id: str(value) for field_id, value in values.items()}
