"""What `extractor eval` prints: the documents, the rates, a summary by kind of document, and the gate.

Does not live here: the command (evaluate), the tables of rates (extractor.console.metrics).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from extractor.evaluation.findings import Finding
    from extractor.evaluation.gate import GateReport
    from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome
    from extractor.evaluation.runner import Evaluated

# More findings of one rule about one document say no more to a person; the page of --report has all of them.
_MOST_FINDINGS = 8
_MOST_NAMED = 3
_MOST_DOCUMENTS = 40


def tell_tables(console: Console, outcomes: Sequence[DocumentOutcome]) -> None:
    """The documents one by one, then the rates."""
    from extractor.console.metrics import metrics_tables

    shown = _choose_documents(outcomes)
    console.print(_draw_documents(shown))
    if len(shown) < len(outcomes):
        _print_lines(console, [f"{len(outcomes) - len(shown)} more documents; these have most that is not right"])
    for table in metrics_tables(outcomes):
        console.print(table)


def tell_summary(console: Console, evaluated: Evaluated) -> None:
    """What was run, and for each kind of document what was accepted, wrong and right."""
    from extractor.evaluation.labels import KINDS
    from extractor.evaluation.metrics import stratify

    lines = [f"Read by {_say_readers(evaluated)}; {evaluated.standing.tell()}"]
    by_kind = stratify(evaluated.outcomes, "kind")
    for kind in KINDS:
        lines += _summarise_kind(kind, by_kind[kind]) if kind in by_kind else []
    lines += _list_repeated(evaluated.outcomes)
    _print_lines(console, lines)


def tell_gate(console: Console, gate: GateReport, renewal: str) -> None:
    """The verdict, why, and what fares better.

    Args:
        renewal: the command that makes this result the baseline.
    """
    rules = "against the baseline" if gate.has_baseline else "no baseline: accepted wrong and missing replies only"
    if gate.is_green:
        console.print(f"[bold green]Gate: green[/bold green] ({rules})")
    else:
        failures = "1 failure" if len(gate.failures) == 1 else f"{len(gate.failures)} failures"
        console.print(f"[bold red]Gate: RED[/bold red], {failures} ({rules})")
    _print_lines(console, _shorten(gate.failures))
    if gate.declared:
        _print_lines(console, ["Declared losses:", *_shorten(gate.declared)])
    _print_lines(console, gate.notes)
    if gate.gains:
        _print_lines(console, ["Better than the baseline:", *(f"  {line}" for line in gate.gains)])
    if gate.gains or gate.notes:
        _print_lines(console, ["Where this is as it should be, renew the baseline:", f"  {renewal}"])


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


# ---------------------------------------------------------------- documents


def _choose_documents(outcomes: Sequence[DocumentOutcome]) -> list[DocumentOutcome]:
    """Those with most that is not right, where there are too many for all; in the order in which they came."""
    worst = sorted(outcomes, key=lambda outcome: -sum(not _is_right(field) for field in outcome.fields))
    names = {outcome.name for outcome in worst[:_MOST_DOCUMENTS]}
    return [outcome for outcome in outcomes if outcome.name in names]


def _draw_documents(outcomes: Sequence[DocumentOutcome]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("document", overflow="fold", min_width=20)
    table.add_column("kind", no_wrap=True)
    table.add_column("layout", overflow="fold", min_width=12)
    for name in ("cells\nright", "non-zero\naccepted", "facts\nright", "for\nreview", "accepted\nwrong"):
        table.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        cells, facts = _split_fields(outcome)
        wrong = sum(field.is_wrong_and_accepted for field in outcome.fields)
        table.add_row(
            Text(outcome.name),
            outcome.kind,
            Text(outcome.layout),
            f"{sum(map(_is_right, cells))}/{len(cells)}",
            "{}/{}".format(*_count_nonzero([outcome])),
            f"{sum(map(_is_right, facts))}/{len(facts)}",
            str(sum(field.found is not None and not field.is_accepted for field in outcome.fields)),
            Text(str(wrong), style="bold red" if wrong else ""),
        )
    return table


def _split_fields(outcome: DocumentOutcome) -> tuple[list[FieldOutcome], list[FieldOutcome]]:
    labelled = [field for field in outcome.fields if field.verdict != "invented"]
    return [field for field in labelled if field.is_table], [field for field in labelled if not field.is_table]


def _is_right(field: FieldOutcome) -> bool:
    return field.verdict == "right"


def _count_nonzero(outcomes: Sequence[DocumentOutcome]) -> tuple[int, int]:
    """Printed numbers other than 0 that are right and accepted, and all of them."""
    nonzero = [field for outcome in outcomes for field in outcome.fields if field.is_table and field.is_nonzero]
    return sum(_is_right(field) and field.is_accepted for field in nonzero), len(nonzero)


# ---------------------------------------------------------------- summary


def _say_readers(evaluated: Evaluated) -> str:
    from extractor.confidence.certificate import MODEL_REPLIES

    if evaluated.model is None:
        return "the rules alone, without a model"
    kinds = ", ".join(evaluated.replies) or "none"
    none_of_it = "" if MODEL_REPLIES.intersection(evaluated.replies) else " (no figure here is a model's)"
    return f"readers {evaluated.readers}, model {evaluated.model}, replies: {kinds}{none_of_it}"


def _summarise_kind(kind: str, outcomes: Sequence[DocumentOutcome]) -> Iterator[str]:
    fields = [field for outcome in outcomes for field in outcome.fields if field.is_accepted]
    wrong = sum(field.is_wrong_and_accepted for field in fields)
    settled, nonzero = _count_nonzero(outcomes)
    share = f" ({settled / nonzero:.1%})" if nonzero else ""
    documents = "1 document" if len(outcomes) == 1 else f"{len(outcomes)} documents"
    yield (
        f"{kind}: {documents}; accepted wrong {wrong} of {len(fields)} accepted fields; "
        f"right and accepted {settled} of {nonzero} printed numbers other than 0{share}"
    )
    for outcome in outcomes:
        if outcome.problem:
            yield f"  not read, all of it counts as missing: {outcome.name}: {outcome.problem}"
        if outcome.unjudged:
            more = ", …" if len(outcome.unjudged) > _MOST_NAMED else ""
            named = ", ".join(outcome.unjudged[:_MOST_NAMED])
            yield f"  accepted and in no label, so not judged: {outcome.name}: {len(outcome.unjudged)} ({named}{more})"


def _list_repeated(outcomes: Sequence[DocumentOutcome]) -> Iterator[str]:
    """Documents that several labels are of: the rates count them more than once."""
    names: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.document_hash:
            names.setdefault(outcome.document_hash, []).append(outcome.name)
    for same in names.values():
        if len(same) > 1:
            yield f"one and the same document, counted {len(same)} times: {', '.join(same)}"


# ---------------------------------------------------------------- gate


def _shorten(findings: Sequence[Finding]) -> Iterator[str]:
    """All rules and documents, but of each only the first findings."""
    for (rule, _), same in groupby(findings, key=lambda finding: (finding.rule, finding.document)):
        group = list(same)
        yield from (f"  {rule}: {finding.sentence}" for finding in group[:_MOST_FINDINGS])
        if len(group) > _MOST_FINDINGS:
            yield f"  {rule}: … and {len(group) - _MOST_FINDINGS} more of this document"
