"""An evaluation as a file: what was run, every document's counts, and each field that is not settled.

Lives here: the format that `extractor eval --json` writes and that `extractor compare` and the gate read. Does not
live here: rates and intervals (metrics), comparing (compare, gate).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from extractor.errors import SettingsError
from extractor.evaluation.labels import DocumentKind
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, Verdict
from extractor.model import CellState, Value


class FieldResult(BaseModel):
    """A field that is not settled: wrong, open, or right and for review. See outcomes.FieldOutcome."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    verdict: Verdict
    accepted: bool
    expected: CellState | None = None
    printed: Value | None = None
    found: CellState | None = None
    said: Value | None = None
    p_wrong: float | None = None
    flags: tuple[str, ...] = ()


class DocumentResult(BaseModel):
    """One document. A labelled field that is not in `fields` is right and accepted, or a fact rightly left out.

    Attributes:
        labelled: fields that the label has: table cells, and facts of header and narrative.
        printed_nonzero, accepted_nonzero: table cells that print a number other than 0; those right and accepted.
        unjudged, misplaced, document_hash, label_hash: see outcomes.DocumentOutcome.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: DocumentKind
    path: str
    layout: str
    generation: str
    damage: str = ""
    severity: int = 0
    status: str
    problem: str = ""
    missing_replies: bool = False
    labelled: int
    printed_nonzero: int
    accepted_nonzero: int
    unjudged: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    document_hash: str = ""
    label_hash: str = ""
    fields: tuple[FieldResult, ...]


class Evaluation(BaseModel):
    """One evaluation.

    Attributes:
        readers: the policy: template, auto, both, llm.
        model: whose replies; null for the rules alone. `replies` says what kinds of replies these were.
        missing_replies: questions to the model that had no recorded reply.
        certificate: hash of the scorer that was asked beside the hard rules; null for the hard rules alone.
        metrics: rates by kind of document and stratum, for people and tools to read; nothing reads them back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["extractor evaluation 1"] = "extractor evaluation 1"
    readers: str
    model: str | None = None
    replies: tuple[str, ...] = ()
    missing_replies: int = 0
    certificate: str | None = None
    versions: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    documents: tuple[DocumentResult, ...]


def summarise_documents(outcomes: Sequence[DocumentOutcome]) -> tuple[DocumentResult, ...]:
    """The documents of an evaluation as they are kept, in the order of their names."""
    return tuple(_summarise(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.name))


def load_evaluation(path: Path) -> Evaluation:
    """Read a file that `extractor eval --json` wrote.

    Raises:
        SettingsError: naming the file and what is wrong in it.
    """
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}). Name a file of extractor eval --json."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise SettingsError(f"{path}: no evaluation ({problem}). Make one with extractor eval --json.") from error


def dump_evaluation(evaluation: Evaluation) -> str:
    """The file's text: one line a field, so that versions of it can be compared line by line."""
    data = evaluation.model_dump(mode="json", exclude_defaults=True)
    documents = ",\n".join(map(_dump_document, data.pop("documents")))
    metrics = data.pop("metrics", {})
    head = "".join(f" {json.dumps(name)}: {_dump(value)},\n" for name, value in data.items())
    if metrics:
        strata = ",\n".join(f"  {_dump(kind)}: {_dump_strata(strata)}" for kind, strata in metrics.items())
        head += f' "metrics": {{\n{strata}\n }},\n'
    return f'{{\n "format": {_dump(evaluation.format)},\n{head} "documents": [\n{documents}\n ]\n}}\n'


def _dump_strata(strata: dict[str, Any]) -> str:
    lines = ",\n".join(f"   {_dump(name)}: {_dump(rates)}" for name, rates in strata.items())
    return f"{{\n{lines}\n  }}"


def _dump_document(document: dict[str, Any]) -> str:
    fields = ",\n".join(f"   {_dump(field)}" for field in document.pop("fields"))
    return f'  {_dump(document)[:-1]}, "fields": [{f"{chr(10)}{fields}{chr(10)}  " if fields else ""}]}}'


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _summarise(outcome: DocumentOutcome) -> DocumentResult:
    nonzero = [field for field in outcome.fields if field.is_table and field.is_nonzero]
    return DocumentResult(
        name=outcome.name,
        kind=outcome.kind,
        path=outcome.path,
        layout=outcome.layout,
        generation=outcome.generation,
        damage=outcome.damage,
        severity=outcome.severity,
        status=outcome.status,
        problem=outcome.problem,
        missing_replies=outcome.missing_replies,
        labelled=sum(field.verdict != "invented" for field in outcome.fields),
        printed_nonzero=len(nonzero),
        accepted_nonzero=sum(field.verdict == "right" and field.is_accepted for field in nonzero),
        unjudged=outcome.unjudged,
        misplaced=outcome.misplaced,
        document_hash=outcome.document_hash,
        label_hash=outcome.label_hash,
        fields=tuple(_keep(field) for field in outcome.fields if not field.is_settled),
    )


def _keep(field: FieldOutcome) -> FieldResult:
    return FieldResult(
        field=field.field_id,
        verdict=field.verdict,
        accepted=field.is_accepted,
        expected=field.expected,
        printed=field.printed,
        found=field.found,
        said=field.said,
        p_wrong=field.p_wrong,
        flags=field.flags,
    )
