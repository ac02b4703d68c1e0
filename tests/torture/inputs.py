"""Indexes a folder of bad, odd and good files by the command line, with a limit on memory; `bad.py` has the files.

    python -m tests.torture.inputs [--small]

Some files change while the run reads others, and some may not be read. The naive reader, which decodes whatever it is
given, must be caught first.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from semsearch import Index
from semsearch.testing import HashEmbedder
from semsearch.types import Vectors
from tests.torture import bad

ROOT = Path(__file__).parent.parent.parent
MOST_MEMORY = 2e9
"""Bytes."""

MEDDLESOME = "zqmeddlesomex"
_RUN = """
import sys
import semsearch.embed as embed
embed.EMBEDDERS = {"hash": "tests.torture.inputs:" + sys.argv.pop(1)}
from semsearch.cli import main
main()
"""
_NAIVE = """
import sys
from pathlib import Path
texts = {file: file.read_text(errors="replace") for file in sorted(Path(sys.argv[1]).rglob("*")) if not file.is_dir()}
"""
_DROP_BOUND, _READ_ANY, _SEARCH_ANY = 24, 1, 2  # prctl's PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


@dataclass
class Outcome:
    """What came of a run of the command: exit status, what was said, memory in bytes, and what is wrong with it."""

    status: int
    said: str
    memory: int
    wrong: list[str] = field(default_factory=list)


class Meddler(HashEmbedder):
    """Changes files of the folder when it meets a text, which is in the first of them: no other is read yet."""

    done = False

    def count(self, texts: list[str]) -> list[int]:
        if not self.done and any(MEDDLESOME in text for text in texts):
            self.done = True
            meddle(Path(os.environ["MEDDLED"]))
        return super().count(texts)


class NotANumber(HashEmbedder):
    """A model that gives NaN for one text."""

    def encode_document(self, texts: list[str]) -> Vectors:
        vectors = super().encode_document(texts)
        vectors[["harbour" in text for text in texts], 3] = np.nan
        return vectors


class Narrow(HashEmbedder):
    """A model whose vectors are not as long as it says."""

    def encode_document(self, texts: list[str]) -> Vectors:
        return super().encode_document(texts)[:, 1:]


CHANGED = {
    "z vanishes.txt": "cannot be read: No such file or directory",
    "z becomes a folder.txt": "a folder, not a file",
    "z becomes a pipe.txt": "a FIFO, not a file",
    "z becomes a link.txt": "a symbolic link, not followed",
    "z becomes binary.txt": "binary data",
    "z becomes empty.txt": "empty",
    "z may not be read.txt": "cannot be read: Permission denied",
    "z may not be listed/": "cannot be listed: Permission denied",
}
"""What changes while the run reads, or may not be read: path -> reason."""

GROWING = "z grows.txt"
"""While it is read; what is there is taken in, and looked at again by the next run, or it becomes too large."""


def prepare(folder: Path) -> None:
    """The files that change or may not be read."""
    (folder / "a meddlesome one.txt").write_text(f"A text that is {MEDDLESOME}.")
    for name in CHANGED:
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).write_text("Words that nobody will see.")
        if " may not be " in name:
            (folder / name).chmod(0)
    (folder / GROWING).write_text("word " * 200_000)


def meddle(folder: Path) -> None:
    """Change them."""
    for name in CHANGED:
        if "vanishes" in name or "becomes a" in name:
            (folder / name).unlink(missing_ok=True)
    (folder / "z becomes a folder.txt").mkdir()
    os.mkfifo(folder / "z becomes a pipe.txt")
    (folder / "z becomes a link.txt").symlink_to("/etc/passwd")
    (folder / "z becomes binary.txt").write_bytes(b"\0" * 99)
    (folder / "z becomes empty.txt").write_text("")

    def grow() -> None:
        with (folder / GROWING).open("a") as file:
            for _ in range(70):
                file.write("word " * 200_000)

    threading.Thread(target=grow, daemon=True).start()


def index(folder: Path, path: Path, embedder: str = "HashEmbedder") -> Outcome:
    """Run `semsearch index`, without root's right to read whatever it likes."""
    return _run(folder, _RUN, embedder, "index", str(folder), "-i", str(path), "-v")


def naive() -> list[str]:
    """What is wrong with the naive reader, which takes whatever is there for UTF-8: it does not get to the end."""
    with tempfile.TemporaryDirectory() as folder:
        _, listed = bad.plant(Path(folder), large=False)
        outcome = _run(Path(folder), _NAIVE, folder)
        return [*_wrong_status(outcome, 0), *_wrong_lists(outcome.said, listed)]


def _run(folder: Path, *program: str) -> Outcome:
    command = [sys.executable, "-c", *program]
    environment = {**os.environ, "SEMSEARCH_MODEL": "hash", "PYTHONPATH": str(ROOT), "MEDDLED": str(folder)}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment, preexec_fn=_as_anybody)  # noqa: PLW1509
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return Outcome(process.returncode, said.read().decode(), usage.ru_maxrss * 1024)


def trial(*, large: bool) -> Outcome:
    """The whole of it: bad inputs, then the same again, then models that give what is no vector."""
    with tempfile.TemporaryDirectory() as top:
        folder, path = Path(top) / "articles", Path(top) / "index"
        folder.mkdir()
        found, listed = bad.plant(folder, large=large)
        prepare(folder)
        first = index(folder, path, "Meddler")
        first.wrong = [
            *_wrong_status(first, 0),
            *_wrong_lists(first.said, {**listed, **CHANGED}),
            *_wrong_index(path, found, {*listed, *CHANGED}),
        ]
        again = index(folder, path)
        first.wrong += [f"again: {line}" for line in (*_wrong_status(again, 0), *_wrong_lists(again.said, listed))]
        first.memory = max(first.memory, again.memory)
        first.wrong += _wrong_models(Path(top))
        if first.memory > MOST_MEMORY:
            first.wrong.append(f"{first.memory / 1e6:.0f} MB of memory")
        (folder / "z may not be listed").chmod(0o700)
        return first


def _wrong_models(top: Path) -> list[str]:
    """What is wrong with how models are refused that give no vectors; the index then has no document of theirs."""
    (top / "good").mkdir()
    (top / "good" / "a.txt").write_text("A report of the harbour.")
    wrong = []
    for model, reason in (("NotANumber", "NaN"), ("Narrow", "shape")):
        failed = index(top / "good", top / model, model)
        wrong += _wrong_status(failed, 2)
        wrong += [] if reason in failed.said else [f"{model}: {failed.said[-300:]}"]
        with Index.open(top / model, embedder=HashEmbedder()) as opened:
            wrong += opened.verify() + [document.path for document in opened.documents()]
    return wrong


def _as_anybody() -> None:
    """Give up, for a program that is run from here, what lets root read files that it may not."""
    libc = ctypes.CDLL(None)
    for right in (_READ_ANY, _SEARCH_ANY):
        libc.prctl(_DROP_BOUND, right, 0, 0, 0)


def _wrong_status(outcome: Outcome, expected: int) -> list[str]:
    wrong = [] if outcome.status == expected else [f"exit status {outcome.status}: {outcome.said[-600:]}"]
    return [*wrong, "a traceback"] if "Traceback" in outcome.said else wrong


def _wrong_lists(said: str, listed: dict[str, str]) -> list[str]:
    lines = dict(re.findall(r"^skipped (.*?): (.*)$", said, re.MULTILINE))
    wrong = [
        f"{path}: listed as {lines.get(path)!r}, not as {reason!r}"
        for path, reason in listed.items()
        if path not in lines or not re.search(reason, lines[path])
    ]
    return wrong + [f"{path}: {lines[path]}" for path in lines.keys() - listed.keys() - {*CHANGED, GROWING}]


def _wrong_index(path: Path, found: dict[str, str], never: set[str]) -> list[str]:
    with Index.open(path, embedder=HashEmbedder()) as opened:
        names = {document.path for document in opened.documents()}
        wrong = [f"{name} is in the index" for name in sorted(never & names)]
        wrong += [f"{name} is not in the index" for name in sorted(found.keys() - names)]
        for name, word in found.items():
            hits = list({Path(hit.path).name for hit in opened.search(word, mode="lexical", k=3)})
            wrong += [] if hits == [name] else [f"{word} finds {hits}, not {name}"]
        return wrong + opened.verify()


@click.command()
@click.option("--small", is_flag=True, help="Without what takes long.")
def main(*, small: bool) -> None:
    """Run it, say what came of it, and leave with 1 if something was wrong."""
    with tempfile.TemporaryDirectory() as top:
        found, listed = bad.plant(Path(top), large=not small)
    wrong = naive()
    click.echo(f"naive reader: {len(wrong)} wrong: {wrong[0].splitlines()[-1]}")
    outcome = trial(large=not small)
    click.echo(
        f"{len(listed) + len(CHANGED)} bad files, {len(found)} others, all indexed: exit status {outcome.status}, "
        f"{outcome.memory / 1e6:.0f} MB of memory, {len(outcome.wrong)} wrong"
    )
    for line in outcome.wrong[:40]:
        click.echo(f"    {line}")
    sys.exit(bool(outcome.wrong) or not wrong)


if __name__ == "__main__":
    main()
