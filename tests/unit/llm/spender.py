"""A program that spends from shared purses: python spender.py STORE TASK SEED RUN...

It says that it is ready and waits for a line. Then it sends pretended requests, eight at a time, until the limit of
the first run ends it, and prints what it was charged: calls, tokens, 10^-12 USD; then of the next run. With `hold`
instead of a seed it holds one request of the run, says so, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import random
import sys

from extractor.llm.budget import Limits
from extractor.llm.calls import BudgetReached, Usage
from extractor.llm.shared import SharedBudget, SharedLimits
from extractor.settings import Price, Settings
from extractor.store.quota import Quota

PRICE = Price(input=0.5, output=2)


def open_budget(quota: Quota, run_id: str, task: str, document: Limits | None = None) -> SharedBudget:
    limits = SharedLimits(quota, run_id, task, has_purse=True)
    budget = limits.make_budget(document or Limits(), PRICE, Settings(model="m"))
    assert isinstance(budget, SharedBudget)
    return budget


async def spend(budget: SharedBudget, choose: random.Random) -> None:
    while True:
        try:
            held = await budget.wait_and_reserve("d", choose.randint(1, 400), choose.randint(1, 200))
        except BudgetReached:
            return
        await asyncio.sleep(choose.random() / 500)
        fate = choose.random()
        # Nobody knows what became of some of them; most use less than they might have.
        used = None if fate < 0.05 else Usage(held.input_tokens, int(held.max_output_tokens * fate))
        budget.settle(held, used)


def say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


async def spend_all(budget: SharedBudget, choose: random.Random) -> None:
    await asyncio.gather(*(spend(budget, choose) for _ in range(8)))
    await budget.aclose()
    spent = budget.spent
    say(spent.calls, spent.input_tokens + spent.output_tokens, round(spent.cost_usd * 10**12))


async def hold(budget: SharedBudget) -> None:
    await budget.wait_and_reserve("d", 300, 100)
    say("held")
    await asyncio.sleep(600)


def main() -> None:
    where, task, seed, *runs = sys.argv[1:]
    quota = Quota.open(where)
    budgets = [open_budget(quota, run_id, task) for run_id in runs]
    if seed == "hold":
        asyncio.run(hold(budgets[0]))
    say("ready")
    sys.stdin.readline()
    for budget in budgets:
        asyncio.run(spend_all(budget, random.Random(seed)))


if __name__ == "__main__":
    main()
