"""Names of files as archives have them -> names as a folder would have them; touches no disk."""

from __future__ import annotations

import posixpath


def plain(name: str) -> str:
    r"""A name with `/` between its parts, without what leads out of the archive: `..\a//b.txt` is `a/b.txt`."""
    parts = posixpath.normpath("/" + name.replace("\\", "/").replace("\0", "")).split("/")
    return "/".join(part for part in parts if part).encode("utf-8", "replace").decode()


def is_passed_unsaid(name: str) -> bool:
    """Whether it is hidden, or below a folder that is, or was put there by macOS or an editor; so is no name at all."""
    parts = name.split("/")
    return not name or name.endswith(("~", ".swp")) or any(_is_hidden(part) for part in parts)


def _is_hidden(part: str) -> bool:
    return part.startswith((".", "~$")) or part == "__MACOSX"
