"""Gives the index of a judged collection, builds what is missing of it; it measures nothing."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from semsearch import __version__, embed
from semsearch.config import DEFAULT_MODEL
from semsearch.embed.card import cache_root
from semsearch.errors import IndexDamagedError, IndexFormatError, UsageError
from semsearch.index import Index
from semsearch.types import Document, Embedder

LOG = logging.getLogger("semsearch")

_BATCH = 200
_SAY_EVERY = 10.0


def collected(
    folder: Path,
    documents: Sequence[Document],
    path: Path | None,
    model: str | None,
    embedder: Embedder | None,
    *,
    rebuild: bool,
) -> Index:
    """An index that holds just these documents, made as far as it is missing.

    Args:
        folder: of the collection, in BEIR layout.
        documents: of the collection.
        path: of the index; None for one in the cache that is named by corpus, model and version of semsearch.
        model: of a new index; None for the default, or what the index at `path` has.
        embedder: your own in place of a model.
        rebuild: make the one in the cache anew.

    Raises:
        UsageError: the index at `path` holds other documents, or is to be rebuilt.
        ModelError: the model cannot be found, trusted or run.
        StoreError: the index cannot be opened or written.
    """
    if path is not None and rebuild:
        raise UsageError(f"{path}: --rebuild is for indexes in the cache; remove this one, or name another one")
    if path is None:
        embedder = embedder or embed.resolve(model or DEFAULT_MODEL)
        index = _in_cache(_cached(folder, embedder), embedder, rebuild=rebuild)
    else:
        index = Index.make(path, model, embedder=embedder)
    try:
        _fill(index, documents, folder)
    except BaseException:
        index.close()
        raise
    return index


def _in_cache(path: Path, embedder: Embedder, *, rebuild: bool) -> Index:
    """The index at `path`, which is ours alone: one that is unwanted or cannot be read makes room for a new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not rebuild:
        try:
            return Index.make(path, embedder=embedder)
        except (IndexDamagedError, IndexFormatError) as error:
            LOG.info("the index is made anew: %s", error)
    shutil.rmtree(path, ignore_errors=True)
    return Index.make(path, embedder=embedder)


def _cached(folder: Path, embedder: Embedder) -> Path:
    """Where the index lies that another version, model or corpus would not have made just so."""
    with (folder / "corpus.jsonl").open("rb") as file:
        corpus = hashlib.file_digest(file, "sha256").hexdigest()
    made = hashlib.sha256(f"{corpus}\n{embedder.fingerprint}\n{__version__}".encode()).hexdigest()
    return cache_root() / "collections" / f"{folder.resolve().name}-{made[:16]}"


def _fill(index: Index, documents: Sequence[Document], folder: Path) -> None:
    wanted = {document.path: document for document in documents}
    present = set()
    for stored in index.documents():
        document = wanted.get(stored.path)
        if stored.root or document is None or _digest(document) != stored.stat.digest or document.title != stored.title:
            raise UsageError(
                f"{index.path}: holds {stored.location}, which is not in {folder / 'corpus.jsonl'} or is another text "
                "there; name another index with -i, or none"
            )
        present.add(stored.path)
    missing = [document for document in documents if document.path not in present]
    if not missing:
        return
    LOG.info("indexing %s documents of %s into %s", f"{len(missing):,}", folder, index.path)
    said = time.monotonic()
    for begun in range(0, len(missing), _BATCH):
        if time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            LOG.info("%s of %s documents indexed", f"{begun:,}", f"{len(missing):,}")
        index.add(missing[begun : begun + _BATCH])


def _digest(document: Document) -> str:
    return hashlib.sha256(document.text.encode()).hexdigest()
