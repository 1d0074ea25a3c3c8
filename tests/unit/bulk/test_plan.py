"""Which files a run reads, and where each came from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from extractor.bulk.plan import plan_inputs, printable_path
from extractor.errors import SettingsError
from extractor.model import Origin


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("docs/b.txt", "docs/a.txt", "docs/deep/c.html", "docs/.hidden", "docs/~$a.docx", "docs/.git/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _paths(*arguments: str, manifest: Path | None = None) -> list[str]:
    return [planned.path for planned in plan_inputs(arguments, manifest).files]


def _write_manifest(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "sources.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_a_folder_is_read_recursively_sorted_without_hidden_and_lock_files(folder: Path) -> None:
    assert _paths("docs") == ["docs/a.txt", "docs/b.txt", "docs/deep/c.html"]


def test_a_glob_that_the_shell_left_alone_is_expanded(folder: Path) -> None:
    assert _paths("docs/**/*.html", "docs/*.txt") == ["docs/deep/c.html", "docs/a.txt", "docs/b.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder: Path) -> None:
    (folder / "report[1].txt").write_text("x", encoding="utf-8")
    assert _paths("report[1].txt") == ["report[1].txt"]


def test_the_same_file_named_twice_is_planned_once(folder: Path) -> None:
    assert _paths("docs/a.txt", "docs", str(folder / "docs" / "b.txt")) == [
        "docs/a.txt",
        "docs/b.txt",
        "docs/deep/c.html",
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["docs", "gone.txt"], "gone.txt"), (["docs/*.pdf"], "docs/*.pdf"), ([], "manifest"), (["docs/.git"], None)],
)
def test_inputs_that_lead_nowhere_stop_everything(folder: Path, arguments: list[str], named: str | None) -> None:
    if named is None:
        os.remove("docs/.git/x.txt")
    with pytest.raises(SettingsError, match=(named or "no files").replace("*", r"\*")):
        plan_inputs(arguments, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path) -> None:
    (folder / "docs" / "deep").chmod(0)
    with pytest.raises(SettingsError, match="deep"):
        plan_inputs(["docs"], None)


def test_earlier_outputs_inside_an_input_folder_are_not_inputs(folder: Path) -> None:
    planned = plan_inputs(["docs"], None, skip=[Path("docs/b.txt"), Path("docs/none.csv")])
    assert [item.path for item in planned.files] == ["docs/a.txt", "docs/deep/c.html"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_manifest_brings_origins_and_its_own_file_is_no_input(folder: Path, encoding: str) -> None:
    text = 'file,note,url,site,fetched_at\na.txt,"x, y",http://a/1,某市,2024-01-31\nzzz.txt,,,,\na.txt,,http://a/2,,\n'
    manifest = _write_manifest(folder / "docs", text, encoding)
    plan = plan_inputs(["docs"], manifest)
    by_path = {planned.path: planned.origins for planned in plan.files}
    assert by_path == {
        "docs/a.txt": (
            Origin(path="docs/a.txt", url="http://a/1", site="某市", fetched_at="2024-01-31"),
            Origin(path="docs/a.txt", url="http://a/2"),
        ),
        "docs/b.txt": (Origin(path="docs/b.txt"),),
        "docs/deep/c.html": (Origin(path="docs/deep/c.html"),),
    }
    assert plan.unmatched_rows == ("zzz.txt",)


def test_manifest_paths_may_count_from_the_working_directory(folder: Path) -> None:
    (folder / "lists").mkdir()
    manifest = _write_manifest(folder / "lists", "path,url\ndocs/a.txt,http://a\n")
    assert plan_inputs(["docs/a.txt"], manifest).files[0].origins[0].url == "http://a"


def test_without_paths_the_manifest_names_the_files(folder: Path) -> None:
    manifest = _write_manifest(folder, "path,url\ndocs/b.txt,http://b\ndocs/none.txt,http://n\n\n")
    plan = plan_inputs([], manifest)
    assert [(item.path, item.origins[0].url) for item in plan.files] == [(str(folder / "docs/b.txt"), "http://b")]
    assert plan.unmatched_rows == ("docs/none.txt",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the manifest is empty"),
        ("url,site\nhttp://a,b\n", "line 1: no column `path`"),
        ("path,url\ndocs/a.txt,http://a\ndocs/b.txt\n", "line 3: 1 columns where the first line has 2"),
        ("path,url\ndocs/a.txt,http://a?x=1,2\n", "line 2: 3 columns"),
        ("path,url\n,http://a\n", "line 2: the path is empty"),
        ('path,url\n"docs/a.txt"x,http://a\n', "line 2:"),
    ],
)
def test_a_malformed_manifest_is_refused_with_its_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match="sources.csv, " + message.replace("`", ".")):
        plan_inputs(["docs"], _write_manifest(folder, text))


def test_a_manifest_in_another_encoding_is_refused_with_its_line(folder: Path) -> None:
    manifest = _write_manifest(folder, "path,site\ndocs/a.txt,某市\n", "gbk")
    with pytest.raises(SettingsError, match="line 2: not UTF-8"):
        plan_inputs(["docs"], manifest)


def test_a_missing_manifest_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.csv"):
        plan_inputs(["docs"], folder / "gone.csv")


def test_a_file_name_that_is_not_utf8_stays_printable() -> None:
    assert printable_path(os.fsdecode(b"\xb9\xfa.txt")) == r"\xb9\xfa.txt"
