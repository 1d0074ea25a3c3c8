"""The command line. Each command is a file of this package; app puts them together."""

from extractor.cli.app import app, main

__all__ = ["app", "main"]
