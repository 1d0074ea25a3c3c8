"""Error localisation: which cells of a table are wrong when its equations fail.

Nothing here changes a value: it proposes, and says how many proposals are as good.
"""

from extractor.reconcile.localise.explanations import MOST_TIES, Change, Explanation, Location, LocationOutcome
from extractor.reconcile.localise.problem import DEFAULT_WEIGHT
from extractor.reconcile.localise.stages import locate_errors

__all__ = [
    "DEFAULT_WEIGHT",
    "MOST_TIES",
    "Change",
    "Explanation",
    "Location",
    "LocationOutcome",
    "locate_errors",
]
