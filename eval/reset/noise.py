"""What scrapes and exports do to text, as seen in the sources of the re-set documents.

Each function takes one line of a document and gives it back spoiled; what is printed stays. Does not live here: how
tables are flattened (tests.flatten).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eval.reset.report import Report

#: Takes a paragraph or a heading.
Noise = Callable[[str, "Report", Random], str]

_HALF = str.maketrans("，；：（）", ",;:()")
_LINE = 28


def bookmark(line: str, report: Report, rng: Random) -> str:
    """Word's bookmarks, whose names are full of digits."""
    if line == report.title:
        return f"[bookmark: _GoBack]{line}"
    return f"[bookmark: hmcheck_{rng.getrandbits(128):032x}]{line}" if rng.random() < 0.1 else line


def halve_punctuation(line: str, report: Report, rng: Random) -> str:
    """Half-width commas, colons and brackets."""
    return line.translate(_HALF)


def number_by_hand(line: str, report: Report, rng: Random) -> str:
    """Headings one and five with the numbers of a list."""
    return re.sub("^五、(?=存在)", "5、 ", re.sub("^一、(?=总体)", "1、 ", line))


def head_page(line: str, report: Report, rng: Random) -> str:
    """The head of a page in front of the title."""
    if line != report.title:
        return line
    title = line.replace("\n", "")
    return (
        f"标题: {title}\n发布时间: {report.page_time}\n文号: \n发布机构: \n栏目: 政府信息公开年报\n"
        "==================== 正文 ====================\n"
        f"当前位置： 首页政务公开政府信息公开年报 {title} 来源：{report.agency}办公室 时间：{report.page_time} "
        f"微信 微博 QQ空间 全真版 文字版 文件下载 相关链接： --> {line}"
    )


def renumber(line: str, report: Report, rng: Random) -> str:
    """The tables numbered anew from one, and no heading above section five."""
    line = re.sub("^六、(?=其他需要)", "五、", re.sub("^五、存在.*$", "（一）主要问题", line))
    return re.sub(
        "^[二三四](?=、(?:主动公开政府|收到和处理|政府信息公开行政))",
        lambda match: "一二三"["二三四".index(match[0])],
        line,
    )


def break_lines(line: str, report: Report, rng: Random) -> str:
    """Spaces around numbers, and a line break wherever the page had one."""
    return "\n".join(_break(part) for part in line.split("\n"))


def _break(line: str) -> str:
    pieces = re.findall(r"https?://[\w./]+|\d[\d.%]*|\D", line)
    lines = [""]
    for piece in pieces:
        before = lines[-1][-1:]
        meets = before.isdigit() != piece[0].isdigit() and (before + piece[0]).isalnum() and before
        if len(lines[-1]) + len(piece) > _LINE:
            lines.append("")
        elif meets:
            lines[-1] += " "
        lines[-1] += piece
    return "\n".join(lines)


#: What happens to the labels in tables as well.
IN_TABLES = frozenset({bookmark, halve_punctuation})
