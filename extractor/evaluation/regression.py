"""An evaluation against its baseline: what fares worse, what fares better, what cannot be compared.

Lives here: the rules that need a baseline. Does not live here: whether a difference is more than chance (compare): the
documents are the same ones every time, so that any loss is one. Called by the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractor.errors import SettingsError
from extractor.evaluation.findings import Finding, say_found, say_printed
from extractor.evaluation.labels import KINDS
from extractor.evaluation.losses import DeclaredLoss
from extractor.evaluation.outcomes import is_table_field
from extractor.evaluation.result import DocumentResult, Evaluation, FieldResult

# How a field fared: the higher, the better. A fall is a loss.
_NOT_RIGHT, _RIGHT, _SETTLED = range(3)
_FARED = ("not right", "right, for review", "right and accepted")
_DECLARE = "Correct the reader, or declare the loss with its reason."
_NAMED = 3  # of the fields that fare better


class Comparison(NamedTuple):
    """Documents of both, as (now, before); those that are only in one."""

    pairs: list[tuple[DocumentResult, DocumentResult]]
    added: list[DocumentResult]
    gone: list[DocumentResult]


def pair_documents(evaluation: Evaluation, baseline: Evaluation) -> Comparison:
    """Put the documents of both side by side, by name.

    Raises:
        SettingsError: they are of other readers, or other replies.
    """
    now, before = ((one.readers, one.model, ", ".join(one.replies)) for one in (evaluation, baseline))
    # Without a reply there is no kind of reply; that each of them is missing is a finding of its own.
    if now[:2] != before[:2] or (now[2] and now[2] != before[2]):
        raise SettingsError(
            f"the baseline was made with {_say_run(*before)}, this is {_say_run(*now)}. "
            "Evaluate with the baseline's options, or name another baseline."
        )
    old = {document.name: document for document in baseline.documents}
    new = {document.name: document for document in evaluation.documents}
    return Comparison(
        pairs=[(document, old[name]) for name, document in new.items() if name in old],
        added=[document for name, document in new.items() if name not in old],
        gone=[document for name, document in old.items() if name not in new],
    )


def _say_run(readers: str, model: str | None, replies: str) -> str:
    return f"readers {readers}" + (f", model {model}, replies {replies or 'none'}" if model else "")


# ---------------------------------------------------------------- documents


def check_documents(comparison: Comparison) -> Iterator[Finding]:
    """Documents that are gone or cannot be read any more, and labels that say less."""
    for before in comparison.gone:
        sentence = f"{before.name} is in the baseline and was not evaluated. Put its label back, or renew the baseline."
        yield Finding("not-evaluated", before.name, "", sentence)
    for now, before in comparison.pairs:
        if now.problem and not before.problem:
            sentence = f"{now.name} could be read before, and cannot any more: {now.problem}"
            yield Finding("not-read", now.name, "", sentence)
        if now.labelled < before.labelled:
            sentence = (
                f"{now.name}: its label has {now.labelled} fields, in the baseline it has {before.labelled}. "
                "Put the others back, or renew the baseline."
            )
            yield Finding("label-reduced", now.name, "", sentence)
        for field_id in now.unjudged:
            if field_id not in before.unjudged:
                sentence = (
                    f"{now.name}: {field_id} is accepted now, was not before, and the label does not say whether it is "
                    "right. Add it to the label."
                )
                yield Finding("unjudged", now.name, field_id, sentence)


def list_changes(comparison: Comparison) -> Iterator[str]:
    """Documents and labels that are not those of the baseline any more."""
    for now, before in comparison.pairs:
        hashes = (
            ("label", now.label_hash, before.label_hash),
            ("document", now.document_hash, before.document_hash),
        )
        if changed := [name for name, new, old in hashes if new and old and new != old]:
            yield f"{now.name}: its {' and its '.join(changed)} changed since the baseline was made"


# ---------------------------------------------------------------- fields


def find_losses(comparison: Comparison) -> Iterator[Finding]:
    """Fields that fare worse.

    Of a document that cannot be read one finding says so (check_documents); what is accepted wrong is no mere loss.
    """
    for now, before in comparison.pairs:
        known = {field.field: field for field in before.fields}
        for field in () if now.problem else now.fields:
            fares, fared = _rank(field), _rank(known.get(field.field))
            if fares < fared and field.verdict != "invented" and not field.accepted:
                flags = f", named by {', '.join(field.flags)}" if field.flags else ""
                sentence = (
                    f"{now.name}: {field.field} was {_FARED[fared]} and is {_FARED[fares]} now: it "
                    f"{say_printed(field)}, the record says {say_found(field)}{flags}. {_DECLARE}"
                )
                yield Finding("loss", now.name, field.field, sentence)


def _rank(field: FieldResult | None) -> int:
    if field is None:
        return _SETTLED
    if field.verdict != "right":
        return _NOT_RIGHT
    return _SETTLED if field.accepted else _RIGHT


def split_declared(lost: Sequence[Finding], losses: Sequence[DeclaredLoss]) -> tuple[list[Finding], list[Finding]]:
    """Losses that a declaration with a reason covers, with that reason; and the others."""
    declared, undeclared = [], []
    for finding in lost:
        reasons = [loss.reason for loss in losses if loss.reason and loss.covers(finding.document, finding.field)]
        if reasons:
            sentence = f"{finding.sentence.removesuffix(_DECLARE)}Declared: {reasons[0]}"
            declared.append(finding._replace(sentence=sentence))
        else:
            undeclared.append(finding)
    return declared, undeclared


def check_declarations(losses: Sequence[DeclaredLoss], lost: Sequence[Finding]) -> Iterator[Finding]:
    """Declarations that say no reason, or speak of nothing that is lost."""
    for loss in losses:
        if not loss.reason:
            sentence = f"{loss.document}: the declared loss of {loss.field} has no reason. Give one, or take it out."
        elif not any(loss.covers(finding.document, finding.field) for finding in lost):
            sentence = f"{loss.document}: a loss of {loss.field} is declared, and there is none. Take it out."
        else:
            continue
        yield Finding("declaration", loss.document, loss.field, sentence)


def check_shares(comparison: Comparison, declared: Sequence[Finding]) -> Iterator[Finding]:
    """The accepted share of printed numbers other than 0, by kind, on the documents of both."""
    for kind in KINDS:
        pairs = [pair for pair in comparison.pairs if pair[0].kind == kind]
        accepted, printed = _count_nonzero([now for now, _ in pairs])
        allowed = _count_declared([now for now, _ in pairs], declared)
        accepted_before, printed_before = _count_nonzero([before for _, before in pairs])
        if (accepted + allowed) * printed_before < accepted_before * printed:
            sentence = (
                f"{kind} documents: of the printed numbers other than 0, {accepted} of {printed} are right and "
                f"accepted; in the baseline {accepted_before} of {printed_before}. The losses say which."
            )
            yield Finding("accepted-share", "", "", sentence)


def _count_nonzero(documents: Sequence[DocumentResult]) -> tuple[int, int]:
    return sum(one.accepted_nonzero for one in documents), sum(one.printed_nonzero for one in documents)


def _count_declared(documents: Sequence[DocumentResult], declared: Sequence[Finding]) -> int:
    """Numbers other than 0 among the declared losses: the share may fall by them."""
    covered = {(finding.document, finding.field) for finding in declared}
    return sum(
        (document.name, field.field) in covered and is_table_field(field.field) and bool(field.printed)
        for document in documents
        for field in document.fields
    )


def list_gains(comparison: Comparison) -> Iterator[str]:
    """What fares better, a sentence for each document."""
    for document in comparison.added:
        yield f"{document.name} is new"
    for now, before in comparison.pairs:
        known = {field.field: field for field in now.fields}
        gained = [field.field for field in before.fields if _rank(known.get(field.field)) > _rank(field)]
        if before.problem and not now.problem:
            yield f"{now.name} could not be read before, and can be now"
        elif gained:
            more = ", …" if len(gained) > _NAMED else ""
            yield f"{now.name}: {len(gained)} fields fare better: {', '.join(gained[:_NAMED])}{more}"
