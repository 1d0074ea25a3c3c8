"""A picture of a page -> PageContent: straightened, its rules found, its ink recognised.

Runs in worker processes only (loads OpenCV and the OCR engine, the extra `ocr`). Called by
extractor.sources.pages.tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from extractor.errors import MissingProgram


def check_installed(needed: Sequence[str] = ("cv2", "rapidocr")) -> None:
    """See that the modules that recognise ink are there, before those of this package are loaded.

    Raises:
        MissingProgram: the program was installed without its extra.
    """
    if missing := [name for name in needed if find_spec(name) is None]:
        raise MissingProgram(
            ", ".join(missing),
            "it has to be recognised from its picture, and OCR is not installed (the extra 'ocr')",
            "Install it: pip install 'extractor[ocr]'",
        )
