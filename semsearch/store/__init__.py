"""Keeps an index on disk: documents, passages, vectors and terms, with one commit point; reads no article."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from semsearch.errors import IndexDamagedError, SemsearchError
from semsearch.store.catalog import Catalog
from semsearch.store.database import FORMAT
from semsearch.store.editions import (
    CARD,
    check_free,
    create,
    current,
    discard_editions,
    locked,
    publish,
    settings,
    upgrade_card,
)
from semsearch.store.files import storage
from semsearch.store.find import locate, passages_where
from semsearch.store.lexical import LexicalScores
from semsearch.store.lists import RECALL
from semsearch.store.seals import fingerprint
from semsearch.store.segments import Fetched
from semsearch.store.store import Addition, Snapshot, Store
from semsearch.store.stored import StoredDocument, StoredPassage
from semsearch.store.subset import Ids
from semsearch.store.vectors import similarities

__all__ = [
    "CARD",
    "FORMAT",
    "RECALL",
    "Addition",
    "Catalog",
    "Fetched",
    "Ids",
    "LexicalScores",
    "Snapshot",
    "Store",
    "StoredDocument",
    "StoredPassage",
    "blamed",
    "check_free",
    "complaints",
    "create",
    "current",
    "discard_editions",
    "fingerprint",
    "locate",
    "locked",
    "passages_where",
    "publish",
    "settings",
    "similarities",
    "storage",
    "upgrade_card",
]


def complaints(opened: Store, *, deep: bool = False) -> list[str]:
    """What is wrong with an index, a line each: see `semsearch.store.verify`."""
    from semsearch.store import verify  # noqa: PLC0415 - a search does without it

    return verify.complaints(opened, deep=deep)


@contextmanager
def blamed(opened: Store) -> Iterator[None]:
    """Ask, when something fails that should not, whether the index is damaged, and say so where it is.

    Raises:
        IndexDamagedError: it is.
    """
    try:
        yield
    except (SemsearchError, OSError):
        raise
    except Exception as error:
        if found := complaints(opened):
            raise IndexDamagedError(found[0]) from error
        raise
