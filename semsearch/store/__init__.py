"""Keeps an index on disk: documents, passages, vectors and terms, with one commit point; reads no article."""

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
)
from semsearch.store.files import storage
from semsearch.store.inputs import fingerprint
from semsearch.store.lexical import LexicalScores
from semsearch.store.lists import RECALL
from semsearch.store.store import Addition, Snapshot, Store
from semsearch.store.stored import StoredDocument, StoredPassage
from semsearch.store.subset import Ids
from semsearch.store.vectors import similarities
from semsearch.store.verify import blamed, complaints

__all__ = [
    "CARD",
    "FORMAT",
    "RECALL",
    "Addition",
    "Catalog",
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
    "locked",
    "publish",
    "settings",
    "similarities",
    "storage",
]
