"""What a run does is counted: modules imported, files opened, statements run, texts encoded; no time is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from semsearch import Index
from semsearch.testing import HashEmbedder
from semsearch.types import Vectors

COUNTED = """
import json, sqlite3, sys

opened, statements = [], []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
connect = sqlite3.connect


def traced(*values, **named):
    connection = connect(*values, **named)
    connection.set_trace_callback(statements.append)
    return connection


sqlite3.connect = traced
from semsearch.cli import main

try:
    main()
except SystemExit as exit:
    status = exit.code or 0
else:
    status = 0
print(json.dumps([status, sorted(sys.modules), opened, statements]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Counted:
    """What one run of the command line did."""

    modules: list[str]
    opened: list[str]
    statements: list[str]

    def below(self, folder: Path) -> list[str]:
        """The files that were opened below a folder, as paths from there."""
        return [str(Path(name).relative_to(folder)) for name in self.opened if name.startswith(f"{folder}/")]


def run(home: Path, *arguments: str) -> Counted:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *arguments], cwd=home, capture_output=True, text=True, check=True
    )
    status, *counted = json.loads(done.stderr.splitlines()[-1])
    assert status == 0, done.stderr
    return Counted(*counted)


def folder(home: Path, articles: int) -> Path:
    """An index of so many articles in a folder."""
    home.mkdir()
    (home / "articles").mkdir()
    for number in range(articles):
        article = home / f"articles/{number}.txt"
        article.write_text(f"Article number {number} tells of ferry line {number} at length.")
        # A file that has just been written may be written again within the same tick of its time, and is looked into.
        os.utime(article, (1_700_000_000, 1_700_000_000))
    run(home, "index", "articles", "-i", "./x", "--model", "hash")
    return home


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("few") / "home", 20)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("many") / "home", 60)


def test_a_search_loads_nothing_that_only_indexing_needs(small: Path) -> None:
    """No reader, splitter, writer or progress bar, and no more modules than it did when this was written."""
    found = run(small, "search", "ferry line 7", "-i", "./x")
    unwanted = {"semsearch.index", "semsearch.sync", "semsearch.rebuild", "semsearch.split", "semsearch.read"}
    unwanted |= {"sentencex", "filelock", "rich", "openvino", "torch", "sentence_transformers", "yaml"}
    assert unwanted & set(found.modules) == set()
    assert len([name for name in found.modules if name.startswith("semsearch")]) <= 57


def test_a_search_by_words_loads_no_vectors_library_and_no_model(small: Path) -> None:
    """Neither FAISS nor what runs a model."""
    found = run(small, "search", "ferry", "-i", "./x", "--mode", "lexical")
    assert {"faiss", "onnxruntime", "tokenizers"}.isdisjoint(found.modules)


def test_a_search_opens_each_file_of_the_index_once_and_no_article(small: Path, large: Path) -> None:
    """And runs as many statements over many articles as over few."""
    few, many = (run(home, "search", "ferry line 7", "-i", "./x") for home in (small, large))
    for found, home in ((few, small), (many, large)):
        assert sorted(found.below(home)) == sorted(set(found.below(home)))
        assert not [name for name in found.below(home) if name.startswith("articles")]
    assert len(few.statements) == len(many.statements) <= 40


def test_a_run_without_changes_opens_no_article_and_loads_no_model(small: Path, large: Path) -> None:
    """Size and time of change rule out reading; the statements do not grow with the folder."""
    few, many = (run(home, "index", "articles", "-i", "./x") for home in (small, large))
    for found, home in ((few, small), (many, large)):
        assert not [name for name in found.below(home) if name.startswith("articles")]
        assert {"faiss", "onnxruntime", "tokenizers", "sentencex.languages"}.isdisjoint(found.modules)
    assert len(few.statements) == len(many.statements) <= 31


def test_one_changed_article_is_the_only_one_that_is_read(large: Path) -> None:
    """Among sixty."""
    (large / "articles/9.txt").write_text("Something else altogether.")
    found = run(large, "index", "articles", "-i", "./x")
    assert {name for name in found.below(large) if name.startswith("articles")} == {"articles/9.txt"}


class Counting(HashEmbedder):
    """Notes the queries too."""

    asked: int = 0

    def encode_query(self, texts: list[str]) -> Vectors:
        self.asked += len(texts)
        return super().encode_query(texts)


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_a_query_is_encoded_once(tmp_path: Path, mode: str) -> None:
    """Also where feedback searches twice; by words it is not encoded at all."""
    embedder = Counting()
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        (tmp_path / "a").mkdir()
        (tmp_path / "a/b.txt").write_text("A ferry. " * 9)
        index.sync(tmp_path / "a")
        before = embedder.asked
        index.search("ferry", mode=mode)
        assert embedder.asked == before + 1
        index.search("ferry", mode="lexical")
        assert embedder.asked == before + 1


def test_identical_passages_are_encoded_once(tmp_path: Path, embedder: HashEmbedder) -> None:
    """Within a batch and across articles."""
    (tmp_path / "a").mkdir()
    for number in range(5):
        (tmp_path / f"a/{number}.txt").write_text("The same words in each article.")
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        index.sync(tmp_path / "a")
    assert len(embedder.encoded) == 1
