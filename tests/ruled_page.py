"""A small ruled page with all that makes scans hard: blanks, a stamp, a scribble, a vertical label. Only for tests.

What is printed where is known from drawing it. It is synthetic, and no measure of how well anything reads.
"""

from __future__ import annotations

import cv2
import numpy as np
import pymupdf

#: Pixels per point.
SCALE = 200 / 72
WIDTH, HEIGHT = 430, 300
COLUMNS = [30, 60, 150, 190, 230, 270, 310, 350, 400]
ROWS = [70, 100, 130, 160, 190, 220, 250]
LABELS = ["自然人", "商业企业", "科研机构", "社会公益", "法律服务", "其他"]
NUMBERS = [
    ["12", "0", "7", "0", "0", "0"],
    ["0", "0", "", "0", "531", "0"],
    ["4", "0", "0", "1", "0", "0"],
    ["168", "0", "0", "0", "", "20"],
    ["0", "35", "0", "9", "0", "0"],
    ["1", "0", "0", "", "0", "46"],
]
VERTICAL = "办理结果情况"
#: Row and column of the cell with a scribble, of the empty cell and the cell with a number that lie under a stamp.
SCRIBBLE, STAMPED_BLANK, STAMPED_NUMBER = (5, 5), (1, 4), (1, 6)


def draw_page(blur: float = 0.8, noise: float = 7.0, seed: int = 4) -> np.ndarray:
    """The page as a scanner hands it over: shape (height, width, 3), BGR."""
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=HEIGHT)
    page.insert_text((60, 40), "三、收到和处理政府信息公开申请情况共2035件", fontname="china-s", fontsize=14)
    for x in COLUMNS:
        page.draw_line((x, ROWS[0]), (x, ROWS[-1]), width=0.7)
    for y in ROWS:
        page.draw_line((COLUMNS[0] if y in (ROWS[0], ROWS[-1]) else COLUMNS[1], y), (COLUMNS[-1], y), width=0.7)
    for number, sign in enumerate(VERTICAL):
        page.insert_text((39, 105 + 22 * number), sign, fontname="china-s", fontsize=12)
    for row, (label, numbers) in enumerate(zip(LABELS, NUMBERS, strict=True)):
        page.insert_text((70, ROWS[row] + 19), label, fontname="china-s", fontsize=11)
        for column, number in enumerate(numbers, start=2):
            middle = (COLUMNS[column] + COLUMNS[column + 1]) / 2
            page.insert_text((middle - 3 * len(number), ROWS[row] + 19), number, fontname="helv", fontsize=11)
    page.insert_text((60, 280), "注：本表由某某县民政局填报。", fontname="china-s", fontsize=11)
    pixels = page.get_pixmap(dpi=200)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w, 3)[:, :, ::-1]
    soft = cv2.GaussianBlur(stamp(scribble(image.copy())), (0, 0), blur).astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, noise, image.shape[:2])[..., None]
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def scribble(image: np.ndarray) -> np.ndarray:
    """Ink in an empty cell that is no character."""
    row, column = SCRIBBLE
    x, y = round((COLUMNS[column] + 12) * SCALE), round((ROWS[row] + 8) * SCALE)
    rng = np.random.default_rng(3)
    points = np.column_stack([x + rng.integers(0, 42, 14), y + rng.integers(0, 38, 14)])
    return cv2.polylines(image, [points.astype(np.int32)], isClosed=False, color=(20, 20, 20), thickness=3)


def stamp(image: np.ndarray) -> np.ndarray:
    """A red ring with a star over the cells (0 to 2, 4 and 5); it hides nothing."""
    layer = np.full_like(image, 255)
    centre = round(270 * SCALE), round(115 * SCALE)
    cv2.circle(layer, centre, round(45 * SCALE), (70, 60, 220), 9)
    cv2.putText(layer, "*", (centre[0] - 40, centre[1] + 60), cv2.FONT_HERSHEY_SIMPLEX, 4, (70, 60, 220), 12)
    return (image.astype(np.float32) * layer / 255).astype(np.uint8)
