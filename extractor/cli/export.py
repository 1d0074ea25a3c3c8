"""extractor export: the output files, at any time, from a store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import StoreOption, load_overridden, open_store
from extractor.cli.terminal import open_console, usage_errors

if TYPE_CHECKING:
    from extractor.export.stored import Exported

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor export --store store.sqlite --out out[/cyan]   every document, with what people said of it

[cyan]extractor export --store store.sqlite --run RUN --out out[/cyan]   the documents of one run

[cyan]extractor export --store store.sqlite --as-extracted --out raw[/cyan]   without anybody's word
"""


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the outputs; made when missing.")],
    store: StoreOption = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Only this run's documents (`run_id` in run.json).")
    ] = None,
    as_extracted: Annotated[
        bool, typer.Option("--as-extracted", help="Leave out what people said: what the program read, alone.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds other files; same names are replaced.")
    ] = False,
) -> None:
    """Write the files of a run anew from a store, also while a run goes on or people decide.

    What people said stands in them, with who and when: `ruling`, `decided_by` and `decided_at` in values.csv, `ruling`
    in records.jsonl. queue.csv lists what is still open.
    """
    with usage_errors():
        from extractor.export import check_out_dir
        from extractor.export.stored import export_stored

        settings = load_overridden(None, None, None, store=store)
        check_out_dir(out, is_forced=force)
        with closing(open_store(settings, is_there=True)) as opened:
            exported = export_stored(opened, out, run_id=run, as_extracted=as_extracted)
    _tell(exported)


def _tell(exported: Exported) -> None:
    from rich.text import Text

    from extractor.export import OUTPUTS

    console, account = open_console(), exported.account
    rulings = ", ".join(f"{count} {action}" for action, count in account["rulings"].items())
    lines = [
        f"{account['documents']} documents; {account['fields']['accepted']} fields accepted, "
        f"{account['fields']['review']} for review",
        f"people's words: {rulings or 'none'}"
        if account["export"]["words"] == "corrected"
        else "as extracted: without people's words",
    ]
    if exported.xlsx_rows_left_out:
        lines.append(f"table.xlsx is full: {exported.xlsx_rows_left_out} documents are only in the other files")
    lines += ["", "Written:", *(f"  {path}   {OUTPUTS[path.name]}" for path in exported.outputs)]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
