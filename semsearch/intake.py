"""Splits documents, embeds what is new in them and makes additions for the store; reads no file and commits nothing.

A passage whose text is embedded already, anywhere in the index, takes that vector: an edit costs the passages that it
changes, and a second copy of an article costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from semsearch.config import IndexConfig
from semsearch.errors import UsageError
from semsearch.language import detect
from semsearch.split import split
from semsearch.store import Addition, Store, fingerprint
from semsearch.types import Document, Embedder, FileStat, Passage, Vectors


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document on its way into the index, cut into passages. The fields are those of `Addition`."""

    root: str
    document: Document
    stat: FileStat
    passages: Sequence[Passage]
    replaces: int | None = None


def incoming(
    document: Document,
    stat: FileStat,
    embedder: Embedder,
    config: IndexConfig,
    root: str = "",
    replaces: int | None = None,
) -> Incoming:
    """A document with its passages and its language."""
    document = with_language(document)
    return Incoming(root, document, stat, split(document, embedder, config.overlap, config.limit), replaces)


def with_language(document: Document) -> Document:
    """The document with its language: what its author states, else what its text says."""
    language = detect(document.text, document.language)
    return document if language == document.language else replace(document, language=language)


def stat_of_text(document: Document) -> FileStat:
    """What stands for the file of a document that never was one."""
    data = document.text.encode()
    return FileStat(len(data), -1, sha256(data).hexdigest())


def embed(store: Store, embedder: Embedder, batch: Sequence[Incoming]) -> tuple[list[Addition], int]:
    """The additions for a batch, and how many texts had to be encoded for it."""
    texts = {fingerprint(p.embedded): p.embedded for item in batch for p in item.passages}
    with store.snapshot() as snapshot:
        known = snapshot.catalog.embedded(texts)
        vectors = dict(zip(known, snapshot.segments.alone(list(known.values())), strict=True)) if known else {}
    new = [print_ for print_ in texts if print_ not in known]
    encoded = store.admitted(embedder.encode_document([texts[print_] for print_ in new]), len(new), embedder.name)
    vectors.update(zip(new, encoded, strict=True))
    return [_addition(item, vectors, embedder.dimension) for item in batch], len(new)


def with_vectors(store: Store, batch: Sequence[Incoming], vectors: Sequence[Vectors]) -> list[Addition]:
    """The additions for a batch whose vectors were brought along, an array a document.

    Raises:
        UsageError: their number or their shapes do not fit the passages.
        ModelError: they hold NaN or infinity.
    """
    if len(vectors) != len(batch):
        raise UsageError(f"{len(vectors)} arrays of vectors for {len(batch)} documents; give one for each")
    additions = []
    for item, rows in zip(batch, vectors, strict=True):
        shape = (len(item.passages), store.config.dimension)
        if np.shape(rows) != shape:
            wanted = f"{shape[0]} passages of dimension {shape[1]}"
            raise UsageError(f"{item.document.path}: vectors of shape {np.shape(rows)} for {wanted}")
        kept = store.admitted(rows, len(item.passages), item.document.path)
        additions.append(Addition(item.root, item.document, item.stat, item.passages, kept, item.replaces, own=True))
    return additions


def well_formed(documents: Sequence[Document]) -> None:
    """Refuse documents that cannot be stored together.

    Raises:
        UsageError: one has no name or no text, has text that is no text, sections or pages that are out of order or
            metadata that is not JSON, or two have the same name.
    """
    seen: set[str] = set()
    for document in documents:
        if not isinstance(document, Document):
            raise UsageError(f"add takes a list of documents; {type(document).__name__} is none")
        if not document.path or not document.text.strip():
            raise UsageError(f"a document needs a path and a text: {document.path or document.text[:40]!r}")
        if document.path in seen:
            raise UsageError(f"two documents have the path {document.path!r}; each needs its own")
        seen.add(document.path)
        _check_sections(document)
        _check_pages(document)
        _check_fields(document)


def _check_sections(document: Document) -> None:
    end = 0
    for section in document.sections or ():
        if not end <= section.start <= section.end <= len(document.text):
            raise UsageError(f"{document.path!r}: sections must be in order and within the text: {section}")
        end = section.end


def _check_pages(document: Document) -> None:
    pages = document.pages
    if pages and (pages[0] != 0 or list(pages) != sorted(pages) or pages[-1] > len(document.text)):
        raise UsageError(f"{document.path!r}: pages must begin at 0, in order and within the text")


def _check_fields(document: Document) -> None:
    d = document
    headings = [section.heading for section in d.sections or ()]
    try:
        for text in (d.path, d.text, d.title, d.date, d.author, d.source, d.language, *headings):
            text.encode()
        json.dumps(dict(d.metadata), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{d.path!r}: holds a lone surrogate, which is no character; clean it first") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{d.path!r}: a field cannot be stored: {error}") from error


def _addition(item: Incoming, vectors: dict[bytes, Vectors], dimension: int) -> Addition:
    rows = [vectors[fingerprint(passage.embedded)] for passage in item.passages]
    stacked = np.stack(rows) if rows else np.empty((0, dimension), np.float32)
    return Addition(item.root, item.document, item.stat, item.passages, stacked, item.replaces)
