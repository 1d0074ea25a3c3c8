"""Decisions, and the chance of error behind them.

The hard rules decide alone (decide) unless a certificate is in force: then the chance of error (features, scorer) has
a say within what labelled documents support (certificate, govern, standing). See docs/confidence.md.
"""

from extractor.confidence.certificate import Certificate
from extractor.confidence.decide import decide_fields, find_hard_doubts
from extractor.confidence.govern import govern_record

__all__ = ["Certificate", "decide_fields", "find_hard_doubts", "govern_record"]
