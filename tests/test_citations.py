"""Every hit cites exactly: what it says stands at that place of that file, code point by code point."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semsearch.index import Index
from semsearch.testing import HashEmbedder

HARD = {
    "cjk.txt": "安全真空是一个问题。西巴尔干地区很重要。第三句话在这里。" * 5,
    "emoji.txt": "Flags 🇧🇦🇽🇰 and families 👩‍👩‍👧‍👦 vote 🗳️. Second one 😀.\n\nThird vacuum.",
    "combining.txt": "Cafe\u0301 e\u0301te\u0301 Tito\u0300 vacuum.\nq\u0323\u0307 and ẛ̣ stay.",
    "crlf.txt": "Title\r\n\r\nFirst vacuum line.\r\nSecond line.\r\n\r\nThird.\r\n",
    "mac.txt": "Old\rMac\rlines with a vacuum.\r",
    "bom.txt": "\ufeffMarked vacuum text. And more.",
    "rtl.txt": "الفراغ الأمني في غرب البلقان. جملة ثانية هنا.\nשלום vacuum עולם.",
    "no-newline.md": "# Heading\n\nBody vacuum without an end",
    "front.md": "---\ntitle: T\ntags: [a, b]\n---\n\n# T\n\nText vacuum.\n\n## Sub 😀\n\nMore e\u0301 vacuum.\n",
    "tabs.md": "\tcode vacuum\n\n> quote\n\n- list\n- vacuum\n",
    "separators.txt": "One\u2028two\u2029three vacuum\x0cfour\x85five.",
    "astral.txt": "𝔖𝔢𝔠𝔲𝔯𝔦𝔱𝔶 vacuum 𐍈𐌰. " * 30,
}


def file_text(path: Path) -> str:
    """The decoded file, without a byte order mark: what spans point into."""
    return path.read_bytes().decode("utf-8-sig")


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    folder = tmp_path / "hard"
    folder.mkdir()
    for name, text in HARD.items():
        (folder / name).write_bytes(text.encode())
    (folder / "utf16.txt").write_bytes("Wide vacuum e\u0301 😀.".encode("utf-16"))
    return folder


def test_hits_cite_the_file_itself(tmp_path: Path, hard: Path) -> None:
    """For every passage: text[start:end] of the decoded file is the text, and the line is the one it begins on."""
    with Index.create(tmp_path / "index", embedder=HashEmbedder(limit=16)) as index:
        index.sync(hard)
        hits = index.search("vacuum", k=500, mode="dense", collapse=False)
        assert len(hits) == index.status().passages
        assert {Path(hit.path).name for hit in hits} == {path.name for path in hard.iterdir()}
        for hit in hits:
            path = Path(hit.path)
            text = path.read_bytes().decode("utf-16") if path.name == "utf16.txt" else file_text(path)
            assert text[hit.start : hit.end] == hit.text
            assert index.text(hit.document_id) == text
            assert hit.line == text[: hit.start].count("\n") + 1
            assert not hit.stale
        assert index.status().truncated == 0


@given(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n\r\n"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_cited_exactly(tmp_path_factory: pytest.TempPathFactory, pieces: list[str], end: str) -> None:
    """Whatever a file holds, if it is read at all."""
    home = tmp_path_factory.mktemp("fuzz")
    (home / "a").mkdir()
    data = end.join(pieces).replace("\0", "").encode()
    (home / "a" / "a.txt").write_bytes(data)
    (home / "a" / "b.md").write_bytes(data)
    (home / "a" / "c.txt").write_text("vacuum")
    with Index.create(home / "index", embedder=HashEmbedder(limit=16)) as index:
        index.sync(home / "a")
        for hit in index.search("vacuum", k=1000, mode="dense"):
            assert file_text(Path(hit.path))[hit.start : hit.end] == hit.text


def test_a_file_that_has_changed_or_gone_is_flagged(tmp_path: Path, articles: Path) -> None:
    """Stale until the next sync; a touch alone is no change."""
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        index.sync(articles)
        (articles / "nato.txt").touch()
        assert [hit.stale for hit in index.search("alliance security", k=1)] == [False]
        (articles / "nato.txt").write_text("Something else.")
        assert [hit.stale for hit in index.search("alliance security", k=1)] == [True]
        (articles / "nato.txt").unlink()
        assert [hit.stale for hit in index.search("alliance security", k=1)] == [True]
        index.sync(articles)
        assert not any(hit.stale for hit in index.search("alliance security"))
