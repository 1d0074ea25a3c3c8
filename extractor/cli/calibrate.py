"""extractor calibrate: from labelled documents to a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.calibrate_tables import tell_calibration
from extractor.cli.options import (
    BaseUrlOption,
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
from extractor.cli.terminal import EXIT_STOPPED, open_console, print_error, report_progress, usage_errors

if TYPE_CHECKING:
    from extractor.bulk.flow import ModelPart
    from extractor.evaluation.calibration import Calibration, Plan, Sample
    from extractor.settings import Settings

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor calibrate labels/ --out certificate.json[/cyan]   fit on one half of the documents, certify on the other

[cyan]extractor calibrate labels/ --train more/ --out certificate.json[/cyan]   fit on others, certify on all of labels/

[cyan]extractor calibrate labels/ --replay replies.jsonl --readers both --out certificate.json[/cyan]   with a model

[cyan]extractor run reports/ --certificate certificate.json --out out[/cyan]   then a run that uses it
"""


def calibrate(
    gold: Annotated[
        list[Path], typer.Argument(metavar="GOLD...", help="Label files, or folders with labels anywhere below them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the certificate is written.")],
    train: Annotated[
        list[Path] | None,
        typer.Option(metavar="LABELS", help="Labels to fit on; all of GOLD is then certified on. May be repeated."),
    ] = None,
    alpha: Annotated[
        float, typer.Option(min=0, max=1, help="Mean loss of a document that is to be certified.")
    ] = 0.005,
    delta: Annotated[float, typer.Option(min=0, max=1, help="Chance that this is said and not so.")] = 0.05,
    cap: Annotated[
        int, typer.Option(min=1, help="Accepted wrong values that make a document's loss 1. With 1, any does.")
    ] = 1,
    thresholds: Annotated[
        str | None,
        typer.Option(help="At most three thresholds of p(wrong), fixed beforehand: 0.001,0.003,0.01 is the default."),
    ] = None,
    readers: ReadersOption = None,
    replay: ReplayOption = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the model's server for what the journal lacks.")] = False,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
    max_usd: MaxUsdOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
) -> None:
    """Fit the chance that a value is wrong, and certify from which chance on values go to review.

    Says what the labelled documents support and no more. The file is written in any case; a run takes it only if real
    documents, and a model's own replies, are all that it rests on, and if a threshold was certified.
    Without --replay or --live the rules read alone, whatever model the settings name. See docs/calibration.md.
    """
    with usage_errors():
        _check_extra()
        from extractor.llm.calls import BudgetReached

        settings = load_overridden(model, base_url, journal)
        plan = _read_plan(alpha, delta, cap, thresholds)
        policy = choose_evaluation_policy(readers, settings, replay, is_live=live)
        part = open_model(policy, settings, replay, limits(max_usd, max_tokens, max_calls), limits(None, None, None))
        try:
            groups = _collect([gold, train] if train else [gold], settings, part)
        except BudgetReached as error:
            print_error(error)
            raise typer.Exit(EXIT_STOPPED) from None
        calibration = _calibrate(groups, plan, settings, part)
        _write(out, calibration)
    console = open_console()
    tell_calibration(console, calibration)
    console.print(f"Written: {out}", markup=False, soft_wrap=True)


def _read_plan(alpha: float, delta: float, cap: int, thresholds: str | None) -> Plan:
    from extractor.errors import SettingsError
    from extractor.evaluation.calibration import MOST_THRESHOLDS, THRESHOLDS, Plan, Target

    if not (0 < alpha < 1 and 0 < delta < 1):
        raise SettingsError("--alpha and --delta must lie between 0 and 1, both excluded.")
    try:
        named = tuple(float(word) for word in thresholds.split(",")) if thresholds else THRESHOLDS
    except ValueError:
        named = ()
    if not 0 < len(named) <= MOST_THRESHOLDS or not all(0 < one < 1 for one in named):
        raise SettingsError(
            f"--thresholds {thresholds}: one to {MOST_THRESHOLDS} numbers between 0 and 1, such as 0.001,0.01."
        )
    return Plan(Target(alpha, delta, cap), named)


def _collect(places: Sequence[Sequence[Path]], settings: Settings, part: ModelPart | None) -> list[list[Sample]]:
    from extractor.bulk.progress import Progress
    from extractor.evaluation.calibration import collect_samples
    from extractor.evaluation.labels import find_labels

    groups = [list(find_labels(group)) for group in places]
    with report_progress() as tell:
        return collect_samples(groups, settings, part, lambda done, total: tell(Progress("read", done, total)))


def _calibrate(
    groups: Sequence[Sequence[Sample]], plan: Plan, settings: Settings, part: ModelPart | None
) -> Calibration:
    from extractor.confidence.standing import collect_versions
    from extractor.errors import SettingsError
    from extractor.evaluation.calibration import calibrate as calibrate_samples

    account = part.describe() if part else {"policy": "template", "name": None, "replies": [], "missing": 0}
    if account["missing"]:
        raise SettingsError(
            f"{account['missing']} questions have no recorded reply: such readings are not those of a run. "
            "Record them all (--live with a journal), or calibrate the rules alone with --readers template."
        )
    gold, train = groups[0], groups[1] if len(groups) > 1 else None
    versions = collect_versions(account["policy"], account["name"], settings.prompts_dir)
    replies = tuple(sorted({item["origin"] for item in account["replies"]}))
    return calibrate_samples(gold, train, plan, versions, replies)


def _write(out: Path, calibration: Calibration) -> None:
    from extractor.confidence.certificate import dump_certificate
    from extractor.errors import OutputError

    try:
        out.write_text(dump_certificate(calibration.certificate), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{out}: the certificate cannot be written ({error.strerror}). Name another place."
        ) from error


def _check_extra() -> None:
    from importlib.util import find_spec

    from extractor.errors import SettingsError

    if missing := [name for name in ("numpy", "scipy", "sklearn") if find_spec(name) is None]:
        raise SettingsError(f"calibrate needs {', '.join(missing)}. Install them: pip install 'extractor[evaluation]'.")
