"""The store's tables, beside the journal's.

Lives here: names and types of columns as the newest migration leaves them; a test compares both. Does not live here:
any statement (the modules named after what they hold), how older tables become these (migrations/versions). Used by
these modules only.
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
    text,
)

STORE_METADATA = MetaData()

# Times are ISO 8601 texts in UTC of one length: they sort as they should and read the same in both databases.
_TIME = String(32)
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER
_SHA256 = String(64)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# ---------------------------------------------------------------- documents

DOCUMENTS = Table(
    "documents",
    STORE_METADATA,
    Column("id", _SHA256, primary_key=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("added_at", _TIME, nullable=False),
    # What lists show, taken from the live record.
    Column("url", Text),
    Column("site", Text),
    Column("title", Text),
    Column("agency_name", Text),
    Column("report_year", Integer),
    Column("live_status", Text),  # null until something was extracted
    Column("accepted", Integer, nullable=False),
    Column("in_review", Integer, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("search", Text, nullable=False),  # name, title and agency in small letters
    Index("documents_by_time", "added_at", "id"),
    Index("documents_by_site", "site", "added_at", "id"),
    Index("documents_by_year", "report_year", "added_at", "id"),
    Index("documents_by_status", "live_status", "added_at", "id"),
)

# Apart from the documents, whose rows are read by the hundred.
SOURCES = Table(
    "sources",
    STORE_METADATA,
    Column("document_id", _SHA256, ForeignKey("documents.id"), primary_key=True),
    Column("is_packed", Boolean, nullable=False),  # zlib, unless it does not shrink
    Column("raw", LargeBinary, nullable=False),
)

ORIGINS = Table(
    "origins",
    STORE_METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("document_id", _SHA256, ForeignKey("documents.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("url", Text),
    Column("site", Text),
    Column("fetched_at", Text),
    Index("origins_by_document", "document_id"),
    Index("origins_by_url", "url"),
    Index("origins_by_path", "path"),
)

EXTRACTIONS = Table(
    "extractions",
    STORE_METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("document_id", _SHA256, ForeignKey("documents.id")),  # null: the file could not be opened
    Column("fingerprint", _SHA256, nullable=False),  # of the record without origins, and of the text
    Column("made_at", _TIME, nullable=False),
    Column("seen_at", _TIME, nullable=False),  # when it was last made again
    Column("record", LargeBinary, nullable=False),  # zlib over JSON
    Column("text", LargeBinary, nullable=False),  # zlib over UTF-8
    Column("pages", LargeBinary, nullable=False),  # zlib over JSON
    Index("extractions_by_document", "document_id", "seen_at", "id"),
    Index("extractions_by_fingerprint", "fingerprint"),
)

LIVE_RECORDS = Table(
    "live_records",
    STORE_METADATA,
    Column("document_id", _SHA256, ForeignKey("documents.id"), primary_key=True),
    Column("extraction_id", _NUMBER, ForeignKey("extractions.id"), nullable=False),
    Column("record", LargeBinary, nullable=False),  # zlib over JSON, with the rulings
)

FLAGGED_FIELDS = Table(
    "flagged_fields",
    STORE_METADATA,
    Column("document_id", _SHA256, ForeignKey("documents.id"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("field_id", Text, primary_key=True),  # empty for a flag on the document as a whole
    Column("severity", Text, nullable=False),
    Index("flagged_fields_by_code", "code", "document_id"),
)

# ---------------------------------------------------------------- runs

RUNS = Table(
    "runs",
    STORE_METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text),
    Column("finished_at", _TIME),
    Column("arguments", Text, nullable=False),  # JSON
    Column("account", Text, nullable=False),  # JSON
    Column("heard_at", _TIME),
    Index("runs_by_time", "created_at", "id"),
)

RUN_DOCUMENTS = Table(
    "run_documents",
    STORE_METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("origins", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("document_id", _SHA256, ForeignKey("documents.id")),
    Column("extraction_id", _NUMBER, ForeignKey("extractions.id")),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text),
    Column("added_at", _TIME, nullable=False),
    Column("worker", Text),
    Column("leased_until", _TIME),
    Index("run_documents_by_state", "run_id", "state"),
    Index("run_documents_by_document", "document_id"),
    _partial("run_documents_waiting", "added_at", "run_id", "position", where="state IN ('queued', 'working')"),
)

# ---------------------------------------------------------------- what a run can go on from

LEDGER = Table(
    "ledger",
    STORE_METADATA,
    Column("key", _SHA256, primary_key=True),
    Column("document_id", _SHA256),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("review", Integer, nullable=False),
    Column("extraction_id", _NUMBER),
    Column("account", Text, nullable=False),  # JSON
    Column("pieces", LargeBinary),
)

# ---------------------------------------------------------------- limits that several machines keep together

# Moments are seconds since 1970 by the database's own clock: nobody else's counts, and they are reckoned with.
PACES = Table(
    "paces",
    STORE_METADATA,
    Column("server", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("requests_until", Float, nullable=False),  # what was granted so far is used up then
    Column("tokens_until", Float, nullable=False),
)

# Money is counted in 10^-12 USD: sums of whole numbers are exact, and the most is nine million USD.
PURSES = Table(
    "purses",
    STORE_METADATA,
    Column("run_id", Text, primary_key=True),
    Column("max_calls", _NUMBER),
    Column("max_tokens", _NUMBER),
    Column("max_picousd", _NUMBER),
    Column("used_calls", _NUMBER, nullable=False),
    Column("used_tokens", _NUMBER, nullable=False),
    Column("used_picousd", _NUMBER, nullable=False),
    Column("held_calls", _NUMBER, nullable=False),
    Column("held_tokens", _NUMBER, nullable=False),
    Column("held_picousd", _NUMBER, nullable=False),
)

# One holder a task: who takes the task over takes the row, so that the one before can hold no more.
SPENDERS = Table(
    "spenders",
    STORE_METADATA,
    Column("run_id", Text, ForeignKey("purses.run_id", ondelete="CASCADE"), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_calls", _NUMBER, nullable=False),
    Column("held_tokens", _NUMBER, nullable=False),
    Column("held_picousd", _NUMBER, nullable=False),
    Column("heard", Float, nullable=False),
)

# ---------------------------------------------------------------- the queue

_OPEN = "state = 'open'"

ITEMS = Table(
    "items",
    STORE_METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("document_id", _SHA256, ForeignKey("documents.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("fields", Text, nullable=False),  # JSON
    Column("codes", Text, nullable=False),  # JSON
    Column("expected", Float, nullable=False),
    Column("looks", Float, nullable=False),
    Column("rank", Float, nullable=False),  # minus the priority: indexes then run in the queue's order
    Column("state", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("looks_wanted", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("holder", Text),
    Column("held_until", _TIME),
    Column("answered_by", Text, nullable=False),  # JSON
    Column("settled_at", _TIME),
    # Of the document, so that filtering and ordering touch one table.
    Column("site", Text),
    Column("report_year", Integer),
    Index("items_by_document", "document_id", "state"),
    _partial("items_open_once", "document_id", "key", where=_OPEN, unique=True),
    _partial("items_open", "rank", "id", where=_OPEN),
    _partial("items_open_by_kind", "kind", "rank", "id", where=_OPEN),
    _partial("items_open_by_section", "section", "rank", "id", where=_OPEN),
    _partial("items_open_by_site", "site", "rank", "id", where=_OPEN),
    _partial("items_open_by_round", "round", "rank", "id", where=_OPEN),
    _partial("items_open_by_year", "report_year", "rank", "id", where=_OPEN),
    _partial("items_held", "held_until", where="holder IS NOT NULL"),
    _partial("items_settled", "settled_at", where="state = 'settled'"),
)

# Rows only of open items, with their rank: a filter by code then walks one index, in the queue's order.
ITEM_CODES = Table(
    "item_codes",
    STORE_METADATA,
    Column("item_id", _NUMBER, ForeignKey("items.id"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("rank", Float, nullable=False),
    Index("item_codes_by_code", "code", "rank", "item_id"),
)

# How many items there are, kept in step with them: all of them under two empty texts, and by kind, section, site, year
# and flag. Items that are gone are not counted.
TALLIES = Table(
    "tallies",
    STORE_METADATA,
    Column("dimension", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("expected", Float, nullable=False),
)

# ---------------------------------------------------------------- reviews

# Triggers refuse to change or delete rows of these two.
REVIEWS = Table(
    "reviews",
    STORE_METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("document_id", _SHA256, ForeignKey("documents.id"), nullable=False),
    Column("extraction_id", _NUMBER, ForeignKey("extractions.id"), nullable=False),
    Column("item_id", _NUMBER, ForeignKey("items.id")),
    Column("round", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    Column("note", Text, nullable=False),
    Column("undoes", _NUMBER, ForeignKey("reviews.id")),
    Index("reviews_by_document", "document_id", "id"),
    Index("reviews_by_account", "account", "id"),
    Index("reviews_by_item", "item_id"),
    Index("reviews_by_time", "at"),
    Index("reviews_by_undone", "undoes"),
)

REVIEW_FIELDS = Table(
    "review_fields",
    STORE_METADATA,
    Column("review_id", _NUMBER, ForeignKey("reviews.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("field_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("before_word", Text, nullable=False),  # JSON: state, value, raw, unit
    Column("after_word", Text, nullable=False),
    Column("p_wrong", Float),
)

# ---------------------------------------------------------------- people

# No foreign key to accounts from reviews or items: on a machine of one's own the only person has no account.
ACCOUNTS = Table(
    "accounts",
    STORE_METADATA,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", _TIME, nullable=False),
)

API_KEYS = Table(
    "api_keys",
    STORE_METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name"), nullable=False),
    Column("prefix", Text, nullable=False),
    Column("key_hash", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("last_used_at", _TIME),
    Column("is_revoked", Boolean, nullable=False),
    Index("api_keys_by_hash", "key_hash", unique=True),
    Index("api_keys_by_account", "account"),
)

SESSIONS = Table(
    "sessions",
    STORE_METADATA,
    Column("token_hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    Index("sessions_by_account", "account"),
    Index("sessions_by_expiry", "expires_at"),
)

KEYED_REPLIES = Table(
    "keyed_replies",
    STORE_METADATA,
    Column("account", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", _TIME, nullable=False),
    Index("keyed_replies_by_time", "kept_at"),
)
