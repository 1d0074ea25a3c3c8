"""Labels, and what the program makes of labelled documents: outcomes, metrics, comparison, calibration, the report.

Called by the command line and by eval/. What the numbers mean: eval/README.md. The parts that need the extra
`evaluation` (metrics, compare, calibration, report) are imported by name only.
"""

from extractor.evaluation.labels import Label, LabelledCell, LabelledFile, find_labels, load_label
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, judge_fields

__all__ = [
    "DocumentOutcome",
    "FieldOutcome",
    "Label",
    "LabelledCell",
    "LabelledFile",
    "find_labels",
    "judge_fields",
    "load_label",
]
