"""The gate: what must not happen to the labelled documents, each failure a sentence.

Lives here: what makes an evaluation red, and the report of it. Does not live here: the rules that need a baseline
(regression), declared losses (losses), printing. Called by `extractor eval`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractor.errors import SettingsError
from extractor.evaluation.findings import Finding, say_found, say_printed
from extractor.evaluation.losses import DeclaredLoss
from extractor.evaluation.regression import (
    check_declarations,
    check_documents,
    check_shares,
    find_losses,
    list_changes,
    list_gains,
    pair_documents,
    split_declared,
)
from extractor.evaluation.result import DocumentResult, Evaluation


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found.

    Attributes:
        failures: each of them makes the gate red.
        declared: losses that a declaration covers, with its reason.
        gains: what fares better than in the baseline, a sentence for each document. They renew no baseline.
        notes: what makes the comparison with the baseline less than exact.
        has_baseline: without one only what must never happen is looked for.
    """

    failures: tuple[Finding, ...]
    declared: tuple[Finding, ...] = ()
    gains: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    has_baseline: bool = False

    @property
    def is_green(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def check_gate(
    evaluation: Evaluation, baseline: Evaluation | None = None, losses: Sequence[DeclaredLoss] = ()
) -> GateReport:
    """Look for what must not happen.

    Always: no wrong value is accepted, every accepted one stands where the record says, no recorded reply is missing.
    Against a baseline too: every document of it is evaluated, its label has no fewer fields, and it is read where it
    was read; no field fares worse, unless the loss is declared; by kind of document the accepted share of printed
    numbers other than 0 does not fall; nothing more is accepted that no label judges; every declared loss has a reason
    and is one.

    Raises:
        SettingsError: the baseline is of other readers or replies, or losses are declared without a baseline.
    """
    failures = list(_check_always(evaluation))
    if baseline is None:
        if losses:
            raise SettingsError("losses are declared against a baseline. Name it with --baseline.")
        return GateReport(tuple(failures))
    comparison = pair_documents(evaluation, baseline)
    lost = list(find_losses(comparison))
    declared, undeclared = split_declared(lost, losses)
    failures += check_documents(comparison)
    failures += undeclared
    failures += check_shares(comparison, declared)
    failures += check_declarations(losses, lost)
    return GateReport(
        failures=tuple(failures),
        declared=tuple(declared),
        gains=tuple(list_gains(comparison)),
        notes=tuple(list_changes(comparison)),
        has_baseline=True,
    )


def _check_always(evaluation: Evaluation) -> Iterator[Finding]:
    for document in evaluation.documents:
        yield from _check_document(document)
    # A second witness: the journal counts what it lacks, whatever the records say of it.
    if evaluation.missing_replies and not any(document.missing_replies for document in evaluation.documents):
        sentence = f"{evaluation.missing_replies} questions to the model have no recorded reply, and no record says so."
        yield Finding("reply-missing", "", "", sentence)


def _check_document(document: DocumentResult) -> Iterator[Finding]:
    for field in document.fields:
        if field.accepted and field.verdict != "right":
            sentence = (
                f"{document.name}: {field.field} {say_printed(field)}, and {say_found(field)} was accepted. "
                f"Look at it (extractor show {document.path}); correct the reader, or the label where it does not say "
                "what is printed."
            )
            yield Finding("accepted-wrong", document.name, field.field, sentence)
    for field_id in document.misplaced:
        sentence = (
            f"{document.name}: {field_id} was accepted, and its token does not stand where the record says. Look at it "
            f"(extractor show {document.path}); correct its span: a value without its place is not shown."
        )
        yield Finding("evidence-lost", document.name, field_id, sentence)
    if document.missing_replies:
        sentence = (
            f"{document.name}: a question to the model has no reply. Where replies are recorded, record it "
            "(eval/replies/README.md); with --live look why the server did not answer (extractor run says it)."
        )
        yield Finding("reply-missing", document.name, "", sentence)
