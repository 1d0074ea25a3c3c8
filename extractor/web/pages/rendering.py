"""Templates -> HTML answers, in the visitor's language and theme.

Lives here: the Jinja environment, addresses of static files, what every page is given. Does not live here: what a
page shows. Called by every module of this package.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined

from extractor.web.pages.drawing import draw_cell
from extractor.web.pages.telling import name_sum
from extractor.web.pages.words import LANGUAGES, Words
from extractor.web.visitors import find_visitor, token_for_forms

_THEMES = ("auto", "light", "dark")
_YEAR_S = 365 * 24 * 3600
_SWITCHES = ("lang", "theme")
# What a reader of a page must not be fooled by: controls, invisible and direction-turning characters. A scraped file
# may also hold halves of characters, which cannot be sent at all.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
#: A page that is swapped into another one is asked for with this header.
FRAGMENT_HEADER = "X-Fragment"


class Look(NamedTuple):
    """How a page looks to its visitor. `theme`: `auto` follows the system."""

    words: Words
    theme: str


def choose_look(request: Request) -> Look:
    """Language and theme: as just switched, as switched before, as the browser says, else Chinese."""
    lang = request.query_params.get("lang") or request.cookies.get("lang") or ""
    if lang not in LANGUAGES:
        first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
        lang = "en" if first.startswith("en") else "zh"
    theme = request.query_params.get("theme") or request.cookies.get("theme") or "auto"
    return Look(Words.of(lang), theme if theme in _THEMES else "auto")


def render_page(request: Request, name: str, /, *, status: int = 200, **context: object) -> HTMLResponse:
    """One page, or only its inside where a script asks for that."""
    look = choose_look(request)
    visitor = find_visitor(request)
    inside = request.headers.get(FRAGMENT_HEADER) == "main"
    body = (
        _environment()
        .get_template(name)
        .render(
            t=look.words,
            lang=look.words.lang,
            theme=look.theme,
            visitor=visitor,
            csrf=token_for_forms(request),
            base="inside.html" if inside else "base.html",
            here=_here(request),
            **context,
        )
    )
    answer = HTMLResponse(clean_text(body), status_code=status)
    _remember_switches(request, answer)
    return answer


def render_part(request: Request, name: str, /, **context: object) -> str:
    """A piece of a page, for a script that puts it in place."""
    look = choose_look(request)
    body = (
        _environment()
        .get_template(name)
        .render(t=look.words, lang=look.words.lang, csrf=token_for_forms(request), **context)
    )
    return clean_text(body)


def clean_text(text: str) -> str:
    """Text in which every character can be seen; as many characters as before."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def link_to(path: str, **query: object) -> str:
    """An address with those of the parameters that say something."""
    said = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(said)}" if said else path


def safe_link(address: str | None) -> str | None:
    """A document's address where a click on it can only open a web page; else None."""
    if not address:
        return None
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    return address.strip() if parts.scheme.lower() in ("http", "https") and parts.netloc else None


def _here(request: Request) -> str:
    """This page's address, ready for one more parameter. One slash at its beginning: `//name` would be another site."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in _SWITCHES]
    path = f"/{quote(request.url.path.lstrip('/'))}" if request.method == "GET" else "/queue"
    return f"{path}?{urlencode(query)}&" if query else f"{path}?"


def _remember_switches(request: Request, answer: HTMLResponse) -> None:
    allowed = {"lang": LANGUAGES, "theme": _THEMES}
    for name in _SWITCHES:
        chosen = request.query_params.get(name)
        if chosen in allowed[name]:
            answer.set_cookie(name, chosen, max_age=_YEAR_S, samesite="lax", secure=request.url.scheme == "https")


@cache
def _environment() -> Environment:
    folder = resources.files("extractor.web").joinpath("html")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Any] = {"moment": _show_moment, "day": _show_day, "last_part": _last_part}
    environment.filters.update(filters)
    functions: Mapping[str, Any] = {"asset": locate_asset, "draw_cell": draw_cell, "name_sum": name_sum}
    environment.globals.update(functions, link_to=link_to, safe_link=safe_link)
    return environment


@cache
def locate_asset(name: str) -> str:
    """Address of a static file; another content is another address, so that browsers may keep it for good."""
    content = resources.files("extractor.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _show_moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _last_part(name: str) -> str:
    """The file of a path; the folders say nothing to a reviewer."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name


def _show_day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""
