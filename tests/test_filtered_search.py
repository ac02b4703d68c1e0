"""A filtered search finds the best of exactly the passages that the filter admits, and the options make the filter."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Document, Filter, Index
from semsearch.cli.filters import filter_of, filter_options
from semsearch.errors import UsageError
from semsearch.store import lexical, passages_where, vectors
from semsearch.store.subset import rows_of
from semsearch.store.vectors import VectorSegment
from semsearch.testing import HashEmbedder

IDS = st.lists(st.integers(-5, 60), unique=True).map(sorted)


@given(IDS, IDS)
def test_rows_are_those_of_the_chosen(ids: list[int], only: list[int]) -> None:
    """Whatever else was chosen, and if nothing is in common."""
    expected = [row for row, i in enumerate(ids) if i in only]
    assert expected == rows_of(np.array(ids, np.int64), np.array(only, np.int64)).tolist()


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(1, 60), min_size=1, max_size=4),
    st.integers(1, 40),
    st.floats(0, 0.9),
    st.floats(0, 1),
    st.sampled_from([0, vectors.FEW]),
)
@settings(max_examples=150, deadline=None)
def test_dense_search_finds_the_best_of_the_chosen(
    seed: int, sizes: list[int], k: int, dead: float, share: float, few: int
) -> None:
    """Ids and scores equal a full product over the living that were chosen, inside FAISS and without it."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((sum(sizes), 8), np.float32)
    ids = np.cumsum(rng.integers(1, 4, len(rows)))
    lives = rng.random(len(rows)) >= dead
    only = np.flatnonzero(rng.random(ids[-1] + 9) < share)  # some of them in no segment
    ends = np.cumsum(sizes)
    segments = [VectorSegment(ids[a:b], rows[a:b], lives[a:b]) for a, b in itertools.pairwise([0, *ends])]
    query = rng.standard_normal(8, np.float32)
    kept = lives & np.isin(ids, only)
    scores = rows.astype(np.float64) @ query.astype(np.float64)
    expected = sorted(zip(ids[kept].tolist(), scores[kept].tolist(), strict=True), key=lambda hit: -hit[1])[:k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "FEW", few)
        actual = vectors.search(segments, query, k, only)
    assert [i for i, _ in expected] == [i for i, _ in actual]
    assert pytest.approx([score for _, score in expected], abs=1e-9) == [score for _, score in actual]


WORDS = st.sampled_from(["nato", "gas", "a", "b"])


@given(
    st.lists(st.lists(WORDS, max_size=8), min_size=1, max_size=30),
    st.sets(st.integers(0, 30)),
    st.sets(st.integers(1, 30)),
    st.sets(st.integers(-3, 40)),
    st.lists(WORDS, max_size=3),
    st.integers(1, 30),
)
@settings(max_examples=200, deadline=None)
def test_lexical_search_finds_the_best_of_the_chosen(
    passages: list[list[str]], cuts: set[int], dead: set[int], only: set[int], query: list[str], k: int
) -> None:
    """The scores are those that the passages have in the whole index; only the choice is another."""
    places = sorted({0, len(passages), *(cut for cut in cuts if cut < len(passages))})
    segments = []
    for start, end in itertools.pairwise(places):
        ids = range(start + 1, end + 1)
        segment = lexical.build(ids, passages[start:end])
        segments.append(replace(segment, lives=np.array([i not in dead for i in ids], np.bool_)))
    scores = lexical.search(lexical.Corpus.of(segments), query)
    whole = dict(scores.top(len(passages)))
    chosen = np.array(sorted(only), np.int64)
    found = scores.top(k, chosen)
    expected = sorted(((i, score) for i, score in whole.items() if i in only), key=lambda hit: -hit[1])
    assert [score for _, score in expected[:k]] == [score for _, score in found]
    assert set(found) <= set(expected)
    assert len(dict(found)) == len(found)


def article(i: int) -> Document:
    text = "One sentence. " * 40 * (i % 3 + 1)
    return Document(f"{i}", text, "", f"2025-0{i % 3 + 1}-01", "Ana" * (i % 2), f"s{i % 2}", "bs" if i % 4 else "en")


def test_the_catalog_gives_the_passages_of_admitted_documents(tmp_path: Path) -> None:
    """After documents came, went and were replaced: ids in rising order, of those alone, and each text stays unread."""
    embedder = HashEmbedder()
    with Index.create(tmp_path / "index", embedder=embedder) as index:
        index.add([article(i) for i in range(9)])
        index.remove("4")
        index.add([Document("1", "Another text. " * 90, source="s1", metadata={"topic": "gas"})])
        with index._edition.store.snapshot() as snapshot:
            tables = snapshot.catalog
            asked: list[str] = []
            tables._run("SELECT 1").connection.set_trace_callback(asked.append)
            some = [Filter(source="s1"), Filter(source="s0"), Filter(where="topic=gas"), Filter(source="no"), Filter()]
            some += [Filter(since="2025-02"), Filter(author="ana"), Filter(language="sr"), Filter(path="3")]
            for limits in some:
                asked.clear()
                found = passages_where(snapshot, limits.test())
                assert not any("texts" in statement for statement in asked)
                expected = [i for d in tables.documents() if limits.matches(d) for i, _, _ in tables.passages_of(d.id)]
                assert found.dtype == np.int64
                assert sorted(expected) == found.tolist()
            assert len(passages_where(snapshot, Filter().test())) == len(list(tables.passage_ids()))


def test_k_passages_come_back_where_k_exist(tmp_path: Path) -> None:
    """Although the passages that the filter refuses are all nearer to the query, by meaning and by words."""
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        near = [Document(f"near{i}", f"gas prices {i}", source="afp") for i in range(300)]
        far = [Document(f"far{i}", f"gas {i} " + "other words stand here " * 5, source="dpa") for i in range(7)]
        index.add([*near, *far])
        with index._edition.store.snapshot() as snapshot:
            only = passages_where(snapshot, Filter(source="dpa").test())
            vector = index.encode(["gas prices"], query=True)[0]
            dense = snapshot.segments.dense(vector, 5, only)
            words = snapshot.segments.lexical(["gas", "prices"]).top(5, only)
            for found in (dense, words):
                documents = {p.document for p in snapshot.catalog.passages(i for i, _ in found)}
                assert {d.source for d in snapshot.catalog.documents(documents)} == {"dpa"}
                assert len(found) == 5


def test_the_options_make_the_filter() -> None:
    """Each option by its name, repeated where it may be; none at all is no filter; a bad value is refused."""
    seen: list[Filter | None] = []

    @click.command()
    @filter_options
    def command(**values: Any) -> None:
        seen.append(filter_of(**values))

    def run(*arguments: str) -> Filter | None:
        CliRunner().invoke(command, arguments, catch_exceptions=False)
        return seen.pop()

    assert run() is None
    line = "--since 2025 --until 2025-02 --source a --source b --author c --lang en --path x/ --where t=1 --where u!=2"
    assert run(*line.split()) == Filter("2025", "2025-02", ["a", "b"], "c", "en", "x/", ["t=1", "u!=2"])
    with pytest.raises(UsageError, match="--since 2025-13: is no date"):
        run("--since", "2025-13")
    with pytest.raises(UsageError, match="--since: is empty"):
        run("--since", "")
