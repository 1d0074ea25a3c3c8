"""Records out of the house: JSON lines, CSV, Excel and Parquet, written as a stream.

Called by bulk. No judgement of a value is made here: what is accepted was decided before.
"""

from extractor.export.writer import OUTPUTS, PANEL_OUTPUTS, OutputWriter, check_out_dir, prepare_document

__all__ = ["OUTPUTS", "PANEL_OUTPUTS", "OutputWriter", "check_out_dir", "prepare_document"]
