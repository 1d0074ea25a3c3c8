"""The page: all parts of the report, put into its template.

Lives here: the order of the parts, and what the page may do (nothing but show itself). Does not live here: any part.
Called by write_report.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from extractor.evaluation.gate import GateReport
from extractor.evaluation.labels import KINDS
from extractor.evaluation.metrics import METRICS, Metrics, measure
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.changes import MOST_CHANGES, ChangeTable, compare_documents
from extractor.evaluation.report.charts import MOST_BARS, Bar, Chart, draw_damage, draw_shares, list_bars
from extractor.evaluation.report.documents import DocumentRow, WrongField, draw_documents, name_wrong
from extractor.evaluation.report.head import (
    Promise,
    describe_gate,
    describe_operation,
    describe_promise,
    describe_setting,
)
from extractor.evaluation.report.heatmap import LEVELS, HeatMap, draw_heatmaps
from extractor.evaluation.report.ranking_charts import Ranking, draw_ranking
from extractor.evaluation.report.rates import StratumTable, draw_rates, draw_strata, explain_rate, name_rate
from extractor.evaluation.report.wording import write_count, write_plural
from extractor.evaluation.result import Evaluation

# Styles stand in the page itself; nothing else is loaded, run, framed or sent.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_TEMPLATES = "templates"


class KindPart(NamedTuple):
    """All that the page shows of one kind of documents."""

    kind: str
    documents: int
    metrics: Metrics
    promise: Promise
    operation: str
    strata: tuple[StratumTable, ...]
    bars: tuple[Bar, ...]
    shares: Chart | None
    damage: Chart | None
    ranking: Ranking | None
    heatmaps: tuple[HeatMap, ...]
    rows: tuple[DocumentRow, ...]
    wrong: tuple[WrongField, ...]
    wrong_unnamed: int


def render_page(
    folder: Path,
    outcomes: Sequence[DocumentOutcome],
    evaluation: Evaluation,
    gate: GateReport | None,
    baseline: Evaluation | None,
) -> str:
    """The page as text. `folder`: where it will be; links start there."""
    by_kind = {kind: [document for document in outcomes if document.kind == kind] for kind in KINDS}
    parts = [_describe_kind(kind, documents, folder) for kind, documents in by_kind.items() if documents]
    changes: ChangeTable | None = compare_documents(evaluation, baseline) if baseline else None
    environment = _open_templates()
    return environment.get_template("page.html.j2").render(
        policy=_POLICY,
        style=Markup(_read_style()),  # noqa: S704 - our own file
        setting=describe_setting(evaluation),
        gate=gate,
        verdict=describe_gate(gate),
        parts=parts,
        rates=draw_rates([part.metrics for part in parts]),
        changes=changes,
        most_sentences=MOST_CHANGES,
        levels=range(1, LEVELS + 1),
        legend=[(name_rate(name), explain_rate(name)) for name in METRICS],
    )


def _describe_kind(kind: str, documents: Sequence[DocumentOutcome], folder: Path) -> KindPart:
    metrics = measure(documents)
    bars = list_bars(documents)
    rows = tuple(draw_documents(documents, folder, kind))
    wrong = tuple(name_wrong(rows))
    return KindPart(
        kind=kind,
        documents=len(documents),
        metrics=metrics,
        promise=describe_promise(kind, documents, metrics),
        operation=describe_operation(metrics),
        strata=tuple(draw_strata(documents)),
        bars=tuple(bars) if len(bars) <= MOST_BARS else (),
        shares=draw_shares(bars, kind) if len(bars) > MOST_BARS else None,
        damage=draw_damage(documents, kind) if any(document.damage for document in documents) else None,
        ranking=draw_ranking(documents, kind),
        heatmaps=draw_heatmaps(documents),
        rows=rows,
        wrong=wrong,
        wrong_unnamed=sum(f.is_wrong_and_accepted for document in documents for f in document.fields) - len(wrong),
    )


def _read_style() -> str:
    return files("extractor.evaluation.report").joinpath(_TEMPLATES, "page.css").read_text(encoding="utf-8")


def _open_templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("extractor.evaluation.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = write_count
    environment.filters["plural"] = write_plural
    return environment
