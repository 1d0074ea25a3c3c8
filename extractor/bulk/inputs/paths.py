"""Arguments to files: paths, folders, globs and lists of files, in a stable order.

Lives here: expanding, and one key a file however it is written. Does not live here: opening a file. Called by scan and
manifest.
"""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, NamedTuple

from extractor.errors import SettingsError

#: Puts the names of one folder in order, on disk where they are many.
Sort = Callable[[Iterable[bytes]], Iterator[bytes]]
_BLOCK_BYTES = 1 << 16
_LONGEST_PATH = 1 << 16


class Named(NamedTuple):
    """A file as it was named. `is_listed`: by a list, so it may be gone by now."""

    path: str
    is_listed: bool = False


def printable_path(path: str) -> str:
    r"""A path as text that every output can hold.

    File names unpacked from Chinese zip archives are often GBK bytes; Python keeps them as lone
    surrogates, which neither JSON nor Parquet can store. They are shown as `\xb9\xfa`.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class PathKeys:
    """One key a file, however it was written. Only folders are resolved, each once in a row."""

    def __init__(self) -> None:
        self._folder: tuple[str, str] | None = None

    def of(self, path: str) -> bytes:
        """The key of a file, 16 bytes."""
        return hash_name(self._resolve(path))

    def of_member(self, path: str, inner: str) -> bytes:
        """The key of what is in a file. `inner`: as it is shown behind the file's path."""
        return hash_name(f"{self._resolve(path)}\0{inner}")

    def _resolve(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        if self._folder is None or self._folder[0] != folder:
            self._folder = (folder, os.path.realpath(folder or "."))
        return os.path.join(self._folder[1], name)


def hash_name(name: str) -> bytes:
    """A name in 16 bytes: half a million of them are kept."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


# ---------------------------------------------------------------- paths, folders, globs


def expand_paths(paths: Iterable[str], sort: Sort) -> Iterator[Named]:
    """The files that arguments mean.

    Args:
        paths: files, folders or glob patterns.

    Raises:
        SettingsError: a path that does not exist, a pattern without a match, a folder that cannot be listed.
    """
    for path in paths:
        # A file whose own name holds [ or * is a file before it is a pattern.
        if os.path.lexists(path):
            yield from _expand_existing(path, sort)
        elif glob.has_magic(path):
            yield from _expand_pattern(path, sort)
        else:
            raise SettingsError(f"{printable_path(path)}: no such file or folder. Check the path; nothing was started.")


def _expand_pattern(pattern: str, sort: Sort) -> Iterator[Named]:
    found = glob.iglob(pattern, recursive=True)
    is_empty = True
    for match in sort(os.fsencode(match) for match in found if not is_ignored(os.path.basename(match))):
        is_empty = False
        yield from _expand_existing(os.fsdecode(match), sort)
    if is_empty:
        raise SettingsError(f"{printable_path(pattern)}: nothing matches this pattern. Check it.")


def _expand_existing(path: str, sort: Sort) -> Iterator[Named]:
    if os.path.isdir(path):
        yield from _walk_folder(path, sort)
    elif os.path.isfile(path):
        yield Named(path)
    else:
        raise SettingsError(f"{printable_path(path)}: neither a file nor a folder (a broken link?). Remove it.")


def _walk_folder(folder: str, sort: Sort) -> Iterator[Named]:
    """The files of a folder, and then those of each of its folders. No folder is held in memory, however large."""
    yield from _list_files(folder, sort)
    below = [_list_folders(folder, sort)]
    while below:
        if inner := next(below[-1], None):
            yield from _list_files(inner, sort)
            below.append(_list_folders(inner, sort))
        else:
            below.pop()


def _list_files(folder: str, sort: Sort) -> Iterator[Named]:
    names = _scan_folder(folder, lambda entry: not is_ignored(entry.name) and _is_file(entry))
    return (Named(os.path.join(folder, os.fsdecode(name))) for name in sort(names))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself is no more a file than one that leads nowhere
        return False


def _list_folders(folder: str, sort: Sort) -> Iterator[str]:
    names = _scan_folder(folder, lambda entry: not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False))
    return (os.path.join(folder, os.fsdecode(name)) for name in sort(names))


def _scan_folder(folder: str, is_wanted: Callable[[os.DirEntry[str]], bool]) -> Iterator[bytes]:
    with _listing(folder), os.scandir(folder) as entries:
        yield from (os.fsencode(entry.name) for entry in entries if is_wanted(entry))


@contextmanager
def _listing(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # A folder that silently reads as empty would look like a complete run.
        problem = f"the folder cannot be listed ({error.strerror})"
        raise SettingsError(f"{printable_path(folder)}: {problem}. Check its permissions.") from error


def is_ignored(name: str) -> bool:
    """Whether a file is none of the operator's: hidden, or a lock file of Office."""
    return name.startswith((".", "~$"))


# ---------------------------------------------------------------- lists of files


def expand_list(where: str, sort: Sort) -> Iterator[Named]:
    """The files that a list names: one path a line, or separated by NUL where there is one at all.

    Paths count from the working directory; a folder means all below it, and no name is a pattern. What is not there
    any more fails by itself later, as the list may be old.

    Args:
        where: a file, or `-` for standard input.

    Raises:
        SettingsError: the list cannot be read, or is none.
    """
    shown = "standard input" if where == "-" else printable_path(where)
    with ExitStack() as stack, _reading(shown):
        if where == "-":
            listed = _split_list(sys.stdin.buffer, shown)
        else:
            listed = _split_list(stack.enter_context(open(where, "rb")), shown)
        for path in listed:
            if os.path.isdir(path):
                yield from _walk_folder(path, sort)
            else:
                yield Named(path, is_listed=True)


@contextmanager
def _reading(shown: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(f"{shown}: the list of files cannot be read ({error.strerror}). Check the path.") from error


def _split_list(file: IO[bytes], shown: str) -> Iterator[str]:
    block = file.read(_BLOCK_BYTES)
    mark = b"\0" if b"\0" in block else b"\n"
    rest = b""
    while block:
        *paths, rest = (rest + block).split(mark)
        if len(rest) > _LONGEST_PATH or (mark == b"\n" and b"\0" in block):
            raise SettingsError(f"{shown}: this is no list of files. Give one path a line, or NUL behind each.")
        yield from (os.fsdecode(path) for path in (_clean(path, mark) for path in paths) if path)
        block = file.read(_BLOCK_BYTES)
    if last := _clean(rest, mark):
        yield os.fsdecode(last)


def _clean(path: bytes, mark: bytes) -> bytes:
    return path.removesuffix(b"\r") if mark == b"\n" else path
