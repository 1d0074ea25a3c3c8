"""Prompts: what a model is told, loaded from Markdown files, and how a question to it is put together.

Lives here: finding and checking the files, the words that the form's data puts into them, the fence
around document text. Does not live here: the wording (prompts/*.md), the shape of replies (wire),
which text is asked about and what a reply means (extractor.readers). Called by the readers.
"""

from __future__ import annotations

import hashlib
import re
import string
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.errors import SettingsError
from extractor.forms.catalogue import Form, Row, Section
from extractor.forms.labels import split_ordinal
from extractor.llm import wire


class _Task(NamedTuple):
    """What the code behind a task relies on: the reply's shape and the placeholders that must, or may, be there."""

    schema: type[BaseModel]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


_TABLE = _Task(wire.TableRows, frozenset(("rows", "columns")), frozenset(("title",)))
_TASKS = {
    "header": _Task(wire.HeaderFacts),
    "proactive_disclosure": _TABLE,
    "applications": _TABLE,
    "review_litigation": _TABLE,
    "rows_without_columns": _Task(wire.TableRows, frozenset(("rows",)), frozenset(("title", "columns"))),
    "row": _TABLE,
    "narrative": _Task(wire.NarrativeFacts),
    "older_report": _Task(wire.OlderReport),
    "page": _Task(wire.PageRows, frozenset(("tables",))),
    "strips": _TABLE,
}
PROMPT_TASKS: tuple[str, ...] = tuple(_TASKS)

_FILE = re.compile(r"\+\+\+\n(?P<front>.*?)^\+\+\+\n(?P<body>.*\S.*)", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(r"^```text\n(?P<text>.*?)\n```\n+```json\n(?P<reply>.*?)\n```$", re.DOTALL | re.MULTILINE)
_REMEDY = "Compare with the file of that name in prompts/ and docs/change-a-prompt.md"


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: str = Field(min_length=1)
    schema_name: str = Field(alias="schema")
    max_output_tokens: int = Field(ge=1, strict=True)


class Example(NamedTuple):
    """One worked example of a prompt: a text, and the reply to it as JSON."""

    text: str
    reply: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One task as its file states it.

    Attributes:
        task: the file's name without suffix.
        schema: the wire model of the reply.
        instruction: the system message before its words are filled in, examples included.
        version: first 12 hexadecimal digits of the sha256 of the file's bytes.
    """

    task: str
    purpose: str
    schema: type[BaseModel]
    max_output_tokens: int
    instruction: str
    version: str

    @property
    def examples(self) -> tuple[Example, ...]:
        """The worked examples within the instruction."""
        return tuple(Example(found["text"], found["reply"]) for found in _EXAMPLE.finditer(self.instruction))

    def render(self, **words: str) -> str:
        """The system message.

        Args:
            words: for the placeholders, as describe_table or describe_form gives them; more than needed does no harm.

        Raises:
            SettingsError: a placeholder has no word.
        """
        try:
            return string.Template(self.instruction).substitute(words)
        except KeyError as error:
            raise SettingsError(f"prompt {self.task}.md: no word for the placeholder ${error.args[0]}") from error


def load_prompt(task: str, folder: Path | None = None) -> Prompt:
    """Load one prompt; each file is read once.

    Args:
        task: one of PROMPT_TASKS.
        folder: files that replace those of the package, task by task; all of them are checked.

    Raises:
        SettingsError: a file is missing or wrong.
    """
    if task not in _TASKS:
        raise SettingsError(f"prompt {task}: no such task. There are {', '.join(PROMPT_TASKS)}")
    own = _load_folder(folder).get(task) if folder is not None else None
    return own or _load_packaged(task)


@cache
def _load_packaged(task: str) -> Prompt:
    name = f"{task}.md"
    # A wheel carries the folder inside the package; in a checkout it stands beside the package.
    places = (resources.files("extractor").joinpath("prompts", name), Path(__file__).parents[2] / "prompts" / name)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise SettingsError(f"prompt {name}: not in the package, which is incomplete. Install it again")
    return _read_prompt(task, found)


@cache
def _load_folder(folder: Path) -> dict[str, Prompt]:
    """All prompts of a folder. A file with a misspelt name would change nothing and say nothing, so it is an error."""
    if not folder.is_dir():
        raise SettingsError(f"prompts_dir {folder}: no such folder. Correct EXTRACTOR_PROMPTS_DIR or unset it")
    files = {path.stem: path for path in sorted(folder.glob("*.md")) if path.stem != "README"}
    if strange := [path.name for task, path in files.items() if task not in _TASKS]:
        raise SettingsError(
            f"prompts_dir {folder}: no task is called {', '.join(strange)}. Rename to one of {', '.join(PROMPT_TASKS)}"
        )
    return {task: _read_prompt(task, path) for task, path in files.items()}


def _read_prompt(task: str, source: Path | Traversable) -> Prompt:
    try:
        data = source.read_bytes()
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"prompt {source}: cannot be read as UTF-8 text: {error}. {_REMEDY}") from error
    try:
        return _parse_prompt(task, text, hashlib.sha256(data).hexdigest()[:12])
    except ValueError as error:
        raise SettingsError(f"prompt {source}: {error}. {_REMEDY}") from error


def _parse_prompt(task: str, text: str, version: str) -> Prompt:
    """One file's text -> Prompt; ValueError with the reason where it is wrong."""
    parts = _FILE.fullmatch(text)
    if parts is None:
        raise ValueError("is not front matter between two lines +++ and an instruction after it")
    try:
        front = _FrontMatter.model_validate(tomllib.loads(parts["front"]))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"front matter is no TOML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ValueError(f"front matter: {problems}") from error
    schema, instruction = _TASKS[task].schema, parts["body"].strip()
    if front.schema_name != schema.__name__:
        raise ValueError(f"schema is {front.schema_name}, but replies of this task are read as {schema.__name__}")
    _check_placeholders(task, instruction)
    prompt = Prompt(task, front.purpose, schema, front.max_output_tokens, instruction, version)
    for number, example in enumerate(prompt.examples, start=1):
        try:
            schema.model_validate_json(example.reply)
        except ValidationError as error:
            raise ValueError(f"the reply of example {number} does not fit {schema.__name__}: {error}") from error
    return prompt


def _check_placeholders(task: str, instruction: str) -> None:
    template = string.Template(instruction)
    if not template.is_valid():
        raise ValueError("a $ that begins no placeholder. Write it as $$")
    used, wanted = set(template.get_identifiers()), _TASKS[task]
    if unknown := used - wanted.required - wanted.optional:
        raise ValueError(f"unknown placeholder {', '.join(f'${name}' for name in sorted(unknown))}")
    if missing := wanted.required - used:
        raise ValueError(f"lacks the placeholder {', '.join(f'${name}' for name in sorted(missing))}")


# ---------------------------------------------------------------- words from the form's data


def describe_table(section: Section) -> dict[str, str]:
    """The words of a table prompt.

    Returns:
        title: the section's heading without its number; columns: as printed, from left to right;
        rows: one a line, numbered from 1 in the form's order, with the heading over them.
    """
    return {
        "title": split_ordinal(section.title)[1],
        "columns": _describe_columns(section),
        "rows": "\n".join(f"{number}：{label}" for number, label in enumerate(_label_rows(section), start=1)),
    }


def describe_form(form: Form) -> dict[str, str]:
    """The words of a prompt over all tables of a form: `tables`."""
    parts = [(section.title, describe_table(section)) for section in form.sections.values()]
    return {"tables": "\n".join(f"{title}\n列：{words['columns']}\n{words['rows']}" for title, words in parts)}


def row_numbers(section: Section) -> dict[str, str]:
    """Row number in the prompt -> row id."""
    return {str(number): row.id for number, row in enumerate(section.rows, start=1)}


def _label_rows(section: Section) -> list[str]:
    """Each row's shortest label, and before the first row of a group the group: tokens count."""
    groups = [row.group for row in section.rows]
    return [
        (row.group if row.group and row.group not in groups[:index] else "") + min(row.labels, key=len)
        for index, row in enumerate(section.rows)
    ]


def _describe_columns(section: Section) -> str:
    """The columns of all rows, or of each run of rows that share them."""
    numbered = enumerate(section.rows, start=1)
    runs = [
        (names, [number for number, _ in run]) for names, run in groupby(numbered, lambda item: _column_names(item[1]))
    ]
    if len(runs) == 1:
        return runs[0][0]
    return "；".join(f"第{'、'.join(map(str, numbers))}行：{names}" for names, numbers in runs)


def _column_names(row: Row) -> str:
    return "｜".join(column.labels[0] for column in row.columns)


# ---------------------------------------------------------------- the user message


def fence(text: str) -> str:
    """Document text between marks that it cannot close: they carry the beginning of its own hash."""
    mark = f"原文 {_choose_mark(text, hashlib.sha256(text.encode()).hexdigest())}"
    return f"<{mark}>\n{text}\n</{mark}>"


def _choose_mark(text: str, digest: str) -> str:
    """Eight digits; more where the text holds those, which takes somebody who wants to break out."""
    return next((digest[:size] for size in range(8, len(digest)) if digest[:size] not in text), digest)


def ask_for(text: str, rows: Sequence[str] | None = None) -> str:
    """The user message: which rows, if not all, and the document text last.

    Args:
        text: the part of the document that is asked about, as found.
        rows: row numbers as describe_table counts them.
    """
    if rows is None:
        return fence(text)
    if not rows:
        raise ValueError("no row to ask for")
    return f"只答第{'、'.join(rows)}行\n{fence(text)}"
