"""Chinese numerals, and the years and days written with them.

Called by cells, and by the readers of header and narrative.
"""

from __future__ import annotations

_DIGITS = {char: digit for digit, chars in enumerate(("〇○零", "一", "二两", *"三四五六七八九")) for char in chars}
_UNITS = {"十": 10, "百": 100, "千": 1000}
# In dates, what stands for the round zero of 二〇二三; and old forms of 20, 30 and the first month.
_ZEROS = dict.fromkeys(map(ord, "O0Оo◯"), "〇")
_OLD_FORMS = {ord("廿"): "二十", ord("卅"): "三十", ord("元"): "一"}

#: A four-digit year in either kind of numerals; group-free.
YEAR = "(?:(?:19|20)\\d\\d|[一二][〇○零O0Оo◯一二三四五六七八九]{3})"


def read_numeral(text: str) -> int | None:
    """Read a Chinese numeral (二十三, 一百零五, 二〇, 一万二千); None when it is not one."""
    if all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text)) if text else None
    head, ten_thousand, tail = text.rpartition("万")
    if not ten_thousand:
        return _read_below_ten_thousand(text)
    high = _read_below_ten_thousand(head)
    low = _read_below_ten_thousand(tail) if tail else 0
    return None if high is None or low is None else high * 10_000 + low


def _read_below_ten_thousand(text: str) -> int | None:
    total, digit, last_unit = 0, 0, 10_000
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS and _UNITS[char] < last_unit:
            last_unit = _UNITS[char]
            total += (digit or 1) * last_unit
            digit = 0
        else:
            return None
    return total + digit if text else None


def parse_year(numeral: str) -> int:
    """2023 or 二○二三 -> 2023. The text must match YEAR."""
    return int(numeral) if numeral.isascii() and numeral.isdigit() else read_numeral(numeral.translate(_ZEROS)) or 0


def parse_small_numeral(numeral: str) -> int:
    """A day or a month: 16, 十六, 二十, 廿三, 三十一, 一〇 -> int; 0 where it is none."""
    if numeral.isascii() and numeral.isdigit():
        return int(numeral)
    return read_numeral(numeral.translate(_OLD_FORMS).translate(_ZEROS)) or 0
