"""Files and batches, through the real client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.loopback.answerers import QueuedAnswers
from tests.loopback.batches import BatchPace
from tests.loopback.clients import connect
from tests.loopback.faults import ScriptedFaults
from tests.loopback.messages import Answer, ApiError, ChatRequest
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.service import LINE_PATH

URL = "/v1/chat/completions"


def line(custom_id: str, **changes: Any) -> dict[str, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": custom_id}]}
    return {"custom_id": custom_id, "method": "POST", "url": URL, "body": body} | changes


def to_file(lines: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in lines).encode()


def echo(request: ChatRequest) -> Answer:
    if request.user == "无此行":
        raise ApiError(422, "no reply on file")
    return Answer(json.dumps({"said": request.user, "call": request.headers["x-client-request-id"]}))


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with running_server(echo) as running:
        yield running


def submit(client: openai.OpenAI, content: bytes, **extra: Any) -> Any:
    file = client.files.create(file=("requests.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=URL, completion_window="24h", **extra)


def watch(client: openai.OpenAI, batch: Any) -> tuple[Any, list[str]]:
    """Look at a batch until it ends; every state that was seen."""
    seen = [batch.status]
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        batch = client.batches.retrieve(batch.id)
        seen += [batch.status] if batch.status != seen[-1] else []
    return batch, seen


def read(client: openai.OpenAI, file_id: str) -> dict[str, Any]:
    lines = client.files.content(file_id).text.splitlines()
    return {item["custom_id"]: item for item in map(json.loads, lines)}


def test_batch_goes_through_all_states(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    batch = submit(client, to_file([line(f"行{n}") for n in range(9)]), metadata={"run": "r1"})
    batch, seen = watch(client, batch)
    assert seen == ["validating", "in_progress", "finalizing", "completed"]
    assert batch.metadata == {"run": "r1"}
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (9, 9, 0)
    assert batch.error_file_id is None
    outputs = read(client, batch.output_file_id)
    assert list(outputs) != [f"行{n}" for n in range(9)]  # another order than the input's
    assert sorted(outputs) == [f"行{n}" for n in range(9)]
    response = outputs["行3"]["response"]
    assert outputs["行3"]["error"] is None
    assert response["status_code"] == 200
    assert response["body"]["object"] == "chat.completion"
    assert json.loads(response["body"]["choices"][0]["message"]["content"]) == {"said": "行3", "call": "行3"}
    assert response["body"]["usage"]["completion_tokens"] > 0


def test_failed_lines_are_in_the_error_file(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    lines = [line("a"), line("无此行"), line("b", body={"model": "m", "messages": []})]
    batch, _ = watch(client, submit(client, to_file(lines)))
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 2)
    assert list(read(client, batch.output_file_id)) == ["a"]
    errors = read(client, batch.error_file_id)
    assert {name: item["response"]["status_code"] for name, item in errors.items()} == {"无此行": 422, "b": 400}
    assert errors["b"]["response"]["body"]["error"]["param"] == "messages"


def test_faults_hit_lines_by_their_number() -> None:
    faults = ScriptedFaults({2: "rate_limited", 3: "hang", 4: "refusal", 5: "proxy_page"}, path=LINE_PATH)
    with running_server(echo, faults) as server:
        client = connect(server.base_url)
        batch, _ = watch(client, submit(client, to_file([line(name) for name in "abcde"])))
        errors = read(client, batch.error_file_id)
        outputs = read(client, batch.output_file_id)
        assert [hit.number for hit in server.hits] == [2, 3, 4, 5]
    statuses = {name: item["response"]["status_code"] for name, item in errors.items()}
    assert statuses == {"b": 429, "c": 500, "e": 500}
    assert outputs["d"]["response"]["body"]["choices"][0]["message"]["refusal"]


def test_expired_batch_keeps_what_is_answered() -> None:
    with running_server(echo, options=Options(batch_pace=BatchPace(answered=2))) as server:
        client = connect(server.base_url)
        batch, seen = watch(client, submit(client, to_file([line(name) for name in "abcde"])))
        assert seen == ["validating", "in_progress", "expired"]
        assert sorted(read(client, batch.output_file_id)) == ["a", "b"]
        errors = read(client, batch.error_file_id)
    assert sorted(errors) == ["c", "d", "e"]
    assert errors["c"]["response"] is None
    assert errors["c"]["error"]["code"] == "batch_expired"


def test_batch_that_expires_before_anything_is_answered() -> None:
    with running_server(echo, options=Options(batch_pace=BatchPace(answered=0))) as server:
        batch, _ = watch(connect(server.base_url), submit(connect(server.base_url), to_file([line("a")])))
    assert (batch.status, batch.output_file_id) == ("expired", None)


def test_cancelled_batch_keeps_what_is_answered(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    batch = submit(client, to_file([line(name) for name in "abcd"]))
    while client.batches.retrieve(batch.id).request_counts.completed == 0:
        assert batch.status != "completed"
    assert client.batches.cancel(batch.id).status == "cancelling"
    batch, _ = watch(client, batch)
    assert batch.status == "cancelled"
    assert len(read(client, batch.output_file_id)) == batch.request_counts.completed == 2
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


@pytest.mark.parametrize(
    ("content", "code", "number"),
    [
        (b"", "empty_file", None),
        (to_file([line("a")]) + b"\n{", "invalid_json_line", 2),
        (b"[1]", "invalid_json_line", 1),
        (to_file([line("a"), line("a")]), "duplicate_custom_id", 2),
        (to_file([line("a", url="/v1/responses")]), "mismatched_endpoint", 1),
        (to_file([line("a", method="GET")]), "invalid_method", 1),
        (to_file([line("a", body=None)]), "missing_required_parameter", 1),
        (to_file([line("a", body={"messages": []})]), "missing_required_parameter", 1),
        (to_file([line("a"), line("b", body={"model": "n", "messages": []})]), "mismatched_model", 2),
        (to_file([line(str(n)) for n in range(6)]), "too_many_tasks", None),
    ],
)
def test_bad_input_file_fails_the_batch(content: bytes, code: str, number: int | None) -> None:
    with running_server(echo, options=Options(batch_pace=BatchPace(most_requests=5))) as server:
        client = connect(server.base_url)
        batch, seen = watch(client, submit(client, content))
    assert seen == ["validating", "failed"]
    assert [(problem.code, problem.line) for problem in batch.errors.data] == [(code, number)]
    assert batch.output_file_id is None


def test_service_may_fail_a_batch() -> None:
    with running_server(echo, options=Options(batch_pace=BatchPace(is_failing=True))) as server:
        batch, _ = watch(connect(server.base_url), submit(connect(server.base_url), to_file([line("a")])))
    assert (batch.status, batch.errors.data[0].code) == ("failed", "token_limit_exceeded")


def test_batch_takes_its_time() -> None:
    """With a least time in each state, looking often does not hurry a batch."""
    with running_server(echo, options=Options(batch_pace=BatchPace(seconds=60))) as server:
        client = connect(server.base_url)
        batch = submit(client, to_file([line("a")]))
        assert {client.batches.retrieve(batch.id).status for _ in range(5)} == {"validating"}


def test_batches_are_listed_newest_first_in_pages(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    made = [submit(client, to_file([line("a")]), metadata={"n": str(n)}).id for n in range(5)]
    page = client.batches.list(limit=2)
    assert [batch.id for batch in page.data] == made[:2:-1]
    assert [batch.id for batch in client.batches.list(limit=2, after=page.data[-1].id).data] == [made[2], made[1]]
    assert [batch.id for batch in client.batches.list(limit=2)] == made[::-1]  # all pages
    assert [batch.metadata for batch in client.batches.list(limit=1).data] == [{"n": "4"}]


def test_file_is_given_back_as_it_was(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    content = b'{"a": "--boundary\\r\\n"}\r\n\xe4\xba\xba\r\n'
    file = client.files.create(file=("x.jsonl", content), purpose="batch")
    assert (file.bytes, file.filename, file.purpose, file.status) == (len(content), "x.jsonl", "batch", "processed")
    assert client.files.content(file.id).content == content
    assert client.files.retrieve(file.id) == file
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_bad_uploads_and_batches_are_turned_down(server: LoopbackServer) -> None:
    client = connect(server.base_url)
    with pytest.raises(openai.BadRequestError, match="extension"):
        client.files.create(file=("x.txt", b"{}"), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.files.create(file=("x.jsonl", b"{}"), purpose="none")  # type: ignore[arg-type]
    with pytest.raises(openai.NotFoundError, match="file-none"):
        client.batches.create(input_file_id="file-none", endpoint=URL, completion_window="24h")
    file = client.files.create(file=("x.jsonl", b"{}"), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="Invalid value"):
        client.batches.create(input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_none")


def test_batch_and_live_answer_alike() -> None:
    """A batch line is checked and dressed as the same request would be alone."""
    with running_server(QueuedAnswers([{"rows": []}])) as server:
        client = connect(server.base_url)
        batch, _ = watch(client, submit(client, to_file([line("a")])))
        alone = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}]).model_dump()
        body = read(client, batch.output_file_id)["a"]["response"]["body"]
    assert body["choices"][0]["message"]["content"] == alone["choices"][0]["message"]["content"]
    assert body["usage"]["total_tokens"] == alone["usage"]["total_tokens"]
