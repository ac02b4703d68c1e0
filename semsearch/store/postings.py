"""Makes and merges segments of postings, the words of passages; folds no text, ranks nothing and reads no files."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array

Postings: TypeAlias = tuple[NDArray[np.uint32], NDArray[Any]]
"""The rows that have a term, rising, and how often each has it."""

_BYTE = np.iinfo(np.uint8).max
_MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Extent:
    """The lengths of the texts of a segment in terms, shape (n,), and the number and total length of the living."""

    lengths: NDArray[Any]
    count: int
    total: int
    _kept: dict[tuple[float, float], NDArray[np.float64]] = field(default_factory=dict)

    def norms(self, base: float, slope: float) -> NDArray[np.float64]:
        """`base + slope * lengths`, worked out again only where these are others than the last time."""
        norms = self._kept.get((base, slope))
        if norms is None:
            norms = base + slope * self.lengths
            self._kept.clear()
            self._kept[base, slope] = norms
        return norms


@dataclass(frozen=True)
class LexicalSegment:
    """Postings of n passages and t terms. A term's postings are `rows[starts[i]:starts[i + 1]]`, in rising order.

    ids: int64 (n,), rising. lengths: uint32 (n,), terms in each passage. owners: uint32 (n,), the document of each,
    counted from 0: a document's passages stand together, all of them in one segment, and die together. names: uint8,
    the terms' UTF-8 in rising order, end to end; ends: int64 (t,), where each stops; prefixes: uint64 (t,), the first
    eight bytes of each as a number, by which it is found. starts: int64 (t + 1,). rows: uint32 (p,), rows of passages.
    counts: uint8 (p,), uint16 where one is above 255, how often the term stands there. `lives`: mask (n,) of the rows
    that are still part of the index; None means all of them.
    """

    ARRAYS: ClassVar = ("ids", "lengths", "owners", "names", "ends", "prefixes", "starts", "rows", "counts")

    ids: NDArray[np.int64]
    lengths: NDArray[np.uint32]
    owners: NDArray[np.uint32]
    names: NDArray[np.uint8]
    ends: NDArray[np.int64]
    prefixes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    counts: NDArray[Any]
    lives: NDArray[np.bool_] | None = None

    def arrays(self) -> dict[str, list[Array]]:
        """What the segment's file holds."""
        return {name: [getattr(self, name)] for name in self.ARRAYS}

    def fits(self, count: int) -> bool:
        """Whether the arrays have the shapes that so many passages give them, and name no document beyond them."""
        terms, postings = len(self.ends), len(self.rows)
        return (
            all(getattr(self, name).ndim == 1 for name in self.ARRAYS)
            and len(self.ids) == len(self.lengths) == len(self.owners) == count
            and (len(self.prefixes), len(self.starts), len(self.counts)) == (terms, terms + 1, postings)
            and int(self.owners.max(initial=0)) <= count
        )

    def term(self, index: int) -> bytes:
        """The UTF-8 of the term with that number."""
        start = int(self.ends[index - 1]) if index else 0
        return self.names[start : int(self.ends[index])].tobytes()

    def find(self, term: str) -> int:
        """The number of a term, -1 where no passage has it."""
        wanted = term.encode()
        prefix = np.uint64(_prefix(wanted))
        low = int(self.prefixes.searchsorted(prefix))
        if low == len(self.ends) or self.prefixes[low] != prefix:
            return -1
        # Few terms begin with the same eight bytes: those are bisected by the whole.
        high = int(self.prefixes.searchsorted(prefix, "right"))
        low = bisect_left(range(high), wanted, low, key=self.term)
        return low if low < high and self.term(low) == wanted else -1

    def postings(self, term: str) -> Postings:
        """The living rows that have the term, and how often each has it."""
        index = self.find(term)
        if index < 0:
            return self.rows[:0], self.counts[:0]
        part = slice(int(self.starts[index]), int(self.starts[index + 1]))
        rows, counts = self.rows[part], self.counts[part]
        if self.lives is None:
            return rows, counts
        kept = self.lives[rows]
        return rows[kept], counts[kept]

    # Worked out once for a segment and its dead, not for each query.
    @cached_property
    def passages(self) -> Extent:
        """The lengths of the passages, and what the living add up to."""
        if self.lives is None:
            return Extent(self.lengths, len(self.ids), int(self.lengths.sum(dtype=np.int64)))
        living = self.lengths[self.lives]
        return Extent(self.lengths, len(living), int(living.sum(dtype=np.int64)))

    @cached_property
    def documents(self) -> Extent:
        """The same of the documents."""
        lengths = np.bincount(self.owners, self.lengths).astype(np.int64)
        alive = self.owners if self.lives is None else self.owners[self.lives]
        living = np.bincount(alive, minlength=len(lengths)) > 0
        return Extent(lengths, int(np.count_nonzero(living)), int(lengths[living].sum()))

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The first row of each document, and the number of all rows: int64 (m + 1,)."""
        starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        return np.append(starts, len(self.owners)).astype(np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many passages each document has: int64 (m,)."""
        return np.diff(self.firsts)

    def document_of(self, row: int) -> tuple[int, int]:
        """The first row of the document that a row is part of, and the one after its last."""
        owner = self.owners[row]
        first, end = np.searchsorted(self.owners, owner), np.searchsorted(self.owners, owner, side="right")
        return int(first), int(end)


def build(ids: Sequence[int], passages: Iterable[Sequence[str]], sizes: Sequence[int] | None = None) -> LexicalSegment:
    """A segment from passage ids, in rising order, and the terms of each passage.

    `sizes` says how many passages each document has, in the same order; None for one each.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    lengths, rows, terms, counts = [], [], [], []
    for row, words in enumerate(passages):
        lengths.append(len(words))
        for word, times in Counter(words).items():
            rows.append(row)
            terms.append(numbers[word])
            counts.append(min(times, _MOST))
    return _assemble(
        ids,
        lengths,
        np.repeat(np.arange(len(sizes)), sizes) if sizes is not None else np.arange(len(lengths)),
        list(numbers),
        np.array(terms, np.int64),
        np.array(rows, np.uint32),
        np.array(counts, np.uint16),
    )


def merged(segments: Sequence[LexicalSegment]) -> LexicalSegment:
    """One segment that takes the place of several, in their order, without the dead."""
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    ids, lengths, owners, terms, rows, counts = [], [], [], [], [], []
    base = 0
    for segment in segments:
        lives = np.ones(len(segment.ids), np.bool_) if segment.lives is None else segment.lives
        kept = lives[segment.rows]
        names = np.array([numbers[segment.term(i)] for i in range(len(segment.ends))], np.int32)
        terms.append(np.repeat(names, np.diff(segment.starts))[kept])
        rows.append((base - 1 + np.cumsum(lives))[segment.rows[kept]].astype(np.uint32))
        counts.append(segment.counts[kept])
        ids.append(segment.ids[lives])
        lengths.append(segment.lengths[lives])
        owners.append(np.append(True, np.diff(segment.owners[lives]) > 0)[: int(np.count_nonzero(lives))])
        base += int(np.count_nonzero(lives))
    return _assemble(
        np.concatenate(ids), np.concatenate(lengths), np.cumsum(np.concatenate(owners)) - 1, list(numbers),
        np.concatenate(terms), np.concatenate(rows), np.concatenate(counts),
    )  # fmt: skip


def _prefix(term: bytes) -> int:
    return int.from_bytes(term[:8].ljust(8, b"\0"), "big")


def _assemble(
    ids: Sequence[int] | NDArray[np.int64],
    lengths: Sequence[int] | NDArray[np.uint32],
    owners: NDArray[np.int64],
    names: Sequence[str] | Sequence[bytes],
    terms: NDArray[np.int64],
    rows: NDArray[np.uint32],
    counts: NDArray[Any],
) -> LexicalSegment:
    encoded = [name.encode() if isinstance(name, str) else name for name in names]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    places = rank[terms]
    # Stable: the rows of a term stay in rising order.
    sequence = np.argsort(places, kind="stable")
    totals = np.bincount(places, minlength=len(order))
    used = totals > 0
    kept = [encoded[i] for i, use in zip(order, used.tolist(), strict=True) if use]
    return LexicalSegment(
        ids=np.asarray(ids, np.int64),
        lengths=np.asarray(lengths, np.uint32),
        owners=owners.astype(np.uint32),
        names=np.array(bytearray(b"".join(kept)), np.uint8),
        ends=np.cumsum([len(name) for name in kept], dtype=np.int64),
        prefixes=np.array([_prefix(name) for name in kept], np.uint64),
        starts=np.concatenate(([0], np.cumsum(totals[used]))).astype(np.int64),
        rows=rows[sequence],
        counts=counts[sequence].astype(np.uint8 if counts.max(initial=0) <= _BYTE else np.uint16),
    )
