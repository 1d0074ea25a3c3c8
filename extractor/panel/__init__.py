"""Checks across the documents of a finished run: one agency, year by year.

A layer above the pipeline, like bulk: it reads records.jsonl and changes no record. Called by cli.
"""

from extractor.panel.aliases import read_aliases
from extractor.panel.build import PanelSummary, build_panel
from extractor.panel.findings import PanelFlag

__all__ = ["PanelFlag", "PanelSummary", "build_panel", "read_aliases"]
