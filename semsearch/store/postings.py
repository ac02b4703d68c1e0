"""Makes and merges segments of postings, the words of passages; folds no text, ranks nothing and reads no files.

A term's postings of one document stand together and are called a group: what is asked of documents is answered from the
groups, without the postings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array
from semsearch.store.groups import Groups, grouped, smallest

_MOST = np.iinfo(np.uint16).max
_PREFIX = 8


@dataclass(frozen=True, slots=True)
class Extent:
    """The lengths of the texts of a segment in terms, shape (n,), and the number and total length of the living."""

    lengths: NDArray[Any]
    count: int
    total: int


@dataclass(frozen=True)
class LexicalSegment:
    """Postings of n passages and t terms. A term's postings are `rows[starts[i]:starts[i + 1]]`, in rising order.

    ids: int64 (n,), rising. lengths: uint32 (n,), terms in each passage. owners: uint32 (n,), the document of each,
    counted from 0: a document's passages stand together, all of them in one segment, and die together. names: uint8,
    the terms' UTF-8 in rising order, end to end; ends: int64 (t,), where each stops; prefixes: uint64 (t,), the first
    eight bytes of each as a number, by which it is found. starts: int64 (t + 1,). rows: uint32 (p,), rows of passages.
    counts: uint8 (p,), uint16 where one is above 255, how often the term stands there. `lives`: mask (n,) of the rows
    that are still part of the index; None means all of them. `stored_groups`: None in files of older versions.
    """

    ARRAYS: ClassVar = ("ids", "lengths", "owners", "names", "ends", "prefixes", "starts", "rows", "counts")
    GROUPS: ClassVar = tuple(f"group_{name}" for name in Groups._fields)

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
    stored_groups: Groups | None = None

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> LexicalSegment:
        """The segment that a file holds.

        Raises:
            KeyError: an array is missing.
        """
        groups = Groups(*(arrays[name] for name in cls.GROUPS)) if cls.GROUPS[0] in arrays else None
        return cls(**{name: arrays[name] for name in cls.ARRAYS}, stored_groups=groups)

    def arrays(self) -> dict[str, list[Array]]:
        """What the segment's file holds."""
        own = {name: [getattr(self, name)] for name in self.ARRAYS}
        return own | {name: [array] for name, array in zip(self.GROUPS, self.groups, strict=True)}

    def fits(self, count: int) -> bool:
        """Whether the arrays have the shapes that so many passages give them, and name no document beyond them."""
        terms, postings, groups = len(self.ends), len(self.rows), self.stored_groups
        return (
            all(getattr(self, name).ndim == 1 for name in self.ARRAYS)
            and len(self.ids) == len(self.lengths) == len(self.owners) == count
            and (len(self.prefixes), len(self.starts), len(self.counts)) == (terms, terms + 1, postings)
            and int(self.owners.max(initial=0)) <= count
            and (groups is None or groups.fit(terms))
        )

    def term(self, index: int) -> bytes:
        """The UTF-8 of the term with that number."""
        start = int(self.ends[index - 1]) if index else 0
        return self.names[start : int(self.ends[index])].tobytes()

    def find(self, terms: Sequence[str]) -> list[int]:
        """The numbers of terms, -1 of one that no passage has."""
        wanted = [term.encode() for term in terms]
        prefixes = np.array([_prefix(term) for term in wanted], np.uint64)
        low = self.prefixes.searchsorted(prefixes)
        same = low < len(self.prefixes)
        same[same] = self.prefixes[low[same]] == prefixes[same]
        found = zip(wanted, low.tolist(), same.tolist(), strict=True)
        return [self._find(term, place) if alike else -1 for term, place, alike in found]

    def _find(self, term: bytes, low: int) -> int:
        """The number of a term, when those that begin with the same eight bytes are numbered from `low` on."""
        if len(term) < _PREFIX:
            return low
        high = int(self.prefixes.searchsorted(self.prefixes[low], "right"))
        place = bisect_left(range(high), term, low, key=self.term)
        return place if place < high and self.term(place) == term else -1

    def having(self, term: str) -> NDArray[np.uint32]:
        """The living rows that have the term, in rising order."""
        (index,) = self.find([term])
        if index < 0:
            return self.rows[:0]
        rows = self.rows[int(self.starts[index]) : int(self.starts[index + 1])]
        return rows if self.lives is None else rows[self.lives[rows]]

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
        living = lengths if self.alive is None else lengths[self.alive]
        return Extent(lengths, len(living), int(living.sum()))

    @cached_property
    def alive(self) -> NDArray[np.bool_] | None:
        """The documents that are still part of the index: a mask (m,); None means all of them."""
        return None if self.lives is None else self.lives[self.firsts[:-1]]

    @cached_property
    def groups(self) -> Groups:
        """The postings by document."""
        return self.stored_groups or grouped(self.starts, self.rows, self.counts, self.owners)

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The first row of each document, and the number of all rows: int64 (m + 1,)."""
        starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        return np.append(starts, len(self.owners)).astype(np.int64)

    @cached_property
    def shortest(self) -> NDArray[np.uint32]:
        """The length of the shortest passage of each document: uint32 (m,)."""
        return np.minimum.reduceat(self.lengths, self.firsts[:-1]) if len(self.lengths) else self.lengths

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
    return int.from_bytes(term[:_PREFIX].ljust(_PREFIX, b"\0"), "big")


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
        counts=smallest(counts[sequence]),
    )
