"""A matplotlib figure as SVG that belongs to the page: its colours, its font, no id of its own.

Lives here: the style of all charts and the way from a figure to markup. Does not live here: what a chart shows
(charts). Called by charts.

Charts are drawn in stand-in colours, and each is replaced by the page's variable of that name, so that one picture
serves the light page, the dark one and paper. The same figure gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
from lxml import etree
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

Colour = Literal["ink", "muted", "grid", "main", "soft", "wrong", "other"]
# Never seen: markup only. No two alike, and none that matplotlib writes of its own accord.
_STANDINS: dict[Colour, str] = {
    "ink": "#010203",
    "muted": "#010204",
    "grid": "#010205",
    "main": "#010206",
    "soft": "#010207",
    "wrong": "#010208",
    "other": "#010209",
}
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_URL = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font: (?P<size>[\d.]+)px [^;]*")
_STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read out, searched and scaled
    "svg.hashsalt": "extractor",  # else ids differ from run to run
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.size": 10,
    "axes.edgecolor": _STANDINS["muted"],
    "axes.labelcolor": _STANDINS["ink"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _STANDINS["grid"],
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.color": _STANDINS["ink"],
    "xtick.color": _STANDINS["muted"],
    "ytick.color": _STANDINS["muted"],
    "xtick.labelcolor": _STANDINS["ink"],
    "ytick.labelcolor": _STANDINS["ink"],
}


def choose_colour(name: Colour) -> str:
    """The stand-in that export_figure turns into the page's variable of that name."""
    return _STANDINS[name]


@contextmanager
def open_figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure in the page's style, its size in inches; charts are narrow, so that a telephone shows them whole."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        yield figure, axes


def export_figure(figure: Figure, name: str, title: str) -> Markup:
    """Draw the figure.

    Args:
        name: of the chart, an id on the page; ids within the drawing are made from it.
        title: what the chart shows, for readers who do not see it.
    """
    drawn = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    root = etree.fromstring(drawn.getvalue(), etree.XMLParser(resolve_entities=False, no_network=True))
    _strip_page(root)
    _rename_ids(root, name)
    for key in ("width", "height"):
        del root.attrib[key]
    root.set("role", "img")
    root.set("aria-label", title)
    etree.cleanup_namespaces(root)
    text = etree.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG}"', "")  # HTML knows the element
    for colour, standin in _STANDINS.items():
        text = text.replace(standin, f"var(--{colour})")
    return Markup(_FONT.sub(r"font-size: \g<size>px", text))  # noqa: S704 - matplotlib escapes what it is given


def _strip_page(root: etree._Element) -> None:
    """Off with what is for a file of its own: its style sheet, which would rule the whole page, and metadata."""
    for tag in ("metadata", "style"):
        for element in list(root.iter(f"{{{_SVG}}}{tag}")):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
    for comment in list(root.iter(etree.Comment)):
        parent = comment.getparent()
        if parent is not None:
            parent.remove(comment)


def _rename_ids(root: etree._Element, name: str) -> None:
    """Only ids that something points at stay, and they get the chart's name in front: a page has many charts."""
    values = [str(value) for element in root.iter() for value in element.attrib.values()]
    used = {value.removeprefix("#") for value in values if value.startswith("#")}
    used |= {found for value in values for found in _URL.findall(value)}
    for element in root.iter():
        own = element.get("id")
        if own in used:
            element.set("id", f"{name}-{own}")
        elif own is not None:
            del element.attrib["id"]
        target = element.get(_XLINK)
        if target:
            del element.attrib[_XLINK]
            element.set("href", f"#{name}-{target.removeprefix('#')}")
        for key, value in element.attrib.items():
            if "url(#" in str(value):
                element.set(key, _URL.sub(rf"url(#{name}-\1)", str(value)))
