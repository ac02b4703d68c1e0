"""What must come out of each file of the corpus, and how much of it the readers give; fetches nothing itself.

`files.jsonl` has a line a file. Where a page marks its own text, `main` is a CSS selector of it, `without` of what is
no text within it, and `either` of what may come out and need not: a headline, a caption, a list of contents; so may the
page's description, which is its lead. What holds for all pages of a kind stands in `kinds.json`. `clean` is a file of
the same package with the same text alone, `also` what may come besides.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from semsearch.errors import ReadError
from semsearch.read.decode import decode
from semsearch.read.files import READERS, load, suffix
from semsearch.read.html_markup import declared
from semsearch.types import Document
from tests.corpus import made
from tests.corpus.packages import members

HERE = Path(__file__).parent
_SILENT = ["script", "style", "template", "noscript", "button", "title", "svg", "iframe", "textarea", "select"]

_DESCRIBED = "meta[property='og:description'], meta[name=description]"


@dataclass(frozen=True)
class File:
    """A file of a package; `titles` and `dates` are what it states, in any wording, `has` what must be in its text."""

    package: str
    path: str
    kind: str
    titles: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    main: str = ""
    without: str = ""
    either: str = ""
    clean: str = ""
    also: str = ""
    has: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What came out of a file; None where nothing is known to compare with.

    `lost` are phrases that did not come, `refused` is why there is no text at all.
    """

    file: File
    recall: float | None
    boilerplate: float | None
    title: bool | None
    date: bool | None
    lost: tuple[str, ...]
    refused: str = ""


@functools.cache
def files() -> tuple[File, ...]:
    """The corpus, in the order of the packages."""
    kinds = json.loads((HERE / "kinds.json").read_text())
    lines = (HERE / "files.jsonl").read_text().splitlines()
    listed = (File(**{**kinds.get(given["kind"], {}), **given}) for given in map(json.loads, lines))
    return (*listed, *(_of_pandoc(article, suffix) for article in made.articles() for suffix in made.FORMATS))


def _of_pandoc(article: str, suffix: str) -> File:
    """Its slides and rich text state no title but in their text, its dates are those of the writing.

    A book has the title on its first page and above its only chapter.
    """
    title, *more = made.stated(article)
    titles = (title,) if title and suffix not in {".rtf", ".pptx"} else ()
    also = " ".join([title, title, *more])
    return File(made.PANDOC, article + suffix, made.FORMATS[suffix], titles, clean=f"{article}.txt", also=also)


def words(text: str) -> Counter[str]:
    """Words without case."""
    return Counter(re.findall(r"\w+", text.casefold()))


def truth(file: File) -> tuple[Counter[str], Counter[str]]:
    """The words that must come out of a file, and those that may besides."""
    if file.clean:
        return words(_plain(file.package, file.clean).decode()), words(file.also)
    data = _plain(file.package, file.path)
    tree = LexborHTMLParser(decode(data, declared(data)))
    tree.strip_tags(_SILENT)
    for node in tree.css(file.without) if file.without else ():
        node.decompose()
    described = [node.attributes.get("content") or "" for node in tree.css(_DESCRIBED)]
    maybe = words(" ".join([*file.titles, *described[:1]]))
    for node in tree.css(file.either) if file.either else ():
        maybe += words(node.text(separator=" "))
        node.decompose()
    must = Counter[str]()
    for node in tree.css(file.main):
        must += words(node.text(separator=" "))
        node.decompose()  # so that what is chosen within it is not counted again
    return must, maybe


def read(file: File) -> Document:
    """What the reader makes of it."""
    name = Path(file.path).name.removesuffix(".gz")
    return load(READERS[suffix(name)])(name, _plain(file.package, file.path))


def known(file: File) -> list[str]:
    """What of a file can be compared."""
    has_text = bool(file.main or file.clean)
    has = {"recall": has_text, "boilerplate": has_text, "title": bool(file.titles), "date": bool(file.dates)}
    return [what for what, is_known in has.items() if is_known]


def measure(file: File) -> Measured:
    """How much of what must come out does, and how much that must not; all is lost where the file is refused."""
    refused = ""
    try:
        made = read(file)
    except ReadError as error:
        made, refused = Document(file.path, ""), str(error)
    recall = boilerplate = None
    if file.main or file.clean:
        (must, maybe), got = truth(file), words(made.text)
        recall = (got & must).total() / must.total()
        boilerplate = (got - must - maybe).total() / max(got.total(), 1)
    title = _line(made.title) in map(_line, file.titles) if file.titles else None
    date = made.date[:10] in file.dates if file.dates else None
    lost = tuple(each for each in file.has if each not in made.text)
    return Measured(file, recall, boilerplate, title, date, lost, refused)


def _plain(package: str, path: str) -> bytes:
    data = made.made(path) if package == made.PANDOC else members(package)[path]
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _line(text: str) -> str:
    return " ".join(text.casefold().split())
