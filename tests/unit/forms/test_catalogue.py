"""The forms as data: which cells, labels and equations each generation has."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from importlib import resources

import pytest

from extractor.forms import Equation, Form, fold_label, load_codebook, load_forms
from extractor.forms.loading import _build_form
from extractor.sources.view import fold_view

SECTIONS = ("proactive_disclosure", "applications", "review_litigation")
COLUMNS = ("natural_person", "business", "research", "public_welfare", "legal_service", "other_org", "total")
REFUSED = (
    "state_secret prohibited_by_law security_stability third_party_rights internal_affairs process_information "
    "enforcement_files administrative_query"
)
RESULTS_TO_NOT_PROCESSED = (
    "granted",
    "partially_granted",
    *(f"refused.{name}" for name in REFUSED.split()),
    *(f"unable.{name}" for name in ("not_held", "needs_creation", "unclear_after_correction")),
    *(
        f"not_processed.{name}"
        for name in ("petition_complaint", "duplicate", "publication", "excessive_repeated", "confirm_or_reissue")
    ),
)
RESULTS = {
    "2021": (
        *RESULTS_TO_NOT_PROCESSED,
        *(f"other_result.{name}" for name in ("no_timely_correction", "fee_unpaid", "other")),
    ),
    "2019": (*RESULTS_TO_NOT_PROCESSED, "other_result.merged"),
}
ROWS = {name: ("new_received", "carried_in", *rows, "results_total", "carried_out") for name, rows in RESULTS.items()}
SECTION_TWO = {
    "2021": {
        "regulations": ("issued", "repealed", "in_force"),
        "normative_documents": ("issued", "repealed", "in_force"),
        "licences": ("decisions",),
        "penalties": ("decisions",),
        "coercion": ("decisions",),
        "admin_fees": ("amount_wan",),
    },
    "2019": {
        "regulations": ("newly_made", "newly_disclosed", "total_disclosed"),
        "normative_documents": ("newly_made", "newly_disclosed", "total_disclosed"),
        "licences": ("items_prev_year", "items_change", "decisions"),
        "other_services": ("items_prev_year", "items_change", "decisions"),
        "penalties": ("items_prev_year", "items_change", "decisions"),
        "coercion": ("items_prev_year", "items_change", "decisions"),
        "admin_fees": ("items_prev_year", "items_change"),
        "procurement": ("projects", "amount"),
    },
}
GROUPS = ("review", "litigation_direct", "litigation_after_review")
OUTCOMES = ("upheld", "corrected", "other_result", "pending", "total")


def _form(generation: str) -> Form:
    return load_forms().generations[generation]


def _equations(generation: str) -> list[Equation]:
    return [equation for section in _form(generation).sections.values() for equation in section.equations]


def _field_ids(generation: str) -> list[str]:
    return [item.id for section in _form(generation).sections.values() for item in section.fields]


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(("generation", "counts"), [("2021", (10, 175, 15)), ("2019", (22, 161, 15))])
def test_each_section_has_the_cells_of_its_generation(generation: str, counts: tuple[int, ...]) -> None:
    assert tuple(len(_form(generation).sections[section].fields) for section in SECTIONS) == counts


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_every_field_id_is_section_row_column_in_the_order_of_print(generation: str) -> None:
    expected = [
        f"proactive_disclosure.{row}.{column}" for row, columns in SECTION_TWO[generation].items() for column in columns
    ]
    expected += [f"applications.{row}.{column}" for row in ROWS[generation] for column in COLUMNS]
    expected += [f"review_litigation.{group}.{column}" for group in GROUPS for column in OUTCOMES]
    assert _field_ids(generation) == expected


def test_generations_share_no_cell_of_section_two_whose_meaning_differs() -> None:
    """本年新制作数量 is not 本年制发件数: only 处理决定数量 of the three decision rows is common."""
    common = set(_field_ids("2021")) & set(_field_ids("2019"))
    assert {name for name in common if name.startswith("proactive_disclosure")} == {
        "proactive_disclosure.licences.decisions",
        "proactive_disclosure.penalties.decisions",
        "proactive_disclosure.coercion.decisions",
    }


def test_signed_decimal_and_money_columns() -> None:
    fields = load_forms().fields
    signed = {name for name, item in fields.items() if item.column.is_signed}
    decimal = {name: item.column.unit for name, item in fields.items() if item.column.is_decimal}
    assert signed == {
        f"proactive_disclosure.{row}.items_change"
        for row in ("licences", "other_services", "penalties", "coercion", "admin_fees")
    }
    assert decimal == {
        "proactive_disclosure.admin_fees.amount_wan": "wan",
        "proactive_disclosure.procurement.amount": "as_printed",
    }


def test_generations_are_ordered_newest_first_and_those_without_tables_last() -> None:
    assert list(load_forms().generations) == ["2021", "2019", "pre2019"]
    assert [form.generation for form in load_forms().national] == ["2021", "2019"]
    assert load_forms().section("applications", "pre2019") is None
    assert load_forms().section("applications", "2030") is None


# ---------------------------------------------------------------- equations


@pytest.mark.parametrize(
    ("generation", "counts"),
    [("2021", {"E1": 7, "E2": 7, "E3": 25, "E4": 3}), ("2019", {"E1": 7, "E2": 7, "E3": 23, "E4": 3})],
)
def test_the_number_of_equations_of_each_kind(generation: str, counts: dict[str, int]) -> None:
    names = [equation.id for equation in _equations(generation)]
    assert {kind: sum(1 for name in names if name.startswith(f"{kind}[")) for kind in counts} == counts
    assert len(names) == len(set(names)) == sum(counts.values())


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_only_the_seven_identities_are_official(generation: str) -> None:
    official = {equation.id for equation in _equations(generation) if equation.basis == "official"}
    assert official == {f"E1[{column}]" for column in COLUMNS}


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_the_equations_written_out(generation: str) -> None:
    """一+二=三(七)+四; results add up to their total; columns add up to 总计; section 四 likewise."""
    expected = {}
    for column in COLUMNS:

        def cell(row: str, column: str = column) -> str:
            return f"applications.{row}.{column}"

        expected[f"E1[{column}]"] = (
            (cell("new_received"), cell("carried_in")),
            (cell("results_total"), cell("carried_out")),
        )
        expected[f"E2[{column}]"] = (tuple(map(cell, RESULTS[generation])), (cell("results_total"),))
    for row in ROWS[generation]:
        cells = tuple(f"applications.{row}.{column}" for column in COLUMNS)
        expected[f"E3[{row}]"] = (cells[:-1], cells[-1:])
    for group in GROUPS:
        cells = tuple(f"review_litigation.{group}.{column}" for column in OUTCOMES)
        expected[f"E4[{group}]"] = (cells[:-1], cells[-1:])
    assert {equation.id: (equation.left, equation.right) for equation in _equations(generation)} == expected


@pytest.mark.parametrize(("generation", "addends"), [("2021", 21), ("2019", 19)])
def test_the_results_that_add_up_to_their_total(generation: str, addends: int) -> None:
    left = {len(equation.left) for equation in _equations(generation) if equation.id.startswith("E2[")}
    assert left == {addends}


def test_section_two_has_no_equation() -> None:
    assert [form.sections["proactive_disclosure"].equations for form in load_forms().national] == [(), ()]


def _rank(rows: list[dict[str, int]]) -> int:
    """Rank of sparse rows by exact elimination."""
    pivots: dict[str, dict[str, Fraction]] = {}
    for row in rows:
        rest = {name: Fraction(value) for name, value in row.items()}
        while rest:
            name = next(iter(rest))
            if name not in pivots:
                pivots[name] = {other: value / rest[name] for other, value in rest.items()}
                break
            factor = rest[name]
            for other, value in pivots[name].items():
                rest[other] = rest.get(other, Fraction(0)) - factor * value
                if not rest[other]:
                    del rest[other]
    return len(pivots)


@pytest.mark.parametrize(("generation", "cells", "rank"), [("2021", 190, 40), ("2019", 176, 38)])
def test_two_of_the_equations_follow_from_the_others(generation: str, cells: int, rank: int) -> None:
    rows = [dict.fromkeys(equation.left, 1) | dict.fromkeys(equation.right, -1) for equation in _equations(generation)]
    assert len({name for row in rows for name in row}) == cells
    assert _rank(rows) == rank
    without_totals = [
        row
        for row, equation in zip(rows, _equations(generation), strict=True)
        if equation.id not in ("E1[total]", "E2[total]")
    ]
    assert _rank(without_totals) == rank == len(without_totals)


def test_a_single_wrong_cell_of_section_three_fails_equations_of_its_own() -> None:
    """Each of the 175 cells stands in at least two equations, and no two in the same set."""
    member: dict[str, set[str]] = {}
    for equation in _equations("2021"):
        for name in (*equation.left, *equation.right):
            member.setdefault(name, set()).add(equation.id)
    cells = {name: frozenset(found) for name, found in member.items() if name.startswith("applications.")}
    assert len(cells) == 175
    assert min(map(len, cells.values())) == 2
    assert len(set(cells.values())) == 175


# ---------------------------------------------------------------- labels

SEEN_LABELS = [
    ("规范性文件", "proactive_disclosure", "row", "normative_documents"),
    ("行政规范性文件", "proactive_disclosure", "row", "normative_documents"),
    ("本年收费金额（单位：万元）", "proactive_disclosure", "column", "amount_wan"),
    ("本年收费金额(单位:万元)", "proactive_disclosure", "column", "amount_wan"),
    ("本年增/减", "proactive_disclosure", "column", "items_change"),
    ("政府集中采购", "proactive_disclosure", "row", "procurement"),
    ("一、本年新收政府信息公开申请数量", "applications", "row", "new_received"),
    ("（一）予以公开", "applications", "row", "granted"),
    ("(一)予以公开", "applications", "row", "granted"),
    ("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", "applications", "row", "partially_granted"),
    ("(二)部分公开(区分处理的,只计这一情形,不计其他情形)", "applications", "row", "partially_granted"),
    ("3.危及“三安全一稳定”", "applications", "row", "refused.security_stability"),
    ('３．危及"三安全一稳定"', "applications", "row", "refused.security_stability"),
    (
        "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
        "applications",
        "row",
        "other_result.fee_unpaid",
    ),
    (
        "2.申请人逾期未按收费通知缴纳费用、行政机关不再处理其政府信息公开申请",
        "applications",
        "row",
        "other_result.fee_unpaid",
    ),
    ("（三）不子公开", "applications", "caption", "不子公开"),
    ("商业\n企业", "applications", "column", "business"),
    ("總\n計", "review_litigation", "column", "total"),
    ("行政規範性文件", "proactive_disclosure", "row", "normative_documents"),
    ("結轉下年度繼續辦理", "applications", "row", "carried_out"),
    ("本機關不掌握相關政府資訊", None, None, None),
    ("本機關不掌握相關政府信息", "applications", "row", "unable.not_held"),
    ("尚未審結", "review_litigation", "column", "pending"),
    ("未經復議直接起訴", "review_litigation", "caption", "litigation_direct"),
    ("復議後起訴", "review_litigation", "caption", "litigation_after_review"),
    ("3.補正後申請內容仍不明確", "applications", "row", "unable.unclear_after_correction"),
    ("2.沒有現成信息需要另行製作", "applications", "row", "unable.needs_creation"),
    ("3.危及“三安全一穩定”", "applications", "row", "refused.security_stability"),
    ("(二)部分公開(區分處理的,只計這一情形,不計其他情形)", "applications", "row", "partially_granted"),
    ("本年增/減", "proactive_disclosure", "column", "items_change"),
    ("2.申請人逾期未按收費通知要求繳納費用", "applications", "row", "other_result.fee_unpaid"),
    ("4.無正當理由大量反復申請", "applications", "row", "not_processed.excessive_repeated"),
]


@pytest.mark.parametrize(("label", "section", "role", "meaning"), SEEN_LABELS)
def test_the_label_index_holds_every_variant_that_was_seen(
    label: str, section: str | None, role: str | None, meaning: str | None
) -> None:
    """Width, script, line breaks and punctuation do not matter; other words do."""
    refs = load_forms().label_index.get(fold_label(fold_view(label)), ())
    if section is None:
        assert refs == ()
    else:
        assert (section, role, meaning) in refs


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_every_label_of_a_form_is_found_in_the_index_in_full_and_half_width(generation: str) -> None:
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    for section in _form(generation).sections.values():
        role = "row" if section.layout == "labelled_rows" else "caption"
        expected = [(role, row.id, label) for row in section.rows for label in row.labels]
        expected += [("column", column.id, label) for column in section.columns for label in column.labels]
        for kind, name, label in expected:
            for shown in (label, label.translate(wide), "\n".join(label)):
                assert (section.id, kind, name) in load_forms().label_index[fold_label(fold_view(shown))], shown


def test_a_label_that_stands_in_several_tables_keeps_all_its_meanings() -> None:
    roles = {(ref.section, ref.role, ref.id) for ref in load_forms().label_index["总计"]}
    assert roles == {
        ("applications", "row", "results_total"),
        ("applications", "column", "total"),
        ("review_litigation", "column", "total"),
    }


def test_every_official_heading_names_its_section() -> None:
    index = load_forms().heading_index
    for name, (_ordinal, *variants) in load_forms().section_names.items():
        assert {index[fold_label(variant)] for variant in variants} == {name}


# ---------------------------------------------------------------- a generation is data

INVENTED = """
generation = "2030"
notice = "国办公开办函〔2030〕1号"

[review_litigation]
title = "四、行政复议情况"
layout = "labelled_rows"
captions = ["情况"]
[[review_litigation.columns]]
id = "made"
labels = ["作出件数"]
[[review_litigation.columns]]
id = "money"
labels = ["金额（单位：万元）"]
type = "decimal"
unit = "wan"
[[review_litigation.columns]]
id = "change"
labels = ["增减"]
signed = true
over = "合并列"
[[review_litigation.rows]]
id = "first"
labels = ["1.第一种", "1.头一种"]
group = "（一）各种"
result = true
[[review_litigation.rows]]
id = "second"
labels = ["2.第二种"]
group = "（一）各种"
result = true
[[review_litigation.rows]]
id = "all"
labels = ["（二）全部"]
columns = ["made"]
[[review_litigation.equations]]
id = "X1"
basis = "implied"
for_each = "column"
left = ["@result"]
right = ["all"]
[[review_litigation.equations]]
id = "X2"
basis = "official"
for_each = "row"
left = ["made"]
right = ["money", "change"]
"""


def test_a_new_generation_is_only_data() -> None:
    """A file of the known shape gives sections, rows, columns, fields and equations without a line of code."""
    form = _build_form(tomllib.loads(INVENTED))
    assert (form.generation, form.notice, list(form.sections)) == (
        "2030",
        "国办公开办函〔2030〕1号",
        ["review_litigation"],
    )
    section = form.sections["review_litigation"]
    made, money, change = section.columns
    assert (money.is_decimal, money.unit, change.is_signed, change.over) == (True, "wan", True, "合并列")
    assert [(row.id, row.ordinal, row.group, row.is_result) for row in section.rows] == [
        ("first", "1.", "（一）各种", True),
        ("second", "2.", "（一）各种", True),
        ("all", "（二）", None, False),
    ]
    assert section.rows_by_id["all"].columns == (made,)
    assert [item.id.removeprefix("review_litigation.") for item in section.fields] == [
        "first.made",
        "first.money",
        "first.change",
        "second.made",
        "second.money",
        "second.change",
        "all.made",
    ]
    written = {equation.id: equation for equation in section.equations}
    assert list(written) == ["X1[made]", "X1[money]", "X1[change]", "X2[first]", "X2[second]", "X2[all]"]
    assert written["X1[made]"].left == ("review_litigation.first.made", "review_litigation.second.made")
    assert written["X1[made]"].right == ("review_litigation.all.made",)
    assert (written["X2[first]"].basis, written["X2[first]"].right) == (
        "official",
        ("review_litigation.first.money", "review_litigation.first.change"),
    )


def test_a_generation_without_tables_has_marks_only() -> None:
    form = load_forms().generations["pre2019"]
    assert not form.sections
    assert {"指标名称", "历年累计"} <= set(form.marks)
    assert form.indicator_table == ("指标名称", "计量单位")


def test_every_data_file_is_loaded() -> None:
    names = {item.name for item in resources.files("extractor.forms").joinpath("data").iterdir()}
    toml = {name.removesuffix(".toml") for name in names if name.endswith(".toml")}
    assert toml - {"common"} == set(load_forms().generations)


def test_traditional_characters_fold_to_one_character_each() -> None:
    assert all(len(simple) == 1 for simple in load_forms().script.values())
    folded = "".join(load_forms().script.values())
    assert folded.translate(dict(load_forms().script)) == folded


# ---------------------------------------------------------------- codebook


def test_the_codebook_lists_each_field_once_with_its_generations() -> None:
    entries = {entry.id: entry for entry in load_codebook()}
    assert len(entries) == len(load_codebook())
    assert set(_field_ids("2021")) | set(_field_ids("2019")) <= set(entries)
    assert entries["applications.new_received.total"].generations == ("2021", "2019")
    assert entries["applications.other_result.merged.total"].generations == ("2019",)
    assert entries["applications.other_result.other.total"].generations == ("2021",)
    assert entries["proactive_disclosure.admin_fees.amount_wan"][2:4] == ("decimal", "wan")
    assert entries["header.report_year"][2:4] == ("int", "")
    assert entries["narrative.information_processing_fee_yuan"][2:4] == ("decimal", "yuan")
    assert entries["applications.refused.state_secret.business"].label == (
        "三、收到和处理政府信息公开申请情况 > （三）不予公开 > 1.属于国家秘密 > 法人或其他组织 > 商业企业"
    )
