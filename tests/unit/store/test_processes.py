"""Several programs on one journal, and one that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from extractor.store.journal import Journal
from tests.unit.store.writer import make_key, make_reply

WRITER = Path(__file__).with_name("writer.py")


def start_writer(where: str, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), where, str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603


def test_four_writers_lose_and_double_nothing(where: str) -> None:
    """They make the journal together, each writes 200 replies, half of them the same as the next writer's."""
    writers = [start_writer(where, first, 200) for first in (0, 100, 200, 300)]
    assert [len(writer.communicate()[0].split()) for writer in writers] == [200] * 4
    assert [writer.returncode for writer in writers] == [0] * 4
    with Journal.open(where) as journal:
        assert journal.find_many(map(make_key, range(600))) == {make_key(n): make_reply(n) for n in range(500)}
        assert journal.spent().calls == 800


def test_a_killed_writer_leaves_all_that_it_reported(where: str) -> None:
    writer = start_writer(where, 0, 100_000)
    assert writer.stdout is not None
    reported = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    reported += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert writer.wait() == -signal.SIGKILL
    with Journal.open(where) as journal:
        found = journal.find_many(map(make_key, range(len(reported) + 10)))
        assert {make_key(number) for number in reported} <= set(found)
        # At most the one that was being written is there beyond these, its attempt with it.
        assert len(reported) <= len(found) == journal.spent().calls <= len(reported) + 1
        assert journal.add(make_reply(200_000))
