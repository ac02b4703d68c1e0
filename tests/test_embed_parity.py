"""A prepared model gives the vectors of sentence-transformers, whatever the model is and however the texts are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from semsearch.embed import card as cards
from semsearch.embed import resolve, runtimes
from semsearch.embed.runtime import GraphEmbedder
from tests import models
from tests.models import TEXTS

NAMES = [pytest.param("default", marks=pytest.mark.model), *(build.__name__ for build in models.EXPORTED)]
KINDS = ("query", "document")
RUNTIMES = [name for name in runtimes.RUNTIMES if runtimes.installed(name)]
COARSE = "openvino-bf16"


@dataclass(frozen=True)
class Case:
    """A prepared model and its name among the test models."""

    name: str
    embedder: GraphEmbedder

    @property
    def coarse(self) -> bool:
        """Whether documents are encoded in bfloat16."""
        return self.embedder.runtime == COARSE

    def encode(self, kind: str, texts: tuple[str, ...] | list[str]) -> np.ndarray:
        """The vectors of the texts as queries or as documents."""
        return self.embedder.encode_query(texts) if kind == "query" else self.embedder.encode_document(texts)


@pytest.fixture(scope="module", autouse=True)
def own_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMSEARCH_CACHE", str(models.own_cache()))
        yield


@pytest.fixture(scope="module", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that is installed, by its name."""
    return request.param


@pytest.fixture(scope="module", params=NAMES)
def case(request: pytest.FixtureRequest, runtime: str) -> Case:
    """Each model with each runtime."""
    model = "all-MiniLM-L6-v2" if request.param == "default" else str(models.built() / request.param)
    embedder = resolve(model)
    assert isinstance(embedder, GraphEmbedder), embedder.card.reason
    return Case(request.param, GraphEmbedder(cards.folder_of(embedder.fingerprint), runtime=runtime))


@pytest.mark.parametrize("kind", KINDS)
def test_the_vectors_are_those_of_sentence_transformers(case: Case, kind: str) -> None:
    """Each has a cosine of at least 0.9999 to the original's, and its length; in bfloat16, 0.9998 and its rounding."""
    expected, actual = models.expected(case.name, kind), case.encode(kind, TEXTS)
    lengths = np.linalg.norm(expected, axis=1)
    cosines = (expected * actual).sum(axis=1) / lengths / np.linalg.norm(actual, axis=1)
    least, rounding = (0.9998, 2.0**-8) if case.coarse else (0.9999, 1e-4)  # bfloat16 has 8 bits
    assert cosines.min() >= least
    np.testing.assert_allclose(np.linalg.norm(actual, axis=1), lengths, rtol=rounding)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_the_same_vector_in_any_company(case: Case, kind: str) -> None:
    """The rows are in the order of the texts; what else is in the call changes nothing."""
    together = case.encode(kind, TEXTS)
    apart = np.concatenate([case.encode(kind, [text]) for text in TEXTS])
    backwards = case.encode(kind, TEXTS[::-1])[::-1]
    np.testing.assert_allclose(together, apart, atol=1e-5)
    np.testing.assert_allclose(together, backwards, atol=1e-5)


def test_vectors_are_plain_arrays(case: Case) -> None:
    """float32, one row per text, C-contiguous; no text gives no row."""
    many, none = case.encode("document", TEXTS), case.encode("document", [])
    assert (many.dtype, many.shape) == (np.float32, (len(TEXTS), case.embedder.dimension))
    assert many.flags.c_contiguous
    assert (none.dtype, none.shape) == (np.float32, (0, case.embedder.dimension))


def test_a_document_within_the_limit_is_not_cut(case: Case) -> None:
    """A word at the very end of a text of `limit` tokens still changes its vector; beyond the limit it does not."""
    embedder = case.embedder
    word = embedder.count(["the the"])[0] - embedder.count(["the"])[0]
    words = ["the"] * ((embedder.limit - 4) // word)
    whole = [" ".join(words), " ".join([*words[:-1], "x"])]
    assert max(embedder.count(whole)) <= embedder.limit
    if embedder.card.truncation_side == "right":
        assert not np.allclose(*case.encode("document", whole), atol=1e-4)
        beyond = [" ".join([*words, *words, end]) for end in ("the", "x")]
        np.testing.assert_allclose(*case.encode("document", beyond), atol=1e-5)


def test_the_limit_leaves_room_for_prompt_and_special_tokens(case: Case) -> None:
    """A text of exactly `limit` tokens, its prompt and the special tokens fill the model's input."""
    card, embedder = case.embedder.card, case.embedder
    prompt = embedder.count([card.document_prompt])[0]
    assert embedder.limit + prompt + card.special_tokens == card.max_tokens
    assert card.max_tokens == (256 if case.name == "default" else models.LONGEST)


def test_similarity_is_the_models(case: Case) -> None:
    """A model that says nothing is compared by cosine."""
    assert case.embedder.similarity == ("dot" if case.name == "mean" else "cosine")
