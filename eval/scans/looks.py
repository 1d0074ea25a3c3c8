"""How a synthetic report looks: fonts, sizes, rules, margins. Does not live here: any drawing (form)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

_A4 = (595.0, 842.0)
_A3 = (842.0, 1191.0)
_SHADES = (None, None, (0.78, 0.85, 0.94), (0.88, 0.88, 0.88), (0.93, 0.9, 0.82))
#: Fonts of digits that come with pymupdf; `cjk` is the one of the labels.
_DIGITS = ("helv", "tiro", "tiro", "cour", "cjk", "cjk", "tibo")


@dataclass(frozen=True)
class Look:
    """One look. Lengths in points.

    Attributes:
        paper: width and height of a page.
        digits: font of digits, in cells and text.
        leading: distance of two lines of running text.
        value_size: of the digits in cells; less where a number is too wide for its cell.
        row_height: least height of a table's row.
        rule_gray: 0 is black.
        shade: behind the captions of section 二 and the header rows, as red, green, blue; None for white.
        is_left: values stand at the left of their cells, not in the middle.
        centres_labels: all labels stand in the middle of their cells, not only those of several rows.
        own_page: section 三 begins on a new page.
        splits_labels: the lines of a label that a page break divides stand on both pages.
        repeats_header: the header of section 三 is printed again after a page break.
        closes_breaks: a page break inside a table has a rule above and below it.
    """

    paper: tuple[float, float]
    digits: str
    margin: float
    top: float
    body_size: float
    leading: float
    label_size: float
    value_size: float
    row_height: float
    rule_width: float
    rule_gray: float
    shade: tuple[float, float, float] | None
    is_left: bool
    centres_labels: bool
    own_page: bool
    splits_labels: bool
    repeats_header: bool
    closes_breaks: bool
    page_number: str


def draw_look(rng: Random) -> Look:
    """A look for a report of two or three pages."""
    body_size = rng.choice((11.0, 12.0, 14.0))
    label_size = rng.choice((8.5, 9.0, 10.0))
    return Look(
        paper=_A4,
        digits=rng.choice(_DIGITS),
        margin=rng.choice((50.0, 62.0, 72.0)),
        top=rng.choice((60.0, 72.0)),
        body_size=body_size,
        leading=body_size * rng.choice((1.4, 1.6, 1.9)),
        label_size=label_size,
        value_size=rng.choice((label_size, label_size + 1, 10.5, 12.0)),
        row_height=rng.choice((17.0, 20.0, 23.0, 26.0)),
        rule_width=rng.choice((0.4, 0.5, 0.75, 1.0)),
        rule_gray=rng.choice((0.0, 0.0, 0.0, 0.35)),
        shade=rng.choice(_SHADES),
        is_left=rng.random() < 0.15,
        centres_labels=rng.random() < 0.3,
        own_page=rng.random() < 0.3,
        splits_labels=rng.random() < 0.5,
        repeats_header=rng.random() < 0.1,
        closes_breaks=rng.random() < 0.85,
        page_number=rng.choice(("- {n} -", "{n}", "— {n} —", "第 {n} 页")),
    )


def draw_poster_look(rng: Random) -> Look:
    """A look in which a short report fits on one large sheet, as it hangs on a notice board."""
    return replace(
        draw_look(rng),
        paper=_A3,
        body_size=12.0,
        leading=18.0,
        top=44.0,
        label_size=9.0,
        row_height=rng.choice((15.0, 16.5)),
        own_page=False,
        page_number="{n}",
    )
