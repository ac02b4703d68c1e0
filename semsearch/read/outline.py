"""Headings of a text -> its sections, for every format that has headings; finds no heading itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from semsearch.types import Section

LONGEST_HEADING = 200
"""Characters; what is longer is a paragraph, whatever its markup says."""

MOST_HEADINGS = 100_000

_JOINT = " › "


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level, 1 to 6, and its words; it stands at text[start:stop], what is below begins at `end`."""

    level: int
    words: str
    start: int
    stop: int
    end: int


def sections(
    text: str, headings: Sequence[Heading], begin: int = 0, title: Heading | None = None
) -> tuple[Section, ...]:
    """The bodies below the headings, from `begin` on, each with the trail of its headings but without `title`.

    A heading with nothing below it has its own line for a section, so that no words are lost; if a deeper heading
    comes next, its words are in the trail of that one.
    """
    first = headings[0].start if headings else len(text)
    found = [Section(begin, first)]
    trail: list[Heading] = []
    for heading, after in pairwise([*headings, None]):
        assert heading is not None
        trail = [outer for outer in trail if outer.level < heading.level]
        above = _joined(trail)
        if heading is not title:
            trail.append(heading)
        limit = after.start if after else len(text)
        if not _is_blank(text, heading.end, limit):
            found.append(Section(heading.end, limit, _joined(trail)))
        elif after is None or after.level <= heading.level:
            found.append(Section(heading.start, heading.stop, above))
    return tuple(section for section in found if not _is_blank(text, section.start, section.end))


def _joined(trail: Sequence[Heading]) -> str:
    return _JOINT.join(heading.words for heading in trail)


def _is_blank(text: str, start: int, end: int) -> bool:
    return not text[start:end].strip()
