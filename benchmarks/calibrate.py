"""Fits and tests the relevance of hits on judged collections: `python benchmarks/calibrate.py DIR [--write]`.

DIR holds collections in BEIR layout in a language that the model knows. Every collection is asked its own queries and,
off topic, queries of the others; each is tested with what was fitted on the others. `--write` keeps the fit on all.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import semsearch.rank
from semsearch import Index
from semsearch.evaluate import evaluate
from semsearch.evaluate.beir import read_beir
from semsearch.rank import Calibration

LOSS = 0.0
"""The share of answerable queries that the threshold may refuse on any of the collections it is fitted on.

Queries of judged collections are long; the few words that people type are less similar to what answers them. With 0.01
a question of the tests, "an attack on one ally is an attack on all", was refused although its article came first.
"""

Hits = list[tuple[float, float]]
"""Similarity and 1 for relevant or 0, of a query's first ten hits."""


def asked(folders: list[Path]) -> dict[str, tuple[list[Hits], list[Hits]]]:
    """By collection: the hits of its own queries, and of others' queries."""
    queries = {folder.name: read_beir(folder)[0].queries for folder in folders}
    found = {}
    for folder in folders:
        with Index.open(evaluate(folder, settings=["hybrid"]).index) as index:
            own = [hits(index, query.text, query.grades) for query in queries[folder.name]]
            share = max(8, len(own) // (len(folders) - 1))
            others = [q.text for name, each in queries.items() if name != folder.name for q in each[:share]]
            found[folder.name] = own, [hits(index, text, {}) for text in others]
    return found


def hits(index: Index, text: str, grades: dict[str, float]) -> Hits:
    """A query's first ten hits."""
    each = index.search(text, k=10, collapse=False)
    return [(hit.scores["dense"] or 0.0, float(grades.get(hit.path, 0) > 0)) for hit in each]


def fitted(collections: list[tuple[list[Hits], list[Hits]]]) -> Calibration:
    """A calibration in which every collection's own and others' queries weigh the same."""
    values, labels, weights = [], [], []
    for part in (part for collection in collections for part in collection):
        flat = [hit for query in part for hit in query]
        values += [similarity for similarity, _ in flat]
        labels += [label for _, label in flat]
        weights += [1 / len(flat)] * len(flat)
    scale = len(weights) / sum(weights)
    model = LogisticRegression(C=10).fit(np.array(values)[:, None], labels, np.array(weights) * scale)
    plain = Calibration(float(model.coef_[0, 0]), float(model.intercept_[0]), 0.0)
    lowest = [np.quantile(best(plain, own, answerable=True), LOSS) for own, _ in collections]
    return Calibration(round(plain.slope, 3), round(plain.bias, 3), round(float(min(lowest)), 3))


def best(calibration: Calibration, queries: list[Hits], *, answerable: bool = False) -> list[float]:
    """The relevance of each query's most relevant hit; only of queries that have a right hit, if asked for."""
    kept = [query for query in queries if query and (not answerable or any(label for _, label in query))]
    return [max(calibration.relevance(similarity) for similarity, _ in query) for query in kept]


def error(calibration: Calibration, queries: list[Hits]) -> float:
    """The expected calibration error over ten bins: Naeini et al., "Obtaining Well Calibrated Probabilities" (2015)."""
    flat = np.array([(calibration.relevance(similarity), label) for query in queries for similarity, label in query])
    bins = np.minimum((flat[:, 0] * 10).astype(int), 9)
    gaps = [np.mean(bins == b) * abs(np.diff(flat[bins == b].mean(axis=0))[0]) for b in set(bins.tolist())]
    return float(sum(gaps))


def main() -> None:
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/queries.jsonl"))
    found = asked(folders)
    print("| left out | calibration error | off-topic refused | answerable lost |", "|---|---|---|---|", sep="\n")
    rows = []
    for name, (own, others) in found.items():
        calibration = fitted([each for other, each in found.items() if other != name])
        refused = np.mean(np.array(best(calibration, others)) < calibration.least)
        lost = np.mean(np.array(best(calibration, own, answerable=True)) < calibration.least)
        rows.append((error(calibration, [*own, *others]), refused, lost))
        print(f"| {name} | {rows[-1][0]:.3f} | {refused:.3f} | {lost:.3f} |")
    print("| mean |", " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)), "|")
    whole = fitted(list(found.values()))
    print("fitted on all:", whole)
    if "--write" in sys.argv:
        with Index.open(evaluate(folders[0], settings=["hybrid"]).index) as index:
            home = Path(semsearch.rank.__file__).parent / "calibrations"
            (home / f"{index.config.fingerprint}.json").write_text(json.dumps(asdict(whole)) + "\n")


if __name__ == "__main__":
    main()
