"""Documents that somebody hands in: read from the request, checked, filed for the worker to read.

Lives here: what is taken and what is not, equal files together, the order of writing. Does not live here: reading a
document (bulk.submitted, in the background), limits on the request as a whole (limits). Called by the API and the page
of runs. A name that comes with a file is text; no file of that name is ever opened or made, and no address is fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from fastapi import UploadFile

from extractor.errors import SourceError
from extractor.model import Origin
from extractor.settings import Settings
from extractor.sources import tell_media_type
from extractor.store.shapes import RunDocument
from extractor.store.store import Store
from extractor.web.keyed import Keep, hash_request
from extractor.web.problems import Problem
from extractor.web.shapes import RunView
from extractor.web.text import clean_file_name

_BLOCK_BYTES = 1 << 20
_LONGEST_URL = 2000


class _Handed(NamedTuple):
    """One distinct content, and every name and address it came under."""

    document_id: str
    name: str
    file: BinaryIO
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in. `digest`: of all of it, to know the same submission again."""

    documents: tuple[_Handed, ...]
    file_count: int
    digest: str


def read_submission(files: Sequence[UploadFile], urls: Sequence[str], settings: Settings, account: str) -> Submission:
    """Look at what came, without keeping anything.

    Args:
        account: who hands it in. Of a file without an address its place is his name for it: a later file of the same
            name is a version of it only when he sends that, too.

    Raises:
        Problem: 413 where a file is too large, 422 where the addresses do not fit the files.
    """
    if urls and len(urls) != len(files):
        raise Problem(
            422, "urls-do-not-fit", f"{len(files)} files and {len(urls)} urls: send one url for each file, or none."
        )
    found: dict[str, tuple[str, BinaryIO, dict[Origin, None]]] = {}
    parts: list[str] = []
    for number, upload in enumerate(files):
        name, url = clean_file_name(upload.filename), _read_url(urls[number], number) if urls else None
        document_id = _hash_file(upload.file, name, settings.max_source_mb)
        # Another way to say that the url's host is the site: what a manifest may say of files on disk.
        origin = Origin(f"submitted/{account}/{name}", url, urlsplit(url).hostname if url else None)
        found.setdefault(document_id, (name, upload.file, {}))[2][origin] = None
        parts += [document_id, name, url or ""]
    documents = tuple(
        _Handed(document_id, name, file, tuple(origins)) for document_id, (name, file, origins) in found.items()
    )
    return Submission(documents, len(files), hash_request("submission", *parts))


def file_submission(store: Store, submission: Submission, account: str, now: datetime, keep: Keep) -> RunView:
    """Keep the documents and queue them.

    The bytes go first, each by a transaction of its own, so that reviewers can decide meanwhile; whatever ends this in
    between leaves bytes that no run names, and the same submission sent again finds them.
    """
    for handed in submission.documents:
        handed.file.seek(0)
        raw = handed.file.read()
        media_type = _tell_media_type(raw, handed.name)
        with store.write() as books:
            books.documents.add_source(handed.document_id, handed.name, media_type, raw)
    with store.write() as books:
        arguments = {"files": submission.file_count, "documents": len(submission.documents)}
        run = books.runs.create("submitted", account, arguments)
        for position, handed in enumerate(submission.documents):
            books.runs.add_document(
                RunDocument(
                    run_id=run.id,
                    position=position,
                    name=handed.name,
                    origins=handed.origins,
                    state="queued",
                    document_id=handed.document_id,
                )
            )
        view = RunView.model_validate(books.runs.get(run.id))
        keep(books, view)
    return view


def _tell_media_type(raw: bytes, name: str) -> str:
    try:
        return tell_media_type(raw, name)
    except SourceError:
        return "application/octet-stream"  # the worker will say what is wrong with it


def _read_url(text: str, number: int) -> str | None:
    url = text.strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_right = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_right = False
    if not is_right or len(url) > _LONGEST_URL or not url.isprintable():
        raise Problem(
            422, "no-web-address", f"urls[{number}] is no web address (http or https). Send an empty one if unknown."
        )
    return url


def _hash_file(file: BinaryIO, name: str, limit_mb: int) -> str:
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    if size > limit_mb * 1_000_000:
        raise Problem(
            413,
            "file-too-large",
            f"{name}: has {size / 1e6:.1f} MB, the limit for one document is {limit_mb} MB. Nothing was kept.",
        )
    return digest.hexdigest()
