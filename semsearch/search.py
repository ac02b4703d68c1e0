"""Finds the passages of a snapshot that answer a query and cites them; changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from semsearch.errors import ReadError, UsageError
from semsearch.rank import fuse
from semsearch.store import Snapshot, StoredDocument
from semsearch.terms import terms
from semsearch.types import FileStat, Hit, Vectors

Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
MODES: tuple[Mode, ...] = get_args(Mode)

DEPTH = 100
"""How many passages each search contributes at the least."""

Parts: TypeAlias = Mapping[str, Mapping[int, float]]
"""Scores by passage id, for each part that searched: "dense", "lexical"."""

Place: TypeAlias = tuple[int, int, int]
"""Number, start and end of a passage."""

_CLOSE = 1e-6


def candidates(snapshot: Snapshot, words: str, vector: Vectors | None, k: int) -> Parts:
    """What each search finds: lexical for the words, dense for the vector, where they are given.

    Args:
        snapshot: what is searched.
        words: the text whose terms are looked for, "" for no lexical search.
        vector: float32, shape (dimension,); None for no dense search.
        k: how many hits are wanted.
    """
    depth = max(DEPTH, 2 * k)
    parts: dict[str, Mapping[int, float]] = {}
    if vector is not None:
        parts["dense"] = dict(snapshot.segments.dense(vector, depth)) if len(snapshot.segments.ids) else {}
    if words:
        parts["lexical"] = dict(snapshot.segments.lexical(terms(words), depth))
    return parts


def rank(snapshot: Snapshot, parts: Parts, k: int, without: Collection[int] = ()) -> list[tuple[int, float]]:
    """The best k passages by their parts: (passage id, score), best first.

    Equal scores are ordered by folder, path and place, so that the order does not depend on when a file was indexed.
    """
    scores = fuse(parts["dense"], parts["lexical"]) if len(parts) > 1 else dict(next(iter(parts.values())))
    ranked = sorted(((i, score) for i, score in scores.items() if i not in without), key=lambda hit: -hit[1])
    if len(ranked) > k:
        ranked = [hit for hit in ranked if hit[1] >= ranked[k - 1][1] - _CLOSE]
    places = snapshot.catalog.places(i for i, _ in ranked)
    return sorted(ranked, key=lambda hit: (-round(hit[1] / _CLOSE), places[hit[0]]))[:k]


def cite(
    snapshot: Snapshot, ranked: Sequence[tuple[int, float]], parts: Parts, stat: Callable[[Path], FileStat]
) -> list[Hit]:
    """The hits for ranked passages, each with the state of its file.

    Args:
        snapshot: where the passages are.
        ranked: (passage id, score), best first.
        parts: the scores that led to it.
        stat: reads size, time of change and digest of a file.
    """
    passages = {passage.id: passage for passage in snapshot.catalog.passages(i for i, _ in ranked)}
    documents = {d.id: d for d in snapshot.catalog.documents({p.document for p in passages.values()})}
    stale = {number: is_stale(document, stat) for number, document in documents.items()}
    hits = []
    for rank, (i, score) in enumerate(ranked, 1):
        passage, document = passages[i], documents[passages[i].document]
        hits.append(
            Hit(
                rank=rank,
                score=score,
                scores={name: parts.get(name, {}).get(i) for name in ("dense", "lexical")},
                path=document.location,
                document_id=document.id,
                digest=document.stat.digest,
                title=document.title,
                heading=passage.heading,
                date=document.date,
                start=passage.start,
                end=passage.end,
                line=passage.line,
                text=passage.text,
                stale=stale[document.id],
            )
        )
    return hits


def is_stale(document: StoredDocument, stat: Callable[[Path], FileStat]) -> bool:
    """Whether a document's file has changed or gone; never for one that was no file."""
    if not document.root:
        return False
    path, known = Path(document.location), document.stat
    try:
        now = path.lstat()
        if (now.st_size, now.st_mtime_ns) == (known.size, known.mtime_ns):
            return False
        return now.st_size != known.size or stat(path).digest != known.digest
    except (OSError, ReadError):
        return True


def near(passages: Sequence[Place], span: tuple[int, int] | None) -> list[int]:
    """The numbers of the passages that overlap a span of code points, or of all.

    Raises:
        UsageError: there are none.
    """
    start, end = span or (0, sys.maxsize)
    found = [number for number, first, last in passages if first < end and last > start and start < end]
    if not found:
        raise UsageError(f"no passage of that document is at {f'code points {start}-{end}' if span else 'any place'}")
    return found


def span_of_line(text: str, line: int) -> tuple[int, int]:
    """Where a line, counted from 1, begins and ends in a text, in code points.

    Raises:
        UsageError: there is no such line, or nothing on it.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines) or not lines[line - 1].strip():
        raise UsageError(f"no passage of that document is at line {line}")
    start = sum(len(before) + 1 for before in lines[: line - 1])
    return start, start + len(lines[line - 1])


def mean(vectors: Vectors) -> Vectors:
    """The direction of several vectors together: float32, shape (dimension,), length 1 unless they cancel out."""
    total = vectors.sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length if length else total, np.float32)


def checked(query: str | Vectors, k: int, mode: str) -> None:
    """Refuse what no search can do.

    Raises:
        UsageError: k is below 1, there is no such mode, the query is empty, or a vector is to be searched by words.
    """
    if not isinstance(k, int) or k < 1:
        raise UsageError(f"k is {k}; ask for at least 1 hit")
    if mode not in MODES:
        raise UsageError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
    if isinstance(query, str) and not query.strip():
        raise UsageError("the query is empty; ask for something")
    if not isinstance(query, str) and mode == "lexical":
        raise UsageError("a vector has no words to look for; search for it with the mode dense")
