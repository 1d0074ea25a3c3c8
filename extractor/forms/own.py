"""Forms of a user's own: the files of a folder, checked before anything is read by them.

Lives here: what a form's file may say, and what is refused. Does not live here: building forms (catalogue), where the
folder is (settings). Called by catalogue. The package's own files keep to the same shape, which a test holds.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from extractor.errors import SettingsError

SECTIONS = ("proactive_disclosure", "applications", "review_litigation")

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Labels = Annotated[list[_Text], Field(min_length=1)]
_SectionName = Literal[
    "overview",
    "proactive_disclosure",
    "applications",
    "review_litigation",
    "problems_improvements",
    "other_matters",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Column(_Part):
    id: _Id
    labels: _Labels
    type: Literal["int", "decimal"] = "int"
    signed: bool = False
    unit: Literal["wan", "as_printed"] | None = None
    over: _Text | None = None


class _Row(_Part):
    id: _Id
    labels: _Labels
    columns: Annotated[list[_Id], Field(min_length=1)] | None = None
    group: _Text | None = None
    part: _Text | None = None
    result: bool = False


class _Equation(_Part):
    id: _Text
    basis: Literal["official", "implied"]
    for_each: Literal["column", "row"]
    left: _Labels
    right: _Labels


class _Section(_Part):
    title: _Text
    layout: Literal["labelled_rows", "one_row"]
    captions: list[_Text] = []
    columns: Annotated[list[_Column], Field(min_length=1)]
    rows: Annotated[list[_Row], Field(min_length=1)]
    equations: list[_Equation] = []


class _Recognise(_Part):
    marks: list[_Text] = []
    indicator_table: list[_Text] = []


class FormFile(_Part):
    """A form as its file states it; docs/own-forms.md explains the keys."""

    generation: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    notice: str = ""
    title_phrases: list[_Text] = []
    headings: dict[_SectionName, _Labels] = {}
    recognise: _Recognise = _Recognise()
    proactive_disclosure: _Section | None = None
    applications: _Section | None = None
    review_litigation: _Section | None = None


def read_own_forms(folder: Path | None) -> dict[str, dict[str, Any]]:
    """The form files of a folder by path, in the order of their names; none where no folder is named.

    Raises:
        SettingsError: the folder is not there or holds no form, or a file is not what a form's file is.
    """
    if folder is None:
        return {}
    remedy = "Correct EXTRACTOR_FORMS_DIR or unset it"
    if not folder.is_dir():
        raise SettingsError(f"forms_dir {folder}: no such folder. {remedy}.")
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise SettingsError(f"forms_dir {folder}: there is no .toml file in it. {remedy}.")
    return {str(path): _read_file(path) for path in paths}


def _read_file(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        form = FormFile.model_validate(data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refuse(path, f"cannot be read ({error})") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:5])
        raise refuse(path, problems) from error
    named = {name: section for name in SECTIONS if (section := getattr(form, name)) is not None}
    if not named:
        raise refuse(path, f"it has no table; one of {', '.join(SECTIONS)} is needed")
    for name, section in named.items():
        if problem := _find_problem(section):
            raise refuse(path, f"{name}: {problem}")
    return data


def refuse(path: Path | str, problem: str) -> SettingsError:
    """What is wrong with a file, as an error to raise."""
    return SettingsError(f"form {path}: {problem}. Compare with docs/own-forms.md.")


def _find_problem(section: _Section) -> str:
    """What does not hang together in a section; empty where all does."""
    columns, rows = [column.id for column in section.columns], [row.id for row in section.rows]
    for kind, ids in (("column", columns), ("row", rows)):
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            return f"{kind} {', '.join(twice)} is there twice"
    for row in section.rows:
        if strange := sorted(set(row.columns or ()) - set(columns)):
            return f"row {row.id} names no columns of the table: {', '.join(strange)}"
    for equation in section.equations:
        known = {*rows, "@result"} if equation.for_each == "column" else {*columns, "@result"}
        if strange := sorted({*equation.left, *equation.right} - known):
            return f"equation {equation.id}: no {'row' if equation.for_each == 'column' else 'column'} is {strange[0]}"
    return ""
