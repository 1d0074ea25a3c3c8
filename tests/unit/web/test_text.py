"""Text from outside: names of files, words to look for."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from extractor.web.text import LongText, ShortText, clean_file_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("报告 2023.html", "报告 2023.html"),
        ("../../etc/passwd", "../../etc/passwd"),  # text; nobody opens it
        ("a\r\nSet-Cookie: x=1", "a��Set-Cookie: x=1"),
        ("nul\x00.txt", "nul�.txt"),
        ("exe\u202etxt.html", "exe�txt.html"),
        ("half\ud800.txt", "half�.txt"),
        ("", "unnamed"),
        (None, "unnamed"),
        ("\u2028", "�"),
        ("   ", "unnamed"),
    ],
)
def test_file_names_are_one_line_of_text(name: str | None, shown: str) -> None:
    assert clean_file_name(name) == shown


def test_of_a_long_name_the_end_is_kept() -> None:
    assert clean_file_name("长" * 300 + ".html") == "长" * 250 + ".html"


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m", "\ud800", "x" * 201])
def test_words_that_no_database_or_page_should_get(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ShortText).validate_python(text)


def test_a_note_may_have_lines() -> None:
    assert TypeAdapter(LongText).validate_python("一\n二\t三") == "一\n二\t三"
