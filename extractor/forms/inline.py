"""Finding labels inside running text, where no cell borders help.

Lives here: the search for known labels in a stretch of a view. Does not live here: what follows
from them. Called by chunks (where is the table?) and by the template reader (where are the rows?).
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from extractor.forms.catalogue import LabelRef
from extractor.forms.loading import load_forms

_SKIPPED = frozenset(" \t\n\r\x00、，,。.．:：;；“”\"'‘’`（）()[]【】<>《》〈〉-—_·*#|")
# A label this short also occurs inside other words: it counts only where no further Han character
# follows, or where the next label begins.
_SHORT = 2


class LabelHit(NamedTuple):
    """A label found in running text: its interval (ordinal included) and what it may mean."""

    start: int
    end: int
    folded: str
    refs: tuple[LabelRef, ...]
    has_ordinal: bool


@cache
def _section_labels(section: str) -> tuple[re.Pattern[str], dict[str, tuple[LabelRef, ...]], dict[str, str]]:
    forms = load_forms()
    refs = {
        label: tuple(ref for ref in found if ref.section == section)
        for label, found in forms.label_index.items()
        if any(ref.section == section for ref in found)
    }
    longest_first = sorted(refs, key=len, reverse=True)
    any_label = "|".join(map(re.escape, longest_first))
    parts = [
        re.escape(label)
        + (
            f"(?=$|[^\u3400-\u9fff]|[一二三四五六七](?:本年|上年|结转|予以|部分|不予|无法|其他|总计)|(?:{any_label}))"
            if len(label) <= _SHORT
            else ""
        )
        for label in longest_first
    ]
    ordinals = {
        row.id: row.ordinal.translate({ord("（"): "(", ord("）"): ")"})
        for form in forms.national
        if section in form.sections
        for row in form.sections[section].rows
    }
    return re.compile("|".join(f"(?:{part})" for part in parts)), refs, ordinals


def find_labels(view: str, start: int, end: int, section: str) -> list[LabelHit]:
    """Find the labels of one section in `view[start:end]`, leftmost and longest first.

    White space, residue and punctuation inside a label do not matter. A label's own ordinal
    ("2." in "00000002.其他法律…") belongs to the hit; any other digits in front do not.
    """
    pattern, refs, ordinals = _section_labels(section)
    positions = [index for index in range(start, end) if view[index] not in _SKIPPED]
    compact = "".join([view[index] for index in positions])
    hits: list[LabelHit] = []
    previous_end = start
    for match in pattern.finditer(compact):
        folded = match.group()
        label_start, label_end = positions[match.start()], positions[match.end() - 1] + 1
        ordinal_start = _extend_over_ordinal(view, previous_end, label_start, refs[folded], ordinals)
        label_end = _extend_over_note_end(view, label_start, label_end, end)
        hits.append(LabelHit(ordinal_start, label_end, folded, refs[folded], ordinal_start < label_start))
        previous_end = label_end
    return hits


def _extend_over_ordinal(
    view: str, floor: int, start: int, refs: tuple[LabelRef, ...], ordinals: dict[str, str]
) -> int:
    """Move a hit's start over the label's own ordinal, or over any bracketed or Chinese one."""
    before = view[floor:start]
    official = {ordinals[ref.id].strip("()、.") for ref in refs if ref.id in ordinals} - {""}
    digits = "|".join(sorted(official)) or "(?!)"
    match = re.search(
        rf"(?:\([\s\x00]*(?:{digits}|[一二三四五六七八九十]+)[\s\x00]*\)|(?:{digits}|[一二三四五六七八九十]+)[\s\x00]*[、.,])[\s\x00、.]*$",
        before,
    )
    return floor + match.start() if match else start


def _extend_over_note_end(view: str, start: int, end: int, limit: int) -> int:
    """Move a hit's end over a closing bracket or quote whose opening lies inside the label."""
    while (
        end < limit
        and view[end] in ')”"'
        and ("(" in view[start:end] or "“" in view[start:end] or '"' in view[start:end])
    ):
        end += 1
    return end
