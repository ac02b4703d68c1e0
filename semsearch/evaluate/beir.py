"""Reads a judged collection in BEIR layout: corpus.jsonl, queries.jsonl and qrels/*.tsv; it indexes nothing.

Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (2021).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from semsearch.errors import UsageError
from semsearch.evaluate.lines import lines, objects, text_of
from semsearch.evaluate.values import Collection, Judged
from semsearch.types import Document

_COLUMNS = 3
_DEFAULT_SPLIT = "test"

Grades = dict[str, dict[str, int]]
"""By query and document."""


def read_beir(folder: Path, split: str | None = None) -> tuple[Collection, list[Document]]:
    """The judged queries of a collection, and its documents.

    Args:
        folder: holds corpus.jsonl, queries.jsonl and qrels/.
        split: the name of a file in qrels/ without `.tsv`; None for the only one, or for `test` among several.

    Raises:
        UsageError: a file or the judgements are missing, or a line cannot be understood.
    """
    qrels = _qrels(folder, split)
    grades = _grades(qrels)
    queries, notes = _judged(folder / "queries.jsonl", qrels, grades)
    documents, empty = _documents(folder / "corpus.jsonl")
    notes += noted(empty, "documents with neither title nor text, left out")
    known = {document.path for document in documents}
    missing = [name for query in queries for name in query.grades if name not in known]
    notes += noted(missing, "judgements of documents that are not in the index, counted as not found")
    return Collection(str(folder), tuple(queries), digest_of(queries), tuple(notes)), documents


def digest_of(queries: Sequence[Judged]) -> str:
    """SHA-256 in hex over the queries and their grades, in no order."""
    fields = sorted((query.id, query.text, sorted(query.grades.items())) for query in queries)
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


def noted(names: Sequence[str], what: str) -> list[str]:
    """A note on several names, with the first of them; none where there are none."""
    return [f"{what}: {len(names):,}, the first is {names[0]}"] if names else []


def _qrels(folder: Path, split: str | None) -> Path:
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise UsageError(f"{folder / 'qrels'}: no .tsv file with judgements; without them nothing can be measured")
    names = [file.stem for file in files]
    wanted = split or (names[0] if len(files) == 1 else _DEFAULT_SPLIT)
    if wanted not in names:
        raise UsageError(f"{folder / 'qrels'}: no {wanted}.tsv; choose one with --split: {', '.join(names)}")
    return files[names.index(wanted)]


def _grades(path: Path) -> Grades:
    grades: Grades = {}
    for order, (number, line) in enumerate(lines(path)):
        columns = [column.strip() for column in line.split("\t")]
        grade = _whole(columns[-1])
        if len(columns) != _COLUMNS or (grade is None and order):
            raise UsageError(f"{path}:{number}: is not query-id, corpus-id and a whole number, with tabs between them")
        if grade is not None:  # a first line without a number is the header
            of_query = grades.setdefault(columns[0], {})
            of_query[columns[1]] = max(grade, of_query.get(columns[1], grade))
    if not any(grade > 0 for of_query in grades.values() for grade in of_query.values()):
        what = "no score is above 0" if grades else "holds no judgement"
        raise UsageError(f"{path}: {what}; without relevant documents nothing can be measured")
    return grades


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _judged(path: Path, qrels: Path, grades: Grades) -> tuple[list[Judged], list[str]]:
    """The queries of which something is relevant, in the order of the file, and what is to be said of others."""
    texts = {text_of(place, fields, "_id"): text_of(place, fields, "text") for place, fields in objects(path)}
    relevant = {name: None for name in grades if any(grade > 0 for grade in grades[name].values())}
    queries = [Judged(name, text, grades[name]) for name, text in texts.items() if name in relevant and text.strip()]
    absent = [name for name in relevant if name not in texts]
    blank = [name for name in relevant if name in texts and not texts[name].strip()]
    if not queries:
        why = f"none of them has a text in {path}"
        raise UsageError(f"{qrels}: judges {len(relevant):,} queries, but {why} (the first: {next(iter(relevant))})")
    nothing = [name for name in grades if name not in relevant]
    return queries, [
        *noted(absent, f"judged queries that are not in {path.name}, left out"),
        *noted(blank, f"judged queries with no text in {path.name}, left out"),
        *noted(nothing, "queries with no relevant document, left out"),
    ]


def _documents(path: Path) -> tuple[list[Document], list[str]]:
    """The documents, and the names of those that have neither title nor text."""
    documents: dict[str, Document] = {}
    empty: list[str] = []
    for place, fields in objects(path):
        name, title, text = (text_of(place, fields, field) for field in ("_id", "title", "text"))
        if not name:
            raise UsageError(f"{place}: has no _id")
        if name in documents:
            raise UsageError(f"{place}: the _id {name} was there before; each document needs its own")
        if text.strip():
            documents[name] = Document(name, text, title=title)
        elif title.strip():
            documents[name] = Document(name, title)
        else:
            empty.append(name)
    if not documents:
        raise UsageError(f"{path}: holds no document with a text")
    return list(documents.values()), empty
