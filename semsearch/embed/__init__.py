"""Gives the embedder of a model, ready to run, from the cache where it can; it embeds nothing itself.

torch and sentence_transformers are imported only to prepare a model that is not in the cache, or for a GPU.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from semsearch.config import IndexConfig
from semsearch.embed import card as cards
from semsearch.embed import find as finding
from semsearch.embed.find import Source
from semsearch.errors import ModelError, ModelMismatchError
from semsearch.types import Embedder

__all__ = ["EMBEDDERS", "load", "resolve"]

LOG = logging.getLogger("semsearch")

EMBEDDERS: Mapping[str, str] = MappingProxyType({"hash": "semsearch.testing:HashEmbedder"})
"""Embedders that need no model: their name, and the class that makes one without arguments."""


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
    if cached := _cached(config.fingerprint, None):
        return cached
    source = finding.find(config.model)
    _compare(config, finding.fingerprint(source.folder))
    return _prepared(source, config.fingerprint)


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
    return _cached(fingerprint, source) or _prepared(source, fingerprint)


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


def _cached(fingerprint: str, source: Source | None) -> Embedder | None:
    """The model of that fingerprint if it has been prepared; None where it has not, or what is there is damaged."""
    folder = cards.folder_of(fingerprint)
    if not folder.is_dir():
        return None
    try:
        return _open(folder, source)
    except ModelError as error:
        LOG.info("the prepared model in %s is not used: %s", folder, error)
        return None


def _prepared(source: Source, fingerprint: str) -> Embedder:
    """Prepare the model, unless another process has just done so; what is damaged makes room."""
    from filelock import FileLock  # noqa: PLC0415 - 15 ms, and not for a search

    from semsearch.embed import export  # noqa: PLC0415 - torch takes seconds

    folder = cards.folder_of(fingerprint)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if embedder := _cached(fingerprint, source):
                return embedder
            _discard(folder)
            return _open(export.prepare(source, fingerprint), source)
    except OSError as error:
        raise ModelError(f"the model {source.name} cannot be kept in {folder}: {error}; set SEMSEARCH_CACHE") from error


def _open(folder: Path, source: Source | None) -> Embedder:
    """The prepared model as a graph, or as the original where there is no graph or a GPU is wanted."""
    graph = cards.peek(folder).kind == "graph"
    device = "" if os.environ.get("SEMSEARCH_DEVICE", "").lower() in ("", "cpu") else _gpu()
    if graph and not device:
        from semsearch.embed.runtime import GraphEmbedder  # noqa: PLC0415 - not where no model is run

        return GraphEmbedder(folder, source.name if source else "")
    from semsearch.embed.original import OriginalEmbedder  # noqa: PLC0415 - torch takes seconds

    return OriginalEmbedder(folder, source, device or "cpu")


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
