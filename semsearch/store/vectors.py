"""Finds the vectors nearest to a query's, exactly, over immutable segments; approximately, `lists.py` does.

FAISS is given memory-mapped rows and makes no copy of them. What it returns becomes (passage id, score) here: a score
is a similarity, higher is better, and FAISS's row numbers and its -1 for "none" go no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semsearch.errors import ModelError
from semsearch.store.files import Array
from semsearch.store.subset import Ids, rows_of
from semsearch.types import Vectors

_BLOCK = 4096
_CLOSE = 1e-5
FEW = 1024
"""So many rows are scored at once, without FAISS."""


@dataclass(frozen=True, slots=True)
class VectorSegment:
    """Passage ids in rising order, int64 of shape (n,), and their vectors, float32 of shape (n, dimension).

    `lives` is a mask of shape (n,) of the rows that are still part of the index; None means all of them. `total` and
    `square` are what `moments.with_sums` makes of a large segment's rows.
    """

    ids: NDArray[np.int64]
    rows: Vectors
    lives: NDArray[np.bool_] | None = None
    total: NDArray[np.float64] | None = None
    square: NDArray[np.float64] | None = None

    def arrays(self) -> dict[str, list[Array]]:
        """What the segment's file holds."""
        return {"ids": [self.ids], "rows": [self.rows]}

    def fits(self, count: int, dimension: int) -> bool:
        """Whether the arrays have the shapes that so many passages give them."""
        sums = {"total": (dimension,), "square": (dimension, dimension)}
        return (
            self.ids.shape == (count,)
            and self.rows.shape == (count, dimension)
            and self.rows.dtype == np.float32
            and all(getattr(self, name) is None or getattr(self, name).shape == shape for name, shape in sums.items())
        )

    def since(self, row: int) -> VectorSegment:
        """Its part from that row on."""
        if not row:
            return self
        return VectorSegment(self.ids[row:], self.rows[row:], None if self.lives is None else self.lives[row:])


def search(
    segments: Sequence[VectorSegment], query: Vectors, k: int, only: Ids | None = None
) -> list[tuple[int, float]]:
    """The k passages with the highest inner product with `query`: (passage id, score), best first.

    Args:
        segments: where to look.
        query: float32, shape (dimension,).
        k: the most passages to return, at least 1.
        only: passages in rising order; none but those are found. None means all.
    """
    near = [(segment, *_nearest(segment, query, k, only)) for segment in segments]
    least = _kth(np.concatenate([np.empty(0, np.float32), *(scores for _, _, scores in near)]), k)
    hits: list[tuple[int, float]] = []
    for segment, rows, scores in near:
        chosen = rows[scores >= least]
        hits.extend(zip(segment.ids[chosen].tolist(), similarities(segment.rows[chosen], query), strict=True))
    return best(hits, k)


def similarities(rows: Vectors, query: Vectors) -> list[float]:
    """The inner product of each row with `query`, in float64.

    Where a row lies changes the last digits of what is computed in float32; in float64 equal stays equal.
    """
    scores: list[float] = np.einsum("ij,j->i", rows.astype(np.float64), query.astype(np.float64)).tolist()
    return scores


def best(hits: Iterable[tuple[int, float]], k: int) -> list[tuple[int, float]]:
    """The k hits with the highest scores, best first; equal ones by id."""
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]


def checked(vectors: Vectors, shape: tuple[int, int], name: str) -> Vectors:
    """Vectors that may be stored.

    Raises:
        ModelError: they have another shape, or hold NaN or infinity.
    """
    vectors = np.asarray(vectors, np.float32)
    if vectors.shape != shape:
        raise ModelError(f"{name}: gave vectors of shape {vectors.shape} instead of {shape}")
    if not np.isfinite(vectors).all():
        raise ModelError(f"{name}: gave vectors that hold NaN or infinity; nothing of this batch was stored")
    return vectors


def unit(vectors: Vectors) -> Vectors:
    """The vectors scaled to length 1; a vector of zeros stays as it is. Float32, C-contiguous."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)


def merged(segments: Sequence[VectorSegment]) -> dict[str, list[Array]]:
    """What the file of one segment holds that takes the place of several, without the dead.

    Blocks of rows that are all alive are passed on as they are mapped, so merging copies little into memory.
    """
    return {
        "ids": [piece for segment in segments for piece in _living(segment.ids, segment.lives)],
        "rows": [piece for segment in segments for piece in _living(segment.rows, segment.lives)],
    }


def _nearest(
    segment: VectorSegment, query: Vectors, k: int, only: Ids | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows among which the k nearest are, and their scores to within what float32 can tell."""
    chosen = _chosen(segment, only)
    count = len(segment.ids) if chosen is None else len(chosen)
    if count > max(k, FEW):
        return _best(segment.rows, query, k, chosen)
    rows = segment.rows if chosen is None else segment.rows[chosen]
    return np.arange(count) if chosen is None else chosen, rows @ query


def _kth(scores: NDArray[np.float32], k: int) -> float:
    """A score that the k highest reach also when they are computed more exactly; -inf where there are fewer."""
    if len(scores) <= k:
        return -np.inf
    kth = float(np.partition(scores, -k)[-k])
    return kth - _CLOSE * max(float(np.abs(scores).max()), 1e-30)


def _chosen(segment: VectorSegment, only: Ids | None) -> NDArray[np.int64] | None:
    """The rows that may be found, in rising order; None where it is all of them."""
    if only is None:
        return None if segment.lives is None else np.flatnonzero(segment.lives)
    rows = rows_of(segment.ids, only)
    return rows if segment.lives is None else rows[segment.lives[rows]]


def _best(
    rows: Vectors, query: Vectors, k: int, chosen: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k rows with the highest inner product among the chosen, or all, and these."""
    import faiss  # noqa: PLC0415 - 40 ms, which a search by words and a run without changes do without

    # An index would copy the rows to search them with a selector; the function below an index's search does not. With a
    # selector it runs on one thread, also where that admits all: 5 ms for 100,000 rows, where two threads take 20.
    mask = np.zeros(len(rows), np.bool_)
    mask[chosen] = True  # None stands for all
    bits = np.packbits(mask, bitorder="little")
    rows, query = np.ascontiguousarray(rows, np.float32), np.ascontiguousarray(query, np.float32)
    scores, found = np.empty(k, np.float32), np.empty(k, np.int64)
    at = faiss.swig_ptr
    selector = faiss.IDSelectorBitmap(len(rows), at(bits))
    arguments = [at(query), at(rows), rows.shape[1], 1, len(rows), k, at(scores), at(found), selector]
    faiss.knn_inner_product(*arguments)
    return found[found >= 0], scores[found >= 0]


def _living(array: Array, lives: NDArray[np.bool_] | None) -> Iterator[Array]:
    if lives is None:
        yield array
        return
    for start in range(0, len(array), _BLOCK):
        block, mask = array[start : start + _BLOCK], lives[start : start + _BLOCK]
        yield block if mask.all() else block[mask]
