"""Whatever people do in whatever order, the books stay true."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import flatten
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from extractor.errors import ItemHeld, StaleItem
from extractor.model import CellState
from extractor.pipeline import apply_rulings, process_document
from extractor.review.answers import SAYS, Answer, is_same_word, word_of
from extractor.review.desk import Task
from extractor.review.rounds import check_may_answer, find_last_resort
from extractor.review.rulings import fold_reviews, list_counting
from extractor.review.sync import list_twice
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.shapes import Item, QueueFilter, Review
from extractor.store.store import Store

from .conftest import Office, print_form

PEOPLE = ("an", "bo", "cy")
TRUE = flatten.make_values("2021", 4)
CELL, FAR = "applications.granted.natural_person", "review_litigation.review.upheld"
REPORT = print_form(TRUE | {CELL: TRUE[CELL] + 1, FAR: "若干", "applications.carried_in.total": "两三件"})
STATES = ("open", "settled", "gone")
_TEMPLATE: list[Path] = []


class Reviewing(RuleBasedStateMachine):
    """Three people claim, answer, let go, wait, take back, leave and return. A report is read a second time, by another
    version of the program, too, and found with other bytes at its place.
    """

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
        self.documents = [self.document]
        self.has_left = False
        self.tasks: dict[str, Task] = {}
        self.said = 0

    @rule(account=st.sampled_from(PEOPLE))
    def claim(self, account: str) -> None:
        task = self.desk.claim_next(account)
        if task:
            assert self.has_left or account not in task.item.answered_by
            self.tasks[account] = task

    @rule(account=st.sampled_from(PEOPLE), number=st.integers(0, 9))
    def claim_one(self, account: str, number: int) -> None:
        items = self.items()
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
        document = task.item.document_id
        before = len(self.desk.history(document, account))
        try:
            self.desk.decide(task.item.id, task.item.version, account, answers)
            self.said += 1
        except (StaleItem, ItemHeld):
            assert len(self.desk.history(document, account)) == before
            return
        for said in self.reviews(document)[-1].fields:
            shown = task.record.fields[said.field_id]
            assert is_same_word(said.before, word_of(shown))  # who says yes says it of what he saw

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
        reviews = [review for document in self.documents for review in self.reviews(document)]
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

    @rule(number=st.integers(0, 3))
    def read_otherwise(self, number: int) -> None:
        """The same bytes by another version of the program."""
        report = print_form(TRUE | {CELL: TRUE[CELL] + number, FAR: "若干", "applications.carried_in.total": number})
        document = read_document(report, "报告.txt", self.office.settings)
        record = process_document(document)
        identity = replace(record.document, id=self.document)
        self.office.file_as(record.model_copy(update={"document": identity}), document.text, REPORT)

    @rule(number=st.integers(0, 1))
    def find_other_bytes(self, number: int) -> None:
        """Another version of the report at the same place."""
        document = self.office.file(REPORT + f"\n附 {number}".encode())
        if document not in self.documents:
            self.documents.append(document)

    @rule(account=st.sampled_from(PEOPLE[1:]), is_active=st.booleans())
    def leave_or_return(self, account: str, is_active: bool) -> None:
        with self.store.write() as books:
            books.people.change_account(account, is_active=is_active)
        self.has_left = self.has_left or not is_active
        self.tasks.pop(account, None)

    # ---------------------------------------------------------------- what always holds

    def items(self) -> list[Item]:
        return [item for document in self.documents for item in self.office.items(document)]

    def reviews(self, document: str) -> list[Review]:
        with self.store.read() as books:
            return books.reviews.of_document(document)

    @invariant()
    def words_are_the_fold_of_reviews(self) -> None:
        for document in self.documents:
            with self.store.read() as books:
                live = books.documents.live(document)
                newest = books.documents.newest_extraction(document)
                items = books.queue.of_document(document, STATES)
            folded = fold_reviews(self.reviews(document), list_twice(items))
            assert {name: field.ruling for name, field in live.record.fields.items() if field.ruling} == folded
            assert live.id == newest.id
            assert live.record == apply_rulings(newest.record, folded)

    @invariant()
    def what_was_extracted_stands_beside_every_word(self) -> None:
        for document in self.documents:
            with self.store.read() as books:
                live = books.documents.live(document).record
                read = books.documents.newest_extraction(document).record
            for name, field in live.fields.items():
                is_ruled = field.ruling is not None and field.ruling.action != "unknowable"
                shown = field.candidates[0] if is_ruled else field
                extracted = read.fields[name]
                is_inferred = CellState.INFERRED_BY_EQUATION in (shown.state, extracted.state)
                assert is_inferred or (shown.state, shown.value) == (extracted.state, extracted.value)
                if field.decision == "accepted" and not is_ruled:
                    assert field.state in SAYS
                    assert not any(name in flag.fields for flag in live.flags)

    @invariant()
    def everything_that_waits_can_be_had_by_somebody(self) -> None:
        later = self.office.clock() + timedelta(days=1)  # all leases are over
        offered = set()
        with self.store.read() as books:
            for account in PEOPLE:
                known = books.people.account(account)
                for answered_by in (None, find_last_resort(books, account)):
                    skip: list[int] = []
                    while known and known.is_active:
                        item = books.queue.next_free(account, QueueFilter(), later, skip, answered_by)
                        if item is None:
                            break
                        check_may_answer(books, item, account)
                        skip.append(item.id)
                    offered |= set(skip)
        assert offered == {item.id for item in self.items()}

    @invariant()
    def what_is_in_review_is_asked_about_once(self) -> None:
        for document in self.documents:
            self.check_asked_once(document)

    def check_asked_once(self, document: str) -> None:
        live = self.office.live(document)
        items = self.office.items(document)
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
        for item in self.items():
            reviews = self.reviews(item.document_id)
            looks = [one.account for one in list_counting(reviews) if one.item_id == item.id]
            assert len(item.answered_by) == item.round - 1
            if not self.has_left:
                assert len(looks) == len(set(looks))
                assert item.holder not in item.answered_by
                assert len(set(item.answered_by)) == len(item.answered_by)

    @invariant()
    def nothing_that_was_said_is_lost(self) -> None:
        reviews = [review for document in self.documents for review in self.reviews(document)]
        assert sum(one.kind == "decide" for one in reviews) == self.said
        assert all(one.account in PEOPLE for one in reviews)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


TestReviewing = Reviewing.TestCase
TestReviewing.settings = settings(max_examples=6, stateful_step_count=14, deadline=None)
