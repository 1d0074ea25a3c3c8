"""A call -> the body of a chat completion request, in each of the ways to make a server keep to a schema.

Lives here: pure functions, so that a live request and one in a batch file are the same. Does not
live here: which way a server understands (modes), sending (exchange). Called by exchange and batch.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel

from extractor.llm.calls import Call, Image

#: `json_schema`: the server enforces the schema; `tools`: one tool that must be called; `json`: the
#: schema stands in the instruction and nothing enforces it.
Mode = Literal["json_schema", "tools", "json"]
MODES: tuple[Mode, ...] = ("json_schema", "tools", "json")

# Keywords that strict modes refuse or ignore.
_NOT_STRICT = frozenset({"prefixItems", "patternProperties", "allOf", "oneOf", "not"})


@lru_cache(maxsize=64)
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model as strict modes want it: all properties required, none beside them, no defaults.

    Args:
        model: a wire model (extractor.llm.wire).

    Returns:
        The schema. It is shared between callers and must not be changed.

    Raises:
        ValueError: the model cannot be said strictly.
    """
    strict: dict[str, Any] = _make_strict(model.model_json_schema(), model.__name__)
    return strict


def _make_strict(node: Any, place: str) -> Any:
    if isinstance(node, list):
        return [_make_strict(item, place) for item in node]
    if not isinstance(node, dict):
        return node
    refused = _NOT_STRICT & node.keys()
    if refused or node.get("additionalProperties", False) is not False:
        what = ", ".join(sorted(refused)) or "keys that the model does not name"
        raise ValueError(f"{place}: a strict schema cannot hold {what}. Use lists and named fields.")
    # Titles repeat the names and cost tokens; a default would let the model leave a value out.
    strict = {key: value for key, value in node.items() if key not in ("title", "default")}
    for key in ("items", "anyOf"):
        if key in strict:
            strict[key] = _make_strict(strict[key], place)
    # Under these two, keys are names and not keywords.
    for key in ("properties", "$defs"):
        if key in strict:
            strict[key] = {name: _make_strict(value, f"{place}.{name}") for name, value in strict[key].items()}
    if "properties" in strict:
        strict["required"] = list(strict["properties"])
        strict["additionalProperties"] = False
    return strict


def build_body(call: Call, mode: Mode, *, model: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """The JSON body for one call.

    Args:
        call: what is asked.
        mode: how the server is made to keep to the schema.
        model: name of the model.
        parameters: token limit, temperature and the like, sent as they are.
    """
    schema = strict_schema(call.schema)
    name = call.schema.__name__
    system = call.system if mode != "json" else call.system + _ask_for_json(call.schema)
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": _content(call)}],
        **parameters,
    }
    if mode == "json_schema":
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": True},
        }
    elif mode == "tools":
        function = {"name": name, "parameters": schema, "strict": True}
        if "description" in schema:
            function["description"] = schema["description"]
        body["tools"] = [{"type": "function", "function": function}]
        body["tool_choice"] = {"type": "function", "function": {"name": name}}
    return body


@lru_cache(maxsize=64)
def _ask_for_json(model: type[BaseModel]) -> str:
    schema = json.dumps(strict_schema(model), ensure_ascii=False, separators=(",", ":"))
    return f"\n\nReply with one JSON object that fits this JSON Schema, and with nothing else:\n{schema}"


def _content(call: Call) -> str | list[dict[str, object]]:
    if not call.images:
        return call.user
    return [{"type": "text", "text": call.user}, *(_image_part(image) for image in call.images)]


def _image_part(image: Image) -> dict[str, object]:
    data = base64.b64encode(image.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}
