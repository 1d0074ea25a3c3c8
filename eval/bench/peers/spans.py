"""LangExtract: every row of a table is a span of the text, its cells are the span's attributes.

Lives here: what it is told, and what its extractions say. An extraction of each number would ground next to nothing:
"0" stands everywhere. Does not live here: reading files (readers).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import langextract as lx
from langextract.core.tokenizer import UnicodeTokenizer
from readers import TEXTS

FACT, TEXT, PROBLEM, MEASURE = "narrative", "header", "problem", "measure"


def extract_all(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A result for each document, in order."""
    warnings.simplefilter("ignore")
    with ThreadPoolExecutor(job["concurrency"]) as pool:
        yield from pool.map(lambda document: extract(job, document), job["documents"])


def extract(job: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """One document. Accepted is what stands in the text word for word."""
    try:
        text = TEXTS[job["reader"]](Path(document["path"]))
        found = lx.extract(
            text_or_documents=text,
            prompt_description=describe(document),
            additional_context=f"文件：{document['name']}",
            examples=[build_example(document)],
            config=lx.factory.ModelConfig(
                model_id=job["model"],
                provider="OpenAILanguageModel",
                provider_kwargs={"api_key": "-", "base_url": job["base_url"], "max_workers": 1},
            ),
            max_char_buffer=job["max_char_buffer"],
            max_workers=1,  # many documents are under way at once
            tokenizer=UnicodeTokenizer() if job["unicode"] else None,
            # Rows that do not stand word for word are not accepted, and to look where they might takes minutes.
            resolver_params={"enable_fuzzy_alignment": False},
            show_progress=False,
        )
    except Exception as error:  # one document never stops the rest
        return {"name": document["name"], "error": f"{type(error).__name__}: {str(error)[:200]}"}
    said: dict[str, Any] = {}
    grounded: list[str] = []
    for extraction in found.extractions or ():
        is_exact = extraction.alignment_status is lx.data.AlignmentStatus.MATCH_EXACT
        for field_id, value in list_values(extraction):
            if field_id not in said and value is not None:
                said[field_id] = value
                grounded += [field_id] * is_exact
    return {"name": document["name"], "said": said, "grounded": grounded}


def list_values(extraction: Any) -> Iterator[tuple[str, Any]]:
    """What one extraction says, by field id."""
    attributes = dict(extraction.attributes or {})
    if extraction.extraction_class == FACT:
        yield f"{FACT}.{attributes.get('fact')}", attributes.get("number")
    elif "row" in attributes:
        row = attributes.pop("row")
        yield from ((f"{extraction.extraction_class}.{row}.{column}", value) for column, value in attributes.items())


def describe(document: dict[str, Any]) -> str:
    """The instruction: classes, rows and columns by their ids."""
    tables = [
        f"{table['section']}: row 为 {'、'.join(row['id'] for row in table['rows'])}" for table in document["tables"]
    ]
    facts = "、".join(item.partition(".")[2] for item in document["facts"])
    texts = "、".join(item.partition(".")[2] for item in document["texts"])
    return "\n".join(
        (
            "从政府信息公开工作年度报告中按出现顺序提取：表格的每一行（原文照抄，各格的数写入属性，空格为null）、正文中的数字、"
            "报头信息、存在的问题和改进措施。",
            *tables,
            f"{FACT}: fact 为 {facts}",
            f"{TEXT}: name 为 {texts}",
        )
    )


def build_example(document: dict[str, Any]) -> Any:
    """A row of each table and one of everything else, in made-up words."""
    lines, extractions = [], []
    for table in document["tables"]:
        row = max(table["rows"], key=lambda row: len(row["columns"]))
        cells = [str(number) for number in range(len(row["columns"]))]
        lines.append("\t".join((row["labels"][0], *cells)))
        every = {column: None for other in table["rows"] for column in other["columns"]}
        attributes = {"row": row["id"], **every, **dict(zip(row["columns"], cells, strict=True))}
        extractions.append((table["section"], lines[-1], attributes))
    lines += ["全年受理申请12件。", "某某局", "公开不够及时", "加强培训"]
    extractions += [
        (FACT, lines[-4], {"fact": "applications_received", "number": "12"}),
        (TEXT, lines[-3], {"name": "agency_name"}),
        (PROBLEM, lines[-2], {}),
        (MEASURE, lines[-1], {}),
    ]
    return lx.data.ExampleData(
        text="\n".join(lines),
        extractions=[
            lx.data.Extraction(extraction_class=kind, extraction_text=text, attributes=attributes)
            for kind, text, attributes in extractions
        ],
    )
