"""`explain` names the cause for which a document is or is not among the hits: each cause is planted here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semsearch import Columns, Document, Filter, Index
from semsearch.cli import main
from semsearch.errors import UsageError
from semsearch.explain import Rank, explain
from semsearch.query import parse
from semsearch.rank import Calibration
from semsearch.search import Wish
from semsearch.testing import HashEmbedder
from semsearch.types import FileStat

STORY = (
    "The ministers of six countries agreed in Sarajevo on a common market for electric power, which is to begin "
    "next spring, after nine years of talks that had twice been broken off over the price of transit."
)
TEXTS = {
    "power/first.txt": STORY,
    "power/wire/copy.txt": STORY,
    "power/grid.md": "---\ndate: 2024-05-01\nsource: AFP\n---\nThe market for power lines grows in the north.\n",
    "power/price.txt": "A common price for power was asked for, said the head of the grid.",
    "chess.txt": "The match was drawn after forty moves.",
    "garden.txt": "Roses want sun, and water in the morning.",
}
QUERY = "common market for electric power"
STORY_QUERY = "ministers agreed in Sarajevo after nine years of talks"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "articles"
    for name, text in TEXTS.items():
        put(root / name, text)
    return root


@pytest.fixture
def index(folder: Path, tmp_path: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with Index.create(tmp_path / "indexes" / "articles", embedder=embedder) as made:
        made.sync(folder)
        yield made


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_found_says_what_the_search_says(index: Index, folder: Path, mode: Any) -> None:
    """A document among the hits has its rank, and its best passage is the very hit, folded sources aside."""
    hits = index.search(QUERY, k=3, mode=mode, collapse=False)
    for hit in hits:
        why = index.explain(QUERY, hit.path, k=3, mode=mode, collapse=False)
        assert (why.cause, why.rank, why.best, why.path) == ("found", hit.rank, hit, hit.path)
    (folder / "chess.txt").touch()
    assert index.explain(QUERY, hits[0].path, k=1, mode=mode).stale is False


@pytest.mark.parametrize("path", ["articles/power/grid.md", "power/grid.md", "articles/power/wire/../grid.md", None])
def test_a_document_is_named_by_any_path_of_it(index: Index, folder: Path, path: str | None) -> None:
    """From here, from the folder of the index, in a nested folder, or absolute."""
    why = index.explain(QUERY, path or folder / "power/grid.md")
    assert (why.cause, why.path) == ("found", str(folder / "power/grid.md"))


def test_a_document_that_never_was_a_file(index: Index) -> None:
    """It is named by its name, and never stale."""
    index.add([Document("wire:77", "An electric market for power opened.")])
    why = index.explain(QUERY, "wire:77")
    assert (why.cause, why.path, why.stale) == ("found", "wire:77", False)
    assert index.explain("roses in the sun", "wire:77", k=1).cause == "below"


def test_below_the_cut(index: Index, folder: Path) -> None:
    """Better passages fill all places; the message and the best passage say where it stands."""
    why = index.explain(QUERY, "chess.txt", k=2)
    assert (why.cause, why.rank, why.into) == ("below", None, None)
    assert why.best is not None
    assert why.best.text == TEXTS["chess.txt"]
    order = [hit.path for hit in index.search(QUERY, k=6, collapse=False)]
    assert why.best.rank == order.index(str(folder / "chess.txt")) + 1
    assert f"number {why.best.rank} of 6, and k is 2" in why.message


def test_folded_names_the_hit_that_stands_for_it(index: Index, folder: Path) -> None:
    """One of the two copies is a hit; the other is folded into that, and found once nothing folds."""
    first = index.search(STORY_QUERY, k=1)[0]
    pair = {str(folder / "power/first.txt"), str(folder / "power/wire/copy.txt")}
    (other,) = pair - {first.path}
    why = index.explain(STORY_QUERY, other, k=2)
    assert (why.cause, why.rank) == ("folded", 1)
    assert why.into is not None
    assert (why.into.path, why.into.copies[0].path) == (first.path, other)
    assert why.best is not None
    assert (why.best.path, why.best.text) == (other, STORY)
    assert index.explain(STORY_QUERY, other, k=2, collapse=False).cause == "found"


def test_filtered_names_each_condition_that_refuses(index: Index) -> None:
    """Conditions that hold are not named; the ranks are those it would have if it were admitted."""
    why = index.explain(QUERY, "power/grid.md", filter=Filter(since="2025", source="AFP", path="chess.txt"))
    assert why.cause == "filtered"
    assert why.message == "the filter leaves it out: --since 2025, --path chess.txt"
    assert why.ranks["hybrid"] == Rank(1, 1)
    admitted = index.explain(QUERY, "power/grid.md", filter=Filter(source="AFP"))
    assert admitted.cause == "found"


@pytest.mark.parametrize(
    ("query", "path", "cause", "said"),
    [
        ('power "common market"', "power/price.txt", "phrase", '"common market"'),
        ('power "common market"', "power/first.txt", "found", "among the hits"),
        ('"common price" "common market"', "power/price.txt", "phrase", '"common market"'),
        ("power -grid", "power/price.txt", "excluded", "-grid"),
        ('power -"head of the grid"', "power/price.txt", "excluded", "-head of the grid"),
        ("power -grid -roses", "power/price.txt", "excluded", ": -grid"),
        ("power -roses", "power/price.txt", "found", "number"),
    ],
)
def test_what_the_query_asks_for_or_leaves_out(index: Index, query: str, path: str, cause: str, said: str) -> None:
    """Only the phrase that is lacking, or the word that is held, is named; the best passage is there all the same."""
    index.add([Document("both", "A common market has a common price for power.")])
    why = index.explain(query, path)
    assert why.cause == cause
    assert said in why.message
    assert "roses" not in why.message
    assert why.best is not None
    assert "hybrid" in why.ranks


def test_phrases_that_no_passage_has_together(index: Index, embedder: HashEmbedder) -> None:
    """Each phrase stands in some passage of it, and no passage has both."""
    far = " ".join(f"word{number}." for number in range(2 * embedder.limit))
    index.add(
        [Document("long", f"Red apples fell. {far} Green pears hung."), Document("x", "Red apples, green pears.")]
    )
    why = index.explain('"red apples" "green pears"', "long")
    assert (why.cause, why.message) == (
        "phrase",
        "no passage of it has all quoted phrases at once and nothing that the query leaves out",
    )


def test_unmatched_in_a_search_by_words(index: Index) -> None:
    """A search by words finds only what has one; by meaning, everything has a rank."""
    why = index.explain("electric", "chess.txt", mode="lexical")
    assert (why.cause, dict(why.ranks)) == ("unmatched", {})
    assert why.best is not None
    assert (why.best.text, why.best.scores) == (TEXTS["chess.txt"], {"dense": None, "lexical": None})
    assert index.explain("electric", "chess.txt", mode="dense").cause == "found"


def test_not_indexed_and_why(index: Index, folder: Path, tmp_path: Path) -> None:
    """Each reason for which a file is not in the index, planted after it was made."""
    put(folder / ".gitignore", "drafts/\n*.secret.txt\n")
    put(folder / "power/.semsearchignore", "!open.secret.txt\nold*\n")
    for name in ("drafts/a.txt", "b.secret.txt", "power/open.secret.txt", "power/old.txt", ".hidden/c.txt", "d.txt~"):
        put(folder / name, "Some text about power.")
    put(folder / "table.ods", "x")
    (folder / "binary.txt").write_bytes(b"\0\1\2" * 100)
    put(folder / "inner/semsearch.json", "{}")
    put(folder / "inner/e.txt", "text")
    put(tmp_path / "elsewhere/f.txt", "text")
    (folder / "link.txt").symlink_to(folder / "new.txt")
    put(folder / "new.txt", "New power.")
    expected = {
        "nowhere.txt": ("missing", "no such file"),
        "elsewhere/f.txt": ("outside", str(folder)),
        "articles/drafts/a.txt": ("ignored", f"by {folder / '.gitignore'}"),
        "articles/b.secret.txt": ("ignored", f"by {folder / '.gitignore'}"),
        "articles/power/old.txt": ("ignored", f"by {folder / 'power/.semsearchignore'}"),
        "articles/power/open.secret.txt": ("new", f"semsearch index {folder}"),
        "articles/.hidden/c.txt": ("ignored", "hidden"),
        "articles/d.txt~": ("ignored", "backup"),
        "articles/inner/e.txt": ("ignored", "belongs to an index"),
        "articles/table.ods": ("unread", "no reader for .ods files"),
        "articles/link.txt": ("unread", "a symbolic link, not followed"),
        "articles/power": ("unread", "a folder"),
        "articles/new.txt": ("new", f"semsearch index {folder}"),
        "new.txt": ("new", f"semsearch index {folder}"),
    }
    found = {path: index.explain(QUERY, path) for path in expected}
    assert {path: why.cause for path, why in found.items()} == {path: cause for path, (cause, _) in expected.items()}
    assert [path for path, why in found.items() if expected[path][1] not in why.message] == []
    skipped = {skip.path: skip.reason for skip in index.sync(folder).skipped}
    why = index.explain(QUERY, "articles/binary.txt")
    assert (why.cause, why.message) == ("unread", f"not indexed: {skipped['binary.txt']}")
    assert index.explain(QUERY, "articles/new.txt", k=20).cause == "found"


def test_not_indexed_and_why_in_a_table(index: Index, folder: Path) -> None:
    """It is read with the fields that the last run was told."""
    put(folder / "old.jsonl", '{"words": "Old power.", "key": "a"}')
    index.sync(folder, columns=Columns("words", "key"))
    put(folder / "new.jsonl", '{"words": "New power.", "key": "a"}\n{"words": " ", "key": "b"}\n{}')
    expected = {
        "articles/old.jsonl#b": ("unread", "there is no such document in old.jsonl"),
        "articles/new.jsonl": ("new", "takes it in"),
        "articles/new.jsonl#a": ("new", "takes it in"),
        "new.jsonl#a": ("new", "takes it in"),
        "articles/new.jsonl#b": ("unread", "not indexed: no text in it"),
        "articles/new.jsonl#3": ("unread", "not indexed: has no field words"),
    }
    found = {path: index.explain(QUERY, path) for path in expected}
    assert {path: why.cause for path, why in found.items()} == {path: cause for path, (cause, _) in expected.items()}
    assert [path for path, why in found.items() if expected[path][1] not in why.message] == []


def test_left_out_by_the_patterns_of_the_last_run(index: Index, folder: Path) -> None:
    """The patterns that the last run used are named."""
    index.sync(folder, include=["*.txt"], exclude=["garden*"])
    grid, garden = (index.explain(QUERY, f"articles/{name}") for name in ("power/grid.md", "garden.txt"))
    assert (grid.cause, garden.cause) == ("ignored", "ignored")
    assert garden.message == ("not indexed: left out by the patterns of the last run: include *.txt; exclude garden*")


def test_changed_or_gone_since_it_was_indexed(index: Index, folder: Path) -> None:
    """The answer is about what is indexed, and says that the file is another one now."""
    assert index.explain(QUERY, "chess.txt", k=1).stale is False
    put(folder / "chess.txt", "Now a common market for electric power.")
    (folder / "garden.txt").unlink()
    for name in ("chess.txt", "garden.txt"):
        why = index.explain(QUERY, f"articles/{name}", k=1)
        assert (why.cause, why.stale) == ("below", True)
        assert "has changed or gone since it was indexed" in why.message
        assert why.best is not None
        assert why.best.text == TEXTS[name]


@settings(max_examples=25, deadline=None)
@given(
    bodies=st.lists(
        st.lists(
            st.sampled_from(["power", "market", "price", "grid", "rose", "sun"]),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=8,
    ),
    query=st.lists(st.sampled_from(["power", "market", "rose", "sun"]), min_size=1, max_size=3),
)
def test_ranks_count_what_scores_higher(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[list[str]], query: list[str]
) -> None:
    """The rank by meaning is 1 and the number of passages whose similarity, worked out here, is higher."""
    embedder = HashEmbedder()
    documents = [Document(f"d{number}", " ".join(words)) for number, words in enumerate(bodies)]
    with Index.create(tmp_path_factory.mktemp("property") / "i", embedder=embedder) as index:
        index.add(documents)
        wanted = embedder.encode_query([" ".join(query)])[0].astype(np.float64)
        scores = [float(embedder.encode_query([d.text])[0].astype(np.float64) @ wanted) for d in documents]
        for document, score in zip(documents, scores, strict=True):
            ranks = index.explain(" ".join(query), document.path, k=1, mode="dense", collapse=False).ranks
            clearly, at_most = (1 + sum(other > score + e for other in scores) for e in (1e-5, -1e-5))
            assert clearly <= ranks["dense"].passage <= at_most
            assert ranks["dense"].document == ranks["dense"].passage


def test_what_cannot_be_explained(index: Index) -> None:
    """An empty query and a k below 1 are refused as in a search."""
    for query, k in (("  ", 1), ("power", 0)):
        with pytest.raises(UsageError):
            index.explain(query, "chess.txt", k=k)


def test_command(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says what the call says; exit status 0 for a hit, 1 for none, 2 for an error."""
    monkeypatch.setenv("SEMSEARCH_MODEL", "hash")
    for name in ("SEMSEARCH_INDEX", "SEMSEARCH_MODE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["semsearch", "explain", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), capsys.readouterr().out

    status, out = run(QUERY, "power/grid.md", "--format", "json")
    why = index.explain(QUERY, "power/grid.md", k=5)
    told = json.loads(out)
    assert (status, told["cause"], told["rank"], told["message"]) == (0, "found", why.rank, why.message)
    assert told["best"]["path"] == str(folder / "power/grid.md")
    assert told["ranks"]["dense"] == {"passage": why.ranks["dense"].passage, "document": why.ranks["dense"].document}
    status, out = run(QUERY, os.fspath(folder / "chess.txt"), "-k", "1")
    assert (status, out.splitlines()[0].startswith("articles/chess.txt: below the cut")) == (1, True)
    assert TEXTS["chess.txt"] in out
    assert run(QUERY, "nowhere.txt")[0] == 1
    assert run(QUERY, "power/grid.md", "--since", "2025")[1].startswith(
        "articles/power/grid.md: the filter leaves it out: --since 2025\n"
    )
    assert run(" ", "chess.txt")[0] == 2


class ShortestFirst:
    """A reranker that finds the shortest text best."""

    name = "shortest"

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        assert query
        return np.array([-len(text) for text in texts], np.float32)


def test_a_reranker_decides_which_place_a_document_has(index: Index, folder: Path) -> None:
    """The number that explain gives is that of the search with the same reranker."""
    hits = index.search(QUERY, rerank=ShortestFirst())
    assert [hit.path for hit in hits] != [hit.path for hit in index.search(QUERY)]
    for hit in hits:
        found = index.explain(QUERY, folder / hit.path, rerank=ShortestFirst())
        assert (found.cause, found.rank) == ("found", hit.rank)
        assert found.best is not None
        assert found.best.score == pytest.approx(hit.score)


@pytest.mark.parametrize(("least", "cause"), [(0.0, "found"), (0.99, "unlikely")])
def test_a_hit_that_is_too_unlikely_is_said_to_be_left_out(
    index: Index, folder: Path, least: float, cause: str
) -> None:
    """Only where a relevance is known, and below what was asked for."""
    document = "power/price.txt"
    assert index.explain(QUERY, folder / document, min_relevance=least).cause == "found"  # uncalibrated
    wish = Wish(parse(QUERY), index.encode([QUERY], query=True)[0], 10, "hybrid")
    with index._latest().store.snapshot() as snapshot:
        calibration = Calibration(slope=1.0, bias=0.0, least=0.0)
        found = explain(snapshot, wish, document, None, lambda _: FileStat(0, 0, ""), calibration, least)
    assert found.cause == cause
    assert (found.rank is None) == (cause == "unlikely")
    assert "0.99" in found.message or cause == "found"
