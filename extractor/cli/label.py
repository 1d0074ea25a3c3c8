"""extractor label: drafts of labels, slips in labels, two labels of one document, labels from reviews."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import StoreOption, load_overridden, open_store
from extractor.cli.terminal import EXIT_FAILED, print_error, usage_errors

if TYPE_CHECKING:
    from extractor.evaluation.agreement import Agreement

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor label report.html --out labels[/cyan]   a draft, to be corrected beside the document

[cyan]extractor label report.html --out second --blank[/cyan]   nothing filled in: for the second labeller

[cyan]extractor label --check labels[/cyan]   slips: format, form, sums, and what the documents do not print

[cyan]extractor label --from-reviews --store store.sqlite --out gold[/cyan]   labels from the review page

[cyan]extractor label --compare labels/report.json second/report.json[/cyan]   where two labellers differ
"""


def label(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...", help="Documents; with --check labels, or folders that hold them.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where drafts go. Default: beside the document."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace drafts that are there; never a finished label.")
    ] = False,
    is_blank: Annotated[bool, typer.Option("--blank", help="Fill nothing in, for labelling without bias.")] = False,
    generation: Annotated[
        str | None,
        typer.Option(
            help="With --blank: form of the tables (2021, 2019) of documents that cannot be read, such as PDF."
        ),
    ] = None,
    is_check: Annotated[
        bool, typer.Option("--check", help="Look for slips in labels; exit code 1 if there are.")
    ] = False,
    is_compare: Annotated[bool, typer.Option("--compare", help="Compare two labels of one document.")] = False,
    is_from_reviews: Annotated[
        bool,
        typer.Option(
            "--from-reviews",
            help="Write the labels of all documents of a store that two people read whole, each blind to the other, "
            "with the documents beside them, into --out.",
        ),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write draft labels of documents, for a person to correct; check labels; compare two; take them from reviews.

    A draft holds what the rules read without doubt and a question mark everywhere else. No evaluation reads a draft.
    How to label, and how many documents one needs: docs/label.md.
    """
    documents = files or []
    with usage_errors():
        if is_from_reviews or store:
            _refuse_beside_reviews(is_from_reviews, [documents, is_check, is_compare, force, is_blank, generation], out)
            is_well = _take_from_reviews(out or Path(), store)
        else:
            _refuse_mixed(documents, is_check, is_compare, [out, force, is_blank, generation])
            if is_check:
                is_well = _check(documents)
            elif is_compare:
                is_well = _compare(documents)
            else:
                _check_generation(generation, is_blank)
                is_well = _draft(documents, out, force, is_blank, generation)
    if not is_well:
        raise typer.Exit(EXIT_FAILED)


def _refuse_beside_reviews(is_from_reviews: bool, others: Sequence[object], out: Path | None) -> None:
    from extractor.errors import SettingsError

    if not is_from_reviews:
        raise SettingsError("--store goes with --from-reviews.")
    if any(others):
        raise SettingsError("--from-reviews takes --store and --out, and nothing else: its documents are the store's.")
    if out is None:
        raise SettingsError("--from-reviews needs a folder for labels and documents. Name it with --out.")


def _refuse_mixed(files: Sequence[Path], is_check: bool, is_compare: bool, of_drafts: Sequence[object]) -> None:
    from extractor.errors import SettingsError

    if not files:
        raise SettingsError("no documents. Name files; or labels with --check, or a store with --from-reviews.")
    if (is_check and is_compare) or ((is_check or is_compare) and any(of_drafts)):
        raise SettingsError(
            "--check and --compare stand alone: --out, --force, --blank and --generation are for drafts."
        )
    if is_compare and len(files) != 2:
        raise SettingsError(f"--compare takes two labels, not {len(files)}. Name the label files of both labellers.")


def _check_generation(generation: str | None, is_blank: bool) -> None:
    from extractor.errors import SettingsError
    from extractor.forms import load_forms

    known = [form.generation for form in load_forms().national]
    if generation is not None and (generation not in known or not is_blank):
        raise SettingsError(f"--generation goes with --blank and is one of {', '.join(known)}.")


def _draft(files: Sequence[Path], out: Path | None, force: bool, is_blank: bool, generation: str | None) -> bool:
    """Write a draft for each document; one that cannot be read stops no other."""
    from extractor.errors import SourceError
    from extractor.evaluation.draft_files import choose_targets, write_draft
    from extractor.settings import load_settings

    is_well = True
    for target in choose_targets(files, out, is_forced=force):
        try:
            count = write_draft(target, load_settings(), is_blank=is_blank, generation=generation)
        except SourceError as error:
            print_error(error)
            is_well = False
        else:
            typer.echo(f"{target.label}: {count} to fill in")
    if is_well:
        typer.echo("Correct them beside their documents (docs/label.md), then: extractor label --check FOLDER")
    else:
        typer.echo("To label by hand what cannot be read: --blank --generation 2021", err=True)
    return is_well


def _check(places: Sequence[Path]) -> bool:
    from extractor.evaluation.check import check_labels
    from extractor.settings import load_settings

    checked = list(check_labels(places, load_settings()))
    for item in checked:
        for slip in item.slips:
            typer.echo(f"{item.path}: {slip.place}: {slip.problem}. {slip.remedy}.")
    spoilt = sum(bool(item.slips) for item in checked)
    cells, facts = sum(item.cells for item in checked), sum(item.facts for item in checked)
    typer.echo(f"{len(checked)} labels with {cells} cells and {facts} facts: {spoilt or 'none'} with slips")
    unread = [str(item.path) for item in checked if item.cells and not item.is_compared]
    if unread:
        typer.echo(f"Not compared with their documents, which cannot be read here: {', '.join(unread)}")
    return not spoilt


def _take_from_reviews(out: Path, store: str | None) -> bool:
    """Write what can be written; what is not read by two people is told, and is no failure."""
    from extractor.evaluation.from_reviews import write_reviewed_labels

    settings = load_overridden(None, None, None, store=store)
    written = left = 0
    with closing(open_store(settings, is_there=True)) as opened:
        for document in write_reviewed_labels(opened, out, settings):
            if document.label:
                written += 1
                typer.echo(f"{document.label}: {document.name}")
            else:
                left += 1
                for problem in document.missing:
                    typer.echo(f"no label: {document.name}: {problem}")
    typer.echo(f"{written} labels written; {left} documents with reviews are not read whole by two people")
    return True


def _compare(files: Sequence[Path]) -> bool:
    from extractor.evaluation.agreement import compare_labels
    from extractor.evaluation.labels import load_label

    agreement = compare_labels(*map(load_label, files))
    for item in agreement.differences:
        typer.echo(f"{item.field_id}: {item.one or 'not labelled'} | {item.other or 'not labelled'}")
    typer.echo(_say_agreement(agreement))
    return not agreement.differences


def _say_agreement(agreement: Agreement) -> str:
    kappa = "not defined, all cells read the same" if agreement.kappa is None else f"{agreement.kappa:.3f}"
    return (
        f"{agreement.cells_alike} of {agreement.cells} cells alike (kappa {kappa}), "
        f"{agreement.facts_alike} of {agreement.facts} facts"
    )
