"""The text and tables of the pictures in a web page or a Word file, put into its text.

Lives here: having the pictures read that the shelf found (pictures), each one's text in its place, and naming those
that were not read and may hide a table. Does not live here: recognition (extractor.sources.pages). Called by
extractor.sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from extractor.errors import SourceError
from extractor.flags import make_flag
from extractor.forms import TABLE_SECTIONS
from extractor.model import Flag, Heading
from extractor.settings import Settings
from extractor.sources.base import Linear, join_linears
from extractor.sources.blocks import Block, Table, lay_out
from extractor.sources.detect import SourceKind
from extractor.sources.headings import find_headings
from extractor.sources.pictures import MOST_PICTURES, PictureMark, Shown
from extractor.sources.view import fold_view

if TYPE_CHECKING:
    from extractor.sources.pages import PagesUnderWay


class PicturesUnderWay:
    """Blocks whose pictures are being read by worker processes: asked for at once, waited for when laid out.

    Raises nothing when it is made.
    """

    def __init__(self, blocks: Sequence[Block], settings: Settings) -> None:
        self._blocks = list(_lift_marks(blocks))
        self._outcomes: dict[str, Linear | Shown] = {shown.name: shown for shown in _list_shown(self._blocks)}
        self._under_way = _begin(self._outcomes, settings)

    def wait(self) -> Linear:
        """Write blocks one after another, with the text of pictures in the place of their marks. To be called once.

        Pictures that could not be read and may hide a table get a `picture-not-read` flag.

        Raises:
            CancelledError: see cancel.
        """
        notices = self._wait_for_reads() if self._under_way else ()
        parts: list[Linear] = []
        unread: list[tuple[int, Shown]] = []
        for is_mark, run in groupby(self._blocks, key=lambda block: isinstance(block, PictureMark)):
            if not is_mark:
                parts.append(lay_out(run, ()))
                continue
            for mark in run:
                outcome = self._outcomes[mark.shown.name] if isinstance(mark, PictureMark) else None
                if isinstance(outcome, Linear):
                    parts.append(outcome)
                elif outcome is not None:
                    unread.append((sum(len(part.text) for part in parts), outcome))
        linear = join_linears(parts)
        return replace(linear, notices=(*linear.notices, *notices, *_flag_unread(linear, unread)))

    def cancel(self) -> None:
        """Give the pictures up; whoever waits for them gets a CancelledError."""
        for pages in self._under_way.values():
            pages.cancel()

    def _wait_for_reads(self) -> tuple[Flag, ...]:
        """Put what a picture says, or why it was not read, in its place; give the findings about recognition."""
        from extractor.sources.pages.compose import compose_pages  # noqa: PLC0415
        from extractor.sources.pages.reading import flag_ocr  # noqa: PLC0415
        from extractor.sources.pages.tasks import PageRead  # noqa: PLC0415

        all_reads: list[PageRead] = []
        try:
            for name, pages in self._under_way.items():
                try:
                    reads = pages.wait_pages()
                except SourceError as error:
                    self._outcomes[name] = Shown(name, is_large=True, problem=error.problem)
                    continue
                numbered = [
                    read._replace(
                        content=replace(read.content, page=replace(read.content.page, number=number, name=name))
                    )
                    for number, read in enumerate(reads, start=len(all_reads) + 1)
                ]
                all_reads += numbered
                self._outcomes[name] = compose_pages([read.content for read in numbered])
        finally:
            self.cancel()  # nothing is left to cancel unless something was raised
        return flag_ocr(all_reads)


def find_picture(blocks: Iterable[Block], name: str) -> bytes | None:
    """The bytes of a picture among blocks; None when there is none of that name."""
    return next((shown.raw for shown in _list_shown(_lift_marks(blocks)) if shown.name == name), None)


def _begin(pictures: Mapping[str, Linear | Shown], settings: Settings) -> dict[str, PagesUnderWay]:
    raws = {name: shown.raw for name, shown in pictures.items() if isinstance(shown, Shown) and shown.raw is not None}
    if not raws:
        return {}
    # A file without pictures needs no worker processes.
    from extractor.sources.pages import begin_pages  # noqa: PLC0415

    return {name: begin_pages(SourceKind.PICTURE, raw, name, settings) for name, raw in raws.items()}


def _list_shown(blocks: Iterable[Block]) -> Iterator[Shown]:
    return (block.shown for block in blocks if isinstance(block, PictureMark))


def _lift_marks(blocks: Iterable[Block]) -> Iterator[Block]:
    """Pictures in the cells of a table stand behind the table."""
    for block in blocks:
        yield block
        if isinstance(block, Table):
            for cell in block.cells:
                marks = [line for line in cell.blocks if isinstance(line, PictureMark)]
                if marks:
                    cell.blocks = [line for line in cell.blocks if not isinstance(line, PictureMark)]
                    yield from marks


# ---------------------------------------------------------------- what was not read


def _flag_unread(linear: Linear, unread: Sequence[tuple[int, Shown]]) -> list[Flag]:
    """Name the pictures that may hide a table.

    A picture may hide the table of the section that it stands in, where there is none. Where the heading of a table is
    missing, too, any large picture behind the first heading may; where there are no headings, any large picture.
    """
    if not unread:
        return []
    view = fold_view(linear.text)
    headings = find_headings(view, 0, len(view))
    with_table = {_section_at(headings, grid.start) for grid in linear.grids}
    bare = {heading.section for heading in headings} & set(TABLE_SECTIONS) - with_table
    has_lost_headings = not set(TABLE_SECTIONS) <= {heading.section for heading in headings}
    flags = []
    for position, shown in unread:
        section = _section_at(headings, position)
        is_hiding = section in bare or (shown.is_large and has_lost_headings and (section is not None or not headings))
        if is_hiding and shown.is_large is not False:
            flags.append(make_flag("picture-not-read", name=shown.name, problem=shown.problem))
    return flags[:MOST_PICTURES]


def _section_at(headings: Iterable[Heading], position: int) -> str | None:
    """The section that a place stands behind the heading of; None in front of the first."""
    before = [heading.section for heading in headings if heading.start < position]
    return before[-1] if before else None
