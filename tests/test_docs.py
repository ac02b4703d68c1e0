"""Every example of the documents runs, and prints what the documents show."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "docs/guide.md", "docs/hits.md"]
pytestmark = [pytest.mark.docs, pytest.mark.model]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line on which it begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(match[1], match[2], text.count("\n", 0, match.start()) + 1)
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def commands(block: Block) -> list[tuple[str, str]]:
    """Each command after `$` with the output that is shown below it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert parts[0] == "", f"line {block.line}: a console block begins with `$`"
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts[1:]]


def pattern(shown: str) -> str:
    """What is shown as a regular expression: `…` alone on a line is any lines, within a line any characters."""
    lines = [re.escape(line).replace("…", ".*") + "\n" for line in shown.splitlines()]
    return "".join("(?:.*\n)*?" if line == ".*\n" else line for line in lines) if shown else "(?:.*\n)*"


@pytest.fixture(scope="module")
def seeds_index(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A folder as after `make demo`: seeds/ and its index."""
    home = tmp_path_factory.mktemp("demo")
    shutil.copytree(ROOT / "seeds", home / "seeds")
    call(home, [sys.executable, "-m", "semsearch", "index", "seeds"])
    return home


def call(home: Path, command: list[str] | str) -> str:
    """What a command prints, on both channels in order."""
    environment = {
        **os.environ,
        "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
    }
    for name in ("SEMSEARCH_INDEX", "SEMSEARCH_MODEL"):
        environment.pop(name, None)
    done = subprocess.run(
        command, shell=isinstance(command, str), cwd=home, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_examples_print_what_is_shown(page: str, seeds_index: Path, tmp_path: Path) -> None:
    """Console blocks: the commands in order, each with the output below it."""
    home = seeds_index
    if page == "README.md":
        # It begins before there is an index.
        home = tmp_path
        shutil.copytree(ROOT / "seeds", home / "seeds")
    ran = 0
    for block in blocks(page):
        for command, shown in commands(block) if block.language == "console" else []:
            assert command.startswith(("semsearch ", "mkdir ", "echo ")), command
            actual = call(home, command)
            assert re.fullmatch(pattern(shown), actual), f"{page}:{block.line}\n$ {command}\n{actual}"
            ran += 1
    assert ran or page == "docs/hits.md"


@pytest.mark.parametrize("page", PAGES)
def test_python_examples_run(page: str, seeds_index: Path) -> None:
    """Each in an interpreter of its own, with warnings as errors."""
    programs = [block.text for block in blocks(page) if block.language == "python"]
    for program in programs:
        call(seeds_index, [sys.executable, "-W", "error", "-c", program])
    assert programs


def test_every_block_has_a_language_that_is_checked_or_needs_no_check() -> None:
    """No example escapes by its label."""
    checked = {"console", "python"}
    free = {"sh", "text", "json"}
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]):
        name = page.relative_to(ROOT).as_posix()
        languages = {block.language for block in blocks(name)}
        assert languages <= checked | free, name
        assert name in PAGES or not languages & checked, name


def test_links_lead_somewhere() -> None:
    """Links between the documents name files that exist."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
