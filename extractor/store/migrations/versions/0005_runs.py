"""When a run was last heard of: one that died says nothing more.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of the runs that are there nobody knows it."""
    op.add_column("runs", sa.Column("heard_at", sa.String(length=32), nullable=True))
