"""Draft labels: what the program reads, to be corrected by a person who has the document before them.

Lives here: what a draft holds, and the text of a label file. Does not live here: reading documents (pipeline), files
and folders (cli), finished labels (labels, check). Nothing that the program doubts is filled in: a person who finds
a number there tends to believe it. Called by `extractor label`; from_reviews lays out its labels alike.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from extractor.evaluation.label_values import TO_FILL
from extractor.forms import TABLE_SECTIONS, Section, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, CellState, Document, Heading, Record, RecordField

_FACTS_TO_CHECK = "header, narrative: null says that the document does not state it; read the text for each of them"
GLUED = frozenset({CellState.UNPARSABLE, CellState.INFERRED_BY_EQUATION})
_CLAUSE_ENDS = "。；;！!？?\t"
_LONGEST_SIDE = 60
_MOST_NAMES = 3


def make_draft(record: Record, document: Document, file: str) -> dict[str, Any]:
    """A draft label: what the program accepts is filled in, and all else is for a person.

    Args:
        record: of the document, by the rules alone or with a model.
        file: the document's path, relative to a folder above the label.
    """
    cells = {
        field_id: write_cell(found) if found.decision == "accepted" else TO_FILL
        for field_id, found in record.fields.items()
    }
    facts = {
        part: {name: _write_fact(record.fields.get(f"{part}.{name}")) for name in names}
        for part, names in (("header", HEADER_FIELDS), ("narrative", NARRATIVE_FIELDS))
    }
    headings = [block.end for block in document.blocks if isinstance(block, Heading)]
    quotes = {
        name: find_quote(document.text, headings, record.fields[f"narrative.{name}"])
        for name, value in facts["narrative"].items()
        if value not in (None, TO_FILL)
    }
    return lay_out_label(
        file, record.generation, cells, facts | {"narrative": facts["narrative"] | {"quotes": quotes}}
    ) | {
        "basis": {section: _guess_basis(record, section) for section in TABLE_SECTIONS},
        "source_inconsistencies": list(list_inconsistencies(record)),
        "to_check": [_FACTS_TO_CHECK, *_list_doubts(record)],
    }


def make_blank(generation: Mapping[str, str], file: str) -> dict[str, Any]:
    """A draft in which nothing is filled in but the names of rows and facts.

    Args:
        generation: form of each table.
        file: see make_draft.
    """
    names = {"header": HEADER_FIELDS, "narrative": NARRATIVE_FIELDS}
    facts: dict[str, dict[str, object]] = {part: dict.fromkeys(of_part, TO_FILL) for part, of_part in names.items()}
    facts["narrative"]["quotes"] = {}
    return lay_out_label(file, generation, {}, facts)


def lay_out_label(
    file: str, generation: Mapping[str, str], cells: Mapping[str, object], facts: Mapping[str, Mapping[str, object]]
) -> dict[str, Any]:
    """A draft in the order of its keys; cells that are not given are to be filled in.

    Args:
        file: the document's path, relative to a folder above the label.
        generation: form of each table.
        cells: by field id, as labels write them.
        facts: `header` and `narrative`, by name.
    """
    form = {section: generation.get(section, "absent") for section in TABLE_SECTIONS}
    tables = {section: load_forms().section(section, name) for section, name in form.items()}
    return {
        "draft": True,
        "file": file,
        "kind": "real",
        "generation": form,
        "basis": dict.fromkeys(TABLE_SECTIONS, "read"),
        "header": facts["header"],
        **{section: dict(_write_rows(table, cells)) if table else {} for section, table in tables.items()},
        "narrative": facts["narrative"],
        "source_inconsistencies": [],
        "notes": "",
        "to_check": [],
    }


def _write_rows(table: Section, cells: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """A row that has all columns of its table on one line; else a line a cell."""
    for row in table.rows:
        printed = {column.id: cells.get(table.field_id(row.id, column.id), TO_FILL) for column in row.columns}
        if table.id == "proactive_disclosure":
            yield from ((f"{row.id}.{name}", cell) for name, cell in printed.items())
        else:
            yield row.id, list(printed.values())


def write_cell(found: RecordField) -> object:
    """A cell as labels write it."""
    if found.state is CellState.NA_MARK:
        return f"{found.state}:{found.raw}" if found.raw else found.state.value
    if found.state is not CellState.VALUE:
        return found.state.value
    is_bare = found.raw is None or _squeeze(found.raw) == str(found.value)
    return found.value if is_bare else {"value": found.value, "raw": found.raw}


def _write_fact(found: RecordField | None) -> object:
    if found is None:
        return None
    return found.value if found.decision == "accepted" else TO_FILL


def _squeeze(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def find_quote(text: str, headings: Iterable[int], found: RecordField) -> str:
    """The words around a number, up to the ends of their sentence or a heading, at most so many to each side.

    Args:
        text: of the document.
        headings: where its headings end.
        found: a field with a span.
    """
    span = found.spans[0]
    ends = (end for end in headings if end <= span.start)
    before = text[max(span.start - _LONGEST_SIDE, 0, *ends) : span.start]
    behind = text[span.end : span.end + _LONGEST_SIDE]
    start = max(before.rfind(end) for end in _CLAUSE_ENDS) + 1
    end = min((at for at in map(behind.find, _CLAUSE_ENDS) if at >= 0), default=len(behind))
    return "".join(f"{before[start:]}{text[span.start : span.end]}{behind[:end]}".splitlines()).strip()


def _guess_basis(record: Record, section: str) -> str:
    """How the cells became known is for a person to say where digits are glued."""
    fields = (found for field_id, found in record.fields.items() if field_id.startswith(f"{section}."))
    return TO_FILL if any(found.state in GLUED for found in fields) else "read"


def list_inconsistencies(record: Record) -> Iterator[str]:
    """What does not add up in a document, in the words of a label."""
    for item in record.equations:
        if item.result == "fail":
            yield f"{item.id}: does not hold, the left side is {item.residual:+} beside the right"
    for flag in record.flags:
        if flag.code == "narrative-differs":
            yield f"{flag.fields[0].removeprefix('narrative.')}: {flag.message.en}"


def _list_doubts(record: Record) -> Iterator[str]:
    """What the program doubts, and why: one line for all rows that it doubts for the same reasons."""
    reasons: dict[str, list[str]] = {}
    for flag in record.flags:
        for field_id in flag.fields:
            reasons.setdefault(field_id, []).append(flag.message.en)
    places: dict[tuple[str, str], dict[str, None]] = {}
    for field_id, found in record.fields.items():
        if found.decision == "review":
            said = "; ".join(dict.fromkeys(reasons.get(field_id, [found.state.value])))
            part, _, name = field_id.partition(".")
            is_row = part in ("applications", "review_litigation")
            places.setdefault((part, said), {})[name.rpartition(".")[0] if is_row else name] = None
    for (part, said), names in places.items():
        some = ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} rows"
        yield f"{part}, {some}: {said}"
    for flag in record.flags:
        if not flag.fields and flag.severity != "info":
            yield f"the document: {flag.message.en}"


# ---------------------------------------------------------------- text


def dump_label(label: Mapping[str, Any]) -> str:
    """The text of a label file: a line a row of the form, in the order given."""
    return f"{_write_object(label, '')}\n"


def _write_object(item: Mapping[str, Any], indent: str) -> str:
    inner = f"{indent}  "
    lines = [f"{inner}{_write_plain(name)}: {_write(value, inner)}" for name, value in item.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}" if lines else "{}"


def _write(item: Any, indent: str) -> str:
    if isinstance(item, Mapping) and set(item) != {"value", "raw"}:
        return _write_object(item, indent)
    is_sentences = isinstance(item, list) and len(indent) == 2 and item
    if is_sentences:
        lines = ",\n".join(f"{indent}  {_write_plain(text)}" for text in item)
        return f"[\n{lines}\n{indent}]"
    return _write_plain(item)


def _write_plain(item: Any) -> str:
    """JSON on one line; decimals as they are printed."""
    if isinstance(item, Decimal):
        return f"{item:f}"
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{_write_plain(name)}: {_write_plain(value)}" for name, value in item.items()) + "}"
    if isinstance(item, list):
        return f"[{', '.join(map(_write_plain, item))}]"
    return json.dumps(item, ensure_ascii=False)
