"""What the dashboard shows, as numbers: work, agreement, what flags turned out to be, confidence, audit, cost.

Lives here: rates with their counts, intervals, medians. Does not live here: SQL (store.outcomes),
pictures (web). Called by the dashboard and the API.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

from extractor.model import RulingAction
from extractor.review.agreement import measure_kappa
from extractor.store.outcomes import Audited, DayLoad, Foretold, Found, Spent, Waiting
from extractor.store.reviews import DoublePair
from extractor.store.shapes import QueueCounts, QueueFilter
from extractor.store.store import Books

LEVEL = 0.95
#: Fewer pairs than these say nothing of agreement: one more pair could turn it round.
FEWEST_PAIRS = 20
#: Who did nothing for so long was doing something else.
_PAUSE = timedelta(minutes=10)
_BOUNDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.01)


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `n`."""

    count: int
    n: int

    @property
    def share(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.count / self.n if self.n else None


class Reason(NamedTuple):
    """What fields under one flag turned out to be. `changed`: another word stands now than was extracted."""

    code: str
    changed: int
    confirmed: int
    source_wrong: int
    unknowable: int

    @property
    def n(self) -> int:
        """Fields looked at."""
        return self.changed + self.confirmed + self.source_wrong + self.unknowable


class Calibration(NamedTuple):
    """Fields with a p_wrong in one range: what was foretold on average, and how many were wrong."""

    low: float
    high: float
    foretold: float
    wrong: Rate


class Agreement(NamedTuple):
    """How far two people who look at the same fields, blind to each other, say the same. `kappa`: Cohen 1960."""

    section: str
    alike: Rate
    kappa: float | None

    @property
    def is_enough(self) -> bool:
        """Whether there are pairs enough to say it aloud."""
        return self.alike.n >= FEWEST_PAIRS


class Person(NamedTuple):
    """What one person did. `seconds`: the median from one look to the next, pauses left out; None of too few looks."""

    name: str
    looks: int
    fields: int
    seconds: float | None


class Audit(NamedTuple):
    """Accepted values looked at unasked: `values` wrong of all, and documents with a wrong one, with its interval."""

    values: Rate
    documents: Rate
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """All of the dashboard.

    Attributes:
        since: from when on acts are counted; what waits is of now.
        days: looks of each day from `since` on, days without any included.
        by_reason, by_site: open items by flag and by site, the most first.
        looks_per_document, seconds: mean looks of a document, and the median time of a look; None where there are none.
    """

    since: datetime
    counts: QueueCounts
    waiting: tuple[Waiting, ...]
    days: tuple[tuple[str, int], ...]
    people: tuple[Person, ...]
    agreement: tuple[Agreement, ...]
    by_reason: tuple[tuple[str, int], ...]
    by_site: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...]
    calibration: tuple[Calibration, ...]
    audit: Audit | None
    spent: tuple[Spent, ...]
    documents: int
    looks_per_document: float | None
    seconds: float | None


def draw_up_figures(books: Books, now: datetime, days: int) -> Figures:
    """Count everything.

    Args:
        books: the store, read.
        now: this moment, in UTC.
        days: how far back acts are counted; today is the last of them.
    """
    since = datetime.combine(now.astimezone(UTC).date() - timedelta(days=days - 1), datetime.min.time(), UTC)
    outcomes, facets = books.outcomes, books.queue.facets(now)
    load, pauses = outcomes.load(since), _measure_pauses(outcomes.moments(since))
    documents, looks = outcomes.reviewed_documents(since), sum(line.looks for line in load)
    return Figures(
        since=since,
        counts=books.queue.counts(QueueFilter(), now),
        waiting=tuple(outcomes.waiting_by_kind()),
        days=_fill_days(load, since, days),
        people=_sum_people(load, pauses),
        agreement=_compare_pairs(books.reviews.double_pairs()),
        by_reason=tuple(facets.get("code", ())),
        by_site=tuple(facets.get("site", ())),
        reasons=_sum_reasons(outcomes.found_by_codes(since)),
        calibration=_calibrate(outcomes.foretold(since, _BOUNDS)),
        audit=_sum_audit(outcomes.audited(since)),
        spent=tuple(outcomes.spent(since)),
        documents=documents,
        looks_per_document=looks / documents if documents else None,
        seconds=_middle([pause for own in pauses.values() for pause in own]),
    )


def bound_share(count: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper and Pearson 1934): each bound leaves 2.5 % beyond it."""
    if n == 0:
        return 0.0, 1.0
    tail = (1 - LEVEL) / 2
    low = 0.0 if count == 0 else _bisect(lambda p: 1 - _sum_binomial(count - 1, n, p) < tail)
    high = 1.0 if count == n else _bisect(lambda p: _sum_binomial(count, n, p) > tail)
    return low, high


def _bisect(is_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def _sum_binomial(count: int, n: int, p: float) -> float:
    """The chance of at most `count` of `n`."""
    log_p, log_q, whole = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
        for k in range(count + 1)
    )


def _fill_days(load: Sequence[DayLoad], since: datetime, days: int) -> tuple[tuple[str, int], ...]:
    looks: Counter[str] = Counter()
    for line in load:
        looks[line.day] += line.looks
    return tuple((day, looks[day]) for day in ((since + timedelta(days=n)).date().isoformat() for n in range(days)))


def _measure_pauses(moments: Iterable[tuple[str, datetime]]) -> dict[str, list[float]]:
    pauses: dict[str, list[float]] = {}
    for account, acts in groupby(moments, key=lambda act: act[0]):
        gaps = [later - earlier for earlier, later in pairwise(at for _, at in acts)]
        pauses[account] = [gap.total_seconds() for gap in gaps if gap <= _PAUSE]
    return pauses


def _middle(seconds: Sequence[float]) -> float | None:
    return median(seconds) if seconds else None


def _sum_people(load: Sequence[DayLoad], pauses: dict[str, list[float]]) -> tuple[Person, ...]:
    looks: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    for line in load:
        looks[line.account] += line.looks
        fields[line.account] += line.fields
    people = [Person(name, looks[name], fields[name], _middle(pauses.get(name, []))) for name in looks]
    return tuple(sorted(people, key=lambda one: (-one.looks, one.name)))


def _sum_reasons(found: Sequence[Found]) -> tuple[Reason, ...]:
    """A field under two flags counts for both: which of them was right about it cannot be told apart."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for line in found:
        for code in line.codes:
            sums[code][_name_outcome(line.action, line.was_changed)] += line.fields
    reasons = [
        Reason(code, own["changed"], own["confirmed"], own["source_wrong"], own["unknowable"])
        for code, own in sums.items()
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.n, reason.code)))


def _name_outcome(action: RulingAction, was_changed: bool) -> str:
    if action == "corrected":
        return "changed" if was_changed else "confirmed"
    return "confirmed" if action == "accepted" else action


def _calibrate(foretold: Sequence[Foretold]) -> tuple[Calibration, ...]:
    lows = dict(zip(_BOUNDS, (0.0, *_BOUNDS), strict=False))
    return tuple(
        Calibration(lows[line.below], min(line.below, 1.0), line.sum_p / line.fields, Rate(line.wrong, line.fields))
        for line in foretold
    )


def _sum_audit(audited: Sequence[Audited]) -> Audit | None:
    if not audited:
        return None
    documents = Rate(sum(document.wrong > 0 for document in audited), len(audited))
    values = Rate(sum(document.wrong for document in audited), sum(document.fields for document in audited))
    return Audit(values, documents, bound_share(documents.count, documents.n))


def _compare_pairs(pairs: Iterable[DoublePair]) -> tuple[Agreement, ...]:
    """By section, and last all together (section ""). What somebody says of a field is his action and his word."""
    words: dict[str, list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for field_id, first, second in pairs:
        pair = ((first.action, first.word), (second.action, second.word))
        words[field_id.partition(".")[0]].append(pair)
        words[""].append(pair)
    sections = sorted(words, key=lambda section: (not section, section))
    return tuple(
        Agreement(section, Rate(sum(one == other for one, other in own), len(own)), measure_kappa(own))
        for section, own in ((section, words[section]) for section in sections)
    )
