"""A hit says on which page of its document it begins, everywhere that hits are shown; where there are no pages, 0."""

from __future__ import annotations

import csv
import json
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Document, Index
from semsearch.errors import UsageError
from semsearch.show import FORMATS, Answer, Look
from semsearch.testing import HashEmbedder
from semsearch.types import Hit, Section

PAGES = ["Ferries sail at dawn.\n", "", "Trains leave at noon.\n", "Trams stop at night."]
STARTS = tuple(accumulate(map(len, PAGES[:-1]), initial=0))


def hits(home: Path, document: Document) -> list[Hit]:
    with Index.create(home / "x", embedder=HashEmbedder(limit=16)) as index:
        index.add([document])
        found = index.search("sail leave stop", k=50, mode="dense", collapse=False)
        index.export(home / "out")
    return sorted(found, key=lambda hit: hit.start)


def test_each_hit_has_the_page_on_which_it_begins(tmp_path: Path) -> None:
    """A page without text is counted too."""
    sections = tuple(Section(start, start + len(page)) for start, page in zip(STARTS, PAGES, strict=True))
    found = hits(tmp_path, Document("a.pdf", "".join(PAGES), sections=sections, pages=STARTS, has_lines=False))
    assert [(hit.text, hit.page) for hit in found] == [
        ("Ferries sail at dawn.", 1),
        ("Trains leave at noon.", 3),
        ("Trams stop at night.", 4),
    ]
    lines = (tmp_path / "out/passages.jsonl").read_text().splitlines()
    assert [json.loads(line)["page"] for line in lines] == [1, 3, 4]
    answer = [Answer("q", "dense", found[1:2])]
    assert json.loads("".join(FORMATS["jsonl"](answer, Look())))["page"] == 3
    assert next(csv.DictReader(FORMATS["csv"](answer, Look())))["page"] == "3"
    assert list(FORMATS["text"](answer, Look()))[1] == "    a.pdf#page=3"


def test_a_document_without_pages_has_page_0(tmp_path: Path) -> None:
    """And shows none."""
    found = hits(tmp_path, Document("a.html", "Ferries sail at dawn.", has_lines=False))
    assert [hit.page for hit in found] == [0]
    assert list(FORMATS["text"]([Answer("q", "dense", found)], Look()))[1] == "    a.html"


@given(st.lists(st.sampled_from(["", "One two. ", "Three four five six seven. Eight nine. "]), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_pages_are_counted_as_by_hand(tmp_path_factory: pytest.TempPathFactory, pages: list[str]) -> None:
    """The page of a hit is the last that begins at its start or before, as counted one by one."""
    text = "".join(pages)
    if not text:
        return
    starts = tuple(accumulate(map(len, pages[:-1]), initial=0))
    for hit in hits(tmp_path_factory.mktemp("pages"), Document("a", text, pages=starts)):
        assert hit.page == sum(start <= hit.start for start in starts)
        assert hit.text in "".join(pages[hit.page - 1 :])


@pytest.mark.parametrize("pages", [(1, 2), (0, 5, 3), (0, 99)])
def test_pages_out_of_order_are_refused(tmp_path: Path, pages: tuple[int, ...]) -> None:
    """They begin at 0, rise, and lie within the text."""
    with Index.create(tmp_path / "x", embedder=HashEmbedder()) as index, pytest.raises(UsageError, match="pages must"):
        index.add([Document("a", "Some words.", pages=pages)])


def test_pages_outlive_a_rebuild(tmp_path: Path, articles: Path) -> None:
    """They are stored beside the text."""
    with Index.create(tmp_path / "x", embedder=HashEmbedder()) as index:
        index.sync(articles)
        index.add([Document("a", "".join(PAGES), pages=STARTS)])
    Index.rebuild(tmp_path / "x", articles, embedder=HashEmbedder())
    with Index.open(tmp_path / "x", embedder=HashEmbedder()) as index:
        assert index.search("trams", k=1, mode="lexical")[0].page == 1
