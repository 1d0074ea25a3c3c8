"""Where draft labels go, and what they must not replace.

Does not live here: what a draft holds (draft). Called by `extractor label`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from extractor.errors import OutputError, SettingsError
from extractor.evaluation.draft import dump_label, make_blank, make_draft
from extractor.evaluation.label_file import parse_json
from extractor.evaluation.label_values import TO_FILL
from extractor.evaluation.labels import find_document
from extractor.forms import TABLE_SECTIONS
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import load_document


class Target(NamedTuple):
    """A document and its label to be. `file`: how the label names the document."""

    document: Path
    label: Path
    file: str


def choose_targets(documents: Iterable[Path], folder: Path | None, *, is_forced: bool) -> list[Target]:
    """Where each document's draft goes: into the folder, or without one beside the document.

    Raises:
        SettingsError: a document that is not there or that a label in the folder cannot name; two labels of one name;
            a label that must not be replaced.
    """
    targets: dict[Path, Target] = {}
    for document in dict.fromkeys(documents):
        if not document.is_file():
            raise SettingsError(f"{document}: no such file. Name the documents themselves.")
        label = (folder or document.parent) / f"{document.stem}.json"
        if label in targets:
            other = targets[label].document
            raise SettingsError(
                f"{document}: its label would replace that of {other}. Put one of them elsewhere (--out)."
            )
        _refuse_to_replace(label, is_forced)
        targets[label] = Target(document, label, _name_document(document, label))
    return list(targets.values())


def write_draft(target: Target, settings: Settings, *, is_blank: bool, generation: str | None = None) -> int:
    """Read a document by the rules alone and write its draft.

    Args:
        target: see choose_targets.
        settings: of the program.
        is_blank: whether nothing is filled in.
        generation: form of all tables; the document is not opened then. Only for blank drafts.

    Returns:
        How many cells and facts there are to fill in.

    Raises:
        SourceError: the document cannot be read.
        OutputError: the label cannot be written.
    """
    if generation:
        draft = make_blank(dict.fromkeys(TABLE_SECTIONS, generation), target.file)
    else:
        document = load_document(target.document, settings)
        record = process_document(document)
        draft = make_blank(record.generation, target.file) if is_blank else make_draft(record, document, target.file)
    text = dump_label(draft)
    try:
        target.label.parent.mkdir(parents=True, exist_ok=True)
        target.label.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(f"{target.label}: cannot be written ({error.strerror}). Check the folder.") from error
    return text.count(f'"{TO_FILL}"')


def _name_document(document: Path, label: Path) -> str:
    """The document's path relative to the folder that holds it and the label."""
    place, home = document.resolve(), label.resolve().parent
    above = Path(os.path.commonpath((place.parent, home))) if place.anchor == home.anchor else None
    if above is not None and above != Path(place.anchor):  # else the label would hold a path of this machine
        file = place.relative_to(above).as_posix()
        if find_document(label, file) == place:
            return file
    raise SettingsError(f"{document}: a label in {label.parent} cannot name it. Keep both below one folder (--out).")


def _refuse_to_replace(label: Path, is_forced: bool) -> None:
    """A draft can be made again; a person's work cannot, and a slip of the finger must not cost it."""
    if not label.exists():
        return
    try:
        data = parse_json(label.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        data = None
    if not isinstance(data, dict) or data.get("draft") is not True:
        raise SettingsError(f"{label}: holds something else than a draft and is never replaced. Move it, or use --out.")
    if not is_forced:
        raise SettingsError(f"{label}: a draft that someone may be working on. --force makes it anew.")
