"""Made-up tables that balance and look like printed ones: for eval/bench/localise.py.

Lives here: what sections 三 and 四 of real reports hold, as a handful of numbers, and tables drawn from them. Does
not live here: what goes wrong with a table (localise_errors).

The numbers are counts over the labelled reports (eval/gold and the labels beside the checkout): how many applications,
how many of the result rows hold anything, who applied, how much was carried in and out. No table of a report is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import NamedTuple

from extractor.forms import Section, load_forms

Cells = tuple[tuple[int | None, ...], ...]

#: In how many of the six labelled reports with applications a result row holds anything (half a report for none).
ROW_WEIGHTS: Mapping[str, float] = {
    "granted": 5,
    "partially_granted": 5,
    "refused.state_secret": 2,
    "refused.prohibited_by_law": 1,
    "refused.security_stability": 1,
    "refused.third_party_rights": 2,
    "refused.internal_affairs": 3,
    "refused.process_information": 4,
    "refused.enforcement_files": 4,
    "refused.administrative_query": 3,
    "unable.not_held": 6,
    "unable.needs_creation": 3,
    "unable.unclear_after_correction": 2,
    "not_processed.petition_complaint": 2,
    "not_processed.duplicate": 3,
    "not_processed.publication": 0.5,
    "not_processed.excessive_repeated": 0.5,
    "not_processed.confirm_or_reissue": 1,
    "other_result.no_timely_correction": 3,
    "other_result.fee_unpaid": 1,
    "other_result.other": 4,
    "other_result.merged": 4,
}


@dataclass(frozen=True)
class Profile:
    """What the tables of one kind of office hold.

    Attributes:
        applications: least and most of them that had a result.
        rows: least and most result rows that are not 0.
        applicants: shares of the columns of section 三, total left out.
        carried: most that is carried in, and out, as a share of the applications; a single one is always possible.
        disputes: share of section 四's cells that are not 0.
        most_disputes: the largest of them.
    """

    applications: tuple[int, int]
    rows: tuple[int, int]
    applicants: tuple[float, ...]
    carried: tuple[float, float]
    disputes: float
    most_disputes: int


PROFILES: Mapping[str, Profile] = {
    # Townships and bureaus, five labelled reports: nothing but zeros.
    "all-zero": Profile((0, 0), (0, 0), (1, 0, 0, 0, 0, 0), (0, 0), 0, 0),
    # Two reports: 23 and 35 applications; 5 and 7 rows; natural persons 100 % and 94 %, else business.
    "department": Profile((15, 60), (5, 7), (0.94, 0.05, 0.002, 0.003, 0.002, 0.003), (0.06, 0.03), 0.05, 2),
    # Three reports: 21 to 81 applications; 7 to 10 rows; natural persons 91 % to 100 %; 11 of 36 disputes up to 12.
    "district": Profile((20, 150), (7, 10), (0.95, 0.015, 0.002, 0.01, 0.003, 0.02), (0.02, 0.02), 0.3, 12),
    # One report: 3050 applications; 19 of 21 rows; natural persons 96 %; all disputes not 0, up to 178.
    "city": Profile((1000, 5000), (15, 20), (0.96, 0.018, 0.001, 0.001, 0.018, 0.002), (0.02, 0.04), 0.95, 180),
}
GENERATIONS = ("2021", "2019")
SECTIONS = ("applications", "review_litigation")


class Table(NamedTuple):
    """One printed table: its cells row by row in the form's order; None is a cell with nothing in it."""

    section: Section
    generation: str
    cells: Cells

    def read(self, cells: Cells) -> dict[str, int]:
        """Field id -> value of the cells that are not blank."""
        return {field_id: value for field_id, value in self.name(cells).items() if value is not None}

    def name(self, cells: Cells) -> dict[str, int | None]:
        """Field id -> cell."""
        flat = (value for row in cells for value in row)
        return {item.id: value for item, value in zip(self.section.fields, flat, strict=True)}


def make_table(rng: Random, section: str, generation: str, profile: Profile) -> Table:
    """Draw one table that satisfies every equation of the form."""
    form = load_forms().section(section, generation)
    assert form is not None
    draw = _draw_applications if section == "applications" else _draw_disputes
    return Table(form, generation, tuple(map(tuple, draw(rng, form, profile))))


def _draw_disputes(rng: Random, form: Section, profile: Profile) -> list[list[int]]:
    rows = []
    for _ in form.rows:
        parts = [_draw_size(rng, 1, profile.most_disputes) if rng.random() < profile.disputes else 0 for _ in range(4)]
        rows.append([*parts, sum(parts)])
    return rows


def _draw_applications(rng: Random, form: Section, profile: Profile) -> list[list[int]]:
    results = [row.id for row in form.rows if row.is_result]
    inner: dict[str, list[int]] = dict.fromkeys((row.id for row in form.rows), [0] * len(profile.applicants))
    inner |= _draw_results(rng, results, profile)
    total = _sum_columns(inner[name] for name in results)
    size = sum(total)
    out = _by_applicant(rng, profile, _draw_carried(rng, size, profile.carried[1]))
    handled = [one + other for one, other in zip(total, out, strict=True)]
    cases = [column for column, count in enumerate(handled) for _ in range(count)]
    older = rng.sample(cases, min(len(cases), _draw_carried(rng, size, profile.carried[0])))
    carried_in = [older.count(column) for column in range(len(handled))]
    new = [one - other for one, other in zip(handled, carried_in, strict=True)]
    inner |= {"new_received": new, "carried_in": carried_in, "results_total": total, "carried_out": out}
    return [[*inner[row.id], sum(inner[row.id])] for row in form.rows]


def _draw_results(rng: Random, results: list[str], profile: Profile) -> dict[str, list[int]]:
    """The result rows that hold anything. A few rows hold most: sizes fall off steeply with the row's weight."""
    size = _draw_size(rng, *profile.applications)
    chosen: list[str] = []
    for _ in range(min(size, rng.randint(*profile.rows), len(results))):
        rest = [name for name in results if name not in chosen]
        chosen += rng.choices(rest, [ROW_WEIGHTS[name] for name in rest])
    shares = [ROW_WEIGHTS[name] ** 2 * exp(rng.gauss(0, 1)) for name in chosen]
    cases = chosen + (rng.choices(chosen, shares, k=size - len(chosen)) if chosen else [])
    return {name: _by_applicant(rng, profile, cases.count(name)) for name in chosen}


def _by_applicant(rng: Random, profile: Profile, count: int) -> list[int]:
    drawn = rng.choices(range(len(profile.applicants)), profile.applicants, k=count)
    return [drawn.count(column) for column in range(len(profile.applicants))]


def _draw_carried(rng: Random, size: int, most: float) -> int:
    """Half of the reports carry nothing."""
    return rng.randint(1, max(1, int(size * most))) if size and rng.random() < 0.5 else 0


def _draw_size(rng: Random, low: int, high: int) -> int:
    """A size between two bounds; small ones are as likely as large ones by their logarithm."""
    return round(exp(rng.uniform(log(low), log(high)))) if low else 0


def _sum_columns(rows: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]
