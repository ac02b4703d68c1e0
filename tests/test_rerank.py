"""A cross-encoder gives the scores of sentence-transformers, and orders the first passages, and only those, by them."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from semsearch.embed import card as cards
from semsearch.embed import export, export_cross, load_reranker, resolve
from semsearch.embed.cross import GraphReranker
from semsearch.embed.find import find_reranker
from semsearch.embed.original import OriginalReranker
from semsearch.errors import ModelError, ModelNotFoundError, ModelUnsafeError
from semsearch.rank import reranked
from semsearch.types import Reranker
from tests import models
from tests.models import QUERIES, TEXTS

ROOT = Path(__file__).parent.parent
NAMES = [build.__name__ for build in models.RERANKERS]


@pytest.fixture(scope="module", autouse=True)
def own_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMSEARCH_CACHE", str(models.own_cache()))
        yield


@pytest.fixture(scope="module", params=NAMES)
def reranker(request: pytest.FixtureRequest) -> GraphReranker:
    made = load_reranker(str(models.built() / request.param))
    assert isinstance(made, GraphReranker), made.card.reason
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound cross-encoder that a test may spoil."""
    return Path(shutil.copytree(models.built() / "pairs", tmp_path / "model"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Every name is unknown to the resolver, and the hub's cache, which is given, is empty."""

    def fail(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def edit(path: Path, **fields: object) -> None:
    """Change fields of the JSON object in a file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_scores_are_those_of_sentence_transformers(reranker: GraphReranker) -> None:
    """Activation, prompt, cutting and filling up included, for empty, long and foreign queries and texts."""
    expected = models.scores(Path(reranker.name).name)
    actual = np.stack([reranker.score(query, TEXTS) for query in QUERIES])
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert np.ptp(expected) > 0.1


def test_a_pair_has_the_same_score_in_any_company(reranker: GraphReranker) -> None:
    """The scores are in the order of the texts; what else is in the call changes nothing."""
    together = reranker.score(QUERIES[0], TEXTS)
    apart = np.concatenate([reranker.score(QUERIES[0], [text]) for text in TEXTS])
    backwards = reranker.score(QUERIES[0], TEXTS[::-1])[::-1]
    np.testing.assert_allclose(together, apart, atol=1e-5)
    np.testing.assert_allclose(together, backwards, atol=1e-5)


def test_threads_do_not_disturb_each_other(reranker: GraphReranker) -> None:
    """Scores from many threads at once are those of one, also where the first of them opens the graph."""
    fresh = GraphReranker(cards.folder_of(reranker.fingerprint))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: fresh.score(query, TEXTS), QUERIES * 3))
    np.testing.assert_array_equal(together, [reranker.score(query, TEXTS) for query in QUERIES] * 3)


def test_scores_are_plain_arrays(reranker: GraphReranker) -> None:
    """float32, one per text; no text gives no score. It is a reranker by the protocol."""
    assert isinstance(reranker, Reranker)
    many, none = reranker.score("peace", TEXTS), reranker.score("peace", [])
    assert (many.dtype, many.shape) == (np.float32, (len(TEXTS),))
    assert (none.dtype, none.shape) == (np.float32, (0,))


def test_a_lone_surrogate_is_read_as_an_unknown_sign(reranker: GraphReranker) -> None:
    """In the query as in a text."""
    expected = reranker.score("a\ufffd", ["b\ufffd"])
    np.testing.assert_array_equal(reranker.score("a\udcff", ["b\ud800"]), expected)


def test_what_no_graph_can_do_runs_through_sentence_transformers(caplog: pytest.LogCaptureFixture) -> None:
    """The scores are the same; the cache says so the second time."""
    with caplog.at_level(logging.INFO, "semsearch"):
        rerankers = [load_reranker(str(models.built() / "chat")) for _ in range(2)]
    assert caplog.text.count("runs through sentence-transformers: its input is not plain text") == 1
    for made in rerankers:
        assert isinstance(made, OriginalReranker)
        actual = np.stack([made.score(query, TEXTS) for query in QUERIES])
        np.testing.assert_allclose(actual, models.scores("chat"), atol=1e-5)
        assert made.score("peace", []).shape == (0,)


def test_a_gpu_runs_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch has the device that is asked for; here the processor stands in for it."""
    load_reranker(str(models.built() / "sigmoid"))
    monkeypatch.setenv("SEMSEARCH_DEVICE", "cuda")
    monkeypatch.setattr(export, "device", lambda: "cpu:0")
    made = load_reranker(str(models.built() / "sigmoid"))
    assert isinstance(made, OriginalReranker)
    np.testing.assert_allclose(made.score(QUERIES[0], TEXTS), models.scores("sigmoid")[0], atol=1e-5)


def test_a_prepared_model_is_used_again_without_torch() -> None:
    """A process that only searches loads none of what prepares models, and has the same scores."""
    first = load_reranker(str(models.built() / "pairs"))
    program = (
        "import json, sys; from semsearch.embed import load_reranker\n"
        "query, *texts = json.load(sys.stdin)\n"
        "scores = load_reranker(sys.argv[1]).score(query, texts)\n"
        "print(json.dumps([scores.tolist(), [*{name.partition('.')[0] for name in sys.modules}]]))"
    )
    command = [sys.executable, "-c", program, first.name]
    content = json.dumps([QUERIES[0], *TEXTS])
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, input=content)
    scores, loaded = json.loads(done.stdout)
    np.testing.assert_allclose(scores, first.score(QUERIES[0], TEXTS), atol=1e-6)
    heavy = {"torch", "sentence_transformers", "transformers", "onnx", "onnxscript", "huggingface_hub", "filelock"}
    assert set(loaded) & heavy == set()
    assert done.stderr == ""


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("added", [2e-4, -1.0, float("nan")])
def test_a_graph_with_other_scores_is_not_used(row: int, added: float) -> None:
    """One score that is off is enough, before the activation (row 1) as after it (row 0)."""
    made = load_reranker(str(models.built() / "sigmoid"))
    prepared = cards.folder_of(made.fingerprint)
    same = made.outputs(export_cross.probes(made.card))
    assert export_cross.difference(prepared, same) == ""
    other = same.copy()
    other[row, -1] += added
    assert "other scores" in export_cross.difference(prepared, other)


def test_a_classifier_of_several_classes_is_refused() -> None:
    """It has no score; the message says how many classes it has and what to choose."""
    with pytest.raises(ModelError, match=r"into 3 classes .*choose a cross-encoder with one label"):
        load_reranker(str(models.built() / "classes"))


@pytest.mark.parametrize(("name", "kind"), [("mean", "SentenceTransformer"), ("mean.parts", "BertModel")])
def test_an_embedder_is_no_reranker(name: str, kind: str) -> None:
    """Neither as sentence-transformers saves it nor as transformers does; nothing random is put on top of it."""
    with pytest.raises(ModelNotFoundError, match=f"it is a {kind}, .*choose a CrossEncoder"):
        load_reranker(str(models.built() / name))


@pytest.mark.model
def test_the_default_embedder_is_no_reranker() -> None:
    """By the name that it has as an embedder."""
    with pytest.raises(ModelNotFoundError, match="it is a SentenceTransformer"):
        load_reranker("all-MiniLM-L6-v2")


@pytest.mark.parametrize(("name", "said"), [("sigmoid", "it is a CrossEncoder"), ("pairs", "there is no modules.json")])
def test_a_reranker_is_no_embedder(name: str, said: str) -> None:
    """In either of the ways in which one is saved."""
    with pytest.raises(ModelNotFoundError, match=said):
        resolve(str(models.built() / name))


def test_a_folder_without_a_model_is_not_found(tmp_path: Path) -> None:
    """The message says what is missing."""
    with pytest.raises(ModelNotFoundError, match=r"there is no config\.json"):
        load_reranker(str(tmp_path))


@pytest.mark.usefixtures("no_network")
def test_an_unknown_name_is_looked_for_where_cross_encoders_are() -> None:
    """A name without an organization is one of `cross-encoder`; the message says what to do."""
    with pytest.raises(ModelNotFoundError, match=r"'cross-encoder/no-such-model' .*copy the model's folder"):
        find_reranker("no-such-model")


def test_a_model_in_the_hubs_cache_needs_no_network(folder: Path, no_network: Path) -> None:
    """What was downloaded once is found again by its hub id, with or without the organization."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    place = no_network / "models--cross-encoder--small"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(commit)
    snapshot = Path(shutil.copytree(folder, place / "snapshots" / commit))
    for name in ("cross-encoder/small", "small"):
        assert (find_reranker(name).name, find_reranker(name).folder) == (name, snapshot)


def test_pickled_weights_are_refused(folder: Path) -> None:
    """They could run code."""
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnsafeError, match="pickled"):
        load_reranker(str(folder))


def test_a_model_with_code_of_its_own_is_refused(folder: Path) -> None:
    """`auto_map` leads to code; a model that needs it does not load."""
    edit(folder / "config.json", model_type="unheard-of", auto_map={"AutoConfig": "code.C", "AutoModel": "code.M"})
    (folder / "code.py").write_text("import sys; sys.exit('this code must not run')")
    with pytest.raises(ModelUnsafeError, match="code of its own"):
        load_reranker(str(folder))


@pytest.mark.parametrize("name", ["torch.os.abort", "torch.hub.list", "torch.nn.functional.relu", "torch.nn.x.y.Z"])
def test_an_activation_that_is_none_is_not_run(folder: Path, name: str) -> None:
    """sentence-transformers would call whatever lies below torch; each place of the name is looked at."""
    config = json.loads((folder / "config.json").read_text())
    edit(folder / "config.json", sentence_transformers={"activation_fn": name})
    with pytest.raises(ModelUnsafeError, match=name):
        find_reranker(str(folder))
    (folder / "config.json").write_text(json.dumps(config))
    edit(folder / "config.json", sbert_ce_default_activation_function=name)
    with pytest.raises(ModelUnsafeError, match=name):
        find_reranker(str(folder))


def test_numbers_that_are_not_finite_are_an_error(folder: Path) -> None:
    """No order can be made of them; the message names the model."""
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = np.full_like(weights["classifier.bias"], np.nan)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="model gives numbers that are not finite"):
        load_reranker(str(folder)).score("peace", ["war"])


def test_a_model_without_its_last_layer_is_refused(folder: Path) -> None:
    """Random numbers would stand there, others each time that it is loaded."""
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"not a trained cross-encoder: .*classifier\.weight"):
        load_reranker(str(folder))


RANKED = st.lists(st.tuples(st.integers(0, 10**6), st.floats(-5, 5)), unique_by=lambda hit: hit[0], max_size=30)


@given(ranked=RANKED, data=st.data())
def test_the_first_are_ordered_anew_and_the_others_follow(ranked: list[tuple[int, float]], data: st.DataObject) -> None:
    """As by moving the best of those left to the end of the new order, the earlier of equals first, one by one."""
    ranked.sort(key=lambda hit: -hit[1])
    scores = data.draw(st.lists(st.sampled_from([-2.0, 0.0, 0.5, 3.0]), max_size=len(ranked)))
    left, expected = [(i, score) for (i, _), score in zip(ranked, scores, strict=False)], []
    while left:
        best = max(score for _, score in left)
        at = next(at for at, (_, score) in enumerate(left) if score == best)
        expected.append(left.pop(at))
    actual = reranked(ranked, scores)
    assert actual[: len(scores)] == expected
    assert [i for i, _ in actual[len(scores) :]] == [i for i, _ in ranked[len(scores) :]]
    assert [score for _, score in actual] == sorted((score for _, score in actual), reverse=True)
