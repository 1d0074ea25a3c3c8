"""Counts of items disclosed: which channel they belong to, or all channels together.

Lives here: the rule for items, which needs more than one clause. Called by narrative.
"""

from __future__ import annotations

import re

from extractor.readers.narrative_rules import ITEM_AFTER, ITEM_AROUND, ITEM_BEFORE
from extractor.readers.narrative_statement import Statement, Text, build_statement, named_object

_WEBSITE = re.compile("网站|门户网|官网")
_WECHAT = re.compile("微信|公众号")
_OTHER_CHANNEL = re.compile(
    "微博|抖音|视频号|头条|客户端|APP|QQ|新媒体|报纸|报刊|日报|电视|广播|LED|公示栏|宣传栏|公开栏|公告栏|短信|会议|公报"
)
# Names of channels that may be the website's own part; for a count over all channels, a limit.
_PLACE = re.compile("平台|系统|目录|专栏|栏目|互联网|网上|专区")
_ENUMERATION = re.compile(
    '(?:网站|门户网|官网|微信|公众号)[”"]?(?:平台)?[、和及与]|[、和及与](?:政务)?(?:微信|公众号|[^、和及与,]{0,12}网站)'
)
# Several are named and "等" says that these are not all: what is counted is then not one channel's.
_ALL_CHANNELS = re.compile(
    "[、和及][^、,。;\n]{1,24}等(?:多种|各种|各类|多个|多)?(?:渠道|方式|形式|媒介|平台|途径|载体|媒体)"
)
_ANY_CHANNEL = re.compile("|".join(p.pattern for p in (_WEBSITE, _WECHAT, _OTHER_CHANNEL, _PLACE)))
# 依申请公开, 更新公开 and the like are other things than what was disclosed this year.
_NOT_NEW = re.compile("(?:申请|不予|部分|予以|同意|更新|清理|删除|撤下|归集|梳理|整改|应|拟|未|没有|无|不|的)$")


def read_items(text: Text, match: re.Match[str], start: int, before: str, after: str) -> Statement | None:
    """A count of items belongs to the website, to WeChat, or to all channels, or it is left out."""
    found = ITEM_BEFORE.search(before) or ITEM_AROUND.search(before)
    behind = ITEM_AFTER.match(after)
    if not found or not (named_object(found) or behind) or _NOT_NEW.search(before, 0, found.start()):
        return None
    words = named_object(found) or named_object(behind)
    name = _name_channel(before[: found.start()])
    if not name and words:
        sentence = text.prose.text[text.prose.sentence_start(start) : start + found.start()]
        name = _name_total(sentence, found["verb"], words)
    return build_statement(name, match, start + found.start(), words) if name else None


def _name_channel(place: str) -> str | None:
    """The one channel that the clause names before its verb."""
    if _OTHER_CHANNEL.search(place) or _ENUMERATION.search(place):
        return None
    is_website, is_wechat = bool(_WEBSITE.search(place)), bool(_WECHAT.search(place))
    if is_website == is_wechat:
        return None
    return "website_items" if is_website else "wechat_items"


def _name_total(sentence: str, verb: str, words: str) -> str | None:
    """A count for all channels: disclosed (not only published), and no channel is named before it."""
    if not ("主动" in verb or "主动" in words or ("公开" in verb and "政府信息" in words)):
        return None
    if "申请" in sentence and "主动" not in verb:
        return None  # …办结申请113件,公开政府信息167项: on request
    channels = [match.end() for match in _ANY_CHANNEL.finditer(sentence)]
    every = [match.end() for match in _ALL_CHANNELS.finditer(sentence)]
    if channels and not (every and every[-1] >= channels[-1]):
        return None
    return "proactive_items_total"
