"""Runs killed at any moment: the same command goes on, nothing is lost, done twice or paid twice.

`python eval/bench/kills.py` does the same with 2,000 documents and a hundred kills.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.kill_faults import list_faults
from tests.kills import Reference, Site, draw_moments, endure, open_site, run_undisturbed

DOCUMENTS, KILLS = 60, 6


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("kill"), DOCUMENTS, delay_s=0.05) as site:
        yield site


@pytest.fixture(scope="module")
def reference(site: Site) -> Reference:
    return run_undisturbed(site, site.documents.parent / "undisturbed" / "out")


@pytest.mark.parametrize("kept_in", ["folder", "postgresql"])
def test_a_run_is_killed_again_and_again(
    kept_in: str, site: Site, reference: Reference, request: pytest.FixtureRequest
) -> None:
    assert len(reference.calls) == len(set(reference.calls)) >= DOCUMENTS
    store = request.getfixturevalue("postgres_schema") if kept_in == "postgresql" else None
    out = site.documents.parent / kept_in / "out"
    endured = endure(site, out, store, draw_moments(random.Random(kept_in), KILLS, reference))
    assert list(list_faults(site, reference, endured, out, store)) == []
    assert endured.kills == KILLS
    assert endured.starts > KILLS
    assert endured.lost > 0, "no call was under way at any kill: let the server take longer"
