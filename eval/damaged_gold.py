"""Write eval/gold/damaged anew, or with --check only tell whether it is in step: python -m eval.damaged_gold.

Damaged documents for the gate: each holds values that only a finding, an equation, or an objection to a sentence keeps
from being accepted wrong. Does not live here: damage that is drawn (eval.corruption), how files are kept (eval.reset).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from eval.corruption import Corrupted, make_corrupted
from eval.corruption.clean import make_figures, set_report
from eval.corruption.folder import write_label
from eval.corruption.layouts import render_report
from eval.corruption.report import print_cells
from eval.reset.documents import Made
from eval.reset.files import list_files, list_stale, write_files
from extractor.evaluation.labels import Label, LabelledCell
from extractor.forms import TABLE_SECTIONS
from extractor.model import NARRATIVE_FIELDS, CellState

FOLDER = Path(__file__).resolve().parent / "gold" / "damaged"


class Choice(NamedTuple):
    """One document of eval.corruption.

    Attributes:
        name: of the document, behind `damaged_`.
        why: what is read wrong, and what keeps it from being accepted.
        no_cells: numbers that stand in its tables and are no cell: page numbers, what the site adds.
    """

    name: str
    kinds: str
    severity: int
    number: int
    why: str
    no_cells: str = ""


CHOICES = (
    Choice("page_numbers", "split_tables", 2, 17, "a page number for a total: equations", "4, 5"),
    Choice("cut_row", "cut_off", 3, 8, "the rest of a row is gone: rows-missing"),
    Choice("notes", "cut_off+notes_in_cells+ocr_confused_digits", 3, 260, "a note for a cell: cell-not-separated"),
    Choice("half_row", "cut_off+ocr_confusions+old_table+word_residue", 3, 160, "another row's cells: row-before-gap"),
    Choice("site_numbers", "boilerplate", 3, 1, "the site's number for a cell: columns-unverified", "28, 29087"),
    Choice("lost_widths", "cut_off+lost_colspan", 2, 277, "shifted headers: columns-reordered"),
    Choice("letters", "collapsed_tabs+duplicate_row+ocr_confused_digits", 3, 463, "a letter in a number: row-repeated"),
)
# How eval.corruption's text states the numbers that a label needs a quote of.
_QUOTES: Mapping[str, str] = {
    "website_items": "主动公开政府信息{}条",
    "applications_received": "收到政府信息公开申请{}件",
    "applications_answered": "办结{}件",
    "applications_carried_out": "结转下年度继续办理{}件",
    "reviews": "申请行政复议{}件",
    "litigations": "提起行政诉讼{}件",
    "information_processing_fee_yuan": "收取信息处理费{}元",
}
_AGENCY = "甲县民政局"
#: Sentences that state no number of the agency and its year, in one document each about another fact.
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "numbers_of_others": (
        "2022年，主动公开政府信息560条。",
        "市级网站采用发布信息12条。",
        "下属单位通过微信公众号公开政府信息85条。",
        "牵头制定市政府规范性文件2件。",
        "其中废止规范性文件3件。",
        "收到更正政府信息申请2件。",
        "应收信息处理费300元。",
        "减免行政事业性收费12万元。",
        "政府信息公开类行政复议案件占全部行政复议案件56件的12%。",
        "2022年，结转下年度继续办理政府信息公开申请4件。",
    ),
    "numbers_in_doubt": (
        "主动公开政府信息约500条。",
        "未收到1件政府信息公开申请。",
        "上年结转的9件申请中，予以公开7件。",
        "收到热线咨询和政府信息公开申请，答复118件。",
        "收到政府信息公开申请均已办结，其余结转下年度。",
        "未发生败诉的政府信息公开行政诉讼案件。",
    ),
}


def make_documents() -> Iterator[Made]:
    """All of them."""
    for choice in CHOICES:
        (corrupted,) = make_corrupted(choice.kinds.split("+"), choice.severity, 1, choice.number, known=())
        yield _make(f"damaged_{choice.name}", corrupted, f"{choice.why}.", choice.no_cells)
    yield _make_contradicted("damaged_contradicted")
    for name, sentences in SENTENCES.items():
        yield _make_sentences(f"damaged_{name}", sentences)


def _make(name: str, corrupted: Corrupted, why: str, no_cells: str = "") -> Made:
    ending = corrupted.name.rpartition(".")[2]
    file = f"{name}.{ending}"
    data = write_label(corrupted.label, f"damaged/docs/{file}")
    data["generation"] = {section: data["generation"].get(section, "absent") for section in TABLE_SECTIONS}
    data["basis"] = dict.fromkeys(corrupted.label.generation, "set")
    stated = {fact: value for fact, value in data["narrative"].items() if value is not None}
    data["narrative"]["quotes"] = {fact: _QUOTES[fact].format(value) for fact, value in stated.items()}
    data["notes"] = f"{corrupted.label.name}: {why}" + (f" no cell: {no_cells}." if no_cells else "")
    return Made(name, file, corrupted.raw, data, corrupted.source, {})


def _make_contradicted(name: str) -> Made:
    """A digit of a total is lost. Its row is blank otherwise, so that no sum knows, but the text does."""
    rng = Random(name)
    report = set_report(rng, make_figures(rng, ()), "tab_rows")
    row = "review_litigation.review"
    parts = [cell for cell in report.cells if cell.startswith(f"{row}.") and not cell.endswith(".total")]
    cells = dict.fromkeys(parts, LabelledCell(CellState.BLANK)) | {f"{row}.total": LabelledCell(CellState.VALUE, 12)}
    damaged = print_cells(report, dict.fromkeys(parts, "") | {f"{row}.total": "1"}, cells)
    facts = {**report.facts, "narrative.reviews": 12}
    damaged = replace(damaged, facts=facts, stated=facts)
    label = Label(
        name=name,
        file="",
        kind="corrupted",
        generation=damaged.generation,
        cells=damaged.cells,
        facts=facts,
        layout=damaged.layout,
        damage="lost_digit",
        severity=1,
    )
    raw = render_report(damaged).encode()
    return _make(name, Corrupted(raw, f"{name}.txt", label, damaged.source), "12 became 1, and the text says 12.")


def _make_sentences(name: str, sentences: tuple[str, ...]) -> Made:
    """A report of running text alone, that states nothing."""
    title = f"{_AGENCY}2023年政府信息公开工作年度报告"
    text = "\n".join([title, "一、总体情况", *sentences, ""])
    facts: dict[str, object] = {f"narrative.{fact}": None for fact in NARRATIVE_FIELDS}
    facts |= {"header.title": title, "header.agency_name": _AGENCY, "header.report_year": 2023}
    label = Label(name, "", "corrupted", {}, {}, facts, damage=name.removeprefix("damaged_"), severity=1)
    return _make(
        name, Corrupted(text.encode(), f"{name}.txt", label, "written by hand"), "states no number of its own."
    )


def main() -> int:
    """Write, or with --check compare; 1 when something is out of step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare without writing")
    files = list_files(make_documents())
    if not parser.parse_args().check:
        write_files(FOLDER, files)
        return 0
    stale = list(list_stale(FOLDER, files))
    for problem in stale:
        print(f"eval/gold/damaged/{problem}. Run 'python -m eval.damaged_gold'.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
