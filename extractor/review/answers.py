"""What a reviewer says of a field -> the word that is kept.

Lives here: reading and refusing answers. Does not live here: who may answer (desk), answers to a whole question
(choices), what a word does to the record (extractor.pipeline.apply_rulings). Called by desk and choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal

from extractor.errors import BadAnswer
from extractor.forms import load_codebook
from extractor.model import CellState, Record, RecordField, RulingAction, Unit, Word
from extractor.readers.cells import Token, read_cell
from extractor.sources.view import fold_view
from extractor.store.shapes import FieldReview, Item

#: Stands for the field of an item that asks about the document as a whole.
DOCUMENT = "document"
#: States that say what is printed.
SAYS = frozenset({CellState.VALUE, CellState.BLANK, CellState.NA_MARK, CellState.ROW_ABSENT})
_NOTHING = Word(CellState.NOT_READ)
_WITHOUT_TEXT = frozenset({CellState.BLANK, CellState.ROW_ABSENT})
_SAYABLE = SAYS | {CellState.UNPARSABLE}
_DATES = frozenset({"header.published_on", "header.period_start", "header.period_end"})
_WORDS = (".label", ".unit")
_LONGEST = 4000

AnswerAction = Literal["accepted", "corrected", "source_wrong", "unknowable", "as_suggested"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says of one field.

    Attributes:
        action: see extractor.model.RulingAction; `as_suggested` corrects to the first suggestion.
        text: what is printed, as printed: `8件`, `/`, empty for an empty cell. For `corrected`, and for `source_wrong`
            where the extraction is wrong, too.
        state: of a cell that holds no number: `row_absent`, `unparsable` (with its text), `blank`, `na_mark`.
        unit: of money, where neither text nor column says it.
    """

    field_id: str
    action: AnswerAction
    text: str | None = None
    state: CellState | None = None
    unit: Unit | None = None


def read_answers(
    item: Item, record: Record, answers: Iterable[Answer], *, is_whole: bool = True
) -> tuple[FieldReview, ...]:
    """Read the answers to an item, in the order of its fields.

    Args:
        record: the live one.
        is_whole: whether every field must be answered.

    Raises:
        BadAnswer: a field that the item does not ask about, two answers or none to a field, or one that cannot be read.
    """
    fields = item.fields or (DOCUMENT,)
    given: dict[str, Answer] = {}
    for answer in answers:
        if answer.field_id not in fields:
            raise BadAnswer(
                f"{answer.field_id}: item {item.id} does not ask about it. Load the item again.",
                f"{answer.field_id}：第 {item.id} 题没有问它。请重新打开本题。",
            )
        if answer.field_id in given:
            raise BadAnswer(
                f"{answer.field_id}: answered twice. Give one answer.", f"{answer.field_id}：答了两次。请只答一次。"
            )
        given[answer.field_id] = answer
    missing = [name for name in fields if name not in given]
    if missing and is_whole:
        raise BadAnswer(
            f"{missing[0]} and {len(missing) - 1} more: not answered. Answer every field of the item.",
            f"{missing[0]} 等 {len(missing)} 格还没有回答。请回答本题的每一格。",
        )
    return tuple(read_answer(given[name], record.fields.get(name)) for name in fields if name in given)


def read_answer(answer: Answer, field: RecordField | None) -> FieldReview:
    """Read one answer.

    Args:
        field: of the live record; None where the record has no such field.

    Raises:
        BadAnswer: it cannot be read as what is printed in this field.
    """
    name = answer.field_id
    if name == DOCUMENT:
        if answer.action not in ("accepted", "unknowable"):
            raise BadAnswer(
                f"{name}: {answer.action} answers no question about a whole document. Accept it or give up.",
                "这一题问的是整份文件：只能答「照录」或「原文无从得知」。",
            )
        return FieldReview(name, answer.action, _NOTHING, _NOTHING)
    if field is None:
        raise BadAnswer(
            f"{name}: the record has no such field any more. Load the item again.",
            f"{name}：记录里已没有这一格。请重新打开本题。",
        )
    before = word_of(field)
    match answer.action:
        case "unknowable":
            return FieldReview(name, "unknowable", before, before)
        case "accepted":
            return FieldReview(name, "accepted", before, _accept(name, field))
        case "source_wrong":
            said = answer.text is not None or answer.state is not None
            return FieldReview(name, "source_wrong", before, _read(answer, field) if said else _accept(name, field))
        case "as_suggested":
            return _settle(name, field, _take_suggestion(name, field))
        case "corrected":
            return _settle(name, field, _read(answer, field))


def word_of(field: RecordField) -> Word:
    """What a field says."""
    return Word(field.state, field.value, field.raw, field.unit)


def is_same_word(one: Word, other: Word) -> bool:
    """Whether two words say the same, however the token of a value is written."""
    if one.state is CellState.UNPARSABLE and one.raw != other.raw:
        return False
    return (one.state, one.value, one.unit) == (other.state, other.value, other.unit)


def _settle(name: str, field: RecordField, said: Word) -> FieldReview:
    """A correction to what was extracted accepts it."""
    before = word_of(field)
    action: RulingAction = "accepted" if is_same_word(said, before) else "corrected"
    return FieldReview(name, action, before, before if action == "accepted" else said)


def _accept(name: str, field: RecordField) -> Word:
    if field.state not in SAYS:
        raise BadAnswer(
            f"{name}: nothing was extracted that could be accepted ({field.state.value}). "
            "Type what is printed, or answer that the source does not tell.",
            f"{name}：没有读出可以照录的内容。请按原文填写，或答「原文无从得知」。",
        )
    return word_of(field)


def is_sure_suggestion(field: RecordField) -> bool:
    """Whether there is one suggestion, which rests on one explanation and tells an empty cell from a 0."""
    only = len(field.suggestions) == 1 and field.suggestions[0].ties == 1
    return only and not (_may_be_blank(field) and _prints_zero(field))


def _take_suggestion(name: str, field: RecordField) -> Word:
    if not field.suggestions:
        raise BadAnswer(
            f"{name}: nothing is suggested for it. Type what is printed.", f"{name}：没有建议值。请按原文填写。"
        )
    if _may_be_blank(field):
        if _prints_zero(field):
            raise BadAnswer(
                f"{name}: the suggestion does not tell an empty cell from a 0. Type what is printed.",
                f"{name}：建议值分不清空格与 0。请按原文填写。",
            )
        return Word(CellState.BLANK)
    value = field.suggestions[0].value
    plain = format(value, "f") if isinstance(value, Decimal) else str(value)
    raw = field.raw if field.raw and field.value == value else plain  # of a run of digits its own piece
    return Word(CellState.VALUE, value, raw, _unit_of(name, field, None, None))


def _may_be_blank(field: RecordField) -> bool:
    """Whoever places lost numbers counts an empty cell as 0."""
    return field.state is CellState.POSITION_UNKNOWN and field.suggestions[0].value == 0


def _prints_zero(field: RecordField) -> bool:
    """Whether a 0 is among the numbers of a line that lost its columns."""
    return any(one.raw is not None and read_cell(fold_view(one.raw)).value == 0 for one in field.candidates)


def _read(answer: Answer, field: RecordField) -> Word:
    name, text = answer.field_id, answer.text
    if text is None and answer.state is None:
        raise BadAnswer(
            f"{name}: a correction needs what is printed. Type it; an empty text means an empty cell.",
            f"{name}：更正要写明原文所印；空白表示空格。",
        )
    text = (text or "").strip()
    if len(text) > _LONGEST:
        raise BadAnswer(
            f"{name}: {len(text)} characters are too many. Type what is printed in this field only.",
            f"{name}：{len(text)} 个字太多。请只写这一格所印的内容。",
        )
    if answer.state is not None and answer.state is not CellState.VALUE:
        return _read_state(name, answer.state, text)
    if not text:
        return Word(CellState.BLANK)
    if _is_text(name, field):
        return Word(CellState.VALUE, _read_text(name, text), text)
    return _read_number(answer, field, text)


def _read_state(name: str, state: CellState, text: str) -> Word:
    if state not in _SAYABLE:
        raise BadAnswer(
            f"{name}: {state.value} does not say what is printed. Answer that the source does not tell.",
            f"{name}：{state.value} 没有说明原文所印。请答「原文无从得知」。",
        )
    if (state in _WITHOUT_TEXT) == bool(text):
        problem = "has no text" if text else "needs its text"
        problem_zh = "不应有文字" if text else "要写明文字"
        raise BadAnswer(
            f"{name}: what is {state.value} {problem}. Correct one of them.",
            f"{name}：状态为 {state.value} 时{problem_zh}。请改其一。",
        )
    return Word(state, None, text or None)


def _read_text(name: str, text: str) -> str:
    if name in _DATES:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise BadAnswer(
                f"{name}: {text!r} is no day. Write it like 2024-01-16.",
                f"{name}：「{text}」不是日期。请写成 2024-01-16。",
            ) from None
    return text


def _read_number(answer: Answer, field: RecordField, text: str) -> Word:
    token = read_cell(fold_view(text))
    if token.state is CellState.BLANK:
        return Word(CellState.BLANK)
    if token.state is CellState.NA_MARK:
        return Word(CellState.NA_MARK, None, text)
    if token.state is not CellState.VALUE or token.value is None or token.is_glued:
        raise BadAnswer(
            f"{answer.field_id}: {text!r} is no number as a cell of the form prints one. Type what is printed in this "
            "cell only, or say that what is printed cannot be read.",
            f"{answer.field_id}：「{text}」不是表格单元格里印的数字。请只写这一格所印的内容，或说明所印的不是数字。",
        )
    return Word(CellState.VALUE, token.value, text, _unit_of(answer.field_id, field, token, answer.unit))


def _unit_of(name: str, field: RecordField, token: Token | None, given: Unit | None) -> Unit | None:
    """As printed, else as given, else as the extraction or the form has it; counts have none."""
    column_unit = _money_fields().get(name)
    if column_unit is None:
        return token.unit if token and token.unit else field.unit
    known: Unit = "wan" if column_unit == "wan" else "yuan" if column_unit == "yuan" else "unknown"
    return (token.unit if token else None) or given or field.unit or known


@cache
def _money_fields() -> Mapping[str, str]:
    return {entry.id: entry.unit for entry in load_codebook() if entry.unit}


def _is_text(name: str, field: RecordField) -> bool:
    kind = _kinds().get(name)
    if kind:
        return kind == "text"
    return isinstance(field.value, str) or name.endswith(_WORDS) or not name.startswith("indicators.")


@cache
def _kinds() -> Mapping[str, str]:
    return {entry.id: entry.kind for entry in load_codebook()}
