"""Parts that do not make their whole, and a share that does not fit its list, inside the running text.

Lives here: arithmetic on the printed counts of one sentence. Does not live here: any comparison with the tables
(reconcile). Called by narrative.

A list may name some parts only, or count the same thing twice on purpose, so little is certain. Parts are wrong where
at least three of them come to more than the whole and no run of neighbours makes it, or where the last of them is
"the others" and they come to less. A share is wrong where three others of its sentence agree on a whole that it does
not fit; which whole that is, the text need not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import Candidate, Flag, Span
from extractor.readers.narrative_statement import Text

_NUMBER = r"\d{0,2}(?:,\d{3})+(?!\d)|\d{0,8}"
_UNITS = "条次|件次|[条件篇起宗份例项个]"
# The look behind stands second: a pattern that begins with a class is searched for much faster.
_COUNT = re.compile(rf"(?P<number>\d(?<![\d.,]\d)(?:{_NUMBER}))(?P<unit>{_UNITS})(?![月次])")
_WHOLE = re.compile(rf"{_COUNT.pattern}(?:\([^()]{{0,40}}\))?[,:;。]?$")
_OF_WHICH = re.compile("其中(?:包括|包含|有)?[,:]?")
_LONGEST_WHOLE = 64
_SHARE_WORDS = (
    "(?:约)?占(?:比|全部|总数|总量|总申请量|[申请答复办结]{2}总[数量])?(?:的)?(?:比例)?(?:[为约达]{0,2})"
    r"(?P<share>\d{1,3}(?:\.(?P<decimals>\d{1,4}))?)%"
)
_SHARE = re.compile(rf"{_COUNT.pattern}[,(]?{_SHARE_WORDS}")
_PART = re.compile(
    rf"(?P<words>[^\d,;:。()\n]{{0,40}}){_COUNT.pattern}(?:[,(]{_SHARE_WORDS}\)?)?(?P<mark>[,;、。\n]|$)"
)
_QUOTED = re.compile("“[^”]{0,60}”|《[^》]{0,80}》")
# What goes on in the same sentence about something else.
_NO_PART = re.compile("其中|复议|诉讼|结转|[上下]一?年|同比|增长|另|此外|还有|累计|较")
# Outcomes are parts of what was settled: with those carried in they may be more than what was received.
_RECEIVED = re.compile("收到|受理|接收|接到|新收")
_OUTCOME = re.compile("公开|提供|处理|答复|办结")
_THE_OTHERS = re.compile("其[他它余](?!处理)")
_LEAST_PARTS = 3
# No report lists more; it bounds what a page can be made to cost.
_MOST_PARTS = 60
_LEAST_AGREEING = 3
#: Beyond half as much again, parts are counted twice on purpose: 原创, 图文, 视频 of the same articles.
_MOST_EXCESS = 2
_NO_LIMIT = 10**9
# How far rounded shares of one whole may be from 100.
_ROUNDED_OFF = Decimal("0.5")


class _Count(NamedTuple):
    value: int
    unit: str
    start: int
    end: int


def find_wrong_sums(text: Text, candidates: Mapping[str, Sequence[Candidate]]) -> Iterator[Flag]:
    """Flag lists of parts and shares that cannot be right.

    Args:
        candidates: the narrative facts that were read; a flag names those whose number is concerned.
    """
    if "其中" not in text.prose.text and "占" not in text.prose.text:
        return
    masked = _QUOTED.sub(lambda match: "“" * len(match.group()), text.prose.text)
    for match in _OF_WHICH.finditer(masked):
        whole = _WHOLE.search(masked, max(0, match.start() - _LONGEST_WHOLE), match.start())
        if whole:
            is_received = bool(_RECEIVED.search(masked, text.prose.clause_start(whole.start()), whole.start()))
            listed = _read_parts(masked, match.end(), whole["unit"], is_received)
            yield from _check_parts(text, _read_count(whole), listed, candidates)
    shares = list(_SHARE.finditer(masked)) if masked.count("占") > _LEAST_AGREEING else []
    stated = {(count.value, count.unit) for count in map(_read_count, _COUNT.finditer(masked))} if shares else set()
    for _, group in groupby(shares, key=lambda item: text.prose.sentence_start(item.start())):
        for matches in _cut_lists(group):
            yield from _check_shares(text, stated, matches, candidates)


# ---------------------------------------------------------------- parts


def _check_parts(
    text: Text, whole: _Count, listed: tuple[list[_Count], bool], candidates: Mapping[str, Sequence[Candidate]]
) -> Iterator[Flag]:
    parts, is_closed = listed
    if len(parts) < _LEAST_PARTS:
        return
    total = sum(part.value for part in parts)
    is_less = total < whole.value and is_closed
    is_more = whole.value < total <= whole.value + whole.value // _MOST_EXCESS
    if (is_less or is_more) and not _has_run(parts, whole.value):
        spans = [_locate(text, count) for count in (whole, *parts)]
        summands = " + ".join(str(part.value) for part in parts)
        yield make_flag(
            "narrative-parts-differ",
            fields=_fields_at(candidates, spans[0]),
            spans=spans,
            whole=whole.value,
            parts=f"{summands} = {total}",
        )


def _read_parts(masked: str, position: int, unit: str, is_received: bool) -> tuple[list[_Count], bool]:
    """The parts from a position on, and whether the last of them is "the others" and ends the sentence."""
    parts: list[_Count] = []
    while len(parts) < _MOST_PARTS and (match := _PART.match(masked, position)):
        is_outcome = is_received and _OUTCOME.search(match["words"])
        if match["unit"] != unit or is_outcome or _NO_PART.search(match["words"]):
            break
        parts.append(_read_count(match))
        position = match.end()
        if match["mark"] in ("。", "\n", ""):
            return parts, bool(_THE_OTHERS.search(match["words"]))
    return parts, False


def _has_run(parts: Sequence[_Count], whole: int) -> bool:
    """Whether neighbours make the whole: the rest is then another way to divide it, or goes on about other things."""
    for first in range(len(parts)):
        total = 0
        for part in parts[first:]:
            total += part.value
            if total == whole:
                return True
    return False


# ---------------------------------------------------------------- shares


class _Share(NamedTuple):
    """A count with its percentage, and the wholes, `least` to `most`, that it is such a share of."""

    number: _Count
    printed: str
    least: int
    most: int


def _cut_lists(matches: Iterable[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """The lists of a sentence: shares that come to 100 are of one whole, and what follows may be of another."""
    listed: list[re.Match[str]] = []
    total = Decimal(0)
    for match in matches:
        listed.append(match)
        total += Decimal(match["share"])
        if abs(total - 100) <= _ROUNDED_OFF:
            yield listed
            listed, total = [], Decimal(0)
    yield listed


def _check_shares(
    text: Text,
    stated: Set[tuple[int, str]],
    matches: Sequence[re.Match[str]],
    candidates: Mapping[str, Sequence[Candidate]],
) -> Iterator[Flag]:
    shares = [share for match in matches if (share := _read_share(match))]
    if len(shares) <= _LEAST_AGREEING:
        return
    # Where any number of ranges meet, they meet at the lower end of one of them.
    meeting = max((share.least for share in shares), key=lambda whole: (_count_fitting(shares, whole), whole))
    wrong = [share for share in shares if not share.least <= meeting <= share.most]
    if len(wrong) != 1:
        return
    if any(unit == wrong[0].number.unit and wrong[0].least <= count <= wrong[0].most for count, unit in stated):
        return  # the share of another whole
    fitting = [share for share in shares if share is not wrong[0]]
    least, most = max(share.least for share in fitting), min(share.most for share in fitting)
    span = _locate(text, wrong[0].number)
    yield make_flag(
        "narrative-share-differs",
        fields=_fields_at(candidates, span),
        spans=[span, *(_locate(text, share.number) for share in fitting)],
        count=wrong[0].number.value,
        share=wrong[0].printed,
        whole=least if least == most else f"{least}-{most}",
    )


def _count_fitting(shares: Sequence[_Share], whole: int) -> int:
    return sum(share.least <= whole <= share.most for share in shares)


def _read_share(match: re.Match[str]) -> _Share | None:
    """The share with its wholes; None for 0, of which anything is the whole.

    The printed share may be off by less than one in its last place: some round, some cut off, and some adjust the
    last one so that the list comes to 100.
    """
    number = _read_count(match)
    digits = int(match["share"].replace(".", ""))
    if not number.value or not digits:
        return None
    scaled = number.value * 100 * 10 ** len(match["decimals"] or "")
    most = (scaled - 1) // (digits - 1) if digits > 1 else _NO_LIMIT
    return _Share(number, match["share"], scaled // (digits + 1) + 1, most)


# ---------------------------------------------------------------- both


def _read_count(match: re.Match[str]) -> _Count:
    return _Count(int(match["number"].replace(",", "")), match["unit"], *match.span("number"))


def _locate(text: Text, count: _Count) -> Span:
    return Span(*text.prose.locate(count.start, count.end))


def _fields_at(candidates: Mapping[str, Sequence[Candidate]], span: Span) -> tuple[str, ...]:
    return tuple(name for name, items in candidates.items() if any(span in item.spans for item in items))
