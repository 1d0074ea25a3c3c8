"""A broken promise shows: a fault planted in any stage turns the gate red, and the failure names the field.

The faults stand in for what a change may break. They are planted into the real functions, and the real gold is
evaluated with them. What only a doubt keeps from acceptance stands in eval/gold/damaged, which is made for this.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from eval.damaged_gold import FOLDER, make_documents
from eval.reset.files import list_files, list_stale
from extractor import pipeline
from extractor.bulk.flow import ModelPart
from extractor.confidence import decide_fields
from extractor.evaluation import find_labels
from extractor.evaluation.check import check_label
from extractor.evaluation.findings import Rule
from extractor.evaluation.gate import GateReport, check_gate
from extractor.evaluation.labels import LabelledFile
from extractor.evaluation.result import Evaluation
from extractor.evaluation.runner import evaluate_documents, summarise_run
from extractor.forms import catalogue, loading
from extractor.llm.session import open_recorded
from extractor.model import Candidate, CellState, Decision, Flag
from extractor.readers import cells, narrative, narrative_objections, table_reader, template
from extractor.readers.llm import asking
from extractor.readers.placement import Placement
from extractor.readers.table_reader import TableReader
from extractor.reconcile.explain import Findings
from extractor.settings import Settings

ROOT = Path(__file__).parents[2]
SEED_000, SEED_001 = "000_c61908031b779533", "001_6bf7699e84e20962"
RESET_010, RESET_031 = "reset_010_html_page", "reset_031_html_page"
REPLIES = ROOT / "eval" / "replies" / "fixtures.jsonl"
Patch = pytest.MonkeyPatch
Found = tuple[str, str, str]


def forget_forms() -> None:
    """Empty every cache of the package: most hold what the form's data say."""
    for name, module in list(sys.modules.items()):
        if name.startswith("extractor."):
            for item in vars(module).values():
                if callable(clear := getattr(item, "cache_clear", None)):
                    clear()


@pytest.fixture
def planting() -> Iterator[Patch]:
    """Patches that leave nothing behind, not even in caches."""
    forget_forms()
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    forget_forms()


def evaluate(files: Sequence[LabelledFile], model: ModelPart | None = None) -> Evaluation:
    return summarise_run(evaluate_documents(files, Settings(_env_file=None), model, lambda done, total: None))


def found_by(gate: GateReport) -> set[Found]:
    return {(finding.rule, finding.document, finding.field) for finding in gate.failures}


@pytest.fixture(scope="module")
def gold() -> list[LabelledFile]:
    """Every labelled document of the repository, labels read before any fault is planted."""
    return list(find_labels([ROOT / "eval" / "gold"]))


@pytest.fixture(scope="module")
def noticing(gold: list[LabelledFile]) -> list[LabelledFile]:
    """A few of them, real and re-set, that notice every fault below."""
    return [file for file in gold if file.label.name in (SEED_000, SEED_001, RESET_010, RESET_031)]


@pytest.fixture(scope="module")
def clean(noticing: list[LabelledFile]) -> Evaluation:
    return evaluate(noticing)


# ---------------------------------------------------------------- faults


def change_form(patch: Patch, section: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the data of one table, in every generation."""
    build = loading._build_section

    def build_changed(section_id: str, data: Mapping[str, Any]) -> catalogue.Section:
        changed = copy.deepcopy(dict(data))
        if section_id == section:
            change(changed)
        return build(section_id, changed)

    patch.setattr(loading, "_build_section", build_changed)


def lose_row_label(patch: Patch) -> None:
    def change(data: dict[str, Any]) -> None:
        (row,) = [row for row in data["rows"] if row["id"] == "partially_granted"]
        row["labels"] = ["（二）另行公开"]

    change_form(patch, "applications", change)


def swap_columns(patch: Patch) -> None:
    def change(data: dict[str, Any]) -> None:
        first, second = data["columns"][:2]
        first["id"], second["id"] = second["id"], first["id"]

    change_form(patch, "applications", change)


def shift_columns(patch: Patch) -> None:
    place = table_reader.place_cells

    def place_shifted(*arguments: Any) -> Placement:
        placement = place(*arguments)
        return placement._replace(cells=(*placement.cells[1:], *placement.cells[:1]))

    patch.setattr(table_reader, "place_cells", place_shifted)


def change_candidates(patch: Patch, change: Callable[[Candidate], Candidate]) -> None:
    add = TableReader.add
    patch.setattr(TableReader, "add", lambda self, field_id, candidate: add(self, field_id, change(candidate)))


def read_blank_as_zero(patch: Patch) -> None:
    def change(candidate: Candidate) -> Candidate:
        return replace(candidate, state=CellState.VALUE, value=0) if candidate.state is CellState.BLANK else candidate

    change_candidates(patch, change)


def read_zero_as_blank(patch: Patch) -> None:
    def change(candidate: Candidate) -> Candidate:
        is_zero = candidate.state is CellState.VALUE and candidate.value == 0
        return replace(candidate, state=CellState.BLANK, value=None, raw=None) if is_zero else candidate

    change_candidates(patch, change)


def lose_grounding(patch: Patch) -> None:
    change_candidates(patch, lambda candidate: replace(candidate, spans=()))


def shift_spans(patch: Patch) -> None:
    def shift(candidate: Candidate) -> Candidate:
        return replace(candidate, spans=tuple(replace(span, start=span.start + 1) for span in candidate.spans))

    change_candidates(patch, shift)


def drop_digits(patch: Patch) -> None:
    read = cells._read_number
    patch.setattr(cells, "_read_number", lambda text: read(text[:-1] if text.isdigit() and len(text) > 2 else text))


def decide_generation_wrongly(patch: Patch) -> None:
    patch.setattr(template, "_best_generation", lambda table, section: "2019")


def take_the_next_number(patch: Patch) -> None:
    """Each fact of the text gets the number of the one behind it."""
    find = narrative._find_statements

    def find_shifted(text: Any) -> Iterator[Any]:
        found = sorted(find(text), key=lambda statement: statement.position)
        for own, other in zip(found, [*found[1:], *found[:1]], strict=True):
            yield replace(own, value=other.value)

    patch.setattr(narrative, "_find_statements", find_shifted)


def take_any_clause(patch: Patch) -> None:
    """Nothing speaks against a number any more: another year's, a part, a plan."""
    patch.setattr(narrative, "accepts", lambda text, statement: True)


def ignore_flags(patch: Patch) -> None:
    patch.setattr(pipeline, "decide_fields", lambda printed, flags: decide_fields(printed, ()))


def ignore_code(code: str) -> Callable[[Patch], None]:
    def decide(printed: Mapping[str, Candidate], flags: Iterable[Flag]) -> dict[str, Decision]:
        return decide_fields(printed, [flag for flag in flags if flag.code != code])

    def plant(patch: Patch) -> None:
        patch.setattr(pipeline, "decide_fields", decide)

    plant.__name__ = f"ignore_{code}"
    return plant


def ignore_text(patch: Patch) -> None:
    """That the running text states another number."""
    patch.setattr(pipeline, "compare_narrative", lambda merged: ())


def ignore_equations(patch: Patch) -> None:
    patch.setattr(pipeline, "explain_failures", lambda merged, names, equations, *others: Findings(equations, (), {}))


# ---------------------------------------------------------------- faults that the gold notices


def test_the_program_as_it_is_passes_its_own_gate(gold: list[LabelledFile]) -> None:
    evaluation = evaluate(gold)
    gate = check_gate(evaluation, evaluation)
    assert [finding.sentence for finding in gate.failures] == []
    assert (gate.gains, gate.notes) == ((), ())


class Sign(NamedTuple):
    """How the gate must tell of a fault."""

    plant: Callable[[Patch], None]
    rule: Rule
    document: str
    field: str


SIGNS = [
    Sign(lose_row_label, "loss", RESET_031, "applications.partially_granted.natural_person"),
    Sign(swap_columns, "accepted-wrong", RESET_031, "applications.new_received.natural_person"),
    Sign(shift_columns, "accepted-wrong", SEED_001, "proactive_disclosure.normative_documents.issued"),
    Sign(read_blank_as_zero, "accepted-wrong", SEED_001, "proactive_disclosure.regulations.issued"),
    Sign(read_zero_as_blank, "accepted-wrong", SEED_000, "applications.new_received.total"),
    Sign(drop_digits, "accepted-wrong", RESET_010, "proactive_disclosure.licences.decisions"),
    Sign(lose_grounding, "loss", SEED_000, "proactive_disclosure.licences.decisions"),
    Sign(shift_spans, "evidence-lost", SEED_000, "applications.new_received.total"),
    Sign(decide_generation_wrongly, "loss", SEED_000, "proactive_disclosure.regulations.issued"),
    Sign(decide_generation_wrongly, "accepted-wrong", SEED_001, "proactive_disclosure.regulations.newly_made"),
    Sign(take_the_next_number, "accepted-wrong", RESET_031, "narrative.proactive_items_total"),
]


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: f"{sign.plant.__name__}-{sign.rule}")
def test_fault_turns_the_gate_red_and_names_the_field(
    planting: Patch, noticing: list[LabelledFile], clean: Evaluation, sign: Sign
) -> None:
    assert check_gate(clean, clean).is_green
    sign.plant(planting)
    gate = check_gate(evaluate(noticing), clean)
    (sentence,) = [finding.sentence for finding in gate.failures if finding[:3] == sign[1:]]
    assert sentence.startswith(f"{sign.document}: {sign.field} ")


def test_share_of_accepted_numbers_falls_with_the_reader(
    planting: Patch, noticing: list[LabelledFile], clean: Evaluation
) -> None:
    """To refuse everything is never wrong, and no way out."""
    lose_grounding(planting)
    gate = check_gate(evaluate(noticing), clean)
    shares = [finding.sentence for finding in gate.failures if finding.rule == "accepted-share"]
    assert [sentence.split()[0] for sentence in shares] == ["real", "re-set"]
    assert "accepted-wrong" not in {finding.rule for finding in gate.failures}


# ---------------------------------------------------------------- doubts that are not heeded any more

OBJECTIONS = sorted({objects.__name__ for some in narrative_objections._OBJECTIONS.values() for objects in some})


@pytest.fixture(scope="module")
def damaged(gold: list[LabelledFile]) -> list[LabelledFile]:
    """Documents that are read wrong here and there, and doubted wherever they are."""
    return [file for file in gold if file.label.name.startswith("damaged_")]


@pytest.fixture(scope="module")
def doubted(damaged: list[LabelledFile]) -> Evaluation:
    return evaluate(damaged)


def test_damaged_documents_are_what_would_be_made_now() -> None:
    assert list(list_stale(FOLDER, list_files(make_documents()))) == []


def test_labels_of_damaged_documents_have_no_slip(damaged: list[LabelledFile]) -> None:
    checked = [check_label(file.path, Settings(_env_file=None)) for file in damaged]
    assert [slip for label in checked for slip in label.slips] == []
    assert all(label.is_compared for label in checked)


UNHEEDED = [
    Sign(ignore_equations, "accepted-wrong", "damaged_page_numbers", "applications.refused.process_information.total"),
    Sign(ignore_text, "accepted-wrong", "damaged_contradicted", "review_litigation.review.total"),
    Sign(take_any_clause, "accepted-wrong", "damaged_numbers_of_others", "narrative.proactive_items_total"),
    Sign(take_any_clause, "accepted-wrong", "damaged_numbers_in_doubt", "narrative.applications_received"),
    Sign(ignore_code("cut-off"), "accepted-wrong", "damaged_notes", "applications.granted.total"),
    Sign(ignore_code("rows-missing"), "accepted-wrong", "damaged_cut_row", "applications.carried_in.natural_person"),
    Sign(
        ignore_code("cell-not-separated"), "accepted-wrong", "damaged_notes", "proactive_disclosure.penalties.decisions"
    ),
    Sign(
        ignore_code("columns-unverified"),
        "accepted-wrong",
        "damaged_site_numbers",
        "review_litigation.litigation_direct.pending",
    ),
    Sign(ignore_flags, "accepted-wrong", "damaged_half_row", "applications.granted.total"),
    Sign(ignore_flags, "accepted-wrong", "damaged_letters", "proactive_disclosure.coercion.decisions"),
    Sign(ignore_flags, "accepted-wrong", "damaged_lost_widths", "applications.partially_granted.other_org"),
]


@pytest.mark.parametrize("sign", UNHEEDED, ids=lambda sign: f"{sign.plant.__name__}-{sign.document}")
def test_doubt_that_is_not_heeded_any_more_accepts_a_wrong_value(
    planting: Patch, damaged: list[LabelledFile], doubted: Evaluation, sign: Sign
) -> None:
    assert check_gate(doubted, doubted).is_green
    sign.plant(planting)
    assert sign[1:] in found_by(check_gate(evaluate(damaged), doubted))


@pytest.mark.parametrize("name", OBJECTIONS)
def test_every_objection_to_a_sentence_is_missed(
    planting: Patch, damaged: list[LabelledFile], doubted: Evaluation, name: str
) -> None:
    """A new objection wants a sentence in eval/damaged_gold.py that it alone speaks against."""
    left = {
        fact: tuple(objects for objects in some if objects.__name__ != name)
        for fact, some in narrative_objections._OBJECTIONS.items()
    }
    planting.setattr(narrative_objections, "_OBJECTIONS", left)
    texts = [file for file in damaged if file.label.name.startswith("damaged_numbers_")]
    assert "accepted-wrong" in {rule for rule, _, _ in found_by(check_gate(evaluate(texts)))}


# ---------------------------------------------------------------- replies


def evaluate_replayed(files: Sequence[LabelledFile], replay: Path) -> Evaluation:
    settings = Settings(_env_file=None)
    return evaluate(files, ModelPart.build("auto", open_recorded(settings, replay), settings))


@pytest.fixture(scope="module")
def seeds(gold: list[LabelledFile]) -> list[LabelledFile]:
    return [file for file in gold if file.label.kind == "real"]


def without_reply(folder: Path) -> Path:
    """The recorded replies, the last one left out."""
    header, *replies = REPLIES.read_text(encoding="utf-8").splitlines()
    header = json.dumps(json.loads(header) | {"replies": len(replies) - 1})
    path = folder / "replies.jsonl"
    path.write_text("\n".join([header, *replies[:-1], ""]), encoding="utf-8")
    return path


def test_missing_reply_turns_the_gate_red(seeds: list[LabelledFile], tmp_path: Path) -> None:
    before = evaluate_replayed(seeds, REPLIES)
    assert check_gate(before, before).is_green
    gate = check_gate(evaluate_replayed(seeds, without_reply(tmp_path)), before)
    ((rule, document, _),) = found_by(gate)
    assert rule == "reply-missing"
    assert document in {file.label.name for file in seeds}
    assert "a question to the model has no reply" in gate.failures[0].sentence


def test_missing_reply_that_no_record_tells_of_turns_the_gate_red_all_the_same(
    planting: Patch, seeds: list[LabelledFile], tmp_path: Path
) -> None:
    """What the rules read is accepted as if the model had been asked, and the flag is lost."""
    planting.setattr(asking.PartReading, "fail", lambda *_: None)
    gate = check_gate(evaluate_replayed(seeds, without_reply(tmp_path)))
    assert found_by(gate) == {("reply-missing", "", "")}
