"""The model's reply as spans of the shown text with attributes: the shape that LangExtract asks for.

Does not live here: what the model believes (peers_misreading). Called by peers_model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.bench.peers_documents import Case
from eval.bench.peers_misreading import Belief, read_number
from extractor.forms import Row, Section, find_labels
from extractor.forms.inline import LabelHit
from extractor.sources.view import fold_view
from tests.loopback.messages import Json
from tests.loopback.simulated import read_narrative
from tests.loopback.truths import Cells, squeeze

#: A row's numbers stand within so many characters behind its label.
_REACH = 400
#: A text that holds so much of a document is the whole of it.
_WHOLE_SHARE = 0.9


def list_spans(case: Case, belief: Belief, shown: str) -> list[Json]:
    """All extractions in the order of the text."""
    placed = [item for section in case.sections for item in _list_rows(case, belief, section, shown)]
    compact = squeeze(fold_view(shown))
    facts = [fact for fact in belief.facts if squeeze(fold_view(fact.quote)) in compact]
    placed += [
        (
            shown.find(fact.quote),
            _span("narrative", fact.quote, {"fact": fact.fact, "number": f"{read_number(fact.number)}"}),
        )
        for fact in facts
    ]
    header = {name: text for name, text in case.truth.header.items() if squeeze(fold_view(text)) in compact}
    placed += [(shown.find(text), _span("header", text, {"name": name})) for name, text in header.items()]
    points = read_narrative(case.truth, shown)
    placed += [(shown.find(text), _span("problem", text, {})) for text in points["problems"]]
    placed += [(shown.find(text), _span("measure", text, {})) for text in points["measures"]]
    return [span for _, span in sorted(placed, key=lambda item: item[0])]


def _span(kind: str, text: str, attributes: Json) -> Json:
    return {kind: text, f"{kind}_attributes": attributes}


def _list_rows(case: Case, belief: Belief, section: Section, shown: str) -> Iterator[tuple[int, Json]]:
    """Rows that stand in the text; of a whole document also those whose label and numbers are torn apart."""
    view = fold_view(shown)
    hits = find_labels(view, 0, len(view), section.id)
    is_whole = len(squeeze(view)) >= _WHOLE_SHARE * len(case.truth.squeezed)
    every = dict.fromkeys(column.id for column in section.columns)
    for row in section.rows:
        printed = [fold_view(cell) for cell in case.truth.row(section, row.id) or () if cell]
        cells = belief.rows.get((section.id, row.id), ())
        if len(cells) != len(row.columns):
            continue
        spans = _locate(view, hits, section, row, printed)
        if spans:
            text, start = _write_span(shown, spans, cells), spans[0][0]
        elif is_whole and all(cell in view for cell in printed):
            text, start = "\t".join((row.labels[0], *(cell or "" for cell in cells))), len(shown)
        else:
            continue
        said = dict(zip((column.id for column in row.columns), cells, strict=True))
        yield start, _span(section.id, text, {"row": row.id, **every, **said})


def _locate(
    view: str, hits: Sequence[LabelHit], section: Section, row: Row, printed: Sequence[str]
) -> list[tuple[int, int]]:
    """Where a row's label and its numbers stand, in order; nothing where they do not."""
    own = [hit for hit in hits if any(ref.role == "row" and ref.id == row.id for ref in hit.refs)]
    for hit in hits if section.layout == "one_row" else own:
        spans, position, end = [(hit.start, hit.end)], hit.end, hit.end + _REACH
        for cell in printed:
            found = view.find(cell, position, end)
            if found < 0:
                break
            position = found + len(cell)
            spans.append((found, position))
        else:
            return spans
    return []


def _write_span(shown: str, spans: Sequence[tuple[int, int]], cells: Cells) -> str:
    """The text of a row as the model believes it: the numbers it took for others are others."""
    believed = [cell for cell in cells if cell]
    parts, position = [shown[slice(*spans[0])]], spans[0][1]
    for (start, end), cell in zip(spans[1:], believed, strict=False):
        parts += [shown[position:start], cell]
        position = end
    return "".join(parts)
