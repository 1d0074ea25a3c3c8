"""Build the replay files of this folder anew, or with --check only tell which of them are out of step.

Every document goes the real way through the pipeline. Its calls are answered out of hand/ (written by hand), or by
the simulated reader of the tests; each answer is kept under the key that its call has with the prompts of today.
What the files are for: README.md. Called by `make replies`, and with --check by the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from extractor.errors import ExtractorError, SettingsError
from extractor.evaluation import load_label
from extractor.evaluation.labels import find_document
from extractor.llm.calls import Call, Reply, ReplyMissing, ReplyOrigin, Usage, call_key, schema_json
from extractor.pipeline import process_with_model
from extractor.readers.llm import LlmReader
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.journal import Journal
from extractor.store.rows import StoredReply, canonical_json

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the simulated reader stands with the tests

from tests.loopback.labelled import load_truths
from tests.loopback.messages import ApiError, ChatRequest
from tests.loopback.questions import Recogniser
from tests.loopback.simulated import SimulatedReader

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOLD = ROOT / "eval" / "gold"
#: Real reports that lie beside a checkout, where there are any.
CORPUS = ROOT.parent / "shared"
#: The same bytes whenever it is built.
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)

Answer = Callable[[Call], BaseModel]
Build = Callable[[Journal], list[str]]


class Place(NamedTuple):
    """Which of a document's questions: the prompt, the table, and the how manieth of these."""

    task: str
    section: str | None
    part: int

    def __str__(self) -> str:
        return f"task {self.task}, section {self.section or '-'}, part {self.part}"


class Kind(NamedTuple):
    """Whose replies these are, the name they go under, and the policy whose questions they answer."""

    origin: ReplyOrigin
    model: str
    policy: Policy


BY_HAND = Kind("written by hand", "written-by-hand", "auto")
SIMULATED = Kind("simulated", "simulated-reader", "both")  # asks all that the other policies ask of these documents
# The gate's file holds both, so that one file serves all of eval/gold; a file of replies goes under one name.
GOLD_BY_HAND = BY_HAND._replace(model="no-model")
GOLD_SIMULATED = SIMULATED._replace(model="no-model", policy="auto")


class RecordingAsker:
    """Has one document's calls answered, and keeps every answer in a journal.

    Attributes:
        problems: what cannot be used, and calls without an answer; the document is read to its end all the same, so
            that all of them are told at once.
    """

    def __init__(self, document: str, kind: Kind, answer: Answer, journal: Journal) -> None:
        self.problems: list[str] = []
        self._document = document
        self._kind = kind
        self._answer = answer
        self._journal = journal
        self._known: dict[str, Reply] = {}

    async def ask(self, call: Call) -> Reply:
        """Answer one call. See extractor.llm.calls.Asker."""
        key = call_key(call, self._kind.model, {})
        if key not in self._known:
            try:
                self._known[key] = self._keep(key, call, self._answer(call))
            except ValueError as error:
                self.problems.append(f"{self._document}: {error}")
                raise ReplyMissing(str(error)) from error
        return self._known[key]

    def _keep(self, key: str, call: Call, value: BaseModel) -> Reply:
        stored = StoredReply(
            key=key,
            task=call.task,
            model=self._kind.model,
            parameters={},
            prompt_version=call.prompt_version,
            schema_hash=hashlib.sha256(schema_json(call.schema).encode()).hexdigest(),
            reply=canonical_json(value.model_dump(mode="json")),
            origin=self._kind.origin,
            created_at=_MADE_AT,
        )
        if not self._journal.add(stored):
            kept = self._journal.find(key)
            if kept is not None and kept.reply != stored.reply:
                raise ValueError(f"task {call.task}: another document asks the very same and is answered differently")
        return Reply(key, value, Usage(), self._kind.origin)


# ---------------------------------------------------------------- answers written by hand


class HandAnswers:
    """The answers of one file of hand/.

    Attributes:
        document: path of the document, in the checkout or beside it.
    """

    def __init__(self, path: Path, recogniser: Recogniser) -> None:
        self._name = path.name
        self._recogniser = recogniser
        self._asked: Counter[tuple[str, str | None]] = Counter()
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["origin"] != BY_HAND.origin:
                raise ValueError(f"origin is {data['origin']!r}, not {BY_HAND.origin!r}")
            self.document = str(data["document"])
            self._open = dict(_read_answers(data["answers"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{path}: no file of answers ({error!r}). See README.md for its form.") from error

    def __call__(self, call: Call) -> BaseModel:
        place = self._place(call)
        if place not in self._open:
            raise ValueError(f"{place}: no answer in {self._name}. Write one to this:\n{call.user}\n")
        try:
            return call.schema.model_validate(self._open.pop(place))
        except ValidationError as error:
            raise ValueError(f"{place}: the answer in {self._name} does not fit the schema: {error}") from error

    def list_unasked(self) -> Iterator[str]:
        """Answers that no call has asked for."""
        for place in self._open:
            yield f"{self.document}: {place}: {self._name} holds an answer that no call asks for. Take it out."

    def _place(self, call: Call) -> Place:
        question = self._recogniser.read(as_request(call, BY_HAND.model))
        section = question.section.id if question.section else None
        part = self._asked[question.task, section]
        self._asked[question.task, section] += 1
        return Place(question.task, section, part)


def _read_answers(answers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Place, object]]:
    places = [Place(answer["task"], answer["section"], answer["part"]) for answer in answers]
    if twice := [str(place) for place, count in Counter(places).items() if count > 1]:
        raise ValueError(f"answered twice: {'; '.join(twice)}")
    yield from zip(places, (answer["reply"] for answer in answers), strict=True)


def as_request(call: Call, model: str) -> ChatRequest:
    """A call as a server would receive it."""
    messages = [{"role": "system", "content": call.system}, {"role": "user", "content": call.user}]
    return ChatRequest(0, {"model": model, "messages": messages})


# ---------------------------------------------------------------- files


def build_by_hand(hand: Path, journal: Journal, *, of_corpus: bool, kind: Kind = BY_HAND) -> list[str]:
    """Answer the calls of the documents that have answers, those of the corpus or the others; return the problems."""
    recogniser, problems = Recogniser(), []
    for path in sorted(hand.glob("*.json")):
        answers = HandAnswers(path, recogniser)
        if answers.document.startswith("corpus/") == of_corpus:
            document = (CORPUS if of_corpus else ROOT) / answers.document
            asker = RecordingAsker(answers.document, kind, answers, journal)
            problems += [*_read_document(document, kind, asker), *answers.list_unasked()]
    return problems


def list_unanswered(hand: Path) -> Iterator[str]:
    """Sample reports for which nobody has written answers."""
    for path in _list_fixtures():
        if not (hand / f"{path.stem}.json").is_file():
            yield f"fixtures/{path.name}: no file of answers in hand/. Write one; README.md says how."


def _list_fixtures() -> list[Path]:
    return sorted((ROOT / "fixtures").glob("*.txt"))


def build_simulated(journal: Journal, labels: Path, kind: Kind = SIMULATED) -> list[str]:
    """Have all calls of labelled documents answered by the simulated reader, which knows the labels.

    Args:
        labels: a folder of labels; those below it are left alone.

    Returns:
        The problems.
    """
    reader, problems = SimulatedReader(load_truths([labels])), list[str]()

    def answer(call: Call) -> BaseModel:
        try:
            return call.schema.model_validate_json(reader(as_request(call, kind.model)).content or "")
        except ApiError as error:
            raise ValueError(f"task {call.task}: {error}. To be answered is this:\n{call.user}\n") from error

    for path in sorted(labels.glob("*.json")):
        file = load_label(path).file
        document = find_document(path, file)
        if document is None:
            problems.append(f"{file}: not there, and {path.name} is its label")
            continue
        problems += _read_document(document, kind, RecordingAsker(file, kind, answer, journal))
    return problems


def _read_document(path: Path, kind: Kind, asker: RecordingAsker) -> list[str]:
    settings = Settings.model_construct()  # the defaults: what this machine sets must not change the keys
    reader = LlmReader(asker, kind.model, settings)
    asyncio.run(process_with_model(load_document(path, settings), (), reader, kind.policy))
    return asker.problems


def list_builds() -> dict[str, Build]:
    """What writes which file. The corpus' file is left out where there is no corpus."""
    hand = HERE / "hand"
    builds: dict[str, Build] = {
        "fixtures.jsonl": lambda journal: [*list_unanswered(hand), *build_by_hand(hand, journal, of_corpus=False)],
        "simulated.jsonl": lambda journal: build_simulated(journal, GOLD),
        "gold.jsonl": lambda journal: [
            *build_by_hand(hand, journal, of_corpus=False, kind=GOLD_BY_HAND),
            *build_simulated(journal, GOLD / "re-set" / "labels", GOLD_SIMULATED),
            *build_simulated(journal, GOLD / "damaged" / "labels", GOLD_SIMULATED),
        ],
    }
    if (CORPUS / "corpus").is_dir():
        builds["corpus.jsonl"] = lambda journal: build_by_hand(hand, journal, of_corpus=True)
    return builds


def write_files(folder: Path, builds: Mapping[str, Build]) -> Iterator[str]:
    """Write the files; what is wrong with the answers is yielded, and a file with a problem is not written."""
    for name, build in builds.items():
        with Journal.open(":memory:") as journal:
            problems = build(journal)
            if not problems:
                journal.export_replies(folder / name)
            yield from problems


def list_stale(builds: Mapping[str, Build]) -> Iterator[str]:
    """What is wrong with the answers, and the files that are not what would be written now."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        problems = list(write_files(folder, builds))
        yield from problems
        for name in builds:
            new, old = folder / name, HERE / name
            if new.is_file() and (not old.is_file() or old.read_bytes() != new.read_bytes()):
                yield f"eval/replies/{name} is out of step with prompts, documents or answers. Run 'make replies'."


def main() -> int:
    """Write, or with --check compare; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare without writing")
    arguments = parser.parse_args()
    builds = list_builds()
    try:
        problems = list(list_stale(builds) if arguments.check else write_files(HERE, builds))
    except ExtractorError as error:
        problems = [str(error)]
    for problem in dict.fromkeys(problems):  # an answer by hand that two files want is asked for once
        print(problem, file=sys.stderr)
    if "corpus.jsonl" not in builds:
        print("corpus.jsonl was left as it is: its documents are not beside this checkout", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
