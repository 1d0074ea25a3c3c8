"""The page of an evaluation: it shows what happened, all of it, and nothing can be made to happen on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import flatten
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractor.errors import OutputError
from extractor.evaluation.gate import GateReport, check_gate
from extractor.evaluation.labels import Label, LabelledCell, find_labels
from extractor.evaluation.losses import DeclaredLoss
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, judge_fields
from extractor.evaluation.report import write_report
from extractor.evaluation.report.documents import MOST_DOCUMENTS
from extractor.evaluation.report.heatmap import draw_heatmaps
from extractor.evaluation.report.wording import name_fields, write_per_cent
from extractor.evaluation.result import Evaluation, summarise_documents
from extractor.evaluation.runner import evaluate_documents
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import CellState
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document

ROOT = Path(__file__).parents[3]
# ---------------------------------------------------------------- documents to report on


def generate(
    name: str, layout: str = "tab_rows", generation: str = "2021", seed: int = 1, **about: object
) -> DocumentOutcome:
    """A document that the program really reads, against a label of its own values."""
    return judge(name, layout, generation, flatten.as_printed(flatten.make_values(generation, seed)), {}, **about)


def judge(
    name: str, layout: str, generation: str, printed: dict[str, str], planted: dict[str, int], **about: object
) -> DocumentOutcome:
    """The same with other numbers in the label than in the document: what is accepted there is wrong."""
    raw = flatten.LAYOUTS[layout](flatten.build_tables(generation, printed))
    record = process_document(read_document(raw, name, Settings()))
    values = {field_id: int(text) for field_id, text in printed.items()} | planted
    label = Label(
        name=name,
        file=f"{name}.txt",
        kind="generated",
        generation=dict.fromkeys(TABLE_SECTIONS, generation),
        cells={field_id: LabelledCell(CellState.VALUE, value) for field_id, value in values.items()},
    )
    outcome = DocumentOutcome(
        name, "generated", f"{name}.txt", layout, generation, record.status.value, tuple(judge_fields(record, label))
    )
    return replace(outcome, **about)


GRANTED = "applications.granted.natural_person"


@pytest.fixture(scope="module")
def planted() -> DocumentOutcome:
    """One number that the label says is another one."""
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    return judge("planted", "tab_rows", "2021", printed, {GRANTED: int(printed[GRANTED]) + 4})


@pytest.fixture(scope="module")
def gold() -> tuple[DocumentOutcome, ...]:
    """The labelled reports of this repository, read by the rules alone."""
    files = list(find_labels(sorted((ROOT / "eval/gold").glob("*.json"))))
    return evaluate_documents(files, Settings(), None, lambda done, total: None).outcomes


@pytest.fixture(scope="module")
def mixed(gold: tuple[DocumentOutcome, ...], planted: DocumentOutcome) -> tuple[DocumentOutcome, ...]:
    """Every part of the page has something to show: three kinds, both generations, damage, chances, no record."""
    damaged = (
        generate(f"damaged-{i}", seed=i, kind="corrupted", damage=damage, severity=i % 3 + 1)
        for i, damage in enumerate(("row lost", "row lost", "digit swapped", "digit swapped"))
    )
    unread = replace(planted, name="unread", status="failed", problem="no text", fields=_miss(planted.fields))
    old = generate("chances", "pipe_rows_padded", "2019", seed=4)
    fields = tuple(field._replace(p_wrong=i / 1000) for i, field in enumerate(old.fields))
    chances = replace(old, fields=fields)
    return (*gold, planted, unread, chances, generate("lost", "paragraphs", seed=3), *damaged)


def draw(
    folder: Path,
    outcomes: Sequence[DocumentOutcome],
    gate: GateReport | None = None,
    baseline: Evaluation | None = None,
) -> LexborHTMLParser:
    path = folder / "page.html"
    write_report(path, outcomes, evaluation_of(outcomes), gate, baseline)
    return read_page(path)


def read_page(path: Path) -> LexborHTMLParser:
    return LexborHTMLParser(path.read_text(encoding="utf-8"))


def evaluation_of(outcomes: Sequence[DocumentOutcome], **about: object) -> Evaluation:
    return Evaluation(readers="template", documents=summarise_documents(outcomes)).model_copy(update=about)


def text_of(element: LexborNode) -> str:
    return " ".join(element.text().split())


def every(page: LexborHTMLParser) -> list[LexborNode]:
    assert page.root is not None
    return list(page.root.traverse())


def read_rows(table: LexborNode) -> dict[str, list[LexborNode]]:
    """The cells of each row by its head."""
    return {text_of(row.css("th")[0]): row.css("td") for row in table.css("tbody tr")}


def find_document(page: LexborHTMLParser, name: str) -> LexborNode:
    """The rows of one document."""
    bodies = page.css(".documents > tbody")
    return next(body for body in bodies if text_of(body.css("th")[0]).startswith(name))


# ---------------------------------------------------------------- one file, which does nothing


# What can load, run or send.
ELEMENTS = {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "audio", "video"}
ATTRIBUTES = {"src", "srcset", "action", "data", "poster", "background", "ping"}


def test_nothing_is_loaded_or_run(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    page = draw(tmp_path, mixed)
    ids = {node.id for node in every(page) if node.id}
    assert ELEMENTS.isdisjoint(node.tag for node in every(page))
    for node in every(page):
        for name, value in node.attributes.items():
            assert not name.startswith("on"), f"{name} on {node.tag}"
            assert name not in ATTRIBUTES, f"{name}={value}"
            if name.endswith("href"):
                assert value
                assert value.removeprefix("#") in ids if value.startswith("#") else ":" not in value, value
            if value and name not in ("title", "aria-label", "content"):
                assert "//" not in value, f"{name}={value}"
                assert all(target in ids for target in re.findall(r"url\(#([^)]+)\)", value))
    (style,) = page.css("style")
    assert "url(" not in style.text()
    assert "@import" not in style.text()


def test_the_policy_forbids_all_but_styles(tmp_path: Path, planted: DocumentOutcome) -> None:
    page = draw(tmp_path, [planted])
    (policy,) = page.css("meta[http-equiv='Content-Security-Policy']")
    said = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert policy.attributes["content"] == said
    assert page.css("meta[http-equiv] ~ style"), "the policy rules what follows it"


def test_markup_from_a_document_is_text(tmp_path: Path, planted: DocumentOutcome) -> None:
    hostile = "<script>alert(1)</script>"
    image = "\"><img src=x onerror='alert(2)'>"
    odd = FieldOutcome(
        f"header.{hostile}", "header", "wrong", True, CellState.VALUE, image, CellState.VALUE, hostile, flags=(image,)
    )
    outcome = replace(
        planted, name=hostile, layout=image, path=f"{image}.txt", generation=hostile, status=image, damage=hostile,
        severity=1, fields=(odd, *planted.fields),
    )  # fmt: skip
    unread = replace(outcome, name=f"unread {hostile}", problem=f"problem {hostile}")
    gate = check_gate(evaluation_of([outcome]))
    page = draw(tmp_path, [outcome, unread], gate, evaluation_of([replace(planted, name=image)]))
    assert not page.css("script, img")
    assert not [node for node in every(page) if "onerror" in node.attributes]
    for place in (".documents", ".alarm", ".gate", ".problem", ".changes", "#pictures"):
        assert any(hostile in node.text() for node in page.css(place)), place
    assert image in [node.text() for node in page.css(".documents .lines .tag")]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    write_report(tmp_path / "a.html", mixed, evaluation_of(mixed), None, None)
    write_report(tmp_path / "b.html", mixed[::-1], evaluation_of(mixed), None, None)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_no_hash_seed_changes_the_page(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = [sys.executable, "-c", _DRAW_GOLD, str(ROOT), str(tmp_path / f"{seed}.html")]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT)  # noqa: S603
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


_DRAW_GOLD = """
import sys
from dataclasses import replace
from pathlib import Path
from extractor.evaluation.labels import find_labels
from extractor.evaluation.report import write_report
from extractor.evaluation.result import Evaluation, summarise_documents
from extractor.evaluation.runner import evaluate_documents
from extractor.settings import Settings
label = Path(sys.argv[1]) / "eval/gold/001_6bf7699e84e20962.json"
outcomes = evaluate_documents(list(find_labels([label])), Settings(), None, lambda done, total: None).outcomes
outcomes += tuple(replace(outcome, kind="corrupted", damage="cut", severity=1) for outcome in outcomes)
evaluation = Evaluation(readers="template", documents=summarise_documents(outcomes))
write_report(Path(sys.argv[2]), outcomes, evaluation, None, None)
"""


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, planted: DocumentOutcome) -> None:
    with pytest.raises(OutputError, match=r"nowhere.page\.html: cannot be written .*--report"):
        draw(tmp_path / "nowhere", [planted])


def test_no_document_makes_a_page_too(tmp_path: Path) -> None:
    page = draw(tmp_path, [], check_gate(evaluation_of([])), evaluation_of([]))
    assert "No document" in text_of(page.css(".lead")[0])


def test_the_gold_page_stays_small(tmp_path: Path, gold: tuple[DocumentOutcome, ...]) -> None:
    draw(tmp_path, gold)
    assert (tmp_path / "page.html").stat().st_size < 500_000


# ---------------------------------------------------------------- the promises


def test_promises_are_counts_of_n_by_kind(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    page = draw(tmp_path, mixed)
    rows = {text_of(row.css("th")[0]).split()[0]: row for row in page.css(".promises tbody tr")}
    assert list(rows) == ["real", "generated", "corrupted"]
    generated = [outcome for outcome in mixed if outcome.kind == "generated"]
    cells = [field for outcome in generated for field in outcome.fields]
    accepted = [field for field in cells if field.is_accepted]
    nonzero = [field for field in cells if field.is_nonzero]
    wrong_cells, facts, numbers, review = rows["generated"].css("td")
    assert text_of(wrong_cells).startswith(f"1 of {len(accepted):,}")
    assert "bad" in wrong_cells.attributes.get("class")
    assert text_of(facts) == "—"
    settled = sum(field.is_accepted and field.verdict == "right" for field in nonzero)
    assert text_of(numbers).startswith(f"{settled:,} of {len(nonzero):,}")
    recorded = [field for field in cells if field.found]
    assert text_of(review).startswith(f"{len(recorded) - len(accepted):,} of {len(recorded):,}")
    assert "1 could not be read" in text_of(rows["generated"])
    assert text_of(rows["real"].css("td")[0]).startswith("0 of ")


def test_what_is_accepted_wrong_is_named_at_the_top(tmp_path: Path, planted: DocumentOutcome) -> None:
    page = draw(tmp_path, [planted, generate("fine")])
    alarms = page.css("#promises .alarm li")
    wrong = next(field for field in planted.fields if field.is_wrong_and_accepted)
    assert [text_of(item) for item in alarms] == [
        f"planted: （一）予以公开 · 自然人 prints {wrong.printed}, accepted was {wrong.said}"
    ]
    target = alarms[0].css("a")[0].attributes.get("href").removeprefix("#")
    assert find_document(page, "planted").id == target


def test_nothing_accepted_wrong_raises_no_alarm(tmp_path: Path, gold: tuple[DocumentOutcome, ...]) -> None:
    page = draw(tmp_path, gold)
    assert not page.css(".alarm")
    assert not page.css("b.wrong:not(.key b)"), "red is for what is accepted wrong"


def test_gate(tmp_path: Path, planted: DocumentOutcome) -> None:
    assert text_of(draw(tmp_path, [planted]).css(".gate")[0]) == "– No gate was asked for."
    green = draw(tmp_path, [generate("fine")], check_gate(evaluation_of([generate("fine")])))
    assert text_of(green.css(".gate.green strong")[0]).startswith("✓ Gate green")
    gate = check_gate(evaluation_of([planted]))
    red = draw(tmp_path, [planted], gate).css(".gate.red")[0]
    assert "✗ Gate red: 1 failure." in text_of(red)
    assert gate.failures[0].sentence in text_of(red)


@pytest.mark.parametrize("replies", ["written by hand", "simulated"])
def test_replies_by_no_model_are_no_accuracy_of_a_model(tmp_path: Path, planted: DocumentOutcome, replies: str) -> None:
    evaluation = evaluation_of([planted], readers="auto", model="some-name", replies=(replies,))
    write_report(tmp_path / "page.html", [planted], evaluation, None, None)
    page = read_page(tmp_path / "page.html")
    assert "Nothing here says how accurate a model is" in text_of(page.css(".caution")[0])
    assert "by no model" in text_of(page.css(".setting")[0])


def test_replies_of_a_model_need_no_caution(tmp_path: Path, planted: DocumentOutcome) -> None:
    evaluation = evaluation_of([planted], readers="auto", model="some-name", replies=("live",))
    write_report(tmp_path / "page.html", [planted], evaluation, None, None)
    assert not read_page(tmp_path / "page.html").css(".caution")


# ---------------------------------------------------------------- rates and pictures


def test_kinds_stand_side_by_side_and_are_never_added_up(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    table = draw(tmp_path, mixed).css("#rates table.rates")[0]
    heads = [text_of(head) for head in table.css("thead th")]
    assert heads == ["Rate", "real 5 documents", "generated 4 documents", "corrupted 4 documents"]
    rows = read_rows(table)
    names = list(rows)
    assert names[names.index("cells right") + 1] == "beside it: all-zero guess"
    assert names[names.index("facts right") + 1] == "beside it: say-nothing guess"
    damaged = sum(len(outcome.fields) for outcome in mixed if outcome.kind == "corrupted")
    assert f"of {damaged:,}" in text_of(rows["cells right"][2])


def test_without_a_certificate_the_page_says_so(tmp_path: Path, planted: DocumentOutcome) -> None:
    pictures = draw(tmp_path, [planted]).css("#pictures")[0]
    accepted = sum(field.is_accepted for field in planted.fields)
    assert "No certificate was in force" in text_of(pictures)
    assert f"Accepted: {accepted} of {len(planted.fields)} table cells" in text_of(pictures)
    assert "Of these 1 are wrong" in text_of(pictures)
    assert not pictures.css("svg")


def test_chances_are_drawn_with_the_counts_of_their_bins(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    pictures = draw(tmp_path, mixed).css("#pictures")[0]
    labels = [svg.attributes.get("aria-label") for svg in pictures.css("svg")]
    assert [label.split()[0] for label in labels] == ["Reliability:", "Risk", "Accepted"]
    bins = next(table for table in pictures.css("table.plain") if "by bin" in text_of(table.css("caption")[0]))
    fields = [int(row.css("td")[0].text()) for row in bins.css("tbody tr")]
    assert sum(fields) == sum(field.p_wrong is not None for outcome in mixed for field in outcome.fields)


def test_charts_take_the_colours_and_the_font_of_the_page(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    draw(tmp_path, mixed)
    drawings = re.findall(r"<svg.*?</svg>", (tmp_path / "page.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        assert not re.findall(r"#[0-9a-f]{6}\b", drawing), "a colour that no dark page could change"
        assert "var(--ink)" in drawing
        assert "font:" not in drawing
        assert "<style" not in drawing


def test_every_id_is_there_once(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    ids = [node.id for node in every(draw(tmp_path, mixed)) if node.id]
    assert len(ids) == len(set(ids))


def test_many_documents_are_drawn_as_a_distribution(tmp_path: Path, planted: DocumentOutcome) -> None:
    many = [replace(planted, name=f"copy {i}") for i in range(53)]
    pictures = draw(tmp_path, many).css("#pictures")[0]
    assert not pictures.css(".bars")
    assert "53 documents with numbers other than 0" in text_of(pictures.css("figcaption")[0])
    assert "53" in [text.text() for text in pictures.css("svg text")], "the count on the one bar"


# ---------------------------------------------------------------- the form


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_the_map_has_every_cell_of_the_form(tmp_path: Path, generation: str) -> None:
    page = draw(tmp_path, [generate("fine", generation=generation)])
    form = load_forms().generations[generation]
    assert [text_of(head) for head in page.css("#form h4")] == [f"Form of {generation}"]
    for table, section in zip(page.css(".heat table"), form.sections.values(), strict=True):
        assert text_of(table.css("caption")[0]).startswith(section.title)
        cells = table.css("tbody td[title]")
        assert len(cells) == len(section.fields)
        assert {cell.text() for cell in cells} == {"·"}, "all right and accepted: calm"
        assert {cell.attributes.get("class") for cell in cells} == {"h0"}
        for row in section.rows:
            assert row.labels[0] in text_of(table)


def test_the_map_shows_where_and_how_often(tmp_path: Path, planted: DocumentOutcome) -> None:
    lost = replace(generate("lost"), fields=_refuse(planted.fields))
    unread = replace(planted, name="unread", status="failed", problem="no text", fields=_miss(planted.fields))
    page = draw(tmp_path, [planted, generate("fine"), lost, unread])
    cells = {(cell.attributes["title"] or "").partition(":")[0]: cell for cell in page.css(".heat td[title]")}
    cell, other = cells["（一）予以公开 · 自然人"], cells["（一）予以公开 · 商业企业"]
    assert (cell.attributes["title"] or "").endswith(": 4 documents, 3 not right, 1 in review, 1 accepted wrong")
    assert cell.text() == "✗1"
    assert cell.attributes["class"] == "h4"
    assert cell.css("i")[0].attributes["style"] == "width:25%"
    assert other.text() == "2"
    assert other.attributes["class"] == "h3"


def _refuse(fields: Sequence[FieldOutcome]) -> tuple[FieldOutcome, ...]:
    return tuple(
        field._replace(
            found=CellState.POSITION_UNKNOWN, said=None, verdict="open", is_accepted=False, flags=("glued-digits",)
        )
        for field in fields
    )


def test_a_section_counts_under_its_own_generation() -> None:
    old, new = generate("old", generation="2019"), generate("new")
    fields = (
        *(field for field in old.fields if field.group != "applications"),
        *(field for field in new.fields if field.group == "applications"),
    )
    maps = draw_heatmaps([replace(new, generation="mixed", fields=fields)])
    assert {drawn.generation: [table.title[0] for table in drawn.tables] for drawn in maps} == {
        "2021": ["三", "四"],  # section 四 is the same in both
        "2019": ["二"],
    }


def test_fields_of_another_form_are_not_lost_from_sight(planted: DocumentOutcome) -> None:
    strange = FieldOutcome(
        "applications.other_result.merged.total", "applications", "invented", True, None, None, CellState.VALUE, 7
    )
    (drawn,) = draw_heatmaps([replace(planted, fields=(*planted.fields, strange))])
    said = {table.title[0]: table.elsewhere for table in drawn.tables}
    assert said["三"] == "Not on this form: 1 field of another generation, 1 of them accepted wrong."
    assert said["二"] == ""


# ---------------------------------------------------------------- documents


def test_the_worst_stand_first(tmp_path: Path, planted: DocumentOutcome) -> None:
    unread = replace(planted, name="unread", problem="no text", status="failed", fields=_miss(planted.fields))
    lost = replace(generate("lost"), fields=_refuse(planted.fields))
    page = draw(tmp_path, [generate("fine"), lost, unread, planted])
    names = [text_of(head).split()[0] for head in page.css(".documents > tbody > tr:first-child > th")]
    assert names == ["planted", "unread", "lost", "fine"]
    assert find_document(page, "planted").css("details[open]"), "opened where anything is accepted wrong"
    assert not find_document(page, "lost").css("details[open]")
    assert f"no text {len(planted.fields)} labelled fields missing" in text_of(find_document(page, "unread"))
    assert not find_document(page, "unread").css(".lines"), "which is all that there is to say"
    assert "every field right and accepted" in text_of(find_document(page, "fine"))


def _miss(fields: Sequence[FieldOutcome]) -> tuple[FieldOutcome, ...]:
    return tuple(
        field._replace(found=None, said=None, verdict="missing", is_accepted=False, flags=()) for field in fields
    )


def test_thousands_of_documents_leave_the_page_small(tmp_path: Path, planted: DocumentOutcome) -> None:
    lost = replace(planted, fields=_refuse(planted.fields))
    many = [replace(lost, name=f"copy {i:04}", kind="corrupted", damage="cut", severity=1) for i in range(1000)]
    page = draw(tmp_path, [*many, planted])
    (note,) = page.css("#documents-corrupted + .note")
    assert text_of(note) == "The worst 200 of 1,000 documents; 800 that fared no worse are left out."
    assert len(page.css(".documents > tbody")) == MOST_DOCUMENTS + 1
    assert (tmp_path / "page.html").stat().st_size < 3_000_000


def test_links_lead_to_the_source_file(tmp_path: Path, planted: DocumentOutcome) -> None:
    source = tmp_path / "reports" / "a b#c 100%.txt"
    source.parent.mkdir()
    source.write_text("x", encoding="utf-8")
    (tmp_path / "pages").mkdir()
    there, gone = replace(planted, path=str(source)), replace(planted, name="gone", path="no/such.txt")
    page = draw(tmp_path / "pages", [there, gone])
    (link,) = find_document(page, "planted").css(".evidence a")
    assert link.attributes.get("href") == "../reports/a%20b%23c%20100%25.txt"
    assert (tmp_path / "pages" / unquote(link.attributes.get("href"))).resolve() == source.resolve()
    assert not find_document(page, "gone").css(".evidence a")
    assert find_document(page, "gone").css("code")[0].text() == "extractor show no/such.txt"
    assert find_document(page, "planted").css("code")[0].text() == f"extractor show '{source}'"


def test_a_file_name_can_not_be_a_script(
    tmp_path: Path, planted: DocumentOutcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "javascript:alert(1)").write_text("x", encoding="utf-8")
    page = draw(tmp_path, [replace(planted, path="javascript:alert(1)")])
    assert page.css(".evidence a")[0].attributes.get("href") == "javascript%3Aalert%281%29"


def test_a_lost_table_is_one_line_that_names_its_numbers(tmp_path: Path, planted: DocumentOutcome) -> None:
    page = draw(tmp_path, [replace(planted, name="lost", fields=_refuse(planted.fields))])
    lines = find_document(page, "lost").css(".lines tbody tr")
    assert len(lines) == len(TABLE_SECTIONS)
    cells = [field for field in planted.fields if field.group == "applications"]
    numbers = [field for field in cells if field.printed]
    line = next(line for line in lines if "予以公开" in text_of(line))
    places, label, record, outcome, flags = (text_of(cell) for cell in line.css("td"))
    assert label == f"{len(numbers)} numbers, {len(cells) - len(numbers)} zeros"
    assert all(f"{field.printed:,}" in places for field in numbers)
    assert places.endswith(f"{len(cells)} fields")
    assert (record, outcome, flags) == ("column unknown", "open", "glued-digits")


def test_a_wrong_value_stands_beside_the_label(tmp_path: Path, planted: DocumentOutcome) -> None:
    wrong = next(field for field in planted.fields if field.is_wrong_and_accepted)
    *fields, pending, total = planted.fields
    said = {"verdict": "wrong", "is_accepted": False, "flags": ("cut-off",)}
    fields += [pending._replace(said=98, **said), total._replace(said=99, p_wrong=0.25, **said)]
    page = draw(tmp_path, [replace(planted, fields=tuple(fields))])
    lines = [[text_of(cell) for cell in line.css("td")] for line in page.css(".lines tbody tr")]
    expected = [
        ["（一）予以公开 · 自然人", str(wrong.printed), str(wrong.said), "wrong, accepted", ""],
        ["复议后起诉 · 尚未审结", str(pending.printed), "98", "wrong, in review", "cut-off"],
        ["复议后起诉 · 总计", str(total.printed), "99", "wrong, in review p(wrong) 0.25", "cut-off"],
    ]
    assert lines[0] == expected[0]
    assert sorted(lines) == sorted(expected)
    assert [line.attributes.get("class") for line in page.css(".lines tbody tr")] == ["bad", None, None]


def test_a_cell_with_other_text_is_no_riddle(tmp_path: Path, planted: DocumentOutcome) -> None:
    """Number and state agree, the text beside the number was lost: 8件 read as 8."""
    cut = planted.fields[0]._replace(verdict="wrong", is_accepted=False, said=planted.fields[0].printed)
    page = draw(tmp_path, [replace(planted, fields=(cut,))])
    assert "the number agrees, the cell's text does not" in text_of(page.css(".lines tbody tr")[0])


def test_facts_rightly_left_out_are_no_loss(tmp_path: Path, planted: DocumentOutcome) -> None:
    left_out = FieldOutcome("header.website", "header", "right", False, None, None, None, None)
    page = draw(tmp_path, [replace(generate("fine"), fields=(left_out,))])
    assert "every field right and accepted" in text_of(find_document(page, "fine"))


# ---------------------------------------------------------------- changes


def test_changes_against_a_baseline(tmp_path: Path, planted: DocumentOutcome) -> None:
    fine = generate("fine")
    lost = replace(fine, fields=(*_refuse(fine.fields[:10]), *fine.fields[10:]))
    baseline = evaluation_of([fine, planted, generate("steady"), generate("gone")])
    now = [lost, replace(planted, fields=fine.fields), generate("steady"), generate("added")]
    declared = [DeclaredLoss(document="fine", field=fine.fields[0].field_id, reason="the column is torn")]
    changes = draw(tmp_path, now, check_gate(evaluation_of(now), baseline, declared), baseline).css("#changes")[0]
    said = text_of(changes)
    assert "Losses that nobody declared: 9" in said
    assert "Losses declared, with their reasons: 1" in said
    assert "the column is torn" in said
    assert "Gains: 2" in said
    table = changes.css("table.changes")[1]
    rows = {text_of(row.css("th")[0]): [text_of(c) for c in row.css("td")] for row in table.css("tbody tr")}
    assert list(rows) == ["added not in the baseline", "fine", "gone not evaluated now", "planted"]
    nonzero = sum(field.is_nonzero for field in fine.fields)
    kept = sum(field.is_nonzero for field in fine.fields[10:])
    assert rows["fine"] == [
        f"{nonzero} of {nonzero} → {kept} of {nonzero} worse", "0", "0 → 10 worse", "0 → 10 worse",
    ]  # fmt: skip
    assert rows["planted"][1:] == ["1 → 0 better", "1 → 0 better", "0"]
    assert "The same in both: 1 document." in said


def test_without_a_baseline_nothing_is_compared(tmp_path: Path, planted: DocumentOutcome) -> None:
    assert not draw(tmp_path, [planted]).css("#changes")
    page = draw(tmp_path, [planted], check_gate(evaluation_of([planted])))
    assert "No baseline was named" in text_of(page.css("#changes")[0])


# ---------------------------------------------------------------- readable by all


def test_headings_are_in_order(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    levels = [int(head.tag[1]) for head in draw(tmp_path, mixed).css("h1, h2, h3, h4, h5, h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_and_charts_can_be_read_out(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    page = draw(tmp_path, mixed)
    assert page.css("html")[0].attributes["lang"] == "en"
    assert all(head.attributes.get("scope") for head in page.css("th"))
    assert all(text_of(head) for head in page.css("th")), "no head without a name"
    assert all(svg.attributes.get("role") == "img" and svg.attributes.get("aria-label") for svg in page.css("svg"))
    for region in page.css(".scroll"):
        assert region.attributes["aria-label"]
        assert region.attributes["tabindex"] == "0", "what scrolls can be reached without a mouse"


def test_rows_are_as_wide_as_their_table(tmp_path: Path, mixed: tuple[DocumentOutcome, ...]) -> None:
    for table in draw(tmp_path, mixed).css("table"):
        widths: Counter[int] = Counter()
        for number, row in enumerate(row for row in table.css("tr") if _find_table(row).mem_id == table.mem_id):
            for cell in row.iter():
                for below in range(int(cell.attributes.get("rowspan") or 1)):
                    widths[number + below] += int(cell.attributes.get("colspan") or 1)
        # Section 二 prints fewer columns in some of its parts.
        assert len(set(widths.values())) == 1 or "主动公开" in text_of(table.css("caption")[0]), widths


def _find_table(node: LexborNode) -> LexborNode:
    while node.tag != "table":
        assert node.parent is not None
        node = node.parent
    return node


PAIRS = [
    *(
        (text, ground, 4.5)
        for text in ("ink", "muted", "main", "wrong", "good", "other")
        for ground in ("paper", "panel")
    ),
    *(("ink", f"h{level}", 4.5) for level in range(1, 6)),
    ("onwrong", "wrong", 4.5),
    ("soft", "paper", 3.0),  # marks, not text
    *(("main", f"h{level}", 1.5) for level in range(1, 6)),  # a bar whose figure stands in the cell's title
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """WCAG 2.2: 4.5 for text, 3 for marks."""
    style = (ROOT / "extractor/evaluation/report/templates/page.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part)) for part in style.split("}\n* {")[0].split("@media")
    )
    colours = light if scheme == "light" else dark
    assert light.keys() == dark.keys()
    for text, ground, least in PAIRS:
        assert _contrast(colours[text], colours[ground]) >= least, (
            text,
            ground,
            _contrast(colours[text], colours[ground]),
        )


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# ---------------------------------------------------------------- wording


@example(1, 999_999)
@example(999_999, 1)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_is_never_rounded_to_nothing_or_to_all(count: int, rest: int) -> None:
    n = max(count + rest, 1)
    text = write_per_cent(count / n)
    assert (Decimal(text) == 0) == (count == 0)
    assert (Decimal(text) == 100) == (count == n)
    assert abs(Decimal(text) - 100 * Decimal(count) / n) <= Decimal("0.051")


def test_fields_are_named_as_the_form_does() -> None:
    assert name_fields(["review_litigation.review.upheld"], "2021") == "行政复议 · 结果维持"
    refused = [
        f"applications.refused.state_secret.{c.id}"
        for c in load_forms().generations["2021"].sections["applications"].columns
    ]
    assert name_fields(refused, "2021") == "（三）不予公开 1.属于国家秘密 (all columns)"
    assert name_fields(refused[:2], "2021", {refused[0]: "3", refused[1]: "4"}).endswith("自然人 3、商业企业 4")
    whole = [item.id for item in load_forms().generations["2019"].sections["proactive_disclosure"].fields]
    assert name_fields(whole, "2019") == "二、主动公开政府信息情况 (the whole table)"
    assert name_fields(["proactive_disclosure.licences.decisions"], "2019") == "行政许可 · 处理决定数量"
    assert name_fields(["proactive_disclosure.licences.decisions"], "2021") == "行政许可 · 本年处理决定数量"
    assert name_fields(["header.agency_name", "header.website"], "") == "header: agency name; header: website"
