"""Makes the postings of passages from their titles and texts, also again from those that are stored; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from semsearch.store.catalog import Catalog
from semsearch.store.lexical import LexicalSegment, build
from semsearch.store.store import lexical_terms
from semsearch.store.subset import Ids


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
