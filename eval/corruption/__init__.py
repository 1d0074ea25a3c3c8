"""Documents damaged on purpose, with exact truth: docs/corruption.md.

What other code uses is here: KINDS (the registry), make_corrupted and draw_mix (documents), write_folder (files).
"""

from eval.corruption import cells, separators, surroundings, tables, wording
from eval.corruption.folder import write_folder
from eval.corruption.make import Corrupted, draw_mix, make_corrupted
from eval.corruption.registry import KINDS, SEVERITIES, Kind

# The modules enter their kinds into the registry as they are imported.
_REGISTERED = (cells, tables, separators, wording, surroundings)

__all__ = ["KINDS", "SEVERITIES", "Corrupted", "Kind", "draw_mix", "make_corrupted", "write_folder"]
