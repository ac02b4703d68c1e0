"""The headline of a page: the heading that its stated titles repeat, without the name of the site; parses no page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semsearch.read.html_blocks import Found
from semsearch.read.html_facts import Facts
from semsearch.read.outline import LONGEST_HEADING

_CUT = r"(?:\s(?:[|•·»«›–—:/-]|::|//)+\s|\s*[|»›]\s*|:\s)"
_BETWEEN = re.compile(_CUT)
_ENDS, _BEGINS = re.compile(rf"(?:^|.*{_CUT})\s*"), re.compile(rf"\s*(?:$|{_CUT}.*)")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){2,}")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}")
_PLAIN = str.maketrans("’‘′“”„–—", "'''\"\"\"--")
_LONGEST = 1000
_LOWEST = 4
_LEAST = 10
"""Characters of a part of a title that a heading has within it."""


def headline(known: Facts, blocks: Sequence[Found]) -> Found | None:
    """The block that says the title: the longest heading that is a part of a stated title, or has one in it, or a line.

    Args:
        known: what the page says of itself.
        blocks: all that it has, in order.
    """
    titles = [_folded(each) for each in (known.headline, known.title) if each]
    headings = [block for block in blocks if 0 < block.level <= _LOWEST]
    parts = [block for block in headings if any(_is_part(_folded(block.text), title) for title in titles)]
    if parts:
        return max(parts, key=lambda block: (len(block.text), -block.level))
    firsts = (block for block in headings if block.level == 1)
    lines = (block for block in blocks if not block.level and _LEAST < len(block.text) <= LONGEST_HEADING)
    says = (block for block in firsts if any(_says(_folded(block.text), title) for title in titles))
    repeats = (block for block in lines if any(_is_part(_folded(block.text), title) for title in titles))
    return next(says, None) or max(repeats, key=lambda block: len(block.text), default=None)


def title(known: Facts, found: Found | None, content: Sequence[Found]) -> str:
    """The title in one line: the headline, or what is stated, or the first of the highest headings."""
    stated = "" if _SLUG.fullmatch(known.headline) else known.headline
    if found is not None and (not stated or _is_part(_folded(found.text), _folded(stated))):
        return " ".join(found.text.split())
    firsts = [found] if found is not None else [block for block in content if block.level == 1]
    if stated or not firsts or (len(firsts) > 1 and known.title):
        return _without_site(stated or known.title, known.source)
    return " ".join(firsts[0].text.split())


def _is_part(heading: str, title: str) -> bool:
    """Whether a title is the heading, alone or cut from what is before and after: `The Paper | Words`."""
    before, found, after = title.partition(heading)
    return bool(heading and found and _ENDS.fullmatch(before) and _BEGINS.fullmatch(after))


def _says(heading: str, title: str) -> bool:
    return any(len(part) >= _LEAST and part in heading for part in map(str.strip, _BETWEEN.split(title)))


def _without_site(title: str, site: str) -> str:
    """A title without the name of the site at its end, as the page or the name of a host says it."""
    for cut in _BETWEEN.finditer(title):
        rest = title[cut.end() :]
        if _folded(rest) == _folded(site) or all(map(_HOST.fullmatch, _BETWEEN.split(rest.casefold()))):
            return title[: cut.start()]
    return title


def _folded(text: str) -> str:
    """Words as they are compared: without case, with plain quotes and dashes, and no more than a title has."""
    return " ".join(text[:_LONGEST].split()).casefold().translate(_PLAIN)
