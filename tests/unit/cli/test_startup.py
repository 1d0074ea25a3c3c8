"""The command line answers before anything heavy is loaded, and its list of commands says what they say."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer
from typer.main import get_command

from extractor.cli.app import app
from extractor.cli.lazy import load_command

#: What typer and rich bring with them. Whatever else is loaded makes every start slower.
LIBRARIES = {"annotated_doc", "attr", "attrs", "markdown_it", "mdurl", "pygments", "rich", "shellingham", "typer"}
#: Of the standard library, loaded by anything that fetches, computes in parallel, or keeps data.
HEAVY = {"asyncio", "concurrent", "multiprocessing", "sqlite3", "ssl", "xml"}
FRAME = {"extractor", "extractor.cli", "extractor.cli.app", "extractor.cli.lazy"}
#: Shared by the commands' arguments and their ends; nothing heavy is behind them.
OPTIONS = {"extractor.cli.options", "extractor.cli.terminal"}

_TELL = """
import json, sys
before = set(sys.modules)
sys.argv = ["extractor", *sys.argv[1:]]
try:
    from extractor.cli import main
    main()
except SystemExit as end:
    assert not end.code
finally:
    print("\\0" + json.dumps(sorted(set(sys.modules) - before)))
"""


def list_loaded(*words: str) -> set[str]:
    """Names of the modules that a command loads, told by a process of its own."""
    command = [sys.executable, "-c", _TELL, *words]
    shown = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S603
    assert shown.strip("\0\n"), "the command says something"
    return set(json.loads(shown.rpartition("\0")[2]))


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["--help"], FRAME),
        (["--version"], FRAME),
        (["run", "--help"], FRAME | OPTIONS | {"extractor.cli.run", "extractor.cli.run_report"}),
        (["serve", "--help"], FRAME | OPTIONS | {"extractor.cli.serve"}),
    ],
    ids=["help", "version", "help of run", "help of serve"],
)
def test_what_a_start_loads(words: list[str], ours: set[str]) -> None:
    loaded = list_loaded(*words)
    top = {name.partition(".")[0] for name in loaded}
    assert top - LIBRARIES - sys.stdlib_module_names == {"extractor"}
    assert top & HEAVY == set()
    assert {name for name in loaded if name.startswith("extractor")} <= ours


def test_the_list_of_commands_says_what_they_say() -> None:
    """The list is written down beside the commands: they are not loaded to be listed."""
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for name, listed in group.commands.items():
        command = load_command(name, group.sources[name].module)  # type: ignore[attr-defined]
        assert command.name == name
        assert " ".join(command.help.split("\n\n")[0].split()) == listed.help, (
            f"extractor {name}: put it into cli/app.py"
        )


def test_a_slip_is_corrected_and_completion_knows_the_commands() -> None:
    group = get_command(app)
    context = group.make_context("extractor", ["--"], resilient_parsing=True)
    assert [item.value for item in group.shell_complete(context, "jo")] == ["journal"]
    with pytest.raises(typer._click.exceptions.UsageError, match="Did you mean 'batch'"):
        group.resolve_command(context.__class__(group), ["bach"])
