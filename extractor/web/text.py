"""Text that comes from outside: what every database can hold and every page can show.

Lives here: types of parameters and bodies. Called by the API and by submissions.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, StringConstraints

_SPACES = "\t\n\r"
_LONGEST_FILE_NAME = 255


def _refuse_control(text: str) -> str:
    if has_unwritten(text):
        raise ValueError("control characters and halves of characters are not taken")
    return text


def has_unwritten(text: str) -> bool:
    """Whether there is anything in a text that nobody prints and a database or a spreadsheet may choke on.

    Characters that this version of Unicode does not know yet are none of it: names have such ones.
    """
    return any(
        (unicodedata.category(letter) in ("Cc", "Cs") and letter not in _SPACES)
        or ord(letter) & 0xFFFE == 0xFFFE
        or "\ufdd0" <= letter <= "\ufdef"
        for letter in text
    )


def clean_line(text: str) -> str:
    """A word to look for, without what cannot be in any text that is kept."""
    return "".join(letter for letter in text if not has_unwritten(letter)).strip()


#: A word to look for, or an id: short, on one line in practice.
ShortText = Annotated[str, StringConstraints(max_length=200), AfterValidator(_refuse_control)]
#: A note of a reviewer.
LongText = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_refuse_control)]

#: In an address: what the service itself gave out.
RunId = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9._-]+$", description="id of a run")]
DocumentId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="sha256 of a document's bytes")]
AccountName = Annotated[str, Path(max_length=64, pattern=r"^[\w.@-]+$", description="name of an account")]
#: Fits the number of a row in both databases.
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]

After = Annotated[
    ShortText | None, Query(description="`next` of the page before; left out, the first page", max_length=200)
]
Limit = Annotated[int, Query(ge=1, le=200, description="most entries of the page")]


def clean_file_name(name: str | None) -> str:
    """A file's name as text for people: one line, nothing that turns or hides text. Never a path on this machine."""
    shown = "".join(
        letter if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else "�" for letter in name or ""
    ).strip()
    return shown[-_LONGEST_FILE_NAME:] or "unnamed"
