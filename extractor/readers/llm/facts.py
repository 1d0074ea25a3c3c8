"""Header, running text and older reports by a model: quotes, and the numbers in them.

Lives here: asking for facts and finding every quote in the source. A number counts only inside its
quote, and the quote only where it stands in the text. Does not live here: tables of the national
form (tables).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from extractor.flags import make_flag
from extractor.grounding import NOT_FOUND, align_number, align_quote
from extractor.llm.calls import CallError, ReplyTruncated
from extractor.llm.wire import HeaderFacts, StatedFact
from extractor.model import HEADER_FIELDS, Candidate, CellState, Chunk, Document, Span, Unit, Value
from extractor.readers.cells import Token, read_cell
from extractor.readers.llm.asking import READER, PartReading, Questioner, ask_all
from extractor.readers.llm.render import render_header, render_narrative, render_older
from extractor.readers.numerals import YEAR, parse_small_numeral, parse_year
from extractor.readers.prose import make_iso_date

_DATES = ("published_on", "period_start", "period_end")
_DATE = re.compile(
    rf"({YEAR})\s*[-/.年]\s*([\d一二三四五六七八九十〇○零元廿卅]{{1,3}})\s*[-/.月]\s*([\d一二三四五六七八九十〇○零廿卅]{{1,3}})"
)
_YEAR = re.compile(YEAR)
_MOST_POINTS = 8
_MOST_SHOWN = 5
_LEAST_QUOTE = 6
_WAN = re.compile(r"(\d+(?:\.\d+)?)万")
_TABLE_MARKS = ("指标名称", "计量单位")
_IS_YEAR = re.compile(r"(?:19|20)\d\d[\s\x00|]*年")
_TOKEN = re.compile(r"[^\s\x00|]+")
_NUMBER = re.compile(r"(?<![^\s\x00|])\d[\d.,]*(?![^\s\x00|])")
_MONEY: dict[str, Unit] = {"万元": "wan", "元": "yuan"}


class FactQuestion:
    """Asks for what one document says in words."""

    def __init__(self, document: Document, chunks: Sequence[Chunk], questioner: Questioner) -> None:
        self.document = document
        self.chunks = chunks
        self.questioner = questioner
        self.reading = PartReading()
        self.ungrounded: list[tuple[str, str]] = []

    async def read_header(self) -> PartReading:
        """Title, agency, year, dates and contacts."""
        try:
            reply = await self.questioner.ask("header", render_header(self.document, self.chunks), {})
        except CallError as error:
            self.reading.fail(error, "报告首部", ["header"])
            return self.reading
        self._add_header(reply)
        self._flag_ungrounded()
        return self.reading

    async def read_narrative(self) -> PartReading:
        """Numbers that the text states, problems and measures."""
        texts = render_narrative(self.document, self.chunks, self.questioner.chunk_tokens)
        await self._ask_all("narrative", texts)
        return self.reading

    async def read_older(self) -> PartReading:
        """The same of a report before the national form, and its indicator table."""
        await self._ask_all("older_report", render_older(self.document, self.questioner.chunk_tokens))
        return self.reading

    # ------------------------------------------------------------ asking

    async def _ask_all(self, task: str, texts: Sequence[str]) -> None:
        questions = (self._ask_part(task, text) for text in texts if text)
        parts = await ask_all(questions, self.reading, "正文", "narrative")
        replies = [reply for part in parts for reply in part]
        self._add_facts(fact for reply in replies for fact in reply.facts)
        for name in ("problems", "measures"):
            self._add_points(name, [quote for reply in replies for quote in getattr(reply, name)[:_MOST_POINTS]])
        self._add_indicators([row for reply in replies for row in getattr(reply, "indicators", ())])
        self._flag_ungrounded()

    async def _ask_part(self, task: str, text: str) -> list[Any]:
        """The replies about one text; one that was cut off is asked for in two halves."""
        try:
            return [await self.questioner.ask(task, text, {})]
        except ReplyTruncated:
            lines = text.split("\n")
            if len(lines) < 2:
                raise
            middle = len(lines) // 2
            halves = ("\n".join(lines[:middle]), "\n".join(lines[middle:]))
            found = await asyncio.gather(*(self._ask_part(task, half) for half in halves))
            return [reply for half in found for reply in half]

    # ------------------------------------------------------------ header

    def _add_header(self, reply: HeaderFacts) -> None:
        for name in HEADER_FIELDS:
            said: str | None = getattr(reply, name)
            if not said or not said.strip():
                continue
            place = align_quote(self.document, 0, len(self.document.view), said.strip())
            if place.span is None:
                self.ungrounded.append((f"header.{name}", said))
                continue
            seen = self.document.view[place.span.start : place.span.end]
            if name == "period_end" and reply.period_start and not _YEAR.match(seen):
                seen = f"{reply.period_start[:4]}年{seen}"  # 2023年1月1日至12月31日
            value = _read_header_value(name, seen, place.raw or said)
            state = CellState.UNPARSABLE if value is None else CellState.VALUE
            candidate = Candidate(state, value, None, place.raw, (place.span,), READER, place.alignment)
            self.reading.candidates[f"header.{name}"] = (candidate,)

    # ------------------------------------------------------------ running text

    def _add_facts(self, facts: Iterable[StatedFact]) -> None:
        found: dict[str, dict[tuple[Value | None, Unit | None], Candidate]] = {}
        for fact in facts:
            field_id = f"narrative.{fact.fact}"
            quote = align_quote(self.document, 0, len(self.document.view), fact.quote)
            place = align_number(self.document, quote.span, fact.number) if quote.span else quote
            if place.span is None:
                self.ungrounded.append((field_id, fact.number))
                continue
            token = _read_number(self.document.view[place.span.start : place.span.end])
            unit = token.unit or self._unit_behind(place.span) if field_id.endswith("_yuan") else None
            candidate = Candidate(token.state, token.value, unit, place.raw, (place.span,), READER, place.alignment)
            same = found.setdefault(field_id, {})
            known = same.setdefault((token.value, unit), candidate)
            if place.span not in known.spans:  # stated again elsewhere
                same[token.value, unit] = replace(known, spans=(*known.spans, place.span))
        for field_id, candidates in found.items():
            items = tuple(candidates.values())
            self.reading.candidates[field_id] = items
            if len(items) > 1:
                raw = " / ".join(str(item.value) for item in items)
                spans = [item.spans[0] for item in items]
                self.reading.flags.append(
                    make_flag("narrative-several-values", fields=[field_id], spans=spans, raw=raw)
                )
            for item in items:
                if item.unit == "wan":
                    self.reading.flags.append(
                        make_flag("unit-differs", fields=[field_id], spans=item.spans, raw=f"{item.raw}万元")
                    )

    def _unit_behind(self, span: Span) -> Unit | None:
        behind = self.document.view[span.end : span.end + 2]
        return next((unit for word, unit in _MONEY.items() if behind.startswith(word)), None)

    def _add_points(self, name: str, quotes: Sequence[str]) -> None:
        """Quotes of section 五, as fields of their own: narrative.problems.1 and so on."""
        own = [chunk for chunk in self.chunks if chunk.section == "problems_improvements"]
        start, end = (own[0].start, own[-1].end) if own else (0, len(self.document.view))
        places: dict[Span, Candidate] = {}
        for quote in quotes:
            place = align_quote(self.document, start, end, quote) if len(quote) >= _LEAST_QUOTE else NOT_FOUND
            if place.span is None:
                self.ungrounded.append((f"narrative.{name}", quote))
                continue
            text = "".join((place.raw or quote).split())
            places[place.span] = Candidate(
                CellState.VALUE, text, None, place.raw, (place.span,), READER, place.alignment
            )
        for number, (_, candidate) in enumerate(sorted(places.items(), key=lambda item: item[0].start), start=1):
            self.reading.candidates[f"narrative.{name}.{number}"] = (candidate,)

    # ------------------------------------------------------------ older reports

    def _add_indicators(self, rows: Sequence[Sequence[str | None]]) -> None:
        """Rows of the indicator table in order: label, unit, this year, cumulative, each behind the one before."""
        position, number = 0, 0
        found: list[dict[str, Span]] = []
        for row in rows:
            cells = [(cell or "").strip() for cell in row[:4]]
            spans = self._find_row(cells, position) if cells and len(cells[0]) > 1 else None
            if spans is None:
                self.ungrounded.append(("indicators", " ".join(cells)))
                self.reading.unread.append("indicators")
                continue
            number += 1
            found.append(spans)
            position = max(span.end for span in spans.values())
            for name, span in spans.items():
                self.reading.candidates[f"indicators.{number}.{name}"] = (self._read_indicator(name, span),)
        if left_out := list(self._numbers_left_out(found)):  # rows that the reply passed over
            self.reading.unread.append("indicators")
            raw = " ".join(self.document.text[span.start : span.end] for span in left_out[:_MOST_SHOWN])
            self.reading.flags.append(make_flag("unclaimed-numbers", spans=left_out, raw=raw))

    def _numbers_left_out(self, found: Sequence[dict[str, Span]]) -> Iterator[Span]:
        """Numbers of the table that stand in no row that was found; a year in its header is none."""
        if not found:
            return
        view, taken = self.document.view, {span for spans in found for span in spans.values()}
        first, last = found[0]["label"].start, max(span.end for span in taken)
        start = max(view.rfind(mark, 0, first) for mark in _TABLE_MARKS)
        end = next((block.end for block in self.document.blocks if block.start < last <= block.end), last)
        for match in _NUMBER.finditer(view, first if start < 0 else start, end):
            if not any(span.start <= match.start() < span.end for span in taken) and not _IS_YEAR.match(
                view, match.start()
            ):
                yield Span(*match.span())

    def _find_row(self, cells: Sequence[str], position: int) -> dict[str, Span] | None:
        """The first place behind a position where the label is followed by its cells and nothing in between."""
        while True:
            label = align_quote(self.document, position, len(self.document.view), cells[0]).span
            if label is None:
                return None
            spans, end = {"label": label}, label.end
            is_whole = _is_edge(self.document.view, label.start - 1) and _is_edge(self.document.view, label.end)
            for name, cell in zip(("unit", "this_year", "cumulative"), cells[1:], strict=False):
                match = _TOKEN.search(self.document.view, end) if cell else None
                if match and match.group() == "".join(cell.split()):
                    spans[name], end = Span(*match.span()), match.end()
            if is_whole and len(spans) == 1 + sum(map(bool, cells[1:])):
                return spans
            position = label.end  # the running text uses the same words

    def _read_indicator(self, name: str, span: Span) -> Candidate:
        raw = self.document.text[span.start : span.end]
        if name in ("label", "unit"):
            return Candidate(CellState.VALUE, "".join(raw.split()), None, raw, (span,), READER, "exact")
        token = read_cell(self.document.view[span.start : span.end])
        return Candidate(token.state, token.value, None, raw, (span,), READER, "exact")

    def _flag_ungrounded(self) -> None:
        if self.ungrounded:
            fields = [name for name, _ in self.ungrounded if name in self.reading.candidates]
            raw = "、".join(text[:20] for _, text in self.ungrounded[:_MOST_SHOWN])
            self.reading.flags.append(make_flag("not-grounded", fields=dict.fromkeys(fields), raw=raw))


def _is_edge(view: str, position: int) -> bool:
    """Whether nothing that could belong to a word stands at a position."""
    return not 0 <= position < len(view) or view[position] in " \t\n\x00|"


def _read_number(text: str) -> Token:
    """A number of the running text: as in a cell, or in ten thousands (7万, 1.5万)."""
    match = _WAN.fullmatch(text.strip())
    if match is None:
        return read_cell(text)
    value = Decimal(match[1]) * 10_000
    return Token(CellState.VALUE, int(value)) if value == value.to_integral_value() else read_cell(text)


def _read_header_value(name: str, seen: str, raw: str) -> Value | None:
    """A header fact's value in the type that the template reader gives it; None when it is not one."""
    if name == "report_year":
        match = _YEAR.search(seen)
        return parse_year(match.group()) if match else None
    if name in _DATES:
        match = _DATE.search("".join(seen.split()).replace("\x00", ""))
        if match is None:
            return None
        return make_iso_date(parse_year(match[1]), parse_small_numeral(match[2]), parse_small_numeral(match[3]))
    return "".join(raw.split())
