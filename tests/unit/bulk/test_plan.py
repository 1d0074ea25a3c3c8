"""Which documents a run reads, and where each came from."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from extractor.bulk.keeping import Ticket
from extractor.bulk.making import Source
from extractor.bulk.plan import Entry, Plan, open_plan
from extractor.bulk.progress import Progress
from extractor.errors import SettingsError, SourceError, SourceTooLarge, UnreadableSource
from extractor.model import Origin
from extractor.settings import Settings
from extractor.sources.pictures import PagePictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("docs/b.txt", "docs/a.txt", "docs/deep/c.html", "docs/.hidden", "docs/~$a.docx", "docs/.git/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _plan(
    *paths: str,
    manifest: Path | None = None,
    skip: tuple[Path, ...] = (),
    lists: tuple[str, ...] = (),
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Plan:
    settings = Settings(max_source_mb=1)
    return open_plan(paths, manifest, skip=skip, file_lists=lists, settings=settings, on_progress=on_progress)


def _entries(*paths: str, manifest: Path | None = None, skip: tuple[Path, ...] = ()) -> list[Entry]:
    with _plan(*paths, manifest=manifest, skip=skip) as plan:
        return list(plan.entries())


def _paths(*paths: str, manifest: Path | None = None, skip: tuple[Path, ...] = ()) -> list[str]:
    return [entry.path for entry in _entries(*paths, manifest=manifest, skip=skip)]


def _write_manifest(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "sources.csv"
    path.write_text(text, encoding=encoding)
    return path


# ---------------------------------------------------------------- paths


def test_a_folder_is_read_recursively_sorted_without_hidden_and_lock_files(folder: Path) -> None:
    assert _paths("docs") == ["docs/a.txt", "docs/b.txt", "docs/deep/c.html"]


def test_a_glob_that_the_shell_left_alone_is_expanded(folder: Path) -> None:
    assert _paths("docs/**/*.html", "docs/*.txt") == ["docs/deep/c.html", "docs/a.txt", "docs/b.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder: Path) -> None:
    (folder / "report[1].txt").write_text("x", encoding="utf-8")
    assert _paths("report[1].txt") == ["report[1].txt"]


def test_the_same_file_named_twice_is_planned_once(folder: Path) -> None:
    with _plan("docs/a.txt", "docs", str(folder / "docs" / "b.txt")) as plan:
        assert plan.files == plan.documents == 3
        assert [entry.path for entry in plan.entries()] == ["docs/a.txt", "docs/b.txt", "docs/deep/c.html"]
        assert all(len(entry.origins) == 1 for entry in plan.entries())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["docs", "gone.txt"], "gone.txt"), (["docs/*.pdf"], "docs/*.pdf"), ([], "manifest"), (["docs/.git"], None)],
)
def test_inputs_that_lead_nowhere_stop_everything(folder: Path, arguments: list[str], named: str | None) -> None:
    if named is None:
        os.remove("docs/.git/x.txt")
    with pytest.raises(SettingsError, match=(named or "no files").replace("*", r"\*")):
        _plan(*arguments)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path) -> None:
    (folder / "docs" / "deep").chmod(0)
    with pytest.raises(SettingsError, match="deep"):
        _plan("docs")


def test_a_folder_of_many_names_is_put_in_order_on_disk(folder: Path) -> None:
    """More names than are held in memory, among them some that are no UTF-8."""
    many = folder / "many"
    many.mkdir()
    names = [f"{number:05d}" for number in range(4_100)] + [os.fsdecode(b"\xb9\xfa.txt"), "年度.txt"]
    for name in reversed(names):
        os.symlink(folder / "docs" / "a.txt", many / name)
    with _plan("many") as plan:
        (entry,) = plan.entries()
        assert [origin.path for origin in entry.origins[:-2]] == [f"many/{name}" for name in names[:-2]]
        assert [origin.path for origin in entry.origins[-2:]] == [r"many/\xb9\xfa.txt", "many/年度.txt"]


def test_links_that_lead_nowhere_or_to_themselves_or_to_folders_are_left_out(folder: Path) -> None:
    for name, target in (("loop", "loop"), ("broken", "none"), ("up", "..")):
        os.symlink(target, folder / "docs" / name)
    assert _paths("docs") == ["docs/a.txt", "docs/b.txt", "docs/deep/c.html"]


def test_earlier_outputs_inside_an_input_folder_are_not_inputs(folder: Path) -> None:
    skip = (Path("docs/b.txt"), Path("docs/none.csv"))
    assert _paths("docs", skip=skip) == ["docs/a.txt", "docs/deep/c.html"]


# ---------------------------------------------------------------- lists of files


@pytest.mark.parametrize(
    "text", [b"docs/b.txt\r\ndocs/a.txt\n\n", b"docs/b.txt\0docs/a.txt", b"docs/b.txt\ndocs/a.txt"]
)
def test_a_list_names_files_one_a_line_or_between_nuls(folder: Path, text: bytes) -> None:
    (folder / "list").write_bytes(text)
    with _plan("docs/deep", lists=("list",)) as plan:
        assert [entry.path for entry in plan.entries()] == ["docs/deep/c.html", "docs/b.txt", "docs/a.txt"]


def test_a_list_comes_from_standard_input(folder: Path) -> None:
    code = (
        "from extractor.bulk.plan import open_plan; from extractor.settings import Settings\n"
        "with open_plan([], None, file_lists=['-'], settings=Settings(), on_progress=lambda p: None) as plan:\n"
        "    print(*(entry.path for entry in plan.entries()))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], input=b"docs/b.txt\ndocs/a.txt\n", capture_output=True, check=True
    )
    assert done.stdout.decode() == "docs/b.txt docs/a.txt\n"


def test_what_an_old_list_names_and_is_gone_fails_alone(folder: Path) -> None:
    (folder / "list").write_text("docs/gone.txt\ndocs/deep\ndocs/a.txt\ndocs/*.txt\n")
    with _plan(lists=("list",)) as plan:
        gone, below, good, pattern = plan.entries()
        assert [plan.read(below), plan.read(good)] == [b"docs/deep/c.html", b"docs/a.txt"]
        for entry in (gone, pattern):
            assert entry.document_id is None
            with pytest.raises(UnreadableSource, match="no such file"):
                plan.read(entry)


def test_a_list_that_is_missing_or_is_none_stops_everything(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.txt: the list of files cannot be read"):
        _plan(lists=("none.txt",))
    for content in (b"x" * 200_000, b"docs/a.txt\n" * 10_000 + b"docs/\0b.txt\n"):
        (folder / "film.bin").write_bytes(content)
        with pytest.raises(SettingsError, match=r"film\.bin: this is no list of files"):
            _plan(lists=("film.bin",))


# ---------------------------------------------------------------- equal and unreadable files


def test_equal_bytes_are_one_document_at_the_first_place_with_all_origins(folder: Path) -> None:
    (folder / "docs" / "deep" / "again.txt").write_text("docs/a.txt", encoding="utf-8")
    with _plan("docs") as plan:
        entries = list(plan.entries())
        assert (plan.files, plan.documents) == (4, 3)
        assert [entry.path for entry in entries] == ["docs/a.txt", "docs/b.txt", "docs/deep/c.html"]
        assert entries[0].origins == (Origin("docs/a.txt"), Origin("docs/deep/again.txt"))
        assert entries[0].document_id == hashlib.sha256(b"docs/a.txt").hexdigest()
        assert [plan.read(entry) for entry in entries] == [b"docs/a.txt", b"docs/b.txt", b"docs/deep/c.html"]
        assert [entry.where for entry in entries] == [os.path.abspath(entry.path) for entry in entries]


def test_entries_go_on_behind_a_position(folder: Path) -> None:
    with _plan("docs") as plan:
        first, *rest = plan.entries()
        assert list(plan.entries(first.position)) == rest
        assert list(plan.entries(rest[-1].position)) == []


def test_a_file_over_the_limit_fails_alone(folder: Path) -> None:
    (folder / "docs" / "a.txt").write_bytes(b"x" * 1_000_001)
    with _plan("docs") as plan:
        large, *others = plan.entries()
        assert large.document_id is None
        assert [plan.read(entry) for entry in others] == [b"docs/b.txt", b"docs/deep/c.html"]
        with pytest.raises(SourceTooLarge, match=r"docs/a\.txt: the file has 1\.0 MB, the limit is 1 MB"):
            plan.read(large)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_fails_alone(folder: Path) -> None:
    (folder / "docs" / "a.txt").chmod(0)
    with _plan("docs") as plan:
        with pytest.raises(UnreadableSource, match="Permission denied"):
            plan.read(next(plan.entries()))
        assert plan.documents == 3


@pytest.mark.parametrize("change", ["other", "larger", "gone"])
def test_a_file_that_changed_since_it_was_planned_is_not_read(folder: Path, change: str) -> None:
    with _plan("docs") as plan:
        entry = next(plan.entries())
        if change == "gone":
            os.remove("docs/a.txt")
        else:
            Path("docs/a.txt").write_bytes(b"docs/A.txt" if change == "other" else b"x" * 1_000_001)
        words = r"docs/a\.txt: No such file" if change == "gone" else "changed while the run was going on. Run again"
        with pytest.raises(SourceError, match=words):
            plan.read(entry)


def test_a_name_that_is_not_utf8_is_shown_so_that_it_can_be_kept_and_is_still_found(folder: Path) -> None:
    name = os.fsdecode(b"docs/\xb9\xfa.txt")
    Path(name).write_bytes(b"x")
    with _plan("docs") as plan:
        entry = next(entry for entry in plan.entries() if "xb9" in entry.path)
        assert (entry.path, entry.origins[0].path) == (r"docs/\xb9\xfa.txt",) * 2
        assert entry.where == os.path.abspath(name)
        assert plan.read(entry) == b"x"


# ---------------------------------------------------------------- manifest


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_manifest_brings_origins_and_its_own_file_is_no_input(folder: Path, encoding: str) -> None:
    text = 'file,note,url,site,fetched_at\na.txt,"x, y",http://a/1,某市,2024-01-31\nzzz.txt,,,,\na.txt,,http://a/2,,\n'
    manifest = _write_manifest(folder / "docs", text, encoding)
    with _plan("docs", manifest=manifest) as plan:
        assert {entry.path: entry.origins for entry in plan.entries()} == {
            "docs/a.txt": (
                Origin(path="docs/a.txt", url="http://a/1", site="某市", fetched_at="2024-01-31"),
                Origin(path="docs/a.txt", url="http://a/2"),
            ),
            "docs/b.txt": (Origin(path="docs/b.txt"),),
            "docs/deep/c.html": (Origin(path="docs/deep/c.html"),),
        }
        assert (plan.unmatched, plan.unmatched_rows) == (1, ("zzz.txt",))


def test_equal_rows_of_a_manifest_are_one_origin(folder: Path) -> None:
    manifest = _write_manifest(folder, "path,url\ndocs/a.txt,http://a\n./docs/a.txt,http://a\n")
    assert _entries("docs/a.txt", manifest=manifest)[0].origins == (Origin("docs/a.txt", "http://a"),)


def test_manifest_paths_may_count_from_the_working_directory(folder: Path) -> None:
    (folder / "lists").mkdir()
    manifest = _write_manifest(folder / "lists", "path,url\ndocs/a.txt,http://a\n")
    assert _entries("docs/a.txt", manifest=manifest)[0].origins[0].url == "http://a"


def test_a_row_means_the_file_beside_the_manifest_before_one_in_the_working_directory(folder: Path) -> None:
    (folder / "a.txt").write_text("another")
    manifest = _write_manifest(folder / "docs", "path,url\na.txt,http://a\n")
    beside, other = _entries("docs/a.txt", "a.txt", manifest=manifest)
    assert (beside.origins[0].url, other.origins[0].url) == ("http://a", None)


def test_without_paths_the_manifest_names_the_files(folder: Path) -> None:
    manifest = _write_manifest(folder, "path,url\ndocs/b.txt,http://b\ndocs/none.txt,http://n\n\n")
    with _plan(manifest=manifest) as plan:
        found = [(entry.path, entry.origins[0].url) for entry in plan.entries()]
        assert found == [(str(folder / "docs/b.txt"), "http://b")]
        assert plan.unmatched_rows == ("docs/none.txt",)


def test_only_the_first_hundred_rows_without_a_file_are_named(folder: Path) -> None:
    manifest = _write_manifest(folder, "path\n" + "".join(f"{number}.txt\n" for number in range(1203)))
    with _plan("docs", manifest=manifest) as plan:
        assert plan.unmatched == 1203
        assert plan.unmatched_rows == tuple(f"{number}.txt" for number in range(100))


def test_a_manifest_names_what_is_in_an_archive_or_all_of_it(folder: Path) -> None:
    with ZipFile(folder / "docs" / "z.zip", "w") as archive:
        for name in ("北京/1.html", "2.html"):
            archive.writestr(name, name)
    manifest = _write_manifest(folder, "path,url\ndocs/z.zip!/北京/1.html,http://1\ndocs/z.zip,http://z\n")
    one, two = _entries("docs/z.zip", manifest=manifest)
    assert one.origins == (Origin("docs/z.zip!/北京/1.html", "http://1"),)
    assert two.origins == (Origin("docs/z.zip!/2.html", "http://z"),)


def test_without_paths_only_those_members_are_read_that_the_manifest_names(folder: Path) -> None:
    with ZipFile(folder / "z.zip", "w") as archive:
        for name in ("1.html", "2.html", "3.html"):
            archive.writestr(name, name)
    manifest = _write_manifest(folder, "path\nz.zip!/3.html\nz.zip!/1.html\nz.zip!/none.html\n")
    with _plan(manifest=manifest) as plan:
        assert [os.path.basename(entry.path) for entry in plan.entries()] == ["1.html", "3.html"]
        assert plan.unmatched_rows == ("z.zip!/none.html",)


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
        _plan("docs", manifest=_write_manifest(folder, text))


def test_a_manifest_in_another_encoding_is_refused_with_its_line(folder: Path) -> None:
    manifest = _write_manifest(folder, "path,site\n" + "docs/a.txt,x\n" * 2000 + "docs/a.txt,某市\n", "gbk")
    with pytest.raises(SettingsError, match="line 2002: not UTF-8"):
        _plan("docs", manifest=manifest)


def test_a_missing_manifest_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.csv"):
        _plan("docs", manifest=folder / "gone.csv")


# ---------------------------------------------------------------- as a whole


def test_the_end_of_the_pass_is_told(folder: Path) -> None:
    told: list[Progress] = []
    with _plan("docs", on_progress=told.append):
        assert [(progress.stage, progress.done, progress.total) for progress in told] == [("plan", 3, 3)]


def test_an_index_without_room_stops_everything_and_says_where(folder: Path) -> None:
    """The process may write files of 100 kB only; the index holds some in memory, so there must be many."""
    (folder / "list").write_text("".join(f"docs/{number:0200d}\n" for number in range(40_000)))
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from extractor.bulk.plan import open_plan; from extractor.settings import Settings\n"
        "from extractor.errors import OutputError\n"
        "try:\n"
        "    open_plan([], None, file_lists=['list'], settings=Settings(), on_progress=lambda p: None)\n"
        "except OutputError as error:\n"
        "    print(error)"
    )
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, env=environment)  # noqa: S603
    message = done.stdout.decode()
    assert message.startswith(f"{folder}: the list of inputs cannot be kept there")
    assert "TMPDIR" in message
    assert sorted(path.name for path in folder.iterdir()) == ["docs", "list"]


def test_what_lies_in_an_archive_reaches_no_file_of_this_machine(folder: Path) -> None:
    """Not even where a folder has the name under which the archive's members are shown."""
    Image.new("RGB", (400, 300)).save(folder / "docs" / "table.png")
    page = b'<p><img src="table.png"></p>'
    (folder / "docs" / "page.html").write_bytes(page)
    with ZipFile(folder / "docs" / "z.zip", "w") as archive:
        archive.writestr("../inner.html", page + b"!")
    (folder / "docs" / "z.jsonl").write_bytes(b'{"html": "<p><img src=\\"table.png\\">"}')
    (folder / "docs" / "z.jsonl#1").write_bytes(page)
    (folder / "docs" / "z.zip!").mkdir()
    (folder / "docs" / "inner.html").write_bytes(page)
    with _plan("docs/page.html", "docs/z.zip", "docs/z.jsonl") as plan:
        pictures = {entry.path: _find_picture(entry) for entry in plan.entries()}
        assert [os.path.isfile(entry.path) for entry in plan.entries()] == [True] * 3
    assert pictures == {
        "docs/page.html": (folder / "docs" / "table.png").read_bytes(),
        "docs/z.zip!/../inner.html": None,
        "docs/z.jsonl#1": None,
    }


def _find_picture(entry: Entry) -> bytes | None:
    where = Source(Ticket("key", entry, 1), b"").where
    shown = PagePictures(where, Settings()).find({"src": "table.png"})
    return shown.raw if shown else None
