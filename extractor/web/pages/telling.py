"""Ids in the program's sentences -> words of the form: what a flag, a failed equation or a suggestion says to a person.

Lives here: equations in words, and the replacing of ids in flags' messages and suggestions' bases, which are stored
with ids. Does not live here: names of single fields (labels), the sentences of the page (words). Called by the views.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from extractor.flags import CATALOGUE
from extractor.forms import TABLE_SECTIONS, Equation, Row, load_forms
from extractor.model import Flag, Record, Suggestion
from extractor.web.pages.labels import name_field, name_section
from extractor.web.pages.sums import SumView
from extractor.web.pages.words import Words

_EQUATION = re.compile(r"E\d+\[[a-z_.]+\]")
_EQUATIONS = re.compile(r"(?<=\]), (?=E\d+\[)")
_FAMILY = re.compile(r"\bE\d+\b(?!\[)", re.ASCII)
_FIELD = re.compile(r"(?<![a-z_.])[a-z_]+(?:\.[a-z_]+)+")
_TOKEN = re.compile(r"(?<![a-z_])[a-z]+(?:_[a-z]+)+(?![a-z_.])")
_SECTION = re.compile(rf"(?<![a-z_.])(?:{'|'.join(TABLE_SECTIONS)})(?![a-z_.])")
_MANY_DIGITS = re.compile(r"\d{13,}")
_LONGEST_ROW = 18
#: Sums of more terms than these are told by their first and last one.
_MOST_TERMS = 4
#: What a basis is made of (extractor.reconcile): its pattern, and the key of its words.
_BASES = (
    (re.compile(r"settles (?P<what>.+)"), "basis.settles"),
    (re.compile(r"(?P<reader>\S+) reads (?P<what>.+)"), "basis.reads"),
    (re.compile(r"the number of digits, confirmed by (?P<what>.+)"), "basis.digits_confirmed"),
    (re.compile(r"the number of digits"), "basis.digits"),
    (re.compile(r"jointly (?P<what>.+)"), "basis.jointly"),
    (re.compile(r"(?P<what>.+) could not be used"), "basis.not_used"),
    (re.compile(r"(?P<what>.+) not satisfied"), "basis.not_satisfied"),
    (re.compile(r"without the next row's ordinal (?P<what>.+)"), "basis.ordinal"),
    (re.compile(r"(?P<what>\d+) placements remain"), "basis.placements"),
    (re.compile(r"no equation decides"), "basis.undecided"),
    (re.compile(r"no equation"), "basis.no_equation"),
    (re.compile(r"whose numbers these are is in doubt"), "basis.doubted"),
)


def tell_flag(flag: Flag, record: Record, words: Words) -> str:
    """A flag's message in the language of the page, by the form's labels."""
    chinese = words.lang == "zh"
    text = _replace_ids(flag.message.zh if chinese else flag.message.en, record, words)
    finding = CATALOGUE.get(flag.code)
    if finding and "{section}" in (finding.zh if chinese else finding.en):
        text = _SECTION.sub(lambda found: name_section(found.group(), words), text)
    if finding and "{hypotheses}" in finding.en:
        text = _TOKEN.sub(lambda found: _name_token(found.group(), words), text)
    return _tell_ocr(text, words) if flag.code == "pages-by-ocr" else text


def tell_suggestion(one: Suggestion, record: Record, words: Words) -> tuple[str, str]:
    """How a suggestion was found, and what it rests on, in the language of the page."""
    method = words(f"method.{one.method}") if f"method.{one.method}" in words else one.method
    joint = "；" if words.lang == "zh" else "; "
    return method, joint.join(_tell_basis(part, record, words) for part in one.basis.split("; "))


def name_equation(equation_id: str, generations: Mapping[str, str], words: Words) -> str:
    """An equation in words: 列“自然人”：三（一）至（六）之和 = 三（七）.

    Args:
        equation_id: as in the record; one that the form does not have comes back as it is.
        generations: form generation by section.
        words: of the page.
    """
    for section in TABLE_SECTIONS:
        found = _equations(section, generations.get(section, "")).get(equation_id)
        if found is not None:
            return _say_equation(found, words)
    return equation_id


def name_sum(one: SumView, words: Words) -> str:
    """A failed equation in words."""
    return name_equation(one.id, {one.section: one.generation}, words)


def _say_equation(one: Equation, words: Words) -> str:
    fields = load_forms().fields
    first = fields[one.left[0]]
    is_row = len({fields[name].row.id for name in (*one.left, *one.right)}) == 1
    if is_row:
        is_whole = len(one.left) + len(one.right) == len(first.row.columns)
        left, right = ([fields[name].column.labels[0] for name in side] for side in (one.left, one.right))
        summed = words("equation.columns") if is_whole else " + ".join(left)
        return words("equation.row", row=_shorten(first.row.labels[0]), left=summed, right=" + ".join(right))
    left, right = ([_place_of(fields[name].row) for name in side] for side in (one.left, one.right))
    label = first.column.labels[0]
    return words("equation.column", column=label, left=_say_terms(left, words), right=_say_terms(right, words))


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST_ROW else f"{label[: _LONGEST_ROW - 1]}…"


def _say_terms(places: Sequence[str], words: Words) -> str:
    if len(places) <= _MOST_TERMS:
        return " + ".join(places)
    last = re.sub(r"^[^（]*(（[^）]+）).*$", r"\1", places[-1])
    return words("equation.range", first=places[0], last=last)


def _place_of(row: Row) -> str:
    """A row by its ordinals: 一, 三（七）, 三（三）1; by its label where it has none."""
    if not row.ordinal:
        return row.labels[0]
    own = row.ordinal.rstrip("、.")
    if not row.group:
        return own
    above = row.group.partition("、")[0] if "、" in row.group else "三" + row.group.partition("）")[0] + "）"
    return above + own


def _replace_ids(text: str, record: Record, words: Words) -> str:
    known = {one.id for one in record.equations}

    def equation(found: re.Match[str]) -> str:
        return name_equation(found.group(), record.generation, words) if found.group() in known else found.group()

    def name(found: re.Match[str]) -> str:
        return name_field(found.group()) if found.group() in record.fields else found.group()

    return _FIELD.sub(name, _EQUATION.sub(equation, _EQUATIONS.sub("; ", text)))


def _tell_basis(part: str, record: Record, words: Words) -> str:
    for pattern, key in _BASES:
        found = pattern.fullmatch(part)
        if found:
            values = {name: _replace_all(text, record, words) for name, text in found.groupdict().items()}
            if "reader" in values and f"by.{values['reader']}" in words:
                values["reader"] = words(f"by.{values['reader']}")
            return words(key, **values)
    return _replace_all(part, record, words)


def _replace_all(text: str, record: Record, words: Words) -> str:
    text = _replace_ids(text, record, words)
    text = _FAMILY.sub(lambda found: _name_family(found.group(), words), text)
    text = _TOKEN.sub(lambda found: _name_token(found.group(), words), text)
    return _MANY_DIGITS.sub(lambda found: f"{int(found.group()):.1e}".replace("e+", " × 10^"), text)


def _name_family(family: str, words: Words) -> str:
    return words(f"family.{family}") if f"family.{family}" in words else family


def _name_token(token: str, words: Words) -> str:
    return words(f"token.{token}") if f"token.{token}" in words else token


def _tell_ocr(text: str, words: Words) -> str:
    for said, key in (("no text layer", "ocr.no_text"), ("a picture", "ocr.picture")):
        text = text.replace(said, words(key))
    return text


@cache
def _equations(section: str, generation: str) -> dict[str, Equation]:
    found = load_forms().section(section, generation)
    return {equation.id: equation for equation in found.equations} if found else {}
