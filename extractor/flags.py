"""The catalogue of findings: every flag code, its severity, and its wording in both languages.

Codes are stable: reviewers filter by them. `docs/flags.md` explains each; a test keeps both in step.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from extractor.model import Flag, Message, Severity, Span

#: More places than these say no more to a person.
MOST_SPANS = 500


class Finding(NamedTuple):
    """Severity and message templates of one code. `{name}` is filled by make_flag."""

    severity: Severity
    zh: str
    en: str


CATALOGUE: dict[str, Finding] = {
    # the source
    "source-failed": Finding("error", "文件无法读取：{problem}", "the file could not be read: {problem}"),
    "undecodable-bytes": Finding(
        "warning", "有 {count} 处字节无法解码（按 {charset} 读取）", "undecodable bytes, read as {charset}: {count}"
    ),
    "hidden-text": Finding(
        "info", "页面含隐藏文字 {count} 字，未读取", "{count} characters of hidden text on the page were not read"
    ),
    # paper
    "pages-by-ocr": Finding("info", "第 {pages} 页由光学识别读取：{reason}", "read by OCR ({reason}): page {pages}"),
    "page-not-read": Finding("error", "第 {page} 页无法读取：{problem}", "page {page} could not be read: {problem}"),
    "picture-not-read": Finding(
        "warning", "文中的图片 {name} 未读取：{problem}", "a picture in the file was not read ({name}): {problem}"
    ),
    "ocr-uncertain": Finding("warning", "识别存疑：{doubts_zh}", "the recognition of the ink is in doubt: {doubts_en}"),
    "ocr-unconfirmed": Finding(
        "warning", "仅识别一次，且无平衡关系佐证", "recognised once only, and no equation vouches for it"
    ),
    # the report
    "not-a-report": Finding(
        "info", "不是政府信息公开工作年度报告，或没有正文", "not a yearly disclosure report, or one without a body"
    ),
    "several-reports": Finding(
        "error",
        "一个文件内似有多份报告（{section} 的表格出现多次），请拆分",
        "more than one report seems to stand in this file (the table of {section} repeats); split it",
    ),
    "table-missing": Finding(
        "warning",
        "有“{title}”标题但没有可读的表格（可能是图片或附件）",
        "the heading of {section} stands without a readable table (a picture or an attachment?)",
    ),
    "section-missing": Finding("warning", "全文没有“{title}”部分", "section {section} is nowhere in the text"),
    "sections-out-of-order": Finding(
        "info", "各部分次序与规定格式不同", "the sections do not stand in the official order"
    ),
    "generation-unclear": Finding(
        "warning",
        "无法从列名判断 {section} 的表式，按 {generation} 表式读取",
        "the columns do not tell the form generation of {section}; read as {generation}",
    ),
    "indicator-table-not-read": Finding(
        "info", "2019 年以前的指标表未读取", "the pre-2019 indicator table was not read"
    ),
    "year-differs": Finding(
        "warning",
        "年份不一致：标题 {title_year}，正文 {text_year}",
        "the years differ: {title_year} in the title, {text_year} in the text",
    ),
    # cells
    "position-unknown": Finding(
        "warning",
        "原列位置已丢失，数字仍在但不知属于哪一列",
        "column positions are lost: numbers survive, their columns do not",
    ),
    "glued-digits": Finding(
        "warning", "数字连在一起，无法确定分隔", "digits are glued together and cannot be separated with certainty"
    ),
    "cell-not-separated": Finding(
        "warning", "单元格与相邻文字之间没有分隔", "nothing separates the cell from its neighbours"
    ),
    "unparsable-cell": Finding("warning", "单元格内容不是可读的数：{raw}", "the cell holds no readable number: {raw}"),
    "row-without-cells": Finding(
        "warning",
        "行名下没有单元格，数字可能已错位",
        "the row's label stands without cells; its numbers may stand elsewhere",
    ),
    "row-repeated": Finding("warning", "同一行出现多次", "the same row is printed more than once"),
    "row-out-of-order": Finding(
        "warning",
        "行的次序与规定格式不同，行名与数字可能错配",
        "the row does not stand in the official order; label and numbers may not belong together",
    ),
    "label-inexact": Finding(
        "warning",
        "行名“{raw}”不标准且次序不符，按相似度归为“{label}”",
        "the label '{raw}' is not the official one and stands out of order; taken for '{label}' by likeness",
    ),
    "cut-off": Finding("warning", "文本在此结束，本行可能被截断", "the text ends here; the row may be cut off"),
    "row-before-gap": Finding(
        "warning", "下一行缺失，本行的数字可能属于下一行", "the next row is missing; these cells may be its"
    ),
    "rows-missing": Finding(
        "warning", "表中缺少 {count} 行，表格可能被截断", "{count} rows of the table are missing; it may be cut off"
    ),
    "unknown-row": Finding("warning", "表中有不认识的行：{raw}", "the table holds a row that is not known: {raw}"),
    "unclaimed-numbers": Finding(
        "warning", "表中有不属于任何行的数字：{raw}", "the table holds numbers that belong to no row: {raw}"
    ),
    "columns-unverified": Finding(
        "warning",
        "表头缺失或不完整，列次序未经核实",
        "the table's header is missing or torn; the order of columns is not verified",
    ),
    "columns-reordered": Finding(
        "warning", "表头的列次序与规定格式不同", "the columns do not stand in the official order"
    ),
    "unit-differs": Finding("warning", "单位与本列规定不同：{raw}", "the unit differs from the column's: {raw}"),
    "not-a-count": Finding("warning", "应为非负整数：{raw}", "a non-negative whole number was expected: {raw}"),
    # the model
    "reader-disagreement": Finding("warning", "两种读法不一致：{values}", "two readers do not agree: {values}"),
    "not-grounded": Finding(
        "warning",
        "模型的回答在原文对应位置找不到：{raw}",
        "the model's answer does not stand where it should in the source: {raw}",
    ),
    "model-alone": Finding(
        "warning",
        "仅由模型读出，没有第二个依据",
        "read by the model alone, with nothing else to vouch for it",
    ),
    "call-failed": Finding(
        "warning", "向模型询问{part}失败：{problem}", "asking the model about {part} failed: {problem}"
    ),
    "server-unavailable": Finding(
        "warning",
        "模型服务不可用，{part}未问：{problem}",
        "the model server is not available, {part} not asked: {problem}",
    ),
    "reply-truncated": Finding(
        "warning", "模型关于{part}的回答过长被截断", "the model's reply about {part} was cut off at its length limit"
    ),
    "reply-refused": Finding("warning", "模型拒绝回答{part}", "the model declined to answer about {part}"),
    "reply-filtered": Finding(
        "warning", "模型关于{part}的回答被内容过滤拦截", "the server's content filter stopped the reply about {part}"
    ),
    "reply-invalid": Finding(
        "warning", "模型关于{part}的回答不合格式", "the model's reply about {part} does not have the agreed form"
    ),
    "reply-missing": Finding(
        "warning", "没有关于{part}的已录回答", "no recorded reply about {part}, and no server to ask"
    ),
    "budget-reached": Finding(
        "warning", "已达本文件费用上限，{part}未问", "the limit for one document is reached; {part} was not asked"
    ),
    # what the page lost
    "inferred-by-equation": Finding(
        "warning",
        "连在一起的数字已推定分隔（按位数 {by_count} 行，按行内合计 {by_sum} 行，按各列联合 {by_columns} 行），"
        "前提是没有空格；请与原文核对",
        "glued digits were divided, supposing that no cell is blank: by the number of digits ({by_count} rows), by the "
        "row's own sum ({by_sum}), jointly by the columns ({by_columns}); compare them with the original",
    ),
    "splits-remain": Finding(
        "warning",
        "连在一起的数字未能推定分隔：{found_zh}",
        "glued digits could not be divided: {found_en}",
    ),
    "positions-enumerated": Finding(
        "info",
        "列位置已丢失；假设{hypotheses_zh}，{found_zh}",
        "column positions are lost; supposing {hypotheses}, {found_en}",
    ),
    # arithmetic and narrative
    "equation-failed": Finding(
        "error", "{id} 不成立：左边 {left}，右边 {right}", "{id} does not hold: left {left}, right {right}"
    ),
    "source-inconsistent": Finding(
        "warning",
        "{id} 不成立（左边 {left}，右边 {right}），但各格均经两种读法核对：报告原文如此",
        "{id} does not hold (left {left}, right {right}), and every cell is read alike twice: the report prints it so",
    ),
    "value-suspected": Finding(
        "warning",
        "若如此改动则全部等式成立（仅为建议，原文未改）：{changes}",
        "all equations would hold with this change (a suggestion; what is printed stays): {changes}",
    ),
    "error-not-located": Finding(
        "warning",
        "{ids} 不成立，无法确定是哪一格：{reason_zh}",
        "which cell is wrong cannot be told from {ids}: {reason_en}",
    ),
    "narrative-differs": Finding(
        "warning", "文字说 {stated}，表格为 {printed}", "the text says {stated}, the table {printed}"
    ),
    "narrative-parts-differ": Finding(
        "warning", "文字中的总数是 {whole}，所列各项为 {parts}", "the text says {whole} in all, its parts are {parts}"
    ),
    "narrative-share-differs": Finding(
        "warning",
        "文字中 {count} 占 {share}% 与同列其他比例不符（它们的总数是 {whole}）",
        "in the text {count} is {share}%, unlike the other shares of its list (of {whole})",
    ),
    "narrative-several-values": Finding(
        "warning", "文字中同一事项有多个数字：{raw}", "the text gives several numbers for one fact: {raw}"
    ),
    "title-incomplete": Finding(
        "warning",
        "标题既无机关名称也无年份，可能是网页栏目名",
        "the title names neither agency nor year; it may be the page's own words",
    ),
    "header-several-values": Finding(
        "warning", "同一事项有多种写法：{raw}", "the text gives several values for one fact: {raw}"
    ),
    # across documents (extractor panel)
    "carry-differs": Finding(
        "warning",
        "{before} 年“结转下年度”与 {after} 年“上年结转”不一致：{shown_zh}{note_zh}",
        "carried out of {before} and carried into {after} differ: {shown_en}{note_en}",
    ),
    "stock-differs": Finding(
        "info",
        "由 {before} 年存量推算的数与 {after} 年不符（实际报告常如此）：{shown_zh}{note_zh}",
        "what follows from the stock of {before} is not what {after} prints (common in real reports): "
        "{shown_en}{note_en}",
    ),
    "pending-vanished": Finding(
        "info",
        "{before} 年尚未审结的案件多于 {after} 年全部案件：{shown_zh}{note_zh}",
        "more cases were pending at the end of {before} than {after} has in all: {shown_en}{note_en}",
    ),
    "split-suggested-by-year": Finding(
        "info",
        "若“上年现行有效＋制发－废止＝现行有效”成立（实际报告常不成立），连在一起的数字只剩一种分法：{shown_zh}",
        "if in force + issued - repealed = in force a year later holds (in real reports it often does not), "
        "one way is left to split the digits: {shown_en}",
    ),
    "year-gap": Finding(
        "info", "{first} 至 {last} 年之间缺少：{missing}", "between {first} and {last} are missing: {missing}"
    ),
    "duplicate-year": Finding(
        "warning",
        "同一机关同一年度有 {count} 份文件：{same} 格一致，{differing} 格不一致，{open} 格无法比较",
        "{count} documents of one agency and year: {same} cells alike, {differing} differ, {open} cannot be compared",
    ),
    "agency-variants": Finding(
        "info",
        "名称相近，可能是同一机关（{likeness_zh}），未合并：{names}",
        "names that may be one agency ({likeness_en}), not merged: {names}",
    ),
    "agency-merged": Finding(
        "info", "按别名表并入“{agency}”：{names}", "merged into '{agency}' by the file of aliases: {names}"
    ),
    "not-in-panel": Finding("warning", "未列入：{reason_zh}", "not in the panel: {reason_en}"),
}


def make_flag(code: str, *, fields: Iterable[str] = (), spans: Iterable[Span] = (), **words: object) -> Flag:
    """Build a Flag from its catalogue entry.

    Raises:
        KeyError: when the code or a word of its message is not in the catalogue.
    """
    finding = CATALOGUE[code]
    return Flag(
        code=code,
        severity=finding.severity,
        fields=tuple(fields),
        message=Message(zh=finding.zh.format(**words), en=finding.en.format(**words)),
        spans=tuple(islice(spans, MOST_SPANS)),
    )
