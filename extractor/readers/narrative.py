"""Counts that the narrative states: items disclosed, documents, applications, reviews, litigation, fees.

Lives here: finding the statements of the rules. Does not live here: the rules (narrative_rules,
narrative_row_rules), what speaks against a statement (narrative_objections), parts and their whole (narrative_sums),
the running text (prose), and the comparison of these counts with the tables (reconcile). Called by the template reader.

Precision goes first: a sentence that a rule does not know is left out, and so is a count that may
be a part ("其中…"), another year's, a plan, another body's, or several channels' together. A count
rule looks at one printed number: what stands before it in its clause, and what stands behind. A
zero rule looks at a negation ("未收到…申请"). Each rule carries a sentence that it must find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractor.flags import make_flag
from extractor.model import Candidate, Chunk, Document, Flag, Unit
from extractor.readers.base import Facts
from extractor.readers.narrative_items import read_items
from extractor.readers.narrative_objections import accepts
from extractor.readers.narrative_row_rules import ROW_COUNT_RULES, ROW_ZERO_RULES
from extractor.readers.narrative_rules import (
    BARE_ZERO_FEE,
    COUNT_RULES,
    FEE_CAPTION,
    ITEM_UNITS,
    VERBS,
    ZERO_RULES,
    ZeroRule,
)
from extractor.readers.narrative_statement import Statement, Text, build_statement, named_object
from extractor.readers.narrative_sums import find_wrong_sums
from extractor.readers.prose import Prose, find_words, make_candidate, merge_candidates, read_prose

_COUNT_RULES = (*COUNT_RULES, *ROW_COUNT_RULES)
_ZERO_RULES = (*ZERO_RULES, *ROW_ZERO_RULES)
_ZERO_STARTS = tuple(dict.fromkeys(start for rule in _ZERO_RULES for start in rule.starts))
_MONEY_WORDS: dict[Unit, str] = {"yuan": "元", "wan": "万元"}


def read_narrative(
    document: Document, chunks: Sequence[Chunk], prose: Prose | None = None, report_year: int | None = None
) -> Facts:
    """Read the counts that the running text states with certainty.

    Args:
        document: the source file.
        chunks: its sections, with the places of their tables.
        prose: the running text, where the caller has it already.
        report_year: the year of the report, where the caller knows it; else it is looked up.

    Returns:
        Candidates for those of NARRATIVE_FIELDS that the text states; a fee in
        another unit than its field's keeps its printed number with that unit and a flag.
    """
    text = Text(document, chunks, prose or read_prose(document, chunks), report_year)
    found: dict[str, list[Candidate]] = {}
    for statement in sorted(_find_statements(text), key=lambda item: item.position):
        if accepts(text, statement):
            found.setdefault(statement.field, []).append(_make_candidate(document, text.prose, statement))
    candidates = {f"narrative.{name}": merge_candidates(items) for name, items in found.items()}
    return Facts(candidates, (*_find_doubts(candidates), *find_wrong_sums(text, candidates)))


def _find_doubts(candidates: dict[str, tuple[Candidate, ...]]) -> Iterator[Flag]:
    for name, items in candidates.items():
        spans = [item.spans[0] for item in items]
        if len(items) > 1:
            raw = " / ".join(_say(item) for item in items)
            yield make_flag("narrative-several-values", fields=(name,), spans=spans, raw=raw)
        expected = "wan" if name.endswith("_wan") else "yuan"
        for item in items:
            if item.value and item.unit and item.unit != expected:  # nothing is nothing in every unit
                raw = f"{item.raw}{_MONEY_WORDS.get(item.unit, '')}"
                yield make_flag("unit-differs", fields=(name,), spans=item.spans, raw=raw)


def _say(item: Candidate) -> str:
    """The number; of words that stand for 0, these too."""
    words = "".join((item.raw or "").split())
    return str(item.value) if item.value or words.isdigit() else f"{item.value}（{words}）"


# ---------------------------------------------------------------- statements

_COUNT = re.compile(
    # The looks behind stand second: a pattern that begins with a class is searched for much faster.
    r"(?P<number>\d(?<![\d#]\d)(?<!\d[.,\- ]\d)(?:\d{0,2}(?:,\d{3})+(?!\d)|\d*(?:\.\d+)?))(?:余|多)?"
    r"(?P<unit>万元|元|条次|件次|余条|[条件篇起宗份则例项笔个部])(?![月门])"
)
_NEARLY = re.compile(r"(?:近|不足|不到|接近|少于)$")


def _find_statements(text: Text) -> Iterator[Statement]:
    prose = text.prose
    for match in _COUNT.finditer(prose.text):
        start = prose.clause_start(match.start())
        before = prose.text[start : match.start()]
        if not _NEARLY.search(before):
            yield from _read_count(text, match, start, before)
    seen = set(find_words(prose.text, _ZERO_STARTS))
    for position in sorted(seen):
        clause = prose.text[position : prose.clause_end(position)]
        for rule in _ZERO_RULES:
            if any(cue in clause for cue in rule.cues) or rule is BARE_ZERO_FEE:
                yield from _read_zero(prose, rule, position, clause)


def _read_count(text: Text, match: re.Match[str], start: int, before: str) -> Iterator[Statement]:
    unit = match["unit"]
    after = text.prose.text[match.end() : match.end() + 48]
    found: dict[str, Statement | None] = {}
    for rule in _COUNT_RULES:
        if rule.field in found or unit not in rule.units or not any(cue in before or cue in after for cue in rule.cues):
            continue
        ahead = rule.before.search(before)
        behind = rule.after.match(after) if rule.after else None
        if ahead and (behind or not rule.after):
            words = named_object(ahead) or named_object(behind)
            found[rule.field] = build_statement(rule.field, match, start + ahead.start(), words)
    if not found and unit in ITEM_UNITS and any(word in before for word in VERBS):
        found["items"] = read_items(text, match, start, before, after)
    yield from filter(None, found.values())


def _read_zero(prose: Prose, rule: ZeroRule, position: int, clause: str) -> Iterator[Statement]:
    match = rule.pattern.match(clause)
    if not match:
        return
    if rule is BARE_ZERO_FEE and not FEE_CAPTION.search(prose.text[max(0, position - 60) : position]):
        return
    unit: Unit | None = "yuan" if rule.field == "information_processing_fee_yuan" else None
    end = position + match.end()
    yield Statement(rule.field, 0, position, position, end, match.group(), unit, is_zero_phrase=True, behind=end)


def _make_candidate(document: Document, prose: Prose, statement: Statement) -> Candidate:
    interval = prose.locate(statement.position, statement.end)
    return make_candidate(document, interval, statement.value, statement.unit)
