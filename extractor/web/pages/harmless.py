"""A scraped web page -> HTML that nothing can come of: no script, no address, no picture, no style of its own.

nh3 cleans (an allow-list); the frame that shows it is sandboxed, and its policy (headers.FRAME_POLICY) allows our style
sheet only. Called by documents.
"""

from __future__ import annotations

import nh3

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


def make_harmless(raw: bytes) -> str:
    """The page's text and tables, for a sandboxed frame."""
    text, _charset, _notices = decode_text(raw[:_MOST_BYTES])
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
