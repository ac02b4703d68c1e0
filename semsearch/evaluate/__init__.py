"""Measures how well settings of a search find what judged queries should find; prints nothing and tunes nothing.

    from semsearch.evaluate import evaluate

    found = evaluate("collections/mine", settings=["dense", "hybrid"], against="lexical")
    found.measured[0].means["nDCG@10"].mean

A document's rank is that of its best passage: passages are asked for until they come from 100 documents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from semsearch.errors import UsageError
from semsearch.evaluate.beir import read_beir
from semsearch.evaluate.collect import collected
from semsearch.evaluate.own import read_own
from semsearch.evaluate.report import as_json, as_table, from_json
from semsearch.evaluate.settings import DEFAULTS, setting
from semsearch.evaluate.significance import Interval, bootstrap, randomisation
from semsearch.evaluate.values import (
    COMPARED,
    DEEPEST,
    METRICS,
    Collection,
    Comparison,
    Evaluation,
    Judged,
    Measured,
    Setting,
)
from semsearch.index import Index
from semsearch.types import Embedder, Hit

__all__ = [
    "DEFAULTS",
    "METRICS",
    "Comparison",
    "Evaluation",
    "Interval",
    "Measured",
    "as_json",
    "as_table",
    "evaluate",
    "from_json",
]

PASSAGES = 300
"""How many passages are asked for at first; doubled while they come from fewer than `DEEPEST` documents."""


def evaluate(
    path: str | Path,
    *,
    settings: Sequence[str] = DEFAULTS,
    against: str | Evaluation | None = None,
    index: str | Path | None = None,
    model: str | None = None,
    split: str | None = None,
    rebuild: bool = False,
    embedder: Embedder | None = None,
) -> Evaluation:
    """Measure settings on a judged collection, or on your own queries against your index.

    Args:
        path: a folder in BEIR layout, or a file of your own queries; docs/guide.md says what its lines are.
        settings: each `MODE[,name=value]…`, with the arguments of `Index.search`.
        against: a setting to compare each one with, or what was measured earlier over the same queries.
        index: for a folder where its index is or will be, None for one in the cache; for a file the index to search.
        model: of a new index for a folder.
        split: which file in qrels/.
        rebuild: make the index in the cache anew.
        embedder: your own in place of a model.

    Raises:
        UsageError: nothing is judged, a line or a setting cannot be understood, or there is nothing to compare with.
        ModelError: the model cannot be found, trusted or run.
        StoreError: the index cannot be opened or written.
    """
    path = Path(path)
    chosen = _chosen(settings, against)
    if path.is_dir():
        collection, documents = read_beir(path, split)
        place = Path(index) if index is not None else None
        opened = collected(path, documents, place, model, embedder, rebuild=rebuild)
    else:
        if index is None or model or split or rebuild:
            raise UsageError(f"{path}: a file of queries takes an index, and no model, split or rebuild")
        opened = Index.open(index, embedder=embedder)
    with opened:
        if not path.is_dir():
            collection = read_own(path, opened.documents())
        measured = tuple(_measured(opened, collection, each) for each in chosen)
        return Evaluation(
            collection=collection.path,
            index=str(opened.path),
            model=opened.config.model,
            documents=len(opened.documents()),
            digest=collection.digest,
            queries={query.id: query.text for query in collection.queries},
            measured=measured,
            comparisons=tuple(_comparisons(measured, against, collection.digest)),
            notes=collection.notes,
        )


def _chosen(settings: Sequence[str], against: str | Evaluation | None) -> list[Setting]:
    names = list(dict.fromkeys([*settings, against] if isinstance(against, str) else settings))
    if not names or (isinstance(against, str) and len(names) == 1):
        raise UsageError(f"nothing to compare {against} with; name another setting" if names else "name a setting")
    return [setting(name) for name in names]


def _measured(index: Index, collection: Collection, chosen: Setting) -> Measured:
    values: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    seconds = []

    def search(text: str, k: int) -> list[Hit]:
        begun = time.perf_counter()
        hits = index.search(text, k=k, **chosen.arguments)
        seconds.append(time.perf_counter() - begun)
        return hits

    for query in collection.queries:
        ranked = _ranked(search, query)
        for metric, of in METRICS.items():
            values[metric][query.id] = of(ranked, query.grades)
    table = np.array([list(column.values()) for column in values.values()]).T
    means = dict(zip(METRICS, bootstrap(table), strict=True))
    return Measured(chosen.name, means, values, 1000 * median(seconds))


def _ranked(search: Callable[[str, int], list[Hit]], query: Judged) -> list[str]:
    """The names that a query finds, best first: at least `DEEPEST`, or all that there are."""
    k = PASSAGES
    while True:
        hits = search(query.text, k)
        names = list(dict.fromkeys(name for hit in hits for name in _names(hit, query)))
        if len(names) >= DEEPEST or len(hits) < k:
            return names
        k *= 2


def _names(hit: Hit, query: Judged) -> list[str]:
    """What a hit finds: its document, or each judged passage that it overlaps.

    Where passages of a document are judged and not the document itself, a hit beside them is a wrong one by itself.
    """
    spans = query.spans.get(hit.path)
    if spans is None:
        return [hit.path]
    names = [hit.path] if hit.path in query.grades else []
    names += [name for start, end, name in spans if hit.start < end and start < hit.end]
    return names or [f"{hit.path}:{hit.start}-{hit.end}"]


def _comparisons(measured: Sequence[Measured], against: str | Evaluation | None, digest: str) -> list[Comparison]:
    if against is None:
        return []
    if isinstance(against, str):
        other = next(each for each in measured if each.setting == against)
        return [_comparison(each, other, against) for each in measured if each is not other]
    if against.digest != digest:
        raise UsageError(
            f"{against.collection}: was measured earlier with other queries or judgements; measure it anew"
        )
    earlier = {each.setting: each for each in against.measured}
    only = against.measured[0] if len(earlier) == 1 else None
    pairs = [(each, earlier.get(each.setting, only)) for each in measured]
    if missing := [each.setting for each, other in pairs if other is None]:
        raise UsageError(f"{missing[0]} was not measured earlier, only {', '.join(earlier)}; name one of them")
    return [_comparison(each, other, f"earlier {other.setting}") for each, other in pairs if other is not None]


def _comparison(one: Measured, other: Measured, name: str) -> Comparison:
    values, others = one.values[COMPARED], other.values[COMPARED]
    differences = np.array([values[query] - others[query] for query in values])
    (interval,) = bootstrap(differences[:, None])
    return Comparison(one.setting, name, COMPARED, interval, randomisation(differences))
