"""Office files, as real programs' libraries write them, become documents: exact text, headings, pages, title, date."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from odf import dc, meta, office, table, text
from odf.opendocument import OpenDocumentText
from pptx.util import Inches

from semsearch import Document, Index
from semsearch.errors import ReadError
from semsearch.read import READERS, read_file
from semsearch.read.docx import read as read_docx
from semsearch.read.odt import read as read_odt
from semsearch.read.pptx import read as read_pptx
from semsearch.read.rtf import read as read_rtf
from semsearch.read.xlsx import read as read_xlsx
from semsearch.testing import HashEmbedder

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def saved(made: Any) -> bytes:
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def parts(made: Document) -> list[tuple[str, str]]:
    """Heading and text of each section, without white space around."""
    return [(cut.heading, made.text[cut.start : cut.end].strip()) for cut in made.sections or ()]


def word(*bodies: str) -> bytes:
    """A Word document with this markup as its body."""
    made = docx.Document()
    for body in bodies:
        made.element.body.insert(-1, parse_xml(body.replace(">", f' xmlns:w="{WORD}">', 1)))
    return saved(made)


def test_a_word_document_becomes_a_document() -> None:
    """Text to the letter, headings by their styles, a row of a table a line, and what the file states of itself."""
    made = docx.Document()
    stated = made.core_properties
    stated.title, stated.author, stated.subject = "Gas in winter", "I. A.", "Energy"
    stated.created, stated.language = datetime(2024, 2, 15, 9, 30, tzinfo=UTC), "en-GB"
    made.add_heading("Gas in winter", 0)
    made.add_paragraph("Prices  fell.\tBy half.\nIn a week.")
    made.add_heading("Stores", 1)
    made.add_heading("In the north", 2)
    made.add_paragraph("They are ").add_run("full").bold = True
    grid = made.add_table(2, 2)
    for cell, said in zip((grid.cell(0, 0), grid.cell(0, 1), grid.cell(1, 1)), ("Year", "TWh", "21\n22"), strict=True):
        cell.text = said
    got = read_docx("a.docx", saved(made))
    assert got.text == (
        "Gas in winter\n\nPrices fell. By half.\nIn a week.\n\nStores\n\nIn the north\n\nThey are full\n\n"
        "Year\tTWh\n\n21 22"
    )
    assert (got.title, got.author, got.date) == ("Gas in winter", "I. A.", "2024-02-15T09:30:00+00:00")
    assert (got.language, got.metadata, got.has_lines, got.pages) == ("en-GB", {"subject": "Energy"}, False, ())
    assert parts(got) == [
        ("", "Prices fell. By half.\nIn a week."),
        ("Stores › In the north", "They are full\n\nYear\tTWh\n\n21 22"),
    ]


def test_a_title_in_the_style_of_titles_counts_where_none_is_stated() -> None:
    """As most people write one."""
    made = docx.Document()
    made.add_heading("Gas in winter", 0)
    made.add_paragraph("Prices fell.")
    got = read_docx("2024-02-15-gas.docx", saved(made))
    assert (got.title, got.author, parts(got)) == ("Gas in winter", "", [("", "Prices fell.")])


RUN = "<w:r><w:t>{}</w:t></w:r>"
A = RUN.format("a")
P = f"<w:p>{A}</w:p>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<w:p>{RUN.format('ab')}{RUN.format('cd')}</w:p>", "abcd"),
        (f"<w:p><w:ins w:id='1'>{RUN.format('new')}</w:ins></w:p>", "new"),
        (f"<w:p>{RUN.format('a')}<w:del w:id='1'><w:r><w:delText>old</w:delText></w:r></w:del></w:p>", "a"),
        (f"<w:p>{RUN.format('a')}<w:moveFrom w:id='1'>{RUN.format('b')}</w:moveFrom></w:p>", "a"),
        (f"<w:sdt><w:sdtContent><w:p>{RUN.format('kept')}</w:p></w:sdtContent></w:sdt>", "kept"),
        (f"<w:p><w:hyperlink w:anchor='x'>{RUN.format('link')}</w:hyperlink></w:p>", "link"),
        ("<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>3</w:t></w:r></w:p>", "3"),
        (
            "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>",
            "a b",
        ),
        ("<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t></w:r></w:p>", "a\nb-c"),
        (
            f"<w:p>{A}<w:r><w:txbxContent><w:p>{RUN.format('in')}</w:p></w:txbxContent></w:r>{RUN.format('cross')}</w:p>",
            "across\n\nin",
        ),
        (
            f"<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc>{P}</w:tc></w:tr></w:tbl></w:tc><w:tc>{P}</w:tc></w:tr></w:tbl>",
            "a\ta",
        ),
    ],
)
def test_every_word_that_shows_is_read_and_no_other(body: str, expected: str) -> None:
    """Also what python-docx passes over: tracked insertions, content controls, text boxes."""
    assert read_docx("a.docx", word(body)).text == expected


def test_a_table_of_contents_is_left_out() -> None:
    """Its words are those of the headings."""
    made = docx.Document()
    made.styles.add_style("toc 1", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    made.add_paragraph("Stores ........ 7", style="toc 1")
    made.add_heading("Stores", 1)
    made.add_paragraph("Full.")
    assert read_docx("a.docx", saved(made)).text == "Stores\n\nFull."


def open_document() -> OpenDocumentText:
    made = OpenDocumentText()
    for element, said in (
        (dc.Title, "Gas in winter"),
        (meta.InitialCreator, "I. A."),
        (dc.Creator, "An editor"),
        (meta.CreationDate, "2024-02-15T09:30:00"),
    ):
        made.meta.addElement(element(text=said))
    made.text.addElement(text.H(outlinelevel=1, text="Gas in winter"))
    body = text.P(text="Prices")
    body.addElement(text.S(c=3))
    body.addElement(text.Span(text="fell"))
    note = text.Note(noteclass="footnote")
    note.addElement(text.NoteCitation(text="1"))
    inside = text.NoteBody()
    inside.addElement(text.P(text="By half."))
    note.addElement(inside)
    body.addElement(note)
    comment = office.Annotation()
    comment.addElement(text.P(text="Is this true?"))
    body.addElement(comment)
    body.addText(" again.")
    made.text.addElement(body)
    made.text.addElement(text.H(outlinelevel=2, text="Stores"))
    grid = table.Table()
    row = table.TableRow()
    for said in ("Year", "TWh"):
        cell = table.TableCell()
        cell.addElement(text.P(text=said))
        row.addElement(cell)
    grid.addElement(row)
    made.text.addElement(grid)
    return made


def test_an_open_document_becomes_a_document() -> None:
    """A note comes after its paragraph, a comment is no text, the first author counts."""
    got = read_odt("a.odt", saved(open_document()))
    assert got.text == "Gas in winter\n\nPrices fell again.\n\nBy half.\n\nStores\n\nYear\tTWh"
    assert (got.title, got.author, got.date) == ("Gas in winter", "I. A.", "2024-02-15T09:30:00")
    assert parts(got) == [("", "Prices fell again.\n\nBy half."), ("Stores", "Year\tTWh")]


def slides() -> bytes:
    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Gas in winter"
    first.placeholders[1].text = "A talk"
    made.slides.add_slide(made.slide_layouts[6])
    third = made.slides.add_slide(made.slide_layouts[5])
    grid = third.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    grid.cell(0, 0).text, grid.cell(0, 1).text = "Year", "TWh"
    third.shapes.title.text = "Stores"
    box = third.shapes.add_textbox(Inches(1), Inches(3), Inches(4), Inches(1)).text_frame
    box.text = "They are"
    box.paragraphs[0].add_run().text = " full"
    box.add_paragraph().text = "Nearly\vall."
    third.notes_slide.notes_text_frame.text = "Do not say why."
    made.core_properties.author = "I. A."
    made.core_properties.title = ""
    return saved(made)


def test_slides_are_pages_and_sections() -> None:
    """A slide's title comes first, then its shapes in their order, then the speaker's notes; an empty one counts."""
    got = read_pptx("a.pptx", slides())
    assert (
        got.text == "Gas in winter\n\nA talk\n\nStores\n\nYear\tTWh\n\nThey are full\n\nNearly\nall.\n\nDo not say why."
    )
    assert [got.text[page:][:6] for page in got.pages] == ["Gas in", "Stores", "Stores"]
    assert (got.title, got.author) == ("Gas in winter", "I. A.")
    assert [heading for heading, _ in parts(got)] == ["Gas in winter", "Stores"]


def workbook() -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Stores"
    sheet.append(["Day", "Country", "TWh", "Full"])
    sheet.append([date(2024, 2, 15), "Österreich", 95.5, True])
    sheet.append([datetime(2024, 2, 16, 9, 30, tzinfo=UTC).replace(tzinfo=None), None, 0.1 + 0.2, "=C2*2"])
    sheet.append([])
    sheet.append([time(9, 30), " a\nb ", 21, -1e20])
    made.create_sheet("Empty")
    made.create_sheet("Notes")["B2"] = "By hand"
    made.properties.title, made.properties.creator = "Gas", "I. A."
    return saved(made)


def test_a_workbook_has_a_section_for_each_sheet_and_a_line_for_each_row() -> None:
    """Dates as ISO 8601, numbers without what computers add to them, nothing for a sheet without cells."""
    got = read_xlsx("a.xlsx", workbook())
    rows = [
        "Day\tCountry\tTWh\tFull",
        "2024-02-15\tÖsterreich\t95.5\tTRUE",
        "2024-02-16 09:30:00\t0.3",
        "09:30:00\ta b\t21\t-1e+20",
    ]
    assert parts(got) == [("Stores", "\n\n".join(rows)), ("Notes", "By hand")]
    assert (got.title, got.author) == ("Gas", "I. A.")


RTF = rb"""{\rtf1\ansi\ansicpg1250{\fonttbl{\f0 Arial;}}{\info{\title Na\'9ae vode}{\author I. A.}
{\creatim\yr2024\mo2\dy5\hr3}}\pard Prvi \'9aum \u268?a.\par\par Drugi \b pas\b0 us \u-10179?\u-8704?.\par
{\*\generator Nobody;}{\pict\pngblip 89504e47}}"""


def test_rich_text_becomes_a_document() -> None:
    """In its code page, with characters beyond it, without pictures and settings."""
    got = read_rtf("a.rtf", RTF)
    assert got.text == "Prvi šum Ča.\n\nDrugi pasus 😀."
    assert (got.title, got.author, got.date) == ("Naše vode", "I. A.", "2024-02-05")


OFFICE = {
    "a.docx": word(f"<w:p>{RUN.format('The ferry sails.')}</w:p>"),
    "a.odt": saved(open_document()),
    "a.pptx": slides(),
    "a.xlsx": workbook(),
    "a.rtf": RTF,
}


@pytest.mark.parametrize("name", [*OFFICE, "a.epub"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no such file", "a broken zip|not rich text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, "encrypted|not rich"),
    ],
)
def test_what_is_no_such_file_says_so(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    """An old .doc under the new name, or one with a password, is named as what it may be."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ReadError, match=f"^(?:{reason})"):
        read_file(tmp_path / name, name)


@pytest.mark.parametrize("name", [name for name in OFFICE if name != "a.rtf"])
def test_one_kind_under_the_name_of_another_is_broken(name: str) -> None:
    """Nothing is guessed."""
    for other, data in OFFICE.items():
        if other not in {name, "a.rtf"}:
            module, _, attribute = READERS[name[1:]].partition(":")
            read = getattr(__import__(module, fromlist=[attribute]), attribute)
            try:
                made = read(name, data)
            except ReadError as error:
                assert str(error).startswith(("broken", "no text"))  # noqa: PT017 - either is right
            else:
                assert made.text.strip()


@pytest.mark.parametrize("name", OFFICE)
def test_damage_anywhere_is_a_reason_or_a_document(name: str) -> None:
    """Whichever byte is wrong, and wherever it ends, there is no other outcome."""
    module, _, attribute = READERS[name[1:]].partition(":")
    read = getattr(__import__(module, fromlist=[attribute]), attribute)
    data = OFFICE[name]
    for at in range(0, len(data), max(len(data) // 20, 1)):
        for damaged in (data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :], data[:at]):
            try:
                assert read(name, damaged).text.strip()
            except ReadError as error:
                assert str(error)  # noqa: PT017 - either is right


def test_hits_cite_exactly_and_slides_are_pages(tmp_path: Path) -> None:
    """For every passage of every kind."""
    (tmp_path / "a").mkdir()
    for name, data in OFFICE.items():
        (tmp_path / "a" / name).write_bytes(data)
    with Index.create(tmp_path / "x", embedder=HashEmbedder(limit=16)) as index:
        assert index.sync(tmp_path / "a").skipped == ()
        hits = index.search("ferry gas stores", k=100, mode="dense", collapse=False)
        assert {Path(hit.path).name for hit in hits} == set(OFFICE)
        for hit in hits:
            assert index.text(hit.document_id)[hit.start : hit.end] == hit.text
            assert (hit.line, hit.page > 0) == (0, hit.path.endswith(".pptx"))
        assert [hit.page for hit in hits if "why" in hit.text] == [3]


def test_a_part_that_is_encrypted_is_named(tmp_path: Path) -> None:
    """An OpenDocument says so in its manifest."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("META-INF/manifest.xml", "<m><file-entry><encryption-data/></file-entry></m>")
        packed.writestr("content.xml", b"\x8f\x00noise")
    with pytest.raises(ReadError, match=r"^encrypted: it opens only with its password$"):
        read_odt("a.odt", data.getvalue())
