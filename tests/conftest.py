"""Shared by all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time: what fails here fails everywhere. `make soak` searches further.
settings.register_profile("repeatable", derandomize=True, deadline=None)  # a deadline would be a timed test
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import flatten


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real reports that lies beside a checkout, not in it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip("the corpus of real reports is not beside this checkout")
    return folder
