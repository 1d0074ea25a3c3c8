"""Two evaluations: gains and losses, what the test may say of them, and what is said whatever the test does."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import SettingsError
from extractor.evaluation.compare import Comparison, compare_evaluations
from extractor.evaluation.outcomes import Verdict
from extractor.evaluation.permutation import adjust_holm, flip_signs, reach_p
from extractor.evaluation.questions import Answer
from extractor.evaluation.result import DocumentResult, Evaluation, FieldResult
from extractor.model import CellState

LABELLED = 20
VALUE = CellState.VALUE


def field(number: int, verdict: Verdict, *, accepted: bool = False, said: int = 8) -> FieldResult:
    expected = None if verdict == "invented" else VALUE
    found, value = (None, None) if verdict == "missing" else (VALUE, 4 if verdict == "right" else said)
    return FieldResult(
        field=f"applications.x{number}", verdict=verdict, accepted=accepted, expected=expected,
        printed=None if verdict == "invented" else 4, found=found, said=value,
    )  # fmt: skip


REVIEWED = field(1, "right")
MISREAD = field(1, "wrong")
SLIPPED = field(1, "wrong", accepted=True)


def document(name: str, *fields: FieldResult, **other: object) -> DocumentResult:
    known: dict[str, object] = {"kind": "real", "status": "succeeded", "labelled": LABELLED} | other
    return DocumentResult(
        name=name, path=name, layout="l", generation="2021", printed_nonzero=5, accepted_nonzero=5, fields=fields,
        **known,  # type: ignore[arg-type]
    )  # fmt: skip


def evaluation(*documents: DocumentResult) -> Evaluation:
    return Evaluation(readers="template", documents=documents)


def many(number: int, *fields: FieldResult, prefix: str = "d", **other: object) -> list[DocumentResult]:
    return [document(f"{prefix}{index:03d}", *fields, **other) for index in range(number)]


def answers(comparison: Comparison, kind: str = "real") -> dict[str, Answer]:
    return {answer.question: answer for one in comparison.kinds if one.kind == kind for answer in one.answers}


def verdicts(comparison: Comparison, kind: str = "real") -> dict[str, str]:
    return {question: answer.verdict for question, answer in answers(comparison, kind).items()}


# ---------------------------------------------------------------- verdicts


def test_the_same_outcomes_are_no_difference() -> None:
    same = evaluation(*many(5, MISREAD, SLIPPED.model_copy(update={"field": "applications.x2"})))
    found = compare_evaluations(same, same)
    assert found.verdict == "no difference"
    assert set(verdicts(found).values()) == {"no difference"}
    assert found.new_accepted_wrong == ()
    assert found.kinds[0].changes == ()
    assert found.kinds[0].documents == 5


def test_ten_documents_that_lose_are_worse_and_turned_round_better() -> None:
    """Right still, but for review: one question differs, and its exact p is that of ten signs alike."""
    a, b = evaluation(*many(30)), evaluation(*many(10, REVIEWED), *many(30)[10:])
    worse, better = compare_evaluations(a, b), compare_evaluations(b, a)
    assert verdicts(worse) == {"right": "no difference", "accepted_right": "worse", "accepted_wrong": "no difference"}
    assert answers(worse)["accepted_right"].p == pytest.approx(2 / 2**10)
    assert answers(worse)["accepted_right"].p_adjusted == pytest.approx(2 / 2**10)
    assert (worse.verdict, better.verdict) == ("worse", "better")
    assert worse.questions == 1


def test_eight_documents_are_too_few_for_any_verdict() -> None:
    found = compare_evaluations(evaluation(*many(30)), evaluation(*many(8, REVIEWED), *many(30)[8:]))
    answer = answers(found)["accepted_right"]
    assert (answer.verdict, answer.p, answer.documents) == ("inconclusive", None, 8)
    assert answer.reachable == pytest.approx(2 / 2**8)
    assert found.verdict == "inconclusive"
    assert found.questions == 0


def test_nine_documents_settle_one_question_but_not_two() -> None:
    """Asked together, two questions need more: that is what keeps false alarms rare however much is asked."""
    one = compare_evaluations(evaluation(*many(9)), evaluation(*many(9, REVIEWED)))
    assert answers(one)["accepted_right"].verdict == "worse"
    two = compare_evaluations(evaluation(*many(9)), evaluation(*many(9, MISREAD)))
    assert verdicts(two) == {
        "right": "inconclusive",
        "accepted_right": "inconclusive",
        "accepted_wrong": "no difference",
    }
    assert answers(two)["right"].p == pytest.approx(2 / 2**9)
    assert answers(two)["right"].p_adjusted == pytest.approx(4 / 2**9)
    assert two.questions == 2


def test_accepted_and_wrong_has_half_of_the_level() -> None:
    """Ten documents settle that B accepts more that is wrong, although three questions are asked."""
    found = compare_evaluations(evaluation(*many(30)), evaluation(*many(10, SLIPPED), *many(30)[10:]))
    assert verdicts(found) == {"right": "worse", "accepted_right": "worse", "accepted_wrong": "worse"}
    assert answers(found)["accepted_wrong"].p_adjusted == pytest.approx(2 * 2 / 2**10)


def test_gains_and_losses_that_balance_are_inconclusive() -> None:
    a = evaluation(*many(10, prefix="a"), *many(10, REVIEWED, prefix="b"))
    b = evaluation(*many(10, REVIEWED, prefix="a"), *many(10, prefix="b"))
    answer = answers(compare_evaluations(a, b))["accepted_right"]
    assert (answer.more, answer.fewer, answer.verdict) == (10, 10, "inconclusive")
    assert answer.p == 1


def test_more_right_and_less_accepted_is_worse_on_the_whole() -> None:
    """A version that puts everything right and into review has not got better."""
    a = evaluation(*many(30, MISREAD))
    b = evaluation(*many(30, REVIEWED, *(field(number, "right") for number in range(2, 9))))
    found = compare_evaluations(a, b)
    assert verdicts(found) == {"right": "better", "accepted_right": "worse", "accepted_wrong": "no difference"}
    assert found.verdict == "worse"


def test_kinds_are_compared_apart() -> None:
    real, made = many(10, prefix="r"), many(10, REVIEWED, prefix="g", kind="generated")
    a = evaluation(*real, *made)
    b = evaluation(*many(10, REVIEWED, prefix="r"), *many(10, prefix="g", kind="generated"))
    found = compare_evaluations(a, b)
    assert [one.kind for one in found.kinds] == ["real", "generated"]
    assert verdicts(found)["accepted_right"] == "worse"
    assert verdicts(found, "generated")["accepted_right"] == "better"
    assert found.questions == 2


def test_twelve_thousand_arrangements_are_drawn_and_settled_by_the_seed() -> None:
    a, b = evaluation(*many(40)), evaluation(*many(25, REVIEWED), *many(40)[25:])
    found = compare_evaluations(a, b, seed=1)
    assert answers(found)["accepted_right"].p == pytest.approx(2 / 10_001)
    assert found == compare_evaluations(a, b, seed=1)


# ---------------------------------------------------------------- accepted and wrong


def test_one_new_accepted_wrong_value_is_listed_whatever_p_says() -> None:
    found = compare_evaluations(evaluation(*many(100)), evaluation(*many(99), document("d099", SLIPPED)))
    assert verdicts(found)["accepted_wrong"] == "inconclusive"
    (item,) = found.new_accepted_wrong
    assert (item.document, item.field, item.kind) == ("d099", "applications.x1", "real")
    assert (item.printed, item.before, item.said) == ("prints 4", "right, accepted", "accepted as 8")
    assert found.verdict == "worse"


def test_another_wrong_value_is_new_and_the_same_one_is_not() -> None:
    a = evaluation(document("a", SLIPPED))
    b = evaluation(document("a", field(1, "wrong", accepted=True, said=9)))
    assert compare_evaluations(a, a).new_accepted_wrong == ()
    (item,) = compare_evaluations(a, b).new_accepted_wrong
    assert (item.before, item.said) == ("accepted as 8", "accepted as 9")


def test_more_accepted_and_wrong_is_worse_and_fewer_is_better() -> None:
    a, b = evaluation(*many(40)), evaluation(*many(12, SLIPPED), *many(40)[12:])
    assert verdicts(compare_evaluations(a, b)) == dict.fromkeys(("right", "accepted_right", "accepted_wrong"), "worse")
    assert verdicts(compare_evaluations(b, a)) == dict.fromkeys(("right", "accepted_right", "accepted_wrong"), "better")


def test_an_accepted_wrong_value_that_is_gone_is_a_gain() -> None:
    found = compare_evaluations(evaluation(document("a", SLIPPED)), evaluation(document("a")))
    assert found.new_accepted_wrong == ()
    (change,) = found.kinds[0].changes
    assert [one.field for one in change.gains] == ["applications.x1"]
    assert answers(found)["accepted_wrong"].fewer == 1


def test_accepted_wrong_values_of_a_new_document_are_listed_too() -> None:
    found = compare_evaluations(evaluation(document("a")), evaluation(document("a"), document("b", SLIPPED)))
    assert [(item.document, item.before) for item in found.new_accepted_wrong] == [("b", "not evaluated")]
    assert (found.only_a, found.only_b, found.verdict) == ((), ("b",), "worse")
    assert found.kinds[0].documents == 1


def test_documents_of_a_alone_are_listed_and_not_compared() -> None:
    found = compare_evaluations(evaluation(*many(9)), evaluation(document("d000")))
    assert found.only_a == tuple(f"d00{number}" for number in range(1, 9))
    assert found.verdict == "no difference"


# ---------------------------------------------------------------- what is compared


@pytest.mark.parametrize(
    "other", [{"labelled": LABELLED + 1}, {"label_hash": "new"}, {"document_hash": "new"}], ids=min
)
def test_documents_with_another_label_or_file_are_in_no_test(other: dict[str, object]) -> None:
    old = {"label_hash": "old", "document_hash": "old"}
    a, b = evaluation(*many(10, **old)), evaluation(*many(10, SLIPPED, **(old | other)))
    found = compare_evaluations(a, b)
    assert len(found.relabelled) == 10
    assert found.kinds == ()
    assert len(found.new_accepted_wrong) == 10


def test_an_invented_field_is_wrong_where_it_is_and_right_where_it_is_not() -> None:
    found = compare_evaluations(evaluation(document("a")), evaluation(document("a", field(1, "invented"))))
    assert {name: (one.more, one.fewer) for name, one in answers(found).items()} == {
        "right": (0, 1),
        "accepted_right": (0, 0),
        "accepted_wrong": (0, 0),
    }
    accepted = evaluation(document("a", field(1, "invented", accepted=True)))
    (item,) = compare_evaluations(evaluation(document("a")), accepted).new_accepted_wrong
    assert (item.before, item.said) == ("not there", "accepted as 8")


def test_a_document_that_fails_says_so() -> None:
    lost = [field(number, "missing") for number in range(LABELLED)]
    b = evaluation(document("a", *lost, status="failed", problem="no such layout"))
    (change,) = compare_evaluations(evaluation(document("a")), b).kinds[0].changes
    assert change.problem == "could not be read in B (no such layout)"
    assert len(change.losses) == LABELLED
    (change,) = compare_evaluations(b, evaluation(document("a"))).kinds[0].changes
    assert change.problem == "could not be read in A (no such layout)"


def test_names_must_tell_documents_apart() -> None:
    twice = evaluation(document("a"), document("a"))
    with pytest.raises(SettingsError, match="evaluation B: two real documents are called a"):
        compare_evaluations(evaluation(document("a")), twice)
    both = evaluation(document("a"), document("a", kind="generated"))
    assert compare_evaluations(both, both).verdict == "no difference"


def test_what_was_run_is_noted_where_it_differs() -> None:
    a = Evaluation(readers="auto", model="m", versions={"forms": "1"}, documents=(document("a", missing_replies=True),))
    b = Evaluation(readers="both", model="m", versions={"forms": "2"}, documents=(document("a"),))
    assert compare_evaluations(a, b).notes == (
        "readers: A auto, B both",
        "version of forms: A 1, B 2",
        "documents of both that want a recorded reply which is not there: A 1, B 0",
    )


# ---------------------------------------------------------------- properties

LABELLED_FIELD = st.sampled_from(
    [None, REVIEWED, MISREAD, SLIPPED, field(1, "wrong", accepted=True, said=9), field(1, "missing")]
)
UNLABELLED_FIELD = st.sampled_from([None, field(2, "invented"), field(2, "invented", accepted=True)])
KINDS = st.sampled_from(["real", "generated"])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Evaluation, Evaluation]:
    """Two evaluations, field by field alike or far apart."""
    sides = st.tuples(st.tuples(LABELLED_FIELD, UNLABELLED_FIELD), st.tuples(LABELLED_FIELD, UNLABELLED_FIELD), KINDS)
    drawn = draw(st.lists(sides, max_size=16))
    a, b = (
        evaluation(*(document(f"d{n}", *filter(None, one[side]), kind=one[2]) for n, one in enumerate(drawn)))
        for side in (0, 1)
    )
    return a, b


TURNED = {"better": "worse", "worse": "better", "no difference": "no difference", "inconclusive": "inconclusive"}


@settings(deadline=None)
@given(pairs())
def test_turned_round_every_verdict_turns(both: tuple[Evaluation, Evaluation]) -> None:
    a, b = both
    there, back = compare_evaluations(a, b), compare_evaluations(b, a)
    for one, other in zip(there.kinds, back.kinds, strict=True):
        for answer, turned in zip(one.answers, other.answers, strict=True):
            assert turned.verdict == TURNED[answer.verdict]
            assert (turned.more, turned.fewer, turned.p) == (answer.fewer, answer.more, answer.p)
        assert [len(change.gains) for change in one.changes] == [len(change.losses) for change in other.changes]


@settings(deadline=None)
@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(both: tuple[Evaluation, Evaluation], rng: Random) -> None:
    a, b = both
    shuffled = list(b.documents)
    rng.shuffle(shuffled)
    assert compare_evaluations(a, evaluation(*shuffled)) == compare_evaluations(a, b)


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=8))
def test_few_signs_are_all_tried(differences: list[int]) -> None:
    """The exact p is twice the smaller tail over every arrangement of signs."""
    values = [value for value in differences if value]
    sums = [
        sum(sign * value for sign, value in zip(signs, values, strict=True))
        for signs in product((1, -1), repeat=len(values))
    ]
    tails = (sum(one >= sum(values) for one in sums), sum(one <= sum(values) for one in sums))
    expected = min(1.0, 2 * min(tails) / len(sums))
    assert flip_signs(differences, permutations=10_000, seed=0) == pytest.approx(expected)
    assert expected >= reach_p(len(values), 10_000)


def test_drawn_signs_do_not_depend_on_the_order_of_documents() -> None:
    differences = [3, -2] * 15 + [2] * 2
    orders = (Random(seed).sample(differences, len(differences)) for seed in range(8))
    (p,) = {flip_signs(one, permutations=500, seed=0) for one in orders}
    assert 2 / 501 < p < 1


def test_holm_makes_the_smallest_p_pay_for_all() -> None:
    """A worked example: 0.005 pays fourfold, the next threefold, and none may be below the one before."""
    assert adjust_holm([0.04, 0.01, 0.03, 0.005], [1, 1, 1, 1]) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert adjust_holm([0.9, 0.8], [1, 1]) == [1.0, 1.0]
    assert adjust_holm([], []) == []


def test_a_question_of_double_weight_pays_half() -> None:
    assert adjust_holm([0.01, 0.002], [2, 1]) == pytest.approx([0.01, 0.006])
    assert adjust_holm([0.01, 0.01], [2, 1]) == pytest.approx([0.015, 0.015])
