"""A crawl that another program has written gives its answers as they were meant, under their addresses, or a reason."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from semsearch.errors import ReadError
from semsearch.read import Worker, open_file
from semsearch.types import Document, Skip

# warcio leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
WORKER = Worker()
"""One process for all that is read here, which ends with this one."""

PAGE = "<html lang=sr><head><title>Most</title></head><body><h1>Most</h1><p>{} most je zatvoren.</p></body></html>"
DATED = PAGE.replace("<head>", '<head><meta property="article:published_time" content="2020-05-06T07:08:09Z">')


def chunked(data: bytes) -> bytes:
    """The data in chunks of ten bytes."""
    parts = (data[at : at + 10] for at in range(0, len(data), 10))
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
        ("https://x.org/br", "200 OK", b"\x0b\x02\x80", {**html, "Content-Encoding": "br"}),
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
        "https://x.org/br": "sent in the encoding br, which is not read",
        "https://x.org/odd": "broken: a chunk does not say how long it is",
    }


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
        (b"WARC/1.0\r\n" + b"A: b\r\n" * 200 + b"\r\n", "no headers"),
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
