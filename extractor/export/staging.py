"""Files put into place together, whole or not at all.

Lives here: the staging folder, its lock, the sweep of what a crash left behind, atomic replacement. Does not live here:
what the files hold. Called by writer, and by whatever else writes into the folder of a run.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from extractor.errors import OutputError

if sys.platform != "win32":
    import fcntl

STAGING_PREFIX = ".extractor-unfinished-"
#: What a run keeps beside its outputs, to go on from.
WORK_FOLDER = ".extractor"


@contextmanager
def open_work_folder(out_dir: Path) -> Iterator[Path]:
    """The folder in which a run keeps what it can go on from, made when missing, for this run alone.

    Raises:
        OutputError: another run is writing there, or it cannot be written.
    """
    folder = out_dir / WORK_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock_folder(folder)
    except BlockingIOError:
        raise _in_use(out_dir) from None
    except OSError as error:
        problem = f"{out_dir}: the outputs cannot be written ({error.strerror})"
        raise OutputError(f"{problem}. Make the folder writable, or give another one with --out.") from error
    with lock:
        yield folder


@contextmanager
def open_staging(out_dir: Path) -> Iterator[Path]:
    """A hidden folder inside `out_dir`, thrown away at the end; what a crash left behind is swept away first.

    Inside, not beside it: an output folder is often a mount of its own, and a file moves atomically only within one
    file system.

    Raises:
        OutputError: another run is writing there.
    """
    with ExitStack() as cleanup:
        _sweep_leftovers(out_dir)
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=out_dir))
        cleanup.callback(shutil.rmtree, staging, ignore_errors=True)
        cleanup.enter_context(_lock_folder(staging))
        yield staging


def move_into_place(staging: Path, out_dir: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Flush every file to the disk, then replace those of the same names, in the order given."""
    names = tuple(names)
    for name in names:
        _flush_to_disk(staging / name)
    for name in names:
        os.replace(staging / name, out_dir / name)
    return tuple(out_dir / name for name in names)


def _sweep_leftovers(out_dir: Path) -> None:
    for leftover in out_dir.glob(f"{STAGING_PREFIX}*"):
        try:
            lock = _lock_folder(leftover)
        except BlockingIOError:
            raise _in_use(out_dir) from None
        lock.close()
        shutil.rmtree(leftover, ignore_errors=True)


def _in_use(out_dir: Path) -> OutputError:
    return OutputError(f"{out_dir}: another run is writing here. Wait for its end, or give another folder with --out.")


def _lock_folder(folder: Path) -> IO[str]:
    """Mark a staging folder as in use for as long as the file stays open; the system drops the lock after a crash."""
    lock = (folder / "lock").open("w", encoding="utf-8")
    if sys.platform != "win32":  # there, files of a live run cannot be deleted anyway
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
    return lock


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
