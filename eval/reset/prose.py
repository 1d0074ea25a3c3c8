"""The running text of one document: sentences put together, and where each fact stands in them.

Lives here: choosing and joining. Does not live here: the sentences (phrases), what each report says (seeds, collected).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from string import Formatter
from typing import Any

from eval.reset.phrases import FILLERS, LACKS, MEASURES, NEXT, NOTHING_ELSE, PHRASES, PROBLEMS
from eval.reset.report import Report, Statement
from extractor.model import NARRATIVE_FIELDS

Number = int | Decimal

_CLAUSE = re.compile("[^，。；：（）]+")
_PARAGRAPHS = {
    "proactive": "主动公开",
    "applications": "依申请公开",
    "management": "信息管理",
    "platform": "平台建设",
    "supervision": "监督保障",
}
_ORDINALS = "一二三四五六"


@dataclass
class Text:
    """The text of one document, while it is being written.

    Attributes:
        before, after: the paragraphs before and behind the tables.
        facts: what the text states of the narrative's facts.
        quotes: the clause in which each of them stands.
    """

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    facts: dict[str, Number] = field(default_factory=dict)
    quotes: dict[str, str] = field(default_factory=dict)


class _Words(Formatter):
    """`{name}` prints the number; `{name:words}` prints the words."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec and value != 0:
            raise ValueError(f"{value} is told without its number")
        return format_spec or str(value)


_WORDS = _Words()


def write_text(
    report: Report, facts: Mapping[str, Number], header: Mapping[str, Any], counts: Mapping[str, int], turn: int
) -> Text:
    """One report's running text; each turn says the same in other words.

    Raises:
        ValueError: the report's statements leave out a fact that its source states.
    """
    text = Text()
    writer = _Writer(report, facts, text, turn)
    if not report.is_excerpt:
        text.before += [report.title, *writer.introduce(header), *writer.overview()]
    text.after += ["五、存在的主要问题及改进情况", writer.reflect(counts)]
    if not report.is_excerpt:
        text.after += ["六、其他需要报告的事项", *writer.close(header)]
    if unsaid := set(facts) - set(text.facts):
        raise ValueError(f"{report.name}: the source's text states {sorted(unsaid)}, ours does not")
    return text


class _Writer:
    def __init__(self, report: Report, facts: Mapping[str, Number], text: Text, turn: int) -> None:
        self._report = report
        self._facts = facts
        self._text = text
        self._turn = turn
        self._rng = random.Random(f"{report.name}/{turn}")

    def introduce(self, header: Mapping[str, Any]) -> Iterator[str]:
        """Period and contact, where the source states them."""
        report, year = self._report, self._report.year
        parts = [f"{report.agency}依照信息公开条例的要求编写了本报告。"]
        if header["period_start"]:
            spans = (
                f"文中数据的统计期限自{year}年1月1日起至{year}年12月31日止。",
                f"各项数据的统计时段为{year}年1月1日至{year}年12月31日。",
                f"数据统计周期为{year}年1月1日至12月31日。",
            )
            parts.append(self._rng.choice(spans))
        if report.website:
            parts.append(f"报告全文可在门户网站（{report.website}）下载。")
        contact = [f"{name}：{value}" for name, value in (("地址", report.address), ("电话", report.phone)) if value]
        if contact:
            ways = (
                f"对报告有疑问的，可联系{report.agency}办公室（{'；'.join(contact)}）。",
                f"联系方式：{'，'.join(contact)}。",
            )
            parts.append(self._rng.choice(ways))
        if len(parts) > 1:
            yield "".join(parts)

    def overview(self) -> Iterator[str]:
        """Section 一."""
        yield "一、总体情况"
        yield self._filler("overview")
        for index, (part, name) in enumerate(_PARAGRAPHS.items()):
            said = [self._say(statement) for statement in self._report.says.get(part, ())]
            sentences = [self._filler(part), *said]
            if self._rng.random() < 0.5:  # half of them begin with the numbers
                sentences = [*said, self._filler(part)]
            yield f"（{_ORDINALS[index]}）{name}情况。{''.join(sentences)}"

    def reflect(self, counts: Mapping[str, int]) -> str:
        """Section 五."""
        problems = self._rng.sample(range(len(PROBLEMS)), counts["problems"])
        measures = self._rng.sample(range(len(MEASURES)), counts["measures"])
        said = self._fill(LACKS) + _enumerate([PROBLEMS[i] for i in problems])
        return said + (NEXT + _enumerate([MEASURES[i] for i in measures]) if measures else "")

    def close(self, header: Mapping[str, Any]) -> Iterator[str]:
        """Section 六 and the signature."""
        said = [self._say(statement) for statement in self._report.says.get("other", ())]
        yield "".join([*said, self._rng.choice(NOTHING_ELSE)])
        if self._report.signed:
            yield self._report.agency
            yield self._report.signed

    def _filler(self, part: str) -> str:
        return self._fill(self._rng.choice(FILLERS[part]))

    def _fill(self, template: str) -> str:
        return template.format(us=self._report.us, year=self._report.year)

    def _choose_phrase(self, matter: str) -> str:
        """Another one each turn, until all were used; where a report begins is left to chance."""
        phrases = PHRASES[matter]
        first = random.Random(f"{self._report.name}/{matter}").randrange(len(phrases))
        return phrases[(first + self._turn) % len(phrases)]

    def _say(self, statement: Statement) -> str:
        template = self._choose_phrase(statement.matter)
        words: dict[str, Any] = {**self._facts, **statement.numbers, "us": self._report.us, "year": self._report.year}
        for clause in _CLAUSE.findall(template):
            for fact in _list_facts(clause):
                if self._text.facts.setdefault(fact, words[fact]) != words[fact]:
                    raise ValueError(f"{self._report.name}: two numbers for {fact}")
                self._text.quotes.setdefault(fact, _WORDS.vformat(clause, (), words))
        return _WORDS.vformat(template, (), words)


def _list_facts(clause: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(clause) if name in NARRATIVE_FIELDS]


def _enumerate(points: Sequence[str]) -> str:
    if len(points) == 1:
        return f"{points[0]}。"
    return "；".join(f"{_ORDINALS[index]}是{point}" for index, point in enumerate(points)) + "。"
