from __future__ import annotations

import re

import pytest

from extractor.flags import make_flag
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import Record, Suggestion
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.web.pages.telling import name_equation, tell_flag, tell_suggestion
from extractor.web.pages.words import Words

from .conftest import build_report

ZH, EN = Words.of("zh"), Words.of("en")
ROW = "行“（一）予以公开”：各列之和 = 总计"
LARGE = 27368747340080916343
FORM = dict.fromkeys(TABLE_SECTIONS, "2021")
IDS = re.compile(r"E\d\b|(?:applications|review_litigation|proactive_disclosure)\b|[a-z]+_[a-z]+")


@pytest.fixture(scope="module")
def record() -> Record:
    return process_document(read_document(build_report().encode(), "sums.html", Settings()), ())


@pytest.mark.parametrize(
    ("equation", "zh", "en"),
    [
        ("E1[total]", "列“总计”：一 + 二 = 三（七） + 四", "column 总计: 一 + 二 = 三（七） + 四"),
        (
            "E2[natural_person]",
            "列“自然人”：三（一）至（六）之和 = 三（七）",
            "column 自然人: sum of 三（一） to （六） = 三（七）",
        ),
        ("E3[granted]", "行“（一）予以公开”：各列之和 = 总计", "row （一）予以公开: sum of the columns = 总计"),
        ("E4[review]", "行“行政复议”：各列之和 = 总计", "row 行政复议: sum of the columns = 总计"),
        ("E9[nothing]", "E9[nothing]", "E9[nothing]"),
    ],
)
def test_an_equation_is_told_in_words_of_the_form(equation, zh, en):
    assert (name_equation(equation, FORM, ZH), name_equation(equation, FORM, EN)) == (zh, en)


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_no_two_equations_of_a_form_are_told_alike(generation):
    for name, section in load_forms().generations[generation].sections.items():
        told = [name_equation(one.id, {name: generation}, ZH) for one in section.equations]
        assert len(set(told)) == len(told)
        assert not [text for text in told if IDS.search(text)]


def test_no_flag_of_a_record_shows_an_id(record):
    assert any("E3[granted]" in flag.message.zh for flag in record.flags)
    for flag in record.flags:
        assert not IDS.search(tell_flag(flag, record, ZH))
        assert not IDS.search(tell_flag(flag, record, EN))


def test_what_a_document_prints_is_never_taken_for_an_id(record):
    printed = "E9[total] applications.nothing.here no_blanks E1"
    told = tell_flag(make_flag("unknown-row", raw=printed), record, ZH)
    assert told.endswith(printed)


def test_a_section_is_named_where_the_sentence_names_one(record):
    flag = make_flag("section-missing", section="review_litigation", title="四、政府信息公开行政复议、行政诉讼情况")
    assert tell_flag(flag, record, EN) == "section Table 四 is nowhere in the text"


@pytest.mark.parametrize(
    ("basis", "zh"),
    [
        ("settles E1[total], E3[granted]", f"可使成立：列“总计”：一 + 二 = 三（七） + 四; {ROW}"),
        ("no_blanks; the number of digits", "假设没有空格；按位数"),
        ("no_blanks; E3[granted]; jointly E2", f"假设没有空格；{ROW}；并用 各列三（一）至（六）之和 = （七）"),
        (f"blanks_as_zero; no equation; {LARGE} placements remain", "空格按 0 计；没有等式；还有 2.7 × 10^19 种排列"),
        ("llm reads 80件; settles E3[granted]", f"模型读作 80件；可使成立：{ROW}"),
        ("no_blanks; the number of digits; E3[granted] not satisfied", f"假设没有空格；按位数；但不合于 {ROW}"),
    ],
)
def test_what_a_suggestion_rests_on_is_told_in_both_languages(record, basis, zh):
    one = Suggestion(6, "single-cell", basis)
    assert tell_suggestion(one, record, ZH) == ("改一格", zh)
    method, english = tell_suggestion(one, record, EN)
    assert method == "one cell changed"
    assert not IDS.search(english)
