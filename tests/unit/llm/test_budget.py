"""The budget: nothing goes over a limit, and nothing is refused that would not."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import SettingsError
from extractor.llm.budget import Budget, Limits, Reservation, cost_usd
from extractor.llm.calls import BudgetReached, Usage
from extractor.settings import Price
from extractor.store.rows import Spent

PRICE = Price(input=0.5, output=2, cached_input=0.1)
NO_LIMIT = Limits()


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize(
    ("usage", "is_batch", "usd"),
    [
        (Usage(), False, 0),
        (Usage(1_000_000, 1_000_000), False, 2.5),
        (Usage(1_000_000, 0, cached_tokens=400_000), False, 0.34),
        (Usage(1_000_000, 0, cached_tokens=2_000_000), False, 0.1),  # a server that counts oddly gives no refund
        (Usage(1_000_000, 1_000_000), True, 0.625),
        (Usage(3, 1), False, 0.0000035),
    ],
)
def test_cost_is_that_of_the_price_list(usage: Usage, is_batch: bool, usd: float) -> None:
    price = PRICE.model_copy(update={"batch_share": 0.25})
    assert cost_usd(usage, price, is_batch=is_batch) == usd


def test_cached_tokens_cost_the_full_price_where_no_other_is_known() -> None:
    assert cost_usd(Usage(1_000_000, cached_tokens=500_000), Price(input=2, output=0)) == 2


def test_cost_is_unknown_where_the_price_is() -> None:
    assert Budget(NO_LIMIT, NO_LIMIT, None).cost(Usage(10, 10)) is None
    assert Budget(NO_LIMIT, NO_LIMIT, PRICE, is_batch=True).cost(Usage(1_000_000)) == 0.25


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("limits", [(Limits(max_usd=1), NO_LIMIT), (NO_LIMIT, Limits(max_usd=1))])
def test_a_limit_in_usd_needs_a_price(limits: tuple[Limits, Limits]) -> None:
    with pytest.raises(SettingsError, match=r'\[prices\."qwen3-32b"\].*extractor\.toml'):
        Budget(*limits, None, model="qwen3-32b")


@pytest.mark.parametrize(
    "wrong", [{"max_usd": -0.01}, {"max_usd": float("nan")}, {"max_usd": float("inf")}, {"max_calls": -1}]
)
def test_a_limit_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Limits(**wrong)


@pytest.mark.parametrize("scope", ["run", "document"])
@pytest.mark.parametrize(("name", "limit"), [("max_calls", 2), ("max_tokens", 600), ("max_usd", 0.00045)])
def test_a_limit_may_be_reached_but_not_passed(name: str, limit: float, scope: str) -> None:
    """Two requests of 200 tokens each fit exactly, a third does not, whatever the limit is of."""
    limits = Limits(**{name: limit})  # type: ignore[arg-type]
    budget = Budget(limits, NO_LIMIT, PRICE) if scope == "run" else Budget(NO_LIMIT, limits, PRICE)
    held = [budget.reserve("a", 150, 75), budget.reserve("a", 150, 75)]
    with pytest.raises(BudgetReached, match=name) as caught:
        budget.reserve("a", 150, 75)
    assert caught.value.scope == scope
    for reservation in held:
        budget.settle(reservation, Usage(150, 75))
    with pytest.raises(BudgetReached):
        budget.reserve("a", 150, 75)


def test_documents_pay_apart_and_the_run_for_all() -> None:
    budget = Budget(Limits(max_calls=3), Limits(max_calls=2), None)
    budget.reserve("a", 1, 1)
    budget.reserve("a", 1, 1)
    with pytest.raises(BudgetReached, match="document a") as document:
        budget.reserve("a", 1, 1)
    budget.reserve("b", 1, 1)
    with pytest.raises(BudgetReached, match="the run") as run:
        budget.reserve("b", 1, 1)
    assert (document.value.scope, run.value.scope) == ("document", "run")


def test_a_refused_request_holds_nothing() -> None:
    budget = Budget(NO_LIMIT, Limits(max_tokens=100), None)
    with pytest.raises(BudgetReached):
        budget.reserve("a", 100, 1)
    budget.reserve("a", 50, 50)


def test_several_calls_are_reserved_at_once() -> None:
    """As for a batch, which is paid for as a whole."""
    budget = Budget(Limits(max_calls=10), NO_LIMIT, None)
    reservation = budget.reserve("a", 5000, 500, calls=10)
    with pytest.raises(BudgetReached):
        budget.reserve("a", 1, 1)
    budget.settle(reservation, Usage(4000, 300))
    assert budget.spent.calls == 10


# ---------------------------------------------------------------- settling


@pytest.mark.parametrize(
    ("usage", "spent"),
    [
        (Usage(900, 40, 800), Spent(1, 900, 40, 800, 0.00021, 0)),
        (Usage(), Spent(1, 0, 0, 0, 0.0, 0)),  # no connection: nothing was billed, but it was a request
        (None, Spent(1, 1000, 500, 0, 0.0015, 0)),  # no word from the server: the worst case
        (Usage(2000, 500), Spent(1, 2000, 500, 0, 0.002, 0)),  # more than was held: the truth
    ],
)
def test_what_was_used_replaces_what_was_held(usage: Usage | None, spent: Spent) -> None:
    budget = Budget(Limits(max_usd=1), NO_LIMIT, PRICE)
    charged = budget.settle(budget.reserve("a", 1000, 500), usage)
    assert charged == (usage or Usage(1000, 500, is_estimated=usage is None))
    assert budget.spent == spent


def test_a_reservation_is_settled_once() -> None:
    budget = Budget(NO_LIMIT, NO_LIMIT, None)
    reservation = budget.reserve("a", 1, 1)
    budget.settle(reservation, None)
    with pytest.raises(KeyError):
        budget.settle(reservation, None)


def test_a_run_without_a_price_counts_what_is_unpriced() -> None:
    budget = Budget(NO_LIMIT, NO_LIMIT, None)
    budget.settle(budget.reserve("a", 10, 10), Usage(10, 5))
    assert budget.spent == Spent(1, 10, 5, 0, 0.0, 1)


def test_a_run_that_used_more_than_it_held_stops() -> None:
    """The estimate was too low; what is over the limit cannot be undone, but no more is added."""
    budget = Budget(Limits(max_tokens=100), NO_LIMIT, None)
    budget.settle(budget.reserve("a", 50, 50), Usage(150, 50))
    with pytest.raises(BudgetReached):
        budget.reserve("a", 0, 1)


def test_small_change_adds_up() -> None:
    """A thousand reservations given back leave nothing held: 0.1 + 0.2 is 0.3 here."""
    budget = Budget(Limits(max_usd=0.3e-6), NO_LIMIT, Price(input=0.1, output=0.2))
    for _ in range(1000):
        budget.settle(budget.reserve("a", 1, 1), Usage())
    budget.reserve("a", 1, 1)


# ---------------------------------------------------------------- many at once


REQUEST = st.tuples(
    st.sampled_from("abc"), st.integers(0, 400), st.integers(1, 200), st.floats(0, 1), st.integers(0, 5)
)


@given(st.lists(REQUEST, max_size=60), st.integers(0, 2000), st.integers(0, 1000), st.integers(0, 30))
def test_settled_and_held_never_go_over_a_limit(
    requests: list[tuple[str, int, int, float, int]], run_tokens: int, document_tokens: int, run_calls: int
) -> None:
    """Any order of reserving and settling; of each request a part of its worst case is used."""
    run = Limits(max_tokens=run_tokens, max_calls=run_calls, max_usd=run_tokens * 1e-6)
    budget = Budget(run, Limits(max_tokens=document_tokens), PRICE)
    charge: dict[str, int] = dict.fromkeys("abc", 0)  # settled and held, counted by the test
    usd, calls, flying = 0.0, 0, []
    for document, input_tokens, output_tokens, share, settles in requests:
        worst = cost_usd(Usage(input_tokens, output_tokens), PRICE)
        try:
            reservation = budget.reserve(document, input_tokens, output_tokens)
        except BudgetReached:
            need = input_tokens + output_tokens
            assert (
                sum(charge.values()) + need > run_tokens
                or charge[document] + need > document_tokens
                or calls + 1 > run_calls
                or usd + worst > run_tokens * 1e-6 - 1e-12
            )
        else:
            charge[document] += input_tokens + output_tokens
            usd, calls = usd + worst, calls + 1
            flying.append((reservation, Usage(int(input_tokens * share), int(output_tokens * share))))
        for reservation, usage in flying[:settles]:
            budget.settle(reservation, usage)
            held = Usage(reservation.input_tokens, reservation.max_output_tokens)
            charge[reservation.document_id] -= (
                held.input_tokens + held.output_tokens - usage.input_tokens - usage.output_tokens
            )
            usd -= cost_usd(held, PRICE) - cost_usd(usage, PRICE)
        del flying[:settles]
        assert sum(charge.values()) <= run_tokens
        assert max(charge.values()) <= document_tokens
        assert calls <= run_calls
        assert usd <= run_tokens * 1e-6 + 1e-12


class Server:
    """Requests in flight, for a task each; every one uses a tenth of what it holds."""

    def __init__(self, budget: Budget, seed: int) -> None:
        self.budget, self.random = budget, random.Random(seed)
        self.used = self.held = self.most = self.refused = 0

    async def call(self, document_id: str) -> None:
        for _ in range(self.random.choice((1, 1, 1, 2))):  # some are tried again, and pay again
            try:
                reservation = await self.budget.wait_and_reserve(document_id, 500, 500)
            except BudgetReached:
                self.refused += 1
                return
            self.held += 1000
            self.most = max(self.most, self.used + self.held)
            for _ in range(self.random.randrange(5)):
                await asyncio.sleep(0)
            self.held -= 1000
            self.used += 100
            self.budget.settle(reservation, Usage(50, 50))


@pytest.mark.parametrize("seed", range(5))
def test_concurrent_calls_stay_within_the_limit_and_use_it_up(seed: int) -> None:
    """A limit that 96 calls fit, though only 10 of them fit at the same time."""
    budget = Budget(Limits(max_tokens=10_500), NO_LIMIT, None)
    server = Server(budget, seed)

    async def run() -> None:
        await asyncio.gather(*(server.call(str(number)) for number in range(200)))

    asyncio.run(run())
    assert server.most <= 10_500
    assert budget.spent.calls == 96  # the next one might have gone over: 9,600 used, 1,000 needed
    assert server.refused > 0


def test_a_call_waits_for_what_others_hold_and_not_longer() -> None:
    budget = Budget(NO_LIMIT, Limits(max_tokens=1000), None)
    first = budget.reserve("a", 400, 400)

    async def run() -> list[Reservation | BaseException]:
        waiting = [asyncio.create_task(budget.wait_and_reserve("a", 200, tokens)) for tokens in (200, 700)]
        elsewhere = await budget.wait_and_reserve("b", 400, 400)
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        budget.settle(first, Usage(100, 100))
        budget.settle(elsewhere, None)
        return await asyncio.gather(*waiting, return_exceptions=True)

    fits, too_large = asyncio.run(run())
    assert isinstance(fits, Reservation)
    assert isinstance(too_large, BudgetReached)


def test_a_call_that_can_never_fit_does_not_wait() -> None:
    budget = Budget(Limits(max_tokens=1000), NO_LIMIT, None)
    budget.reserve("a", 400, 400)
    with pytest.raises(BudgetReached):
        asyncio.run(budget.wait_and_reserve("a", 600, 600))
