"""An answerer that looks at the pictures it gets: it finds each on the page that it knows, and says what stands there.

Nothing is recognised. The true cells are known from drawing the page (tests.sheets); a picture that shows no part of
the page, or another part than rows of the table that is asked about, gets no reply. So a reply proves that the right
pixels came. The replies are simulated, and no measure of how well a model reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from extractor.forms import Form, Section, load_forms
from extractor.llm.prompts import row_numbers
from tests.loopback.messages import Answer, ApiError, ChatRequest, answer_json
from tests.loopback.questions import PAGE, Recogniser
from tests.sheets import Sheet

#: Rows as a reply has them: number and cells.
Rows = list[list[str | None]]
#: What is said instead of the true rows.
Spoil = Callable[[Rows], Rows]

_LEAST_LIKENESS = 0.98
_SECTIONS = {"proactive_disclosure": "二", "applications": "三", "review_litigation": "四"}


class Seen(NamedTuple):
    """A picture that was found on the page: its task, and the rectangle in points."""

    task: str
    left: float
    top: float
    right: float
    bottom: float


def say_true(rows: Rows) -> Rows:
    """No mistake."""
    return rows


class PictureReader:
    """Answers about the pictures of one sheet.

    Attributes:
        seen: where every picture so far was found.
    """

    def __init__(self, sheet: Sheet, spoil: Spoil = say_true) -> None:
        self.seen: list[Seen] = []
        self._sheet = sheet
        self._spoil = spoil
        self._recogniser = Recogniser()
        self._page = sheet.render()

    def __call__(self, request: ChatRequest) -> Answer:
        question = self._recogniser.read(request)
        places = [self._find(question.task, image) for image in request.images]
        self.seen += places
        if question.task == PAGE:
            return answer_json({"tables": list(self._read_page())})
        if question.section is None:
            raise ApiError(422, f"{question.task} is about no table", "unknown_question")
        return answer_json({"rows": self._spoil(self._read_rows(question.section, places))})

    def _find(self, task: str, image: bytes) -> Seen:
        """Where on the page a picture is from. Each pixel of it must be there."""
        picture = _decode(image)
        if any(mine > whole for mine, whole in zip(picture.shape, self._page.shape, strict=True)):
            raise ApiError(422, "the picture is larger than the page", "unknown_picture")
        likeness = cv2.matchTemplate(self._page, picture, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if best < _LEAST_LIKENESS:
            raise ApiError(422, f"the picture is no part of the page (likeness {best:.2f})", "unknown_picture")
        height, width = picture.shape
        scale = 72 / self._sheet.dpi
        return Seen(task, x * scale, y * scale, (x + width) * scale, (y + height) * scale)

    def _read_rows(self, section: Section, places: Sequence[Seen]) -> Rows:
        numbers = {row_id: number for number, row_id in row_numbers(section).items()}
        shown = [row for place in places for row in self._sheet.rows_within(section, place.top, place.bottom)]
        return [[numbers[row], *self._cells(section, row)] for row in dict.fromkeys(shown)]

    def _cells(self, section: Section, row: str) -> list[str | None]:
        columns = section.rows_by_id[row].columns
        return [self._sheet.printed[section.field_id(row, column.id)] or None for column in columns]

    def _read_page(self) -> list[Mapping[str, Any]]:
        form: Form = load_forms().generations[self._sheet.generation]
        drawn = [table.section for table in self._sheet.tables]
        everywhere = [Seen(PAGE, 0, 0, 1e9, 1e9)]
        return [
            {"section": _SECTIONS[name], "rows": self._spoil(self._read_rows(form.sections[name], everywhere))}
            for name in drawn
        ]


def _decode(png: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ApiError(400, "Invalid image data.", "invalid_image")
    return np.asarray(picture, np.uint8)
