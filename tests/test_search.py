"""A search heeds what it is asked: phrases, exclusions, filters, one story once, relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from semsearch import Document, Filter, Index
from semsearch.store.moments import LEAST_ROWS, moments, with_sums
from semsearch.store.vectors import VectorSegment
from semsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

STORY = (
    "The ferry between the two islands will run again from Monday, the harbour master told reporters on Friday. "
    "Repairs to its engine took three weeks and cost more than the council had planned for the whole of the year."
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as made:
        made.add(
            [
                Document("a", "A security vacuum in the region.", date="2024-05-01", language="en", source="Courier"),
                Document("b", "The vacuum of security there.", date="2023-05-01", language="en"),
                Document("c", "A vacuum cleaner for cars.", title="Security of vacuum", metadata={"topic": "home"}),
                Document("d", "Rivers and lakes.", language="sr"),
            ]
        )
        yield made


def paths(index: Index, query: str, **wish: object) -> set[str]:
    return {hit.path for hit in index.search(query, **wish)}  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_a_phrase_stands_in_each_hit(index: Index, mode: str) -> None:
    """Word by word, in text, heading or title, and never from the title into the text."""
    assert paths(index, '"security vacuum"', mode=mode) == {"a"}
    assert paths(index, '"security of vacuum"', mode=mode) == {"c"}
    assert paths(index, '"vacuum" -cleaner', mode=mode) == {"a", "b"}
    assert paths(index, '"vacuum" -"a security vacuum"', mode=mode) == {"b", "c"}


def test_a_phrase_that_stands_nowhere_is_ordinary_text(index: Index) -> None:
    """A sentence that was pasted with its quotes still finds what it is about."""
    assert paths(index, '"vacuum region"', k=1) == paths(index, "vacuum region", k=1)
    assert not paths(index, '"security vacuum"', filter=Filter(path="d"), mode="lexical")


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_filters_leave_k_hits(index: Index, mode: str) -> None:
    """Hits come from what is admitted, as many as there are, whatever ranks above them."""
    assert paths(index, "security vacuum", mode=mode, k=1, filter=Filter(language="hr")) == {"d"}
    assert paths(index, "rivers", mode=mode, filter=Filter(since="2023", until="2023-05")) == {"b"}
    assert paths(index, "rivers", mode=mode, filter=Filter(where="topic=home")) == {"c"}
    assert paths(index, "rivers", mode=mode, filter=Filter(source="courier")) == {"a"}
    assert paths(index, "rivers", mode=mode, filter=Filter(source="nobody")) == set()


def test_one_story_is_one_hit_with_its_other_places(index: Index) -> None:
    """Copies fold; the hit names them in order of date and has the earliest; without folding each is a hit."""
    index.add(
        [
            Document("wire/1", STORY, date="2024-03-02", source="Wire"),
            Document("wire/2", "From our correspondent. " + STORY, date="2024-03-01", source="Herald"),
            Document("wire/3", STORY.replace("Friday", "Saturday"), source="Echo"),
        ]
    )
    hits = index.search("ferry islands harbour", mode="dense", k=4)
    assert sum(hit.path.startswith("wire/") for hit in hits) == 1
    assert {hits[0].path, *(copy.path for copy in hits[0].copies)} == {"wire/1", "wire/2", "wire/3"}
    assert hits[0].first_date == "2024-03-01"
    apart = index.search("ferry islands harbour", mode="dense", k=4, collapse=False)
    assert sum(hit.path.startswith("wire/") for hit in apart) == 3
    assert all(not hit.copies for hit in apart)


def test_more_candidates_are_looked_at_where_copies_fill_the_first(tmp_path: Path) -> None:
    """Three hundred copies of one story are one hit, and the other articles still come."""
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        index.add([Document(f"wire/{i}", STORY) for i in range(300)])
        index.add([Document("other", "The harbour is closed."), Document("third", "Nothing of the kind.")])
        hits = index.search("ferry islands harbour engine", k=3)
        assert len(hits) == 3
        assert len(hits[0].copies) == 299


def test_an_uncalibrated_model_says_nothing_of_relevance(index: Index) -> None:
    """The relevance is None, and no hit is refused for it."""
    hits = index.search("security vacuum", min_relevance=0.99)
    assert len(hits) == 4
    assert {hit.relevance for hit in hits} == {None}


@pytest.mark.parametrize("rows", [LEAST_ROWS - 1, LEAST_ROWS + 1])
def test_moments_are_those_of_all_scores(rows: int) -> None:
    """With kept sums or without, with dead rows or without: mean and deviation as numpy has them."""
    import numpy as np

    rng = np.random.default_rng(3)
    vectors: np.ndarray = rng.normal(size=(rows, 8)).astype(np.float32)
    query = rng.normal(size=8).astype(np.float32)
    sums = {name: pieces[0] for name, pieces in with_sums({"rows": [vectors[:100], vectors[100:]]}).items()}
    lives = rng.random(rows) < 0.8
    for alive in (None, lives):
        segment = VectorSegment(np.arange(rows), vectors, alive, sums.get("total"), sums.get("square"))
        scores = (vectors if alive is None else vectors[alive]).astype(np.float64) @ query
        small = VectorSegment(np.arange(3), vectors[:3])
        every = np.concatenate([scores, vectors[:3].astype(np.float64) @ query])
        assert moments([segment, small], query) == pytest.approx((every.mean(), every.std()), rel=1e-5, abs=1e-6)
    assert ("total" in sums) == (rows > LEAST_ROWS)
    assert moments([], query) == (0.0, 0.0)
