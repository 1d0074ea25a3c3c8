"""Terminal pictures: one record as the official form, many records as a table.

Lives here: how records look in a terminal (rich), and on the pages that they were read from (page_image, which loads
Pillow and is imported by its user alone). Does not live here: reading files, arguments, or what is written to disk.
Called by cli.
"""

from extractor.console.equations import describe_equation
from extractor.console.findings import Language
from extractor.console.pieces import quote_span
from extractor.console.record import render_record
from extractor.console.summary import summary_table

__all__ = ["Language", "describe_equation", "quote_span", "render_record", "summary_table"]
