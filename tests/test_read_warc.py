"""A crawl that another program has written gives its answers as they were meant, under their addresses, or a reason."""

from __future__ import annotations

import gzip
import io
import sys
import tracemalloc
import zlib
from pathlib import Path

import brotli
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from semsearch.errors import ReadError
from semsearch.read import Worker, http, open_file, warc
from semsearch.read.unpack import streamed
from semsearch.types import NO_COLUMNS, Document, Skip

# warcio leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
WORKER = Worker()
"""One process for all that is read here, which ends with this one."""

PAGE = "<html lang=sr><head><title>Most</title></head><body><h1>Most</h1><p>{} most je zatvoren.</p></body></html>"
DATED = PAGE.replace("<head>", '<head><meta property="article:published_time" content="2020-05-06T07:08:09Z">')


def chunked(data: bytes, size: int = 10) -> bytes:
    """The data in chunks of so many bytes."""
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def crawl(*answers: tuple[str, str, bytes, dict[str, str]], packed: bool = True) -> bytes:
    """Answers, by address, status, content and headers, after a request and a note of the crawler."""
    data = io.BytesIO()
    writer = WARCWriter(data, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("c.warc", {"software": "test"}))
    for url, status, content, headers in answers:
        request = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
        writer.write_record(writer.create_warc_record(url, "request", http_headers=request))
        answer = StatusAndHeaders(status, list(headers.items()), protocol="HTTP/1.1")
        record = writer.create_warc_record(
            url, "response", payload=io.BytesIO(content), http_headers=answer,
            warc_headers_dict={"WARC-Date": "2024-02-15T09:30:00Z"},
        )  # fmt: skip
        writer.write_record(record)
    return data.getvalue()


def read(tmp_path: Path, name: str, data: bytes) -> tuple[dict[str, Document], dict[str, str]]:
    """The documents in a crawl by their addresses on the web, and what was passed over."""
    (tmp_path / name).write_bytes(data)
    with open_file(tmp_path / name, name, WORKER) as opened:
        items = list(opened.documents)
    skipped = {item.path.removeprefix(f"{name}#"): item.reason for item in items if isinstance(item, Skip)}
    return {item.path.removeprefix(f"{name}#"): item for item in items if isinstance(item, Document)}, skipped


@pytest.mark.parametrize("packed", [True, False])
def test_a_crawl_gives_its_answers(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """However they were sent, with the day of the crawl where they state none; the rest says why it is not read."""
    html = {"Content-Type": "text/html; charset=utf-8"}
    raw = zlib.compressobj(wbits=-15)
    pages = {
        "https://x.org/plain": (PAGE.format("Prvi").encode(), html),
        "https://x.org/dated": (DATED.format("Stari").encode(), html),
        "https://x.org/gzip": (gzip.compress(PAGE.format("Drugi").encode()), {**html, "Content-Encoding": "gzip"}),
        "https://x.org/undone": (PAGE.format("Treći").encode(), {**html, "Content-Encoding": "gzip"}),
        "https://x.org/zlib": (zlib.compress(PAGE.format("Četvrti").encode()), {**html, "Content-Encoding": "deflate"}),
        "https://x.org/raw": (
            raw.compress(PAGE.format("Peti").encode()) + raw.flush(), {**html, "Content-Encoding": "deflate"},
        ),
        "https://x.org/chunks": (
            chunked(gzip.compress(PAGE.format("Šesti").encode())),
            {**html, "Transfer-Encoding": "chunked", "Content-Encoding": "gzip"},
        ),
        "https://x.org/whole": (PAGE.format("Sedmi").encode(), {**html, "Transfer-Encoding": "chunked"}),
        "https://x.org/a.txt?q=1#z": (b"Osmi most je zatvoren.", {}),
    }  # fmt: skip
    answers = [(url, "200 OK", content, headers) for url, (content, headers) in pages.items()]
    answers += [
        ("https://x.org/gone", "404 Not Found", b"<p>Gone.</p>", html),
        ("https://x.org/a.png", "200 OK", b"\x89PNG", {"Content-Type": "image/png"}),
        ("https://x.org/zstd", "200 OK", b"\x28\xb5\x2f\xfd", {**html, "Content-Encoding": "zstd"}),
        ("https://x.org/torn", "200 OK", gzip.compress(b"<p>Torn.</p>")[:-12], {**html, "Content-Encoding": "gzip"}),
        ("https://x.org/odd", "200 OK", b"5\r\nabcdezz\r\n", {**html, "Transfer-Encoding": "chunked"}),
    ]
    found, skipped = read(tmp_path, "c.warc.gz" if packed else "c.warc", crawl(*answers, packed=packed))
    words = ["Prvi", "Stari", "Drugi", "Treći", "Četvrti", "Peti", "Šesti", "Sedmi", "Osmi"]
    assert list(found) == list(pages)
    for (url, document), word in zip(found.items(), words, strict=True):
        assert f"{word} most je zatvoren." in document.text, url
        assert document.metadata["url"] == url
    assert found["https://x.org/plain"].date == "2024-02-15T09:30:00+00:00"
    assert found["https://x.org/dated"].date.startswith("2020-05-06")
    assert (found["https://x.org/plain"].title, found["https://x.org/plain"].language) == ("Most", "sr")
    assert skipped == {
        "https://x.org/torn": "broken: it cannot be unpacked to its end",
        "https://x.org/gone": "no page: the server answered 404",
        "https://x.org/a.png": "no reader for image/png",
        "https://x.org/zstd": "sent in the encoding zstd, which is not read",
        "https://x.org/odd": "broken: it cannot be unpacked to its end",
    }


RAW = zlib.compressobj(wbits=-15)
SENT = {
    "gzip": gzip.compress(PAGE.encode()),
    "deflate": zlib.compress(PAGE.encode()),
    "DEFLATE": RAW.compress(PAGE.encode()) + RAW.flush(),
    "br": brotli.compress(PAGE.encode()),
    "deflate, gzip": gzip.compress(zlib.compress(PAGE.encode())),
    "identity": PAGE.encode(),
}


@pytest.mark.parametrize("encoding", SENT)
@pytest.mark.parametrize("size", [1, 10, 0])
def test_however_an_answer_was_packed_and_cut_into_chunks_it_is_made_whole(encoding: str, size: int) -> None:
    """Also in chunks of a byte; and as it is, where the crawler has unpacked it and kept the header."""
    said = {"content-encoding": encoding, "transfer-encoding": "chunked"}
    for data in (SENT[encoding], PAGE.encode()):
        whole = http.body(said, io.BytesIO(chunked(data, size) if size else data)).read()
        assert whole == PAGE.encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_an_answer_that_is_cut_off_is_not_taken_for_a_short_one(encoding: str) -> None:
    """Neither what is packed, nor what is in chunks."""
    for said, data in (
        ({"content-encoding": encoding}, SENT[encoding][:-12]),
        ({"transfer-encoding": "chunked"}, chunked(SENT[encoding])[:-20]),
    ):
        with pytest.raises(EOFError):
            http.body(said, io.BytesIO(data)).read()


def test_what_fills_the_last_block_is_whole() -> None:
    """The decoder may have more to give when it has been given all."""
    for size in (2**16 - 1, 2**16, 2**16 + 1, 3 * 2**16):
        for level in (1, 6, 9):
            packer = zlib.compressobj(level, wbits=-15)
            data = packer.compress(b"ab" * size) + packer.flush()
            assert http.body({"content-encoding": "deflate"}, io.BytesIO(data)).read() == b"ab" * size


def test_brotli_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an answer needs it; what is none is broken."""
    with pytest.raises(ValueError, match="no brotli"):
        http.body({"content-encoding": "br"}, io.BytesIO(b"\x0bnone" * 9)).read()
    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(ReadError, match=r'needs brotli: pip install "semsearch\[warc\]"'):
        http.body({"content-encoding": "br"}, io.BytesIO(SENT["br"])).read()


def test_the_server_says_which_letters_a_page_has(tmp_path: Path) -> None:
    """In Greek as in its address, where a guess would have it in French."""
    said = {"Content-Type": 'text/html; charset="windows-1253"'}
    answer = ("https://x.org/é", "200 OK", "<p>Γεια</p>".encode("cp1253"), said)
    found, _ = read(tmp_path, "c.warc", crawl(answer, packed=False))
    assert [(url, document.text) for url, document in found.items()] == [("https://x.org/é", "Γεια")]


def test_a_crawl_takes_the_memory_of_an_answer_whatever_its_size() -> None:
    """Twenty thousand answers go by as they come."""
    good = ("https://x.org/1", "200 OK", PAGE.encode(), {"Content-Type": "text/html"})
    record = crawl(good, packed=False)
    tracemalloc.start()
    parts = sum(1 for _ in warc.read("c.warc", streamed(record for _ in range(20_000)), NO_COLUMNS))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (parts, peak < 2**21) == (20_000, True)


def test_a_crawl_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """After the answers that are whole in it."""
    good = ("https://x.org/1", "200 OK", PAGE.format("Prvi").encode(), {"Content-Type": "text/html"})
    data = crawl(good, ("https://x.org/2", *good[1:]), packed=False)
    (tmp_path / "c.warc").write_bytes(data[:-60])
    with open_file(tmp_path / "c.warc", "c.warc", WORKER) as opened:
        assert next(opened.documents).path == "c.warc#https://x.org/1"
        with pytest.raises(ReadError, match="cut off"):
            list(opened.documents)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a", "no crawl"),
        (b"WARC/1.0\r\nContent-Length: many\r\n\r\n", "does not say how long"),
        (b"WARC/1.0\r\n" + b"A: b\r\n" * 2**16, "headers have no end"),
        (b"WARC/1.0\r\nA: " + b"b" * 2**20, "headers have no end"),
        (b"WARC/1.0\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "does not say how long"),
        (b"WARC/1.0\r\nContent-Length: 2\r\n\r\nxx\r\n\r\nrest", "does not begin where"),
        (b"WARC/1.0\r\nContent-Length: 99999999999999\r\n\r\nxx", "cut off"),
    ],
)
def test_what_is_no_crawl_says_so(tmp_path: Path, data: bytes, reason: str) -> None:
    """With the reason, and no other error."""
    (tmp_path / "c.warc").write_bytes(data)
    with open_file(tmp_path / "c.warc", "c.warc", WORKER) as opened, pytest.raises(ReadError, match=reason):
        list(opened.documents)


def test_an_answer_that_unfolds_is_bounded(tmp_path: Path) -> None:
    """A hundred kilobytes that stand for a hundred megabytes cost one answer, not the crawl."""
    bomb = gzip.compress(bytes(100 * 2**20))
    html = {"Content-Type": "text/html"}
    found, skipped = read(
        tmp_path,
        "c.warc",
        crawl(
            ("https://x.org/p.png", "200 OK", bytes(2**20), {"Content-Type": "image/png"}),
            ("https://x.org/b", "200 OK", bomb, {**html, "Content-Encoding": "gzip"}),
            ("https://x.org/1", "200 OK", PAGE.format("Prvi").encode(), html),
            packed=False,
        ),
    )  # fmt: skip
    assert list(found) == ["https://x.org/1"]
    assert skipped == {"https://x.org/p.png": "no reader for image/png", "https://x.org/b": "larger than 64 MiB"}
