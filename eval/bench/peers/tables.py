"""No model: a table's row is known by its label, its cells by their order; or a regular expression does both.

What a careful hour gives: labels as the form prints them, no misprint, no merged surprise. Does not live here: the
tables themselves (readers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from readers import TABLES, Grid, read_plainly

_NUMBER = r"-?\d+(?:\.\d+)?"
_BETWEEN = r"[\s|]+"
_ORDINAL = re.compile(r"^(?:[（(]?[一二三四五六七八九十]+[)）、]|\d+[.．、])")
_TAG = re.compile(r"<[^>]+>")


def match_all(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A result for each document, in order."""
    for document in job["documents"]:
        try:
            said = match(job["reader"], document)
        except Exception as error:  # one document never stops the rest
            yield {"name": document["name"], "error": f"{type(error).__name__}: {str(error)[:200]}"}
        else:
            yield {"name": document["name"], "said": said}


def match(reader: str, document: Mapping[str, Any]) -> dict[str, str]:
    """The values of one document."""
    path = Path(document["path"])
    said: dict[str, str] = {}
    if reader == "regex":
        text = _TAG.sub(" ", read_plainly(path))
        for table in document["tables"]:
            for found in search_table(text, table):
                said = found | said
        return said
    for grid in TABLES[reader](path):
        for table in document["tables"]:
            said = match_table(grid, table) | said
    return said


# ---------------------------------------------------------------- tables


def match_table(grid: Grid, table: Mapping[str, Any]) -> dict[str, str]:
    """The cells of one form's table that stand in a grid."""
    if table["layout"] == "one_row":
        return _match_one_row(grid, table)
    said: dict[str, str] = {}
    labels = {squeeze(label): row for row in table["rows"] for label in row["labels"]}
    for cells in grid:
        texts = [squeeze(cell) for cell in cells]
        places = [place for place, text in enumerate(texts) if text in labels]
        if places:
            row = labels[texts[places[-1]]]
            numbers = [text for text in texts[places[-1] + 1 :] if text]
            if len(set(numbers)) == 1 and len(row["columns"]) == 1:
                numbers = numbers[:1]  # one cell over all columns, repeated
            if len(numbers) == len(row["columns"]):
                said = name_cells(table, row, numbers) | said
    return said


def _match_one_row(grid: Grid, table: Mapping[str, Any]) -> dict[str, str]:
    names = [(row, column) for row in table["rows"] for column in row["columns"]]
    for cells in grid:
        texts = [squeeze(cell) for cell in cells]
        if len(texts) == len(names) and all(re.fullmatch(_NUMBER, text) for text in texts):
            pairs = zip(names, texts, strict=True)
            return {f"{table['section']}.{row['id']}.{column}": text for (row, column), text in pairs}
    return {}


def squeeze(label: str) -> str:
    """A label without white space and ordinal."""
    return _ORDINAL.sub("", "".join(label.split()))


def name_cells(table: Mapping[str, Any], row: Mapping[str, Any], numbers: list[str]) -> dict[str, str]:
    """A row's cells by field id, those that are numbers."""
    cells = zip(row["columns"], numbers, strict=True)
    named = {f"{table['section']}.{row['id']}.{column}": text for column, text in cells}
    return {field_id: text for field_id, text in named.items() if re.fullmatch(_NUMBER, text)}


# ---------------------------------------------------------------- regular expressions


def search_table(text: str, table: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Each row that is found, by the first of its labels with as many numbers behind it."""
    if table["layout"] == "one_row":
        names = [(row, column) for row in table["rows"] for column in row["columns"]]
        match = re.search(rf"总计{_BETWEEN}({_NUMBER}(?:{_BETWEEN}{_NUMBER}){{{len(names) - 1}}})(?!\d)", text)
        if match:
            pairs = zip(names, re.split(_BETWEEN, match[1]), strict=True)
            yield {f"{table['section']}.{row['id']}.{column}": number for (row, column), number in pairs}
        return
    for row in table["rows"]:
        more = len(row["columns"]) - 1
        for label in row["labels"]:
            words = r"\s*".join(map(re.escape, squeeze(label)))
            match = re.search(rf"{words}{_BETWEEN}({_NUMBER}(?:{_BETWEEN}{_NUMBER}){{{more}}})(?!\d)", text)
            if match:
                yield name_cells(table, row, re.split(_BETWEEN, match[1]))
                break
