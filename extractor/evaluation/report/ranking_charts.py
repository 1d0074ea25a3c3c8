"""Charts of p(wrong): whether the chances are true, and what accepting by them would risk.

Lives here: reliability and risk against coverage, of documents of one kind. Does not live here: the figures (ranking),
style (figures). Called by page, where a certificate's scorer gave chances. Needs scikit-learn by way of ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.ranking import (
    Discrimination,
    Estimate,
    RankedField,
    ReliabilityBin,
    RiskPoint,
    bin_reliability,
    discriminate,
    rank_fields,
    trace_risk,
)
from extractor.evaluation.report.charts import PER_CENT, Chart
from extractor.evaluation.report.figures import choose_colour, export_figure, open_figure
from extractor.evaluation.report.wording import NOTHING, write_count, write_plural, write_share

# Points of a curve that can be told apart at the size of print.
_MOST_POINTS = 150


class BinRow(NamedTuple):
    """One bin as text."""

    fields: str
    expected: str
    wrong: str
    share: str


class Ranking(NamedTuple):
    """What is shown of one kind's chances. `figures`: name, value and interval of each."""

    verdict: str
    basis: str
    figures: tuple[tuple[str, str, str], ...]
    reliability: Chart
    bins: tuple[BinRow, ...]
    risk: Chart


def draw_ranking(documents: Sequence[DocumentOutcome], kind: str) -> Ranking | None:
    """Both charts and their figures; None where no field has a chance."""
    fields = rank_fields(documents)
    if not fields:
        return None
    quality = discriminate(fields)
    bins = bin_reliability(fields)
    return Ranking(
        verdict=quality.verdict,
        basis=(
            f"{write_plural(quality.fields, 'field')} of {write_plural(quality.documents, 'document')} have "
            f"a p(wrong); wrong: {write_count(quality.wrong)}, in {write_plural(quality.documents_wrong, 'document')}"
        ),
        figures=tuple(
            (name, *_write_estimate(estimate))
            for name, estimate in (
                ("AUROC (0.5: no order at all)", quality.auroc),
                (f"AUGRC (no order at all: {_write(quality.wrong / quality.fields / 2)}; 0 is best)", quality.augrc),
                ("Brier skill (0: no better than the base rate)", quality.brier_skill),
            )
        ),
        reliability=_draw_reliability(bins, kind),
        bins=tuple(
            BinRow(write_count(b.fields), _write(b.mean_p_wrong), write_count(b.wrong), write_share(b.wrong, b.fields))
            for b in bins
        ),
        risk=_draw_risk(fields, quality, kind),
    )


def _draw_reliability(bins: Sequence[ReliabilityBin], kind: str) -> Chart:
    top = 1.08 * max(0.01, *(max(b.mean_p_wrong, b.share_wrong) for b in bins))
    with open_figure(4.4, 3.4) as (figure, axes):
        axes.plot([0, top], [0, top], linestyle="--", color=choose_colour("muted"), linewidth=1, label="true chances")
        axes.plot(
            [b.mean_p_wrong for b in bins],
            [b.share_wrong for b in bins],
            marker="o",
            markersize=5,
            color=choose_colour("main"),
            label="fields in bins",
        )
        axes.set(xlim=(-0.02 * top, top), xlabel="mean p(wrong) of the bin")
        axes.set(ylim=(-0.02 * top, top), ylabel="share wrong")
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.yaxis.set_major_formatter(PER_CENT)
        axes.legend(loc="upper left")
    caption = (
        "Reliability: fields in bins of about equal size by p(wrong). On the dashed line the chances are true, "
        "above it they promise too much."
    )
    return Chart(export_figure(figure, f"reliability-{kind}", caption), caption)


def _draw_risk(fields: Sequence[RankedField], quality: Discrimination, kind: str) -> Chart:
    points = _thin_points(trace_risk(fields))
    share = quality.wrong / quality.fields
    with open_figure(4.4, 3.4) as (figure, axes):
        axes.plot(
            [0, 1], [0, share], linestyle="--", color=choose_colour("muted"), linewidth=1, label="one chance for all"
        )
        axes.plot(
            [0, *(point.coverage for point in points)],
            [0, *(point.generalised_risk for point in points)],
            color=choose_colour("main"),
            label="by p(wrong)",
        )
        axes.set(xlim=(0, 1), xlabel="share of fields accepted", ylabel="accepted and wrong, of all fields")
        axes.set_ylim(0, max(share, 0.001) * 1.08)
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.legend(loc="upper left")
    caption = (
        "Risk and coverage: what accepting by p(wrong) alone would let through; the area under the line is the AUGRC. "
        "The dashed line is a scorer that gives every field the same chance."
    )
    return Chart(export_figure(figure, f"risk-{kind}", caption), caption)


def _thin_points(points: Sequence[RiskPoint]) -> list[RiskPoint]:
    """As many points as can be told apart, both ends among them."""
    step = max(1, -(-len(points) // _MOST_POINTS))
    return [*points[:-1:step], points[-1]]


def _write_estimate(estimate: Estimate) -> tuple[str, str]:
    has_bounds = estimate.low is not None and estimate.high is not None
    bounds = f"{_write(estimate.low)} – {_write(estimate.high)}" if has_bounds else ""
    return _write(estimate.value), bounds


def _write(number: float | None) -> str:
    return NOTHING if number is None else f"{number:.3g}"
