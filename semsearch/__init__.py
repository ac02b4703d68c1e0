"""Semantic search over a folder of articles: the right passage, with an exact citation, offline.

    import semsearch

    with semsearch.Index.create("indexes/news") as index:
        index.sync("articles")
        for hit in index.search("security vacuum Western Balkans", k=5):
            print(f"{hit.path}:{hit.line}", hit.score, hit.text)

Importing this module loads nothing else; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from semsearch.version import __version__ as __version__

if TYPE_CHECKING:
    from semsearch.config import IndexConfig
    from semsearch.diff import Changes
    from semsearch.errors import SemsearchError
    from semsearch.filters import Filter
    from semsearch.index import Index, Status
    from semsearch.sync import Progress, SyncReport
    from semsearch.types import Columns, Document, Embedder, Hit, Passage, Section

__all__ = [
    "Changes",
    "Columns",
    "Document",
    "Embedder",
    "Filter",
    "Hit",
    "Index",
    "IndexConfig",
    "Passage",
    "Progress",
    "Section",
    "SemsearchError",
    "Status",
    "SyncReport",
]

_HOME = {
    "Changes": "semsearch.diff",
    "Columns": "semsearch.types",
    "Document": "semsearch.types",
    "Embedder": "semsearch.types",
    "Filter": "semsearch.filters",
    "Hit": "semsearch.types",
    "Index": "semsearch.index",
    "IndexConfig": "semsearch.config",
    "Passage": "semsearch.types",
    "Progress": "semsearch.sync",
    "Section": "semsearch.types",
    "SemsearchError": "semsearch.errors",
    "Status": "semsearch.index",
    "SyncReport": "semsearch.sync",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'semsearch' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
