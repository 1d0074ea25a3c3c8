"""A document a line, as crawlers and data sets write it."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.plan import open_plan
from extractor.errors import SourceError
from extractor.model import Origin
from extractor.settings import Settings
from tests.unit.bulk.archives import planned, read_all, tell_problem

PAGE = "<p>年度报告 \u2003</p>\n"


def _write(path: Path, *lines: dict[str, Any] | str, end: str = "\n") -> Path:
    texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    raw = "".join(f"{text}{end}" for text in texts).encode("utf-8", "surrogatepass")
    path.write_bytes(gzip.compress(raw) if path.suffix.lower() == ".gz" else raw)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "A.NDJSON.GZ"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_each_line_is_a_document_under_its_number(tmp_path: Path, name: str, end: str) -> None:
    path = _write(tmp_path / name, {"html": PAGE}, {"text": "二"}, {"path": "b/三.html", "content": "三"}, end=end)
    step = 2 if end == "\n\n" else 1
    assert read_all(path) == {
        f"{name}#1": PAGE.encode(),
        f"{name}#{1 + step}": "二".encode(),
        f"{name}#{1 + 2 * step}!/b/三.html": "三".encode(),
    }


def test_a_name_is_shown_so_that_it_can_be_kept(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", {"text": "1", "path": "a\x1b[2J/\n"}, '{"text": "2", "path": "\\ud800.html"}')
    assert list(read_all(path)) == [r"a.jsonl#1!/a\x1b[2J/\x0a", r"a.jsonl#2!/\xed\xa0\x80.html"]


def test_a_byte_order_mark_and_a_last_line_without_end_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "1"}\n{"text": "2"}')
    assert read_all(tmp_path / "a.jsonl") == {"a.jsonl#1": b"1", "a.jsonl#2": b"2"}


@pytest.mark.parametrize(
    ("fields", "raw"),
    [
        ({"html": "<p>1</p>", "text": "1"}, b"<p>1</p>"),
        ({"html": None, "raw_html": " ", "text": "1"}, b"1"),
        ({"rawHtml": "<p>", "markdown": "#"}, b"<p>"),
        ({"title": "x", "markdown": "# 1", "text": "1"}, b"# 1"),
        ({"body": "<p>"}, b"<p>"),
        ({"content_base64": base64.b64encode(b"%PDF\x00").decode()}, b"%PDF\x00"),
        ({"httpResponseBody": base64.b64encode(b"\xb9\xfa").decode()}, b"\xb9\xfa"),
    ],
)
def test_usual_keys_are_understood_and_the_source_comes_before_what_was_made_of_it(
    tmp_path: Path, fields: dict[str, Any], raw: bytes
) -> None:
    assert read_all(_write(tmp_path / "a.jsonl", fields)) == {"a.jsonl#1": raw}


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://a", "site": "某市", "fetched_at": "2024-01-31"},
        {"source_url": "http://a", "domain": "某市", "timestamp": "2024-01-31"},
    ],
)
def test_a_line_says_where_it_came_from(tmp_path: Path, fields: dict[str, str]) -> None:
    path = _write(tmp_path / "a.jsonl", {"text": "1", **fields}, {"text": "2"}, {"text": "1", "url": "http://b"})
    with planned(path) as plan:
        one, two = plan.entries()
        assert one.origins == (Origin(f"{path}#1", "http://a", "某市", "2024-01-31"), Origin(f"{path}#3", "http://b"))
        assert two.origins == (Origin(f"{path}#2"),)


def test_half_characters_beside_a_document_do_no_harm(tmp_path: Path) -> None:
    line = '{"text": "1", "url": "http://\\ud800", "site": "\\udcff"}'
    path = _write(tmp_path / "a.jsonl", line, '{"file": "\\ud800.html"}')
    with planned(path) as plan:
        one, two = plan.entries()
        assert one.origins == (Origin(f"{path}#1", r"http://\xed\xa0\x80", r"\xed\xb3\xbf"),)
        with pytest.raises(SourceError, match="No such file"):
            plan.read(two)


def test_a_row_of_the_manifest_for_a_line_comes_before_its_own_word(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "a.jsonl", {"text": "1", "path": "1.html"}, {"text": "2", "url": "http://2"}, {"text": "3"}
    )
    manifest = tmp_path / "sources.csv"
    manifest.write_text("path,url\na.jsonl#1,http://m1\na.jsonl,http://m\n")
    with open_plan([str(path)], manifest, settings=Settings(), on_progress=lambda progress: None) as plan:
        assert [entry.origins[0].url for entry in plan.entries()] == ["http://m1", "http://2", "http://m"]
        assert plan.unmatched == 0


def test_a_line_names_a_file_beside_it_or_below_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "1.html").write_text(PAGE)
    (tmp_path / "secret.html").write_text("of this machine")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    names = ("1.html", "../secret.html", str(tmp_path / "secret.html"), "link.html", "none.html", "a\0b", ".", "deep")
    path = _write(folder / "a.jsonl", *({"file": name} for name in names))
    found = read_all(path)
    assert found.pop("a.jsonl#1") == PAGE.encode()
    problems = [tell_problem(error) for error in found.values()]
    outside = "UnreadableSource: its file {!r} does not lie beside the lines, or below"
    assert problems == [
        *(outside.format(name) for name in names[1:4]),
        "UnreadableSource: No such file or directory",
        *(outside.format(name) for name in names[5:7]),
        "UnreadableSource: Is a directory",
    ]
    with planned(path) as plan:
        assert next(plan.entries()).where == str(folder / "1.html")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "DamagedSource: the line is no JSON"),
        ("\ud800", "DamagedSource: the line is no JSON"),
        ("[" * 100_000, "DamagedSource: the line is no JSON"),
        ("[1]", "DamagedSource: the line is JSON, but no object"),
        ('{"title": "x"}', "DamagedSource: the line holds no document"),
        ('{"text": 1}', "DamagedSource: the line holds no document"),
        ('{"content_base64": "a"}', "DamagedSource: its base64 is damaged"),
        ('{"text": "\\ud800"}', "DamagedSource: its text holds half characters"),
        (json.dumps({"text": "x" * 1_000_001}), "SourceTooLarge: the document has 1.0 MB, the limit is 1 MB"),
        (json.dumps({"text": "x" * 5_000_000}), "SourceTooLarge: the file has 5.0 MB, the limit is 1 MB"),
    ],
)
def test_a_line_that_holds_no_document_fails_alone(tmp_path: Path, line: str, problem: str) -> None:
    found = read_all(_write(tmp_path / "a.jsonl", {"text": "1"}, line, {"text": "3"}))
    assert tell_problem(found["a.jsonl#2"]).startswith(problem)
    assert (found["a.jsonl#1"], found["a.jsonl#3"]) == (b"1", b"3")


def test_a_packed_file_that_is_cut_off_gives_its_whole_lines_and_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl.gz", *({"text": f"{number}" * 5000} for number in range(50)))
    path.write_bytes(path.read_bytes()[:-100])
    found = read_all(path)
    assert tell_problem(found.pop("a.jsonl.gz")).startswith("DamagedSource: the archive is cut off or damaged")
    assert found["a.jsonl.gz#1"] == b"0" * 5000
    assert 1 < len(found) < 50


def test_lines_are_read_in_any_order_and_only_if_they_are_the_same(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl.gz", *({"text": f"{number}"} for number in range(30)))
    with planned(path) as plan:
        entries = list(plan.entries())
        assert [plan.read(entry) for entry in reversed(entries)] == [b"%d" % number for number in reversed(range(30))]
    with planned(path) as plan:
        entry = next(plan.entries())
        _write(path, {"text": "another"})
        with pytest.raises(SourceError, match=r"changed (while the run was going on|meanwhile)"):
            plan.read(entry)
