"""How names of agencies are compared.

Lives here: the form in which two names are the same agency, and the looser ones in which they may be. Does not live
here: the search over all names (variants). Called by series, aliases and variants.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from extractor.forms import drop_note, load_forms

_YEAR = r"(?:19|20)\d\d年?度?"
_LEADING = re.compile(rf"^(?:关于|{_YEAR})+")
# What a title leaves behind a name. 公开办公室 and 公开领导小组 end otherwise: they are agencies.
_RESIDUE = re.compile(
    rf"(?:政府|政务)*(?:信息|政务)公开(?:工作)?(?:{_YEAR})?(?:情况)?(?:的)?(?:年度)?(?:工作)?(?:总结)?(?:报告|年报)?$"
)
_TRAILING = re.compile(rf"(?:{_YEAR}|的)+$")
_SHORTEST = 2

_SUFFIXES = ("人民政府", "政府", "管理委员会", "管委会", "办公室", "本级", "机关")
_PLACE_ENDS = frozenset("省市区县州盟旗镇乡")


@lru_cache(maxsize=65_536)
def fold_agency(name: str) -> str:
    """A name without what varies and means nothing: width, script, spaces, punctuation, pieces of the title.

    Two names with the same folded form are one agency; nothing else is ever taken for the same. Empty when no name is
    left.
    """
    text = unicodedata.normalize("NFKC", name).translate(load_forms().script)
    text = "".join(char for char in text if unicodedata.category(char)[0] in "LN")
    for piece in (_LEADING, _RESIDUE, _TRAILING):
        text = piece.sub("", text)
    if text.endswith("人民"):
        text += "政府"  # XX市人民|政府信息公开: the word serves both
    return text if len(text) >= _SHORTEST else ""


@lru_cache(maxsize=65_536)
def find_stem(name: str) -> str:
    """A name without a note in brackets and without the words that one agency's reports have or leave out.

    平潭综合实验区管委会 and 平潭综合实验区 have one stem. So have a government and its office, which are two agencies:
    an equal stem is a question.
    """
    stem = fold_agency(drop_note(name)) or fold_agency(name)
    while True:
        suffix = next((end for end in _SUFFIXES if stem.endswith(end)), None)
        if suffix is None or len(stem) - len(suffix) < _SHORTEST:
            return stem
        stem = stem.removesuffix(suffix)


def list_shorter(stem: str) -> Iterator[str]:
    """What is left of a stem when province, city or county in front of it are left out, the longest first."""
    for index in range(1, len(stem) - _SHORTEST + 1):
        # 淮安市|洪泽区, and 淮安|市财政局.
        if stem[index - 1] in _PLACE_ENDS or (stem[index] in _PLACE_ENDS and index >= _SHORTEST):
            yield stem[index:]
