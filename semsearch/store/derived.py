"""Makes the postings of passages from their titles and texts, also again from those that are stored; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from semsearch.store.catalog import Catalog
from semsearch.store.lexical import LexicalSegment, build
from semsearch.store.subset import Ids
from semsearch.terms import terms


def lexical_terms(title: str, embedded: str) -> list[str]:
    """The terms under which a passage is found: title, heading and text, those of the title twice.

    What a title names is what an article is about; how much twice is worth is measured in `benchmarks/ranking.md`.
    """
    return [*terms(title), *terms(embedded)]


def postings(catalog: Catalog, ids: Ids) -> LexicalSegment:
    """The postings of passages, which are in rising order, as their texts give them.

    Raises:
        IndexDamagedError: a text or a passage is not what was stored.
    """
    owners = catalog.owners(ids.tolist())
    grouped = [list(group) for _, group in groupby(ids.tolist(), key=owners.get)]
    return build(ids.tolist(), _words(catalog, grouped, owners), [len(group) for group in grouped])


def _words(catalog: Catalog, grouped: Sequence[list[int]], owners: dict[int, int]) -> Iterator[list[str]]:
    for group in grouped:
        title = next(iter(catalog.documents([owners[group[0]]]))).title
        yield from (lexical_terms(title, read) for _, read in catalog.inputs(group))
