"""Reads a file as libraries alone do, without a limit on anything: what bombs do to it shows that they are bombs."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import mailbox
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET


def of_zip(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            read(name, archive.read(name))


def of_tar(data: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            inside = archive.extractfile(member)
            read(member.name, inside.read() if inside else b"")


def of_parts(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode(errors="replace")
            HTMLParser().feed(text) if name.endswith("html") else "".join(ET.fromstring(text).itertext())


def of_pdf(data: bytes) -> None:
    import pypdfium2

    with pypdfium2.PdfDocument(data) as pdf:
        [page.get_textpage().get_text_bounded() for page in pdf]


def of_rtf(data: bytes) -> None:
    from striprtf.striprtf import rtf_to_text

    rtf_to_text(data.decode("latin-1"))


def of_mail(data: bytes) -> None:
    message = message_from_bytes(data, policy=policy.default)
    [str(message["To"]), *(part.get_content_type() for part in message.walk())]


def of_mailbox(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        [of_mail(mail.as_bytes()) for mail in mailbox.mbox(file.name)]


def of_csv(data: bytes) -> None:
    csv.field_size_limit(sys.maxsize)
    list(csv.reader(io.StringIO(data.decode())))


READERS: Mapping[str, Callable[[bytes], object]] = {
    ".bz2": bz2.decompress,
    ".csv": of_csv,
    ".docx": of_parts,
    ".eml": of_mail,
    ".epub": of_parts,
    ".gz": gzip.decompress,
    ".html": lambda data: HTMLParser().feed(data.decode()),
    ".json": json.loads,
    ".jsonl": lambda data: [json.loads(line) for line in data.splitlines()],
    ".mbox": of_mailbox,
    ".odt": of_parts,
    ".pdf": of_pdf,
    ".pptx": of_parts,
    ".rtf": of_rtf,
    ".tar": of_tar,
    ".xlsx": of_parts,
    ".xz": lzma.decompress,
    ".zip": of_zip,
}


def read(name: str, data: bytes) -> None:
    """Read a file, and what is in it if it was packed."""
    file = Path(name)
    made = READERS.get(file.suffix, bytes.decode)(data)
    if isinstance(made, bytes):
        read(file.stem, made)


if __name__ == "__main__":
    read(sys.argv[1], Path(sys.argv[1]).read_bytes())
