"""Makes a probability of a passage's similarity with a query: that it answers; knows no model by name.

p = 1 / (1 + exp(-(slope * similarity + bias))): Platt, "Probabilistic Outputs for Support Vector Machines" (1999). It
is fitted on judged collections by `benchmarks/calibrate.py`, for one model each, since similarities of different models
are not alike.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes a relevance of a similarity, for documents in the languages of the collections that it was fitted on.

    Where all hits are less relevant than `least`, nothing answers.
    """

    slope: float
    bias: float
    least: float
    languages: Sequence[str] = ("en",)

    def relevance(self, similarity: float) -> float:
        """The probability that a passage with this similarity answers the query."""
        z = self.slope * similarity + self.bias
        return 1 / (1 + exp(-z)) if z > 0 else exp(z) / (1 + exp(z))


@lru_cache(maxsize=64)
def calibration_of(fingerprint: str) -> Calibration | None:
    """The calibration of a model by its fingerprint, None where it has none."""
    file = files("semsearch.rank").joinpath("calibrations", f"{fingerprint}.json")
    return Calibration(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
