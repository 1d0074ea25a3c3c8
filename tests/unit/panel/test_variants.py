"""Names that are alike: which are listed, and which are plainly two agencies."""

from __future__ import annotations

from extractor.model import Status
from extractor.panel.entries import Entry
from extractor.panel.relations import load_panel_fields
from extractor.panel.series import Series, group_entries
from extractor.panel.variants import find_variants

NO_CELLS = (None,) * len(load_panel_fields())


def _group(*named: tuple[str, int] | tuple[str, int, str]) -> list[Series]:
    entries = [
        Entry(line, 0, f"{line}", "x", Status.SUCCEEDED, tuple(site), name, year, "accepted", {}, NO_CELLS)
        for line, (name, year, *site) in enumerate(named, start=1)
    ]
    return group_entries(entries, {}).series


def _find(*named: tuple[str, int] | tuple[str, int, str]) -> list[tuple[str, list[str]]]:
    return [(item.likeness, [series.name for series in item.series]) for item in find_variants(_group(*named))]


def test_a_suffix_more_or_less_is_listed() -> None:
    assert _find(("平潭综合实验区", 2021), ("平潭综合实验区管委会", 2022), ("平潭县", 2022)) == [
        ("suffix", ["平潭综合实验区", "平潭综合实验区管委会"])
    ]


def test_a_place_in_front_more_or_less_is_listed_with_the_shorter_name_first() -> None:
    assert _find(("天门市胡市镇人民政府", 2019), ("胡市镇", 2020), ("天门市", 2020)) == [
        ("prefix", ["胡市镇", "天门市胡市镇人民政府"])
    ]


def test_a_bare_name_is_listed_once_with_all_it_may_be() -> None:
    (found,) = _find(("财政局", 2020), *((f"{place}县财政局", 2021) for place in "甲乙丙丁"))
    assert found == ("prefix", ["财政局", "丁县财政局", "丙县财政局", "乙县财政局", "甲县财政局"])


def test_one_character_counts_on_one_site_only() -> None:
    assert _find(("乌拉特前旗政务服务局", 2021, "旗"), ("乌拉特前旗政务服局", 2022, "旗")) == [
        ("spelling", ["乌拉特前旗政务服务局", "乌拉特前旗政务服局"])
    ]
    assert _find(("乌拉特前旗政务服务局", 2021, "旗"), ("乌拉特前旗政务眼务局", 2022, "旗"))
    assert _find(("乌拉特前旗政务服务局", 2021, "旗"), ("乌拉特前旗政务服局", 2022, "盟")) == []
    assert _find(("乌拉特前旗政务服务局", 2021), ("乌拉特前旗政务服局", 2022)) == []


def test_agencies_that_report_side_by_side_are_two() -> None:
    assert _find(("五常市民意乡卫生院", 2021, "市"), ("五常市民乐乡卫生院", 2021, "市")) == []


def test_numbers_and_directions_tell_agencies_apart() -> None:
    assert _find(("某某县第一人民医院", 2021, "县"), ("某某县第二人民医院", 2022, "县")) == []
    assert _find(("某某市城东街道办", 2021, "市"), ("某某市城西街道办", 2022, "市")) == []


def test_a_row_of_like_names_is_no_misprint() -> None:
    places = "甲乙丙丁戊己庚辛壬癸"
    assert _find(*((f"某某县{place}家镇中心", 2010 + index, "县") for index, place in enumerate(places))) == []


def test_names_that_differ_at_both_ends_stand_in_two_findings() -> None:
    """So that what a finding says holds for all of its names."""
    assert _find(("胡市镇", 2019), ("胡市镇人民政府", 2020), ("天门市胡市镇", 2021)) == [
        ("suffix", ["胡市镇", "胡市镇人民政府"]),
        ("prefix", ["胡市镇", "天门市胡市镇"]),
    ]
