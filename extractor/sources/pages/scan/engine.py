"""The OCR engine: finds words in an image and reads crops. The only importer of rapidocr.

Lives here: loading (once a process, on first use, from the models inside the package, never from the network) and
plain results. Does not live here: any judgement of what was read; nothing is left out for its confidence. Called by
upright (orientation), reader and second_look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import rapidocr
from rapidocr.main import RapidOCRError

from extractor.errors import MissingProgram

Image = npt.NDArray[np.uint8]
Quad = npt.NDArray[np.float32]

MODELS = Path(rapidocr.__file__).parent / "models"
_FIND_MODEL, _READ_MODEL = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

# The height that the recognition model takes, and crops a batch.
_CROP_HEIGHT = 48
_BATCH = 6
_threads = 1


class Character(NamedTuple):
    """One recognised character: its confidence, and where its middle is in parts of the crop's width (both 0 to 1)."""

    text: str
    confidence: float
    middle: float


class Reading(NamedTuple):
    """What one crop was read as. No characters: the engine found nothing to read."""

    characters: tuple[Character, ...]

    @property
    def text(self) -> str:
        """The characters in order."""
        return "".join(character.text for character in self.characters)

    @property
    def confidence(self) -> float:
        """That of the least certain character; 0 where nothing was read."""
        return min((character.confidence for character in self.characters), default=0.0)


class FoundText(NamedTuple):
    """A region that the engine takes for text: its reading and its corners in pixels.

    `quad` has shape (4, 2): top left, top right, bottom right, bottom left.
    """

    reading: Reading
    quad: Quad


def configure_engine(threads: int) -> None:
    """Sets how many threads the engine computes with. Before its first use in this process; later calls do nothing."""
    global _threads  # noqa: PLW0603 - one engine a process
    _threads = threads


def check_models(folder: Path = MODELS) -> tuple[Path, Path]:
    """Where the models for finding and for reading text are.

    Raises:
        MissingProgram: one of them is not in `folder`; nothing is ever downloaded.
    """
    models = folder / _FIND_MODEL, folder / _READ_MODEL
    for model in models:
        if not model.is_file():
            raise MissingProgram(
                str(model),
                "this OCR model is not inside the installed package rapidocr",
                "Install rapidocr anew, in the version of constraints.txt; nothing is downloaded while reading.",
            )
    return models


@cache
def _load_engine() -> Any:
    find_model, read_model = check_models()
    cv2.setNumThreads(_threads)
    engine = rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            # With the paths given the package neither looks for models nor fetches any.
            "Det.model_path": str(find_model),
            "Rec.model_path": str(read_model),
            # Narrow crops are not widened to 320 pixels: most crops of a table are one digit.
            "Rec.rec_img_shape": [3, _CROP_HEIGHT, _CROP_HEIGHT],
            "Rec.rec_batch_num": _BATCH,
            "EngineConfig.onnxruntime.intra_op_num_threads": _threads,
        }
    )
    engine.return_word_box = True  # confidences and places of the single characters
    return engine


def find_regions(image: Image) -> list[Quad]:
    """Corners of the regions with text, in pixels, from top to bottom. `image` has shape (height, width, 3), BGR."""
    engine = _load_engine()
    small, record = engine.preprocess_img(image)
    try:
        _, found = engine.detect_and_crop(small, record)
    except RapidOCRError:  # its way to say that there is no text
        return []
    ratio, shift = record["preprocess"], record["padding_1"]
    corners = np.asarray(found.boxes, dtype=np.float32)
    corners -= np.array([shift["left"], shift["top"]], dtype=np.float32)
    corners *= np.array([ratio["ratio_w"], ratio["ratio_h"]], dtype=np.float32)
    return list(corners)


def cut_region(image: Image, quad: Quad) -> Image:
    """The region as an upright rectangle, at the image's own scale."""
    width = max(1, round(float(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2])))))
    height = max(1, round(float(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad, corners)
    cut = cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.asarray(cut, dtype=np.uint8)


def find_words(image: Image) -> list[FoundText]:
    """Finds and reads everything that looks like text, from top to bottom.

    Regions without a reading are kept: there is ink that the engine takes for text.
    """
    quads = find_regions(image)
    readings = read_crops([cut_region(image, quad) for quad in quads])
    return [FoundText(reading, quad) for reading, quad in zip(readings, quads, strict=True)]


def recognise(crops: Sequence[Image]) -> list[tuple[str, float]]:
    """Text and confidence (the least of its characters) of each crop of one line of text; (`""`, 0.0): nothing read."""
    return [(reading.text, reading.confidence) for reading in read_crops(crops)]


def read_crops(crops: Sequence[Image]) -> list[Reading]:
    """Reads each crop of one line of text; crops of like width go through the engine together."""
    if not crops:
        return []
    result = _load_engine().recognize_txt(list(crops))
    return [_to_reading(text, word_info) for text, word_info in zip(result.txts, result.word_results, strict=True)]


def _to_reading(text: str, word_info: Any) -> Reading:
    # The engine gives confidences for all characters, columns of its output for all but white space.
    columns = iter([column for word in word_info.word_cols for column in word])
    length = word_info.line_txt_len or 1.0
    characters = []
    last = 0.0
    for letter, confidence in zip(text, word_info.confs, strict=False):
        if not letter.isspace():
            last = min((next(columns) + 0.5) / length, 1.0)
        characters.append(Character(letter, float(confidence), last))
    while characters and characters[-1].text.isspace():
        characters.pop()
    while characters and characters[0].text.isspace():
        characters.pop(0)
    return Reading(tuple(characters))
