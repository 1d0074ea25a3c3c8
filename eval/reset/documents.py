"""The re-set documents: each report's figures and text, spoiled and flattened, with their labels.

Lives here: putting figures, text and layout together. Does not live here: what a label says (labels), where they are
kept (files).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from eval.reset.collected import COLLECTED
from eval.reset.figures import Figures, load_figures
from eval.reset.labels import find_lost, write_label
from eval.reset.noise import IN_TABLES, Noise
from eval.reset.prose import write_text
from eval.reset.report import Report, Setting
from eval.reset.seeds import SEEDS
from extractor.model import NARRATIVE_FIELDS
from tests import flatten

REPORTS = (*SEEDS, *COLLECTED)
_LAYOUTS = {**flatten.LAYOUTS, **flatten.TORN}
_ENDINGS = {"html_page": "html", "markdown": "md", "pdf_text": "md"}


class Made(NamedTuple):
    """One document and its label.

    Attributes:
        name: of both, without the endings.
        file: the document's name.
        source: the label in the corpus whose figures it has.
        as_set: rows whose places the layout lost, as they were set.
    """

    name: str
    file: str
    raw: bytes
    label: dict[str, Any]
    source: str
    as_set: dict[str, dict[str, list[Any]]]


def make_documents(corpus: Path) -> Iterator[Made]:
    """All re-set documents, from the labels of the corpus.

    Args:
        corpus: the folder that holds `labels/`.
    """
    for report in REPORTS:
        figures = load_figures(corpus / "labels" / f"{report.source}.json")
        for turn, setting in enumerate(report.settings):
            yield _make_document(report, figures, setting, turn)


def _make_document(report: Report, figures: Figures, setting: Setting, turn: int) -> Made:
    name = f"{report.name}_{setting.layout}"
    noise = report.noise if setting.is_noisy else ()
    rng = Random(name)
    text = write_text(report, figures.facts, figures.header, figures.counts, turn)
    if not setting.is_noisy:
        text.before[:1] = [line.replace("\n", "") for line in text.before[:1]]
        if report.page_time:
            text.before.insert(1, f"来源：{report.agency}办公室　时间：{report.page_time}")
    prose = flatten.Prose(
        before=[_spoil(line, report, noise, rng) for line in text.before],
        after=[_spoil(line, report, noise, rng) for line in text.after],
    )
    tables = [
        (_spoil(heading, report, noise, rng), [[_relabel(box, report, setting, rng) for box in row] for row in table])
        for heading, table in _repeat(flatten.build_tables(figures.generation, figures.print_cells()), report, setting)
    ]
    lines = "\n".join((*prose.before, *prose.after))
    quotes = {fact: _find(lines, quote) for fact, quote in text.quotes.items()}
    keeps_blanks = setting.layout not in flatten.DROPPING
    file = f"{name}.{_ENDINGS.get(setting.layout, 'txt')}"
    return Made(
        name=name,
        file=file,
        raw=_LAYOUTS[setting.layout](tables, prose),
        label={"file": f"re-set/docs/{file}"}
        | write_label(report, figures, setting.layout, keeps_blanks=keeps_blanks)
        | {"narrative": {fact: text.facts.get(fact) for fact in NARRATIVE_FIELDS} | {"quotes": quotes}},
        source=report.source,
        as_set=find_lost(figures, keeps_blanks=keeps_blanks),
    )


def _spoil(line: str, report: Report, noise: tuple[Noise, ...], rng: Random) -> str:
    for change in noise:
        line = change(line, report, rng)
    return line


def _relabel(box: flatten.Box, report: Report, setting: Setting, rng: Random) -> flatten.Box:
    if box.is_value:
        return box
    text = box.text
    for official, printed in {**report.labels, **(report.torn_labels if setting.is_noisy else {})}.items():
        text = printed + text.removeprefix(official) if text.startswith(official) else text
    noise = tuple(change for change in report.noise if change in IN_TABLES) if setting.is_noisy else ()
    return replace(box, text=_spoil(text, report, noise, rng))


def _repeat(
    tables: list[tuple[str, flatten.Table]], report: Report, setting: Setting
) -> Iterator[tuple[str, flatten.Table]]:
    """The label of a group once more, as behind a page break."""
    label, before = report.repeated if report.repeated and setting.is_noisy else ("", "")
    for heading, table in tables:
        yield heading, [[flatten.Box(label), *row] if label and row[0].text == before else row for row in table]


def _find(text: str, quote: str) -> str:
    """The quote as it stands in the text, where lines may be broken."""
    match = re.search(r"\s*".join(map(re.escape, re.sub(r"\s", "", quote))), text)
    if match is None:
        raise ValueError(f"not in the text: {quote}")
    return match[0]
