"""Web pages and Word files through their parsers, pictures read and all."""

from __future__ import annotations

from collections.abc import Callable

from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.blocks import Collected
from extractor.sources.html import collect_html
from extractor.sources.picture_text import PicturesUnderWay
from extractor.sources.word import collect_doc, collect_docx

Collect = Callable[[bytes, str, Settings], Collected]


def _parse(collect: Collect) -> Callable[..., Linear]:
    def parse(raw: bytes, path: str, settings: Settings | None = None) -> Linear:
        settings = settings or Settings()
        collected = collect(raw, path, settings)
        return collected.complete(PicturesUnderWay(collected.blocks, settings).wait())

    return parse


parse_html, parse_docx, parse_doc = map(_parse, (collect_html, collect_docx, collect_doc))
