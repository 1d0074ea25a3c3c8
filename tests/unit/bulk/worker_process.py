"""A worker in a process of its own, for tests that kill it: python worker_process.py STORE LEASE_SECONDS."""

from __future__ import annotations

import signal
import sys
from threading import Event

from extractor.bulk.submitted import Worker
from extractor.settings import Settings
from extractor.store.store import Store

stop = Event()
signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
store = Store.open(sys.argv[1])
Worker(store, Settings(), None, stop, lease_s=float(sys.argv[2])).run()
store.close()
