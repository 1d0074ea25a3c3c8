"""Pages without the extra `ocr`: a text layer is read with the core alone, ink says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest

from extractor.errors import MissingProgram
from extractor.sources.pages.opening import refuse
from extractor.sources.pages.scan import check_installed

_READ = """
import sys
from extractor.settings import Settings
from extractor.sources.pages.tasks import PageFile, PageRead, picture_boxes, Cut, read_page
file = PageFile(sys.argv[1], "pdf")
read = read_page(file, Settings(), 1)
assert isinstance(read, PageRead), read
assert read.content.page.read_by == "text_layer", read
assert picture_boxes(file, Settings(), 1, 100, [Cut((0, 0, 50, 50), 90)])[0].startswith(b"\\x89PNG")
print([name for name in ("cv2", "rapidocr") if name in sys.modules])
"""


def test_what_is_missing_is_named_with_the_remedy() -> None:
    check_installed(("sys",))
    with pytest.raises(MissingProgram, match=r"pip install 'extractor\[ocr\]'") as caught:
        check_installed(("sys", "no_such_engine"))
    refusal = refuse(caught.value)
    assert (refusal.kind, refusal.remedy) == ("missing", "Install it: pip install 'extractor[ocr]'")


def test_a_text_layer_needs_neither_opencv_nor_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "text.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 72), "政府信息公开工作年度报告 0123456789", fontname="china-s", fontsize=12)
        page.draw_rect(pymupdf.Rect(60, 100, 300, 140), fill=(0.8, 0.9, 1))
        document.save(path)
    command = [sys.executable, "-c", _READ, str(path)]
    told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S603
    assert told.strip() == "[]"
