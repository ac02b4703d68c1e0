"""Cuts a document into passages with exact spans, none longer than asked for; embeds nothing and stores nothing.

Sentences are counted in the model's own tokens and packed up to the limit, evenly, so that a section does not end in a
scrap. A passage never crosses a heading. Title and heading are embedded with it, but lie outside its span.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil
from typing import TypeAlias

import sentencex

from semsearch.types import Document, Embedder, Passage, Section

Span: TypeAlias = tuple[int, int]

_PREFIX_SHARE = 8
"""Title and heading may each have this part of the limit, one in eight."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    tokens: int


def split(document: Document, embedder: Embedder, overlap: int = 0, limit: int | None = None) -> list[Passage]:
    """The passages of a document, in order.

    Args:
        document: what to cut.
        embedder: whose tokens are counted.
        overlap: how many sentences each passage repeats from the one before it in its section.
        limit: the most tokens of a passage, with its title; None for all that the embedder reads.
    """
    limit = embedder.limit if limit is None else limit
    sections = document.sections if document.sections is not None else (Section(0, len(document.text)),)
    lines = _line_starts(document)
    return [
        Passage(start, end, text, embedded, tokens, section.heading, bisect_right(lines, start))
        for section in sections
        for (start, end), text, embedded, tokens in _cut(document, section, embedder, overlap, limit)
    ]


def embedded_text(title: str, heading: str, text: str) -> str:
    """What the model reads for a passage: title, trail of headings and text, a line each.

    A document that is all title, or a section that is all heading, is not read twice.
    """
    return "\n".join([*(part for part in (title, heading) if part and not text.startswith(part)), text])


def _cut(
    document: Document, section: Section, embedder: Embedder, overlap: int, limit: int
) -> Iterator[tuple[Span, str, str, int]]:
    title, heading = _prefix(document.title, section.heading, embedder, limit)
    room = limit - sum(embedder.count([part for part in (title, heading) if part]))
    sentences = _sentences(document, section, embedder, room)
    spans = list(_pack(sentences, room, overlap))
    texts = [document.text[start:end] for start, end in spans]
    inputs = [embedded_text(title, heading, text) for text in texts]
    for span, text, embedded, tokens in zip(spans, texts, inputs, embedder.count(inputs), strict=True):
        if tokens <= limit:
            yield span, text, embedded, tokens
        else:
            # Tokens of the whole can be more than those of its sentences: it is cut again by its real count.
            yield from _halved(span, document.text, (title, heading), embedder, limit)


def _halved(
    span: Span, text: str, prefix: tuple[str, str], embedder: Embedder, limit: int
) -> Iterator[tuple[Span, str, str, int]]:
    start, end = _stripped(text, *span)
    embedded = embedded_text(*prefix, text[start:end])
    tokens = embedder.count([embedded])[0]
    if tokens <= limit or end - start < 2:  # noqa: PLR2004 - one code point cannot be halved
        if start < end:
            yield (start, end), text[start:end], embedded, tokens
        return
    middle = _word_start(text, start, (start + end) // 2, end)
    yield from _halved((start, middle), text, prefix, embedder, limit)
    yield from _halved((middle, end), text, prefix, embedder, limit)


def _prefix(title: str, heading: str, embedder: Embedder, limit: int) -> tuple[str, str]:
    """Title and heading, each cut between words to an eighth of the limit at the most."""
    most = max(limit // _PREFIX_SHARE, 1)
    return _shortened(title, most, embedder), _shortened(heading, most, embedder)


def _shortened(text: str, most: int, embedder: Embedder) -> str:
    text = " ".join(text.split())
    if not text or embedder.count([text])[0] <= most:
        return text
    end = embedder.offsets(text)[most][0]
    return text[: text.rfind(" ", 0, end + 1) if " " in text[:end] else end].rstrip()


def _sentences(document: Document, section: Section, embedder: Embedder, room: int) -> list[_Sentence]:
    """Sentences of a section without the white space around them, each of at most `room` tokens."""
    text = document.text[section.start : section.end]
    found = sentencex.get_sentence_boundaries((document.language or "en")[:2].lower(), text)
    # Only where sentences end is taken from the library, so that no word of the text can fall between two of them.
    ends = sorted({min(sentence["end_index"], len(text)) for sentence in found} | {0, len(text)})
    spans = [_stripped(text, start, end) for start, end in pairwise(ends)]
    spans = [span for span in spans if span[0] < span[1]]
    counts = embedder.count([text[start:end] for start, end in spans])
    pieces = [
        piece
        for (start, end), tokens in zip(spans, counts, strict=True)
        for piece in ([_Sentence(start, end, tokens)] if tokens <= room else _pieces(text, start, end, embedder, room))
    ]
    return [_Sentence(section.start + p.start, section.start + p.end, p.tokens) for p in pieces]


def _pieces(text: str, start: int, end: int, embedder: Embedder, room: int) -> Iterator[_Sentence]:
    """A sentence that is too long, cut between words; within a word only where that alone is too long."""
    sentence = text[start:end]
    offsets = embedder.offsets(sentence)
    at = 0
    while at < len(offsets):
        stop = min(at + room, len(offsets))
        if stop < len(offsets):
            stop = _between_words(sentence, offsets, at, stop)
        first = start + (offsets[at][0] if at else 0)
        last = start + (offsets[stop][0] if stop < len(offsets) else end - start)
        left, right = _stripped(text, first, last)
        if left < right:
            yield _Sentence(left, right, stop - at)
        at = stop


def _between_words(text: str, offsets: Sequence[Span], at: int, stop: int) -> int:
    """The last token before `stop` that begins a word, else the last that begins a new code point, else `stop`."""
    for i in range(stop, at + (stop - at) // 2, -1):
        if text[offsets[i][0] - 1].isspace():
            return i
    for i in range(stop, at, -1):
        if offsets[i][0] >= offsets[i - 1][1]:
            return i
    return stop


def _pack(sentences: Sequence[_Sentence], room: int, overlap: int) -> Iterator[Span]:
    """Spans of sentences that together have at most `room` tokens, of about the same size each.

    Each begins with the last `overlap` sentences of the one before, as far as there is room for a new one after them.
    """
    left = sum(sentence.tokens for sentence in sentences)
    new = 0
    while new < len(sentences):
        first = max(new - overlap, 0)
        while first < new and sum(s.tokens for s in sentences[first : new + 1]) > room:
            first += 1
        last, tokens = new, sum(s.tokens for s in sentences[first:new])
        target = (left + tokens) / max(ceil((left + tokens) / max(room, 1)), 1)
        while last < len(sentences) and tokens + sentences[last].tokens <= room:
            if last > new and tokens + sentences[last].tokens / 2 > target:
                break
            tokens += sentences[last].tokens
            last += 1
        last = max(last, new + 1)
        left -= sum(s.tokens for s in sentences[new:last])
        yield sentences[first].start, sentences[last - 1].end
        new = last


def _word_start(text: str, start: int, middle: int, end: int) -> int:
    """The first place from the middle on where a word begins, else the middle."""
    for i in range(middle, end - 1):
        if text[i].isspace():
            return i + 1
    return max(middle, start + 1)


def _stripped(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _line_starts(document: Document) -> list[int]:
    """Where each line begins, as an editor counts lines; none where they are not lines of a file."""
    if not document.has_lines:
        return []
    lengths = (len(line) for line in document.text.split("\n"))
    return [0, *(end for end in accumulate(length + 1 for length in lengths))][:-1]
