"""A folder of reports, and the way from it to a panel: the program itself reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from yearly import Panel, read_panel

from extractor.bulk.plan import plan_inputs
from extractor.bulk.run import run_documents
from extractor.settings import Settings


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder for reports."""
    return tmp_path / "reports"


@pytest.fixture
def run_panel(tmp_path: Path, reports: Path) -> Callable[..., Panel]:
    """Read every report of the folder, then check them against each other."""

    def run(aliases: Mapping[str, str] | None = None, manifest: Path | None = None) -> Panel:
        run_documents(plan_inputs([str(reports)], manifest), tmp_path / "out", Settings(), lambda _: None)
        return read_panel(tmp_path / "out", aliases)

    return run
