"""A PDF becomes one text that flows across its pages, with title, date and author as it states them, or a reason."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Index
from semsearch.errors import ReadError
from semsearch.read.pdf import read
from semsearch.read.pdf_lines import HYPHEN, Line, flowing
from semsearch.testing import HashEmbedder

TASN1 = Path("/usr/share/doc/libtasn1-doc/libtasn1.pdf")
MIME = Path("/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf")


def paper(pages: list[str], head: str = "", foot: str = "") -> FPDF:
    """A PDF of these pages, with `{n}` in head and foot for the number of the page."""
    made = FPDF()
    made.set_auto_page_break(auto=False)
    for number, text in enumerate(pages, 1):
        made.add_page()
        made.set_font("Helvetica", size=12)
        if head:
            made.set_y(8)
            made.cell(0, 5, head.format(n=number))
        made.set_y(60)
        made.multi_cell(0, 6, text)
        if foot:
            made.set_y(-12)
            made.cell(0, 5, foot.format(n=number))
    return made


def text_of(pages: list[str], head: str = "", foot: str = "") -> str:
    return read("a.pdf", bytes(paper(pages, head, foot).output())).text


def test_a_pdf_becomes_a_document() -> None:
    """Exact text, where each page begins, and what it states of itself."""
    made = paper(["The first page.\nIt goes on,", "and ends here."], "The Gazette", "Page {n} of 2")
    made.set_title("Gas  in winter")
    made.set_author("I. A.")
    made.set_subject("Energy")
    made.set_creation_date(datetime(2024, 2, 15, 9, 30, tzinfo=UTC))
    got = read("a.pdf", bytes(made.output()))
    assert got.text == "The first page.\nIt goes on,\nand ends here."
    assert got.pages == (0, got.text.index("and ends"))
    assert (got.title, got.author, got.date) == ("Gas in winter", "I. A.", "2024-02-15T09:30:00+00:00")
    assert (got.has_lines, got.metadata, [cut.heading for cut in got.sections or ()]) == (
        False,
        {"subject": "Energy"},
        [""],
    )


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        (["Die Bundes-\nwehr und"], "Die Bundeswehr und"),
        (["ein Nord-\nSüd-Gefälle"], "ein Nord-Süd-Gefälle"),
        (["in 2023-\n24 it"], "in 2023-24 it"),
        (["a well-\nknown, a well-known"], "a well-known, a well-known"),
        (["Donau-\ndampf-\nschiff fuhr"], "Donaudampfschiff fuhr"),
        (["The end -\nof it"], "The end -\nof it"),
        (["the divi-", "ded word"], "the divided word"),
        (["the divi-", "", "ded word"], "the divided word"),
        (["one\n\ntwo", "three"], "one\ntwo\nthree"),
    ],
)
def test_divided_words_are_made_whole(pages: list[str], text: str) -> None:
    """Also across pages; a hyphen that belongs to the word stays."""
    assert text_of(pages) == text


def test_a_divided_word_is_on_the_page_where_it_begins() -> None:
    """The next page begins within it."""
    made = read("a.pdf", bytes(paper(["the divi-", "ded word"]).output()))
    assert [made.text[start:] for start in made.pages] == ["the divided word", "ded word"]


BODY = [f"This is the text of page {name}.\nIt says {name}." for name in ("one", "two", "three", "four")]


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        ("The Gazette", ""),
        ("", "{n}"),
        ("", "- {n} -"),
        ("Report on gas {n}", "Page {n} of 4"),
        ("The Gazette", "15 February 2024"),
        ("", "Seite {n}"),
    ],
)
@pytest.mark.parametrize("count", [2, 4])
def test_running_heads_and_feet_are_gone(head: str, foot: str, count: int) -> None:
    """What repeats at the same place of each page, and page numbers; the rest stays to the letter."""
    assert text_of(BODY[:count], head, foot) == "\n".join(BODY[:count])


def test_what_stands_once_at_the_edge_of_a_page_stays() -> None:
    """A line in the margin is dropped for what repeats, not for where it is; so is a number within the text."""
    made = paper(BODY)
    made.page = 2
    made.set_y(8)
    made.cell(0, 5, "Correction: it was 3 ships.")
    assert "Correction: it was 3 ships." in read("a.pdf", bytes(made.output())).text
    assert text_of(["Answer\n42", "Answer\n43", "Answer\n44"]) == "Answer\n42\nAnswer\n43\nAnswer\n44"


def test_a_head_that_changes_with_the_chapter_is_known_by_its_number() -> None:
    """`Chapter 2: Pipes 3` stands on page 3 alone, and 3 is its number."""
    made = paper(BODY)
    for page, words in enumerate(["Wells 1", "Pipes 2", "Stores 3", "Prices 4"], 1):
        made.page = page
        made.set_y(8)
        made.cell(0, 5, f"On {words}")
    assert read("a.pdf", bytes(made.output())).text == "\n".join(BODY)


def test_bookmarks_are_headings() -> None:
    """Where a line of the page says the same; text flows on over the page in one section."""
    made = paper(["1. Wells\nDeep ones.", "They go on.\n2. Pipes\nLong ones."])
    made.page = 1
    made.start_section("Wells")
    made.page = 2
    made.start_section("Pipes")
    made.start_section("Nowhere said")
    got = read("a.pdf", bytes(made.output()))
    assert [(cut.heading, got.text[cut.start : cut.end].strip()) for cut in got.sections or ()] == [
        ("Wells", "Deep ones.\nThey go on."),
        ("Pipes", "Long ones."),
    ]


def test_hits_have_pages_and_cite_exactly(tmp_path: Path) -> None:
    """Each passage is found with the page it begins on, and is the text at its span."""
    words = ["ferry", "harbour", "island", "lighthouse"]
    pages = [" ".join(f"The {word} number {i} is old." for i in range(30)) for word in words]
    (tmp_path / "a").mkdir()
    paper(pages, "The Gazette", "{n}").output(str(tmp_path / "a/b.pdf"))
    with Index.create(tmp_path / "x", embedder=HashEmbedder(limit=32)) as index:
        index.sync(tmp_path / "a")
        for page, word in enumerate(words, 1):
            hit = index.search(word, k=1, mode="lexical")[0]
            assert index.text(hit.document_id)[hit.start : hit.end] == hit.text
            assert (hit.page, hit.line) == (page, 0)
            assert word in hit.text


def encrypted(password: str) -> bytes:
    made = paper(["Secret."])
    made.set_encryption(owner_password="owner", user_password=password)
    return bytes(made.output())


def drawn() -> bytes:
    made = paper(["", ""], foot="{n}")
    made.rect(20, 20, 50, 50)
    return bytes(made.output())


PLAIN = bytes(paper(BODY).output())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no PDF at all", "a broken PDF"),
        (PLAIN[:200], "a broken PDF"),
        (drawn(), "has no text layer: it is a scan; run OCR first, for example `ocrmypdf`"),
        (encrypted("password"), "encrypted: it opens only with its password"),
    ],
)
def test_what_cannot_be_read_gives_its_reason(data: bytes, reason: str) -> None:
    """Nothing is skipped in silence."""
    with pytest.raises(ReadError) as caught:
        read("a.pdf", data)
    assert str(caught.value) == reason


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    """One that only forbids printing."""
    assert read("a.pdf", encrypted("")).text == "Secret."


def test_damage_anywhere_is_a_reason_or_a_document() -> None:
    """Whichever byte is wrong, there is no other outcome."""
    for at in range(0, len(PLAIN), max(len(PLAIN) // 150, 1)):
        damaged = PLAIN[:at] + bytes([PLAIN[at] ^ 0xFF]) + PLAIN[at + 1 :]
        with suppress(ReadError):
            assert read("a.pdf", damaged).text.strip()


def test_several_threads_read_at_once() -> None:
    """PDFium is called by one at a time."""
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(read("a.pdf", PLAIN).text)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["\n".join(BODY)] * 6


words = st.text(st.sampled_from("abÜß1"), min_size=1, max_size=4)
lines = st.lists(words, min_size=1, max_size=4).map(" ".join)
ends = st.sampled_from(["", "", "-", HYPHEN + "x", "\u00ad"])
pages = st.lists(st.lists(st.tuples(lines, ends).map("".join), max_size=5), min_size=1, max_size=6)


@given(pages)
@settings(max_examples=300, deadline=None)
def test_no_letter_is_lost_or_made_up(made: list[list[str]]) -> None:
    """Whatever the lines: the letters stay in order, each page begins with its first letter, no marks are left."""
    text, starts = flowing([[Line(line) for line in page] for page in made])

    def letters(said: str) -> str:
        return "".join(filter(str.isalnum, said))

    assert letters(text) == letters("".join("".join(page) for page in made))
    assert len(starts) == len(made)
    assert starts[0] == 0
    for number, start in enumerate(starts):
        assert letters(text[start:]) == letters("".join("".join(page) for page in made[number:]))
    assert not set(text) & {"\f", "\v", HYPHEN}


@pytest.mark.skipif(not TASN1.exists(), reason="libtasn1-doc is not installed")
def test_a_manual_of_texinfo() -> None:
    """Front matter in Roman numbers, heads that change with the chapter, bookmarks: none of them in the text."""
    made = read("a.pdf", TASN1.read_bytes())
    assert "Chapter 2: ASN.1 structure handling" not in made.text
    assert made.date[:4] >= "2020"
    assert "2 ASN.1 structure handling › Naming" in [cut.heading for cut in made.sections or ()]
    assert made.text.count("ASN.1 structure handling") == 2


@pytest.mark.skipif(not MIME.exists(), reason="shared-mime-info has no PDF here")
def test_a_specification_of_docbook() -> None:
    """Its title stands once, and no page number is left."""
    made = read("a.pdf", MIME.read_bytes())
    lines = made.text.split("\n")
    assert lines.count("Shared MIME-info Database") == 1
    assert not [line for line in lines if line.isdigit() and int(line) <= len(made.pages) and line != "100"]
    assert len(made.pages) == 17
