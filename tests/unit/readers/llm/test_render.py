"""What a model is shown: all that is printed, where it is printed, and nothing else."""

from __future__ import annotations

from itertools import pairwise, takewhile

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.llm.tokens import count_tokens
from extractor.model import Document
from extractor.readers.llm.render import (
    TextLine,
    render_header,
    render_narrative,
    render_older,
    render_regions,
    render_table,
    split_table,
    split_windows,
)
from tests.unit.readers.llm.scripted import chunk_of, form_of, load, numbers, print_form, print_page

A = "applications"
HEADER = "||商业企业|科研机构|社会公益组织|法律服务机构|其他|"


def shown_lines(document: Document, section: str) -> list[str]:
    return [line.text for line in render_table(document, chunk_of(document, section), form_of(section))]


def lines_of(document: Document, section: str) -> list[TextLine]:
    return render_table(document, chunk_of(document, section), form_of(section))


def with_blanks() -> dict[str, str]:
    return numbers(
        applications__new_received__research="",
        applications__new_received__total="",
        applications__carried_in__natural_person="",
        proactive_disclosure__regulations__issued="",
        review_litigation__review__upheld="",
    )


# ---------------------------------------------------------------- rows of cells


@pytest.mark.parametrize("layout", ["tab_rows", "tab_cells", "markdown", "html_page", "full_width"])
def test_a_row_of_cells_is_one_line_with_a_bar_between_cells_and_empty_ones_to_be_seen(layout: str) -> None:
    document = print_form(layout, with_blanks())
    printed = with_blanks()
    wanted = [printed[f"{A}.new_received.{column.id}"] for column in form_of(A).columns]
    assert wanted.count("") == 2
    line = next(line for line in shown_lines(document, A) if line.startswith("一、本年新收"))
    assert line.rstrip("|").split("|")[-5:] == wanted[1:6]
    assert f"|{'|'.join(wanted)}" in line
    carried = next(line for line in shown_lines(document, A) if line.startswith("二、上年结转"))
    assert "||0|213|" in carried.replace("申请数量|||", "申请数量||")


@pytest.mark.parametrize("layout", ["tab_rows", "html_page"])
def test_an_empty_first_cell_of_the_line_without_label_is_to_be_seen(layout: str) -> None:
    """Section 四 has no labels: its first cell is known by the bar behind it."""
    printed = with_blanks()
    line = shown_lines(print_form(layout, printed), "review_litigation")[-1]
    assert line.startswith("|")
    assert line.split("|") == [printed[item.id] for item in form_of("review_litigation").fields]


def test_a_grid_that_was_filled_up_shows_its_tokens_only() -> None:
    """Cells pushed left and bars added: where an empty cell is shown says nothing, so none is."""
    printed = numbers(**{f"{A}__new_received__{name}": "" for name in ("natural_person", "business", "total")})
    printed |= dict.fromkeys([f"{A}.carried_in.research", f"{A}.granted.business"], "")
    document = print_form("pipe_cells_dropped", printed)
    lines = shown_lines(document, A)
    assert chunk_of(document, A).table
    received = [printed[f"{A}.new_received.{column.id}"] for column in form_of(A).columns]
    assert f"一、本年新收政府信息公开申请数量|{'|'.join(text for text in received if text)}" in lines
    assert not any("||" in line or line.endswith("|") for line in lines)


def test_hidden_characters_and_line_breaks_in_a_cell_are_gone() -> None:
    document = print_page(proactive_disclosure__regulations__issued="&#8203;1&shy; 件<br>（修订）")
    line = next(line for line in shown_lines(document, "proactive_disclosure") if line.startswith("规章"))
    assert line.split("|")[1] == "1 件 (修订)"


def test_a_bar_that_is_printed_in_a_cell_makes_no_new_cell() -> None:
    document = print_page(proactive_disclosure__regulations__issued="1|2")
    line = next(line for line in shown_lines(document, "proactive_disclosure") if line.startswith("规章"))
    assert line.split("|")[1] == "1 2"


def test_rows_of_empty_cells_alone_are_left_out() -> None:
    printed = dict.fromkeys(numbers(), "")
    lines = shown_lines(print_form("html_page", printed), "review_litigation")
    assert lines[-1].startswith("结果维持")


def test_cells_in_order_alone_begin_a_line_at_every_cell_with_words() -> None:
    document = print_form("tab_cells")
    printed = numbers()
    values = "|".join(printed[f"{A}.refused.state_secret.{column.id}"] for column in form_of(A).columns)
    assert any(line.endswith(f"1.属于国家秘密|{values}") for line in shown_lines(document, A))


def test_text_without_borders_is_shown_line_by_line_without_empty_ones() -> None:
    lines = shown_lines(print_form("bare_lines"), A)
    place = lines.index("2.重复申请")
    printed = numbers()
    assert lines[place + 1 : place + 8] == [
        printed[f"{A}.not_processed.duplicate.{column.id}"] for column in form_of(A).columns
    ]
    assert "" not in lines


def test_where_no_table_was_found_all_text_of_the_section_is_shown() -> None:
    document = load(
        "报告\n三、收到和处理政府信息公开申请情况\n新收 3 件\n结转 0 件\n四、政府信息公开行政复议、行政诉讼情况\n无"
    )
    assert shown_lines(document, A) == ["三、收到和处理政府信息公开申请情况", "新收 3 件", "结转 0 件"]


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("layout", ["tab_rows", "html_page", "tab_cells"])
def test_each_part_of_a_long_table_has_the_header_over_it(layout: str) -> None:
    lines = lines_of(print_form(layout), A)
    header = [line.text for line in lines if line.is_header]
    parts = split_table(lines, 200)
    assert len(parts) > 2
    assert all(part.split("\n")[: len(header)] == header for part in parts)


def test_all_parts_together_are_the_table_in_order_and_once() -> None:
    lines = lines_of(print_form("tab_rows"), A)
    header = [line.text for line in lines if line.is_header]
    parts = [part.split("\n") for part in split_table(lines, 200)]
    assert [text for number, part in enumerate(parts) for text in part[len(header) * bool(number) :]] == [
        line.text for line in lines
    ]


def test_parts_keep_to_the_limit_beside_the_header_that_they_carry() -> None:
    lines = lines_of(print_form("tab_rows"), A)
    header = sum(count_tokens(line.text) + 1 for line in lines if line.is_header)
    assert all(count_tokens(part) <= 200 + header for part in split_table(lines, 200))


def test_a_table_within_the_limit_is_one_part() -> None:
    lines = lines_of(print_form("tab_rows"), A)
    assert split_table(lines, 3000) == ["\n".join(line.text for line in lines)]


def test_in_section_two_a_part_carries_the_header_of_its_own_rows() -> None:
    """The form repeats 信息内容 with other columns for each 项: 行政强制 is counted by 处理决定."""
    lines = lines_of(print_form("tab_rows"), "proactive_disclosure")
    place = next(i for i, line in enumerate(lines) if line.text.startswith("行政强制"))
    kept = sum(count_tokens(line.text) + 1 for line in lines[:place])
    second = split_table(lines, kept)[1].split("\n")
    begin = second.index(lines[place].text)
    assert second[begin - 1] == "信息内容|本年处理决定数量"
    assert not any("制发件数" in text or "收费金额" in text for text in second[:begin])


@pytest.mark.parametrize("limit", [200, 260, 320])
def test_a_part_of_a_table_without_borders_begins_with_a_row_and_not_inside_one(limit: int) -> None:
    """Cells on lines of their own say nothing without the label in front of them."""
    lines = lines_of(print_form("bare_lines"), A)
    header = [line.text for line in takewhile(lambda line: line.is_header, lines)]
    parts = [part.split("\n") for part in split_table(lines, limit)]
    assert header[-5:] == ["商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他"]
    assert len(parts) > 1
    for part in parts[1:]:
        assert part[: len(header)] == header
        assert not part[len(header)].isdigit()


def test_the_heading_of_a_group_of_rows_does_not_stand_for_the_header() -> None:
    """（三）不予公开 stands nearest in front of its rows, and names no column."""
    printed = numbers() | dict.fromkeys(list(numbers())[::5], "")
    lines = lines_of(print_form("pipe_cells_padded", printed), A)
    assert "(三)不予公开" in [line.text for line in lines]
    assert all("科研机构" in part.split("\n") for part in split_table(lines, 200))


def test_a_part_that_begins_with_a_header_of_its_own_carries_no_other_one() -> None:
    lines = lines_of(print_form("tab_rows"), "proactive_disclosure")
    row = next(i for i, line in enumerate(lines) if line.text.startswith("行政许可"))
    begin = max(i for i in range(1, row) if lines[i].is_header and not lines[i - 1].is_header)
    parts = split_table(lines, sum(count_tokens(line.text) + 1 for line in lines[:begin]))
    assert parts[1].startswith("\n".join(line.text for line in lines[begin : row + 1]))


def test_windows_overlap_by_some_lines_so_that_no_row_is_cut_in_all_of_them() -> None:
    lines = [TextLine(f"第{number}行 12", number) for number in range(100)]
    windows = [window.split("\n") for window in split_windows(lines, 200)]
    assert len(windows) > 3
    assert all(before[-8:] == behind[:8] for before, behind in pairwise(windows))
    assert list(dict.fromkeys(text for window in windows for text in window)) == [line.text for line in lines]


# ---------------------------------------------------------------- rows that are asked again


@pytest.mark.parametrize(
    ("row", "header"),
    [("规章", "本年制发件数"), ("行政许可", "本年处理决定数量"), ("行政事业性收费", "本年收费金额")],
)
def test_a_row_of_section_two_is_shown_with_the_header_over_it(row: str, header: str) -> None:
    document = print_form("tab_rows")
    chunk, form = chunk_of(document, "proactive_disclosure"), form_of("proactive_disclosure")
    line = next(line for line in lines_of(document, "proactive_disclosure") if line.text.startswith(row))
    end = document.view.index("\n", line.start)
    shown = render_regions(document, chunk, form, [(line.start, end)]).split("\n")
    assert header in shown[-2]
    assert shown[-1] == line.text
    assert sum(text.startswith("信息内容") for text in shown) == 1
    assert not any(text.startswith(("规章", "行政")) for text in shown[:-1])


def test_rows_under_one_header_are_shown_with_it_once_and_in_order_of_print() -> None:
    document = print_form("tab_rows")
    lines = {line.text[:6]: line for line in lines_of(document, A)}
    regions = []
    for begin in ("四、结转下年", "一、本年新收"):
        start = lines[begin].start
        regions.append((start, document.view.index("\n", start)))
    shown = render_regions(document, chunk_of(document, A), form_of(A), [*regions, regions[0]]).split("\n")
    assert shown[2] == HEADER
    assert [line[:6] for line in shown[3:]] == ["一、本年新收", "四、结转下年"]


def test_a_row_of_text_without_borders_is_shown_with_its_own_lines_only() -> None:
    document = print_form("bare_lines")
    start = document.view.index("2.重复申请")
    end = document.view.index("3.要求提供公开出版物")
    shown = render_regions(document, chunk_of(document, A), form_of(A), [(start, end)])
    assert shown.split("\n")[-8:] == document.view[start:end].split()


# ---------------------------------------------------------------- running text

REPORT = f"""某某市民政局2023年政府信息公开工作年度报告
一、总体情况
我局高度重视。全年公开信息128条。收到申请九件！成立了领导小组。
五、存在的主要问题及改进情况
公开意识有待加强。下一步将予以改进。
六、其他需要报告的事项
本年度没有收取信息处理费3元。其他无。
{flatten.AFTER[-2]}
2024年1月16日
"""


def test_of_the_running_text_sentences_with_a_number_are_shown_and_all_of_section_five() -> None:
    document = load(REPORT)
    (shown,) = render_narrative(document, split_chunks(document), 3000)
    assert "全年公开信息128条。" in shown
    assert "收到申请九件!" in shown
    assert "公开意识有待加强。" in shown
    assert "下一步将予以改进。" in shown
    assert "信息处理费3元。" in shown
    for left_out in ("高度重视", "领导小组", "其他无", "2024年"):
        assert left_out not in shown


def test_a_long_running_text_is_cut_between_sentences() -> None:
    sentences = [f"第{number}项工作公开信息{number}条。" for number in range(120)]
    document = load(REPORT.replace("我局高度重视。", "".join(sentences)))
    parts = render_narrative(document, split_chunks(document), 200)
    assert len(parts) > 3
    assert all(count_tokens(part) <= 200 for part in parts)
    shown = [line for part in parts for line in part.split("\n")]
    assert [line for line in shown if line in sentences] == sentences


def test_tables_are_no_running_text() -> None:
    document = print_form("tab_rows", numbers(applications__new_received__total="4711件"))
    chunks = split_chunks(document)
    assert "4711" not in "".join(render_narrative(document, chunks, 3000))
    assert "4711" not in render_header(document, chunks)


def test_of_a_long_report_the_header_is_shown_by_its_beginning_and_its_end() -> None:
    document = load(REPORT.replace("我局高度重视。", "我局高度重视。" * 300))
    shown = render_header(document, split_chunks(document))
    assert shown.startswith("某某市民政局2023年政府信息公开工作年度报告")
    assert shown.endswith("2024年1月16日")
    assert "\n……\n" in shown
    assert len(shown) < 1100


def test_a_short_report_is_shown_once_and_whole() -> None:
    document = load(REPORT)
    shown = render_header(document, split_chunks(document))
    assert "……" not in shown
    assert shown.count("2024年1月16日") == shown.count("领导小组") == 1


def test_an_older_report_is_shown_whole_with_its_tables_in_order_of_print() -> None:
    page = (
        "<p>2012年信息公开工作年度报告</p><p>全年主动公开86条。领导重视。</p>"
        "<table><tr><td>指标名称</td><td>计量单位</td><td>2012年度</td><td>历年累计</td></tr>"
        "<tr><td>主动公开信息数</td><td>条</td><td>86</td><td></td></tr></table><p>附注：无。</p>"
    )
    (shown,) = render_older(load(f"<html><body>{page}</body></html>"), 3000)
    assert shown.split("\n") == [
        "2012年信息公开工作年度报告",
        "全年主动公开86条。",
        "领导重视。",
        "指标名称|计量单位|2012年度|历年累计",
        "主动公开信息数|条|86|",
        "附注:无。",
    ]


def test_a_long_older_report_is_cut_between_sentences() -> None:
    document = load("2012年信息公开工作年度报告\n" + "".join(f"公开第{number}项信息。" for number in range(200)))
    parts = render_older(document, 200)
    assert len(parts) > 3
    assert "".join("\n".join(parts).split("\n")[1:]) == document.view.strip().split("\n")[1]
