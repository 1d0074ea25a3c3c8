"""A store with three documents and the service on it: lost columns, a failed equation, and one full of hostile text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from extractor.forms import load_forms
from extractor.model import Origin, Record
from extractor.pipeline import process_document
from extractor.review.intake import file_record
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.store import Store
from extractor.web.app import create_app
from extractor.web.entrance import Entrance

_FIXTURES = Path(__file__).parents[3] / "fixtures"
LOST = "001_6bf7699e84e20962.txt"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}{% raw %}\u202e\ud800"


def build_report() -> str:
    """A web page in which one cell of 予以公开 is 8 where the sums want 6, with things in it that must never run."""
    section = load_forms().section("applications", "2021")
    assert section is not None
    values = {row.id: [0] * 7 for row in section.rows}
    values["new_received"] = [12, 3, 0, 0, 1, 0, 16]
    values["carried_in"] = [1, 0, 0, 0, 0, 0, 1]
    values["granted"] = [8, 2, 0, 0, 0, 0, 8]
    values["partially_granted"] = [2, 0, 0, 0, 1, 0, 3]
    values["unable.not_held"] = [3, 1, 0, 0, 0, 0, 4]
    values["results_total"] = [11, 3, 0, 0, 1, 0, 15]
    values["carried_out"] = [2, 0, 0, 0, 0, 0, 2]
    head = "".join(f"<td>{column.labels[0]}</td>" for column in section.columns)
    rows = "".join(
        f"<tr><td>{row.labels[0]}</td>" + "".join(f"<td>{value}</td>" for value in values[row.id]) + "</tr>"
        for row in section.rows
    )
    return (
        "<html><head><title>某市水务局2023年政府信息公开工作年度报告</title><script>alert(1)</script>"
        "<style>body{background:url(http://elsewhere.example/x)}</style></head>"
        "<body onload=alert(2)><h1>某市水务局2023年政府信息公开工作年度报告</h1>"
        '<p style="position:fixed" onclick="alert(3)">一、总体情况</p><img src="http://elsewhere.example/p.png">'
        '<a href="javascript:alert(4)">链接</a><iframe srcdoc="<script>alert(5)</script>"></iframe>'
        '<form action="http://elsewhere.example/"><input name="x"></form><meta http-equiv="refresh" content="0">'
        f"<p>三、收到和处理政府信息公开申请情况</p><table><tr><td></td>{head}</tr>{rows}</table></body></html>"
    )


def _fill(store: Store, settings: Settings) -> None:
    lost = (_FIXTURES / LOST).read_bytes()
    _file(store, settings, lost, LOST, "https://agency.example/1.html")
    _file(store, settings, build_report().encode(), "sums.html", "https://agency.example/2.html")
    spoiled = (_FIXTURES / LOST).read_bytes() + b"\n"
    _file(store, settings, spoiled, f"{HOSTILE[:60]}.txt", "javascript:alert(6)", spoil=True)


def _file(store: Store, settings: Settings, raw: bytes, name: str, url: str, *, spoil: bool = False) -> None:
    document = read_document(raw, name, settings)
    record = process_document(document, [Origin(name, url=url, site="agency.example")])
    if spoil:
        record = _spoil(record)
    with store.write() as books:
        file_record(
            books,
            record=record,
            text=document.text.replace("一、总体情况", "<script>alert(7)</script>"),
            pages=(),
            raw=document.raw,
            name=name,
            media_type=document.media_type,
            made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            settings=settings,
        )


def _spoil(record: Record) -> Record:
    """Every text of the record that comes from a file, replaced by one that would run where it is not escaped."""
    hostile = HOSTILE.replace("\ud800", "")
    fields = {}
    for name, item in record.fields.items():
        value = hostile if isinstance(item.value, str) else item.value
        candidates = tuple(replace(other, raw=hostile) if other.raw else other for other in item.candidates)
        raw = hostile if item.raw else item.raw
        fields[name] = replace(item, value=value, raw=raw, candidates=candidates)
    flags = tuple(replace(flag, message=replace(flag.message, zh=hostile, en=hostile)) for flag in record.flags)
    return record.model_copy(update={"fields": fields, "flags": flags})


@pytest.fixture
def settings() -> Settings:
    return Settings(requests_per_account=100_000)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "store.sqlite"
    store = Store.open(str(path))
    _fill(store, Settings())
    store.close()
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Store]:
    copy = tmp_path / "store.sqlite"
    copy.write_bytes(filled.read_bytes())
    opened = Store.open(str(copy))
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store, settings: Settings) -> Iterator[TestClient]:
    app = create_app(store, settings, Entrance.open("testserver"))
    headers = {"Accept": "text/html", "Accept-Language": "zh-CN"}
    with TestClient(app, headers=headers, follow_redirects=False) as opened:
        yield opened
