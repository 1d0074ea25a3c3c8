"""Shared by all tests.

Lives here: what holds for every run (repeatable examples, how several processes share the tests), and the fixtures of
several folders (the corpus, PostgreSQL). A fixture of one folder stands in the conftest of that folder.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# The same examples every time: what fails here fails everywhere. `make soak` searches further.
settings.register_profile("repeatable", derandomize=True, deadline=None)  # a deadline would be a timed test
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay till the end: the garbage collector need not walk over them again and again."""
    gc.collect()
    gc.freeze()


sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import flatten


class WholeFiles(LoadFileScheduling):
    """A file stays in one process: what its tests share is made once. So does tests/e2e with its browser."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    """Asked where pytest is given -n."""
    return WholeFiles(config, log)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real reports that lies beside a checkout, not in it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip("the corpus of real reports is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server that runs for the whole session, one for each process of it."""
    from tests.postgres import running_postgres

    with running_postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture
def postgres_schema(postgres: str) -> Iterator[str]:
    """Address of an empty schema."""
    import psycopg

    schema = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
        yield f"{postgres}&options=-csearch_path%3D{schema}"
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
