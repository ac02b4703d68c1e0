"""How fast files are read, by kind: `python benchmarks/reading.py [FOLDER]`.

Of the folder, or of `seeds/`, each kind of file is taken over and over until there are 2,000 files or 10 MB; text,
Markdown and pages also as a few large ones, many articles in one. In rounds, in turn: `read_file`, with a `Worker` as a
run has it (open, hash, hand over, read, hand back); the reader alone, called here; and its library alone, which gives a
text and less or nothing beside it. Files are in the system's memory. Medians of five rounds. Pages are compared with
trafilatura, which has to be installed.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import measure

from semsearch.errors import ReadError
from semsearch.read import READERS, Worker, read_file
from semsearch.read.files import load, suffix

ROUNDS, FILES, LARGE, COPIES = 5, 2000, 4, 400
MOST, LARGEST = 10**7, 2**22
"""Bytes of all files of a kind, and of a file that is taken."""


def html(data: bytes) -> object:
    from trafilatura import bare_extraction

    return bare_extraction(data, with_metadata=True)


def pdf(data: bytes) -> object:
    import pypdfium2

    with pypdfium2.PdfDocument(data) as pages:
        return [each.get_textpage().get_text_bounded() for each in pages]


def docx(data: bytes) -> object:
    from docx import Document

    return [paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs]


def rtf(data: bytes) -> object:
    from striprtf.striprtf import rtf_to_text

    return rtf_to_text(data.decode("ascii", "replace"), errors="ignore")


ALONE: dict[str, tuple[str, Callable[[bytes], object]]] = {
    ".docx": ("python-docx", docx),
    ".html": ("trafilatura", html),
    ".md": ("decoding", bytes.decode),
    ".pdf": ("pypdfium2", pdf),
    ".rtf": ("striprtf", rtf),
    ".txt": ("decoding", bytes.decode),
}
"""By kind the library whose work the reader's is nearest to, which may be another one than it uses."""


def kinds(folder: Path) -> dict[str, list[Path]]:
    """The files of each kind that its reader takes."""
    found: dict[str, list[Path]] = {kind: [] for kind in ALONE if kind in READERS}
    with Worker() as worker:
        for file in sorted(folder.rglob("*")):
            if suffix(file.name) in found and file.is_file() and file.stat().st_size <= LARGEST:
                try:
                    read_file(file, file.name, worker)
                except ReadError as error:
                    print(f"{file}: {error}", file=sys.stderr)
                else:
                    found[suffix(file.name)].append(file)
    return {kind: files for kind, files in found.items() if files}


def large(kind: str, files: list[Path], folder: Path) -> list[Path]:
    """A few files of some megabytes: the articles of this kind one after the other, many times."""
    made = []
    for number in range(LARGE):
        made.append(folder / f"{number}{kind}")
        made[-1].write_bytes(b"\n\n".join(file.read_bytes() for file in files) * (COPIES // len(files) + 1))
    return made


def timed(work: Callable[[Path], object], files: Iterable[Path]) -> float:
    begun = time.perf_counter()
    for file in files:
        work(file)
    return time.perf_counter() - begun


def row(kind: str, files: list[Path]) -> str:
    """What reading these files costs, as a row of the table."""
    size = sum(file.stat().st_size for file in files)
    bytes_of = {file: file.read_bytes() for file in set(files)}
    reader, (name, library) = load(READERS[kind]), ALONE[kind]
    with Worker() as worker:
        ways: dict[str, Callable[[Path], object]] = {
            "whole": lambda file: read_file(file, file.name, worker),
            "reader": lambda file: reader(file.name, bytes_of[file]),
            "library": lambda file: library(bytes_of[file]),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for work in ways.values():
            timed(work, files[:1])  # imports, and the process
        for _ in range(ROUNDS):
            for way, work in ways.items():
                seconds[way].append(timed(work, files))
    rates = [f"{len(files) / median(each):,.0f} | {size / median(each) / 1e6:,.1f}" for each in seconds.values()]
    return f"| {kind} | {len(files):,} | {size / len(files) / 1e3:,.1f} | {' | '.join(rates)} | {name} |"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "seeds"
    print(
        f"{measure.machine()}; files of {folder.name}\n",
        "| kind | files | kB each | `read_file` files/s | MB/s | reader here files/s | MB/s | library files/s | MB/s "
        "| library |",
        "|---|---|---|---|---|---|---|---|---|---|",
        sep="\n",
    )
    for kind, files in kinds(folder).items():
        number = min(FILES, MOST * len(files) // sum(file.stat().st_size for file in files))
        print(row(kind, [files[each % len(files)] for each in range(number)]), flush=True)
        if kind in {".html", ".md", ".txt"}:
            with tempfile.TemporaryDirectory() as temporary:
                print(row(kind, large(kind, files, Path(temporary))), flush=True)


if __name__ == "__main__":
    main()
