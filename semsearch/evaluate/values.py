"""The values that measuring passes on: what is judged, what was measured, how two settings differ; no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from semsearch.evaluate.significance import Interval
from semsearch.rank.metrics import ndcg, recall, reciprocal_rank

Metric = Callable[[Sequence[str], Mapping[str, int]], float]

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "nDCG@10": partial(ndcg, k=10),
        "MRR@10": partial(reciprocal_rank, k=10),
        "recall@10": partial(recall, k=10),
        "recall@100": partial(recall, k=100),
    }
)
"""By name; `COMPARED` is the one by which settings are compared."""

COMPARED = "nDCG@10"
DEEPEST = 100
"""How many documents a metric looks at, at the most."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A query and what it should find: `grades` by the name of a document or `path:START-END` of a passage.

    `spans` holds those of the names that are passages: for each document's path, (start, end, name).
    """

    id: str
    text: str
    grades: Mapping[str, int]
    spans: Mapping[str, Sequence[tuple[int, int, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """Judged queries. `digest` tells these queries and judgements from others; `notes` say what was left out."""

    path: str
    queries: tuple[Judged, ...]
    digest: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to search: its name as it was given, and the arguments of `Index.search`."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """One setting over all queries: for each metric the mean with its interval, and the value of each query by its id.

    `milliseconds` is the median time of a search, which gives many more passages here than a person asks for.
    """

    setting: str
    means: Mapping[str, Interval]
    values: Mapping[str, Mapping[str, float]]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`setting` less `against` in one metric over the same queries: mean difference, its interval, two-sided p."""

    setting: str
    against: str
    metric: str
    difference: Interval
    p: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate` found. `documents` is the number in the index; `digest` and `notes` are the collection's."""

    collection: str
    index: str
    model: str
    documents: int
    digest: str
    queries: Mapping[str, str]
    measured: tuple[Measured, ...]
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
