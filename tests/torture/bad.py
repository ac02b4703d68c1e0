"""Files that are no articles, files that are odd ones, and good ones, all in one folder; runs nothing.

Whatever is bad must be listed with its reason. What is odd is text all the same, and must be found by its word.
"""

from __future__ import annotations

import gzip
import os
import random
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

BAD: Mapping[str, tuple[bytes, str]] = {
    "empty.txt": (b"", "empty"),
    "empty.md": (b"", "empty"),
    "empty.html": (b"", "no text in it"),
    "spaces.txt": (b" \t\r\n" * 99, "empty"),
    "spaces.md": (b"\n\n\n", "empty"),
    "spaces.html": (b"\r\n \r\n", "no text in it"),
    "wide spaces.txt": ("\u3000\u2028\u00a0".encode(), "empty"),
    "mark.txt": (b"\xef\xbb\xbf", "empty"),
    "mark.md": (b"\xff\xfe", "empty"),
    "mark.html": (b"\xfe\xff", "no text in it"),
    "only fields.md": (b"---\ntitle: A\n---\n", "no text in it, only front matter"),
    "only fields with spaces.md": (b"+++\ntitle = 'A'\n+++\n \n\t", "no text in it, only front matter"),
    "only script.html": (b"<script>var words = 'many';</script>", "no text in it"),
    "only style.html": (b"<style>p { color: red }</style>", "no text in it"),
    "only hidden.html": (b"<p hidden>Nobody sees this.</p>", "no text in it"),
    "only nav.html": (b"<nav><a href=x>Elsewhere</a></nav>", "no text in it"),
    "only comment.htm": (b"<!-- words -->", "no text in it"),
    "only never closed.xhtml": (b"<title>words", "no text in it"),
    "surrogate.txt": (b"A lone \xed\xa0\x80 surrogate.", "UTF-8 with damaged characters|neither UTF-8"),
    "surrogate pair.md": (b"# Two \xed\xa0\xbd\xed\xb8\x80\n\nsurrogates", "UTF-8 with damaged|neither UTF-8"),
    "surrogate.html": (b"<p>A lone \xed\xbf\xbf surrogate", "UTF-8 with damaged characters|neither UTF-8"),
    "surrogate 16.txt": (b"\xff\xfe" + b"a\0\x00\xd8a\0", "marked as UTF-16 but damaged"),
    "surrogate 16.md": (b"\xfe\xff" + b"\0a\xdc\x00\0a", "marked as UTF-16 but damaged"),
    "surrogate 32.txt": (b"\xff\xfe\0\0" + b"\x00\xd8\0\0", "marked as UTF-32 but damaged"),
    "beyond 32.txt": (b"\xff\xfe\0\0" + b"\x00\x00\x11\x00", "marked as UTF-32 but damaged"),
    "odd length 16.txt": (b"\xff\xfe" + b"a\0b", "marked as UTF-16 but damaged"),
    "marked as utf-8.txt": (b"\xef\xbb\xbfcaf\xe9", "marked as UTF-8 but damaged"),
    "nul first.txt": (b"\0" + b"A text.", "binary data"),
    "nul inside.txt": (b"A text" + b"\0" * 9 + b"of words.", "binary data"),
    "nul last.md": (b"# A text\n\0", "binary data"),
    "nul.html": (b"<p>A text\0</p>", "binary data"),
    "nuls.txt": (b"\0" * 4096, "binary data"),
    "unmarked 16.txt": ("A text of words.".encode("utf-16-le"), "binary data"),
    "unmarked 32.txt": ("A text of words.".encode("utf-32-be"), "binary data"),
    "picture.txt": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "binary data"),
    "photograph.md": (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)), "binary data"),
    "program.txt": (b"\x7fELF\x02\x01\x01" + bytes(64), "binary data"),
    "archive.html": (b"PK\x03\x04" + bytes(range(256)) * 4, "binary data"),
    "packed.txt": (gzip.compress(b"A text of words." * 99, mtime=0), "binary data"),
    "database.md": (b"SQLite format 3\0" + bytes(84), "binary data"),
    "controls.txt": (b"A\x01\x02\x03\x04 text \x05\x06\xff", "binary data"),
    "noise.txt": (random.Random(1).randbytes(4096), "binary data"),
    "noise.md": (random.Random(2).randbytes(9999), "binary data"),
    "noise.html": (random.Random(3).randbytes(300), "binary data|neither UTF-8"),
    "damaged.txt": ("Žćšđ čžšćđ ".encode() * 9 + b"\xc5", "UTF-8 with damaged"),
    "overlong.txt": ("Мир и рат. ".encode() * 9 + b"\xc0\xaf", "UTF-8 with damaged"),
    "two encodings.md": ("Скупштина. ".encode() * 9 + b"caf\xe9", "UTF-8 with damaged"),
    "too long.txt": ("ünïcödé ".encode() * 9 + b"\xf8\x88\x80\x80\x80", "UTF-8 with damaged"),
    "legacy noise.txt": (bytes(range(0x80, 0xA0)) * 20, "neither UTF-8|binary data"),
    "book.pdf": (b"%PDF-1.7", "a broken PDF"),
    "page.pdf": (b"A text.", "a broken PDF"),
    "empty.docx": (b"", "empty"),
    "letter.docx": (b"PK", "a broken zip"),
    "table.XLSX": (b"PK\x03\x04" + bytes(99), "a broken zip"),
    "slides.pptx": (b"A text.", "a broken zip"),
    "book.epub": (bytes(99), "a broken zip"),
    "note.rtf": (b"A text.", "not rich text"),
    "letter.rtf": (b"{\\rtf1 }", "no text in it"),
    "mail.eml": (b"Subject: A\r\n\r\n", "no text in it"),
    "page.mht": (b"\0\0", "not a mail"),
    "letter.doc": (b"\xd0\xcf\x11\xe0", r"no reader for \.doc files"),
    "README": (b"A text.", "no reader for files without a suffix"),
    "data.json": (b"{}", r"no JSON Feed"),
    "letters.txt": (b"a" * 10_000_000, "a word of half a million letters"),
    "letters.md": (b"# A\n\n" + b"b" * 10_000_000, "a word of half a million letters"),
    "letters.html": (b"<p>" + b"c" * 10_000_000, "a word of half a million letters"),
    "ideographs.txt": ("字".encode() * 3_000_000, "a word of half a million letters"),
    "digits.txt": (b"7" * 2_000_000 + b" and more", "a word of half a million letters"),
    "passages.txt": (b". " * 7_000_000, "more than 100,000 passages"),
    "headings.md": (b"# a\n" * 200_000, "more than 100,000 headings"),
    "tags.html": (b"<b>a</b>" * 600_000, "more than a million tags"),
    "attributes.html": (b"<p a=b c=d e=f>x" * 300_000, "more than a million tags"),
}
"""Name -> content, and an expression for the reason."""

SLOW = "passages.txt"
"""It takes some ten seconds to find out that it is bad."""

ODD: Mapping[str, bytes] = {
    "fields never closed.md": b"---\ntitle: A\n\nWORD",
    "fields of tabs.md": b"---\n\ttitle:\tA\n---\nWORD",
    "fields twice.md": b"---\ntitle: A\ntitle: B\n---\nWORD",
    "a list of fields.md": b"---\n- a\n- b\n---\nWORD",
    "one word of fields.md": b"---\nscalar\n---\nWORD",
    "fields without a value.md": b"---\ntitle\ndate:\n---\nWORD",
    "no fields.md": b"---\n---\nWORD",
    "an open quote.md": b'---\ntitle: "A\n---\nWORD',
    "an open bracket.md": b"---\ntags: [a, b\n---\nWORD",
    "laughs.md": b"---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n---\nWORD",
    "a billion laughs.md": b"---\na0: &a0 [x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12))
    + b"---\nWORD",
    "merged fields.md": b"---\na: &a {b: c}\nd: {<<: *a}\n---\nWORD",
    "an endless loop.md": b"---\na: &a [*a]\n---\nWORD",
    "deep fields.md": b"---\na: " + b"[" * 20_000 + b"\n---\nWORD",
    "fields that run.md": b"---\na: !!python/object/apply:os.system ['touch /tmp/ran']\n---\nWORD",
    "fields with tags.md": b"---\na: !!set {b, c}\nd: !!binary '?'\ne: !unknown f\n---\nWORD",
    "no such day.md": b"---\ndate: 2024-02-31\ntitle: A\n---\nWORD",
    "a date beyond time.md": b"---\ndate: 99999-99-99T99:99:99Z\n---\nWORD",
    "a number without end.md": b"---\na: " + b"9" * 10_000 + b"\nb: .inf\nc: .nan\n---\nWORD",
    "sixty seconds.md": b"---\na: " + b"1:" * 10_000 + b"1\n---\nWORD",
    "escaped surrogate.md": b'---\ntitle: "\\ud800"\n---\nWORD',
    "escaped nul.md": b'---\ntitle: "a\\0b"\n---\nWORD',
    "a long title.md": b"---\ntitle: " + b"long " * 10_000 + b"\n---\nWORD",
    "many fields.md": b"---\n" + b"a: b\n" * 40_000 + b"---\nWORD",
    "broken toml.md": b"+++\ntitle = \n+++\nWORD",
    "deep toml.md": b"+++\na=" + b"[" * 20_000 + b"\n+++\nWORD",
    "an endless key.md": b"+++\n" + b"a." * 20_000 + b"a=1\n+++\nWORD",
    "mixed fences.md": b"---\ntitle: A\n+++\nWORD",
    "old lines.md": b"---\rtitle: A\r---\rWORD",
    "marked fields.md": b"\xef\xbb\xbf---\ntitle: A\n---\nWORD",
    "deep.html": b"<div>" * 100_000 + b"WORD",
    "deep formatting.html": b"<b><i><a href=x><font>" * 10_000 + b"WORD",
    "never closed.html": b"<p><table><tr><td><article><h1>WORD",
    "tags in tags.html": b"<p <p <p <<<>>> WORD </ <!x> <?x>",
    "an open comment.html": b"<p>WORD<!-- " + b"<!--" * 20_000,
    "an open script.html": b"<p>WORD<script>" + b"</scrip" * 20_000,
    "null entities.html": b"<p>WORD &#0; &#xd800; &#x110000; &#99999999999;",
    "wrong charset.html": b"<meta charset=utf-7><p>WORD +ADw-script+AD4-",
    "no charset.html": b"<meta charset=\xff\xfe><p>WORD",
    "utf-8 that is not.html": "<meta charset=utf-8><p>WORD sat in a café with the pupils of the lycée, déjà vu".encode(
        "latin-1"
    ),
    "wrong mark.html": b"\xef\xbb\xbf<meta charset=utf-16><p>WORD",
    "deep data.html": b"<p>WORD<script type=application/ld+json>" + b"[" * 100_000 + b"</script>",
    "wrong data.html": b'<p>WORD<script type=application/ld+json>{"@type": 1e999, "author": [[[{}]]]}</script>',
    "many bodies.html": b"<html><body>" * 10_000 + b"WORD",
    "a long attribute.html": b"<p title='" + b"x " * 100_000 + b"'>WORD",
    "a drawing.html": b"<svg>" + b"<path d='M0'/>" * 10_000 + b"</svg>WORD",
    "escapes.txt": b"WORD \x1b[31mred\x1b[0m \x1b]0;title\x07",
    "directions.txt": "WORD \u202egnirts\u202c \u2066x\u2069".encode(),
    "marks.txt": b"WORD e" + "\u0301".encode() * 50_000,
    "emoji.txt": b"WORD " + "\U0001f469\u200d".encode() * 20_000,
    "ideographic sentences.txt": b"WORD " + "安。".encode() * 30_000,
    "white space.txt": b"WORD" + b" " * 3_000_000 + b"end",
    "quotes.txt": b"WORD " + b'"' * 100_000,
    "brackets.txt": b"WORD " + b"(a. " * 50_000,
    "dots.txt": b"WORD " + b"." * 200_000,
    "lines.txt": b"WORD\n" + b"a\n" * 100_000,
    "western.txt": "WORD sat in a café with the pupils of the lycée – déjà vu".encode("cp1252"),
    "utf-16.txt": "WORD café".encode("utf-16"),
    "utf-32.md": "# A\n\nWORD".encode("utf-32"),
}
"""Name -> content, in which WORD stands for a word of its own."""


def word(number: int) -> str:
    """A word that stands in one file only."""
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}") + "x"


def plant(folder: Path, *, large: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Fill a folder; what must be found, path -> word, and what must be listed, path -> expression for the reason.

    If not `large`, without what is slow, and with a line of 300 MB that only says so.
    """
    listed = {name: reason for name, (_, reason) in BAD.items() if large or name != SLOW}
    for name in listed:
        (folder / name).write_bytes(BAD[name][0])
    found = {}
    for number, (name, content) in enumerate(ODD.items()):
        found[name] = word(number)
        code = "utf-16" if name == "utf-16.txt" else "utf-32" if name == "utf-32.md" else "ascii"
        (folder / name).write_bytes(_named(content, word(number), code))
    for number in range(900, 930):
        name = f"good {number}{('.txt', '.md', '.html')[number % 3]}"
        found[name] = word(number)
        (folder / name).write_text(f"Report {number} says {word(number)} of the harbour.\n")
    return found, {**listed, **_special(folder), **_large(folder, large=large)}


def _named(content: bytes, said: str, code: str) -> bytes:
    if code == "ascii":
        return content.replace(b"WORD", said.encode())
    return content.decode(code).replace("WORD", said).encode(code)


def _large(folder: Path, *, large: bool) -> dict[str, str]:
    """A line of 300 MB; if not `large`, one that only says so."""
    with (folder / "a line.txt").open("wb") as file:
        for _ in range(300 if large else 0):
            file.write(b"word " * 200_000)
        file.truncate(300_000_000)
    return {"a line.txt": "larger than 64 MiB"}


def _special(folder: Path) -> dict[str, str]:
    """What is no regular file, or has no name that can be written down, as far as this system can make it."""
    listed = {}
    link = "a symbolic link, not followed"
    targets = {
        "link.txt": "good 900.txt",
        "link to itself.txt": "link to itself.txt",
        "there.txt": "back.txt",
        "back.txt": "there.txt",
        "nowhere.md": "nothing.md",
        "escape.txt": "/etc/passwd",
        "escape up.txt": "../../../../../../etc/hostname",
        "escape to a folder": "/etc",
        "loop": ".",
        "zeros.txt": "/dev/zero",
        "memory.txt": "/proc/self/mem",
    }
    for name, target in targets.items():
        (folder / name).symlink_to(target)
        listed[name] = link
    for name in ("pipe.txt", "pipe.md"):
        os.mkfifo(folder / name)
        listed[name] = "a FIFO, not a file"
    for name, kind, number in (("zero.txt", stat.S_IFCHR, (1, 5)), ("disk.txt", stat.S_IFBLK, (7, 99))):
        with suppress(PermissionError):
            os.mknod(folder / name, kind | 0o600, os.makedev(*number))
            listed[name] = "a device, not a file"
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.txt")
    os.chdir(here)
    listed["socket.txt"] = "a socket, not a file"
    for name in (b"caf\xe9.txt", b"\xff\xfe.md"):
        with suppress(OSError):
            (folder / os.fsdecode(name)).write_text("A text.")
            listed[name.decode("utf-8", "replace")] = "the name is not valid UTF-8"
    return listed
