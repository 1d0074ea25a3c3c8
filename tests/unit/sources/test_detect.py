"""The kind of a file and its charset are told by its bytes."""

from __future__ import annotations

import codecs
import contextlib
import io
import random
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import DamagedSource, EmptySource, ExtractorError, UnsupportedFormat
from extractor.sources.detect import OLE2_MAGIC, SourceKind, decode_text, detect_kind, has_pages, tell_picture

REPORT = (
    "政府信息公开工作年度报告\n一、总体情况\n根据《中华人民共和国政府信息公开条例》，"
    "现公布本机关2023年政府信息公开工作情况。\n本年新收政府信息公开申请数量 12 0 0 3 0 0 15\n"
)
TRADITIONAL = "政府資訊公開工作年度報告\n收到申請數量及處理結果，本縣情況如下：主動公開政府資訊，其他不予處理。\n"


def make_zip(*names: str) -> bytes:
    """A zip with members of those names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


def make_ole2(*streams: str, class_id: bytes = bytes(16)) -> bytes:
    """The header and directory of an OLE2 file: enough to tell its kind, not to read it."""
    header = bytearray(512)
    header[:8] = OLE2_MAGIC
    header[30:32] = (9).to_bytes(2, "little")
    entries = b""
    for name in ("Root Entry", *streams):
        encoded = name.encode("utf-16-le") + b"\x00\x00"
        entry = bytearray(128)
        entry[: len(encoded)] = encoded
        entry[64:66] = len(encoded).to_bytes(2, "little")
        entry[80:96] = class_id
        entries += bytes(entry)
    return bytes(header) + entries.ljust(512, b"\x00")


def make_docx() -> bytes:
    content = io.BytesIO()
    docx.Document().save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"II+\x00\x08\x00", "BigTIFF"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"),
        (make_zip("xl/workbook.xml"), "Excel"),
        (make_zip("mimetype", "content.xml"), "OpenDocument"),
        (make_zip("OFD.xml"), "OFD"),
        (make_zip("report.txt"), "zip"),
        (make_ole2("Workbook"), "Excel"),
        (make_ole2("Workbook", "WordDocument", class_id=bytes.fromhex("20080200000000 00c000000000000046")), "Excel"),
        (make_ole2("EncryptedPackage"), "password"),
        (make_ole2("Contents"), "without Word text"),
        (
            b"From: <Saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n<html>",
            "MHTML",
        ),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?><w:wordDocument>', "XML"),
    ],
)
def test_kinds_that_are_not_read_are_named_with_a_way_out(raw: bytes, what: str) -> None:
    """Whatever its name says."""
    with pytest.raises(UnsupportedFormat, match=what) as caught:
        detect_kind(raw, "report.html")
    assert caught.value.remedy


@pytest.mark.parametrize("raw", [b"%PDF-1.7\n%\xe2\xe3", b"\xef\xbb\xbf \r\n%PDF-1.4"])
def test_pdfs_are_told_by_their_head(raw: bytes) -> None:
    assert detect_kind(raw, "report.html") is SourceKind.PDF
    assert has_pages(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpeg"),
        (b"GIF89a\x01\x00", "gif"),
        (b"II*\x00\x08\x00", "tiff"),
        (b"MM\x00*\x00\x08", "tiff"),
        (b"BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "bmp"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "webp"),
    ],
)
def test_pictures_are_told_by_their_head(raw: bytes, name: str) -> None:
    assert detect_kind(raw, "report.html") is SourceKind.PICTURE
    assert tell_picture(raw) == name
    assert has_pages(raw)


@pytest.mark.parametrize("raw", [b"", b"BMW is a car", b"RIFF and WEBP", "报告".encode(), b"see report %PDF"])
def test_what_only_looks_like_one_has_no_pages(raw: bytes) -> None:
    assert not has_pages(raw)


def test_word_files_are_told_by_their_parts() -> None:
    assert detect_kind(make_docx(), "a.txt") is SourceKind.DOCX
    assert detect_kind(make_ole2("WordDocument", "1Table"), "a.txt") is SourceKind.DOC
    assert detect_kind(make_ole2("ObjectPool", "Workbook", "WordDocument"), "a.xls") is SourceKind.DOC
    assert detect_kind(b"{\\rtf1\\ansi x}", "a.doc") is SourceKind.DOC


def test_cut_off_containers_are_damaged() -> None:
    with pytest.raises(DamagedSource):
        detect_kind(make_docx()[:3000], "a.docx")
    with pytest.raises(DamagedSource):
        detect_kind(make_ole2("WordDocument")[:512], "a.doc")


@pytest.mark.parametrize(
    "raw", [b"", b" \r\n\t", b"\x00\x00", b"\xef\xbb\xbf\n", "\u3000\u3000".encode(), b"\xff\xfe \x00"]
)
def test_white_space_alone_is_empty(raw: bytes) -> None:
    with pytest.raises(EmptySource):
        detect_kind(raw, "a.txt")


@pytest.mark.parametrize("size", [100, 1000, 20_000])
def test_binary_junk_is_not_text(size: int) -> None:
    for seed in range(20):
        with pytest.raises(UnsupportedFormat):
            detect_kind(random.Random(seed).randbytes(size), "a.txt")


def test_stray_control_characters_do_not_make_text_binary() -> None:
    assert detect_kind((REPORT + "\x0c\x07\x00\x1a").encode("gbk"), "a.bin") is SourceKind.TEXT


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (REPORT, SourceKind.TEXT),
        (f"<html><body>{REPORT}</body></html>", SourceKind.HTML),
        (f"# 报告\n\n{REPORT}", SourceKind.MARKDOWN),
    ],
)
def test_kind_does_not_depend_on_charset(text: str, kind: SourceKind, charset: str) -> None:
    raw = text.encode(charset)
    assert detect_kind(raw, "a") is kind
    assert decode_text(raw)[0] == text
    assert decode_text(raw)[2] == ()


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0" encoding="gb2312"?>\n<!-- saved -->\n<!DOCTYPE html PUBLIC "-//W3C//DTD">\n<p>',
        f"首页 > 政务公开\n{REPORT}<TABLE border=1><TR><TD>1",
        f"<p>{REPORT}</p>",
        f"<h2>报告</h2>{REPORT}",
        "<meta charset=gbk>" + REPORT,
        "当前位置：<span class=x>首页</span>" + REPORT,
    ],
)
def test_html_is_told_by_its_tags_wherever_they_begin(text: str) -> None:
    assert detect_kind(text.encode("gbk"), "a.txt") is SourceKind.HTML


@pytest.mark.parametrize(
    "text",
    [
        f"按照“印发<中华人民共和国政府信息公开工作年度报告格式>的通知”，{REPORT}",
        f"{REPORT}<!--[if !supportMisalignedColumns]--> <!--[endif]-->",
        f"{REPORT} a < b, c > d <tab> <trade>",
        f"{REPORT}一般<br>换行",
        f"# 报告\n# 一\n# 二\n{'#标签#'}",
        f"{REPORT}--------\n| 1 | 2 |\n| - | -- |\n- - -\n|:|\n",
    ],
)
def test_brackets_and_bars_alone_stay_text(text: str) -> None:
    assert detect_kind(text.encode(), "a.html") is SourceKind.TEXT


@pytest.mark.parametrize(
    "text",
    [f"{REPORT}|a|b|\n|---|:-:|\n|1<br>2|3|", f"a|b\r\n---|---\r\n1|2\r\n{REPORT}", f"## 一、总体情况\n{REPORT}"],
)
def test_markdown_is_told_by_delimiter_rows_and_headings(text: str) -> None:
    assert detect_kind(text.encode(), "a.txt") is SourceKind.MARKDOWN


def test_a_long_line_of_blanks_takes_no_time() -> None:
    assert detect_kind(b"x" + b"\n" + b"\t" * 100_000 + b"x" + b"|" * 100_000, "a") is SourceKind.TEXT


@pytest.mark.parametrize("declared", ["", "<meta charset=utf-8>", '<meta charset="gb2312">', "<meta charset=big5>"])
@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "utf-16"])
def test_a_wrong_declaration_does_not_matter(charset: str, declared: str) -> None:
    assert decode_text((declared + REPORT).encode(charset))[0] == declared + REPORT


@pytest.mark.parametrize("declared", ["", "<meta charset=big5>", "<meta charset=gb2312>"])
def test_big5_wins_where_gb18030_would_be_mojibake(declared: str) -> None:
    raw = (declared + TRADITIONAL).encode("big5")
    raw.decode("gb18030", "replace")
    assert decode_text(raw) == (declared + TRADITIONAL, "big5hkscs", ())


def test_line_ends_and_nuls_stay() -> None:
    assert decode_text(b"a\r\nb\rc\x00d\n")[0] == "a\r\nb\rc\x00d\n"


@given(st.binary(max_size=300))
def test_any_bytes_decode(raw: bytes) -> None:
    text, charset, notices = decode_text(raw)
    assert bool(notices) == ("\ufffd" in text)
    assert codecs.lookup(charset)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", OLE2_MAGIC, b"\xff\xfe", b"{\\rtf", b"BM"]))
def test_any_bytes_have_a_kind_or_a_named_error(raw: bytes, magic: bytes) -> None:
    with contextlib.suppress(ExtractorError):
        assert detect_kind(magic + raw, "a") in SourceKind


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "utf-16"])
def test_a_cut_character_is_flagged_where_it_stands(charset: str) -> None:
    raw = (REPORT + "报").encode(charset)[:-1]
    text, name, (flag,) = decode_text(raw)
    assert text == REPORT + "\ufffd"
    assert name.startswith(charset)
    assert flag.code == "undecodable-bytes"
    assert [(span.start, span.end) for span in flag.spans] == [(len(REPORT), len(REPORT) + 1)]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_broken_bytes_in_the_middle_cost_only_themselves(charset: str) -> None:
    raw = REPORT.encode(charset) + b"\xff\n" + REPORT.encode(charset) + b"\xff\xff\n" + REPORT.encode(charset)
    text, name, (flag,) = decode_text(raw)
    assert name == charset
    assert [line for line in text.splitlines() if "\ufffd" not in line] == REPORT.splitlines() * 3
    assert len(flag.spans) == 2
    assert "2" in flag.message.en


def test_seed_reports_are_text() -> None:
    seeds = Path(__file__).parents[4] / "shared" / "seeds"
    if not seeds.is_dir():
        pytest.skip("the seed reports are not beside the repository")
    for seed in seeds.glob("*.txt"):
        raw = seed.read_bytes()
        assert detect_kind(raw, seed.name) is SourceKind.TEXT
        assert decode_text(seed.read_text("utf-8").encode("gb18030"))[0] == seed.read_text("utf-8")
