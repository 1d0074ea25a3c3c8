import base64
import inspect
import json

import pytest
from pydantic import BaseModel

from extractor.llm import wire
from extractor.llm.calls import sampling_parameters
from extractor.llm.request import build_body, strict_schema
from extractor.settings import Settings
from tests.unit.llm.asking import make_call, make_image

WIRE_MODELS = [
    model
    for model in vars(wire).values()
    if inspect.isclass(model) and issubclass(model, BaseModel) and model.__module__ == wire.__name__
]


def schemas_in(node):
    """Every schema in a schema, itself first."""
    yield node
    children = [*node.get("properties", {}).values(), *node.get("$defs", {}).values(), *node.get("anyOf", [])]
    if "items" in node:
        children.append(node["items"])
    for child in children:
        yield from schemas_in(child)


@pytest.mark.parametrize("model", WIRE_MODELS, ids=lambda model: model.__name__)
def test_every_wire_model_is_said_strictly(model):
    for schema in schemas_in(strict_schema(model)):
        assert not {"default", "title", "prefixItems", "oneOf", "allOf"} & schema.keys()
        assert schema.keys() & {"type", "anyOf", "$ref", "enum", "properties"}
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("model", WIRE_MODELS, ids=lambda model: model.__name__)
def test_a_strict_schema_names_the_fields_of_its_model(model):
    assert list(strict_schema(model)["properties"]) == list(model.model_fields)


def test_a_field_with_a_default_is_required_and_has_none():
    class Loose(BaseModel):
        title: str | None = None
        count: int = 3

    schema = strict_schema(Loose)
    assert schema["required"] == ["title", "count"]
    assert schema["properties"] == {
        "title": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "count": {"type": "integer"},
    }


@pytest.mark.parametrize("annotation", [dict[str, str], tuple[str, int]])
def test_what_no_strict_schema_can_say_is_refused_with_its_place(annotation):
    model = type("Bad", (BaseModel,), {"__annotations__": {"cells": annotation}})
    with pytest.raises(ValueError, match=r"Bad\.cells: a strict schema cannot hold"):
        strict_schema(model)


def test_each_mode_says_the_schema_in_its_place_and_nowhere_else():
    call = make_call()
    by_schema, by_tool, by_words = (
        build_body(call, mode, model="m", parameters={}) for mode in ("json_schema", "tools", "json")
    )
    schema = strict_schema(call.schema)
    assert by_schema["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "TableRows", "schema": schema, "strict": True},
    }
    assert "tools" not in by_schema
    (tool,) = by_tool["tools"]
    assert tool["function"]["parameters"] == schema
    assert tool["function"]["strict"] is True
    assert by_tool["tool_choice"] == {"type": "function", "function": {"name": "TableRows"}}
    assert "response_format" not in by_tool
    assert not {"response_format", "tools", "tool_choice"} & by_words.keys()
    said = by_words["messages"][0]["content"]
    assert said.startswith(call.system)
    assert json.loads(said.splitlines()[-1]) == schema


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_the_document_text_stands_last_and_the_instruction_first(mode):
    call = make_call("the text of the document")
    messages = build_body(call, mode, model="m", parameters={})["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[-1]["content"] == "the text of the document"


def test_images_stand_behind_the_text_as_data_urls():
    call = make_call("read this page", images=(make_image(), make_image()))
    text, *images = build_body(call, "json_schema", model="m", parameters={})["messages"][1]["content"]
    assert text == {"type": "text", "text": "read this page"}
    assert len(images) == 2
    kind, data = images[0]["image_url"]["url"].split(",")
    assert (images[0]["type"], kind) == ("image_url", "data:image/png;base64")
    assert base64.b64decode(data) == make_image().data


def test_parameters_are_sent_as_they_are():
    body = build_body(make_call(), "tools", model="m", parameters={"temperature": 0, "max_tokens": 7})
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 7)


def test_a_temperature_that_is_not_set_is_no_parameter():
    assert sampling_parameters(Settings(temperature=None)) == {}
    assert sampling_parameters(Settings(temperature=0.5)) == {"temperature": 0.5}
