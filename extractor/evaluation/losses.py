"""Declared losses: fields that may fare worse than in the baseline, each with its reason.

Lives here: the file's format (eval/losses.toml) and its reader. Does not live here: what is a loss (gate).
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from extractor.errors import SettingsError


class DeclaredLoss(BaseModel):
    """One entry `[[loss]]`: a document's name, a field id or pattern of ids (`applications.granted.*`), the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    document: str
    field: str
    reason: str = ""

    def covers(self, document: str, field: str) -> bool:
        """Whether it speaks of this field."""
        return document == self.document and fnmatchcase(field, self.field)


class _LossFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    loss: tuple[DeclaredLoss, ...] = ()


def load_losses(path: Path) -> tuple[DeclaredLoss, ...]:
    """Read a file of declared losses.

    Raises:
        SettingsError: naming the file and what is wrong in it.
    """
    remedy = "Write entries [[loss]] with document, field and reason."
    try:
        return _LossFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).loss
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}). {remedy}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {place}: {first['msg']}. {remedy}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: not a TOML file ({error}). {remedy}") from error
