"""Limits on how often something may be tried, by a clock of the tests."""

from __future__ import annotations

import threading

import pytest

from extractor.web.security.throttle import Buckets, Failures, as_retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_as_many_as_it_holds_and_then_as_many_as_flow_in() -> None:
    clock = Clock()
    buckets = Buckets(60, clock)
    assert [buckets.take("ann") for _ in range(60)] == [0.0] * 60
    assert buckets.take("ann") == pytest.approx(1.0)
    clock.now += 0.5
    assert buckets.take("ann") == pytest.approx(0.5)  # asking in vain costs nothing
    clock.now += 0.5
    assert buckets.take("ann") == 0.0
    assert buckets.take("ann") > 0


def test_a_bucket_never_holds_more_than_a_minute() -> None:
    clock = Clock()
    buckets = Buckets(10, clock)
    buckets.take("ann")
    clock.now += 3600
    assert [buckets.take("ann") > 0 for _ in range(11)] == [False] * 10 + [True]


def test_everybody_has_a_bucket_of_his_own() -> None:
    buckets = Buckets(1, Clock())
    assert buckets.take(("account", "ann")) == 0.0
    assert buckets.take(("address", "ann")) == 0.0
    assert buckets.take(("account", "ann")) > 0


def test_buckets_of_those_who_left_are_given_up_first() -> None:
    buckets = Buckets(1, Clock(), most=2)
    for who in ("a", "b", "a", "c"):  # `a` asks again, so `b` is the one who has been away longest
        buckets.take(who)
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0.0


def test_no_token_is_given_twice() -> None:
    buckets, granted = Buckets(500, Clock()), []

    def take() -> None:
        granted.extend(buckets.take("ann") == 0.0 for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (granted.count(True), granted.count(False)) == (500, 500)


def test_failures_cost_nothing_until_there_are_too_many_and_then_ever_more() -> None:
    clock = Clock()
    failures = Failures(2, first_wait_s=2, longest_wait_s=100, clock=clock)
    waits = []
    for _ in range(9):
        waits.append(failures.wait_for("ann"))
        failures.add("ann")
    assert waits == [0, 0, 2, 4, 8, 16, 32, 64, 100]
    clock.now += 99
    assert failures.wait_for("ann") == pytest.approx(1)
    assert failures.wait_for("bob") == 0


def test_failures_are_forgotten_after_a_rest_and_after_success() -> None:
    clock = Clock()
    failures = Failures(1, longest_wait_s=100, clock=clock)
    failures.add("ann")
    failures.add("ann")
    clock.now += 101
    failures.add("ann")
    assert failures.wait_for("ann") == pytest.approx(2)  # the first one of a new count
    failures.forget("ann")
    assert failures.wait_for("ann") == 0


@pytest.mark.parametrize(("seconds", "header"), [(0.01, "1"), (1.0, "1"), (1.2, "2"), (899.9, "900")])
def test_retry_after_is_whole_seconds(seconds: float, header: str) -> None:
    assert as_retry_after(seconds) == header
