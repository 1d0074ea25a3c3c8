"""The journal's tables.

Lives here: names and types of columns. Does not live here: any statement (journal, batches) and the
opening of a database (database). Used by these only.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

#: Counted up when the tables change so that an older program must not touch them.
SCHEMA_VERSION = 1

METADATA = MetaData()

# Times are ISO 8601 texts in UTC of one length: they sort as they should and read the same in both databases.
_TIME = String(32)

JOURNAL_VERSION = Table("journal_version", METADATA, Column("version", Integer, primary_key=True))

REPLIES = Table(
    "replies",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("schema_hash", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("request", LargeBinary),  # zlib over UTF-8
    Column("mode", Text),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("is_estimated", Boolean, nullable=False),
    Column("cost_usd", Float),
    Column("created_at", _TIME, nullable=False),
)

# No foreign key to replies: an attempt that failed has none.
ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("run_id", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("is_estimated", Boolean, nullable=False),
    Column("cost_usd", Float),
    Column("seconds", Float, nullable=False),
    Column("mode", Text),
    Column("created_at", _TIME, nullable=False),
    Index("attempts_by_run", "run_id"),
)

BATCHES = Table(
    "batches",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("remote_id", Text),
    Column("input_file", Text),
    Column("output_file", Text),
    Column("error_file", Text),
    Column("message", Text),
    Column("created_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
)

BATCH_ITEMS = Table(
    "batch_items",
    METADATA,
    Column("batch_id", Text, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Index("batch_items_by_key", "key"),
)
