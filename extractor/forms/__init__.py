"""What a report is: the form generations as data, and their loader.

Each generation is one TOML file in `data/`. Adding one touches data and a test, no code (docs/add-a-form.md); a user's
own stand in a folder of theirs (docs/own-forms.md). Nothing here reads a document.
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
)
from extractor.forms.codebook import CODEBOOK_HEADER, CodebookEntry, Kind, codebook_line, label_path, load_codebook
from extractor.forms.inline import LabelHit, find_labels
from extractor.forms.labels import drop_note, fold_label, split_ordinal
from extractor.forms.loading import load_forms

__all__ = [
    "CODEBOOK_HEADER",
    "TABLE_SECTIONS",
    "CodebookEntry",
    "Column",
    "Equation",
    "Form",
    "FormField",
    "Forms",
    "Kind",
    "LabelHit",
    "LabelRef",
    "Row",
    "Section",
    "codebook_line",
    "drop_note",
    "find_labels",
    "fold_label",
    "label_path",
    "load_codebook",
    "load_forms",
    "split_ordinal",
]
