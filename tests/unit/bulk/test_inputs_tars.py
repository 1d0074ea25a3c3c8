"""Tar archives, packed or not: every member is a document or says why it is none, and a torn archive says so."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor.errors import SourceError
from tests.unit.bulk.archives import planned, read_all, tell_problem, write_tar

MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz", "TAR": "w"}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def _special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("end", sorted(MODES))
def test_members_are_documents_in_the_order_of_the_archive(tmp_path: Path, end: str) -> None:
    members = {"./b/2.html": b"2" * 3000, "1.html": b"1", "__MACOSX/x": b"x", ".hidden": b"x", "b/年度.html": b"3"}
    found = read_all(write_tar(tmp_path / f"a.{end}", members, MODES[end]))
    assert found == {f"a.{end}!/b/2.html": b"2" * 3000, f"a.{end}!/1.html": b"1", f"a.{end}!/b/年度.html": b"3"}


@pytest.mark.parametrize("end", ["tar", "tar.gz"])
def test_members_are_read_in_any_order(tmp_path: Path, end: str) -> None:
    members = {f"{number}.html": os.urandom(30_000) for number in range(20)}
    with planned(write_tar(tmp_path / f"a.{end}", members, MODES[end])) as plan:
        entries = list(plan.entries())
        for entry in (*entries[::-1], *entries[::3], entries[0]):
            assert plan.read(entry) == members[entry.path.rpartition("/")[2]]


def test_more_archives_than_are_kept_open_are_read_in_turn(tmp_path: Path) -> None:
    for number in range(7):
        write_tar(
            tmp_path / f"{number}.tar.gz", {f"{name}.html": f"{number} {name}".encode() for name in range(3)}, "w:gz"
        )
    with planned(tmp_path) as plan:
        for entry in sorted(plan.entries(), key=lambda entry: entry.path[-6:]):
            archive, _, name = entry.path.rpartition(".tar.gz!/")
            assert plan.read(entry) == f"{archive[-1]} {name[0]}".encode()


def test_names_in_gbk_and_long_ones_are_read(tmp_path: Path) -> None:
    raw = os.fsdecode("河南省/2023年度报告.html".encode("gbk"))
    long = "年度报告" * 60 + ".html"
    found = read_all(write_tar(tmp_path / "a.tar", {raw: b"1", long: b"2", "../../etc/x.html": b"3"}))
    assert found == {
        "a.tar!/河南省/2023年度报告.html": b"1",
        f"a.tar!/{long}": b"2",
        "a.tar!/../../etc/x.html": b"3",
    }


def test_a_hard_link_is_the_same_document_and_other_links_are_none(tmp_path: Path) -> None:
    members = {
        "1.html": b"1",
        _special("again.html", tarfile.LNKTYPE, "./1.html"): b"",
        _special("lost.html", tarfile.LNKTYPE, "none.html"): b"",
        _special("soft.html", tarfile.SYMTYPE, "/etc/passwd"): b"",
        _special("device", tarfile.CHRTYPE): b"",
        _special("folder", tarfile.DIRTYPE): b"",
    }
    path = write_tar(tmp_path / "a.tar", members)
    with planned(path) as plan:
        first = next(plan.entries())
        assert [origin.path for origin in first.origins] == [f"{path}!/1.html", f"{path}!/again.html"]
    found = read_all(path)
    assert found.pop("a.tar!/1.html") == b"1"
    assert {name: tell_problem(error) for name, error in found.items()} == {
        "a.tar!/lost.html": "UnreadableSource: this is a link to a member that is not in front of it",
        "a.tar!/soft.html": "UnreadableSource: this is a link, no file",
        "a.tar!/device": "UnreadableSource: this is a device or the like, no file",
    }


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    info = _special("1.html", tarfile.REGTYPE)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "100000"}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info.size = 512
        content = b"1\n0\n5\n".ljust(512, b"\0")
        archive.addfile(info, io.BytesIO(content))
    found = read_all(tmp_path / "a.tar")
    assert tell_problem(found["a.tar!/1.html"]) == "UnsupportedFormat: it is packed as a file with holes"


def test_an_archive_in_an_archive_and_a_member_over_the_limit_fail_alone(tmp_path: Path) -> None:
    members = {"b.tar": b"x", "c.ndjson.gz": b"x", "large.html": bytes(1_000_001), "2.html": b"2"}
    found = read_all(write_tar(tmp_path / "a.tar.gz", members, "w:gz"))
    assert found.pop("a.tar.gz!/2.html") == b"2"
    problems = [tell_problem(error).partition(":")[0] for error in found.values()]
    assert problems == ["UnsupportedFormat", "UnsupportedFormat", "SourceTooLarge"]


# ---------------------------------------------------------------- torn archives


def _build(tmp_path: Path, packer: Callable[[bytes], bytes], raw: bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(packer(raw))
    return path


@pytest.mark.parametrize("end", sorted(PACKERS))
@pytest.mark.parametrize(
    ("cut", "count"), [(1100, 1), (1536, 1), (1636, 2), (2048, 2), (2560, 2), (3072, 3), (3100, 3)]
)
def test_an_archive_that_is_cut_off_says_so_and_gives_what_is_whole(
    tmp_path: Path, end: str, cut: int, count: int
) -> None:
    """Each member has a header of 512 bytes, a content of two, and is filled up to 1024."""
    raw = write_tar(tmp_path / "whole.tar", {f"{number}.html": b"x%d" % number for number in range(3)}).read_bytes()
    path = _build(tmp_path, PACKERS[end], raw[:cut], f"a.{end}")
    found = read_all(path)
    assert found[f"a.{end}!/0.html"] == b"x0"
    assert tell_problem(found[f"a.{end}"]).startswith("DamagedSource: the archive is cut off or damaged")
    assert sum(isinstance(content, bytes) for content in found.values()) == count


@pytest.mark.parametrize("end", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_packed_archive_whose_packing_is_torn_says_so(tmp_path: Path, end: str) -> None:
    members = {f"{number}.html": os.urandom(200_000) for number in range(5)}
    raw = write_tar(tmp_path / f"whole.{end}", members, MODES[end]).read_bytes()
    for name, content in (("cut", raw[: len(raw) // 2]), ("sum", raw[:-6] + b"??" + raw[-4:]), ("head", raw[:20])):
        path = tmp_path / f"{name}.{end}"
        path.write_bytes(content)
        found = read_all(path)
        assert tell_problem(found.pop(path.name)).startswith("DamagedSource: the archive is cut off or damaged")
        good = {key.rpartition("/")[2]: value for key, value in found.items() if isinstance(value, bytes)}
        assert good.items() <= members.items()
        # bz2 packs 900 kB at once
        assert len(good) >= {"cut": 0 if end == "tar.bz2" else 2, "sum": 4, "head": 0}[name]


def test_damage_in_the_middle_is_not_taken_for_the_end(tmp_path: Path) -> None:
    raw = bytearray(write_tar(tmp_path / "a.tar", {f"{number}.html": b"x" for number in range(3)}).read_bytes())
    raw[1024:1100] = b"?" * 76
    (tmp_path / "a.tar").write_bytes(raw)
    found = read_all(tmp_path / "a.tar")
    assert list(found) == ["a.tar!/0.html", "a.tar"]
    assert "its end mark is missing" in tell_problem(found["a.tar"])


def test_what_is_no_archive_is_a_document_and_what_is_empty_is_told(tmp_path: Path) -> None:
    page = "<p>年度报告</p>".encode()
    (tmp_path / "a.tar").write_bytes(bytes(10240))
    (tmp_path / "c.tgz").write_bytes(page)
    (tmp_path / "d.tar").write_bytes(page * 100)
    found = read_all(tmp_path / "a.tar", tmp_path / "c.tgz", tmp_path / "d.tar")
    assert tell_problem(found.pop("a.tar")) == "EmptySource: there is no document in it"
    assert found == {"c.tgz": page, "d.tar": page * 100}


@pytest.mark.parametrize("end", sorted(PACKERS))
@pytest.mark.parametrize("name", ["tar", "tgz", "tar.bz2"])
def test_how_an_archive_is_packed_is_told_by_its_content(tmp_path: Path, end: str, name: str) -> None:
    """Browsers unpack what a server calls gzip, and keep its name."""
    raw = write_tar(tmp_path / "whole", {"1.html": b"1"}).read_bytes()
    assert read_all(_build(tmp_path, PACKERS[end], raw, f"a.{name}")) == {f"a.{name}!/1.html": b"1"}


def test_a_header_that_claims_to_be_huge_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A long name of 100 MB, in 100 kB."""
    info = _special("././@LongLink", b"L")
    content = bytes(100_000_000)
    path = write_tar(tmp_path / "a.tar.gz", {"1.html": b"1", info: content}, "w:gz")
    tracemalloc.start()
    try:
        found = read_all(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert found["a.tar.gz!/1.html"] == b"1"
    assert "a header of 100000256 bytes" in tell_problem(found["a.tar.gz"])


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.DIRTYPE])
@pytest.mark.parametrize("size", [-1024, -512, -1, 1 << 70])
def test_sizes_that_nothing_has_end_the_archive_and_nothing_else(tmp_path: Path, kind: bytes, size: int) -> None:
    """Sizes below zero lead back to members that were there already, for ever."""
    info = _special("2.html", kind)
    info.size = size
    raw = write_tar(tmp_path / "a.tar", {"1.html": b"1"}).read_bytes()
    (tmp_path / "a.tar").write_bytes(raw[:1024] + info.tobuf(tarfile.GNU_FORMAT) + raw[:1024])
    found = read_all(tmp_path / "a.tar")
    assert found["a.tar!/1.html"] == b"1"
    tell_problem(found["a.tar"])


@pytest.mark.parametrize("end", ["tar", "tar.gz"])
def test_an_archive_that_changed_since_it_was_planned_is_not_believed(tmp_path: Path, end: str) -> None:
    path = write_tar(tmp_path / f"a.{end}", {"1.html": b"one"}, MODES[end])
    with planned(path) as plan:
        entry = next(plan.entries())
        path.write_bytes(b"something else")
        with pytest.raises(SourceError, match=r"changed (while the run was going on|meanwhile)"):
            plan.read(entry)
        write_tar(path, {"1.html": b"one"}, MODES[end])
        assert plan.read(entry) == b"one"
