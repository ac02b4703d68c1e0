"""All segments of postings as one: documents and passages are numbered through them; ranks nothing, reads no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semsearch.store.postings import LexicalSegment
from semsearch.store.subset import Ids, spans

K1 = 1.2
B = 0.75

_CLOSE = 1e-9
"""By less than this share of it do two ways to work out the same score differ."""

Numbers: TypeAlias = NDArray[np.int64]
"""Numbers of documents, passages, postings …, counted from 0: int64, shape (n,)."""


@dataclass(frozen=True)
class Corpus:
    """The m documents and n passages of several segments, the dead among them, in the order of the segments.

    ids: int64 (n,), rising, of the passages. lengths: int64 (m,), terms in each document. shortest: (m,), terms in the
    shortest of its passages. firsts: int64 (m + 1,), the number of its first passage. alive: mask (m,) of the documents
    that are part of the index, None where all are.
    """

    segments: Sequence[LexicalSegment]
    ids: Ids
    lengths: Numbers
    shortest: NDArray[Any]
    firsts: Numbers
    alive: NDArray[np.bool_] | None

    @classmethod
    def of(cls, segments: Sequence[LexicalSegment]) -> Corpus:
        """The segments, which are in the order of their passages, as one."""
        rows = _offsets(len(segment.ids) for segment in segments)
        firsts = [segment.firsts[:-1] + row for segment, row in zip(segments, rows, strict=False)]
        every = [np.ones(len(s.sizes), np.bool_) if s.alive is None else s.alive for s in segments]
        alive = None if all(segment.alive is None for segment in segments) else np.concatenate(every)
        none = np.empty(0, np.int64)
        return cls(
            segments,
            np.concatenate([none, *(segment.ids for segment in segments)]),
            np.concatenate([none, *(segment.documents.lengths for segment in segments)]),
            np.concatenate([none, *(segment.shortest for segment in segments)]),
            np.concatenate([*firsts, rows[-1:]]),
            alive,
        )

    @cached_property
    def documents(self) -> tuple[int, int]:
        """How many documents there are, without the dead, and the sum of their lengths."""
        each = [segment.documents for segment in self.segments]
        return sum(extent.count for extent in each), sum(extent.total for extent in each)

    @cached_property
    def passages(self) -> tuple[int, int]:
        """The same of the passages."""
        each = [segment.passages for segment in self.segments]
        return sum(extent.count for extent in each), sum(extent.total for extent in each)

    @cached_property
    def sizes(self) -> Numbers:
        """How many passages each document has: int64 (m,)."""
        return np.diff(self.firsts)

    @cached_property
    def offsets(self) -> tuple[Numbers, Numbers]:
        """The first document and the first passage of each segment."""
        documents = _offsets(len(segment.sizes) for segment in self.segments)
        return documents, _offsets(len(segment.ids) for segment in self.segments)

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """What BM25 adds to tf below the line, for each document: float64 (m,)."""
        return norms(self.lengths, self.documents)

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """How many times what a term gives to a document it can give to one of its passages: float64 (m,).

        A passage has no term more often than its document, and is no shorter than the shortest. By what factor
        tf / (tf + norm) is then larger is largest where tf is 1.
        """
        gains = np.maximum((1 + self.norms) / (1 + norms(self.shortest, self.passages)), 1)
        return gains * (1 + _CLOSE)

    def owners(self, passages: Numbers) -> Numbers:
        """The documents of some passages."""
        return np.searchsorted(self.firsts, passages, side="right") - 1


@dataclass(frozen=True)
class Matched:
    """What t terms have in s segments: groups of postings, segment by segment and in each term by term, end to end.

    sizes: int64 (s * t,), how many groups each term has in each segment. spans: int64 (s * t, 2), where its postings
    begin there and stop. documents: int64 (g,). totals, spreads: (g,), as in `Groups`.
    """

    corpus: Corpus
    sizes: Numbers
    spans: Numbers
    documents: Numbers
    totals: NDArray[Any]
    spreads: NDArray[Any]

    @classmethod
    def of(cls, corpus: Corpus, terms: Sequence[str]) -> Matched:
        """What these terms have there."""
        sizes: list[int] = []
        postings: list[tuple[int, int]] = []
        documents, totals, spreads = [np.empty(0, np.int64)], [np.empty(0, np.uint8)], [np.empty(0, np.uint8)]
        for segment, first in zip(corpus.segments, corpus.offsets[0].tolist(), strict=False):
            groups, found = segment.groups, segment.find(terms)
            parts = [slice(*_span(groups.starts, i)) for i in found]
            postings += [_span(segment.starts, i) for i in found]
            sizes += [part.stop - part.start for part in parts]
            totals += [groups.totals[part] for part in parts]
            spreads += [groups.spreads[part] for part in parts]
            here = [groups.documents[:0], *(groups.documents[part] for part in parts)]
            documents.append(np.concatenate(here) + np.int64(first))
        return cls(
            corpus, np.array(sizes, np.int64), np.array(postings, np.int64).reshape(-1, 2),
            np.concatenate(documents), np.concatenate(totals), np.concatenate(spreads),
        )  # fmt: skip

    @cached_property
    def ends(self) -> Numbers:
        """Where the groups of each term in each segment stop: int64 (s * t,)."""
        return np.cumsum(self.sizes)

    def having(self, terms: int) -> tuple[list[int], list[int]]:
        """How many living documents, and passages, have each of so many terms."""
        documents, passages = self.sizes, self.spans[:, 1] - self.spans[:, 0]
        if self.corpus.alive is not None:
            living = self.corpus.alive[self.documents]
            documents, passages = _sums(living, self.ends), _sums(living * self.spreads, self.ends)
        of_documents, of_passages = (each.reshape(-1, terms).sum(axis=0).tolist() for each in (documents, passages))
        return of_documents, of_passages

    def weighted(self, weights: Sequence[float]) -> NDArray[np.float64]:
        """The weight of each group's term: float64 (g,)."""
        return np.repeat(np.tile(weights, len(self.corpus.segments)), self.sizes)

    def postings(self, groups: Numbers) -> tuple[Numbers, NDArray[Any], NDArray[Any]]:
        """Of the postings of some groups, in order: the passage, how often the term is there, and how long that is."""
        parts = np.searchsorted(self.ends, groups, side="right")
        sizes = self.spreads[groups].astype(np.int64)
        postings = spans(self._behind[groups] - sizes + self._shifts[parts], sizes)
        # Where those of each segment stop.
        each = np.searchsorted(groups, self.ends.reshape(len(self.corpus.segments), -1)[:, -1])
        stops = np.concatenate(([0], np.cumsum(sizes)))[each].tolist()
        found = []
        start = 0
        for segment, first, stop in zip(self.corpus.segments, self.corpus.offsets[1].tolist(), stops, strict=False):
            if stop > start:
                here = postings[start:stop]
                rows = segment.rows[here]
                found.append((rows.astype(np.int64) + first, segment.counts[here], segment.lengths[rows]))
            start = stop
        passages, counts, lengths = (np.concatenate(every) for every in zip(*found, strict=True))
        return passages.astype(np.int64, copy=False), counts, lengths

    @cached_property
    def _behind(self) -> Numbers:
        return np.cumsum(self.spreads, dtype=np.int64)

    @cached_property
    def _shifts(self) -> Numbers:
        """For each term and segment, from the place of a posting among those of all groups to that in the segment."""
        shifts: Numbers = self.spans[:, 0] - np.concatenate(([0], self._behind))[self.ends - self.sizes]
        return shifts


def norms(lengths: NDArray[Any], texts: tuple[int, int]) -> NDArray[np.float64]:
    """What BM25 adds to tf below the line, for texts of these lengths among so many of that length together."""
    count, total = texts
    found: NDArray[np.float64] = K1 * (1 - B) + K1 * B * max(count, 1) / max(total, 1) * lengths
    return found


def _offsets(sizes: Iterable[int]) -> Numbers:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _span(starts: Numbers, term: int) -> tuple[int, int]:
    """Where what a term has begins and stops; nothing of a term that is not there, -1."""
    return (int(starts[term]), int(starts[term + 1])) if term >= 0 else (0, 0)


def _sums(values: NDArray[Any], ends: Numbers) -> Numbers:
    """The sums of values up to each end, from the end before."""
    sums: Numbers = np.diff(np.concatenate(([0], np.cumsum(values, dtype=np.int64)))[ends], prepend=0)
    return sums
