"""Damage to words: labels, headings and running text. No digit is touched, and no cell of the form.

Lives here: kinds that change characters. The truth of the cells stays as it is: a label that is misprinted is still
the label of its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from eval.corruption.layouts import PAGE
from eval.corruption.registry import Stage, register
from eval.corruption.report import Report, ValueBox, forget_facts, map_boxes, map_words
from extractor.forms import load_forms
from tests.flatten import Box

# Read as "for a character, what is misprinted for it": alike in shape, or next to it on a Chinese keyboard.
_ALIKE = (
    "予子 开幵 政攻 关夫 件仵 属厲 土士 人入 其共 公么 项顶 处外 情清 请清 申甲 由甲 料科 科料 结洁 总怠 "
    "计汁 维唯 诉诈 讼论 复夏 议仪 规现 章意 法去 业亚 织炽 律津 服腋 构沟 益盖 本木 年午 新薪 数敷 量童 "
    "上土 转砖 办为 理埋 果杲 部陪 分兮 国囯 家冢 密蜜 禁楚 止正 危厄 及乃 全金 定走 稳隐 保褓 护沪 第弟 "
    "方万 合台 权杈 类娄 过讨 程稈 性姓 执热 案桉 卷券 查杳 询讯 掌堂 握幄 相湘 现观 成戍 需霈 要耍 收牧 "
    "到倒 许评 可何 强弹 费贵 信倍 息思 府俯 内肉 容客 自目 然燃 商啇 企介 机杌 社杜 会佘 组祖 他地 正止 "
    "补朴 后启 仍扔 不下 明朋 确碓 举拳 报根 投没 重里 求球 提堤 供拱 版板 物吻 当挡 无元 大太 反友 认队 "
    "或戓 获荻 取娶 逾愉 期斯 再冉 缴激 纳钠 用甩 通诵 知和 按接 继缕 续读 直真 接按 起赴 尚向 审宙 纠纪 "
    "持特 "
)
ALIKE: Mapping[str, str] = {pair[0]: pair[1] for pair in _ALIKE.split()}
#: Characters that recognition mixes up, both ways.
CONFUSED: Mapping[str, str] = {
    a: b
    for pair in (
        "己已",
        "未末",
        "日曰",
        "人入",
        "土士",
        "干千",
        "大太",
        "子予",
        "天夭",
        "由甲",
        "未来",
        "本木",
        "问间",
        "田由",
        "侯候",
    )
    for a, b in (pair, pair[::-1])
} | {"一": "—", "二": "ニ", "三": "彡", "口": "囗", "八": "ハ", "卜": "ト", "（": "《", "、": "·"}
_SOUNDS = (
    "政:zhèng 府:fǔ 信:xìn 息:xī 公:gōng 开:kāi 申:shēn 请:qǐng 行:xíng 其:qí 他:tā 总:zǒng 计:jì "
    "本:běn 年:nián 不:bù 予:yǔ 处:chù 理:lǐ 数:shù 量:liàng 结:jié 果:guǒ 规:guī 章:zhāng 机:jī "
    "关:guān 属:shǔ 于:yú 国:guó 家:jiā 密:mì 类:lèi 复:fù 议:yì 诉:sù 讼:sòng "
)
_PINYIN = {item[0]: item[2:] for item in _SOUNDS.split()}
_RESIDUE = (
    "[bookmark: _GoBack]",
    "[bookmark: hmcheck_{hexadecimal}]",
    "<!--[if !supportMisalignedColumns]-->",
    "<!--[endif]-->",
)
_NOTES = ("（指2019年办件量）", "（指2018年事项数）", "（减用负值表示,如-8）", "（单位：件）", "（1月1日至12月31日）")


def _replace_some(rng: Random, text: str, share: float, doubles: Mapping[str, str]) -> str:
    return "".join(doubles[char] if char in doubles and rng.random() < share else char for char in text)


@register(Stage.WORDS, (0.01, 0.05, 0.15), "share of the characters that have a double")
def label_typos(report: Report, rng: Random, level: float) -> Report:
    """Characters alike in shape, in labels, headings and running text (不子公开)."""
    return map_words(report, lambda text: _replace_some(rng, text, level, ALIKE))


@register(Stage.WORDS, (0.05, 0.2, 0.6), "share of the characters that recognition mixes up")
def ocr_confusions(report: Report, rng: Random, level: float) -> Report:
    """Characters mixed up by recognition in labels, headings and running text (己/已, 末/未, 曰/日)."""
    return map_words(report, lambda text: _replace_some(rng, text, level, CONFUSED))


@register(Stage.WORDS, (0.005, 0.02, 0.08), "share of the characters")
def dropped_characters(report: Report, rng: Random, level: float) -> Report:
    """Characters lost from labels, headings and running text; never a digit.

    A sentence that lost a character may state its fact no more, or another one: narrative, dates and telephone are not
    judged.
    """

    def drop(text: str) -> str:
        return "".join(char for char in text if char.isdigit() or rng.random() >= level)

    stated = [name for name in report.facts if name.startswith("narrative.")]
    header = ("header.published_on", "header.period_start", "header.period_end", "header.contact_phone")
    return forget_facts(map_words(report, drop), *stated, *header)


@register(Stage.WORDS, (0.3, 0.7, 1.0), "share of the characters that have a traditional form")
def traditional_script(report: Report, rng: Random, level: float) -> Report:
    """Traditional characters."""
    simplified: dict[str, str] = {}
    for traditional, char in load_forms().script.items():
        simplified.setdefault(str(char), chr(traditional))
    return map_words(report, lambda text: _replace_some(rng, text, level, simplified))


@register(Stage.WORDS, (0.2, 0.6, 1.0), "share of the characters of a list")
def pinyin_glosses(report: Report, rng: Random, level: float) -> Report:
    """Pinyin behind characters: 強(qiáng)."""
    glossed = {char: f"{char}({sound})" for char, sound in _PINYIN.items()}
    return map_words(report, lambda text: _replace_some(rng, text, level, glossed))


@register(Stage.WORDS, (0.02, 0.1, 0.4), "share of the boxes")
def word_residue(report: Report, rng: Random, level: float) -> Report:
    """Bookmarks and conditional comments of Word inside cells and labels.

    A cell's raw token may hold them or not: of such a cell only the value is judged.
    """
    cells = dict(report.cells)

    def mark(box: Box) -> Box:
        if rng.random() >= level:
            return box
        residue = rng.choice(_RESIDUE).replace("{hexadecimal}", f"{rng.getrandbits(128):032x}")
        if isinstance(box, ValueBox) and cells[box.field_id].raw:
            cells[box.field_id] = cells[box.field_id]._replace(raw=None)
        return replace(box, text=residue + box.text)

    return replace(map_boxes(report, mark), cells=cells)


@register(
    Stage.WORDS,
    (0.3, 0.6, 1.0),
    "share of the labels of merged cells; at 2 and 3 of all labels",
    ("tab_cells", "bare_lines", PAGE),
)
def vertical_labels(report: Report, rng: Random, level: float) -> Report:
    """Labels with one character a line, or broken in the middle."""

    def stand(box: Box) -> Box:
        if box.is_value or len(box.text) < 2 or rng.random() >= level:
            return box
        if box.rows > 1:
            return replace(box, text="\n".join(box.text))
        middle = rng.randrange(1, len(box.text))
        return box if level < 0.5 else replace(box, text=f"{box.text[:middle]}\n{box.text[middle:]}")

    return map_boxes(report, stand)


@register(Stage.WORDS, (0.2, 0.5, 1.0), "share of the column labels")
def header_notes(report: Report, rng: Random, level: float) -> Report:
    """Column labels that carry filling instructions: 处理决定数量（指2019年办件量）."""
    columns = {
        label
        for form in load_forms().national
        for section in form.sections.values()
        for column in section.columns
        for label in column.labels
    }

    def explain(box: Box) -> Box:
        if box.is_value or box.text not in columns or rng.random() >= level:
            return box
        return replace(box, text=box.text + rng.choice(_NOTES))

    return map_boxes(report, explain)
