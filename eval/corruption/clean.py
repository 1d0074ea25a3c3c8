"""Clean reports with exact truth: figures of labels or made-up ones, set into the form.

Lives here: drawing the figures, the running text that states some of them, and the parts of a report. Does not live
here: any damage, and what the report looks like as a file (layouts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random

from eval.corruption.profiles import SHARES, draw_figures
from eval.corruption.report import Part, Report, ValueBox
from extractor.evaluation.labels import Label, LabelledCell, load_label
from extractor.forms import TABLE_SECTIONS, Section, load_forms
from extractor.model import NARRATIVE_FIELDS, CellState, Number
from tests.flatten import Table, build_tables

ROOT = Path(__file__).resolve().parents[2]
GOLD = ROOT / "eval" / "gold"
CORPUS = ROOT.parent / "shared" / "corpus" / "labels"
GENERATIONS = ("2021", "2021", "2019")
_PRINTED = frozenset({CellState.VALUE, CellState.BLANK, CellState.NA_MARK})
_LABELLED_SHARE = 0.25
_BLANK_SHARES = (0.0, 0.0, 0.0, 0.05)
_AGENCIES = ("云溪县民政局", "青石市统计局", "望江区人民政府", "白河县财政局")
_PHONE = "0478-3267955"


@dataclass(frozen=True)
class Figures:
    """What the tables of one report print.

    Attributes:
        source: the label's name, or `profile-number`.
        profile: see profiles.
    """

    source: str
    profile: str
    generation: Mapping[str, str]
    cells: Mapping[str, LabelledCell]


def load_figures(places: Sequence[Path]) -> tuple[Figures, ...]:
    """The figures of the labels in some folders whose three tables are fully known.

    Folders below them, and folders that are not there, are passed over.
    """
    labels = [load_label(path) for place in places for path in sorted(place.glob("*.json"))]
    return tuple(_read_figures(label) for label in labels if _is_complete(label))


def _is_complete(label: Label) -> bool:
    """Every cell of all three tables is labelled, and as something that is printed."""
    forms = [load_forms().section(section, name) for section, name in label.generation.items()]
    fields = {item.id for form in forms if form for item in form.fields}
    is_whole = set(label.generation) == set(TABLE_SECTIONS) and None not in forms and fields == set(label.cells)
    return label.kind == "real" and is_whole and all(cell.state in _PRINTED for cell in label.cells.values())


def _read_figures(label: Label) -> Figures:
    count = label.cells["applications.results_total.total"].value
    size = count if isinstance(count, int) else 0
    profile = "all-zero" if not size else "department" if size < 50 else "district" if size < 1000 else "city"
    return Figures(label.name, profile, label.generation, label.cells)


def make_figures(rng: Random, known: Sequence[Figures]) -> Figures:
    """Figures of a label, or made-up ones of one generation."""
    if known and rng.random() < _LABELLED_SHARE:
        return rng.choice(known)
    profile = rng.choices(list(SHARES), list(SHARES.values()))[0]
    generation = rng.choice(GENERATIONS)
    return Figures(
        profile,
        profile,
        dict.fromkeys(TABLE_SECTIONS, generation),
        {
            name: cell
            for section in TABLE_SECTIONS
            for name, cell in draw_cells(rng, section, generation, profile).items()
        },
    )


def draw_cells(rng: Random, section: str, generation: str, profile: str) -> dict[str, LabelledCell]:
    """Made-up cells of one table; some tables leave a few zeros out."""
    blank_share = rng.choice(_BLANK_SHARES)
    return {
        name: LabelledCell(CellState.BLANK)
        if value == 0 and rng.random() < blank_share
        else LabelledCell(CellState.VALUE, value)
        for name, value in draw_figures(rng, section, generation, profile).items()
    }


# ---------------------------------------------------------------- the form


def build_table(section: str, generation: str, cells: Mapping[str, LabelledCell]) -> Table:
    """One table of the form with its merged boxes."""
    return [
        [replace(box, text=show_cell(cells[box.field_id])) if isinstance(box, ValueBox) else box for box in row]
        for row in _build_empty(generation)[section]
    ]


def show_cell(cell: LabelledCell) -> str:
    """A cell as printed."""
    if cell.state is CellState.VALUE:
        return cell.raw or str(cell.value)
    return cell.raw or "/" if cell.state is CellState.NA_MARK else ""


@lru_cache(maxsize=8)
def _build_empty(generation: str) -> dict[str, Table]:
    """The tables of a generation with boxes that know their fields."""
    sections: Mapping[str, Section] = load_forms().generations[generation].sections
    names = {item.id: item.id for section in sections.values() for item in section.fields}
    tables = [table for _, table in build_tables(generation, names)]
    return {
        section: [
            [
                ValueBox("", box.rows, box.columns, is_value=True, field_id=box.text) if box.is_value else box
                for box in row
            ]
            for row in table
        ]
        for section, table in zip(sections, tables, strict=True)
    }


# ---------------------------------------------------------------- the report


def set_report(rng: Random, figures: Figures, layout: str) -> Report:
    """Figures -> a clean report."""
    year = 2019 + rng.randrange(2) if set(figures.generation.values()) == {"2019"} else 2021 + rng.randrange(4)
    agency = rng.choice(_AGENCIES)
    facts = _state_facts(rng, figures, year, agency)
    return Report(
        source=figures.source,
        profile=figures.profile,
        layout=layout,
        generation=dict(figures.generation),
        parts=tuple(_build_parts(figures, facts, year, agency)),
        cells=dict(figures.cells),
        facts=facts,
        stated=facts,
    )


def _state_facts(rng: Random, figures: Figures, year: int, agency: str) -> dict[str, object]:
    """What the running text will say; all other facts of the narrative are not stated."""

    def total(*names: str) -> Number | None:
        values = [figures.cells[name].value for name in names]
        return sum(value for value in values if isinstance(value, int)) if None not in values else None

    direct, after = (f"review_litigation.{name}.total" for name in ("litigation_direct", "litigation_after_review"))
    stated = {
        "website_items": rng.choice([12, 40, 691, 1136, 5500]),
        "applications_received": total("applications.new_received.total"),
        "applications_answered": total("applications.results_total.total"),
        "applications_carried_out": total("applications.carried_out.total"),
        "reviews": total("review_litigation.review.total"),
        "litigations": total(direct, after),
        "information_processing_fee_yuan": rng.choice([0, 0, 300]),
    }
    facts: dict[str, object] = {f"narrative.{name}": stated.get(name) for name in NARRATIVE_FIELDS}
    facts |= {
        "header.title": f"{agency}{year}年政府信息公开工作年度报告",
        "header.agency_name": agency,
        "header.report_year": year,
        "header.published_on": f"{year + 1}-01-16",
        "header.contact_phone": _PHONE,
        "header.contact_address": None,
        "header.website": None,
        "header.period_start": f"{year}-01-01",
        "header.period_end": f"{year}-12-31",
    }
    return facts


def _build_parts(figures: Figures, facts: Mapping[str, object], year: int, agency: str) -> list[Part]:
    intro = (
        "本报告由总体情况、主动公开政府信息情况等六个部分组成。"
        f"本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。"
        f"如对本报告有疑问，请与{agency}办公室联系，电话：{_PHONE}。"
    )
    tables = [
        Part(section, form.title, (build_table(section, name, figures.cells),))
        for section, name in figures.generation.items()
        if (form := load_forms().section(section, name))
    ]
    return [
        Part("header", "", (f"{facts['header.title']}", intro)),
        Part("overview", "一、总体情况", tuple(_write_overview(facts, year))),
        *tables,
        Part("problems_improvements", "五、存在的主要问题及改进情况", ("公开意识有待加强，下一步将予以改进。",)),
        Part("other_matters", "六、其他需要报告的事项", (_write_fee(year),)),
        Part("end", "", (agency, f"{year + 1}年1月16日")),
    ]


def _write_overview(facts: Mapping[str, object], year: int) -> list[str]:
    """Sentences; a number that the table does not print is not stated either."""

    def join(*clauses: tuple[str, str]) -> str:
        said = [text % f"{{narrative.{fact}}}" for fact, text in clauses if facts[f"narrative.{fact}"] is not None]
        return "，".join(said)

    paragraphs = [
        join(("website_items", "通过政府网站主动公开政府信息%s条")),
        join(
            ("applications_received", "收到政府信息公开申请%s件"),
            ("applications_answered", "办结%s件"),
            ("applications_carried_out", "结转下年度继续办理%s件"),
        ),
        join(("reviews", "因政府信息公开被申请行政复议%s件"), ("litigations", "被提起行政诉讼%s件")),
    ]
    return [f"（{mark}）{year}年，{text}。" for mark, text in zip("一二三", paragraphs, strict=True) if text]


def _write_fee(year: int) -> str:
    return f"{year}年，我单位收取信息处理费{{narrative.information_processing_fee_yuan}}元。"
