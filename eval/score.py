"""Score the template reader against the labels: python eval/score.py [FOLDER_OF_LABELS …] [--errors].

Without folders: eval/gold, and the corpus beside the checkout when it is there. Exits with 1 when anything was
accepted wrong. What the numbers mean: eval/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from extractor import load_document, process_document
from extractor.errors import UnsupportedFormat
from extractor.evaluation import Score, load_label, score_record
from extractor.forms import TABLE_SECTIONS

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_FOLDERS = (ROOT / "eval" / "gold", ROOT.parent / "shared" / "corpus" / "labels")
COLUMNS = (
    "document",
    "cells",
    "right",
    "wrong",
    "inferred",
    "missing",
    "invented",
    "accepted wrong",
    "accepted / printed",
    "non-zero",
    "all-zero guess",
    "facts right",
)


def find_document(label_path: Path, file: str) -> Path | None:
    """The labelled document: relative to any folder above the label."""
    return next((parent / file for parent in label_path.resolve().parents if (parent / file).is_file()), None)


def score_folder(folder: Path, table: Table, show_errors: bool) -> Iterator[Score]:
    """Score every label of a folder; a line in the table for each."""
    for path in sorted(folder.glob("*.json")):
        label = load_label(path)
        document = find_document(path, label.file)
        if document is None:
            table.add_row(path.stem, "document not found")
            continue
        try:
            score = score_record(process_document(load_document(document)), label)
        except UnsupportedFormat as error:
            table.add_row(f"{path.stem} ({error.problem})")
            continue
        note = " (glued digits)" if label.is_inferred >= set(TABLE_SECTIONS) - {"proactive_disclosure"} else ""
        table.add_row(path.stem + note, *describe(score))
        if show_errors:
            for error_line in score.errors:
                print(f"{path.stem}: {error_line}")
        yield score


def describe(score: Score) -> tuple[str, ...]:
    """The counts of one document as cells."""
    return (
        str(score.cells),
        str(score.right),
        str(score.wrong),
        f"{score.inferred_agreeing}/{score.inferred}" if score.inferred else "",
        str(score.missing),
        str(score.invented),
        str(score.accepted_wrong + score.facts_accepted_wrong),
        f"{score.accepted}/{score.printed}",
        f"{score.accepted_nonzero}/{score.printed_nonzero}",
        f"{score.all_zero}/{score.cells}",
        f"{score.facts_right}/{score.facts}",
    )


def main() -> int:
    """Score and print; 1 when anything accepted is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--errors", action="store_true", help="list every cell that is not right")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    accepted_wrong = 0
    for folder in arguments.folders or [folder for folder in DEFAULT_FOLDERS if folder.is_dir()]:
        table = Table(*COLUMNS, title=f"{folder.parent.name}/{folder.name}", box=None, title_justify="left")
        scores = list(score_folder(folder, table, arguments.errors))
        console.print(table, "")
        accepted_wrong += sum(score.accepted_wrong + score.facts_accepted_wrong for score in scores)
    console.print(f"accepted and wrong: {accepted_wrong}")
    return 1 if accepted_wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
