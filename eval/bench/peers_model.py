"""The one simulated model that answers every program of peers.py: our prompts, and those of the peers.

Lives here: replies in the shape that each program asks for, out of one belief about each document, and where a long
reply breaks off. Does not live here: the beliefs (peers_misreading), the server (peers_server).
"""

from __future__ import annotations

import copy
import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from eval.bench.peers_documents import Case
from eval.bench.peers_misreading import LEVELS, Belief, form_beliefs, read_number
from eval.bench.peers_spans import list_spans
from extractor.forms import Section
from extractor.model import Value
from extractor.sources.view import fold_view
from tests.loopback.faults import cut_answer
from tests.loopback.library import Library
from tests.loopback.messages import Answer, ApiError, ChatRequest, Json, count_tokens
from tests.loopback.questions import Question, Recogniser, UnknownQuestion
from tests.loopback.replies import write_json
from tests.loopback.simulated import read_header, read_narrative, read_older_report, read_rows
from tests.loopback.truths import Cells, Truth

#: By this line peers name the document; which one a question of ours is about is told from the text it shows.
_NAMED = re.compile(r"^文件：(?P<name>.+)$", re.MULTILINE)
_PLAIN: Mapping[str, Callable[[Truth, str], Json]] = {
    "header": read_header,
    "narrative": read_narrative,
    "older_report": read_older_report,
}
OnCall = Callable[[ChatRequest, str, str], None]


def name_model(who: str, level: str, delay: float) -> str:
    """The model's name says who asks, how it errs and how long it takes; ours add the kind of their documents."""
    return f"{who}-{level}-{round(1000 * delay)}-"


def read_delay(request: ChatRequest) -> float:
    """Seconds that the model takes."""
    return int(request.model.split("-")[2]) / 1000


class CommonModel:
    """Answers whoever asks.

    Args:
        on_call: told of every reply: the request, the document's name, the text.
    """

    def __init__(self, cases: Sequence[Case], seed: int, on_call: OnCall) -> None:
        self._cases = {case.name: case for case in cases}
        self._names = {case.truth.name: case.name for case in cases}
        kinds = dict.fromkeys(case.kind for case in cases)
        self._truths = {kind: [case.truth for case in cases if case.kind == kind] for kind in kinds}
        self._libraries = {kind: Library(truths) for kind, truths in self._truths.items()}
        self._recogniser = Recogniser()
        self._beliefs = {name: form_beliefs(cases, level, seed) for name, level in LEVELS.items()}
        self._seed, self._on_call = seed, on_call
        self._asked: Counter[str] = Counter()

    def __call__(self, request: ChatRequest) -> Answer:
        level = request.model.split("-")[1]
        named = _NAMED.search(request.user)
        name, reply = self._answer_peer(request, named["name"], level) if named else self._answer_us(request, level)
        self._on_call(request, name, reply)
        return self._break_off(Answer(reply), request, level)

    def _answer_us(self, request: ChatRequest, level: str) -> tuple[str, str]:
        try:
            question = self._recogniser.read(request)
        except UnknownQuestion as error:
            raise ApiError(422, str(error), "unknown_question") from error
        truth = self._find_truth(question.shown, request.model.split("-", 3)[3])
        if truth is None:
            raise ApiError(422, f"from no known document: {question.shown[:60]!r}…", "unknown_document")
        name = self._names[truth.name]
        belief = self._beliefs[level][name]
        if question.section is None:
            return name, write_json(_PLAIN[question.task](replace(truth, facts=belief.facts), question.shown))
        true = read_rows(truth, question, question.section)
        believed = {row: believe(belief, truth, question, row) or cells for row, cells in true.rows.items()}
        return name, true.with_rows(believed).write()

    def _find_truth(self, shown: str, kind: str) -> Truth | None:
        """The document that a text is from. Of those that print the same it is the one that sets it alike."""
        # A library begins with the document it found last. Where texts are alike, the answer must not depend on that.
        library = copy.copy(self._libraries.get(kind))
        found = library.find(shown) if library else None
        if found is None:
            return None
        lines = {line.strip() for line in shown.splitlines()}
        return max([found, *self._truths[kind]], key=lambda truth: sum(line in truth.view for line in lines))

    def _answer_peer(self, request: ChatRequest, name: str, level: str) -> tuple[str, str]:
        case, belief = self._cases[name], self._beliefs[level][name]
        asked = (request.schema or {}).get("properties", {})
        if "extractions" in asked:
            shown = request.user.rpartition("\nQ: ")[2].removesuffix("A: ").removesuffix("\n")
            return name, write_json({"extractions": list_spans(case, belief, shown)})
        shown = request.user[request.user.index("\n") :]
        return name, write_json(fill_fields(asked, case, belief, shown))

    def _break_off(self, answer: Answer, request: ChatRequest, level: str) -> Answer:
        """Long replies break off more often; the same question asked again has another chance."""
        text = answer.content or ""
        digest = hashlib.sha256(f"{request.system}\0{request.user}".encode()).hexdigest()
        self._asked[f"{request.model}/{digest}"] += 1
        rng = random.Random(f"{self._seed}/{level}/{digest}/{self._asked[f'{request.model}/{digest}']}")
        keeps = (1 - LEVELS[level].rate) ** (count_tokens(text) / 1000)
        return answer if rng.random() < keeps else cut_answer(answer, rng.randrange(len(text)))


def believe(belief: Belief, truth: Truth, question: Question, row: str) -> Cells | None:
    """What the model takes a row for; None where that is what is printed."""
    assert question.section is not None
    believed = belief.rows.get((question.section.id, row))
    if believed is None or question.task != "rows_without_columns":
        return believed
    if f"{question.section.id}.{row}" in truth.tokens:  # nobody asks for columns, so there is nothing to guess
        return None
    return tuple(cell for cell in believed if cell)


# ---------------------------------------------------------------- one field for every value


def fill_fields(names: Mapping[str, object], case: Case, belief: Belief, shown: str) -> Json:
    """A value for each named field: null where nothing is printed, or where nobody can know the column.

    A row counts as shown where each of its numbers stands anywhere in the text, however the text is torn.
    """
    view = fold_view(shown)
    values: dict[str, Value | str | None] = {}
    for section in case.sections:
        for row in section.rows:
            cells = belief.rows.get((section.id, row.id), ())
            if len(cells) == len(row.columns) and is_shown(case, section, row.id, view):
                pairs = zip(row.columns, cells, strict=True)
                values |= {section.field_id(row.id, column.id): read_number(cell) for column, cell in pairs}
    values |= {f"narrative.{fact.fact}": read_number(fact.number) for fact in belief.facts}
    values |= {f"header.{name}": text for name, text in case.truth.header.items()}
    found = {name: values.get(name.replace("__", ".")) for name in names}
    points = read_narrative(case.truth, shown)
    return {**found, "problems": points["problems"], "measures": points["measures"]}


def is_shown(case: Case, section: Section, row: str, view: str) -> bool:
    """Whether each number of a row stands in a text."""
    return all(fold_view(cell) in view for cell in case.truth.row(section, row) or () if cell)
