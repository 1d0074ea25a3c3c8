"""Replay files: out of one journal and into another, and what a bad file is told."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import OutputError, SettingsError
from extractor.store.journal import Journal
from extractor.store.rows import ImportSummary, canonical_json
from tests.unit.store.writer import make_key, make_reply


@pytest.fixture
def full(journal: Journal) -> Journal:
    """A journal with 700 replies of all kinds."""
    for number in range(700):
        journal.add(
            make_reply(number, task=("table_rows", "header")[number % 2], origin=("live", "batch")[number % 3 == 0])
        )
    return journal


@pytest.fixture
def second(tmp_path: Path) -> Any:
    with Journal.open(str(tmp_path / "second.sqlite")) as journal:
        yield journal


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_replay_file_carries_replies_to_another_journal(full: Journal, second: Journal, tmp_path: Path) -> None:
    path, again = tmp_path / "replies.jsonl", tmp_path / "again.jsonl"
    assert full.export_replies(path, has_requests=True) == 700
    assert second.import_replies(path) == ImportSummary(700, 0, ())
    keys = [make_key(number) for number in range(700)]
    assert second.find_many(keys) == full.find_many(keys)
    assert second.spent().calls == 0  # nobody paid for these here
    second.export_replies(again, has_requests=True)
    assert again.read_bytes() == path.read_bytes()
    assert second.import_replies(path) == ImportSummary(0, 700, ())


def test_a_replay_file_leaves_requests_out_and_is_sorted(full: Journal, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    full.export_replies(path)
    header, *lines = read_lines(path)
    assert header == {"format": "extractor replies", "version": 1, "origins": ["batch", "live"], "replies": 700}
    assert [line["key"] for line in lines] == sorted(make_key(number) for number in range(700))
    assert "request" not in lines[0]
    assert "只抄录" not in path.read_text(encoding="utf-8")
    assert lines[0]["reply"]["rows"][0][:3] == ["(一)", "0", None]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"tasks": ["header"]}, 350),
        ({"origins": ["batch"]}, 234),
        ({"origins": ["live"], "tasks": ["header"]}, 233),
        ({"models": ["another"]}, 0),
        ({"tasks": []}, 0),
    ],
)
def test_an_export_may_be_a_part(wanted: dict[str, Any], count: int, full: Journal, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    assert full.export_replies(path, **wanted) == count
    header, *lines = read_lines(path)
    assert header["replies"] == len(lines) == count
    assert header["origins"] == sorted({line["origin"] for line in lines})


def test_a_conflicting_reply_is_named_and_not_taken(journal: Journal, second: Journal, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    for number in range(3):
        journal.add(make_reply(number))
    journal.export_replies(path)
    second.add(
        make_reply(0, reply=json.dumps(json.loads(make_reply(0).reply), indent=1))
    )  # the same, spelled otherwise
    second.add(make_reply(1, reply=canonical_json({"rows": []})))
    assert second.import_replies(path) == ImportSummary(1, 1, (make_key(1),))
    kept = second.find(make_key(1))
    assert kept is not None
    assert kept.reply == '{"rows":[]}'


def write_file(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return path


HEADER = {"format": "extractor replies", "version": 1, "origins": ["written by hand"]}
LINE = {
    "key": make_key(1),
    "task": "table_rows",
    "model": "m",
    "parameters": {},
    "prompt_version": "p",
    "schema_hash": "s",
    "reply": {"rows": [["一", "0"]]},
    "origin": "written by hand",
    "created_at": "2026-11-03T08:00:00Z",
}


def test_a_file_made_by_hand_is_read(journal: Journal, tmp_path: Path) -> None:
    """Only what cannot be guessed must be given; blank lines, a BOM and CRLF do no harm."""
    text = f"{json.dumps(HEADER)}\r\n\r\n{json.dumps(LINE)}\r\n"
    path = tmp_path / "replies.jsonl"
    path.write_bytes(text.encode("utf-8-sig"))
    assert journal.import_replies(path) == ImportSummary(1, 0, ())
    reply = journal.find(make_key(1))
    assert reply is not None
    assert (reply.reply, reply.origin, reply.request, reply.cost_usd) == (
        '{"rows":[["一","0"]]}',
        "written by hand",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "EOF"),
        ("[]", "object"),
        ({**LINE, "key": "short"}, "key: "),
        ({**LINE, "origin": "guessed"}, "origin: "),
        ({**LINE, "created_at": "2026-11-03T08:00:00"}, "created_at: .*timezone"),
        ({**LINE, "input_tokens": -1}, "input_tokens: "),
        ({**LINE, "input_tokens": "1"}, "input_tokens: "),
        ({**LINE, "answer": 1}, "answer: "),
        ({name: value for name, value in LINE.items() if name != "reply"}, "reply: "),
        (json.dumps({**LINE, "reply": [0]}).replace("[0]", "[NaN]"), "reply: .*number that JSON does not know"),
        ('{"key": "\\ud800"}', "Invalid JSON"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_read_in(bad: object, words: str, journal: Journal, tmp_path: Path) -> None:
    path = write_file(tmp_path / "replies.jsonl", HEADER, LINE, bad)
    with pytest.raises(SettingsError, match=rf"replies\.jsonl:3: .*{words}"):
        journal.import_replies(path)
    assert journal.find(make_key(1)) is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ":1: no replay file"),
        (["not JSON"], ":1: no replay file"),
        ([LINE], ":1: no replay file"),
        ([{**HEADER, "version": 2}, LINE], ":1: a replay file of version 2"),
        ([{**HEADER, "replies": 2}, LINE], ":2: 1 replies, but the first line says 2"),
        ([{**HEADER, "replies": 1}], ":1: 0 replies, but the first line says 1"),
    ],
)
def test_a_file_that_is_no_whole_replay_file_is_refused(
    lines: list[object], words: str, journal: Journal, tmp_path: Path
) -> None:
    path = write_file(tmp_path / "replies.jsonl", *lines)
    with pytest.raises(SettingsError, match=words):
        journal.import_replies(path)
    assert journal.find(make_key(1)) is None


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        journal.import_replies(tmp_path / name)


def test_an_export_that_fails_leaves_the_old_file(full: Journal, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text("old", encoding="utf-8")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match=r"replies\.jsonl: cannot be written"):
            full.export_replies(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert path.read_text(encoding="utf-8") == "old"
    assert not list(tmp_path.glob(".replies*"))


def test_a_folder_that_is_not_there_is_named(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        journal.export_replies(tmp_path / "not" / "there.jsonl")
