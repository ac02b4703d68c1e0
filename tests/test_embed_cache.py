"""A model is prepared once, kept whole or not at all, and runs in another way where there is no graph of it."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from semsearch.config import IndexConfig
from semsearch.embed import card as cards
from semsearch.embed import describe, export, load, resolve
from semsearch.embed.original import OriginalEmbedder
from semsearch.embed.runtime import GraphEmbedder
from semsearch.errors import ModelError, ModelMismatchError, ModelNotFoundError, ModelUnsafeError
from semsearch.testing import HashEmbedder
from tests import models
from tests.models import TEXTS

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("SEMSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def prepared(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small model that was prepared earlier in this run, in the test's own cache."""
    with monkeypatch.context() as patch:
        patch.setenv("SEMSEARCH_CACHE", str(models.own_cache()))
        made = cards.folder_of(resolve(str(models.built() / "mean")).fingerprint)
    return Path(shutil.copytree(made, cards.folder_of(cards.peek(made).fingerprint)))


@pytest.fixture
def no_export(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been prepared must not be prepared again."""

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(export, "prepare", fail)


def config_of(folder: Path) -> IndexConfig:
    card = cards.peek(folder)
    return IndexConfig(card.name, card.fingerprint, card.dimension, card.similarity, 46)


@pytest.mark.usefixtures("no_export")
def test_a_prepared_model_is_loaded_from_the_cache_alone(prepared: Path, tmp_path: Path) -> None:
    """Even where the model itself has gone."""
    config = dataclasses.replace(config_of(prepared), model=str(tmp_path / "gone"))
    assert load(config).encode_query(["peace"]).shape == (1, 32)


@pytest.mark.usefixtures("no_export")
def test_a_model_that_was_prepared_under_another_name_has_the_name_that_was_asked_for(tmp_path: Path) -> None:
    """So an index does not remember a place that only another one knew."""
    copy = shutil.copytree(models.built() / "mean", tmp_path / "copy")
    assert resolve(str(copy)).name == str(copy)


def damage(folder: Path, what: str) -> None:
    match what:
        case "weights" | "graph":
            path = folder / (cards.GRAPH if what == "graph" else f"{cards.GRAPH}.data")
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        case "tokenizer":
            (folder / cards.TOKENIZER).unlink()
        case "card":
            text = (folder / cards.CARD).read_text()
            (folder / cards.CARD).write_text(text.replace('"max_tokens": 48', '"max_tokens": 49'))
        case "half a card":
            (folder / cards.CARD).write_bytes((folder / cards.CARD).read_bytes()[:40])
        case "everything":
            shutil.rmtree(folder)
            folder.mkdir()


@pytest.mark.parametrize("what", ["weights", "graph", "tokenizer", "card", "half a card", "everything"])
def test_a_damaged_model_is_never_used(prepared: Path, what: str) -> None:
    """Whatever file of it is not what was written."""
    damage(prepared, what)
    with pytest.raises(ModelError):
        GraphEmbedder(prepared)


def test_a_damaged_model_is_prepared_again(
    prepared: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """With a line in the log, nothing printed, and without leftovers of this or of an earlier preparation."""
    damage(prepared, "weights")
    prepared.with_name(f"{prepared.name}.preparing-1234").mkdir()
    with caplog.at_level(logging.INFO, "semsearch"):
        embedder = load(config_of(prepared))
    assert isinstance(embedder, GraphEmbedder)
    np.testing.assert_allclose(embedder.encode_query(TEXTS), models.expected("mean", "query"), atol=1e-5)
    assert capfd.readouterr() == ("", "")
    assert "is not used" in caplog.text
    assert "preparing model" in caplog.text
    assert sorted(path.name for path in prepared.parent.iterdir()) == [prepared.name, f"{prepared.name}.lock"]


def test_another_model_under_the_indexs_name_is_refused(prepared: Path, tmp_path: Path) -> None:
    """The message gives both fingerprints."""
    changed = Path(shutil.copytree(models.built() / "mean", tmp_path / "changed"))
    (changed / "1_Pooling" / "config.json").write_text("{}")
    config = dataclasses.replace(config_of(prepared), model=str(changed), fingerprint="0" * 64)
    with pytest.raises(ModelMismatchError) as caught:
        load(config)
    assert "0" * 64 in str(caught.value)
    assert len(set(str(caught.value).split())) > 2


def test_a_router_runs_through_sentence_transformers(caplog: pytest.LogCaptureFixture) -> None:
    """Its vectors are the same, for queries and for documents; the cache says so the second time."""
    with caplog.at_level(logging.INFO, "semsearch"):
        first = resolve(str(models.built() / "router"))
    assert "runs through sentence-transformers: its first module is a Router" in caplog.text
    second = load(config_of(cards.folder_of(first.fingerprint)))
    for embedder in (first, second):
        assert isinstance(embedder, OriginalEmbedder)
        for kind, encode in (("query", embedder.encode_query), ("document", embedder.encode_document)):
            np.testing.assert_allclose(encode(TEXTS), models.expected("router", kind), atol=1e-5)
        assert embedder.encode_query([]).shape == (0, 32)
        assert embedder.limit == 46


def test_an_original_that_has_changed_or_gone_is_not_run(tmp_path: Path) -> None:
    """An original runs from its own folder, so that is looked at each time."""
    model = Path(shutil.copytree(models.built() / "router", tmp_path / "router"))
    folder = cards.folder_of(resolve(str(model)).fingerprint)
    (model / "config_sentence_transformers.json").unlink()
    with pytest.raises(ModelMismatchError, match="has changed"):
        OriginalEmbedder(folder)
    shutil.rmtree(model)
    with pytest.raises(ModelNotFoundError, match="has gone"):
        OriginalEmbedder(folder)


def test_a_model_that_export_refuses_runs_as_the_original(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    """Whatever torch raises becomes the reason on the card; nothing of a graph is left."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("an operator that has no counterpart\nand more")

    monkeypatch.setattr(export.torch.onnx, "export", refuse)
    embedder = resolve(str(models.built() / "cls"))
    assert isinstance(embedder, OriginalEmbedder)
    assert embedder.card.reason == "an operator that has no counterpart"
    np.testing.assert_allclose(embedder.encode_query(TEXTS), models.expected("cls", "query"), atol=1e-5)
    assert {path.name for path in cards.folder_of(embedder.fingerprint).iterdir()} == {cards.CARD, cards.TOKENIZER}


@pytest.mark.parametrize(("factor", "added"), [(1.02, 0), (-1, 0), (1, 0.1), (float("nan"), 0)])
def test_a_graph_with_other_vectors_is_not_used(prepared: Path, factor: float, added: float) -> None:
    """The check compares directions and lengths, for queries and for documents."""
    embedder, probes = GraphEmbedder(prepared), export.probes(cards.peek(prepared))
    same = [embedder.encode_query(probes), embedder.encode_document(probes)]
    assert export._difference(prepared, same) == ""
    for row in (0, 1):
        other = [vectors.copy() for vectors in same]
        other[row][-1] = other[row][-1] * factor + np.eye(1, 32) * added * np.linalg.norm(other[row][-1])
        assert "other vectors" in export._difference(prepared, other)


def test_a_model_that_compares_in_another_way_is_refused() -> None:
    """Neither cosine nor dot product: the store could not search it."""
    with pytest.raises(ModelError, match="euclidean, which is not supported"):
        resolve(str(models.built() / "euclidean"))


def test_a_model_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    """`auto_map` leads to code; a model that needs it does not load."""
    folder = Path(shutil.copytree(models.built() / "mean", tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    config.update(model_type="unheard-of", auto_map={"AutoConfig": "code.Config", "AutoModel": "code.Model"})
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("import sys; sys.exit('this code must not run')")
    with pytest.raises(ModelUnsafeError, match="code of its own"):
        resolve(str(folder))


def test_a_model_that_cannot_be_loaded_is_an_error_of_this_library(tmp_path: Path) -> None:
    """Whatever sentence-transformers raises."""
    folder = Path(shutil.copytree(models.built() / "mean", tmp_path / "model"))
    (folder / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ModelError, match="cannot load the model"):
        resolve(str(folder))


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("device", ["cpu", "cuda", "CUDA:1", "mps", ""])
def test_a_gpu_that_is_not_there_leaves_the_graph(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """$SEMSEARCH_DEVICE is a wish."""
    monkeypatch.setenv("SEMSEARCH_DEVICE", device)
    if export.device():
        pytest.skip("there is such a device here")
    assert isinstance(resolve(str(models.built() / "mean")), GraphEmbedder)


@pytest.mark.usefixtures("no_export")
def test_a_gpu_runs_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch has the device that is asked for; here the processor stands in for it."""
    monkeypatch.setenv("SEMSEARCH_DEVICE", "cuda")
    monkeypatch.setattr(export, "device", lambda: "cpu:0")
    embedder = resolve(str(models.built() / "mean"))
    assert isinstance(embedder, OriginalEmbedder)
    np.testing.assert_allclose(embedder.encode_query(TEXTS), models.expected("mean", "query"), atol=1e-5)


def test_two_processes_at_once_prepare_a_model_once(own_cache: Path) -> None:
    """The second waits for the first and takes what it made; neither prints anything."""
    program = (
        "import logging, sys; from semsearch.embed import resolve\n"
        "lines = []; handler = logging.Handler(); handler.emit = lambda record: lines.append(record.getMessage())\n"
        "logger = logging.getLogger('semsearch'); logger.addHandler(handler); logger.setLevel('INFO')\n"
        "embedder = resolve(sys.argv[1]); embedder.encode_query(['peace'])\n"
        "sys.exit(10 + len(lines))"
    )
    command = [sys.executable, "-c", program, str(models.built() / "router")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert outputs == [(b"", b""), (b"", b"")]
    assert sorted(process.returncode for process in both) == [10, 12]  # "preparing", and why it is no graph
    assert len([path for path in (own_cache / "models").iterdir() if path.is_dir()]) == 1


def test_a_faster_process_wins(prepared: Path) -> None:
    """What is there already stays, where a preparation ends later."""
    before = (prepared / cards.CARD).stat().st_mtime_ns
    late = prepared.with_name("late")
    late.mkdir()
    (late / cards.CARD).write_text("late")
    export._publish(late, prepared)
    assert (prepared / cards.CARD).stat().st_mtime_ns == before


def test_loading_leaves_warnings_and_loggers_as_they_were() -> None:
    """What is silenced while a model loads speaks again afterwards."""
    names = ["torch", "transformers", "sentence_transformers", "torch.onnx", "huggingface_hub"]
    before = [logging.getLogger(name).level for name in names], list(warnings.filters)
    export.load(models.built() / "mean")
    assert ([logging.getLogger(name).level for name in names], list(warnings.filters)) == before


@pytest.mark.parametrize(
    ("name", "stated", "longest"),
    [
        ("mean", 20, 20),
        ("mean", 10**30, models.LONGEST),
        ("mean", 1000, models.LONGEST),  # its positions are learned
        ("cls", 1000, models.LONGEST),  # so are these, and they begin at 2
        ("last", 1000, 1000),  # its positions are worked out
        ("last", 10**30, models.LONGEST),
    ],
)
def test_the_longest_input_is_what_the_model_states_and_can_stand(name: str, stated: int, longest: int) -> None:
    """A model that states nothing has its positions as a limit."""
    model = export.load(models.built() / name)
    model.max_seq_length = stated
    assert describe.max_tokens(model) == longest


def test_a_cache_that_is_a_file_is_an_error(own_cache: Path) -> None:
    """The message names the variable that moves it."""
    own_cache.write_text("")
    with pytest.raises(ModelError, match="SEMSEARCH_CACHE"):
        resolve(str(models.built() / "mean"))


def test_an_embedder_without_a_model_is_made_by_its_name() -> None:
    """The one for tests, and only with the fingerprint that it has."""
    made = resolve("hash")
    assert isinstance(made, HashEmbedder)
    config = IndexConfig("hash", made.fingerprint, made.dimension, "cosine", made.limit)
    assert isinstance(load(config), HashEmbedder)
    with pytest.raises(ModelMismatchError):
        load(dataclasses.replace(config, fingerprint="hash-1"))
