"""Limits that many machines keep together, in the PostgreSQL database that holds store and journal.

Two of them. The pace of a model on a server: requests and tokens a minute, as the moment up to which everything granted
so far is used up (GCRA, Generic Cell Rate Algorithm), moved on by one atomic statement that also says how long to wait.
The purse of a run: what its calls have used and hold, moved by one atomic statement that refuses to go over a limit.
Both count by the database's clock, and take what several calls need in one statement.

Lives here: the statements. Does not live here: waiting, grouping, prices (extractor.llm.shared). Used by that and by
extractor.bulk.cluster. Needs PostgreSQL: a file has no clock of its own, and no second machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Row, text

from extractor.errors import SettingsError, StoreError
from extractor.store.database import Database
from extractor.store.opening import open_store

#: 10^-12 USD in one: money as whole numbers.
PICO = 10**12

_NOW = "extract(epoch FROM clock_timestamp())"

# What is granted goes when all of it is used up but for what may go ahead of its time.
_ADVANCE = text(f"""
    INSERT INTO paces AS p (server, model, requests_until, tokens_until)
    VALUES (:server, :model, {_NOW} + :requests_s, {_NOW} + :tokens_s)
    ON CONFLICT (server, model) DO UPDATE SET
        requests_until = greatest(p.requests_until, {_NOW}) + :requests_s,
        tokens_until = greatest(p.tokens_until, {_NOW}) + :tokens_s
    RETURNING greatest(requests_until - :requests_ahead_s, tokens_until - :tokens_ahead_s) - {_NOW}
""")  # noqa: S608 - no value of anybody's is in there

_OPEN = text("""
    INSERT INTO purses VALUES (:run_id, :max_calls, :max_tokens, :max_picousd, 0, 0, 0, 0, 0, 0)
    ON CONFLICT (run_id) DO UPDATE SET max_calls = :max_calls, max_tokens = :max_tokens, max_picousd = :max_picousd
""")
_LOCK = text("SELECT * FROM purses WHERE run_id = :run_id FOR UPDATE")
_READ = text("SELECT * FROM purses WHERE run_id = :run_id")
_CLOSE = text("DELETE FROM purses WHERE run_id = :run_id")

_CHARGE = """
    WITH gone AS (DELETE FROM spenders WHERE run_id = :run_id AND {which}
                  RETURNING held_calls, held_tokens, held_picousd)
    UPDATE purses SET
        used_calls = used_calls + calls, held_calls = held_calls - calls,
        used_tokens = used_tokens + tokens, held_tokens = held_tokens - tokens,
        used_picousd = used_picousd + picousd, held_picousd = held_picousd - picousd
    FROM (SELECT coalesce(sum(held_calls), 0)::bigint AS calls, coalesce(sum(held_tokens), 0)::bigint AS tokens,
                 coalesce(sum(held_picousd), 0)::bigint AS picousd FROM gone) AS charged
    WHERE run_id = :run_id RETURNING calls
"""
_CHARGE_TASK = text(_CHARGE.format(which="task = :task"))
_CHARGE_HOLDER = text(_CHARGE.format(which="task = :task AND holder = :holder"))
_CHARGE_ALL = text(_CHARGE.format(which="true"))
# Who holds nothing may be silent: he is reading pages.
_CHARGE_SILENT = text(_CHARGE.format(which=f"held_calls > 0 AND heard < {_NOW} - :silent_s"))
_ENTER = text(f"INSERT INTO spenders VALUES (:run_id, :task, :holder, 0, 0, 0, {_NOW})")  # noqa: S608

# What is given back and used counts in any case; what is wanted only where all of it fits.
_MOVE = text(f"""
    WITH moved AS (
        UPDATE purses SET
            used_calls = used_calls + :used_calls, held_calls = held_calls - :back_calls + :want_calls,
            used_tokens = used_tokens + :used_tokens, held_tokens = held_tokens - :back_tokens + :want_tokens,
            used_picousd = used_picousd + :used_picousd, held_picousd = held_picousd - :back_picousd + :want_picousd
        WHERE run_id = :run_id AND (:want_calls = 0 OR (
            coalesce(used_calls + :used_calls + held_calls - :back_calls + :want_calls <= max_calls, true)
            AND coalesce(used_tokens + :used_tokens + held_tokens - :back_tokens + :want_tokens <= max_tokens, true)
            AND coalesce(used_picousd + :used_picousd + held_picousd - :back_picousd + :want_picousd
                         <= max_picousd, true)))
        RETURNING 1
    ), known AS (
        UPDATE spenders SET
            held_calls = held_calls - :back_calls + :want_calls,
            held_tokens = held_tokens - :back_tokens + :want_tokens,
            held_picousd = held_picousd - :back_picousd + :want_picousd,
            heard = {_NOW}
        WHERE run_id = :run_id AND task = :task AND holder = :holder AND EXISTS (SELECT FROM moved)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM known) AS known
""")  # noqa: S608


class Amount(NamedTuple):
    """Calls, tokens (in and out) and money (10^-12 USD) of some requests together."""

    calls: int = 0
    tokens: int = 0
    picousd: int = 0

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.picousd + other.picousd)

    def minus(self, other: Amount) -> Amount:
        """The difference."""
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.picousd - other.picousd)


class Pace(NamedTuple):
    """How long something takes at its permitted pace, and how much of that may go ahead of its time. Seconds."""

    lasts_s: float = 0.0
    ahead_s: float = 0.0


class Purse(NamedTuple):
    """What a run may spend, has used, and holds. A limit of None is none."""

    max_calls: int | None
    max_tokens: int | None
    max_picousd: int | None
    used: Amount
    held: Amount

    def broken_limit(self, want: Amount) -> str | None:
        """The limit that `want` would go over with what is used alone, in words."""
        limits = (("calls", self.max_calls), ("tokens", self.max_tokens), ("picousd", self.max_picousd))
        for name, limit in limits:
            used, held, wanted = (getattr(amount, name) for amount in (self.used, self.held, want))
            if limit is not None and used + wanted > limit:
                unit = PICO if name == "picousd" else 1
                most, used, held, wanted = (_tell(number, unit) for number in (limit, used, held, wanted))
                word = name.removeprefix("pico")
                return f"max_{word} of the run is {most}: {used} used, {held} held, up to {wanted} needed"
        return None


class Ousted(StoreError):
    """The task was given to somebody else, who reads what is left of it; nothing more is to be sent for it here."""

    code = "task-ousted"


class Quota:
    """The limits in one database. Threads may share it; every process opens its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, where: str, *, lock_timeout_s: float = 30) -> Self:
        """Open the database of a store, bringing its tables to the newest version.

        Raises:
            SettingsError: it is no PostgreSQL database, or no store of ours.
            StoreError: it cannot be reached or written.
        """
        database = open_store(where, lock_timeout_s)
        if database.dialect != "postgresql":
            database.close()
            problem = f"store: {database.name} is a file, but limits over several machines need a server"
            raise SettingsError(f"{problem}. Name a postgresql:// store.")
        return cls(database)

    def close(self) -> None:
        """Close the database; it must not be used afterwards."""
        self._database.close()

    # ---------------------------------------------------------------- pace

    def advance(self, server: str, model: str, requests: Pace, tokens: Pace) -> float:
        """Grant some requests, in order of asking over all machines.

        Args:
            requests: of these requests; nothing where their number is not limited.
            tokens: of their tokens. Below 0 it gives back what was asked too much before.

        Returns:
            Seconds to wait before they are sent; 0 or less: at once.
        """
        values = {
            "server": server,
            "model": model,
            "requests_s": requests.lasts_s,
            "requests_ahead_s": requests.ahead_s,
            "tokens_s": tokens.lasts_s,
            "tokens_ahead_s": tokens.ahead_s,
        }
        with self._write() as connection:
            return float(connection.execute(_ADVANCE, values).scalar_one())

    # ---------------------------------------------------------------- purse

    def open_purse(self, run_id: str, max_calls: int | None, max_tokens: int | None, max_picousd: int | None) -> None:
        """Begin a run's purse, or give the one that is there other limits; None is no limit."""
        limits = {"max_calls": max_calls, "max_tokens": max_tokens, "max_picousd": max_picousd}
        with self._write() as connection:
            connection.execute(_OPEN, {"run_id": run_id, **limits})

    def read_purse(self, run_id: str) -> Purse:
        """How a run's purse stands.

        Raises:
            StoreError: there is none.
        """
        with self._database.read() as connection:
            return _purse(connection.execute(_READ, {"run_id": run_id}).first(), run_id)

    def close_purse(self, run_id: str) -> Purse:
        """End a run's purse. What is still held is charged: its requests may have been billed.

        Returns:
            How it stood at the end, with nothing held.
        """
        with self._write() as connection:
            connection.execute(_LOCK, {"run_id": run_id})
            connection.execute(_CHARGE_ALL, {"run_id": run_id})
            purse = _purse(connection.execute(_READ, {"run_id": run_id}).first(), run_id)
            connection.execute(_CLOSE, {"run_id": run_id})
            return purse

    def enter(self, run_id: str, task: str, holder: str) -> None:
        """Take a task over. What an earlier holder of it still held is charged; it can hold nothing more.

        Raises:
            StoreError: the run has no purse here.
        """
        with self._write() as connection:
            _purse(connection.execute(_LOCK, {"run_id": run_id}).first(), run_id)
            connection.execute(_CHARGE_TASK, {"run_id": run_id, "task": task})
            connection.execute(_ENTER, {"run_id": run_id, "task": task, "holder": holder})

    def leave(self, run_id: str, task: str, holder: str) -> None:
        """End a task, unless another one holds it. What is still held for it is charged."""
        with self._write() as connection:
            connection.execute(_LOCK, {"run_id": run_id})
            connection.execute(_CHARGE_HOLDER, {"run_id": run_id, "task": task, "holder": holder})

    def charge_silent(self, run_id: str, silent_s: float) -> None:
        """Charge what is held for tasks of which nothing was heard for so long: their programs died."""
        with self._write() as connection:
            connection.execute(_LOCK, {"run_id": run_id})
            connection.execute(_CHARGE_SILENT, {"run_id": run_id, "silent_s": silent_s})

    def move(self, run_id: str, task: str, holder: str, *, back: Amount, used: Amount, want: Amount) -> bool:
        """Give back what requests held, count what they used, and hold what others want: all of it or nothing.

        With nothing wanted it is never refused.

        Returns:
            False where what is wanted does not fit with what is used and held; then nothing was moved.

        Raises:
            Ousted: another one holds the task; what was held here is charged.
        """
        values: dict[str, Any] = {"run_id": run_id, "task": task, "holder": holder}
        for word, amount in (("back", back), ("used", used), ("want", want)):
            values |= {f"{word}_{name}": number for name, number in amount._asdict().items()}
        with self._write() as connection:
            moved, known = connection.execute(_MOVE, values).one()
            if moved and not known:  # rolls back
                raise Ousted(f"{task} of run {run_id} was given to another worker. Nothing is lost.")
        return bool(moved)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A transaction that waits for no disk: what a crash of the server takes back is a moment's bookkeeping."""
        with self._database.write() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            yield connection


def _tell(number: int, unit: int) -> str:
    return f"{number / unit:g}" if unit > 1 else str(number)


def _purse(row: Row[Any] | None, run_id: str) -> Purse:
    if row is None:
        raise StoreError(f"run {run_id} has no purse in this store. Is it the store of the run?")
    used = Amount(row.used_calls, row.used_tokens, row.used_picousd)
    held = Amount(row.held_calls, row.held_tokens, row.held_picousd)
    return Purse(row.max_calls, row.max_tokens, row.max_picousd, used, held)
