"""What many tests share: an embedder without a model, a corpus that is hard on spans, a cache of models for the run."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from semsearch.config import IndexConfig
from semsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache of exported models for the whole run, apart from the user's own."""
    given = os.environ.get("SEMSEARCH_TEST_CACHE")
    folder = Path(given) if given else tmp_path_factory.getbasetemp().parent / "semsearch-cache"
    before = os.environ.get("SEMSEARCH_CACHE")
    os.environ["SEMSEARCH_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SEMSEARCH_CACHE"]
    else:
        os.environ["SEMSEARCH_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let Ctrl-C reach what tests start, also in the background of a shell, where it is ignored from the start."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def config(embedder: HashEmbedder) -> IndexConfig:
    return IndexConfig.of(embedder)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A small folder of articles."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "nato.txt").write_text(
        "NATO and the region\n\nThe alliance will not allow a security vacuum in the Western Balkans.\n"
    )
    (folder / "energy.md").write_text(
        "---\ntitle: Gas prices\ndate: 2024-03-01\n---\n# Gas prices\n\nPrices fell.\n\n"
        "## Storage\n\nStores are full.\n"
    )
    (folder / "sport.html").write_text(
        "<html><head><title>Chess</title></head><body><article><h1>Chess</h1>"
        "<p>The match was drawn.</p></article></body></html>"
    )
    return folder
