"""The server of peers.py in a process of its own: python -m eval.bench.peers_server --log FILE [--kinds …].

The first line on stdout is its port. Every call is a line in the log: who asked, about which document, all text that
was sent, the schema, the reply.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from eval.bench.peers_documents import FOLDERS, load_cases
from eval.bench.peers_model import CommonModel, read_delay
from tests.loopback.messages import ChatRequest
from tests.loopback.server import LoopbackServer, Options


async def serve(kinds: list[str], seed: int, log: Path) -> None:
    """Serve until the process is ended."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with log.open("a", encoding="utf-8") as lines:

        def note(request: ChatRequest, name: str, reply: str) -> None:
            sent = [str(message.get("content") or "") for message in request.body["messages"]]
            schema = {key: request.body[key] for key in ("response_format", "tools") if key in request.body}
            line = {"model": request.model, "document": name, "sent": sent, "schema": schema, "reply": reply}
            print(json.dumps(line, ensure_ascii=False), file=lines, flush=True)

        model = CommonModel(load_cases(kinds), seed, note)
        async with LoopbackServer(model, options=Options(delay=read_delay, most_records=1)) as server:
            print(server.port, flush=True)
            await ended.wait()
            for failure in server.failures[:3]:
                raise failure


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=list(FOLDERS), default=list(FOLDERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.kinds, arguments.seed, arguments.log))


if __name__ == "__main__":
    main()
