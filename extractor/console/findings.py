"""What is doubtful in one record: equations that fail, suggestions, flags, and the lines behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Literal

from rich.console import RenderableType
from rich.text import Text

from extractor.console.equations import describe_equation, describe_suggestions
from extractor.console.pieces import MOST_SHOWN, SEVERITY_ORDER, SEVERITY_STYLES, list_some, oneline, quote_span
from extractor.forms import Equation, load_forms
from extractor.model import Flag, Record, Span

Language = Literal["zh", "en", "both"]

_FLAGS_OF_A_CODE_SHOWN = 5
_SUGGESTIONS_SHOWN = 12


class FindingsView:
    """The doubts about one record.

    Args:
        text: the source text that spans count in; None shows no source lines.
        lang: language of the messages.
        show_all: everything, not only the first few.
    """

    def __init__(self, record: Record, text: str | None, lang: Language, *, show_all: bool, has_colour: bool) -> None:
        self._record = record
        self._text = text
        self._lang = lang
        self._show_all = show_all
        self._has_colour = has_colour

    def render(self) -> Iterator[RenderableType]:
        """All of it, in the order of weight."""
        yield from self._render_failed_equations()
        yield from self._render_suggestions()
        yield from self._render_flags()

    def _render_failed_equations(self) -> Iterator[RenderableType]:
        failed = [result for result in self._record.equations if result.result == "fail"]
        if not failed:
            return
        yield Text(f"不成立的勾稽关系 · equations that fail ({len(failed)})", style="bold red")
        known = self._known_equations()
        for result in failed:
            yield Text("  " + describe_equation(result, known.get(result.id), self._record.fields), overflow="fold")
        yield Text()

    def _known_equations(self) -> Mapping[str, Equation]:
        sections = (load_forms().section(name, generation) for name, generation in self._record.generation.items())
        return {equation.id: equation for section in sections if section for equation in section.equations}

    def _render_flags(self) -> Iterator[RenderableType]:
        if not self._record.flags:
            return
        yield Text(f"需要复核 · flags ({len(self._record.flags)})", style="bold")
        ordered = sorted(self._record.flags, key=lambda flag: (SEVERITY_ORDER[flag.severity], flag.code))
        for code, grouped in groupby(ordered, key=lambda flag: flag.code):
            flags = list(grouped)
            shown = flags if self._show_all else flags[:_FLAGS_OF_A_CODE_SHOWN]
            for flag in shown:
                yield from self._render_flag(flag)
            if len(flags) > len(shown):
                yield Text(f"  {len(flags) - len(shown)} more of {code} (--all)", style="dim")

    def _render_flag(self, flag: Flag) -> Iterator[RenderableType]:
        wording = {"zh": flag.message.zh, "en": flag.message.en}.get(
            self._lang, f"{flag.message.zh} / {flag.message.en}"
        )
        fields = f"  [{list_some(flag.fields, self._show_all)}]" if flag.fields else ""
        head = Text.assemble((f"  {flag.severity} ", SEVERITY_STYLES[flag.severity]), (flag.code, "bold"))
        head.append(f"  {oneline(wording)}").append(fields, style="dim")
        yield head
        yield from self.quote(flag.spans)

    def quote(self, spans: Sequence[Span]) -> Iterator[Text]:
        """The source lines of spans."""
        shown = spans if self._show_all else spans[:MOST_SHOWN]
        if self._text is None:
            places = ", ".join(f"{span.start}-{span.end}" for span in shown)
            if places:
                yield Text(f"      at {places}", style="dim")
            return
        for span in shown:
            yield quote_span(self._text, span, has_colour=self._has_colour)
        if len(spans) > len(shown):
            yield Text(f"      {len(spans) - len(shown)} more places (--all)", style="dim")

    def _render_suggestions(self) -> Iterator[RenderableType]:
        lines = list(describe_suggestions(self._record.fields))
        if not lines:
            return
        yield Text(f"建议值（非原文） · suggestions, not printed ({len(lines)})", style="bold")
        for line in islice(lines, None if self._show_all else _SUGGESTIONS_SHOWN):
            yield Text(f"  {line}", overflow="fold")
        if len(lines) > _SUGGESTIONS_SHOWN and not self._show_all:
            yield Text(f"  {len(lines) - _SUGGESTIONS_SHOWN} more rows (--all)", style="dim")
        yield Text()
