"""Prepares a cross-encoder once: writes it with its activation as one ONNX graph, checked against the original.

What all models share, from the place in the cache to the writing of a graph, is in `export.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from semsearch.embed import card as cards
from semsearch.embed import export
from semsearch.embed.card import Card
from semsearch.embed.cross import GraphReranker
from semsearch.embed.describe import describe_cross
from semsearch.embed.find import Source
from semsearch.embed.quiet import quiet
from semsearch.errors import ModelError

ALLOWED = 1e-4
"""The most that a score of the graph may lie from the original's, before the activation and after it."""


def prepare(source: Source, fingerprint: str) -> Path:
    """As `export.prepare`, of a cross-encoder."""
    return export.make(source, fingerprint, _fill)


def load(folder: Path, device: str = "cpu") -> CrossEncoder:
    """As `export.load`, of a cross-encoder."""
    return export.load(folder, device, CrossEncoder)


def predict(model: CrossEncoder, pairs: Sequence[tuple[str, str]], **options: Any) -> NDArray[np.float32]:
    """The original's scores of the pairs, with its default prompt: shape (len(pairs),), float32.

    Raises:
        ModelError: the model cannot be run.
    """
    try:
        with quiet():
            scores = model.predict(list(pairs), show_progress_bar=False, **options)
    except Exception as error:
        raise ModelError(f"sentence-transformers cannot run the model: {export.first_line(error)}") from error
    return np.ascontiguousarray(scores, dtype=np.float32)


def _fill(folder: Path, source: Source, fingerprint: str) -> None:
    model = load(source.folder)
    card, tokenizer = describe_cross(model, source, fingerprint)
    if random := _random(model, load(source.folder)):
        raise ModelError(
            f"{source.name} is not a trained cross-encoder: it has no weights for {random}; choose another model"
        )
    tokenizer.save(str(folder / cards.TOKENIZER), pretty=False)
    card = export.summed(folder, card)
    pairs = probes(card)
    expected = np.stack([predict(model, pairs), predict(model, pairs, activation_fn=torch.nn.Identity())])
    reason = "" if np.isfinite(expected).all() else "its scores have numbers that are not finite"
    reason = reason or export.obstacle(model) or _export(folder, model, card) or difference(folder, expected)
    if reason:
        export.keep_original(folder, card, reason)


def _random(model: CrossEncoder, again: CrossEncoder) -> str:
    """The first of the weights that two loadings of one model do not share, for want of a stored one; "" for none."""
    other = again.state_dict()
    for name, weights in model.state_dict().items():
        if not torch.allclose(weights, other[name], rtol=0, atol=0, equal_nan=True):
            return str(name)
    return ""


class _Pipeline(torch.nn.Module):  # type: ignore[misc]
    """All modules of a model in one, from the tokenizer's tensors to the scores after and before the activation."""

    def __init__(self, model: CrossEncoder, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(list(model))
        self.activation = model.activation_fn
        self.names = names
        self.settings = settings

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two tensors of shape (batch,) from tensors of shape (batch, tokens), in the order of the names."""
        features: dict[str, Any] = {**self.settings, **dict(zip(self.names, tensors, strict=True))}
        for part in self.parts:
            features = part(features)
        plain = features["scores"]
        return self.activation(plain).flatten(), plain.flatten()


def _export(folder: Path, model: CrossEncoder, card: Card) -> str:
    """As `export.write_graph`, of a model that scores pairs."""
    features = model.preprocess([("a b c d", "a"), ("a", "b")])
    tensors = {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}
    settings = {name: value for name, value in features.items() if name not in tensors}
    pipeline = _Pipeline(model, list(tensors), settings)
    return export.write_graph(folder, model, pipeline, tensors, card, ["scores", "plain"])


def difference(folder: Path, expected: NDArray[np.float32]) -> str:
    """In what the graph in `folder` differs from the original's scores of `probes`; "" for nothing.

    Args:
        folder: where the model was prepared.
        expected: of shape (2, pairs): the scores, and below them the same before the activation.
    """
    try:
        reranker = GraphReranker(folder)
        found = reranker.outputs(probes(reranker.card))
    except ModelError as error:
        return str(error)
    most = float(np.abs(found - expected).max())
    return "" if most <= ALLOWED else f"the graph gives other scores, by up to {most:.2g}"


def probes(card: Card) -> list[tuple[str, str]]:
    """Pairs of many kinds and lengths, those among them whose query, text or both are longer than the model reads."""
    texts = export.probes(card)
    return [*zip(texts, reversed(texts), strict=True), *(("peace", text) for text in texts), (texts[-1], texts[-1])]
