"""A folder of reports, and the way from it to a panel: the program itself reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from yearly import Panel, read_panel

from tests.bulk_runs import run_bulk


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder for reports."""
    return tmp_path / "reports"


@pytest.fixture
def run_panel(tmp_path: Path, reports: Path) -> Callable[..., Panel]:
    """Read every report of the folder, then check them against each other."""

    def run(aliases: Mapping[str, str] | None = None, manifest: Path | None = None) -> Panel:
        run_bulk([reports], tmp_path / "out", manifest=manifest)
        return read_panel(tmp_path / "out", aliases)

    return run
