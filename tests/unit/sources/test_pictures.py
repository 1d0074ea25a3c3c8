"""Which pictures of a web page are taken: those beside the page that may hold a table, and never another file."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import parse_html
from PIL import Image

from extractor.settings import Settings
from extractor.sources.pictures import (
    MISSING,
    MOST_PICTURES,
    NO_PICTURE,
    OUTSIDE,
    REMOTE,
    TOO_LARGE,
    TOO_MANY,
    PagePictures,
)

SETTINGS = Settings(max_source_mb=1)


def png(width: int = 400, height: int = 300, shade: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height), shade).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A saved page with pictures beside it, and one outside of its folder."""
    (tmp_path / "secret.png").write_bytes(png(shade=9))
    folder = tmp_path / "site"
    (folder / "report_files").mkdir(parents=True)
    (folder / "table.png").write_bytes(png())
    (folder / "icon.png").write_bytes(png(32, 32))
    (folder / "banner.png").write_bytes(png(900, 99))
    (folder / "report_files" / "表 格.png").write_bytes(png(shade=1))
    (folder / "page.png").write_bytes(b"<html><p>404</p></html>")
    (folder / "report.html").write_text("<p>x</p>")
    return folder / "report.html"


def shelf(page: Path | str) -> PagePictures:
    return PagePictures(str(page), SETTINGS)


def test_large_pictures_beside_the_page_are_taken(page: Path) -> None:
    own = shelf(page)
    found = own.find({"src": "table.png"})
    assert found is not None
    assert (found.name, found.is_large, found.raw) == ("table.png", True, png())
    below = own.find({"src": "./report_files/%E8%A1%A8%20%E6%A0%BC.png?v=3#top"})
    assert below is not None
    assert (below.name, below.raw) == ("report_files/表 格.png", png(shade=1))


def test_small_pictures_are_none(page: Path) -> None:
    assert shelf(page).find({"src": "icon.png"}) is None
    assert shelf(page).find({"src": "banner.png"}) is None
    assert shelf(page).find({"alt": "x"}) is None
    assert shelf(page).find({"src": " "}) is None


def test_the_same_picture_is_taken_once(page: Path) -> None:
    (page.parent / "copy.png").write_bytes(png())
    own = shelf(page)
    names = ["table.png", "table.png", "./table.png", "table.png?2", "report_files/../table.png", "copy.png"]
    assert [name for name in names if own.find({"src": name})] == ["table.png"]


def test_a_stand_in_for_a_picture_that_loads_late(page: Path) -> None:
    blank = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    found = shelf(page).find({"src": blank, "data-src": "table.png"})
    assert found is not None
    assert found.name == "table.png"
    late = shelf(page).find({"src": "icon.png", "data-original": "http://a.gov.cn/t.png", "width": "800"})
    assert late is not None
    assert (late.problem, late.is_large) == (REMOTE, True)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("../secret.png", OUTSIDE),
        ("report_files/../../secret.png", OUTSIDE),
        ("%2e%2e/secret.png", OUTSIDE),
        ("..%2fsecret.png", OUTSIDE),
        ("..\\secret.png", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("C:/secret.png", OUTSIDE),
        ("file:///etc/passwd", OUTSIDE),
        ("link.png", OUTSIDE),
        ("folder/secret.png", OUTSIDE),
        ("http://a.gov.cn/table.png", REMOTE),
        ("//a.gov.cn/table.png", REMOTE),
        ("https://[broken/table.png", REMOTE),
        ("none.png", MISSING),
        ("report_files", MISSING),
        ("pipe.png", MISSING),
        ("loop.png", MISSING),
        ("x" * 5000 + ".png", MISSING),
        ("page.png", NO_PICTURE),
        ("data:image/png;base64,AAAA", NO_PICTURE),
    ],
)
def test_what_is_out_of_reach_is_named(page: Path, address: str, problem: str) -> None:
    (page.parent / "link.png").symlink_to(page.parent.parent / "secret.png")
    (page.parent / "folder").symlink_to(page.parent.parent)
    (page.parent / "loop.png").symlink_to("loop.png")
    os.mkfifo(page.parent / "pipe.png")
    found = shelf(page).find({"src": address})
    assert found is not None
    assert (found.raw, found.problem) == (None, problem)
    assert len(found.name) <= 120


def test_the_secret_can_be_read_by_itself(page: Path) -> None:
    """So that the test above fails when a way out is left open."""
    found = PagePictures(str(page.parent.parent / "site" / ".." / "secret.png"), SETTINGS).find({"src": "secret.png"})
    assert found is not None
    assert found.raw == png(shade=9)


def test_bytes_that_are_no_file_have_no_pictures_beside_them(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(page.parent)
    found = shelf("elsewhere.html").find({"src": "table.png"})
    assert found is not None
    assert found.raw is None


def test_pictures_in_the_page_itself(page: Path) -> None:
    own = shelf(page)
    encoded = base64.b64encode(png(shade=7)).decode()
    found = own.find({"src": f"data:image/png;base64,{encoded}"})
    assert found is not None
    assert (found.name, found.raw) == ("data:1", png(shade=7))
    assert own.find({"src": "data:image/svg+xml;utf8,<svg/>"}) is None


def test_number_and_size_are_bounded(page: Path) -> None:
    own = shelf(page)
    for number in range(MOST_PICTURES + 1):
        (page.parent / f"{number}.png").write_bytes(png(shade=number))
    found = [own.find({"src": f"{number}.png"}) for number in range(MOST_PICTURES + 1)]
    assert [bool(item and item.raw) for item in found] == [True] * MOST_PICTURES + [False]
    assert found[-1] is not None
    assert found[-1].problem == TOO_MANY
    (page.parent / "huge.png").write_bytes(png() + bytes(1_000_000))
    huge = shelf(page).find({"src": "huge.png"})
    assert huge is not None
    assert (huge.raw, huge.problem, huge.is_large) == (None, TOO_LARGE, True)


@pytest.mark.parametrize(
    ("attributes", "is_large"),
    [
        ({"width": "640", "height": "480"}, True),
        ({"width": "640px"}, True),
        ({"style": "border:0; width: 640px;height:200.5px"}, True),
        ({"width": "100%"}, None),
        ({}, None),
    ],
)
def test_the_size_that_a_page_gives(page: Path, attributes: dict[str, str | None], is_large: bool | None) -> None:
    found = shelf(page).find({"src": "http://a.gov.cn/t.png", **attributes})
    assert found is not None
    assert found.is_large is is_large


@pytest.mark.parametrize("attributes", [{"width": "16"}, {"width": "640", "height": "40"}, {"style": "height:20px"}])
def test_an_icon_out_of_reach_is_none(page: Path, attributes: dict[str, str | None]) -> None:
    assert shelf(page).find({"src": "http://a.gov.cn/t.png", **attributes}) is None


@given(st.text(max_size=60) | st.sampled_from(["..", "/", "%2e%2e%2f", "~", "\\"]).flatmap(lambda x: st.just(x * 3)))
def test_no_address_leads_astray(address: str) -> None:
    found = PagePictures(__file__, SETTINGS).find({"src": address})
    assert found is None or found.raw is None


# ---------------------------------------------------------------- where a picture may hide a table

TABLE = "<table>" + "<tr><td>规章</td><td>1</td></tr><tr><td>行政规范性文件</td><td>2</td></tr>" + "</table>"
HEADINGS = (
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "六、其他需要报告的事项",
)


def flagged(*bodies: str) -> list[str]:
    """The pictures named for a report with these bodies under its headings."""
    html = "".join(f"<p>{heading}</p><div>{body}</div>" for heading, body in zip(HEADINGS, bodies, strict=True))
    linear = parse_html(f"<img src=http://h/top width=900 height=300>{html}".encode(), "nowhere.html", SETTINGS)
    assert linear.paper is None
    return [flag.message.en.split("(")[1].split(")")[0] for flag in linear.notices if flag.code == "picture-not-read"]


def test_a_picture_in_the_place_of_a_table_is_named() -> None:
    lost, large = "<img src=http://h/lost>", "<img src=http://h/large width=700>"
    assert flagged("", lost, TABLE, TABLE, "") == ["http://h/lost"]
    assert flagged("", TABLE, large, TABLE, "") == ["http://h/large"]
    assert flagged(lost + large, TABLE, TABLE, TABLE, large) == []
    assert flagged("", lost + TABLE, TABLE, TABLE, "") == []
    assert flagged("", "<img src=http://h/icon width=20>", TABLE, TABLE, "") == []
    assert flagged("", "".join(f"<img src=http://h/{n}>" for n in range(30)), TABLE, TABLE, "") == [
        f"http://h/{n}" for n in range(MOST_PICTURES)
    ]


def test_a_page_whose_headings_are_missing_too() -> None:
    page = (
        "<img src=http://h/top width=900><p>一、总体情况</p><img src=http://h/icon><img src=http://h/whole width=700>"
    )
    flags = parse_html(page.encode(), "nowhere.html", SETTINGS).notices
    assert [(flag.code, "http://h/whole" in flag.message.zh) for flag in flags] == [("picture-not-read", True)]
    only = parse_html(b"<img src=a.png width=700 height=900><img src=b.png>", "nowhere.html", SETTINGS)
    assert [flag.code for flag in only.notices] == ["picture-not-read"]


def test_pictures_out_of_reach_leave_the_text_alone() -> None:
    icon = "<img src=http://h/x>"
    table = "<table><tr><td>甲{0}</td><td>1</td></tr><tr><td>乙</td><td>{0}2<br>3</td></tr></table>"
    page = f"<p>电话{{0}}12345</p>{table}{{0}}<p>完</p>"
    with_pictures = parse_html(page.format(icon).encode(), "nowhere.html", SETTINGS)
    without = parse_html(page.format("").encode(), "nowhere.html", SETTINGS)
    assert (with_pictures.text, with_pictures.grids) == (without.text, without.grids)


def test_a_hidden_picture_is_not_shown(page: Path) -> None:
    html = "<p>一、总体情况</p><div style='display:none'><img src=http://h/a width=700></div>"
    html += "<p style='visibility:hidden'><img src=http://h/b width=700></p>"
    assert [flag.code for flag in parse_html(html.encode(), str(page), SETTINGS).notices] == []
