"""Reads and cuts hostile files of 1, 10 and 50 MB, and prints seconds per MB and memory of each; asserts nothing.

    python -m tests.torture.linear [--sizes 1,10,50] [NAME…]

Each file has a process of its own. What is linear costs the same for each MB, whatever the size.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent.parent
MB = 1_000_000

HOSTILE: Mapping[str, tuple[str, bytes, bytes]] = {
    "words": (".txt", b"", b"word "),
    "one word of letters": (".txt", b"", b"a"),
    "one word of dots": (".txt", b"", b"."),
    "letters and dots": (".txt", b"", b"a."),
    "short sentences": (".txt", b"", b"A b. "),
    "lines": (".txt", b"", b"a\n"),
    "returns": (".txt", b"", b"a\r"),
    "paragraphs": (".txt", b"", b"a\n\n"),
    "white space": (".txt", b"x", b" "),
    "quotes": (".txt", b"", b'"'),
    "quoted sentences": (".txt", b"", b'"A b. '),
    "brackets": (".txt", b"", b"(a. "),
    "abbreviations": (".txt", b"", b"Mr. A. "),
    "numbers": (".txt", b"", b"1.2. "),
    "exclamations": (".txt", b"", b"!?"),
    "ideographs": (".txt", b"", "安全".encode()),
    "ideographic sentences": (".txt", b"", "安。".encode()),
    "marks": (".txt", b"e", "\u0301".encode()),
    "joined emoji": (".txt", b"", "\U0001f469\u200d".encode()),
    "latin 1": (".txt", b"", "été à ".encode("latin-1")),
    "koi8": (".txt", b"", "мир и ".encode("koi8-r")),
    "markdown headings": (".md", b"", b"# a\n"),
    "markdown headings with text": (".md", b"", b"# a\nb\n"),
    "markdown links": (".md", b"# ", b"["),
    "markdown rules": (".md", b"", b"a\n-\n"),
    "markdown quotations": (".md", b"", b"> "),
    "markdown code": (".md", b"", b"`a"),
    "front matter never closed": (".md", b"---\n", b"a: b\n"),
    "html paragraphs": (".html", b"", b"<p>a"),
    "html blocks": (".html", b"", b"<div>a"),
    "html letters": (".html", b"", b"<b>a"),
    "html links": (".html", b"", b"<a href=x>a</a>"),
    "html tables": (".html", b"", b"<table><tr><td>a"),
    "html headings": (".html", b"", b"<h2>x</h2>"),
    "html articles": (".html", b"", b"<article>a</article>"),
    "html forms": (".html", b"", b"<form>a</form>"),
    "html entities": (".html", b"", b"&amp;"),
    "html angles": (".html", b"x", b"<"),
    "html comments": (".html", b"x", b"<!--"),
    "html scripts": (".html", b"x", b"<script>"),
    "html attributes": (".html", b"x<p ", b"a=b c "),
    "html unknown": (".html", b"", b"<x-y>a"),
    "html json": (".html", b"x<script type=application/ld+json>", b"["),
    "html breaks": (".html", b"x", b"<br>a"),
    "html titles": (".html", b"x", b"<title>a</title>"),
    "html metas": (".html", b"x", b"<meta name=a content=b>"),
}
"""Suffix, what the file begins with, and what it repeats."""


def content(name: str, size: int) -> tuple[str, bytes]:
    """The suffix and the bytes of a hostile file of about that size."""
    suffix, begin, repeated = HOSTILE[name]
    return suffix, begin + repeated * (size // len(repeated))


def measured(name: str, size: int) -> tuple[float, float, float]:
    """Seconds of reading and of cutting a file, and memory in MB; done in a process of its own."""
    command = [sys.executable, "-m", "tests.torture.linear", "--inside", str(size), name]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=900, check=False)
    if run.returncode:
        return float("nan"), float("nan"), float(run.returncode)
    reading, cutting, memory = map(float, run.stdout.split())
    return reading, cutting, memory


def measure(name: str, size: int) -> None:
    """Read and cut a file in this process, and print seconds and memory."""
    from semsearch.errors import ReadError
    from semsearch.read import READERS
    from semsearch.split import split
    from semsearch.testing import HashEmbedder

    suffix, data = content(name, size)
    module, _, attribute = READERS[suffix].partition(":")
    reader = getattr(import_module(module), attribute)
    begun = time.process_time()
    try:
        document = reader(f"a{suffix}", data)
    except ReadError:
        document = None
    read = time.process_time() - begun
    if document is not None:
        with suppress(ReadError):
            split(document, HashEmbedder())
    cut = time.process_time() - begun - read
    click.echo(f"{read} {cut} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--sizes", default="1,10,50", help="In MB.")
@click.option("--inside", type=int, hidden=True)
def main(names: tuple[str, ...], sizes: str, inside: int | None) -> None:
    """Print a table: seconds per MB to read and to cut, at each size, and memory at the largest."""
    if inside is not None:
        measure(names[0], inside)
        return
    each = [int(size) for size in sizes.split(",")]
    head = " | ".join(f"{size} MB" for size in each)
    click.echo(f"| hostile text | read, s/MB at {head} | cut, s/MB at {head} | memory at {each[-1]} MB |")
    click.echo("|---" * (2 + 2 * len(each)) + "|")
    for name in names or HOSTILE:
        figures = [measured(name, size * MB) for size in each]
        reading = " | ".join(f"{figure[0] / size:.3f}" for figure, size in zip(figures, each, strict=True))
        cutting = " | ".join(f"{figure[1] / size:.3f}" for figure, size in zip(figures, each, strict=True))
        click.echo(f"| {name} | {reading} | {cutting} | {figures[-1][2]:.0f} MB |")


if __name__ == "__main__":
    main()
