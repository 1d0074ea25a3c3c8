"""extractor eval: the program against labelled documents."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.evaluate_tables import tell_gate, tell_summary, tell_tables
from extractor.cli.options import (
    BaseUrlOption,
    CertificateOption,
    JournalOption,
    MaxCallsOption,
    MaxTokensOption,
    MaxUsdOption,
    ModelOption,
    ReadersOption,
    ReplayOption,
    choose_evaluation_policy,
    limits,
    load_overridden,
    open_model,
)
from extractor.cli.terminal import (
    EXIT_FAILED,
    EXIT_STOPPED,
    open_console,
    print_error,
    report_progress,
    usage_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractor.bulk.flow import ModelPart
    from extractor.evaluation.runner import Evaluated
    from extractor.readers.policy import Policy
    from extractor.settings import Settings

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor eval eval/gold[/cyan]   the rules alone, against every label of a folder

[cyan]extractor eval eval/gold --replay eval/replies/fixtures.jsonl[/cyan]   with recorded replies

[cyan]extractor eval eval/gold --json > before.json[/cyan]   keep the result; later: --baseline before.json

[cyan]extractor eval eval/gold --live --model NAME --report page.html[/cyan]   ask a model, and write a page
"""


def evaluate(
    gold: Annotated[
        list[Path], typer.Argument(metavar="GOLD...", help="Label files, or folders with labels anywhere below them.")
    ],
    readers: ReadersOption = None,
    replay: ReplayOption = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the model's server for what the journal lacks.")] = False,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
    max_usd: MaxUsdOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
    certificate: CertificateOption = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An earlier result (--json): fail on every field that fares worse."),
    ] = None,
    losses: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file of losses to let pass, each with its reason.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON; all else goes to stderr.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="HTML", help="Write a page that shows everything.")] = None,
) -> None:
    """Measure the program against labelled documents, and fail on what must not happen.

    Without --replay or --live the rules read alone, whatever model the settings name.
    The exit code is 1 when a wrong value was accepted or a recorded reply is missing; with --baseline also when any
    field fares worse and no declared loss says why. What the numbers mean: eval/README.md.
    """
    with usage_errors():
        _check_extra()
        from extractor.evaluation.gate import check_gate
        from extractor.evaluation.losses import load_losses
        from extractor.evaluation.result import dump_evaluation, load_evaluation
        from extractor.evaluation.runner import summarise_run
        from extractor.llm.calls import BudgetReached

        settings = load_overridden(model, base_url, journal, certificate=certificate)
        if report:
            _make_room(report)
        policy = choose_evaluation_policy(readers, settings, replay, is_live=live)
        before = load_evaluation(baseline) if baseline else None
        declared = load_losses(losses) if losses else ()
        part = open_model(policy, settings, replay, limits(max_usd, max_tokens, max_calls), limits(None, None, None))
        try:
            evaluated = _run(gold, settings, part)
        except BudgetReached as error:
            print_error(error)
            raise typer.Exit(EXIT_STOPPED) from None
        evaluation = summarise_run(evaluated)
        gate = check_gate(evaluation, before, declared)
        if report:
            from extractor.evaluation.report import write_report

            write_report(report, evaluated.outcomes, evaluation, gate, before)
    if as_json:
        typer.echo(dump_evaluation(evaluation), nl=False)
    console = open_console(is_error=as_json)
    if not as_json:
        tell_tables(console, evaluated.outcomes)
    tell_summary(console, evaluated)
    tell_gate(console, gate, _say_renewal(gold, policy, replay, settings.certificate, baseline))
    if report:
        console.print(f"Written: {report}", markup=False, soft_wrap=True)
    if not gate.is_green:
        raise typer.Exit(EXIT_FAILED)


def _make_room(report: Path) -> None:
    """A page that cannot be written is told before anything is read, and paid for.

    Raises:
        OutputError: the folder cannot be made, or the path is one itself.
    """
    from extractor.errors import OutputError

    try:
        report.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{report.parent}: cannot be made ({error.strerror}). Name another file in --report."
        ) from error
    if report.is_dir():
        raise OutputError(f"{report}: is a folder. Name a file in --report.")


def _run(gold: Sequence[Path], settings: Settings, part: ModelPart | None) -> Evaluated:
    from extractor.bulk.progress import Progress
    from extractor.evaluation.labels import find_labels
    from extractor.evaluation.runner import evaluate_documents

    files = list(find_labels(gold))
    with report_progress() as tell:
        return evaluate_documents(files, settings, part, lambda done, total: tell(Progress("read", done, total)))


def _check_extra() -> None:
    from importlib.util import find_spec

    from extractor.errors import SettingsError

    if missing := [name for name in ("jinja2", "matplotlib", "numpy", "scipy") if find_spec(name) is None]:
        raise SettingsError(f"eval needs {', '.join(missing)}. Install them: pip install 'extractor[evaluation]'.")


def _say_renewal(
    gold: Sequence[Path], policy: Policy, replay: Path | None, certificate: Path | None, baseline: Path | None
) -> str:
    """The command that makes this result the baseline."""
    options = {"--readers": policy, "--replay": replay, "--certificate": certificate}
    said = [str(word) for option, value in options.items() if value for word in (option, value)]
    words = ["extractor", "eval", *map(str, gold), *said, "--json"]
    return f"{shlex.join(words)} > {shlex.quote(str(baseline))}"
