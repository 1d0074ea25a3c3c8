"""Zip archives are read where they lie, member by member, and a bad member never hides a good one."""

from __future__ import annotations

import io
import os
import stat
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import docx
import pytest

from extractor.bulk.inputs.zip_directory import ZipDirectory
from extractor.errors import SourceError
from tests.unit.bulk.archives import RawName, planned, read_all, tell_problem, write_zip

PAGE = "<html><body><p>年度报告</p></body></html>".encode()


def test_members_are_documents_in_the_order_of_the_archive(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"b/2.html": b"2", "b/": b"", "1.html": b"1", "b/年度.html": b"3"})
    assert read_all(path) == {"a.zip!/b/2.html": b"2", "a.zip!/1.html": b"1", "a.zip!/b/年度.html": b"3"}


def test_archives_are_found_in_folders_under_any_case_and_nothing_is_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    write_zip(folder / "deep" / "A.ZIP", {"1.html": b"1"})
    (folder / "b.html").write_bytes(b"2")
    assert read_all(folder) == {"in/b.html": b"2", "in/deep/A.ZIP!/1.html": b"1"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["A.ZIP", "b.html", "deep", "in"]


def test_members_that_no_folder_would_give_are_left_out(tmp_path: Path) -> None:
    names = (".hidden", ".git/x", "b/~$1.docx", "__MACOSX/b/._1.html", "b/.DS_Store")
    path = write_zip(tmp_path / "a.zip", {**dict.fromkeys(names, b"x"), "b/1.html": b"1"})
    assert read_all(path) == {"a.zip!/b/1.html": b"1"}


def test_names_that_lead_elsewhere_are_only_names(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd.html").write_bytes(b"of this machine")
    names = ("../etc/passwd.html", "/etc/passwd.html", "./1.html", "b\\2.html")
    path = write_zip(tmp_path / "a.zip", {name: name.encode() for name in names})
    assert read_all(path) == {
        "a.zip!/../etc/passwd.html": b"../etc/passwd.html",
        "a.zip!//etc/passwd.html": b"/etc/passwd.html",
        "a.zip!/1.html": b"./1.html",
        "a.zip!/b\\2.html": b"b\\2.html",
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("河南省/济源市\\2023年度报告.html".encode("gbk"), "河南省/济源市\\2023年度报告.html"),
        ("朱镕基.html".encode("gbk"), "朱镕基.html"),
        ("縣政府.html".encode("gb18030"), "縣政府.html"),
        ("北京市.html".encode(), "北京市.html"),
        ("Résumé à Paris.html".encode("cp437"), "Résumé à Paris.html"),
        ("Résumés.html".encode("cp437"), "Résumés.html"),
        (b"plain.html", "plain.html"),
        (b"\x1b[2Jclear\r\n.html", r"\x1b[2Jclear\x0d\x0a.html"),
        (b"n" * 2000, "n" * 1000 + "…"),
        (b"\xff\xff.html", "\xa0\xa0.html"),
    ],
)
def test_names_without_a_charset_are_read_as_whoever_wrote_them(tmp_path: Path, raw: bytes, shown: str) -> None:
    path = write_zip(tmp_path / "a.zip", {RawName.of(raw): PAGE})
    assert list(read_all(path)) == [f"a.zip!/{shown}"]


def test_windows_writes_folders_with_backslashes(tmp_path: Path) -> None:
    """In GBK the second byte of many a letter is a backslash: 縗 is BE 5C."""
    info = RawName.of("报告\\縗.html".encode("gbk"))
    info.create_system = 0
    assert list(read_all(write_zip(tmp_path / "a.zip", {info: PAGE}))) == ["a.zip!/报告/縗.html"]


def test_a_name_in_utf8_beside_the_other_one_counts_unless_it_is_of_another_name(tmp_path: Path) -> None:
    for raw in (b"1.html", b"2.html"):
        field = b"\x01" + struct.pack("<I", zlib.crc32(b"1.html")) + "报告.html".encode()
        info = RawName.of(raw)
        info.extra = struct.pack("<2H", 0x7075, len(field)) + field
        expected = "报告.html" if raw == b"1.html" else "2.html"
        assert list(read_all(write_zip(tmp_path / "a.zip", {info: PAGE}))) == [f"a.zip!/{expected}"]


# ---------------------------------------------------------------- what is no archive


def test_an_office_file_is_a_document_even_under_the_name_of_a_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("年度报告")
    document.save(buffer)
    for name in ("report.docx", "report.zip"):
        path = tmp_path / name
        path.write_bytes(buffer.getvalue())
        assert read_all(path) == {name: buffer.getvalue()}


def test_a_page_under_the_name_of_a_zip_is_a_page(tmp_path: Path) -> None:
    (tmp_path / "gone.zip").write_bytes(PAGE)
    assert read_all(tmp_path / "gone.zip") == {"gone.zip": PAGE}


def test_an_archive_in_an_archive_is_refused_and_not_overlooked(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "b.zip", {"1.html": b"1"}).read_bytes()
    members = {"b.zip": inner, "c.tar.gz": b"", "d.jsonl": b"{}", "2.html": b"2"}
    found = read_all(write_zip(tmp_path / "a.zip", members))
    assert found.pop("a.zip!/2.html") == b"2"
    assert len(found) == 3
    for error in found.values():
        assert tell_problem(error).startswith("UnsupportedFormat: this is an archive")


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("cut", [30, 200, -1, -23])
def test_an_archive_that_is_cut_off_fails_as_a_whole(tmp_path: Path, cut: int) -> None:
    """Its directory stands at its end."""
    path = write_zip(tmp_path / "a.zip", {f"{number}.html": PAGE for number in range(3)})
    path.write_bytes(path.read_bytes()[:cut])
    found = read_all(path)
    assert list(found) == ["a.zip"]
    assert tell_problem(found["a.zip"]).startswith("DamagedSource: the archive is cut off or damaged")


def test_an_archive_without_documents_is_told(tmp_path: Path) -> None:
    found = read_all(write_zip(tmp_path / "a.zip", {}))
    assert tell_problem(found["a.zip"]) == "EmptySource: there is no document in it"


def test_a_damaged_member_fails_alone(tmp_path: Path) -> None:
    content = os.urandom(5000)
    path = write_zip(tmp_path / "a.zip", {"1.html": content, "2.html": b"2", "3.html": b"3"})
    raw = bytearray(path.read_bytes())
    raw[3000] ^= 0xFF
    path.write_bytes(raw)
    found = read_all(path)
    assert tell_problem(found.pop("a.zip!/1.html")).startswith("DamagedSource: it cannot be read out of its archive")
    assert found == {"a.zip!/2.html": b"2", "a.zip!/3.html": b"3"}


def test_a_member_behind_a_password_fails_alone(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.html": b"secret", "2.html": b"2"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    found = read_all(path)
    assert tell_problem(found["a.zip!/1.html"]) == "UnreadableSource: it is locked by a password in its archive"
    assert found["a.zip!/2.html"] == b"2"


def test_a_member_packed_in_a_rare_way_fails_alone(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.html": b"deflate64", "2.html": b"2"})
    raw = bytearray(path.read_bytes())
    raw[8] = raw[raw.index(b"PK\x01\x02") + 10] = 9
    path.write_bytes(raw)
    found = read_all(path)
    assert tell_problem(found["a.zip!/1.html"]).startswith("UnsupportedFormat: it is packed in a rare way")
    assert found["a.zip!/2.html"] == b"2"


def test_a_link_is_no_file(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("1.html")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    found = read_all(write_zip(tmp_path / "a.zip", {info: b"/etc/passwd"}))
    assert tell_problem(found["a.zip!/1.html"]) == "UnreadableSource: this is a link, no file"


@pytest.mark.parametrize("says_so", [True, False])
def test_a_member_over_the_limit_fails_alone_whatever_its_header_says(tmp_path: Path, says_so: bool) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.html": bytes(1_000_001), "2.html": bytes(1_000_000), "3.html": b"3"})
    if not says_so:
        raw = bytearray(path.read_bytes())
        raw[(at := raw.index(b"PK\x01\x02") + 24) : at + 4] = struct.pack("<I", 100)
        path.write_bytes(raw)
    found = read_all(path)
    expected = "SourceTooLarge: the file has 1.0 MB" if says_so else "DamagedSource: it cannot be read"
    assert tell_problem(found["a.zip!/1.html"]).startswith(expected)
    assert (found["a.zip!/2.html"], found["a.zip!/3.html"]) == (bytes(1_000_000), b"3")


@pytest.mark.parametrize("says_so", [True, False])
def test_a_bomb_does_not_fill_the_memory(tmp_path: Path, says_so: bool) -> None:
    """A member of 100 MB in 100 kB, where 1 MB is allowed."""
    path = tmp_path / "a.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("1.html", "w") as member,
    ):
        for _ in range(10):
            member.write(bytes(10_000_000))
    if not says_so:
        raw = bytearray(path.read_bytes())
        raw[(at := raw.index(b"PK\x01\x02") + 24) : at + 4] = struct.pack("<I", 900_000)
        path.write_bytes(raw)
    tracemalloc.start()
    try:
        found = read_all(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    tell_problem(found["a.zip!/1.html"])


@pytest.mark.parametrize("change", ["other", "shorter", "gone"])
def test_an_archive_that_changed_since_it_was_planned_is_not_believed(tmp_path: Path, change: str) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.html": b"one", "2.html": b"two"})
    with planned(path) as plan:
        first, second = plan.entries()
        if change == "gone":
            path.unlink()
        else:
            write_zip(path, {"1.html": b"ONE", "2.html": b"two"} if change == "other" else {"1.html": b""})
        with pytest.raises(
            SourceError, match="No such file" if change == "gone" else r"changed (while the run|meanwhile)"
        ):
            plan.read(first)
        if change == "other":
            assert plan.read(second) == b"two"


def test_a_member_at_a_place_that_nothing_has_fails_alone(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.html": b"1", "2.html": b"2"})
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02")
    extra = struct.pack("<2HQ", 1, 8, (1 << 64) - 1)
    header = bytearray(raw[at : at + 46 + len("1.html")])
    header[30:32], header[42:46] = struct.pack("<H", len(extra)), b"\xff" * 4
    end = bytearray(raw[-22:])
    end[12:16] = struct.pack("<L", struct.unpack("<L", end[12:16])[0] + len(extra))
    path.write_bytes(raw[:at] + header + extra + raw[at + len(header) : -22] + end)
    found = read_all(path)
    assert tell_problem(found["a.zip!/1.html"]).startswith("DamagedSource: it cannot be read out of its archive")
    assert found["a.zip!/2.html"] == b"2"


# ---------------------------------------------------------------- the directory


def _list_as_zipfile_does(raw: bytes) -> list[tuple[object, ...]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return [
            (info.orig_filename, info.CRC, info.compress_size, info.file_size, info.header_offset, info.flag_bits)
            for info in archive.infolist()
        ]


def _end_with_64_bits(raw: bytes) -> bytes:
    """The end of an archive with more than 65,535 members, which the fields of the usual one cannot count."""
    at = raw.index(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<H2L", raw, at + 10)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    most, more = 0xFFFF, 0xFFFFFFFF
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return raw[:at] + end + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, most, most, more, more, 0)


@pytest.mark.parametrize("shape", ["plain", "comment", "prefix", "large", "many"])
def test_the_directory_says_what_zipfile_says(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "a.zip"
    if shape == "prefix":
        path.write_bytes(b"#!/bin/sh\n" * 100)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(zipfile.ZipInfo(f"{number}.html"), b"x" * (number % 7))
        if shape == "large":
            info = zipfile.ZipInfo("large.html")
            with archive.open(info, "w", force_zip64=True) as member:
                member.write(PAGE)
        archive.comment = b"a comment with PK\x05 in it" if shape == "comment" else b""
    raw = path.read_bytes()
    if shape == "many":
        raw = _end_with_64_bits(raw)
    found = [
        (member.name.decode("cp437"), member.check_sum, member.packed_size, member.size, member.start, member.flags)
        for member in ZipDirectory(io.BytesIO(raw))
    ]
    assert found == _list_as_zipfile_does(raw)


def test_sizes_of_64_bits_are_read_from_their_field() -> None:
    """A member that begins behind 5 GB, with 6 GB packed into 4: 4.5.3 of the format's description."""
    sizes = struct.pack("<3Q", 6 << 30, 4 << 30, 5 << 30)
    extra = struct.pack("<2H", 0xCAFE, 2) + b"??" + struct.pack("<2H", 1, len(sizes)) + sizes
    most = 0xFFFFFFFF
    header = struct.pack(
        "<4s4B4H3L5H2L", b"PK\x01\x02", 45, 3, 45, 0, 0, 8, 0, 0, 7, most, most, 1, len(extra), 0, 0, 0, 0, most
    )
    directory = header + b"x" + extra
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    (member,) = ZipDirectory(io.BytesIO(directory + end))
    assert (member.size, member.packed_size, member.start) == (6 << 30, 4 << 30, 5 << 30)
