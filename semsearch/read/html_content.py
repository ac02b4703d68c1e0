"""The blocks of a page -> those of its article, by what the page marks, its headline and its links; reads no tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semsearch.read.html_blocks import Found

_LEAST_BODY = 100
_MOST, _MOST_OF_PAGE = 0.6, 0.8
_MOST_BESIDE, _MOST_AFTER, _MOST_BEFORE = 0.5, 8.0, 2.0
_PROSE = 60
_LEAST_MENU = 3
_COST, _OF_LINKS = 30, 2
_MOST_TIMES = 3
_LEAST_LIST, _MOST_OF_LIST = 3, 0.4


def content(blocks: Sequence[Found], headline: Found | None, *, is_article: bool) -> list[Found]:
    """The blocks of the article with the most text, or else of the main part, or else all but the furniture around.

    Args:
        blocks: all that the page has, in order.
        headline: the one of them that says its title, if any does.
        is_article: whether it says that it is one.
    """
    scope = _scope(blocks, headline)
    body = _body(scope)
    if body:
        return [*_head(scope[: scope.index(body[0])], headline), *body]
    is_manual = any(block.in_main for block in scope) and not is_article
    return scope if is_manual else _trimmed(_without_masthead(scope, headline), headline)


def _scope(blocks: Sequence[Found], headline: Found | None) -> list[Found]:
    """The article with the headline, or the largest; but all where articles are only teasers, or a list of many."""
    sizes = Counter[int]()
    for block in blocks:
        sizes[block.article] += _plain(block)
    outside = sizes.pop(0, 0)
    most = max(sizes.values(), default=0)
    is_list = len(sizes) >= _LEAST_LIST and most < _MOST_OF_LIST * sizes.total()
    chosen = headline.article if headline and sizes[headline.article] * _MOST_TIMES >= most else 0
    if not chosen and most and not is_list:
        chosen = max(sizes, key=sizes.__getitem__)
    if chosen and outside > _MOST_TIMES * sizes[chosen]:
        chosen = 0
    if chosen:
        return [block for block in blocks if block.article == chosen]
    return [block for block in blocks if block.in_main] or list(blocks)


def _body(scope: Sequence[Found]) -> list[Found]:
    """The text of the article, if it is named and most of what is named so; the innermost where such names nest."""
    found: list[Found] = []
    for depth in range(max((len(block.bodies) for block in scope), default=0)):
        inner = _largest(found or scope, depth)
        is_other = not found and inner and _before(scope, inner) > _MOST_BEFORE * _size(inner)
        if not inner or is_other or (found and _has_more(found, inner)):
            break
        found = inner
    return found


def _largest(blocks: Sequence[Found], depth: int) -> list[Found]:
    """The blocks of the largest of the named elements that are so deep, if it is most of them."""
    sizes = Counter[int]()
    for block in blocks:
        if len(block.bodies) > depth:
            sizes[block.bodies[depth]] += _plain(block)
    if not sizes:
        return []
    largest = max(sizes, key=sizes.__getitem__)
    if sizes[largest] < max(_LEAST_BODY, _MOST * sizes.total()):
        return []
    return [block for block in blocks if len(block.bodies) > depth and block.bodies[depth] == largest]


def _has_more(outer: Sequence[Found], inner: Sequence[Found]) -> bool:
    """Whether an element has much text that the one within it has not; what comes after may be comments."""
    size, before = _size(inner), _before(outer, inner)
    return before > _MOST_BESIDE * size or _size(outer) - size - before > _MOST_AFTER * size


def _before(outer: Sequence[Found], inner: Sequence[Found]) -> int:
    """How much text there is before the end of an inner part that is not of it."""
    return _size(outer[: outer.index(inner[-1]) + 1]) - _size(inner)


def _trimmed(scope: Sequence[Found], headline: Found | None) -> list[Found]:
    """All but the links before and after its prose, if most of its text is there."""
    best, start, end, since, total = 0, 0, len(scope), 0, 0
    for number, block in enumerate(scope):
        if total <= 0:
            total, since = 0, number
        total += 0 if block.level else _plain(block) - _OF_LINKS * block.linked - _COST
        if total > best:
            best, start, end = total, since, number + 1
    if _size(scope[start:end]) < _MOST_OF_PAGE * _size(scope):
        return list(scope)
    before, after = scope[:start], scope[end:]
    return [
        *(_head(before, headline) if _is_of_links(before) else before),
        *scope[start:end],
        *(() if _is_of_links(after) else after),
    ]


def _is_of_links(blocks: Sequence[Found]) -> bool:
    """Whether these are menus; a line or two of links belong to the text."""
    return len(blocks) >= _LEAST_MENU and sum(block.linked for block in blocks) >= _size(blocks)


def _without_masthead(scope: list[Found], headline: Found | None) -> list[Found]:
    """All from the headline on, unless there is prose before it."""
    at = next((number for number, block in enumerate(scope) if block is headline), 0)
    return scope if any(map(_is_prose, scope[:at])) else scope[at:]


def _head(before: Sequence[Found], headline: Found | None) -> list[Found]:
    """The headline of what comes before the text, and what is prose between the two."""
    for number in reversed(range(len(before))):
        block = before[number]
        if block.level == 1 or block is headline:
            return [block, *(each for each in before[number + 1 :] if _is_prose(each))]
    return []


def _is_prose(block: Found) -> bool:
    return _plain(block) >= _PROSE and block.linked * 5 < block.size


def _size(blocks: Sequence[Found]) -> int:
    return sum(map(_plain, blocks))


def _plain(block: Found) -> int:
    return block.size - block.linked
