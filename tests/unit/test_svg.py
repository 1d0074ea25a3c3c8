"""Pictures keep their columns with Chinese text and name nothing on the network."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from rich.text import Text

from extractor.svg import export_svg

CELL = 12.2


def list_texts(svg: str) -> list[tuple[float, float, str]]:
    """Place, width and words of every piece of text, in character cells."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    texts = root.iterfind(".//{http://www.w3.org/2000/svg}text[@textLength]")
    return [
        (float(item.attrib["x"]) / CELL, float(item.attrib["textLength"]) / CELL, (item.text or "").strip("\xa0\n"))
        for item in texts
    ]


def test_every_run_of_one_width_has_its_own_place() -> None:
    """A Chinese character takes two columns, a digit one; neither moves the other."""
    found = list_texts(export_svg(Text("总计12件"), "title"))
    assert [(round(x, 1), round(width, 1), text) for x, width, text in found if text] == [
        (0, 4, "总计"),
        (4, 2, "12"),
        (6, 2, "件"),
    ]


def test_markup_in_text_stays_text() -> None:
    """What a report prints is never markup of the picture."""
    assert any("<b>&5</b>" in text for _, _, text in list_texts(export_svg(Text("<b>&5</b>"), "<title>")))


def test_no_font_is_fetched() -> None:
    """The only address is the name of the SVG format."""
    assert set(re.findall(r"[a-z]+://[^\"' )]+", export_svg(Text("总计"), "title"))) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("term", ["dumb", "xterm-256color", ""])
def test_width_does_not_depend_on_the_terminal(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same picture everywhere, since it is kept in the repository."""
    plain = export_svg(Text("x" * 150), "title")
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "44")
    assert export_svg(Text("x" * 150), "title") == plain
