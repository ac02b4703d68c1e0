"""Keeps in SQLite which documents are copies of each other, inside the catalog's transaction; compares no text.

The copies of a document are found by the keys of its sketch when it is stored, and listed with both, because a search
that looked them up for each hit would spend half of its time on that. When a key becomes common, or is no longer, the
documents that have it are listed anew, so that an answer never depends on the order in which documents came. Where
there are very many copies none is listed: they are looked up when they are asked for.

`listed` in the table of sketches is a seal besides, so that no copy is lost unnoticed: a positive one of the copies
that are listed, a negative one of the sketch of a document that has them looked up. Format 4 has 1 and 0.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any

import xxhash

from semsearch.shingles import Shingles
from semsearch.store import sketches
from semsearch.types import Document

MANY = 32
"""A document with more copies than this has them looked up, or a thousand of one text would be a million rows."""

_IN = 500
"""How many values a statement names at the most."""


class Copies:
    """Which documents are copies of each other, as far as one transaction sees."""

    def __init__(self, connection: sqlite3.Connection, damage: Callable[[str], Exception]) -> None:
        self._run = connection.execute
        self._many = connection.executemany
        self._damage = damage
        self._sketches: dict[int, Shingles] = {}
        self._unsealed: set[int] = set()

    def of(self, document: int) -> list[int]:
        """The numbers of all other documents that are copies of a document, in rising order.

        Raises:
            IndexDamagedError: they are not what was stored.
        """
        listed = self._listed(document)
        return self.looked_up(document) if listed is None else listed

    def looked_up(self, document: int) -> list[int]:
        """All of them, found by the keys of its sketch."""
        keys = sketches.keys(self.sketch(document))
        having = self._with(keys)
        if len(having) != len(keys) or any(document not in each and len(each) <= sketches.COMMON for each in having):
            raise self._damage(f"the sketch of document {document}, by which its copies are found, lacks keys")
        found = sketches.candidates(having)
        if keys and not found:
            # Too few of its keys are not common: a text of which there are very many copies.
            found = {row[0] for row in self._run("SELECT document FROM sketch_keys WHERE hash = ?", (keys[0],))}
        return self._alike(document, found)

    def sketch(self, document: int) -> Shingles:
        """The sketch of a document, empty where there is none."""
        self._fetch([document])
        return self._sketches[document]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every key by which a document is found, with the number of the document."""
        yield from self._run("SELECT hash, document FROM sketch_keys")

    def listed_with(self) -> set[int]:
        """The documents that have, or are, a listed copy."""
        return {number for row in self._run("SELECT document, other FROM copies") for number in row}

    def are_listed(self, document: int) -> bool:
        """Whether what is listed with a document, if it is, is what is looked up."""
        return self._listed(document) in (None, self.looked_up(document))

    def put(self, number: int, document: Document) -> None:
        """Store the sketch of a document, in the place of the one that it had, and list its copies."""
        self._forget(number)
        sketch = sketches.sketch(document)
        keys = sketches.keys(sketch)
        self._run("INSERT INTO sketches VALUES (?, ?, 0)", (number, sketches.packed(sketch)))
        self._many("INSERT INTO sketch_keys VALUES (?, ?)", ((key, number) for key in keys))
        self._sketches.clear()
        for other in sorted({number, *self._having(keys, sketches.COMMON + 1)}):
            self._list(other)
        self._seal()

    def seal(self) -> None:
        """Seal what an older semsearch listed, as it is."""
        self._unsealed |= {row[0] for row in self._run("SELECT document FROM sketches")}
        self._seal()

    def clear(self) -> None:
        """Forget all sketches, and what they tell."""
        for table in ("sketches", "sketch_keys", "copies"):
            self._run(f"DELETE FROM {table}")
        self._sketches.clear()

    def drop(self, number: int) -> None:
        """Remove the sketch of a document, and the document from the copies of others."""
        self._forget(number)
        self._seal()

    def _forget(self, number: int) -> None:
        keys = sketches.keys(self.sketch(number))
        self._many("DELETE FROM sketch_keys WHERE hash = ? AND document = ?", ((key, number) for key in keys))
        self._run("DELETE FROM sketches WHERE document = ?", (number,))
        self._unlink(number)
        self._sketches.clear()
        for other in sorted(self._having(keys, sketches.COMMON)):
            self._list(other)

    def _listed(self, document: int) -> list[int] | None:
        """Those that are listed with a document, in rising order; None where they have to be looked up.

        Raises:
            IndexDamagedError: they are not those that were sealed.
        """
        query = (
            "SELECT listed, other FROM sketches s LEFT JOIN copies c ON c.document = s.document "
            "WHERE s.document = ? ORDER BY other"
        )
        rows = self._run(query, (document,)).fetchall()
        others = [other for _, other in rows if other is not None]
        if not rows or (rows[0][0] > 1 and rows[0][0] != _seal_of(document, others)):
            raise self._damage(
                f"the copies that are listed with the sketch of document {document} are not what was stored"
            )
        return others if rows[0][0] > 0 else None

    def _alike(self, document: int, candidates: set[int]) -> list[int]:
        own, others = self.sketch(document), candidates - {document}
        self._fetch(others)
        return sorted(other for other in others if sketches.alike(own, self.sketch(other)))

    def _list(self, document: int) -> None:
        """List the copies of a document with it, and it with them, where there are not too many."""
        self._unlink(document)
        found = sketches.candidates(self._with(sketches.keys(self.sketch(document))))
        copies = self._alike(document, found)
        self._run("UPDATE sketches SET listed = ? WHERE document = ?", (bool(found), document))
        listed = self._listed_of(copies)
        self._change(listed)
        pairs = [(document, other) for other in copies] + [(other, document) for other in listed]
        self._many("INSERT INTO copies VALUES (?, ?)", pairs)
        counts = self._by(
            "SELECT document, count(*) FROM copies WHERE document IN {} GROUP BY document", [document, *copies]
        )
        many = [(number,) for number, count in counts if count > MANY]
        self._change(number for (number,) in many)
        self._many("UPDATE sketches SET listed = 0 WHERE document = ?", many)
        self._many("DELETE FROM copies WHERE document = ?", many)

    def _unlink(self, document: int) -> None:
        self._change(row[0] for row in self._run("SELECT document FROM copies WHERE other = ?", (document,)).fetchall())
        self._unsealed.add(document)
        self._run("DELETE FROM copies WHERE document = ?", (document,))
        self._run("DELETE FROM copies WHERE other = ?", (document,))

    def _change(self, documents: Iterable[int]) -> None:
        """Note that others are listed with documents from here on, if what is listed now is what was sealed."""
        for document in set(documents) - self._unsealed:
            self._listed(document)
            self._unsealed.add(document)

    def _seal(self) -> None:
        for document in sorted(self._unsealed):
            row = self._run("SELECT listed, hashes FROM sketches WHERE document = ?", (document,)).fetchone()
            if row is not None:
                query = "SELECT other FROM copies WHERE document = ? ORDER BY other"
                others = [other for (other,) in self._run(query, (document,))]
                seal = _seal_of(document, others) if row[0] > 0 else -_seal_of(document, row[1])
                self._run("UPDATE sketches SET listed = ? WHERE document = ?", (seal, document))
        self._unsealed.clear()

    def _having(self, keys: Sequence[int], count: int) -> set[int]:
        """The documents with those of the keys that exactly so many have: with one of those a key becomes common."""
        return set(chain.from_iterable(each for each in self._with(keys) if len(each) == count))

    def _listed_of(self, documents: Iterable[int]) -> set[int]:
        found = self._by("SELECT document FROM sketches WHERE listed > 0 AND document IN {}", documents)
        return {row[0] for row in found}

    def _fetch(self, documents: Iterable[int]) -> None:
        """Have the sketches of documents at hand: those of one story are asked for with each of its copies."""
        missing = [document for document in documents if document not in self._sketches]
        self._sketches |= dict.fromkeys(missing, sketches.unpacked(b""))
        found = self._by("SELECT document, hashes, listed FROM sketches WHERE document IN {}", missing)
        for number, hashes, listed in found:
            if listed < 0 and -listed != _seal_of(number, hashes):
                raise self._damage(f"the sketch of document {number} is not what was stored")
            self._sketches[number] = sketches.unpacked(hashes)

    def _by(self, query: str, documents: Iterable[int]) -> Iterator[Any]:
        rest = iter(documents)
        while part := list(islice(rest, _IN)):
            yield from self._run(query.format(f"({', '.join('?' * len(part))})"), part).fetchall()

    def _with(self, keys: Sequence[int]) -> list[list[int]]:
        """For each key the documents that have it; of a common one only so many that it is seen to have been before."""
        if not keys:
            return []
        rows = self._run(_documents_with(len(keys), sketches.COMMON + 2), keys)
        return [list(map(int, row[0].split(","))) for row in rows if row[0]]


def _seal_of(document: int, what: list[int] | bytes) -> int:
    """A number above 1 that stands for what is said of a document's copies, and fits into SQLite's."""
    return (xxhash.xxh3_64_intdigest(ascii((document, what)).encode()) >> 2) + 2


@cache
def _documents_with(keys: int, most: int) -> str:
    """SQL for the documents with each of so many keys, or the most that need be known: a row a key."""
    some = f"(SELECT document FROM sketch_keys WHERE hash = ? LIMIT {most})"
    return " UNION ALL ".join([f"SELECT group_concat(document) FROM {some}"] * keys)
