"""Running the program over labelled documents: the same way as `extractor run`, and then against the labels.

Lives here: what is run, what a document is called, and how it is laid out. Does not live here: the comparison
(outcomes), figures (metrics), the rules of the gate (gate). Called by `extractor eval`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.bulk.failures import describe_failure
from extractor.bulk.flow import ModelPart, open_standing, process_concurrently
from extractor.bulk.loading import load_in_order
from extractor.bulk.works import Made, Work
from extractor.chunks import split_chunks
from extractor.confidence import Certificate
from extractor.confidence.standing import Standing
from extractor.errors import OutputError, SettingsError
from extractor.evaluation.labels import Label, LabelledFile
from extractor.evaluation.metrics import measure, stratify
from extractor.evaluation.outcomes import DocumentOutcome, judge_fields, list_misplaced, list_unjudged
from extractor.evaluation.result import Evaluation, summarise_documents
from extractor.model import Document, Grid, Record, Status
from extractor.pipeline import VERSIONS, process_document
from extractor.settings import Settings
from extractor.sources import load_document

OnProgress = Callable[[int, int], None]

_MEDIA = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/msword": "doc",
    "application/pdf": "pdf",
}
#: Findings that a question to the model was not answered: by the file, or by the server.
_UNANSWERED = frozenset({"reply-missing", "call-failed", "server-unavailable"})
_REPLIES = "replies"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What became of the documents, and what was run.

    Attributes:
        outcomes: in the order of the labels.
        readers: the policy: template, auto, both, llm.
        model: whose replies; None for the rules alone.
        replies: what kinds of replies these were (`live`, `written by hand`, …).
        missing_replies: questions that had no recorded reply.
        standing: the certificate's part; without one the hard rules alone decide what is accepted.
        versions: of program, forms and prompts; several values, where documents differ, in one text.
    """

    outcomes: tuple[DocumentOutcome, ...]
    readers: str
    model: str | None = None
    replies: tuple[str, ...] = ()
    missing_replies: int = 0
    standing: Standing = field(default_factory=Standing)
    versions: Mapping[str, str] = field(default_factory=dict)


def evaluate_documents(
    files: Sequence[LabelledFile],
    settings: Settings,
    model: ModelPart | None,
    on_progress: OnProgress,
) -> Evaluated:
    """Process every labelled document and judge its record.

    A document that cannot be read has an outcome too: status `failed`, its problem, and all its fields missing.

    Args:
        files: see labels.find_labels; a label that is named twice is run once.
        settings: as for a run, with its certificate.
        model: asked for what its policy wants; None: the rules alone. It is closed at the end.
        on_progress: called after every document with how many of how many are done.

    Raises:
        SettingsError: a label whose document is not there, or a certificate that cannot be used.
        BudgetReached, ServerRefused: the model cannot be asked any more.
    """
    files = list({file.path.resolve(): file for file in files}.values())
    works = [Work(str(_show_path(path)), document_id=None, origins=(), total=len(files)) for path in find_paths(files)]
    standing = open_standing(model, settings)
    results = process_works(works, settings, model, standing.certificate)
    outcomes = []
    for file, name, (work, result) in zip(files, name_documents(files), results, strict=True):
        outcomes.append(_judge(file.label, name, Path(work.path), result, settings))
        on_progress(len(outcomes), len(files))
    account = model.describe() if model else {"policy": "template", "name": None, "replies": [], "missing": 0}
    return Evaluated(
        outcomes=tuple(outcomes),
        readers=account["policy"],
        model=account["name"],
        replies=tuple(sorted({item["origin"] for item in account["replies"]})),
        missing_replies=account["missing"],
        standing=standing,
        versions=_join_versions(outcomes),
    )


def summarise_run(evaluated: Evaluated) -> Evaluation:
    """The evaluation as it is kept in a file."""
    return Evaluation(
        readers=evaluated.readers,
        model=evaluated.model,
        replies=evaluated.replies,
        missing_replies=evaluated.missing_replies,
        certificate=evaluated.standing.sha256 if evaluated.standing.threshold is not None else None,
        versions=dict(evaluated.versions),
        metrics=_measure_strata(evaluated.outcomes),
        documents=summarise_documents(evaluated.outcomes),
    )


def name_documents(files: Sequence[LabelledFile]) -> list[str]:
    """A name for each document: its label's, with as many folders in front as tell equal ones apart."""
    paths = [file.path.resolve().with_suffix("").parts for file in files]
    names = []
    for own in paths:
        equal = [parts for parts in paths if parts[-1] == own[-1]]
        depth = next(n for n in range(1, len(own) + 1) if sum(parts[-n:] == own[-n:] for parts in equal) == 1)
        names.append("/".join(own[-depth:]))
    return names


def describe_layout(document: Document) -> str:
    """How the tables' cells are laid out: kind of file, then what the source stage found, such as `text, rows`.

    `matrix`, `rows` and `stream` are kinds of grids (model.Grid); `no cells` is running text that holds a table.
    """
    chunks = split_chunks(document)
    grids = {block.index: block.kind for block in document.blocks if isinstance(block, Grid)}
    used = {grids[part.grid] for chunk in chunks for part in chunk.table}
    kinds: list[str] = [kind for kind in ("matrix", "rows", "stream") if kind in used]
    if any(chunk.runs for chunk in chunks):
        kinds.append("no cells")
    return f"{_MEDIA.get(document.media_type, document.media_type)}, {' + '.join(kinds) or 'no tables'}"


# ---------------------------------------------------------------- running


def find_paths(files: Sequence[LabelledFile]) -> Iterator[Path]:
    """The documents of labels.

    Raises:
        SettingsError: a label whose document is not there.
    """
    for file in files:
        if file.document is None:
            raise SettingsError(
                f"{file.path}: its document {file.label.file} is in no folder above the label. "
                "Put the document there, or correct `file` in the label."
            )
        yield file.document


def _show_path(path: Path) -> Path:
    """Relative to the working directory: an absolute path is of one machine only, and links need a way there."""
    return Path(os.path.relpath(path))


def process_works(
    works: Sequence[Work], settings: Settings, model: ModelPart | None, certificate: Certificate | None = None
) -> Iterator[tuple[Work, Record | Exception]]:
    """Process documents as a run does, in order; one that cannot be read gives its exception.

    Raises:
        BudgetReached, ServerRefused, OutputError, SettingsError: wrong for every document alike.
    """
    if model:
        with closing(process_concurrently(works, model, settings, certificate)) as results:
            for work, result in results:
                yield work, result.record if isinstance(result, Made) else result
        return
    with closing(load_in_order([work.path for work in works], settings)) as documents:
        for work, document in zip(works, documents, strict=True):
            try:
                if isinstance(document, Exception):
                    raise document
                yield work, process_document(document, certificate=certificate)
            except (OutputError, SettingsError):
                raise  # wrong for every document alike
            except Exception as error:  # one bad document never stops the rest
                yield work, error


# ---------------------------------------------------------------- judging


def _judge(label: Label, name: str, path: Path, result: Record | Exception, settings: Settings) -> DocumentOutcome:
    record = result if isinstance(result, Record) else None
    document = load_document(path, settings) if record else None
    codes = {flag.code for flag in record.flags} if record else set()
    generations = set(label.generation.values())
    return DocumentOutcome(
        name=name,
        kind=label.kind,
        path=path.as_posix(),
        layout=label.layout or (_look_at_layout(document, codes) if document else "not read"),
        generation=generations.pop() if len(generations) == 1 else "mixed",
        status=record.status.value if record else Status.FAILED.value,
        fields=tuple(judge_fields(record, label)),
        damage=label.damage,
        severity=label.severity,
        source=label.source,
        problem=describe_failure(str(path), None, (), result).entry.message if isinstance(result, Exception) else "",
        missing_replies=not codes.isdisjoint(_UNANSWERED),
        versions=record.versions if record else {},
        unjudged=tuple(list_unjudged(record, label)) if record else (),
        misplaced=tuple(list_misplaced(record, document.text)) if record and document else (),
        document_hash=((record and record.document.id) or "")[:12],
        label_hash=_hash_label(label),
    )


def _look_at_layout(document: Document, codes: set[str]) -> str:
    layout = describe_layout(document)
    return f"{layout}, glued" if "glued-digits" in codes else layout


def _hash_label(label: Label) -> str:
    said = [sorted(part.items()) for part in (label.generation, label.cells, label.facts)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


def _measure_strata(outcomes: Sequence[DocumentOutcome]) -> dict[str, Any]:
    """By kind, then for all documents of it and by section and layout: every rate as [count, n, low, high]."""
    found: dict[str, Any] = {}
    for kind, documents in stratify(outcomes, "kind").items():
        strata = {"all": documents}
        for by in ("group", "layout"):
            strata |= {f"{by} {name}": part for name, part in stratify(documents, by).items()}
        found[kind] = {name: _measure_stratum(part) for name, part in strata.items()}
    return found


def _measure_stratum(documents: Sequence[DocumentOutcome]) -> dict[str, Any]:
    measured = measure(documents)
    rates = {name: [rate.count, rate.n, _round(rate.low), _round(rate.high)] for name, rate in measured.rates.items()}
    return {"documents": measured.documents, **rates}


def _round(share: float | None) -> float | None:
    return None if share is None else round(share, 4)  # more would differ from machine to machine


def _join_versions(outcomes: Sequence[DocumentOutcome]) -> dict[str, str]:
    found: dict[str, set[str]] = {name: {text} for name, text in VERSIONS.items()}
    for outcome in outcomes:
        for name, text in outcome.versions.items():
            if name != _REPLIES:  # these are told apart by document
                found.setdefault(name, set()).add(text)
    return {name: ", ".join(sorted(texts)) for name, texts in sorted(found.items())}
