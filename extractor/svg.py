"""A terminal picture as SVG whose columns hold with Chinese text.

Lives here: mending what rich exports. Does not live here: what the picture shows (console). Called by cli.

Rich gives every text the width of its number of characters, so that characters of two columns are
squeezed into one, and it names a font on the network. Here every run of characters of one width
gets a place and a width of its own, and fonts are those of the viewer.
"""

from __future__ import annotations

import io
import re
from html import escape, unescape
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, RenderableType

_WIDTH = 100
_HEIGHT = 25  # of no consequence, but rich ignores the width in a dumb terminal unless both are given
_ASPECT = 0.61  # width of a character cell to its height, as rich draws it
_CELL = 20 * _ASPECT
_TEXT = re.compile(
    r'<text class="(?P<style>[^"]+)" x="(?P<x>[^"]+)" y="(?P<y>[^"]+)" textLength="[^"]+" (?P<clip>clip-path="[^"]+")>'
    r"(?P<text>[^<]*)</text>"
)
_FONTS = "'Noto Sans Mono CJK SC', 'Sarasa Mono SC', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: FONTS; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
""".replace("FONTS", _FONTS)


def export_svg(picture: RenderableType, title: str) -> str:
    """Draw a picture as a terminal of a hundred columns would show it.

    Args:
        picture: see extractor.console.render_record.
        title: of the drawn window.
    """
    console = Console(
        record=True,
        file=io.StringIO(),
        width=_WIDTH,
        height=_HEIGHT,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
    )
    console.print(picture)
    svg = console.export_svg(title=title, code_format=_FORMAT, font_aspect_ratio=_ASPECT)
    return _TEXT.sub(_split_runs, svg)


def _split_runs(match: re.Match[str]) -> str:
    """One text element -> one for each run of characters of equal width."""
    x, runs = float(match["x"]), []
    for cells, characters in groupby(unescape(match["text"]), key=cell_len):
        run = "".join(characters)
        width = _CELL * cells * len(run)
        if cells and run.strip("\xa0"):
            shown = escape(run).replace("\xa0", "&#160;")
            runs.append(
                f'<text class="{match["style"]}" x="{x:g}" y="{match["y"]}" textLength="{width:g}" '
                f"{match['clip']}>{shown}</text>\n"
            )
        x += width
    return "".join(runs)
