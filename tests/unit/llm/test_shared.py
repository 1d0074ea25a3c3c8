"""Limits that many machines keep together: never exceeded, all of it used, nothing held for ever.

Several programs against a real PostgreSQL.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError, StoreError
from extractor.llm.budget import Limits
from extractor.llm.calls import BudgetReached, Usage
from extractor.llm.limits import Rates
from extractor.llm.shared import SharedLimits, SharedRates
from extractor.settings import Settings
from extractor.store.quota import Amount, Ousted, Pace, Purse, Quota
from tests.unit.llm.spender import open_budget

ROOT = Path(__file__).parents[3]
NOTHING = Amount()


@pytest.fixture
def quota(postgres_schema: str) -> Iterator[Quota]:
    quota = Quota.open(postgres_schema)
    yield quota
    quota.close()


def start(module: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.unit.llm.{module}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603


def read_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def say(program: subprocess.Popen[str], line: str) -> None:
    assert program.stdin is not None
    program.stdin.write(f"{line}\n")
    program.stdin.flush()


def assert_within(purse: Purse) -> None:
    for limit, used, held in zip(purse[:3], purse.used, purse.held, strict=True):
        assert held >= 0
        assert limit is None or used + held <= limit


# ---------------------------------------------------------------- the purse


#: A limit on calls, on tokens, and on money; and how much of it may be left: less than a request may need.
LIMITS = {
    "calls": ((300, None, None), Amount()),
    "tokens": ((None, 60_000, None), Amount(tokens=599)),
    "usd": ((None, None, 30_000_000_000), Amount(picousd=599_999_999)),
}


def test_three_programs_spend_all_of_each_limit_and_never_more(quota: Quota, postgres_schema: str) -> None:
    for run_id, (limits, _) in LIMITS.items():
        quota.open_purse(run_id, *limits)
    programs = [start("spender", postgres_schema, f"t{seed}", seed, *LIMITS) for seed in range(3)]
    assert [read_line(program) for program in programs] == ["ready"] * 3
    for program in programs:
        say(program, "go")
    while any(program.poll() is None for program in programs):
        for run_id in LIMITS:
            assert_within(quota.read_purse(run_id))
        time.sleep(0.01)
    charged = [
        [tuple(map(int, line.split())) for line in program.communicate()[0].splitlines()] for program in programs
    ]
    assert all(any(calls for calls, *_ in lines) for lines in charged)  # each had a part
    for number, (run_id, (limits, most_left)) in enumerate(LIMITS.items()):
        purse, shares = quota.read_purse(run_id), [lines[number] for lines in charged]
        assert purse.held == NOTHING
        assert purse.used == tuple(map(sum, zip(*shares, strict=True)))
        assert all(
            limit is None or limit - left <= used
            for limit, used, left in zip(limits, purse.used, most_left, strict=True)
        )


def test_what_a_killed_program_held_is_charged_when_its_task_is_taken_over(quota: Quota, postgres_schema: str) -> None:
    quota.open_purse("r", None, 1000, None)
    program = start("spender", postgres_schema, "chunk 1", "hold", "r")
    assert read_line(program) == "held"
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert quota.read_purse("r").held == Amount(1, 400, 350_000_000)
    quota.enter("r", "chunk 1", "another")
    assert quota.read_purse("r")[3:] == (Amount(1, 400, 350_000_000), NOTHING)


def test_who_lost_his_task_can_hold_nothing_more(quota: Quota) -> None:
    async def work() -> None:
        quota.open_purse("r", None, 1000, None)
        budget = open_budget(quota, "r", "chunk 1")
        held = await budget.wait_and_reserve("d", 300, 100)
        quota.enter("r", "chunk 1", "another")
        with pytest.raises(Ousted, match="given to another worker"):
            await budget.wait_and_reserve("d", 1, 1)
        budget.settle(held, Usage(1, 1))  # he may still hear from the server; it is charged in full already
        await budget.aclose()

    asyncio.run(work())
    assert quota.read_purse("r")[3:] == (Amount(1, 400, 350_000_000), NOTHING)


def test_a_purse_that_is_closed_charges_what_is_held_and_is_gone(quota: Quota) -> None:
    quota.open_purse("r", 10, None, None)
    quota.enter("r", "t", "h")
    assert quota.move("r", "t", "h", back=NOTHING, used=NOTHING, want=Amount(2, 20, 5))
    assert quota.close_purse("r").used == Amount(2, 20, 5)
    with pytest.raises(StoreError, match="no purse"):
        quota.enter("r", "t", "h")


def test_only_those_who_hold_something_are_given_up_for_their_silence(quota: Quota) -> None:
    quota.open_purse("r", 10, None, None)
    for task in ("reading", "dead"):
        quota.enter("r", task, task)
    quota.move("r", "dead", "dead", back=NOTHING, used=NOTHING, want=Amount(3, 30, 0))
    quota.charge_silent("r", 3600)
    assert quota.read_purse("r").held == Amount(3, 30, 0)
    quota.charge_silent("r", -1)
    assert quota.read_purse("r")[3:] == (Amount(3, 30, 0), NOTHING)
    assert quota.move("r", "reading", "reading", back=NOTHING, used=NOTHING, want=Amount(1))
    with pytest.raises(Ousted):
        quota.move("r", "dead", "dead", back=NOTHING, used=NOTHING, want=Amount(1))


def test_who_finds_only_held_money_waits_until_it_is_given_back(quota: Quota) -> None:
    async def work() -> None:
        quota.open_purse("r", None, 500, None)
        one, other = open_budget(quota, "r", "t1"), open_budget(quota, "r", "t2")
        held = await one.wait_and_reserve("d", 300, 100)
        waiting = asyncio.create_task(other.wait_and_reserve("d", 200, 100))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        one.settle(held, Usage(100, 50))
        other.settle(await asyncio.wait_for(waiting, 20), Usage(200, 100))
        with pytest.raises(
            BudgetReached, match="max_tokens of the run is 500: 450 used, 0 held, up to 51 needed"
        ) as no:
            await other.wait_and_reserve("d", 50, 1)
        assert no.value.scope == "run"
        await one.aclose()
        await other.aclose()

    asyncio.run(work())


def test_a_document_has_its_own_limit_and_what_it_does_not_get_is_given_back(quota: Quota) -> None:
    async def work() -> None:
        quota.open_purse("r", None, 1000, None)
        budget = open_budget(quota, "r", "t", Limits(max_tokens=100))
        with pytest.raises(BudgetReached) as no:
            await budget.wait_and_reserve("d", 100, 1)
        assert no.value.scope == "document"
        budget.settle(await budget.wait_and_reserve("d", 50, 50), None)
        await budget.aclose()

    asyncio.run(work())
    assert quota.read_purse("r")[3:] == (Amount(1, 100, 125_000_000), NOTHING)


def test_who_stops_waits_for_nothing(quota: Quota) -> None:
    async def work() -> None:
        quota.open_purse("r", None, 100, None)
        budget = open_budget(quota, "r", "t")
        held = await budget.wait_and_reserve("d", 50, 50)
        waiting = asyncio.create_task(budget.wait_and_reserve("d", 50, 50))
        await asyncio.sleep(0.05)
        budget.stop("the run is being ended")
        with pytest.raises(BudgetReached, match="being ended"):
            await waiting
        budget.settle(held, Usage(10, 10))
        await budget.aclose()

    asyncio.run(work())
    assert quota.read_purse("r").used.tokens == 20


def test_who_gives_up_while_it_is_being_held_for_him_gives_it_back(quota: Quota) -> None:
    async def work() -> None:
        quota.open_purse("r", None, 100_000, None)
        budget = open_budget(quota, "r", "t")
        for delay in (0, 0.001, 0.002, 0.004, 0.008):
            waiting = [asyncio.create_task(budget.wait_and_reserve("d", 10, 10)) for _ in range(20)]
            await asyncio.sleep(delay)
            for task in waiting:
                task.cancel()
            for result in await asyncio.gather(*waiting, return_exceptions=True):
                if not isinstance(result, BaseException):
                    budget.settle(result, Usage())
        await budget.aclose()

    asyncio.run(work())
    assert quota.read_purse("r").held == NOTHING
    assert quota.read_purse("r").used.tokens == 0


def test_many_requests_are_held_by_few_statements(quota: Quota, monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[int] = []
    move = Quota.move

    def count(self: Quota, *arguments: Any, **amounts: Any) -> bool:
        moves.append(amounts["want"].calls)
        return move(self, *arguments, **amounts)

    monkeypatch.setattr(Quota, "move", count)

    async def work() -> None:
        quota.open_purse("r", 500, None, None)
        budget = open_budget(quota, "r", "t")
        held = await asyncio.gather(*(budget.wait_and_reserve("d", 10, 10) for _ in range(200)))
        for one in held:
            budget.settle(one, Usage(5, 5))
        await budget.aclose()

    asyncio.run(work())
    assert sum(moves) == 200
    assert len(moves) <= 4
    assert quota.read_purse("r")[3:] == (Amount(200, 2000, 200 * 12_500_000), NOTHING)


# ---------------------------------------------------------------- the pace


def test_three_programs_together_keep_to_the_pace_and_use_all_of_it(quota: Quota, postgres_schema: str) -> None:
    """Moments of grants, none waited for: 1,500 requests at 600 a minute."""
    programs = [start("pacer", postgres_schema, 600, 500) for _ in range(3)]
    moments = sorted(float(line) for program in programs for line in program.communicate()[0].split())
    assert len(moments) == 1500
    # A grant is told a moment after it was made, which can move a few into another minute.
    most = max(sum(first <= moment < first + 60 for moment in moments) for first in moments)
    assert most <= 600 + 12
    assert moments[-1] - moments[0] <= 1500 * 61 / 600 + 1


def test_tokens_that_were_not_used_are_given_back_to_the_pace(quota: Quota) -> None:
    pace = Pace(100.0, 2.0)
    assert quota.advance("s", "m", Pace(), pace) == pytest.approx(98, abs=0.5)
    assert quota.advance("s", "m", Pace(), Pace(-60.0, 2.0)) == pytest.approx(38, abs=0.5)
    assert quota.advance("s", "other", Pace(), Pace(1.0, 2.0)) <= 0


def test_calls_that_wait_together_are_granted_together(quota: Quota, monkeypatch: pytest.MonkeyPatch) -> None:
    granted: list[Pace] = []
    advance = Quota.advance

    def count(self: Quota, server: str, model: str, requests: Pace, tokens: Pace) -> float:
        granted.append(tokens)
        return advance(self, server, model, requests, tokens)

    monkeypatch.setattr(Quota, "advance", count)
    settings = Settings(model="m", requests_per_minute=6000, tokens_per_minute=62_000_000)

    async def work() -> None:
        rates = SharedLimits(quota, "r", "t", has_purse=False).make_rates(settings)
        assert isinstance(rates, SharedRates)
        await asyncio.gather(*(rates.wait(1000) for _ in range(100)))
        rates.settle(1000, Usage(400, 100))
        await rates.wait(1000)

    asyncio.run(work())
    assert len(granted) <= 4
    assert sum(pace.lasts_s for pace in granted) == pytest.approx(0.1 + 0.001 - 0.0005)


def test_without_limits_nobody_asks_the_database(quota: Quota) -> None:
    limits = SharedLimits(quota, "no such run", "t", has_purse=False)
    assert type(limits.make_rates(Settings(model="m"))) is Rates
    assert limits.make_budget(Limits(), None, Settings(model="m")).spent.calls == 0


def test_a_file_cannot_keep_limits_for_several_machines(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is a file.*postgresql://"):
        Quota.open(str(tmp_path / "store.sqlite"))
