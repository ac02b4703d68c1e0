"""Lets a slow iterator run ahead of whoever uses what it gives; knows nothing of what that is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Condition, Thread
from typing import Generic, TypeVar

_Item = TypeVar("_Item")

SIZE = 4 << 20
"""So much may lie ready, in the units of `size`: characters of texts, of which what is made takes several times."""


def ahead(
    items: Generator[_Item, None, None], size: Callable[[_Item], int], stop: Callable[[], object] = lambda: None
) -> Generator[_Item, None, None]:
    """What the iterator gives, in order; it runs in one other thread, while the last of it is used.

    What it raises is raised here, after all that it gave before. When this one is closed, it is closed too.

    Args:
        items: gives its next item when what lies ready takes no more than `SIZE`.
        size: how much of that an item takes.
        stop: is called at the end, and may bring what is under way to an early one.
    """
    shelf: _Shelf[_Item] = _Shelf(items, size)
    thread = Thread(target=shelf.fill, name="semsearch-ahead", daemon=True)
    thread.start()
    try:
        yield from shelf.taken()
    finally:
        shelf.close()
        stop()
        thread.join()


class _Shelf(Generic[_Item]):
    """What lies ready, between the thread that fills it and the one that takes from it."""

    def __init__(self, items: Generator[_Item, None, None], size: Callable[[_Item], int]) -> None:
        self._items, self._size = items, size
        self._ready: deque[_Item] = deque()
        self._held = 0
        self._closed = self._is_last = False
        self._error: BaseException | None = None
        self._changed = Condition()

    def fill(self) -> None:
        try:
            with closing(self._items):
                for item in self._items:
                    if not self._put(item):
                        return
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for the item
            self._error = error
        finally:
            with self._changed:
                self._is_last = True
                self._changed.notify_all()

    def taken(self) -> Generator[_Item, None, None]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._is_last)
                if not self._ready:
                    break
                item = self._ready.popleft()
                self._held -= self._size(item)
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, item: _Item) -> bool:
        """Lay an item ready, and wait for room for the next; False when there is to be none."""
        with self._changed:
            self._ready.append(item)
            self._held += self._size(item)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._held <= SIZE)
            return not self._closed
