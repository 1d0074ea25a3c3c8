"""Many records as a table, for the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from extractor.console.pieces import SEVERITY_ORDER, STATUS_STYLES, fact
from extractor.forms import load_forms
from extractor.model import CellState, Flag, Record

_TOP_FLAGS = 3
_COLUMNS = ("file", "status", "agency", "year", "form", "accepted", "review", "≠", "flags")
_SPARED = ("agency", "form")
_WIDE = 100


def summary_table(records: Sequence[Record], total: int | None = None, width: int = _WIDE) -> RenderableType:
    """Records as rows, for the end of a run.

    Args:
        records: those to show, already chosen.
        total: documents in the run, when more than are shown.
        width: columns of the terminal; agency and form have no room in a narrow one.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    left_out = () if width >= _WIDE else _SPARED
    for name in _COLUMNS:
        if name in ("accepted", "review", "≠"):
            table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
        elif name == "flags":
            table.add_column(name, overflow="ellipsis", no_wrap=True, min_width=24)
        elif name not in left_out:
            min_width = {"file": 20, "agency": 10}.get(name)
            table.add_column(name, overflow="fold", no_wrap=min_width is None, min_width=min_width)
    for record in records:
        cells = zip(_COLUMNS, _summarise_record(record), strict=True)
        table.add_row(*(cell for name, cell in cells if name not in left_out))
    more = (total or len(records)) - len(records)
    notes = ["accepted: table values accepted / printed; review: fields for a person; ≠: equations that fail"]
    if more > 0:
        notes.append(f"{more:,} more documents are not shown; those here failed or have most to review")
    return Group(table, *(Text(note, style="dim") for note in notes))


def _summarise_record(record: Record) -> tuple[Text, ...]:
    cells = load_forms().fields
    printed = [item for name, item in record.fields.items() if item.state is CellState.VALUE and name in cells]
    accepted = sum(item.decision == "accepted" for item in printed)
    review = sum(item.decision == "review" for item in record.fields.values())
    failed = sum(equation.result == "fail" for equation in record.equations)
    return (
        Text(record.document.path.replace("\\", "/").rpartition("/")[2]),
        Text(record.status.value, style=STATUS_STYLES[record.status.value]),
        Text(fact(record, "agency_name")),
        Text(fact(record, "report_year")),
        Text("/".join(_generations(record))),
        Text(f"{accepted}/{len(printed)}"),
        Text(str(review), style="yellow" if review else "dim"),
        Text(str(failed), style="red" if failed else "dim"),
        Text(_list_codes(record.flags)),
    )


def _generations(record: Record) -> list[str]:
    """The form generations met; "absent" only where there is no other."""
    met = list(dict.fromkeys(record.generation.values()))
    return [generation for generation in met if generation != "absent"] or met


def _list_codes(flags: Iterable[Flag]) -> str:
    counts: dict[str, int] = {}
    for flag in sorted(flags, key=lambda flag: SEVERITY_ORDER[flag.severity]):
        counts[flag.code] = counts.get(flag.code, 0) + 1
    shown = [f"{code} x{count}" if count > 1 else code for code, count in counts.items()]
    more = [f"+{len(shown) - _TOP_FLAGS}"] if len(shown) > _TOP_FLAGS else []
    return "\n".join(shown[:_TOP_FLAGS] + more)
