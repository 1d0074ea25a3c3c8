"""The catalogue of findings: stable codes, both languages, the same words in both."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from extractor.flags import CATALOGUE, Finding, make_flag
from extractor.model import Span


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_codes_are_kebab_case(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", code)


@pytest.mark.parametrize(("code", "finding"), sorted(CATALOGUE.items()))
def test_every_finding_is_worded_in_both_languages(code: str, finding: Finding) -> None:
    assert finding.severity in ("error", "warning", "info"), code
    assert re.search("[\u3400-\u9fff]", finding.zh), code
    assert re.search("[a-z]", finding.en), code
    assert not re.search("[\u3400-\u9fff]", finding.en), code


# The Chinese wording may name a section by its title where the English one uses its id.
_SAME = {"title": "section"}


@pytest.mark.parametrize(("code", "finding"), sorted(CATALOGUE.items()))
def test_both_languages_say_the_same_words(code: str, finding: Finding) -> None:
    chinese = {_SAME.get(name, name).removesuffix("_zh") for name in placeholders(finding.zh)}
    assert chinese == {_SAME.get(name, name).removesuffix("_en") for name in placeholders(finding.en)}, code


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_flag_is_built_from_its_entry(code: str) -> None:
    finding = CATALOGUE[code]
    names = placeholders(finding.zh) | placeholders(finding.en)
    words = {name: f"<{name}>" for name in names}
    flag = make_flag(code, fields=["a.b.c"], spans=[Span(1, 2)], **words)
    assert (flag.code, flag.severity, flag.fields, flag.spans) == (code, finding.severity, ("a.b.c",), (Span(1, 2),))
    assert all(words[name] in flag.message.zh for name in placeholders(finding.zh))
    assert all(words[name] in flag.message.en for name in placeholders(finding.en))
    assert "{" not in flag.message.zh + flag.message.en


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError):
        make_flag("no-such-code")


@pytest.mark.parametrize("code", [code for code, finding in CATALOGUE.items() if placeholders(finding.en)])
def test_a_missing_word_is_refused(code: str) -> None:
    with pytest.raises(KeyError):
        make_flag(code)
