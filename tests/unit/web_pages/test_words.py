from __future__ import annotations

import re
from importlib import resources
from string import Formatter
from typing import get_args

import pytest

from extractor.flags import CATALOGUE
from extractor.model import CellState, RulingAction, Status
from extractor.store.shapes import ItemKind, ReviewKind, RunKind, RunState, WorkState
from extractor.web.pages.words import LANGUAGES, Words, load_catalogue

_USED = re.compile(r"""\b(?:t|words)\(\s*["']([a-z_]+\.[a-z_0-9-]+)["']\s*[,)]""")
_SOURCES = [
    entry
    for folder in ("html", "pages")
    for entry in resources.files("extractor.web").joinpath(folder).iterdir()
    if entry.name.endswith((".html", ".py"))
]


def test_both_languages_say_everything_with_the_same_values():
    for key, sentences in load_catalogue().items():
        names = [{name for _, name, _, _ in Formatter().parse(sentences[lang]) if name} for lang in LANGUAGES]
        assert all(sentences.values()), key
        assert names[0] == names[1], key


def test_the_languages_are_not_mixed_up():
    han = re.compile(r"[\u4e00-\u9fff]")
    for key, sentences in load_catalogue().items():
        assert han.search(sentences["zh"]) or sentences["zh"] == "κ", key
        assert not han.search(sentences["en"]) or key.startswith(("ask.layout", "family.")), key  # labels of the form


@pytest.mark.parametrize("entry", _SOURCES, ids=lambda entry: entry.name)
def test_every_sentence_that_a_page_asks_for_is_there(entry):
    words = Words.of("zh")
    assert [key for key in _USED.findall(entry.read_text(encoding="utf-8")) if key not in words] == []


def test_whatever_the_store_may_hold_has_words():
    words = Words.of("en")
    kinds = [kind for kind in get_args(ItemKind) if kind != "audit"]
    needed = [
        *(f"ask.{kind}" for kind in kinds),
        *(f"kind.{kind}" for kind in (*kinds, *get_args(ReviewKind))),
        *(f"action.{action}" for action in get_args(RulingAction)),
        *(f"state.{state.value}" for state in CellState),
        *(f"status.{status.value}" for status in Status),
        *(
            f"runs.{state}"
            for state in (*get_args(RunKind), *get_args(RunState), *get_args(WorkState))
            if state != "done"
        ),
    ]
    assert [key for key in needed if key not in words] == []


def test_short_names_are_those_of_real_flags():
    codes = [key.removeprefix("code.") for key in load_catalogue() if key.startswith("code.")]
    assert [code for code in codes if code not in CATALOGUE] == []
    assert len(codes) > 40
