"""The house is in order: what imports load, what the package offers, how its parts depend, what its help says."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import semsearch
from semsearch.cli import cli

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "sentence_transformers", "transformers", "onnx", "onnxscript", "rich", "scipy", "sklearn"}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a statement leaves in a new interpreter, without the standard library's."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names


def test_importing_semsearch_loads_nothing_else() -> None:
    """Names are loaded when they are used."""
    assert loaded_by("import semsearch") == {"semsearch"}


def test_the_help_loads_click_alone() -> None:
    """`semsearch --help` waits for no library."""
    assert loaded_by("import semsearch.cli, semsearch.cli.index, semsearch.cli.search, semsearch.cli.inspect") == {
        "semsearch",
        "click",
    }


def test_what_a_search_loads() -> None:
    """Neither torch nor sentence_transformers, nor anything else that is only needed to index."""
    assert loaded_by("import semsearch.index, semsearch.show, semsearch.embed.runtime") & HEAVY == set()


def test_the_public_names_are_sorted_and_all_there() -> None:
    """What is offered exists, and nothing else is promised."""
    assert semsearch.__all__ == sorted(semsearch.__all__)
    for name in semsearch.__all__:
        assert getattr(semsearch, name).__name__ == name
    assert set(semsearch.__all__) <= set(dir(semsearch))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        semsearch.nothing  # noqa: B018


def test_the_help_is_as_written_down() -> None:
    """docs/cli.md holds the help of every command; `python tests/test_house.py` writes it anew."""
    assert (ROOT / "docs" / "cli.md").read_text() == help_page()


def test_every_command_stands_in_the_readme_or_the_guide() -> None:
    """No command is a secret."""
    texts = "".join((ROOT / name).read_text() for name in ("README.md", "docs/guide.md"))
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"semsearch {name}" in texts, name


def test_the_version_is_the_changelogs_or_to_come() -> None:
    """The package's version is set in one place, and the changelog knows what is unreleased."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", semsearch.__version__)
    assert (
        "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
        or semsearch.__version__ in (ROOT / "CHANGELOG.md").read_text()
    )


def test_dependencies_have_lower_bounds() -> None:
    """Each is one that was tried, or pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [d for d in project["dependencies"] if not re.search(r">=|==", d)] == []


def test_files_and_functions_stay_small() -> None:
    """No file over 400 lines, no function over 60."""
    for path in sorted((ROOT / "semsearch").rglob("*.py")):
        text = path.read_text()
        assert len(text.splitlines()) <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name}"


def test_no_pickle_is_loaded_and_nothing_is_printed() -> None:
    """The library has no pickle, eval, exec or print in it."""
    forbidden = {"eval", "exec", "print", "pickle", "marshal", "shelve"}
    for path in sorted((ROOT / "semsearch").rglob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        imports = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not (names | imports) & forbidden, path


def help_page() -> str:
    """The help of every command as a Markdown page."""
    runner, parts = CliRunner(), ["# The command line\n\nMade from `--help`; a test compares it.\n"]
    for name in ["", *cli.list_commands(None)]:  # type: ignore[arg-type]
        command = [name] if name else []
        output = runner.invoke(cli, [*command, "--help"], prog_name="semsearch", terminal_width=100).output
        parts.append(f"## semsearch{' ' + name if name else ''}\n\n```text\n{output.strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "cli.md").write_text(help_page())
    print(json.dumps({"written": "docs/cli.md"}))  # noqa: T201
