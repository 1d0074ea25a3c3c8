"""Counting what becomes of injected errors, and how long the search takes: for eval/bench/localise.py.

Lives here: the drawing of cases, the figures of each class of error, and what they have to meet. Does not live here:
the verdict on one case (localise_outcomes), printing (localise_tell).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import sqrt
from random import Random
from statistics import median
from time import perf_counter
from typing import NamedTuple

from eval.bench.localise_errors import CLASSES, ErrorClass, Injected, inject
from eval.bench.localise_outcomes import (
    LAYOUTS,
    GroundedOutcome,
    Outcome,
    find_failed,
    ground,
    judge,
    judge_grounded,
    locate,
    make_source,
)
from eval.bench.localise_tables import GENERATIONS, PROFILES, Table, make_table

#: Profiles whose tables hold numbers: they are told together; the one that does not stands apart.
NUMBERED = tuple(name for name in PROFILES if name != "all-zero")
MOST_TABLES_TRIED = 20
BY_NAME: Mapping[str, ErrorClass] = {error.name: error for error in CLASSES}
#: The classes of random errors by their number of cells.
ALTERED: Mapping[int, str] = {1: "one cell altered"} | {n: f"{n} cells altered" for n in (2, 3, 5, 10)}


class Known(NamedTuple):
    """Shares to meet with equations alone: of errors located, and of errors with one explanation that is wrong."""

    located: float
    wrong: float = 0.0


KNOWN: Mapping[str, Known] = {
    "one cell altered": Known(1.0),
    "row left-packed, total misplaced": Known(0.94),
    "neighbours in a row swapped": Known(0.89),
}


@dataclass
class Figures:
    """What became of one class of error in the tables of one profile.

    Attributes:
        count: how many errors were made.
        failing: how many fail an equation.
        equations, grounded: by outcome.
        regions: sizes of the regions that hold what was not located, in cells.
        passed_wrong: wrong cells in rows that grounding did not refuse.
    """

    count: int = 0
    equations: Counter[str] = field(default_factory=Counter)
    grounded: Counter[str] = field(default_factory=Counter)
    regions: list[int] = field(default_factory=list)
    passed_wrong: int = 0
    failing: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.count + other.count,
            self.equations + other.equations,
            self.grounded + other.grounded,
            self.regions + other.regions,
            self.passed_wrong + other.passed_wrong,
            self.failing + other.failing,
        )


class Times(NamedTuple):
    """Milliseconds of many runs."""

    count: int
    median: float
    p95: float
    p99: float
    max: float


Measured = Mapping[str, Mapping[str, Figures]]  # class -> profile -> figures


# ---------------------------------------------------------------- measuring


def draw_cases(error: ErrorClass, profile: str, tables: int, seed: int) -> Iterator[Injected]:
    """The same errors for the same seed. A table in which the error changes nothing is drawn anew."""
    for generation, number in product(GENERATIONS, range(tables)):
        for attempt in range(MOST_TABLES_TRIED):
            name = f"{seed}/{profile}/{generation}/{number}/{attempt}"
            table = draw_table(name, error.section, generation, profile)
            injected = inject(Random(f"{name}/{error.name}"), table, error)
            if injected:
                yield injected
                break
        else:
            return  # two rows of a table of zeros can not be told apart, whichever table it is


@lru_cache(maxsize=10_000)
def draw_table(name: str, section: str, generation: str, profile: str) -> Table:
    """One table of a profile; every class of error meets the same ones."""
    return make_table(Random(name), section, generation, PROFILES[profile])


def measure_class(error: ErrorClass, profile: str, tables: int, seed: int) -> Figures:
    """One class of error in the tables of one profile."""
    figures = Figures()
    for number, case in enumerate(draw_cases(error, profile, tables, seed)):
        figures.count += 1
        read = case.truth.read(case.read)
        figures.failing += bool(find_failed(case.truth, read))
        location = locate(case.truth, read)
        figures.equations[judge(case, location)] += 1
        if location and location.outcome != "located":
            figures.regions.append(len(location.region))
        grounded = ground(make_source(case.truth, LAYOUTS[number % len(LAYOUTS)]), case.truth, case.read)
        figures.grounded[judge_grounded(case, grounded)] += 1
        figures.passed_wrong += len(case.wrong.keys() & grounded.read.keys())
    return figures


def draw_mixed(name: str, tables: int, seed: int) -> list[Injected]:
    """The errors of one class in tables of every profile with numbers, in turn."""
    cases = [list(draw_cases(BY_NAME[name], profile, tables, seed)) for profile in NUMBERED]
    return [case for row in zip(*cases, strict=True) for case in row]


def time_search(cases: Iterable[Injected]) -> Times:
    """How long locate_errors takes, each table once."""
    seconds = []
    for case in cases:
        read = case.truth.read(case.read)
        start = perf_counter()
        locate(case.truth, read)
        seconds.append(perf_counter() - start)
    return summarise(seconds)


def summarise(seconds: Iterable[float]) -> Times:
    """The distribution of some times."""
    found = sorted(1000 * one for one in seconds)

    def rank(part: float) -> float:
        return found[min(len(found) - 1, int(part * len(found)))]

    return Times(len(found), median(found), rank(0.95), rank(0.99), found[-1])


def join_profiles(figures: Mapping[str, Figures]) -> Figures:
    """The profiles with numbers together."""
    return sum((figures[profile] for profile in NUMBERED), Figures())


def check(measured: Measured) -> list[str]:
    """What is worse than it should be, in words; a share by more than the chance of two standard errors."""
    missed = []
    for name, known in KNOWN.items():
        figures = join_profiles(measured[name])
        located, wrong = (figures.equations[one] for one in (Outcome.LOCATED, Outcome.WRONG))
        expected = known.located * figures.count
        chance = 2 * sqrt(expected * (1 - known.located))
        if located < expected - chance or wrong > known.wrong * figures.count:
            missed.append(
                f"{name}: {located} of {figures.count} located, to meet {known.located:.2f}; "
                f"{wrong} explained wrongly, to meet {known.wrong:.2f}"
            )
    clean = [error.name for error in CLASSES if error.spoil is None]
    for name in clean:
        for profile, figures in measured[name].items():
            if figures.failing or figures.grounded[GroundedOutcome.SILENT] < figures.count:
                missed.append(f"{name}, {profile}: {figures.failing} of {figures.count} fail or are refused")
    for name, by_profile in measured.items():
        if passed := sum(figures.passed_wrong for figures in by_profile.values()):
            missed.append(f"{name}: {passed} wrong cells passed grounding")
    return missed
