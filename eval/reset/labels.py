"""What the label of a re-set document says.

A label says what is printed. Where the layout dropped the empty cells of a row, its numbers are `position_unknown`, as
they are to anyone who has the file alone; where they were set is kept in the folder's index. Where digits run together,
or rows fell apart from their labels (glued, half_glued, pdf_text), the numbers are all there, in order: the label holds
them, with basis `set`. They are certain because they were set, not because the text alone tells them.

Does not live here: the format (extractor.evaluation.label_file), the running text (prose).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.reset.figures import Figures, Item
from eval.reset.report import Report
from extractor.evaluation.labels import DocumentKind
from extractor.forms import TABLE_SECTIONS
from extractor.model import HEADER_FIELDS

_KIND: DocumentKind = "re-set"
#: Sections whose numbers the text alone does not tell for certain.
_SET: Mapping[str, tuple[str, ...]] = {
    "glued": TABLE_SECTIONS,
    "half_glued": TABLE_SECTIONS,
    "pdf_text": ("applications",),
}


def write_label(report: Report, figures: Figures, layout: str, *, keeps_blanks: bool) -> dict[str, Any]:
    """All of a label but its file and its narrative."""
    return {
        "kind": _KIND,
        "source": report.source,
        "layout": layout,
        "generation": dict(figures.generation),
        "basis": {name: "set" if name in _SET.get(layout, ()) else "read" for name in figures.generation},
        "header": _write_header(report, figures.header),
        **_write_tables(figures, keeps_blanks),
        "narrative": {},
        "problems_count": figures.counts["problems"],
        "measures_count": figures.counts["measures"],
        "source_inconsistencies": list(report.inconsistencies),
        "not_evaluable": list(figures.not_evaluable),
    }


def find_lost(figures: Figures, *, keeps_blanks: bool) -> dict[str, dict[str, list[Item]]]:
    """The rows whose numbers lost their places, by section, as they were set."""
    shown = figures.hide_lost(keeps_blanks=keeps_blanks)
    lost = {
        section: {name: list(row) for name, row in rows.items() if "position_unknown" in shown[section][name]}
        for section, rows in figures.items.items()
    }
    return {section: rows for section, rows in lost.items() if rows}


def _write_tables(figures: Figures, keeps_blanks: bool) -> dict[str, dict[str, Any]]:
    shown, lost = figures.hide_lost(keeps_blanks=keeps_blanks), find_lost(figures, keeps_blanks=keeps_blanks)
    tables: dict[str, dict[str, Any]] = {}
    for section in figures.sections():
        table: dict[str, Any] = {}
        for row in section.rows:
            items = shown[section.id][row.id]
            if section.id == "proactive_disclosure":
                table |= {f"{row.id}.{column.id}": item for column, item in zip(row.columns, items, strict=True)}
            else:
                table[row.id] = list(items)
        if rows := lost.get(section.id):
            tokens = {name: [str(item) for item in row if item != "blank"] for name, row in rows.items()}
            joined = [token for row in tokens.values() for token in row]
            table["row_tokens"] = joined if section.layout == "one_row" else tokens
        tables[section.id] = table
    return tables


def _write_header(report: Report, stated: Mapping[str, Any]) -> dict[str, Any]:
    title, has_period = report.title.replace("\n", ""), bool(stated["period_start"])
    header: dict[str, Any] = dict.fromkeys(HEADER_FIELDS) | {
        "title": title or None,
        "agency_name": report.agency if title else None,
        "report_year": report.year,
        "published_on": report.published_on,
        "contact_phone": report.phone,
        "contact_address": report.address,
        "website": report.website,
        "period_start": f"{report.year}-01-01" if has_period else None,
        "period_end": f"{report.year}-12-31" if has_period else None,
    }
    return header | ({"page_date": report.page_time[:10]} if report.page_time and report.signed else {})
