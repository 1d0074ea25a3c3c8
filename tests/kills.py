"""A run that is killed again and again, and the same run undisturbed. Only for tests and benchmarks.

`Site` is where both take place: documents of which no two ask alike, a server that notes every call, and the command.
`endure` kills a run at moments drawn from a seed and starts it again until it is over; tests/kill_faults.py says what
that changed. Moments are told by how many calls were asked, so that they spread over the whole run on any machine, and
some by seconds, so that start-up and the writing of the outputs have their share.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from eval.bench.copies import FIXTURES, mark
from extractor.store.database import Database
from extractor.store.engines import JOURNAL
from extractor.store.tables import REPLIES
from tests.loopback.answerers import CALL_DIGITS, CALL_HEADER
from tests.loopback.labelled import load_truths
from tests.loopback.messages import ChatRequest
from tests.loopback.server import Options, running_server
from tests.loopback.simulated import SimulatedReader

ROOT = Path(__file__).parents[1]
#: Far more than a run takes; what hangs should fail and not hang.
PATIENCE_S = 1200
_LOOK_S = 0.01
_SETTLE_S = 0.2  # what a dead process had sent arrives


class Moment(NamedTuple):
    """When a start is killed: so many seconds after so many different calls were asked over all starts.

    Attributes:
        is_group: its worker processes die with it, as when a machine fails; else it alone.
    """

    calls: int
    seconds: float
    is_group: bool = False


@dataclass
class Site:
    """Documents and the server that answers questions about them.

    Attributes:
        asked: the calls in the order of their arrival.
    """

    documents: Path
    base_url: str = ""
    concurrency: int = 8
    workers: int = 2
    readers: str = "auto"
    asked: list[str] = field(default_factory=list)

    def start(self, out: Path, store: str | None) -> subprocess.Popen[str]:
        """`extractor run` as an operator types it; the journal is the store, or a file beside the outputs."""
        settings = {
            "MODEL": "simulated",
            "BASE_URL": self.base_url,
            "JOURNAL": journal_of(out, store),
            "CONCURRENCY": str(self.concurrency),
            "PAGE_WORKERS": str(self.workers),
            "REPLY_MODE": "json_schema",
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTRACTOR_")}
        environment |= {f"EXTRACTOR_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "extractor", "run", str(self.documents), "--out", str(out)]
        command += ["--readers", self.readers, *(("--store", store) if store else ())]
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.with_suffix(".said").open("a", encoding="utf-8") as said:
            return subprocess.Popen(  # noqa: S603
                command, cwd=ROOT, env=environment, stdout=said, stderr=said, text=True, start_new_session=True
            )

    def finish(self, out: Path, store: str | None) -> float:
        """Run to the end; the seconds it took.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        began = time.monotonic()
        if code := self.start(out, store).wait(PATIENCE_S):
            raise RuntimeError(f"exit code {code}: {self.read_said(out)}")
        return time.monotonic() - began

    def read_said(self, out: Path) -> str:
        """The end of what all starts said."""
        return out.with_suffix(".said").read_text(encoding="utf-8")[-2000:]


@contextmanager
def open_site(folder: Path, number: int, *, delay_s: float, **how: Any) -> Iterator[Site]:
    """So many documents, and a server that takes so long for a reply, for as long as the block.

    Args:
        how: concurrency, workers and readers of the runs.
    """
    documents = folder / "documents"
    documents.mkdir()
    seeds = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*.txt"))]
    for index in range(number):
        (documents / f"{index:05}.txt").write_text(mark(seeds[index % len(seeds)], index), encoding="utf-8")
    site = Site(documents, **how)

    def note(request: ChatRequest) -> float:
        site.asked.append(request.headers[CALL_HEADER][:CALL_DIGITS])
        return delay_s

    reader = SimulatedReader(load_truths([ROOT / "eval" / "gold"]))
    with running_server(reader, options=Options(delay=note, most_records=0)) as server:
        site.base_url = server.base_url
        yield site


def journal_of(out: Path, store: str | None) -> str:
    """Where the replies of a run are."""
    return store or str(out.with_suffix(".journal"))


def list_kept(journal: str) -> set[str]:
    """The calls whose replies are in a journal, as the server knows them."""
    if "://" not in journal and not Path(journal).exists():
        return set()
    database = Database(journal, JOURNAL, 60)
    try:
        with database.read() as connection:
            return {key[:CALL_DIGITS] for key in connection.execute(select(REPLIES.c.key)).scalars()}
    finally:
        database.close()


# ---------------------------------------------------------------- undisturbed, and killed


class Reference(NamedTuple):
    """A run that nobody disturbed. `again_s`: what the same command takes when nothing is left to do."""

    out: Path
    calls: tuple[str, ...]
    again_s: float
    seconds: float


def run_undisturbed(site: Site, out: Path) -> Reference:
    """Run once, and once more.

    Raises:
        RuntimeError: the second start asked something.
    """
    first = len(site.asked)
    seconds = site.finish(out, None)
    calls = tuple(site.asked[first:])
    again_s = site.finish(out, None)
    if len(site.asked) > first + len(calls):
        raise RuntimeError("a run that was over asked again")
    return Reference(out, calls, again_s, seconds)


@dataclass
class Endured:
    """What became of a run that was killed.

    Attributes:
        kills: how often it was.
        starts: those that ended by themselves included.
        sent: calls that arrived at the server.
        unique: the different ones among them.
        lost: calls that were under way at a kill, so that the journal has no reply of them; over all kills.
        most_lost: the same at one kill.
        paid_twice: calls that were asked although the journal had their reply.
    """

    kills: int = 0
    starts: int = 0
    sent: int = 0
    unique: set[str] = field(default_factory=set)
    lost: int = 0
    most_lost: int = 0
    paid_twice: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def repeated(self) -> int:
        """Calls that were asked before."""
        return self.sent - len(self.unique)


def draw_moments(rng: random.Random, number: int, reference: Reference) -> list[Moment]:
    """So many moments in their order: a tenth of them at any time of a start, a tenth when everything is answered."""
    rare = max(1, number // 10)
    calls = len(set(reference.calls))
    moments = sorted(Moment(rng.randrange(1, calls), rng.uniform(0, 0.3)) for _ in range(number - 2 * rare))
    for _ in range(rare):
        moments.insert(rng.randrange(len(moments) + 1), Moment(0, rng.uniform(0, reference.again_s)))
    moments += [Moment(calls, rng.uniform(0, reference.again_s)) for _ in range(rare)]
    return [moment._replace(is_group=rng.random() < 0.5) for moment in moments]


def endure(site: Site, out: Path, store: str | None, moments: Sequence[Moment]) -> Endured:
    """Kill a run at these moments; then let it end."""
    killed = _Killed(site, out, store)
    began, first = time.monotonic(), len(site.asked)
    for moment in moments:
        while not killed.start_and_kill(moment):
            moment = moment._replace(seconds=moment.seconds / 2)  # noqa: PLW2901 - it was over before
    killed.start_and_end()
    killed.endured.seconds = time.monotonic() - began
    killed.endured.sent = len(site.asked) - first
    return killed.endured


class _Killed:
    """A run on its way from kill to kill."""

    def __init__(self, site: Site, out: Path, store: str | None) -> None:
        self._site, self._out, self._store = site, out, store
        self._kept: set[str] = set()
        self.endured = Endured()

    def start_and_kill(self, moment: Moment) -> bool:
        """False where the start was over before the moment came."""
        before = len(self._site.asked)
        process = self._site.start(self._out, self._store)
        self._await(process, moment, before)
        is_over = process.poll() is not None
        if not is_over:
            if moment.is_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            is_over = process.wait(PATIENCE_S) != -signal.SIGKILL
            self.endured.kills += not is_over
        if is_over and process.returncode:
            raise RuntimeError(f"a start failed: {self._site.read_said(self._out)}")
        time.sleep(_SETTLE_S)
        self._note(before)
        return not is_over

    def start_and_end(self) -> None:
        """The last start."""
        before = len(self._site.asked)
        self._site.finish(self._out, self._store)
        self._note(before)

    def _await(self, process: subprocess.Popen[str], moment: Moment, before: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and len(self.endured.unique.union(self._site.asked[before:])) < moment.calls:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the run hangs: {self._site.read_said(self._out)}")
            time.sleep(_LOOK_S)
        end = time.monotonic() + moment.seconds
        while process.poll() is None and time.monotonic() < end:
            time.sleep(_LOOK_S)

    def _note(self, before: int) -> None:
        """Take the account of one start."""
        asked = Counter(self._site.asked[before:])
        self.endured.starts += 1
        self.endured.unique |= asked.keys()
        self.endured.paid_twice += sorted(key for key, times in asked.items() if key in self._kept or times > 1)
        self._kept = list_kept(journal_of(self._out, self._store))
        lost = len(asked.keys() - self._kept)
        self.endured.lost += lost
        self.endured.most_lost = max(self.endured.most_lost, lost)
