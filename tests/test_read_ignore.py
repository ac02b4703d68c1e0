"""Patterns mean what git says that they mean."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from semsearch.read import walk
from semsearch.read.ignore import Rules, rule

MEANINGS = [
    # pattern, what it means, what it does not
    ("foo", ["foo", "foo/", "a/foo", "a/b/foo/"], ["foo/x", "food", "afoo"]),
    ("foo/", ["foo/", "a/foo/"], ["foo", "a/foo", "foo/x"]),
    ("/foo", ["foo", "foo/"], ["a/foo"]),
    ("a/foo", ["a/foo", "a/foo/"], ["b/a/foo", "foo"]),
    ("*.md", ["x.md", "a/x.md", ".md"], ["x.mdx", "x.md/y"]),
    ("/*", ["a", "a/"], ["a/b"]),
    ("a/*", ["a/b", "a/b/"], ["a/", "a/b/c"]),
    ("a/**", ["a/b", "a/b/", "a/b/c"], ["a", "a/"]),
    ("**/b", ["b", "a/b", "a/c/b/"], ["b/c"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "x/a/b"]),
    ("a?c", ["abc", "x/a-c"], ["a/c", "abbc"]),
    ("*a*b*c", ["abc", "xaxbxc"], ["acb", "abcd"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "/x"]),
    ("[!a-c]x", ["dx"], ["ax", "x"]),
    ("[]-]x", ["]x", "-x"], ["ax"]),
    ("[[:digit:]_]", ["7", "_"], ["a"]),
    ("[+-9]x/y", ["-x/y"], ["/x/y"]),
    (r"\!x", ["!x"], ["x"]),
    (r"\#x", ["#x"], ["x"]),
    (r"a\*", ["a*"], ["ab"]),
    ("a ", ["a"], ["a "]),
    ("a\\ ", ["a "], ["a"]),
    ("a.b(c)+", ["a.b(c)+"], ["aab(c)"]),
    ("**", ["a", "a/b/"], []),
]


@pytest.mark.parametrize(("pattern", "means", "does_not"), MEANINGS)
def test_a_pattern_means_entries(pattern: str, means: list[str], does_not: list[str]) -> None:
    """This very file or folder, not what lies in it."""
    rules = Rules.of([pattern])
    assert [path for path in means if not rules.verdict(path)] == []
    assert [path for path in does_not if rules.verdict(path) is not None] == []


@pytest.mark.parametrize("line", ["", "  ", "# comment", "!", "/", "//", "a//b", "[a", "a\\", "!["])
def test_some_lines_mean_nothing(line: str) -> None:
    """Blank lines, comments and what git discards."""
    assert rule(line) is None
    assert Rules.of([line, "x"]) == Rules.of(["x"])


def test_the_last_pattern_that_means_an_entry_decides() -> None:
    """`!` takes back, and can be overruled in its turn."""
    rules = Rules.of(["*.md", "!keep*", "keep-not.md"])
    assert [rules.verdict(name) for name in ("a.md", "keep.md", "keep-not.md", "a.txt")] == [True, False, True, None]


def test_hostile_patterns_cost_no_time() -> None:
    """Stars do not multiply."""
    rules = Rules.of(["*a*a*a*a*a*a*a*a*a*a*b", "**/**/**/**/**/x"])
    began = time.process_time()
    assert rules.verdict("a" * 250) is None
    assert time.process_time() - began < 0.5


@pytest.mark.skipif(shutil.which("git") is None, reason="no git to ask")
def test_the_walk_leaves_out_what_git_leaves_out(tmp_path: Path) -> None:
    """200 small trees, each with ignore files of its own: the same files are left as git lists."""
    chance = random.Random(11)
    for number in range(200):
        _grow(tmp_path / str(number), chance)
    git = ["git", "-c", "core.quotePath=false", "-C", str(tmp_path)]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run([*git, "init", "-q"], check=True, env=outside)
    ask = [*git, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    listed = subprocess.run(ask, capture_output=True, check=True, env=outside)
    expected = {name for name in listed.stdout.decode().split("\0") if name and not name.endswith(".gitignore")}
    assert {seen.path for seen in walk(tmp_path)} == expected
    assert len(expected) > 500


def _grow(top: Path, chance: random.Random) -> None:
    """A tree of a dozen files, with patterns in its top folder and in some of those below."""
    names = ["a", "b", "ab", "foo", "x.md", "y.txt", "foo.md", "a b", "[z]", "!k", "#h", "b ", "é.md"]
    for _ in range(12):
        *folders, name = [chance.choice(names) for _ in range(chance.randint(1, 4))]
        folder = top.joinpath(*(f"{part}-" for part in folders)) if chance.random() < 0.5 else top.joinpath(*folders)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        except OSError:
            continue
    for folder in [top, *(path for path in sorted(top.rglob("*")) if path.is_dir() and chance.random() < 0.2)]:
        (folder / ".gitignore").write_text("\n".join(_pattern(chance) for _ in range(chance.randint(1, 4))))


# fmt: off
GLOBS = [
    "a", "b", "*", "**", "?", "foo", "*.md", "a*", "*b", "[ab]", "[!a]", "[^a-f]", "fo?", "x.*", "*.t?t",
    "\\!k", "!k", "#h", "\\#h", "[[:alpha:]]", "[z-a]", "***", "*o*o*", "b\\ ", "b ",
]
# fmt: on


def _pattern(chance: random.Random) -> str:
    pattern = "/".join(chance.choice(GLOBS) for _ in range(chance.choice([1, 1, 2, 3])))
    return chance.choice(["", "", "!"]) + chance.choice(["", "", "/"]) + pattern + chance.choice(["", "", "/"])
