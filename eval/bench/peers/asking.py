"""A plain instructor call: one model with a named field for every value, the whole document in the prompt.

Lives here: the fields, the prompt, the calls behind a semaphore. Does not live here: reading files (readers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import instructor
import openai
from pydantic import BaseModel, create_model
from readers import TEXTS

SYSTEM = "从政府信息公开工作年度报告中提取数据。数字照抄，空格和没有印出的填null。"


@cache
def build_model(values: tuple[str, ...], facts: tuple[str, ...], texts: tuple[str, ...]) -> type[BaseModel]:
    """Every value of the tables and of the running text, every fact of the header, by its own name."""
    kinds: dict[str, Any] = {name_field(item): (float | None, ...) for item in (*values, *facts)}
    kinds |= {name_field(item): (str | None, ...) for item in texts}
    return create_model("Report", problems=(list[str], ...), measures=(list[str], ...), **kinds)


def name_field(field_id: str) -> str:
    """A field id as a name."""
    return field_id.replace(".", "__")


def ask_all(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A result for each document, in order."""
    yield from asyncio.run(_ask_all(job))


async def _ask_all(job: dict[str, Any]) -> list[dict[str, Any]]:
    slots = asyncio.Semaphore(job["concurrency"])
    async with openai.AsyncOpenAI(base_url=job["base_url"], api_key="-") as server:
        client = instructor.from_openai(server, mode=instructor.Mode.JSON_SCHEMA)

        async def ask(document: dict[str, Any]) -> dict[str, Any]:
            async with slots:
                try:
                    reply = await _ask(client, job, document)
                except Exception as error:  # one document never stops the rest
                    return {"name": document["name"], "error": f"{type(error).__name__}: {str(error)[:200]}"}
                return {"name": document["name"], "said": {i: getattr(reply, name_field(i)) for i in asked(document)}}

        return list(await asyncio.gather(*map(ask, job["documents"])))


def asked(document: dict[str, Any]) -> tuple[str, ...]:
    """What is judged."""
    return (*document["values"], *document["facts"])


async def _ask(client: Any, job: dict[str, Any], document: dict[str, Any]) -> Any:
    text = TEXTS[job["reader"]](Path(document["path"]))
    model = build_model(tuple(document["values"]), tuple(document["facts"]), tuple(document["texts"]))
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"文件：{document['name']}\n\n{text}"},
    ]
    return await client.create(model=job["model"], response_model=model, messages=messages)
