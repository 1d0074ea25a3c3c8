"""extractor compare: two evaluations of the same documents against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.terminal import EXIT_FAILED, open_console, usage_errors

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor eval eval/gold --json > before.json[/cyan]   then change something, and evaluate again into after.json

[cyan]extractor compare before.json after.json[/cyan]   what the change gained and lost, document by document

[cyan]extractor compare before.json after.json --json[/cyan]   all of it, for other programs
"""


def compare(
    a: Annotated[Path, typer.Argument(metavar="A.json", help="What `extractor eval --json` wrote before.")],
    b: Annotated[Path, typer.Argument(metavar="B.json", help="What it wrote after the change.")],
    fields: Annotated[int, typer.Option(min=0, metavar="N", help="Gains and losses shown of each document.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Say what B gains and loses against A, and whether that is more than chance.

    Documents are compared field by field, kinds of documents apart; whether B is better or worse is tested over whole
    documents. A wrong value that B accepts and A did not is listed always, whatever the test says.

    The exit code is 1 when B is worse: by the test, or by any such value.
    """
    with usage_errors():
        _check_extra()
        from extractor.evaluation.compare import compare_evaluations
        from extractor.evaluation.result import load_evaluation

        comparison = compare_evaluations(load_evaluation(a), load_evaluation(b))
    if as_json:
        typer.echo(comparison.model_dump_json(indent=1))
    else:
        from rich.text import Text

        from extractor.console.comparison import draw_comparison

        console = open_console()
        for part in (Text(f"A: {a}"), Text(f"B: {b}"), *draw_comparison(comparison, most_fields=fields)):
            console.print(part, soft_wrap=isinstance(part, Text))
    if comparison.verdict == "worse":
        raise typer.Exit(EXIT_FAILED)


def _check_extra() -> None:
    from importlib.util import find_spec

    from extractor.errors import SettingsError

    if missing := [name for name in ("numpy", "scipy") if find_spec(name) is None]:
        raise SettingsError(f"compare needs {', '.join(missing)}. Install them: pip install 'extractor[evaluation]'.")
