"""Damage around the tables: sections in another order, headings with wrong numbers, what a web page adds.

Lives here: kinds that act on the parts of a report and between them.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from eval.corruption.boxes import find_reaching, insert_row, table_width, value_rows
from eval.corruption.registry import Stage, register
from eval.corruption.report import Part, Report, forget_facts, map_tables
from extractor.forms import TABLE_SECTIONS
from tests.flatten import Box, Table

_TOP = (
    "首页 > 政务公开 > 政府信息公开年报",
    "当前位置：首页 > 信息公开 > 政府信息公开年度报告",
    "发布时间：{date}   来源：本站   浏览次数：{count}",
    "字体：【大 中 小】 打印本页 关闭窗口",
    "索引号：{index}  发布机构：办公室  成文日期：{date}",
    "网站首页 | 政务公开 | 办事服务 | 互动交流",
)
_BETWEEN = (
    "浏览次数：{count}",
    "分享到：微信 微博 QQ空间",
    "附件下载：年度报告.docx（{small}KB）",
    "返回顶部",
    "第{small}页",
    "责任编辑：王某 联系电话：0992-{phone}",
    "打印 {small} 收藏 {small}",
)
_BOTTOM = (
    "上一篇：{agency}{before}年工作总结",
    "下一篇：关于公布{small}项清单的通知",
    "主办单位：某某办公室 联系电话：0992-{phone} 网站标识码：{index}",
    "ICP备{phone}号-{small} 公网安备{index}号",
    "您是第{count}位访客",
    "版权所有 ©{before}-{year} 访问总量：{count}",
)
_INSIDE = (
    "浏览次数：{count}",
    "分享到：微信 微博 QQ空间",
    "附件：{small}",
    "发布日期：{date}",
    "联系电话：0992-{phone}",
    "第{small}页 共6页",
    "注：数据截至{date}",
)
_NUMERALS = ("一", "二", "三", "四", "五", "六", "七")
_INTO_TABLES = 3


@register(Stage.AROUND, (1, 2, 3), "1: two neighbours change places; 2: the tables' sections are shuffled; 3: all are")
def shuffled_sections(report: Report, rng: Random, level: float) -> Report:
    """Sections in another order, with their headings and tables."""
    parts = list(report.parts)
    moved = [i for i, part in enumerate(parts) if part.heading and (level > 2 or part.section in TABLE_SECTIONS)]
    if level < 2:
        first = rng.choice(moved[:-1])
        parts[first], parts[first + 1] = parts[first + 1], parts[first]
        return replace(report, parts=tuple(parts))
    order = rng.sample(moved, len(moved))
    for place, source in zip(moved, order, strict=True):
        parts[place] = report.parts[source]
    return replace(report, parts=tuple(parts))


@register(Stage.AROUND, (0.2, 0.5, 1.0), "share of the headings")
def heading_numbers(report: Report, rng: Random, level: float) -> Report:
    """Headings whose number is missing, doubled, wrong or written in digits (三三、, 1、)."""

    def renumber(heading: str) -> str:
        number, _, words = heading.partition("、")
        if number not in _NUMERALS or rng.random() >= level:  # other damage may have taken it
            return heading
        place = _NUMERALS.index(number) + 1
        numbers = ("", f"{number}{number}、", f"{place}、", f"（{number}）", f"{rng.choice(_NUMERALS)}、", f"{number}.")
        return rng.choice(numbers) + words

    parts = tuple(replace(part, heading=renumber(part.heading)) if part.heading else part for part in report.parts)
    return replace(report, parts=parts)


@register(Stage.AROUND, (2, 5, 9), "pieces; at 2 also between tables, at 3 also inside them")
def boilerplate(report: Report, rng: Random, level: float) -> Report:
    """What a web page adds, with numbers in it: breadcrumbs, share buttons, visitors, attachments, footers.

    A telephone number or a date of it may be taken for the report's: contacts are not judged.
    """
    parts = list(report.parts)
    for _ in range(int(level)):
        places = ("top", "bottom") if level < 3 else ("top", "between", "bottom")
        place = rng.choice(places)
        lines = {"top": _TOP, "between": _BETWEEN, "bottom": _BOTTOM}[place]
        piece = Part("site", "", (_write(rng, rng.choice(lines), report),))
        at = {"top": 0, "bottom": len(parts), "between": rng.randrange(1, len(parts))}[place]
        parts.insert(at, piece)
    changed = replace(report, parts=tuple(parts))
    if level > 5:
        changed = _put_inside(changed, rng)
    return forget_facts(changed, "header.contact_phone", "header.published_on")


def _write(rng: Random, line: str, report: Report) -> str:
    year = int(str(report.stated["header.report_year"]))
    return line.format(
        agency=report.stated["header.agency_name"],
        before=year - 1,
        year=year,
        date=f"{year + 1}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        count=rng.randint(3, 30_000),
        small=rng.randint(1, 30),
        phone=rng.randint(1_000_000, 9_999_999),
        index=f"{rng.randint(10_000_000, 99_999_999)}-{rng.randint(1, 9)}",
    )


def _put_inside(report: Report, rng: Random) -> Report:
    """Rows of one wide cell between the rows of a table."""

    def put(_section: str, table: Table) -> tuple[Table]:
        for _ in range(rng.randrange(_INTO_TABLES) if value_rows(table) else 0):
            row = rng.choice(value_rows(table))
            text = _write(rng, rng.choice(_INSIDE), report)
            reached = _reached_columns(table, row)
            table = insert_row(table, row, [Box(text, columns=table_width(table) - reached)])
        return (table,)

    return map_tables(report, put)


def _reached_columns(table: Table, row: int) -> int:
    return sum(table[reach.row][reach.index].columns for reach in find_reaching(table, row))
