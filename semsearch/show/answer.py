"""What is shown and how it should look; nothing is made into text here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semsearch.types import Hit


@dataclass(frozen=True, slots=True)
class Answer:
    """A query, the mode in which it was asked, and its hits, best first."""

    query: str
    mode: str
    hits: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class Look:
    """How an answer is shown: `many` for one of several queries, `folder` is what paths are shown relative to.

    `width` is in columns, `color` allows ANSI colours, and `explain` adds the parts of each score.
    """

    width: int = 100
    color: bool = False
    explain: bool = False
    many: bool = False
    folder: str = ""
