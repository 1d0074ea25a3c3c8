"""The nouns of the house: what passes from stage to stage.

Lives here: frozen data only. Does not live here: any behaviour beyond construction, any IO, any
knowledge of the form. Imports nothing of ours. The parts are plain frozen dataclasses, because
they are made by the thousand; the Record that leaves the program is a pydantic model over them, so
that its JSON Schema can be published and checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict

# ---------------------------------------------------------------- states and small words


class CellState(StrEnum):
    """What is known about one cell of the form."""

    VALUE = "value"
    BLANK = "blank"
    NA_MARK = "na_mark"
    ROW_ABSENT = "row_absent"
    POSITION_UNKNOWN = "position_unknown"
    INFERRED_BY_EQUATION = "inferred_by_equation"
    UNPARSABLE = "unparsable"
    NOT_READ = "not_read"


class Status(StrEnum):
    """How a document ended. `partial`: something that exists could not be read."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_A_REPORT = "not_a_report"


Decision = Literal["accepted", "review"]
# What a person said of a field. `accepted`: it is printed as extracted. `corrected`: something else is printed, or
# nothing. `source_wrong`: it is printed so, and the report itself is wrong. `unknowable`: this source does not tell.
RulingAction = Literal["accepted", "corrected", "source_wrong", "unknowable"]
Severity = Literal["error", "warning", "info"]
# `assumed`: values were inferred from the equation, so that it holds by construction and is no evidence for them.
EquationOutcome = Literal["pass", "fail", "not_evaluable", "assumed"]
# Who is to blame for a failed equation. `source_inconsistent`: the report prints it so; `extraction_error`: another
# reading of the source settles it; `inconclusive`: all else.
Verdict = Literal["source_inconsistent", "extraction_error", "inconclusive"]
# How a model's quote was found in the source: character for character, after folding width and space, or not at all.
Alignment = Literal["exact", "normalised", "not_found"]
# How a section or a row of the form ended.
Outcome = Literal["read", "blank", "absent", "failed"]
Unit = Literal["yuan", "wan", "unknown"]

# Facts outside the tables; a field of theirs is in a record only where the text states it.
HEADER_FIELDS = (
    "title",
    "agency_name",
    "report_year",
    "published_on",
    "contact_phone",
    "contact_address",
    "website",
    "period_start",
    "period_end",
)
NARRATIVE_FIELDS = (
    "proactive_items_total",
    "website_items",
    "wechat_items",
    "normative_documents_issued",
    "normative_documents_repealed",
    "normative_documents_in_force",
    "applications_received",
    "applications_carried_in",
    "applications_granted",
    "applications_partially_granted",
    "applications_granted_or_partially_granted",
    "applications_refused",
    "applications_unable",
    "applications_not_processed",
    "applications_other_result",
    "applications_answered",
    "applications_carried_out",
    "reviews",
    "litigations",
    "information_processing_fee_yuan",
    "admin_fees_wan",
)

# ---------------------------------------------------------------- document and its blocks


class Cell(NamedTuple):
    """One printed cell: its interval in the source text and its place in the grid.

    `row` and `column` count from 0. In a grid of kind `stream` the row is always 0 and the column
    is only the order of appearance; in `rows` the column is the order within the row.
    """

    start: int
    end: int
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """A section heading. `section` is the section's id."""

    section: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, possibly of several lines, possibly a table whose cells nothing separates."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells that the source itself separates.

    Attributes:
        index: number of the grid in its document.
        kind: `matrix` (true geometry), `rows` (rows known, merged cells collapsed) or `stream`
            (only the order of cells is known).
        width: columns of a matrix; 0 otherwise.
        is_padded: whether rows were filled up at their end to one width, which hides whether
            empty cells were dropped. Decided once per grid by the source; binds every reader.
        cells: in reading order.
    """

    index: int
    start: int
    end: int
    kind: Literal["matrix", "rows", "stream"]
    width: int
    is_padded: bool
    cells: tuple[Cell, ...]

    def __hash__(self) -> int:
        return hash((self.index, self.start, self.end))  # hashing hundreds of cells would cost more than reading them


Block = Heading | Paragraph | Grid


@dataclass(frozen=True, slots=True)
class Document:
    """One source file.

    Attributes:
        id: sha256 of the raw bytes, hexadecimal.
        text: the decoded linear text, before normalisation. Spans are intervals in it.
        view: what readers see: exactly as long as `text`, character for character, with width,
            script and residue folded (see extractor.sources.view). `view[i]` stands at `text[i]`.
        blocks: headings, paragraphs and grids in reading order; they do not overlap.
        notices: findings of the source stage.
        raw: the bytes as found.
        paper: where the text stands on its pages; None for sources without pages.
    """

    id: str
    path: str
    media_type: str
    text: str
    view: str
    blocks: tuple[Block, ...]
    notices: tuple[Flag, ...] = ()
    raw: bytes = b""
    paper: Paper | None = None


# ---------------------------------------------------------------- paper

#: Left, top, right, bottom in the units of the page; the origin is its top left corner as a viewer shows it.
Box = tuple[float, float, float, float]

#: Stands in the text for ink that nobody could read (the geta mark of Japanese typesetting): no cell with it is blank.
UNREAD = "〓"

# Why what was recognised from ink is not certain. `unsure`: the engine's own confidence is low; `looks_differ`: two
# recognitions of the same ink differ; `one_look`: recognised once only; `faint`: an empty cell with traces of
# something; `structure`: two ways to find the cells of the table differ here.
Doubt = Literal["unsure", "looks_differ", "one_look", "faint", "structure"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of paper.

    Attributes:
        number: counts from 1.
        width, height: in `unit`, as a viewer shows the page.
        unit: points (72 an inch) in a PDF, pixels in a picture.
        turn: degrees clockwise (0, 90, 180, 270) by which what a viewer shows must be turned to be upright.
        read_by: `text_layer`, `ocr`, `nothing` (an empty page), or `failed`.
        name: of the picture, for one that a web page or a Word file shows (extractor.sources.open_page); else empty.
    """

    number: int
    width: float
    height: float
    unit: Literal["pt", "px"]
    turn: int = 0
    read_by: Literal["text_layer", "ocr", "nothing", "failed"] = "text_layer"
    name: str = ""


class InkedText(NamedTuple):
    """A word: its interval in the source text and where it stands on paper. `confidence` 0 to 1, None: text layer."""

    start: int
    end: int
    page: int
    box: Box
    confidence: float | None = None
    doubt: Doubt | None = None


class CellPlace(NamedTuple):
    """Where a cell of a grid stands on paper, empty or not. `doubt` is that of the cell as a whole."""

    page: int
    box: Box
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """Where everything in the text of a paged source stands.

    Attributes:
        pages: in order, `pages[n].number == n + 1`.
        words: by `start`, not overlapping.
        cells: by grid index, row and column of the cell.
    """

    pages: tuple[Page, ...]
    words: tuple[InkedText, ...]
    cells: Mapping[tuple[int, int, int], CellPlace]


class CellRange(NamedTuple):
    """Cells `first` to `last` (half-open) of grid number `grid`."""

    grid: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One part of the form.

    Attributes:
        section: id of the section, or `header` for what stands before the first heading.
        start, end: interval in the source text (heading included).
        has_heading: whether the section's heading was found.
        table: where the cells of the section's table are: ranges of grid cells, or, when nothing
            separates them, one interval of running text in `run`. Both empty: no table found.
        run: interval of running text that holds the table.
    """

    section: str
    start: int
    end: int
    has_heading: bool
    table: tuple[CellRange, ...] = ()
    runs: tuple[tuple[int, int], ...] = ()


# ---------------------------------------------------------------- evidence and readings


@dataclass(frozen=True, slots=True)
class Place:
    """Where evidence stands on paper.

    Attributes:
        page: number of the page, from 1.
        box: around all of it that stands on this page.
        confidence: the least of its characters by the OCR engine, 0 to 1, and 1 of an empty cell on a page read by OCR;
            None where a text layer gave them.
    """

    page: int
    box: Box
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Evidence: a half-open interval in the source text, the grid cell it stands in, and its place on paper."""

    start: int
    end: int
    table: int | None = None
    row: int | None = None
    cell: int | None = None
    place: Place | None = None


def _as_json_number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)


def _keep_point(value: object) -> object:
    return Decimal(repr(value)) if isinstance(value, float) else value


# Money may have decimals: exact in Python, a plain number in JSON (the raw token stands beside it). What is 3.0 in JSON
# is read as a Decimal with its point, so that a record that was read is written as it was.
Number = (
    Annotated[int, Strict()]
    | Annotated[
        Decimal,
        BeforeValidator(_keep_point),
        PlainSerializer(_as_json_number, return_type=float | int, when_used="json"),
    ]
)
# Text facts (title, phone) are strings; dates are ISO 8601 strings. A text of digits read from JSON stays a text.
Value = Annotated[Annotated[str, Strict()] | Number, Field(union_mode="left_to_right")]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed value for one field from one reader. `alignment`: for a model's reply, how it was found."""

    state: CellState
    value: Value | None = None
    unit: Unit | None = None
    raw: str | None = None
    spans: tuple[Span, ...] = ()
    reader: str = "template"
    alignment: Alignment | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that arithmetic or another source proposes. Never printed, never accepted.

    Attributes:
        method: how it was found (docs/reconciliation.md lists them).
        basis: what it rests on: equations, hypotheses, other readings.
        cost: weight of the cells that it changes, together with those proposed with it; 0 where nothing printed
            is changed.
        ties: how many explanations of the same cost there are, this one included.
    """

    value: Number
    method: str
    basis: str
    cost: int = 0
    ties: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A finding in both languages of the review page."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A finding for a person. A flag that names fields sends them to review."""

    code: str
    severity: Severity
    message: Message
    fields: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one reader says about one document.

    Attributes:
        generation: form generation per table section.
        candidates: per field id, best first; more than one where the document prints a row twice.
        is_report: whether the document is a yearly report at all.
        unread: what exists and could not be read, beyond the states of the candidates.
        versions: what the reading depends on beyond the program: model, prompts, kind of replies.
    """

    reader: str
    generation: Mapping[str, str]
    candidates: Mapping[str, tuple[Candidate, ...]]
    flags: tuple[Flag, ...] = ()
    is_report: bool = True
    unread: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


# ---------------------------------------------------------------- the record


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from. The same bytes found twice are one document, two origins."""

    path: str
    url: str | None = None
    site: str | None = None
    fetched_at: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentIdentity:
    """`id` is the sha256 of the bytes; null only when the file could not be opened."""

    id: str | None
    path: str
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says a field prints: a person, or the extraction at the time when a person looked at it."""

    state: CellState
    value: Value | None = None
    raw: str | None = None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's standing word on one field; of a field looked at by two, the word of both.

    Attributes:
        by: names of the reviewers.
        at: when the last of them said so, ISO 8601 in UTC.
        review: number of the review in the store.
        word: what the person says is printed; for `unknowable` what was extracted.
    """

    action: RulingAction
    by: tuple[str, ...]
    at: str
    review: int
    word: Word


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field of the form as printed, who read it, who read the same, and what else was proposed.

    Attributes:
        p_wrong: chance that the value is not what is printed, by a certificate's scorer; null without one.
        ruling: a person's word on the field; state, value, raw and unit are then those of its word, `reader` is
            `person`, and what was extracted is the first of `candidates`. After `unknowable` it stays so.
    """

    state: CellState
    value: Value | None
    raw: str | None
    spans: tuple[Span, ...]
    reader: str
    decision: Decision
    unit: Unit | None = None
    candidates: tuple[Candidate, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    confirmed_by: tuple[str, ...] = ()
    p_wrong: float | None = None
    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True)
class EquationResult:
    """One equation confronted with the record.

    `residual` is left minus right; for a bound that is broken, the excess that no missing term
    can explain; null when nothing can be said. `verdict` is given where it fails.
    """

    id: str
    result: EquationOutcome
    residual: Number | None
    fields: tuple[str, ...]
    verdict: Verdict | None = None


class Record(BaseModel):
    """All that the program says about one document. Its JSON Schema is docs/record.schema.json.

    `ledger` says of every section, and of every row of its table, how it ended.
    """

    model_config = ConfigDict(frozen=True)

    document: DocumentIdentity
    status: Status
    origins: tuple[Origin, ...]
    generation: dict[str, str] = {}
    fields: dict[str, RecordField] = {}
    equations: tuple[EquationResult, ...] = ()
    flags: tuple[Flag, ...] = ()
    ledger: dict[str, Outcome] = {}
    versions: dict[str, str] = {}
