"""Running over labelled documents: names, layouts, documents that cannot be read, and what was run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatten
import pytest

from extractor.bulk.flow import ModelPart
from extractor.errors import SettingsError
from extractor.evaluation import find_labels
from extractor.evaluation.labels import LabelledFile
from extractor.evaluation.runner import (
    Evaluated,
    describe_layout,
    evaluate_documents,
    name_documents,
    summarise_run,
)
from extractor.llm.session import open_recorded
from extractor.settings import Settings
from extractor.sources import read_document

ROOT = Path(__file__).parents[3]
SETTINGS = Settings(_env_file=None)
SEED = "003_fe8339c0c3ff18e6"


def evaluate(files: Sequence[LabelledFile], **options: Any) -> Evaluated:
    return evaluate_documents(files, SETTINGS, options.get("model"), lambda done, total: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One report of the gold with its label, in folders of their own."""
    for place in ("fixtures", "labels"):
        (tmp_path / place).mkdir()
    shutil.copy(ROOT / "fixtures" / f"{SEED}.txt", tmp_path / "fixtures")
    shutil.copy(ROOT / "eval" / "gold" / f"{SEED}.json", tmp_path / "labels")
    return tmp_path


def change_label(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def test_document_is_read_as_a_run_reads_it(folder: Path) -> None:
    done: list[tuple[int, int]] = []
    files = list(find_labels([folder]))
    evaluated = evaluate_documents(files, SETTINGS, None, lambda *progress: done.append(progress))
    (outcome,) = evaluated.outcomes
    assert done == [(1, 1)]
    assert (outcome.name, outcome.kind, outcome.status, outcome.problem) == (SEED, "real", "succeeded", "")
    assert (outcome.layout, outcome.generation, outcome.unjudged) == ("text, rows", "2021", ())
    assert {field.verdict for field in outcome.fields} == {"right"}
    assert (evaluated.readers, evaluated.model, evaluated.replies) == ("template", None, ())
    assert evaluated.versions["extractor"] == outcome.versions["extractor"]


def test_document_that_cannot_be_read_has_an_outcome_with_the_remedy(folder: Path) -> None:
    (folder / "fixtures" / f"{SEED}.txt").write_bytes(b"\x1f\x8b\x08" + bytes(200))
    (outcome,) = evaluate(list(find_labels([folder]))).outcomes
    assert (outcome.status, outcome.layout) == ("failed", "not read")
    assert "gzip" in outcome.problem
    assert "Unpack it" in outcome.problem
    assert {(field.verdict, field.is_accepted) for field in outcome.fields} == {("missing", False)}
    assert len(outcome.fields) > 200


def test_label_without_its_document_stops_everything_at_once(folder: Path) -> None:
    change_label(folder / "labels" / f"{SEED}.json", file="fixtures/gone.txt")
    with pytest.raises(SettingsError, match=r"fixtures/gone\.txt is in no folder above the label") as caught:
        evaluate(list(find_labels([folder])))
    assert f"{SEED}.json" in str(caught.value)


def test_label_says_the_layout_where_it_knows_it(folder: Path) -> None:
    change_label(folder / "labels" / f"{SEED}.json", layout="scraped", kind="corrupted", damage="none", severity=1)
    (outcome,) = evaluate(list(find_labels([folder]))).outcomes
    assert (outcome.layout, outcome.kind, outcome.damage, outcome.severity) == ("scraped", "corrupted", "none", 1)


def test_label_that_is_named_twice_is_run_once(folder: Path) -> None:
    files = list(find_labels([folder, folder / "labels" / f"{SEED}.json"]))
    assert len(files) == 2
    assert len(evaluate(files).outcomes) == 1


def test_equal_names_are_told_apart_by_their_folders(folder: Path) -> None:
    other = folder / "more" / "labels"
    other.mkdir(parents=True)
    shutil.copy(folder / "labels" / f"{SEED}.json", other)
    shutil.copy(folder / "labels" / f"{SEED}.json", folder / "labels" / "single.json")
    files = list(find_labels([folder]))
    top = folder.name
    assert set(name_documents(files)) == {f"{top}/labels/{SEED}", f"more/labels/{SEED}", "single"}
    outcomes = evaluate(files).outcomes
    assert len({outcome.name for outcome in outcomes}) == 3
    assert len({outcome.document_hash for outcome in outcomes}) == 1
    assert [document.name for document in summarise_run(evaluate(files)).documents] == sorted(name_documents(files))


def test_nothing_that_is_written_down_depends_on_the_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is relative to where one works, above it or below."""
    monkeypatch.chdir(folder / "labels")
    (beside,) = evaluate(list(find_labels([folder]))).outcomes
    monkeypatch.chdir(folder.parent)
    (below,) = evaluate(list(find_labels([folder]))).outcomes
    assert beside.path == f"../fixtures/{SEED}.txt"
    assert below.path == f"{folder.name}/fixtures/{SEED}.txt"


def test_changed_label_or_document_has_another_hash(folder: Path) -> None:
    (before,) = evaluate(list(find_labels([folder]))).outcomes
    label = folder / "labels" / f"{SEED}.json"
    header = json.loads(label.read_text("utf-8"))["header"]
    change_label(label, header=header | {"website": "www.x.gov.cn"})
    with (folder / "fixtures" / f"{SEED}.txt").open("a", encoding="utf-8") as file:
        file.write("\n")
    (now,) = evaluate(list(find_labels([folder]))).outcomes
    assert (now.label_hash == before.label_hash, now.document_hash == before.document_hash) == (False, False)


@pytest.mark.parametrize(
    ("layout", "name", "told"),
    [
        ("html_page", "x.html", "html, matrix"),
        ("word", "x.docx", "docx, matrix"),
        ("tab_cells", "x.txt", "text, rows"),
        ("glued", "x.txt", "text, no cells"),
    ],
)
def test_layout_is_what_the_source_stage_found(layout: str, name: str, told: str) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    raw = flatten.LAYOUTS[layout](flatten.build_tables("2021", printed))
    assert describe_layout(read_document(raw, name, SETTINGS)) == told


def test_glued_digits_are_noted_in_the_layout(folder: Path) -> None:
    printed = flatten.as_printed(flatten.make_values("2021", 1))
    raw = flatten.LAYOUTS["glued"](flatten.build_tables("2021", printed))
    (folder / "fixtures" / f"{SEED}.txt").write_bytes(raw)
    (outcome,) = evaluate(list(find_labels([folder]))).outcomes
    assert outcome.layout == "text, no cells, glued"


def test_document_without_a_table_has_no_layout_of_cells() -> None:
    document = read_document("某局2023年政府信息公开工作年度报告\n无。".encode(), "x.txt", SETTINGS)
    assert describe_layout(document) == "text, no tables"


def test_replies_are_named_by_their_kind_and_missing_ones_are_counted(folder: Path) -> None:
    files = list(find_labels([folder]))
    replies = ROOT / "eval" / "replies"
    told = evaluate(files, model=ModelPart.build("auto", open_recorded(SETTINGS, replies / "fixtures.jsonl"), SETTINGS))
    assert (told.readers, told.model, told.replies) == ("auto", "written-by-hand", ("written by hand",))
    assert (told.missing_replies, told.outcomes[0].missing_replies) == (0, False)
    assert {name for name in told.versions if name.startswith("prompt.")} == {"prompt.narrative"}
    assert "replies" not in told.versions
    text = (folder / "fixtures" / f"{SEED}.txt").read_text("utf-8")
    (folder / "fixtures" / f"{SEED}.txt").write_text(text.replace("六、其他", "六、另外的其他"), encoding="utf-8")
    told = evaluate(files, model=ModelPart.build("auto", open_recorded(SETTINGS, replies / "fixtures.jsonl"), SETTINGS))
    assert (told.missing_replies, told.outcomes[0].missing_replies, told.replies) == (1, True, ())


def test_summary_keeps_kinds_apart_and_every_rate_beside_its_counts(folder: Path) -> None:
    shutil.copy(folder / "labels" / f"{SEED}.json", folder / "labels" / "other.json")
    change_label(folder / "labels" / "other.json", kind="corrupted", damage="none", severity=1)
    evaluation = summarise_run(evaluate(list(find_labels([folder]))))
    assert list(evaluation.metrics) == ["corrupted", "real"]
    whole = evaluation.metrics["real"]["all"]
    assert (whole["documents"], whole["cells_right"][:2]) == (1, [200, 200])
    assert {name.partition(" ")[0] for name in evaluation.metrics["real"]} == {"all", "group", "layout"}
    assert evaluation.certificate is None
