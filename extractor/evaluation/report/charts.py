"""The page's charts that do not need a certificate: accepted shares of documents, and damage by severity.

Lives here: what is drawn, and the sentence that stands for it. Does not live here: style and export (figures), charts
of p(wrong) (ranking_charts). Called by page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from extractor.evaluation.metrics import Rate, measure
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.figures import choose_colour, export_figure, open_figure
from extractor.evaluation.report.wording import write_count, write_plural, write_share

#: So many documents have a bar each; more of them are drawn as a distribution.
MOST_BARS = 40
_BINS = 10
_MARKERS = ("o", "s", "^")
_ON_DAMAGE = (
    "Accepted share of the non-zero values by damage and severity (1 is mild). "
    "✗ is the number of table cells accepted wrong, over all severities."
)
PER_CENT = FuncFormatter(lambda share, _: f"{100 * share:.3g} %")


class Chart(NamedTuple):
    """A drawing and the caption that says what is seen on it, in figures."""

    drawing: Markup
    caption: str


class Bar(NamedTuple):
    """One document's accepted share of the non-zero values that it prints; `share` in per cent, for its length."""

    name: str
    text: str
    share: float
    accepted_wrong: int


def list_bars(documents: Sequence[DocumentOutcome]) -> list[Bar]:
    """A bar for each document that prints a number other than 0, the shortest first."""
    bars = []
    for document in documents:
        rates = measure([document], resamples=0).rates
        rate = rates["accepted_nonzero"]
        if rate.n:
            text = f"{write_count(rate.count)} of {write_count(rate.n)}"
            wrong = int(rates["accepted_wrong"].count + rates["facts_accepted_wrong"].count)
            bars.append(Bar(document.name, text, 100 * rate.count / rate.n, wrong))
    return sorted(bars, key=lambda bar: (bar.share, bar.name))


def draw_shares(bars: Sequence[Bar], kind: str) -> Chart:
    """How many documents have which accepted share, in tenths."""
    counts = [0] * _BINS
    for bar in bars:
        counts[min(int(bar.share * _BINS // 100), _BINS - 1)] += 1
    with open_figure(4.6, 2.6) as (figure, axes):
        drawn = axes.bar([(i + 0.5) / _BINS for i in range(_BINS)], counts, 0.9 / _BINS, color=choose_colour("main"))
        axes.bar_label(drawn, labels=[write_count(count) if count else "" for count in counts], fontsize=9)
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.set(xlim=(0, 1), xlabel="accepted share of a document's non-zero values", ylabel="documents")
        axes.grid(visible=False, axis="x")
    full, none = sum(bar.share == 100 for bar in bars), sum(bar.share == 0 for bar in bars)
    caption = (
        f"{write_plural(len(bars), 'document')} with numbers other than 0: {write_count(full)} accepted in full, "
        f"{write_count(none)} not at all."
    )
    return Chart(export_figure(figure, f"shares-{kind}", caption), caption)


def draw_damage(documents: Sequence[DocumentOutcome], kind: str) -> Chart:
    """For every damage the accepted share by severity, and what was accepted wrong."""
    rates = _measure_damage(documents)
    damages = sorted({damage for damage, _ in rates})
    severities = sorted({severity for _, severity in rates})
    with open_figure(4.6, 1.3 + 0.42 * len(damages)) as (figure, axes):
        for place, severity in enumerate(severities):
            offset = 0.2 * (place - (len(severities) - 1) / 2)
            rows = [row for row, damage in enumerate(damages) if (damage, severity) in rates]
            axes.scatter(
                [_share(rates[damages[row], severity]["accepted_nonzero"]) for row in rows],
                [row + offset for row in rows],
                marker=_MARKERS[place % len(_MARKERS)],
                color=choose_colour(("soft", "main", "ink")[place % 3]),
                label=f"severity {severity}",
                s=34,
                zorder=3,
            )
        for row, damage in enumerate(damages):
            wrong = sum(rates[damage, s]["accepted_wrong"].count for s in severities if (damage, s) in rates)
            if wrong:
                axes.text(1.04, row, f"✗ {write_count(wrong)}", color=choose_colour("wrong"), va="center")
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.set(xlim=(-0.02, 1.02), ylim=(len(damages) - 0.5, -0.5), xlabel="accepted share of non-zero values")
        axes.set_yticks(range(len(damages)), damages)
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper left", ncols=3)
    return Chart(export_figure(figure, f"damage-{kind}", f"{_ON_DAMAGE} {_describe(rates)}"), _ON_DAMAGE)


def _measure_damage(documents: Sequence[DocumentOutcome]) -> dict[tuple[str, int], Mapping[str, Rate]]:
    strata: dict[tuple[str, int], list[DocumentOutcome]] = {}
    for document in documents:
        strata.setdefault((document.damage or "none", document.severity), []).append(document)
    measured = {key: measure(part, resamples=0).rates for key, part in sorted(strata.items())}
    return {key: rates for key, rates in measured.items() if rates["accepted_nonzero"].n}


def _share(rate: Rate) -> float:
    return rate.count / rate.n


def _describe(rates: Mapping[tuple[str, int], Mapping[str, Rate]]) -> str:
    parts = []
    for (damage, severity), measured in rates.items():
        accepted = measured["accepted_nonzero"]
        share = write_share(accepted.count, accepted.n)
        wrong = write_count(measured["accepted_wrong"].count)
        parts.append(f"{damage} {severity}: {share} of {write_count(accepted.n)}, {wrong} accepted wrong")
    return "; ".join(parts)
