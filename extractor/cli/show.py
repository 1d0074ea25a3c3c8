"""extractor show: one report, its doubts and the lines behind them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import (
    BaseUrlOption,
    CertificateOption,
    JournalOption,
    ModelOption,
    ReadersOption,
    ReplayOption,
    choose_policy,
    limits,
    load_overridden,
    open_model,
)
from extractor.cli.terminal import EXIT_FAILED, Language, open_console, print_error, usage_errors

if TYPE_CHECKING:
    from rich.console import RenderableType

    from extractor.bulk.flow import ModelPart
    from extractor.confidence import Certificate
    from extractor.model import Document, Record
    from extractor.settings import Settings

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor show report.html[/cyan]   the form as a grid, with what needs a person below

[cyan]extractor show report.html --all --lang zh | less[/cyan]   every finding, in Chinese

[cyan]extractor show report.html --json > record.json[/cyan]   the record, as in records.jsonl

[cyan]extractor show scan.pdf --page-image look.png[/cyan]   its pages with a box around every value
"""


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One report.")],
    lang: Annotated[Language, typer.Option(help="Language of the findings.")] = Language.BOTH,
    show_all: Annotated[bool, typer.Option("--all", help="Every finding and all of its evidence.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="OUT", help="Save the picture as SVG.")] = None,
    page_image: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png",
            help="Save the pages of a PDF or scan with what was read drawn on them; several pages as OUT-1.png, …",
        ),
    ] = None,
    page: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --page-image: this page, as OUT.png.")
    ] = None,
    certificate: CertificateOption = None,
    readers: ReadersOption = None,
    replay: ReplayOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
) -> None:
    """Show one report: the form as a grid, failed equations, findings and the source lines behind them."""
    from extractor.cli.page_image import check_out
    from extractor.console import render_record
    from extractor.errors import SourceError

    with usage_errors():
        check_out(page_image, page)
        settings = load_overridden(model, base_url, journal, certificate=certificate)
        policy = choose_policy(readers, settings, replay)
        part = open_model(policy, settings, replay, limits(None, None, None), limits(None, None, None))
        governing = _open_certificate(part, settings)
    try:
        from extractor.sources import load_document

        document = load_document(file, settings)
    except SourceError as error:
        print_error(error)
        raise typer.Exit(EXIT_FAILED) from None
    with usage_errors():
        record = _process(document, part, governing)
    if page_image:
        _save_pages(record, document, page_image, page, settings)
        return
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
        return
    picture = render_record(record, document.text, lang.value, show_all=show_all)
    if svg:
        with usage_errors():
            _save_svg(picture, svg, file.name)
        typer.echo(f"saved {svg}")
        return
    open_console().print(picture)


def _open_certificate(part: ModelPart | None, settings: Settings) -> Certificate | None:
    """The certificate to judge by; what it may do is told on stderr, for stdout may be a record."""
    if settings.certificate is None:
        return None
    from extractor.bulk.flow import open_standing

    standing = open_standing(part, settings)
    typer.echo(standing.tell(), err=True)
    return standing.certificate


def _process(document: Document, part: ModelPart | None, certificate: Certificate | None) -> Record:
    from extractor.pipeline import process_document, process_with_model

    if part is None:
        return process_document(document, (), certificate)

    async def ask() -> Record:
        try:
            return await process_with_model(document, (), part.reader, part.policy, certificate)
        finally:
            await part.session.aclose()

    return asyncio.run(ask())


def _save_pages(record: Record, document: Document, out: Path, page: int | None, settings: Settings) -> None:
    from extractor.cli.page_image import save_pages
    from extractor.errors import SourceError

    try:
        with usage_errors():
            for path in save_pages(record, document, out, page, settings):
                typer.echo(f"saved {path}")
    except SourceError as error:
        print_error(error)
        raise typer.Exit(EXIT_FAILED) from None


def _save_svg(picture: RenderableType, path: Path, title: str) -> None:
    from extractor.errors import OutputError
    from extractor.svg import export_svg

    try:
        path.write_text(export_svg(picture, title), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: the picture cannot be written ({error.strerror}). Check the folder.") from error
