"""The rules of the gate, one by one, over made-up results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError
from extractor.evaluation.gate import GateReport, check_gate
from extractor.evaluation.losses import DeclaredLoss, load_losses
from extractor.evaluation.result import DocumentResult, Evaluation, FieldResult
from extractor.model import CellState

GRANTED = "applications.granted.total"
BUSINESS = "applications.granted.business"


def field(name: str = GRANTED, verdict: str = "right", *, accepted: bool = False, **other: Any) -> FieldResult:
    """A field that the label prints as 4."""
    said = {"right": 4, "wrong": 5}.get(verdict)
    told = {"expected": CellState.VALUE, "printed": 4, "found": CellState.VALUE, "said": said} | other
    return FieldResult(field=name, verdict=verdict, accepted=accepted, **told)  # type: ignore[arg-type]


def document(name: str = "a", *fields: FieldResult, **other: Any) -> DocumentResult:
    known = {"kind": "real", "path": f"docs/{name}.txt", "layout": "text, rows", "generation": "2021"}
    counts = {"status": "succeeded", "labelled": 9, "printed_nonzero": 4, "accepted_nonzero": 4}
    return DocumentResult(name=name, fields=fields, **known | counts | other)  # type: ignore[arg-type]


def evaluation(*documents: DocumentResult, **other: Any) -> Evaluation:
    return Evaluation(**{"readers": "template", "documents": documents} | other)


def rules(gate: GateReport) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.document, finding.field) for finding in gate.failures]


# ---------------------------------------------------------------- always


def test_nothing_to_say_of_what_is_right_or_in_review() -> None:
    gate = check_gate(evaluation(document("a", field(verdict="wrong"), field(BUSINESS, "open"))))
    assert (gate.is_green, gate.has_baseline) == (True, False)


@pytest.mark.parametrize("kind", ["real", "re-set", "generated", "corrupted"])
def test_accepted_wrong_value_is_red_in_every_kind(kind: str) -> None:
    gate = check_gate(evaluation(document("a", field(verdict="wrong", accepted=True), kind=kind)))
    assert rules(gate) == [("accepted-wrong", "a", GRANTED)]
    assert gate.failures[0].sentence == (
        f"a: {GRANTED} prints 4, and 5 was accepted. Look at it (extractor show docs/a.txt); correct the reader, or "
        "the label where it does not say what is printed."
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (field(verdict="wrong", expected=CellState.BLANK, printed=None, accepted=True), "prints blank, and 5"),
        (field(verdict="wrong", found=CellState.BLANK, said=None, accepted=True), "prints 4, and blank"),
        (
            field(verdict="invented", expected=None, printed=None, said=0, accepted=True),
            "is not in the document's form",
        ),
        (field("narrative.reviews", "wrong", expected=None, printed=None, accepted=True), "is not stated in the text"),
    ],
)
def test_sentence_says_what_is_printed_and_what_was_accepted(wrong: FieldResult, said: str) -> None:
    (finding,) = check_gate(evaluation(document("a", wrong))).failures
    assert said in finding.sentence


def test_missing_reply_is_red() -> None:
    gate = check_gate(evaluation(document("a", missing_replies=True), document("b"), missing_replies=1))
    assert rules(gate) == [("reply-missing", "a", "")]


def test_missing_reply_is_red_when_no_record_tells_of_it() -> None:
    assert rules(check_gate(evaluation(document("a"), missing_replies=2))) == [("reply-missing", "", "")]


# ---------------------------------------------------------------- against a baseline


@pytest.mark.parametrize(
    ("before", "now", "is_loss"),
    [
        ((), (field(),), True),  # right and accepted -> right, for review
        ((), (field(verdict="open"),), True),
        ((field(),), (field(verdict="wrong"),), True),
        ((field(),), (field(verdict="missing"),), True),
        ((field(),), (field(),), False),
        ((field(),), (), False),
        ((field(verdict="open"),), (field(verdict="wrong"),), False),  # neither was right
        ((field(verdict="wrong"),), (field(),), False),
        ((), (field("applications.other_result.merged.total", "invented"),), False),  # for review, and not labelled
    ],
)
def test_field_that_fares_worse_is_a_loss(
    before: tuple[FieldResult, ...], now: tuple[FieldResult, ...], is_loss: bool
) -> None:
    gate = check_gate(evaluation(document("a", *now)), evaluation(document("a", *before)))
    assert rules(gate) == ([("loss", "a", GRANTED)] if is_loss else [])


def test_loss_says_how_the_field_fared_and_what_speaks_against_it() -> None:
    now = evaluation(document("a", field(verdict="wrong", flags=("cut-off", "row-repeated"))))
    (finding,) = check_gate(now, evaluation(document("a"))).failures
    assert finding.sentence == (
        f"a: {GRANTED} was right and accepted and is not right now: it prints 4, the record says 5, named by cut-off, "
        "row-repeated. Correct the reader, or declare the loss with its reason."
    )


def test_value_accepted_wrong_is_told_once_and_cannot_be_declared() -> None:
    now = evaluation(document("a", field(verdict="wrong", accepted=True)))
    losses = [DeclaredLoss(document="a", field="*", reason="known")]
    assert rules(check_gate(now, evaluation(document("a")))) == [("accepted-wrong", "a", GRANTED)]
    assert [rule for rule, *_ in rules(check_gate(now, evaluation(document("a")), losses))] == [
        "accepted-wrong",
        "declaration",
    ]


def test_document_that_cannot_be_read_any_more_is_one_failure() -> None:
    fields = [field(verdict="missing"), field(BUSINESS, "missing")]
    now = evaluation(document("a", *fields, problem="this is a PDF. Export it", accepted_nonzero=4))
    gate = check_gate(now, evaluation(document("a")))
    assert rules(gate) == [("not-read", "a", "")]
    assert "this is a PDF. Export it" in gate.failures[0].sentence
    assert check_gate(now, now).is_green


def test_document_that_is_gone_and_label_that_says_less() -> None:
    before = evaluation(document("a"), document("b"))
    gate = check_gate(evaluation(document("b", labelled=8)), before)
    assert rules(gate) == [("not-evaluated", "a", ""), ("label-reduced", "b", "")]
    assert check_gate(evaluation(document("a"), document("b", labelled=10)), before).is_green


def test_what_nobody_judges_may_not_grow() -> None:
    before = evaluation(document("a", unjudged=("narrative.reviews",)))
    now = evaluation(document("a", unjudged=("narrative.reviews", "narrative.litigations")))
    assert rules(check_gate(now, before)) == [("unjudged", "a", "narrative.litigations")]
    assert check_gate(before, now).is_green


def test_share_of_accepted_numbers_is_compared_by_kind_and_on_common_documents() -> None:
    before = evaluation(document("a"), document("b", kind="re-set"))
    now = evaluation(document("a", accepted_nonzero=3), document("b", kind="re-set"), document("c", accepted_nonzero=0))
    gate = check_gate(now, before)
    assert rules(gate) == [("accepted-share", "", "")]
    assert "real documents: of the printed numbers other than 0, 3 of 4" in gate.failures[0].sentence
    # A share, not a count: a label that prints fewer numbers has the same one.
    fewer = evaluation(document("a", accepted_nonzero=2, printed_nonzero=2), document("b", kind="re-set"))
    assert check_gate(fewer, before).is_green


# ---------------------------------------------------------------- declared losses


def test_declared_loss_passes_with_its_reason_and_the_share_may_fall_by_it() -> None:
    now = evaluation(document("a", field(), accepted_nonzero=3))
    losses = [DeclaredLoss(document="a", field="applications.granted.*", reason="the row is torn")]
    gate = check_gate(now, evaluation(document("a")), losses)
    assert gate.is_green
    assert gate.declared[0].sentence.endswith(" now: it prints 4, the record says 4. Declared: the row is torn")


@pytest.mark.parametrize(
    ("loss", "problem"),
    [
        (DeclaredLoss(document="a", field=GRANTED), "has no reason"),
        (DeclaredLoss(document="a", field=GRANTED, reason="  "), "has no reason"),
        (DeclaredLoss(document="b", field=GRANTED, reason="x"), "there is none. Take it out"),
        (DeclaredLoss(document="a", field="applications.refused.*", reason="x"), "there is none. Take it out"),
    ],
)
def test_declaration_without_reason_or_without_loss_is_red_and_covers_nothing(loss: DeclaredLoss, problem: str) -> None:
    gate = check_gate(evaluation(document("a", field())), evaluation(document("a")), [loss])
    assert [rule for rule, *_ in rules(gate)] == ["loss", "declaration"]
    assert problem in gate.failures[1].sentence


def test_losses_need_a_baseline() -> None:
    with pytest.raises(SettingsError, match="--baseline"):
        check_gate(evaluation(), None, [DeclaredLoss(document="a", field="*", reason="x")])


def test_file_of_losses(tmp_path: Path) -> None:
    path = tmp_path / "losses.toml"
    path.write_text('[[loss]]\ndocument = "a"\nfield = "x.*"\nreason = " torn "\n', encoding="utf-8")
    assert load_losses(path) == (DeclaredLoss(document="a", field="x.*", reason="torn"),)
    path.write_text("# none\n", encoding="utf-8")
    assert load_losses(path) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("[[loss", "not a TOML file"),
        ('[[loss]]\ndocument = "a"\n', "loss.0.field: Field required"),
        ('[[loss]]\ndocument = "a"\nfield = "b"\nwhy = "c"\n', "loss.0.why"),
        ("[[losses]]\n", "losses"),
    ],
)
def test_wrong_file_of_losses_is_named_with_its_remedy(tmp_path: Path, text: str | None, problem: str) -> None:
    path = tmp_path / "losses.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=problem) as caught:
        load_losses(path)
    assert str(path) in str(caught.value)
    assert "[[loss]]" in str(caught.value)


def test_the_declared_losses_of_the_repository_can_be_read() -> None:
    load_losses(Path(__file__).parents[3] / "eval" / "losses.toml")


# ---------------------------------------------------------------- what does not fail


def test_gains_are_told_and_fail_nothing() -> None:
    names = [f"applications.refused.r{n}" for n in range(5)]
    before = evaluation(
        document("a", *(field(name, "open") for name in names)),
        document("b", problem="a PDF"),
        document("c", field()),
    )
    gate = check_gate(evaluation(document("a"), document("b"), document("c"), document("d")), before)
    assert gate.is_green
    assert gate.gains == (
        "d is new",
        f"a: 5 fields fare better: {', '.join(names[:3])}, …",
        "b could not be read before, and can be now",
        f"c: 1 fields fare better: {GRANTED}",
    )


def test_changed_label_or_document_is_noted() -> None:
    before = evaluation(document("a", label_hash="1", document_hash="1"), document("b", label_hash="1"))
    now = evaluation(document("a", label_hash="2", document_hash="3"), document("b", label_hash="1"))
    gate = check_gate(now, before)
    assert gate.is_green
    assert gate.notes == ("a: its label and its document changed since the baseline was made",)


@pytest.mark.parametrize(
    "other",
    [
        {"readers": "auto", "model": "m", "replies": ("live",)},
        {"readers": "both", "model": "written-by-hand", "replies": ("written by hand",)},
    ],
)
def test_baseline_of_other_readers_or_replies_is_refused(other: dict[str, Any]) -> None:
    now = evaluation(document(), readers="both", model="m", replies=("live",))
    with pytest.raises(SettingsError, match="the baseline was made with") as caught:
        check_gate(now, evaluation(document(), **other))
    assert "name another baseline" in str(caught.value)


def test_replies_that_are_all_missing_do_not_hide_behind_the_baseline() -> None:
    before = evaluation(document(), readers="auto", model="m", replies=("written by hand",))
    now = evaluation(document(missing_replies=True), readers="auto", model="m")
    assert rules(check_gate(now, before)) == [("reply-missing", "a", "")]
