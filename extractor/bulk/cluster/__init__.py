"""One run over many machines, by the workers of a Dask cluster.

The driver plans, hands out chunks of documents with their bytes, and puts the outputs together; a worker makes its
chunk with the engine of a local run and keeps every document in the store, which is also where limits, journal and
ledger are. So what is lost with a worker is only what it was just doing.

    connect(address, ...)  -> Cluster, whose make_engine() stands in for extractor.bulk.engine.Engine
"""

from extractor.bulk.cluster.connecting import Cluster, connect

__all__ = ["Cluster", "connect"]
