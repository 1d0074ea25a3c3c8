"""What the template reader finds fault with in real reports: text, years, missing sections and tables; nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from extractor.chunks import split_chunks
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import load_document

ROOT = Path(__file__).parents[3]
CODES = ("narrative-", "header-", "year-differs", "section-missing", "table-missing", "unit-differs")

# Excerpts end behind section two; 053 has its headings, and pictures for tables.
EXPECTED = {
    "031_shanghai_kewei_2024_pdftext": {"narrative-several-values": 2, "narrative-parts-differ": 1},
    "050_dttz_xinfang_2021_excerpt": {"section-missing": 2},
    "052_ningqiang_civilaffairs_2023_pinyin_excerpt": {"section-missing": 2},
    "053_wuchang_minyi_township_2021_no_tables": {"table-missing": 3},
    "063_lzq_education_2019_excerpt": {"section-missing": 2},
    "065_unknown_town_2019_pipes_excerpt": {"section-missing": 1},
    "067_tianmen_hushi_town_2019_annotated_excerpt": {"section-missing": 2},
    "069_lezhi_huilan_town_2019_spaces_excerpt": {"section-missing": 2},
}


def count_findings(path: Path) -> dict[str, int]:
    document = load_document(path, Settings())
    reading = TemplateReader().read(document, split_chunks(document))
    return dict(Counter(flag.code for flag in reading.flags if flag.code.startswith(CODES)))


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures").glob("00*.txt")), ids=lambda path: path.stem)
def test_fixtures_have_none(path: Path) -> None:
    assert count_findings(path) == {}


def test_real_reports_have_these_and_no_other(corpus: Path) -> None:
    paths = sorted([*(corpus / "docs").glob("*.txt"), *(corpus / "docs").glob("*.md")])
    assert {path.stem: found for path in paths if (found := count_findings(path))} == EXPECTED
