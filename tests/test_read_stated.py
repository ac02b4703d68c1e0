"""What a file states of itself is believed unless a program made it up."""

from __future__ import annotations

import pytest

from semsearch.read import stated


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("  Gas in\nwinter ", "Gas in winter"),
        ("Microsoft Word - Gas in winter", "Gas in winter"),
        ("Microsoft Word - gas.docx", ""),
        ("report_final.pdf", ""),
        ("C:\\texts\\my report.doc", ""),
        ("Untitled", ""),
        ("Document1", ""),
        ("PowerPoint Presentation", ""),
        ("2024", ""),
        ("Vol. 2", "Vol. 2"),
        ("Node.js", "Node.js"),
        ("1984 and after", "1984 and after"),
        ("A\x00b\ud800", "A b\ufffd"),
        ("x" * 301, ""),
    ],
)
def test_titles(said: str, title: str) -> None:
    """Names of files and of nothing are no titles."""
    assert stated.title(said) == title


@pytest.mark.parametrize(("said", "author"), [("I. A.", "I. A."), ("User", ""), ("admin", ""), ("python-docx", "")])
def test_authors(said: str, author: str) -> None:
    """Accounts of computers are no authors."""
    assert stated.author(said) == author


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("D:20240215093000+01'00'", "2024-02-15T09:30:00+01:00"),
        ("D:20240215093000+01'00", "2024-02-15T09:30:00+01:00"),
        ("D:20240215093000Z", "2024-02-15T09:30:00+00:00"),
        ("D:20240215093000Z00'00'", "2024-02-15T09:30:00+00:00"),
        ("D:202402150930", "2024-02-15T09:30:00"),
        ("D:20240215", "2024-02-15"),
        ("2024-02-15T09:30:00Z", "2024-02-15T09:30:00+00:00"),
        ("D:20241315093000Z", ""),
        ("D:19700101000000Z", ""),
        ("D:29990101000000Z", ""),
        ("1601-01-01T00:00:00Z", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_dates(said: str, date: str) -> None:
    """A date that cannot be is none."""
    assert stated.date(said) == date
