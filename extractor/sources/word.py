"""Word files -> lines, tables and pictures.

Lives here: the body of a docx as a reader of the printed page sees it, and the way of an old .doc or .rtf
through LibreOffice. Does not live here: the layout of lines and tables (see extractor.sources.blocks),
headings, what pictures say and what cells mean. Called by extractor.sources.

Not in the text: page headers and footers, footnotes, comments, numbers that Word makes up for lists
("1." by numbering), text hidden by a named style, and parts that a document only links to. Of the zip only
the members that are needed are opened, so a docx with broken pictures or relations still reads.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from lxml import etree

from extractor.errors import DamagedSource, MissingProgram, SourceTooLarge
from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.blocks import (
    MAX_COLUMN_SPAN,
    MAX_COLUMNS,
    Block,
    BlockWriter,
    Collected,
    Table,
    TableCell,
    count_shown,
    flag_hidden,
    settle_table,
)
from extractor.sources.detect import RTF_MAGIC, ZIP_ERRORS
from extractor.sources.pictures import SHOWN_ADDRESS, PictureMark, PictureShelf, Shown


def collect_docx(raw: bytes, path: str, settings: Settings) -> Collected:
    """Take in the body of a docx: one line a paragraph, tables as for web pages, pictures behind their paragraph.

    Tracked changes are read as accepted. Of alternative contents the first is read, so that text boxes come
    once, after the paragraph that they are anchored in. The text may be empty.

    Raises:
        DamagedSource: not a whole zip, or no document in it, or its XML is broken.
        SourceTooLarge: unpacked over ten times `max_source_mb`, or its text over `max_source_mb`.
    """
    archive, part, xml = _unpack_body(raw, path, settings)
    reader = _BodyReader(_PartPictures(archive, part, path, settings))
    reader.read(_parse_body(xml, path))

    def complete(linear: Linear) -> Linear:
        return replace(linear, notices=(*flag_hidden(reader.hidden_chars), *linear.notices))

    return Collected(reader.writer.finish(), complete)


def _parse_body(xml: bytes, path: str) -> etree._Element:
    # entities, networks and giant trees have no place in a docx
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise DamagedSource(path, f"the document inside is broken ({error.msg})", _FETCH_AGAIN) from error


# ---------------------------------------------------------------- unpacking

_FETCH_AGAIN = "Fetch it again, whole, or save it anew in Word"
_MB = 1_000_000
_UNPACKED_FACTOR = 10
_PACKAGE_RELATIONS = "_rels/.rels"
_MAIN_PART = re.compile(r"word/document\d*\.xml", re.IGNORECASE)


def _unpack_body(raw: bytes, path: str, settings: Settings) -> tuple[zipfile.ZipFile, str, bytes]:
    """The zip, the name of its document's part, and that part."""
    limit = settings.max_source_mb * _MB
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        if sum(member.file_size for member in archive.infolist()) > limit * _UNPACKED_FACTOR:
            raise SourceTooLarge(
                path,
                f"it unpacks to more than {settings.max_source_mb * _UNPACKED_FACTOR} MB",
                "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report",
            )
        part = _find_main_part(archive, path, limit)
        return archive, part, _read_member(archive, part, path, limit)
    except ZIP_ERRORS as error:
        raise DamagedSource(path, f"the docx is broken ({error})", _FETCH_AGAIN) from error


def _read_member(archive: zipfile.ZipFile, name: str, path: str, limit: int) -> bytes:
    """Read in small steps: the sizes in a zip's headers are only claims."""
    content = bytearray()
    with archive.open(name) as member:
        while piece := member.read(1 << 16):
            content += piece
            if len(content) > limit:
                raise SourceTooLarge(
                    path,
                    f"{name} in it is over {limit // _MB} MB",
                    "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report",
                )
    return bytes(content)


def _find_main_part(archive: zipfile.ZipFile, path: str, limit: int) -> str:
    """The part that the package names as its document, else the one with the usual name."""
    names = archive.namelist()
    if _PACKAGE_RELATIONS in names:
        for relation in _parse_relations(_read_member(archive, _PACKAGE_RELATIONS, path, limit)):
            target = posixpath.normpath(relation.get("Target", "").lstrip("/"))
            if relation.get("Type", "").endswith("/officeDocument") and target in names:
                return target
    for name in names:
        if _MAIN_PART.fullmatch(name):
            return name
    raise DamagedSource(path, "there is no document inside this docx", _FETCH_AGAIN)


def _parse_relations(xml: bytes) -> Iterable[etree._Element]:
    """The relations that a part of the package has to others, as far as they can be read."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(xml, parser) if xml.strip() else None
    return root if root is not None else ()


# ---------------------------------------------------------------- pictures

_PICTURE_TAGS = frozenset(
    (
        "{http://schemas.openxmlformats.org/drawingml/2006/main}blip",
        "{http://purl.oclc.org/ooxml/drawingml/main}blip",
        "{urn:schemas-microsoft-com:vml}imagedata",
    )
)
_RELATION = re.compile(r"relationships}(?:embed|link|id)$")
_NOT_INSIDE = "the document only links to it"
_BROKEN = "its part of the docx is broken"


class _PartPictures:
    """The pictures of the document's part, by the relations that the text names."""

    def __init__(self, archive: zipfile.ZipFile, part: str, path: str, settings: Settings) -> None:
        self._archive = archive
        self._folder = posixpath.dirname(part)
        self._shelf = PictureShelf(settings)
        relations = posixpath.join(self._folder, "_rels", posixpath.basename(part) + ".rels")
        try:
            found = _parse_relations(_read_member(archive, relations, path, settings.max_source_mb * _MB))
        except (*ZIP_ERRORS, etree.XMLSyntaxError, SourceTooLarge):
            found = ()
        self._targets = {one.get("Id"): one for one in found}

    def find(self, element: etree._Element) -> Shown | None:
        """The picture that an element shows; None when it is too small for a table, or was found before."""
        # r:embed, r:link, or r:id, in whatever namespace the relations have
        names = [str(value) for key, value in element.attrib.items() if _RELATION.search(str(key))]
        relation = next((self._targets[name] for name in names if name in self._targets), None)
        if relation is None:
            return Shown(", ".join(names), problem=_BROKEN) if names else None
        target = relation.get("Target", "")
        if relation.get("TargetMode") == "External":
            return None if self._shelf.is_known(target) else Shown(target[:SHOWN_ADDRESS], problem=_NOT_INSIDE)
        name = posixpath.normpath(posixpath.join(self._folder, target)).lstrip("/")
        if self._shelf.is_known(name):
            return None
        try:
            with self._archive.open(name) as member:
                shown = self._shelf.take(name, member)
        except ZIP_ERRORS:
            return Shown(name, problem=_BROKEN)
        return None if shown is None or shown.is_large is False else shown


# ---------------------------------------------------------------- reading the body

_WORD_NAMESPACES = frozenset(
    (
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "http://schemas.openxmlformats.org/markup-compatibility/2006",
    )
)
# properties; what was deleted or moved away; field codes; glosses
_SKIPPED = frozenset(
    {"pPr", "rPr", "tblPr", "tblGrid", "tblPrEx", "trPr", "tcPr", "sectPr", "sdtPr", "sdtEndPr", "rubyPr"}
    | {"del", "delText", "moveFrom", "instrText", "delInstrText", "fldChar", "rt"}
)
_CHARACTERS = {"tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}
_XML_SPACES = re.compile(r"[\t\n\r]+")
# half points; a larger text can be seen
_UNREADABLE_SIZE = 2

_Action = Callable[[], None]


@lru_cache(maxsize=1000)
def _read_tag(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")
    return name if namespace.lstrip("{") in _WORD_NAMESPACES else ""


def _name(element: etree._Element) -> str:
    """The local name in the namespaces of Word, else an empty string (as for entities)."""
    tag = element.tag
    return _read_tag(tag) if isinstance(tag, str) else ""


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    if element is None:
        return None
    return next((child for child in element if _name(child) == name), None)


def _value(element: etree._Element | None, name: str) -> str | None:
    """The `val` of a child: None without the child, empty without a value."""
    child = _child(element, name)
    if child is None:
        return None
    return next((str(value) for key, value in child.attrib.items() if str(key).endswith("}val")), "")


def _number(element: etree._Element | None, name: str) -> int:
    value = _value(element, name) or ""
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else 0


def _is_on(element: etree._Element | None, name: str) -> bool:
    value = _value(element, name)
    return value is not None and value not in ("0", "false", "off")


class _TableUnderWay:
    """A table until its end: cells already placed, and merged cells that may go on below."""

    def __init__(self) -> None:
        self.cells: list[TableCell] = []
        self.row = -1
        self.column = 0
        self.width = 0
        self.merges: dict[int, TableCell] = {}

    def open_row(self, properties: etree._Element | None) -> None:
        self.row += 1
        self.column = min(_number(properties, "gridBefore"), MAX_COLUMN_SPAN)

    def place(self, properties: etree._Element | None) -> TableCell | None:
        """The new cell, or None when this one only continues a merged cell."""
        span = min(max(1, _number(properties, "gridSpan")), MAX_COLUMN_SPAN)
        column = self.column
        self.column += span
        self.width = max(self.width, self.column)
        left = self.cells[-1] if self.cells else None
        is_beside = left is not None and left.row == self.row and left.column + left.column_span == column
        if left is not None and is_beside and _value(properties, "hMerge") not in (None, "restart"):
            left.column_span += span
            return None
        merge = _value(properties, "vMerge")
        above = self.merges.get(column)
        does_continue = above is not None and above.column_span == span and above.row + above.row_span == self.row
        if above is not None and does_continue and merge not in (None, "restart"):
            above.row_span += 1
            return None
        cell = TableCell(column_span=span, row=self.row, column=column)
        self.cells.append(cell)
        if merge is not None:
            self.merges[column] = cell
        else:
            self.merges.pop(column, None)
        return cell

    def finish(self) -> list[Block]:
        return settle_table(Table(self.width if self.width <= MAX_COLUMNS else 0, self.cells))


class _BodyReader:
    """Walks the document without recursion and fills a BlockWriter."""

    def __init__(self, pictures: _PartPictures) -> None:
        self.writer = BlockWriter()
        self.hidden_chars = 0
        self._pictures = pictures
        self._tables: list[_TableUnderWay] = []
        self._floats: list[list[Block]] = []
        self._pending: list[etree._Element | _Action] = []

    def read(self, root: etree._Element) -> None:
        """Read all below `root`."""
        pending = self._pending
        pending.append(root)
        while pending:
            item = pending.pop()
            if isinstance(item, etree._Element):
                self._read_element(item)
            else:
                item()

    def _read_element(self, element: etree._Element) -> None:
        name = _name(element)
        if name in _SKIPPED:
            return
        if element.tag in _PICTURE_TAGS:
            self._show_picture(element)
        if name == "t":
            self.writer.add_text(_XML_SPACES.sub(" ", element.text or ""))
        elif name in _CHARACTERS:
            self.writer.add_text(_CHARACTERS[name])
        elif name in ("br", "cr"):
            self.writer.break_line()
        elif name == "AlternateContent":
            # the first alternative; the others say the same for older programs
            self._pending.extend(reversed(element[0] if len(element) else element))
        elif name == "r" and _is_hidden_run(element):
            self._skip_hidden(element)
        else:
            opener = self._OPENERS.get(name)
            if opener is None or opener(self, element):
                self._pending.extend(reversed(element))

    def _skip_hidden(self, element: etree._Element) -> None:
        self.hidden_chars += sum(count_shown(part.text or "") for part in element.iter() if _name(part) == "t")

    def _show_picture(self, element: etree._Element) -> None:
        shown = self._pictures.find(element)
        if shown is not None:
            self._set_apart([PictureMark(shown)])

    def _set_apart(self, blocks: Sequence[Block]) -> None:
        """Put blocks behind the paragraph under way."""
        if self._floats:
            self._floats[-1].extend(blocks)
        else:
            self.writer.add_blocks(blocks)

    def _open_paragraph(self, element: etree._Element) -> bool:
        floats: list[Block] = []
        self._floats.append(floats)
        marks = _child(_child(element, "pPr"), "rPr")
        # a deleted paragraph mark joins the paragraph to the next one
        is_joined = _child(marks, "del") is not None or _child(marks, "moveFrom") is not None

        def close() -> None:
            self._floats.pop()
            if not is_joined:
                self.writer.break_line()
            if floats:
                self.writer.add_blocks(floats)

        self._pending.append(close)
        return True

    def _open_text_box(self, _: etree._Element) -> bool:
        self.writer.open_cell()

        self._pending.append(lambda: self._set_apart(self.writer.close_cell()))
        return True

    def _open_table(self, _: etree._Element) -> bool:
        self.writer.end_line()
        table = _TableUnderWay()
        self._tables.append(table)

        def close() -> None:
            self._tables.pop()
            self.writer.add_blocks(table.finish())

        self._pending.append(close)
        return True

    def _open_row(self, element: etree._Element) -> bool:
        properties = _child(element, "trPr")
        if _child(properties, "del") is not None:
            return False
        if _is_on(properties, "hidden"):
            self._skip_hidden(element)
            return False
        if self._tables:
            self._tables[-1].open_row(properties)
        return True

    def _open_cell(self, element: etree._Element) -> bool:
        if not self._tables:
            return True
        cell = self._tables[-1].place(_child(element, "tcPr"))
        if cell is None:
            # Word shows only the first of merged cells
            self._skip_hidden(element)
            return False
        self.writer.open_cell()
        placed = cell

        def close() -> None:
            placed.blocks = self.writer.close_cell()

        self._pending.append(close)
        return True

    _OPENERS: ClassVar[dict[str, Callable[[_BodyReader, etree._Element], bool]]] = {
        "p": _open_paragraph,
        "txbxContent": _open_text_box,
        "tbl": _open_table,
        "tr": _open_row,
        "tc": _open_cell,
    }


def _is_hidden_run(run: etree._Element) -> bool:
    properties = _child(run, "rPr")
    if properties is None:
        return False
    size = _value(properties, "sz")
    is_tiny = size is not None and size.isdecimal() and int(size) <= _UNREADABLE_SIZE
    return is_tiny or _is_on(properties, "vanish")


# ---------------------------------------------------------------- old Word and Rich Text


def collect_doc(raw: bytes, path: str, settings: Settings) -> Collected:
    """Take in an old .doc or an .rtf by way of LibreOffice, which writes a docx.

    Raises:
        MissingProgram: there is no LibreOffice.
        DamagedSource: LibreOffice could not read the file, or not in time.
        SourceTooLarge: see collect_docx.
    """
    program = _find_soffice(path, settings)
    with tempfile.TemporaryDirectory(prefix="extractor-doc-") as folder:
        return collect_docx(_convert_to_docx(raw, path, program, Path(folder), settings), path, settings)


def _find_soffice(path: str, settings: Settings) -> str:
    wanted = [str(settings.soffice)] if settings.soffice else ["soffice", "libreoffice"]
    for name in wanted:
        if program := shutil.which(name):
            return program
    where = f"at {settings.soffice}, where EXTRACTOR_SOFFICE points" if settings.soffice else "on PATH"
    raise MissingProgram(
        path,
        f"old Word files are read by LibreOffice, and there is none {where}",
        "Install the Debian package libreoffice-writer-nogui, or save the file as docx",
    )


def _convert_to_docx(raw: bytes, path: str, program: str, folder: Path, settings: Settings) -> bytes:
    is_rtf = raw.lstrip().startswith(RTF_MAGIC)
    source = folder / ("source.rtf" if is_rtf else "source.doc")
    source.write_bytes(raw)
    command = [
        program,
        # a profile of its own: two runs with one profile wait for each other or fail
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        # named, lest a broken file be taken for plain text and its bytes for words
        f"--infilter={'Rich Text Format' if is_rtf else 'MS Word 97'}",
        "--convert-to",
        "docx",
        "--outdir",
        str(folder / "out"),
        str(source),
    ]
    words = _run_bounded(command, path, settings.soffice_timeout_s)
    result = folder / "out" / "source.docx"
    if not result.is_file():
        problem = words.strip().splitlines()[-1][:200] if words.strip() else "no reason given"
        raise DamagedSource(path, f"LibreOffice could not read this file ({problem})", "Save it as docx")
    return result.read_bytes()


def _run_bounded(command: list[str], path: str, timeout_s: int) -> str:
    """Run a program in a process group of its own, and end all of it when its time is over."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's program, no shell, paths of our own making
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        remedy = "Install the Debian package libreoffice-writer-nogui, or save the file as docx"
        raise MissingProgram(path, f"LibreOffice cannot be started ({error})", remedy) from error
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        problem = f"LibreOffice did not finish it in {timeout_s} s"
        raise DamagedSource(path, problem, "Save it as docx, or raise EXTRACTOR_SOFFICE_TIMEOUT_S") from error
    finally:
        _end_group(process)
    return output.decode("utf-8", "replace")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # LibreOffice's own children outlive its starter when that is killed alone
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
