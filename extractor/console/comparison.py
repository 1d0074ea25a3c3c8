"""Two evaluations compared, as tables and lists.

Lives here: how a comparison looks in a terminal. Does not live here: any verdict (extractor.evaluation.compare). Called
by `extractor compare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from extractor.console.pieces import oneline
from extractor.evaluation.compare import AcceptedWrong, Comparison, DocumentChange, KindComparison
from extractor.evaluation.field_standing import FieldChange, Question
from extractor.evaluation.questions import Answer

_MOST_DOCUMENTS = 20
_MOST_NAMES = 10
_STYLES = {"better": "green", "worse": "bold red", "no difference": "dim", "inconclusive": "yellow"}
_SAID: dict[Question, str] = {
    "right": "right",
    "accepted_right": "right and accepted",
    "accepted_wrong": "accepted and wrong",
}


def draw_comparison(comparison: Comparison, *, most_fields: int) -> Iterator[RenderableType]:
    """The whole comparison: by kind, document and field, then what must not happen, and the verdict last.

    Args:
        most_fields: gains, and losses, shown of each document; the rest is counted.
    """
    for note in comparison.notes:
        yield Text(oneline(note), style="dim")
    yield from _list_names("only in A, not compared", comparison.only_a)
    yield from _list_names("only in B, not compared", comparison.only_b)
    yield from _list_names("with another label or another file in B, in no test", comparison.relabelled)
    if not comparison.kinds:
        yield Text("No document is in both with the same label.", style="yellow")
    for kind in comparison.kinds:
        yield _draw_kind(kind)
        yield from (_explain(answer, comparison) for answer in kind.answers if answer.verdict == "inconclusive")
        yield from _list_changes(kind.changes, most_fields)
    yield from _list_accepted_wrong(comparison.new_accepted_wrong)
    yield from _conclude(comparison)


def _draw_kind(kind: KindComparison) -> Table:
    number = "1 document" if kind.documents == 1 else f"{kind.documents:,} documents"
    table = Table(
        title=f"\n{kind.kind}: {number} in both",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("fields that are", no_wrap=True)
    for name in ("newly\nso", "no\nlonger", "documents\nthat differ", "p", "p, all\nquestions"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for answer in kind.answers:
        table.add_row(
            _SAID[answer.question],
            f"{answer.more:,}",
            f"{answer.fewer:,}",
            f"{answer.documents:,} of {kind.documents:,}",
            _write_p(answer.p),
            _write_p(answer.p_adjusted),
            Text(answer.verdict, style=_STYLES[answer.verdict]),
        )
    return table


def _write_p(p: float | None) -> str:
    return "–" if p is None else f"{p:.4f}"


def _explain(answer: Answer, comparison: Comparison) -> Text:
    said = _SAID[answer.question]
    number = "1 document differs" if answer.documents == 1 else f"{answer.documents} documents differ"
    if answer.p is not None:
        why = f"p over all questions is not below {comparison.level:g}"
    elif answer.documents:
        why = f"only {number}, and p cannot be below {answer.reachable:.2g} (it must be below {comparison.level:g})"
    else:
        why = "in each document as many fields newly are so as no longer are"
    return Text(f"{said}: inconclusive, as {why}", style="dim")


def _list_changes(changes: Sequence[DocumentChange], most_fields: int) -> Iterator[Text]:
    """Documents with most losses first: they are what has to be looked at."""
    ordered = sorted(changes, key=lambda change: (-len(change.losses), -len(change.gains), change.name))
    for change in ordered[:_MOST_DOCUMENTS]:
        counts = f": {len(change.gains):,} better, {len(change.losses):,} worse"
        yield Text.assemble(
            (oneline(change.name), "bold"), counts, f", {oneline(change.problem)}" * bool(change.problem)
        )
        if change.problem:
            continue  # every field has fared alike
        for mark, style, fields in (("-", "red", change.losses), ("+", "green", change.gains)):
            yield from (_draw_change(mark, style, field) for field in fields[:most_fields])
            if len(fields) > most_fields:
                yield Text(f"  {mark} … and {len(fields) - most_fields:,} more", style=style)
    if left := ordered[_MOST_DOCUMENTS:]:
        gains, losses = sum(len(one.gains) for one in left), sum(len(one.losses) for one in left)
        yield Text(f"… and {len(left):,} more documents: {gains:,} better, {losses:,} worse (--json has all of them)")


def _draw_change(mark: str, style: str, change: FieldChange) -> Text:
    return Text.assemble(
        (f"  {mark} {change.field}", style), f"  {oneline(f'{change.printed}: {change.before} → {change.after}')}"
    )


def _list_accepted_wrong(found: Sequence[AcceptedWrong]) -> Iterator[Text]:
    """All of them, however many: none may go under."""
    if not found:
        return
    values = "1 WRONG VALUE" if len(found) == 1 else f"{len(found):,} WRONG VALUES"
    yield Text(f"\n{values} THAT B ACCEPTS AND A DID NOT", style="bold red")
    for item in found:
        yield Text.assemble(
            (f"  ! {oneline(item.document)} ({item.kind})  {item.field}", "red"),
            f"  {oneline(f'{item.printed}: {item.before} → {item.said}')}",
        )


def _list_names(what: str, names: Sequence[str]) -> Iterator[Text]:
    if names:
        more = f", … and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
        number = "1 document" if len(names) == 1 else f"{len(names):,} documents"
        yield Text(f"{number} {what}: {oneline(', '.join(names[:_MOST_NAMES]))}{more}", style="yellow")


def _conclude(comparison: Comparison) -> Iterator[Text]:
    why = []
    if comparison.new_accepted_wrong:
        why.append("it accepts wrong values that A did not")
    for kind in comparison.kinds:
        why += [
            f"{'more' if answer.more > answer.fewer else 'fewer'} fields {_SAID[answer.question]} ({kind.kind})"
            for answer in kind.answers
            if answer.verdict in ("better", "worse")
        ]
    yield Text.assemble(
        "\nB against A: ", (comparison.verdict, _STYLES[comparison.verdict]), f": {'; '.join(why)}" if why else ""
    )
    asked = "1 question" if comparison.questions == 1 else f"{comparison.questions} questions"
    tested = f"{asked} could be tested" if comparison.questions else "no question could be tested"
    yield Text(
        f"Chance of any false better or worse: at most {comparison.level:.1%} ({tested}; sign flips, Holm)",
        style="dim",
    )
