"""`Index` does everything that semsearch can do, one call each, and is safe to share between threads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from semsearch import Document, Index, Section
from semsearch.config import IndexConfig
from semsearch.errors import (
    FolderError,
    IndexDamagedError,
    IndexExistsError,
    IndexLockedError,
    IndexNotFoundError,
    ModelMismatchError,
    UsageError,
)
from semsearch.show.data import hit_fields
from semsearch.store import locked
from semsearch.store.context import in_context
from semsearch.testing import HashEmbedder

ROOT = Path(__file__).parent.parent


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Index:
    return Index.create(tmp_path / "index", embedder=embedder)


def test_documents_that_never_were_files(index: Index) -> None:
    """They are added, found, replaced and removed under their own names."""
    index.add([Document("wire/1", "The ferry runs again.", title="Ferry"), Document("wire/2", "Gas prices fell.")])
    hit = index.search("ferry", k=1)[0]
    assert (hit.path, hit.title, hit.text, hit.stale) == ("wire/1", "Ferry", "The ferry runs again.", False)
    number = hit.document_id
    index.add([Document("wire/1", "The ferry has sunk.")])
    hit = index.search("ferry", k=1)[0]
    assert (hit.text, hit.document_id) == ("The ferry has sunk.", number)
    assert index.remove("wire/1") == 1
    assert [h.path for h in index.search("ferry")] == ["wire/2"]
    with pytest.raises(UsageError, match="wire/1"):
        index.remove("wire/2", "wire/1")
    assert len(index.documents()) == 1
    assert index.verify() == []


@pytest.mark.parametrize(
    "documents",
    [
        [Document("a", "Text."), Document("a", "Other.")],
        [Document("", "Text.")],
        [Document("a", "  ")],
        [Document("a", "bad \ud800 surrogate")],
    ],
)
def test_documents_that_cannot_be_stored_are_refused_whole(index: Index, documents: list[Document]) -> None:
    """A name or text that is missing, doubled or no text: a UsageError, and nothing of the call is stored."""
    with pytest.raises(UsageError):
        index.add([Document("fine", "Text."), *documents])
    assert index.documents() == []


def test_sections_of_a_document_are_not_crossed(index: Index) -> None:
    """Passages stay inside the sections that a document brings along."""
    text = "One two three. Four five six."
    index.add([Document("a", text, sections=(Section(0, 14, "First"), Section(15, 29, "Second")))])
    assert [(h.text, h.heading) for h in index.search("four", mode="dense")] == [
        ("Four five six.", "Second"),
        ("One two three.", "First"),
    ]


def test_vectors_of_your_own(index: Index) -> None:
    """They are stored scaled to length 1, found by a vector, and refused in another shape."""
    document = Document("a", "Some text.")
    own = np.zeros((1, 256), np.float32)
    own[0, 7] = 5
    index.add([document], vectors=[own])
    hit = index.search(own[0], k=1)[0]
    assert (hit.path, hit.score, hit.scores["lexical"]) == ("a", pytest.approx(5), None)
    index.add([Document("b", "Some text.")])
    assert [h.path for h in index.search("some text", mode="dense", k=1)] == ["b"], "own vectors are not the model's"
    np.testing.assert_allclose(index.encode(["some text"]), HashEmbedder().encode_query(["some text"]), rtol=1e-6)
    with pytest.raises(UsageError, match="shape"):
        index.add([document], vectors=[own[:, :5]])
    with pytest.raises(UsageError, match="one for each"):
        index.add([document], vectors=[])
    with pytest.raises(UsageError, match="shape"):
        index.search(own)
    with pytest.raises(UsageError, match="no words"):
        index.search(own[0], mode="lexical")
    with pytest.raises(UsageError, match="finite"):
        index.search(own[0] * np.float32("nan"))


def test_modes_find_what_they_should(index: Index) -> None:
    """Dense and lexical alone report their own score; hybrid orders by both."""
    index.add([Document("a", "Security vacuum."), Document("b", "Security."), Document("c", "Rivers.")])
    dense = index.search("security vacuum", mode="dense")
    assert [h.path for h in dense] == ["a", "b", "c"]
    assert [h.score for h in dense] == [h.scores["dense"] for h in dense]
    lexical = index.search("security vacuum", mode="lexical")
    assert [h.path for h in lexical] == ["a", "b"]
    assert [h.scores["dense"] for h in lexical] == [None, None]
    hybrid = index.search("security vacuum")
    assert [(h.rank, h.path) for h in hybrid] == [(1, "a"), (2, "b"), (3, "c")]
    assert hybrid[0].score > hybrid[1].score > 0 > hybrid[2].score
    assert index.search("security", k=1) == hybrid[:0] + index.search("security", k=1)[:1]


@pytest.mark.parametrize(
    ("query", "k", "mode"), [("", 5, "hybrid"), (" \n", 5, "dense"), ("x", 0, "dense"), ("x", 5, "best")]
)
def test_searches_that_cannot_be_done_are_refused(index: Index, query: str, k: int, mode: str) -> None:
    """An empty query, k below 1 and an unknown mode are errors, not empty answers."""
    with pytest.raises(UsageError):
        index.search(query, k=k, mode=mode)  # type: ignore[arg-type]


def test_hits_keep_to_the_schema(index: Index, articles: Path) -> None:
    """docs/hit.schema.json describes every hit, and every field stands in docs/hits.md."""
    index.sync(articles)
    index.add([Document("a", "The alliance again.")])
    schema = json.loads((ROOT / "docs" / "hit.schema.json").read_text())
    page = (ROOT / "docs" / "hits.md").read_text()
    hits = index.search("alliance prices chess")
    assert len(hits) == 5
    for hit in hits:
        fields = json.loads(json.dumps(hit_fields(hit)))
        jsonschema.validate(fields, schema)
        assert set(fields) == set(schema["properties"])
    assert all(f"`{name}`" in page for name in schema["properties"])


def test_an_index_is_not_made_twice_nor_opened_where_there_is_none(tmp_path: Path, index: Index) -> None:
    """Each has its own error."""
    with pytest.raises(IndexExistsError):
        Index.create(index.path, embedder=HashEmbedder())
    with pytest.raises(IndexNotFoundError):
        Index.open(tmp_path / "nothing")
    with pytest.raises(ModelMismatchError, match="rebuild"):
        Index.open(index.path, embedder=HashEmbedder(dimension=8))


@pytest.mark.parametrize(
    "wrong", [{"overlap": -1}, {"embedder": HashEmbedder(limit=3)}, {"passage_tokens": 65}, {"passage_tokens": 4}]
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, wrong: dict) -> None:
    """And no index is left behind."""
    with pytest.raises(UsageError):
        Index.create(tmp_path / "x", **{"embedder": HashEmbedder(), **wrong})
    assert not (tmp_path / "x").exists()


def test_passages_have_no_more_tokens_than_asked_for(tmp_path: Path, embedder: HashEmbedder) -> None:
    """Nor has a passage more than 126 where nobody says; a number stays, and only a rebuild takes another."""
    text = " ".join(f"Sentence {number} of many." for number in range(60))
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles/a.txt").write_text(text)
    assert IndexConfig.of(HashEmbedder(limit=512)).limit == 126
    with Index.make(tmp_path / "x", passage_tokens=20, embedder=embedder) as index:
        index.sync(tmp_path / "articles")
        assert index.config.limit == 20
        assert max(p.tokens for p in index.split(Document("a", text))) <= 20
        with pytest.raises(UsageError, match="at most 20 tokens, not 30"):
            index.expect(passage_tokens=30)
    Index.rebuild(tmp_path / "x", tmp_path / "articles", embedder=embedder)
    with Index.make(tmp_path / "x", passage_tokens=20, embedder=embedder) as index:
        before = index.status().passages
    Index.rebuild(tmp_path / "x", tmp_path / "articles", passage_tokens=40, embedder=embedder)
    with Index.open(tmp_path / "x", embedder=embedder) as index:
        assert index.config.limit == 40
        assert 0 < index.status().passages < before


def test_a_passage_is_compared_in_its_context(index: Index, embedder: HashEmbedder) -> None:
    """The similarity that a hit reports is that of its vector and its neighbours' as `in_context` mixes them."""
    article = Document("a", " ".join(f"Word{number} stands in sentence {number}." for number in range(60)), title="T")
    index.add([article])
    passages = index.split(article)
    assert len(passages) > 5
    vectors = in_context(embedder.encode_document([p.embedded for p in passages]), [len(passages)])
    query = embedder.encode_query(["word20 sentence"])[0]
    expected = {p.start: float(s) for p, s in zip(passages, vectors @ query, strict=True)}
    hits = index.search("word20 sentence", k=20, mode="dense", collapse=False)
    assert {hit.start: hit.scores["dense"] for hit in hits} == pytest.approx(expected, abs=1e-6)


def test_an_edit_keeps_the_vectors_of_what_it_leaves(index: Index, embedder: HashEmbedder) -> None:
    """After edits and under another name, nothing is embedded again, and scores are those of an index made anew."""
    sentences = [f"Word{number} stands in sentence {number}." for number in range(80)]
    for start in range(5):
        index.add([Document("a", " ".join(sentences[start:]))])
    encoded = len(embedder.encoded)
    index.add([Document("b", " ".join(sentences[4:]))])
    assert len(embedder.encoded) == encoded
    index.remove("a")
    with Index.create(index.path.parent / "new", embedder=embedder) as new:
        new.add([Document("b", " ".join(sentences[4:]))])
        found, expected = (
            [(hit.start, hit.score) for hit in each.search("word40 sentence", k=20)] for each in (index, new)
        )
    assert [start for start, _ in found] == [start for start, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_vectors_of_ones_own_are_compared_as_they_are(index: Index) -> None:
    """They do not lean towards their neighbours'."""
    article = Document("a", " ".join(f"Word{number} stands in sentence {number}." for number in range(60)))
    passages = index.split(article)
    own = np.eye(len(passages), index.config.dimension, dtype=np.float32)
    index.add([article], [own])
    hits = index.search(own[1], k=20, mode="dense", collapse=False)
    assert [round(hit.score, 6) for hit in hits] == [1.0] + [0.0] * (len(passages) - 1)


def test_settings_survive_being_written_down() -> None:
    """IndexConfig comes back from its JSON."""
    config = IndexConfig.of(HashEmbedder(), overlap=2)
    assert IndexConfig.from_json(config.to_json()) == config


def test_searching_is_safe_from_many_threads_while_one_writes(index: Index, articles: Path) -> None:
    """Eight threads search one Index while another syncs and adds: no error, and always a whole answer."""
    index.sync(articles)
    errors: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                hits = index.search("alliance security vacuum", k=3)
                assert hits[0].path.endswith("nato.txt")
                assert all(h.text for h in hits)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for i in range(25):
            (articles / f"extra{i}.txt").write_text(f"Report {i} on rivers and roads.")
            index.sync(articles)
            index.add([Document(f"wire/{i}", f"Dispatch {i} on harvests.")])
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(index.documents()) == 3 + 50


def test_a_rebuild_takes_everything_along(index: Index, articles: Path, tmp_path: Path) -> None:
    """Other folders and documents that never were files are there afterwards, all embedded anew."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "o.txt").write_text("Other article.")
    index.sync(articles)
    index.sync(other)
    sections = (Section(0, 4, "H"), Section(5, 9))
    index.add([Document("wire", "One. Two.", title="W", metadata={"x": 1}, sections=sections)])
    before = {(h.path, h.start, h.text, h.score) for h in index.search("article one", k=50)}
    embedder = HashEmbedder()
    (other / "bad.txt").write_bytes(b"\0\0")
    report = Index.rebuild(index.path, articles, embedder=embedder)
    assert report.added == 4
    assert [skip.path for skip in report.skipped] == ["bad.txt"]
    assert len(embedder.encoded) == index.status().passages
    after = {(h.path, h.start, h.text, h.score) for h in index.search("article one", k=50)}
    assert before == after
    assert sorted(p.name for p in index.path.iterdir()) == ["e2", "lock", "semsearch.json"]


def test_an_interrupted_rebuild_leaves_the_old_index_and_goes_on(index: Index, articles: Path) -> None:
    """The old index answers meanwhile; the next rebuild embeds only what is missing."""
    for i in range(600):
        (articles / f"n{i}.txt").write_text(f"Article {i} on subject {i}.")
    index.sync(articles)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index.rebuild(index.path, articles, embedder=HashEmbedder(), progress=stop)
    assert len(index.search("subject 17", k=3)) == 3
    again = HashEmbedder()
    Index.rebuild(index.path, articles, embedder=again)
    assert 0 < len(again.encoded) < index.status().passages
    assert len(index.documents()) == 603
    assert index.verify() == []


def test_a_rebuild_may_change_the_model(index: Index, articles: Path) -> None:
    """The new settings hold for everyone who opens it afterwards."""
    index.sync(articles)
    Index.rebuild(index.path, articles, embedder=HashEmbedder(dimension=32), overlap=1)
    with Index.open(index.path, embedder=HashEmbedder(dimension=32)) as anew:
        assert (anew.config.dimension, anew.config.overlap) == (32, 1)
        assert len(anew.search("alliance")) == 4


def test_an_open_index_goes_over_to_the_rebuilt_one(index: Index, articles: Path) -> None:
    """A reader that was open before a rebuild in another process sees the new edition, without an error."""
    index.sync(articles)
    (articles / "late.txt").write_text("A late report on bees.")
    program = (
        "import sys; from semsearch import Index; from semsearch.testing import HashEmbedder;"
        "Index.rebuild(sys.argv[1], sys.argv[2], embedder=HashEmbedder())"
    )
    subprocess.run([sys.executable, "-c", program, index.path, articles], check=True, cwd=ROOT)
    assert index.search("bees", k=1)[0].title != "x"
    assert index.search("bees", k=1)[0].path.endswith("late.txt")


def test_a_rebuild_without_a_folder_changes_nothing(index: Index, articles: Path, tmp_path: Path) -> None:
    """A missing folder is an error, and the old index answers as before."""
    index.sync(articles)
    with pytest.raises(FolderError):
        Index.rebuild(index.path, tmp_path / "gone", embedder=HashEmbedder())
    assert len(index.search("alliance")) == 4


def test_writing_needs_the_lock(index: Index, articles: Path) -> None:
    """Whoever comes second is told, and the index is as before."""
    with locked(index.path):
        for write in (lambda: index.sync(articles), lambda: index.add([Document("a", "b")]), lambda: index.remove("a")):
            with pytest.raises(IndexLockedError):
                write()
    assert index.documents() == []


def test_similar_to_a_document_by_name(index: Index) -> None:
    """Its own passages are left out; a name that is nothing is an error."""
    index.add([Document(f"d{i}", f"Gas storage report {i}.") for i in range(3)] + [Document("e", "Chess.")])
    assert [h.path for h in index.similar("d0", k=2)] == ["d1", "d2"]
    with pytest.raises(UsageError, match="nowhere"):
        index.similar("nowhere")


def test_include_and_exclude(index: Index, articles: Path) -> None:
    """Patterns choose files as in .gitignore."""
    assert index.sync(articles, include=["*.md", "*.txt"]).added == 2
    assert index.sync(articles, exclude=["*.md"]).removed == 1
    assert [d.path for d in index.documents()] == ["nato.txt", "sport.html"]


@pytest.mark.parametrize("victim", ["semsearch.json", "e1/index.db"])
def test_an_index_that_cannot_be_read_is_rebuilt_and_set_aside(index: Index, articles: Path, victim: str) -> None:
    """A rebuild makes it anew from the folder, and deletes nothing that it could not read."""
    index.sync(articles)
    index.close()
    (index.path / victim).write_bytes(b"\x07 nothing of the kind" * 500)
    with pytest.raises(IndexDamagedError, match=Path(victim).name):
        Index.open(index.path)
    Index.rebuild(index.path, articles, embedder=HashEmbedder())
    with Index.open(index.path, embedder=HashEmbedder()) as anew:
        assert len(anew.search("alliance")) == 4
        assert anew.verify() == []
    assert len(list(index.path.glob("damaged-*/index.db"))) == 1


READER = """
import sys
from semsearch import Index
from semsearch.testing import HashEmbedder
with Index.open(sys.argv[1], embedder=HashEmbedder()) as index:
    searches = 0
    while searches < 10 or not index.search("finished", k=1)[0].text.startswith("Finished"):
        hits = index.search("alliance security vacuum", k=3)
        assert hits[0].path.endswith("nato.txt"), hits
        assert len(index.documents()) >= 3
        searches += 1
print(searches)
"""


def test_readers_of_other_processes_see_no_gap_while_an_index_is_rebuilt(index: Index, articles: Path) -> None:
    """Three processes search all the time through rebuilds and commits: never an error, never a wrong first hit."""
    index.sync(articles)
    command = [sys.executable, "-c", READER, str(index.path)]
    readers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for turn in range(12):
        Index.rebuild(index.path, articles, embedder=HashEmbedder())
        index.add([Document(f"wire/{turn}", f"Dispatch {turn} on harvests.")])
    index.add([Document("end", "Finished finished finished.")])
    for reader in readers:
        output, error = reader.communicate(timeout=60)
        assert (reader.returncode, error) == (0, b"")
        assert int(output) >= 10
    assert len(index.documents()) == 3 + 12 + 1


def test_make_opens_or_creates(tmp_path: Path) -> None:
    """The same call twice gives the same index; another model or overlap is refused."""
    with Index.make(tmp_path / "i", embedder=HashEmbedder(), overlap=1) as made:
        made.add([Document("a", "Text.")])
    with Index.make(tmp_path / "i", embedder=HashEmbedder()) as again:
        assert [document.path for document in again.documents()] == ["a"]
        assert again.config.overlap == 1
    with pytest.raises(UsageError, match="overlap of 1"):
        Index.make(tmp_path / "i", embedder=HashEmbedder(), overlap=2)
    with pytest.raises(ModelMismatchError):
        Index.make(tmp_path / "i", embedder=HashEmbedder(dimension=9))
