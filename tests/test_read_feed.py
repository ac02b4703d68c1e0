"""Each entry of a feed becomes a document under its own id, with what the feed states of it, or the feed a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semsearch import Document, Index
from semsearch.errors import ReadError
from semsearch.read import open_file
from semsearch.read.feed import read, read_json
from semsearch.testing import HashEmbedder

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>The &amp; Wire</title><link>https://wire.example</link><language>sr</language>
<item><title>Čelik &amp; gas</title><link>https://wire.example/1</link><guid>tag:wire,1</guid>
  <dc:creator>Ana Anić</dc:creator><category>energy</category><category>steel</category>
  <pubDate>Thu, 15 Feb 2024 23:30:00 +0100</pubDate>
  <description>A short lead.</description>
  <content:encoded><![CDATA[<p>The <b>fer</b>ry is late.</p><script>alert(1)</script>
    <h2>Why</h2><p>Ice.</p>]]></content:encoded></item>
<item><title>No id</title><link>https://wire.example/2</link>
  <description>Only &lt;i&gt;this&lt;/i&gt; line.</description></item>
<item><title>A headline alone</title><pubDate>soon</pubDate></item>
<item><pubDate>Thu, 15 Feb 2024 23:30:00 +0100</pubDate></item>
</channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="x"><title>Old</title></channel>
<item rdf:about="https://old.example/1"><title>One</title><link>https://old.example/1</link>
<description>Text one.</description></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Blog</title><author><name>Eva</name></author>
<entry><id>urn:1</id><title type="html">A &lt;em&gt;big&lt;/em&gt; day</title><link href="https://b.example/1"/>
  <published>2024-02-15T09:30:00Z</published><updated>2025-01-01T00:00:00Z</updated><summary>Short.</summary>
  <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Grüße 1 &lt; 2.</p>
  <p>Two.</p></div></content></entry>
<entry><id>urn:2</id><title>Plain</title><updated>2024-03-01T00:00:00+02:00</updated>
  <content type="text">First &lt;b&gt; line.

Second.</content></entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1", "title": "J", "language": "fr", "authors": [{"name": "Max"}],
    "items": [
        {"id": 7, "url": "https://j.example/7", "title": "Un", "content_html": "<p>Été.</p>", "tags": ["a", 3],
         "date_published": "2024-02-15T09:30:00+01:00", "authors": [{"name": "Léa"}, {"name": "Zoé"}]},
        {"id": "b", "content_text": "Deux\n\nparties."},
        {"id": "c"}, "no entry",
    ],
}  # fmt: skip


def kept(documents: list[Document]) -> list[tuple[str, str, str]]:
    return [(document.path, document.title, document.text) for document in documents]


def test_rss_gives_its_entries() -> None:
    """The whole text where there is one, else the summary, else the headline; nothing of an entry that is empty."""
    documents = read("w.rss", RSS.encode())
    assert kept(documents) == [
        ("w.rss#tag:wire,1", "Čelik & gas", "The ferry is late.\n\nWhy\n\nIce."),
        ("w.rss#https://wire.example/2", "No id", "Only this line."),
        ("w.rss#3", "A headline alone", "A headline alone"),
    ]
    first = documents[0]
    assert (first.date, first.author, first.source, first.language) == (
        "2024-02-15T23:30:00+01:00", "Ana Anić", "The & Wire", "sr",
    )  # fmt: skip
    assert first.metadata == {"url": "https://wire.example/1", "tags": ["energy", "steel"]}
    assert [(first.text[s.start : s.end].strip(), s.heading) for s in first.sections or ()][-1] == ("Ice.", "Why")
    assert documents[2].date == ""


def test_older_rss_gives_its_entries() -> None:
    """That of RDF."""
    assert kept(read("o.rss", RDF.encode())) == [("o.rss#https://old.example/1", "One", "Text one.")]


def test_atom_gives_its_entries() -> None:
    """By what each part says that it is: HTML, XHTML or plain text, in which `<b>` is three signs."""
    one, two = read("a.atom", ATOM.encode())
    assert kept([one, two]) == [
        ("a.atom#urn:1", "A big day", "Grüße 1 < 2.\n\nTwo."),
        ("a.atom#urn:2", "Plain", "First <b> line.\n\nSecond."),
    ]
    assert (one.date, one.author, one.source, one.language) == ("2024-02-15T09:30:00+00:00", "Eva", "Blog", "de")
    assert two.date == "2024-03-01T00:00:00+02:00"


def test_json_feed_gives_its_entries() -> None:
    """Those that say something."""
    one, two = read_json("j.json", json.dumps(JSON).encode())
    assert kept([one, two]) == [("j.json#7", "Un", "Été."), ("j.json#b", "", "Deux\n\nparties.")]
    assert (one.date, one.author, one.source, one.language) == ("2024-02-15T09:30:00+01:00", "Léa, Zoé", "J", "fr")
    assert (one.metadata, two.author) == ({"url": "https://j.example/7", "tags": ["a"]}, "Max")


@pytest.mark.parametrize(
    ("reader", "data", "reason"),
    [
        (read, RSS.encode()[:-60], "cut off"),
        (read, b"<html><body>No feed.</body></html>", "cut off"),
        (read, b"<rss><channel></channel></rss>", "no text in it"),
        (read_json, b'{"name": "a package"}', "no JSON Feed"),
        (read_json, b"[" * 100_000, "nested too deep"),
        (read_json, b'{"version": "https://jsonfeed.org/version/1", "items": 3}', "no text in it"),
    ],
)
def test_what_is_no_feed_says_so(reader: object, data: bytes, reason: str) -> None:
    """With the reason, and no other error."""
    assert callable(reader)
    with pytest.raises(ReadError, match=reason):
        reader("x", data)


@pytest.mark.parametrize(
    ("name", "data", "addresses"),
    [
        ("w.xml", RSS.encode("utf-8"), ["w.xml#tag:wire,1", "w.xml#https://wire.example/2", "w.xml#3"]),
        (
            "a.xml",
            b"\xef\xbb\xbf<!-- <rss> --><?xml-stylesheet href='x'?>" + ATOM.encode(),
            ["a.xml#urn:1", "a.xml#urn:2"],
        ),
        ("o.xml", f"<?xml version='1.0' encoding='utf-16'?>{RDF}".encode("utf-16"), ["o.xml#https://old.example/1"]),
    ],
)
def test_the_root_of_an_xml_file_says_what_it_is(tmp_path: Path, name: str, data: bytes, addresses: list[str]) -> None:
    """Whatever stands before it; other XML says that there is no reader for it."""
    (tmp_path / name).write_bytes(data)
    with open_file(tmp_path / name, name) as opened:
        assert [document.path for document in opened.documents] == addresses
    (tmp_path / name).write_bytes(b"<?xml version='1.0'?><svg><rss/></svg>")
    with open_file(tmp_path / name, name) as opened, pytest.raises(ReadError, match=r"no reader for XML.*<svg>"):
        list(opened.documents)


def test_entities_of_an_xml_bomb_are_not_unfolded(tmp_path: Path) -> None:
    """A few lines that stand for gigabytes cost no more than the reader may take, and say why."""
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE rss [<!ENTITY a0 "ha">{lines}]><rss><channel><item><title>&a11;</title></item></channel></rss>'
    (tmp_path / "b.rss").write_text(bomb)
    with open_file(tmp_path / "b.rss", "b.rss") as opened:
        found = [item for item in opened.documents if isinstance(item, Document) and len(item.text) > 100]
    assert not found


def test_a_feed_that_is_fetched_again_costs_its_new_entries(tmp_path: Path) -> None:
    """What it has no longer is gone from the index as well."""
    embedder = HashEmbedder()
    articles = tmp_path / "articles"
    articles.mkdir()
    entry = "<item><title>T{0}</title><guid>{0}</guid><description>Story number {0}.</description></item>"
    with Index.create(tmp_path / "index", embedder=embedder) as index:
        for first in (1, 2):
            items = "".join(entry.format(n) for n in range(first, first + 5))
            (articles / "f.rss").write_text(f"<rss version='2.0'><channel>{items}</channel></rss>")
            report = index.sync(articles)
        assert (report.added, report.removed) == (1, 1)
        assert [document.path for document in index.documents()] == [f"f.rss#{n}" for n in range(2, 7)]
        (hit, *_) = index.search("story number 4", mode="lexical")
        assert hit.path == f"{articles}/f.rss#4"
