"""Mends a damaged index from what is sound in it, without a model; deletes nothing, it sets aside.

What is derived is made anew: postings, sums and lists, sketches and the copies that they tell. Documents of which
vectors or the text are lost are marked, so that the next run embeds them, and them alone, again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semsearch.config import IndexConfig
from semsearch.errors import IndexDamagedError, IndexFormatError, IndexNotFoundError, StoreError
from semsearch.store import database, derived, vectors, verify
from semsearch.store.aside import Aside
from semsearch.store.catalog import Catalog
from semsearch.store.editions import CARD, card_of, current, is_card, settings, upgrade_card
from semsearch.store.files import map_arrays, storage, sync_folder, write_text
from semsearch.store.salvage import salvage
from semsearch.store.segments import lists_file, open_segment, segment_files, write_segment
from semsearch.store.store import PARTS, Store
from semsearch.store.stored import StoredSegment
from semsearch.store.vectors import VectorSegment

_ANEW = "only `semsearch index FOLDER --rebuild` makes it anew, and sets this one aside"


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did, a line each; the folder in which it set things aside, "" for none.

    `again` are the documents that have to be embedded again: by the next run over their folder, or by any run where
    they never were files. `lost` are those that could not be kept.
    """

    done: tuple[str, ...] = ()
    aside: str = ""
    again: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def repair(path: Path) -> Repair:
    """Mend the index at `path`, for which the caller holds the lock.

    Raises:
        IndexNotFoundError: there is no index.
        IndexFormatError: another semsearch made it.
        IndexDamagedError: its catalog cannot be read at all; what to do then is said.
    """
    aside = Aside(path)
    folder, config = _edition(path)
    lost = _mended_catalog(folder, config, aside)
    done = [] if lost is None else [f"{folder / 'index.db'}: made anew of what is sound in it"]
    for part in PARTS:
        (folder / part).mkdir(exist_ok=True)
    with closing(Store(folder)) as store:
        done += _mended_card(path, store, aside)
        done += _mended_segments(store, aside)
        done += _mended_lists(store, aside)
        done += _mended_copies(store)
        if done:
            store.tidy()
            _set_leftovers_aside(store, aside)
        with store.tables() as tables:
            again = tuple(document.location for document in tables.documents() if not document.stat.digest)
    return Repair(tuple(done), str(aside.folder) if aside.used else "", again, tuple(lost or ()))


def _edition(path: Path) -> tuple[Path, IndexConfig | None]:
    """The edition that the card names, or, where it names none, the one that is whole."""
    try:
        folder = current(path)
        if (folder / "index.db").exists():
            return folder, settings(path)
    except (IndexDamagedError, IndexNotFoundError, IndexFormatError) as error:
        found = error
    else:
        found = IndexDamagedError(f"{folder / 'index.db'}: is missing; {_ANEW}")
    # A rebuild that is not finished has a higher number, and deletes the lower one when it is.
    for folder in sorted(path.glob("e[0-9]*"), key=lambda folder: (len(folder.name), folder.name)):
        if database.OLDEST <= _format_of(folder) <= database.FORMAT:
            return folder, settings(path)
    raise found


def _format_of(folder: Path) -> int:
    try:
        with closing(Store(folder)) as store, store.tables() as tables:
            return int(tables.setting("format"))
    except (StoreError, ValueError, TypeError):
        return 0


def _mended_catalog(folder: Path, config: IndexConfig | None, aside: Aside) -> list[str] | None:
    """Put a sound catalog in the place of one that is not; the documents that it lost, None where it was sound."""
    path = folder / "index.db"
    if _is_sound(path):
        return None
    new = path.with_name("index.db.unfinished")
    for end in ("", "-wal", "-shm"):
        path.with_name(new.name + end).unlink(missing_ok=True)
    try:
        lost = salvage(path, new, config, aside)
    except IndexDamagedError as error:
        raise IndexDamagedError(f"{path}: nothing of it can be read; {_ANEW}") from error
    with storage(path):
        for end in ("-wal", "-shm"):
            aside.take(path.with_name(path.name + end))
        aside.copy(path)
        new.replace(path)
        sync_folder(folder)
    return lost


def _is_sound(path: Path) -> bool:
    """Whether all that the catalog says is what was stored, texts and what the model read among it."""
    try:
        with closing(database.connect(path)) as connection, database.reading(connection, path) as tables:
            if any(tables.complaints()):
                return False
            for document in tables.documents():
                passages = [number for number, _, _ in tables.passages_of(document.id)]
                if not tables.is_intact(document.id) or len(list(tables.inputs(passages))) != len(passages):
                    return False
            return True
    except (IndexDamagedError, *verify.UNREADABLE):
        return False


@contextmanager
def _changing(store: Store) -> Iterator[Catalog]:
    """A transaction that leads to another generation."""
    with (
        closing(database.connect(store.path, write=True)) as connection,
        database.writing(connection, store.path) as tables,
    ):
        database.upgrade(tables)
        yield tables
        tables.set("generation", str(tables.generation() + 1))
        tables.seals.close()


def _mended_card(path: Path, store: Store, aside: Aside) -> Iterator[str]:
    card = path / CARD
    try:
        if is_card(json.loads(card.read_bytes()), store):
            upgrade_card(path, store)
            return
    except (OSError, ValueError, RecursionError):
        pass
    aside.copy(card)
    write_text(card, card_of(store))
    yield f"{card}: written anew"


def _mended_segments(store: Store, aside: Aside) -> list[str]:
    """Make postings and sums anew, and let go of documents whose vectors are lost."""
    done: list[str] = []
    rows: list[int] = []
    with _changing(store) as tables:
        for stored in tables.segments():
            files = segment_files(store.folder, stored.id)
            dense = _vectors(store, stored, files[0])
            if dense is None:
                _let_go(tables, stored)
                for file in files:
                    aside.take(file)
                done.append(f"{files[0]}: is not what was written; its documents have to be embedded again")
                continue
            living = _living(tables, dense)
            if _is_wrong(store, tables, stored, living):
                done.append(f"{files[1]}: made anew from the texts and vectors")
                aside.take(files[1])
                _rewrite(store, tables, stored, living)
                rows += living.ids[living.lives].tolist()
            else:
                rows += dense.ids.tolist()
        without = tables.owners(sorted(set(tables.passage_ids()) - set(rows)))
        for number in sorted(set(without.values())):
            tables.unembed(number)
            done.append(f"document {number}: had passages without vectors, and has to be embedded again")
        done += ["tombstones: made to fit the vectors"] if tables.bury(rows) else []
    return done


def _vectors(store: Store, stored: StoredSegment, file: Path) -> VectorSegment | None:
    """The vectors of a segment, None where they are not what was written."""
    try:
        arrays = map_arrays(file, stored.vectors, thorough=True)
        dense = VectorSegment(arrays["ids"], arrays["rows"], None, arrays.get("total"), arrays.get("square"))
        ends = dense.ids[[0, -1]].tolist()
        rises = bool(np.all(np.diff(dense.ids) > 0)) and ends == [stored.first, stored.last]
        fits = rises and dense.fits(stored.rows, store.config.dimension)
        return dense if fits and not [*verify.wrong_numbers(stored.id, dense.rows)] else None
    except (FileNotFoundError, IndexDamagedError, LookupError):
        return None


def _let_go(tables: Catalog, stored: StoredSegment) -> None:
    for document in tables.documents_of((stored.first, stored.last)):
        tables.unembed(document)
    tables.drop_segment(stored)


def _living(tables: Catalog, dense: VectorSegment) -> VectorSegment:
    owners = tables.owners(dense.ids.tolist())
    return replace(dense, lives=np.array([i in owners for i in dense.ids.tolist()], np.bool_))


def _is_wrong(store: Store, tables: Catalog, stored: StoredSegment, living: VectorSegment) -> bool:
    """Whether what is derived of a segment is not what its texts and vectors give."""
    try:
        map_arrays(segment_files(store.folder, stored.id)[1], stored.lexical, thorough=True)
        segment = open_segment(store.folder, stored, store.config.dimension)
        segment = replace(segment, lexical=replace(segment.lexical, lives=living.lives))
        looks = (verify.wrong_rows(segment), verify.wrong_sums(segment), verify.wrong_postings(tables, segment))
        return any(map(any, looks))
    except (FileNotFoundError, IndexDamagedError, *verify.UNREADABLE):
        return True


def _rewrite(store: Store, tables: Catalog, stored: StoredSegment, living: VectorSegment) -> None:
    tables.drop_segment(stored)
    ids = living.ids[living.lives]
    if len(ids):
        dense, sparse = vectors.merged([living]), derived.postings(tables, ids)
        tables.add_segment(write_segment(store.folder, tables.next_number("segments"), dense, sparse))


def _mended_lists(store: Store, aside: Aside) -> list[str]:
    """Let go of lists that are not those of the vectors; where they are needed, `tidy` makes new ones."""
    with store.tables() as tables:
        stored = tables.lists()
    if stored is None:
        return []
    file = lists_file(store.folder, stored.id)
    try:
        map_arrays(file, stored.file, thorough=True)
        with store.snapshot() as snapshot:
            if snapshot.segments.lists is not None and not any(verify.wrong_lists(snapshot.segments)):
                return []
    except (FileNotFoundError, IndexDamagedError, *verify.UNREADABLE):
        pass
    with _changing(store) as tables:
        tables.set_lists(None)
    aside.take(file)
    return [f"{file}: left out, and made anew where the index is large enough"]


def _mended_copies(store: Store) -> list[str]:
    """Make all sketches, and what they tell of copies, anew where one is not what the texts give."""
    with suppress(IndexDamagedError, *verify.UNREADABLE), store.tables() as tables:
        if not any(verify.wrong_copies(tables)) and not any(verify.wrong_sketches(tables)):
            return []
    with _changing(store) as tables:
        tables.copies.clear()
        for document in list(tables.documents()):
            tables.copies.put(document.id, tables.document(document))
            tables.seals.put(document.id)
    return [f"{store.path}: sketches of all documents made anew"]


def _set_leftovers_aside(store: Store, aside: Aside) -> None:
    """Files that no committed state names, what a repair has replaced among them."""
    with store.tables() as tables:
        leftovers = store.leftovers(tables)
    for file in leftovers:
        aside.take(file)
