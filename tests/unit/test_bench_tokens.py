"""The token benchmark counts what goes over the wire, and the baselines say what the label says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.bench import one_call, tokens
from extractor.evaluation import load_label
from extractor.llm.tokens import count_tokens
from extractor.sources import load_document
from tests.loopback.messages import Answer, ChatRequest
from tests.loopback.server import running_server

LABEL = tokens.ROOT / "eval" / "gold" / "000_c61908031b779533.json"
TABLES = ("proactive_disclosure", "applications", "review_litigation")


@pytest.fixture(scope="module")
def measured() -> tokens.Measured:
    listener = tokens.Listener()
    label = load_label(LABEL)
    document = load_document(tokens.ROOT / label.file)
    with running_server(listener) as server:
        return tokens.measure(LABEL, document, label, listener, server.base_url)


def test_only_open_tables_are_asked_for_by_auto(measured: tokens.Measured) -> None:
    sums = tokens.count_ways(measured.exchanges, count_tokens)
    assert (sums["auto"].calls, sums["auto"].table_calls, measured.needless) == (1, 0, 0)
    assert (sums["llm"].calls, sums["llm"].table_calls) == (5, 3)
    assert tokens.count_needless(measured.exchanges["llm"], set(TABLES[:2])) == 2


def test_targets_are_kept(measured: tokens.Measured) -> None:
    sums = tokens.count_ways(measured.exchanges, count_tokens)
    assert sums["llm"].tables <= tokens.MOST_TABLE_SHARE * sums["nested"].tables
    assert sums["auto"].total <= tokens.MOST_TOTAL_SHARE * sums["nested"].total


def test_baselines_say_what_the_label_says(measured: tokens.Measured) -> None:
    [nested], [flat] = measured.exchanges["nested"], measured.exchanges["flat"]
    assert len(set(flat.reply) - tokens.FACT_KEYS) == 200
    assert flat.reply["proactive_disclosure_licences_decisions"] == 11
    assert nested.reply["proactive_disclosure"]["licences"]["decisions"] == 11
    facts = tokens.join_facts(measured.exchanges["llm"])
    assert facts["facts"]
    for exchange in (nested, flat):
        assert tokens.join_facts([exchange]) == facts


def test_everything_that_was_sent_is_counted() -> None:
    body = {
        "model": "any",
        "messages": [{"role": "system", "content": "ab"}, {"role": "user", "content": "cde"}],
        "response_format": {"type": "text"},
    }
    exchange = tokens.Exchange(ChatRequest(1, body), Answer('{"rows": [], "title": null}'))
    found = exchange.weigh(len)
    assert found.input == found.table_input == 5
    assert found.tables == len('{"rows":[]}')
    assert found.tables + found.facts == len('{"rows":[],"title":null}')
    assert found.total == 5 + found.tables + found.facts
    assert found.schema == len('{"response_format":{"type":"text"}}')


def test_a_cell_without_a_number_is_null() -> None:
    label = replace(load_label(LABEL), cells={})
    document = load_document(tokens.ROOT / label.file)
    nested, flat = one_call.build_nested(document, label), one_call.build_flat(document, label)
    assert set(flat.tables.values()) == {None}
    assert nested.tables["applications"]["new_received"]["total"] is None
    assert nested.model.model_validate({**tokens.join_facts([]), **nested.tables})
