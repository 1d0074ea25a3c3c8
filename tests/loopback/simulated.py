"""A reader that knows what the documents print, and answers every question from its text alone.

Lives here: true replies. Does not live here: what documents print (truths), what is asked
(questions), what goes wrong on purpose (mistakes).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from extractor.forms import Section, find_labels
from extractor.llm.wire import HeaderFacts
from extractor.sources.view import fold_view
from tests.loopback.library import Library
from tests.loopback.messages import Answer, ApiError, ChatRequest, Json
from tests.loopback.mistakes import Mistake, Mistakes
from tests.loopback.questions import Question, Recogniser, UnknownQuestion
from tests.loopback.replies import TableReply, write_json
from tests.loopback.truths import Cells, Truth, squeeze

_SENTENCE = re.compile("[^。;!?\n]+")
_HEADING = re.compile("^.{0,4}存在的?(?:主要)?问题.*$", re.MULTILINE)
_PROBLEM = re.compile("不足|不够|有待|薄弱|不高|不强|不及时|欠缺|差距")
_MEASURE = re.compile("下一步|今后|将|进一步|加强")
_MOST_POINTS, _LONGEST_POINT = 8, 40


class Spoiled(NamedTuple):
    """A mistake that was made on purpose: in which document, at which task, of which kind, in which fields."""

    document: str
    task: str
    kind: str
    fields: tuple[str, ...]


class SimulatedReader:
    """Answers as a model that reads without a mistake, or with those it is told to make.

    Attributes:
        spoiled: what was made wrong so far.
    """

    def __init__(
        self, truths: Iterable[Truth], mistakes: Mistakes | None = None, prompts_dir: Path | None = None
    ) -> None:
        self._library = Library(truths)
        self._recogniser = Recogniser(prompts_dir)
        self._mistakes = mistakes or Mistakes()
        self.spoiled: list[Spoiled] = []

    def __call__(self, request: ChatRequest) -> Answer:
        try:
            question = self._recogniser.read(request)
        except UnknownQuestion as error:
            raise ApiError(422, str(error), "unknown_question") from error
        truth = self._library.find(question.shown)
        if truth is None:
            raise ApiError(422, f"the text is from no known document: {question.shown[:60]!r}…", "unknown_document")
        digest = hashlib.sha256(f"{request.system}\0{request.user}".encode()).hexdigest()
        text, made = self._write(truth, question, digest)
        answer, cut = self._mistakes.spoil_text(text, digest)
        self.spoiled += [Spoiled(truth.name, question.task, item.kind, item.fields) for item in (*made, *cut)]
        return answer

    def _write(self, truth: Truth, question: Question, digest: str) -> tuple[str, list[Mistake]]:
        if question.section is None:
            value, made = self._mistakes.spoil_facts(_PLAIN[question.task](truth, question.shown), digest)
            return write_json(value), made
        true = read_rows(truth, question, question.section)
        reply, made = self._mistakes.spoil_rows(true, digest)
        return reply.write(), made


# ---------------------------------------------------------------- tables


def read_rows(truth: Truth, question: Question, section: Section) -> TableReply:
    """The asked rows that stand in the shown text, with their cells as printed."""
    if section.layout == "one_row":
        rows = _read_one_row(truth, question, section)
    else:
        rows = dict(_read_labelled_rows(truth, question, section))
    if question.task == "rows_without_columns":  # what is printed in a row and nothing else
        rows = {row: tuple(cell for cell in cells if cell) for row, cells in rows.items()}
    return TableReply(section, {row: rows[row] for row in question.rows if row in rows}, question.rows)


def _read_one_row(truth: Truth, question: Question, section: Section) -> dict[str, Cells]:
    """The one line of cells, dealt out to the groups; nothing where some have lost their place."""
    rows = {row.id: truth.row(section, row.id) or () for row in section.rows}
    if any(len(rows[row.id]) != len(row.columns) for row in section.rows):
        return {}
    hits = find_labels(question.shown, 0, len(question.shown), section.id)
    start = hits[-1].end if hits else 0
    printed = [cell for cells in rows.values() for cell in cells if cell]
    is_shown = _find_in_order(question.shown, printed, start, len(question.shown)) is not None
    return rows if is_shown else {}


def _read_labelled_rows(truth: Truth, question: Question, section: Section) -> Iterator[tuple[str, Cells]]:
    shown = question.shown
    done: set[str] = set()
    for rows, start, end in _find_rows(shown, section) or [(question.rows, 0, len(shown))]:
        position: int | None = start
        for row in rows:
            cells = truth.row(section, row)
            if cells is None or row in done or position is None:
                continue
            position = _find_in_order(shown, [cell for cell in cells if cell], position, end)
            if position is not None:
                done.add(row)
                yield row, cells


def _find_rows(shown: str, section: Section) -> list[tuple[Sequence[str], int, int]]:
    """Each row whose label is shown, and the text behind it.

    The rows that the form has between it and the next one that is shown go with it: their labels are misprinted, or
    they are not printed.
    """
    order = list(section.rows_by_id)
    found: list[tuple[str, int, int]] = []
    for hit in find_labels(shown, 0, len(shown), section.id):
        rows = [ref.id for ref in hit.refs if ref.role == "row" and ref.id in section.rows_by_id]
        is_row_alone = all(ref.role == "row" for ref in hit.refs)
        if rows and (is_row_alone or hit.has_ordinal):
            found.append((rows[0], hit.start, hit.end))
    places: list[tuple[Sequence[str], int, int]] = []
    for index, (row, _, start) in enumerate(found):
        following, end = found[index + 1][:2] if index + 1 < len(found) else (row, len(shown))
        places.append(([row, *order[order.index(row) + 1 : order.index(following)]], start, end))
    return places


def _find_in_order(shown: str, printed: Sequence[str], start: int, end: int) -> int | None:
    """Where all these texts end that stand in this part one behind the other; None where one is missing."""
    for text in printed:
        match = _compile_token(text).search(shown, start, end)
        if match is None:
            return None
        start = match.end()
    return start


@lru_cache(maxsize=4096)
def _compile_token(text: str) -> re.Pattern[str]:
    """A printed text as it may be shown: a line may break within it."""
    return re.compile(r"[\s\x00]*".join(map(re.escape, fold_view(text))))


# ---------------------------------------------------------------- facts


def read_header(truth: Truth, shown: str) -> Json:
    """The facts of the header that stand in the shown text."""
    kept = {name: text for name, text in truth.header.items() if _stands_in(text, shown)}
    return {name: kept.get(name) for name in HeaderFacts.model_fields}


def read_narrative(truth: Truth, shown: str) -> Json:
    """The facts whose quotes stand in the shown text; sentences that sound like problems and measures."""
    # Problems and measures stand in section 五; what sounds like them elsewhere is praise.
    heading = _HEADING.search(shown)
    own = shown[heading.end() :] if heading else shown
    sentences = [match[0].strip()[:_LONGEST_POINT] for match in _SENTENCE.finditer(own)]
    problems = [sentence for sentence in sentences if _PROBLEM.search(sentence)]
    measures = [sentence for sentence in sentences if _MEASURE.search(sentence) and sentence not in problems]
    return {
        "facts": [fact.model_dump() for fact in truth.facts if _stands_in(fact.quote, shown)],
        "problems": problems[:_MOST_POINTS],
        "measures": measures[:_MOST_POINTS],
    }


def read_older_report(truth: Truth, shown: str) -> Json:
    """The same, and the rows of the indicator table that stand in the shown text."""
    rows = [list(row) for row in truth.indicators if _stands_in("|".join(cell or "" for cell in row), shown)]
    return read_narrative(truth, shown) | {"indicators": rows}


def _stands_in(text: str, shown: str) -> bool:
    return squeeze(fold_view(text)) in squeeze(shown)


_PLAIN: Mapping[str, Callable[[Truth, str], Json]] = {
    "header": read_header,
    "narrative": read_narrative,
    "older_report": read_older_report,
}
