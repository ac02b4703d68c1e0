"""Finds documents by their paths, and the passages of those that a filter admits; ranks none and reads no text.

What is not found leaves no trace in an answer, so here it is made sure that nothing lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np

from semsearch.address import file_of
from semsearch.store.catalog import FEWER, Catalog
from semsearch.store.store import Snapshot
from semsearch.store.stored import Facts
from semsearch.store.subset import Ids, spans

_PATHS = "its paths do not lead to their documents"


def locate(catalog: Catalog, path: str) -> int | None:
    """The number of the document that a path below one of the folders, or a name, means.

    Raises:
        IndexDamagedError: it, or what else there is where it is not found, is not what was stored.
    """
    number = _locate(catalog, path)
    if number is None:
        if {path, str(Path(path).absolute())} & {each.location for each in catalog.documents()}:
            raise catalog.damage(_PATHS)
    elif not catalog.seals.hold_for(number):
        raise catalog.damage(f"document {number} is not what was stored")
    return number


def _locate(catalog: Catalog, path: str) -> int | None:
    file = file_of(path)
    within = path[len(file) :]
    for absolute in (Path(file).absolute(), Path(file).resolve()):
        for root in filter(absolute.is_relative_to, catalog.folders()):
            number = find(catalog, root, absolute.relative_to(root).as_posix() + within)
            if number is not None:
                return number
    return find(catalog, "", path)


def find(catalog: Catalog, root: str, path: str) -> int | None:
    """The number of the document with that path in that folder.

    Raises:
        IndexDamagedError: it is not what was stored.
    """
    number = catalog.find(root, path)
    if number is not None and [(each.root, each.path) for each in catalog.documents([number])] != [(root, path)]:
        raise catalog.damage(_PATHS)
    return number


def passages_where(
    snapshot: Snapshot, admits: Callable[[Facts], bool], pages: Callable[[Facts], Collection[int] | None] | None = None
) -> Ids:
    """The passages of the documents that are admitted, in rising order: int64, shape (n,).

    `pages` says of a document on which pages they must stand, at least in part; None for any.

    Raises:
        IndexDamagedError: documents, or the passages that they have, are not what was stored.
    """
    catalog, segments = snapshot.catalog, snapshot.segments
    if not segments.noted.sealed and not catalog.seals.add_up():
        raise catalog.damage(FEWER)
    segments.noted.sealed = True
    admitted = [facts for facts in catalog.facts() if admits(facts)]
    ends = sorted(catalog.spans(facts.id for facts in admitted))
    first, last = np.array(ends, np.int64).reshape(-1, 2).T
    found = spans(first, last - first + 1)
    if not segments.are_whole_documents(found):
        raise catalog.damage("its documents do not have the passages that were stored")
    if pages is None:
        return found
    asked = {facts.id: pages(facts) for facts in admitted}
    return np.setdiff1d(found, _elsewhere(catalog, {number: few for number, few in asked.items() if few is not None}))


def _elsewhere(catalog: Catalog, asked: Mapping[int, Collection[int]]) -> Ids:
    """The passages of documents that stand on none of the pages that are asked for."""
    others: list[int] = []
    for stored in catalog.documents(asked):
        document = catalog.document(stored)
        ends = [*document.pages[1:], len(document.text)]
        parts = [(document.pages[page - 1], ends[page - 1]) for page in asked[stored.id] if page <= len(document.pages)]
        others += [
            number
            for number, start, end in catalog.passages_of(stored.id)
            if not any(start < last and end > first for first, last in parts)
        ]
    return np.array(sorted(others), np.int64)
