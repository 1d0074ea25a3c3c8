"""The extracted record and what persons said of its fields -> the live record.

Lives here: the way of extractor.pipeline once more, from a finished record instead of readings. Does not live here:
what a person may say and when (extractor.review), the checks themselves (extractor.reconcile). Called by
extractor.review through extractor.pipeline. Pure: no document is needed, nothing is read again.

Nothing that was extracted is overwritten: a person's word is printed beside it. With no word at all the record comes
back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from extractor.confidence import decide_fields, find_hard_doubts
from extractor.model import Candidate, CellState, Decision, Flag, Record, RecordField, Ruling, Status, Suggestion
from extractor.reconcile import (
    Findings,
    KnownPlaces,
    Merged,
    Recovery,
    compare_narrative,
    compare_readings,
    doubt_lone_model,
    evaluate_equations,
    explain_failures,
    flag_unconfirmed,
    keep_ledger,
    list_unread,
    recall_ink,
    recall_once,
    recover_lost,
)

PERSON = "person"
_FAILURES = frozenset({"equation-failed", "value-suspected", "error-not-located"})
_INFERRED = CellState.INFERRED_BY_EQUATION
# Where in the pipeline's order the findings stand that are made anew; those of readers and sources come first.
_ORDER = {
    "reader-disagreement": 1,
    "inferred-by-equation": 2,
    "splits-remain": 2,
    "positions-enumerated": 2,
    "ocr-unconfirmed": 4,
    "model-alone": 5,
    "narrative-differs": 6,
    "equation-failed": 7,
    "source-inconsistent": 7,
    "value-suspected": 7,
    "error-not-located": 7,
}


def apply_rulings(record: Record, rulings: Mapping[str, Ruling]) -> Record:
    """Put persons' words into a record and check it anew.

    A field with a word is accepted, whatever else is found, and no finding names it any more; `unknowable` leaves it
    as extracted, in review. Everything that rests on values is made anew: lost rows, equations and verdicts (a person
    vouches for what he read), suggestions, comparisons, decisions, ledger, status.

    A correction by one person alone, against what was extracted, does not make an equation the report's fault: where
    one fails over it, it goes to review once more, for it may be a slip of the hand.

    Args:
        record: as extracted, with no ruling in it.
        rulings: by field id; those of fields that the record does not have are left out.
    """
    rulings = {name: ruling for name, ruling in rulings.items() if name in record.fields}
    settled = {name for name, ruling in rulings.items() if ruling.action != "unknowable"}
    typed = {name for name, ruling in rulings.items() if ruling.action == "corrected" and len(ruling.by) == 1}
    kept = _drop_settled(_list_kept(record.flags), settled)
    merged = _merge(record, rulings, settled)
    recovery = recover_lost(merged, record.generation, kept)
    checked = _check(record, kept, merged, recovery, typed)
    flags = _drop_settled(checked.flags, settled, typed)
    decisions = _decide(record, recovery.merged, flags, rulings)
    suggestions = _keep_partial(record, recovery.merged, settled) | recovery.suggestions | checked.suggestions
    places = KnownPlaces(record)
    ledger = keep_ledger(recovery.merged, record.generation, list_unread(record, settled))
    fields = {
        name: _build_field(record.fields[name], entry, decisions[name], suggestions.get(name, ()), rulings.get(name))
        for name, entry in recovery.merged.items()
    }
    return record.model_copy(
        update={
            "fields": places.place_fields(fields),
            "equations": checked.equations,
            "flags": places.place_flags(flags),
            "ledger": ledger,
            "status": _end(record.status, ledger.values()),
        }
    )


# ---------------------------------------------------------------- merged anew


def _merge(record: Record, rulings: Mapping[str, Ruling], settled: Set[str]) -> dict[str, Merged]:
    """The fields as merged before anything was inferred, a person's word in front."""
    merged: dict[str, Merged] = {}
    for name, field in record.fields.items():
        if name in settled:
            merged[name] = _put_word(field, rulings[name])
        elif field.state is _INFERRED and field.candidates:
            merged[name] = Merged(field.candidates[0], field.candidates[1:], field.confirmed_by)
        else:
            merged[name] = Merged(_extracted(field), field.candidates, field.confirmed_by)
    return merged


def _put_word(field: RecordField, ruling: Ruling) -> Merged:
    word, extracted = ruling.word, _extracted(field)
    spans = field.spans or next((one.spans for one in field.candidates if one.spans), ())
    said = Candidate(word.state, word.value, word.unit, word.raw, spans, PERSON)
    is_same = (word.state, word.value, word.unit) == (field.state, field.value, field.unit)
    return Merged(said, (extracted, *field.candidates), field.confirmed_by if is_same else ())


def _extracted(field: RecordField) -> Candidate:
    return Candidate(field.state, field.value, field.unit, field.raw, field.spans, field.reader)


def _keep_partial(record: Record, merged: Mapping[str, Merged], settled: Set[str]) -> dict[str, tuple[Suggestion, ...]]:
    """What was suggested for the rest of a row of which a person settled a part.

    A row is recovered as a whole or not at all. So the rest keeps its suggestions as long as every word on the row is
    among those that were suggested for its cell: then they were right about it so far.
    """
    rows: dict[str, list[str]] = {}
    for name in record.fields:
        rows.setdefault(name.rpartition(".")[0], []).append(name)
    kept: dict[str, tuple[Suggestion, ...]] = {}
    for names in rows.values():
        said = [name for name in names if name in settled and record.fields[name].suggestions]
        if said and all(_was_suggested(record.fields[name], merged[name]) for name in said):
            kept |= {name: record.fields[name].suggestions for name in names if name not in settled}
    return kept


def _was_suggested(field: RecordField, entry: Merged) -> bool:
    return entry.printed.value in [suggestion.value for suggestion in field.suggestions]


# ---------------------------------------------------------------- checked anew


def _check(
    record: Record, kept: Sequence[Flag], printed: Mapping[str, Merged], recovery: Recovery, typed: Set[str]
) -> Findings:
    """The checks of the pipeline in its order.

    Args:
        printed: the fields before anything was inferred, for that is where ink is.
        typed: fields that one person alone corrected, which vouch for nothing.
    """
    merged, generation = recovery.merged, record.generation
    equations = evaluate_equations(merged, generation, recovery.assumed)
    ink = recall_ink(printed, record.flags)
    # Two persons' reading and a reader's differ by right: a person's word is the last.
    unsettled = {name: entry for name, entry in merged.items() if entry.printed.reader != PERSON}
    made = (
        *compare_readings(unsettled),
        *recovery.flags,
        *flag_unconfirmed(ink, merged, generation, equations, recall_once(record.flags)),
        *doubt_lone_model(merged, equations),
        *compare_narrative(merged),
    )
    doubts = tuple(sorted((*kept, *made), key=_place_in_order))
    failures = explain_failures(merged, generation, equations, doubts, {*ink, *typed})
    return failures._replace(flags=(*doubts, *failures.flags))


def _place_in_order(flag: Flag) -> int:
    return _ORDER.get(flag.code, 0)


def _list_kept(flags: Iterable[Flag]) -> list[Flag]:
    """Findings that no value changes: those of sources and readers, and of the ink itself."""
    return [flag for flag in flags if flag.code not in _ORDER]


def _drop_settled(flags: Iterable[Flag], settled: Set[str], typed: Set[str] = frozenset()) -> tuple[Flag, ...]:
    """The findings without the settled fields; one that named these only has gone.

    Args:
        settled: fields with a person's word.
        typed: those of them that findings about failed equations go on naming.
    """
    if not settled:
        return tuple(flags)
    found = []
    for flag in flags:
        dropped = settled - typed if flag.code in _FAILURES else settled
        fields = tuple(name for name in flag.fields if name not in dropped)
        if fields or not flag.fields:
            found.append(flag if len(fields) == len(flag.fields) else replace(flag, fields=fields))
    return tuple(found)


# ---------------------------------------------------------------- decided anew


def _decide(
    record: Record, merged: Mapping[str, Merged], flags: Sequence[Flag], rulings: Mapping[str, Ruling]
) -> dict[str, Decision]:
    """Decisions by field id.

    Where a certificate decided otherwise than the hard rules, it keeps its say: what it sent to review without any
    finding stays there, and what it accepted stays accepted unless a finding about the reading names it now.
    """
    by_rules = decide_fields({name: entry.printed for name, entry in merged.items()}, flags)
    before = decide_fields({name: _extracted(field) for name, field in record.fields.items()}, record.flags)
    hard = find_hard_doubts(flags)
    named = {name for flag in flags for name in flag.fields}
    decisions: dict[str, Decision] = {}
    for name, field in record.fields.items():
        ruling = rulings.get(name)
        if ruling:
            decisions[name] = "review" if ruling.action == "unknowable" or name in named else "accepted"
        elif field.decision == before[name]:
            decisions[name] = by_rules[name]
        else:
            decisions[name] = "review" if name in hard else field.decision
    return decisions


def _end(status: Status, outcomes: Iterable[str]) -> Status:
    """Settling what could not be read completes a document; whether it is a report at all, no word on a field says."""
    if status not in (Status.SUCCEEDED, Status.PARTIAL):
        return status
    return Status.PARTIAL if "failed" in outcomes else Status.SUCCEEDED


def _build_field(
    field: RecordField,
    entry: Merged,
    decision: Decision,
    suggestions: tuple[Suggestion, ...],
    ruling: Ruling | None,
) -> RecordField:
    printed = entry.printed
    return RecordField(
        state=printed.state,
        value=printed.value,
        unit=printed.unit,
        raw=printed.raw,
        spans=printed.spans,
        reader=printed.reader,
        decision=decision,
        candidates=entry.losing,
        suggestions=suggestions,
        confirmed_by=entry.confirmed_by,
        # The scorer spoke of what was extracted.
        p_wrong=None if printed.reader == PERSON else field.p_wrong,
        ruling=ruling,
    )
