"""The vectors of a place in a document of the index, or in a file that is read; looks for nothing that is like them."""

from __future__ import annotations

from pathlib import Path

from semsearch import store
from semsearch.address import apart
from semsearch.cite import near, span_of_line, span_of_page
from semsearch.edition import Edition
from semsearch.errors import ReadError, UsageError
from semsearch.store import Snapshot, context
from semsearch.types import Document, Passage, Vectors


def vectors_of(
    edition: Edition, snapshot: Snapshot, path: str, span: tuple[int, int] | None, line: int | None
) -> tuple[Vectors, list[int]]:
    """The vectors of the passages at a place, and the numbers of all passages of its document that the index holds.

    The place is a span of code points, a line, the page that the path names, or else the whole document.

    Raises:
        UsageError: there is no such file or document, or nothing at that place.
    """
    page = 0
    number = store.locate(snapshot.catalog, path)
    if number is None and span is None and line is None:
        path, page = apart(path)
        number = store.locate(snapshot.catalog, path) if page else None
    if number is None:
        return _vectors_of_file(edition, Path(path), span, line, page), []
    passages = snapshot.catalog.passages_of(number)
    at = span
    if line is not None or page:
        (stored,) = snapshot.catalog.documents([number])
        at = _span(snapshot.catalog.document(stored), span, line, page)
    return snapshot.segments.vectors(near(passages, at)), near(passages, None)


def _span(document: Document, span: tuple[int, int] | None, line: int | None, page: int) -> tuple[int, int] | None:
    if line is not None:
        return span_of_line(document.text, line)
    return span_of_page(document, page) if page else span


def split_for(edition: Edition, document: Document) -> list[Passage]:
    """The passages that an index makes of a document."""
    from semsearch.split import split  # noqa: PLC0415 - a search does without it

    return split(document, edition.embedder, edition.config.overlap, edition.config.limit)


def _vectors_of_file(
    edition: Edition, path: Path, span: tuple[int, int] | None, line: int | None, page: int
) -> Vectors:
    from semsearch.read import read_file  # noqa: PLC0415 - a search does without it

    try:
        document, _ = read_file(path.resolve(), path.name)
    except (OSError, RuntimeError, ReadError) as error:
        why = str(error) if path.exists() else "there is no such file"
        raise UsageError(f"{path}: not a document of the index; {why}") from error
    passages = split_for(edition, document)
    places = [(number, passage.start, passage.end) for number, passage in enumerate(passages)]
    at = _span(document, span, line, page)
    chosen = near(places, at)
    first, end = max(chosen[0] - context.REACH, 0), chosen[-1] + context.REACH + 1
    encoded = edition.encode([passage.embedded for passage in passages[first:end]])
    return context.in_context(encoded, [len(encoded)])[chosen[0] - first :][: len(chosen)]
