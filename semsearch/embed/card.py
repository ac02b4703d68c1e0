"""What is kept of a prepared model: its card in JSON, the checksums of its files, and the folder where they lie.

It neither finds models nor makes or runs them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import xxhash

from semsearch.errors import ModelError, ModelUnsafeError

FORMAT = 1
"""The version of the card's fields and of how a model is prepared; another one is prepared again, beside it."""

CARD, GRAPH, TOKENIZER = "card.json", "graph.onnx", "tokenizer.json"

_BLOCK = 1 << 20
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
"""A fingerprint, or the name of a file in the folder of a prepared model."""


@dataclass(frozen=True, slots=True)
class Card:
    """What must be known of a model to run it without sentence-transformers.

    `kind` is "graph" where `GRAPH` holds the whole pipeline, "original" where sentence-transformers must run the model
    that lies in the folder `source`; `reason` says why. `max_tokens` is the longest input with its `special_tokens` and
    prompt. `query_skip` and `document_skip` are the leading tokens (special tokens and prompt) that stay out of the
    pooling. `inputs` names the graph's inputs; `padding_side` and `truncation_side` are "left" or "right".
    A cross-encoder has a dimension of 1, no `similarity` and no prompt for documents.
    `checksums` maps each file to the XXH3 of its bytes, 128 bits in hex.
    """

    name: str
    fingerprint: str
    source: str
    kind: str
    dimension: int
    max_tokens: int
    special_tokens: int
    similarity: str
    query_prompt: str = ""
    document_prompt: str = ""
    query_skip: int = 0
    document_skip: int = 0
    pad_id: int = 0
    pad_type_id: int = 0
    padding_side: str = "right"
    truncation_side: str = "right"
    inputs: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    version: int = FORMAT

    def to_json(self) -> str:
        """The card as JSON, with a checksum of its own."""
        fields = asdict(self)
        return json.dumps({**fields, "checksum": _checksum_of(fields)}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """The card from what `to_json` gave.

        Raises:
            ModelError: it is not what `to_json` gave, or another version wrote it.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            sound = fields.pop("checksum") == _checksum_of(fields) and fields["version"] == FORMAT
            card = cls(**{**fields, "inputs": tuple(fields["inputs"])})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ModelError(f"the card of a prepared model cannot be read: {error}") from error
        if not sound:
            raise ModelError("the card of a prepared model is not what was written")
        return card


def _checksum_of(fields: Mapping[str, Any]) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(fields, sort_keys=True).encode())


def cache_root() -> Path:
    """The folder for everything that can be made again: $SEMSEARCH_CACHE, otherwise the system's place for caches."""
    return Path(os.environ.get("SEMSEARCH_CACHE") or platformdirs.user_cache_dir("semsearch"))


def folder_of(fingerprint: str) -> Path:
    """Where the prepared model of that fingerprint lies, or would lie.

    Raises:
        ModelUnsafeError: it is no fingerprint, and might lead out of the cache.
    """
    if not _NAME.fullmatch(fingerprint):
        raise ModelUnsafeError(
            f"{fingerprint[:80]!r} is no fingerprint of a model; the index that names it is not sound"
        )
    return cache_root() / "models" / f"{fingerprint[:24]}-{FORMAT}"


def checksum(path: Path) -> str:
    """XXH3 of a file's bytes, 128 bits in hex; read in blocks, so that a large graph is not held in memory."""
    digest, block = xxhash.xxh3_128(), memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(block):
            digest.update(block[:size])
    return digest.hexdigest()


def peek(folder: Path) -> Card:
    """The card of the model that was prepared in `folder`; the files that it names are not looked at.

    Raises:
        ModelError: the card cannot be read.
    """
    try:
        return Card.from_json((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the prepared model in {folder} cannot be read: {error}") from error


def read(folder: Path) -> Card:
    """The card of the model that was prepared in `folder`, whose files are what was written.

    Raises:
        ModelError: the card cannot be read, or a file is missing or was changed.
    """
    card = peek(folder)
    for name, known in card.checksums.items():
        if not _NAME.fullmatch(name):
            raise ModelUnsafeError(f"{folder / CARD} names a file outside of its folder: {name!r}")
        if not (folder / name).is_file() or checksum(folder / name) != known:
            raise ModelError(f"{folder / name} is not what was written")
    return card


def write(folder: Path, card: Card) -> None:
    """Put `card` into `folder` and see to it that it and the files that it names are on disk."""
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    for name in (*card.checksums, CARD):
        _sync(folder / name)
    _sync(folder)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
