"""After any sequence of edits, a synced index answers as one that was built from nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from semsearch.index import Index
from semsearch.search import MODES
from semsearch.testing import HashEmbedder

NAMES = st.sampled_from(["a.txt", "b.txt", "c.md", "d.md", "sub/a.txt", "sub/e.md", "sub/deep/f.txt", "ž.txt"])
SENTENCES = st.sampled_from(
    [
        "The alliance will not allow a security vacuum.",
        "Gas prices fell in spring.",
        "Skupština je usvojila zakon.",
        "The river rose again.",
        "Voters went to the polls.",
        "選挙が行われた。",
        "Prices rose, prices fell.",
    ]
)
TEXTS = st.lists(SENTENCES, min_size=1, max_size=12).map(" ".join)
QUERIES = ["security vacuum", "prices", "skupstina zakon", "選挙", "nothing of the kind", "river polls"]


class Edits(RuleBasedStateMachine):
    """Edits files, syncs, and compares with an index made from nothing."""

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.folder = self.home / "articles"
        self.folder.mkdir()
        self.embedder = HashEmbedder(limit=24)
        self.index = Index.create(self.home / "index", embedder=self.embedder)
        self.inputs: set[str] = set()
        self.ever: set[str] = set()
        self.clock = 1_000_000_000

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            shutil.rmtree(self.home)

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        # Files of long ago, each at its own time, so that size and time of change are what the sync goes by.
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    @rule(name=NAMES, text=TEXTS, title=st.sampled_from(["", "One title", "Another"]))
    def put(self, name: str, text: str, title: str) -> None:
        head = f"# {title}\n\n" if name.endswith(".md") else f"{title}\n\n"
        self.write(self.folder / name, (head if title else "") + text)

    @precondition(lambda self: self.files())
    @rule(data=st.data(), sentence=SENTENCES)
    def append(self, data: st.DataObject, sentence: str) -> None:
        path = data.draw(st.sampled_from(self.files()))
        self.write(path, path.read_text() + " " + sentence)

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.files())).unlink()

    @precondition(lambda self: self.files())
    @rule(data=st.data(), name=NAMES)
    def rename(self, data: st.DataObject, name: str) -> None:
        new = self.folder / name
        new.parent.mkdir(parents=True, exist_ok=True)
        data.draw(st.sampled_from(self.files())).replace(new)

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(self.files()))
        self.write(path, path.read_text())

    @invariant()
    def synced_equals_built(self) -> None:
        if not hasattr(self, "index"):
            return
        self.embedder.encoded.clear()
        self.index.sync(self.folder, allow_empty=True)
        anew_embedder = HashEmbedder(limit=24)
        with tempfile.TemporaryDirectory() as home, Index.create(Path(home) / "i", embedder=anew_embedder) as anew:
            anew.sync(self.folder, allow_empty=True)
            # Texts that no document ever had are encoded, each once; those that one had before this step never are.
            now, encoded = set(anew_embedder.encoded), set(self.embedder.encoded)
            assert len(encoded) == len(self.embedder.encoded)
            assert now - self.ever <= encoded <= now - self.inputs
            self.inputs = now
            self.ever |= now
            assert [d.path for d in self.index.documents()] == [d.path for d in anew.documents()]
            for mode in MODES:
                for query in QUERIES:
                    one, two = self.index.search(query, mode=mode), anew.search(query, mode=mode)
                    assert [(h.path, h.start, h.end, h.text, h.title, h.line, h.digest) for h in one] == [
                        (h.path, h.start, h.end, h.text, h.title, h.line, h.digest) for h in two
                    ]
                    assert pytest.approx([h.score for h in one], abs=1e-5) == [h.score for h in two]
            assert self.index.verify() == []


Edits.TestCase.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSyncEqualsRebuild = Edits.TestCase
