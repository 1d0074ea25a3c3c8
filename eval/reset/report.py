"""The nouns of re-setting: a report, what its text speaks of, its layouts.

Lives here: frozen data and the short ways to write it. Does not live here: the reports (seeds, collected).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from eval.reset.noise import Noise

#: The row's name as the form of 2019 has it, which many later reports keep.
NORMATIVE = {"行政规范性文件": "规范性文件"}


class Statement(NamedTuple):
    """One matter that the text speaks of (a key of phrases.PHRASES), with the numbers that are no labelled facts."""

    matter: str
    numbers: Mapping[str, int | str] = {}


class Setting(NamedTuple):
    """One document of a report: its layout, and whether it gets the source's noise too."""

    layout: str
    is_noisy: bool = False


@dataclass(frozen=True)
class Report:
    """One report.

    Attributes:
        source: its label in the corpus.
        name: of its documents and labels, before the layout's name.
        title: with a line break where the source breaks it.
        page_time: when the page was put up, as the page prints it.
        labels: words of the form that the source prints otherwise.
        torn_labels: the same, in the noisy document only.
        inconsistencies: what the report contradicts itself in, said again in our words.
        repeated: a label of a group that is printed once more before this one, in the noisy document.
        is_excerpt: the source begins with the tables and ends in section five.
    """

    source: str
    name: str
    agency: str
    us: str
    year: int
    title: str
    settings: tuple[Setting, ...]
    says: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    phone: str | None = None
    address: str | None = None
    website: str | None = None
    signed: str | None = None
    published_on: str | None = None
    page_time: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    torn_labels: Mapping[str, str] = field(default_factory=dict)
    inconsistencies: tuple[str, ...] = ()
    repeated: tuple[str, str] | None = None
    noise: tuple[Noise, ...] = ()
    is_excerpt: bool = False


def set_noisy(layout: str, *others: str) -> tuple[Setting, ...]:
    """The layout that is most like the source, with its noise, and others without."""
    return (Setting(layout, is_noisy=True), *map(Setting, others))
