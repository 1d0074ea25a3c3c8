"""The labelled documents that peers.py gives to every program, and what each is asked for.

Lives here: finding them, and a document as a peer is told of it. Does not live here: what is said of them
(peers_model), whether it is right (peers_verdict). Called by peers and by the server's process: both see the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from eval.bench.one_call import find_sections
from extractor.evaluation import Label
from extractor.evaluation.labels import find_labels
from extractor.forms import Section
from extractor.llm.wire import FactName, HeaderFacts
from tests.loopback.labelled import load_truth
from tests.loopback.truths import Truth

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = "fixtures"
#: By kind, where its labels stand. Kinds are never pooled.
FOLDERS = {
    FIXTURES: ROOT / "eval" / "gold",
    "re-set": ROOT / "eval" / "gold" / "re-set" / "labels",
    "damaged": ROOT / "eval" / "gold" / "damaged" / "labels",
    "corpus": ROOT.parent / "shared" / "corpus" / "labels",
}
FACTS = frozenset(f"narrative.{name}" for name in get_args(FactName))
TEXTS = tuple(f"header.{name}" for name in HeaderFacts.model_fields)


class Case(NamedTuple):
    """One document, its label, what it prints, and the tables that it has."""

    kind: str
    label: Label
    path: Path
    truth: Truth
    sections: tuple[Section, ...]

    @property
    def name(self) -> str:
        """The file's name: what programs know it by."""
        return self.path.name

    @property
    def values(self) -> tuple[str, ...]:
        """The fields of its tables."""
        return tuple(field.id for section in self.sections for field in section.fields)

    def describe(self) -> dict[str, Any]:
        """As a peer is told of it. That it is told the generation of each table is in its favour."""
        return {
            "name": self.name,
            "path": str(self.path),
            "values": self.values,
            "facts": sorted(FACTS),
            "texts": TEXTS,
            "tables": [describe_table(section) for section in self.sections],
        }


def describe_table(section: Section) -> dict[str, Any]:
    """A form's table as plain data."""
    rows = [
        {"id": row.id, "labels": row.labels, "columns": [column.id for column in row.columns]} for row in section.rows
    ]
    return {"section": section.id, "layout": section.layout, "rows": rows}


def load_cases(kinds: Sequence[str] = tuple(FOLDERS)) -> list[Case]:
    """The documents of these kinds, in the order of their labels; a folder that is not there has none."""
    return [case for kind in kinds if FOLDERS[kind].is_dir() for case in _load_kind(kind)]


def _load_kind(kind: str) -> Iterator[Case]:
    known = {path.name for path in FOLDERS[FIXTURES].glob("*.json")} if kind != FIXTURES else set()
    labels = [path for path in sorted(FOLDERS[kind].glob("*.json")) if path.name not in known]
    for file in find_labels(labels):
        truth = load_truth(file.path)
        if truth is None or file.document is None:
            raise FileNotFoundError(f"{file.path}: {file.label.file} is not there, or cannot be read. Restore it.")
        yield Case(kind, file.label, file.document, truth, tuple(find_sections(file.label.generation)))
