"""The fastest runtime that is right is chosen by itself, another by its name; none is imported before it is needed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from semsearch.cli import cli
from semsearch.config import IndexConfig
from semsearch.embed import card as cards
from semsearch.embed import resolve, runners, runtimes
from semsearch.embed.runtime import GraphEmbedder
from semsearch.errors import UsageError
from semsearch.testing import HashEmbedder
from tests import models
from tests.models import TEXTS

ROOT = Path(__file__).parent.parent
OPENVINO = pytest.mark.skipif(not runtimes.installed("openvino"), reason="OpenVINO is not installed")


@pytest.fixture(scope="module", autouse=True)
def own_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMSEARCH_CACHE", str(models.own_cache()))
        yield


@pytest.fixture(autouse=True)
def nothing_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runtimes.VARIABLE, raising=False)


@pytest.fixture
def folder() -> Path:
    """Where a small model was prepared."""
    return cards.folder_of(resolve(str(models.built() / "mean")).fingerprint)


def processor(folder: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    """Put in the place of /proc/cpuinfo that of a processor with these flags."""
    file = folder / "cpuinfo"
    file.write_text(f"processor\t: 0\nflags\t\t: fpu sse2 {' '.join(flags)} avx512f\npower management:\n")
    monkeypatch.setattr(runtimes, "_CPUINFO", file)


@OPENVINO
@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16", "avx_ne_convert"])
def test_bfloat16_is_best_where_the_processor_has_it(
    flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each generation of processors has a flag of its own for it."""
    processor(tmp_path, monkeypatch, flag)
    assert runtimes.best() == "openvino-bf16"


@OPENVINO
def test_float32_is_best_where_the_processor_lacks_bfloat16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO would imitate it, slowly."""
    processor(tmp_path, monkeypatch)
    assert runtimes.best() == "openvino"


@OPENVINO
def test_openvino_is_asked_where_no_flags_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems other than Linux."""
    monkeypatch.setattr(runtimes, "_CPUINFO", tmp_path / "nothing")
    from semsearch.embed.run_openvino import has_bf16

    assert runtimes.best() == ("openvino-bf16" if has_bf16() else "openvino")


def batches(sizes: list[tuple[int, int]]) -> Iterator[dict[str, np.ndarray]]:
    """Inputs of each number of texts and tokens, none of them like another."""
    for number, shape in enumerate(sizes):
        tokens = np.arange(shape[0] * shape[1]).reshape(shape) * 7 % 90 + 5 + number
        ones = np.ones(shape, dtype=np.int64)
        yield {"input_ids": tokens, "token_type_ids": ones * 0, "attention_mask": ones, "pooling_mask": ones}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("name", [name for name in runtimes.RUNTIMES if runtimes.installed(name)])
def test_every_runtime_gives_each_batch_its_outputs_in_order(name: str, folder: Path, *, many: bool) -> None:
    """For more batches than run at once, of different sizes, also when the next batch cannot be made."""
    sizes = [(1, 2), (9, 48), (3, 16), (1, 48), (12, 32), (2, 2), (5, 16)]
    plain = runtimes.open_graph("onnx", folder / cards.GRAPH, many=True)
    opened = runtimes.open_graph(name, folder / cards.GRAPH, many=many)
    expected = [outputs[0] for outputs in plain.run(batches(sizes))]
    found = [outputs[0] for outputs in opened.run(batches(sizes))]
    assert [(vectors.dtype, vectors.shape) for vectors in found] == [(np.float32, (size, 32)) for size, _ in sizes]
    for vectors, original in zip(found, expected, strict=True):
        errors = np.linalg.norm(vectors - original, axis=1) / np.linalg.norm(original, axis=1)
        assert errors.max() < (1.5e-2 if name == "openvino-bf16" else 1e-4)
    with pytest.raises(ValueError, match="negative"):
        list(opened.run(batches([*sizes, (-1, 2)])))
    assert np.array_equal(next(iter(opened.run(batches(sizes))))[0], found[0])


def test_without_openvino_onnx_is_best_and_openvino_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the line that installs it."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert runtimes.best() == "onnx"
    with pytest.raises(UsageError, match="openvino-bf16 is not installed; run `pip install openvino`"):
        runtimes.checked("openvino-bf16")


def test_a_runtime_that_does_not_exist_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message lists those that do, wherever the name came from."""
    message = "no runtime 'fast'; choose one of onnx, openvino, openvino-bf16"
    with pytest.raises(UsageError, match=message):
        GraphEmbedder(folder, runtime="fast")
    with pytest.raises(UsageError, match=message), runtimes.using("fast"):
        pass
    monkeypatch.setenv(runtimes.VARIABLE, "fast")
    with pytest.raises(UsageError, match=message):
        resolve(str(models.built() / "mean"))


def test_a_named_runtime_runs_documents(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, before the block's, before the environment's; afterwards the environment is as it was."""
    monkeypatch.setenv(runtimes.VARIABLE, "onnx")
    assert GraphEmbedder(folder).runtime == "onnx"
    monkeypatch.setenv(runtimes.VARIABLE, "")
    assert GraphEmbedder(folder).runtime == runtimes.best()
    with runtimes.using("onnx"):
        assert GraphEmbedder(folder).runtime == "onnx"
    assert os.environ[runtimes.VARIABLE] == ""
    with runtimes.using(""):
        assert GraphEmbedder(folder).runtime == runtimes.best()


@OPENVINO
def test_a_model_that_is_too_fine_for_bfloat16_runs_in_float32(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its probes say so; a runtime that was named is used all the same, and queries are not touched by it."""
    monkeypatch.setattr(runtimes, "best", lambda: "openvino-bf16")
    monkeypatch.setattr("semsearch.embed.runtime.ALIKE", 1 - 1e-12)
    with caplog.at_level(logging.INFO, "semsearch"):
        chosen = GraphEmbedder(folder)
        assert chosen.runtime == "onnx"
    assert "openvino-bf16 is not used" in caplog.text
    np.testing.assert_allclose(chosen.encode_document(TEXTS), models.expected("mean", "document"), atol=1e-4)
    assert GraphEmbedder(folder, runtime="openvino-bf16").runtime == "openvino-bf16"


@OPENVINO
def test_a_text_has_the_same_bits_in_any_company(folder: Path) -> None:
    """In bfloat16, which would show any other order of sums: so an index that saw edits equals one made anew."""
    embedder = GraphEmbedder(folder, runtime="openvino-bf16")
    texts = [*TEXTS, *(f"{text} {text[:number]}" for number, text in enumerate(TEXTS))]
    apart = np.concatenate([embedder.encode_document([text]) for text in texts])
    np.testing.assert_allclose(embedder.encode_document(texts), apart, rtol=0, atol=1e-6)
    np.testing.assert_allclose(embedder.encode_document(texts[::-1])[::-1], apart, rtol=0, atol=1e-6)


def test_status_knows_what_would_run(folder: Path) -> None:
    """Of a prepared model; one that brings its own or is not here has none."""
    card = cards.peek(folder)
    config = IndexConfig(card.name, card.fingerprint, card.dimension, card.similarity, 46)
    assert runners(config) == (GraphEmbedder(folder).runtime, "onnx")
    router = resolve(str(models.built() / "router"))
    assert runners(IndexConfig(router.name, router.fingerprint, router.dimension, "cosine", 46)) == (
        "sentence-transformers",
        "sentence-transformers",
    )
    assert runners(IndexConfig.of(HashEmbedder())) == ("", "")


def test_index_takes_a_runtime_and_status_says_which(
    tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong name stops before anything is made; a right one holds for that run alone."""
    monkeypatch.chdir(tmp_path)
    command = ["index", str(articles), "-i", "./made", "--model", str(models.built() / "mean")]
    wrong = CliRunner().invoke(cli, [*command, "--runtime", "fast"])
    assert isinstance(wrong.exception, UsageError)
    assert not (tmp_path / "made").exists()
    assert CliRunner().invoke(cli, [*command, "--runtime", "onnx"]).exit_code == 0
    assert runtimes.VARIABLE not in os.environ
    shown = CliRunner().invoke(cli, ["status", "-i", "./made"], env={runtimes.VARIABLE: "onnx"}).output
    assert "onnx for documents, onnx for queries" in shown


SEARCH = """
import sys
from semsearch.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def test_a_search_imports_neither_openvino_nor_torch(tmp_path: Path, articles: Path) -> None:
    """Also of an index whose documents OpenVINO has encoded: a query answers before it would be imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = ["-i", str(tmp_path / "made")]
    make = ["-m", "semsearch", "index", str(articles), *options, "--model", str(models.built() / "mean")]
    subprocess.run([sys.executable, *make], env=environment, capture_output=True, check=True)
    search = ["-c", SEARCH, "search", "security vacuum", *options]
    done = subprocess.run([sys.executable, *search], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "onnxruntime" in loaded
    assert loaded & {"openvino", "openvino_telemetry", "torch", "sentence_transformers"} == set()


PROGRAM = """
import os, sys, threading
told = []
sys.addaudithook(lambda event, _: told.append(event) if event.startswith("socket.") else None)
from semsearch.embed.runtime import GraphEmbedder
from pathlib import Path
GraphEmbedder(Path(sys.argv[1]), runtime=sys.argv[2]).encode_document(["peace"])
print("openvino" in sys.modules, "openvino_telemetry" in sys.modules, threading.active_count(), told, os.listdir("."))
"""


@OPENVINO
def test_openvino_tells_nobody_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    """Imported in the usual way it opens sockets, starts a thread and writes a number into the home folder."""
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("CI", None)  # where this is set, it would be silent by itself
    command = [sys.executable, "-c", PROGRAM, str(folder), "openvino"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True False 1 [] []\n", "")
