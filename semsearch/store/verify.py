"""Checks that the parts of an index belong together and are what was written; mends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from semsearch.errors import IndexDamagedError
from semsearch.store import derived, lexical, moments, sketches
from semsearch.store.catalog import Catalog
from semsearch.store.editions import CARD, is_card
from semsearch.store.files import MEND, Written, map_arrays
from semsearch.store.segments import Segment, Segments, lists_file, segment_files
from semsearch.store.store import Snapshot, Store
from semsearch.store.subset import Ids
from semsearch.types import Vectors

_BLOCK = 4096
_FEW = 10
"""So many of a kind are named."""

UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


def complaints(store: Store, *, deep: bool = False) -> list[str]:
    """What is wrong with an index, a line each; an empty list when every check passed.

    Checked are the card, SQLite's own integrity, the seals of what it holds, size and checksum of every file, that
    every passage has one living row of finite numbers and every row a passage, that texts are those that were stored,
    and that copies are listed as they are. `deep` works out again what is derived, and compares: sketches and postings
    with texts, sums and lists with vectors, and every passage with what the model read.
    """
    try:
        found = _outside(store)
        if found:
            # Only what two looks find is damage: a writer may have merged segments away during one.
            again = set(_outside(store))
            found = [complaint for complaint in found if complaint in again]
        return found or [_told(store, complaint) for complaint in _inside(store, deep=deep)]
    except IndexDamagedError as error:
        return [str(error)]
    except UNREADABLE as error:
        return [f"{store.path}: holds what cannot be read ({error}); {MEND}"]


def _outside(store: Store) -> list[str]:
    with store.tables() as tables:
        database = [_told(store, f"{store.path}: {complaint}") for complaint in tables.complaints()]
        return [*_card(store), *database, *_files(tables, store.folder)]


def _told(store: Store, complaint: str) -> str:
    """A complaint with the place that it is about, and with what to do."""
    placed = complaint if str(store.folder) in complaint else f"{store.folder}: {complaint}"
    return placed if "`" in placed else f"{placed}; {MEND}"


def _inside(store: Store, *, deep: bool) -> list[str]:
    with store.snapshot() as snapshot:
        catalog, segments = snapshot.catalog, snapshot.segments
        found = [*_texts(catalog), *_rows(snapshot), *_listed(segments), *wrong_copies(catalog)]
        return found if found or not deep else [*wrong_sketches(catalog), *_derived(snapshot), *_codes(segments)]


def _derived(snapshot: Snapshot) -> Iterator[str]:
    for segment in snapshot.segments.each:
        yield from wrong_postings(snapshot.catalog, segment)
        yield from wrong_sums(segment)


def _card(store: Store) -> Iterator[str]:
    path = store.folder.parent / CARD
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        yield f"{path}: cannot be read ({error}); {MEND}"
        return
    # Of another edition it is where a rebuild has just taken this one's place.
    if not isinstance(found, dict) or (found.get("current") == store.folder.name and not is_card(found, store)):
        yield f"{path}: is not what was written; {MEND}"


def _files(tables: Catalog, folder: Path) -> Iterator[str]:
    for stored in tables.segments():
        for file, expected in zip(segment_files(folder, stored.id), (stored.vectors, stored.lexical), strict=True):
            yield from _file(file, expected)
    if lists := tables.lists():
        for complaint in _file(lists_file(folder, lists.id), lists.file):
            mended = "run `semsearch repair`, or index something"
            yield f"{complaint.split(';')[0]}; without it searches are exact and slow: {mended}"


def _file(path: Path, expected: Written) -> Iterator[str]:
    try:
        map_arrays(path, expected, thorough=True)
    except FileNotFoundError:
        yield f"{path}: is missing; {MEND}"
    except IndexDamagedError as error:
        yield str(error)


def _texts(catalog: Catalog) -> Iterator[str]:
    again: list[str] = []
    for document in catalog.documents():
        if not catalog.is_intact(document.id):
            yield f"{catalog.file()}: the text of {document.location} is missing or is not what was stored; {MEND}"
            continue
        if not document.stat.digest:
            again.append(document.location)
        size = len(catalog.text(document.id))
        for passage, start, end in catalog.passages_of(document.id):
            if not 0 <= start < end <= size:
                yield f"{catalog.file()}: passage {passage} of {document.location} lies outside of its text; {MEND}"
    if again:
        what = f"{len(again)} documents have to be embedded again, the first of them {again[0]}"
        yield f"{catalog.file()}: {what}; run `semsearch index FOLDER`"


def _rows(snapshot: Snapshot) -> Iterator[str]:
    ids, rows = np.fromiter(snapshot.catalog.passage_ids(), np.int64), _living(snapshot.segments)
    if len(rows) != len(np.unique(rows)):
        yield "a passage has more than one vector"
    for passage in np.setdiff1d(ids, rows)[:_FEW].tolist():
        yield f"passage {passage} has no vector"
    for passage in np.setdiff1d(rows, ids)[:_FEW].tolist():
        yield f"a vector stands for passage {passage}, which does not exist"
    for segment in snapshot.segments.each:
        yield from wrong_rows(segment)


def wrong_rows(segment: Segment) -> Iterator[str]:
    """What is wrong with the vectors of a segment by themselves, and beside its postings."""
    yield from wrong_numbers(segment.stored.id, segment.vectors.rows)
    if not np.array_equal(segment.vectors.ids, segment.lexical.ids):
        yield f"segment {segment.stored.id}: vectors and postings are of different passages"


def wrong_numbers(number: int, rows: Vectors) -> Iterator[str]:
    """Whether a segment holds NaN or infinity."""
    if not all(np.isfinite(rows[at : at + _BLOCK]).all() for at in range(0, len(rows), _BLOCK)):
        yield f"segment {number} holds vectors that are no numbers"


def _living(segments: Segments) -> Ids:
    each = [s.vectors.ids if s.vectors.lives is None else s.vectors.ids[s.vectors.lives] for s in segments.each]
    return np.concatenate([np.empty(0, np.int64), *each])


def wrong_lists(segments: Segments) -> Iterator[str]:
    """What is wrong with the lists of a large index beside its vectors."""
    yield from _listed(segments)
    yield from _codes(segments)


def _listed(segments: Segments) -> Iterator[str]:
    if segments.lists is None:
        return
    due, listed = _living(segments), np.sort(segments.lists.ids)
    missing = np.setdiff1d(due[due <= segments.last], listed)
    if len(missing) or np.any(listed[1:] == listed[:-1]):
        yield f"the lists of a large index lack {len(missing)} passages or have some twice; run `semsearch repair`"


def wrong_copies(catalog: Catalog) -> Iterator[str]:
    """Whether copies are not listed as the sketches tell them."""
    keys = set(catalog.copies.pairs())
    numbers = {document.id for document in catalog.documents()}
    for number in sorted(numbers):
        own = {(key, number) for key in sketches.keys(catalog.copies.sketch(number))}
        if not own <= keys:
            yield f"document {number}: its sketch, by which its copies are found, lacks keys"
        elif not catalog.copies.are_listed(number):
            yield f"document {number}: the copies that are listed with its sketch are not those that it has"
        keys -= own
    if keys:
        yield f"{len(keys)} keys of sketches are of documents that do not have them"
    if strange := catalog.copies.listed_with() - numbers:
        yield f"copies are listed with {len(strange)} documents that do not exist"


def wrong_sketches(catalog: Catalog) -> Iterator[str]:
    """Which sketches are not those of the texts."""
    for document in catalog.documents():
        if not np.array_equal(sketches.sketch(catalog.document(document)), catalog.copies.sketch(document.id)):
            yield f"{document.location}: its sketch, by which its copies are found, does not fit its text"


def wrong_postings(catalog: Catalog, segment: Segment) -> Iterator[str]:
    """Whether the postings of the living are not those that their texts give."""
    found = lexical.merged([segment.lexical])
    due = derived.postings(catalog, found.ids)
    if any(not np.array_equal(getattr(found, name), getattr(due, name)) for name in due.ARRAYS):
        yield f"segment {segment.stored.id}: its postings are not those of the passages' texts"


def wrong_sums(segment: Segment) -> Iterator[str]:
    """Whether a segment keeps other sums of its vectors than they give."""
    made = moments.with_sums({"rows": [segment.vectors.rows]})
    for name in ("total", "square"):
        kept = getattr(segment.vectors, name)
        if name in made and (kept is None or not np.allclose(kept, made[name][0], 1e-9, 1e-6)):
            yield f"segment {segment.stored.id}: the sums of its vectors are not those that it keeps"


def _codes(segments: Segments) -> Iterator[str]:
    lists = segments.lists
    if lists is None:
        return
    numbers = np.repeat(np.arange(len(lists.centroids)), np.diff(lists.starts))
    wrong = 0
    for at in range(0, len(lists.ids), _BLOCK):
        ids = lists.ids[at : at + _BLOCK]
        here = np.flatnonzero(lists.are_alive(ids))
        rows = segments.vectors(ids[here])
        wrong += int(np.any(lists.codes[at + here] != lists.coded(rows), axis=1).sum())
        reach = rows @ lists.centroids.T
        own = reach[np.arange(len(here)), numbers[at + here]]
        wrong += int((own < reach.max(axis=1, initial=-np.inf) - 1e-4).sum())
    if wrong:
        yield f"{wrong} vectors are not what the lists of a large index have of them; run `semsearch repair`"
