"""Can the chance of error tell a reader's mistakes from what it read right? Called as python -m eval.mistakes.

How to read the figures: docs/calibration.md.
"""
