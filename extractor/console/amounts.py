"""Counts, spans, rates and money as people read them.

Called by the other modules of this package and by cli.
"""

from __future__ import annotations


def show_amount(count: int) -> str:
    """A count in at most five characters: 999, 12.3k, 456k, 7.8M."""
    amount = float(count)
    for unit in ("", "k", "M", "G"):
        if amount < 999.5 or unit == "G":
            return f"{amount:.1f}{unit}" if unit and amount < 99.95 else f"{amount:.0f}{unit}"
        amount /= 1000
    raise AssertionError  # the last unit takes all


def show_span(seconds: float) -> str:
    """A span as 0:04:11, with days in front where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}:{minutes:02}:{rest:02}" if days else f"{hours}:{minutes:02}:{rest:02}"


def show_money(usd: float | None) -> str:
    """What was spent; a little is not nothing."""
    if usd is None:
        return "price not set"
    if 0 < usd < 0.0001:
        return "under 0.0001 USD"
    return f"{usd:,.2f} USD" if usd >= 1 or usd == 0 else f"{usd:.4f} USD"


def show_rate(rate: float) -> str:
    """Documents a second, or a minute where they take longer."""
    return f"{rate:,.0f}/s" if rate >= 100 else f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
