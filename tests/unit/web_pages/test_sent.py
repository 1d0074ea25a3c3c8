from __future__ import annotations

import pytest
from starlette.datastructures import FormData

from extractor.errors import BadAnswer
from extractor.review.answers import Answer
from extractor.review.choices import Choice
from extractor.web.pages.filters import read_filter, write_filter
from extractor.web.pages.people import read_back
from extractor.web.pages.rendering import safe_link
from extractor.web.pages.sent import make_answers, read_sent

FIELDS = ("a.b.c", "a.b.d", "a.b.e")


def answers(acceptable=(), choices=(), **form):
    sent = read_sent(FormData({name.replace("__", ":").replace("_dot_", "."): value for name, value in form.items()}))
    return make_answers(sent, FIELDS, set(acceptable), choices)


def test_only_what_says_what_is_printed_is_accepted_with_the_rest():
    made = answers(acceptable=["a.b.c"], rest="accepted")
    assert made == (Answer("a.b.c", "accepted"),)


def test_nothing_is_answered_where_nothing_is_said():
    assert answers(acceptable=FIELDS) == ()


def test_a_field_s_own_answer_comes_before_the_choice():
    choice = Choice("all", "", "", tuple(Answer(name, "unknowable") for name in FIELDS))
    form = {"choice": "all", "act__a_dot_b_dot_d": "corrected", "txt__a_dot_b_dot_d": "15"}
    made = answers(choices=(choice,), **form)
    assert made == (
        Answer("a.b.c", "unknowable"),
        Answer("a.b.d", "corrected", text="15"),
        Answer("a.b.e", "unknowable"),
    )


def test_an_empty_correction_is_never_taken_for_a_blank_cell():
    with pytest.raises(BadAnswer, match="blank"):
        answers(act__a_dot_b_dot_c="corrected", txt__a_dot_b_dot_c="  ")
    assert answers(act__a_dot_b_dot_c="blank", txt__a_dot_b_dot_c="7") == (Answer("a.b.c", "corrected", text=""),)


def test_a_wrong_report_may_have_been_read_wrongly_too():
    assert answers(act__a_dot_b_dot_c="source_wrong") == (Answer("a.b.c", "source_wrong"),)
    typed = answers(act__a_dot_b_dot_c="source_wrong", txt__a_dot_b_dot_c="9")
    assert typed == (Answer("a.b.c", "source_wrong", text="9"),)


def test_unknown_actions_and_numbers_are_left_out():
    sent = read_sent(FormData({"act:a.b.c": "delete", "version": "-1", "skipped": "3,x,9" + "9" * 30 + ",4"}))
    assert (dict(sent.answers), sent.version, sent.skipped) == ({}, 0, (3, 4))


def test_a_filter_goes_into_an_address_and_comes_back():
    query = "kind=row&section=applications&code=glued-digits&site=a.example&year=2023&text=%E5%B8%82"
    assert read_filter(write_filter(read_filter(query))) == read_filter(query)
    assert read_filter(query).report_year == 2023


def test_nobody_picks_the_items_that_check_accepted_values():
    assert read_filter("kind=audit").kind is None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "javascript://x.example/%0aalert(1)",
        "data:text/html,x",
        "//x.example/",
        "http://",
        "",
        None,
        "ftp://x/",
    ],
)
def test_only_web_addresses_are_links(address):
    assert safe_link(address) is None


def test_web_addresses_are_links():
    assert safe_link(" https://a.example/x ") == "https://a.example/x"


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "/login", "", "/x\r\ny"])
def test_a_login_leads_to_our_own_pages_only(back):
    assert read_back(back) == "/queue"


def test_a_login_leads_back():
    assert read_back("/items/3?x=1") == "/items/3?x=1"
