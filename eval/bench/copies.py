"""Copies of the fixtures of which no two ask a model alike, though the same is read from them.

Lives here: the marks that tell copies apart, in the running text and in every table. Called by overhead.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from extractor.pipeline import process_document
from extractor.sources import load_document

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
# A heading in front of running text, a label of each table, and what they are in a copy. The rules take the latter for
# misprints, which costs them time: tables are marked only where they are asked about.
TEXT_MARKS = {"总体情况\n": "总体情况\n存有{word}类材料{number}份。"}
TABLE_MARKS = {"信息内容": "信息内容{word}", "申请人情况": "申请人情况{word}", "复议后起诉": "复议后起诉{word}"}
#: What every question about a copy holds.
MARKED = re.compile(r"(?:内容|情况|起诉|存有)[a-z]{4}")


def write_documents(folder: Path, number: int, *, marks_tables: bool = True) -> Path:
    """Copies of the fixtures.

    Raises:
        ValueError: a copy is not read as its fixture is.
    """
    folder.mkdir()
    seeds = sorted(FIXTURES.glob("*.txt"))
    for index in range(number):
        seed = seeds[index % len(seeds)]
        path = folder / f"{index:05}.txt"
        path.write_text(mark(seed.read_text(encoding="utf-8"), index, marks_tables=marks_tables), encoding="utf-8")
        if index < len(seeds) and read_values(path) != read_values(seed):
            raise ValueError(f"{seed.name}: the marks change what is read")
    return folder


def mark(text: str, number: int, *, marks_tables: bool = True) -> str:
    """The text with a word of its own in every part that is asked about."""
    word = "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))
    for label, marked in (TEXT_MARKS | TABLE_MARKS if marks_tables else TEXT_MARKS).items():
        text = text.replace(label, marked.format(word=word, number=1000 + number))
    return text


def read_values(path: Path) -> dict[str, tuple[Any, ...]]:
    """All that the rules read, but for its places."""
    fields = process_document(load_document(path)).fields
    return {field_id: (field.state, field.value, field.decision) for field_id, field in fields.items()}
