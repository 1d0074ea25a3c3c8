"""extractor show: pictures of pages that cannot be, and what is said then. Nothing is read in vain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.settings import load_settings

REPORT = "某市民政局2023年政府信息公开工作年度报告\n一、总体情况\n全年共收到政府信息公开申请7件。\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.txt").write_text(REPORT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


def show(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["show", *arguments])


def test_a_text_has_no_page_to_draw() -> None:
    result = show("a.txt", "--page-image", "a.png")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: a.txt")
    assert "text/plain" in result.stderr
    assert not Path("a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--page", "2"), "--page-image"),
        (("--page-image", "a.jpg"), ".png"),
        (("--page-image", "nowhere/a.png"), "nowhere/a.png: the folder does not exist"),
    ],
)
def test_a_wrong_option_is_found_before_the_file_is_read(arguments: tuple[str, ...], said: str) -> None:
    result = show("gone.txt", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "gone.txt" not in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder / "locked").mkdir(mode=0o500)
    result = show("a.txt", "--page-image", "locked/a.png")
    assert result.exit_code == 2
    assert "locked/a.png" in result.stderr
