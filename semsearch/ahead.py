"""Does a slow function's work ahead of whoever uses what it gives; knows nothing of what that is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Given = TypeVar("_Given")

SIZE = 4 << 20
"""So much may lie ready, in the units of `size`: bytes of files, of which what is made of them takes several times."""


def ahead(
    function: Callable[[_Item], _Given],
    items: Iterable[_Item],
    size: Callable[[_Item], int],
    stop: Callable[[], object] = lambda: None,
) -> Generator[tuple[_Item, _Given], None, None]:
    """Each item with what the function gives for it, in order; called in one other thread, while the last is used.

    What the function raises is raised where its item's turn is. When the iterator is closed, nothing new is begun.

    Args:
        function: is never called twice at once.
        items: what to call it with; read in this thread.
        size: how much of `SIZE` an item takes; one is begun ahead in any case.
        stop: is called at the end, and may bring a call of the function that is under way to an early one.
    """
    waiting: deque[tuple[_Item, Future[_Given]]] = deque()
    held = 0
    pool = ThreadPoolExecutor(1, thread_name_prefix="semsearch-ahead")
    try:
        for item in items:
            waiting.append((item, pool.submit(function, item)))
            held += size(item)
            while len(waiting) > 1 and held > SIZE:
                held -= size(waiting[0][0])
                yield _done(waiting)
        while waiting:
            yield _done(waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        stop()
        pool.shutdown()


def _done(waiting: deque[tuple[_Item, Future[_Given]]]) -> tuple[_Item, _Given]:
    item, future = waiting.popleft()
    return item, future.result()
