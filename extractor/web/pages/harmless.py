"""A scraped web page -> HTML that nothing can come of: no script, no address, no picture, no style of its own.

nh3 cleans (an allow-list); the frame that shows it is sandboxed, and its policy (headers.FRAME_POLICY) allows our style
sheet only. Called by documents.
"""

from __future__ import annotations

import re
from collections import Counter

import nh3

from extractor.errors import SourceTooLarge
from extractor.sources.detect import decode_text
from extractor.web.pages.rendering import locate_asset

_TAGS = {
    *("p", "div", "span", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("b", "strong", "i", "em", "u", "s", "sub", "sup", "small", "pre", "blockquote", "center", "font", "section"),
    *("article", "main", "header", "footer"),
}
_SPANS = {"colspan", "rowspan"}
_WITHOUT_CONTENT = {"script", "style", "title", "template", "noscript", "iframe", "svg", "math", "object", "select"}
_MOST_BYTES = 4_000_000
#: Cleaning takes time by the square of it.
_DEEPEST = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
#: Elements that nothing stands in, and those that the next of their kind ends: real pages leave their end tags out.
_NOT_NESTING = frozenset(
    {"p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "col"}
    | {"rt", "rp", "br", "hr", "img", "input", "meta", "link", "area", "base", "embed", "param", "source", "wbr"}
)


def make_harmless(raw: bytes) -> str:
    """The page's text and tables, for a sandboxed frame.

    Raises:
        SourceTooLarge: it nests deeper than pages do.
    """
    text, _charset, _notices = decode_text(raw[:_MOST_BYTES])
    if _measure_nesting(text) > _DEEPEST:
        raise SourceTooLarge("this web page", "it nests too deep to be shown as a page", "Look at its text")
    clean = nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags=_WITHOUT_CONTENT,
        attributes={"td": _SPANS, "th": _SPANS},
        strip_comments=True,
        link_rel=None,
    )
    style = locate_asset("frame.css")
    head = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><link rel="stylesheet" href="{style}"></head>'
    )
    return f"{head}<body>{clean}</body></html>"


def _measure_nesting(text: str) -> int:
    """The most elements that are open at once, as the tags tell; no less than a parser finds in what people write."""
    opened: Counter[str] = Counter()
    depth = most = 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name in _NOT_NESTING:
            continue
        if not tag[1]:
            opened[name] += 1
            depth += 1
            most = max(most, depth)
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
    return most
