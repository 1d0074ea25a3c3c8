"""What readers doubt about a row is known when its digits are divided: whole documents, read by the rules."""

from __future__ import annotations

from collections.abc import Mapping

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.forms import Section, load_forms
from extractor.model import CellState
from extractor.readers.template import TemplateReader
from extractor.reconcile.merge import Merged, merge_readings
from extractor.reconcile.open_rows import Recovery
from extractor.reconcile.recovery import recover_lost
from extractor.settings import Settings
from extractor.sources import read_document

ROW = "applications.refused.state_secret"
UNABLE_LABEL = "1.本机关不掌握相关政府信息"
REFUSED_LABEL = "1.属于国家秘密"


def section_three() -> Section:
    form = load_forms().section("applications", "2021")
    assert form is not None
    return form


def fields_of(row: str) -> list[str]:
    return [f"{row}.{column.id}" for column in section_three().columns]


def set_page(cells: Mapping[str, str] | None = None, layout: str = "spaced_rows") -> str:
    values = flatten.as_printed(flatten.make_values("2021", 3))
    return flatten.LAYOUTS[layout](flatten.build_tables("2021", values | dict(cells or {}))).decode()


def recover(text: str) -> tuple[dict[str, Merged], Recovery]:
    document = read_document(text.encode(), "page", Settings())
    reading = TemplateReader().read(document, split_chunks(document))
    merged = merge_readings([reading])
    return merged, recover_lost(merged, reading.generation, reading.flags)


def states(found: Recovery, row: str) -> set[CellState]:
    return {found.merged[name].printed.state for name in fields_of(row)}


@pytest.mark.parametrize("layout", ["spaced_rows", "bare_lines"])
@pytest.mark.parametrize("note", ["12注1", "12注"])
def test_a_note_behind_a_number_cuts_its_row_in_two_and_what_is_left_may_add_up(note: str, layout: str) -> None:
    """`0 0 0 0 1 12注1 13`: of 0,0,0,0,1,1,2 the last is the sum of the others, and none of it is printed."""
    cells = dict(zip(fields_of(ROW), ("0", "0", "0", "0", "1", note, "13"), strict=True))
    merged, found = recover(set_page(cells, layout))
    assert found.merged == merged
    assert states(found, ROW) == {CellState.UNPARSABLE}
    assert found.suggestions == {}


def test_without_the_note_such_a_row_is_divided() -> None:
    """The same digits with nothing cut off: seven of them for seven cells."""
    cells = dict(zip(fields_of(ROW), ("0", "0", "0", "0", "1", "1", "2"), strict=True))
    text = set_page(cells).replace(f"{REFUSED_LABEL} 0 0 0 0 1 1 2", f"{REFUSED_LABEL} 0000112")
    _, found = recover(text)
    assert [found.merged[name].printed.value for name in fields_of(ROW)] == [0, 0, 0, 0, 1, 1, 2]


def test_rows_whose_labels_changed_places_are_not_inferred() -> None:
    text = (
        set_page(layout="glued")
        .replace(UNABLE_LABEL, "@")
        .replace(REFUSED_LABEL, UNABLE_LABEL)
        .replace("@", REFUSED_LABEL)
    )
    _, found = recover(text)
    assert states(found, ROW) == states(found, "applications.unable.not_held") == {CellState.UNPARSABLE}
    assert states(found, "applications.carried_in") == {CellState.INFERRED_BY_EQUATION}


def test_a_label_that_stands_twice_leaves_its_row_open() -> None:
    """合计, a stray word in front of the cells of another row: 0,2,0,1,0,0,3 are not the totals'."""
    cells = dict(
        zip(fields_of("applications.not_processed.duplicate"), ("0", "2", "0", "1", "0", "0", "3"), strict=True)
    )
    text = set_page(cells).replace("2.重复申请 0 2 0 1 0 0 3", "2.重复申请\n合计\n0 2 01 0 0 3")
    _, found = recover(text)
    assert states(found, "applications.results_total").isdisjoint({CellState.INFERRED_BY_EQUATION})
