"""Twenty reviewers at once while the service is killed: no item settled twice, no decision lost, all of it told.

`python eval/bench/review.py crowd` does the same with fifty of them and twenty kills.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.store.store import Store
from tests.crowd import file_reports, list_faults, make_keys, review_all
from tests.e2e.services import serve

REPORTS, REVIEWERS, KILLS = 25, 20, 3


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    address = (
        str(tmp_path / "store.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_schema")
    )
    return str(address)


def test_nothing_is_settled_twice_or_lost(where: str, tmp_path: Path) -> None:
    with Store.open(where) as store:
        file_reports(store, tmp_path, REPORTS)
        keys = make_keys(store, REVIEWERS)
        with serve(where, "--accounts", "--workers-off") as service:
            tally = review_all(service, keys, kills=KILLS, seed=1, patience_s=120)
        assert list(list_faults(store, tally)) == []
    assert len(tally.settled) >= 2 * REPORTS
    assert tally.kills == KILLS, "the reviewers were done before the last kill: file more reports"
    assert tally.cut_off > 0
