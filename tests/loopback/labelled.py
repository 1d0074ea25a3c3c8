"""Truths of real documents, from their labels (eval/gold and folders like it).

A label holds values; what is printed for header facts and numbers of the running text is looked up in
the document. Does not live here: the label format (eval/README.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from extractor.errors import SourceError
from extractor.forms import load_forms
from extractor.llm.wire import FactName, StatedFact
from extractor.readers.numerals import YEAR, parse_small_numeral, parse_year, read_numeral
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.sources.view import fold_view
from tests.loopback.truths import Truth, squeeze

_NUMERAL = "[\\d一二三四五六七八九十〇○零元廿卅]{1,3}"
_DATE = re.compile(
    f"(?:(?P<year>{YEAR})\\s*[-/.年]\\s*)?(?P<month>{_NUMERAL})\\s*[-/.月]\\s*(?P<day>{_NUMERAL})(?:\\s*日)?"
)
_DENIAL = re.compile("未(?:收到|收取|发生|产生|接到|受理)|没有(?:收到|收取|发生)?|无(?:收取)?|零")
_CHINESE_NUMBER = re.compile("[〇零一二两三四五六七八九十百千万]+")
_CLAUSE = re.compile("[^,。;!?\n]+")
#: Words by which a fact without a quote in its label is found.
_FACT_WORDS: Mapping[FactName, str] = {
    "proactive_items_total": "主动公开",
    "website_items": "网站",
    "wechat_items": "微信|公众号",
    "applications_received": "(?:收到|受理|接收).*申请|申请.*(?:收到|受理|接收)",
    "applications_answered": "答复|办结",
    "reviews": "复议",
    "litigations": "诉讼",
    "information_processing_fee_yuan": "处理费",
}


def load_truths(folders: Iterable[Path]) -> list[Truth]:
    """The truths of all labelled documents in these folders that can be read."""
    return [truth for folder in folders for path in sorted(folder.glob("*.json")) if (truth := load_truth(path))]


def load_truth(path: Path) -> Truth | None:
    """The truth that one label tells; None where the document is not there, or of a kind that is not read."""
    # Decimals stay as they are written.
    label = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    try:
        view = load_document(path.resolve().parents[2] / label["file"], Settings()).view
    except SourceError:
        return None
    cells, tokens = _read_tables(label)
    return Truth(
        name=path.stem,
        view=view,
        cells=cells,
        tokens=tokens,
        header=_find_header(label["header"], view),
        facts=tuple(_find_facts(label["narrative"], view)),
    )


# ---------------------------------------------------------------- tables


def _read_tables(label: Mapping[str, Any]) -> tuple[dict[str, str | None], dict[str, tuple[str, ...]]]:
    cells: dict[str, str | None] = {}
    tokens: dict[str, tuple[str, ...]] = {}
    for section_id, generation in label["generation"].items():
        section = load_forms().section(section_id, generation)
        if section is None:
            continue
        kept = label[section_id].get("row_tokens", {})
        for row in section.rows:
            ids = [section.field_id(row.id, column.id) for column in row.columns]
            values = _row_values(label[section_id], row.id, [column.id for column in row.columns])
            if "position_unknown" in values:
                # Of a table that is one row, the kept tokens belong to no row.
                tokens[f"{section_id}.{row.id}"] = tuple(kept.get(row.id, ())) if isinstance(kept, dict) else ()
            else:
                printed = zip(ids, values, strict=True)
                cells |= {field_id: _read_token(value) for field_id, value in printed if value != "row_absent"}
    return cells, tokens


def _row_values(table: Mapping[str, Any], row_id: str, column_ids: Sequence[str]) -> list[object]:
    if row_id in table:
        return list(table[row_id])
    return [table.get(f"{row_id}.{column_id}", "row_absent") for column_id in column_ids]


def _read_token(value: object) -> str | None:
    """A label's cell as printed: 4, {"value", "raw"}, "blank", "na_mark:/"."""
    if isinstance(value, dict):
        return str(value["raw"])
    text = str(value)
    if text == "blank":
        return None
    return text.partition(":")[2] if ":" in text else text


# ---------------------------------------------------------------- header


def _find_header(header: Mapping[str, Any], view: str) -> dict[str, str]:
    """What the document prints for each fact of the header; one that is not found is left out."""
    found = {name: _find_as_is(header.get(name), view) for name in ("title", "agency_name", "contact_phone")}
    found |= {name: _find_as_is(header.get(name), view) for name in ("contact_address", "website")}
    year = header.get("report_year")
    found["report_year"] = next((m[0] for m in re.finditer(YEAR, view) if year and parse_year(m[0]) == year), None)
    start, end = (_find_dates(header.get(name), view) for name in ("period_start", "period_end"))
    published = _find_dates(header.get("published_on"), view)
    found["period_start"] = start[0] if start else None
    found["period_end"] = end[0] if end else None
    found["published_on"] = published[-1] if published else None
    return {name: text for name, text in found.items() if text}


def _find_as_is(text: str | None, view: str) -> str | None:
    return text if text and squeeze(fold_view(text)) in squeeze(view) else None


def _find_dates(iso: str | None, view: str) -> list[str]:
    """Every printed form of a date, those with a year first choice, else those without one."""
    if not iso:
        return []
    year, month, day = map(int, iso.split("-"))
    same_day = [
        match
        for match in _DATE.finditer(view)
        if (parse_small_numeral(match["month"]), parse_small_numeral(match["day"])) == (month, day)
    ]
    dated = [match[0] for match in same_day if match["year"] and parse_year(match["year"]) == year]
    return dated or [match[0] for match in same_day if not match["year"]]


# ---------------------------------------------------------------- running text


def _find_facts(narrative: Mapping[str, Any], view: str) -> Iterator[StatedFact]:
    quotes = narrative.get("quotes", {})
    for name in get_args(FactName):
        value = narrative.get(name)
        if value is None:
            continue
        quote = quotes.get(name) or _find_clause(name, int(value), view)
        number = _find_number(int(value), quote) if quote and squeeze(fold_view(quote)) in squeeze(view) else None
        if quote and number:
            yield StatedFact(fact=name, number=number, quote=quote)


def _find_clause(name: FactName, value: int, view: str) -> str | None:
    """The first clause that speaks of the fact and holds its number."""
    speaks = re.compile(_FACT_WORDS[name])
    clauses = (match[0].strip() for match in _CLAUSE.finditer(view))
    return next((clause for clause in clauses if speaks.search(clause) and _find_number(value, clause)), None)


def _find_number(value: int, text: str) -> str | None:
    """The number as the text prints it: in digits, in Chinese numerals, or as a denial for 0."""
    folded = fold_view(text)
    match = re.search(rf"(?<![\d.]){value}(?!\d|\.\d)", folded) or re.search(rf"(?<![\d.]){value:,}(?!\d)", folded)
    if match is None:
        match = next((m for m in _CHINESE_NUMBER.finditer(folded) if read_numeral(m[0]) == value), None)
    if match is None and value == 0:
        match = _DENIAL.search(folded)
    return text[match.start() : match.end()] if match else None
