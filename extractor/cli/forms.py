"""extractor forms: the generations that are known, and the codebook of their fields."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from extractor.cli.terminal import open_console, usage_errors

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor forms[/cyan]   the generations that are known

[cyan]extractor forms 2021 --codebook[/cyan]   every field of one generation: id, label, type, unit

[cyan]extractor forms --codebook --csv > codebook.csv[/cyan]   all of them as CSV
"""


def forms(
    generation: Annotated[str | None, typer.Argument(metavar="[GENERATION]", help="Only this one: 2021, 2019.")] = None,
    codebook: Annotated[bool, typer.Option("--codebook", help="List every field: id, label, type, unit.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV instead of a table.")] = False,
) -> None:
    """Show which generations of the form are known, and the codebook of their fields."""
    with usage_errors():
        from extractor.errors import SettingsError
        from extractor.forms import load_forms

        known = load_forms().generations
        if generation is not None and generation not in known:
            raise SettingsError(f"{generation}: no such generation. Known are {', '.join(known)}.")
    header, lines = _list_codebook(generation) if codebook else _list_generations(generation)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *lines])
    else:
        _print_table(header, lines)


def _list_codebook(generation: str | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    from extractor.forms import CODEBOOK_HEADER, codebook_line, load_codebook

    entries = (entry for entry in load_codebook() if generation is None or generation in entry.generations)
    return CODEBOOK_HEADER, [codebook_line(entry) for entry in entries]


def _list_generations(generation: str | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    from extractor.forms import load_forms

    header = ("generation", "notice", "section", "rows", "columns", "cells", "equations")
    lines: list[Sequence[str]] = []
    for form in load_forms().generations.values():
        if generation not in (None, form.generation):
            continue
        if not form.sections:
            lines.append((form.generation, form.notice or "-", "no national table", "0", "0", "0", "0"))
        for section in form.sections.values():
            counts = (section.rows, section.columns, section.fields, section.equations)
            lines.append((form.generation, form.notice, section.id, *(str(len(items)) for items in counts)))
    return header, lines


def _print_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(header):
        is_count = all(line[index].isdigit() for line in lines) and name != "generation"
        table.add_column(name, justify="right" if is_count else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    open_console().print(table)
