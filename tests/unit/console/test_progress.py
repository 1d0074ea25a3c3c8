"""The live lines of a run."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from extractor.bulk.progress import Progress, Speed
from extractor.console.progress import LiveProgress, ProgressLines

BUSY = Progress(
    stage="read",
    done=123_456,
    total=500_000,
    kept=20_000,
    failed=312,
    quarantined=12,
    flagged=31_200,
    in_flight=128,
    calls_in_flight=64,
    calls=246_912,
    cached=24_691,
    input_tokens=100_246_272,
    output_tokens=12_222_144,
    usd=1234.56,
    seconds=3600,
)


def _draw(progress: Progress, speed: Speed, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as shown:
        console.print(ProgressLines(progress, speed))
    return shown.get().splitlines()


def test_eighty_columns_hold_all_of_a_big_run() -> None:
    bar, documents, model = _draw(BUSY, Speed(45.2, 8334))
    assert re.fullmatch(r"reading ━+╸? +123,456/500,000 45\.2/s 2:18:54 left", bar)
    assert documents.split(" · ") == [
        "  in flight 128, 64 calls",
        "flagged 31,200",
        "failed 312",
        "quarantined 12",
    ]
    assert model.split(" · ") == [
        "  calls 246,912 + 24,691 from journal",
        "tokens 100M in 12.2M out",
        "1,234.56 USD",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_fact_is_cut(width: int) -> None:
    lines = _draw(BUSY, Speed(45.2, 8334), width)
    assert all(cell_len(line) <= width for line in lines)
    facts = [fact.strip() for line in lines[1:] for fact in line.split(" · ")]
    assert [fact.split()[0] for fact in facts] == [
        "in",
        "flagged",
        "failed",
        "quarantined",
        "calls",
        "tokens",
        "1,234.56",
    ]
    assert "…" not in "".join(facts)


def test_wide_terminals_need_two_lines() -> None:
    assert len(_draw(BUSY, Speed(45.2, 8334), 160)) == 2


def test_rules_alone_need_no_line_about_a_model() -> None:
    bar, documents = _draw(Progress("read", 1, 5, in_flight=4), Speed(None, None))
    assert bar.endswith("1/5 -:--:-- left")
    assert documents == "  in flight 4 · flagged 0 · failed 0"


def test_replies_of_the_journal_alone_cost_nothing() -> None:
    shown = "\n".join(_draw(Progress("read", 1, 5, cached=9), Speed()))
    assert "calls 0 + 9 from journal" in shown
    assert "price" not in shown


def test_a_price_that_is_not_set_is_said() -> None:
    assert "price not set" in "\n".join(_draw(Progress("read", 1, 5, calls=9), Speed()))


def test_a_run_that_is_ended_says_what_it_waits_for() -> None:
    bar, documents, _, hint = _draw(BUSY._replace(is_ending=True), Speed(45.2, 8334))
    assert re.fullmatch(r"ending ━+╸? +123,456/500,000 45\.2/s", bar)
    assert documents.startswith("  in flight 128, 64 calls")
    assert hint == "  what is in flight is finished first; Ctrl-C ends at once, what is kept stays"
    (bar,) = _draw(Progress("write", 1, 9, is_ending=True), Speed(1.0, 8.0))
    assert re.fullmatch(r"writing outputs ━+╸? +1/9 1\.0/s 0:00:08 left", bar)


def test_a_run_without_documents() -> None:
    assert "0/0" in _draw(Progress("read", 0, 0), Speed())[0]


def test_places_are_counted_before_their_number_is_known() -> None:
    bar, place = _draw(Progress("plan", 12_345, None, path="资料/某省.zip!/报告\x1b[31m\n" + "长" * 60), Speed(1200))
    assert bar.rstrip() == "looking for inputs 12,345 found 1,200/s"
    assert place.startswith("  资料/某省.zip!/报告 [31m⏎长")
    assert place.endswith("…")
    assert cell_len(place) <= 80


def test_the_outputs_have_a_bar_of_their_own() -> None:
    (bar,) = _draw(Progress("write", 250, 1000), Speed(100.0, 7.5))
    assert bar.startswith("writing outputs ━")
    assert bar.endswith("250/1,000 100/s 0:00:08 left")


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80)
    console.print(ProgressLines(BUSY, Speed(1.0, 1.0)))
    codes = set(re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]", shown.getvalue()))
    assert codes <= {"\x1b[0m", "\x1b[1m", "\x1b[2m"}


def test_lines_are_drawn_a_few_times_a_second_and_at_the_end() -> None:
    shown, now = io.StringIO(), [0.0]
    console = Console(file=shown, force_terminal=True, width=80)
    with LiveProgress(console, lambda: now[0]) as tell:
        for done in range(1, 1001):
            now[0] += 0.001
            tell(Progress("read", done, 1000))
    drawn = re.findall(r"(\d[\d,]*)/1,000", shown.getvalue())
    assert 3 <= len(set(drawn)) <= 8
    assert drawn[-1] == "1,000"
