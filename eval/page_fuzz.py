"""Damaged PDFs and pictures: each ends as a document or as a clear error: python -m eval.page_fuzz --count N --seed S.

Seed files are made here (text layers, scans, pictures; synthetic), and the real PDFs beside the checkout join them. A
case is a seed with one to four changes: bits, cut-offs, pieces moved or repeated, numbers in dictionaries, pointers to
other objects, broken streams, other magic, absurd sizes. Each goes through load_document as any file does. Printed:
how the cases ended, the slowest, and the most memory that this process and a worker took. The exit code is 1 where a
case ended in any other way than as a Document or a SourceError.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pymupdf

from extractor.errors import SourceError
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.sources.pages.workers import close_workers

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "docs"
SETTINGS = Settings(page_timeout_s=20, max_pages=50)
_LINES = (
    "某某县民政局2023年政府信息公开工作年度报告",
    "一、总体情况",
    "二、主动公开政府信息情况",
    "规章 0 0 0  行政规范性文件 3 1 12",
    "三、收到和处理政府信息公开申请情况",
    "本年新收政府信息公开申请数量 12 0 0 3 0 0 15",
)
_NUMBER = re.compile(rb"(?<![\w.])\d{1,10}(?![\w.])")
_REFERENCE = re.compile(rb"\b(\d+) (\d+) R\b")
_OBJECT = re.compile(rb"\b\d+ \d+ obj\b.*?\bendobj\b", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_NAMES = (b"/Kids", b"/Parent", b"/Contents", b"/Resources", b"/MediaBox", b"/Length", b"/Filter", b"/Font", b"/Count")
_NUMBERS = (b"0", b"-1", b"1", b"65536", b"2147483647", b"4294967296", b"99999999999999999999", b"1e30", b"0.00001")
_MAGIC = (b"%PDF-9.9", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\x00", b"RIFF\x00\x00\x00\x00WEBP")


@dataclass
class Outcome:
    """How all cases ended."""

    ends: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    unforeseen: list[str] = field(default_factory=list)
    parent_mb: int = 0
    worker_mb: int = 0


# ---------------------------------------------------------------- seeds


def build_seeds(corpus: Path | None = CORPUS) -> dict[str, bytes]:
    """Small files of every kind that is read, and the real PDFs where they are."""
    page = _draw_page()
    seeds = {
        "text.pdf": _make_pdf(pages=2),
        "compressed.pdf": _make_pdf(pages=3, deflate=True, use_objstms=1),
        "locked.pdf": _make_pdf(pages=1, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="owner"),
        "table.pdf": _make_pdf(pages=1, with_table=True),
        "scan.pdf": _make_scan(page),
    }
    for extension in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        seeds[f"picture{extension}"] = cv2.imencode(extension, page)[1].tobytes()
    for path in sorted(corpus.glob("*.pdf")) if corpus and corpus.is_dir() else ():
        seeds[path.name] = path.read_bytes()
    return seeds


def _make_pdf(*, pages: int, with_table: bool = False, **saving: object) -> bytes:
    document = pymupdf.open()
    for _ in range(pages):
        page = document.new_page(width=400, height=300)
        for number, line in enumerate(_LINES):
            page.insert_text((30, 40 + 24 * number), line, fontname="china-s", fontsize=11)
        if with_table:
            for step in range(6):
                page.draw_line((30, 190 + 15 * step), (330, 190 + 15 * step))
                page.draw_line((30 + 60 * step, 190), (30 + 60 * step, 265))
    return bytes(document.tobytes(**saving))


def _draw_page() -> np.ndarray:
    with pymupdf.open(stream=_make_pdf(pages=1, with_table=True), filetype="pdf") as document:
        pixmap = document[0].get_pixmap(dpi=110)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)[:, :, ::-1].copy()


def _make_scan(page: np.ndarray) -> bytes:
    document = pymupdf.open()
    sheet = document.new_page(width=400, height=300)
    sheet.insert_image(sheet.rect, stream=cv2.imencode(".jpg", page)[1].tobytes())
    return bytes(document.tobytes())


# ---------------------------------------------------------------- damage

Damage = Callable[[bytes, random.Random], bytes]


def flip_bits(raw: bytes, rng: random.Random) -> bytes:
    """A few bits are others."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 3, 10, 100))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(raw: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return raw[: rng.randrange(len(raw))]


def move_piece(raw: bytes, rng: random.Random) -> bytes:
    """A piece stands elsewhere, or twice, or not at all."""
    start, length = rng.randrange(len(raw)), rng.choice((1, 16, 512, 4096))
    piece, rest = raw[start : start + length], raw[:start] + raw[start + length :]
    place = rng.randrange(len(rest) + 1)
    return rng.choice((rest[:place] + piece + rest[place:], raw[:place] + piece + raw[place:], rest))


def change_number(raw: bytes, rng: random.Random) -> bytes:
    """Numbers of dictionaries, tables and drawings are absurd."""
    return _replace_some(raw, rng, _NUMBER, lambda _: rng.choice(_NUMBERS))


def point_elsewhere(raw: bytes, rng: random.Random) -> bytes:
    """References lead to other objects: loops of pages, fonts that are pages."""
    return _replace_some(raw, rng, _REFERENCE, lambda _: b"%d 0 R" % rng.randrange(30))


def swap_objects(raw: bytes, rng: random.Random) -> bytes:
    """Two objects change their places."""
    found = list(_OBJECT.finditer(raw))
    if len(found) < 2:
        return move_piece(raw, rng)
    first, second = sorted(rng.sample(found, 2), key=lambda match: match.start())
    middle = raw[first.end() : second.start()]
    return raw[: first.start()] + second.group() + middle + first.group() + raw[second.end() :]


def rename_key(raw: bytes, rng: random.Random) -> bytes:
    """A key of a dictionary is another."""
    old = rng.choice(_NAMES)
    return raw.replace(old, rng.choice(_NAMES), rng.choice((1, 100)))


def spoil_stream(raw: bytes, rng: random.Random) -> bytes:
    """The contents of a stream are noise from somewhere on."""
    found = [match for match in _STREAM.finditer(raw) if match.end(1) > match.start(1)]
    if not found:
        return flip_bits(raw, rng)
    start, end = rng.choice(found).span(1)
    start = rng.randrange(start, end)
    return raw[:start] + rng.randbytes(end - start) + raw[end:]


def enlarge(raw: bytes, rng: random.Random) -> bytes:
    """Pages and images claim to be huge."""
    size = rng.choice((b"14400", b"60000", b"2000000"))
    raw = re.sub(rb"/MediaBox *\[[^\]]*\]", b"/MediaBox[0 0 " + size + b" " + size + b"]", raw)
    raw = re.sub(rb"/(Width|Height) \d+", rb"/\1 " + size, raw)
    if raw.startswith(b"\x89PNG"):
        raw = raw[:16] + int(size).to_bytes(4, "big") * 2 + raw[24:]
    return raw


def change_magic(raw: bytes, rng: random.Random) -> bytes:
    """It begins as another kind of file."""
    magic = rng.choice(_MAGIC)
    return magic + raw[rng.choice((0, len(magic))) :]


def _replace_some(
    raw: bytes, rng: random.Random, pattern: re.Pattern[bytes], choose: Callable[[object], bytes]
) -> bytes:
    share = rng.choice((0.01, 0.1, 0.5))
    return pattern.sub(lambda match: choose(match) if rng.random() < share else match.group(), raw)


DAMAGES: tuple[Damage, ...] = (
    flip_bits,
    cut_off,
    move_piece,
    change_number,
    point_elsewhere,
    swap_objects,
    rename_key,
    spoil_stream,
    enlarge,
    change_magic,
)


def make_cases(count: int, seed: int, seeds: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each case; the same for the same arguments. One in eight is a picture."""
    pictures = [name for name in seeds if not name.endswith(".pdf")]
    papers = [name for name in seeds if name.endswith(".pdf")]
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        name = rng.choice(pictures if rng.random() < 0.125 else papers)
        raw, steps = seeds[name], []
        for damage in rng.choices(DAMAGES, k=rng.choice((1, 1, 2, 4))):
            if raw:
                raw, steps = damage(raw, rng), [*steps, damage.__name__]
        yield f"{number} {name} {'+'.join(steps)}", raw


# ---------------------------------------------------------------- running


def run_cases(count: int, seed: int, settings: Settings = SETTINGS, corpus: Path | None = CORPUS) -> Outcome:
    """Read every case and note how it ended."""
    outcome, is_over = Outcome(), threading.Event()
    watch = threading.Thread(target=_watch_workers, args=(outcome, is_over))
    watch.start()
    try:
        for name, raw in make_cases(count, seed, build_seeds(corpus)):
            began = time.monotonic()
            outcome.ends[_read(name, raw, settings, outcome)] += 1
            outcome.slowest = max(outcome.slowest, (time.monotonic() - began, name))
    finally:
        is_over.set()
        watch.join()
    outcome.parent_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return outcome


def _read(name: str, raw: bytes, settings: Settings, outcome: Outcome) -> str:
    try:
        document = read_document(raw, name, settings)
    except SourceError as error:
        return type(error).__name__
    except Exception as error:
        outcome.unforeseen.append(f"{name}: {type(error).__name__}: {error}")
        return "unforeseen"
    is_part_lost = any(flag.code == "page-not-read" for flag in document.notices)
    return "document with a part not read" if is_part_lost else "document"


def _watch_workers(outcome: Outcome, is_over: threading.Event) -> None:
    """The most memory that any worker held, as the system counts it."""
    while not is_over.wait(0.2):
        for process in multiprocessing.active_children():
            try:
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            except OSError:
                continue
            if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
                outcome.worker_mb = max(outcome.worker_mb, int(found[1]) // 1024)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcome = run_cases(given.count, given.seed)
    close_workers()
    print(f"{given.count} cases, seed {given.seed}")
    for end, number in outcome.ends.most_common():
        print(f"{number:6}  {end}")
    print(f"slowest: {outcome.slowest[0]:.1f} s, {outcome.slowest[1]}")
    print(f"most memory: {outcome.parent_mb} MiB here, {outcome.worker_mb} MiB in a worker")
    print(*outcome.unforeseen, sep="\n")
    return bool(outcome.unforeseen)


if __name__ == "__main__":
    sys.exit(main())
