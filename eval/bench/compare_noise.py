"""Evaluations with known differences: for eval/bench/compare.py.

Lives here: a pool of documents that the real pipeline read, drawing evaluations from it, noise that makes two runs of
one version differ, errors planted on purpose. Does not live here: comparing, counting, printing.

The documents are made up: the official form with made-up figures, in every layout of tests/flatten.py. What they tell
is how the comparison behaves, and nothing about how well anything reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product
from random import Random

from extractor.evaluation.labels import Label, LabelledCell
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, judge_fields
from extractor.evaluation.result import DocumentResult, Evaluation, FieldResult, summarise_documents
from extractor.forms import load_forms
from extractor.model import CellState
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document
from tests.flatten import LAYOUTS, as_printed, build_tables, make_values

GENERATIONS = ("2021", "2019")


@dataclass(frozen=True)
class Pooled:
    """A document that was read: what became of it, and its cells row by row."""

    result: DocumentResult
    rows: tuple[tuple[FieldOutcome, ...], ...]


@dataclass(frozen=True)
class Noise:
    """How much a version varies from one run to the next: shares of documents.

    Attributes:
        rows: in which one row fares otherwise: its cells in review, misread, lost, or accepted where they were not.
        whole: which cannot be read at all this time.
        slips: in which a wrong value is accepted.
    """

    rows: float = 0.0
    whole: float = 0.0
    slips: float = 0.0


def build_pool(size: int) -> list[Pooled]:
    """Documents in all layouts and generations, read by the rules."""
    makes = islice(enumerate(cycle(product(LAYOUTS, GENERATIONS))), size)
    return [_read(seed, layout, generation) for seed, (layout, generation) in makes]


def _read(seed: int, layout: str, generation: str) -> Pooled:
    values = make_values(generation, seed)
    raw = LAYOUTS[layout](build_tables(generation, as_printed(values)))
    suffix = {"word": "docx", "html_page": "html"}.get(layout, "txt")
    name = f"{layout}-{generation}-{seed}"
    label = Label(
        name=name,
        file=f"{name}.{suffix}",
        kind="generated",
        generation=dict.fromkeys(load_forms().generations[generation].sections, generation),
        cells={field_id: LabelledCell(CellState.VALUE, value) for field_id, value in values.items()},
        layout=layout,
    )
    record = process_document(read_document(raw, label.file, Settings()))
    outcome = DocumentOutcome(
        name, "generated", label.file, layout, generation, record.status, tuple(judge_fields(record, label))
    )
    rows: dict[str, list[FieldOutcome]] = {}
    for field in outcome.fields:
        if field.verdict != "invented":
            rows.setdefault(field.field_id.rpartition(".")[0], []).append(field)
    return Pooled(summarise_documents([outcome])[0], tuple(map(tuple, rows.values())))


def draw_sample(rng: Random, pool: Sequence[Pooled], size: int) -> list[Pooled]:
    """Documents drawn with replacement, each of them a document of its own with a name of its own."""
    drawn = (rng.choice(pool) for _ in range(size))
    return [
        Pooled(one.result.model_copy(update={"name": f"{number:05d}-{one.result.name}"}), one.rows)
        for number, one in enumerate(drawn)
    ]


def run_version(rng: Random, sample: Sequence[Pooled], noise: Noise) -> list[DocumentResult]:
    """What one run of a version makes of the documents. Two runs differ by chance alone, in both directions alike."""
    return [_vary(rng, document, noise) for document in sample]


def wrap(documents: Sequence[DocumentResult]) -> Evaluation:
    """An evaluation of some documents."""
    return Evaluation(readers="template", documents=tuple(documents))


def plant_errors(
    rng: Random, sample: Sequence[Pooled], documents: Sequence[DocumentResult]
) -> tuple[list[DocumentResult], set[tuple[str, str]]]:
    """One accepted wrong value in each hundredth document; which ones, as (document, field)."""
    planted: set[tuple[str, str]] = set()
    spoiled = list(documents)
    for index in rng.sample(range(len(documents)), len(documents)):
        if len(planted) == len(documents) // 100:
            break
        listed = {field.field for field in documents[index].fields}
        settled = [field for row in sample[index].rows for field in row if field.field_id not in listed]
        if settled:
            field = rng.choice(settled)
            spoiled[index] = _replace(documents[index], [_misread(field, is_accepted=True)])
            planted.add((documents[index].name, field.field_id))
    return spoiled, planted


def _vary(rng: Random, document: Pooled, noise: Noise) -> DocumentResult:
    if rng.random() < noise.whole:
        lost = [_lose(field) for row in document.rows for field in row]
        return document.result.model_copy(update={"status": "failed", "fields": tuple(lost)})
    result = document.result
    if rng.random() < noise.rows:
        row = rng.choice(document.rows)
        how = rng.choice(("doubt", "misread", "lose", "recover"))
        if how == "recover":
            names = {field.field_id for field in row}
            return result.model_copy(update={"fields": tuple(one for one in result.fields if one.field not in names)})
        result = _replace(result, [_CHANGES[how](field) for field in row])
    if rng.random() < noise.slips:
        result = _replace(result, [_misread(rng.choice(rng.choice(document.rows)), is_accepted=True)])
    return result


def _replace(result: DocumentResult, fields: Sequence[FieldResult]) -> DocumentResult:
    changed = {field.field: field for field in result.fields} | {field.field: field for field in fields}
    return result.model_copy(update={"fields": tuple(changed.values())})


def _doubt(field: FieldOutcome) -> FieldResult:
    return FieldResult(
        field=field.field_id,
        verdict="right",
        accepted=False,
        expected=field.expected,
        printed=field.printed,
        found=field.expected,
        said=field.printed,
    )


def _misread(field: FieldOutcome, *, is_accepted: bool = False) -> FieldResult:
    wrong = {"verdict": "wrong", "said": int(field.printed or 0) + 1, "accepted": is_accepted}
    return _doubt(field).model_copy(update=wrong)


def _lose(field: FieldOutcome) -> FieldResult:
    return _doubt(field).model_copy(update={"verdict": "missing", "found": None, "said": None})


_CHANGES = {"doubt": _doubt, "misread": _misread, "lose": _lose}
