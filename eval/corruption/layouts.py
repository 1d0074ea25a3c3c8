"""A report as a file: text in one of the flattenings of tests.flatten, or an HTML page.

Lives here: joining parts and tables into one text. Does not live here: the flattenings themselves (tests.flatten),
Word files: the reader meets their tables as it does those of a page.
"""

from __future__ import annotations

import html
from dataclasses import replace

from eval.corruption.report import Part, Report, write_facts
from tests import flatten
from tests.flatten import Table

BARS = ("pipe_rows_padded", "pipe_cells_padded", "pipe_cells_dropped", "pipe_cells_kept", "markdown", "joined_by_bars")
TABS = ("tab_cells", "tab_rows", "joined_by_tabs")
SPACES = ("bare_lines", "paragraphs", "spaced_rows", "one_line", "ruled")
PAGE = "html_page"
#: Every layout, the common ones more than once. Digits that run together are a damage, not a layout.
LAYOUTS = (*("tab_cells",) * 3, *(PAGE,) * 3, *("pipe_rows_padded",) * 2, *BARS, *TABS, *SPACES)

_JOINTS = {"markdown": "\n\n", "one_line": " ", "joined_by_tabs": "\t", "joined_by_bars": "|"}
_FIRST, _SECOND = "\ue8fe", "\ue8ff"


def render_report(report: Report) -> str:
    """The text of the file."""
    text = _render_page(report) if report.layout == PAGE else _render_text(report)
    for edit in report.edits:
        text = edit(text)
    return text


def file_ending(report: Report) -> str:
    """Of the file's name."""
    return {PAGE: "html", "markdown": "md"}.get(report.layout, "txt")


def _written(report: Report) -> list[Part]:
    """Parts with the numbers in their running text."""
    return [
        replace(
            part,
            items=tuple(write_facts(item, report.stated) if isinstance(item, str) else item for item in part.items),
        )
        for part in report.parts
    ]


def _render_text(report: Report) -> str:
    joint = _JOINTS.get(report.layout, "\n")
    pieces = [
        piece
        for part in _written(report)
        for piece in (
            part.heading,
            *(item if isinstance(item, str) else flatten_table(item, report.layout) for item in part.items),
        )
        if piece
    ]
    return ("# " if report.layout == "markdown" else "") + joint.join(pieces)


def flatten_table(table: Table, layout: str) -> str:
    """One table as tests.flatten writes it: what stands between two headings there."""
    joint = _JOINTS.get(layout, "\n")
    text = flatten.LAYOUTS[layout]([(_FIRST, table), (_SECOND, [[flatten.Box("")]])]).decode()
    return text.partition(_FIRST + joint)[2].partition(joint + _SECOND)[0]


def _render_page(report: Report) -> str:
    body = "".join(
        (f"<h2>{html.escape(part.heading)}</h2>" if part.heading else "")
        + "".join(f"<p>{html.escape(item)}</p>" if isinstance(item, str) else _page_table(item) for item in part.items)
        for part in _written(report)
    )
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>x</title></head><body>{body}</body></html>'


def _page_table(table: Table) -> str:
    return "<table>" + "".join("<tr>" + "".join(map(_page_cell, row)) + "</tr>" for row in table) + "</table>"


def _page_cell(box: flatten.Box) -> str:
    spans = (f' rowspan="{box.rows}"' if box.rows > 1 else "") + (
        f' colspan="{box.columns}"' if box.columns > 1 else ""
    )
    text = html.escape(box.text).replace("\n", "<br>") or "&nbsp;"
    return f"<td{spans}><p>{text}</p></td>"
