"""Whatever a text looks like: what is said stands where the evidence says, character for character."""

from __future__ import annotations

from pathlib import Path
from random import Random

import flatten
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.chunks import split_chunks
from extractor.errors import SourceError
from extractor.model import CellState, Document, Grid, Span
from extractor.pipeline import process_document
from extractor.readers.cells import read_cell
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import read_document

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("00*.txt"))
SETTINGS = Settings()
TABLE_SECTIONS = ("proactive_disclosure", "applications", "review_litigation")
REPORTS = {
    f"{name}-{generation}": layout(
        flatten.build_tables(generation, flatten.as_printed(flatten.make_values(generation, 7)))
    ).decode()
    for name, layout in flatten.LAYOUTS.items()
    if name not in ("html_page", "word")
    for generation in ("2021", "2019")
} | {path.name[:3]: path.read_bytes().decode() for path in FIXTURES}


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A report with slices deleted, doubled, swapped, or replaced by what tears tables."""
    text = REPORTS[draw(st.sampled_from(sorted(REPORTS)))]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 300)))
        third = min(len(text), end + draw(st.integers(0, 300)))
        kind = draw(st.sampled_from(["delete", "double", "swap", "insert", "cut"]))
        if kind == "delete":
            text = text[:start] + text[end:]
        elif kind == "double":
            text = text[:end] + text[start:]
        elif kind == "swap":
            text = text[:start] + text[end:third] + text[start:end] + text[third:]
        elif kind == "cut":
            text = text[start:] if draw(st.booleans()) else text[:end]
        else:
            pieces = [
                "|",
                "\t",
                "\n\n",
                " ",
                "0",
                "12",
                "/",
                "件",
                "\u200b",
                "[bookmark: x]",
                "其他",
                "总计",
                "。",
                "\r\n",
                "１２",
            ]
            text = text[:start] + draw(st.sampled_from(pieces)) + text[start:]
    return text


def check_span(document: Document, span: Span) -> None:
    assert 0 <= span.start <= span.end <= len(document.text)
    if span.table is not None:
        grid = next(block for block in document.blocks if isinstance(block, Grid) and block.index == span.table)
        assert any(
            cell.row == span.row and cell.column == span.cell and cell.start <= span.start and span.end <= cell.end
            for cell in grid.cells
        )


def check_reading(document: Document) -> None:
    """All candidates and flags of a reading against the text."""
    reading = TemplateReader().read(document, split_chunks(document))
    for name, candidates in reading.candidates.items():
        for candidate in candidates:
            for span in candidate.spans:
                check_span(document, span)
            if candidate.raw is not None:
                span = candidate.spans[0]
                assert document.text[span.start : span.end] == candidate.raw, name
            if candidate.state in (CellState.VALUE, CellState.NA_MARK):
                assert candidate.spans, name
                assert candidate.raw, name
            if candidate.state is CellState.VALUE and name.startswith(TABLE_SECTIONS):
                span = candidate.spans[0]
                token = read_cell(document.view[span.start : span.end])
                assert (token.state, token.value) == (CellState.VALUE, candidate.value), name
    for flag in reading.flags:
        for span in flag.spans:
            check_span(document, span)
        assert set(flag.fields) <= set(reading.candidates), flag.code


def check_record(document: Document) -> None:
    """What is accepted without a person has its place in the source, and no two cells of a table share one."""
    record = process_document(document)
    places: dict[tuple[int, int], str] = {}
    for name, field in record.fields.items():
        if field.decision != "accepted" or field.state not in (CellState.VALUE, CellState.NA_MARK):
            continue
        assert field.spans, name
        place = (field.spans[0].start, field.spans[0].end)
        assert field.raw == document.text[slice(*place)], name
        if name.startswith(TABLE_SECTIONS):
            assert place not in places, (name, places[place])
            places[place] = name


def load(text: str) -> Document | None:
    try:
        return read_document(text.encode(), "a", SETTINGS)
    except SourceError:  # nothing is left of the text
        return None


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_value_of_a_whole_report_stands_in_its_span(name: str) -> None:
    document = read_document(REPORTS[name].encode(), name, SETTINGS)
    check_reading(document)
    check_record(document)


@settings(max_examples=130, deadline=None)
@given(mutated())
def test_no_value_without_its_raw_token_in_its_span(text: str) -> None:
    document = load(text)
    if document is not None:
        check_reading(document)


@settings(max_examples=60, deadline=None)
@given(mutated())
def test_what_is_accepted_is_grounded_and_no_token_serves_two_cells(text: str) -> None:
    document = load(text)
    if document is not None:
        check_record(document)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["html_page", "tab_rows"]), st.sampled_from(["2021", "2019"]), st.randoms(use_true_random=False))
def test_tables_with_missing_and_odd_cells(layout: str, generation: str, random: Random) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, 7))
    odd = ["", "", "/", "无", "00", "1,2", "12 34", "约5", "8件(撤销1件)", "5元", "二十", "-3", "1.5"]
    for name in printed:
        if random.random() < 0.2:
            printed[name] = random.choice(odd)
    document = read_document(flatten.LAYOUTS[layout](flatten.build_tables(generation, printed)), "a", SETTINGS)
    check_reading(document)
    check_record(document)


@settings(max_examples=60, deadline=None)
@given(st.text("一二三、（）规章总计其他予以公开本年制发件数自然人0123 \t\n|。", max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    document = load("报告" + text)
    assert document is not None
    check_reading(document)
