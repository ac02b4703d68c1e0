"""Prepares a model once: writes its whole pipeline as one ONNX graph, checked against sentence-transformers itself.

With `export_cross.py` it is the only home of torch and sentence_transformers, and imported only to prepare a model or
to run an original.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router, Transformer

from semsearch.embed import card as cards
from semsearch.embed import runtimes
from semsearch.embed.card import Card
from semsearch.embed.describe import Model, describe, max_tokens
from semsearch.embed.find import Source
from semsearch.embed.quiet import quiet
from semsearch.embed.runtime import GraphEmbedder
from semsearch.errors import ModelError, ModelUnsafeError
from semsearch.types import Vectors

LOG = logging.getLogger("semsearch")

COSINE = 0.9999
"""The least cosine between a vector of the graph and the original's."""

Fill: TypeAlias = Callable[[Path, Source, str], None]
"""Writes into a folder what is kept of the model at that source with that fingerprint."""

_LONGEST_PROBE = 2048  # what attention needs grows with the square of the length
_OWN_WAYS = ("processing_kwargs", "query_length", "document_length", "query_expansion")
_PROBES = (
    "",
    "peace",
    "The council met on Monday to discuss the budget, and adjourned without a vote.",
    "Савет се састао у понедељак да расправља о буџету.",
    "Šta je rekao premijer o železničkoj nesreći? Žuti prsluci, đaci i ćale.",
    "安全保障理事会は月曜日に会合を開いた。",
    "اجتمع المجلس يوم الاثنين لمناقشة الميزانية.",
    "  👩‍👩‍👧 e\u0301te\u0301\t[SEP] </s> <s> [MASK] <|endoftext|>\nline two  ",
    "https://example.org/a?b=c&d=1 — 3.14 % of $1,000,000 in (Q3/2024)",
    "A sentence that comes back again and again, word for word. " * 9,
)


def prepare(source: Source, fingerprint: str) -> Path:
    """The folder in the cache that holds the embedder's model, ready to run; where it is there already, that one.

    A model that cannot be exported, or whose graph gives other vectors, gets a card that says so. It raises what
    `make` raises.
    """
    return make(source, fingerprint, _fill)


def make(source: Source, fingerprint: str, fill: Fill) -> Path:
    """The folder in the cache that `fill` has filled, or that another process was faster to fill.

    Raises:
        ModelUnsafeError: the model needs code of its own.
        ModelError: it cannot be loaded, or is of a kind that is not supported.
        OSError: it cannot be written.
    """
    LOG.info("preparing model %s once, about 15 s", source.name)
    final = cards.folder_of(fingerprint)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f"{final.name}.preparing-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        fill(temporary, source, fingerprint)
        _publish(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def load(folder: Path, device: str = "cpu", kind: type[Model] = SentenceTransformer) -> Model:
    """The model of that kind in `folder` as sentence-transformers runs it, in float32, with a limit that it can stand.

    Raises:
        ModelUnsafeError: it needs code of its own.
        ModelError: it cannot be loaded.
    """
    options = {"use_safetensors": True}
    try:
        with quiet():
            model = kind(
                str(folder), device=device, trust_remote_code=False, local_files_only=True, model_kwargs=options
            )
            model = model.float().eval()
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise ModelUnsafeError(f"the model in {folder} needs code of its own, which is never run") from error
        raise ModelError(f"sentence-transformers cannot load the model in {folder}: {first_line(error)}") from error
    with contextlib.suppress(AttributeError):
        model.max_seq_length = max_tokens(model)
    return model


def encode(model: SentenceTransformer, texts: Sequence[str], *, query: bool) -> Vectors:
    """The original's vectors of the texts, with its prompts: shape (len(texts), dimension), float32.

    Raises:
        ModelError: the model cannot be run.
    """
    method = model.encode_query if query else model.encode_document
    try:
        with quiet():
            return np.ascontiguousarray(method(list(texts), show_progress_bar=False), dtype=np.float32)
    except Exception as error:
        raise ModelError(f"sentence-transformers cannot run the model: {first_line(error)}") from error


def device() -> str:
    """The GPU that $SEMSEARCH_DEVICE asks for, as torch calls it, if torch has it; otherwise ""."""
    wanted = os.environ.get("SEMSEARCH_DEVICE", "").lower()
    here = (wanted.startswith("cuda") and torch.cuda.is_available()) or (
        wanted == "mps" and torch.backends.mps.is_available()
    )
    return wanted if here else ""


def _fill(folder: Path, source: Source, fingerprint: str) -> None:
    model = load(source.folder)
    card, tokenizer = describe(model, source, fingerprint)
    tokenizer.save(str(folder / cards.TOKENIZER), pretty=False)
    expected = [encode(model, probes(card), query=query) for query in (True, False)]
    card = summed(folder, replace(card, dimension=expected[0].shape[1]))
    finite = bool(np.isfinite(expected).all())
    reason = "" if finite else "its vectors have numbers that are not finite"
    reason = reason or obstacle(model) or _export(folder, model, card) or _difference(folder, expected)
    if reason:
        keep_original(folder, card, reason)


def keep_original(folder: Path, card: Card, reason: str) -> None:
    """Leave in `folder` a card that has the original run, for that reason, and nothing of a graph."""
    LOG.info("model %s runs through sentence-transformers: %s", card.name, reason)
    for path in folder.glob(f"{cards.GRAPH}*"):
        path.unlink()
    cards.write(folder, replace(card, kind="original", reason=reason))


def obstacle(model: Model) -> str:
    """Why this model cannot be one graph behind one tokenizer, as far as one can see without trying; "" for nothing."""
    first = model[0]
    if not isinstance(first, Transformer):
        return f"its first module is a {type(first).__name__}"
    if any(isinstance(module, Router) for module in model):
        return "it has a Router"
    if list(first.modality_config) != ["text"] or first.modality_config["text"]["method"] != "forward":
        return "its input is not plain text"
    if any(getattr(first, name, None) for name in _OWN_WAYS):
        return "it treats queries or documents in a way of its own"
    return ""


class _Pipeline(torch.nn.Module):  # type: ignore[misc]
    """All modules of a model in one, from the tokenizer's tensors to the vectors.

    The pooling sees `pooling_mask` instead of the attention mask, so that a prompt can be kept out of it.
    """

    def __init__(self, model: SentenceTransformer, names: Sequence[str], dimension: int) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(list(model))
        self.names = names
        self.dimension = dimension

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Vectors of shape (batch, dimension) from tensors of shape (batch, tokens), in the order of the names."""
        features: dict[str, Any] = dict(zip(self.names, tensors, strict=True))
        pooling = features.pop("pooling_mask")
        for place, part in enumerate(self.parts):
            features = part(features)
            if place == 0:
                features["attention_mask"] = pooling
        return features["sentence_embedding"][:, : self.dimension]


def _export(folder: Path, model: SentenceTransformer, card: Card) -> str:
    """As `write_graph`, of a model that makes vectors."""
    features = model.preprocess(["a b c d", "a"])
    tensors = {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}
    tensors["pooling_mask"] = tensors["attention_mask"].clone()  # torch takes one tensor under two names for one input
    pipeline = _Pipeline(model, list(tensors), card.dimension)
    return write_graph(folder, model, pipeline, tensors, card, ["vectors"])


def write_graph(
    folder: Path,
    model: Model,
    pipeline: torch.nn.Module,
    tensors: Mapping[str, torch.Tensor],
    card: Card,
    outputs: Sequence[str],
) -> str:
    """Write the graph, its weights and the card into `folder`; the reason why it cannot be done, "" where it can.

    Args:
        folder: where the tokenizer lies already.
        model: whose modules the pipeline runs.
        pipeline: from the tensors, in their order, to the outputs.
        tensors: the inputs of a small batch, each of shape (batch, tokens), by their names.
        card: what it says but for the names of the inputs.
        outputs: the outputs' names.

    Raises:
        OSError: it cannot be written.
    """
    try:
        with quiet():
            # Attention in plain operations: the same numbers, and the graph is 15 % faster than with the fused one.
            model.transformers_model.set_attn_implementation("eager")
            program = _program(pipeline, tensors, card.max_tokens, outputs)
            # Weights in a file of their own are mapped into memory: the graph opens in 50 ms instead of 190 ms.
            program.save(str(folder / cards.GRAPH), external_data=True)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever stops the export, the original runs
        return first_line(error)
    inputs = tuple(value.name for value in program.model.graph.inputs)
    cards.write(folder, summed(folder, replace(card, inputs=inputs)))
    return ""


def _program(
    pipeline: torch.nn.Module, tensors: Mapping[str, torch.Tensor], longest: int, outputs: Sequence[str]
) -> Any:
    batch, tokens = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("tokens", min=2, max=longest)
    return torch.onnx.export(
        pipeline.eval(),
        tuple(tensors.values()),
        input_names=list(tensors),
        output_names=list(outputs),
        dynamic_shapes=(tuple({0: batch, 1: tokens} for _ in tensors),),
        dynamo=True,
        verbose=False,
    )


def summed(folder: Path, card: Card) -> Card:
    """The card with the checksums of the files that lie in `folder` now."""
    return replace(card, checksums={path.name: cards.checksum(path) for path in sorted(folder.iterdir())})


def _difference(folder: Path, expected: Sequence[Vectors]) -> str:
    """In what the graph in `folder` differs from the vectors of the original; "" for nothing.

    Two vectors are alike when their difference is no longer than that of unit vectors whose cosine is COSINE, at the
    length of the original's; so their lengths are compared as well.
    """
    try:
        embedder = GraphEmbedder(folder, runtime=runtimes.QUERIES)
        texts = probes(embedder.card)
        found = [embedder.encode_query(texts), embedder.encode_document(texts)]
    except ModelError as error:
        return str(error)
    errors = np.linalg.norm(np.subtract(found, expected), axis=-1)
    allowed = np.sqrt(2 - 2 * COSINE) * np.linalg.norm(expected, axis=-1)
    return "" if (errors <= allowed).all() else f"the graph gives other vectors, by up to {errors.max():.2g}"


def probes(card: Card) -> list[str]:
    """Texts of many kinds and lengths; the last one is longer than the model can read, unless that is very long."""
    longest = min(card.max_tokens, _LONGEST_PROBE)
    return [*_PROBES, "The longest of them all goes on, and on. " * (longest // 8 + 2)]


def _publish(temporary: Path, final: Path) -> None:
    """Give the folder its name; where another process was faster, keep that one's."""
    try:
        temporary.rename(final)
    except OSError:
        if not (final / cards.CARD).is_file():
            raise


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
