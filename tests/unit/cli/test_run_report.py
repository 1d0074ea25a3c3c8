"""What is said at the end of a run, for each way in which it can end."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.progress import Progress, RunFile
from extractor.bulk.run import RunSummary
from extractor.cli.run_report import say_command, tell_broken_off, tell_summary
from extractor.errors import OutputError
from extractor.model import CellState, DocumentIdentity, Record, RecordField, Status
from extractor.pipeline import VERSIONS

OUT = Path("out")
COUNTS = {
    "files": 1200,
    "documents": 1000,
    "documents_by_status": {"succeeded": 900, "partial": 97, "failed": 3, "not_a_report": 0},
    "table_values": {"printed": 50, "accepted": 40, "printed_nonzero": 5, "accepted_nonzero": 4},
    "fields": {"accepted": 40, "review": 10, "confirmed": 7, "read_by_model": 2},
    "audit": {"share": 0, "eligible": 0, "documents": 0},
    "seconds": 250.0,
    "model": None,
    "store": None,
}
MODEL = {
    "name": "qwen3:14b",
    "policy": "auto",
    "is_live": True,
    "missing": 0,
    "replies": [
        {"origin": "live", "from_journal": False, "count": 1200},
        {"origin": "live", "from_journal": True, "count": 34},
    ],
    "spent": {"calls": 1300, "input_tokens": 812_000, "output_tokens": 99_000, "usd": 3.25},
}


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> str:
    """As it was typed."""
    monkeypatch.setattr(sys, "argv", ["extractor", "run", "资 料/*.html", "--out", "out"])
    return "run '资 料/*.html' --out out"


def _summarise(state: Any, progress: Progress, reason: str | None = None, **changes: Any) -> RunSummary:
    with RunFile(None, {}) as run_file:
        run_file.note(progress)
        account = {**COUNTS, "kept": progress.kept, **run_file.describe(state, reason), **changes}
    return RunSummary(
        account=account,
        outputs=(OUT / "table.xlsx", OUT / "run.json"),
        notable=(),
        failed=progress.failed,
        is_interrupted=state == "interrupted",
        standing="accepted by the hard rules alone, no certificate",
        run_id="7" if changes.get("store") else None,
    )


def _say(summary: RunSummary, capsys: pytest.CaptureFixture[str], **unmatched: Any) -> list[str]:
    tell_summary(summary, unmatched.get("rows", ()), unmatched.get("count", 0))
    return capsys.readouterr().out.splitlines()


def _next(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines[lines.index("What to do next:") + 1 :]]


def test_a_run_without_trouble_need_not_be_run_again(capsys: pytest.CaptureFixture[str], command: str) -> None:
    lines = _say(_summarise("finished", Progress("write", 1000, 1000)), capsys)
    assert "1,000 documents from 1,200 files: 900 succeeded, 97 partial, 3 failed" in lines
    assert "1,000 read in 0:04:10, 4.0/s" in lines
    assert "Written into out: table.xlsx, run.json" in lines
    assert not any(command in line for line in lines)
    assert _next(lines)[0].startswith("out/table.xlsx")


def test_only_what_is_new_counts_for_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _say(_summarise("finished", Progress("read", 1000, 1000, kept=750)), capsys)
    assert "250 read in 0:04:10, 1.0/s; 750 kept from an earlier start" in lines


def test_nothing_new_has_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    summary = _summarise("finished", Progress("read", 1000, 1000, kept=1000), seconds=0.25)
    assert "0 read in 0.2 s; 1,000 kept from an earlier start" in _say(summary, capsys)


def test_failures_say_why_and_how_to_try_again(capsys: pytest.CaptureFixture[str], command: str) -> None:
    lines = _next(_say(_summarise("finished", Progress("read", 1000, 1000, failed=3)), capsys))
    assert lines[0].endswith(command)
    assert lines[1] == "tries again what failed or stayed unanswered, three times in all; keeps the rest"
    assert lines[-2:] == ["out/run.json", "`errors`: why 3 documents failed, and the remedy"]


def test_what_stayed_unanswered_can_be_asked_again(capsys: pytest.CaptureFixture[str], command: str) -> None:
    summary = _summarise("finished", Progress("read", 1000, 1000), incomplete=4)
    assert command in _next(_say(summary, capsys))[0]


def test_what_is_quarantined_is_tried_again_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    lines = _next(_say(_summarise("finished", Progress("read", 1000, 1000, failed=1, quarantined=1)), capsys))
    assert lines[0].endswith(command.replace("run", "run --retry-quarantined"))
    assert not lines[2].endswith(command)  # nothing else is worth another start


@pytest.mark.parametrize("state", ["interrupted", "stopped"])
def test_a_run_that_ended_early_says_first_how_to_go_on(
    state: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    summary = _summarise(state, Progress("read", 1000, 5000), "max_calls of the run is 1300", left=4000)
    lines = _say(summary, capsys)
    at = lines.index(f"{state.upper()}: 1,000 documents are done and kept, 4,000 are left")
    assert lines[at + 1] == "  max_calls of the run is 1300"
    assert _next(lines)[0].endswith(command)
    assert _next(lines)[1].startswith("goes on")
    assert "--retry" not in "".join(lines)


def test_a_run_that_did_nothing_says_so(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with RunFile(None, {}) as run_file:
        account = run_file.describe("interrupted")
    lines = _say(RunSummary(account=account, outputs=(), notable=(), failed=0, is_interrupted=True), capsys)
    assert lines[1] == "INTERRUPTED before the first document was done; earlier outputs are as they were"
    assert command in _next(lines)[0]


def test_a_model_is_told_with_its_price_and_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _say(_summarise("finished", Progress("read", 1000, 1000), model=MODEL), capsys)
    assert "model qwen3:14b, policy auto: replies: 1,200 live, 34 live, from the journal" in lines
    assert "  1,300 requests, 812,000 tokens in, 99,000 out, 3.25 USD" in lines


def test_a_store_is_a_place_too(capsys: pytest.CaptureFixture[str]) -> None:
    store = {"name": "my store.sqlite", "run_id": "7"}
    lines = _say(_summarise("finished", Progress("read", 1000, 1000), store=store), capsys)
    assert "Filed in my store.sqlite: documents, records, queue; this is run 7" in lines
    assert _next(lines)[0].startswith("extractor serve --store 'my store.sqlite'")


def test_an_address_with_a_password_is_left_to_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    store = {"name": "postgresql+psycopg://me:***@host/db", "run_id": "7"}
    lines = _say(_summarise("finished", Progress("read", 1000, 1000), store=store), capsys)
    assert _next(lines)[0].startswith("extractor serve --store ADDRESS")


def test_rows_of_the_manifest_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _say(_summarise("finished", Progress("read", 1000, 1000)), capsys, rows=("b.txt",), count=1234)
    assert "1,234 manifest rows name files that are not among the inputs: b.txt …" in lines


def test_few_documents_are_shown_those_with_most_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    field = RecordField(CellState.BLANK, None, None, (), "template", decision="review")
    records = [
        Record(
            document=DocumentIdentity(id=None, path=str(tmp_path / f"{number:02}.txt")),
            origins=(),
            versions=VERSIONS,
            status=Status.FAILED if number == 20 else Status.PARTIAL,
            fields={f"header.{name}": field for name in range(number)} if number != 20 else {},
        )
        for number in range(25)
    ]
    (tmp_path / "24.txt").write_text("there", "utf-8")
    summary = _summarise("finished", Progress("read", 1000, 1000))
    summary = RunSummary(
        **{name: getattr(summary, name) for name in RunSummary.__slots__} | {"notable": tuple(records)}
    )
    lines = _say(summary, capsys)
    shown = [line.split()[0] for line in lines if line.strip()[:2].isdigit() and ".txt" in line]
    assert shown == [f"{number}.txt" for number in range(15, 25)]
    assert "990 more documents are not shown; those here failed or have most to review" in lines
    assert _next(lines)[0].startswith(f"extractor show {tmp_path}/24.txt")


def test_an_error_on_the_way_says_where_the_rest_is(capsys: pytest.CaptureFixture[str], command: str) -> None:
    tell_broken_off(OutputError("out: the disk is full. Make room."), "out/.extractor/ledger.sqlite")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "error: out: the disk is full. Make room."
    assert "out/.extractor/ledger.sqlite" in second
    assert command in third


# ---------------------------------------------------------------- the command again


def test_the_command_means_the_same_when_it_is_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in a name: a shell gives the program the very words that it was started with."""
    program = tmp_path / "my extractor"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdout.write(repr(sys.argv))\n", "utf-8")
    program.chmod(0o755)
    words = [str(program), "run", "it's $HOME", "资料/*.html", 'a"b', "--out", "a b\n", "`id`", "--model=x;y", ""]
    monkeypatch.setattr(sys, "argv", words)
    shell = subprocess.run(["/bin/sh", "-c", say_command()], capture_output=True, text=True, check=True)  # noqa: S603
    assert shell.stdout == repr(words)


def test_the_program_is_named_as_it_can_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "extractor"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "run"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert say_command() == f"{program} run"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert say_command() == "extractor run"
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py"), "run"])
    assert say_command() == shlex.join([sys.executable, "-m", "extractor", "run"])


@pytest.mark.parametrize(
    "word", ["postgresql://me:secret@host/db", "--store=postgresql+psycopg://me:secret@host/db?x=1"]
)
def test_a_password_is_not_repeated(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["extractor", "run", "docs", "--store", word])
    assert "secret" not in say_command()
    assert "the same command" in say_command()


def test_an_address_without_a_password_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["extractor", "run", "--store", "postgresql://me@host:5432/db"])
    assert "postgresql://me@host:5432/db" in say_command()


def test_a_list_on_standard_input_has_to_be_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["extractor", "run", "--files-from", "-", "--out", "out"])
    assert say_command() == "the same command, with the same list on standard input"
    assert say_command("--retry-quarantined").endswith(" and --retry-quarantined")


def test_going_on_is_not_beginning_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["extractor", "run", "--fresh", "docs", "--retry-quarantined", "--", "-a"])
    assert say_command().endswith("run docs --retry-quarantined -- -a")
    assert say_command("--retry-quarantined").endswith("run --retry-quarantined docs -- -a")
