"""A page image by a model: the rows of the form that it shows, word for word.

Lives here: asking with a picture of a whole page, through the same journal and budget as with text. Does not live
here: making the picture, and rows whose places on the page are known (vision). A reply about a page has no cell to be
compared with, so what it says is a proposal until something else places it. Called by vision.
"""

from __future__ import annotations

from collections.abc import Mapping

from extractor.forms import Form
from extractor.llm.calls import Image
from extractor.llm.prompts import describe_form, row_numbers
from extractor.llm.wire import PageRows, split_rows
from extractor.readers.llm.asking import Questioner

Cells = tuple[str | None, ...]

_SECTIONS = {"二": "proactive_disclosure", "三": "applications", "四": "review_litigation"}
_REQUEST = "请抄录这一页。"


async def read_page(questioner: Questioner, form: Form, image: Image) -> dict[str, dict[str, Cells]]:
    """Ask for the rows on one page image.

    Args:
        questioner: of the document that the page belongs to.
        form: the generation whose rows are asked for.
        image: the page.

    Returns:
        By section id and row id the cells as the model read them: text, or None for an empty cell;
        `?` where it could not tell. Rows that the form does not have are left out.

    Raises:
        CallError: no usable reply.
    """
    reply: PageRows = await questioner.ask("page", _REQUEST, describe_form(form), images=(image,))
    found: dict[str, dict[str, Cells]] = {}
    for table in reply.tables:
        section = form.sections[_SECTIONS[table.section]]
        ids: Mapping[str, str] = row_numbers(section)
        rows = {ids[row.row]: row.cells for row in split_rows(table.rows) if row.row in ids}
        found.setdefault(section.id, {}).update(rows)
    return found
