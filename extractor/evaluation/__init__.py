"""Labels, and what the program makes of labelled documents: outcomes, metrics, comparison, calibration, the report.

Called by the command line and by eval/. What the numbers mean: eval/README.md.
"""

from extractor.evaluation.labels import Label, LabelledCell, load_label
from extractor.evaluation.score import Score, score_record

__all__ = ["Label", "LabelledCell", "Score", "load_label", "score_record"]
