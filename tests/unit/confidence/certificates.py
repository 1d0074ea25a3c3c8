"""Certificates written by hand: what their scorer says does not depend on what they were made from."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractor.confidence.certificate import Certificate, Versions
from extractor.confidence.features import FEATURES
from extractor.confidence.standing import collect_versions

THRESHOLD = 0.1
RULES = collect_versions("template", None, None)


def describe_certificate(p_wrong: float = 0.01, **changes: Any) -> dict[str, Any]:
    """A certificate as its file has it, in which every field has the same chance of error."""
    count = len(FEATURES)
    data = {
        "format": "extractor certificate 1",
        "scorer": {
            "features": list(FEATURES),
            "means": [0.0] * count,
            "scales": [1.0] * count,
            "weights": [0.0] * count,
            "intercept": math.log(p_wrong / (1 - p_wrong)),
            "documents": {"real": 300},
            "training_hash": "ab" * 32,
        },
        "alpha": 0.05,
        "delta": 0.1,
        "cap": 5,
        "tested": [describe_threshold(THRESHOLD)],
        "threshold": THRESHOLD,
        "documents": {"real": 120},
        "layouts": {"matrix": 80, "rows": 40},
        "stands_for": RULES.model_dump(),
        "ranks": True,
    }
    return copy.deepcopy({**data, **changes})


def describe_threshold(threshold: float, **changes: Any) -> dict[str, Any]:
    said = {"threshold": threshold, "documents": 120, "mean_loss": 0.005, "e_value": 14.2, "p_value": 0.07}
    return {**said, "is_certified": True, "accepted": 9000, "values": 12000, **changes}


def make_certificate(p_wrong: float = 0.01, weights: Mapping[str, float] | None = None, **changes: Any) -> Certificate:
    """As described, with the weights of some features other than 0."""
    data = describe_certificate(p_wrong, **changes)
    for name, weight in (weights or {}).items():
        data["scorer"]["weights"][FEATURES.index(name)] = weight
    return Certificate.model_validate_json(json.dumps(data))


def write_certificate(path: Path, p_wrong: float = 0.01, **changes: Any) -> Path:
    path.write_text(json.dumps(describe_certificate(p_wrong, **changes)), encoding="utf-8")
    return path


def other_versions(**changes: Any) -> Versions:
    return RULES.model_copy(update=changes)
