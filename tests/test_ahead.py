"""What lies ahead is made in order, in one other thread, no further than there is room for, and stops when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch import Index
from semsearch.ahead import SIZE, ahead
from semsearch.testing import HashEmbedder
from semsearch.types import Vectors


def each(numbers: Iterable[int], function: Callable[[int], int] = lambda number: number) -> Generator[int, None, None]:
    return (function(number) for number in numbers)


@given(st.lists(st.integers(0, 2 * SIZE), max_size=30))
def test_each_item_comes_once_in_order(sizes: list[int]) -> None:
    """Whatever the sizes; and made in one other thread."""
    threads: set[int] = set()

    def noted(number: int) -> int:
        threads.add(threading.get_ident())
        return number

    assert list(ahead(each(sizes, noted), lambda size: size)) == sizes
    assert len(threads) <= 1
    assert threading.get_ident() not in threads


def test_no_more_is_made_than_there_is_room_for() -> None:
    """One item of the full size lies ready beside the one in use, and no third is begun."""
    made: list[int] = []

    def noted(number: int) -> int:
        made.append(number)
        return number

    with closing(ahead(each(range(9), noted), lambda _: SIZE)) as prepared:
        next(prepared)
        next(prepared)
        assert len(made) <= 4


def test_an_error_comes_where_its_item_is_due() -> None:
    """After all that came before it."""
    prepared = ahead(each([2, 1, 0, 3], lambda number: 1 // number), lambda _: 1)
    assert next(prepared) == 0
    assert next(prepared) == 1
    with pytest.raises(ZeroDivisionError):
        next(prepared)


def test_closing_begins_nothing_new_and_leaves_no_thread() -> None:
    """What waits is not begun, and the iterator is closed."""
    made: list[int] = []
    closed = threading.Event()

    def slow() -> Generator[int, None, None]:
        try:
            for number in range(100):
                made.append(number)
                if number:
                    closed.wait(0.2)
                yield number
        finally:
            made.append(-1)

    prepared = ahead(slow(), lambda _: 1)
    next(prepared)
    prepared.close()
    assert len(made) < 100
    assert made[-1] == -1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("semsearch-ahead")]


class Waiting(HashEmbedder):
    """Encodes its first batch only once an article beyond that batch has been cut into passages."""

    def __init__(self) -> None:
        super().__init__()
        self.cut_beyond = threading.Event()
        self.waited = False

    def count(self, texts: Sequence[str]) -> list[int]:
        if any("the last article" in text for text in texts):
            self.cut_beyond.set()
        return super().count(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        self.waited = self.waited or self.cut_beyond.wait(10)
        return super().encode_document(texts)


def test_articles_are_read_and_cut_while_others_are_encoded(tmp_path: Path) -> None:
    """The first batch could not be encoded if the last article had to wait for it."""
    for number in range(300):
        (tmp_path / f"{number:03d}.txt").write_text(f"Article {number}.")
    (tmp_path / "zzz.txt").write_text("This is the last article.")
    embedder = Waiting()
    with Index.create(tmp_path.parent / f"{tmp_path.name}-index", embedder=embedder) as index:
        assert index.sync(tmp_path).added == 301
    assert embedder.waited
