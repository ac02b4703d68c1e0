"""With the real default model, the right passage comes first, whole and offline."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semsearch import Index
from semsearch.embed.runtime import GraphEmbedder

ROOT = Path(__file__).parent.parent
ARTICLE = ROOT.parent / "shared" / "seed" / "rutte-western-balkans.txt"
pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Index:
    made = Index.create(tmp_path_factory.mktemp("default") / "index")
    made.sync(ROOT / "seeds")
    return made


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_the_promise_of_no_security_vacuum_comes_first(index: Index, mode: str) -> None:
    """The query that this project began with finds the passage that answers it."""
    hit = index.search("security vacuum Western Balkans", k=1, mode=mode)[0]
    assert hit.path.endswith("nato-no-security-vacuum.txt")
    assert "security vacuum" in hit.text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("who pays for defence in the alliance", "two-percent-guideline.md"),
        ("a telescope that sees the first galaxies", "james-webb-telescope.html"),
        ("genetic scissors cure a blood disease", "crispr-sickle-cell.md"),
        ("how parliamentary seats are shared out", "dhondt-sainte-lague.md"),
        ("cables on the sea floor", "undersea-cables.txt"),
        ("dispute over the name of Macedonia", "prespa-agreement.md"),
        ("Grüne Wärme für Häuser", "waermepumpen.html"),
        ("Skupstina izborni zakon", "izborni-zakon-bih.txt"),
        ("дијалог Београда и Приштине", "dijalog-beograd-pristina.md"),
        ("dijalog Beograda i Prištine", "dijalog-beograd-pristina.md"),
    ],
)
def test_questions_find_their_articles(index: Index, query: str, name: str) -> None:
    """In other words than the article's, in other languages by their words, in either Serbian script."""
    assert name in {Path(hit.path).name for hit in index.search(query, k=3)}


def test_nothing_is_truncated(index: Index) -> None:
    """Every passage, with its title, is within what the model reads."""
    status = index.status()
    assert status.documents == len(list((ROOT / "seeds").rglob("*.*")))
    assert status.truncated == 0
    assert status.config.limit == 126
    assert index.verify() == []
    assert isinstance(index.embedder, GraphEmbedder)
    assert index.embedder.truncated == 0
    index.embedder.encode_document(["word " * 1000, "short"])
    assert index.embedder.truncated == 1


def test_the_real_article(index: Index, tmp_path: Path) -> None:
    """A real agency report: the promise is found first, and cited exactly."""
    if not ARTICLE.exists():
        pytest.skip("the real article is not on this machine")
    with Index.create(tmp_path / "real") as real:
        real.sync(ARTICLE.parent)
        text = ARTICLE.read_bytes().decode()
        for hit in real.search("security vacuum Western Balkans", k=10):
            assert text[hit.start : hit.end] == hit.text
        best = real.search("NATO will not allow a security vacuum in the Western Balkans", k=1)[0]
        assert "security vacuum" in best.text


def test_no_network_is_needed(tmp_path: Path) -> None:
    """Cut off from every network, with an empty cache: the model is prepared, the index made and searched."""
    without = ["unshare", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*without, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("a process cannot be cut off from the network here")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEMSEARCH_CACHE": str(tmp_path / "cache")}
    program = [*without, sys.executable, "-m", "semsearch"]
    articles = str(ROOT / "seeds" / "nato")
    subprocess.run([*program, "index", articles, "-i", "./index"], cwd=tmp_path, env=environment, check=True)
    search = [
        *program,
        "search",
        "an attack on one ally is an attack on all",
        "-i",
        "./index",
        "--format",
        "paths",
        "-k",
        "1",
    ]
    done = subprocess.run(search, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).name == "article-5-explained.html"


def test_nothing_answers_what_no_article_is_about(index: Index) -> None:
    """The relevance of the best hit tells a question that is answered from one that is not."""
    calibration = index.calibration()
    assert calibration is not None
    answered = index.search("Does NATO allow a security vacuum in the Western Balkans?")
    off_topic = index.search("how to train a puppy not to bite the furniture")
    assert max(hit.relevance or 0 for hit in answered) > calibration.least
    assert all(hit.relevance is None or hit.relevance < calibration.least for hit in off_topic)
