"""Running the programs of peers.py: ours by its command, the others in the peers' own environment.

Lives here: which programs there are, and one run of one of them over documents of one kind: verdict, calls, tokens,
seconds. Does not live here: what the peers do (peers/), the verdict (peers_verdict), the table (peers_table).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from eval.bench.peers_documents import ROOT, Case
from eval.bench.peers_misreading import LEVELS, NO_LEVEL
from eval.bench.peers_model import name_model
from eval.bench.peers_verdict import Tally, judge_record, judge_reply, judge_zeros
from extractor.llm.tokens import count_tokens
from extractor.model import Record
from tests.loopback.replies import write_json

WORK = ROOT / "eval" / "bench" / "peers" / "work.py"
WHOLE = 1_000_000  # more characters than any document has
_MOST_SECONDS = 1800

Cases = Mapping[str, Sequence[Case]]


class Program(NamedTuple):
    """A program, or a way to use one.

    Attributes:
        needs: distributions of the peers' environment; empty for ours.
        job: what work.py is told beside the documents.
        readers: our own policy.
        levels: of the model's mistakes; none where no model is asked. The first is the one without mistakes.
        is_quick: whether it is in the short table.
    """

    name: str
    needs: tuple[str, ...] = ()
    job: Mapping[str, Any] = {}
    readers: str = ""
    levels: Sequence[str] = ()
    is_quick: bool = True


def _ask(reader: str) -> dict[str, Any]:
    return {"peer": "instructor", "reader": reader}


def _extract(characters: int) -> dict[str, Any]:
    return {"peer": "langextract", "reader": "plain", "max_char_buffer": characters, "unicode": True}


def _match(reader: str) -> dict[str, Any]:
    return {"peer": "tables", "reader": reader}


_ALL, _SOME, _NONE = tuple(LEVELS), (NO_LEVEL, "5"), (NO_LEVEL,)
PROGRAMS = (
    Program("a guess of 0 everywhere"),
    Program("regular expressions", (), _match("regex")),
    Program("pandas.read_html", ("pandas",), _match("pandas")),
    Program("MarkItDown, tables", ("markitdown",), _match("markitdown")),
    Program("Docling, tables", ("docling-slim",), _match("docling")),
    Program("instructor", ("instructor",), _ask("plain"), levels=_ALL),
    Program("MarkItDown + instructor", ("markitdown", "instructor"), _ask("markitdown"), "", _SOME, is_quick=False),
    Program("Docling + instructor", ("docling-slim", "instructor"), _ask("docling"), "", _NONE, is_quick=False),
    Program("LangExtract, whole", ("langextract",), _extract(WHOLE), levels=_SOME),
    Program("LangExtract, by 1,000 characters", ("langextract",), _extract(1000), "", _NONE, is_quick=False),
    Program("ours, template", readers="template"),
    Program("ours, auto", readers="auto", levels=_ALL),
    Program("ours, both", readers="both", levels=_ALL),
)


class Spent(NamedTuple):
    """Seconds of the clock and of the processor."""

    seconds: float
    cpu: float


@dataclass
class Run:
    """One program over the documents of one kind.

    Attributes:
        input, output, schema: tokens of DeepSeek's vocabulary: text of all messages, replies, and what describes the
            reply's shape; servers differ in whether they charge for that.
        start: until the program had loaded all it needs; part of `whole`. None: not measured.
    """

    tally: Tally = field(default_factory=Tally)
    calls: int = 0
    input: int = 0
    output: int = 0
    schema: int = 0
    start: Spent | None = None
    whole: Spent | None = None

    def count(self, line: Mapping[str, Any]) -> None:
        """Add one call of the server's log."""
        self.calls += 1
        self.input += sum(map(count_tokens, line["sent"]))
        self.output += count_tokens(line["reply"])
        self.schema += count_schema(write_json(line["schema"]))


class Bench(NamedTuple):
    """Where everything is: the server, its log, the peers' interpreter (None: not installed), a folder for files.

    What needs no library of the peers runs by our own interpreter.
    """

    base_url: str
    log: Path
    python: Path | None
    folder: Path
    concurrency: int

    def run(self, program: Program, cases: Cases, level: str, delay: float) -> dict[str, Run]:
        """Run a program over documents; a run for each kind. Times are worth something where nothing runs beside it."""
        offset, model = self.log.stat().st_size, name_model(f"program{PROGRAMS.index(program)}", level, delay)
        if program.job:
            runs = self._run_peer(program, cases, model)
        elif program.readers:
            runs = self._run_ours(program, cases, model, is_timed=level == NO_LEVEL)
        else:
            runs = {kind: Run(sum(map(judge_zeros, some), Tally())) for kind, some in cases.items()}
        kinds = {case.name: kind for kind, some in cases.items() for case in some}
        with self.log.open(encoding="utf-8") as lines:
            lines.seek(offset)
            for line in map(json.loads, lines):
                if line["model"].startswith(model):
                    runs[kinds[line["document"]]].count(line)
        return runs

    def find_versions(self) -> dict[str, str | None]:
        """The peers' distributions; None for what is not installed."""
        names = sorted({name for program in PROGRAMS for name in program.needs})
        if self.python is None:
            return dict.fromkeys(names)
        return dict(run_work(self.python, {"versions": names})[0])

    # ------------------------------------------------------------ peers

    def _run_peer(self, program: Program, cases: Cases, model: str) -> dict[str, Run]:
        python = self.python if program.needs else Path(sys.executable)
        assert python is not None
        job = {
            **program.job,
            "base_url": self.base_url,
            "model": model,
            "documents": {kind: [case.describe() for case in some] for kind, some in cases.items()},
            "concurrency": self.concurrency,
        }
        lines = run_work(python, job)
        results = {line["name"]: line for line in lines if "name" in line}
        spent = {line["kind"]: Spent(*line["spent"]) for line in lines if "kind" in line}
        start = next(Spent(*line["start"]) for line in lines if "start" in line)
        tallies = {kind: [judge_reply(case, results[case.name]) for case in some] for kind, some in cases.items()}
        wholes = {kind: Spent(start.seconds + one.seconds, start.cpu + one.cpu) for kind, one in spent.items()}
        return {kind: Run(sum(tallies[kind], Tally()), start=start, whole=wholes[kind]) for kind in cases}

    # ------------------------------------------------------------ ours

    def _run_ours(self, program: Program, cases: Cases, model: str, *, is_timed: bool) -> dict[str, Run]:
        folder = self.folder / model
        start = self._run_command(program, model, folder / "start", [])[1] if is_timed else None
        runs = {}
        for kind, some in cases.items():
            records, whole = self._run_command(program, f"{model}{kind}", folder / kind, some)
            tally = sum((judge_record(case, records.get(case.name)) for case in some), Tally())
            runs[kind] = Run(tally, start=start, whole=whole if is_timed else None)
        return runs

    def _run_command(
        self, program: Program, model: str, folder: Path, cases: Sequence[Case]
    ) -> tuple[dict[str, Record], Spent]:
        """`extractor run` over documents, or over one line of text: what the start takes."""
        documents, out = folder / "documents", folder / "out"
        documents.mkdir(parents=True)
        for case in cases:
            shutil.copy(case.path, documents / case.name)
        if not cases:
            (documents / "nothing.txt").write_text("无", encoding="utf-8")
        command = [sys.executable, "-m", "extractor", "run", str(documents), "--out", str(out)]
        command += ["--readers", program.readers]
        if program.levels:
            command += ["--model", model, "--base-url", self.base_url]
        environment = os.environ | {
            "EXTRACTOR_JOURNAL": str(folder / "journal.sqlite"),
            "EXTRACTOR_CONCURRENCY": str(self.concurrency),
            "EXTRACTOR_REPLY_MODE": "json_schema",
            "PYTHONPATH": str(ROOT),
        }
        begun, before = time.perf_counter(), _cpu_of_children()
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False
        )
        spent = Spent(time.perf_counter() - begun, _cpu_of_children() - before)
        if not (out / "records.jsonl").is_file():
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return read_records(out / "records.jsonl"), spent


def _cpu_of_children() -> float:
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_records(path: Path) -> dict[str, Record]:
    """Records by the file's name; what failed has none."""
    records: dict[str, Record] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = Record.model_validate_json(line)
        if record.fields:
            records[Path(record.document.path).name] = record
    return records


def run_work(python: Path, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results of work.py, its own seconds last.

    Raises:
        RuntimeError: it broke off.
    """
    command = [str(python), str(WORK)]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603
        command,
        input=json.dumps(job, ensure_ascii=False),
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def count_schema(text: str) -> int:
    """Tokens of a schema; there are few different ones."""
    return count_tokens(text) if text != "{}" else 0
