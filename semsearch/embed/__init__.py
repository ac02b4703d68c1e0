"""Gives the embedder or the reranker of a model, ready to run, from the cache where it can; it runs none itself.

torch and sentence_transformers are imported only to prepare a model that is not in the cache, or for a GPU.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from semsearch.config import USE, IndexConfig
from semsearch.embed import card as cards
from semsearch.embed import find as finding
from semsearch.embed import runtimes
from semsearch.embed.find import Source
from semsearch.errors import ModelError, ModelMismatchError
from semsearch.types import Embedder, Reranker

__all__ = ["EMBEDDERS", "load", "load_reranker", "resolve", "runners"]

LOG = logging.getLogger("semsearch")

EMBEDDERS: Mapping[str, str] = MappingProxyType(
    {"hash": "semsearch.testing:HashEmbedder", USE: "semsearch.embed.use:UniversalSentenceEncoder"}
)
"""Embedders that need no files of a model: their name, and the class that makes one without arguments."""


def load(config: IndexConfig) -> Embedder:
    """The embedder that the index was made with.

    Raises:
        ModelMismatchError: the model of that name is another one now.
        ModelNotFoundError: there is no such model here, and none could be fetched.
        ModelUnsafeError: the model would run code of its own, or its weights are not the known ones.
        ModelError: it cannot be prepared or run.
    """
    if config.model in EMBEDDERS:
        made = _builtin(config.model)
        _compare(config, made.fingerprint)
        return made
    if cached := _cached(_EMBEDDER, config.fingerprint, None):
        return cached
    source = finding.find(config.model)
    _compare(config, finding.fingerprint(source.folder))
    return _prepared(_EMBEDDER, source, config.fingerprint)


def resolve(model: str) -> Embedder:
    """The embedder of a model by its name: a hub id, the path of a folder, or one of `EMBEDDERS`.

    Raises:
        ModelNotFoundError: there is no such model here, and none could be fetched.
        ModelUnsafeError: the model would run code of its own, or its weights are not the known ones.
        ModelError: it cannot be prepared or run.
    """
    if model in EMBEDDERS:
        return _builtin(model)
    source = finding.find(model)
    fingerprint = finding.fingerprint(source.folder)
    return _cached(_EMBEDDER, fingerprint, source) or _prepared(_EMBEDDER, source, fingerprint)


def load_reranker(model: str) -> Reranker:
    """The reranker of a cross-encoder by its name: a hub id or the path of a folder.

    Its files are hashed and its graph is opened each time: who searches more than once keeps what this gives.

    Raises:
        ModelNotFoundError: there is no such model here, none could be fetched, or it is no cross-encoder.
        ModelUnsafeError: the model would run code of its own, or its weights are pickled.
        ModelError: it gives more than one number for a pair, or cannot be prepared or run.
    """
    source = finding.find_reranker(model)
    fingerprint = finding.fingerprint(source.folder)
    return _cached(_RERANKER, fingerprint, source) or _prepared(_RERANKER, source, fingerprint)


def runners(config: IndexConfig) -> tuple[str, str]:
    """What runs the index's model here, for documents and for queries; "" where it brings its own or is not prepared.

    Raises:
        UsageError: $SEMSEARCH_RUNTIME names no runtime, or one that is not installed.
    """
    folder = cards.folder_of(config.fingerprint)
    try:
        if _original_on(folder):
            return "sentence-transformers", "sentence-transformers"
        from semsearch.embed.runtime import GraphEmbedder  # noqa: PLC0415 - not where no model is run

        return GraphEmbedder(folder).runtime, runtimes.QUERIES
    except ModelError:
        return "", ""


def _builtin(name: str) -> Embedder:
    module, _, attribute = EMBEDDERS[name].partition(":")
    embedder: Embedder = getattr(importlib.import_module(module), attribute)()
    return embedder


def _compare(config: IndexConfig, found: str) -> None:
    if found != config.fingerprint:
        raise ModelMismatchError(
            f"the index was made with the model {config.model} of fingerprint {config.fingerprint}, "
            f"but the one here has {found}; get back that model, or rebuild the index"
        )


_Runner = TypeVar("_Runner", Embedder, Reranker)


@dataclass(frozen=True, slots=True)
class _Role(Generic[_Runner]):
    """What differs between embedders and rerankers: how a prepared model is opened, and how one is prepared."""

    open: Callable[[Path, Source | None], _Runner]
    prepare: Callable[[Source, str], Path]


def _cached(role: _Role[_Runner], fingerprint: str, source: Source | None) -> _Runner | None:
    """The model of that fingerprint if it has been prepared; None where it has not, or what is there is damaged."""
    folder = cards.folder_of(fingerprint)
    if not folder.is_dir():
        return None
    try:
        return role.open(folder, source)
    except ModelError as error:
        LOG.info("the prepared model in %s is not used: %s", folder, error)
        return None


def _prepared(role: _Role[_Runner], source: Source, fingerprint: str) -> _Runner:
    """Prepare the model, unless another process has just done so; what is damaged makes room."""
    from filelock import FileLock  # noqa: PLC0415 - 15 ms, and not for a search

    folder = cards.folder_of(fingerprint)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if found := _cached(role, fingerprint, source):
                return found
            _discard(folder)
            return role.open(role.prepare(source, fingerprint), source)
    except OSError as error:
        raise ModelError(f"the model {source.name} cannot be kept in {folder}: {error}; set SEMSEARCH_CACHE") from error


def _open_embedder(folder: Path, source: Source | None) -> Embedder:
    """The prepared model as a graph, or as the original where there is no graph or a GPU is wanted."""
    device = _original_on(folder)
    if not device:
        from semsearch.embed.runtime import GraphEmbedder  # noqa: PLC0415 - not where no model is run

        return GraphEmbedder(folder, source.name if source else "")
    from semsearch.embed.original import OriginalEmbedder  # noqa: PLC0415 - torch takes seconds

    return OriginalEmbedder(folder, source, device)


def _open_reranker(folder: Path, source: Source | None) -> Reranker:
    """As `_open_embedder`, of a cross-encoder."""
    device = _original_on(folder)
    if not device:
        from semsearch.embed.cross import GraphReranker  # noqa: PLC0415 - not where no model is run

        return GraphReranker(folder, source.name if source else "")
    from semsearch.embed.original import OriginalReranker  # noqa: PLC0415 - torch takes seconds

    return OriginalReranker(folder, source, device)


def _prepare_embedder(source: Source, fingerprint: str) -> Path:
    from semsearch.embed import export  # noqa: PLC0415 - torch takes seconds

    return export.prepare(source, fingerprint)


def _prepare_reranker(source: Source, fingerprint: str) -> Path:
    from semsearch.embed import export_cross  # noqa: PLC0415 - torch takes seconds

    return export_cross.prepare(source, fingerprint)


_EMBEDDER = _Role(_open_embedder, _prepare_embedder)
_RERANKER = _Role(_open_reranker, _prepare_reranker)


def _original_on(folder: Path) -> str:
    """The device on which the original runs, if the model has no graph or a GPU is wanted; "" where the graph runs."""
    device = "" if os.environ.get("SEMSEARCH_DEVICE", "").lower() in ("", "cpu") else _gpu()
    return device or ("" if cards.peek(folder).kind == "graph" else "cpu")


def _gpu() -> str:
    from semsearch.embed import export  # noqa: PLC0415 - torch takes seconds

    return export.device()


def _discard(folder: Path) -> None:
    """Take away a damaged model, and what a preparation left behind that was broken off."""
    for left in folder.parent.glob(f"{folder.name}.*-*"):
        shutil.rmtree(left, ignore_errors=True)
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.damaged-", dir=folder.parent))
        folder.rename(aside / folder.name)
        shutil.rmtree(aside, ignore_errors=True)
