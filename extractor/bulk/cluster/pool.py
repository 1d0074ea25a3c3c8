"""The cluster as the driver sees it: how many chunks it takes at once, and what becomes of them.

Lives here: all that is said to Dask, and what its errors mean for a user. Does not live here: what is sent (order),
when (engine). The only importer of distributed.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, NamedTuple

from extractor.errors import ExtractorError, SettingsError

if TYPE_CHECKING:
    from distributed import Client, Future

_START = "Start one on every machine: DASK_DISTRIBUTED__WORKER__DAEMON=False dask worker {address} --nthreads 2"


class WorkersDied(Exception):
    """Several workers died while they had the chunk."""


class Ended(NamedTuple):
    """A chunk that is over: its number, and what the worker returned, or what went wrong."""

    number: int
    payload: bytes | None
    error: Exception | None


class DaskPool:
    """A connection to a scheduler."""

    def __init__(self, address: str, client: Client) -> None:
        """See connect."""
        self._address = address
        self._client = client
        self._ended: queue.SimpleQueue[tuple[int, Future[bytes]]] = queue.SimpleQueue()
        self._under_way: dict[int, Future[bytes]] = {}

    @classmethod
    def connect(cls, address: str, wait_s: float) -> DaskPool:
        """Connect to a scheduler and wait for a first worker, so long for each.

        Raises:
            SettingsError: there is no scheduler, no worker, or Dask is another version there.
        """
        try:
            from distributed import Client  # noqa: PLC0415 - an extra
        except ImportError as error:
            problem = "a run on a cluster needs Dask, which is not installed"
            raise SettingsError(f"{problem}. Install the extra: pip install 'extractor[cluster]'.") from error
        try:
            client = Client(address, timeout=wait_s, set_as_default=False, name="extractor")
        except (OSError, TimeoutError, ValueError) as error:
            problem = f"no scheduler answers at {address} ({type(error).__name__})"
            raise SettingsError(
                f"{problem}. Start one: dask scheduler. Then give its address with --address."
            ) from error
        pool = cls(address, client)
        try:
            pool._wait_for_worker(wait_s)
            pool._check_versions()
        except BaseException:
            pool.close()
            raise
        return pool

    def _wait_for_worker(self, wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while not self.count_slots():
            if time.monotonic() > deadline:
                problem = f"the scheduler at {self._address} has no worker after {wait_s:g} s"
                raise SettingsError(f"{problem}. {_START.format(address=self._address)}")
            time.sleep(0.1)

    def _check_versions(self) -> None:
        try:
            self._client.get_versions(check=True, packages=[])
        except ValueError as error:
            told = " ".join(str(error).split())
            raise SettingsError(f"the machines of the cluster differ: {told}. Install the same versions.") from error

    def count_slots(self) -> int:
        """How many chunks the workers take at once. Raises SettingsError where the scheduler is gone."""
        try:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        except OSError:
            raise self._miss_scheduler() from None
        self._check_scheduler()
        return sum(worker["nthreads"] for worker in workers.values())

    def submit(self, number: int, function: Callable[..., bytes], versions: Mapping[str, str], payload: bytes) -> None:
        """Have a worker make a chunk. Where one dies with it, another one gets it, a few times."""
        self._check_scheduler()
        future = self._client.submit(function, dict(versions), payload, pure=False)
        self._under_way[number] = future
        future.add_done_callback(lambda done: self._ended.put((number, done)))

    def wait(self, timeout_s: float) -> Ended | None:
        """The next chunk that is over; None where none is within that time.

        Raises:
            SettingsError: the scheduler is gone.
        """
        try:
            number, future = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            self._check_scheduler()
            return None
        self._under_way.pop(number, None)
        try:
            return Ended(number, future.result(), None)
        except CancelledError:
            self._check_scheduler()
            return Ended(number, None, WorkersDied("its task was cancelled"))
        except ExtractorError as error:
            return Ended(number, None, error)
        except Exception as error:
            return Ended(number, None, self._explain(error))
        finally:
            future.release()

    def _explain(self, error: Exception) -> Exception:
        from distributed.scheduler import KilledWorker  # noqa: PLC0415

        if isinstance(error, KilledWorker):
            return WorkersDied(str(error))
        if isinstance(error, ImportError):
            problem = f"a worker of the cluster cannot load this program ({error})"
            return SettingsError(f"{problem}. Install it there: pip install 'extractor[cluster,ocr,postgres]'.")
        return error

    def _check_scheduler(self) -> None:
        # A client that lost its scheduler tries to reach it again for a while; its tasks are gone in any case.
        if self._client.status != "running":
            raise self._miss_scheduler()

    def _miss_scheduler(self) -> SettingsError:
        return SettingsError(
            f"the scheduler at {self._address} is gone. What is finished is kept: start a scheduler and workers, then "
            "the same command again."
        )

    def close(self) -> None:
        """Give the connection up, and with it what is under way."""
        for future in self._under_way.values():
            future.cancel(force=True)
        self._client.close(timeout=5)
