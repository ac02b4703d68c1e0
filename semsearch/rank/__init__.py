"""Orders passages by what several searches say of them; pure functions, no index and no model."""

from semsearch.rank.calibration import Calibration, calibration_of
from semsearch.rank.collapse import Candidate, Kept, fold
from semsearch.rank.feedback import HITS, moved
from semsearch.rank.fusion import WEIGHT, Moments, fuse, standard
from semsearch.rank.rerank import RERANKED, reranked

__all__ = [
    "HITS",
    "RERANKED",
    "WEIGHT",
    "Calibration",
    "Candidate",
    "Kept",
    "Moments",
    "calibration_of",
    "fold",
    "fuse",
    "moved",
    "reranked",
    "standard",
]
