"""The user's file of names: what it says, and what it may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.errors import SettingsError
from extractor.panel import read_aliases


def _write(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "names.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_variants_are_folded_and_agencies_kept_as_written(tmp_path: Path) -> None:
    path = _write(tmp_path, "note,Agency,variant\nx,平潭综合实验区（管委会）,平潭 综合实验区\n\n")
    assert read_aliases(path) == {"平潭综合实验区": "平潭综合实验区（管委会）"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file is empty"),
        ("name,agency\n", "line 1: no columns `variant` and `agency`"),
        ("variant,agency\n甲县,甲县人民政府\n乙县\n", "line 3: two names are needed"),
        ("variant,agency\n甲县,\n", "line 2: two names are needed"),
        (
            "variant,agency\n甲县,甲县人民政府\n甲 县,乙县人民政府\n",
            "line 3: 甲 县 is 乙县人民政府 here and 甲县人民政府 in line 2",
        ),
        ("variant,agency\n甲县,甲县政府\n甲县政府,甲县人民政府\n", "line 2: 甲县政府 is itself a variant"),
        ('variant,agency\n"甲县,甲县人民政府\n', "Save it again"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        read_aliases(path)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)


def test_a_local_code_page_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CSV UTF-8"):
        read_aliases(_write(tmp_path, "variant,agency\n甲县,甲县人民政府\n", "gbk"))
    with pytest.raises(SettingsError, match="Check the path"):
        read_aliases(tmp_path / "none.csv")


def test_an_agency_may_stand_for_itself(tmp_path: Path) -> None:
    path = _write(tmp_path, "variant,agency\n甲县,甲县人民政府\n甲县人民政府,甲县人民政府\n")
    assert read_aliases(path) == {"甲县": "甲县人民政府", "甲县人民政府": "甲县人民政府"}
