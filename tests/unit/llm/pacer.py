"""A program that asks when it may send: python pacer.py STORE PER_MINUTE COUNT.

It sends nothing and waits for nothing; it prints the moment of each grant, seconds since 1970.
"""

from __future__ import annotations

import sys
import time

from extractor.store.quota import Pace, Quota


def main() -> None:
    where, per_minute, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    quota = Quota.open(where)
    lasts_s = 61 / per_minute
    for _ in range(count):
        wait_s = quota.advance("http://server/v1", "m", Pace(lasts_s, lasts_s + 1), Pace())
        sys.stdout.write(f"{time.time() + max(0.0, wait_s)}\n")


if __name__ == "__main__":
    main()
