"""The report of an evaluation: one HTML page that needs nothing but itself.

Lives here: writing the file. Its parts: head, rates, charts and ranking_charts (drawn by figures), heatmap, documents,
changes; page puts them into the templates. Called by `extractor eval --report`. Needs the extra `evaluation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from extractor.errors import OutputError
from extractor.evaluation.gate import GateReport
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.page import render_page
from extractor.evaluation.result import Evaluation

__all__ = ["write_report"]


def write_report(
    path: Path,
    outcomes: Sequence[DocumentOutcome],
    evaluation: Evaluation,
    gate: GateReport | None,
    baseline: Evaluation | None,
) -> None:
    """Write the page. The same input gives the same bytes, wherever and whenever.

    Args:
        path: of the HTML file; links to source files are relative to its folder.
        outcomes: all documents, in any order; kinds are shown apart.
        evaluation: the same documents as they are kept, with what was run.
        gate: its report; None where none was asked for.
        baseline: an earlier evaluation to compare with.

    Raises:
        OutputError: the file cannot be written.
    """
    text = render_page(path.resolve().parent, outcomes, evaluation, gate, baseline)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}). Name another file in --report.") from error
