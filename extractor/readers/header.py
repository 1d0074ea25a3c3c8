"""What a report says about itself: title, agency, year, dates, and where to ask.

Lives here: putting the `header.*` fields together, and the year of the report. The rules stand in title,
dates and contacts. Does not live here: the running text itself (prose), the
numbers of the narrative (narrative), and any comparison with the tables. Called by the template
reader; find_report_year also by narrative.

Only what is printed is returned. A fact for which several different values stand in the text gets
all of them, in order of print, and a flag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from extractor.flags import make_flag
from extractor.model import Candidate, Chunk, Document, Flag
from extractor.readers.base import Facts
from extractor.readers.contacts import find_contacts
from extractor.readers.dates import Period, find_page_date, find_period, find_signature_date
from extractor.readers.numerals import YEAR, parse_year
from extractor.readers.prose import Prose, find_words, make_candidate, merge_candidates, read_prose
from extractor.readers.title import StatedYear, Title, find_title


def read_header(document: Document, chunks: Sequence[Chunk], prose: Prose | None = None) -> Facts:
    """Read what the report says about itself.

    The year is the title's; without one, the period's; without either, the year of the sentences
    that open with "2019年，我局 …", and only when all of these agree. A date of signature is one
    that stands alone at the foot; the page's date is taken where there is none.

    Args:
        document: the source file.
        chunks: its sections, with the places of their tables.
        prose: the running text, where the caller has it already.

    Returns:
        Candidates for those of HEADER_FIELDS that the text states.
    """
    prose = prose or read_prose(document, chunks)
    found: dict[str, tuple[Candidate, ...]] = {}
    flags: list[Flag] = []
    title = find_title(document, chunks)
    period = find_period(prose)
    if title:
        found["title"] = (make_candidate(document, title.interval),)
        if title.agency:
            found["agency_name"] = (make_candidate(document, title.agency),)
        elif not title.year:
            flags.append(make_flag("title-incomplete", fields=["header.title"], spans=found["title"][0].spans))
    if period:
        found["period_start"] = (make_candidate(document, period.start, period.start_date),)
        found["period_end"] = (make_candidate(document, period.end, period.end_date),)
    years = [make_candidate(document, year.interval, year.value) for year in _stated_years(prose, title, period)]
    if years:
        found["report_year"] = merge_candidates(years[:1] if years[0].value == years[-1].value else years)
        flags.extend(_compare_years(prose, title, period, years))
    published = find_signature_date(document, chunks) or find_page_date(prose, document, chunks)
    if published:
        found["published_on"] = (make_candidate(document, *published),)
    for name, intervals in find_contacts(prose).items():
        candidates = merge_candidates(make_candidate(document, interval) for interval in intervals)
        found[name] = candidates
        if len(candidates) > 1:
            flags.append(_flag_several(f"header.{name}", candidates))
    return Facts({f"header.{name}": candidates for name, candidates in found.items()}, tuple(flags))


def find_report_year(document: Document, chunks: Sequence[Chunk], prose: Prose) -> int | None:
    """The year that the report is about, by the same rule as `header.report_year`."""
    years = _stated_years(prose, find_title(document, chunks), find_period(prose))
    return years[0].value if years else None


def _flag_several(field: str, candidates: Sequence[Candidate]) -> Flag:
    raw = " / ".join(str(candidate.value) for candidate in candidates)
    return make_flag("header-several-values", fields=(field,), spans=[c.spans[0] for c in candidates], raw=raw)


# ---------------------------------------------------------------- the year of the report

# 2019年,我区…: a sentence about the agency's own year. What it will do next year is not.
_OPENING = re.compile(
    f"(?P<year>{YEAR})年度?,?(?:我|本)(?:[局委办区市县乡镇街院厅处会旗校站所中部]|单位|机关)(?![^。]{{0,8}}(?:将|拟|计划))"
)


def _openings(prose: Prose) -> list[StatedYear]:
    found = []
    for position in sorted(find_words(prose.text, ("年,我", "年我", "年度,我", "年度我", "年,本", "年本", "年度,本"))):
        match = _OPENING.match(prose.text, max(0, position - 4), position + 40)
        if match:
            found.append(StatedYear(parse_year(match["year"]), prose.locate(*match.span("year"))))
    return found


def _stated_years(prose: Prose, title: Title | None, period: Period | None) -> list[StatedYear]:
    """The years that the report is said to be about, the best statement first."""
    years = [year for year in (title and title.year, period and period.year) if year]
    if years:
        return years
    openings = _openings(prose)
    return openings[:1] if len({year.value for year in openings}) == 1 else []


def _compare_years(
    prose: Prose, title: Title | None, period: Period | None, candidates: Sequence[Candidate]
) -> Iterator[Flag]:
    """A wrong year in a title is a common slip (last year's report was copied)."""
    if not title or not title.year:
        return
    text_year = None
    if period and period.year.value != title.year.value:
        text_year = period.year.value
    else:
        openings = Counter(year.value for year in _openings(prose))
        year, count = max(openings.items(), key=lambda item: item[1], default=(None, 0))
        if year != title.year.value and count > 1 and count > openings[title.year.value]:
            text_year = year
    if text_year:
        yield make_flag(
            "year-differs",
            fields=("header.report_year",),
            spans=[candidate.spans[0] for candidate in candidates],
            title_year=title.year.value,
            text_year=text_year,
        )
