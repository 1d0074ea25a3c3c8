"""The format of a label file: what may stand in it. Its JSON Schema is docs/label.schema.json.

Lives here: the keys, the ways to write a cell, reading JSON without losing anything. Does not live here: what a
label means to an evaluation (labels), whether it fits its form and its document (check). Called by labels and check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from extractor.evaluation.label_values import Amount, CellOrRow, Count, DayFact, Filled, LabelledCell, Text, TextFact
from extractor.forms import TABLE_SECTIONS

#: Where a document comes from; kinds are counted apart. `real`: as found. `re-set`: a real report's figures in a file
#: made for the purpose. `generated`: made-up figures. `corrupted`: damaged on purpose, whatever it was before.
DocumentKind = Literal["real", "re-set", "generated", "corrupted"]
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)

_Section = Annotated[str, StringConstraints(pattern=f"^({'|'.join(TABLE_SECTIONS)})$")]
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class Header(BaseModel):
    """Facts of the header; null: the document does not state it; left out: not labelled, and not judged."""

    model_config = _CLOSED

    title: TextFact = None
    agency_name: TextFact = None
    report_year: Annotated[Annotated[int, Strict(), Field(ge=1990, lt=2100)] | None, Filled] = None
    published_on: DayFact = Field(default=None, description="Date of signature where there is one, else the page's.")
    contact_phone: TextFact = None
    contact_address: TextFact = None
    website: TextFact = None
    period_start: DayFact = None
    period_end: DayFact = None
    page_date: DayFact = Field(
        default=None, description="The page's own date, beside a date of signature; nothing reads it."
    )


class Narrative(BaseModel):
    """Numbers of the running text; null: the text does not state it; left out: not labelled, and not judged."""

    model_config = _CLOSED

    proactive_items_total: Count = None
    website_items: Count = None
    wechat_items: Count = None
    normative_documents_issued: Count = None
    normative_documents_repealed: Count = None
    normative_documents_in_force: Count = None
    applications_received: Count = None
    applications_carried_in: Count = None
    applications_granted: Count = None
    applications_partially_granted: Count = None
    applications_granted_or_partially_granted: Count = None
    applications_refused: Count = None
    applications_unable: Count = None
    applications_not_processed: Count = None
    applications_other_result: Count = None
    applications_answered: Count = None
    applications_carried_out: Count = None
    reviews: Count = None
    litigations: Count = None
    information_processing_fee_yuan: Amount = None
    admin_fees_wan: Amount = None
    quotes: dict[str, Text] = Field(default={}, description="Of each number the words that state it, as printed.")


class Table(BaseModel):
    """One table. Its keys: rows of the form, with all cells in order, or single cells (`row.column`)."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, CellOrRow] = Field(init=False)

    row_tokens: dict[str, tuple[str, ...]] | tuple[str, ...] = Field(
        (), description="What is left of rows whose columns are lost; for people."
    )

    @property
    def entries(self) -> Mapping[str, LabelledCell | tuple[LabelledCell, ...]]:
        """Cells and rows by their key."""
        return self.__pydantic_extra__


class LabelFile(BaseModel):
    """What one document prints, cell by cell, as a person read it. See docs/label.md."""

    model_config = _CLOSED

    schema_: str = Field(default="", alias="$schema", description="Where an editor finds this schema.")
    draft: bool = Field(default=False, description="Not finished: no evaluation reads it.")
    file: Text = Field(description="The document, relative to a folder above the label.")
    kind: DocumentKind = "real"
    layout: str = Field(default="", description="How the document was laid out, where its maker knows.")
    damage: str = Field(default="", description="What was done to a corrupted document.")
    severity: int = Field(default=0, ge=0, le=3, description="Of the damage: 1 (mild) to 3; 0 where there is none.")
    generation: dict[_Section, str] = Field(description='Form of each table; "absent" where there is none.')
    source: str = Field(default="", description="Of a re-set or corrupted document: the label whose figures it has.")
    basis: dict[_Section, Annotated[Literal["read", "equations", "publisher_html", "set"], Filled]] = Field(
        default={},
        description="How the cells became known. equations: glued digits, divided with the help of the sums. "
        "publisher_html: read in another copy of the report. set: the document was made from them.",
    )
    header: Header = Header()
    proactive_disclosure: Table = Table(row_tokens=())
    applications: Table = Table(row_tokens=())
    review_litigation: Table = Table(row_tokens=())
    narrative: Narrative = Narrative()
    problems_count: int | None = Field(default=None, ge=0, description="Problems that section 五 names; for people.")
    measures_count: int | None = Field(default=None, ge=0, description="Measures that section 五 names; for people.")
    source_inconsistencies: tuple[Text, ...] = Field(
        (), description="What does not add up in the document. Of an equation, the sentence begins with its id."
    )
    not_evaluable: tuple[Text, ...] = Field(
        default=(), description="Equations with a term that is no number, id first."
    )
    as_set: dict[_Section, Table] = Field(
        default={}, description="What was set, where the layout hides it; for people."
    )
    rows_by_order: tuple[Text, ...] = Field(default=(), description="Rows told by their order, not by their label.")
    reviewed_by: tuple[Text, ...] = Field(
        default=(),
        description="Who read it on the review page, where the program's reading stood before them (extractor label "
        "--from-reviews); empty: labelled by hand.",
    )
    notes: str = ""
    to_check: tuple[str, ...] = Field(default=(), description="In a draft: what a person must look at.")

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by section, in the form's order."""
        return {name: getattr(self, name) for name in TABLE_SECTIONS}


def parse_json(text: str) -> Any:
    """JSON with exact decimals; a key that stands twice is an error, not the last one's word.

    Raises:
        ValueError: not JSON, a key twice, or a number with an exponent.
    """
    try:
        return json.loads(
            text, parse_float=_read_decimal, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice
        )
    except RecursionError:
        raise ValueError("brackets in brackets without end") from None


def _read_decimal(digits: str) -> Decimal:
    """No report prints 1e9, and work on 1e999999999 never ends."""
    if "e" in digits.lower():
        raise ValueError(f"{digits} has an exponent; write the digits that are printed")
    return Decimal(digits)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands twice in one object")
        found[key] = value
    return found


class Slip(NamedTuple):
    """What is wrong in a label: where, what, and what to do about it."""

    place: str
    problem: str
    remedy: str


def name_some(places: Sequence[str]) -> str:
    """Places of a slip, the first three of many."""
    return ", ".join(places if len(places) <= 3 else (*places[:3], "…"))


def describe_faults(error: ValidationError) -> list[Slip]:
    """What a label file has that the format does not allow."""
    return [
        Slip(_say_place(fault["loc"]), fault["msg"].removeprefix("Value error, "), "See docs/label.md for the format")
        for fault in error.errors()
    ]


def _say_place(place: tuple[int | str, ...]) -> str:
    """A place in the file, cells counted from 1, without the names that only the format's own making has."""
    words = [f"[{word + 1}]" if isinstance(word, int) else f".{word}" for word in place if word not in ("row", "cell")]
    return "".join(words).removeprefix(".") or "the file"
