"""Documents within files: archives, mailboxes and tables, at every address, and in step with the file as it changes."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import mailbox
import os
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from semsearch import Columns, Filter, Index
from semsearch.address import apart, file_of, may_hold_several
from semsearch.errors import ReadError
from semsearch.read import Worker, open_file, unpack
from semsearch.read import zip as zips
from semsearch.read.files import PACKED, READERS, STREAMS
from semsearch.store import fingerprint
from semsearch.sync import BATCH
from semsearch.testing import HashEmbedder
from semsearch.types import Document, Skip, Vectors

LONG_AGO = 1_600_000_000
_SECONDS = count()
WORKER = Worker()
"""One process for all that is read here, which ends with this one."""


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return data.getvalue()


def boxed(*bodies: str) -> bytes:
    mails = (
        f"From a@b.c Thu Feb 15 09:30:00 2024\nSubject: Mail {n}\n\n{body}\n\n" for n, body in enumerate(bodies, 1)
    )
    return "".join(mails).encode()


def put(folder: Path, name: str, data: bytes) -> Path:
    """A file that was written long ago, so that its time can vouch for it."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_bytes(data)
    age = LONG_AGO + next(_SECONDS)
    os.utime(file, (age, age))
    return file


def read(
    tmp_path: Path, name: str, data: bytes, columns: Columns | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The texts in a file by their addresses, and what was passed over with its reason."""
    texts, skipped = {}, {}
    with open_file(put(tmp_path, name, data), name, WORKER, columns or Columns()) as opened:
        for item in opened.documents:
            if isinstance(item, Document):
                texts[item.path] = item.text
            else:
                skipped[item.path] = item.reason
    return texts, skipped


# --- addresses


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("a/b.zip!/c/d.html", "a/b.zip"),
        ("a.tar.gz!/b.zip!/c.md", "a.tar.gz"),
        ("mail.mbox#12", "mail.mbox"),
        ("mail.mbox#12!/report.pdf", "mail.mbox"),
        ("feed.xml#https://example.org/a/b.zip!/c", "feed.xml"),
        ("B.ZIP!/c", "B.ZIP"),
        ("a.zip", "a.zip"),
        ("a.txt#1", "a.txt#1"),
        ("zip!/a.md", "zip!/a.md"),
        ("dir/.zip!/a.md", "dir/.zip!/a.md"),
    ],
)
def test_a_file_is_found_in_an_address(address: str, file: str) -> None:
    """By names alone, the outermost file."""
    assert file_of(address) == file


def test_pages_are_told_from_paths() -> None:
    """Only at the end, and only numbers from 1."""
    assert apart("a/report.pdf#page=3") == ("a/report.pdf", 3)
    assert apart("report.pdf#page=0") == ("report.pdf#page=0", 0)
    assert apart("report.pdf") == ("report.pdf", 0)


def test_every_reader_of_several_documents_has_addresses() -> None:
    """Or documents of one file would be taken for files."""
    assert all(may_hold_several(f"x{suffix}") for suffix in (*STREAMS, *PACKED))
    assert not any(
        may_hold_several(f"x{suffix}") for suffix in READERS if suffix not in {".atom", ".eml", ".json", ".rss"}
    )


def test_a_file_that_reads_like_an_address_is_named(tmp_path: Path) -> None:
    """It is passed over with a reason, and nothing is taken for what it is not."""
    put(tmp_path / "articles", "a.csv#1.txt", b"A text.")
    put(tmp_path / "articles", "b.txt", b"Another text.")
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        (skip,) = index.sync(tmp_path / "articles").skipped
        assert skip == Skip("a.csv#1.txt", "reads like something within a.csv: rename it")
        assert [document.path for document in index.documents()] == ["b.txt"]


# --- what each kind gives


FILES = {"a/b.md": "# Ferries\n\nFerries run again.", "c.txt": "Bridges\n\nBridges are closed."}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.zip", zipped(FILES)),
        ("x.zip", zipped(FILES, zipfile.ZIP_BZIP2)),
        ("x.tar", tarred(FILES)),
        ("x.tar.gz", gzip.compress(tarred(FILES))),
        ("x.tgz", gzip.compress(tarred(FILES))),
        ("x.tar.bz2", bz2.compress(tarred(FILES))),
        ("x.tbz2", bz2.compress(tarred(FILES))),
        ("x.tar.xz", lzma.compress(tarred(FILES)) + lzma.compress(b"")),
        ("x.zip.gz", gzip.compress(zipped(FILES))),
    ],
)
def test_an_archive_gives_its_files(tmp_path: Path, name: str, data: bytes) -> None:
    """However it is packed, as a folder of them would."""
    assert read(tmp_path, name, data) == ({f"{name}!/{path}": text for path, text in FILES.items()}, {})


def test_archives_within_archives_are_opened_up_to_a_depth(tmp_path: Path) -> None:
    """Each name stands in the address; what holds itself ends."""
    data = zipped(FILES)
    for depth in range(6):
        data = zipped({f"{depth}.zip": data, "note.txt": "A note."})
    texts, skipped = read(tmp_path, "x.zip", data)
    assert set(texts) == {"x.zip!/" + "".join(f"{5 - i}.zip!/" for i in range(n)) + "note.txt" for n in range(5)}
    assert skipped == {"x.zip!/5.zip!/4.zip!/3.zip!/2.zip!/1.zip": "stands in too many files, one within another"}


def test_what_an_archive_hides_is_left_out_and_the_rest_is_named(tmp_path: Path) -> None:
    """As in a folder; and names that lead out of it lead nowhere."""
    files = {".git/a.md": "x", "__MACOSX/._b.md": "x", "b.md~": "x", "c.exe": "x", "empty.txt": " "}
    texts, skipped = read(tmp_path, "x.zip", zipped({**files, "../../e\\f.txt": "A text.", "/g.txt": "More."}))
    assert texts == {"x.zip!/e/f.txt": "A text.", "x.zip!/g.txt": "More."}
    assert skipped == {"x.zip!/c.exe": "no reader for .exe files", "x.zip!/empty.txt": "empty"}


def test_links_and_locked_files_in_archives_are_named(tmp_path: Path) -> None:
    """A link is not followed, and what needs a password is said to."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind.decode()}.txt")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    texts, skipped = read(tmp_path, "x.tar", data.getvalue())
    assert texts == {}
    assert set(skipped.values()) == {"a symbolic link, not followed", "not a regular file"}
    locked = bytearray(zipped({"a.txt": "A text."}))
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert read(tmp_path, "y.zip", bytes(locked)) == (
        {},
        {"y.zip!/a.txt": "encrypted: it opens only with its password"},
    )


def test_names_in_utf8_are_read_where_the_zip_does_not_say_so(tmp_path: Path) -> None:
    """As macOS writes them."""
    data = zipped({"Übersicht – Škoda.txt": "A text."})
    for at in (data.index(b"PK\x03\x04") + 7, data.index(b"PK\x01\x02") + 9):
        data = data[:at] + bytes([data[at] & ~8]) + data[at + 1 :]
    assert set(read(tmp_path, "x.zip", data)[0]) == {"x.zip!/Übersicht – Škoda.txt"}


def test_a_mailbox_gives_its_mails(tmp_path: Path) -> None:
    """By number; a quoted "From " is unquoted, and one within a paragraph begins none."""
    data = boxed("One.\n\n>From here on.\n>>From there.", "Two\nFrom within.", "")
    texts, skipped = read(tmp_path, "m.mbox", data)
    assert texts == {"m.mbox#1": "One.\n\nFrom here on.\n>From there.", "m.mbox#2": "Two\nFrom within."}
    assert skipped == {"m.mbox#3": "no text in it"}


def test_a_mailbox_is_read_as_the_standard_library_reads_it(tmp_path: Path) -> None:
    """The same mails with the same subjects, for what it wrote itself."""
    with closing(mailbox.mbox(tmp_path / "m.mbox")) as box:
        for number in range(30):
            lines = random.Random(number).choices(["From x", "", "a", ">From y"], k=9)
            box.add(f"Subject: {number}\n\nBegin\n" + "\n".join(lines))
        box.flush()
        subjects = {f"m.mbox#{key + 1}": mail["Subject"] for key, mail in box.items()}
    with open_file(tmp_path / "m.mbox", "m.mbox", WORKER) as opened:
        found = {item.path: item.title for item in opened.documents if isinstance(item, Document)}
    assert found == subjects


def test_what_is_no_mailbox_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no mailbox"):
        read(tmp_path, "m.mbox", b"Dear all,\n\nFrom now on.\n")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_a_table_gives_its_rows(tmp_path: Path, sign: str, encoding: str) -> None:
    """Whatever stands between its fields, and in whichever encoding."""
    body = f'Šume "gore"{sign} a žene čekaju kišu.\nVjetar nosi dim prema južnim obroncima, kažu mještani.'
    rows = [["Headline", "Body", "Published", "desk"], ["Šuma", body, "2024-02-15", "žito"]]
    lines = (sign.join('"' + field.replace('"', '""') + '"' for field in row) for row in rows)
    file = put(tmp_path, "t.csv", ("\r\n".join(lines) + "\r\n").encode(encoding))
    with open_file(file, "t.csv") as opened:
        (made,) = opened.documents
    assert isinstance(made, Document)
    assert (made.path, made.title, made.date) == ("t.csv#1", "Šuma", "2024-02-15")
    assert made.text == body
    assert made.metadata == {"Headline": "Šuma", "Published": "2024-02-15", "desk": "žito"}


def test_the_fields_of_a_table_can_be_named(tmp_path: Path) -> None:
    """Its id then stands in the address; a name that is not there is an error that says which are."""
    data = b"key,words,when,head\nk-7,Something.,2024-02,Title\n"
    file = put(tmp_path, "t.csv", data)
    with open_file(file, "t.csv", columns=Columns("words", "Key", "head", "when")) as opened:
        (made,) = opened.documents
    assert isinstance(made, Document)
    assert (made.path, made.text, made.title) == ("t.csv#k-7", "Something.", "Title")
    with pytest.raises(ReadError, match="has no field nothing; it has head, key, when, words"):
        read(tmp_path, "t.csv", data, Columns(text="nothing"))
    with pytest.raises(ReadError, match=r"name it with --text-field; it has head, key, when, words"):
        read(tmp_path, "t.csv", data)


def test_json_lines_give_their_objects(tmp_path: Path) -> None:
    """By line; lines that are none are named, and others are read all the same."""
    lines = [
        '{"text": "One.", "tags": ["a", "b"]}',
        "",
        "[1]",
        "{",
        '{"title": "no text"}',
        '{"text": ["Two.", "Three."]}',
    ]
    texts, skipped = read(tmp_path, "t.jsonl", "\n".join([*lines, '{"text": "\\ud800 x"}', "[" * 100_000]).encode())
    assert texts == {"t.jsonl#1": "One.", "t.jsonl#6": "Two.\n\nThree.", "t.jsonl#7": "\N{REPLACEMENT CHARACTER} x"}
    assert skipped["t.jsonl#3"] == "no table of fields"
    assert skipped["t.jsonl#4"] == skipped["t.jsonl#8"] == "no JSON, or nested too deep"
    assert "--text-field; it has title" in skipped["t.jsonl#5"]


# --- in step with the file


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Index:
    return Index.create(tmp_path / "index", embedder=embedder)


def held(index: Index) -> list[tuple[str, str, str]]:
    return sorted((document.path, document.title, index.text(document.id)) for document in index.documents())


def fresh(tmp_path: Path, articles: Path, number: int) -> list[tuple[str, str, str]]:
    with Index.create(tmp_path / f"fresh {number}", embedder=HashEmbedder()) as index:
        index.sync(articles)
        return held(index)


def test_any_edits_lead_to_what_a_rebuild_would_hold(tmp_path: Path, index: Index) -> None:
    """Of archives, mailboxes and tables that grow, shrink, change, move, break and go."""
    chance = random.Random(5)
    articles = tmp_path / "articles"
    put(articles, "stays.txt", b"It stays.")
    for step in range(12):
        bodies = [f"Text {chance.randrange(9)} of a few words." for _ in range(chance.randrange(1, 6))]
        made = {
            "a.zip": zipped({f"{body[5]}.md": body for body in bodies}),
            "b.mbox": boxed(*bodies),
            "c.csv": ("text\n" + "\n".join(bodies) + "\n").encode(),
            "d.tar.gz": gzip.compress(tarred({"in.txt": bodies[0]})),
            "e.jsonl": "\n".join(json.dumps({"text": body}) for body in bodies).encode(),
        }
        for name, data in made.items():
            deed = chance.randrange(5)
            if deed == 0:
                (articles / name).unlink(missing_ok=True)
            elif deed == 1:
                put(articles, name, data[: len(data) // 2])
            elif deed == 2 and (articles / name).exists():
                (articles / name).rename(articles / f"moved-{step}-{name}")
            else:
                put(articles, name, data)
        index.sync(articles)
        assert held(index) == fresh(tmp_path, articles, step)
        assert index.verify(deep=True) == []
        second = index.sync(articles)
        assert (second.added, second.changed, second.removed) == (0, 0, 0)


def test_only_what_is_new_in_a_file_is_embedded(tmp_path: Path, index: Index, embedder: HashEmbedder) -> None:
    """A mailbox that grows by one mail costs one; one that is only moved costs none, and is found at its new place."""
    articles = tmp_path / "articles"
    put(articles, "m.mbox", boxed("The first.", "The second."))
    assert index.sync(articles).added == 2
    numbers = {document.path: document.id for document in index.documents()}
    put(articles, "m.mbox", boxed("The first.", "The second.", "The third."))
    embedder.encoded.clear()
    report = index.sync(articles)
    assert (report.added, report.changed, report.unchanged, report.removed) == (1, 0, 2, 0)
    assert embedder.encoded == ["Mail 3\nThe third."]
    (articles / "m.mbox").rename(articles / "n.mbox")
    report = index.sync(articles)
    assert (report.added, report.renamed, report.removed) == (0, 3, 0)
    assert embedder.encoded == ["Mail 3\nThe third."]
    now = {document.path: document.id for document in index.documents()}
    assert {path.replace("m.mbox", "n.mbox"): number for path, number in numbers.items()}.items() <= now.items()
    assert not index.search("first")[0].stale


def test_a_file_that_is_unchanged_is_not_opened(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size and time say so, and where only its time is another, its content does."""
    articles = tmp_path / "articles"
    file = put(articles, "x.zip", zipped(FILES))
    index.sync(articles)
    monkeypatch.setattr(zips, "read", None)
    assert index.sync(articles).unchanged == 2
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert index.sync(articles).unchanged == 2
    assert index.changes(articles).touched == []


class Failing(HashEmbedder):
    """Encodes so many batches, and then no more."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def encode_document(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        if not self.left:
            raise RuntimeError("the power went")
        self.left -= 1
        return super().encode_document(texts)


def test_an_interrupted_file_is_gone_on_with(tmp_path: Path) -> None:
    """What was committed of it is not embedded again; and it is not taken for whole, though its time is the same."""
    rows = "".join(f"Row {number} of the table is about harbour {number}.\n" for number in range(3 * BATCH))
    put(tmp_path / "articles", "t.csv", f"text\n{rows}".encode())
    with Index.create(tmp_path / "index", embedder=Failing(2)) as index, pytest.raises(RuntimeError):
        index.sync(tmp_path / "articles")
    second = HashEmbedder()
    with Index.open(tmp_path / "index", embedder=second) as index:
        report = index.sync(tmp_path / "articles")
        assert (report.added, report.unchanged) == (BATCH, 2 * BATCH)
        assert len(second.encoded) == BATCH
        assert held(index) == fresh(tmp_path, tmp_path / "articles", 0)
        assert index.verify(deep=True) == []
        assert index.sync(tmp_path / "articles").unchanged == 3 * BATCH


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, embedder: HashEmbedder) -> None:
    """What was read of it is in the index, and the next run does not take it for what the file is."""
    articles = tmp_path / "articles"
    file = put(articles, "t.csv", b"text\nOne.\n")

    class Meddling(HashEmbedder):
        def count(self, texts: list[str]) -> list[int]:  # type: ignore[override]
            if file.stat().st_size < 20:
                put(articles, "t.csv", b"text\nOne.\nTwo, which came while the first was read.\n")
            return super().count(texts)

    with Index.create(tmp_path / "index", embedder=Meddling()) as index:
        index.sync(articles)
        index.sync(articles)
        assert held(index) == fresh(tmp_path, articles, 0)


def test_documents_are_meant_by_their_addresses(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `remove`, `similar` and `explain`, and by filters, which also take the file for all that is in it."""
    articles = tmp_path / "articles"
    put(articles, "x.zip", zipped(FILES))
    put(articles, "y.txt", b"Ferries too.")
    index.sync(articles)
    monkeypatch.chdir(articles)
    (first, *_) = index.search("ferries run again")
    assert first.path == str(articles / "x.zip!/a/b.md")
    assert index.explain("ferries", "x.zip!/a/b.md").path == first.path
    assert [hit.path for hit in index.similar("x.zip!/a/b.md", k=1)] == [str(articles / "y.txt")]
    for pattern, number in (("x.zip", 2), ("/x.zip!/a/", 1), ("*.md", 1), ("y.txt", 1), (f"{articles}/x.zip", 2)):
        found = index.search("ferries bridges", k=9, filter=Filter(path=pattern))
        assert len({hit.path for hit in found}) == number, pattern
    assert index.remove("x.zip!/c.txt", str(articles / "x.zip!/a/b.md")) == 2


def test_a_repair_keeps_what_is_said_of_the_fields(tmp_path: Path) -> None:
    """Or the next run would take the tables for something else and drop their rows."""
    put(tmp_path / "articles", "t.csv", b"lead\nOne.\nTwo.\n")
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert index.sync(tmp_path / "articles", columns=Columns("lead")).added == 2
    with closing(sqlite3.connect(tmp_path / "index/e1/index.db")) as connection, connection:
        connection.execute("UPDATE settings SET value = '7' WHERE name = 'generation'")
    assert Index.repair(tmp_path / "index").done
    with Index.open(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert index.sync(tmp_path / "articles").removed == 0
        assert len(index.documents()) == 2


def test_a_repeated_id_is_named(tmp_path: Path) -> None:
    """One address means one document."""
    put(tmp_path / "articles", "t.csv", b"text,id\nOne.,a\nTwo.,a\n")
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        report = index.sync(tmp_path / "articles", columns=Columns(id="id"))
        assert [skip.path for skip in report.skipped] == ["t.csv#a"]
        assert index.sync(tmp_path / "articles").unchanged == 1  # the columns hold for the next run too


# --- hostile files


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can meet in a moment."""
    monkeypatch.setattr(unpack, "ALLOWANCE", 2**20)


def bomb(levels: int) -> bytes:
    data = zipped({f"{n}.txt": "x " * 2**19 for n in range(8)})
    for level in range(levels):
        data = zipped({f"{level}-{n}.zip": data for n in range(8)})
    return data


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x.zip", lambda: bomb(0)),
        ("x.zip", lambda: bomb(2)),
        ("x.txt.gz", lambda: gzip.compress(b"x " * 2**24)),
        ("x.txt.bz2", lambda: bz2.compress(b"x " * 2**22)),
        ("x.tar.xz", lambda: lzma.compress(tarred({"a.txt": "x " * 2**24}))),
        ("x.jsonl.gz", lambda: gzip.compress(b'{"text": "' + b"x " * 2**24 + b'"}')),
    ],
)
@pytest.mark.usefixtures("tight")
def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path, name: str, make: Callable[[], bytes]) -> None:
    """It costs itself, and says why."""
    put(tmp_path / "articles", name, make())
    put(tmp_path / "articles", "good.txt", b"A good one.")
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        report = index.sync(tmp_path / "articles")
        assert "unpacks to more than 100 times its size" in [skip.reason for skip in report.skipped]
        assert "good.txt" in [document.path for document in index.documents()]


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its directory is read."""
    monkeypatch.setattr(zips, "MOST_FILES", 9)
    data = zipped({f"{n}.txt": "A" for n in range(10)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ReadError, match="more than 9 files"):
        read(tmp_path, "x.zip", data)


def test_a_name_of_megabytes_in_a_tar_is_refused(tmp_path: Path) -> None:
    """It would be read into memory whole."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * 2**21))
    with pytest.raises(ReadError, match="a broken tar"):
        read(tmp_path, "x.tar", data.getvalue())


@pytest.mark.parametrize(
    "name", ["x.zip", "x.tar", "x.tar.gz", "x.txt.gz", "x.txt.xz", "x.txt.bz2", "x.mbox", "x.zip.gz"]
)
@pytest.mark.parametrize("data", [b"", b"nothing of the kind", bytes(600), bytes(range(256)) * 9])
def test_what_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    """With a reason, and by no other error."""
    try:
        texts, _ = read(tmp_path, name, data)
    except ReadError as error:
        assert str(error)  # noqa: PT017 - an empty tar or mailbox is none
    else:
        assert texts == {}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.zip", zipped(FILES)),
        ("x.tar", tarred(FILES)),
        ("x.tar.gz", gzip.compress(tarred(FILES))),
        ("x.jsonl.xz", lzma.compress(b'{"text": "One."}\n' * 9)),
        ("x.csv.bz2", bz2.compress(b"text\nOne.\nTwo.\n")),
        ("x.mbox", boxed("One.", "Two.")),
    ],
)
def test_damage_anywhere_is_no_other_error(tmp_path: Path, name: str, data: bytes) -> None:
    """Flipped bytes and cut ends: what comes out is a document, or a reason."""
    chance = random.Random(fingerprint(name)[0])
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        cut = bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.3 else damaged)
        try:
            read(tmp_path, name, cut)
        except ReadError as error:
            assert str(error)  # noqa: PT017 - most are read as far as they go
