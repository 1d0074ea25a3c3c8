"""Replies and attempts for the tests, and a program that writes them: python writer.py JOURNAL FIRST COUNT.

It prints each number when record() has returned, so that a test can kill it and knows what must be there.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from extractor.store.journal import Journal
from extractor.store.rows import Attempt, StoredReply, canonical_json


def make_key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def make_reply(number: int, **changes: Any) -> StoredReply:
    reply = StoredReply(
        key=make_key(number),
        task="table_rows",
        model="qwen3-32b",
        parameters={"temperature": 0, "seed": None},
        prompt_version="p1",
        schema_hash="s1",
        reply=canonical_json({"rows": [["(一)", "0", None, f"{number}件\n①"]]}),
        origin="live",
        request=canonical_json({"system": "只抄录", "user": f"本年新收 {number}\x00"}),
        mode="json_schema",
        input_tokens=1200,
        output_tokens=80,
        cached_tokens=1000,
        cost_usd=0.25,
        created_at=datetime(2026, 11, 3, 8, 0, 0, number % 1000, UTC),
    )
    return replace(reply, **changes)


def make_attempt(number: int, **changes: Any) -> Attempt:
    attempt = Attempt(
        key=make_key(number),
        run_id="run-1",
        document_id="d1",
        task="table_rows",
        model="qwen3-32b",
        outcome="ok",
        input_tokens=1200,
        output_tokens=80,
        cached_tokens=1000,
        cost_usd=0.25,
        seconds=1.5,
    )
    return replace(attempt, **changes)


def main() -> None:
    where, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with Journal.open(where) as journal:
        for number in range(first, first + count):
            journal.record(make_reply(number), make_attempt(number))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
