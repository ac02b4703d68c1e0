"""A presentation (.pptx) -> a `Document` whose pages are its slides, with speakers' notes; sees no picture or chart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from semsearch.read import ooxml
from semsearch.read.blocks import Block, Flow, document
from semsearch.read.xml import events
from semsearch.read.zipped import Parts
from semsearch.types import Document, Section

_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldImg", "sldNum"})
_AS_TEXT = {"br": "\n", "tab": " "}


def read(path: str, data: bytes) -> Document:
    """The document in a .pptx file.

    Raises:
        ReadError: it is broken or encrypted, unpacks to too much, or has no text.
    """
    parts = Parts(data)
    blocks: list[Block] = []
    titles: list[str] = []
    for page, name in enumerate(_slides(parts), 1):
        title, texts = _slide(parts, name)
        titles.append(title)
        blocks += [Block("", page=page), *(Block(text, page=page) for text in texts)]
    known = ooxml.known(path, parts)
    known["title"] = known["title"] or next(iter(titles), "")
    made = document(path, blocks, **known)
    spans = zip(pairwise([*made.pages, len(made.text)]), titles, strict=True)
    sections = (Section(*span, title) for span, title in spans if made.text[slice(*span)].strip())
    return replace(made, sections=tuple(sections))


def _slides(parts: Parts) -> list[str]:
    """The parts that are slides, in their order."""
    main = ooxml.main_part(parts)
    by_id = {relation.id: relation.part for relation in ooxml.relations(parts, main)}
    listed = [
        given.get("id", "") for tag, _, given, is_end in events(parts.blocks(main)) if tag == "sldId" and not is_end
    ]
    return [by_id.get(identity, "") for identity in listed]


def _slide(parts: Parts, name: str) -> tuple[str, list[str]]:
    """The title of a slide and its paragraphs, the title first, its diagrams and the speaker's notes last."""
    titles, texts = _shapes(parts, name)
    for kind in ("diagramData", "notesSlide"):
        for relation in ooxml.relations(parts, name):
            if relation.kind == kind and relation.part in parts:
                texts += [text for shape in _shapes(parts, relation.part) for text in shape]
    return " ".join(" ".join(titles).split()), titles + texts


def _shapes(parts: Parts, name: str) -> tuple[list[str], list[str]]:
    """The paragraphs in shapes that are titles, and all others."""
    flow, title, kind, in_text = Flow(), Flow(), "", False
    for tag, text, given, is_end in ooxml.seen(events(parts.blocks(name))):
        into = title if kind in _TITLES else flow
        if tag == "ph" and not is_end:
            kind = given.get("type", "body")
        elif tag == "sp":
            kind = ""
        elif tag == "t":
            in_text = not is_end
        elif kind not in _FURNITURE and (tag or in_text):
            _take(into, tag, text, is_end=is_end)
    return [block.text for block in title.blocks], [block.text for block in flow.blocks]


def _take(flow: Flow, tag: str, text: str, *, is_end: bool) -> None:
    ends = {"p": flow.end, "tbl": flow.end_table, "tc": flow.end_cell, "tr": flow.end_row}
    if not tag:
        flow.add(text)
    elif is_end and tag in ends:
        ends[tag]()
    elif is_end:
        return
    elif tag == "p":
        flow.begin()
    elif tag == "tbl":
        flow.begin_table()
    elif tag in _AS_TEXT:
        flow.add(_AS_TEXT[tag])
