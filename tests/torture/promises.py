"""What must hold for any bytes, by what reads them: queries, fields, pages, Markdown, text, cards; feeds none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from semsearch import read, store
from semsearch.embed.card import Card
from semsearch.errors import ModelError, ReadError, StoreError
from semsearch.intake import well_formed
from semsearch.query import parse
from semsearch.read import front_matter
from semsearch.split import split
from semsearch.terms import words
from semsearch.testing import HashEmbedder
from semsearch.types import Document, Section

EMBEDDER = HashEmbedder(limit=24)
WORDS: Mapping[str, list[str]] = {
    "query": ['"', '-"', "a -b ", '" "'],
    "front_matter": ["---\n", "+++\n", "...", "title: ", "date: 2024-02-30", "!!set", "!!binary", "&a", "*a", "? "],
    "html": ["<article>", "<p hidden>", "<!--", "-->", "<meta charset=", "</script", "<h1>", "<pre>", "&#0;", "<br/>"],
    "markdown": ["# ", "---\n", "```", "~~~", "===\n", "[a](b)", "title: ", "\r"],
    "text": ["\r\n", "\ufeff", "\ufffe", "\x80\x93", "\x1b$B"],
    "mail": [
        "Subject: ",
        "Content-Type: text/html",
        "multipart/mixed; boundary=a",
        "--a\r\n",
        "=?utf-8?q?",
        "\r\n\r\n",
    ],
    "split": [". ", "\u3002", "\n\n", "e\u0301", "\U0001f600", "Mr. "],
    "card": ['{"format": 3, ', '"current": "e1"', '"config": {', "1e999", "[[[[", '"\\ud800"', "null"],
}
"""What chance alone would take long to write."""


def query(data: bytes) -> None:
    """Any text is a query; one that has something to look for still has, and no phrase is empty."""
    text = data.decode("utf-8", "ignore")
    asked = parse(text)
    assert bool(words(asked.text)) == bool(words(text))
    assert all(asked.phrases)
    assert all(asked.excluded)


def fields(data: bytes) -> None:
    """Front matter is fields that JSON and UTF-8 can hold, and ends within the text; anything else is text."""
    text = data.decode("utf-8", "ignore")
    found, begin = front_matter.split(text)
    assert 0 <= begin <= len(text)
    assert begin or not found
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


def html(data: bytes) -> None:
    """A page is refused, or is a document that can be stored, whose passages are cut exactly."""
    _document("a.html", data)


def markdown(data: bytes) -> None:
    """The same of Markdown."""
    _document("a.md", data)


def plain(data: bytes) -> None:
    """The same of text without markup, in whatever encoding."""
    _document("a.txt", data)


def mail(data: bytes) -> None:
    """The same of a mail."""
    _document("a.eml", data)


def passages(data: bytes) -> None:
    """Any text with any section and title is cut exactly, with any overlap, and loses nothing."""
    overlap, cut, title = data[0] % 4 if data else 0, data[1:3], data[3:20].decode("utf-8", "ignore")
    text = data[20:].decode("utf-8", "ignore")
    place = int.from_bytes(cut, "big") % (len(text) + 1)
    sections = (Section(0, place, title[::-1]), Section(place, len(text)))
    _cut(Document("a", text, title=title, language=title[:2], sections=sections), overlap)


def card(data: bytes) -> None:
    """The card of an index, or of a model, is read or is an error of ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / store.CARD).write_bytes(data)
        with suppress(StoreError):
            assert store.current(path).parent == path
        store.settings(path)
    with suppress(ModelError):
        Card.from_json(data.decode("utf-8", "ignore"))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "query": query,
    "front_matter": fields,
    "html": html,
    "markdown": markdown,
    "text": plain,
    "mail": mail,
    "split": passages,
    "card": card,
}


def _document(name: str, data: bytes) -> None:
    module, _, attribute = read.READERS[Path(name).suffix].partition(":")
    try:
        document = getattr(import_module(module), attribute)(name, data)
    except ReadError:
        return
    assert document.path == name
    well_formed([document])
    _cut(document)


def _cut(document: Document, overlap: int = 0) -> None:
    """Cut a document, and look at every passage."""
    text = document.text
    sections = document.sections if document.sections is not None else (Section(0, len(text)),)
    covered: set[int] = set()
    for passage in split(document, EMBEDDER, overlap):
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert passage.tokens == EMBEDDER.count([passage.embedded])[0] <= EMBEDDER.limit
        assert any(section.start <= passage.start and passage.end <= section.end for section in sections)
        covered.update(range(passage.start, passage.end))
    assert all(text[i].isspace() for s in sections for i in range(s.start, s.end) if i not in covered)
