"""What the model path costs beside the model: python eval/bench/overhead.py [--documents N] [--policies auto llm].

Documents go the whole way of `extractor run`, from files to outputs with a journal on disk, against a server in a
process of its own that takes a second for every reply. The ideal is calls x seconds / concurrency; printed is how much
longer a run takes. Beside it plain instructor asks the calls of the first policy behind a semaphore, and does nothing
else. The documents are the fixtures, each copy with words of its own in the running text and in every table, so that
no two calls are alike and none is answered from the journal; what is read stays what the fixture says.

Whose time it is says another run, over fewer documents, sampled on the process's CPU clock. Starting the interpreter
and importing are left out. Machines are noisy: compare figures of one sitting. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from extractor.bulk.flow import ModelPart
from extractor.bulk.plan import open_plan
from extractor.bulk.run import run_documents
from extractor.llm.budget import Limits
from extractor.llm.prompts import load_prompt
from extractor.llm.session import open_live
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.store.journal import Journal
from extractor.store.replay import read_replies
from extractor.store.rows import StoredReply

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the server stands with the tests

from eval.bench.copies import MARKED, write_documents
from tests.loopback.process import ServerProcess, server_process
from tests.loopback.service import CHAT_PATH

ROOT = Path(__file__).resolve().parents[2]
MODEL = "simulated-reader"
CONCURRENCY = 64
REPLY_S = 1.0
SAMPLE_S = 0.001
MOST_OVER_IDEAL = 1.15
#: Part of a file's path -> whose time is spent there. The innermost frame in such a file counts.
OWNERS = {
    "/site-packages/instructor/": "instructor",
    "/site-packages/openai/": "openai and transport",
    "/site-packages/http": "openai and transport",
    "/site-packages/aiohttp/": "openai and transport",
    "/site-packages/anyio/": "openai and transport",
    "/site-packages/pydantic": "pydantic",
    "/site-packages/sqlalchemy/": "journal",
    f"{ROOT}/extractor/store/": "journal",
    "/site-packages/tenacity/": "ours: calls",
    f"{ROOT}/extractor/llm/": "ours: calls",
    "/site-packages/xlsxwriter/": "ours: outputs",
    f"{ROOT}/extractor/export/": "ours: outputs",
    f"{ROOT}/extractor/bulk/": "ours: run",
    f"{ROOT}/extractor/readers/llm/": "ours: asking, aligning",
    f"{ROOT}/extractor/grounding/": "ours: asking, aligning",
    f"{ROOT}/extractor/": "ours: rules, checks, record",
    "/asyncio/base_events.py": "event loop",
}


# ---------------------------------------------------------------- two ways to ask


def make_settings(server: ServerProcess, journal: Path) -> Settings:
    """Of one run. The reply mode is given: to find it out takes one reply, however long the run is."""
    return Settings(
        model=MODEL, base_url=server.base_url, journal=str(journal), concurrency=CONCURRENCY, reply_mode="json_schema"
    )


def run(documents: Path, policy: Policy, settings: Settings) -> None:
    """What `extractor run` does. The outputs stand beside the journal.

    Raises:
        ValueError: not every call was answered by the server, once: the ideal would be wrong.
    """
    session = open_live(settings, Limits(), Limits(), lambda _: None)
    model = ModelPart.build(policy, session, settings)
    out = Path(settings.journal).with_suffix("")
    with open_plan([str(documents)], None, settings=settings, on_progress=lambda _: None) as plan:
        summary = run_documents(plan, out, settings, lambda _: None, model=model)
    replies = summary.account["model"]["replies"]
    if summary.failed or [reply["from_journal"] for reply in replies] != [False]:
        raise ValueError(f"{summary.failed} failed, such as {summary.account['errors'][:1]}; replies: {replies}")


async def ask_plainly(questions: Sequence[StoredReply], base_url: str) -> None:
    """The same messages by instructor alone. The server knows a call by its header."""
    import instructor  # noqa: PLC0415 - whoever only looks at --help need not wait for it
    import openai  # noqa: PLC0415

    slots = asyncio.Semaphore(CONCURRENCY)
    async with openai.AsyncOpenAI(base_url=base_url, api_key="-") as server:
        client = instructor.from_openai(server, mode=instructor.Mode.JSON_SCHEMA)

        async def ask(question: StoredReply) -> None:
            request = json.loads(question.request or "")
            async with slots:
                await client.create(
                    model=MODEL,
                    response_model=load_prompt(question.task).schema,
                    messages=[{"role": role, "content": request[role]} for role in ("system", "user")],
                    max_retries=0,
                    extra_headers={"X-Client-Request-Id": question.key[:32]},
                )

        await asyncio.gather(*map(ask, questions))


# ---------------------------------------------------------------- true replies


def fill_journals(documents: Path, folder: Path, policies: Sequence[Policy]) -> dict[Policy, Path]:
    """Ask everything once without delay; the calls and true replies of each policy as a replay file.

    Raises:
        ValueError: a call could be shared by two documents.
    """
    files: dict[Policy, Path] = {}
    with server_process("--simulate", str(ROOT / "eval" / "gold")) as server:
        for policy in policies:
            path = folder / f"{policy}.sqlite"
            run(documents, policy, make_settings(server, path))
            files[policy] = path.with_suffix(".jsonl")
            with Journal.open(str(path)) as journal:
                journal.export_replies(files[policy], has_requests=True)
            if not all(MARKED.search(question.request or "") for question in read_replies(files[policy])):
                raise ValueError(f"{policy}: a call holds no mark of its document")
    return files


def merge(files: Sequence[Path], merged: Path) -> Path:
    """One replay file of several."""
    with Journal.open(":memory:") as journal:
        for path in files:
            journal.import_replies(path)
        journal.export_replies(merged)
    return merged


# ---------------------------------------------------------------- measuring


class Measured(NamedTuple):
    """One run. Seconds; `cpu` of this process, `server_cpu` of the server's."""

    calls: int
    seconds: float
    cpu: float
    server_cpu: float

    @property
    def ideal(self) -> float:
        """Seconds that the replies take, were there nothing else."""
        return self.calls * REPLY_S / CONCURRENCY


def measure(work: Callable[[], object], server: ServerProcess) -> Measured:
    """Time one run."""
    before, cpu, start = server.stats(), time.process_time(), time.perf_counter()
    work()
    seconds, cpu, after = time.perf_counter() - start, time.process_time() - cpu, server.stats()
    calls = after["by_path"][CHAT_PATH] - before["by_path"].get(CHAT_PATH, 0)
    return Measured(calls, seconds, cpu, after["cpu_seconds"] - before["cpu_seconds"])


def sample(work: Callable[[], object], server: ServerProcess) -> dict[str, float]:
    """Run, and look every millisecond of CPU time in whose code the interpreter is: milliseconds a call by owner."""
    samples: Counter[str] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        owner = None
        while frame is not None and owner is None:
            name = frame.f_code.co_filename
            owner = next((owner for part, owner in OWNERS.items() if part in name), None)
            frame = frame.f_back
        samples[owner or "other"] += 1

    previous = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
    try:
        measured = measure(work, server)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    # The kernel may look more seldom than it was told to, so shares count.
    return {owner: 1000 * measured.cpu / measured.calls * n / samples.total() for owner, n in samples.items()}


# ---------------------------------------------------------------- all together


def print_times(console: Console, measured: dict[str, Measured]) -> None:
    """How long the runs took, and what a call costs. `busy`: the part of its time that the process was computing."""
    table = Table("way", "calls", "ideal s", "took s", "took / ideal", "busy", "CPU ms/call", "server's", box=None)
    for name, one in measured.items():
        cpu, server_cpu = (1000 * seconds / one.calls for seconds in (one.cpu, one.server_cpu))
        over, busy = one.seconds / one.ideal, one.cpu / one.seconds
        figures = f"{one.calls:,} {one.ideal:.1f} {one.seconds:.1f} {over:.3f} {busy:.0%} {cpu:.2f} {server_cpu:.2f}"
        table.add_row(name, *figures.split())
    console.print(table)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


def print_owners(console: Console, owners: dict[str, dict[str, float]]) -> None:
    """Whose CPU time it is."""
    table = Table("CPU ms/call", *owners, box=None)
    for owner in [*dict.fromkeys(OWNERS.values()), "other"]:
        table.add_row(owner, *(f"{by_owner.get(owner, 0):.2f}" for by_owner in owners.values()))
    console.print(table, "")


def main() -> int:
    """Measure and print; 1 when a run misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--policies", nargs="+", choices=("auto", "both", "llm"), default=["auto", "llm"])
    parser.add_argument("--repeats", type=int, default=1, help="the best one counts")
    parser.add_argument("--sampled", type=int, default=100, help="documents of the runs that say whose time it is")
    arguments = parser.parse_args()
    policies: list[Policy] = arguments.policies
    console = Console(width=None if sys.stdout.isatty() else 160)
    measured: dict[str, Measured] = {}
    owners: dict[str, dict[str, float]] = {}
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sampled = min(arguments.sampled, arguments.documents)
        marks_tables = list(policies) != ["auto"]
        many = write_documents(folder / "many", arguments.documents, marks_tables=marks_tables)
        few = write_documents(folder / "few", sampled, marks_tables=marks_tables)
        files = fill_journals(many, folder, policies)
        questions = list(read_replies(files[policies[0]]))
        replies = merge(list(files.values()), folder / "replies.jsonl")
        journals = (folder / f"{number}.sqlite" for number in count())
        with server_process("--replies", str(replies), "--delay", str(REPLY_S)) as server:

            def ours(policy: Policy, documents: Path) -> None:
                run(documents, policy, make_settings(server, next(journals)))

            def plain(number: int) -> None:
                asyncio.run(ask_plainly(questions[:number], server.base_url))

            ways = {policy: (partial(ours, policy, many), partial(ours, policy, few)) for policy in policies}
            ways["plain instructor"] = (partial(plain, len(questions)), partial(plain, sampled))
            for name, (whole, part) in ways.items():
                runs = [measure(whole, server) for _ in range(arguments.repeats)]
                measured[name] = min(runs, key=lambda one: one.seconds)
                owners[name] = sample(part, server)
    print_times(console, measured)
    print_owners(console, owners)
    worst = max(one.seconds / one.ideal for name, one in measured.items() if name in policies)
    print(f"worst over the ideal: {worst:.3f}, at most {MOST_OVER_IDEAL}")
    return 0 if worst <= MOST_OVER_IDEAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
