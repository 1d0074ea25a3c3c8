"""What a request asks, told from its words alone.

Lives here: recognising the prompt (by rendering all of them), the asked rows, the fenced text. Does
not live here: the prompts (extractor.llm.prompts), any answer (simulated).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from extractor.forms import Section, load_forms
from extractor.llm.prompts import describe_form, describe_table, load_prompt, row_numbers
from tests.loopback.messages import ChatRequest

#: Tasks about one table; the first asks for the table that it is named after.
TABLE_TASKS = ("rows_without_columns", "row")
#: Tasks about pictures: rows of one table, and a whole page. Nothing is fenced, and no rows are named.
STRIPS, PAGE = "strips", "page"
#: Tasks whose prompt is the same for every document.
PLAIN_TASKS = ("header", "narrative", "older_report")

_ROWS = re.compile(r"\A[^\n]*第(?P<numbers>[\d、,]+)行")
_FENCE = re.compile(r"<(?P<name>\w+) (?P<mark>[0-9a-f]+)>\n(?P<text>.*)\n</(?P=name) (?P=mark)>\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """What one request asks.

    Attributes:
        task: the prompt's id.
        shown: the document text in the request; with pictures, what to do with them.
        section: the table that is asked about, in the form's generation; None for other tasks.
        rows: ids of the asked rows, in the form's order; none with pictures.
    """

    task: str
    shown: str
    section: Section | None = None
    rows: tuple[str, ...] = ()


class UnknownQuestion(ValueError):
    """The request is none that the prompts can make."""


class Recogniser:
    """Knows all prompts as they are sent."""

    def __init__(self, prompts_dir: Path | None = None) -> None:
        self._asked: dict[str, tuple[str, Section | None]] = {
            load_prompt(task, prompts_dir).render(): (task, None) for task in PLAIN_TASKS
        }
        for form in load_forms().national:
            for section in form.sections.values():
                for task in (section.id, *TABLE_TASKS, STRIPS):
                    words = describe_table(section)
                    self._asked.setdefault(load_prompt(task, prompts_dir).render(**words), (task, section))
            self._asked[load_prompt(PAGE, prompts_dir).render(**describe_form(form))] = (PAGE, None)

    def read(self, request: ChatRequest) -> Question:
        """What the request asks.

        Raises:
            UnknownQuestion: no prompt makes such a request.
        """
        task, section = self._recognise(request.system)
        if task in (STRIPS, PAGE):
            return Question(task, request.user, section)
        fenced = _FENCE.search(request.user)
        if fenced is None:
            raise UnknownQuestion(f"{task}: the user message has no fenced text at its end")
        if section is None:
            return Question(task, fenced["text"])
        row_ids = row_numbers(section)
        wanted = _ROWS.match(request.user[: fenced.start()])
        numbers = re.split("[、,]", wanted["numbers"]) if wanted else list(row_ids)
        unknown = [number for number in numbers if number not in row_ids]
        if unknown:
            raise UnknownQuestion(f"{task}: asks for rows {unknown} that {section.title} does not have")
        return Question(task, fenced["text"], section, tuple(row_ids[number] for number in numbers))

    def _recognise(self, system: str) -> tuple[str, Section | None]:
        exact = self._asked.get(system)
        if exact is not None:
            return exact
        # Where nothing enforces a schema, clients write it behind the instruction.
        found = [known for known in self._asked if system.startswith(known)]
        if not found:
            raise UnknownQuestion(f"no prompt renders to this system message: {system[:60]!r}…")
        return self._asked[max(found, key=len)]
