"""Cites passages: makes hits of what was found, each with its exact place and the state of its file; finds none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from semsearch.errors import ReadError, UsageError
from semsearch.language import same_language
from semsearch.rank import Calibration
from semsearch.search import Answer
from semsearch.store import Snapshot, StoredDocument
from semsearch.types import Copy, Document, FileStat, Hit, Vectors

Place: TypeAlias = tuple[int, int, int]
"""Number, start and end of a passage."""


def cite(
    snapshot: Snapshot,
    answers: Sequence[Answer],
    stat: Callable[[Path], FileStat],
    calibration: Calibration | None = None,
) -> list[Hit]:
    """The hits for what was found, best first, each with the state of its file and the other places of its story.

    Args:
        snapshot: where the documents are.
        answers: passages best first.
        stat: reads size, time of change and digest of a file.
        calibration: makes a relevance of scores; None leaves it unknown.
    """
    others = {a.scored.id: _others(a) for a in answers}
    wanted = {a.document for a in answers}.union(*others.values())
    documents = {document.id: document for document in snapshot.catalog.documents(wanted)}
    stale = {number: is_stale(documents[number], stat) for number in {a.document for a in answers}}
    hits = []
    for rank, answer in enumerate(answers, 1):
        scored, passage = answer.scored, answer.passage
        document = documents[passage.document]
        copies = _copies(documents[number] for number in others[scored.id])
        dates = sorted(date for date in (document.date, *(copy.date for copy in copies)) if date)
        hits.append(
            Hit(
                rank=rank,
                score=scored.score,
                scores={"dense": scored.dense, "lexical": scored.lexical},
                path=document.location,
                document_id=document.id,
                digest=document.stat.digest,
                title=document.title,
                heading=passage.heading,
                date=document.date,
                start=passage.start,
                end=passage.end,
                line=passage.line,
                page=passage.page,
                text=passage.text,
                stale=stale[document.id],
                relevance=_relevance(scored.dense, document.language, calibration),
                source=document.source,
                author=document.author,
                language=document.language,
                copies=copies,
                first_date=dates[0] if dates else "",
            )
        )
    return hits


def _relevance(dense: float | None, language: str, calibration: Calibration | None) -> float | None:
    """Unknown in a language that the calibration was not made for: what a model does not know it finds by words."""
    if calibration is None or dense is None:
        return None
    known = not language or any(same_language(language, each) for each in calibration.languages)
    return calibration.relevance(dense) if known else None


def _others(answer: Answer) -> set[int]:
    """The numbers of the other documents that a hit stands for: copies of its own, and those folded into it."""
    return {*answer.copies, *(candidate.document for candidate in answer.folded)} - {answer.document}


def _copies(documents: Iterable[StoredDocument]) -> tuple[Copy, ...]:
    each = [Copy(d.location, d.title, d.source, d.date, d.id) for d in documents]
    return tuple(sorted(each, key=lambda copy: (not copy.date, copy.date, copy.path)))


def is_stale(document: StoredDocument, stat: Callable[[Path], FileStat]) -> bool:
    """Whether a document's file has changed or gone; never for one that was no file."""
    if not document.root:
        return False
    path, known = document.file, document.stat
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


def span_of_page(document: Document, page: int) -> tuple[int, int]:
    """Where a page, counted from 1, begins and ends in the text of a document, in code points.

    Raises:
        UsageError: there is no such page, or nothing on it.
    """
    text, pages = document.text, document.pages
    if page > len(pages):
        number = f"{len(pages) or 'no'} page{'' if len(pages) == 1 else 's'}"
        raise UsageError(f"{document.path}: has {number}, so there is no page {page} in it")
    start, end = pages[page - 1], pages[page] if page < len(pages) else len(text)
    if not text[start:end].strip():
        raise UsageError(f"{document.path}: there is no text on page {page}")
    return start, end


def mean(vectors: Vectors) -> Vectors:
    """The direction of several vectors together: float32, shape (dimension,), length 1 unless they cancel out."""
    total = vectors.sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length if length else total, np.float32)
