"""What looks at the queue are worth, on damaged documents with their truth: python eval/bench/review_worth.py [part …].

priors: how often a value under each flag is not what is printed (extractor/review/priors.py).
order: wrong or missing values found in the first tenth, quarter and half of all looks, in the queue's order and others.

The documents are those of eval.corruption, every kind and severity: made, not found. Wrong answers: review_slips.py.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eval.corruption import KINDS, make_corrupted
from extractor.errors import SourceError
from extractor.evaluation.labels import Label
from extractor.evaluation.outcomes import judge_fields
from extractor.model import Record
from extractor.pipeline import process_document
from extractor.review.answers import SAYS
from extractor.review.items import group_items
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.shapes import ItemDraft

FIRST_NUMBER = 50
SHARES = (0.1, 0.25, 0.5)


class Case(NamedTuple):
    """A damaged document as extracted, and what it prints."""

    record: Record
    label: Label


def make_cases(count: int) -> Iterator[Case]:
    """So many documents of each kind and severity, those that can be read."""
    for kind in sorted(KINDS):
        for severity in (1, 2, 3):
            for document in make_corrupted(kind, severity, count, seed=FIRST_NUMBER):
                try:
                    read = read_document(document.raw, document.name, Settings())
                except SourceError:
                    continue
                yield Case(process_document(read), document.label)


def find_wrong(record: Record, label: Label) -> set[str]:
    """Fields of which the label knows better than the record."""
    return {one.field_id for one in judge_fields(record, label) if one.verdict in ("wrong", "open")}


# ---------------------------------------------------------------- priors


def show_priors(cases: Sequence[Case]) -> None:
    """Values under each code that say what is printed: how many, and how many of them are wrong."""
    looked_at: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for record, label in cases:
        seen = set()
        for one in judge_fields(record, label):
            if one.found in SAYS and one.verdict != "invented":
                looked_at.update(one.flags)
                wrong.update(one.flags if one.verdict == "wrong" else ())
                seen.update(one.flags)
        documents.update(seen)
    print(f"{len(cases)} documents\n{'code':28}{'documents':>10}{'values':>8}{'wrong':>7}{'share':>8}")
    for code, count in looked_at.most_common():
        print(f"{code:28}{documents[code]:>10}{count:>8}{wrong[code]:>7}{wrong[code] / count:>8.3f}")


# ---------------------------------------------------------------- order


class Look(NamedTuple):
    """An item: what it costs, what was expected of it, and how many wrong values are in it."""

    draft: ItemDraft
    found: int


def show_order(cases: Sequence[Case]) -> None:
    """Wrong values found by share of all looks, in three orders."""
    looks = []
    for record, label in cases:
        wrong = find_wrong(record, label)
        looks += [Look(draft, len(wrong & set(draft.fields))) for draft in group_items(record)]
    shuffled = list(looks)
    Random(1).shuffle(shuffled)
    orders = {
        "queue": sorted(looks, key=lambda one: -one.draft.expected / one.draft.looks),
        "by document": looks,
        "random": shuffled,
        "in hindsight": sorted(looks, key=lambda one: -one.found / one.draft.looks),
    }
    expected, found = sum(one.draft.expected for one in looks), sum(one.found for one in looks)
    print(
        f"{len(looks)} items, {sum(one.draft.looks for one in looks):.0f} looks, expected {expected:.0f}, wrong {found}"
    )
    print(f"{'order':14}" + "".join(f"{share:>8.0%}" for share in SHARES))
    for name, order in orders.items():
        print(f"{name:14}" + "".join(f"{_share_found(order, share):>8.0%}" for share in SHARES))
    for kind in sorted({one.draft.kind for one in looks}):
        own = [one for one in looks if one.draft.kind == kind]
        figures = sum(one.draft.expected for one in own), sum(one.found for one in own)
        print(f"  {kind:12}{len(own):>6} items, expected {figures[0]:>7.1f}, wrong {figures[1]}")


def _share_found(order: Sequence[Look], share: float) -> float:
    left = share * sum(one.draft.looks for one in order)
    found = 0.0
    for one in order:
        found += one.found * min(1.0, left / one.draft.looks)
        left -= one.draft.looks
        if left <= 0:
            break
    return found / sum(one.found for one in order)


def run_parts(description: str | None, parts: Mapping[str, Callable[[Sequence[Case]], None]]) -> None:
    """Print the parts that the command line names, over the same cases."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(parts)}; all when left out")
    parser.add_argument("--count", type=int, default=4, help="documents of each kind and severity")
    options = parser.parse_args()
    cases = list(make_cases(options.count))
    for name in options.parts or parts:
        print(f"## {name}")
        parts[name](cases)


if __name__ == "__main__":
    run_parts(__doc__, {"priors": show_priors, "order": show_order})
