"""A run's way to a cluster: what must be there before anything is planned.

Lives here: the checks, and what stands in for the engine. Does not live here: the engine itself. Called by cli.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from extractor.bulk.cluster.engine import ClusterEngine
from extractor.bulk.cluster.order import strip_password
from extractor.bulk.cluster.pool import DaskPool
from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt
from extractor.bulk.recipe import Recipe
from extractor.errors import SettingsError
from extractor.llm.budget import Limits
from extractor.settings import Settings
from extractor.store.store import Store

#: Names of engines that --engine takes, beside `local`.
ENGINES = ("dask",)
_WAIT_S = 30.0


class Cluster:
    """A connection to a cluster. Its make_engine takes what extractor.bulk.engine.Engine takes."""

    def __init__(
        self, pool: DaskPool, store: Store, limits: tuple[Limits, Limits], on_notice: Callable[[str], None]
    ) -> None:
        """See connect."""
        self._pool, self._store = pool, store
        self._limits, self._on_notice = limits, on_notice
        #: About how many documents there are, once that is known.
        self.expected = 0

    def make_engine(
        self,
        recipe: Recipe,
        model: ModelPart | None,
        *,
        on_kept: Callable[[Sequence[Receipt]], None],
        on_tick: Callable[[], None] = lambda: None,
    ) -> ClusterEngine:
        """The engine of one run.

        Raises:
            SettingsError: the run cannot be made by other machines.
        """
        if model and not model.session.is_live:
            raise SettingsError("a run on a cluster asks a server: --replay is for one machine. Leave one of them out.")
        return ClusterEngine(
            self._pool,
            self._store,
            recipe,
            model,
            limits=self._limits,
            expected=self.expected,
            on_kept=on_kept,
            on_tick=on_tick,
            on_notice=self._on_notice,
        )

    def close(self) -> None:
        """Give the connection up."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def connect(
    engine: str,
    address: str,
    settings: Settings,
    store: Store | None,
    *,
    run: Limits,
    document: Limits,
    asks_model: bool,
    on_notice: Callable[[str], None] = lambda _: None,
    wait_s: float = _WAIT_S,
) -> Cluster:
    """Connect to a cluster.

    Args:
        engine: one of ENGINES.
        address: of the scheduler, such as `tcp://10.0.0.1:8786`.
        store: the run's store; on a cluster there must be one.
        run: what the run may spend, over all machines.
        document: what each document may spend.
        asks_model: whether a model has a part in the run, so that workers need the journal.
        on_notice: told what workers say that the operator should know.
        wait_s: how long to wait for the scheduler, and again for a first worker.

    Raises:
        SettingsError: the engine is not known, store or journal are files, or there is no scheduler or no worker.
    """
    if engine not in ENGINES:
        raise SettingsError(f"--engine {engine}: not known. Give one of: {', '.join(ENGINES)}.")
    if store is None:
        problem = "a run on a cluster keeps what it makes in a store, and none is named"
        raise SettingsError(f"{problem}. Name a postgresql:// address with --store.")
    strip_password(store.address, "store")
    if asks_model:
        strip_password(settings.journal, "journal")
    return Cluster(DaskPool.connect(address, wait_s), store, (run, document), on_notice)
