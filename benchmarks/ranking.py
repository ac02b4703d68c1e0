"""Prints the table of benchmarks/ranking.md: nDCG@10 of one row an idea about ranking; embeds nothing twice.

    python benchmarks/ranking.py DIR        DIR holds judged collections, a folder in BEIR layout each

Each collection is indexed once, in the cache of `semsearch eval`; all rows are made from the same vectors, with numpy
over the scores of all passages. The row "as it is" must give what `semsearch eval` measures, or the run fails.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from judged import Judged, Scores, standard

from semsearch.rank import WEIGHT
from semsearch.store import corpus, lexical
from semsearch.terms import STOP_WORDS, stem, terms, words

Row = tuple[str, Scores]

AS_IT_IS = (
    "**as it is**: standard scores, lexical weight 0.28, feedback with share 0.3 from 3 documents, vectors in context"
)
CHECKED = 0.002
"""How far the row "as it is" may be from what `semsearch eval` measures."""

STOP_TERMS = frozenset(map(stem, STOP_WORDS))


def matching(scores: Scores) -> Scores:
    """Lexical scores as a search by words alone has them: what has no term of the query is not found."""
    return np.where(scores > 0, scores, -np.inf)


def min_max(dense: Scores, words: Scores, weight: float = 0.5, depth: int = 100) -> Scores:
    """Each part's best `depth` scaled to 0 … 1 and added; what neither has is not found."""
    out = np.full(dense.shape, -np.inf)
    for part, share in ((dense, 1 - weight), (matching(words), weight)):
        order = np.argsort(-part, axis=1, kind="stable")[:, :depth]
        for row, rows in enumerate(order):
            rows = rows[part[row, rows] > -np.inf]  # noqa: PLW2901 - the same, less what was not found
            if not len(rows):
                continue
            found = part[row, rows]
            spread = max(found[0] - found[-1], 0.02 * abs(found[0]), 1e-9)
            base = np.where(out[row, rows] == -np.inf, 0.0, out[row, rows])
            out[row, rows] = base + share * (1 - (found[0] - found) / spread)
    return out


def reciprocal(dense: Scores, words: Scores, constant: int = 60, depth: int = 100) -> Scores:
    """Reciprocal rank fusion: Cormack, Clarke and Büttcher (2009)."""
    out = np.full(dense.shape, -np.inf)
    for part in (dense, matching(words)):
        order = np.argsort(-part, axis=1, kind="stable")[:, :depth]
        for row, rows in enumerate(order):
            kept = rows[part[row, rows] > -np.inf]
            base = np.where(out[row, kept] == -np.inf, 0.0, out[row, kept])
            out[row, kept] = base + 1 / (constant + 1 + np.arange(len(kept)))
    return out


@contextmanager
def bm25_with(k1: float, b: float) -> Iterator[None]:
    """Other constants of BM25 for a while."""
    before = lexical.K1, lexical.B
    lexical.K1 = corpus.K1 = k1
    lexical.B = corpus.B = b
    try:
        yield
    finally:
        lexical.K1, lexical.B = corpus.K1, corpus.B = before


def parts(c: Judged) -> Iterator[Row]:
    """Each part by itself, and what stemming and stop words do for the lexical one."""
    yield "dense alone", c.dense()
    yield "lexical alone", matching(c.lexical)
    plain = c.passages(cut=words)
    unstemmed = [words(text) for text in c.texts]
    stopped = [[word for word in query if word not in STOP_WORDS] or query for query in unstemmed]
    every = [terms(text) for text in c.texts]
    yield "lexical, no stemming", matching(c.bm25(plain, stopped, c.sizes))
    yield "lexical, stop words kept in the query", matching(c.bm25(c.lexical_passages, every, c.sizes))
    yield "lexical, no stemming and stop words kept", matching(c.bm25(plain, unstemmed, c.sizes))
    old = c.bm25(c.passages(1, words), unstemmed)
    yield (
        "min-max over the top 100, weight 0.5, BM25 of passages, no stemming and stop words kept: as it was",
        min_max(c.dense(), old),
    )


def fusions(c: Judged) -> Iterator[Row]:
    """Ways to make one score of two, without feedback and with it."""
    yield "min-max over the top 100, weight 0.5", min_max(c.dense(), c.lexical)
    yield "reciprocal ranks, k = 60", reciprocal(c.dense(), c.lexical)
    for weight in (0.2, 0.25, 0.28, 0.3, 0.35, 0.4, 0.5):
        yield f"standard scores, lexical weight {weight}", c.hybrid(weight=weight, share=0)
    yield AS_IT_IS, c.hybrid()
    for share in (0.2, 0.4, 0.5):
        yield f"feedback with share {share}", c.hybrid(share=share)
    for weight in (0.2, 0.25, 0.3, 0.35, 0.4):
        yield f"feedback, lexical weight {weight}", c.hybrid(weight=weight)
    yield "feedback, equal weights", c.hybrid(equal=True)
    yield "feedback, equal weights, share 0.4, lexical weight 0.35", c.hybrid(equal=True, share=0.4, weight=0.35)
    for hits in (2, 5, 10):
        yield f"feedback from {hits} documents", c.hybrid(hits=hits)
    yield "feedback twice", c.hybrid(times=2)
    over_passages = standard(c.lexical)
    yield "BM25 in deviations over passages instead of documents", c.hybrid(over_passages)
    yield "the same, lexical weight 0.25", c.hybrid(over_passages, 0.25)


def fields(c: Judged) -> Iterator[Row]:
    """What BM25 counts, and where."""
    own = c.bm25(c.lexical_passages, c.asked_terms)
    whole = c.bm25(c.documents(c.lexical_passages), c.asked_terms)[:, c.owners]
    mixed = (1 - lexical.DOCUMENT) * own + lexical.DOCUMENT * whole
    assert np.allclose(c.lexical, mixed), "the package's BM25 is another one"
    for name, scores in (("passages only", own), ("documents only", whole)):
        yield f"lexical alone: {name}", matching(scores)
        yield f"BM25 of {name}", c.hybrid(standard(scores))
    yield "BM25 of passage and document, equal parts", c.hybrid(standard((own + whole) / 2))
    for title, name in ((0, "not counted"), (1, "once"), (3, "three times")):
        yield f"title {name}", c.hybrid(standard(c.bm25(c.passages(title), c.asked_terms, c.sizes)))
    for k1, b in ((0.9, 0.4), (1.6, 0.75), (2.0, 0.75)):
        with bm25_with(k1, b):
            yield f"k1 {k1}, b {b}", c.hybrid(standard(c.bm25(c.lexical_passages, c.asked_terms, c.sizes)))
    pairs = c.bm25([near(cut, 2) for cut in c.lexical_passages], [near(cut, 2) for cut in c.asked_terms], c.sizes)
    for share in (0.1, 0.3):
        yield f"pairs of terms added, {share}", c.hybrid(standard(c.lexical + share * pairs))
    windows = [
        [near(cut, size, ordered=False) for cut in of]
        for of, size in zip((c.lexical_passages, c.asked_terms), (4, 3), strict=True)
    ]
    added = c.bm25(windows[0], windows[1], c.sizes)
    yield "terms near each other in any order added, 0.1", c.hybrid(standard(c.lexical + 0.1 * added))


def near(cut: Sequence[str], size: int, *, ordered: bool = True) -> list[str]:
    """Pairs of terms, without stop words, at most size - 1 apart; each pair is a term."""
    kept = [term for term in cut if term not in STOP_TERMS]
    found = [(a, b) for i, a in enumerate(kept) for b in kept[i + 1 : i + size] if a != b]
    return ["_".join(pair if ordered else sorted(pair)) for pair in found]


def scales(c: Judged) -> Iterator[Row]:
    """Other ways to make lexical and dense scores comparable."""
    for name, changed in (
        ("square root of BM25", np.sqrt(c.lexical)),
        ("log(1 + BM25)", np.log1p(c.lexical)),
        ("BM25 to the power 0.75", c.lexical**0.75),
        ("BM25 to the power 1.5", c.lexical**1.5),
    ):
        yield name, c.hybrid(standard(changed))
    most = (lexical.K1 + 1) * np.maximum(c.rarities.sum(axis=1, keepdims=True), 1e-9)
    yield "BM25 by its theoretical maximum, times 14", c.hybrid(14 * c.lexical / most)
    deviation = np.ma.masked_less_equal(c.lexical, 0.0).std(axis=1, keepdims=True).filled(0.0)
    yield "deviations over matching passages alone", c.hybrid(c.lexical / np.where(deviation > 0, deviation, np.inf))
    scores = c.standard_lexical
    yield (
        "standard scores, the highest at most 8",
        c.hybrid(scores * np.minimum(1, 8 / np.maximum(highest(scores), 1e-9))),
    )


def weights(c: Judged) -> Iterator[Row]:
    """A lexical weight that depends on the query."""
    count = np.array([[len(cut)] for cut in c.asked_terms])
    yield (
        "more lexical for short queries",
        c.hybrid(weight=WEIGHT * np.select([count <= 3, count < 12], [1.3, 1.0], 0.8)),
    )
    rare = c.rarities.max(axis=1, keepdims=True) / math.log(2 + 2 * len(c.owners))
    yield "more lexical for rare terms", c.hybrid(weight=WEIGHT * np.clip(0.4 + 0.7 * rare, 0.6, 1.4))
    named = np.array([[any(w[:1].isupper() and not w.isupper() for w in t.split()[1:])] for t in c.texts])
    yield "more lexical for names (a capital inside)", c.hybrid(weight=np.where(named, 1.3, 1.0) * WEIGHT)
    stands_out = [np.maximum(highest(part), 1e-9) for part in (c.standard_lexical, c.standard_dense)]
    ratio = stands_out[0] / stands_out[1] / 1.8
    yield "more lexical where its best stands out more", c.hybrid(weight=WEIGHT * np.clip(ratio, 0.6, 1.6))
    yield "more lexical where its best stands out less", c.hybrid(weight=WEIGHT * np.clip(1 / ratio, 0.6, 1.6))


def together(c: Judged) -> Iterator[Row]:
    """A passage beside its neighbours, a document's passages together, and terms from the first hits."""
    yield "dense alone, each vector by itself", c.dense(vectors=c.alone)
    yield "each vector by itself", c.hybrid(vectors=c.alone)
    yield "each vector by itself, lexical weight 0.3", c.hybrid(vectors=c.alone, weight=0.3)
    for share, reach in ((0.2, 2), (0.4, 2), (0.5, 2), (0.3, 1), (0.3, 3)):
        yield f"in context with share {share}, {reach} on either side", c.hybrid(vectors=c.in_context(share, reach))
    for share in (0.3, 0.4, 0.5):
        mixed = ((1 - share) * c.alone + share * c.means).astype(np.float32)
        yield f"share {share} of the mean of the whole document, of length 1", c.hybrid(vectors=mixed)
    scores = c.hybrid()
    best = c.best(scores)
    second = scores.copy()
    second[np.arange(len(scores))[:, None], c.rows_of_best(scores)] = -np.inf
    runner = c.best(second)
    yield "document = 0.8 best + 0.2 second passage", np.where(runner > -np.inf, 0.8 * best + 0.2 * runner, best)
    for share in (0.3, 0.5):
        expanded = [expand(c, number, share) for number in range(len(c.texts))]
        words_ = c.bm25(c.lexical_passages, expanded, c.sizes)
        yield f"RM3, {share}: lexical alone", matching(words_)
        yield f"RM3, {share}", c.hybrid(standard(words_))


def expand(c: Judged, number: int, share: float, documents: int = 5, size: int = 10) -> list[str]:
    """RM3: the query's terms and the weightiest of the first hits' passages, repeated by their weight.

    Abdul-Jaleel et al., "UMass at TREC 2004" (2004).
    """
    own = Counter(c.asked_terms[number])
    found: dict[str, float] = {}
    for row in c.first_hits[number][:documents]:
        cut = Counter(c.lexical_passages[row])
        for term, times in cut.items():
            found[term] = found.get(term, 0.0) + times / cut.total() * c.rarity(term)
    best = sorted(found.items(), key=lambda pair: -pair[1])[:size]
    total = sum(weight for _, weight in best)
    mixed = {term: (1 - share) * times / own.total() for term, times in own.items()}
    for term, weight in best:
        mixed[term] = mixed.get(term, 0.0) + share * weight / total
    return [term for term, weight in mixed.items() for _ in range(round(weight * 200))]


def highest(scores: Scores) -> Scores:
    """Shape (queries, 1)."""
    return np.asarray(scores.max(axis=1, keepdims=True))


KINDS = (parts, fusions, fields, scales, weights, together)


def checked(c: Judged, values: Sequence[float]) -> str:
    """What `semsearch eval` and the row "as it is" give, over the queries that have no operators.

    Raises:
        SystemExit: they differ.
    """
    pairs = [
        (value, c.measured[query.id])
        for value, query, asked in zip(values, c.queries, c.asked, strict=True)
        if not asked.phrases and not asked.excluded
    ]
    ours, theirs = np.mean(pairs, axis=0) if pairs else (0.0, 0.0)
    said = f"{c.name}: {ours:.4f} here, {theirs:.4f} by `semsearch eval`, {len(pairs)} of {len(values)} queries"
    if abs(ours - theirs) > CHECKED:
        raise SystemExit(f"{said}: the rows do not show what the package does")
    return said


def table(rows: Mapping[str, Sequence[float]], names: Sequence[str]) -> Iterator[str]:
    """Lines of Markdown; the last column is the mean over collections."""
    yield f"| idea | {' | '.join(names)} | mean |"
    yield f"|---|{'---|' * (len(names) + 1)}"
    for name, values in rows.items():
        yield f"| {name} | {' | '.join(f'{v:.3f}' for v in values)} | {np.mean(values):.4f} |"


def main(folder: Path) -> None:
    found = sorted(path.parent for path in folder.glob("*/corpus.jsonl"))
    if not found:
        raise SystemExit(f"{folder}: no folder in it holds a corpus.jsonl")
    rows: dict[str, list[float]] = {}
    for place in found:
        begun = time.perf_counter()
        collection = Judged(place)
        for kind in KINDS:
            for name, scores in kind(collection):
                values = collection.values(scores)
                if name == AS_IT_IS:
                    print(checked(collection, values), file=sys.stderr)
                rows.setdefault(name, []).append(float(np.mean(values)))
        print(f"{place.name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print("\n".join(table(rows, [place.name for place in found])))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
