"""Lines of batch files: what goes out is what a live request would be, in files that the API takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import OutputError
from extractor.llm.batch_lines import (
    MOST_BYTES,
    MOST_REQUESTS,
    BatchName,
    Part,
    Request,
    RequestFiles,
    RequestIndex,
    Result,
    name_limit,
    read_lines,
)
from extractor.llm.calls import Call
from extractor.llm.request import MODES, build_body
from extractor.settings import Settings
from tests.unit.llm.asking import make_image
from tests.unit.llm.batching import make_call, make_calls

HERE = "http://localhost:1/v1"


def write(folder: Path, calls: list[Call], settings: Settings | None = None, **limits: Any) -> list[Part]:
    files = RequestFiles(folder, settings or Settings(model="m", base_url=HERE), **limits)
    for number, call in enumerate(calls):
        files.add(f"{number:064d}", call)
    return files.close()


def test_a_line_is_what_the_api_wants_around_the_body_of_a_live_request(tmp_path: Path) -> None:
    call = make_call(1)
    (part,) = write(tmp_path, [call])
    parameters = {"max_tokens": 300, "temperature": 0}
    assert json.loads(part.path.read_bytes()) == {
        "custom_id": "0" * 64,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": build_body(call, "json_schema", model="m", parameters=parameters),
    }


def test_a_file_holds_one_prompt(tmp_path: Path) -> None:
    parts = write(tmp_path, make_calls(7))
    assert [(part.task, part.prompt_version, len(part.keys)) for part in parts] == [
        ("header", "0123456789ab", 3),
        ("applications", "0123456789ab", 4),
    ]
    for part in parts:
        assert [json.loads(line)["custom_id"] for _, line in read_lines(part.path)] == part.keys
        assert part.path.stat().st_size == part.size


def test_a_file_ends_at_the_limit_on_requests(tmp_path: Path) -> None:
    calls = [make_call(number) for number in range(7)]
    assert [len(part.keys) for part in write(tmp_path, calls, most_requests=3)] == [3, 3, 1]


def test_a_file_ends_before_the_limit_on_bytes(tmp_path: Path) -> None:
    calls = [make_call(number) for number in range(9)]
    (whole,) = write(tmp_path, calls)
    line = whole.size // 9
    assert [len(part.keys) for part in write(tmp_path, calls, most_bytes=3 * line)] == [3, 3, 3]
    assert [len(part.keys) for part in write(tmp_path, calls, most_bytes=3 * line - 1)] == [2, 2, 2, 2, 1]


def test_the_limits_are_those_of_the_api() -> None:
    assert (MOST_REQUESTS, MOST_BYTES) == (50_000, 200_000_000)


def test_lines_are_left_out_by_key(tmp_path: Path) -> None:
    (part,) = write(tmp_path, [make_call(number) for number in range(5)])
    kept = [part.keys[1], part.keys[4]]
    part.keep_only(set(kept))
    assert part.keys == kept
    assert [json.loads(line)["custom_id"] for _, line in read_lines(part.path)] == kept


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"requests cannot be written.*TMPDIR"):
        write(tmp_path / "gone", [make_call(1)])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("images", [(), (make_image(),)], ids=["text", "image"])
def test_a_request_is_read_back(mode: Any, images: Any, tmp_path: Path) -> None:
    call = Call("page", "0123456789ab", make_call(1).schema, "instruction", "text\u2028中", 300, images=images)
    settings = Settings(model="m", base_url=HERE, reply_mode=mode, temperature=0.5)
    (part,) = write(tmp_path, [make_call(9, "page"), call], settings)
    index = RequestIndex(part.path)
    request = index.find(part.keys[1])
    assert request is not None
    assert request.system.startswith("instruction")
    assert request == Request(request.system, call.user, 300, {"temperature": 0.5}, mode)
    assert index.find("f" * 64) is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://localhost:8000/openai/v1", "max_tokens"),
        ("https://openai-imitation.example/v1", "max_tokens"),
    ],
)
def test_the_limit_is_called_as_the_address_wants_it(address: str, name: str, tmp_path: Path) -> None:
    assert name_limit(address) == name
    (part,) = write(tmp_path, [make_call(1)], Settings(model="m", base_url=address))
    body = json.loads(part.path.read_bytes())["body"]
    assert body[name] == 300
    assert Request.read(part.path.read_bytes()).max_output_tokens == 300


def test_a_temperature_that_is_unset_is_not_sent(tmp_path: Path) -> None:
    (part,) = write(tmp_path, [make_call(1)], Settings(model="m", base_url=HERE, temperature=None))
    assert Request.read(part.path.read_bytes()).parameters == {}


def test_a_name_tells_the_prompt_and_is_new_every_time() -> None:
    names = {str(BatchName.make("rows_without_columns", "0123456789ab")) for _ in range(100)}
    assert len(names) == 100
    for name in names:
        read = BatchName.read(name)
        assert (read.task, read.prompt_version) == ("rows_without_columns", "0123456789ab")
        assert str(read) == name


def test_lines_are_counted_as_they_stand_in_the_file(tmp_path: Path) -> None:
    """Empty ones count, and only a line feed ends a line."""
    path = tmp_path / "file"
    path.write_bytes("一\u2028\u0085二\n\n  \nthree".encode())
    assert [(number, line.strip().decode()) for number, line in read_lines(path)] == [
        (1, "一\u2028\u0085二"),
        (4, "three"),
    ]


def test_a_result_has_a_response_or_the_reason_why_not() -> None:
    good = Result.model_validate_json(
        '{"id":"r","custom_id":"k","response":{"status_code":200,"body":{}},"error":null}'
    )
    assert good.response is not None
    assert good.response.status_code == 200
    late = Result.model_validate_json(
        '{"custom_id":"k","response":null,"error":{"code":"batch_expired","message":"x"}}'
    )
    assert late.response is None
    assert late.error is not None
    assert late.error.code == "batch_expired"
