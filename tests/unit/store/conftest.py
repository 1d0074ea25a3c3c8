"""The same tests on both databases. See tests/conftest.py for the server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor.store.journal import Journal
from extractor.store.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a journal or store that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "journal.sqlite")
    address: str = request.getfixturevalue("postgres_schema")
    return address


@pytest.fixture
def journal(where: str) -> Iterator[Journal]:
    with Journal.open(where) as journal:
        yield journal


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be copied: to make one takes longer than most tests of it."""
    path = tmp_path_factory.mktemp("store") / "empty.sqlite"
    Store.open(str(path)).close()
    return path


@pytest.fixture
def store(where: str, empty_store: Path) -> Iterator[Store]:
    if "://" not in where:
        shutil.copy(empty_store, where)
    with Store.open(where) as store:
        yield store
