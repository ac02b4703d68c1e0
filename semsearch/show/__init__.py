"""Turns answers into text, JSON, CSV or paths; pure, it prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from semsearch.show.answer import Answer, Look
from semsearch.show.data import as_csv, as_json, as_jsonl, as_paths
from semsearch.show.text import as_text

Format: TypeAlias = Callable[[Iterable[Answer], Look], Iterator[str]]

FORMATS: Mapping[str, Format] = {
    "text": as_text,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "paths": as_paths,
}
"""By name: from answers to lines without their ends; all but JSON show an answer before they ask for the next."""

__all__ = ["FORMATS", "Answer", "Format", "Look"]
