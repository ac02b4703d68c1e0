"""How fast files are read, by kind, beside a library alone: `python benchmarks/reading.py [FOLDER]`.

Of the folder, or of the corpus of `tests/corpus` and articles of `seeds/` put in mails, tables and archives, each
kind is taken over and over until there are 2,000 files or 5 MB. In rounds, in turn: `open_file` with a `Worker`, as a
run has it (open, hash, hand over, read, hand back); the reader alone, called here; and a library that gives the text
and less or nothing beside it. Each opens the file. What counts is time of the processor, that of the worker's process
included, so that what else the machine does counts little; medians of five rounds.
"""

from __future__ import annotations

import csv
import io
import json
import mailbox
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from email import message_from_bytes, policy
from html import escape
from pathlib import Path
from statistics import median

import measure

from semsearch.errors import ReadError
from semsearch.read import READERS, Worker, open_file
from semsearch.read.files import kind, load
from semsearch.types import Document

ROOT = Path(__file__).parent.parent
ROUNDS, FILES = 5, 2000
MOST, LARGEST = 5 * 10**6, 2**22
"""Bytes of all files of a kind, and of a file that is taken."""


def html(file: Path) -> object:
    from trafilatura import bare_extraction

    return bare_extraction(file.read_bytes(), with_metadata=True)


def pdf(file: Path) -> object:
    import pypdfium2

    with pypdfium2.PdfDocument(file.read_bytes()) as pages:
        return [each.get_textpage().get_text_bounded() for each in pages]


def docx(file: Path) -> object:
    from docx import Document as Opened

    return [paragraph.text for paragraph in Opened(io.BytesIO(file.read_bytes())).paragraphs]


def pptx(file: Path) -> object:
    from pptx import Presentation

    slides = Presentation(io.BytesIO(file.read_bytes())).slides
    return [shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame]


def xlsx(file: Path) -> object:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(file.read_bytes()), read_only=True)
    return [list(sheet.values) for sheet in book]


def odt(file: Path) -> object:
    from odf import teletype
    from odf.opendocument import load as opened

    return teletype.extractText(opened(io.BytesIO(file.read_bytes())).text)


def epub(file: Path) -> object:
    from selectolax.lexbor import LexborHTMLParser

    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as parts:
        pages = [parts.read(name) for name in parts.namelist() if name.endswith(("html", "htm"))]
    return [LexborHTMLParser(page).body.text() for page in pages]


def rtf(file: Path) -> object:
    from striprtf.striprtf import rtf_to_text

    return rtf_to_text(file.read_bytes().decode("latin-1"), errors="ignore")


def rss(file: Path) -> object:
    from feedparser import parse

    return [entry.summary for entry in parse(io.BytesIO(file.read_bytes())).entries]


def eml(file: Path) -> object:
    body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain", "html"))
    return body and body.get_content()


def mbox(file: Path) -> object:
    with closing(mailbox.mbox(file, create=False)) as mails:
        return [mail.get_payload(decode=True) for mail in mails]


def table(file: Path) -> object:
    csv.field_size_limit(2**24)
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))


def lines(file: Path) -> object:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def archive(file: Path) -> object:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as parts:
        return [parts.read(name).decode() for name in parts.namelist()]


ALONE: dict[str, tuple[str, Callable[[Path], object]]] = {
    ".csv": ("csv", table),
    ".docx": ("python-docx", docx),
    ".eml": ("email", eml),
    ".epub": ("zipfile, selectolax", epub),
    ".html": ("trafilatura", html),
    ".jsonl": ("json", lines),
    ".mbox": ("mailbox", mbox),
    ".md": ("decoding", lambda file: file.read_bytes().decode()),
    ".odt": ("odfpy", odt),
    ".pdf": ("pypdfium2", pdf),
    ".pptx": ("python-pptx", pptx),
    ".rss": ("feedparser", rss),
    ".rtf": ("striprtf", rtf),
    ".txt": ("decoding", lambda file: file.read_bytes().decode()),
    ".xlsx": ("openpyxl", xlsx),
    ".zip": ("zipfile, decoding", archive),
}
"""By kind the library whose work the reader's is nearest to, which may be another one than it uses."""


def corpus(folder: Path) -> None:
    """Write the files of the corpus that can be fetched, and articles in what holds several."""
    sys.path.insert(0, str(ROOT))
    from tests.corpus import made
    from tests.corpus.packages import members, unfetched
    from tests.corpus.truth import files

    for number, each in enumerate(each for each in files() if each.package not in unfetched()):
        data = made.made(each.path) if each.package == made.PANDOC else members(each.package)[each.path]
        (folder / f"{number}{Path(each.path).suffix.lower()}").write_bytes(data)
    articles = {file.stem: file.read_text() for file in sorted((ROOT / "seeds").rglob("*.md"))}
    for title, text in articles.items():
        (folder / f"{title}.md").write_text(text)
        (folder / f"{title}.eml").write_bytes(mail(title, text))
    box = b"".join(b"From a@b.c Thu Feb 15 09:30:00 2024\n" + mail(*each) + b"\n\n" for each in articles.items())
    (folder / "articles.mbox").write_bytes(box)
    rows = [{"title": title, "text": text} for title, text in articles.items()]
    (folder / "articles.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "articles.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["title", "text"])
        writer.writeheader()
        writer.writerows(rows)
    entries = (
        f"<item><title>{title}</title><description>{escape(text)}</description></item>"
        for title, text in articles.items()
    )
    (folder / "articles.rss").write_text(
        f"<rss version='2.0'><channel><title>Seeds</title>{''.join(entries)}</channel></rss>"
    )
    with zipfile.ZipFile(folder / "articles.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for title, text in articles.items():
            packed.writestr(f"{title}.md", text)


def mail(title: str, text: str) -> bytes:
    head = f"From: A B <a@example.org>\nSubject: {title}\nContent-Type: text/plain; charset=utf-8\n\n"
    return (head + text).encode()


def kinds(folder: Path) -> dict[str, list[Path]]:
    """The files of each kind that its reader takes."""
    found: dict[str, list[Path]] = {each: [] for each in ALONE}
    with Worker() as worker:
        for file in sorted(folder.rglob("*")):
            if kind(file.name) in found and file.is_file() and file.stat().st_size <= LARGEST:
                try:
                    documents(file, worker)
                except ReadError as error:
                    print(f"{file}: {error}", file=sys.stderr)
                else:
                    found[kind(file.name)].append(file)
    return {each: files for each, files in found.items() if files}


def documents(file: Path, worker: Worker) -> int:
    """How many documents a file gives, read as a run reads it."""
    with open_file(file, file.name, worker) as opened:
        return sum(isinstance(each, Document) for each in opened.documents)


def used(worker: Worker) -> float:
    """Seconds of the processor that this process has had, and the worker's."""
    process = worker._process  # noqa: SLF001 - no user of a worker asks what it costs
    its = Path(f"/proc/{process._process.pid}/schedstat").read_text().split()[0] if process else 0  # noqa: SLF001
    return time.process_time() + int(its) / 1e9


def row(of: str, files: list[Path]) -> str:
    """What reading these files costs, as a row of the table."""
    name, library = ALONE[of]
    reader = load(READERS[of]) if of in READERS else None
    with Worker() as worker:
        given = {file: documents(file, worker) for file in set(files)}
        ways: dict[str, Callable[[Path], object]] = {"whole": lambda file: documents(file, worker), "library": library}
        if reader is not None:
            ways["reader"] = lambda file: reader(file.name, file.read_bytes())
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for work in ways.values():
            work(files[0])  # imports
        for _ in range(ROUNDS):
            for way, work in ways.items():
                begun = used(worker)
                for file in files:
                    work(file)
                seconds[way].append(used(worker) - begun)
    number, size = sum(given[file] for file in files), sum(file.stat().st_size for file in files)
    rates = [
        f"{number / median(seconds[way]):,.0f} | {size / median(seconds[way]) / 1e6:,.1f}"
        if way in seconds
        else "- | -"
        for way in ("whole", "reader", "library")
    ]
    times = median(a / b for a, b in zip(seconds.get("reader", seconds["whole"]), seconds["library"], strict=True))
    return f"| {of} | {number:,} | {size / number / 1e3:,.1f} | {' | '.join(rates)} | {times:.2f} | {name} |"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        if len(sys.argv) == 1:
            corpus(folder)
        print(
            f"{measure.machine()}; seconds of the processor\n",
            "| kind | documents | kB each | a run's documents/s | MB/s | reader here documents/s | MB/s "
            "| library documents/s | MB/s | times the library's seconds | library |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            sep="\n",
        )
        for of, files in kinds(folder).items():
            number = min(FILES, max(MOST * len(files) // sum(file.stat().st_size for file in files), 1))
            print(row(of, [files[each % len(files)] for each in range(number)]), flush=True)


if __name__ == "__main__":
    main()
