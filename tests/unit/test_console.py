"""How a record looks in a terminal, with and without colours."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType

from extractor.console import describe_equation, quote_span, render_record, summary_table
from extractor.flags import make_flag
from extractor.forms import load_forms
from extractor.model import (
    Candidate,
    CellState,
    DocumentIdentity,
    EquationResult,
    Flag,
    Origin,
    Record,
    RecordField,
    Span,
    Status,
    Suggestion,
)

SECTION = "applications"


def _field(value: Any = 0, raw: str | None = None, **changes: Any) -> RecordField:
    given = {
        "state": CellState.VALUE,
        "value": value,
        "raw": str(value) if raw is None else raw,
        "spans": (Span(start=0, end=1),),
        "reader": "template",
        "decision": "accepted",
    }
    return RecordField(**{**given, **changes})


def _empty(state: CellState, **changes: Any) -> RecordField:
    return _field(None, "", state=state, **changes)


def _record(
    fields: dict[str, RecordField], flags: tuple[Flag, ...] = (), equations: tuple[EquationResult, ...] = ()
) -> Record:
    return Record(
        document=DocumentIdentity(id="a" * 64, path="docs/报告.txt", media_type="text/plain"),
        status=Status.PARTIAL,
        origins=(Origin(path="docs/报告.txt"),),
        generation={"proactive_disclosure": "2021", SECTION: "2021", "review_litigation": "absent"},
        fields=fields,
        equations=equations,
        flags=flags,
    )


def _print(picture: RenderableType, *, colours: bool = False, width: int = 100) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    console.print(picture)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _line(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.strip().startswith(start)).split()


def _whole_row(row: str, **cells: RecordField) -> dict[str, RecordField]:
    section = load_forms().section(SECTION, "2021")
    assert section
    return {f"{SECTION}.{row}.{column.id}": cells.get(column.id, _field()) for column in section.columns}


def test_every_state_has_its_mark() -> None:
    row = _whole_row(
        "granted",
        natural_person=_field(8, "8件"),
        business=_empty(CellState.BLANK),
        research=_empty(CellState.ROW_ABSENT),
        public_welfare=_field(None, "——", state=CellState.NA_MARK),
        legal_service=_field(None, "八九", state=CellState.UNPARSABLE, decision="review"),
        other_org=_empty(CellState.NOT_READ, decision="review"),
        total=_field(3, "", state=CellState.INFERRED_BY_EQUATION, decision="review"),
    )
    marks = _line(_print(render_record(_record(row), None)), "（一）予以公开")[1:]
    assert marks == ["8", "8件", "·", "–", "——", "✗", "八九*", "✗*", "≈3*"]


def test_numbers_that_lost_their_columns_stand_once_in_the_row() -> None:
    token = Candidate(state=CellState.POSITION_UNKNOWN, value=5, raw="5", spans=(Span(start=9, end=10),))
    lost = _empty(CellState.POSITION_UNKNOWN, decision="review", candidates=(token,))
    section = load_forms().section(SECTION, "2021")
    assert section
    row = _whole_row("granted", **{column.id: lost for column in section.columns})
    assert _line(_print(render_record(_record(row), None)), "（一）予以公开")[1:] == [*["?*"] * 7, "5"]


def test_without_colours_marks_tell_review_and_failed_apart() -> None:
    failed = EquationResult(
        id="E3[granted]", result="fail", residual=-1, fields=(f"{SECTION}.granted.total", f"{SECTION}.granted.business")
    )
    row = _whole_row("granted", total=_field(1, decision="review"), research=_field(7, decision="review"))
    record = _record(row, equations=(failed,))
    plain = _line(_print(render_record(record, None)), "（一）予以公开")[1:]
    assert plain == ["0", "0!", "7*", "0", "0", "0", "1!"]
    coloured = _print(render_record(record, None), colours=True)
    assert re.search(r"\x1b\[1;31m *1 *\x1b\[0m", coloured)
    assert re.search(r"\x1b\[33m *7 *\x1b\[0m", coloured)
    assert "7*" not in coloured


def test_a_failed_equation_is_told_in_numbers_and_labels() -> None:
    row = _whole_row("granted", natural_person=_field(1), business=_field(2), total=_field(4))
    section = load_forms().section(SECTION, "2021")
    assert section
    equations = {equation.id: equation for equation in section.equations}
    result = EquationResult(id="E3[granted]", result="fail", residual=-1, fields=tuple(row))
    told = describe_equation(result, equations["E3[granted]"], row)
    assert told == "E3[granted] （一）予以公开: 1 + 2 + 0 + 0 + 0 + 0 = 3, printed 4 (总计) (difference -1)"
    missing = {**row, f"{SECTION}.granted.research": _empty(CellState.BLANK)}
    assert "1 + 2 + ? + 0 + 0 + 0 ≥ 3" in describe_equation(result, equations["E3[granted]"], missing)
    column = EquationResult(id="E2[total]", result="fail", residual=4, fields=())
    assert describe_equation(column, equations["E2[total]"], row).startswith("E2[total] 总计: 4 + ? + ?")
    both = EquationResult(id="E1[total]", result="fail", residual=None, fields=())
    assert "E1[total] 总计: ? + ? ≥ 0 ≠ ? + ? ≥ 0" in describe_equation(both, equations["E1[total]"], {})


def test_the_verdict_on_a_failed_equation_is_told() -> None:
    row = _whole_row("granted", natural_person=_field(1))
    result = EquationResult("E3[granted]", "fail", 1, tuple(row), "source_inconsistent")
    assert "printed so in the report" in _print(render_record(_record(row, equations=(result,)), None), width=200)
    result = EquationResult("E3[granted]", "fail", 1, tuple(row), "extraction_error")
    assert "another reading settles it" in _print(render_record(_record(row, equations=(result,)), None), width=200)


def test_suggestions_stand_apart_one_line_a_row() -> None:
    one = Suggestion(0, "single-cell", "settles E3[granted]", 2)
    two = [Suggestion(value, "glued-digits", "no_blanks; no equation decides", ties=2) for value in (6, 69)]
    fields = {
        "applications.granted.business": _field(7, suggestions=(one,)),
        "proactive_disclosure.normative_documents.issued": _empty(CellState.UNPARSABLE, suggestions=tuple(two)),
        "proactive_disclosure.normative_documents.in_force": _empty(CellState.UNPARSABLE, suggestions=tuple(two[:1])),
    }
    printed = _print(render_record(_record(fields), None), width=200)
    assert "（一）予以公开: 商业企业 7 → 0  (single-cell: settles E3[granted])" in printed
    assert "规范性文件: 本年制发件数 6 / 69, 现行有效件数 6  (glued-digits: no_blanks; no equation decides)" in printed


def test_suggestions_that_the_form_or_a_flag_shows_already_are_not_repeated() -> None:
    zero = Suggestion(0, "lost-positions", "blanks_as_zero; 7 placements remain")
    fields = {
        "applications.granted.business": _empty(CellState.POSITION_UNKNOWN, suggestions=(zero,)),
        "applications.granted.total": _field(
            5, state=CellState.INFERRED_BY_EQUATION, suggestions=(Suggestion(5, "glued-digits", "no_blanks"),)
        ),
    }
    printed = _print(render_record(_record(fields), None))
    assert "suggestions" not in printed
    assert "≈5" in printed


def test_evidence_shows_the_source_line_with_the_span_marked() -> None:
    text = "第一行\n收到申请 12 件，答复 9 件\n"
    start = text.index("12")
    assert quote_span(text, Span(start=start, end=start + 2), has_colour=False).plain.strip() == (
        "line 2: 收到申请 [12] 件，答复 9 件"
    )


def test_evidence_of_a_report_on_one_line_is_cut_to_its_surroundings() -> None:
    text = "长" * 5000 + "12" + "短" * 5000
    shown = quote_span(text, Span(start=5000, end=5002), has_colour=False).plain
    assert "长[12]短" in shown
    assert cell_len(shown) < 100


def test_a_source_cannot_steer_the_terminal() -> None:
    record = _record({"header.title": _field("a\x1b[2Jb")}, (make_flag("unparsable-cell", raw="\x1b]0;x\x07"),))
    assert "\x1b" not in _print(render_record(record, "a\x1b[2Jb"))


def test_markup_in_a_source_is_shown_as_it_is() -> None:
    record = _record({"header.title": _field("[red]报告[/red]")}, (make_flag("unparsable-cell", raw="[/bold]"),))
    shown = _print(render_record(record, None))
    assert "[red]报告[/red]" in shown
    assert "[/bold]" in shown


def test_messages_follow_the_language_and_evidence_is_bounded() -> None:
    spans = tuple(Span(start=i, end=i + 1) for i in range(5))
    flag = make_flag("glued-digits", fields=["applications.granted.total"], spans=spans)
    record = _record({}, (flag,))
    assert "数字连在一起" not in _print(render_record(record, "01234", "en"))
    assert "glued together" not in _print(render_record(record, "01234", "zh"))
    both = _print(render_record(record, "01234", "both"))
    assert "数字连在一起" in both
    assert "glued" in both
    assert "2 more places" in both
    assert "more places" not in _print(render_record(record, "01234", "both", show_all=True))


def test_repeated_findings_are_folded_unless_all_are_asked_for() -> None:
    record = _record({}, tuple(make_flag("unparsable-cell", raw=f"x{i}") for i in range(9)))
    assert "4 more of unparsable-cell" in _print(render_record(record, None))
    assert "x8" in _print(render_record(record, None, show_all=True))


def test_the_form_fits_a_hundred_columns_in_every_generation() -> None:
    forms = load_forms()
    for form in forms.national:
        fields = {item.id: _field(12345, decision="review") for part in form.sections.values() for item in part.fields}
        record = _record(fields).model_copy(update={"generation": dict.fromkeys(form.sections, form.generation)})
        shown = _print(render_record(record, None))
        assert max(cell_len(line) for line in shown.splitlines()) <= 100
        assert shown.count("12345*") == len(fields)
        for section in form.sections.values():
            assert section.title in shown


def test_narrative_facts_come_with_their_quotes() -> None:
    text = "网站发布信息691条"
    fact = _field(691, spans=(Span(start=6, end=9),))
    assert "[691]条" in _print(render_record(_record({"narrative.website_items": fact}), text))


def test_a_failed_record_shows_its_reason() -> None:
    record = Record(
        document=DocumentIdentity(id=None, path="x.pdf"),
        status=Status.FAILED,
        origins=(Origin(path="x.pdf", url="http://x"),),
        flags=(make_flag("source-failed", problem="no text"),),
    )
    shown = _print(render_record(record, None))
    assert "x.pdf  failed" in shown
    assert "no text" in shown
    assert "http://x" in shown


def test_the_summary_counts_and_tells_what_it_leaves_out() -> None:
    record = _record(
        {f"{SECTION}.granted.total": _field(3), f"{SECTION}.granted.business": _field(1, decision="review")},
        (make_flag("glued-digits"), make_flag("glued-digits")),
        (EquationResult(id="E3[granted]", result="fail", residual=1, fields=()),),
    )
    shown = _print(summary_table([record], total=8))
    row = next(line for line in shown.splitlines() if "报告.txt" in line).split()
    assert row == ["报告.txt", "partial", "2021", "1/2", "1", "1", "glued-digits", "x2"]
    assert "7 more documents" in shown
    assert "more documents" not in _print(summary_table([record]))
