"""`python -m tests.loopback`: the server in its own process. The first line on stdout is its port."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.loopback.answerers import QueuedAnswers, ReplayAnswerer
from tests.loopback.batches import BatchPace
from tests.loopback.chat import Ability, Capabilities
from tests.loopback.faults import KINDS, FaultPlan, NoFaults, SeededFaults
from tests.loopback.messages import Answerer
from tests.loopback.server import LoopbackServer, Options

_ABILITY: dict[str, Ability] = {"yes": "yes", "ignored": "ignored", "400": 400, "500": 500}


def main() -> None:
    """Serve until the process is ended."""
    arguments = _make_parser().parse_args()
    with asyncio.Runner() as runner:
        runner.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> None:
    server = LoopbackServer(_choose_answerer(arguments), _choose_faults(arguments), _choose_options(arguments))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server:
        print(server.port, flush=True)  # noqa: T201
        await ended.wait()


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.loopback", description=__doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--replies", type=Path, metavar="FILE", help="answer out of a replay file")
    who.add_argument("--simulate", nargs="+", type=Path, metavar="FOLDER", help="read as the labels in FOLDER say")
    who.add_argument("--say", type=json.loads, metavar="JSON", help="answer every request with this object")
    parser.add_argument("--mistakes", type=_read_rates, default={}, metavar="KIND=RATE,…", help="for --simulate")
    parser.add_argument("--faults", type=_read_rates, default={}, metavar="KIND=RATE,…", help=", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=0, help="of mistakes and faults")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before every reply")
    parser.add_argument("--batch-seconds", type=float, default=0.0, help="least time in each state of a batch")
    parser.add_argument("--key", help="the bearer key that is demanded")
    parser.add_argument("--models", default="", metavar="A,B", help="the names that are served; any, when not given")
    parser.add_argument("--json-schema", choices=_ABILITY, default="yes")
    parser.add_argument("--tools", choices=_ABILITY, default="yes")
    parser.add_argument("--wraps", choices=("nothing", "prose", "fence"), default="nothing")
    parser.add_argument("--records", type=int, default=1000, help="how many requests are remembered")
    return parser


def _read_rates(text: str) -> dict[str, float]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    return {kind: float(rate) for kind, _, rate in pairs}


def _choose_answerer(arguments: argparse.Namespace) -> Answerer:
    if arguments.replies:
        return ReplayAnswerer(arguments.replies)
    if arguments.say is not None:
        return QueuedAnswers([arguments.say])
    from tests.loopback.labelled import load_truths
    from tests.loopback.mistakes import Mistakes
    from tests.loopback.simulated import SimulatedReader

    return SimulatedReader(load_truths(arguments.simulate), Mistakes(arguments.seed, arguments.mistakes))


def _choose_faults(arguments: argparse.Namespace) -> FaultPlan:
    return SeededFaults(arguments.seed, arguments.faults) if arguments.faults else NoFaults()


def _choose_options(arguments: argparse.Namespace) -> Options:
    return Options(
        delay=arguments.delay,
        capabilities=Capabilities(
            json_schema=_ABILITY[arguments.json_schema], tools=_ABILITY[arguments.tools], wraps=arguments.wraps
        ),
        api_key=arguments.key,
        models=tuple(name for name in arguments.models.split(",") if name),
        batch_pace=BatchPace(seconds=arguments.batch_seconds),
        most_records=arguments.records,
        port=arguments.port,
    )


if __name__ == "__main__":
    main()
