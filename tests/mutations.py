"""Damage that scrapes do to structure but not to numbers: labels, borders, tags, line ends, the end of the file.

Only for tests. Every mutation keeps each printed number as it is (or removes it with all behind it), so
that whatever is accepted must still be what was printed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutation = Callable[[random.Random, str], str]

_TOKEN = re.compile(r"\s+|\S+")
_JUNK = ("- 4 -", "第3页", "注：数据来源", "分享到", "附件", "合计", "其他")


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _is_number(token: str) -> bool:
    return any(char.isdigit() for char in token) and not re.search("[\u4e00-\u9fff]", token)


def _words(tokens: list[str]) -> list[int]:
    """Positions of labels, bars and prose."""
    return [i for i, token in enumerate(tokens) if not token.isspace() and not _is_number(token)]


def drop_word(rng: random.Random, text: str) -> str:
    tokens = _tokens(text)
    tokens.pop(rng.choice(_words(tokens)))
    return "".join(tokens)


def repeat_word(rng: random.Random, text: str) -> str:
    tokens = _tokens(text)
    position = rng.choice(_words(tokens))
    tokens.insert(position + 1, "\n" + tokens[position])
    return "".join(tokens)


def swap_labels(rng: random.Random, text: str) -> str:
    tokens = _tokens(text)
    words = [i for i in _words(tokens) if tokens[i] != "|"]
    a, b = rng.choice(words), rng.choice(words)
    tokens[a], tokens[b] = tokens[b], tokens[a]
    return "".join(tokens)


def drop_character_of_label(rng: random.Random, text: str) -> str:
    position = rng.choice([match.start() for match in re.finditer("[\u4e00-\u9fff]", text)])
    return text[:position] + text[position + 1 :]


def flatten_space(rng: random.Random, text: str) -> str:
    tokens = _tokens(text)
    spaces = [i for i, token in enumerate(tokens) if token.isspace()]
    if spaces:
        tokens[rng.choice(spaces)] = " "
    return "".join(tokens)


def insert_junk(rng: random.Random, text: str) -> str:
    tokens = _tokens(text)
    tokens.insert(rng.randrange(len(tokens)), f"\n{rng.choice(_JUNK)}\n")
    return "".join(tokens)


def cut_off(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) // 3, len(text))]


TEXT_MUTATIONS: tuple[Mutation, ...] = (
    drop_word,
    repeat_word,
    swap_labels,
    drop_character_of_label,
    flatten_space,
    insert_junk,
    cut_off,
)


def _replace_one(pattern: str, replacement: str) -> Mutation:
    def mutate(rng: random.Random, text: str) -> str:
        found = list(re.finditer(pattern, text))
        if not found:
            return text
        match = rng.choice(found)
        return text[: match.start()] + replacement + text[match.end() :]

    return mutate


def _replace_all(pattern: str, replacement: str) -> Mutation:
    return lambda _rng, text: re.sub(pattern, replacement, text)


_COLSPAN, _ROWSPAN = r" colspan=\d+", r' rowspan="\d+"'
HTML_MUTATIONS: tuple[Mutation, ...] = (
    _replace_one(_COLSPAN, ""),
    _replace_one(_ROWSPAN, ""),
    _replace_one(_COLSPAN, " colspan=7"),
    _replace_one(_ROWSPAN, ' rowspan="2"'),
    _replace_one("</td>", ""),
    _replace_one("</tr>", ""),
    _replace_one("<tr>", ""),
    _replace_one("<tr>", "<tr><div>"),
    _replace_one("</td><td>", "</td></div><td>"),
    _replace_one(r"<td><p>\d+</p></td>", ""),
    _replace_one("</td>", "</td><td></td>"),
    _replace_one(r"<td[^>]*><p>[^<\d][^<]*</p></td>", ""),
    _replace_one("<table border=1>", ""),
    _replace_one("</table>", ""),
    _replace_one("</tr><tr>", "</tr></table>第2页<table><tr>"),
    _replace_all(_COLSPAN, ""),
    _replace_all(_ROWSPAN, ""),
    _replace_all(f"{_COLSPAN}|{_ROWSPAN}", ""),
    _replace_all("</td>", ""),
    _replace_all("</tr>", ""),
    _replace_all("<td><p>&nbsp;</p></td>", ""),
)
