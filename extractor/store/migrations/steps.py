"""Runs the migrations on a connection that is in a transaction: all of them count, or none.

Lives here: the call into Alembic. Does not live here: what a step does (versions), when one is due
(extractor.store.opening, the only caller). Nobody needs an alembic.ini.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from extractor.store.opening import STORE_VERSION


def migrate(connection: Connection, start: str | None, to: str) -> None:
    """Bring the tables from one version to another; the caller's transaction commits it.

    Args:
        start: what the tables are now: None where there are none. Counts only where the database does not say itself.
        to: a version that is not older.
    """
    scripts = ScriptDirectory(str(Path(__file__).parent))
    environment = EnvironmentContext(
        Config(),
        scripts,
        fn=lambda current, _context: scripts._upgrade_revs(to, current),
    )
    with environment:
        # In SQLite, too, making a table is part of the transaction (see engines); Alembic does not count on it.
        environment.configure(connection=connection, version_table=STORE_VERSION.name, transactional_ddl=True)
        context = environment.get_context()
        if start and not context.get_current_heads():
            context.stamp(scripts, start)
        environment.run_migrations()
