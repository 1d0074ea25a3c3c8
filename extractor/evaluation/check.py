"""Looking for slips in labels: against the format, the form, their own sums, and the document.

Lives here: the order of the checks. Does not live here: the checks (label_file, check_form, check_sums,
check_document), and whether a label is right, which only a second pair of eyes can tell (agreement). Called by
`extractor label --check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from extractor.evaluation.check_document import check_document, open_document
from extractor.evaluation.check_form import check_rows, check_values
from extractor.evaluation.check_sums import check_sums
from extractor.evaluation.label_file import LabelFile, Slip, describe_faults, name_some, parse_json
from extractor.evaluation.label_values import TO_FILL
from extractor.evaluation.labels import build_label, find_document, list_label_paths
from extractor.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckedLabel:
    """What checking one label came to.

    Attributes:
        slips: none where nothing is wrong that can be told.
        cells, facts: how many the label holds; 0 where it could not be read.
        is_compared: whether the document could be read, and the label was compared with it.
    """

    path: Path
    slips: tuple[Slip, ...]
    cells: int = 0
    facts: int = 0
    is_compared: bool = False


def check_labels(places: Iterable[Path], settings: Settings) -> Iterator[CheckedLabel]:
    """Check the labels of some files and folders, drafts among them.

    Raises:
        SettingsError: a place that is not there, or a folder without a label.
    """
    for path in list_label_paths(places):
        yield check_label(path, settings)


def check_label(path: Path, settings: Settings) -> CheckedLabel:
    """Check one label. What is wrong with its form hides what comes after, so that no slip is told twice."""
    try:
        data = parse_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        return CheckedLabel(path, (Slip("the file", f"is no JSON ({error})", "Correct it at the place named"),))
    open_places = tuple(_find_open(data, ""))
    slips = _check_draft(data, open_places)
    try:
        file = LabelFile.model_validate(data)
    except ValidationError as error:
        faults = (fault for fault in describe_faults(error) if fault.problem != "not filled in")
        return CheckedLabel(path, (*slips, *faults))
    slips += tuple(check_rows(file))
    if slips:
        return CheckedLabel(path, slips)
    label = build_label(file, path.stem)
    place = find_document(path, file.file)
    slips = (*check_values(label), *check_sums(file, label))
    if place is None:
        lost = Slip("file", f"{file.file} is in no folder above the label", "Move one of them, or correct `file`")
        return CheckedLabel(path, (*slips, lost), len(label.cells), len(label.facts))
    document = open_document(place, settings)
    if isinstance(document, Slip):
        slips = (*slips, document)
    elif document:
        slips = (*slips, *check_document(document, file, label))
    return CheckedLabel(path, slips, len(label.cells), len(label.facts), bool(document))


def _check_draft(data: object, open_places: tuple[str, ...]) -> tuple[Slip, ...]:
    slips: list[Slip] = []
    if open_places:
        problem = f'{len(open_places)} not filled in ("{TO_FILL}")'
        slips.append(Slip(name_some(open_places), problem, "Read it in the document"))
    if isinstance(data, dict):
        lines = data.get("to_check")
        if isinstance(lines, list) and lines:
            slips.append(Slip("to_check", f"{len(lines)} left to look at", "Take each line out when it is done"))
        if data.get("draft"):
            slips.append(
                Slip("draft", "a draft still", "Take the key out when every cell is compared with the document")
            )
    return tuple(slips)


def _find_open(item: object, place: str) -> Iterator[str]:
    """Where a person has still to write."""
    if item == TO_FILL:
        yield place.removeprefix(".")
    elif isinstance(item, dict):
        for key, value in item.items():
            yield from _find_open(value, f"{place}.{key}")
    elif isinstance(item, list):
        for number, value in enumerate(item, start=1):
            yield from _find_open(value, f"{place}[{number}]")
