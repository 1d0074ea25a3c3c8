"""The relations name cells of the form, and only such as belong together."""

from __future__ import annotations

from extractor.forms import load_forms
from extractor.panel.relations import load_panel_fields, load_relations


def test_every_relation_is_there() -> None:
    assert [relation.id for relation in load_relations()] == [
        *(
            f"X1[{name}]"
            for name in (
                "natural_person",
                "business",
                "research",
                "public_welfare",
                "legal_service",
                "other_org",
                "total",
            )
        ),
        *("X2[regulations]", "X2[normative_documents]"),
        *("X3[review]", "X3[litigation_direct]", "X3[litigation_after_review]"),
        *("X4[licences]", "X4[other_services]", "X4[penalties]", "X4[coercion]", "X4[admin_fees]"),
    ]


def test_every_term_is_a_cell_of_the_relations_own_table() -> None:
    cells = load_forms().fields
    for relation in load_relations():
        for field_id, sign in (*relation.before, *relation.after):
            assert cells[field_id].section == relation.section
            assert sign in (1, -1)


def test_the_panel_keeps_every_term_and_the_stocks_of_2019() -> None:
    fields = load_panel_fields()
    terms = {field_id for relation in load_relations() for field_id, _ in (*relation.before, *relation.after)}
    assert set(fields) - terms == {
        "proactive_disclosure.regulations.total_disclosed",
        "proactive_disclosure.normative_documents.total_disclosed",
    }
    assert len(fields) == len(set(fields)) == 38
