"""What the real service demands of a JSON Schema that comes with `strict: true`.

Lives here: those rules and their error messages. Called by chat.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.loopback.messages import Json

_FORBIDDEN = ("allOf", "oneOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")


def find_schema_problem(schema: Json) -> str | None:
    """The first thing that strict mode does not accept, worded as the service words it; None when it fits."""
    if schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    return next(_problems(schema, ()), None)


def _problems(node: Json, context: tuple[str, ...]) -> Iterator[str]:
    where = f"In context={context!r}"
    if "$ref" in node and len(node) > 1:
        others = sorted(set(node) - {"$ref"})
        yield f"{where}, $ref cannot have keywords {others}."
    for keyword in _FORBIDDEN:
        if keyword in node:
            yield f"{where}, '{keyword}' is not permitted."
    if "default" in node:
        yield f"{where}, 'default' is not permitted."
    if node.get("type") == "object" or "properties" in node:
        yield from _object_problems(node, where)
    if node.get("type") == "array" and "items" not in node:
        yield f"{where}, array schema missing items."
    if not ({"type", "$ref", "anyOf", "enum", "const"} & set(node)):
        yield f"{where}, schema must have a 'type' key."
    for step, child in _children(node):
        yield from _problems(child, (*context, *step))


def _object_problems(node: Json, where: str) -> Iterator[str]:
    if node.get("additionalProperties") is not False:
        yield f"{where}, 'additionalProperties' is required to be supplied and to be false."
    properties = node.get("properties", {})
    required = node.get("required", [])
    demand = "'required' is required to be supplied and to be an array including every key in properties."
    for name in properties:
        if name not in required:
            yield f"{where}, {demand} Missing '{name}'."
    for name in required:
        if name not in properties:
            yield f"{where}, {demand} Extra required key '{name}' supplied."


def _children(node: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    for group in ("properties", "$defs", "definitions"):
        for name, child in node.get(group, {}).items():
            yield (group, name), child
    if isinstance(node.get("items"), dict):
        yield ("items",), node["items"]
    for index, child in enumerate(node.get("anyOf", [])):
        yield ("anyOf", str(index)), child
