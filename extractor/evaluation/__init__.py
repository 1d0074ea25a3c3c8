"""Records against hand-made labels. Called by eval/score.py."""

from extractor.evaluation.labels import Label, load_label
from extractor.evaluation.score import Score, score_record

__all__ = ["Label", "Score", "load_label", "score_record"]
