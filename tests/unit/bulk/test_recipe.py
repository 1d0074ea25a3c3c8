"""The keys of a run: whatever decides what comes out makes another one, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.plan import Entry
from extractor.bulk.recipe import _OPERATIONAL, Recipe, sign
from extractor.confidence.standing import Standing
from extractor.model import Origin
from extractor.settings import Settings

ENTRY = Entry(3, "d" * 64, "a.txt", (Origin("a.txt"), Origin("b.txt", url="http://x")))
RECIPE = Recipe(
    settings=Settings(),
    policy="template",
    certificate=None,
    signature="0" * 64,
    ledger="ledger.sqlite",
    store=None,
    run_id="r",
    chances=None,
    makes_files=True,
)
OTHER_ENTRIES = {
    "other bytes": ENTRY._replace(document_id="e" * 64),
    "bytes that nobody could read": ENTRY._replace(document_id=None),
    "another path": ENTRY._replace(path="c.txt"),
    "one place less": ENTRY._replace(origins=ENTRY.origins[:1]),
    "another order of places": ENTRY._replace(origins=ENTRY.origins[::-1]),
    "another url": ENTRY._replace(origins=(Origin("a.txt"), Origin("b.txt", url="http://y"))),
    "another site": ENTRY._replace(origins=(Origin("a.txt", site="s"), ENTRY.origins[1])),
    "another time": ENTRY._replace(origins=(Origin("a.txt", fetched_at="t"), ENTRY.origins[1])),
}
OTHER_RECIPES: dict[str, dict[str, Any]] = {
    "another way to read": {"signature": "1" * 64},
    "no files": {"makes_files": False},
    "into a store": {"store": "store.sqlite", "ledger": None},
}
DECIDING: dict[str, Any] = {"model": "m", "temperature": 0.7, "vision": True, "audit_salt": "s", "max_source_mb": 3}
FAST: dict[str, Any] = {"concurrency": 3, "page_workers": 7, "call_timeout_s": 9.0, "api_key": "k", "journal": "j.db"}


def sign_with(given: dict[str, Any] | None = None, **changes: Any) -> str:
    arguments = {"policy": "both", "standing": Standing(), "parts": {"model": "m"}} | changes
    return sign(Settings(**(given or {})), **arguments)


@pytest.mark.parametrize("entry", OTHER_ENTRIES.values(), ids=OTHER_ENTRIES)
def test_another_document_has_another_key(entry: Entry) -> None:
    assert RECIPE.key(entry) != RECIPE.key(ENTRY)


@pytest.mark.parametrize("changes", OTHER_RECIPES.values(), ids=OTHER_RECIPES)
def test_another_recipe_has_another_key(changes: dict[str, Any]) -> None:
    assert replace(RECIPE, **changes).key(ENTRY) != RECIPE.key(ENTRY)


def test_neither_its_place_in_the_run_nor_the_run_is_part_of_a_key() -> None:
    """More documents in front of it, another start, another folder."""
    other = replace(RECIPE, run_id="s", ledger="elsewhere.sqlite")
    assert other.key(ENTRY._replace(position=9, where="in/a.txt")) == RECIPE.key(ENTRY)


@pytest.mark.parametrize("name", DECIDING)
def test_a_setting_that_decides_is_signed(name: str) -> None:
    assert sign_with({name: DECIDING[name]}) != sign_with()


@pytest.mark.parametrize("name", FAST)
def test_a_setting_that_does_not_decide_is_not_signed(name: str) -> None:
    assert sign_with({name: FAST[name]}) == sign_with()


def test_policy_certificate_and_the_models_part_are_signed() -> None:
    standing = Standing(Path("c.json"), "a" * 64, None, ("no",))
    signed = [
        sign_with(),
        sign_with(policy="llm"),
        sign_with(standing=standing),
        sign_with(standing=replace(standing, sha256="b" * 64)),
        sign_with(parts={"model": "n"}),
    ]
    assert len(set(signed)) == len(signed)


def test_a_signature_shows_no_secret() -> None:
    assert "pepper" not in sign_with({"audit_salt": "pepper"})


def test_all_settings_that_do_not_decide_exist() -> None:
    """One that was renamed would decide from then on."""
    assert set(Settings.model_fields) >= _OPERATIONAL
