"""Folds ranked passages that are copies of a better one into it, so that a story shows up once; looks nothing up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from semsearch.shingles import LEAST, runs

SAME_PLACE = 0.4
"""In copies of one article, passages that share this much of the smaller one are the same place of the story."""

SAME_WORDS = 0.8
"""In articles that are no copies, this much makes a passage the same: an agency's paragraph, a standing notice."""

LEAST_RUNS = 20
"""How many runs of words a passage must have for that."""


Runs: TypeAlias = frozenset[tuple[str, ...]]


class Candidate(NamedTuple):
    """A ranked passage: its id and score, the number of its document, its text."""

    id: int
    score: float
    document: int
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A passage that stays, and those that were folded into it, in the order of their rank."""

    candidate: Candidate
    folded: list[Candidate] = field(default_factory=list)


def fold(ranked: Iterable[Candidate], copies: Callable[[int], Collection[int]], k: int | None = None) -> list[Kept]:
    """The passages that stay, in order; each of the others is folded into the one that stays and is most like it.

    A passage is folded when one that ranks above it and stays
    - is of the same document, and has the very same text;
    - is of a copy of its document, and shares `SAME_PLACE` of the smaller of the two; or all that stay of its copies
      together share that much of it, so that passages that begin and end at other places fold as well;
    - is of another article, and shares `SAME_WORDS` of the smaller one, of at least `LEAST_RUNS` runs.

    What was folded makes nothing else fold.

    Args:
        ranked: passages, best first; read only as far as needed.
        copies: gives the numbers of the documents that are copies of a document; is asked once for each document of
            which something stays.
        k: how many may stay; None for all. With the last one found, nothing more is read.
    """
    kept = _Places(copies)
    for candidate in ranked:
        kept.take(candidate)
        if len(kept.each) == k:
            break
    return [place.kept for place in kept.each]


class _Place(NamedTuple):
    kept: Kept
    runs: Runs


class _Places:
    """The passages that stay so far, by what they share with others."""

    def __init__(self, copies: Callable[[int], Collection[int]]) -> None:
        self.each: list[_Place] = []
        self._copies = copies
        self._related: dict[int, Collection[int]] = {}
        self._by_run: dict[tuple[str, ...], list[int]] = {}
        self._by_text: dict[str, list[int]] = {}

    def take(self, candidate: Candidate) -> None:
        """Fold a passage into one that stays, or let it stay."""
        place = self._with_same_text(candidate)
        found: Runs = frozenset()
        if place is None:
            found = runs(candidate.text)
            place = self._place_of(candidate.document, found)
        if place is not None:
            self.each[place].kept.folded.append(candidate)
            return
        self._by_text.setdefault(candidate.text, []).append(len(self.each))
        for run in found:
            self._by_run.setdefault(run, []).append(len(self.each))
        self.each.append(_Place(Kept(candidate), found))

    def _with_same_text(self, candidate: Candidate) -> int | None:
        for place in self._by_text.get(candidate.text, ()):
            document = self.each[place].kept.candidate.document
            if candidate.document == document or candidate.document in self._copies_of(document):
                return place
        return None

    def _place_of(self, document: int, found: Runs) -> int | None:
        """Which of those that stay a passage folds into: the one that shares most, the higher one of equals."""
        common = Counter(place for run in found & self._by_run.keys() for place in self._by_run[run])
        same: list[tuple[int, int]] = []
        of_copies: list[tuple[int, int]] = []
        covered: set[tuple[str, ...]] = set()
        for place, count in common.items():
            other = self.each[place]
            if other.kept.candidate.document == document:
                continue
            smaller = min(len(found), len(other.runs))
            is_copy = document in self._copies_of(other.kept.candidate.document)
            if count >= _needed(smaller, is_copy=is_copy):
                same.append((count, -place))
            if is_copy and smaller >= LEAST:
                of_copies.append((count, -place))
                covered |= found & other.runs
        if not same and len(covered) >= SAME_PLACE * len(found):
            same = of_copies
        return -max(same)[1] if same else None

    def _copies_of(self, document: int) -> Collection[int]:
        if document not in self._related:
            self._related[document] = self._copies(document)
        return self._related[document]


def _needed(smaller: int, *, is_copy: bool) -> float:
    """How many runs two passages must share, of as many as the smaller one has."""
    if is_copy:
        return SAME_PLACE * smaller if smaller >= LEAST else smaller
    return SAME_WORDS * smaller if smaller >= LEAST_RUNS else float("inf")
