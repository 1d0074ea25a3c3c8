"""One record the whole way: its facts, the form, what the text states, the doubts."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from extractor.console.findings import FindingsView, Language
from extractor.console.form import FormView
from extractor.console.pieces import STATUS_STYLES, fact, new_table
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, Record

_QUOTE_LISTS = {"narrative.problems.": "存在的问题 · problems", "narrative.measures.": "改进情况 · measures"}
# The most doubtful values that are listed with their chance of error.
_MOST_CHANCES = 8
_INDICATOR_COLUMNS = ("label", "unit", "this_year", "cumulative")


def render_record(
    record: Record, document_text: str | None, lang: Language = "both", *, show_all: bool = False
) -> RenderableType:
    """One record: its facts, the form as a grid, what does not add up, and the evidence.

    Args:
        record: what to show.
        document_text: the source text that the record's spans count in; None shows no source lines.
        lang: language of the messages.
        show_all: every flag with every piece of evidence, not only the first few.
    """
    return _RecordView(record, document_text, lang, show_all)


class _RecordView:
    """A record as a renderable: only when it is rendered is it known whether there are colours."""

    def __init__(self, record: Record, text: str | None, lang: Language, show_all: bool) -> None:
        self._record = record
        self._text = text
        self._lang = lang
        self._show_all = show_all

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        has_colour = console.color_system is not None and not console.no_color
        self._form = FormView(self._record, has_colour=has_colour)
        self._findings = FindingsView(
            self._record, self._text, self._lang, show_all=self._show_all, has_colour=has_colour
        )
        yield from self._render_header()
        for section_id in TABLE_SECTIONS:
            yield from self._form.render_section(section_id)
        if self._record.fields:
            yield self._form.render_legend()
        yield from self._render_narrative()
        yield from self._render_lists()
        yield from self._render_chances()
        yield from self._findings.render()

    def _render_header(self) -> Iterator[RenderableType]:
        record = self._record
        title = fact(record, "title") or record.document.path
        yield Text.assemble((title, "bold"), "  ", (record.status.value, STATUS_STYLES[record.status.value]))
        identity = [record.document.path, record.document.media_type, (record.document.id or "no id")[:12]]
        yield Text("  ".join(part for part in identity if part), style="dim", overflow="fold")
        facts = [
            Text.assemble((f"{self._fact_label(name)} ", "dim"), self._form.cell(f"header.{name}"))
            for name in HEADER_FIELDS
            if name != "title" and f"header.{name}" in record.fields
        ]
        if facts:
            yield Text("   ").join(facts)
        if model := record.versions.get("model"):
            yield Text(f"model {model}, replies {record.versions.get('replies', 'none')}", style="dim")
        for origin in record.origins:
            about = "  ".join(part for part in (origin.url, origin.site, origin.fetched_at) if part)
            if about:
                yield Text(f"{origin.path}: {about}", style="dim", overflow="fold")
        yield Text()

    def _fact_label(self, name: str) -> str:
        return name if self._lang == "en" else load_forms().fact_labels[name]

    def _render_narrative(self) -> Iterator[RenderableType]:
        present = [name for name in NARRATIVE_FIELDS if f"narrative.{name}" in self._record.fields]
        if not present:
            return
        yield Text("正文中的数字 · stated in the text", style="bold")
        for name in present:
            item = self._record.fields[f"narrative.{name}"]
            line = Text.assemble(
                f"  {self._fact_label(name)} ",
                self._form.cell(f"narrative.{name}"),
                f" {item.unit}" if item.unit else "",
            )
            yield line
            yield from self._findings.quote(item.spans)
        yield Text()

    def _render_lists(self) -> Iterator[RenderableType]:
        """What only a model reads: quotes of section 五, and the indicator table of reports before 2019."""
        for prefix, title in _QUOTE_LISTS.items():
            quotes = [field_id for field_id in self._record.fields if field_id.startswith(prefix)]
            if quotes:
                yield Text(title, style="bold")
                yield from (Text.assemble("  ", self._form.cell(field_id), overflow="fold") for field_id in quotes)
                yield Text()
        rows = dict.fromkeys(name.rpartition(".")[0] for name in self._record.fields if name.startswith("indicators."))
        if rows:
            yield Text("指标表 · indicator table", style="bold")
            table = new_table(show_header=True)
            for name in _INDICATOR_COLUMNS:
                table.add_column(name)
            for row in rows:
                present = (f"{row}.{name}" for name in _INDICATOR_COLUMNS)
                table.add_row(*(self._form.cell(name) if name in self._record.fields else "" for name in present))
            yield table

    def _render_chances(self) -> Iterator[RenderableType]:
        """The values most likely wrong, where a certificate said how likely that is."""
        chances = [(item.p_wrong, name) for name, item in self._record.fields.items() if item.p_wrong is not None]
        if not chances:
            return
        yield Text(f"读错的可能 · chance of a wrong value ({len(chances)} fields, highest first)", style="bold")
        for p_wrong, name in sorted(chances, key=lambda chance: -chance[0])[:_MOST_CHANCES]:
            decision = self._record.fields[name].decision
            yield Text.assemble(
                f"  {p_wrong:.3g} ", self._form.cell(name), f"  {name} ", (decision, "dim"), overflow="fold"
            )
        yield Text()
