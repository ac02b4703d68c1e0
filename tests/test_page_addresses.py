"""`report.pdf#page=3` is that page, for `explain`, `similar` and filters; a document of that very name comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from semsearch import Document, Filter, Index
from semsearch.errors import UsageError
from semsearch.testing import HashEmbedder
from tests.test_cli import Run, run
from tests.test_within import zipped

__all__ = ["run"]

PAGES = (
    "The harbour was closed in the storm. Ships waited outside for two days.",
    "The council voted on the price of bread. Bakers had asked for more.",
    "",
    "The ferry to the islands runs again. It leaves the harbour at eight.",
)


def pdf(pages: Sequence[str]) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in pages:
        made.add_page()
        if text:
            made.multi_cell(0, 8, text)
    return bytes(made.output())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(pdf(PAGES))
    (folder / "note.txt").write_text("A note on bakers and the price of bread in the council.")
    monkeypatch.chdir(folder)
    with Index.create(tmp_path / "index", embedder=HashEmbedder(), passage_tokens=16) as made:
        made.sync(folder)
        yield made


def pages_of(index: Index, query: str, **wish: Any) -> set[int]:
    return {hit.page for hit in index.search(query, k=20, collapse=False, **wish)}


def test_a_filter_keeps_to_a_page(index: Index, tmp_path: Path) -> None:
    """All of its passages and no others; several are alternatives, as files are; one that is not there is empty."""
    everything = index.search("harbour bread ferry", k=20, collapse=False)
    assert {hit.page for hit in everything if hit.path.endswith(".pdf")} == {1, 2, 4}
    for mode in ("hybrid", "dense", "lexical"):
        assert pages_of(index, "harbour", mode=mode, filter=Filter(path="report.pdf#page=4")) == {4}
    whole = index.documents()[-1]
    on_two = [hit for hit in everything if hit.page == 2]
    assert whole.path == "report.pdf"
    found = index.search("harbour bread ferry", k=20, collapse=False, filter=Filter(path="report.pdf#page=2"))
    assert {(hit.start, hit.end) for hit in found} == {(hit.start, hit.end) for hit in on_two}
    assert pages_of(index, "bread", filter=Filter(path=["report.pdf#page=2", "*.pdf#page=4", "note.txt"])) == {0, 2, 4}
    assert pages_of(index, "bread", filter=Filter(path=["report.pdf", "report.pdf#page=4"])) == {1, 2, 4}
    assert pages_of(index, "bread", filter=Filter(path=f"{tmp_path}/articles/report.pdf#page=1")) == {1}
    for nowhere in ("report.pdf#page=3", "report.pdf#page=9", "note.txt#page=1", "report.pdf#page=0"):
        assert index.search("harbour bread ferry", filter=Filter(path=nowhere)) == []


def test_explain_judges_the_best_passage_of_a_page(index: Index) -> None:
    """Its rank is that of a passage on it; another page of the document that is found does not count."""
    best, *_ = index.search("ferry to the islands", k=1)
    assert best.page == 4
    why = index.explain("ferry to the islands", "report.pdf#page=4", k=1)
    assert (why.cause, why.rank, why.best) == ("found", 1, best)
    assert why.path == f"{best.path}#page=4"
    other = index.explain("ferry to the islands", "report.pdf#page=2", k=1)
    assert (other.cause, other.rank) == ("below", None)
    assert other.best is not None
    assert (other.best.page, other.best.rank > 1) == (2, True)
    assert index.explain("ferry to the islands", "report.pdf", k=1).best == best


def test_explain_says_that_a_filter_leaves_out_a_page(index: Index) -> None:
    """And looks at nothing else of a document of which it leaves a page in."""
    given = Filter(path="report.pdf#page=2")
    why = index.explain("ferry to the islands", "report.pdf#page=4", filter=given)
    assert (why.cause, why.message) == ("filtered", "the filter leaves it out: --path report.pdf#page=2")
    inside = index.explain("ferry to the islands", "report.pdf", filter=given)
    assert (inside.cause, inside.best and inside.best.page) == ("found", 2)
    assert index.explain("ferry", "note.txt", filter=given).cause == "filtered"


def test_similar_takes_a_page(index: Index, tmp_path: Path) -> None:
    """Of a document of the index, or of any file; what else is in the document is not what it is like."""
    (hit,) = index.similar("report.pdf#page=2", k=1)
    assert hit.path.endswith("note.txt")
    by_span = next(each for each in index.search("council bread", k=9) if each.page == 2)
    end = max(each.end for each in index.search("council bakers bread", k=20, collapse=False) if each.page == 2)
    (same,) = index.similar("report.pdf", span=(by_span.start, end), k=1)
    assert (same.path, same.score) == (hit.path, pytest.approx(hit.score))
    (tmp_path / "other.pdf").write_bytes(pdf(["Nothing of the kind at all.", PAGES[3]]))
    assert index.similar(tmp_path / "other.pdf#page=2", k=1)[0].page == 4


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("report.pdf#page=9", "report.pdf: has 4 pages, so there is no page 9 in it"),
        ("report.pdf#page=3", "report.pdf: there is no text on page 3"),
        ("note.txt#page=1", "note.txt: has no pages, so there is no page 1 in it"),
    ],
)
def test_a_page_that_is_not_there_is_an_error(index: Index, address: str, why: str) -> None:
    """That says how many there are."""
    with pytest.raises(UsageError, match=f"^{why}$"):
        index.similar(address)
    with pytest.raises(UsageError, match=f"^{why}$"):
        index.explain("ferry", address)


def test_a_document_of_that_very_name_comes_first(index: Index) -> None:
    """Its own name may end like that."""
    index.add([Document("report.pdf#page=2", "Bread of another name."), Document("x.csv#page=1", "A row of bread.")])
    assert index.explain("bread", "report.pdf#page=2").path == "report.pdf#page=2"
    assert {hit.path for hit in index.search("bread", filter=Filter(path="x.csv#page=1"))} == {"x.csv#page=1"}
    assert index.explain("bread", "nowhere.pdf#page=2").cause == "missing"


def test_explain_says_why_what_is_in_a_file_is_not_found(index: Index, tmp_path: Path) -> None:
    """As it does of a file: not read and why, new, or no such thing; a file of several is no document itself."""
    folder = tmp_path / "articles"
    (folder / "x.zip").write_bytes(zipped({"a.txt": "The ferry.", "b.png": "x", "c/empty.txt": " "}))
    (folder / "none.mbox").write_bytes(b"no mails")
    for address, cause, message in (
        ("x.zip", "new", "it can be read, but is new"),
        ("x.zip!/a.txt", "new", "it can be read, but is new"),
        ("x.zip!/b.png", "unread", "not indexed: no reader for .png files"),
        ("x.zip!/c/empty.txt", "unread", "not indexed: empty"),
        ("x.zip!/d.txt", "unread", "not indexed: there is no such document in x.zip"),
        ("none.mbox", "unread", "not indexed: no mailbox"),
        ("y.zip!/a.txt", "missing", "there is no such file"),
    ):
        for name in (address, f"articles/{address}"):
            why = index.explain("ferry", name if name == address else tmp_path / name)
            assert (why.cause, message in why.message) == (cause, True), why
    index.sync(folder)
    assert index.explain("ferry", "x.zip!/a.txt").cause == "found"
    why = index.explain("ferry", "x.zip")
    assert (why.cause, why.message) == (
        "unread",
        f"holds 1 documents, each with an address of its own; name one, as {folder}/x.zip!/a.txt",
    )
    assert index.explain("ferry", "x.zip!/b.png").cause == "unread"


def test_pages_on_the_command_line(run: Run, articles: Path) -> None:
    """What a hit shows is taken as it is shown."""
    (articles / "report.pdf").write_bytes(pdf(PAGES))
    assert run("index", "articles").status == 0
    shown = run("search", "ferry to the islands", "-k", "1").out.splitlines()[1].strip()
    shown, _, _ = shown.partition(" ")
    assert shown == "articles/report.pdf#page=1"
    explained = run("explain", "ferry to the islands", shown, "-k", "1")
    assert (explained.status, explained.out.startswith(f"{shown}: among the hits: number 1 of 1")) == (0, True)
    assert run("similar", shown, "-k", "1").status == 0
    assert run("search", "ferry", "--path", "report.pdf#page=1", "--format", "paths").out.splitlines()
    for command in (("explain", "ferry", "report.pdf#page=9"), ("similar", "articles/report.pdf#page=9")):
        refused = run(*command)
        assert (refused.status, refused.err) == (
            2,
            "semsearch: report.pdf: has 4 pages, so there is no page 9 in it\n",
        )
