"""The words of the pages in both languages: one catalogue, complete in each (a test holds it).

Lives here: reading the catalogue (words.toml, beside this file). Does not live here: the words of flags
(extractor.flags) and of the form (extractor.forms). Called by every view.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Words:
    """The catalogue in one language. Call it with a key and what its sentence needs.

    Attributes:
        lang: `zh` or `en`.
    """

    def __init__(self, lang: Language, sentences: Mapping[str, str]) -> None:
        self.lang = lang
        self._sentences = sentences

    @classmethod
    def of(cls, lang: str) -> Words:
        """The words of a language, Chinese where it is none of ours."""
        known: Language = "en" if lang == "en" else "zh"
        return _load(known)

    def __call__(self, key: str, **values: object) -> str:
        """A sentence.

        Raises:
            KeyError: no such key in the catalogue, or a value that its sentence needs is missing.
        """
        sentence = self._sentences[key]
        return sentence.format(**values) if values else sentence

    def __contains__(self, key: object) -> bool:
        return key in self._sentences


def load_catalogue() -> dict[str, dict[str, str]]:
    """Key -> sentence by language."""
    text = resources.files("extractor.web.pages").joinpath("words.toml").read_text(encoding="utf-8")
    return {
        f"{part}.{name}": dict(zip(LANGUAGES, sentences, strict=True))
        for part, names in tomllib.loads(text).items()
        for name, sentences in names.items()
    }


@cache
def _load(lang: Language) -> Words:
    return Words(lang, {key: sentences[lang] for key, sentences in load_catalogue().items()})
