"""A certificate applied to one record.

Lives here: filling in the chance of error, and the one change of decisions that a certificate may make. Does not live
here: whether a certificate applies to a run (standing). Called by the pipeline.
"""

from __future__ import annotations

from dataclasses import replace

from extractor.confidence.certificate import Certificate
from extractor.confidence.decide import find_hard_doubts, is_certain
from extractor.confidence.features import measure_features
from extractor.model import Decision, Record


def govern_record(record: Record, certificate: Certificate) -> Record:
    """Fill in p_wrong, and decide by the threshold where the certificate may govern.

    A field with features is then accepted only when it is known what is printed and where, no finding about the
    reading names it, and p_wrong is at most the threshold. So findings about the number alone no longer send a field
    to review, and a doubtful one goes there without any finding. Fields without features keep their decision.

    Args:
        record: decided by the hard rules.
        certificate: one that stands for the versions that made the record.
    """
    threshold = certificate.threshold if certificate.may_govern else None
    hard = find_hard_doubts(record.flags)
    fields = dict(record.fields)
    for field_id, values in measure_features(record).items():
        field = fields[field_id]
        p_wrong = certificate.scorer.p_wrong(values)
        decision: Decision = field.decision
        if threshold is not None:
            is_accepted = is_certain(field) and field_id not in hard and p_wrong <= threshold
            decision = "accepted" if is_accepted else "review"
        fields[field_id] = replace(field, p_wrong=p_wrong, decision=decision)
    return record.model_copy(update={"fields": fields})
