"""Finds and orders the passages of a snapshot that answer a query; cites none and changes nothing.

Two searches, by meaning and by words, give candidates; each candidate gets both its scores, as standard deviations
above the mean of the index, and one score from the two. In a hybrid search the query then moves a little towards the
best hits, and meaning is searched again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Literal, TypeAlias, get_args

import numpy as np

from semsearch.errors import UsageError
from semsearch.query import Query, holds
from semsearch.rank import HITS, RERANKED, Candidate, fold, fuse, moved, reranked
from semsearch.store import RECALL, Fetched, Ids, LexicalScores, Snapshot, StoredPassage, similarities
from semsearch.terms import query_terms, stem, words
from semsearch.types import Reranker, Vectors

Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
MODES: tuple[Mode, ...] = get_args(Mode)

DEPTH = 100
"""How many passages each search contributes at the least, where there are two or a reranker."""

_SHALLOW = 32
"""The same of a dense search by itself."""

LOG = logging.getLogger("semsearch")

_CLOSE = 1e-6
_FEEDBACK_POOL = 30
"""Among so many of the best passages the first documents are looked for."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a snapshot.

    `query` is None for a vector alone; `vector` is float32 of shape (dimension,), None in a lexical search.
    `only` are the passages that may be found, in rising order, None for all; `without` are left out besides. `recall`
    is the share of the nearest that a dense search of a large index has to find, in the mean; 1 scores every passage.
    """

    query: Query | None
    vector: Vectors | None
    k: int
    mode: Mode
    only: Ids | None = None
    without: frozenset[int] = frozenset()
    collapse: bool = True
    reranker: Reranker | None = None
    recall: float = RECALL


@dataclass(frozen=True, slots=True)
class Scored:
    """A passage that was found: its id, the score that orders it, and what that was made from.

    `dense` is the similarity with the query and `lexical` BM25, None where that part was not searched or found nothing
    of the query in the passage.
    """

    id: int
    score: float
    dense: float | None
    lexical: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """Passages best first, and whether these are all that there are."""

    passages: Sequence[Scored]
    all: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage that is shown and its document; where copies fold, what was folded into it and all its copies."""

    scored: Scored
    passage: StoredPassage
    folded: Sequence[Candidate] = ()
    copies: Sequence[int] = ()

    @property
    def document(self) -> int:
        """The number of its document."""
        return self.passage.document


def find(snapshot: Snapshot, wish: Wish) -> list[Answer]:
    """The best k passages, best first, each with those that were folded into it.

    Where folding, or a phrase that only looked to be there, leaves fewer than k, more candidates are looked at. Phrases
    that no passage has are ordinary text: quotes stand in many a sentence that was only pasted.
    """
    found = _find(snapshot, wish)
    if not found and wish.query is not None and wish.query.phrases:
        LOG.info("nothing has that phrase word by word; looked for it as for any other words")
        found = _find(snapshot, replace(wish, query=replace(wish.query, phrases=())))
    return found


def _find(snapshot: Snapshot, wish: Wish) -> list[Answer]:
    alone = wish.reranker is None and (wish.query is None or wish.mode == "dense")
    depth = max(_SHALLOW if alone else DEPTH, 2 * (wish.k + len(wish.without)))
    only = _with_operators(snapshot, wish)
    while True:
        found = candidates(snapshot, replace(wish, only=only), depth)
        kept = _kept(snapshot, wish, found.passages)
        if len(kept) >= wish.k or found.all:
            return kept
        # Not all that there is was looked at, and it did not suffice.
        depth *= 4


def candidates(snapshot: Snapshot, wish: Wish, depth: int) -> Found:
    """The passages that either search has among its best `depth`, with all their scores, best first."""
    lexical, by_words = None, []
    if wish.query is not None and wish.mode != "dense":
        lexical = snapshot.segments.lexical(query_terms(wish.query.text))
        by_words = lexical.top(depth, wish.only)
    if wish.vector is None:
        passages = [Scored(i, score, None, score) for i, score in by_words]
        return Found(_ordered(snapshot, passages), len(by_words) < depth)
    fetched = Fetched(snapshot.segments)

    def nearest(vector: Vectors) -> list[tuple[int, float]]:
        if not len(snapshot.segments.ids):
            return []
        return snapshot.segments.dense(vector, depth, wish.only, wish.recall, fetched.of)

    by_meaning = nearest(wish.vector)
    if lexical is None:
        passages = [Scored(i, score, score, None) for i, score in by_meaning]
        return Found(_ordered(snapshot, passages), len(by_meaning) < depth)
    found = {i for i, _ in by_words} | {i for i, _ in by_meaning}
    passages = _hybrid(snapshot, lexical, wish.vector, found, fetched, nearest)
    return Found(_ordered(snapshot, passages), len(by_words) < depth and len(by_meaning) < depth)


def _hybrid(
    snapshot: Snapshot,
    lexical: LexicalScores,
    vector: Vectors,
    found: set[int],
    fetched: Fetched,
    nearest: Callable[[Vectors], list[tuple[int, float]]],
) -> list[Scored]:
    """What both searches found, and what a dense search finds for the query after feedback, with all scores of each."""
    of_lexical = lexical.mean, lexical.deviation
    if not found:
        return []
    ids = list(found)
    of_query, by_words = _similarities(fetched, ids, vector), lexical.of(ids)
    scores = fuse(of_query, by_words, snapshot.segments.moments(vector), of_lexical)
    towards = _moved(snapshot, vector, scores, fetched)
    more = [i for i, _ in nearest(towards) if i not in found]
    ids += more
    # What is reported is the similarity with the query itself.
    of_query |= _similarities(fetched, more, vector)
    by_words |= lexical.of(more)
    scores = fuse(_similarities(fetched, ids, towards), by_words, snapshot.segments.moments(towards), of_lexical)
    return [Scored(i, score, of_query[i], by_words.get(i)) for i, score in scores.items()]


def _similarities(fetched: Fetched, ids: Sequence[int], vector: Vectors) -> dict[int, float]:
    """The similarity of each passage with a vector, in float64."""
    return dict(zip(ids, similarities(fetched.of(ids), vector), strict=True)) if ids else {}


def _moved(snapshot: Snapshot, vector: Vectors, scores: Mapping[int, float], fetched: Fetched) -> Vectors:
    """The query after feedback from the first hits' best passages, a passage a document."""
    pool = _in_order(snapshot, scores)[:_FEEDBACK_POOL]
    owners = snapshot.catalog.owners(pool)
    best: dict[int, int] = {}
    for i in pool:
        best.setdefault(owners[i], i)
    chosen = list(best.values())[:HITS]
    if not chosen:
        return vector
    return moved(vector, fetched.of(chosen), [scores[i] for i in chosen])


def _ordered(snapshot: Snapshot, passages: Iterable[Scored]) -> list[Scored]:
    """Best first; equal scores by folder, path and place, so that the order does not depend on when each came."""
    by_id = {passage.id: passage for passage in passages}
    return [by_id[i] for i in _in_order(snapshot, {i: passage.score for i, passage in by_id.items()})]


def _in_order(snapshot: Snapshot, scores: Mapping[int, float]) -> list[int]:
    keys = {i: -round(score / _CLOSE) for i, score in scores.items()}
    with_key = Counter(keys.values())
    # Hardly ever are two the same, and to look up the places of all takes longer than the search for them.
    places = snapshot.catalog.places(i for i, key in keys.items() if with_key[key] > 1)
    return sorted(keys, key=lambda i: (keys[i], places.get(i, ("", "", 0))))


def _with_operators(snapshot: Snapshot, wish: Wish) -> Ids | None:
    """The passages that may be found: those that the filter admits and that have, or lack, what the query says.

    A phrase is looked for by its terms here; that they follow one another is seen when the text is read.
    """
    query, only = wish.query, wish.only
    if query is None or not (query.phrases or query.excluded):
        return only
    for phrase in query.phrases:
        having = snapshot.segments.having([stem(word) for word in phrase])
        only = having if only is None else np.intersect1d(only, having, assume_unique=True)
    for sequence in query.excluded:
        if len(sequence) == 1:
            having = snapshot.segments.having([stem(sequence[0])])
            every = snapshot.segments.ids if only is None else only
            only = np.setdiff1d(every, having, assume_unique=True)
    return only


def _kept(snapshot: Snapshot, wish: Wish, found: Sequence[Scored]) -> list[Answer]:
    if wish.reranker is not None and wish.query is not None:
        found = _reranked(snapshot, wish.reranker, wish.query.text, found)
    by_id = {scored.id: scored for scored in found}
    read = _read(snapshot, found, wish)
    if not wish.collapse:
        return [Answer(by_id[passage.id], passage) for passage in islice(read, wish.k)]
    passages: dict[int, StoredPassage] = {}

    def candidates() -> Iterator[Candidate]:
        for passage in read:
            passages[passage.id] = passage
            yield Candidate(passage.id, by_id[passage.id].score, passage.document, passage.text)

    copies = cache(snapshot.catalog.copies.of)  # asked here by folding, and again for each that stays
    kept = fold(candidates(), copies, wish.k)
    return [
        Answer(by_id[k.candidate.id], passages[k.candidate.id], k.folded, copies(k.candidate.document)) for k in kept
    ]


def _read(snapshot: Snapshot, found: Sequence[Scored], wish: Wish) -> Iterator[StoredPassage]:
    """The passages with their texts, read a few at a time, without those that the query's operators leave out."""
    step = wish.k + wish.k // 5 + 1  # a few more than are shown, as some may fold
    for at in range(0, len(found), step):
        part = [scored for scored in found[at : at + step] if scored.id not in wish.without]
        passages = {passage.id: passage for passage in snapshot.catalog.passages(scored.id for scored in part)}
        for scored in part:
            passage = passages[scored.id]
            if _is_asked_for(snapshot, wish.query, passage.document, passage.heading, passage.text):
                yield passage


def _is_asked_for(snapshot: Snapshot, query: Query | None, document: int, heading: str, text: str) -> bool:
    if query is None or not (query.phrases or any(len(sequence) > 1 for sequence in query.excluded)):
        return True
    title = next(iter(snapshot.catalog.documents([document]))).title
    # A phrase does not run from the title into the text.
    parts = [words(part) for part in (title, heading, text)]
    has = {sequence: any(holds(part, sequence) for part in parts) for sequence in (*query.phrases, *query.excluded)}
    return all(has[phrase] for phrase in query.phrases) and not any(has[sequence] for sequence in query.excluded)


def _reranked(snapshot: Snapshot, reranker: Reranker, query: str, found: Sequence[Scored]) -> list[Scored]:
    """The passages in the order of a cross-encoder, which reads the first of them with the query."""
    first = found[:RERANKED]
    passages = {passage.id: passage for passage in snapshot.catalog.passages(scored.id for scored in first)}
    scores = reranker.score(query, [passages[scored.id].text for scored in first])
    by_id = {scored.id: scored for scored in found}
    order = reranked([(scored.id, scored.score) for scored in found], scores.tolist())
    return [replace(by_id[i], score=score) for i, score in order]


def checked(query: str | Vectors, k: int, mode: str, recall: float = RECALL) -> None:
    """Refuse what no search can do.

    Raises:
        UsageError: k is below 1, the recall is not above 0 and at most 1,
            there is no such mode, the query is empty, or a vector is to be searched by words.
    """
    if not isinstance(k, int) or k < 1:
        raise UsageError(f"k is {k}; ask for at least 1 hit")
    if not 0 < recall <= 1:
        raise UsageError(f"the recall is {recall}; ask for more than 0 and at most 1, which is exact")
    if mode not in MODES:
        raise UsageError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
    if isinstance(query, str) and not query.strip():
        raise UsageError("the query is empty; ask for something")
    if not isinstance(query, str) and mode == "lexical":
        raise UsageError("a vector has no words to look for; search for it with the mode dense")
