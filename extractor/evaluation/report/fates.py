"""The fields of one document that are not both right and accepted, those that fared alike in one line.

Lives here: what is alike, and what a line says. Does not live here: documents and their order (documents), HTML
(templates). Called by documents.

A lost table is one finding, not two hundred: fields that the record leaves open for the same reason share a line that
names the numbers among them and counts the rest. A value that differs from the label's always stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractor.evaluation.outcomes import FieldOutcome, Verdict
from extractor.evaluation.report.wording import name_fields, order_fields, write_content, write_plural
from extractor.model import CellState

# The worse, the earlier. `open` is an honest answer, and only costs a person's time.
_VERDICTS: tuple[Verdict, ...] = ("wrong", "invented", "missing", "open", "right")
_SAME_NUMBER = "the number agrees, the cell's text does not"


class FateLine(NamedTuple):
    """Fields of one section that fared alike. `chance`: p(wrong) by the certificate's scorer, or a range of it."""

    places: str
    fields: int
    printed: str
    said: str
    outcome: str
    is_accepted_wrong: bool
    flags: tuple[str, ...]
    chance: str
    remark: str


def is_settled(field: FieldOutcome) -> bool:
    """Right and accepted, or a fact that is rightly left out: there is nothing to accept."""
    return field.verdict == "right" and (field.is_accepted or field.found is None)


def draw_fates(fields: Sequence[FieldOutcome], generation: str) -> Iterator[FateLine]:
    """The lines of one document, the worst first."""
    unsettled = {field.field_id: field for field in fields if not is_settled(field)}
    alike: dict[tuple[object, ...], list[FieldOutcome]] = {}
    for field_id in order_fields(unsettled, generation):
        field = unsettled[field_id]
        alike.setdefault(_fate(field), []).append(field)
    for group in sorted(alike.values(), key=lambda group: _urgency(group[0])):
        yield _draw_line(group, generation)


def _fate(field: FieldOutcome) -> tuple[object, ...]:
    values = (field.expected, field.printed, field.said) if _has_other_value(field) else ()
    return field.group, field.is_accepted, field.verdict, field.found, field.flags, values


def _has_other_value(field: FieldOutcome) -> bool:
    """Whether label and record are to be compared by eye."""
    return field.verdict in ("wrong", "invented") or (field.said is not None and field.said != field.printed)


def _urgency(field: FieldOutcome) -> tuple[object, ...]:
    return not field.is_wrong_and_accepted, _VERDICTS.index(field.verdict), not field.is_nonzero


def _draw_line(group: Sequence[FieldOutcome], generation: str) -> FateLine:
    field = group[0]
    is_one_value = len(group) == 1 or _has_other_value(field)
    is_same_number = field.verdict == "wrong" and field.said == field.printed and field.found is field.expected
    return FateLine(
        places=_name_places(group, generation, has_values=not is_one_value),
        fields=len(group),
        printed=write_content(field.expected, field.printed) if is_one_value else _count_contents(group),
        said=_write_said(field, is_one_value),
        outcome=_write_outcome(field),
        is_accepted_wrong=field.is_wrong_and_accepted,
        flags=field.flags,
        chance=_write_chances([other.p_wrong for other in group if other.p_wrong is not None]),
        remark=_SAME_NUMBER if is_same_number else "",
    )


def _name_places(group: Sequence[FieldOutcome], generation: str, *, has_values: bool) -> str:
    """All places; where values differ, the numbers among them, each with its place."""
    numbers = [field for field in group if field.is_nonzero]
    if not has_values or not numbers:
        return name_fields([field.field_id for field in group], generation)
    values = {field.field_id: write_content(field.expected, field.printed) for field in numbers}
    return name_fields(list(values), generation, values)


def _count_contents(group: Sequence[FieldOutcome]) -> str:
    """What the label has in these fields, counted: numbers, zeros, blanks and so on."""
    contents = Counter(_sort_content(field) for field in group)
    named = [write_plural(contents.pop(noun), noun) for noun in ("number", "zero", "text") if noun in contents]
    return ", ".join([*named, *(f"{count} {name}" for name, count in sorted(contents.items()))])


def _sort_content(field: FieldOutcome) -> str:
    if field.expected is not CellState.VALUE:
        return write_content(field.expected, None)
    return "text" if isinstance(field.printed, str) else "number" if field.is_nonzero else "zero"


def _write_said(field: FieldOutcome, is_one_value: bool) -> str:
    if field.verdict == "right":
        return "the same"
    if is_one_value or field.said is None:
        return write_content(field.found, field.said)
    return f"the same ({write_content(field.found, None)})"


def _write_outcome(field: FieldOutcome) -> str:
    if field.is_accepted:
        return f"{field.verdict}, accepted"
    return field.verdict if field.verdict in ("open", "missing") else f"{field.verdict}, in review"


def _write_chances(chances: Sequence[float]) -> str:
    ends = dict.fromkeys(f"{chance:.2g}" for chance in (min(chances), max(chances))) if chances else {}
    return " – ".join(ends)
