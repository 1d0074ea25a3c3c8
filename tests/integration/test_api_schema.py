"""The OpenAPI document: complete, and kept to. Made-up requests from it are sent to a running application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import FIXTURES, Served, add_people, fill, serve

from extractor.model import Origin
from extractor.settings import Settings
from extractor.store.shapes import RunDocument
from extractor.store.store import Store

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "bob": "admin"})
        fill(store, FIXTURES)
        yield serve(store, Settings(requests_per_account=1_000_000))


@pytest.fixture(scope="module")
def document(served: Served) -> Any:
    return served.by_key("bob").get("/api/v1/openapi.json").json()


def list_operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)

    def follow(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from follow(value)
        elif isinstance(node, list):
            for value in node:
                yield from follow(value)

    references = set(follow(document))
    assert "#/components/schemas/ProblemDetails" in references
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)


def test_every_operation_is_described(document: Any) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    operations = list_operations(document)
    assert len(operations) >= 34
    for path, method, operation in operations:
        at = f"{method} {path}"
        assert operation["summary"], at
        assert operation["description"], at
        assert set(operation["tags"]) <= tags, at
        is_open = path in ("/healthz", "/readyz")
        wanted = {"421", "422"} if is_open else {"401", "403", "421", "422", "429"}
        assert wanted <= set(operation["responses"]), at
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert set(response["content"]) == {"application/problem+json"}, f"{at} {status}"
            assert response["description"], f"{at} {status}"


def test_no_page_for_people_is_in_it(document: Any) -> None:
    outside = {path for path in document["paths"] if not path.startswith("/api/v1/")}
    assert outside == {"/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def known(served: Served) -> dict[str, Any]:
    """Path parameters that lead somewhere."""
    with served.store.write() as books:
        run = books.runs.create("submitted", "ann", {})
        document_id = books.documents.cards(text="乌苏")[0][0].id
        books.runs.add_document(RunDocument(run.id, 0, "a.txt", (Origin("a.txt"),), "queued", document_id))
        item_id = books.queue.page()[0][0].id
    return {"run_id": run.id, "document_id": document_id, "item_id": item_id, "name": "ann", "file": "values.csv"}


@pytest.mark.parametrize("kind", ["right", "wrong", "known"])
def test_made_up_requests_are_answered_as_described(kind: str, served: Served, known: dict[str, Any]) -> None:
    """Right ones, wrong ones, and right ones about what is there; the same every time."""
    headers = {"authorization": str(served.by_key("bob").headers["authorization"]), "host": "localhost"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", served.app, headers=headers)
    mode = GenerationMode.NEGATIVE if kind == "wrong" else GenerationMode.POSITIVE
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()
        assert operation is not None
        names = {parameter.name for parameter in operation.path_parameters}
        if operation.path.endswith("/events") or (kind == "known" and not names <= set(known)):
            continue  # a stream: tested with a server
        given_path = {name: known[name] for name in names} if kind == "known" else None
        tried.append(operation.label)

        @seed(7)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=HealthCheck,
        )
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=given_path or None))
        def try_one(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS, headers=headers)

        try_one()
    assert len(tried) >= 25
