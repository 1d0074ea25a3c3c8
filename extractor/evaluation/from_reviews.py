"""Labels from the review page: of documents that two people read cell by cell, neither seeing the other's answers.

Lives here: the rule of what two people have read, and the label that comes of it. Does not live here: the format of
labels (label_file, draft), looking for slips (check), the reviews themselves (extractor.review). Called by
`extractor label --from-reviews`.

The rule: a field is labelled only if two people answered it on this very document, blind to each other, and the word
that stands is the one on which both agree, or the one that settled their difference. A document has a label only if
that holds for every cell of its tables; a fact of the header or the text that two people did not read is left out, and
so is judged by nobody. What nobody looked at never becomes gold, however sure the program was of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.errors import OutputError
from extractor.evaluation.check import check_label
from extractor.evaluation.draft import GLUED, dump_label, find_quote, lay_out_label, list_inconsistencies, write_cell
from extractor.evaluation.label_file import name_some
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, CellState, Record, RecordField
from extractor.review.rulings import list_counting
from extractor.settings import Settings

if TYPE_CHECKING:
    from extractor.store.shapes import Extraction, Review, StoredSource
    from extractor.store.store import Books, Store

DOCUMENTS, LABELS = "documents", "labels"
_PAGE = 500
_NAME_LENGTH = 16  # of a document's id, as its file's name: names that people sent are no file names here
_LONGEST_SUFFIX = 5


class ReviewedDocument(NamedTuple):
    """What became of one document that somebody reviewed. `label` is None where `missing` says what is not there."""

    document_id: str
    name: str
    label: Path | None
    missing: tuple[str, ...] = ()


def write_reviewed_labels(store: Store, out: Path, settings: Settings) -> Iterator[ReviewedDocument]:
    """Write a label, and the document beside it, of every document that two people read whole.

    Args:
        store: is only read.
        out: gets the folders `documents` and `labels`.
        settings: for reading each document once more, to look for slips in its label.

    Yields:
        Every document of which somebody said something, those without a label too.

    Raises:
        OutputError: a file cannot be written.
    """
    for document_id in _list_documents(store):
        with store.read() as books:
            reviewed = _collect(books, document_id)
        if reviewed:
            yield _write_one(reviewed, out, settings)


class _Reviewed(NamedTuple):
    """A document with everything that was said of it."""

    source: StoredSource
    live: Extraction
    reviews: Sequence[Review]

    @property
    def record(self) -> Record:
        """As it stands, with all words in it."""
        return self.live.record

    @property
    def settled(self) -> frozenset[int]:
        """The reviews that followed on another person's blind look: a second one, or what settled a difference."""
        people: dict[int | None, set[str]] = {}
        for one in self.reviews:
            people.setdefault(one.item_id, set()).add(one.account)
        looks = (one for one in self.reviews if one.kind == "decide" and one.round > 1)
        # Who was left alone with an item looked at it twice himself.
        return frozenset(one.id for one in looks if len(people[one.item_id]) > 1)

    @property
    def readers(self) -> list[str]:
        """Whoever looked, by name."""
        return sorted({one.account for one in self.reviews if one.kind == "decide"})

    def list_read_twice(self) -> Mapping[str, RecordField]:
        """The fields on which the word that stands is of two people."""
        settled = self.settled
        fields = self.record.fields.items()
        return {name: found for name, found in fields if found.ruling and found.ruling.review in settled}


def _list_documents(store: Store) -> Iterator[str]:
    after: str | None = None
    while True:
        with store.read() as books:
            cards, after = books.documents.cards(after=after, limit=_PAGE)
        yield from (card.id for card in cards)
        if after is None:
            return


def _collect(books: Books, document_id: str) -> _Reviewed | None:
    """None for a document of which nobody said anything, or whose bytes are still being read."""
    reviews = list_counting(books.reviews.of_document(document_id))
    source = books.documents.source(document_id) if reviews else None
    return _Reviewed(source, books.documents.live(document_id), reviews) if source else None


# ---------------------------------------------------------------- one document


def _write_one(reviewed: _Reviewed, out: Path, settings: Settings) -> ReviewedDocument:
    identity = reviewed.source.id, reviewed.source.name
    missing = tuple(_list_missing(reviewed))
    if missing:
        return ReviewedDocument(*identity, None, missing)
    stem = reviewed.source.id[:_NAME_LENGTH]
    document = Path(DOCUMENTS) / f"{stem}{_suffix(reviewed.source.name)}"
    text = dump_label(_make_label(reviewed, document.as_posix()))
    label = Path(LABELS) / f"{stem}.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".unfinished-", dir=out) as folder:
            for place, content in ((document, reviewed.source.raw), (label, text.encode())):
                (Path(folder) / place).parent.mkdir()
                (Path(folder) / place).write_bytes(content)
            slips = check_label(Path(folder) / label, settings).slips
            if slips:
                found = tuple(f"{slip.place}: {slip.problem}" for slip in slips)
                return ReviewedDocument(*identity, None, found)
            if _differs(out / label, text):
                return ReviewedDocument(*identity, None, (f"{out / label} is there and says something else: move it",))
            for place in (document, label):
                (out / place).parent.mkdir(exist_ok=True)
                os.replace(Path(folder) / place, out / place)
    except OSError as error:
        raise OutputError(f"{out}: the labels cannot be written ({error.strerror}). Check the folder.") from error
    return ReviewedDocument(*identity, out / label)


def _differs(label: Path, text: str) -> bool:
    return label.exists() and label.read_bytes() != text.encode()


def _suffix(name: str) -> str:
    """The ending of a name that somebody gave, where it is a plain one."""
    suffix = Path(name.replace("\\", "/")).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= _LONGEST_SUFFIX + 1 else ""


def _list_missing(reviewed: _Reviewed) -> Iterator[str]:
    """The cells of the document's tables that two people did not read."""
    record, read = reviewed.record, reviewed.list_read_twice()
    for section_id in TABLE_SECTIONS:
        section = load_forms().section(section_id, record.generation.get(section_id, ""))
        cells = [field.id for field in section.fields] if section else []
        left = [name for name in cells if name not in read]
        if left:
            some = name_some([name.partition(".")[2] for name in left])
            yield f"{section_id}: {len(left)} of {len(cells)} cells not read by two people ({some})"
    if not any(record.generation.get(section_id) not in (None, "absent", "pre2019") for section_id in TABLE_SECTIONS):
        yield "no table of a form that can be labelled"


# ---------------------------------------------------------------- the label


def _make_label(reviewed: _Reviewed, file: str) -> dict[str, Any]:
    """The label of a document that two people read whole; `file` is how it names the document."""
    record, read = reviewed.record, reviewed.list_read_twice()
    cells = {name: _write(found) for name, found in read.items()}
    label = lay_out_label(file, record.generation, cells, _write_facts(read, reviewed.live.text))
    for key in ("draft", "to_check"):
        del label[key]
    return label | {
        "basis": {section: _tell_basis(record, section) for section in TABLE_SECTIONS},
        "source_inconsistencies": list(list_inconsistencies(record)),
        "reviewed_by": reviewed.readers,
    }


def _write(found: RecordField) -> object:
    """A cell as labels write it; of one that the source does not tell, that it does not."""
    if found.ruling and found.ruling.action == "unknowable":
        return CellState.POSITION_UNKNOWN.value
    if found.state is CellState.UNPARSABLE and found.raw:
        return f"{found.state}:{found.raw}"
    return write_cell(found)


def _write_facts(read: Mapping[str, RecordField], text: str) -> dict[str, dict[str, object]]:
    """Facts that two people read; a number only with the words that state it."""
    known = {name: found for name, found in read.items() if found.ruling and found.ruling.action != "unknowable"}
    header = {name: _write_fact(known[f"header.{name}"]) for name in HEADER_FIELDS if f"header.{name}" in known}
    narrative: dict[str, object] = {}
    quotes: dict[str, str] = {}
    for name in NARRATIVE_FIELDS:
        found = known.get(f"narrative.{name}")
        if found is None or (found.state is CellState.VALUE and not found.spans):
            continue
        narrative[name] = _write_fact(found)
        if found.state is CellState.VALUE:
            quotes[name] = find_quote(text, (), found)
    return {"header": header, "narrative": narrative | {"quotes": quotes}}


def _write_fact(found: RecordField) -> object:
    """Null: two people say that the document does not state it."""
    return found.value if found.state is CellState.VALUE else None


def _tell_basis(record: Record, section: str) -> str:
    """`equations` where digits were glued, whoever divided them: people see the division that the sums propose."""
    fields = (found for name, found in record.fields.items() if name.startswith(f"{section}."))
    extracted = (found.candidates[0].state for found in fields if found.ruling and found.candidates)
    return "equations" if any(state in GLUED for state in extracted) else "read"
