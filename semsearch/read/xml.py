"""XML -> events, as it comes and never as a tree; refuses entities, by which a few lines can stand for gigabytes.

Names are without their namespaces: the formats that are read here use no local name for two things in one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, NoReturn
from xml.parsers import expat

from semsearch.errors import ReadError

_DEEPEST = 10_000
_LONGEST_TAG = 2**22  # expat before 2.6 reads a tag from its beginning with every block, for minutes if it is long


class Event(NamedTuple):
    """A start tag with its attributes, an end tag (`is_end`), or a stretch of text, whose `name` is ""."""

    name: str
    text: str = ""
    given: Mapping[str, str] = {}
    is_end: bool = False


def events(blocks: Iterable[bytes]) -> Iterator[Event]:
    """What an XML file says, in order. The text of an element may come in several stretches.

    Raises:
        ReadError: it is not well-formed, declares entities, or is nested beyond reason.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    found: list[Event] = []
    depth = 0

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ReadError("nested too deep")
        found.append(Event(_local(name), given=_named(given) if given else given))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        found.append(Event(_local(name), is_end=True))

    def refuse(*_: object) -> NoReturn:
        raise ReadError("declares XML entities, which no such document does")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: found.append(Event("", text))
    parser.EntityDeclHandler = refuse
    try:
        silent = 0
        for block in blocks:
            parser.Parse(block, False)
            silent = 0 if found else silent + len(block)
            if silent > _LONGEST_TAG:
                raise ReadError("has a tag without an end")
            yield from found
            found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ReadError(f"broken: its XML is not well-formed ({error})") from error
    yield from found


def texts(blocks: Iterable[bytes], *names: str) -> dict[str, str]:
    """The text of the first element of each of these names that has any, in one line; "" where there is none."""
    said = dict.fromkeys(names, "")
    inside, parts = "", list[str]()
    for event in events(blocks):
        if event.name in said and not event.is_end and not said[event.name]:
            inside, parts = event.name, []
        elif inside and event.is_end and event.name == inside:
            said[inside], inside = " ".join("".join(parts).split()), ""
        elif inside:
            parts.append(event.text)
    return said


def _named(given: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their local names; of two alike (`id`, `r:id`), the one that has a namespace."""
    return {_local(key): value for key, value in sorted(given.items(), key=lambda item: " " in item[0])}


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
