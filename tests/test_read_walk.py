"""The walk finds every file that can be read, once, in order, and says what it passed over."""

from __future__ import annotations

import inspect
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.errors import FolderError, UsageError
from semsearch.read import READERS, walk
from semsearch.store import CARD
from semsearch.types import Found, Skip


def grow(root: Path, *paths: str) -> None:
    """Files of these names, each with its own name in it."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.fsencode(path))


def found(root: Path, **patterns: list[str]) -> list[str]:
    return [seen.path for seen in walk(root, **patterns) if isinstance(seen, Found)]


def skipped(root: Path, **patterns: list[str]) -> dict[str, str]:
    return {seen.path: seen.reason for seen in walk(root, **patterns) if isinstance(seen, Skip)}


def test_files_are_found_with_size_and_time(tmp_path: Path) -> None:
    """One stat each, and the path below the root with `/`."""
    grow(tmp_path, "sub/a.txt")
    os.utime(tmp_path / "sub/a.txt", ns=(1, 1_600_000_000_123_456_789))
    assert list(walk(tmp_path)) == [Found("sub/a.txt", 9, 1_600_000_000_123_456_789)]


def test_the_order_is_fixed(tmp_path: Path) -> None:
    """By name within a folder, a folder's files in its place."""
    grow(tmp_path, "b/z.md", "b/a.md", "b/a/x.md", "a.txt", "c.txt", "B.txt", "ä.txt")
    assert found(tmp_path) == ["B.txt", "a.txt", "b/a/x.md", "b/a.md", "b/z.md", "c.txt", "ä.txt"]


def test_what_no_reader_knows_is_skipped_with_its_suffix(tmp_path: Path) -> None:
    """In lower case, and a name without one."""
    grow(tmp_path, "a.XYZ", "README", "a.xyz.gz", "a.HTML", "b.")
    assert skipped(tmp_path) == {
        "README": "no reader for files without a suffix",
        "a.XYZ": "no reader for .xyz files",
        "a.xyz.gz": "no reader for .gz files",
        "b.": "no reader for files without a suffix",
    }
    assert found(tmp_path) == ["a.HTML"]


def test_hidden_files_locks_and_backups_are_left_out_unsaid(tmp_path: Path) -> None:
    """They are nobody's articles; a folder may be called `x~`."""
    grow(tmp_path, ".a.md", ".git/b.md", "~$c.md", "d.md~", ".e.md.swp", "f.md.swp", "x~/g.md", "~$y/h.md")
    assert [seen.path for seen in walk(tmp_path)] == ["x~/g.md", "~$y/h.md"]


def test_an_index_below_the_folder_is_left_out_unsaid(tmp_path: Path) -> None:
    """`cd articles; semsearch index .` does not come upon ./indexes; what only looks like one is read."""
    grow(tmp_path, f"indexes/x/{CARD}", "indexes/x/README.md", "indexes/x/e1/store.db", "a.md", f"b/{CARD}/c.md")
    assert [seen.path for seen in walk(tmp_path)] == ["a.md", f"b/{CARD}/c.md"]


def test_ignore_files_hold_for_their_folder_and_below(tmp_path: Path) -> None:
    """The deeper file has the last word, `.semsearchignore` before `.gitignore`; a folder left out is not entered."""
    grow(tmp_path, "a.md", "draft.md", "old/a.md", "old/keep.md", "s/draft.md", "s/a.md", "s/t/a.md", "s/t/b.txt")
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbfdraft*\r\nold/\r\n!old/keep.md\r\n*.txt\r\n")
    (tmp_path / ".semsearchignore").write_text("!*.txt")
    (tmp_path / "s/.gitignore").write_text("!draft.md\n/a.md")
    assert found(tmp_path) == ["a.md", "s/draft.md", "s/t/a.md", "s/t/b.txt"]
    assert skipped(tmp_path) == {}


def test_a_list_of_what_to_keep_can_be_written(tmp_path: Path) -> None:
    """`*`, `!*/`, `!*.md`: everything is left out but Markdown, in every folder."""
    grow(tmp_path, "a.md", "a.txt", "s/t/b.md", "s/t/b.txt")
    (tmp_path / ".gitignore").write_text("*\n!*/\n!*.md\n")
    assert found(tmp_path) == ["a.md", "s/t/b.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.timeout(10)
def test_an_ignore_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    """A FIFO, a link and a folder of that name hold no rules, and hang nothing."""
    grow(tmp_path, "a/a.md", "b/a.md", "c/a.md", "c/.gitignore/x", "rules", "d/.semsearchignore", "d/a.md")
    os.mkfifo(tmp_path / "a/.gitignore")
    (tmp_path / "rules").write_text("*.md")
    (tmp_path / "b/.gitignore").symlink_to(tmp_path / "rules")
    (tmp_path / "d/.semsearchignore").write_bytes(b"*.md\n" + b"#" * 2**20)
    assert found(tmp_path) == ["a/a.md", "b/a.md", "c/a.md", "d/a.md"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"include": ["*.md"]}, ["a.md", "s/a.md", "s/t/a.md"]),
        ({"include": ["s/"]}, ["s/a.md", "s/a.txt", "s/t/a.md"]),
        ({"include": ["s/", "!*.txt"]}, ["s/a.md", "s/t/a.md"]),
        ({"include": ["/*.txt", "t"]}, ["a.txt", "s/t/a.md"]),
        ({"exclude": ["*.md"]}, ["a.txt", "s/a.txt"]),
        ({"exclude": ["s/t", "/a.md"]}, ["a.txt", "s/a.md", "s/a.txt"]),
        ({"exclude": ["*", "!*/", "!*.txt"]}, ["a.txt", "s/a.txt"]),
        ({"include": ["*.md"], "exclude": ["/s/*.md"]}, ["a.md", "s/t/a.md"]),
        ({"include": ["!*.md"]}, []),
    ],
)
def test_patterns_of_the_caller(tmp_path: Path, patterns: dict[str, list[str]], expected: list[str]) -> None:
    """`include` names what is looked at, a folder with all that is in it; `exclude` what is not."""
    grow(tmp_path, "a.md", "a.txt", "s/a.md", "s/a.txt", "s/t/a.md")
    assert found(tmp_path, **patterns) == expected


def test_what_is_not_asked_for_is_not_reported(tmp_path: Path) -> None:
    """With `include`, only a file that it means can be skipped; neither undoes an ignore file."""
    grow(tmp_path, "a.md", "a.xyz", "b.pdf", "c.md")
    (tmp_path / ".gitignore").write_text("c.md")
    assert [seen.path for seen in walk(tmp_path, include=["*.md", "*.pdf"], exclude=["!c.md"])] == ["a.md", "b.pdf"]


@pytest.mark.parametrize("patterns", [{"include": ["*.md", "["]}, {"exclude": ["# drafts"]}, {"exclude": [""]}])
def test_a_pattern_that_can_match_nothing_is_a_mistake(tmp_path: Path, patterns: dict[str, list[str]]) -> None:
    """And is reported at once, before the walk begins."""
    with pytest.raises(UsageError, match="can match nothing"):
        walk(tmp_path, **patterns)


def test_links_are_never_followed(tmp_path: Path) -> None:
    """To a file, to a folder, up the tree, out of it, to nothing: each is one skip, and the walk ends."""
    grow(tmp_path, "root/a.md", "root/s/b.md", "outside/secret.md")
    root = tmp_path / "root"
    for name, target in {
        "l1.md": root / "a.md",
        "l2": root / "s",
        "loop": root,
        "s/up": tmp_path,
        "out": tmp_path / "outside",
        "out.md": tmp_path / "outside/secret.md",
        "gone.md": tmp_path / "nothing",
    }.items():
        (root / name).symlink_to(target)
    assert found(root) == ["a.md", "s/b.md"]
    assert skipped(root) == dict.fromkeys(
        ["gone.md", "l1.md", "l2", "loop", "out", "out.md", "s/up"], "a symbolic link, not followed"
    )


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    """Who names it means what it points to."""
    grow(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "link") == ["a.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_file_is_skipped_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its suffix says."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert skipped(tmp_path) == {"pipe.md": "a FIFO, not a file", "socket": "a socket, not a file"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf8_are_skipped_and_can_be_shown(tmp_path: Path) -> None:
    """A file and a folder; the bad bytes are shown as replacement characters."""
    grow(tmp_path, *map(os.fsdecode, [b"caf\xe9.md", b"\xe9t\xe9/a.md", b"ok/caf\xe9.md"]))
    expected = ["caf\ufffd.md", "ok/caf\ufffd.md", "\ufffdt\ufffd/"]
    assert list(walk(tmp_path)) == [Skip(path, "the name is not valid UTF-8") for path in expected]


def test_names_are_not_normalised(tmp_path: Path) -> None:
    """Composed and decomposed, they are two files, and are opened by the name that they have."""
    names = ["e\u0301.md", "\u00e9.md"]
    grow(tmp_path, *names)
    assert found(tmp_path) == sorted(os.listdir(tmp_path))  # noqa: PTH208 - the names as they are


def test_a_folder_that_cannot_be_listed_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the walk goes on behind it; one that has just gone is left out."""
    grow(tmp_path, "a/a.md", "gone/b.md", "z.md")
    real = os.scandir

    def scandir(folder: str) -> object:
        if folder.endswith("a"):
            raise PermissionError(13, "Permission denied", folder)
        if folder.endswith("gone"):
            raise FileNotFoundError(2, "No such file or directory", folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [seen.path for seen in walk(tmp_path)] == ["a/", "z.md"]
    assert skipped(tmp_path) == {"a/": "cannot be listed: Permission denied"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permission_is_skipped(tmp_path: Path) -> None:
    """The same with real permissions."""
    grow(tmp_path, "a/a.md", "z.md")
    (tmp_path / "a").chmod(0)
    seen = [(one.path, getattr(one, "reason", "")) for one in walk(tmp_path)]
    (tmp_path / "a").chmod(0o700)
    assert seen == [("a/", "cannot be listed: Permission denied"), ("z.md", "")]


def test_a_file_that_vanishes_during_the_walk_is_left_out(tmp_path: Path) -> None:
    """Between the listing and the look at it."""
    grow(tmp_path, "a.md", "b.md", "c.md")
    seen = []
    for one in walk(tmp_path):
        (tmp_path / "b.md").unlink(missing_ok=True)
        seen.append(one.path)
    assert seen == ["a.md", "c.md"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "there is no such folder; check"), ("a.md", "a file, not a folder; give the folder")],
)
def test_a_root_that_is_no_folder_is_an_error_that_says_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    """At once, with the name that was given."""
    grow(tmp_path, "a.md")
    with pytest.raises(FolderError, match=message) as caught:
        walk(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only folder whose failure stops the walk."""

    def refuse(folder: str) -> object:
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FolderError, match=r"cannot be listed: Permission denied; see that you may read it"):
        walk(tmp_path)


def test_a_deep_tree_is_walked(tmp_path: Path) -> None:
    """Deeper than Python's recursion goes, which is lowered here because so deep a path would be too long to remove."""
    folder = tmp_path
    for _ in range(400):
        folder /= "d"
        folder.mkdir()
    (folder / "a.md").write_text("deep")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        assert found(tmp_path) == ["d/" * 400 + "a.md"]
    finally:
        sys.setrecursionlimit(limit)


def test_thousands_of_files_are_walked_in_no_time(tmp_path: Path) -> None:
    """10,000 take 0.05 s on an idle machine, 0.08 s with rules and patterns; a busy one may take fifteen times that."""
    for number in range(2000):
        (tmp_path / f"{number // 100:02}").mkdir(exist_ok=True)
        (tmp_path / f"{number // 100:02}" / f"{number:04}.md").touch()
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n/x\n!y.log\n**/z/*\n")
    began = time.process_time()
    seen = sum(1 for _ in walk(tmp_path, include=["*.md"], exclude=["*draft*"]))
    assert time.process_time() - began < 0.25
    assert seen == 2000


NAMES = st.sampled_from(["a", "b.md", "c.txt", ".h", "d.MD", "e.pdf", "f~", "~$g.md", "h.swp", "ü.html", "x y"])
TREES = st.recursive(st.none(), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=20)


def plant(folder: Path, tree: dict[str, object] | None) -> None:
    folder.mkdir()
    for name, below in (tree or {}).items():
        if isinstance(below, dict):
            plant(folder / name, below)
        else:
            (folder / name).touch()


@given(TREES)
@settings(max_examples=60, deadline=None)
def test_the_walk_finds_what_a_plain_walk_and_the_rules_find(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object] | None
) -> None:
    """For any tree, the same as `os.walk` filtered by hand."""
    root = tmp_path_factory.mktemp("tree") / "root"
    plant(root, tree)
    expected, others = set(), set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith((".", "~$")) and not name.endswith(("~", ".swp")):
                path = (Path(folder) / name).relative_to(root).as_posix()
                (expected if Path(name).suffix.lower() in READERS else others).add(path)
    seen = list(walk(root))
    assert [one.path for one in seen if isinstance(one, Found)] == sorted(expected, key=lambda path: path.split("/"))
    assert {one.path for one in seen if isinstance(one, Skip)} == others
