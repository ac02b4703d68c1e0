"""Passages are exact, short enough for the model, and lose nothing."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import split as splitting
from semsearch.errors import ReadError
from semsearch.split import split
from semsearch.testing import HashEmbedder
from semsearch.types import Document, Section

PIECES = st.sampled_from(
    [
        "NATO said so. ",
        "Gas? ",
        "安全真空。",
        "שלום עולם. ",
        "e\u0301 ",
        "😀!",
        "\r\n",
        "\n\n",
        "\n",
        " ",
        "\u00a0",
        "—",
        "x" * 90 + " ",
        "a,b;c ",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=20), max_size=40).map("".join)


@given(TEXTS, st.integers(16, 40), st.integers(0, 3), st.text(max_size=30), st.data())
@settings(max_examples=300, deadline=None)
def test_spans_are_exact_and_short_enough_and_lose_nothing(
    text: str, limit: int, overlap: int, title: str, data: st.DataObject
) -> None:
    """For any text: spans in order, text as cited, tokens counted and within the limit, all ink in some passage."""
    cut = data.draw(st.integers(0, len(text)))
    sections = (Section(0, cut, "One"), Section(cut, len(text), "Two › Three"))
    embedder = HashEmbedder(limit=limit)
    passages = split(Document("a", text, title=title, sections=sections), embedder, overlap)
    covered: set[int] = set()
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert passage.tokens == embedder.count([passage.embedded])[0] <= limit
        assert passage.embedded.endswith(passage.text)
        assert passage.line == text.count("\n", 0, passage.start) + 1
        assert not passage.start < cut < passage.end
        covered.update(range(passage.start, passage.end))
    assert [p.start for p in passages] == sorted(p.start for p in passages)
    assert all(text[i].isspace() for i in set(range(len(text))) - covered)
    if not overlap:
        assert sum(len(p.text) for p in passages) == len(covered)


@given(TEXTS, st.integers(8, 60))
@settings(max_examples=100, deadline=None)
def test_a_long_text_loses_nothing_between_windows(text: str, window: int) -> None:
    """However small the windows in which sentences are looked for: passages in order, and all ink in one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "_WINDOW", window)
        passages = split(Document("a", text), HashEmbedder(limit=16))
    assert all(text[p.start : p.end] == p.text and p.tokens <= 16 for p in passages)
    assert "".join("".join(p.text.split()) for p in passages) == "".join(text.split())


def test_windows_change_nothing_where_sentences_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of many windows is cut as one that is looked at as a whole."""
    document = Document("a", " ".join(f"Sentence number {i} says nothing new." for i in range(3000)))
    in_windows = split(document, HashEmbedder())
    monkeypatch.setattr(splitting, "_WINDOW", len(document.text))
    assert in_windows == split(document, HashEmbedder())


@pytest.mark.parametrize("unit", ["安。", "a\n\n", '"A b. ', "(a. ", "word ", ".", "Mr. A. ", "\u0301", '"A. '])
def test_the_work_is_linear_on_hostile_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each code point is looked at in few windows, and no window is large: the library's time is the square of one."""
    sizes: list[int] = []
    real = splitting.sentencex.get_sentence_boundaries

    def counting(language: str, text: str) -> object:
        sizes.append(len(text))
        return real(language, text)

    monkeypatch.setattr(splitting.sentencex, "get_sentence_boundaries", counting)
    text = unit * (60_000 // len(unit))
    split(Document("a", text), HashEmbedder())
    assert sum(sizes) <= 2 * len(text) + max(sizes)
    assert max(sizes) <= splitting._WINDOW


def test_a_document_of_too_many_passages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be one commit; the reason says how many are too many."""
    monkeypatch.setattr(splitting, "MOST_PASSAGES", 20)
    text = "Word. " * 16
    assert len(split(Document("a", text * 20), HashEmbedder(limit=32))) == 20
    with pytest.raises(ReadError, match="more than 20 passages"):
        split(Document("a", text * 21), HashEmbedder(limit=32))


def test_sentences_are_packed_evenly_up_to_the_limit() -> None:
    """No passage is a scrap when the others have room."""
    text = " ".join(f"Sentence number {i} is here." for i in range(13))
    sizes = [p.tokens for p in split(Document("a", text), HashEmbedder(limit=24))]
    assert len(sizes) == -(-13 * 6 // 24)
    assert max(sizes) - min(sizes) <= 6


def test_title_and_heading_are_embedded_but_not_cited() -> None:
    """The model reads them first; the span leaves them out."""
    document = Document("a", "Body text.", title="The title", sections=(Section(0, 10, "Part › One"),))
    (passage,) = split(document, HashEmbedder())
    assert passage.embedded == "The title\nPart › One\nBody text."
    assert (passage.text, passage.heading) == ("Body text.", "Part › One")


def test_a_long_title_leaves_room_for_the_text() -> None:
    """It is cut between words to an eighth of the limit."""
    document = Document("a", "Body.", title="word " * 500)
    (passage,) = split(document, HashEmbedder(limit=80))
    assert passage.embedded == " ".join(["word"] * 10) + "\nBody."


def test_overlap_repeats_whole_sentences() -> None:
    """Each passage begins with the last sentences of the one before."""
    text = " ".join(f"Number {i} stands here." for i in range(12))
    passages = split(Document("a", text), HashEmbedder(limit=16), overlap=1)
    for one, two in itertools.pairwise(passages):
        last = re.findall(r"Number \d+ stands here\.", one.text)[-1]
        assert two.text.startswith(last)


@pytest.mark.parametrize("text", ["", " \n\t ", "\u2028"])
def test_nothing_to_read_gives_no_passage(text: str) -> None:
    """White space is not a passage."""
    assert split(Document("a", text), HashEmbedder()) == []


def test_a_word_that_is_too_long_is_cut_within() -> None:
    """Where there is no space to cut at, tokens are the places."""
    text = "." * 1000
    passages = split(Document("a", text), HashEmbedder(limit=30))
    assert "".join(p.text for p in passages) == text
    assert max(p.tokens for p in passages) == 30


def test_lines_are_not_given_where_they_are_not_those_of_a_file() -> None:
    """Text that was taken out of HTML has no lines."""
    assert [p.line for p in split(Document("a", "One.\nTwo.", has_lines=False), HashEmbedder())] == [0]


def test_a_whole_that_counts_more_than_its_sentences_is_cut_again() -> None:
    """Some tokenizers make more tokens of a text than of its sentences: the real count decides, and nothing is lost."""

    class Joining(HashEmbedder):
        def count(self, texts):
            return [n + 3 * len(re.findall(r"[.!?]\s", t)) for n, t in zip(super().count(texts), texts, strict=True)]

    text = " ".join(f"Number {i} stands here." for i in range(40))
    embedder = Joining(limit=30)
    passages = split(Document("a", text, title="A title"), embedder)
    assert max(embedder.count([p.embedded for p in passages])) <= 30
    assert " ".join(p.text for p in passages) == text
