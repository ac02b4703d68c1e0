"""Says why a file of a folder would not be read, or that it would; reads that one file and keeps nothing of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from semsearch.address import file_of
from semsearch.errors import ReadError
from semsearch.read.ignore import Rules
from semsearch.read.opened import open_file
from semsearch.read.sandbox import Worker
from semsearch.read.walk import IGNORE_FILES, INDEX_CARD, walk
from semsearch.types import NO_COLUMNS, Columns, Document, Found, Skip

Verdict: TypeAlias = Literal["ignored", "unread", "readable"]


def why_not_read(
    root: Path,
    path: str,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    columns: Columns = NO_COLUMNS,
) -> tuple[Verdict, str]:
    """Whether a walk leaves out a file that is there, passes it over, or would read it; and the reason for people.

    Args:
        root: the folder that is walked.
        path: of the file below it, with `/` between the parts, or the address of a document within one.
        include: patterns of the walk.
        exclude: the same.
        columns: how tables are read.

    Raises:
        FolderError: the root is missing or cannot be listed.
    """
    file = file_of(path)
    met = _met(root, file, include, exclude)
    if isinstance(met, Skip):
        return "unread", met.reason if met.path == path else f"{met.path}: {met.reason}"
    if met is None:
        return "ignored", _left_out_by(root, file, include, exclude)
    try:
        with Worker() as worker, open_file(root / file, file, worker, columns) as opened:
            return _verdict(opened.documents, file, path)
    except ReadError as error:
        return "unread", str(error)
    except OSError as error:
        return "unread", f"cannot be read: {error.strerror or error}"


def _verdict(items: Iterator[Document | Skip], file: str, path: str) -> tuple[Verdict, str]:
    """What is said of a document by what is in its file, which is read as far as needed; of a file, by any of them."""
    reason = "there is no article in it" if path == file else f"there is no such document in {file}"
    for number, item in enumerate(items):
        if isinstance(item, Document) and path in (file, item.path):
            return "readable", ""
        if isinstance(item, Skip) and (item.path == path or (path == file and not number)):
            reason = item.reason
    return "unread", reason


def _met(root: Path, path: str, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Found | Skip | None:
    """What a walk says of a file, or of the folder in which it goes no further."""
    shown = os.fsencode(path).decode("utf-8", "replace")  # as the walk shows a name that is not UTF-8
    for item in walk(root, include, exclude):
        if f"{shown}/".startswith(item.path.rstrip("/") + "/"):
            return item
    return None


def _left_out_by(root: Path, path: str, include: Sequence[str], exclude: Sequence[str]) -> str:
    """What makes a walk leave a file out without a word."""
    if (include or exclude) and _met(root, path):
        stated = (f"{name} {', '.join(given)}" for name, given in (("include", include), ("exclude", exclude)) if given)
        return f"by the patterns of the last run: {'; '.join(stated)}"
    above = [root / entry for entry in _entries(path) if entry.endswith("/")]
    if any(part.startswith(".") for part in path.split("/")):
        return "as it is hidden: a name that begins with a dot"
    if index := next((folder for folder in above if (folder / INDEX_CARD).is_file()), None):
        return f"as it belongs to an index of semsearch: {index}"
    file = _ignore_file(root, path)
    return f"by {file}" if file else "as a lock file or backup of an editor"


def _entries(path: str) -> list[str]:
    """The folders above a file, outermost first, each with `/` at the end, and the file."""
    parts = path.split("/")
    return [*("/".join(parts[:depth]) + "/" for depth in range(1, len(parts))), path]


def _ignore_file(root: Path, path: str) -> Path | None:
    """The ignore file whose rules leave out a file, or the first folder above it that is left out."""
    for entry in _entries(path):
        for file, inside in _ignore_files_for(root, entry):
            verdict = _rules(file).verdict(inside)
            if verdict:
                return file
            if verdict is False:
                break
    return None


def _ignore_files_for(root: Path, entry: str) -> Iterator[tuple[Path, str]]:
    """The ignore files that may speak of an entry, the one that has the last word first, and its path from there."""
    folders = ["", *_entries(entry.rstrip("/"))[:-1]]
    for folder in reversed(folders):
        for name in reversed(IGNORE_FILES):
            file = root / folder / name
            if file.is_file() and not file.is_symlink():
                yield file, entry[len(folder) :]


def _rules(file: Path) -> Rules:
    try:
        return Rules.of(file.read_text(encoding="utf-8-sig", errors="replace").split("\n"))
    except OSError:
        return Rules()
