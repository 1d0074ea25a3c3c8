"""Where to ask: phone, address and website as a report states them.

Called by header.
"""

from __future__ import annotations

import re

from extractor.readers.prose import Prose, find_words

_PHONE = re.compile(
    r"电话(?:号码)?(?:[/、及兼]?\(?(?:传真|号码)\)?)?[:为是]{0,2}"
    r"(?P<phone>\(?0\d{2,3}\)?[-—–―─~ ]{0,3}\d{7,8}(?:[-—]\d{1,5})?|400-?\d{3}-?\d{4}|1\d{10}|[2-9]\d{6,7})(?!\d)"
)
_OTHER_PHONE = re.compile(r"(?:监督|举报|投诉|热线|技术|客服|报警)(?:举报|投诉|联系|咨询|服务|支持)?$")
_ADDRESS = re.compile(
    r"地址[:为是]{1,2}(?P<address>(?:\([^()。\n]{1,40}\)|[^,;:。()\n]){3,80}?)"
    r"(?=[,;。)\n]|$|[、 ]?(?:邮编|邮政|电话|联系|传真|办公时间|办公电话|咨询|电子|E-?mail))"
)
_OTHER_ADDRESS = re.compile(r"(?:网站|网|邮箱|邮件|电子|下载|链接|IP|查阅|信箱)$")
_URL = re.compile(
    r"(?:https?://|www\.)[A-Za-z0-9./_%?=&#~:+-]+|(?<![\w.@-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.gov\.cn(?:/[\w./%-]*)?"
)
# A site is named because the report can be had there; other links belong to the page.
_SITE_CUE = re.compile("网站|网址|门户|电子版|查阅|登录|下载|专栏|公布")
_PAGE_LINK = re.compile("(?:原文|链接|来源|页面|目录|附件|邮箱)[^,。;()\n]{0,6}$")
_ASKS = re.compile("疑问|请与|联系|咨询|意见")


def find_contacts(prose: Prose) -> dict[str, list[tuple[int, int]]]:
    """Intervals of phone, address and website, by the name of their fact."""
    found: dict[str, list[tuple[int, int]]] = {}
    text = prose.text

    def keep(name: str, start: int, end: int) -> None:
        found.setdefault(name, []).append(prose.locate(start, end))

    for position in find_words(text, ("电话",)):
        match = _PHONE.match(text, position, position + 60)
        if match and not _OTHER_PHONE.search(text[max(0, position - 6) : position]) and _asks_before(text, position):
            keep("contact_phone", *match.span("phone"))
    for position in find_words(text, ("地址",)):
        match = _ADDRESS.match(text, position, position + 120)
        if not match or _OTHER_ADDRESS.search(text[max(0, position - 4) : position]):
            continue
        if _is_place(match["address"]) and _asks_before(text, position):
            keep("contact_address", *match.span("address"))
    for position in sorted({*find_words(text, ("http://", "https://", "www.", ".gov.cn"))}):
        start, end = _url_around(text, position)
        if (
            start < end
            and _SITE_CUE.search(text[max(0, start - 60) : start])
            and not _PAGE_LINK.search(text[max(0, start - 20) : start])
        ):
            keep("website", start, end)
    return {name: list(dict.fromkeys(intervals)) for name, intervals in found.items()}


def _asks_before(text: str, position: int) -> bool:
    """Whether the text invites questions here: a number in a page's foot is the site's."""
    return bool(_ASKS.search(text, max(0, position - 150), position))


def _is_place(address: str) -> bool:
    return "@" not in address and "www" not in address and "http" not in address


def _url_around(text: str, position: int) -> tuple[int, int]:
    """The address that covers `position`; the search may begin inside it (www. behind http://)."""
    low = max(0, position - 60)
    for match in _URL.finditer(text, low, min(len(text), position + 200)):
        if match.start() <= position < match.end():
            printed = match.group().rstrip("./:-?&")
            return match.start(), match.start() + len(printed)
    return position, position
