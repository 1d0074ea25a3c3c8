"""Seconds until the command line answers: python eval/bench/startup.py [--repeats N].

The installed program is started as a shell starts it, each command N times in turn with `python -c pass`, so that what
else the machine does hits all alike. Printed: the median, the least, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = (sys.executable, "-m", "extractor")
COMMANDS: dict[str, tuple[str, ...]] = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "extractor --version": (*PROGRAM, "--version"),
    "extractor --help": (*PROGRAM, "--help"),
    "extractor run --help": (*PROGRAM, "run", "--help"),
    "extractor forms": (*PROGRAM, "forms"),
}
TARGET = 0.3


def measure(repeats: int) -> dict[str, list[float]]:
    """Seconds of each start, the commands in turn. The first round fills the caches and does not count."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_number in range(repeats + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            if round_number:
                taken[name].append(time.perf_counter() - start)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    taken = measure(parser.parse_args().repeats)
    load = Path("/proc/loadavg")
    busy = f", load {load.read_text().split()[0]}" if load.exists() else ""
    print(f"{platform.machine()}, Python {platform.python_version()}{busy}")
    floor = statistics.median(taken["python -c pass"])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"  {median:6.3f} s median, {min(seconds):6.3f} s least, {median / floor:5.1f} x python -c pass   {name}")
    slowest = max(statistics.median(taken[name]) for name in COMMANDS if name.endswith("--help"))
    print(f"--help: {slowest:.3f} s, target at most {TARGET} s: {'met' if slowest <= TARGET else 'MISSED'}")


if __name__ == "__main__":
    main()
