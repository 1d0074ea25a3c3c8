"""What `extractor calibrate` prints: what it rests on, how the chances rank, what is certified and what is not.

Does not live here: the command (calibrate), any figure (extractor.evaluation.calibration).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from extractor.confidence.certificate import Certificate
    from extractor.evaluation.calibration import Calibration, RuleTest
    from extractor.evaluation.ranking import Discrimination, Estimate, ReliabilityBin


def tell_calibration(console: Console, calibration: Calibration) -> None:
    """Everything, in the order in which it was found."""
    _tell(console, _describe_documents(calibration))
    _tell(console, _describe_ranking(calibration))
    if calibration.reliability:
        console.print(_draw_reliability(calibration))
    console.print(_draw_rules(calibration))
    _tell(console, _describe_verdict(calibration))


def _tell(console: Console, lines: Iterator[str]) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


# ---------------------------------------------------------------- what it rests on


def _describe_documents(calibration: Calibration) -> Iterator[str]:
    fit, certificate = calibration.fit, calibration.certificate
    versions = certificate.stands_for
    who = f"{versions.readers}, model {versions.model}" if versions.model else "the rules alone"
    replies = f", replies: {', '.join(certificate.replies)}" if certificate.replies else ""
    yield f"Read by {who}{replies}"
    yield f"Fitted on {_count(fit.scorer.documents)}: {fit.fields} fields, {fit.wrong} wrong in {fit.sources_wrong}"
    if calibration.left_out:
        yield f"  {calibration.left_out} documents of --train print what one of GOLD prints, and were left out"
    yield f"Certified on {_count(certificate.documents)}, none of them fitted on"
    yield f"  layouts: {_join(certificate.layouts)}"
    if unjudged := sum(sample.unjudged for sample in calibration.test):
        yield f"  {unjudged} accepted fields are in no label: nobody says whether they are right, no loss counts them"


def _count(kinds: Mapping[str, int]) -> str:
    total = sum(kinds.values())
    return f"{total} {'document' if total == 1 else 'documents'} ({_join(kinds)})"


def _join(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


# ---------------------------------------------------------------- ranking


def _describe_ranking(calibration: Calibration) -> Iterator[str]:
    from extractor.evaluation.calibration import FEWEST_SOURCES, FEWEST_WRONG

    if calibration.fit.strength is None:
        yield (
            f"p(wrong): too few wrong fields to fit ({calibration.fit.wrong} in {calibration.fit.sources_wrong} "
            f"documents; {FEWEST_WRONG} in {FEWEST_SOURCES} are needed): one number for every field, no ranking"
        )
        return
    yield f"p(wrong): {calibration.ranking.verdict}"
    yield f"  all fields: {_describe_discrimination(calibration.ranking)}"
    yield f"  those that a threshold decides: {_describe_discrimination(calibration.ranking_open)}"


def _describe_discrimination(found: Discrimination) -> str:
    return (
        f"{found.wrong} of {found.fields} wrong, in {found.documents_wrong} of {found.documents} documents; "
        f"AUROC {_show(found.auroc)}, AUGRC {_show(found.augrc)}, Brier skill {_show(found.brier_skill)}"
    )


def _show(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"


def _draw_reliability(calibration: Calibration) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        "mean p(wrong)", "fields", "wrong", "share", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left"
    )
    for column in table.columns:
        column.justify = "right"
    for one in calibration.reliability:
        table.add_row(*_reliability_row(one))
    return table


def _reliability_row(one: ReliabilityBin) -> tuple[str, ...]:
    return f"{one.mean_p_wrong:.5f}", str(one.fields), str(one.wrong), f"{one.share_wrong:.5f}"


# ---------------------------------------------------------------- rules of acceptance


def _draw_rules(calibration: Calibration) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("accepted is", no_wrap=True)
    for name in ("documents", "with a loss", "losses", "capital", "certified", "of printed", "of non-zero"):
        table.add_column(name, justify="right")
    has_thresholds = bool(calibration.thresholds)
    hard = "-" if has_thresholds else None  # beside thresholds they stand for comparison, and claim nothing
    table.add_row(*_rule_row("the hard rules alone", calibration.hard_rules, hard))
    for test in calibration.thresholds:
        table.add_row(*_rule_row(f"p(wrong) <= {test.threshold:g}", test, None))
    return table


def _rule_row(name: str, rule: RuleTest, certified: str | None) -> tuple[str, ...]:
    capital = certified or f"{rule.test.capital:.3g} of {rule.test.goal:.3g}"
    return (
        name,
        str(rule.documents),
        str(rule.lossy),
        f"{rule.losses:g}",
        capital,
        certified or ("yes" if rule.test.is_certified else "no"),
        f"{rule.accepted_printed}/{rule.printed}",
        f"{rule.accepted_nonzero}/{rule.nonzero}",
    )


# ---------------------------------------------------------------- what follows


def _describe_verdict(calibration: Calibration) -> Iterator[str]:
    certificate = calibration.certificate
    if calibration.thresholds:
        tested = [test for test in calibration.thresholds if test.test.is_certified]
        yield from _describe_rule(tested[-1] if tested else calibration.thresholds[0], certificate)
        if not calibration.thresholds[-1].test.is_certified:
            yield "Looser thresholds were not tested: they accept more, and this one already fails"
    else:
        yield "No threshold was tested, because p(wrong) is no ranking. The hard rules alone:"
        yield from _describe_rule(calibration.hard_rules, certificate)
    if certificate.may_govern:
        yield "A run of these versions may use it: extractor run … --certificate FILE"
    else:
        yield f"No run will decide by it: {'; '.join(_say_why_not(certificate))}"


def _describe_rule(rule: RuleTest, certificate: Certificate) -> Iterator[str]:
    alpha, sure = certificate.alpha, 1 - certificate.delta
    what = "share of documents with an accepted wrong value" if certificate.cap == 1 else "mean loss of a document"
    name = "the hard rules" if rule.threshold is None else f"p(wrong) <= {rule.threshold:g}"
    if rule.test.is_certified:
        yield f"Certified for {name}: the {what} is at most {alpha:g} in documents like these, at {sure:.4g} confidence"
    else:
        yield (
            f"Not certified for {name}: loss {rule.losses:g} of {rule.documents} documents. For alpha {alpha:g} "
            f"{rule.needed} documents without a loss are needed"
            + (f", {rule.needed_now} with the losses seen and no other" if rule.losses else "")
        )
        yield f"  What these documents support: the {what} is at most {rule.bound:.3g}, at {sure:.4g} confidence"


def _say_why_not(certificate: Certificate) -> Iterator[str]:
    if other := certificate.rests_on_other:
        yield f"it rests on {', '.join(other)}, which say nothing about the errors in real reports"
    if not certificate.ranks:
        yield "its p(wrong) is no ranking"
    if certificate.threshold is None:
        yield "no threshold is certified"
