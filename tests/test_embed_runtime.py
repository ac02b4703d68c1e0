"""The runtime counts in code points and whole tokens, runs in threads and without torch, and says what is wrong."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.embed import card as cards
from semsearch.embed import graph, resolve, runtimes
from semsearch.embed.card import Card
from semsearch.embed.runtime import LONGEST_TEXT, Described, GraphEmbedder
from semsearch.errors import ModelError
from semsearch.types import Embedder
from tests import models
from tests.models import TEXTS

HARD = [
    "",
    "a",
    "👩‍👩‍👧‍👦 the 🇷🇸",
    "e\u0301te\u0301",
    "安全保障",
    "ﬁﬂ ẞ İ",
    "\u0000\t\r\n",
    "a\ud800b",
    "the\u200bbank",
    "x" * 5000,
]
NAMES = ("mean", "cls", "excluded")


@pytest.fixture(scope="module", autouse=True)
def own_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMSEARCH_CACHE", str(models.own_cache()))
        yield


@pytest.fixture(scope="module", params=NAMES)
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Described:
    """A tokenizer of each family, behind a card alone."""
    folder = tmp_path_factory.mktemp("described")
    content = (models.built() / request.param / "tokenizer.json").read_bytes()
    (folder / cards.TOKENIZER).write_bytes(content)
    cards.write(folder, card(checksums={cards.TOKENIZER: cards.checksum(folder / cards.TOKENIZER)}))
    return Described(folder)


@pytest.fixture(scope="module")
def small() -> GraphEmbedder:
    embedder = resolve(str(models.built() / "mean"))
    assert isinstance(embedder, GraphEmbedder)
    return embedder


@pytest.fixture(params=[name for name in runtimes.RUNTIMES if runtimes.installed(name)])
def each(request: pytest.FixtureRequest, small: GraphEmbedder) -> GraphEmbedder:
    """A small model, new, with each runtime that is installed."""
    return GraphEmbedder(cards.folder_of(small.fingerprint), runtime=request.param)


def card(**fields: object) -> Card:
    plain = {"name": "m", "fingerprint": "f", "source": "s", "kind": "graph", "dimension": 4, "max_tokens": 48}
    return Card(**{**plain, "special_tokens": 2, "similarity": "cosine", **fields})


def check_offsets(embedder: Described, text: str) -> None:
    offsets = embedder.offsets(text)
    assert len(offsets) == embedder.count([text])[0]
    starts = [start for start, _ in offsets]
    assert starts == sorted(starts)
    assert all(0 <= start <= end <= len(text) for start, end in offsets)


@pytest.mark.parametrize("text", HARD)
def test_offsets_of_hard_texts_are_in_order_and_within_bounds(described: Described, text: str) -> None:
    """In code points, also where one letter is several of them or several tokens are one letter."""
    check_offsets(described, text)


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=60))
def test_offsets_are_in_order_and_within_bounds(described: Described, text: str) -> None:
    """For any text there is one pair per token, and none points outside."""
    check_offsets(described, text)


def test_offsets_point_at_the_words(described: Described) -> None:
    """What stands before a word in other scripts does not shift it."""
    text = "👩‍👩‍👧‍👦安 e\u0301 peace"
    start, end = described.offsets(text)[-1]
    assert text[start:end].strip() in "peace"
    assert end == len(text)


def test_counts_have_neither_special_tokens_nor_a_limit(described: Described) -> None:
    """An empty text has no token, and a long one has them all."""
    assert described.count(["", "x" * 3]) == [0, len(described.offsets("x" * 3))]
    assert described.count(["the " * 1000])[0] >= 1000
    assert described.count([]) == []


@given(st.lists(st.integers(0, 500), max_size=60), st.sampled_from([1, 8, 16]), st.integers(0, 4096))
def test_batches_hold_every_row_once_and_stay_within_the_budget(lengths: list[int], multiple: int, budget: int) -> None:
    """Only a single text that is longer than the budget has a batch beyond it, of its own."""
    widths = [graph.padded(length, multiple, 500) for length in lengths]
    batches = list(graph.batches(lengths, multiple, budget, 500))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(widths[row] for row in batch) <= budget
        assert multiple == 1 or len({widths[row] for row in batch}) == 1


@given(st.integers(0, 600), st.sampled_from([1, 8, 16]))
def test_a_text_is_filled_up_to_a_multiple_within_what_the_model_reads(length: int, multiple: int) -> None:
    """Never cut, never below the two tokens of an exported graph, and never beyond its longest input."""
    width = graph.padded(length, multiple, 600)
    assert max(length, 2) <= width <= 600
    assert width % multiple == 0 or width in (2, 600)
    assert width - length < max(multiple, 3)


def test_a_lone_surrogate_is_read_as_an_unknown_sign(small: GraphEmbedder) -> None:
    """What a broken file name or argument holds is no reason to fail."""
    np.testing.assert_array_equal(small.encode_query(["a\udcffb"]), small.encode_query(["a\ufffdb"]))


def test_it_is_an_embedder(small: GraphEmbedder) -> None:
    """It has all that the protocol asks for."""
    assert isinstance(small, Embedder)


def test_threads_do_not_disturb_each_other(small: GraphEmbedder, each: GraphEmbedder) -> None:
    """Queries, documents and counts from many threads at once are those of one."""
    opened = {"used": GraphEmbedder(cards.folder_of(small.fingerprint), runtime=each.runtime)}
    calls: list[Callable[[str], object]] = [
        lambda text: opened["used"].encode_query([text, "peace"]).round(4).tolist(),
        lambda text: opened["used"].encode_document([text, *TEXTS]).round(4).tolist(),
        lambda text: opened["used"].count([text]),
        lambda text: str(opened["used"].offsets(text)),
    ]
    jobs = [(call, text) for call in calls for text in TEXTS] * 3
    alone = [call(text) for call, text in jobs]
    opened["used"] = each  # nothing of it has been opened yet
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: job[0](job[1]), jobs))
    assert alone == together


def test_it_runs_without_torch(small: GraphEmbedder) -> None:
    """A process that only searches loads none of what prepares models."""
    program = (
        "import sys; from semsearch.embed import resolve\n"
        "resolve(sys.argv[1]).encode_query(['peace'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", program, small.name]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    heavy = {
        "openvino",
        "torch",
        "sentence_transformers",
        "transformers",
        "onnx",
        "onnxscript",
        "huggingface_hub",
        "filelock",
    }
    assert set(done.stdout.split()) & heavy == set()
    assert done.stderr == ""


def test_numbers_that_are_not_finite_are_an_error() -> None:
    """The message names the model."""
    embedder = resolve(str(models.built() / "nan"))
    with pytest.raises(ModelError, match=r"nan gives numbers that are not finite"):
        embedder.encode_document(["peace"])


def test_a_graph_that_cannot_be_run_is_an_error(each: GraphEmbedder) -> None:
    """What a runtime raises comes as an error of this library, and names the model and the runtime."""
    each.card = dataclasses.replace(each.card, inputs=(*each.card.inputs[1:], "attention_mask"))
    with pytest.raises(ModelError, match=f"mean cannot be run by {each._wanted}"):
        each.encode_document(["peace"])


def test_a_graph_that_cannot_be_opened_is_an_error(small: GraphEmbedder, each: GraphEmbedder, tmp_path: Path) -> None:
    """The message names the runtime, the file and what to do."""
    for name in (cards.GRAPH, cards.TOKENIZER):
        (tmp_path / name).write_bytes((small._folder / name).read_bytes())
    (tmp_path / cards.GRAPH).write_bytes(b"not a graph")
    names = (cards.GRAPH, cards.TOKENIZER)
    cards.write(tmp_path, card(checksums={name: cards.checksum(tmp_path / name) for name in names}))
    with pytest.raises(ModelError, match=rf"{each.runtime} cannot open [^$]*graph\.onnx[^$]*delete its folder"):
        GraphEmbedder(tmp_path, runtime=each.runtime).encode_document(["peace"])


def test_a_model_without_a_graph_is_no_graph(tmp_path: Path) -> None:
    """The runtime does not take the card of an original."""
    (tmp_path / cards.TOKENIZER).write_bytes((models.built() / "mean" / "tokenizer.json").read_bytes())
    cards.write(tmp_path, card(kind="original", reason="it has a Router"))
    with pytest.raises(ModelError, match="it has a Router"):
        GraphEmbedder(tmp_path)


def test_a_text_is_never_longer_than_a_passage_should_be(tmp_path: Path) -> None:
    """Also of a model that reads thousands of tokens, the limit is LONGEST_TEXT."""
    (tmp_path / cards.TOKENIZER).write_bytes((models.built() / "mean" / "tokenizer.json").read_bytes())
    sums = {cards.TOKENIZER: cards.checksum(tmp_path / cards.TOKENIZER)}
    cards.write(tmp_path, card(checksums=sums, max_tokens=8192))
    assert Described(tmp_path).limit == LONGEST_TEXT
