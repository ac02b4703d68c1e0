"""Checks that the parts of an index belong together and are what was written; mends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from semsearch.errors import IndexDamagedError
from semsearch.store import sketches
from semsearch.store.catalog import Catalog
from semsearch.store.files import Written, map_arrays
from semsearch.store.segments import Segment
from semsearch.store.store import Snapshot, Store
from semsearch.terms import terms


def complaints(store: Store) -> list[str]:
    """What is wrong with an index, a line each; an empty list when every check passed.

    Checked are SQLite's own integrity, size and checksum of every file, that every passage has one living row of
    finite numbers and every row a passage, that spans and stored texts agree, and that the sketches are those of the
    texts and the postings those of the passages.
    """
    found = _outside(store)
    if found:
        # Only what two looks find is damage: a writer may have merged segments away during one.
        again = set(_outside(store))
        found = [complaint for complaint in found if complaint in again]
    if found:
        return found
    with store.snapshot() as snapshot:
        return [
            *_rows(snapshot),
            *_lists(snapshot),
            *_spans(snapshot.catalog),
            *_sketches(snapshot.catalog),
            *_postings(snapshot),
        ]


def _outside(store: Store) -> list[str]:
    with store.tables() as tables:
        complaints = [f"{store.path}: {complaint}" for complaint in tables.complaints()]
        return complaints + list(_files(tables, store.folder))


def _files(tables: Catalog, folder: Path) -> Iterator[str]:
    for stored in tables.segments():
        for part, expected in (("vectors", stored.vectors), ("lexical", stored.lexical)):
            yield from _file(folder / part / f"{stored.id:08d}", expected)
    if lists := tables.lists():
        for complaint in _file(folder / "lists" / f"{lists.id:08d}", lists.file):
            yield f"{complaint.split(';')[0]}; without it searches are exact and slow: delete it, and index something"


def _file(path: Path, expected: Written) -> Iterator[str]:
    try:
        map_arrays(path, expected, thorough=True)
    except FileNotFoundError:
        yield f"{path}: is missing"
    except IndexDamagedError as error:
        yield str(error)


def _rows(snapshot: Snapshot) -> Iterator[str]:
    ids = np.fromiter(snapshot.catalog.passage_ids(), np.int64)
    living = [
        s.vectors.ids if s.vectors.lives is None else s.vectors.ids[s.vectors.lives] for s in snapshot.segments.each
    ]
    rows = np.concatenate([np.empty(0, np.int64), *living])
    if len(rows) != len(np.unique(rows)):
        yield "a passage has more than one vector"
    for passage in np.setdiff1d(ids, rows)[:10].tolist():
        yield f"passage {passage} has no vector"
    for passage in np.setdiff1d(rows, ids)[:10].tolist():
        yield f"a vector stands for passage {passage}, which does not exist"
    for segment in snapshot.segments.each:
        if not np.isfinite(segment.vectors.rows).all():
            yield f"segment {segment.stored.id} holds vectors that are no numbers"
        if not np.array_equal(segment.vectors.ids, segment.lexical.ids):
            yield f"segment {segment.stored.id}: vectors and postings are of different passages"


def _lists(snapshot: Snapshot) -> Iterator[str]:
    segments = snapshot.segments
    if segments.lists is None:
        return
    living = [s.vectors.ids if s.vectors.lives is None else s.vectors.ids[s.vectors.lives] for s in segments.each]
    due = np.concatenate(living)
    listed = np.sort(segments.lists.ids)
    missing = np.setdiff1d(due[due <= segments.last], listed)
    if len(missing) or np.any(listed[1:] == listed[:-1]):
        yield f"the lists of a large index lack {len(missing)} passages or have some twice; make it anew with --rebuild"


def _spans(catalog: Catalog) -> Iterator[str]:
    for document in catalog.documents():
        if not catalog.is_intact(document.id):
            yield f"{document.location}: its stored text is missing or is not what was written"
            continue
        size = len(catalog.text(document.id))
        for passage, start, end in catalog.passages_of(document.id):
            if not 0 <= start < end <= size:
                yield f"{document.location}: passage {passage} lies outside of the text"


def _sketches(catalog: Catalog) -> Iterator[str]:
    keys = set(catalog.copies.pairs())
    for document in catalog.documents():
        due = sketches.sketch(catalog.document(document)) if catalog.is_intact(document.id) else None
        found = catalog.copies.sketch(document.id)
        own = {(key, document.id) for key in sketches.keys(found)}
        if not own <= keys or (due is not None and not np.array_equal(due, found)):
            yield f"{document.location}: its sketch, by which its copies are found, does not fit its text"
        elif not catalog.copies.are_listed(document.id):
            yield f"{document.location}: the copies that are listed with its sketch are not those that it has"
        keys -= own
    if keys:
        yield f"{len(keys)} keys of sketches are of documents that do not have them"


def _postings(snapshot: Snapshot) -> Iterator[str]:
    for segment in snapshot.segments.each:
        for passage in _misread(snapshot.catalog, segment):
            yield f"segment {segment.stored.id}: the postings of passage {passage} do not fit its text"


def _misread(catalog: Catalog, segment: Segment) -> Iterator[int]:
    """Passages that have fewer terms in their postings than their own text has."""
    lengths = dict(zip(segment.lexical.ids.tolist(), segment.lexical.lengths.tolist(), strict=True))
    totals = np.bincount(segment.lexical.rows, segment.lexical.counts, minlength=len(lengths)).astype(np.int64)
    counted = dict(zip(segment.lexical.ids.tolist(), totals.tolist(), strict=True))
    for passage in catalog.passages(lengths):
        if not len(terms(passage.text)) <= lengths[passage.id] == counted[passage.id]:
            yield passage.id
