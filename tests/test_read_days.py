"""Days are found as people write them, in the languages of the articles, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from semsearch.read.days import day_in


@pytest.mark.parametrize(
    "line",
    [
        "15 February 2024",
        "Posted on Thursday, Feb. 15th, 2024 by A. B.",
        "February 15 2024 09:30",
        "Donnerstag, 15. Februar 2024",
        "jeudi 15 février 2024 à 15h46",
        "15 de febrero de 2024",
        "15 febbraio 2024",
        "15 de fevereiro de 2024",
        "15 februari 2024",
        "15 lutego 2024",
        "15. februara 2024.",
        "15. veljače 2024.",
        "15. фебруар 2024.",
        "15 февраля 2024",
        "2024年2月15日",
        "2024년 2월 15일",
        "2024-02-15 09:30:00 UTC",
        "15.02.2024 | 15:30 Uhr",
        "15. 2. 2024.",
        "15/2/2024",
        "2/15/2024",
        "32.01.2024, 15.02.2024",
    ],
)
def test_a_day_is_found(line: str) -> None:
    """Whatever stands around it; what is no day is passed over."""
    assert day_in(line) == "2024-02-15"


def test_where_either_could_be_the_month_the_reader_says_which() -> None:
    """As in America, or as elsewhere."""
    assert (day_in("2/3/2024"), day_in("2/3/2024", month_first=True)) == ("2024-03-02", "2024-02-03")


@pytest.mark.parametrize(
    "line",
    ["", "May 2024", "Version 15.2.20240", "15 people 2024", "31 February 2024", "1.2.3", "12/2024", "1900-01-01"],
)
def test_what_is_no_day_is_none(line: str) -> None:
    """Years without days, versions, days that never were."""
    assert day_in(line) == ""
