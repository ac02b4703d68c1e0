"""Groups postings by document: all that a term has in one document; makes no postings and ranks nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Groups(NamedTuple):
    """The postings of t terms by document: a term's groups are those from `starts[i]` to `starts[i + 1]`.

    starts: int64 (t + 1,). documents: (g,), rising within a term. totals: (g,), how often the term stands in the
    document. spreads: (g,), how many postings the group is, which follow one another. Of these the type is the smallest
    that holds them.
    """

    starts: NDArray[np.int64]
    documents: NDArray[Any]
    totals: NDArray[Any]
    spreads: NDArray[Any]

    def fit(self, terms: int) -> bool:
        """Whether the arrays have the shapes that so many terms give them."""
        groups = (len(self.documents),)
        return self.starts.shape == (terms + 1,) and groups == self.totals.shape == self.spreads.shape


def grouped(
    starts: NDArray[np.int64], rows: NDArray[np.uint32], counts: NDArray[Any], owners: NDArray[np.uint32]
) -> Groups:
    """The groups of postings, which are a segment's: see `LexicalSegment`."""
    documents = owners[rows]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = documents[1:] != documents[:-1]
    begins[starts[:-1]] = True
    firsts = np.flatnonzero(begins)
    totals = np.add.reduceat(counts, firsts, dtype=np.uint32) if len(firsts) else np.empty(0, np.uint32)
    spreads = np.diff(firsts, append=len(rows))
    return Groups(np.searchsorted(firsts, starts), *map(smallest, (documents[firsts], totals, spreads)))


def smallest(numbers: NDArray[Any]) -> NDArray[Any]:
    """The same whole numbers, none below 0, in the smallest unsigned type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
