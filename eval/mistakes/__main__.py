"""Can the chance of error tell a reader's mistakes from right readings? python -m eval.mistakes [--quick | --damaged].

One kind of mistake at a time, at given rates, in one of three places. `reply`: a simulated reader makes it, over real
HTTP, under each policy. `text`: the text itself is wrong before anybody reads it, as when pages were read by a machine;
only what the form adds up to can tell. `structure`: labels and borders are damaged, and the rules read alone; with
--damaged only that, over the documents of eval.corruption, whose 29 kinds of damage are the kinds of mistakes. Each
field of which the record says what is printed is right or wrong, and gets a chance of error from a scorer that was
fitted on other documents (`by document`), or on other documents and other kinds of mistakes (`new mistake`). Replies
are simulated and most documents made up: the figures say what the features can see, and nothing about how often any
reader errs. All intervals are over documents. How to read them: docs/calibration.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.mistakes.assess import (
    FEWEST,
    VIEWS,
    Chance,
    choose_strength,
    describe,
    rank_by_document,
    rank_by_mistake,
    select_fields,
)
from eval.mistakes.collect import TEXT, Design, Trial, collect_damaged, collect_trials
from eval.mistakes.documents import make_known
from extractor.evaluation.calibration.fit import fit_scorer
from extractor.evaluation.ranking import Discrimination, Estimate, bin_reliability, discriminate
from extractor.forms import TABLE_SECTIONS
from tests.loopback.mistakes import KINDS

FULL = Design(KINDS, rates=(0.05, 0.2), copies=6)
QUICK = Design(("digit_error", "row_swap"), rates=(0.2,), copies=1)
RESAMPLES, QUICK_RESAMPLES = 1000, 100
DAMAGED_COPIES = 30
SCHEMES = {"by document": rank_by_document, "new mistake": rank_by_mistake}
POPULATIONS = {"all": False, "open": True}

Ranked = Mapping[tuple[str, str], Sequence[Chance]]


def main() -> int:
    """Read, fit, rank and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few documents and kinds of mistakes")
    parser.add_argument("--damaged", action="store_true", help="the rules' own mistakes in damaged documents")
    parser.add_argument("--out", type=Path, help="write a scorer fitted on everything; it can never govern a run")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 170)
    known = list(make_known(is_quick=arguments.quick))
    resamples = QUICK_RESAMPLES if arguments.quick else RESAMPLES
    if arguments.damaged:
        trials = collect_damaged(DAMAGED_COPIES)
    else:
        trials = collect_trials(known, QUICK if arguments.quick else FULL)
    strength = choose_strength(trials)
    plan = [(scheme, view) for scheme in SCHEMES for view in VIEWS]
    progress = track(plan, "fitting", console=Console(stderr=True))
    ranked = {(scheme, view): SCHEMES[scheme](trials, view, strength) for scheme, view in progress}
    console.print(_draw_population(trials))
    count = len({trial.sample.id for trial in trials})
    console.print(f"{count} documents; C {strength:g}. open: fields that a threshold decides, as no finding about")
    console.print("the reading names them. accepted: by the hard rules, without any chance of error")
    console.print(_draw_views(ranked, resamples))
    for population in POPULATIONS:
        console.print(_draw_classes(ranked, population, resamples))
    if not arguments.damaged:
        console.print(_draw_sections(ranked["new mistake", "all features"], resamples))
    for population, is_open_only in POPULATIONS.items():
        console.print(_draw_reliability(ranked["by document", "all features"], population, is_open_only))
    if arguments.out:
        scorer = fit_scorer([trial.sample for trial in trials], strengths=(strength,)).scorer
        arguments.out.write_text(scorer.model_dump_json(indent=1) + "\n", encoding="utf-8")
        console.print(
            f"Written: {arguments.out}. It rests on generated documents and simulated replies: no certificate"
        )
    return 0


def _draw_population(trials: Sequence[Trial]) -> Table:
    columns = (
        "mistake",
        "policy",
        "readings",
        "fields",
        "wrong",
        "in documents",
        "open",
        "open and wrong",
        "accepted wrong",
    )
    table = Table(*columns, box=None, title="what is right and wrong")
    for key in dict.fromkeys(trial[:3] for trial in trials):
        own = [trial.sample for trial in trials if trial[:3] == key]
        fields = [field for sample in own for field in sample.fields]
        counts = (
            len(own),
            len(fields),
            sum(field.is_wrong for field in fields),
            len({sample.id for sample in own if any(field.is_wrong for field in sample.fields)}),
            sum(field.is_open for field in fields),
            sum(field.is_open and field.is_wrong for field in fields),
            sum(field.is_accepted and field.is_wrong for field in fields),
        )
        table.add_row(*key, *map(str, counts))
    return table


def _draw_views(ranked: Ranked, resamples: int) -> Table:
    columns = ("fitted on", "fields", "features", "wrong / fields", "in documents", "AUROC", "AUGRC", "Brier skill")
    table = Table(*columns, box=None, title="all mistakes together")
    for (scheme, view), chances in ranked.items():
        for population, is_open_only in POPULATIONS.items():
            found = describe(chances, is_open_only=is_open_only, resamples=resamples)
            table.add_row(scheme, population, view, *_counts(found), *_figures(found))
    for population, is_open_only in POPULATIONS.items():
        fields = select_fields(next(iter(ranked.values())), is_open_only=is_open_only)
        share = sum(field.is_wrong for field in fields) / len(fields)
        constant = discriminate([field._replace(p_wrong=share) for field in fields], resamples=0)
        table.add_row("-", population, "constant", *_counts(constant), *_figures(constant))
    return table


def _draw_classes(ranked: Ranked, population: str, resamples: int) -> Table:
    keys = [*(("new mistake", view) for view in VIEWS), ("by document", "all features")]
    columns = ("place", "mistake", "wrong / fields", "in documents", *VIEWS, "(kind not left out)")
    title = f"AUROC, each kind of mistake left out of the fit; {population} fields"
    table = Table(*columns, box=None, title=title)
    for kind in dict.fromkeys(chance[:2] for chance in ranked[keys[0]]):
        own = ([chance for chance in ranked[key] if chance[:2] == kind] for key in keys)
        found = [describe(chances, is_open_only=POPULATIONS[population], resamples=resamples) for chances in own]
        table.add_row(*kind, *_counts(found[0]), *_class_figures(found))
    return table


def _draw_sections(chances: Sequence[Chance], resamples: int) -> Table:
    columns = ("mistake", "section", "wrong / fields", "in documents", "AUROC", "AUGRC", "Brier skill")
    title = "mistakes in the text, by section: open fields, all features, each kind of mistake left out of the fit"
    table = Table(*columns, box=None, title=title)
    for mistake, section in product(dict.fromkeys(one.mistake for one in chances if one.place == TEXT), TABLE_SECTIONS):
        own = [one for one in chances if (one.place, one.mistake, one.section) == (TEXT, mistake, section)]
        found = describe(own, is_open_only=True, resamples=resamples)
        figures = _figures(found) if _is_enough(found) else ("too few", "", "")
        table.add_row(mistake, section, *_counts(found), *figures)
    return table


def _class_figures(found: Sequence[Discrimination]) -> Iterator[str]:
    for one in found:
        yield _show(one.auroc) if _is_enough(one) else "too few"


def _is_enough(found: Discrimination) -> bool:
    return found.wrong >= FEWEST and found.documents_wrong >= FEWEST


def _counts(found: Discrimination) -> tuple[str, str]:
    return f"{found.wrong}/{found.fields}", f"{found.documents_wrong}/{found.documents}"


def _figures(found: Discrimination) -> tuple[str, ...]:
    return _show(found.auroc), _show(found.augrc), _show(found.brier_skill)


def _show(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    bounds = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.3g}-{estimate.high:.3g})"
    return f"{estimate.value:.3g}{bounds}"


def _draw_reliability(chances: Sequence[Chance], population: str, is_open_only: bool) -> Table:
    table = Table("mean p(wrong)", "fields", "wrong", "share", box=None, title=f"reliability, {population} fields")
    for one in bin_reliability(select_fields(chances, is_open_only=is_open_only), bins=20):
        table.add_row(f"{one.mean_p_wrong:.5f}", str(one.fields), str(one.wrong), f"{one.share_wrong:.5f}")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
