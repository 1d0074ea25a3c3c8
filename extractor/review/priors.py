"""How often a value under a flag is wrong: what the queue orders by where no certificate gives a chance.

Lives here: a prior for every code, where its numbers come from, and what reviewers' findings make of it. Does not live
here: how items are cut (items), what a certificate's scorer says (extractor.confidence). Called by intake and desk.

Method: Beta-binomial. A code's prior is a Beta distribution with the mean of its share and the weight of `STRENGTH`
observations; n looked-at values, w of them wrong, make its mean (STRENGTH * share + w) / (STRENGTH + n) (Gelman and
others, Bayesian Data Analysis, 3rd edition 2013, section 2.4). Values of one document are not independent, so the
findings of reviewers weigh less than they count: at most `MOST_COUNTED` observations a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

STRENGTH = 20.0
MOST_COUNTED = 500
#: A code that nobody measured and nobody judged.
_UNKNOWN = 0.1
#: An accepted value, or one in review without a finding: rare errors are what the audit is for.
UNFLAGGED = 0.01


class Prior(NamedTuple):
    """Share of values under a code that are not what is printed, and where the number comes from."""

    share: float
    source: str


_MEASURED = "measured: eval/bench/review_worth.py priors, 1044 damaged documents, numbers 50 to 61 of each kind"
_ASSUMED = "assumed"
PRIORS: Mapping[str, Prior] = {
    # Digits with nothing between them and their neighbours: 6 of 44, in 14 documents.
    "cell-not-separated": Prior(0.15, _MEASURED),
    # Rows that are nowhere: 43 of 2058 cells stood somewhere else, in 39 documents.
    "rows-missing": Prior(0.02, _MEASURED),
    # 62 of 448, in 10 documents.
    "columns-reordered": Prior(0.15, _MEASURED),
    # 12 of 268, in 51 documents.
    "narrative-differs": Prior(0.05, _MEASURED),
    # None of 7486, 491, 448, 343, 188 and 28 values was wrong, in 77, 37, 48, 28, 30 and 3 documents. Values of one
    # document are right or wrong together, and synthetic damage is kinder than real pages.
    "columns-unverified": Prior(0.02, _MEASURED),
    "row-repeated": Prior(0.03, _MEASURED),
    "row-before-gap": Prior(0.03, _MEASURED),
    "label-inexact": Prior(0.03, _MEASURED),
    "row-without-cells": Prior(0.05, _MEASURED),
    "row-out-of-order": Prior(0.1, _MEASURED),
    "position-unknown": Prior(0.5, _ASSUMED),
    "glued-digits": Prior(0.5, _ASSUMED),
    "inferred-by-equation": Prior(0.05, _ASSUMED),
    "unparsable-cell": Prior(0.5, _ASSUMED),
    "not-grounded": Prior(0.3, _ASSUMED),
    "reader-disagreement": Prior(0.3, _ASSUMED),
    "model-alone": Prior(0.15, _ASSUMED),
    "ocr-uncertain": Prior(0.2, _ASSUMED),
    "ocr-unconfirmed": Prior(0.05, _ASSUMED),
    "generation-unclear": Prior(0.05, _ASSUMED),
    "cut-off": Prior(0.1, _ASSUMED),
    "page-not-read": Prior(0.5, _ASSUMED),
    "several-reports": Prior(0.3, _ASSUMED),
    "not-a-count": Prior(0.3, _ASSUMED),
    "unit-differs": Prior(0.2, _ASSUMED),
    "year-differs": Prior(0.2, _ASSUMED),
    "title-incomplete": Prior(0.5, _ASSUMED),
    "header-several-values": Prior(0.2, _ASSUMED),
    "narrative-several-values": Prior(0.2, _ASSUMED),
    "narrative-parts-differ": Prior(0.1, _ASSUMED),
    "narrative-share-differs": Prior(0.1, _ASSUMED),
    # Of an equation that fails, one value is wrong, here or in the report itself: spread over its cells by items.
    # 65 of 1999, 61 of 1227, 3 of 35, in 44, 27 and 18 documents; in the others the report itself did not add up.
    "equation-failed": Prior(0.03, _MEASURED),
    "error-not-located": Prior(0.05, _MEASURED),
    "value-suspected": Prior(0.1, _MEASURED),
    # What nobody read at all.
    "table-missing": Prior(0.5, _ASSUMED),
    "picture-not-read": Prior(0.3, _ASSUMED),
    "unknown-row": Prior(0.3, _ASSUMED),
    "unclaimed-numbers": Prior(0.3, _ASSUMED),
    "section-missing": Prior(0.05, _ASSUMED),
}


class Finding(NamedTuple):
    """What reviewers found under a code: values looked at, and those that were wrong."""

    looked_at: int
    wrong: int


class Chances:
    """The chance of error by code, from priors and what reviewers found."""

    def __init__(self, findings: Mapping[str, Finding] | None = None) -> None:
        self._findings = dict(findings or {})

    def of_code(self, code: str) -> float:
        """The posterior mean, 0 to 1."""
        share = PRIORS[code].share if code in PRIORS else _UNKNOWN
        looked_at, wrong = self._findings.get(code, Finding(0, 0))
        weight = min(1.0, MOST_COUNTED / looked_at) if looked_at else 0.0
        return (STRENGTH * share + weight * wrong) / (STRENGTH + weight * looked_at)

    def of_codes(self, codes: Iterable[str]) -> float:
        """The chance that a value under all these is wrong; the codes are taken for independent of one another."""
        right = 1.0
        for code in codes:
            right *= 1 - self.of_code(code)
        return 1 - right if right < 1 else UNFLAGGED
