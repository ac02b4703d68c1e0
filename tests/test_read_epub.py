"""An e-book becomes its chapters in reading order, below their headings, with what it states of itself, or a reason."""

from __future__ import annotations

import io
import zipfile

import pytest

from semsearch import Document
from semsearch.errors import ReadError
from semsearch.read.epub import read

CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
CHAPTERS = {
    "c1.xhtml": "<h1>Wells</h1><p>Deep <b>o</b>nes.</p><aside><p>1. A note.</p></aside>",
    "c 2.xhtml": "<section><header><h1>Pipes</h1><p>A motto.</p></header><h2>Long</h2><p>Čelične cevi.</p></section>",
    "cover.xhtml": "<svg><text>Cover</text></svg>",
}


def book(files: dict[str, str] | None = None, spine: str = "", properties: str = "") -> bytes:
    """A book of CHAPTERS, with these files besides or instead."""
    spine = spine or "".join(f'<itemref idref="{one}"/>' for one in "vabp")
    package = f"""<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Gas &amp; water</dc:title>
        <dc:creator>I. A.</dc:creator><dc:date>2024-02-15</dc:date><dc:language>sr-Latn</dc:language>
        <dc:publisher>A House</dc:publisher><dc:title>A second one</dc:title></metadata><manifest>
        <item id="a" href="c1.xhtml" media-type="application/xhtml+xml"/>
        <item id="b" href="c%202.xhtml" media-type="application/xhtml+xml" {properties}/>
        <item id="v" href="cover.xhtml" media-type="application/xhtml+xml"/>
        <item id="p" href="p.png" media-type="image/png"/></manifest>
        <spine>{spine}</spine></package>"""
    pages = {f"OEBPS/{name}": f"<html><body>{body}</body></html>" for name, body in CHAPTERS.items()}
    held = {"META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package, **pages, **(files or {})}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in held.items():
            made.writestr(name, content)
    return data.getvalue()


def parts(made: Document) -> list[tuple[str, str]]:
    """Heading and text of each section, without white space around."""
    return [(cut.heading, made.text[cut.start : cut.end].strip()) for cut in made.sections or ()]


def test_a_book_becomes_a_document() -> None:
    """All words of its chapters, notes and mottos too; the first title and what else it states."""
    made = read("a.epub", book())
    assert made.text == "Wells\n\nDeep ones.\n\n1. A note.\n\nPipes\n\nA motto.\n\nLong\n\nČelične cevi."
    assert (made.title, made.author, made.date) == ("Gas & water", "I. A.", "2024-02-15")
    assert (made.source, made.language, made.has_lines, made.pages) == ("A House", "sr-Latn", False, ())
    assert parts(made) == [
        ("Wells", "Deep ones.\n\n1. A note."),
        ("Pipes", "A motto."),
        ("Pipes › Long", "Čelične cevi."),
    ]


def test_chapters_come_in_reading_order_and_once() -> None:
    """The spine's order, not the manifest's."""
    spine = '<itemref idref="b"/><itemref idref="a"/><itemref idref="b"/><itemref idref="missing"/>'
    assert [heading for heading, _ in parts(read("a.epub", book(spine=spine)))] == ["Pipes", "Pipes › Long", "Wells"]


def test_the_table_of_contents_is_left_out() -> None:
    """Where the book says which page is one."""
    assert [heading for heading, _ in parts(read("a.epub", book(properties='properties="nav"')))] == ["Wells"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_encodings_are_those_that_the_pages_declare() -> None:
    """A page may have one of its own."""
    page = '<?xml version="1.0" encoding="iso-8859-2"?><html><body><p>Čaša</p></body></html>'.encode("iso-8859-2")
    data = io.BytesIO(book())
    with zipfile.ZipFile(data, "a") as made:
        made.writestr("OEBPS/c1.xhtml", page)
    assert "Čaša" in read("a.epub", data.getvalue()).text


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"META-INF/container.xml": "<container/>"}, "broken: it does not say where its contents are listed"),
        ({"META-INF/container.xml": "<container"}, "broken: its XML is not well-formed"),
        ({"META-INF/container.xml": CONTAINER.replace("book", "lost")}, "broken: lacks its part OEBPS/lost.opf"),
        ({"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/c%202.xhtml"/></e>'}, "encrypted: it has DRM"),
        (dict.fromkeys((f"OEBPS/{name}" for name in CHAPTERS), "<html/>"), "no text in it"),
    ],
)
def test_what_cannot_be_read_gives_its_reason(files: dict[str, str], reason: str) -> None:
    """Nothing is skipped in silence."""
    with pytest.raises(ReadError) as caught:
        read("a.epub", book(files))
    assert str(caught.value).startswith(reason)


def test_encrypted_fonts_are_no_drm() -> None:
    """Many books have them."""
    assert read("a.epub", book({"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/f.otf"/></e>'})).text
