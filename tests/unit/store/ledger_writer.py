"""A program that writes rows: python ledger_writer.py LEDGER FIRST COUNT MOST_BYTES.

It prints each number when its row is safe. MOST_BYTES: of any file that it writes; 0 for no bound.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from extractor.store.ledger import LedgerFile, LedgerRow


def main() -> None:
    path, first, count, most_bytes = sys.argv[1], *map(int, sys.argv[2:])
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    with LedgerFile.open(Path(path)) as ledger:
        for number in range(first, first + count):
            row = LedgerRow(f"k{number}", None, "done", 1, 0, None, "{}", os.urandom(8000))
            with ledger.write() as books:
                books.ledger.put([row])
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
