"""What is known about a value besides the value: numbers that a scorer turns into a chance of error.

Lives here: the list of features and how each is measured from a record. Does not live here: weights (scorer), decisions
(decide, govern). Called by govern and by extractor.evaluation, and only where a certificate or an evaluation asks.

Nothing here depends on a decision that a certificate made: a record has the same features before and after. Features
of a name keep their meaning; one that is measured otherwise gets another name, so that FEATURES_VERSION changes and
older certificates no longer apply. One feature is to come with what gives it, and not before, for a column that never
varies teaches nothing: the log probability of the reply's tokens (where the server gives it, beside the candidate's
alignment).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from extractor.confidence.decide import CERTAIN, is_certain
from extractor.forms import TABLE_SECTIONS
from extractor.model import CellState, EquationResult, Flag, Record, RecordField

FEATURES: tuple[str, ...] = (
    # the readers
    "other_reader_agrees",
    "other_reader_differs",
    "has_one_reader",
    "read_by_model",
    # place in the source: findings about the row and about the column, a cell of its own, a token that is more than
    # its number
    "row_doubts",
    "column_doubts",
    "in_own_cell",
    "token_has_more",
    # ink: 1 is the confidence of what a text layer or a text gave; findings about the recognition
    "read_by_ocr",
    "ocr_confidence",
    "ink_doubts",
    # equations that contain the field, by how they ended; one that holds because all is 0 says little
    "equations_passed_nonzero",
    "equations_passed_zero",
    "equations_failed",
    "equations_failed_by_source",
    "equations_not_evaluable",
    "equations_assumed",
    "arithmetic_doubts",
    "has_suggestion",
    "text_doubts",
    # the document, shares 0 to 1
    "document_disagreement",
    "document_violations",
    "document_review",
    # the value
    "is_nonzero",
    "is_blank",
    "is_mark",
    "is_row_absent",
    # where in the form; the table of applications is the rest
    "in_proactive_disclosure",
    "in_review_litigation",
    "in_header",
    "in_narrative",
    # all findings that name the field
    "errors",
    "warnings",
    "infos",
    "has_other_candidates",
)
"""What measure_features measures, in its order. `is_`, `in_`, `has_`, `read_by_` are 0 or 1, shares and confidences 0
to 1, the others counts."""

FEATURES_VERSION = hashlib.sha256("\n".join(FEATURES).encode()).hexdigest()[:12]

# Quotes and indicators, lists of any length: no label holds them, so that nothing could be learnt about them.
_LISTS = ("narrative.problems.", "narrative.measures.", "indicators.")
_RULES = ("template", "person")
_CODES: Mapping[str, tuple[str, ...]] = {
    "other_reader_differs": ("reader-disagreement",),
    "row_doubts": (
        "cut-off",
        "label-inexact",
        "not-grounded",
        "page-not-read",
        "row-before-gap",
        "row-out-of-order",
        "row-repeated",
        "row-without-cells",
        "rows-missing",
        "several-reports",
        "unclaimed-numbers",
        "unknown-row",
    ),
    "column_doubts": (
        "cell-not-separated",
        "columns-reordered",
        "columns-unverified",
        "generation-unclear",
        "glued-digits",
        "position-unknown",
        "unit-differs",
    ),
    "ink_doubts": ("ocr-uncertain", "ocr-unconfirmed"),
    "arithmetic_doubts": ("error-not-located", "value-suspected"),
    "text_doubts": ("narrative-differs", "narrative-parts-differ", "narrative-share-differs"),
}
_SEVERITIES = ("error", "warning", "info")
_PLACES = {name: place for place, name in enumerate((*_CODES, *_SEVERITIES))}
_PLACE_OF_CODE = {code: _PLACES[name] for name, codes in _CODES.items() for code in codes}
_NO_FLAGS = (0,) * len(_PLACES)
_NO_EQUATIONS = (0,) * 6
_VALUE, _BLANK, _NA_MARK, _ROW_ABSENT = CellState.VALUE, CellState.BLANK, CellState.NA_MARK, CellState.ROW_ABSENT


class _Shares(NamedTuple):
    disagreement: float
    violations: float
    review: float


def measure_features(record: Record) -> dict[str, tuple[float, ...]]:
    """Measure every field of which it is known what is printed.

    Args:
        record: as the pipeline gives it, governed by a certificate or not.

    Returns:
        By field id numbers in the order of FEATURES. Fields of an uncertain state are left out (they are never
        accepted), and so are quotes and indicators.
    """
    flags = _count_flags(record.flags)
    equations = _count_equations(record.equations, record.fields)
    shares = _measure_document(record, flags)
    parts = {part: _place_in_form(part) for part in {field_id.partition(".")[0] for field_id in record.fields}}
    found: dict[str, tuple[float, ...]] = {}
    for field_id, field in record.fields.items():
        state = field.state
        if state not in CERTAIN or field_id.startswith(_LISTS):
            continue
        differs, rows, columns, ink, arithmetic, text, *severities = flags.get(field_id, _NO_FLAGS)
        found[field_id] = (
            bool(field.confirmed_by),
            differs > 0,
            _has_one_reader(field),
            field.reader not in _RULES,
            rows,
            columns,
            bool(field.spans) and field.spans[0].cell is not None,
            state is _VALUE and _has_more(field),
            *_measure_recognition(field),
            ink,
            *equations.get(field_id, _NO_EQUATIONS),
            arithmetic,
            bool(field.suggestions),
            text,
            *shares,
            state is _VALUE and field.value != 0,
            state is _BLANK,
            state is _NA_MARK,
            state is _ROW_ABSENT,
            *parts[field_id.partition(".")[0]],
            *severities,
            bool(field.candidates),
        )
    return found


def _has_one_reader(field: RecordField) -> bool:
    return not field.confirmed_by and all(candidate.reader == field.reader for candidate in field.candidates)


def _has_more(field: RecordField) -> bool:
    """Whether the printed token is more than the value: a unit, a remark, another way to write it."""
    return field.raw is not None and field.raw.strip() != str(field.value)


def _measure_recognition(field: RecordField) -> tuple[bool, float]:
    """Whether ink was recognised, and how sure the engine is of the least certain of it."""
    places = [span.place for span in field.spans]
    confidences = [place.confidence for place in places if place is not None and place.confidence is not None]
    return bool(confidences), min(confidences, default=1.0)


def _place_in_form(part: str) -> tuple[bool, ...]:
    return tuple(part == name for name in ("proactive_disclosure", "review_litigation", "header", "narrative"))


def _count_flags(flags: Iterable[Flag]) -> dict[str, list[int]]:
    """By field id the findings that name it: by kind of doubt, then by severity."""
    counts: dict[str, list[int]] = {}
    for flag in flags:
        kind, severity = _PLACE_OF_CODE.get(flag.code), _PLACES[flag.severity]
        for field_id in flag.fields:
            own = counts.get(field_id)
            if own is None:
                own = counts[field_id] = [0] * len(_PLACES)
            own[severity] += 1
            if kind is not None:
                own[kind] += 1
    return counts


def _count_equations(results: Iterable[EquationResult], fields: Mapping[str, RecordField]) -> dict[str, list[int]]:
    """By field id the equations that contain it, by how they ended."""
    nonzero = {field_id for field_id, field in fields.items() if field.state is _VALUE and field.value != 0}
    counts: dict[str, list[int]] = {}
    for result in results:
        place = _place_of_result(result, nonzero)
        for field_id in result.fields:
            own = counts.get(field_id)
            if own is None:
                own = counts[field_id] = [0] * len(_NO_EQUATIONS)
            own[place] += 1
    return counts


def _place_of_result(result: EquationResult, nonzero: set[str]) -> int:
    match result.result:
        case "pass":
            return 1 if nonzero.isdisjoint(result.fields) else 0
        case "fail":
            return 3 if result.verdict == "source_inconsistent" else 2
        case "not_evaluable":
            return 4
        case "assumed":
            return 5


def _measure_document(record: Record, flags: Mapping[str, list[int]]) -> _Shares:
    """Shares of cells that two readers read differently, of equations that fail, of cells that the hard rules doubt."""
    cells = [field_id for field_id in record.fields if field_id.startswith(TABLE_SECTIONS)]
    differing = sum(flags[field_id][0] > 0 for field_id in cells if field_id in flags)
    doubted = sum(field_id in flags or not is_certain(record.fields[field_id]) for field_id in cells)
    outcomes = [result.result for result in record.equations]
    failed = outcomes.count("fail")
    evaluable = failed + outcomes.count("pass")
    return _Shares(_share(differing, len(cells)), _share(failed, evaluable), _share(doubted, len(cells)))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
