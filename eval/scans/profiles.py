"""What a synthetic report prints: figures, running text, and what of it does not add up.

Lives here: the three sizes of office, marks and blanks, slips of the source, filler text. The figures of the tables
come from eval.corruption and eval.bench, where those of damaged text files come from, too. Does not live here: how
it looks (looks, form).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from eval.bench.localise_tables import PROFILES, Profile, make_table
from eval.corruption.clean import Figures, draw_cells, set_report
from eval.corruption.report import Part, Report
from extractor.evaluation.labels import LabelledCell
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import CellState

#: How often each size of office is drawn.
SHARES: Mapping[str, float] = {"town": 0.3, "district": 0.45, "city": 0.25}
_GENERATIONS = ("2021",) * 5 + ("2019",)
#: Applications and disputes; section 二 is drawn like that of the office named.
_TABLES: Mapping[str, tuple[Profile, str]] = {
    "town": (Profile((0, 5), (1, 2), (0.95, 0.05, 0, 0, 0, 0), (0.1, 0.1), 0.03, 1), "department"),
    "district": (PROFILES["district"], "district"),
    "city": (PROFILES["city"], "city"),
}
_SLIP_SHARE = 0.06
_MARK_SHARE = 0.1
_BLANK_TABLE_SHARE = 0.06
_MILLIONS_SHARE = 0.4
_SEPARATOR_SHARE = 0.06
_BLANK = LabelledCell(CellState.BLANK)
_MARK = LabelledCell(CellState.NA_MARK, raw="/")
_FILLERS = (
    "坚持把政府信息公开作为转变职能、改进作风的重要抓手，加强组织领导，完善工作机制，压实工作责任。",
    "围绕群众关心的教育、医疗、就业、养老等重点领域，及时发布政策文件和解读材料，回应社会关切。",
    "规范依申请公开办理流程，加强登记、审核、答复、送达等各环节管理，切实保障群众合法权益。",
    "优化政府网站栏目设置，做好政务新媒体内容保障和日常监测，不断提升信息发布质量。",
    "加强业务培训和考核评估，把公开工作纳入年度绩效，定期通报进展，督促问题整改。",
)
_ENDINGS = (
    "一是公开的深度和广度还不够；二是工作人员业务能力有待提高。下一步将加强培训，完善制度，逐项改进。",
    "部分栏目更新不够及时，政策解读形式较为单一。今后将健全审核机制，丰富解读方式。",
)


def draw_report(rng: Random, *, is_short: bool = False) -> Report:
    """A report with its truth; a short one has no more running text than it must."""
    profile = rng.choices(list(SHARES), list(SHARES.values()))[0]
    generation = rng.choice(_GENERATIONS)
    cells = _draw_cells(rng, generation, profile)
    cells |= _print_slip(rng, cells) | _print_marks(rng, cells) | _separate_thousands(rng, cells, profile)
    figures = Figures(profile, profile, dict.fromkeys(TABLE_SECTIONS, generation), cells)
    report = set_report(rng, figures, "scan")
    return report if is_short else _add_filler(rng, report)


def _draw_cells(rng: Random, generation: str, profile: str) -> dict[str, LabelledCell]:
    tables, office = _TABLES[profile]
    cells = draw_cells(rng, "proactive_disclosure", generation, office)
    if profile == "city" and rng.random() < _MILLIONS_SHARE:
        cells["proactive_disclosure.licences.decisions"] = _number(rng.randint(1_000_000, 6_999_999))
    blank_share = rng.choice((0, 0, 0, 0.04))
    for section in ("applications", "review_litigation"):
        table = make_table(rng, section, generation, tables)
        is_bare = section == "review_litigation" and rng.random() < _BLANK_TABLE_SHARE
        for field_id, value in table.read(table.cells).items():
            is_blank = value == 0 and (is_bare or rng.random() < blank_share)
            cells[field_id] = _BLANK if is_blank else _number(value)
    return cells


def _number(value: int) -> LabelledCell:
    return LabelledCell(CellState.VALUE, value)


def _print_slip(rng: Random, cells: Mapping[str, LabelledCell]) -> dict[str, LabelledCell]:
    """In a few reports one cell of section 三 that does not add up at the source."""
    if rng.random() >= _SLIP_SHARE:
        return {}
    results = [row.id for row in load_forms().generations["2019"].sections["applications"].rows if row.is_result]
    wrong = rng.choice([name for name in cells if name.split(".", 1)[1].rsplit(".", 1)[0] in results])
    value = cells[wrong].value
    return {wrong: _number((value if isinstance(value, int) else 0) + rng.choice((1, 2, 10)))}


def _print_marks(rng: Random, cells: Mapping[str, LabelledCell]) -> dict[str, LabelledCell]:
    """In some reports a stroke instead of the zeros of a row of section 二."""
    if rng.random() >= _MARK_SHARE:
        return {}
    row = rng.choice(("regulations", "coercion"))
    return {
        name: _MARK
        for name, cell in cells.items()
        if name.startswith(f"proactive_disclosure.{row}.") and not cell.value
    }


def _separate_thousands(rng: Random, cells: Mapping[str, LabelledCell], profile: str) -> dict[str, LabelledCell]:
    """In a few reports of cities 1,234 in section 二."""
    if profile != "city" or rng.random() >= _SEPARATOR_SHARE:
        return {}
    return {
        name: cell._replace(raw=f"{cell.value:,}")
        for name, cell in cells.items()
        if name.startswith("proactive_disclosure.") and isinstance(cell.value, int) and cell.value >= 1000
    }


def _add_filler(rng: Random, report: Report) -> Report:
    """Running text without numbers, more or less of it, so that tables break at other places."""
    fillers = rng.sample(_FILLERS, rng.randint(0, len(_FILLERS)))
    return replace(report, parts=tuple(_fill_part(rng, part, fillers) for part in report.parts))


def _fill_part(rng: Random, part: Part, fillers: list[str]) -> Part:
    if part.section == "overview":
        return replace(part, items=(*fillers[:2], *part.items, *fillers[2:]))
    if part.section == "problems_improvements":
        return replace(part, items=(rng.choice(_ENDINGS),))
    return part
