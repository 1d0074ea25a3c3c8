"""From labelled documents to a certificate: examples, a fitted scorer, and thresholds that a sample supports.

Called by `extractor calibrate` and by eval/mistakes. The method, in words: docs/calibration.md. Needs numpy, scipy,
scikit-learn (extra `evaluation`).
"""

from extractor.evaluation.calibration.calibrate import THRESHOLDS, Calibration, Plan, calibrate
from extractor.evaluation.calibration.certify import MOST_THRESHOLDS, RuleTest, Target
from extractor.evaluation.calibration.dataset import Sample, collect_samples
from extractor.evaluation.calibration.fit import FEWEST_SOURCES, FEWEST_WRONG

__all__ = [
    "FEWEST_SOURCES",
    "FEWEST_WRONG",
    "MOST_THRESHOLDS",
    "THRESHOLDS",
    "Calibration",
    "Plan",
    "RuleTest",
    "Sample",
    "Target",
    "calibrate",
    "collect_samples",
]
