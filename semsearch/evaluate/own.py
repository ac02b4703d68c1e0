"""Reads a person's own file of queries and what they should find in an index; it searches nothing.

A line is `{"query": "...", "relevant": ["path", "path:START-END"]}`, with `{"path": grade}` for grades, or
`query<TAB>path<TAB>path`. START and END are code points, as in the JSON of a hit.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from semsearch.errors import UsageError
from semsearch.evaluate.beir import digest_of, noted
from semsearch.evaluate.lines import lines, parsed, text_of
from semsearch.evaluate.values import Collection, Judged
from semsearch.store import StoredDocument

_PASSAGE = re.compile(r"(?P<path>.+):(?P<start>\d+)-(?P<end>\d+)", re.DOTALL)

Wanted = dict[str, tuple[int, str]]
"""Grade and place in the file of each entry."""


def read_own(file: Path, documents: Sequence[StoredDocument]) -> Collection:
    """The queries of a file, with what is relevant as the index names it.

    Args:
        file: a query a line, as JSON or with tabs; the lines of one query count together.
        documents: of the index.

    Raises:
        UsageError: a line cannot be understood, nothing is judged, or an entry could mean several documents.
    """
    wanted = _wanted(file)
    judged = {query: entries for query, entries in wanted.items() if any(grade > 0 for grade, _ in entries.values())}
    if not judged:
        raise UsageError(f"{file}: no query has a path that it should find; without one nothing can be measured")
    names = _Names(documents)
    queries = [_resolved(query, entries, names) for query, entries in judged.items()]
    said = [Judged(query, query, {entry: grade for entry, (grade, _) in e.items()}) for query, e in judged.items()]
    notes = [
        *noted([query for query in wanted if query not in judged], "queries that name nothing to find, left out"),
        *noted(names.missing, "judgements of documents that are not in the index, counted as not found"),
    ]
    return Collection(str(file), tuple(queries), digest_of(said), tuple(notes))


def _wanted(file: Path) -> dict[str, Wanted]:
    wanted: dict[str, Wanted] = {}
    for number, line in lines(file):
        place = f"{file}:{number}"
        query, grades = _of_json(place, line) if line.lstrip().startswith("{") else _of_tabs(place, line)
        if not query.strip():
            raise UsageError(f"{place}: the query is empty")
        entries = wanted.setdefault(query.strip(), {})
        for entry, grade in grades.items():
            entries[entry] = max((grade, place), entries.get(entry, (grade, place)))
    return wanted


def _of_json(place: str, line: str) -> tuple[str, Mapping[str, int]]:
    fields = parsed(place, line)
    relevant: Any = fields.get("relevant")
    if isinstance(relevant, list):
        relevant = dict.fromkeys(map(str, relevant), 1)
    if not isinstance(relevant, dict) or not all(type(grade) is int for grade in relevant.values()):
        raise UsageError(f'{place}: "relevant" is neither a list of paths nor an object of paths and whole numbers')
    return text_of(place, fields, "query"), relevant


def _of_tabs(place: str, line: str) -> tuple[str, Mapping[str, int]]:
    query, *paths = line.split("\t")
    if not any(path.strip() for path in paths):
        raise UsageError(f"{place}: no path follows the query; write the query, a tab and a path")
    return query, dict.fromkeys((path.strip() for path in paths if path.strip()), 1)


def _resolved(query: str, entries: Wanted, names: _Names) -> Judged:
    grades: dict[str, int] = {}
    spans: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for entry, (grade, place) in entries.items():
        path, span = names.find(entry, place)
        name = f"{path}:{span[0]}-{span[1]}" if span else path
        if span and name not in grades:
            spans[path].append((*span, name))
        grades[name] = max(grade, grades.get(name, grade))
    return Judged(query, query, grades, dict(spans))


class _Names:
    """Finds documents by what people call them; `missing` collects the entries that no document fits."""

    def __init__(self, documents: Sequence[StoredDocument]) -> None:
        self.missing: list[str] = []
        self._last: defaultdict[str, list[StoredDocument]] = defaultdict(list)
        for document in documents:
            self._last[PurePath(document.location).name].append(document)

    def find(self, entry: str, place: str) -> tuple[str, tuple[int, int] | None]:
        """The path of the document as hits have it, and the span of a passage; an unknown entry as it is.

        Raises:
            UsageError: several documents could be meant, or the passage is empty.
        """
        if path := self._path(entry, place):
            return path, None
        if (match := _PASSAGE.fullmatch(entry)) and (path := self._path(match["path"], place)):
            start, end = int(match["start"]), int(match["end"])
            if start >= end:
                raise UsageError(f"{place}: the passage {entry} is empty; its end must lie behind its start")
            return path, (start, end)
        self.missing.append(entry)
        return entry, None

    def _path(self, name: str, place: str) -> str | None:
        for found in self._fitting(name):
            if len(found) > 1:
                paths = ", ".join(document.location for document in found[:3])
                raise UsageError(f"{place}: {name} could be any of {paths}; write more of its path")
            if found:
                return found[0].location
        return None

    def _fitting(self, name: str) -> Iterator[list[StoredDocument]]:
        """Documents of that path, then of that path below a folder of the index, then whose path ends so."""
        candidates = self._last.get(PurePath(name).name, [])
        whole = {name, os.path.abspath(name)}  # noqa: PTH100 - resolves `..` without following links
        tail = f"/{PurePath(name).as_posix()}"
        yield [document for document in candidates if document.location in whole]
        yield [document for document in candidates if document.path == PurePath(name).as_posix()]
        yield [document for document in candidates if PurePath(document.location).as_posix().endswith(tail)]
