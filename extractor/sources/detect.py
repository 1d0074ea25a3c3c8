"""What a file is, and which characters its bytes mean.

Lives here: the kind of a source by its bytes (never by its name) and the charset of text. Does not live here:
parsing of any kind. Called by extractor.sources.load_document and by the modules of the single kinds.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum

import chardet

from extractor.errors import DamagedSource, EmptySource, UnsupportedFormat
from extractor.flags import make_flag
from extractor.model import Flag, Span


class SourceKind(StrEnum):
    """The kinds that a source module reads. Rich Text is DOC: the same converter reads both."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    DOCX = "docx"
    DOC = "doc"
    PDF = "pdf"
    PICTURE = "picture"


OLE2_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
RTF_MAGIC = b"{\\rtf"
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    OSError,
)
"""All that zipfile raises on bytes that are not a whole, plain zip (found by fuzzing)."""

_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b\x08", "a gzip archive", "Unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first"),
    (b"II+\x00", "a BigTIFF picture", "Convert it to PNG, JPEG or plain TIFF"),
    (b"MM\x00+", "a BigTIFF picture", "Convert it to PNG, JPEG or plain TIFF"),
)
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"))
_HEAD_BYTES = 1024


def has_pages(head: bytes) -> bool:
    """Whether a file is a PDF or a picture that is read page by page. `head`: its first 1024 bytes or more."""
    return _is_pdf(head) or tell_picture(head) is not None


def is_old_word(raw: bytes) -> bool:
    """Whether a file may be a .doc or .rtf, which LibreOffice converts."""
    return raw.startswith(OLE2_MAGIC) or raw.lstrip().startswith(RTF_MAGIC)


def tell_picture(head: bytes) -> str | None:
    """Format of a picture that is read (`png`, `jpeg`, `gif`, `tiff`, `bmp`, `webp`); None for anything else."""
    for magic, name in _PICTURES:
        if head.startswith(magic):
            return name
    if head.startswith(b"BM") and head[6:10] == bytes(4) and head[15:18] == bytes(3):
        return "bmp"
    return "webp" if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


def _is_pdf(head: bytes) -> bool:
    # PDF readers look past leading white space, so people do have such files
    return head[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF")


def detect_kind(raw: bytes, path: str) -> SourceKind:
    """Tell by its content what a file is.

    Args:
        raw: the bytes as found.
        path: only for messages.

    Raises:
        EmptySource: nothing but white space.
        DamagedSource: the beginning of a known kind whose rest is missing.
        UnsupportedFormat: any other kind; the message names it and the way out.
    """
    if not raw.strip(b"\x00\t\n\r\x0b\x0c "):
        raise EmptySource(path, "the file is empty", "Fetch it again")
    if _is_pdf(raw):
        return SourceKind.PDF
    if tell_picture(raw):
        return SourceKind.PICTURE
    _refuse_by_magic(raw, path)
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _detect_zip(raw, path)
    if raw.startswith(OLE2_MAGIC):
        return _detect_ole2(raw, path)
    if raw.lstrip().startswith(RTF_MAGIC):
        return SourceKind.DOC
    return _detect_text(raw, path)


def _refuse_by_magic(raw: bytes, path: str) -> None:
    for magic, what, remedy in _REFUSED:
        if raw.startswith(magic):
            raise UnsupportedFormat(path, f"this is {what}", remedy)
    if raw[4:8] == b"ftyp" and raw[8:12] in _HEIF_BRANDS:
        raise UnsupportedFormat(path, "this is a HEIC or AVIF picture", "Convert it to PNG or JPEG")


# ---------------------------------------------------------------- containers

_DOCX_MAIN_PART = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
_ZIP_CONTENTS = (
    ("xl/", "an Excel workbook"),
    ("ppt/", "a PowerPoint presentation"),
    ("OFD.xml", "an OFD document"),
    ("content.xml", "an OpenDocument file"),
)


def _detect_zip(raw: bytes, path: str) -> SourceKind:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except ZIP_ERRORS as error:
        raise DamagedSource(
            path, f"this begins as a zip or docx but is broken ({error})", "Fetch it again, whole"
        ) from error
    if any(_DOCX_MAIN_PART.fullmatch(name) for name in names):
        return SourceKind.DOCX
    for start, what in _ZIP_CONTENTS:
        if any(name.startswith(start) for name in names):
            raise UnsupportedFormat(path, f"this is {what}", "Export it as docx, HTML or text")
    raise UnsupportedFormat(path, "this is a zip archive", "Unpack it and give the files in it")


_EXCEL_CLASS_IDS = tuple(
    bytes.fromhex(number) + bytes.fromhex("0000 0000 c000 0000 0000 0046") for number in ("20080200", "10080200")
)


def _detect_ole2(raw: bytes, path: str) -> SourceKind:
    sector_size = 1 << min(int.from_bytes(raw[30:32], "little"), 16)
    directory = (int.from_bytes(raw[48:52], "little") + 1) * sector_size
    if directory >= len(raw):
        raise DamagedSource(path, "this old Office file is cut off", "Fetch it again, whole")
    if _has_ole2_entry(raw, "EncryptedPackage"):
        raise UnsupportedFormat(path, "this Office file is locked by a password", "Save it without the password")
    has_workbook = _has_ole2_entry(raw, "Workbook") or _has_ole2_entry(raw, "Book")
    # a workbook may embed a Word document and the reverse; then the class of the root decides
    is_workbook = has_workbook and raw[directory + 80 : directory + 96] in _EXCEL_CLASS_IDS
    if _has_ole2_entry(raw, "WordDocument") and not is_workbook:
        return SourceKind.DOC
    if has_workbook:
        what = "an old Excel workbook"
    elif _has_ole2_entry(raw, "PowerPoint Document"):
        what = "an old PowerPoint presentation"
    else:
        what = "an old Office file without Word text"
    raise UnsupportedFormat(path, f"this is {what}", "Export it as docx, HTML or text")


def _has_ole2_entry(raw: bytes, name: str) -> bool:
    """Whether a stream or storage of that name is in the directory (entries are 128 bytes, aligned)."""
    wanted = name.encode("utf-16-le") + b"\x00\x00"
    entry_size = 128
    at = raw.find(wanted)
    while at >= 0:
        if at % entry_size == 0 and raw[at + 64 : at + 66] == len(wanted).to_bytes(2, "little"):
            return True
        at = raw.find(wanted, at + 1)
    return False


# ---------------------------------------------------------------- kinds of text

_MIME_HEAD = re.compile(r"(?ims)\A\s*[A-Za-z-]+:.*^mime-version:.*multipart/related")
_WORD_XML = re.compile(r"<\?mso-application\s+progid=.Word|<w:wordDocument\b|<pkg:package\b")
_HTML_SURE = re.compile(
    r"<(?:!doctype\s+html\b|(?:html|head|body|meta|table|tbody|tr|td|th|div|script|style|link)(?=[\s/>]))",
    re.IGNORECASE,
)
# `<br>` is not among them: converters write it into cells of Markdown tables
_HTML_LIKELY = re.compile(
    r"</?(?:p|span|font|center|strong|b|ul|ol|li|h[1-6]|section|article|title|o:p)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_HTML_LIKELY_TAGS = 2
_MARKDOWN_RULE_LINE = re.compile(r"^[ \t]*[|:-][ \t|:-]*\r?$", re.MULTILINE)
# fewer than three dashes without a colon are marks for "nothing" in a table of text
_MARKDOWN_RULE_CELL = re.compile(r"[ \t]*(?::-+:?|-+:|-{3,})[ \t]*")
_MARKDOWN_HEADING = re.compile(r"^#{1,6}[ \t]+\S.{0,99}$", re.MULTILINE)
# neither white space nor anything that a text editor writes
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd-\uffff]")


def _detect_text(raw: bytes, path: str) -> SourceKind:
    text, _, _ = decode_text(raw)
    if not text.strip():
        raise EmptySource(path, "the file is empty", "Fetch it again")
    if _looks_binary(text):
        what = "this is neither text nor a kind of file that is known"
        raise UnsupportedFormat(path, what, "Export it as docx, HTML or text")
    head = text[:4096]
    if _MIME_HEAD.search(head):
        raise UnsupportedFormat(path, "this is a web archive (MHTML)", "Save the page as HTML")
    if _WORD_XML.search(head):
        raise UnsupportedFormat(path, "this is a Word document as one XML file", "Save it as docx")
    if _is_html(text):
        return SourceKind.HTML
    return SourceKind.MARKDOWN if _is_markdown(text) else SourceKind.TEXT


def _looks_binary(text: str) -> bool:
    """Whether control characters are more than an accident: a tenth of a text, or half of a scrap."""
    few, accident_share, scrap_share = 10, 0.1, 0.5
    found = len(_CONTROL.findall(text))
    return found > len(text) * scrap_share or (found > few and found > len(text) * accident_share)


def _is_html(text: str) -> bool:
    if _HTML_SURE.search(text):
        return True
    tags = _HTML_LIKELY.finditer(text)
    return sum(1 for _ in zip(range(_HTML_LIKELY_TAGS), tags, strict=False)) == _HTML_LIKELY_TAGS


def _is_markdown(text: str) -> bool:
    if any(_is_delimiter_row(match.group()) for match in _MARKDOWN_RULE_LINE.finditer(text)):
        return True
    headings = len(_MARKDOWN_HEADING.findall(text))
    lines = sum(1 for line in text.splitlines() if line.strip())
    # a file of nothing but such lines is a list of comments or tags, not a text with headings
    return bool(headings) and headings * 2 < lines


def _is_delimiter_row(line: str) -> bool:
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return "|" in line and all(_MARKDOWN_RULE_CELL.fullmatch(cell) for cell in cells)


# ---------------------------------------------------------------- charset

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# what such reports are made of, in both scripts: mojibake is made of rare characters
_FREQUENT = frozenset(
    "的政府信息公开開申请請情况況年度工作行机機关關数數量一二三四五六七八九十项項其他不予理处處办辦件结結果总總"
    "计計本上下新收到和主动動网網站资資讯訊规規范範性文单單位市县縣区區局为為有在是了第中人民共国國及或以依法"
    "内容题題报報告组織织自然法人业業科研构構社会會益服务務存在要问問改进進月日，。、；：（）《》“”"
)
_LOST = re.compile("\ufffd+")
_SAMPLE = 5000
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_PLAUSIBLE_SHARE = 0.25
_UTF16_SHARE = 0.3
_MAX_SPANS = 100


def decode_text(raw: bytes) -> tuple[str, str, tuple[Flag, ...]]:
    """Decode bytes: byte order mark, strict UTF-8, gb18030 that reads like Chinese, else the best reading.

    What a page declares is not looked at: it is wrong too often, and the text itself tells. Line ends
    and NULs stay as they are; a byte order mark is dropped.

    Returns:
        The text, the Python name of the charset, and an `undecodable-bytes` flag when places were lost.
    """
    for bom, charset in _BOMS:
        if raw.startswith(bom):
            text = raw[len(bom) :].decode(charset, "replace")
            return text, charset, flag_undecodable(text, charset)
    text, charset = _decode_unmarked(raw)
    return text, charset, flag_undecodable(text, charset)


def flag_undecodable(text: str, charset: str, count: int | None = None) -> tuple[Flag, ...]:
    """Flag the replacement characters in `text`.

    Args:
        text: the text that the spans point into; at most the first hundred places get one.
        charset: the charset that was used.
        count: number of places, where it is known better than from `text`.
    """
    places = [match.span() for match in _LOST.finditer(text)] if "\ufffd" in text else []
    count = len(places) if count is None else count
    if not count:
        return ()
    spans = [Span(start=start, end=end) for start, end in places[:_MAX_SPANS]]
    return (make_flag("undecodable-bytes", spans=spans, count=count, charset=charset),)


def count_lost(text: str) -> int:
    """Places where replacement characters stand."""
    return len(_LOST.findall(text))


def _decode_unmarked(raw: bytes) -> tuple[str, str]:
    nul_share = 0.1
    text = _decode_strictly(raw, "utf-8")
    # UTF-16 of plain ASCII is valid UTF-8 with a NUL between all letters
    if text is not None and raw.count(0) <= len(raw) * nul_share:
        return text, "utf-8"
    national = _decode_strictly(raw, "gb18030")
    if national is not None and _measure_plausibility(national) >= _PLAUSIBLE_SHARE:
        return national, "gb18030"
    return _choose_reading(raw)


def _choose_reading(raw: bytes) -> tuple[str, str]:
    """The reading with the most frequent characters; then the least lost; then the more usual charset."""
    best, best_rank = ("", "utf-8"), (-1.0, 0)
    for text, charset in _propose_readings(raw):
        rank = (_measure_plausibility(text), -text.count("\ufffd"))
        if rank > best_rank:
            best, best_rank = (text, charset), rank
    return best


def _propose_readings(raw: bytes) -> Iterator[tuple[str, str]]:
    for charset in ("gb18030", "utf-8", "big5hkscs"):
        yield raw.decode(charset, "replace"), charset
    for charset in ("utf-16-le", "utf-16-be"):
        text = raw.decode(charset, "replace")
        # nearly any bytes are valid UTF-16, so it has to read well, or be ASCII
        if _measure_plausibility(text) >= _UTF16_SHARE or text.isascii():
            yield text, charset
    guess = chardet.detect(raw)["encoding"]
    if guess and not guess.lower().startswith(("utf-16", "utf-32")):
        try:
            yield raw.decode(guess, "replace"), guess.lower()
        except (LookupError, UnicodeError):
            return


def _decode_strictly(raw: bytes, charset: str) -> str | None:
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return None


def _measure_plausibility(text: str) -> float:
    """Share of frequent characters among the first non-ASCII characters."""
    sample = "".join(_NON_ASCII.findall(text[: 20 * _SAMPLE]))[:_SAMPLE]
    return sum(map(_FREQUENT.__contains__, sample)) / len(sample) if sample else 0.0
