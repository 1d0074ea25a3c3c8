"""Persons' words put into an extracted record: what was extracted stays, all that rests on values is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import flatten
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.corruption import KINDS, make_corrupted
from extractor.confidence import find_hard_doubts
from extractor.errors import SourceError
from extractor.flags import make_flag
from extractor.model import CellState, Place, Record, RecordField, Ruling, RulingAction, Status, Word
from extractor.pipeline import apply_rulings, process_document
from extractor.settings import Settings
from extractor.sources import is_paged, load_document, read_document

ROOT = Path(__file__).parents[2]
TRUE = flatten.make_values("2021", 4)
CELL = "applications.granted.natural_person"
TEXTS = [
    path
    for folder in (ROOT / "fixtures", ROOT / "eval" / "gold")
    for path in sorted(folder.rglob("*"))
    if path.suffix in (".txt", ".html", ".md") and path.name != "README.md"
]


@cache
def read(raw: bytes) -> Record:
    return process_document(read_document(raw, "报告.txt", Settings()))


def print_form(values: dict[str, int | str], layout: str = "tab_rows") -> bytes:
    raw = getattr(flatten, layout)(flatten.build_tables("2021", {name: str(one) for name, one in values.items()}))
    assert isinstance(raw, bytes)
    return raw


def ruling(word: Word, action: RulingAction = "corrected", *by: str) -> Ruling:
    return Ruling(action, by or ("an",), "2026-03-02T09:00:00+00:00", 1, word)


def value(number: int) -> Word:
    return Word(CellState.VALUE, number, str(number))


def as_extracted(record: Record, names: Iterable[str], action: RulingAction) -> dict[str, Ruling]:
    fields = record.fields
    return {
        name: ruling(Word(fields[name].state, fields[name].value, fields[name].raw, fields[name].unit), action)
        for name in names
    }


def assert_same(record: Record) -> None:
    live = apply_rulings(record, {})
    for part in ("fields", "equations", "flags", "ledger", "status"):
        assert getattr(live, part) == getattr(record, part), part
    assert list(live.fields) == list(record.fields)


# ---------------------------------------------------------------- without a word


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem[:40])
def test_without_a_word_a_record_is_as_extracted(path: Path) -> None:
    assert_same(process_document(load_document(path)))


def test_without_a_word_a_real_record_is_as_extracted(corpus: Path) -> None:
    paths = [path for path in sorted((corpus / "docs").iterdir()) if not is_paged(path)]
    assert paths
    for path in paths:
        assert_same(process_document(load_document(path)))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_without_a_word_a_damaged_record_is_as_extracted(kind: str) -> None:
    for document in make_corrupted(kind, 3, 1, seed=7):
        try:
            record = process_document(read_document(document.raw, document.name, Settings()))
        except SourceError:
            continue
        assert_same(record)


# ---------------------------------------------------------------- the words


@pytest.mark.parametrize("layout", ["glued", "half_glued", "pipe_cells_dropped", "pdf_text", "spaced_rows"])
def test_a_fully_corrected_record_has_nothing_in_review(layout: str) -> None:
    record = read(print_form(TRUE, layout))
    live = apply_rulings(record, {name: ruling(value(TRUE[name])) for name in record.fields if name in TRUE})
    assert {name: live.fields[name].value for name in TRUE} == TRUE
    assert all(field.decision == "accepted" for name, field in live.fields.items() if name in TRUE)
    assert {result.result for result in live.equations} == {"pass"}
    assert not any(flag.fields for flag in live.flags)


@settings(max_examples=30)
@given(st.data())
def test_what_was_extracted_stands_beside_every_word(data: st.DataObject) -> None:
    record = read(print_form(TRUE | {CELL: TRUE[CELL] + 1, "applications.carried_in.total": "几件"}, "half_glued"))
    names = data.draw(st.lists(st.sampled_from(sorted(record.fields)), unique=True, max_size=30))
    actions: st.SearchStrategy[RulingAction] = st.sampled_from(["accepted", "corrected", "source_wrong", "unknowable"])
    words = st.sampled_from([value(0), value(7), Word(CellState.BLANK), Word(CellState.ROW_ABSENT)])
    rulings = {name: ruling(data.draw(words), data.draw(actions)) for name in names}
    live = apply_rulings(record, rulings)
    assert list(live.fields) == list(record.fields)
    for name, field in live.fields.items():
        before, said = record.fields[name], rulings.get(name)
        assert field.ruling == said
        if said is None or said.action == "unknowable":
            assert field.decision == "review" or said is None
            continue
        first = field.candidates[0]
        assert (first.state, first.value, first.raw, first.spans) == (
            before.state,
            before.value,
            before.raw,
            before.spans,
        )
        assert (field.state, field.value, field.reader) == (said.word.state, said.word.value, "person")
    assert apply_rulings(record, rulings) == live


def test_a_failed_equation_that_a_person_vouches_for_is_the_reports_fault() -> None:
    record = read(print_form(TRUE | {CELL: TRUE[CELL] + 1}))
    failed = {name for result in record.equations if result.result == "fail" for name in result.fields}
    live = apply_rulings(record, as_extracted(record, failed, "source_wrong"))
    assert {result.verdict for result in live.equations if result.result == "fail"} == {"source_inconsistent"}
    assert all(field.decision == "accepted" for field in live.fields.values())
    in_part = apply_rulings(record, as_extracted(record, sorted(failed)[1:], "source_wrong"))
    assert "inconclusive" in {result.verdict for result in in_part.equations if result.result == "fail"}
    assert [name for name, field in in_part.fields.items() if field.decision == "review"] == sorted(failed)[:1]


def test_a_correction_by_one_person_makes_no_equation_the_reports_fault() -> None:
    record = read(print_form(TRUE | {name: "若" for name in TRUE if name.startswith("applications.granted.")}))
    row = [name for name in TRUE if name.startswith("applications.granted.")]
    words = {name: ruling(value(TRUE[name] + (name == CELL))) for name in row}
    live = apply_rulings(record, words)
    failed = [result for result in live.equations if result.result == "fail"]
    assert failed
    assert not [result for result in failed if result.verdict == "source_inconsistent"]
    assert live.fields[CELL].decision == "review"
    by_two = apply_rulings(record, {name: replace(one, by=("an", "bo")) for name, one in words.items()})
    assert by_two.fields[CELL].decision == "accepted"
    own_row = next(result for result in by_two.equations if result.id == "E3[granted]")
    assert (own_row.result, own_row.verdict) == ("fail", "source_inconsistent")


def test_settling_one_row_tells_more_about_others() -> None:
    rows = ("new_received", "granted", "results_total")
    values: dict[str, int | str] = dict.fromkeys(TRUE, 0)
    for row in rows:
        own = [name for name in TRUE if name.startswith(f"applications.{row}.")]
        values |= dict.fromkeys(own, "") | {f"applications.{row}.{column}": 12 for column in ("business", "total")}
    record = read(print_form(values, "spaced_rows"))
    asked, other = "applications.new_received.", "applications.granted.business"
    words = {
        name: ruling(value(12) if values[name] else Word(CellState.BLANK)) for name in values if name.startswith(asked)
    }
    assert {record.fields[name].state for name in (*words, other)} == {CellState.POSITION_UNKNOWN}
    assert not record.fields[other].suggestions
    live = apply_rulings(record, words)
    assert [one.value for one in live.fields[other].suggestions] == [12]


def test_the_rest_of_a_row_keeps_its_suggestions_while_they_are_right() -> None:
    record = read(print_form(TRUE, "glued"))
    rest = "applications.granted.total"
    assert record.fields[rest].state is CellState.INFERRED_BY_EQUATION
    right = apply_rulings(record, {CELL: ruling(value(TRUE[CELL]))})
    assert right.fields[rest].suggestions == record.fields[rest].suggestions
    wrong = apply_rulings(record, {CELL: ruling(value(TRUE[CELL] + 1))})
    assert wrong.fields[rest].suggestions == ()
    assert {right.fields[rest].decision, wrong.fields[rest].decision} == {"review"}


def test_a_document_is_complete_when_what_was_unread_is_settled() -> None:
    record = read(print_form(TRUE, "glued"))
    assert record.status is Status.PARTIAL
    names = [name for name in record.fields if name in TRUE]
    all_but_one = {name: ruling(value(TRUE[name])) for name in names[1:]}
    assert apply_rulings(record, all_but_one).status is Status.PARTIAL
    live = apply_rulings(record, all_but_one | {names[0]: ruling(value(TRUE[names[0]]))})
    assert live.status is Status.SUCCEEDED
    unknowable = {name: replace(one, action="unknowable") for name, one in all_but_one.items()}
    assert apply_rulings(record, unknowable).status is Status.PARTIAL


def test_what_else_could_not_be_read_stays_unread() -> None:
    record = read(print_form(TRUE))
    torn = record.model_copy(update={"ledger": record.ledger | {"page 3": "failed"}, "status": Status.PARTIAL})
    assert apply_rulings(torn, {CELL: ruling(value(TRUE[CELL]))}).status is Status.PARTIAL
    row = "applications.granted"
    unread = record.model_copy(
        update={"ledger": record.ledger | {row: "failed", "applications": "failed"}, "status": Status.PARTIAL}
    )
    assert apply_rulings(unread, {CELL: ruling(value(TRUE[CELL]))}).ledger[row] == "failed"
    cells = {name: ruling(value(TRUE[name])) for name in TRUE if name.startswith(f"{row}.")}
    settled = apply_rulings(unread, cells)
    assert (settled.ledger[row], settled.status) == ("read", Status.SUCCEEDED)


def test_words_on_fields_that_are_no_more_are_left_out() -> None:
    record = read(print_form(TRUE))
    assert apply_rulings(record, {"applications.no_such_row.total": ruling(value(1))}) == record


# ---------------------------------------------------------------- certificates and paper


def test_what_a_certificate_decided_stays_decided() -> None:
    record = read(print_form(TRUE | {CELL: TRUE[CELL] + 1, "applications.carried_in.total": "几件"}))
    soft = next(name for name, field in record.fields.items() if field.decision == "review" and field.value is not None)
    assert soft not in find_hard_doubts(record.flags)
    sure = "proactive_disclosure.licences.decisions"
    assert record.fields[sure].decision == "accepted"
    fields = record.fields | {
        soft: replace(record.fields[soft], decision="accepted", p_wrong=0.001),
        sure: replace(record.fields[sure], decision="review", p_wrong=0.4),
    }
    governed = record.model_copy(update={"fields": fields})
    live = apply_rulings(governed, {"header.title": ruling(Word(CellState.VALUE, "某某", "某某"), "accepted")})
    assert live.fields[soft].decision == "accepted"
    assert live.fields[sure].decision == "review"
    assert live.fields["header.title"].p_wrong is None
    assert apply_rulings(governed, {}) == governed


def test_a_value_recognised_once_is_vouched_for_by_what_a_person_read() -> None:
    once, witness = "review_litigation.review.upheld", "review_litigation.review.total"
    record = read(print_form(dict.fromkeys(TRUE, 0) | {once: 3, witness: 3}))
    place = Place(1, (0, 0, 1, 1), 0.97)

    def recognise(field: RecordField) -> RecordField:
        return replace(field, spans=tuple(replace(span, place=place) for span in field.spans))

    inked = {name: recognise(record.fields[name]) for name in (once, witness)}
    inked[once] = replace(inked[once], decision="review")
    flags = (*record.flags, make_flag("ocr-unconfirmed", fields=(once,), spans=inked[once].spans))
    scanned = record.model_copy(update={"fields": record.fields | inked, "flags": flags})
    assert apply_rulings(scanned, {}) == scanned  # the other one was recognised once only, too
    live = apply_rulings(scanned, as_extracted(scanned, [witness], "accepted"))
    assert live.fields[once].decision == "accepted"
    assert live.fields[witness].spans[0].place == place
