"""Synthetic scans of the form, with exact truth and the place of every value: eval/scans/README.md.

Everything is made from the number of a document alone.
"""
