"""What calibration keeps of a document, and that it accepts by the same rule as a run does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import flatten
import pytest

from extractor.confidence import govern_record
from extractor.confidence.features import FEATURES
from extractor.errors import SettingsError
from extractor.evaluation.calibration.certify import Target, try_hard_rules, try_thresholds
from extractor.evaluation.calibration.dataset import collect_samples, count_by, hash_document, observe_document
from extractor.evaluation.labels import Label, LabelledCell, LabelledFile
from extractor.model import CellState, Record
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document
from tests.unit.confidence.certificates import describe_threshold, make_certificate

TOTAL = "applications.granted.total"


def make_case(
    layout: str = "tab_cells", changes: Mapping[str, int] | None = None, empty: str = ""
) -> tuple[Record, Label]:
    """A document in which some numbers are printed otherwise, and the label of the numbers that add up."""
    values = flatten.make_values("2021", 3)
    printed = flatten.as_printed({**values, **(changes or {})})
    if empty:
        printed[empty] = ""
    raw = flatten.LAYOUTS[layout](flatten.build_tables("2021", printed))
    record = process_document(read_document(raw, "d.txt", Settings()))
    cells = {name: LabelledCell(CellState.VALUE, value) for name, value in values.items()}
    sections = ("proactive_disclosure", "applications", "review_litigation")
    return record, Label("d", "d.txt", "generated", dict.fromkeys(sections, "2021"), cells)


def test_each_field_is_right_or_wrong_and_open_or_not() -> None:
    record, label = make_case(changes={TOTAL: 900}, empty="applications.granted.business")
    sample = observe_document(record, label, "x", "tab cells")
    wrong = {field.field_id for field in sample.fields if field.is_wrong}
    assert wrong == {TOTAL, "applications.granted.business"}
    by_id = {field.field_id: field for field in sample.fields}
    assert by_id[TOTAL].is_open  # only equations fail: a finding about the number
    assert not by_id[TOTAL].is_accepted
    assert len(by_id[TOTAL].features) == len(FEATURES)
    assert (sample.printed, sample.nonzero) == (200, sum(1 for cell in label.cells.values() if cell.value))
    assert sum(field.is_nonzero for field in sample.fields) == sample.nonzero


def test_fields_that_say_nothing_certain_and_header_facts_without_a_label_are_left_out() -> None:
    record, label = make_case("pipe_cells_dropped", empty="applications.granted.business")
    lost = {name for name, field in record.fields.items() if field.state is CellState.POSITION_UNKNOWN}
    sample = observe_document(record, label, "x", "padded")
    assert lost
    assert lost.isdisjoint(field.field_id for field in sample.fields)
    assert "header.title" not in [field.field_id for field in sample.fields]
    assert sample.unjudged > 0
    assert sample.printed == 200


def test_without_a_record_the_labelled_numbers_still_count() -> None:
    _, label = make_case()
    sample = observe_document(None, label, "x", "not read")
    assert (sample.fields, sample.printed, sample.unjudged) == ((), 200, 0)


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "pipe_cells_dropped", "bare_lines", "glued"])
@pytest.mark.parametrize("threshold", [0.001, 0.1, 0.9])
def test_a_threshold_accepts_what_a_run_with_the_certificate_accepts(layout: str, threshold: float) -> None:
    record, label = make_case(layout, {TOTAL: 900, "applications.new_received.business": 77})
    weights = {"equations_failed": 1.0, "row_doubts": 0.5, "is_nonzero": 0.3}
    certificate = make_certificate(0.05, weights, tested=[describe_threshold(threshold)], threshold=threshold)
    assert certificate.may_govern
    governed = observe_document(govern_record(record, certificate), label, "x", "")
    sample = observe_document(record, label, "x", "")
    (test,) = try_thresholds([sample], certificate.scorer, [threshold], Target(0.5, 0.1, 1000))
    assert test.accepted == sum(field.is_accepted for field in governed.fields)
    assert test.losses == sum(field.is_accepted and field.is_wrong for field in governed.fields) / 1000
    assert try_hard_rules([sample], Target()).accepted == sum(field.is_accepted for field in sample.fields)


def test_documents_that_print_the_same_numbers_have_one_source() -> None:
    record, label = make_case()
    other, _ = make_case("html_page")
    one, two = observe_document(record, label, "x", ""), observe_document(other, label, "y", "")
    changed = replace(label, cells={**label.cells, TOTAL: LabelledCell(CellState.VALUE, 12345)})
    assert one.source == two.source != observe_document(record, changed, "x", "").source
    empty = replace(label, cells={name: LabelledCell(CellState.VALUE, 0) for name in label.cells})
    assert observe_document(record, empty, "x", "").source == "x"


def test_copies_are_read_once_and_stand_in_each_group(tmp_path: Path) -> None:
    _, label = make_case()
    raw = flatten.LAYOUTS["tab_rows"](flatten.build_tables("2021", flatten.as_printed(flatten.make_values("2021", 3))))
    files = []
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(raw + (b"\n" if name == "c" else b""))
        files.append(LabelledFile(replace(label, name=name, file=name), tmp_path / f"{name}.json", tmp_path / name))
    told: list[tuple[int, int]] = []
    gold, train = collect_samples([files[:2], files[1:]], Settings(), None, lambda *counts: told.append(counts))
    assert [sample.name for sample in gold] == ["a"]
    assert [sample.name for sample in train] == ["a", "c"]
    assert told == [(1, 2), (2, 2)]
    assert gold[0].id == hash_document(files[0])
    assert count_by(train, "layout") == {"text, rows": 2}


def test_a_label_without_its_document_is_refused(tmp_path: Path) -> None:
    _, label = make_case()
    with pytest.raises(SettingsError, match=r"its document d\.txt is in no folder"):
        collect_samples([[LabelledFile(label, tmp_path / "d.json", None)]], Settings(), None, lambda *_: None)
