"""Seconds of OCR a page, and what the second look costs: python eval/bench/ocr.py [PDF ...] [--pages N].

Each page is rendered at 200 dpi, roughened like a scan (seeded: synthetic scans), and read in turn by

    bare     RapidOCR() as it comes, with its classifier and its padding
    first    our first pass: finding and reading words, nothing left out for its confidence
    whole    read_scan_page: straightened, ruled tables, cells, second look, places on the page

in one run, interleaved, each the best of several times, so that a noisy machine hits all alike. Printed: seconds,
ratios to `bare` (target for `first`: at most 1.10), cells looked at again, and the largest memory of a process that
does nothing but one of them. No accuracy is measured here; eval/scans does that.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pymupdf
from rapidocr import RapidOCR

from extractor.model import Page
from extractor.sources.pages.raster import Picture
from extractor.sources.pages.scan.engine import configure_engine
from extractor.sources.pages.scan.reader import measure_scan_page
from extractor.sources.pages.scan.words import find_ink_words

DOCS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "docs"
DEFAULT = [DOCS / "001_huaian_city_2024.pdf", DOCS / "002_hongze_district_2023.pdf"]
DPI = 200
TARGET = 1.10


def render_pages(paths: list[Path], most: int) -> list[np.ndarray]:
    """Pages of PDFs as synthetic scans, those with most characters first."""
    found: list[tuple[int, str, int, np.ndarray]] = []
    for path in paths:
        with pymupdf.open(path) as document:
            for page in document:
                pixels = page.get_pixmap(dpi=DPI, alpha=False)
                image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w, 3)[:, :, ::-1]
                found.append((-len(page.get_text()), path.name, page.number, roughen(image)))
    return [image for *_, image in sorted(found, key=lambda entry: entry[:3])[:most]]


def roughen(image: np.ndarray) -> np.ndarray:
    """A mild scan."""
    soft = cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 6, image.shape[:2])[..., None]
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def make_bare(threads: int) -> Callable[[np.ndarray], object]:
    """The engine as it comes; only its log is silent and its threads are those of the others."""
    return RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": threads})


def read_whole(image: np.ndarray) -> tuple[int, int]:
    """Cells, and cells looked at again."""
    height, width = image.shape[:2]
    reading = measure_scan_page(Picture(image, DPI / 72), Page(1, width * 72 / DPI, height * 72 / DPI, "pt"))
    return reading.cells, reading.looked_again


def time_once(run: Callable[[np.ndarray], object], image: np.ndarray) -> float:
    """Seconds."""
    start = time.perf_counter()
    run(image)
    return time.perf_counter() - start


def measure_memory(name: str, threads: int, image: np.ndarray) -> int:
    """Largest memory in MiB of a fresh process that reads one page in one way."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_read_alone, (name, threads, image))


def _read_alone(name: str, threads: int, image: np.ndarray) -> int:
    configure_engine(threads)
    run = {"bare": partial(make_bare, threads), "first": lambda: find_ink_words, "whole": lambda: read_whole}[name]()
    run(image)
    status = Path("/proc/self/status").read_text(encoding="ascii")  # getrusage would count the parent's memory, too
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=DEFAULT, help="PDFs; else the two of the corpus")
    parser.add_argument("--pages", type=int, default=3, help="how many pages")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    missing = [str(path) for path in options.paths if not path.is_file()]
    if missing:
        parser.error(f"not found: {', '.join(missing)}; name PDFs on the command line")
    images = render_pages(options.paths, options.pages)
    configure_engine(options.threads)
    ways: dict[str, Callable[[np.ndarray], object]] = {
        "bare": make_bare(options.threads),
        "first": find_ink_words,
        "whole": read_whole,
    }
    for run in ways.values():
        run(images[0])  # loads the models
    print(f"{platform.processor() or platform.machine()}, {options.threads} threads, {DPI} dpi, synthetic scans")
    print("page  " + "".join(f"{name:>9}" for name in ways) + "    first/bare  whole/bare  looked again")
    ratios = []
    for number, image in enumerate(images, start=1):
        times = {name: float("inf") for name in ways}
        for _ in range(options.repeats):
            for name, run in ways.items():
                times[name] = min(times[name], time_once(run, image))
        cells, again = read_whole(image)
        ratios.append(times["first"] / times["bare"])
        row = "".join(f"{seconds:8.2f}s" for seconds in times.values())
        whole = times["whole"] / times["bare"]
        print(f"{number:4}  {row}    {ratios[-1]:10.2f}  {whole:10.2f}  {again} of {cells} cells")
    print("MiB   " + "".join(f"{measure_memory(name, options.threads, images[0]):9}" for name in ways))
    worst = max(ratios)
    print(f"worst first/bare {worst:.2f}, target at most {TARGET:.2f}: {'met' if worst <= TARGET else 'MISSED'}")


if __name__ == "__main__":
    main()
