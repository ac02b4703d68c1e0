"""A text file is its own text; its first line is its title when it looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.errors import ReadError
from semsearch.read.dates import date_in_name, iso_date
from semsearch.read.text import read
from semsearch.types import Document, Section

LONG = "A paragraph that is longer than any title has a right to be. " * 3
TITLES = [
    ("Title\n\nBody.", "Title", 6),
    ("Title\r\n\r\nBody.", "Title", 7),
    ("Title\r\rBody.", "Title", 6),
    ("\n\n  Title  \n\nBody.", "Title", 12),
    ("Title\n \t\nBody.", "Title", 6),
    (f"Title\n{LONG}", "Title", 6),
    (f"Did he go?\n\n{LONG}", "Did he go?", 11),
    (f"It was raining.\n{LONG}", "", 0),
    (f"“We are done.”\n{LONG}", "", 0),
    (f"結論です。\n{LONG}", "", 0),
    ("It was raining\nand it was cold.\n", "", 0),
    (f"{LONG}\n\nBody.", "", 0),
    ("x" * 120 + "\n\nBody.", "x" * 120, 121),
    ("x" * 121 + "\n\nBody.", "", 0),
    ("Only a title", "Only a title", 0),
    ("Only a title\n\n \n", "Only a title", 0),
    ("\r\n\rTitle\n\nBody.", "Title", 9),
]


@pytest.mark.parametrize(("text", "title", "begin"), TITLES)
def test_the_first_line_is_the_title_if_it_reads_as_one(text: str, title: str, begin: int) -> None:
    """Short and set apart, and then it is no part of the body, unless there is none."""
    expected = Document("a.txt", text, title=title, sections=(Section(begin, len(text)),))
    assert read("a.txt", text.encode()) == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("\n\r ab.")))
@settings(max_examples=200, deadline=None)
def test_text_is_the_file_and_the_section_lies_in_it(text: str) -> None:
    """For any text: exact, one section with words in it, the title a line of the text before it."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        with pytest.raises(ReadError, match="empty"):
            read("a.txt", text.encode())
        return
    document = read("a.txt", text.encode())
    assert document.text == text
    assert document.has_lines
    assert document.sections is not None
    (section,) = document.sections
    assert 0 <= section.start < section.end == len(text)
    assert text[section.start :].strip()
    assert document.title in text[: section.start or len(text)]


@pytest.mark.parametrize(
    ("path", "date"),
    [
        ("2024-02-15-althea.txt", "2024-02-15"),
        ("news/2024-02-15.txt", "2024-02-15"),
        ("20240215_althea.txt", "2024-02-15"),
        ("20240215-althea.txt", "2024-02-15"),
        ("20240215.txt", ""),
        ("20240215123.txt", ""),
        ("2024-02-30-no-such-day.txt", ""),
        ("2024-02-151.txt", ""),
        ("althea-2024-02-15.txt", ""),
        ("2024-02-15/althea.txt", ""),
        ("٢٠٢٤-02-15.txt", ""),
    ],
)
def test_the_name_may_begin_with_the_date(path: str, date: str) -> None:
    """A valid day at the very beginning of the file's own name, and nothing else."""
    assert date_in_name(path) == date
    assert read(path, b"Word.").date == date


@pytest.mark.parametrize(
    ("stated", "date"),
    [
        (" 2024-02-15 ", "2024-02-15"),
        ("20240215", "2024-02-15"),
        ("2024-02-15T09:30:00Z", "2024-02-15T09:30:00+00:00"),
        ("2024-02-15 09:30", "2024-02-15T09:30:00"),
        ("2024-02-15T09:30:00.5+0100", "2024-02-15T09:30:00.500000+01:00"),
        ("Thu, 15 Feb 2024 09:30:00 +0100", "2024-02-15T09:30:00+01:00"),
        ("15 Feb 2024 09:30 GMT", "2024-02-15T09:30:00+00:00"),
        ("Thu, 55 Feb 2024 09:30:00 +0100", ""),
        ("15 February 2024", ""),
        ("2024-02", ""),
        ("2024-13-01", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_stated_dates_become_iso_8601(stated: str, date: str) -> None:
    """ISO and mail dates are read; what is neither is no date."""
    assert iso_date(stated) == date
