"""What is attached to mails: each a document of its own, with what its mail says; and threads that join them."""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from semsearch import Filter, Index
from semsearch.errors import ReadError
from semsearch.read import open_file, unpack
from semsearch.testing import HashEmbedder
from semsearch.types import Document, Skip
from tests.test_within import FILES, WORKER, put, read, zipped


def letter(subject: str, text: str = "", **headers: str) -> EmailMessage:
    made = EmailMessage(policy=policy.default)
    given = {"Subject": subject, "From": "Ana <a@b.c>", "Date": "Thu, 15 Feb 2024 09:30:00 +0100"} | headers
    for name, value in given.items():
        made[name.replace("_", "-")] = value
    if text:
        made.set_content(text)
    return made


def attach(made: EmailMessage, files: Mapping[str, bytes]) -> EmailMessage:
    for name, data in files.items():
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


def test_attached_files_are_documents_of_their_own(tmp_path: Path) -> None:
    """Of every kind that is read, also archives and mails; the others are named, but for pictures in a text."""
    old = attach(letter("Old", "An old one.", Date="Mon, 1 Jan 2024 08:00:00 +0000"), {"in.md": b"# In\n\nDeep."})
    files = {"a.txt": b"A note.", "x.zip": zipped(FILES), "p.png": b"x", "empty.txt": b" ", "t.csv": b"text\nOne.\n"}
    made = attach(letter("New", "See these.", Message_ID="<1@b.c>"), files)
    made.add_attachment(old)
    texts, skipped = read(tmp_path, "m.eml", made.as_bytes())
    assert {path: text.strip() for path, text in texts.items()} == {
        "m.eml": "See these.",
        "m.eml!/a.txt": "A note.",
        **{f"m.eml!/x.zip!/{path}": text for path, text in FILES.items()},
        "m.eml!/t.csv#1": "One.",
        "m.eml!/message.eml": "An old one.",
        "m.eml!/message.eml!/in.md": "# In\n\nDeep.",
    }
    assert skipped == {"m.eml!/p.png": "no reader for .png files", "m.eml!/empty.txt": "empty"}


def test_what_an_attached_file_does_not_say_its_mail_does(tmp_path: Path) -> None:
    """Its date, its author and its thread; its title is its own, or its name."""
    page = b"<title>A page</title><meta name=author content=Eva><meta name=date content=2023-05-06><p>Words of it."
    made = attach(letter("New", "See.", References="<0@b.c> <1@b.c>"), {"a.csv": b"text\nA note.\n", "b.html": page})
    made.add_attachment(letter("Old", "An old one.", From="c@b.c", Message_ID="<9@b.c>"))
    with open_file(put(tmp_path, "m.eml", made.as_bytes()), "m.eml", WORKER) as opened:
        given = [each for each in opened.documents if isinstance(each, Document)]
    assert [(each.title, each.date[:10], each.author, each.metadata["thread"]) for each in given] == [
        ("New", "2024-02-15", "Ana", "0@b.c"),
        ("a.csv", "2024-02-15", "Ana", "0@b.c"),
        ("A page", "2023-05-06", "Eva", "0@b.c"),
        ("Old", "2024-02-15", "c@b.c", "9@b.c"),
    ]


def test_a_mail_without_a_text_gives_what_is_attached(tmp_path: Path) -> None:
    """And is named itself; so it is in a mailbox."""
    made = attach(letter("Scan"), {"a.txt": b"A note.", "p.png": b"x"}).as_bytes()
    box = b"From a Thu Feb 15 09:30:00 2024\n" + made + b"\nFrom a Thu Feb 15 09:30:00 2024\nSubject: x\n\nText.\n"
    for name, data, address in (("m.eml", made, "m.eml"), ("m.mbox", box, "m.mbox#1")):
        texts, skipped = read(tmp_path, name, data)
        assert texts[f"{address}!/a.txt"] == "A note."
        assert skipped[address] == "no text in it, only a.txt, p.png"


def test_mails_within_mails_are_read_up_to_a_depth(tmp_path: Path) -> None:
    """What holds itself ends, and the rest is read."""
    made = letter("0", "Text 0.")
    for depth in range(1, 7):
        made, inner = letter(f"{depth}", f"Text {depth}."), made
        made.add_attachment(inner)
    texts, skipped = read(tmp_path, "m.eml", made.as_bytes())
    assert sorted(text.strip() for text in texts.values()) == [f"Text {depth}." for depth in range(2, 7)]
    assert skipped == {"m.eml" + "!/message.eml" * 5: "stands in too many files, one within another"}


def test_an_attached_bomb_ends_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before it stays."""
    monkeypatch.setattr(unpack, "ALLOWANCE", 2**20)
    files = {"a.txt": b"A note.", "x.txt.gz": gzip.compress(b"x " * 2**24), "b.txt": b"Not reached."}
    box = b"".join(
        b"From a Thu Feb 15 09:30:00 2024\n" + mail.as_bytes() + b"\n"
        for mail in (letter("One", "One."), attach(letter("Two", "Two."), files))
    )
    put(tmp_path / "articles", "m.mbox", box)
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        (skip,) = index.sync(tmp_path / "articles").skipped
        assert skip == Skip("m.mbox", "unpacks to more than 100 times its size")
        assert "m.mbox#2!/a.txt" in [document.path for document in index.documents()]


def test_a_thread_is_found(tmp_path: Path) -> None:
    """By a filter, with what is attached to its mails, and no other mail."""
    first = letter("Ferry", "The ferry runs.", Message_ID="<1@b.c>")
    answer = letter("Re: Ferry", "Since when?", Message_ID="<2@x.y>", In_Reply_To="<1@b.c>", References="<1@b.c>")
    third = letter("Re: Ferry", "Since May.", Message_ID="<3@b.c>", References="<1@b.c> <2@x.y>")
    mails = [first, answer, attach(third, {"times.txt": b"The ferry leaves at eight."})]
    mails.append(letter("Other", "The ferry of another thread.", Message_ID="<4@b.c>"))
    put(tmp_path / "articles", "m.mbox", b"".join(b"From a\n" + mail.as_bytes() + b"\n" for mail in mails))
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        index.sync(tmp_path / "articles")
        found = index.search("ferry", k=9, collapse=False, filter=Filter(where="thread=1@b.c"))
        assert {hit.path.rpartition("/m.mbox")[2] for hit in found} == {"#1", "#2", "#3", "#3!/times.txt"}
        assert index.similar(str(tmp_path / "articles/m.mbox#3!/times.txt"), k=1)[0].path.endswith("m.mbox#1")


def test_damage_anywhere_is_no_other_error(tmp_path: Path) -> None:
    """Flipped bytes and cut ends of a mail with all that can be attached to it."""
    inner = attach(letter("In", "Three."), {"a.md": b"Four."})
    made = attach(letter("One", "One."), {"a.txt": b"Two.", "x.zip": zipped(FILES), "b.eml": inner.as_bytes()})
    made.add_attachment(inner)
    data, chance = made.as_bytes(), random.Random(7)
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 5)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        cut = bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.3 else damaged)
        try:
            read(tmp_path, "m.eml", cut)
        except ReadError as error:
            assert "made its reader" not in str(error)  # noqa: PT017 - most are read as far as they go
