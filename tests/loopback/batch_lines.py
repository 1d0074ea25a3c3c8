"""The input file of a batch: its lines, and what is wrong with them.

Called by batches.
"""

from __future__ import annotations

import json

from tests.loopback.messages import Json


def read_lines(content: bytes, endpoint: str, most: int) -> tuple[list[Json], list[Json]]:
    """The lines of an input file, and its problems as the service lists them.

    Args:
        content: the file.
        endpoint: where all lines must go.
        most: how many lines there may be.
    """
    lines: list[Json] = []
    problems: list[Json] = []
    seen: set[str] = set()
    for number, text in enumerate(content.decode("utf-8", "replace").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError:
            problems.append(describe_problem("invalid_json_line", "This line is not parseable as valid JSON.", number))
            continue
        model = lines[0]["body"]["model"] if lines else None
        problem = _find_problem(line, endpoint, seen, model)
        if problem is None:
            seen.add(line["custom_id"])
            lines.append(line)
        else:
            problems.append(problem | {"line": number})
    if not lines and not problems:
        problems.append(describe_problem("empty_file", "The input file has no requests."))
    if len(lines) > most:
        problems.append(describe_problem("too_many_tasks", f"The batch contains more than {most} requests."))
    return lines, problems


def describe_problem(code: str, message: str, line: int | None = None, param: str | None = None) -> Json:
    """One entry of a failed batch's errors."""
    return {"code": code, "message": message, "line": line, "param": param}


def _find_problem(line: object, endpoint: str, seen: set[str], model: str | None) -> Json | None:
    if not isinstance(line, dict):
        return describe_problem("invalid_json_line", "This line is no JSON object.")
    for name, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if not isinstance(line.get(name), kind):
            return describe_problem("missing_required_parameter", f"Missing required parameter: '{name}'.", param=name)
    asked = line["body"].get("model")
    checks = (
        ("duplicate_custom_id", line["custom_id"] in seen, "custom_id"),
        ("invalid_method", line["method"] != "POST", "method"),
        ("mismatched_endpoint", line["url"] != endpoint, "url"),
        ("missing_required_parameter", not isinstance(asked, str), "body.model"),
        ("mismatched_model", model is not None and asked != model, "body.model"),
    )
    found = next(((code, param) for code, is_wrong, param in checks if is_wrong), None)
    return describe_problem(found[0], f"'{found[1]}' does not do in this batch.", param=found[1]) if found else None
