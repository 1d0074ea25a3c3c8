"""What a report is: the form generations as data, and their loader.

Each generation is one TOML file in `data/`. Adding one touches data and a test, no code
(docs/add-a-form.md). Nothing here reads a document.
"""

from extractor.forms.catalogue import (
    TABLE_SECTIONS,
    Column,
    Equation,
    Form,
    FormField,
    Forms,
    LabelRef,
    Row,
    Section,
    load_forms,
)
from extractor.forms.inline import LabelHit, find_labels
from extractor.forms.labels import drop_note, fold_label, split_ordinal

__all__ = [
    "TABLE_SECTIONS",
    "Column",
    "Equation",
    "Form",
    "FormField",
    "Forms",
    "LabelHit",
    "LabelRef",
    "Row",
    "Section",
    "drop_note",
    "find_labels",
    "fold_label",
    "load_forms",
    "split_ordinal",
]
