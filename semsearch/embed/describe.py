"""Reads from a loaded sentence-transformers model what its card must say; it neither loads nor runs one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from semsearch.embed.card import Card
from semsearch.embed.find import Source
from semsearch.errors import ModelError

Model: TypeAlias = Any
"""A SentenceTransformer or a CrossEncoder, whose modules only `export.py` and `export_cross.py` import."""

UNSTATED_LIMIT = 512
"""The longest input, in tokens, of a model that states none."""

_BEYOND = 2**31  # transformers writes 10**30 for a length that is not stated


def describe(model: Model, source: Source, fingerprint: str) -> tuple[Card, Any]:
    """The card of an embedder's model, but for its dimension and files, and its tokenizer.

    Raises:
        ModelError: it compares vectors, or has a tokenizer, in a way that is not supported.
    """
    if model.similarity_fn_name not in ("cosine", "dot"):
        raise ModelError(f"{source.name} compares vectors by {model.similarity_fn_name}, which is not supported")
    query, document = _prompt(model, ("query",)), _prompt(model, ("document", "passage", "corpus"))
    card, tokenizer = _common(model, source, fingerprint, pair=False)
    card = replace(
        card,
        similarity=model.similarity_fn_name,
        query_prompt=query,
        document_prompt=document,
        query_skip=_skipped(model, query),
        document_skip=_skipped(model, document),
    )
    return card, tokenizer


def describe_cross(model: Model, source: Source, fingerprint: str) -> tuple[Card, Any]:
    """The card of a cross-encoder, but for its files, and its tokenizer; the card's `query_prompt` is the default one.

    Raises:
        ModelError: it gives more than one number for a pair, or has a tokenizer that is not supported.
    """
    if model.num_labels != 1:
        raise ModelError(
            f"{source.name} sorts a pair into {model.num_labels} classes and gives no score to order passages by; "
            "choose a cross-encoder with one label"
        )
    card, tokenizer = _common(model, source, fingerprint, pair=True)
    return replace(card, dimension=1, query_prompt=_prompt(model, ())), tokenizer


def _common(model: Model, source: Source, fingerprint: str, *, pair: bool) -> tuple[Card, Any]:
    """What the card of any model says, for one text or for a pair, and the model's tokenizer."""
    outer = model.tokenizer
    tokenizer = getattr(outer, "backend_tokenizer", outer)
    if not hasattr(tokenizer, "num_special_tokens_to_add"):
        raise ModelError(f"the tokenizer of {source.name} is not one of the tokenizers library: not supported")
    card = Card(
        name=source.name,
        fingerprint=fingerprint,
        source=str(source.folder),
        kind="graph",
        dimension=0,
        max_tokens=max_tokens(model),
        special_tokens=tokenizer.num_special_tokens_to_add(pair),
        similarity="",
        pad_id=getattr(outer, "pad_token_id", None) or 0,
        pad_type_id=getattr(outer, "pad_token_type_id", None) or 0,
        padding_side=getattr(outer, "padding_side", "right"),
        truncation_side=getattr(outer, "truncation_side", "right"),
    )
    return card, tokenizer


def _prompt(model: Model, names: Sequence[str]) -> str:
    """The prompt that sentence-transformers would take: the first of the names, else the default one."""
    for name in (*names, model.default_prompt_name):
        if name in model.prompts:
            return model.prompts[name] or ""
    return ""


def _skipped(model: Model, prompt: str) -> int:
    """How many leading tokens stay out of the pooling: those of the prompt, if the model wants it so."""
    wanted = all(getattr(module, "include_prompt", True) for module in model)
    return 0 if wanted or not prompt else int(model.preprocess(["a"], prompt=prompt).get("prompt_length") or 0)


def max_tokens(model: Model) -> int:
    """The longest input: what the model states, and no more than it has learned positions for."""
    positions = getattr(model.config, "max_position_embeddings", None)
    stated = [length for length in (model.max_seq_length, positions) if length and 0 < length < _BEYOND]
    longest = int(stated[0]) if stated else UNSTATED_LIMIT
    return min(longest, _learned(model) or longest)


def _learned(model: Model) -> int | None:
    """The number of positions that the model has learned; None where they are worked out.

    Models like RoBERTa begin to count positions after the padding's id.
    """
    for module in model.modules():
        table = getattr(module, "position_embeddings", None)
        if table is not None and hasattr(table, "num_embeddings"):
            padding = getattr(module, "padding_idx", None)
            return int(table.num_embeddings) - (padding + 1 if isinstance(padding, int) else 0)
    return None
