"""When two names are one agency, and when they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.panel.names import find_stem, fold_agency, list_shorter


@pytest.mark.parametrize(
    "printed",
    [
        "平潭县财政局",
        " 平潭县 财政局\n",
        "平潭县财政局（）",
        "平潭縣財政局",
        "关于平潭县财政局",
        "2023年度平潭县财政局",
        "平潭县财政局2023年",
        "平潭县财政局政府信息公开工作年度报告",
        "平潭县财政局政务公开",
        "平潭县财政局政府信息公开工作2023年度报告",
    ],
)
def test_what_means_nothing_is_folded_away(printed: str) -> None:
    assert fold_agency(printed) == "平潭县财政局"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("某县人民政府信息公开", "某县人民政府"),
        ("某县政务公开办公室", "某县政务公开办公室"),
        ("某县政府信息公开工作领导小组", "某县政府信息公开工作领导小组"),
        ("ＡＢ开发区", "AB开发区"),
        ("政府信息公开", ""),
        ("·", ""),
    ],
)
def test_an_agency_keeps_its_own_words(name: str, folded: str) -> None:
    assert fold_agency(name) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("平潭综合实验区", "平潭综合实验区管委会"),
        ("淮安市人民政府", "淮安市"),
        ("淮安市人民政府", "淮安市人民政府办公室"),
        ("五常市民意乡", "五常市民意乡人民政府"),
        ("某市科学技术局（某市外国专家局）", "某市科学技术局"),
        ("某县民政局（本级）", "某县民政局"),
    ],
)
def test_names_that_differ_by_a_suffix_have_one_stem_and_stay_two_agencies(one: str, other: str) -> None:
    assert find_stem(one) == find_stem(other)
    assert fold_agency(one) != fold_agency(other)


def test_a_stem_is_never_empty() -> None:
    assert [find_stem(name) for name in ("人民政府", "办公室", "管委会")] == ["人民政府", "办公室", "管委会"]


def test_places_in_front_are_left_out_one_by_one() -> None:
    assert {"淮安市洪泽区", "洪泽区"} < set(list_shorter("江苏省淮安市洪泽区"))
    assert "泽区" not in list(list_shorter("江苏省淮安市洪泽区"))
    assert "市财政局" in list(list_shorter("淮安市财政局"))
    assert list(list_shorter("财政局")) == []


@given(st.text(alphabet=st.sampled_from("某县市政务信息公开人民府办公室（）年2023 \n报告"), max_size=30))
def test_folding_is_done_once_or_not_at_all(name: str) -> None:
    """A folded name has at least two characters, and printing does not come into it any more."""
    folded = fold_agency(name)
    assert folded == "" or len(folded) >= 2
    assert fold_agency(" ".join(name)) == folded
