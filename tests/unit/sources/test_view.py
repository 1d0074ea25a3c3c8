"""The view: as long as the source, character for character, and no digit that the source has not."""

from __future__ import annotations

import unicodedata

import flatten
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.forms import load_forms
from extractor.sources.view import GAP, fold_view

_SPACES = "\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000"
_JOINERS = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_LINE_ENDS = "\x0b\x0c\r\x85\u2028\u2029"
_BARS = "│┃︱∣┆┊"
_DASHES = "−﹣‐‑"
_WIDE = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}

_PIECES = st.sampled_from(
    [
        "[bookmark: _GoBack]",
        "[bookmark: hmcheck_f43fed1350bb43d4bd07e09cbfb27230]",
        "[bookmark:",
        "<!--[if !supportLists]-->",
        "<![endif]",
        "<!-- 5 -->",
        "\n- 4 -\n",
        "\n第 3 页 共 6 页\n",
        "&nbsp;",
        "\r\n",
        "強(qiáng)",
        "０１２３",
        "5②",
        "10³",
        "㈠⑴⒈",
        "٣",
        "３㎡",
        *_SPACES,
        *_JOINERS,
        *_LINE_ENDS,
        *_BARS,
        *_DASHES,
    ]
)
TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=8), st.text("0123 \t\n|年件总計", max_size=8)), max_size=12).map(
    "".join
)


_FOLDINGS: dict[str, set[str]] = {
    "\r": {"\n", GAP},  # before a line feed it vanishes
    "\x07": {"\t"},
    "\t": {"\t"},
    "\n": {"\n"},
    **{char: {"\n"} for char in _LINE_ENDS if char != "\r"},
    **{char: {shown} for char, shown in _WIDE.items()},
    **{char: {"|"} for char in _BARS},
    **{char: {"-"} for char in _DASHES},
    **{char: {" "} for char in _SPACES},
    **{char: {GAP} for char in _JOINERS},
    **{chr(code): {simple} for code, simple in load_forms().script.items()},
}


def _documented_folding(char: str) -> set[str]:
    """Everything that the view may show of one source character where no residue is hidden."""
    if char in _FOLDINGS:
        return _FOLDINGS[char]
    if char < " " or unicodedata.category(char) == "Cf":
        return {GAP, char}
    if char.isspace():
        return {" "}
    compatible = unicodedata.normalize("NFKC", char)
    is_ideograph = "\u2e80" <= char < "\u2fe0" or "\uf900" <= char < "\ufb00"
    return {char} | ({compatible} if is_ideograph and len(compatible) == 1 else set())


@given(TEXTS)
@example("\r\n\r\n")
@example("\x00")
def test_the_view_is_exactly_as_long_as_the_text(text: str) -> None:
    assert len(fold_view(text)) == len(text)


@given(TEXTS)
def test_each_character_is_the_sources_own_or_its_documented_folding(text: str) -> None:
    """Anything else than a hidden character or a space of an entity is a folding of that one character."""
    for shown, char in zip(fold_view(text), text, strict=True):
        if shown == GAP or (shown == " " and char in "&nbsp;#160emsensp"):
            continue
        assert shown in _documented_folding(char), (shown, char)


@given(TEXTS)
def test_no_digit_appears_where_the_source_has_none(text: str) -> None:
    for shown, char in zip(fold_view(text), text, strict=True):
        if shown in "0123456789":
            assert char in (shown, chr(ord(shown) + 0xFEE0))


@given(TEXTS)
def test_a_view_has_no_carriage_return_no_full_width_digit_and_one_kind_of_space(text: str) -> None:
    view = fold_view(text)
    assert not set(view) & {"\r", "\u3000", "\u00a0", "\ufeff", "\u200b", *"０１２３４５６７８９"}


@given(st.text("件条规章收到 0123456789.,()-/\t\n|", max_size=40).filter(lambda text: "-" not in text))
def test_plain_text_is_its_own_view(text: str) -> None:
    assert fold_view(text) == text


@pytest.mark.parametrize("text", ["5②", "10³", "⑴", "⒈", "㈠", "x₂", "½", "Ⅲ", "٣", "㎡"])
def test_superscript_circled_and_other_digits_are_not_folded(text: str) -> None:
    """A footnote mark behind a number would make it another number."""
    assert fold_view(text) == text


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("１２３４５６７８９０", "1234567890"),
        ("（一）：；，", "(一):;,"),
        ("ＡｂＺ", "AbZ"),
        ("1\u00a02\u30003", "1 2 3"),
        ("总\u200b计\ufeff", f"总{GAP}计{GAP}"),
        ("a\r\nb\rc\u2028d", f"a{GAP}\nb\nc\nd"),
        ("甲\x07乙\x0b丙", "甲\t乙\n丙"),
        ("甲│乙┃丙", "甲|乙|丙"),
        ("−8 ﹣8", "-8 -8"),
        ("總計結轉辦理", "总计结转办理"),
        ("⼀般", "一般"),
        ("行&nbsp;政", "行      政"),
        ("", ""),
    ],
)
def test_width_script_spaces_and_line_ends_fold_one_for_one(text: str, view: str) -> None:
    assert fold_view(text) == view


@pytest.mark.parametrize(
    "residue",
    [
        "[bookmark: _GoBack]",
        "[bookmark: hmcheck_a5a8e2853b754cb6993b61394dadf65b][bookmark: hmcheck_4e01cf70128b470aa617c062225e450e]",
        "［bookmark： _GoBack］",
        "<!-- 12 -->",
        "<!--[if !supportLists]-->",
        "<![endif]-->",
    ],
)
def test_residue_of_word_and_web_is_hidden_and_joins_what_it_tore(residue: str) -> None:
    assert fold_view(f"部分{residue}公开") == f"部分{GAP * len(residue)}公开"


@pytest.mark.parametrize("text", ["[bookmark: 5\n6]", "[附件: 5]", "<b>5</b>", "bookmark: 5]"])
def test_what_only_looks_like_residue_stays(text: str) -> None:
    assert fold_view(text) == text


@pytest.mark.parametrize(
    "line", ["- 4 -", "-4-", "— 12 —", "－ 4 －", "第 3 页", "第3页 共 6页", "第3页/共6页", "  - 4 -  "]
)
def test_a_page_number_on_a_line_of_its_own_is_hidden(line: str) -> None:
    view = fold_view(f"予以公开\n{line}\n0")
    assert view.replace(GAP, "").replace(" ", "") == "予以公开\n\n0"


@pytest.mark.parametrize(
    "line", ["4", "-4", "- 4", "4 -", "—", "-", "/", "- 2023 -", "第三页", "第 3 页的表", "共 6 页", "-4-5-"]
)
def test_a_number_or_a_mark_on_a_line_of_its_own_is_no_page_number(line: str) -> None:
    assert fold_view(f"予以公开\n{line}\n0").split("\n")[1].strip() == fold_view(line)


def test_pinyin_glosses_are_hidden_where_a_page_is_full_of_them() -> None:
    gloss = "強(qiáng)化(huà)政(zhèng)務(wù)公(gōng)開(kāi)工(gōng)作(zuò)實(shí)效(xiào)性(xìng)"
    view = fold_view(gloss)
    assert view.replace(GAP, "") == "强化政务公开工作实效性"
    assert len(view) == len(gloss)


@pytest.mark.parametrize("text", ["强(qiáng)化", "甲(a)" * 12, "(一)(二)(三)(四)(五)(六)(七)(八)(九)(十)(一)ā"])
def test_few_parentheses_or_such_without_tone_marks_are_no_glosses(text: str) -> None:
    assert fold_view(text) == text


@pytest.mark.parametrize("layout", ["tab_cells", "full_width", "pipe_cells_padded", "glued"])
def test_a_view_of_a_whole_report_keeps_every_digit_in_its_place(layout: str) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 5))
    text = flatten.LAYOUTS[layout](flatten.build_tables("2021", printed)).decode()
    view = fold_view(text)
    assert len(view) == len(text)
    places = [i for i, char in enumerate(text) if unicodedata.category(char) == "Nd"]
    assert [unicodedata.digit(text[i]) for i in places] == [int(view[i]) for i in places]
