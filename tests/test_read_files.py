"""A file is read once, known by its bytes, and vouched for only when it has settled."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest

from semsearch import read
from semsearch.errors import ReadError
from semsearch.read import READERS, can_read, files, read_file, stat_file
from semsearch.types import FileStat

TEXTS = {".htm", ".html", ".markdown", ".md", ".text", ".txt", ".xhtml"}
LONG_AGO = 1_600_000_000 * 10**9
HEAVY = {"selectolax", "yaml", "chardet", "numpy"}


def settled(file: Path) -> Path:
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    return file


@pytest.fixture
def article(tmp_path: Path) -> Path:
    file = tmp_path / "a.txt"
    file.write_bytes("Čitaj\r\n\r\nme".encode())
    return settled(file)


def test_a_file_is_its_document_and_what_it_was(article: Path) -> None:
    """Name, exact text, size, time of change and SHA-256 of the bytes."""
    document, stat = read_file(article, "sub/a.txt")
    assert (document.path, document.text, document.title) == ("sub/a.txt", "Čitaj\r\n\r\nme", "Čitaj")
    assert stat == FileStat(article.stat().st_size, LONG_AGO, sha256(article.read_bytes()).hexdigest())
    assert stat_file(article) == stat


def test_the_name_decides_which_reader_not_the_file(article: Path) -> None:
    """The document's name has the suffix; the file may lie anywhere."""
    assert read_file(article, "a.MD")[0].sections is not None
    with pytest.raises(ReadError, match=r"^no reader for \.xyz files$"):
        read_file(article, "a.XYZ")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.txt", True),
        ("a/b.HTML", True),
        ("a.tar.md", True),
        ("a", False),
        (".txt", False),
        ("a.md/b", False),
        ("a.", False),
    ],
)
def test_the_suffix_says_whether_there_is_a_reader(path: str, expected: bool) -> None:  # noqa: FBT001
    """In upper or lower case; a hidden file's name is no suffix."""
    assert can_read(path) is expected


def test_every_reader_is_there_and_turns_bytes_into_a_document() -> None:
    """Each string in the table names a function, those of texts from a name and bytes to a document of that name."""
    for where in READERS.values():
        module, _, attribute = where.partition(":")
        assert callable(getattr(import_module(module), attribute))
    for suffix in TEXTS:
        module, _, attribute = READERS[suffix].partition(":")
        document = getattr(import_module(module), attribute)("a" + suffix, b"Word.")
        assert (document.path, document.text) == ("a" + suffix, "Word.")


@pytest.mark.parametrize("suffix", sorted(TEXTS))
@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", "\u3000\u2028".encode("utf-16"), b"\xef\xbb\xbf"])
def test_a_file_without_words_is_refused(suffix: str, data: bytes, tmp_path: Path) -> None:
    """White space is no article, in any format."""
    file = tmp_path / "a"
    file.write_bytes(data)
    with pytest.raises(ReadError, match=r"empty|no text in it"):
        read_file(file, "a" + suffix)


@pytest.mark.parametrize("age", [0.0, 1.0, -100.0])
def test_a_file_that_changed_just_now_is_not_vouched_for(article: Path, age: float) -> None:
    """A second change could bear the same time; nor is one trusted whose time is yet to come."""
    os.utime(article, (time.time() - age, time.time() - age))
    assert stat_file(article).mtime_ns == -1


def test_a_file_that_has_settled_is_vouched_for(article: Path) -> None:
    """Three seconds are enough."""
    os.utime(article, (time.time() - 3, time.time() - 3))
    assert stat_file(article).mtime_ns == article.stat().st_mtime_ns


@pytest.mark.parametrize("change", ["longer", "touched"])
def test_a_file_that_changes_while_it_is_read_is_not_vouched_for(
    article: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Its bytes may be half old and half new; they will be hashed again."""
    real = os.read

    def meddle(descriptor: int, size: int) -> bytes:
        if change == "longer":
            article.write_bytes(article.read_bytes() + b"!")
        os.utime(article, ns=(LONG_AGO + (change == "touched"), LONG_AGO + (change == "touched")))
        monkeypatch.setattr(os, "read", real)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", meddle)
    assert stat_file(article).mtime_ns == -1


def test_a_file_that_is_too_large_is_refused_unread(article: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its size, before its bytes are in memory."""
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("was read"))
    os.truncate(article, read.MAX_BYTES + 1)
    for attempt in (lambda: read_file(article, "a.txt"), lambda: stat_file(article)):
        with pytest.raises(ReadError, match=r"^larger than 64 MiB$"):
            attempt()


def test_a_file_that_grows_too_large_is_given_up(article: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is being written, or a file that lies about its size, does not fill the memory."""
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    monkeypatch.setattr(os, "read", lambda _, size: b"x" * size)
    with pytest.raises(ReadError, match=r"^larger than 64 MiB$"):
        read_file(article, "a.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.timeout(10)
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A FIFO does not hang, a folder and a device do not fail in odd ways."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ReadError, match="a FIFO, not a file"):
        read_file(tmp_path / "pipe.txt", "pipe.txt")
    with pytest.raises(ReadError, match="a folder, not a file"):
        read_file(tmp_path, "a.txt")
    with pytest.raises(ReadError, match="a device, not a file"):
        stat_file(Path(os.devnull))


def test_a_link_in_a_files_place_is_not_followed(article: Path, tmp_path: Path) -> None:
    """Also where it was put after the walk: a folder of articles does not lead out of itself."""
    (tmp_path / "link.txt").symlink_to(article)
    for attempt in (lambda: read_file(tmp_path / "link.txt", "link.txt"), lambda: stat_file(tmp_path / "link.txt")):
        with pytest.raises(ReadError, match="a symbolic link, not followed"):
            attempt()


@pytest.mark.parametrize("text", ["a" * 2**20, "字" * 2**20, "words and " + "7" * 2**20 + " words"])
def test_a_word_without_end_is_no_article(text: str, tmp_path: Path) -> None:
    """Whatever its letters; what is half as long may pass, as may any length of signs."""
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ReadError, match="a word of half a million letters or more"):
        read_file(tmp_path / "a.txt", "a.txt")
    for allowed in ("a" * (2**19 - 1), "ab+/" * 2**18):
        (tmp_path / "a.txt").write_text(allowed)
        assert read_file(tmp_path / "a.txt", "a.txt")[0].text == allowed


def test_a_title_without_end_is_cut_off(tmp_path: Path) -> None:
    """Every passage is found by it, so that the work would grow with the square of the file."""
    (tmp_path / "a.html").write_text(f"<title>{'long ' * 10_000}</title><p>Words.")
    assert len(read_file(tmp_path / "a.html", "a.html")[0].title) == files.LONGEST_TITLE


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no sockets in the file system here")
def test_what_cannot_be_opened_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file and a socket are the caller's to report."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.txt")
        for name in ("missing.txt", "s.txt"):
            with pytest.raises(OSError, match=name):
                read_file(Path(name), name)


def test_no_heavy_library_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    """A folder of UTF-8 text files is read without a parser, a YAML library or an encoding detector."""
    (tmp_path / "a.txt").write_text("Ä word.", encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from semsearch.read import read_file, walk; "
        f"root = Path({str(tmp_path)!r}); "
        "print([read_file(root / found.path, found.path)[0].text for found in walk(root)]); "
        "print(*(name.partition('.')[0] for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, check=True)
    texts, loaded = run.stdout.splitlines()
    assert texts == "['Ä word.']"
    assert set(loaded.split()) & HEAVY - {"numpy"} == set()


@pytest.mark.parametrize(
    ("modules", "reader", "data"),
    [
        (("pypdfium2",), "pdf", b"%PDF-1.7"),
        (("striprtf", "striprtf.striprtf"), "rtf", b"{\\rtf1 a}"),
    ],
)
def test_without_its_library_the_reason_names_the_extra(modules: tuple[str, ...], reader: str, data: bytes) -> None:
    """The line to type."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({modules}))\n"
        f"from semsearch.read.{reader} import read\n"
        "from semsearch.errors import ReadError\n"
        f"try: read('a.{reader}', {data!r})\n"
        "except ReadError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f'needs {modules[0]}: pip install "semsearch[{reader}]"\n'
