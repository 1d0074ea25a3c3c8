"""How labels are compared: folding away everything that varies without meaning.

Lives here: normal forms of label text and of single characters. Does not live here: which labels
there are (data files) and where they stand (readers).
"""

from __future__ import annotations

import re
from functools import lru_cache

# Ordinals in front of a label: 一、 （一） 1. 1、 ① ⑴ ⒈ ㈠ and combinations of them.
_ORDINAL = re.compile(
    r"^(?:[(（]?(?:[一二三四五六七八九十]{1,2}|\d{1,2})[)）]?[、.．,，:：)）]|[(（](?:[一二三四五六七八九十]{1,2}|\d{1,2})[)）]|[\u2460-\u249b\u3220-\u3229])+"
)
_NOTE = re.compile(r"[(（][^()（）]*[)）]$")
_NOISE = re.compile(r"[\s\x00、，,。.．:：;；“”\"'‘’`（）()\[\]【】<>《》〈〉\-—_·*#|]+")


@lru_cache(maxsize=16384)
def fold_label(text: str) -> str:
    """Fold a label to what is compared: no ordinal in front, no space, no punctuation.

    Args:
        text: label text in which width and script are already folded (a slice of a view).
    """
    compact = "".join(text.split()).replace("\x00", "")
    return _NOISE.sub("", _ORDINAL.sub("", compact))


def split_ordinal(label: str) -> tuple[str, str]:
    """Split a label as printed in the form into its ordinal ("1.", "（七）", "一、" or "") and the rest."""
    match = _ORDINAL.match(label)
    return (match.group(), label[match.end() :]) if match else ("", label)


def drop_note(text: str) -> str:
    """Drop one parenthesised note at the end: 规范性文件(指…的文件) -> 规范性文件."""
    return _NOTE.sub("", text.strip())
