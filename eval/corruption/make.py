"""Damaged reports with their truth: one at a time, each made from its own number alone.

Lives here: drawing a report, a layout in which all its damage can happen, and doing the damage in order. Does not
live here: the kinds, and writing files (folder).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import NamedTuple

from eval.corruption.clean import GOLD, Figures, load_figures, make_figures, set_report
from eval.corruption.layouts import LAYOUTS, file_ending, render_report
from eval.corruption.registry import KINDS, SEVERITIES, Kind
from eval.corruption.report import Report
from extractor.evaluation.labels import Label

_MIX_SIZES = (2, 3, 4)


class Corrupted(NamedTuple):
    """A damaged document, the name of its file, what it prints, and whose figures these were."""

    raw: bytes
    name: str
    label: Label
    source: str


@cache
def known_figures() -> tuple[Figures, ...]:
    """The figures of the labelled reports in this repository."""
    return load_figures([GOLD])


def make_corrupted(
    kinds: str | Sequence[str], severity: int, count: int, seed: int = 0, known: Sequence[Figures] | None = None
) -> Iterator[Corrupted]:
    """Damaged documents, always the same ones for the same arguments.

    Args:
        kinds: one kind, or several for a mix; none for clean documents.
        severity: 1 (mild) to 3; 0 without a kind.
        count: how many.
        seed: number of the first one; each is made from its own number alone.
        known: figures of labels to set into the form beside made-up ones; those of eval/gold when left out.

    Raises:
        ValueError: an unknown kind, a severity that there is not, or kinds that no layout can have together.
    """
    names = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    chosen = [_find_kind(name) for name in names]
    if severity not in (SEVERITIES if chosen else (0,)):
        raise ValueError(f"severity is {severity}; a kind of damage has {SEVERITIES}, a clean document 0")
    layouts = shared_layouts(chosen)
    if not layouts:
        raise ValueError(f"no layout can have {' and '.join(names)} together")
    figures = known_figures() if known is None else known
    for number in range(seed, seed + count):
        yield _make_one(chosen, layouts, severity, number, figures)


def draw_mix(rng: Random) -> tuple[str, ...]:
    """Two to four kinds that some layout can have together."""
    while True:
        names = tuple(sorted(rng.sample(sorted(KINDS), rng.choice(_MIX_SIZES))))
        if shared_layouts([KINDS[name] for name in names]):
            return names


def shared_layouts(kinds: Sequence[Kind]) -> list[str]:
    """The layouts in which all of some kinds can happen; common ones more than once."""
    return [layout for layout in LAYOUTS if all(layout in kind.layouts for kind in kinds)]


def _find_kind(name: str) -> Kind:
    if name not in KINDS:
        raise ValueError(f"{name} is no kind of damage; there are {', '.join(KINDS)}")
    return KINDS[name]


def _make_one(
    kinds: Sequence[Kind], layouts: Sequence[str], severity: int, number: int, known: Sequence[Figures]
) -> Corrupted:
    damage = "+".join(kind.name for kind in kinds)
    name = f"{damage or 'clean'}-{severity}-{number:05d}"
    rng = Random(name)
    report = set_report(rng, make_figures(rng, known), rng.choice(layouts))
    for kind in sorted(kinds, key=lambda kind: (kind.stage, kind.name)):
        report = kind.apply(report, rng, kind.levels[severity - 1])
    label = _label(report, name, damage, severity)
    return Corrupted(render_report(report).encode(), label.file, label, report.source)


def _label(report: Report, name: str, damage: str, severity: int) -> Label:
    is_made_up = report.source == report.profile
    return Label(
        name=name,
        file=f"{name}.{file_ending(report)}",
        kind="corrupted" if damage else "generated" if is_made_up else "re-set",
        generation=report.generation,
        cells=report.cells,
        facts=report.facts,
        layout=report.layout,
        damage=damage,
        severity=severity,
    )
