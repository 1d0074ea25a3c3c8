"""Synthetic scans: always the same for a number, labels that check out, boxes that stand where the ink is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pymupdf
import pytest

from eval.corruption.clean import show_cell
from eval.scans.binding import bind_pdf, bind_picture
from eval.scans.boxes import Placed, count_boxes, draw_sample
from eval.scans.camera import Image
from eval.scans.damage import SEVERITIES, Recipe, Scanned, Sheet, draw_recipe, scan_page
from eval.scans.evaluate import list_accepted_wrong, summarise
from eval.scans.form import Inked
from eval.scans.generate import Scan, ValueBox, describe_boxes, make_scan, make_scans, write_scans
from eval.scans.labels import label_report
from eval.scans.peers import Word, put_in_rows
from eval.scans.profiles import draw_report
from eval.scans.results import Found, Result, evaluate_scans, judge_scan
from extractor.errors import EmptySource
from extractor.evaluation.check import check_labels
from extractor.evaluation.check_form import check_rows, check_values
from extractor.evaluation.check_sums import check_sums
from extractor.evaluation.label_file import LabelFile
from extractor.evaluation.labels import build_label, read_label
from extractor.model import CellState
from extractor.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ONE_WORKER = Settings(page_workers=1)


@pytest.fixture(scope="module")
def clean() -> tuple[Scan, ...]:
    return tuple(make_scans("clean", 5))


# ---------------------------------------------------------------- the same for a number


def test_a_number_gives_the_same_document_in_any_process() -> None:
    code = "from tests.unit.test_scan_generator import digest_scan; print(digest_scan())"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.split() == [digest_scan()]


def digest_scan() -> str:
    """Of all that is made for one number."""
    scan = make_scan("severe", 4)
    return hashlib.sha256(scan.raw + repr((scan.label, describe_boxes(scan))).encode()).hexdigest()


def test_numbers_give_different_documents(clean: tuple[Scan, ...]) -> None:
    assert len({scan.raw for scan in clean}) == len(clean)


def test_a_number_prints_the_same_report_at_every_severity(clean: tuple[Scan, ...]) -> None:
    mild = make_scan("mild", 2)
    assert mild.raw != clean[2].raw
    assert read_label(mild.label, "x").cells == read_label(clean[2].label, "x").cells


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="awful is none of clean, mild, medium, severe"):
        next(make_scans("awful", 1))


# ---------------------------------------------------------------- truth


def test_boxes_hold_the_drawn_values_by_the_text_layer(clean: tuple[Scan, ...]) -> None:
    for scan in clean:
        label = read_label(scan.label, scan.name)
        assert set(scan.boxes) == set(label.cells)
        with pymupdf.open(stream=scan.raw) as document:
            words = [page.get_text("words") for page in document]
        for name, place in scan.boxes.items():
            inside = [word for word in words[place.page - 1] if _is_middle_in(word[:4], place.cell)]
            assert "".join(word[4] for word in inside) == show_cell(label.cells[name]), name
            if place.ink is None:
                assert label.cells[name].state is CellState.BLANK
                continue
            (word,) = inside
            assert word[0] == pytest.approx(place.ink[0], abs=0.6)
            assert word[2] == pytest.approx(place.ink[2], abs=0.6)
            assert word[1] < place.ink[1] < place.ink[3] < word[3]


def _is_middle_in(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] < x < outer[2] and outer[1] < y < outer[3]


def test_labels_of_clean_documents_pass_the_checker(clean: tuple[Scan, ...], tmp_path: Path) -> None:
    assert write_scans(tmp_path, clean[:2]) == 2
    checked = list(check_labels([tmp_path / "labels"], ONE_WORKER))
    assert [(item.is_compared, item.slips) for item in checked] == [(True, ()), (True, ())]


def test_labels_hold_their_form_and_their_sums() -> None:
    slips = 0
    for number in range(60):
        label = label_report(draw_report(Random(number)), "x.pdf", "mild")
        file = LabelFile.model_validate(json.loads(json.dumps(label)))
        built = build_label(file, "x")
        assert not list(check_rows(file))
        assert not list(check_values(built))
        assert not list(check_sums(file, built))
        slips += bool(file.source_inconsistencies)
    assert 0 < slips < 12


def test_reports_hold_all_that_real_ones_do() -> None:
    reports = [draw_report(Random(number)) for number in range(150)]
    cells = [cell for report in reports for cell in report.cells.values()]
    printed = [show_cell(cell) for cell in cells]
    assert {report.profile for report in reports} == {"town", "district", "city"}
    assert {name for report in reports for name in report.generation.values()} == {"2021", "2019"}
    assert {cell.state for cell in cells} == {CellState.VALUE, CellState.BLANK, CellState.NA_MARK}
    assert any("." in text for text in printed)
    assert any("," in text for text in printed)
    assert any(text.isdigit() and len(text) == 7 for text in printed)


# ---------------------------------------------------------------- geometry


def _spots() -> list[tuple[float, float, float, float]]:
    return [(x, y, x + 9.0, y + 6.0) for x in (60.0, 300.0, 520.0) for y in (50.0, 400.0, 780.0)]


def _scan_spots(recipe: Recipe, zoom: float) -> Scanned:
    """A white page with black spots, scanned."""
    image = np.full((round(842 * zoom), round(595 * zoom), 3), 255, dtype=np.uint8)
    for left, top, right, bottom in _spots():
        image[round(top * zoom) : round(bottom * zoom), round(left * zoom) : round(right * zoom)] = 0
    return scan_page(Random(5), recipe, Sheet(image, None, (), 1.0, "某局", (), ()))


def _bare(recipe: Recipe) -> Recipe:
    """Its geometry alone."""
    kept = replace(recipe, ink=1.0, worn=0.0, light=1.0, shadow=1.0, paper=(255, 255, 255), other_side=0.0, blur=0.0)
    return replace(kept, noise=0.0, salt=0.0, speckles=0, quality=95, tones="gray", dpi=150)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_boxes_follow_the_ink_through_the_camera(severity: str, quarters: int) -> None:
    drawn = (draw_recipe(Random(seed), severity) for seed in range(40))
    recipe = next(item for item in drawn if item.is_photo is (severity == "severe"))
    scanned = _scan_spots(replace(_bare(recipe), quarters=quarters), 150 / 72)
    picture = _decode(scanned.data)
    assert picture.shape[1::-1] == scanned.size
    for spot in _spots():
        box = scanned.place(spot)
        left, top, right, bottom = (round(value) for value in box)
        around = picture[top - 12 : bottom + 12, left - 12 : right + 12] < 40
        ys, xs = np.nonzero(around)
        found = (xs.min() + left - 12, ys.min() + top - 12, xs.max() + left - 11, ys.max() + top - 11)
        assert found == pytest.approx(box, abs=2.5)


def _decode(raw: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(raw, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image  # type: ignore[return-value]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_viewers_show_the_page_of_a_pdf_as_the_boxes_say(turn: int) -> None:
    scanned = _scan_spots(_bare(draw_recipe(Random(0), "mild")), 150 / 72)
    bound = bind_pdf([scanned], turn, (), Random(0))
    with pymupdf.open(stream=bound.raw) as document:
        page = document[0]
        assert tuple(page.rect.br) == pytest.approx([side * bound.scale for side in scanned.size], abs=0.01)
        shown = _decode(page.get_pixmap(dpi=150).tobytes("png"))
    for spot in _spots():
        left, top, right, bottom = (value * bound.scale * 150 / 72 for value in scanned.place(spot))
        assert shown[round((top + bottom) / 2), round((left + right) / 2)] < 60
        assert shown[round(bottom + 8), round(right + 8)] > 200


def test_text_of_a_scanners_own_ocr_is_invisible_and_partly_wrong() -> None:
    scanned = _scan_spots(_bare(draw_recipe(Random(0), "mild")), 150 / 72)
    texts = [Inked(0, "1234567890", (60.0, 90.0 + 20 * n, 130.0, 100.0 + 20 * n)) for n in range(12)]
    plain, read = (bind_pdf([scanned], 0, hidden, Random(1)) for hidden in ((), [texts]))
    with pymupdf.open(stream=plain.raw) as document:
        pixels = document[0].get_pixmap().samples
    with pymupdf.open(stream=read.raw) as document:
        assert document[0].get_pixmap().samples == pixels
        lines = document[0].get_text().split()
    assert len(lines) == 12
    assert 0 < sum(line != "1234567890" for line in lines) < 12


def test_several_pages_of_a_picture_are_a_tiff() -> None:
    scanned = _scan_spots(_bare(draw_recipe(Random(0), "mild")), 150 / 72)
    bound = bind_picture([scanned, scanned])
    with pymupdf.open(stream=bound.raw) as document:
        assert (bound.ending, bound.scale, len(document)) == ("tiff", 1.0, 2)
    assert bind_picture([scanned]).raw == scanned.data


# ---------------------------------------------------------------- what becomes of them


def test_results_are_kept_as_they_were(clean: tuple[Scan, ...]) -> None:
    outcome = judge_scan(clean[0], EmptySource("x.pdf", "the file holds no text", "look at it"), None)
    result = Result(
        outcome=outcome,
        profile="city",
        pages=3,
        seconds=2.5,
        peak_mb=900,
        places={"a.b.c": Found(page=1, box=(1, 2, 3, 4))},
        turns=(0, 90),
        fingerprint="0",
    )
    assert Result.model_validate_json(result.model_dump_json()) == result
    assert {field.verdict for field in outcome.fields} == {"missing"}
    assert summarise("clean", [result], 1)["rates"]["documents_unread"][:2] == [1, 1]


def test_documents_are_read_once_and_judged(tmp_path: Path) -> None:
    done: list[int] = []
    first, again = (evaluate_scans("clean", [0], ONE_WORKER, tmp_path, lambda: done.append(1)) for _ in range(2))
    assert first == again
    assert len(done) == 2
    (result,) = first
    assert (result.outcome.status, result.outcome.problem, list_accepted_wrong(result)) == ("succeeded", "", [])
    assert result.places
    kept = next(tmp_path.glob("*.json"))
    kept.write_text(kept.read_text().replace(result.fingerprint, "another"))
    (later,) = evaluate_scans("clean", [0], ONE_WORKER, tmp_path, lambda: None)
    assert later.seconds != result.seconds


def test_a_box_holds_its_value_or_not() -> None:
    truth = ValueBox(2, (50.0, 20.0, 60.0, 30.0), (30.0, 10.0, 80.0, 40.0))
    good = Placed("d", "f", "12", Found(page=2, box=(49.0, 19.0, 61.0, 31.0)), truth)
    beside = good._replace(found=Found(page=2, box=(56.0, 20.0, 66.0, 30.0)))
    whole_page = good._replace(found=Found(page=2, box=(0.0, 0.0, 595.0, 842.0)))
    elsewhere = good._replace(found=Found(page=1, box=(49.0, 19.0, 61.0, 31.0)))
    nowhere = good._replace(found=None)
    counts = count_boxes([good, beside, whole_page, elsewhere, nowhere])
    assert list(counts.values()) == [(4, 5), (3, 4), (2, 4), (2, 4)]
    zeros = [good._replace(printed="0", field=str(n)) for n in range(9)]
    sample = draw_sample([good, nowhere, *zeros], 6, Random(0))
    assert [item.printed for item in sample] == ["12", "0", "0", "0", "0", "0"]


def test_words_are_put_into_rows() -> None:
    words = [Word("b", 90, 21, 6), Word("a", 10, 20, 6), Word("c", 10, 41, 6)]
    assert [row.text for row in put_in_rows(words)] == ["a\tb", "c"]
