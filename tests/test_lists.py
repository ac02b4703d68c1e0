"""What approximate search finds through lists is alive, admitted, exactly scored, and nearly all of the true best."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semsearch import store
from semsearch.config import IndexConfig
from semsearch.errors import StorageError, UsageError
from semsearch.search import Wish, checked, find
from semsearch.store import Addition, Store, listing
from semsearch.store import files as store_files
from semsearch.store.lists import RECALL, Lists, nearest
from semsearch.store.vectors import VectorSegment
from semsearch.testing import HashEmbedder
from semsearch.types import Document, FileStat, Passage, Vectors

DIMENSION = 32


def clustered(rng: np.random.Generator, count: int) -> Vectors:
    """Vectors around 40 places, of lengths between 0.6 and 1."""
    places = np.random.default_rng(7).standard_normal((40, DIMENSION), np.float32)
    rows = places[rng.integers(0, 40, count)] + 0.7 * rng.standard_normal((count, DIMENSION), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * rng.uniform(0.6, 1, (count, 1)), np.float32)


def best(ids: NDArray[np.int64], rows: Vectors, query: Vectors, k: int) -> list[int]:
    scores = rows.astype(np.float64) @ query.astype(np.float64)
    return [int(ids[i]) for i in np.argsort(-scores, kind="stable")[:k]]


def opened(arrays: dict[str, list[NDArray[np.float32]]], alive: NDArray[np.bool_] | None = None) -> Lists:
    found = Lists.of(1, {name: np.concatenate(list(pieces)) for name, pieces in arrays.items()}, "lists", DIMENSION)
    return Lists(**{name: getattr(found, name) for name in Lists.ARRAYS}, alive=alive)


def add(to: Store, rng: np.random.Generator, count: int, name: str) -> None:
    rows = clustered(rng, count)
    passages = [Passage(i, i + 1, "x", "x", 1) for i in range(count)]
    to.commit([Addition("", Document(name, "x" * count), FileStat(count, -1, name), passages, rows, own=True)])


@pytest.fixture
def index(tmp_path: Path) -> Store:
    """An index with lists from 400 passages on, of 30 documents of 40."""
    made = Store.create(tmp_path / "index", IndexConfig.of(HashEmbedder(DIMENSION)), exact=400)
    rng = np.random.default_rng(3)
    for number in range(30):
        add(made, rng, 40, f"d{number}")
    return made


def everything(of: Store) -> tuple[NDArray[np.int64], Vectors]:
    with of.snapshot() as snapshot:
        ids = np.fromiter(snapshot.catalog.passage_ids(), np.int64)
        return ids, snapshot.segments.vectors(ids)


def recall(of: Store, only: NDArray[np.int64] | None = None, wanted: float = RECALL) -> float:
    """The share of the true best ten that is found; that the scores are exact is made sure."""
    ids, rows = everything(of)
    kept = np.ones(len(ids), np.bool_) if only is None else np.isin(ids, only)
    shares = []
    with of.snapshot() as snapshot:
        assert snapshot.segments.lists is not None
        for query in clustered(np.random.default_rng(11), 50):
            found = snapshot.segments.dense(query, 10, only, wanted)
            exact = dict(zip(ids.tolist(), (rows.astype(np.float64) @ query.astype(np.float64)).tolist(), strict=True))
            assert [pytest.approx(exact[i], abs=1e-12) for i, _ in found] == [score for _, score in found]
            assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
            shares.append(len({i for i, _ in found} & set(best(ids[kept], rows[kept], query, 10))) / 10)
    return float(np.mean(shares))


@given(st.integers(0, 2**32), st.integers(20, 400), st.integers(1, 40), st.floats(0, 0.9), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_only_living_and_admitted_passages_are_found(seed: int, count: int, k: int, dead: float, share: float) -> None:
    """None twice, none that is gone or not asked for, as many as there are; through all lists exactly the best."""
    rng = np.random.default_rng(seed)
    rows, ids = clustered(rng, count), np.cumsum(rng.integers(1, 4, count))
    alive, only = np.zeros(ids[-1] + 1, np.bool_), rng.random(ids[-1] + 1) < share
    alive[ids[rng.random(count) >= dead]] = True
    lists = opened(listing.made([VectorSegment(ids, rows)]), alive)
    query = clustered(rng, 1)[0]
    for mask in (None, only, only[: ids[-1] // 2]):
        may = alive.copy()
        if mask is not None:
            may[: len(mask)] &= mask
            may[len(mask) :] = False
        found = nearest(lists, query, k, RECALL, mask).tolist()
        admitted = ids[may[ids]]
        assert len(found) == len(set(found)) <= k
        assert set(found) <= set(admitted.tolist())
        if mask is not None:
            assert len(found) == min(k, len(admitted))
        every = nearest(lists, query, count, 1.0, mask)
        assert sorted(every.tolist()) == admitted.tolist()


def test_large_indexes_have_lists_and_small_ones_have_none(tmp_path: Path) -> None:
    """They come with size, know all but the last passages, and go when most of the index is gone."""
    index = Store.create(tmp_path / "index", IndexConfig.of(HashEmbedder(DIMENSION)), exact=400)
    rng, seen = np.random.default_rng(3), []
    for number in range(30):
        add(index, rng, 40, f"d{number}")
        with index.snapshot() as snapshot:
            seen.append(snapshot.segments.lists is not None)
            later = sum(len(part.ids) for part in snapshot.segments.later)
            assert later <= 50 or not seen[-1]
    assert seen == [False] * 10 + [True] * 20
    with index.tables() as tables:
        numbers = [document.id for document in tables.documents()]
    index.commit(removals=numbers[:26])
    with index.snapshot() as snapshot:
        assert snapshot.segments.lists is None
        assert snapshot.catalog.lists() is None
    assert list((index.folder / "lists").iterdir()) == []
    assert store.complaints(index) == []


def test_nearly_all_of_the_true_best_are_found(index: Store) -> None:
    """With the lists as they were made, after removals, and with passages that the lists do not know yet."""
    assert recall(index) >= RECALL
    with index.tables() as tables:
        numbers = [document.id for document in tables.documents()]
    index.commit(removals=numbers[3:6])
    add(index, np.random.default_rng(5), 8, "new")
    with index.snapshot() as snapshot:
        assert snapshot.segments.later
    assert recall(index) >= RECALL
    assert recall(index, wanted=1.0) == 1


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_filter_loses_nothing(index: Store, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best of what is admitted are found as well as without a filter."""
    from semsearch.store import vectors

    monkeypatch.setattr(vectors, "FEW", 0)
    ids, _ = everything(index)
    only = ids[np.random.default_rng(2).random(len(ids)) < share]
    assert recall(index, only) >= RECALL


def test_extending_equals_knowing_from_the_start(index: Store) -> None:
    """Lists that were extended hold every passage once, with the code that its vector has."""
    rng = np.random.default_rng(0)
    rows, ids = clustered(rng, 300), np.arange(1, 301)
    lists = opened(listing.made([VectorSegment(ids[:200], rows[:200])]))
    gone = np.ones(201, np.bool_)
    gone[5:50] = False
    lists = Lists(**{name: getattr(lists, name) for name in Lists.ARRAYS}, alive=gone)
    longer = opened(listing.extended(lists, [VectorSegment(ids[200:], rows[200:])]))
    assert sorted(longer.ids.tolist()) == [*range(1, 5), *range(50, 301)]
    decoded = longer.middle + longer.step * (longer.codes.astype(np.float32) - 128)
    kept = longer.ids <= 200
    np.testing.assert_allclose(rows[longer.ids - 1][kept], decoded[kept], atol=float(longer.step.max()))


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "other arrays"])
def test_damaged_lists_are_named_and_not_needed(index: Store, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Searches are exact then, verify says so, and the next change makes new ones."""
    before = [answers(index, query) for query in clustered(np.random.default_rng(1), 5)]
    (file,) = (index.folder / "lists").iterdir()
    good = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "flipped":
        file.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    elif damage == "cut":
        file.write_bytes(good[:-64])
    else:
        (vectors, *_) = (index.folder / "vectors").iterdir()
        file.write_bytes(vectors.read_bytes())
    again = Store(index.folder, exact=400)
    with again.snapshot() as snapshot:
        assert snapshot.segments.lists is None
    assert before == [answers(again, query) for query in clustered(np.random.default_rng(1), 5)]
    assert damage == "missing" or str(file) in caplog.text
    (complaint,) = store.complaints(again)
    assert str(file) in complaint
    assert "index something" in complaint
    add(again, np.random.default_rng(9), 3, "another")
    with again.snapshot() as snapshot:
        assert snapshot.segments.lists is not None
    assert store.complaints(again) == []


def answers(of: Store, query: Vectors) -> list[tuple[int, float]]:
    with of.snapshot() as snapshot:
        return snapshot.segments.dense(query, 5, recall=1.0)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_build_leaves_what_there_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The commit stands, the index is sound and complete, and the next commit makes the lists."""
    index = Store.create(tmp_path / "index", IndexConfig.of(HashEmbedder(DIMENSION)), exact=50)
    add(index, np.random.default_rng(0), 40, "one")
    real = store_files._write

    def write(file: object, arrays: dict[str, object]) -> object:
        if "codes" in arrays:
            raise error
        return real(file, arrays)

    monkeypatch.setattr(store_files, "_write", write)
    try:
        add(index, np.random.default_rng(1), 40, "two")
    except KeyboardInterrupt:
        assert isinstance(error, KeyboardInterrupt)
    except StorageError as raised:
        pytest.fail(f"the commit stands, yet {raised}")
    monkeypatch.undo()
    with index.snapshot() as snapshot:
        assert len(list(snapshot.catalog.passage_ids())) == 80
        assert snapshot.segments.lists is None
    assert list((index.folder / "lists").iterdir()) == []
    assert store.complaints(index) == []
    add(index, np.random.default_rng(2), 1, "three")
    with index.snapshot() as snapshot:
        assert snapshot.segments.lists is not None


def test_a_snapshot_keeps_its_lists_while_others_are_made(index: Store) -> None:
    """A reader's answers do not change within its block, though the lists are made anew and their file is deleted."""
    query = clustered(np.random.default_rng(4), 1)[0]
    with index.snapshot() as snapshot:
        lists = snapshot.segments.lists
        before = snapshot.segments.dense(query, 10)
        for number in range(10):
            add(index, np.random.default_rng(number), 40, f"more {number}")
        assert before == snapshot.segments.dense(query, 10)
    with index.snapshot() as snapshot:
        assert lists is not None
        assert snapshot.segments.lists is not None
        assert snapshot.segments.lists.number != lists.number


def test_merging_leaves_the_lists_as_they_are(index: Store) -> None:
    """A segment of passages that lists know and of others is searched on both sides: nothing is left out or twice."""
    with index.snapshot() as snapshot:
        before = snapshot.segments
    for number in range(9):
        add(index, np.random.default_rng(number), 1, f"later {number}")
        with index.snapshot() as snapshot:
            lists, later = snapshot.segments.lists, snapshot.segments.later
            ids = list(snapshot.catalog.passage_ids())
            assert lists is not None
            assert ids == sorted([*lists.ids.tolist(), *(i for part in later for i in part.ids.tolist())])
    assert before.lists is not None
    assert lists.number == before.lists.number
    last = snapshot.segments.last
    assert any(segment.stored.first <= last < segment.stored.last for segment in snapshot.segments.each)


def test_verify_finds_passages_that_the_lists_lack(index: Store) -> None:
    """Also where the file is what was written."""
    with index.snapshot() as snapshot:
        every = [segment.vectors for segment in snapshot.segments.each]
        last = snapshot.segments.last
    with index._write() as tables:
        tables.set_lists(index._write_lists(listing.made(every[1:]), last))
    (complaint,) = store.complaints(Store(index.folder, exact=400))
    assert "lack 320 passages" in complaint


def test_a_search_takes_the_recall_that_it_is_given(index: Store) -> None:
    """At 1 the best are all found; what is no share is refused."""
    ids, rows = everything(index)
    for query in clustered(np.random.default_rng(8), 20):
        with index.snapshot() as snapshot:
            found = find(snapshot, Wish(None, query, 10, "dense", collapse=False, recall=1.0))
        assert best(ids, rows, query, 10) == [answer.scored.id for answer in found]
    for wrong in (0.0, -1.0, 1.5):
        with pytest.raises(UsageError, match="recall"):
            checked("q", 10, "dense", wrong)
