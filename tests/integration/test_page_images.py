"""A page image goes to the model as a picture, through the same journal and budget as text."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.llm.budget import Limits
from extractor.llm.calls import BudgetReached, Image
from extractor.llm.session import open_live
from extractor.readers.llm.asking import Questioner
from extractor.readers.llm.pages import read_page
from extractor.settings import Price, Settings
from extractor.store.journal import Journal
from tests.loopback.answerers import QueuedAnswers
from tests.loopback.server import LoopbackServer, running_server

# One white pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
)
FORM = load_forms().generations["2021"]
REPLY = {
    "tables": [
        {"section": "二", "rows": [["1", "4", None, "?"], ["99", "1", "2", "3"]]},
        {"section": "四", "rows": [["1", "0", "1", "0", "0", "1"]]},
    ]
}


def ask(
    server: LoopbackServer, journal: Path, *, limits: Limits | None = None, image: bytes = PNG
) -> dict[str, object]:
    settings = Settings(
        model="m", base_url=server.base_url, journal=str(journal), prices={"m": Price(input=1.0, output=2.0)}
    )

    async def run() -> dict[str, object]:
        session = open_live(settings, limits or Limits(), Limits(), lambda _: None)
        try:
            return dict(await read_page(Questioner(session.asker, "d" * 64, settings), FORM, Image("image/png", image)))
        finally:
            await session.aclose()

    return asyncio.run(run())


def test_rows_of_all_tables_come_back_as_read(tmp_path: Path) -> None:
    with running_server(QueuedAnswers([REPLY])) as server:
        found = ask(server, tmp_path / "journal.sqlite")
        content = server.chats[0].body["messages"][1]["content"]
    assert found == {
        "proactive_disclosure": {"regulations": ("4", None, "?")},
        "review_litigation": {"review": ("0", "1", "0", "0", "1")},
    }
    picture = next(part for part in content if part["type"] == "image_url")
    assert picture["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def test_the_same_picture_is_paid_for_once_and_another_one_anew(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with running_server(QueuedAnswers([REPLY])) as server:
        ask(server, journal)
        ask(server, journal)
        assert len(server.chats) == 1
        ask(server, journal, image=PNG + b"\0")
        assert len(server.chats) == 2
    with Journal.open(str(journal)) as opened:
        spent = opened.spent()
    assert spent.calls == 2
    assert spent.cost_usd > 0


def test_a_picture_counts_by_its_size_before_it_is_sent(tmp_path: Path) -> None:
    """A pixel is within the limit, a page of A4 at 200 dots an inch is not."""
    limits = Limits(max_tokens=5000)
    page = PNG[:16] + (1654).to_bytes(4, "big") + (2339).to_bytes(4, "big") + PNG[24:]
    with running_server(QueuedAnswers([REPLY])) as server:
        with pytest.raises(BudgetReached):
            ask(server, tmp_path / "journal.sqlite", limits=limits, image=page)
        assert not server.chats
        ask(server, tmp_path / "journal.sqlite", limits=limits)
        assert len(server.chats) == 1


def test_limits_in_usd_need_a_price(tmp_path: Path) -> None:
    settings = Settings(model="unpriced", journal=str(tmp_path / "journal.sqlite"))
    with pytest.raises(SettingsError, match="unpriced"):
        open_live(settings, Limits(max_usd=1), Limits(), lambda _: None)
