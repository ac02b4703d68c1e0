"""Finds the vectors nearest to a query's among very many, approximately; scores none exactly and stores nothing.

The vectors are divided into lists, each around a centroid (an inverted file: Jegou, Douze, Schmid, "Product
quantization for nearest neighbor search", 2011), and a query is compared with those of the few lists nearest to it.
They are kept as one byte a dimension; whoever asks scores the best of them again. Lists are derived from the vectors,
can be made again without a model, and know passages by their ids, so that merging segments leaves them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semsearch.errors import IndexDamagedError
from semsearch.store.files import MEND, Array
from semsearch.store.subset import Ids
from semsearch.types import Vectors

RECALL = 0.98
"""The share of the true best ten that a search finds in the mean, unless something else is asked for."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of n vectors around c centroids. List i is `ids[starts[i]:starts[i + 1]]`, with the same part of `codes`.

    centroids: float32 (c, dimension), of length 1. starts: int64 (c + 1,). ids: int64 (n,), passages. codes: uint8
    (n, dimension): a component is `middle + step * (code - 128)`, both float32 (dimension,). probes: int64 (r,), how
    many lists a query looks through for each of `recalls`, float64 (r,), rising. trained: int64 (1,), of how many
    vectors the centroids were made. `number` tells the file from others. `alive`: mask by passage id of those that are
    still part of the index; None means all.
    """

    ARRAYS: ClassVar = ("centroids", "starts", "ids", "codes", "middle", "step", "recalls", "probes", "trained")

    centroids: Vectors
    starts: NDArray[np.int64]
    ids: Ids
    codes: NDArray[np.uint8]
    middle: Vectors
    step: Vectors
    recalls: NDArray[np.float64]
    probes: NDArray[np.int64]
    trained: NDArray[np.int64]
    number: int = 0
    alive: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, number: int, arrays: dict[str, Array], name: object, dimension: int) -> Lists:
        """The lists of a file, of vectors of that dimension.

        Raises:
            IndexDamagedError: an array is missing or does not fit the others.
        """
        try:
            lists = cls(**{array: arrays[array] for array in cls.ARRAYS}, number=number)
        except KeyError as error:
            raise IndexDamagedError(f"{name}: lacks the array {error}; {MEND}") from error
        each = lists.starts, lists.ids, lists.recalls, lists.probes, lists.trained
        fits = (
            lists.centroids.shape[1:] == (dimension,)
            and all(array.ndim == 1 for array in each)
            and len(lists.probes) == len(lists.recalls) > 0
            and len(lists.trained) == 1
            and lists.codes.shape == (len(lists.ids), dimension)
            and lists.middle.shape == lists.step.shape == (dimension,)
            and len(lists.starts) == len(lists.centroids) + 1
            and int(lists.starts[0]) == 0
            and int(lists.starts[-1]) == len(lists.ids)
            and bool(np.all(np.diff(lists.starts) >= 0))
        )
        if not fits:
            raise IndexDamagedError(f"{name}: its arrays do not fit each other; {MEND}")
        return lists

    def coded(self, rows: Vectors) -> NDArray[np.uint8]:
        """What lists keep of vectors: uint8 of the same shape."""
        codes = np.clip(np.rint((rows - self.middle) / self.step) + 128, 0, 255)
        return np.asarray(codes, np.uint8)

    def are_alive(self, ids: Ids) -> NDArray[np.bool_]:
        """Whether each of these passages, which may be beyond all that there are, is part of the index: a mask."""
        if self.alive is None:
            return np.ones(len(ids), np.bool_)
        return self.alive[np.minimum(ids, len(self.alive) - 1)]

    def compared(self, recall: float) -> int:
        """About how many vectors a query is compared with."""
        return len(self.ids) * self.probes_for(recall) // max(len(self.centroids), 1)

    def probes_for(self, recall: float) -> int:
        """How many lists to look through to find that share of the true best."""
        place = int(np.searchsorted(self.recalls, recall - 1e-9))
        return int(self.probes[place]) if place < len(self.probes) else len(self.centroids)


def nearest(lists: Lists, query: Vectors, k: int, recall: float, only: NDArray[np.bool_] | None = None) -> Ids:
    """About k passages that are most likely the nearest to `query`, in no order; among them no dead one.

    Args:
        lists: where to look.
        query: float32, shape (dimension,).
        k: how many passages to return at the most.
        recall: the share of the true best that shall be among them, in the mean.
        only: mask by passage id of those that may be found, of any length; None for all. As many admitted vectors are
            compared as without it, so the fewer there are, the more lists are looked through, in the end all.
    """
    affinity = lists.centroids @ query
    probes = lists.probes_for(recall)
    if only is None:
        admitted = lists.alive
        chosen = _highest(affinity, probes)
    else:
        admitted = only if lists.alive is None else _both(only, lists.alive)
        here = np.concatenate((admitted, np.zeros(1, np.bool_)))[np.minimum(lists.ids, len(admitted))]
        sizes = np.diff(np.concatenate(([0], np.cumsum(here)))[lists.starts])
        order = np.argsort(-affinity)
        enough = int(np.searchsorted(np.cumsum(sizes[order]), max(lists.compared(recall), k))) + 1
        chosen = order[:enough][sizes[order[:enough]] > 0]
    return _scanned(lists, query, k, chosen, admitted)


def _scanned(lists: Lists, query: Vectors, k: int, chosen: Array, admitted: NDArray[np.bool_] | None) -> Ids:
    import faiss  # noqa: PLC0415 - 40 ms, which a search by words and a run without changes do without

    at = faiss.swig_ptr
    bits = None if admitted is None else np.packbits(admitted, bitorder="little")
    selector = None if bits is None else faiss.IDSelectorBitmap(len(bits), at(bits))
    scanner = _kernel(lists.codes.shape[1]).get_InvertedListScanner(False, selector, None)
    # <q, v> = <q, middle> + <q * step, code - 128>, and the first part is the same for all. FAISS multiplies these
    # codes with whole numbers of a byte, and would cut off what comes after the point.
    scaled = query * lists.step
    scaled = np.rint(scaled * (127 / max(float(np.abs(scaled).max()), 1e-30))).astype(np.float32)
    scores, found = np.full(k, -np.inf, np.float32), np.full(k, -1, np.int64)
    of_scores, of_found = at(scores), at(found)
    scanner.set_query(at(scaled))
    starts, codes, ids = lists.starts, lists.codes, lists.ids
    for start, end in zip(starts[chosen].tolist(), starts[chosen + 1].tolist(), strict=True):
        if end > start:
            scanner.scan_codes(end - start, at(codes[start:end]), at(ids[start:end]), of_scores, of_found, k)
    return found[found >= 0]


def _highest(values: Array, count: int) -> Array:
    return np.argpartition(values, -count)[-count:] if count < len(values) else np.arange(len(values))


def _both(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> NDArray[np.bool_]:
    shared = min(len(one), len(two))
    return one[:shared] & two[:shared]


@lru_cache(maxsize=4)
def _kernel(dimension: int) -> Any:
    """What FAISS needs to make a scanner: an index without vectors."""
    import faiss  # noqa: PLC0415 - as above

    kind = faiss.ScalarQuantizer.QT_8bit_direct_signed
    quantizer, metric = faiss.IndexFlatIP(dimension), faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, 1, kind, metric, False)
    index.is_trained = True
    return index


def trained(sample: Vectors, count: int) -> Vectors:
    """Centroids of `sample`, float32 (n, dimension) of length 1: float32 (count, dimension). The same for the same."""
    import faiss  # noqa: PLC0415 - as above

    settings = {"niter": 8, "spherical": True, "seed": 1, "min_points_per_centroid": 1}
    clusters = faiss.Kmeans(sample.shape[1], count, max_points_per_centroid=len(sample), **settings)
    clusters.train(sample)
    return np.asarray(clusters.centroids, np.float32)


def assigned(rows: Vectors, centroids: Vectors) -> NDArray[np.int64]:
    """The list of each row: that of the centroid in whose direction it reaches farthest."""
    return most_alike(rows, centroids, 1)[1][:, 0]


def most_alike(queries: Vectors, rows: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
    """The k rows with the highest inner product with each query, and these, best first: both of shape (n, k)."""
    import faiss  # noqa: PLC0415 - as above

    scores, found = faiss.knn(queries, rows, min(k, len(rows)), metric=faiss.METRIC_INNER_PRODUCT)
    return scores, found
