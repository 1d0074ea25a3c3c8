"""The head of the page: what was evaluated, the gate, and the three promises as numbers.

Lives here: what the reader with one minute sees. Does not live here: HTML (templates), the other figures (rates).
Called by page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from extractor.evaluation.gate import GateReport
from extractor.evaluation.metrics import Metrics, Rate
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.rates import RateCell, draw_rate
from extractor.evaluation.report.wording import KIND_MEANINGS, write_count, write_plural, write_share
from extractor.evaluation.result import Evaluation

_READERS = {
    "template": "the rules alone",
    "auto": "the rules, and a model for what they leave open",
    "both": "the rules and a model, each over everything",
    "llm": "a model alone",
}
_REPLIES = {
    "live": "a model's, asked during this evaluation",
    "batch": "a model's, asked in batches",
    "written by hand": "written by hand, by no model",
    "simulated": "simulated with the labels at hand, by no model",
}
_BY_NO_MODEL = frozenset({"written by hand", "simulated"})


class Setting(NamedTuple):
    """What was run, in words. `caution`: what the figures do not speak of; else empty."""

    title: str
    lines: tuple[tuple[str, str], ...]
    caution: str


class Promise(NamedTuple):
    """The promises' numbers for one kind of documents. `unjudged`: accepted fields that no label judges."""

    kind: str
    meaning: str
    unread: int
    wrong_cells: RateCell | None
    wrong_facts: RateCell | None
    nonzero: RateCell | None
    review: RateCell | None
    unjudged: int


class Verdict(NamedTuple):
    """The gate in words. `state`: green, red or none; `failures`: by rule, the sentences of each."""

    state: str
    text: str
    failures: Mapping[str, tuple[str, ...]]


def describe_setting(evaluation: Evaluation) -> Setting:
    """What was run."""
    readers = _READERS.get(evaluation.readers, evaluation.readers)
    lines = [("Readers", f"{evaluation.readers}: {readers}"), ("Model", evaluation.model or "none was asked")]
    if evaluation.model:
        lines.append(("Replies", "; ".join(_REPLIES.get(kind, kind) for kind in evaluation.replies) or "none"))
    certificate = evaluation.certificate
    lines.append(("Acceptance", f"hard rules and certificate {certificate}" if certificate else "hard rules alone"))
    lines += [(f"Version of {name}", text) for name, text in sorted(evaluation.versions.items())]
    is_model = bool(evaluation.model) and not _BY_NO_MODEL.isdisjoint(evaluation.replies)
    caution = "Some replies are by no model. Nothing here says how accurate a model is." if is_model else ""
    return Setting(readers, tuple(lines), caution)


def describe_gate(gate: GateReport | None) -> Verdict:
    """The gate's verdict, its failures rule by rule."""
    if gate is None:
        return Verdict("none", "No gate was asked for.", {})
    if gate.is_green:
        against = "and nothing is lost against the baseline" if gate.has_baseline else "no baseline was named"
        return Verdict("green", f"Gate green: nothing failed; {against}.", {})
    failures: dict[str, list[str]] = {}
    for finding in gate.failures:
        failures.setdefault(finding.rule, []).append(finding.sentence)
    text = f"Gate red: {write_plural(len(gate.failures), 'failure')}."
    return Verdict("red", text, {rule: tuple(sentences) for rule, sentences in failures.items()})


def describe_promise(kind: str, documents: Sequence[DocumentOutcome], metrics: Metrics) -> Promise:
    """The numbers of one kind."""
    drawn = {
        name: draw_rate(name, metrics.rates[name])
        for name in ("accepted_wrong", "facts_accepted_wrong", "accepted_nonzero", "review_load")
    }
    return Promise(
        kind=kind,
        meaning=KIND_MEANINGS[documents[0].kind],
        unread=int(metrics.rates["documents_unread"].count),
        wrong_cells=drawn["accepted_wrong"],
        wrong_facts=drawn["facts_accepted_wrong"],
        nonzero=drawn["accepted_nonzero"],
        review=drawn["review_load"],
        unjudged=sum(len(document.unjudged) for document in documents),
    )


def describe_operation(metrics: Metrics) -> str:
    """What is accepted, and how much of that is wrong: the one point that acceptance works at."""
    return " ".join(_describe_point(metrics.rates["review_load"], metrics.rates["accepted_wrong"]))


def _describe_point(review: Rate, wrong: Rate) -> Iterator[str]:
    if not review.n:
        yield "No record has a table cell."
        return
    accepted = review.n - review.count
    yield f"Accepted: {write_count(accepted)} of {write_count(review.n)} table cells of the records"
    yield f"({write_share(accepted, review.n)}). Of these {write_count(wrong.count)} are wrong"
    yield f"({write_share(wrong.count, wrong.n)})."
