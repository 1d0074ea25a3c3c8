"""The label of a synthetic document, in the format of eval/gold. Does not live here: how it is drawn (generate)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eval.corruption.folder import write_label
from eval.corruption.report import Report, write_facts
from eval.scans.damage import SEVERITIES
from extractor.evaluation.labels import Label
from extractor.model import Candidate
from extractor.reconcile import Merged, evaluate_equations


def label_report(report: Report, file: str, level: str) -> dict[str, Any]:
    """A label as its file holds it.

    Args:
        file: name of the document, which lies in a folder `docs` beside the label's.
        level: see generate.LEVELS.
    """
    is_scan = level in SEVERITIES
    label = Label(
        name=file.partition(".")[0],
        file=file,
        kind="corrupted" if is_scan else "generated",
        generation=report.generation,
        cells=report.cells,
        facts=report.facts,
        layout="synthetic scan" if is_scan else "synthetic PDF",
        damage="scan" if is_scan else "",
        severity=SEVERITIES.get(level, 0),
    )
    data = write_label(label, f"docs/{file}")
    data["narrative"]["quotes"] = dict(_quote_facts(report))
    data["source_inconsistencies"] = [f"{name}: printed so on purpose" for name in _list_failing(label)]
    return data


def _quote_facts(report: Report) -> Iterator[tuple[str, str]]:
    """Of each fact of the running text the words that state it."""
    paragraphs = [item for part in report.parts for item in part.items if isinstance(item, str)]
    for clause in "，".join(paragraphs).replace("。", "，").split("，"):
        if "{narrative." in clause:
            name = clause.partition("{narrative.")[2].partition("}")[0]
            yield name, write_facts(clause, report.stated)


def _list_failing(label: Label) -> list[str]:
    """Ids of the equations that the printed values do not satisfy."""
    cells = {name: Merged(Candidate(cell.state, cell.value, raw=cell.raw), ()) for name, cell in label.cells.items()}
    return [item.id for item in evaluate_equations(cells, label.generation) if item.result == "fail"]
