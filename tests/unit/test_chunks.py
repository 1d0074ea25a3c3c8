"""Cutting a document into its sections, and finding the tables by what stands in them."""

from __future__ import annotations

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.model import Chunk, Document, Grid
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import read_document

VALUES = flatten.as_printed(flatten.make_values("2021", 6))
TABLES = flatten.build_tables("2021", VALUES)
TWO, THREE, FOUR = "proactive_disclosure", "applications", "review_litigation"
# A Word file has the same grids as a page, and takes long to make.
LAYOUTS = [name for name in flatten.LAYOUTS if name != "word"]
SEPARATING = [name for name in LAYOUTS if name != "glued"]


def split(raw: bytes) -> tuple[Document, list[Chunk]]:
    document = read_document(raw, "a", Settings())
    return document, split_chunks(document)


def with_tables(chunks: list[Chunk]) -> list[str]:
    return [chunk.section for chunk in chunks if chunk.table or chunk.runs]


def retitled(*headings: str) -> list[tuple[str, flatten.Table]]:
    return [(heading, table) for heading, (_, table) in zip(headings, TABLES, strict=True)]


def cell_texts(document: Document, chunk: Chunk) -> list[str]:
    grids = {block.index: block for block in document.blocks if isinstance(block, Grid)}
    return [
        document.view[cell.start : cell.end]
        for part in chunk.table
        for cell in grids[part.grid].cells[part.first : part.last]
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_report_has_a_chunk_a_section_in_order_of_print(layout: str) -> None:
    document, chunks = split(flatten.LAYOUTS[layout](TABLES))
    assert [chunk.section for chunk in chunks] == [
        "header",
        "overview",
        TWO,
        THREE,
        FOUR,
        "problems_improvements",
        "other_matters",
    ]
    assert with_tables(chunks) == [TWO, THREE, FOUR]
    assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
    assert (chunks[0].start, chunks[-1].end) == (0, len(document.text))
    assert [chunk.has_heading for chunk in chunks] == [False] + [True] * 6


@pytest.mark.parametrize("layout", SEPARATING)
def test_tables_without_headings_are_found_by_their_content(layout: str) -> None:
    _, chunks = split(flatten.LAYOUTS[layout](retitled("表一", "表二", "表三")))
    assert set(with_tables(chunks)) >= {THREE}
    found = [chunk for chunk in chunks if chunk.table or chunk.runs]
    assert not any(chunk.has_heading for chunk in found)


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "pipe_cells_kept", "markdown"])
def test_all_three_tables_without_headings_are_found_where_cells_are_separated(layout: str) -> None:
    _, chunks = split(flatten.LAYOUTS[layout](retitled("表一", "表二", "表三")))
    assert with_tables(chunks) == [TWO, THREE, FOUR]


@pytest.mark.parametrize("layout", ["tab_cells", "html_page", "markdown"])
def test_a_table_under_another_sections_heading_goes_to_its_own_section(layout: str) -> None:
    """Sections printed with each other's headings: the content decides."""
    two, three, four = (heading for heading, _ in TABLES)
    document, chunks = split(flatten.LAYOUTS[layout](retitled(three, two, four)))
    found = {chunk.section: "".join(cell_texts(document, chunk)) for chunk in chunks if chunk.table}
    assert set(found) == {TWO, THREE, FOUR}
    assert "行政许可" in found[TWO]
    assert "本机关不掌握相关政府信息" in found[THREE]
    assert "结果维持" in found[FOUR]


@pytest.mark.parametrize("layout", ["tab_cells", "pipe_cells_kept"])
def test_a_whole_report_in_one_grid_is_cut_where_the_section_changes(layout: str) -> None:
    """The headings stand in cells between the tables."""
    text = flatten.LAYOUTS[layout](TABLES).decode()
    for heading, _ in TABLES[1:]:
        row = f"\t{heading}\n\n" if layout == "tab_cells" else f"{heading}\n|\n"
        text = text.replace(f"\n{heading}\n", f"\n{row}")
    document, chunks = split(text.encode())
    assert with_tables(chunks) == [TWO, THREE, FOUR]
    texts = {chunk.section: cell_texts(document, chunk) for chunk in chunks if chunk.table}
    assert "行政事业性收费" in texts[TWO]
    assert "行政事业性收费" not in texts[THREE]
    assert any(text.startswith("四、结转") for text in texts[THREE])
    assert "尚未审结" in texts[FOUR]
    assert "尚未审结" not in texts[THREE]


def test_a_grid_with_all_three_tables_and_no_headings_is_cut_by_its_labels() -> None:
    rows = [row for _, table in TABLES for row in flatten.expand(table)]
    lines = ["\t".join(box.text if box else "" for box in row) for row in rows]
    document, chunks = split(("某局年报\n" + "\n".join(lines) + "\n结束。").encode())
    assert len([block for block in document.blocks if isinstance(block, Grid)]) == 1
    assert with_tables(chunks) == [TWO, THREE, FOUR]
    texts = {chunk.section: cell_texts(document, chunk) for chunk in chunks if chunk.table}
    assert [sum(text.isdigit() for text in texts[name]) for name in (TWO, THREE, FOUR)] == [10, 175, 15]


PROSE = (
    "某局2023年政府信息公开工作年度报告\n一、总体情况\n2023年，我局予以公开、部分公开、不予公开、无法提供、不予处理等"
    "各类答复依法办理，属于国家秘密、其他法律行政法规禁止公开、危及“三安全一稳定”、保护第三方合法权益、"
    "属于三类内部事务信息、属于四类过程性信息、属于行政执法案卷、属于行政查询事项的依法不公开，共12件。\n"
)


def test_prose_that_lists_the_rows_names_is_no_table() -> None:
    _, chunks = split(f"{PROSE}三、收到和处理政府信息公开申请情况\n{PROSE}".encode())
    assert with_tables(chunks) == []


def test_a_grid_that_only_shares_words_is_no_table() -> None:
    text = "某局2023年政府信息公开年度报告\n一、总体情况\n行政许可\t12\t3\n行政处罚\t5\t6\n收入\t7\t8\n支出\t1\t2\n"
    assert with_tables(split(text.encode())[1]) == []


def test_what_is_left_of_a_torn_table_counts_under_its_own_heading() -> None:
    """As a PDF's text has it: a grid of two rows, the rest of the table in lines around it."""
    rest = "第二十条第（一）项\n信息内容本年制发件数本年废止件数现行有效件数\n| 规章 | 0 | 0 | 0 |\n|---|---|---|---|\n"
    rest += "| 规范性文件 | 13 | 0 | 55 |\n第二十条第（五）项\n信息内容本年处理决定数量\n行政许可 97\n"
    rest += "第二十条第（八）项\n信息内容本年收费金额（单位：万元）\n行政事业性收费 0\n"
    document, chunks = split(f"二、主动公开政府信息情况\n{rest}三、收到和处理政府信息公开申请情况\n".encode())
    assert with_tables(chunks) == ["proactive_disclosure"]
    values = TemplateReader().read(document, chunks).candidates
    assert values["proactive_disclosure.normative_documents.in_force"][0].value == 55
    assert values["proactive_disclosure.licences.decisions"][0].value == 97


@pytest.mark.parametrize("foreign", ["行政许可", "结果维持", "第二十条第（一）项"])
def test_a_lone_foreign_label_in_a_table_is_a_misprint(foreign: str) -> None:
    """The rows behind it still belong to the table."""

    def misprint(table: flatten.Table) -> flatten.Table:
        return [
            [flatten.Box(foreign, box.rows, box.columns) if box.text == "（四）无法提供" else box for box in row]
            for row in table
        ]

    tables = [(heading, misprint(table) if i == 1 else table) for i, (heading, table) in enumerate(TABLES)]
    document, chunks = split(flatten.tab_cells(tables))
    three = next(chunk for chunk in chunks if chunk.section == THREE and chunk.table)
    texts = cell_texts(document, three)
    assert foreign.replace("（", "(").replace("）", ")") in texts
    assert any(text.startswith("四、结转") for text in texts)
    assert with_tables(chunks) == [TWO, THREE, FOUR]


@pytest.mark.parametrize(
    "rows",
    [
        "本年新制作数量\t本年新公开数量\n一项。\n信息内容\t本年增/减\t社会公益组织\t法律服务机构",
        "申请人情况\t法人或其他组织\t第二十条第（五）项\t信息内容\t予以公开\t部分公开\t属于国家秘密\t重复申请\t补正后申请内容仍不明确",
    ],
)
def test_a_row_with_labels_of_two_sections_goes_to_one_of_them_and_no_range_is_empty(rows: str) -> None:
    document, chunks = split(f"某局年报\n{rows}\n".encode())
    ranges = [part for chunk in chunks for part in chunk.table]
    assert ranges
    assert all(part.first < part.last for part in ranges)
    TemplateReader().read(document, chunks)


def test_the_first_chunk_is_the_header_even_where_a_heading_opens_the_text() -> None:
    _, chunks = split("一、总体情况\n无。".encode())
    assert [(chunk.section, chunk.start, chunk.end) for chunk in chunks] == [("header", 0, 0), ("overview", 0, 9)]


def test_a_text_without_headings_is_all_header() -> None:
    document, chunks = split("本局没有报告。".encode())
    assert chunks == [Chunk("header", 0, len(document.text), has_heading=False)]


def test_a_section_that_is_printed_twice_keeps_its_table_once() -> None:
    """A table of contents repeats the headings; the table stands under one of them."""
    contents = "".join(f"{heading}\n" for heading, _ in TABLES)
    text = flatten.tab_cells(TABLES).decode()
    place = text.index("一、总体情况")
    _, chunks = split((text[:place] + contents + text[place:]).encode())
    assert with_tables(chunks) == [TWO, THREE, FOUR]
    assert [chunk.section for chunk in chunks].count(TWO) == 2
    assert not next(chunk for chunk in chunks if chunk.section == TWO).table


@pytest.mark.parametrize("layout", ["spaced_rows", "bare_lines", "one_line", "glued"])
def test_a_table_in_running_text_ends_before_the_first_sentence_behind_it(layout: str) -> None:
    document, chunks = split(flatten.LAYOUTS[layout](TABLES))
    with_runs = [chunk for chunk in chunks if chunk.runs]
    assert [chunk.section for chunk in with_runs] == [TWO, THREE, FOUR]
    for chunk in with_runs:
        for start, end in chunk.runs:
            assert chunk.start <= start < end <= chunk.end
            assert "。" not in document.text[start:end]
