"""extractor batch."""

import typer

app = typer.Typer(help="Ask in batches, at a lower price.", no_args_is_help=True)
