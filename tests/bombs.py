"""Bombs and hangs of every kind that is read, made by code, each with why it must be skipped; reads none of them.

Most are a few kilobytes that stand for gigabytes, or for hours. None has been published before as it is here; the ideas
are well known.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests import bombs_pdf

MIB = 2**20
MANY = 256 * MIB
_CONTAINER = '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
_PACKAGE = (
    '<package><metadata/><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Bomb(NamedTuple):
    """How a file is made, and a pattern of the reason for which it, or what is in it, is skipped."""

    make: Callable[[], bytes]
    reason: str


def zipped(parts: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return data.getvalue()


def packed_twice(block: bytes, times: int) -> bytes:
    """A block so many times, in gzip: made without ever being whole."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        large = block * (MIB // len(block) + 1)
        for _ in range(times * len(block) // len(large) + 1):
            file.write(large)
    return out.getvalue()


def office(kind: str, content: bytes, more: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """A docx, pptx, xlsx, odt or epub of which the part that is read first says this."""
    if kind == "odt":
        return zipped([("content.xml", content), *more])
    if kind == "epub":
        return zipped([("META-INF/container.xml", _CONTAINER.encode()), ("p.opf", content), *more])
    main = {"docx": "word/document.xml", "pptx": "ppt/presentation.xml", "xlsx": "xl/workbook.xml"}[kind]
    relation = (
        f'<Relationships><Relationship Id="r" Type="{_RELATION}/officeDocument" Target="{main}"/></Relationships>'
    )
    return zipped([("_rels/.rels", relation.encode()), (main, content), *more])


def laughs(kind: str) -> bytes:
    """Entities that stand for ten of the one before: a thousand million of them in the end."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return office(kind, f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x><p><t>&l9;</t></p></x>'.encode())


def quadratic(kind: str) -> bytes:
    """One long entity, many times."""
    return office(kind, f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><x><p><t>{"&a;" * 100_000}</t></p></x>'.encode())


def tarred(member: tarfile.TarInfo, content: bytes = b"", form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar of one member, whose header is written as it is, before a good one."""
    good = tarfile.TarInfo("good.txt")
    good.size = 20
    words = b"The lighthouse is on".ljust(512, b"\0")
    return member.tobuf(form) + content.ljust(-(-len(content) // 512) * 512, b"\0") + good.tobuf() + words + bytes(1024)


def negative() -> bytes:
    """A member before whose beginning the next one stands, on and on."""
    header = bytearray(tarfile.TarInfo("a.txt").tobuf())
    header[124:136] = b"\xff" * 10 + struct.pack(">h", -512)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) * 2


def sparse() -> bytes:
    """A file of a petabyte, of which nothing but its size is there."""
    member = tarfile.TarInfo("a.txt")
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": f"{10**15},0",
        "GNU.sparse.size": str(10**15),
    }
    return tarred(member, form=tarfile.PAX_FORMAT)


def many_files(name: str, number: int) -> bytes:
    """A tar in gzip of so many empty files."""
    return packed_twice(tarfile.TarInfo(name).tobuf(), number)


def overlapping(number: int) -> bytes:
    """A zip whose directory names the same bytes again and again."""
    kernel = zipped([("a.txt", b"word " * (8 * MIB // 5))])
    at = kernel.index(b"PK\x01\x02")
    entries = b"".join(
        kernel[at : at + 28] + struct.pack("<H", 9) + kernel[at + 30 : at + 46] + b"%05x.txt" % n for n in range(number)
    )
    return kernel[:at] + entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(entries), at, 0)


def crowded(number: int) -> bytes:
    """A zip with so many empty files."""
    return zipped(((f"{n}.txt", b"") for n in range(number)), zipfile.ZIP_STORED)


def in_archives(depth: int, each: int) -> bytes:
    """Zips in zips, many in each, with nothing but zeros in the innermost."""
    data = zipped([(f"{n}.txt", bytes(MIB)) for n in range(each)])
    for _ in range(depth):
        data = zipped([(f"{n}.zip", data) for n in range(each)])
    return data


def crawl(charset: str) -> bytes:
    """An answer of a server whose page is packed."""
    page = packed_twice(b"<p>word ", MANY // 8)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\nContent-Encoding: gzip\r\n\r\n".encode()
    said = f"WARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: {len(head + page)}\r\n\r\n"
    return b"WARC/1.0\r\n" + said.encode() + head + page + b"\r\n\r\n"


def shared_string() -> bytes:
    """A workbook that shows one long string in many cells."""
    cells = '<row><c t="s"><v>0</v></c></row>' * 100_000
    relations = "".join(
        f'<Relationship Id="{name}" Type="{_RELATION}/{kind}" Target="{name}.xml"/>'
        for name, kind in (("s", "sharedStrings"), ("w", "worksheet"))
    )
    parts = {
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relations}</Relationships>",
        "xl/s.xml": f"<sst><si><t>{'long ' * 100_000}</t></si></sst>",
        "xl/w.xml": f"<sheetData>{cells}</sheetData>",
    }
    book = b'<workbook><sheets><sheet name="a" id="w"/></sheets></workbook>'
    return office("xlsx", book, ((name, said.encode()) for name, said in parts.items()))


def nested_mail(depth: int) -> bytes:
    """A part within a part, each with a line of its own between them."""
    heads = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(depth))
    return b"Subject: x\n" + heads + b"\nwords\n" * depth


def xz_of_much_memory() -> bytes:
    """An xz that says it needs a gigabyte and a half to be unpacked."""
    data = lzma.compress(b"word " * 1000, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 2**16}])
    at = data.index(b"\x21\x01", 12)
    header = bytearray(data[12 : 12 + (data[12] + 1) * 4 - 4])
    header[at - 12 + 2] = 40
    return data[:12] + bytes(header) + struct.pack("<I", zlib.crc32(header)) + data[12 + len(header) + 4 :]


_TOO_MUCH = r"unpacks to more than .+"
_LATE = r"took longer than [0-9.]+ s to read"
_MEMORY = r"needs more than \d+ MB to read"
_LONG = "a row of 16 million characters or more"
_WORD = "a word of half a million letters or more, so it is no article"
_ENTITIES = "declares XML entities, which no such document does"

BOMBS: Mapping[str, Bomb] = {
    # packed
    "zeros.txt.gz": Bomb(lambda: packed_twice(b"\0", MANY), _TOO_MUCH),
    "words.txt.bz2": Bomb(lambda: bz2.compress(b"word " * (MANY // 5)), _TOO_MUCH),
    "words.txt.xz": Bomb(lambda: lzma.compress(b"word " * (MANY // 5)), _TOO_MUCH),
    "memory.txt.xz": Bomb(xz_of_much_memory, "broken: it cannot be unpacked to its end"),
    "members.txt.gz": Bomb(lambda: gzip.compress(b"", mtime=0) * 50_000, "empty"),
    "streams.txt.xz": Bomb(lambda: lzma.compress(b"") * 30_000, "empty"),
    # archives
    "flat.zip": Bomb(lambda: overlapping(2000), "broken: it cannot be unpacked|" + _TOO_MUCH),
    "nested.zip": Bomb(partial(in_archives, 3, 16), _TOO_MUCH),
    "deep.zip": Bomb(partial(in_archives, 6, 1), "stands in too many files, one within another"),
    "crowded.zip": Bomb(partial(crowded, 110_000), "has more than 100,000 files"),
    "many.tar.gz": Bomb(partial(many_files, "a.txt", 500_000), _TOO_MUCH),
    "sparse.tar": Bomb(sparse, _TOO_MUCH),
    "negative.tar": Bomb(negative, "empty|a broken tar"),
    # office
    **{f"laughs.{kind}": Bomb(partial(laughs, kind), _ENTITIES) for kind in ("docx", "epub", "odt", "pptx", "xlsx")},
    **{f"quadratic.{kind}": Bomb(partial(quadratic, kind), _ENTITIES) for kind in ("docx", "odt", "xlsx")},
    "zeros.docx": Bomb(lambda: office("docx", b" " * MANY), _TOO_MUCH),
    "paragraphs.docx": Bomb(lambda: office("docx", b"<b>" + b"<p/>" * (16 * MIB)), _TOO_MUCH),
    "attribute.odt": Bomb(lambda: office("odt", b"<p a='" + b"a" * (7 * MIB)), "has a tag without an end"),
    "deep.odt": Bomb(lambda: office("odt", b"<p>" * 20_000), "nested too deep"),
    "strings.xlsx": Bomb(shared_string, _MEMORY),
    "page.epub": Bomb(lambda: office("epub", _PACKAGE.encode(), [("a.xhtml", b"<i>" * MANY)]), _TOO_MUCH),
    "nested.rtf": Bomb(lambda: b"{\\rtf1 " + b"{\\b x" * (2 * MIB), _WORD),
    "information.rtf": Bomb(lambda: b"{\\rtf1 {\\info " + b"{x}" * (8 * MIB), _LATE + "|" + _MEMORY),
    # pages
    "tags.html": Bomb(lambda: b"<p a=b>x" * MIB, "more than a million tags and attributes, so it is no article"),
    "word.html": Bomb(lambda: b"<p>" + b"a" * (4 * MIB), _WORD),
    # mail
    "nested.eml": Bomb(partial(nested_mail, 10_000), "nested too deep"),
    "boundaries.eml": Bomb(lambda: nested_mail(600) + b"--\n" * (MIB // 4), _LATE),
    "headers.eml": Bomb(lambda: b"To: " + b"(" * MIB + b"\n\nwords", "made its reader fail .*"),
    "endless.mbox.gz": Bomb(lambda: packed_twice(b"From a@b.c x\n" + b"\n" * MIB, 200), _TOO_MUCH),
    # tables
    "row.csv.gz": Bomb(lambda: packed_twice(b"text,", 40 * MIB), _LONG),
    "fields.csv": Bomb(lambda: b"text" + b",ab" * (2 * MIB), "a row of more than a million values"),
    "quoted.csv": Bomb(lambda: b'text\n"' + b"word\n" * (4 * MIB), _LONG),
    "emoji.jsonl": Bomb(lambda: b'{"text":"' + "\U0001f600".encode() + b"x" * (40 * MIB), _LONG),
    "lists.jsonl": Bomb(lambda: b"[" + b"[]," * (4 * MIB) + b"\n", "a row of more than a million values"),
    "deep.jsonl": Bomb(lambda: b'{"text":' + b"[" * 500_000 + b"\n", "no JSON, or nested too deep"),
    # what is fetched from the web
    "page.warc": Bomb(partial(crawl, "utf-8"), _TOO_MUCH),
    "recoded.warc": Bomb(partial(crawl, "iso-8859-1"), _TOO_MUCH),
    "lists.json": Bomb(
        lambda: b'{"version":"https://jsonfeed.org/version/1","items":[' + b"[]," * (8 * MIB) + b"[]]}", _MEMORY
    ),
    **{name: Bomb(make, reason) for name, (make, reason) in bombs_pdf.BOMBS.items()},
}
"""By name of the file."""

GOOD: Mapping[str, bytes] = {
    "good.txt": b"The lighthouse is lit again, says the harbour master.",
    "good.html": b"<article><h1>A ferry</h1><p>The ferry to the island runs again from Monday on.</p></article>",
    "good.eml": b"From: a@example.org\nSubject: The bridge\n\nThe bridge over the river is open to lorries.\n",
    "good.docx": office("docx", b"<document><body><p><r><t>The station has a new roof.</t></r></p></body></document>"),
    "good.csv": b"title,text\nOne,The tram is late once more.\n",
    "good.pdf": bombs_pdf.page(b"BT /F 12 Tf 20 700 Td (The tunnel is closed at night.) Tj ET"),
    "good.zip": zipped([("a/good.md", b"# The market\n\nThe market opens at seven.")]),
}
"""What stands beside them, and must be found."""


def plant(folder: Path, names: Iterable[str]) -> None:
    """Write bombs of these names, and what is good beside them."""
    for name, content in GOOD.items():
        (folder / name).write_bytes(content)
    for name in names:
        (folder / name).write_bytes(BOMBS[name].make())


if __name__ == "__main__":  # python -m tests.bombs FOLDER NAME…, for who wants to stay small
    plant(Path(sys.argv[1]), sys.argv[2:])
