"""Commands that are loaded when they are called, so that --help and --version load none of them.

Lives here: the group that knows its commands by name and summary. Does not live here: which commands there are (app),
what they do (a module each). Called by app.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

#: A command as typer builds it. Its class belongs to typer's own copy of click and has no public name.
_Built = Any


class Source(NamedTuple):
    """Where a command is, and the line that stands for it in the list of commands.

    Attributes:
        module: of this package; it holds either a typer application called `app`, or a function called like the module
            and beside it `EXAMPLES`, what stands below its help.
        summary: the first paragraph of its help, which a test compares.
    """

    module: str
    summary: str


class LazyGroup(TyperGroup):
    """A group whose commands are names and summaries until one of them is called."""

    sources: ClassVar[Mapping[str, Source]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, source in self.sources.items():
            self.add_command(TyperCommand(name, help=source.summary))

    def get_params(self, ctx: Any) -> list[Any]:
        """The options before the command. A flag that is not given is False: a None makes typer load pydantic."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.default is None and param.type_descriptor.annotation is bool:
                param.default = False
        return params

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, _Built, list[str]]:
        """The command that is called, loaded."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and name and load_command(name, self.sources[name].module), rest


def load_command(name: str, module: str) -> _Built:
    """Import a command's module and build the command."""
    loaded = import_module(f"extractor.cli.{module}")
    around = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
    if hasattr(loaded, "app"):
        around.add_typer(loaded.app, name=name)
    else:
        around.command(name, epilog=loaded.EXAMPLES)(getattr(loaded, module))
        around.callback()(lambda: None)
    return get_group(around).commands[name]
