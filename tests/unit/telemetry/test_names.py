"""Names of the conventions, held against the package that publishes them."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.semconv", reason="the extra otel is not installed")

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, server_attributes

from extractor.telemetry import names


def test_names_are_those_of_the_conventions() -> None:
    published = {
        value
        for module in (gen_ai_attributes, gen_ai_metrics, error_attributes, server_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    used = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    ours = {value for value in used if value.startswith("extractor.")}
    assert used - ours <= published
    assert len(used - ours) == 18


def test_operations_and_providers_are_those_of_the_conventions() -> None:
    providers = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    hosts = ["api.openai.com", "x.openai.azure.com", "api.deepseek.com", "api.groq.com", "api.mistral.ai", "api.x.ai"]
    assert {names.name_provider(host) for host in [*hosts, "api.perplexity.ai", "localhost"]} <= providers
    assert names.name_provider("notapi.x.ai") == "openai"
    assert "chat" in {one.value for one in gen_ai_attributes.GenAiOperationNameValues}


def test_buckets_are_those_of_the_conventions() -> None:
    assert names.TOKEN_BUCKETS[:4] == (1, 4, 16, 64)
    assert names.TOKEN_BUCKETS[-1] == 67108864
    assert names.SECONDS_BUCKETS[:3] == (0.01, 0.02, 0.04)
    assert names.SECONDS_BUCKETS[-1] == 81.92
    assert len(names.TOKEN_BUCKETS) == len(names.SECONDS_BUCKETS) == 14
