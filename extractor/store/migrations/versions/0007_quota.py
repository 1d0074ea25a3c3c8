"""Limits that several machines keep together: pace, and what a run may spend.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "paces",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("requests_until", sa.Float(), nullable=False),
        sa.Column("tokens_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("server", "model"),
    )
    op.create_table(
        "purses",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("max_calls", _NUMBER, nullable=True),
        sa.Column("max_tokens", _NUMBER, nullable=True),
        sa.Column("max_picousd", _NUMBER, nullable=True),
        sa.Column("used_calls", _NUMBER, nullable=False),
        sa.Column("used_tokens", _NUMBER, nullable=False),
        sa.Column("used_picousd", _NUMBER, nullable=False),
        sa.Column("held_calls", _NUMBER, nullable=False),
        sa.Column("held_tokens", _NUMBER, nullable=False),
        sa.Column("held_picousd", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "spenders",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("held_calls", _NUMBER, nullable=False),
        sa.Column("held_tokens", _NUMBER, nullable=False),
        sa.Column("held_picousd", _NUMBER, nullable=False),
        sa.Column("heard", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task"),
        sa.ForeignKeyConstraint(["run_id"], ["purses.run_id"], ondelete="CASCADE"),
    )
