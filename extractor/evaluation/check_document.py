"""Looking for slips in a label: whether the document prints what the label says.

A slip of the finger is seldom a number that stands in the document so often. Does not live here: where in the document
a number stands; a number in a wrong cell is found by the sums or by a second labeller. Called by check.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from extractor.chunks import split_chunks
from extractor.errors import MissingProgram, SourceError, UnsupportedFormat
from extractor.evaluation.label_file import LabelFile, Slip, name_some
from extractor.evaluation.labels import Label
from extractor.forms import TABLE_SECTIONS
from extractor.grounding import NOT_FOUND, align_quote
from extractor.model import CellState, Document, Grid
from extractor.readers.numerals import read_numeral
from extractor.settings import Settings
from extractor.sources import load_document

# A number by itself; the ordinal of a label (2.其他) is none.
_NUMBER = re.compile(
    r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)(?!\s?[.、]\s*[\u4e00-\u9fff（(“])", re.ASCII
)
_STATED = re.compile(
    r"(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?P<unit>[万亿]?)|[〇零一二两三四五六七八九十百千万]+", re.ASCII
)
_NO_CELL = re.compile(r"no cell:([\d., ]+)")
_UNITS = {"": 1, "万": 10_000, "亿": 100_000_000}
# Cells whose numbers, if they print any, are not in the label.
_UNCOUNTED = (CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NA_MARK)
_TEXTS = ("title", "agency_name", "contact_phone", "contact_address", "website")


def open_document(path: Path, settings: Settings) -> Document | Slip | None:
    """The labelled document; None for a kind that is not read, or not on this machine."""
    try:
        return load_document(path, settings)
    except (UnsupportedFormat, MissingProgram):
        return None
    except SourceError as error:
        return Slip("file", f"{path}: {error.problem}", error.remedy)


def check_document(document: Document, file: LabelFile, label: Label) -> Iterator[Slip]:
    """Texts, quotes and tokens stand in the document, and so do the numbers of what was read in it."""
    for name in _TEXTS:
        text = getattr(file.header, name)
        if text and not _stands_in(document, text):
            yield Slip(f"header.{name}", f"{text} does not stand in the document", "Write it as it is printed")
    yield from _check_quotes(document, file)
    yield from _check_cells(document, label)
    yield from _check_left_over(document, file, label)


def _check_quotes(document: Document, file: LabelFile) -> Iterator[Slip]:
    quotes = file.narrative.quotes
    facts = file.narrative.model_dump(exclude_none=True, exclude={"quotes"})
    for name in sorted(quotes.keys() - facts.keys()):
        yield Slip(f"narrative.quotes.{name}", "a quote without its number", "Write the number, or take the quote out")
    for name, value in facts.items():
        quote, place = quotes.get(name), f"narrative.quotes.{name}"
        if quote is None:
            yield Slip(place, f"{value} has no quote", "Copy the words of the document that state it")
        elif not _stands_in(document, quote):
            yield Slip(
                place, f"{quote} does not stand in the document", "Copy it as it is printed, without leaving out"
            )
        elif value and value not in _list_stated(quote):
            yield Slip(place, f"{quote} does not state {value}", "Correct the number or the quote")


def _check_cells(document: Document, label: Label) -> Iterator[Slip]:
    """Tokens stand in the document; of each number no more cells are labelled than the tables print it."""
    wanted: dict[Decimal, list[str]] = {}
    for field_id, cell in label.cells.items():
        if field_id.partition(".")[0] in label.is_inferred or not isinstance(cell.value, int | Decimal):
            continue
        if cell.raw is None:
            wanted.setdefault(abs(Decimal(cell.value)), []).append(field_id)
        elif not _stands_in(document, cell.raw):
            yield Slip(field_id, f"{cell.raw} does not stand in the document", "Copy the whole token as it is printed")
        elif abs(cell.value) not in _list_stated(cell.raw):
            yield Slip(field_id, f"{cell.raw} does not hold {cell.value}", "Correct the value or the token")
    printed = _count_numbers("\n".join(_list_table_texts(document)) or document.view)
    for number, fields in wanted.items():
        if len(fields) > printed[number]:
            problem = f"{number} is labelled {len(fields)} times, and the tables print it {printed[number]} times"
            yield Slip(name_some(fields), problem, "Look again: blank cells are no 0; for glued digits see `basis`")


def _check_left_over(document: Document, file: LabelFile, label: Label) -> Iterator[Slip]:
    """No number of the tables is left out: a cell that is called blank may be none."""
    if label.is_inferred or any(cell.state in _UNCOUNTED for cell in label.cells.values()):
        return
    labelled: Counter[Decimal] = Counter()
    for cell in label.cells.values():
        if cell.raw:
            labelled += _count_numbers(cell.raw)
        elif isinstance(cell.value, int | Decimal):
            labelled[abs(Decimal(cell.value))] += 1
    printed = _count_numbers("\n".join(_list_table_texts(document)))
    for number in sorted((printed - labelled).keys() - _list_no_cells(file.notes)):
        problem = (
            f"the tables print {number} {printed[number]} times, and {labelled[number]} cells are labelled with it"
        )
        yield Slip("the tables", problem, f"Find the cell, or write in `notes`: no cell: {number}")


def _list_no_cells(notes: str) -> set[Decimal]:
    """The numbers of which the notes say that they stand in a table and are no cell."""
    return {number for said in _NO_CELL.findall(notes) for number in _count_numbers(said)}


def _list_table_texts(document: Document) -> Iterator[str]:
    """What stands in the tables: cell by cell, or in one run where nothing separates the cells."""
    grids = {block.index: block for block in document.blocks if isinstance(block, Grid)}
    for chunk in split_chunks(document):
        if chunk.section in TABLE_SECTIONS:
            for part in chunk.table:
                yield from (
                    document.view[cell.start : cell.end] for cell in grids[part.grid].cells[part.first : part.last]
                )
            yield from (document.view[start:end] for start, end in chunk.runs)


def _stands_in(document: Document, text: str) -> bool:
    """Whether the document holds a text, width and white space folded."""
    if len(text) == 1:  # too short for a quote
        return text in document.text
    return align_quote(document, 0, len(document.text), text) is not NOT_FOUND


def _list_stated(text: str) -> set[Decimal]:
    """The numbers that words state: 691, 1,234, 7万, 二十三."""
    found: set[Decimal] = set()
    for match in _STATED.finditer(unicodedata.normalize("NFKC", text)):
        if match["digits"]:
            found |= {_as_number(match["digits"]), _as_number(match["digits"]) * _UNITS[match["unit"]]}
        elif (value := read_numeral(match[0])) is not None:
            found.add(Decimal(value))
    return found


def _count_numbers(text: str) -> Counter[Decimal]:
    return Counter(map(_as_number, _NUMBER.findall(unicodedata.normalize("NFKC", text))))


def _as_number(digits: str) -> Decimal:
    return Decimal(digits.replace(",", ""))
