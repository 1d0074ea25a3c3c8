"""Markdown: plain text whose markup readers need not see.

Lives here: hiding emphasis, escapes and line-break tags. Does not live here: pipe tables, which
are read as in any text (extractor.sources.text) because real files break the rules that a Markdown
parser needs (rows without a header, delimiter rows in the middle). Called by extractor.sources.
"""

from __future__ import annotations

import re

from extractor.sources.view import GAP

_MARKUP = re.compile(r"\*\*|__|(?<=\n)[ ]{0,3}#{1,6}(?=[ ])|\\(?=[.\-_*#()\[\]+!`~])|`+")
_BREAK = re.compile(r"<br\s*/?>", re.I)


def hide_markup(view: str) -> str:
    """Hide the markup of a Markdown view; the length does not change."""
    view = _BREAK.sub(lambda match: " " * len(match.group()), view)
    return _MARKUP.sub(lambda match: GAP * len(match.group()), view)
