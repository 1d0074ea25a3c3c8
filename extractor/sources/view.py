"""The view: the text as readers see it, exactly as long as the source text.

Lives here: folding of width, script, spaces and residue, one character for one, so that an offset
in the view *is* an offset in the source. Does not live here: folding of labels for comparison
(extractor.forms.labels). Called by extractor.sources only.

Deliberately not folded: superscript, circled and parenthesised digits. NFKC would turn a footnote
mark `5②` into 52.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from extractor.forms import load_forms

#: Stands where the source has something that readers must not see. Not a space: it joins.
GAP = "\x00"

_RESIDUE = re.compile(
    r"\[bookmark:[^\]\n]{0,120}\]|<!--.{0,300}?-->|<!--\[if[^\]]{0,80}\]>?(?:-->)?|<!\[endif\](?:-->)?", re.S
)
# A page number on a line of its own: "- 4 -", "第 3 页 共 6 页".
_PAGE_NUMBER = re.compile(
    r"^[ \t\x00]*(?:[-—–]+[ ]?\d{1,3}[ ]?[-—–]+|第[ ]?\d{1,3}[ ]?页(?:[ ,/]*共[ ]?\d{1,3}[ ]?页)?)[ \t\x00]*$", re.M
)
_HTML_SPACE = re.compile(r"&nbsp;|&#160;|&emsp;|&ensp;")
# A gloss is pinyin in parentheses behind a Han character: 強(qiáng).
_GLOSS = re.compile("(?<=[\u3400-\u9fff])\\([a-züāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜń]{1,7}\\)")
_TONE = re.compile("[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]")
_MANY_GLOSSES = 10


@cache
def _folding_table() -> dict[int, str]:
    table: dict[int, str] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for code in (*range(0x2E80, 0x2FE0), *range(0xF900, 0xFB00)):  # radicals and compatibility ideographs
        folded = unicodedata.normalize("NFKC", chr(code))
        if len(folded) == 1:
            table[code] = folded
    table |= dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
    table |= dict.fromkeys(
        (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD), GAP
    )
    table |= {code: GAP for code in range(0x20) if chr(code) not in "\t\n"}
    table |= {0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n", 0x07: "\t"}
    table |= dict.fromkeys(range(0x2500, 0x2580), " ")  # drawn rules; upright ones are bars
    table |= dict.fromkeys(map(ord, "│┃┆┇┊┋║︱∣"), "|")
    table |= dict.fromkeys(map(ord, "−﹣‐‑"), "-")
    return table | dict(load_forms().script)


def fold_view(text: str) -> str:
    """Fold a source text into its view.

    Returns:
        A string of the same length: `view[i]` is what readers see of `text[i]`.
    """
    view = text.replace("\r\n", GAP + "\n").translate(_folding_table())
    if "[bookmark:" in view or "<!" in view:
        view = _RESIDUE.sub(_blank_out, view)
    if _PAGE_NUMBER.search(view):
        view = _PAGE_NUMBER.sub(_blank_out, view)
    if "&" in view:
        view = _HTML_SPACE.sub(lambda match: " " * len(match.group()), view)
    glosses = _GLOSS.findall(view)
    if len(glosses) >= _MANY_GLOSSES and any(map(_TONE.search, glosses)):
        view = _GLOSS.sub(_blank_out, view)
    return view


def _blank_out(match: re.Match[str]) -> str:
    return GAP * len(match.group())
