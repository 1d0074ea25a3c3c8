"""Numbers as people read them."""

from __future__ import annotations

import pytest

from extractor.console.amounts import show_amount, show_money, show_rate, show_span


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (99_949, "99.9k"),
        (99_950, "100k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (12_345_678, "12.3M"),
        (7_000_000_000_000, "7000G"),
    ],
)
def test_counts_are_short(count: int, shown: str) -> None:
    assert show_amount(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00:00"), (59.6, "0:01:00"), (3599, "0:59:59"), (86_399, "23:59:59"), (200_000, "2d 7:33:20")],
)
def test_spans(seconds: float, shown: str) -> None:
    assert show_span(seconds) == shown


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (None, "price not set"),
        (0.0, "0.00 USD"),
        (0.0042, "0.0042 USD"),
        (0.00001, "under 0.0001 USD"),
        (1234.5, "1,234.50 USD"),
    ],
)
def test_what_is_spent_is_never_shown_as_nothing(usd: float | None, shown: str) -> None:
    assert show_money(usd) == shown


@pytest.mark.parametrize(("rate", "shown"), [(0, "0.0/min"), (0.05, "3.0/min"), (1.26, "1.3/s"), (1234.5, "1,234/s")])
def test_slow_rates_are_of_a_minute(rate: float, shown: str) -> None:
    assert show_rate(rate) == shown
