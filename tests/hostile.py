"""What no reader should do, done by one of its own, and files that a parser could choke on; tests nothing itself."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from semsearch.errors import ReadError
from semsearch.types import Document, Section

READER = "tests.hostile:read"
"""Reads what the file says by doing it: a file of `loop` hangs, one of anything else is an article."""

MIB = 2**20


def read(path: str, data: bytes) -> Document:
    """The document, or whatever the file wants."""
    done = _DEEDS.get(data.decode(errors="replace").strip(), _nothing)()
    text = f"{data.decode('utf-8', 'surrogateescape')}{done or ''}"
    return Document(path, text, title="T", metadata={"n": 1.5}, sections=(Section(0, len(text), "H"),))


def _nothing() -> None:
    return


def _loop() -> NoReturn:
    while True:
        pass


def _loop_in_c() -> int:
    return sum(range(10**15))


def _sleep() -> None:
    time.sleep(3600)


def _allocate() -> NoReturn:
    held: list[bytearray] = []
    while True:
        held.append(bytearray(MIB))


def _allocate_at_once() -> int:
    return len(bytearray(4096 * MIB))


def _segfault() -> bytes:
    return ctypes.string_at(0)


def _overflow() -> str:
    return repr(_overflow())


def _leave() -> NoReturn:
    os._exit(3)


def _exit() -> NoReturn:
    sys.exit(0)


def _refuse() -> NoReturn:
    raise ReadError("scanned, has no text")


def _fail() -> NoReturn:
    raise KeyError("no such part")


def _write() -> str:
    for descriptor in (1, 2):
        os.write(descriptor, b'"a lie"\n' * 1000)
    print("x" * 100_000)  # noqa: T201 - what a careless library does
    return f"{sys.stdin.read()} written"


def _fork() -> str:
    child = os.fork()
    if not child:
        time.sleep(3600)
    os.waitpid(child, 0)
    return " forked"


def _fork_in_c() -> str:
    """Without Python knowing of it, and with a child that stays."""
    return " forked" if ctypes.CDLL(None).fork() else _loop()


def _grow() -> str:
    _KEPT.append(bytearray(30 * MIB))
    return " grown"


def _flood() -> str:
    return "x" * (65 * MIB)


_KEPT: list[bytearray] = []
_DEEDS: Mapping[str, Callable[[], object]] = {
    "loop": _loop,
    "loop in C": _loop_in_c,
    "sleep": _sleep,
    "allocate": _allocate,
    "allocate at once": _allocate_at_once,
    "abort": os.abort,
    "segfault": _segfault,
    "overflow": _overflow,
    "leave": _leave,
    "exit": _exit,
    "refuse": _refuse,
    "fail": _fail,
    "write": _write,
    "fork": _fork,
    "fork in C": _fork_in_c,
    "grow": _grow,
    "flood": _flood,
}

FILES: Mapping[str, Callable[[], bytes]] = {
    "elements.html": lambda: b"<div>" * (MIB // 4) + b"x",
    "elements-mixed.html": lambda: b"<div><b><span><i>" * (MIB // 8) + b"x",
    "tables.html": lambda: b"<table><tr><td>" * (MIB // 8) + b"x",
    "drawing.html": lambda: b"<svg>" + b"<g>" * (MIB // 4) + b"x",
    "anchors.html": lambda: b"<p><a href=x>y" * (MIB // 8),
    "formatting.html": lambda: b"<p><b><i><u><s><em>x" * (MIB // 8),
    "declarations.html": lambda: b"<!" * (MIB // 8),
    "cdata.html": lambda: b"<![CDATA[" * (MIB // 8),
    "comments.html": lambda: b"<!--" * (MIB // 2),
    "scripts.html": lambda: b"<script>" * (MIB // 8) + b"</scrip" * (MIB // 8),
    "end-tags.html": lambda: b"</a b='" * (MIB // 4),
    "start-tags.html": lambda: b"<a" * (MIB // 8),
    "instructions.html": lambda: b"<?" * (MIB // 8),
    "closed-by-xml.html": lambda: b"<?xml version='1.0'?>" + b"<a " * (MIB // 2),
    "attributes.html": lambda: b"<p " + b" ".join(b"a%d=1" % i for i in range(MIB // 16)) + b">x",
    "attributes-everywhere.html": lambda: (b"<p " + b" ".join(b"a%d" % i for i in range(2500)) + b">x") * 60,
    "quotes.html": lambda: b"<p a='" * (MIB // 4),
    "entities.html": lambda: b"&amp;&lt;&#x1F600;&NotEqualTilde;" * (MIB // 2),
    "number.html": lambda: b"&#" + b"9" * (16 * MIB),
    "laughs.xhtml": lambda: (
        b"<!DOCTYPE l ["
        + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(30))
        + b"]><html><p>&a29;</p>"
    ),
    "facts.html": lambda: b"".join(b"<meta name=a%d content=b>" % i for i in range(MIB // 16)) + b"<p>x",
    "json.html": lambda: b"<script type=application/ld+json>" + b"[" * (MIB // 2) + b"</script><p>x",
    "one-line.html": lambda: b"<p>" + b"a" * (20 * MIB),
    "headings.md": lambda: b"# a\n" * MIB,
    "headings-here.md": lambda: b"# a\n" * (MIB // 16),
    "underlined.md": lambda: b"a\n=\n" * (MIB // 16),
    "empty-lines.md": lambda: b"\n" * (6 * MIB) + b"x",
    "marks.md": lambda: (b"# " + b"*_`[" * 40 + b"\n") * 1500,
    "aliases.md": lambda: (
        b"---\na0: &a0 x\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12))
        + b"---\nx\n"
    ),
    "nested.md": lambda: b"---\na: " + b"[" * 65000 + b"\n---\nx",
    "object.md": lambda: b"---\na: !!python/object/apply:os.abort []\n---\nx",
    "endless-key.md": lambda: b"+++\n" + b"a." * 32000 + b"b=1\n+++\nx",
    "one-line.md": lambda: b"a " * (8 * MIB),
    "one-line.txt": lambda: b"a" * (64 * MIB),
    "noise.txt": lambda: bytes(range(1, 256)) * (MIB // 8),
    "half-a-pair.txt": lambda: b"\xff\xfe" + b"\x00\xd8" * (MIB // 8),
}
"""Files by name, and what makes them."""
