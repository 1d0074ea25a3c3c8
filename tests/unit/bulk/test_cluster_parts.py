"""What travels to a cluster's workers, and how calls in flight are divided. The whole: tests/integration."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.bulk.cluster.order import (
    OWN_SETTINGS,
    pick_settings,
    refuse_difference,
    strip_password,
    take_fingerprint,
    take_versions,
)
from extractor.bulk.cluster.pictures import collect_pictures, lay_out
from extractor.bulk.cluster.shares import Shares
from extractor.errors import SettingsError
from extractor.settings import Settings

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


# ---------------------------------------------------------------- calls in flight


@given(st.integers(1, 100), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_shares_are_never_more_than_there_is_and_none_lies_idle(most: int, steps: list[int]) -> None:
    """A step of 0 ends the oldest chunk, another one begins a chunk while so many could."""
    shares, held = Shares(most), list[int]()
    for step in steps:
        if step == 0:
            if held:
                shares.give_back(held.pop(0))
            continue
        share = shares.take(step)
        assert (share is None) == (sum(held) == most)
        if share is not None:
            held.append(share)
            assert share >= 1
        assert sum(held) <= most


@pytest.mark.parametrize(
    ("most", "slots", "expected"), [(10, 3, [4, 3, 3]), (2, 4, [1, 1, None, None]), (8, 2, [4, 4])]
)
def test_shares_of_chunks_that_begin_together_are_even(most: int, slots: int, expected: list[int | None]) -> None:
    shares = Shares(most)
    assert [shares.take(slots - number) for number in range(slots)] == expected


# ---------------------------------------------------------------- settings


def test_no_secret_and_no_place_on_a_disk_travels() -> None:
    secrets = {"api_key": "sk-1", "audit_salt": "pepper", "store": "postgresql://u:hidden@h/d"}
    settings = Settings(**secrets, prompts_dir="/home/prompts", soffice="/opt/soffice", model="m")  # type: ignore[arg-type]
    travelling = pick_settings(settings)
    told = repr(travelling)
    assert not any(secret in told for secret in ("sk-1", "pepper", "hidden", "/home/prompts", "/opt/soffice"))
    assert travelling["model"] == "m"
    assert set(travelling) == set(Settings.model_fields) - OWN_SETTINGS


@pytest.mark.parametrize(
    ("address", "stripped"),
    [
        ("postgresql://u:p%40ss@host:5433/d", "postgresql://u@host:5433/d"),
        ("postgresql://postgres:@/postgres?host=/run/pg", "postgresql://postgres@/postgres?host=%2Frun%2Fpg"),
        ("postgresql://u@host/d?password=x&sslmode=require", "postgresql://u@host/d?sslmode=require"),
        ("postgresql://host/d?options=-csearch_path%3Ds", "postgresql://host/d?options=-csearch_path%3Ds"),
    ],
)
def test_addresses_travel_without_their_password(address: str, stripped: str) -> None:
    assert strip_password(address, "store") == stripped


@pytest.mark.parametrize("address", ["store.sqlite", "sqlite:///store.sqlite", ":memory:"])
def test_a_file_is_no_address_for_another_machine(address: str) -> None:
    with pytest.raises(SettingsError, match=r"journal: .* is a file.*needs a postgresql:// journal"):
        strip_password(address, "journal")


# ---------------------------------------------------------------- the same program on both sides


def test_another_version_is_refused_by_its_name() -> None:
    here = take_versions()
    refuse_difference(here, dict(here), "node7")
    name = next(name for name in here if name != "python")
    with pytest.raises(SettingsError, match=rf"worker node7 is not as this program \({name}: \S+ here, 0 there\)"):
        refuse_difference(here, here | {name: "0"}, "node7")
    with pytest.raises(SettingsError, match=r"new: none here, 1 there"):
        refuse_difference(here, here | {"new": "1"}, "node7")


def test_other_prompts_are_noticed_and_a_salt_without_telling_it(tmp_path: Path) -> None:
    one, other = Settings(audit_salt="a"), Settings(audit_salt="b")  # type: ignore[arg-type]
    ours = take_fingerprint(one, "auto", "m", "nonce")
    assert ours == take_fingerprint(Settings(audit_salt="a", page_workers=3), "auto", "m", "nonce")  # type: ignore[arg-type]
    assert ours["audit_salt"] != take_fingerprint(one, "auto", "m", "another nonce")["audit_salt"]
    with pytest.raises(SettingsError, match="worker n: EXTRACTOR_AUDIT_SALT is not that of the driver"):
        refuse_difference(ours, take_fingerprint(other, "auto", "m", "nonce"), "n")
    prompts = next(path for path in (Path(__file__).parents[3] / "prompts").iterdir() if path.suffix)
    (tmp_path / prompts.name).write_text(prompts.read_text(encoding="utf-8") + "\nOne more rule.\n", encoding="utf-8")
    theirs = take_fingerprint(one.model_copy(update={"prompts_dir": tmp_path}), "auto", "m", "nonce")
    assert [name for name in ours if ours[name] != theirs[name]] == [f"prompt {prompts.stem}"]


def test_the_rules_alone_need_no_prompts() -> None:
    assert list(take_fingerprint(Settings(), "template", None, "n")) == ["audit_salt"]


# ---------------------------------------------------------------- pictures beside a page


def test_pictures_beside_a_page_travel_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "img").mkdir(parents=True)
    for name in ("img/表 1.png", "late.png", "unnamed.png"):
        (folder / name).write_bytes(PICTURE + name.encode())
    (tmp_path / "outside.png").write_bytes(PICTURE)
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    page = folder / "page.html"
    page.write_text(
        "<img src='img/%E8%A1%A8%201.png?v=2' width=9><IMG data-src=late.png src='blank.gif'>"
        "<img src=../outside.png><img src=link.png><img src='/etc/hostname'><img src='http://h/unnamed.png'>",
        encoding="utf-8",
    )
    found = collect_pictures(page.read_bytes(), str(page), 10_000)
    assert found == {name: PICTURE + name.encode() for name in ("img/表 1.png", "late.png")}
    where = Path(lay_out(tmp_path, 5, page.read_bytes(), found))
    assert where.read_bytes() == page.read_bytes()
    assert {path.relative_to(where.parent).as_posix() for path in where.parent.rglob("*.png")} == set(found)


def test_pictures_are_no_more_than_a_source_may_be_and_archives_have_none(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"<img src=a.png><img src=b.png>")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(PICTURE)
    assert list(collect_pictures(page.read_bytes(), str(page), len(PICTURE) + 1)) == ["a.png"]
    assert collect_pictures(page.read_bytes(), "", 10_000) == {}
    assert collect_pictures(b"no pictures", str(page), 10_000) == {}
