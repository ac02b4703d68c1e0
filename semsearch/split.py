"""Cuts a document into passages with exact spans, none longer than asked for; embeds nothing and stores nothing.

Sentences are counted in the model's own tokens and packed up to the limit, evenly, so that a section does not end in a
scrap. A passage never crosses a heading. Title and heading are embedded with it, but lie outside its span.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from math import ceil
from typing import TypeAlias

import sentencex

from semsearch.errors import ReadError
from semsearch.types import Document, Embedder, Passage, Section, embedded_text

Span: TypeAlias = tuple[int, int]

MOST_PASSAGES = 100_000
"""Of one document, which is committed as one: an ordinary text of 50 MB has fewer."""

_PREFIX_SHARE = 8
"""Title and heading may each have this part of the limit, one in eight."""

_WINDOW = 1 << 14
"""Code points in which sentences are looked for at once, some pages of print. The library's time grows with the square
of a paragraph (`"安。" * 40_000` takes it 9 seconds), and what it gives takes a hundred times as much as a sentence."""

_TOGETHER = 1 << 12
"""Texts that are counted at once: a tokenizer keeps some kilobytes of each meanwhile."""


@dataclass(frozen=True, slots=True)
class _Sentences:
    """Where sentences start and end in a text, and their tokens: numbers side by side, as there may be millions."""

    starts: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    tokens: array[int] = field(default_factory=lambda: array("q"))

    def add(self, start: int, end: int, tokens: int) -> None:
        """Put one after the others."""
        self.starts.append(start)
        self.ends.append(end)
        self.tokens.append(tokens)


def split(document: Document, embedder: Embedder, overlap: int = 0, limit: int | None = None) -> list[Passage]:
    """The passages of a document, in order.

    Args:
        document: what to cut.
        embedder: whose tokens are counted.
        overlap: how many sentences each passage repeats from the one before it in its section.
        limit: the most tokens of a passage, with its title; None for all that the embedder reads.

    Raises:
        ReadError: there are more than MOST_PASSAGES.
    """
    limit = embedder.limit if limit is None else limit
    passages = list(islice(_passages(document, embedder, overlap, limit), MOST_PASSAGES + 1))
    if len(passages) > MOST_PASSAGES:
        raise ReadError(f"more than {MOST_PASSAGES:,} passages, so it is no article")
    return passages


def _passages(document: Document, embedder: Embedder, overlap: int, limit: int) -> Iterator[Passage]:
    sections = document.sections if document.sections is not None else (Section(0, len(document.text)),)
    line, counted = int(document.has_lines), 0
    for section in sections:
        for (start, end), text, embedded, tokens in _cut(document, section, embedder, overlap, limit):
            if document.has_lines:
                line += document.text.count("\n", counted, start)
                counted = start
            yield Passage(start, end, text, embedded, tokens, section.heading, line)


def _cut(
    document: Document, section: Section, embedder: Embedder, overlap: int, limit: int
) -> Iterator[tuple[Span, str, str, int]]:
    title, heading = _prefix(document.title, section.heading, embedder, limit)
    room = limit - sum(embedder.count([part for part in (title, heading) if part]))
    sentences = _sentences(document, section, embedder, room)
    spans = _pack(sentences, room, overlap)
    while some := list(islice(spans, _TOGETHER)):
        texts = [document.text[start:end] for start, end in some]
        inputs = [embedded_text(title, heading, text) for text in texts]
        for span, text, embedded, tokens in zip(some, texts, inputs, embedder.count(inputs), strict=True):
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


def _sentences(document: Document, section: Section, embedder: Embedder, room: int) -> _Sentences:
    """Sentences of a section without the white space around them, each of at most `room` tokens."""
    text, found = document.text, _Sentences()
    for spans in _windows(text, section, (document.language or "en")[:2].lower()):
        counts = embedder.count([text[start:end] for start, end in spans])
        for (start, end), tokens in zip(spans, counts, strict=True):
            if tokens <= room:
                found.add(start, end, tokens)
            else:
                for piece in _pieces(text, start, end, embedder, room):
                    found.add(*piece)
    return found


def _windows(text: str, section: Section, language: str) -> Iterator[list[Span]]:
    """The sentences of a section, some at a time, without the white space around them.

    A window begins where a sentence ends: the last one of a window, which may go on behind it, is looked at again,
    unless it is longer than half of the window. Then it is too long for a passage, and ends between words.
    """
    start = section.start
    while start < section.end:
        stop = min(start + _WINDOW, section.end)
        window = text[start:stop]
        found = sentencex.get_sentence_boundaries(language, window)
        # Only where sentences end is taken from the library, so that no word can fall between two of them.
        ends = sorted({min(sentence["end_index"], len(window)) for sentence in found} | {0, len(window)})
        if stop < section.end:
            last = ends.pop()
            if 2 * ends[-1] < last:
                ends.append(_last_word(window, ends[-1]))
        spans = (_stripped(text, start + first, start + last) for first, last in pairwise(ends))
        yield [(first, last) for first, last in spans if first < last]
        start += ends[-1]


def _last_word(window: str, start: int) -> int:
    """Where the last word of a window begins, if it is not all that comes after `start`; else the end."""
    ends = (i for i in range(len(window) - 1, start, -1) if window[i].isspace())
    return next(ends, len(window) - 1) + 1


def _pieces(text: str, start: int, end: int, embedder: Embedder, room: int) -> Iterator[tuple[int, int, int]]:
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
            yield left, right, stop - at
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


def _pack(sentences: _Sentences, room: int, overlap: int) -> Iterator[Span]:
    """Spans of sentences that together have at most `room` tokens, of about the same size each.

    Each begins with the last `overlap` sentences of the one before, as far as there is room for a new one after them.
    """
    sizes = sentences.tokens
    left = sum(sizes)
    new = 0
    while new < len(sizes):
        first = max(new - overlap, 0)
        while first < new and sum(sizes[first : new + 1]) > room:
            first += 1
        last, tokens = new, sum(sizes[first:new])
        target = (left + tokens) / max(ceil((left + tokens) / max(room, 1)), 1)
        while last < len(sizes) and tokens + sizes[last] <= room:
            if last > new and tokens + sizes[last] / 2 > target:
                break
            tokens += sizes[last]
            last += 1
        last = max(last, new + 1)
        left -= sum(sizes[new:last])
        yield sentences.starts[first], sentences.ends[last - 1]
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
