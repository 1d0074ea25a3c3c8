"""Whatever people do in whatever order, the books stay true."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import flatten
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from extractor.errors import ItemHeld, StaleItem
from extractor.review.answers import SAYS, Answer
from extractor.review.desk import Task
from extractor.review.rulings import fold_reviews, list_counting
from extractor.review.sync import list_twice
from extractor.settings import Settings
from extractor.store.store import Store

from .conftest import Office, print_form

PEOPLE = ("an", "bo", "cy")
TRUE = flatten.make_values("2021", 4)
CELL, FAR = "applications.granted.natural_person", "review_litigation.review.upheld"
REPORT = print_form(TRUE | {CELL: TRUE[CELL] + 1, FAR: "若干", "applications.carried_in.total": "两三件"})
STATES = ("open", "settled", "gone")
_TEMPLATE: list[Path] = []


class Reviewing(RuleBasedStateMachine):
    """Three people claim, answer, let go, wait and take back; one report is read a second time."""

    @initialize(share=st.sampled_from([0.0, 1.0]), is_audited=st.booleans())
    def open(self, share: float, is_audited: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        if not _TEMPLATE:
            _TEMPLATE.append(Path(tempfile.mkdtemp()) / "empty.sqlite")
            Store.open(str(_TEMPLATE[0])).close()
        shutil.copy(_TEMPLATE[0], self.folder / "store.sqlite")
        self.store = Store.open(str(self.folder / "store.sqlite"))
        chosen = Settings(double_review_share=share, audit_share=0.5 if is_audited else 0.0)
        self.office = Office(self.store, chosen)
        self.desk = self.office.desk
        self.office.hire(*PEOPLE)
        self.document = self.office.file(REPORT)
        self.tasks: dict[str, Task] = {}
        self.said = 0

    @rule(account=st.sampled_from(PEOPLE))
    def claim(self, account: str) -> None:
        task = self.desk.claim_next(account)
        if task:
            assert account not in task.item.answered_by
            self.tasks[account] = task

    @rule(account=st.sampled_from(PEOPLE), number=st.integers(0, 9))
    def claim_one(self, account: str, number: int) -> None:
        items = self.office.items(self.document)
        if items:
            try:
                self.tasks[account] = self.desk.claim(items[number % len(items)].id, account)
            except ItemHeld:
                assert (
                    items[number % len(items)].holder not in (None, account)
                    or account in items[number % len(items)].answered_by
                )

    @precondition(lambda self: self.tasks)
    @rule(account=st.sampled_from(PEOPLE), how=st.sampled_from(["true", "accept", "wrong", "unknowable"]))
    def decide(self, account: str, how: str) -> None:
        task = self.tasks.pop(account, None)
        if task is None:
            return
        answers = [self.answer(task, name, how) for name in task.item.fields]
        before = len(self.desk.history(self.document, account))
        try:
            self.desk.decide(task.item.id, task.item.version, account, answers)
            self.said += 1
        except (StaleItem, ItemHeld):
            assert len(self.desk.history(self.document, account)) == before

    def answer(self, task: Task, name: str, how: str) -> Answer:
        says = task.record.fields[name].state in SAYS
        if how == "unknowable" or (how == "accept" and not says):
            return Answer(name, "unknowable")
        if how == "accept" or name not in TRUE:
            return Answer(name, "accepted" if says else "unknowable")
        return Answer(name, "corrected", text=str(TRUE[name] + (3 if how == "wrong" else 0)))

    @rule(account=st.sampled_from(PEOPLE))
    def release(self, account: str) -> None:
        task = self.tasks.pop(account, None)
        if task:
            self.desk.release(task.item.id, account)

    @rule(minutes=st.sampled_from([1.0, 20.0]))
    def wait(self, minutes: float) -> None:
        self.office.clock.wait(minutes=minutes)

    @precondition(lambda self: self.said)
    @rule(number=st.integers(0, 9), account=st.sampled_from(PEOPLE), role=st.sampled_from(["reviewer", "admin"]))
    def undo(self, number: int, account: str, role: str) -> None:
        with self.store.read() as books:
            reviews = books.reviews.of_document(self.document)
        review = reviews[number % len(reviews)]
        try:
            self.desk.undo(review.id, account, role)
            assert role == "admin" or review.account == account
            assert review.kind == "decide"
        except (StaleItem, ItemHeld):
            pass

    @rule()
    def file_again(self) -> None:
        self.office.file(REPORT)

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def words_are_the_fold_of_reviews(self) -> None:
        live = self.office.live(self.document)
        with self.store.read() as books:
            items = books.queue.of_document(self.document, STATES)
            reviews = books.reviews.of_document(self.document)
        folded = fold_reviews(reviews, list_twice(items))
        assert {name: field.ruling for name, field in live.fields.items() if field.ruling} == folded

    @invariant()
    def what_is_in_review_is_asked_about_once(self) -> None:
        live = self.office.live(self.document)
        items = self.office.items(self.document)
        asked = [name for item in items for name in item.fields]
        assert len(asked) == len(set(asked))
        unknowable = {name for name, one in live.fields.items() if one.ruling and one.ruling.action == "unknowable"}
        in_review = {name for name, field in live.fields.items() if field.decision == "review"}
        assert in_review - unknowable <= set(asked)
        half_done = {name for item in items if item.answered_by for name in item.fields}
        audited = {name for item in items if item.kind == "audit" for name in item.fields}
        assert set(asked) <= in_review | half_done | audited

    @invariant()
    def nobody_looks_twice_at_one_item(self) -> None:
        with self.store.read() as books:
            reviews = books.reviews.of_document(self.document)
        for item in self.office.items(self.document):
            looks = [one.account for one in list_counting(reviews) if one.item_id == item.id]
            assert len(looks) == len(set(looks))
            assert item.holder not in item.answered_by
            assert len(set(item.answered_by)) == len(item.answered_by) == item.round - 1

    @invariant()
    def nothing_that_was_said_is_lost(self) -> None:
        with self.store.read() as books:
            reviews = books.reviews.of_document(self.document)
        assert sum(one.kind == "decide" for one in reviews) == self.said
        assert [one.id for one in reviews] == sorted(one.id for one in reviews)
        assert all(one.account in PEOPLE for one in reviews)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


TestReviewing = Reviewing.TestCase
TestReviewing.settings = settings(max_examples=8, stateful_step_count=14, deadline=None)
