"""Names documents that stand within a file, as `archive.zip!/a.html` or `mail.mbox#12`; opens no file.

A file that may hold several documents is told by its suffix alone, so that its name is found in an address without a
look at the disk. A file of another name that reads like such an address is not indexed.
"""

from __future__ import annotations

import re

COMPRESSED = frozenset({".bz2", ".gz", ".xz"})
"""Suffixes of one file that is packed by itself; the suffix before says what it is."""

ARCHIVES = frozenset({".tar", ".tbz", ".tbz2", ".tgz", ".txz", ".zip"})
"""Suffixes of files of files."""

COLLECTIONS = frozenset({
    ".atom", ".csv", ".eml", ".json", ".jsonl", ".mbox", ".ndjson", ".rss", ".tsv", ".warc", ".xml",
})  # fmt: skip
"""Suffixes of files of texts."""

_SUFFIXES = "|".join(re.escape(suffix[1:]) for suffix in sorted(COMPRESSED | ARCHIVES | COLLECTIONS))
_WITHIN = re.compile(rf"(.*?[^/]\.(?:{_SUFFIXES}))(!/|#)(.+)", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"(.+)#page=([1-9][0-9]{0,8})", re.DOTALL)


def may_hold_several(path: str) -> bool:
    """Whether a file of this name may hold several documents."""
    return suffix(path) in COMPRESSED | ARCHIVES | COLLECTIONS


def file_of(path: str) -> str:
    """The file in which a document stands: the document's own path where it is a file by itself."""
    within = _WITHIN.fullmatch(path)
    return within[1] if within else path


def in_archive(path: str, name: str) -> str:
    """The address of a file within an archive: `a.zip!/b.html`."""
    return f"{path}!/{name}"


def in_collection(path: str, name: object) -> str:
    """The address of a text by its number, from 1, or by the name that it gives itself: `mail.mbox#12`."""
    return f"{path}#{name}"


def apart(path: str) -> tuple[str, int]:
    """A path without the page that `#page=3` at its end means, and that page; 0 for none."""
    found = _PAGE.fullmatch(path)
    return (found[1], int(found[2])) if found else (path, 0)


def suffix(path: str) -> str:
    """The suffix of a name in lower case and with its dot, "" where there is none."""
    _, dot, after = path.rpartition("/")[2].lstrip(".").rpartition(".")
    return dot + after.lower() if dot and after else ""
