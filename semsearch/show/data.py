"""Shows answers to programs, as JSON, JSON lines, CSV or bare paths; the fields are those of docs/hits.md.

The version of the schema goes up when a field changes its meaning or goes; new fields may come without that.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from semsearch.show.answer import Answer, Look
from semsearch.show.text import as_json_text
from semsearch.types import Hit

SCHEMA = "semsearch/hit/1"

_COLUMNS = (
    "query", "rank", "score", "dense", "lexical", "relevance", "path", "line", "page", "start", "end", "title",
    "heading", "date", "source", "author", "language", "first_date", "document_id", "digest", "stale", "text",
)  # fmt: skip


def hit_fields(hit: Hit) -> dict[str, Any]:
    """The fields of a hit under their names in the schema; JSON-able."""
    return {
        "schema": SCHEMA,
        "rank": hit.rank,
        "score": hit.score,
        "scores": dict(hit.scores),
        "relevance": hit.relevance,
        "path": hit.path,
        "document_id": hit.document_id,
        "digest": hit.digest,
        "title": hit.title,
        "heading": hit.heading,
        "date": hit.date,
        "source": hit.source,
        "author": hit.author,
        "language": hit.language,
        "copies": [asdict(copy) for copy in hit.copies],
        "first_date": hit.first_date,
        "start": hit.start,
        "end": hit.end,
        "line": hit.line,
        "page": hit.page,
        "text": hit.text,
        "stale": hit.stale,
    }


def as_json(answers: Iterable[Answer], look: Look) -> Iterator[str]:
    """One object for one query, an array of objects for queries from standard input."""
    objects = [
        {"query": answer.query, "mode": answer.mode, "hits": [hit_fields(hit) for hit in answer.hits]}
        for answer in answers
    ]
    yield as_json_text(objects if look.many else objects[0], indent=2)


def as_jsonl(answers: Iterable[Answer], look: Look) -> Iterator[str]:  # noqa: ARG001 - every format is called alike
    """A hit a line, each with its query."""
    for answer in answers:
        for hit in answer.hits:
            yield as_json_text({"query": answer.query, **hit_fields(hit)})


def as_csv(answers: Iterable[Answer], look: Look) -> Iterator[str]:  # noqa: ARG001 - every format is called alike
    """A header and a row a hit, as RFC 4180 has it but for the ends of lines."""
    yield _row(dict(zip(_COLUMNS, _COLUMNS, strict=True)))
    for answer in answers:
        for hit in answer.hits:
            yield _row({"query": answer.query, **hit_fields(hit), **hit.scores})


def as_paths(answers: Iterable[Answer], look: Look) -> Iterator[str]:  # noqa: ARG001 - every format is called alike
    """The path of each document that was found, once, in order of its best passage."""
    shown: set[str] = set()
    for answer in answers:
        new = dict.fromkeys(hit.path for hit in answer.hits if hit.path not in shown)
        shown.update(new)
        yield from new


def _row(fields: Mapping[str, Any]) -> str:
    line = io.StringIO()
    csv.DictWriter(line, _COLUMNS, extrasaction="ignore", lineterminator="").writerow(fields)
    return line.getvalue()
