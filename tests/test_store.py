"""What is committed is there, whole, for every reader; what is not committed never was."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from semsearch import store
from semsearch.config import IndexConfig
from semsearch.errors import (
    IndexDamagedError,
    IndexExistsError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    StorageError,
)
from semsearch.intake import embed, incoming, stat_of_text
from semsearch.query import parse
from semsearch.search import Wish, find
from semsearch.store import Addition, Snapshot, Store
from semsearch.store import files as store_files
from semsearch.terms import terms
from semsearch.testing import HashEmbedder
from semsearch.types import Document

WORDS = ["security", "vacuum", "balkans", "energy", "gas", "price", "serbia", "kosovo", "nato", "vote", "river"]


def document(number: int, seed: int = 0) -> Document:
    rng = random.Random(f"{number} {seed}")
    text = " ".join(" ".join(rng.choices(WORDS, k=9)).capitalize() + "." for _ in range(rng.randint(1, 20)))
    return Document(f"d{number:03d}", text, title=f"Title {number}")


def put(opened: Store, embedder: HashEmbedder, *documents: Document) -> None:
    with opened.tables() as tables:
        numbers = [tables.find("", d.path) for d in documents]
    config, pairs = opened.config, zip(documents, numbers, strict=True)
    batch = [incoming(d, stat_of_text(d), embedder, config, replaces=n) for d, n in pairs]
    opened.commit(embed(opened, embedder, batch)[0])


def answers(snapshot: Snapshot, embedder: HashEmbedder, query: str, k: int = 10) -> list[tuple[str, int, float]]:
    wish = Wish(parse(query), embedder.encode_query([query])[0], k, "hybrid", collapse=False)
    found = find(snapshot, wish)
    places = snapshot.catalog.places(answer.scored.id for answer in found)
    return [(*places[answer.scored.id][1:], pytest.approx(answer.scored.score, abs=1e-5)) for answer in found]


@pytest.fixture
def opened(tmp_path: Path, config: IndexConfig) -> Store:
    return store.create(tmp_path / "index", config)


def test_an_edited_index_answers_as_one_made_at_once(
    tmp_path: Path, opened: Store, config: IndexConfig, embedder: HashEmbedder
) -> None:
    """After 150 commits with replacements, removals and merges: the same passages, order and scores."""
    kept: dict[str, Document] = {}
    rng = random.Random(1)
    for step in range(150):
        new = document(rng.randrange(60), step)
        put(opened, embedder, new)
        kept[new.path] = new
        if step % 7 == 0:
            gone = rng.choice(sorted(kept))
            with opened.tables() as tables:
                number = tables.find("", gone)
            assert number is not None
            opened.commit(removals=[number])
            del kept[gone]
    anew = store.create(tmp_path / "anew", config)
    put(anew, embedder, *(kept[path] for path in sorted(kept)))
    with opened.snapshot() as one, anew.snapshot() as two:
        assert len(one.segments.each) < 20
        for query in ["security vacuum", "gas price serbia", "title 7", "river"]:
            assert answers(one, embedder, query) == answers(two, embedder, query)
    assert store.complaints(opened) == []


def test_a_document_comes_back_as_it_was(opened: Store, embedder: HashEmbedder) -> None:
    """Text, fields, metadata and sections survive storing; spans in bytes and code points agree."""
    text = "\ufeffUvod 😀 e\u0301\r\n\r\nשלום עולם. 安全真空。\n"
    before = Document("č", text, "T", "2024-01-01", "A", "S", "bs", {"topic": ["x", 1]}, has_lines=False)
    put(opened, embedder, before)
    with opened.snapshot() as snapshot:
        (stored,) = snapshot.catalog.documents()
        assert snapshot.catalog.document(stored) == before
        for passage in snapshot.catalog.passages(snapshot.catalog.passage_ids()):
            assert text[passage.start : passage.end] == passage.text


def test_a_snapshot_does_not_see_what_is_committed_later(opened: Store, embedder: HashEmbedder) -> None:
    """Within one block the answers do not change, though documents are replaced and segments merged meanwhile."""
    put(opened, embedder, *(document(i) for i in range(20)))
    with opened.snapshot() as snapshot:
        before = answers(snapshot, embedder, "security vacuum")
        for i in range(20):
            put(opened, embedder, document(i, seed=1))
        assert before == answers(snapshot, embedder, "security vacuum")
    with opened.snapshot() as snapshot:
        assert before != answers(snapshot, embedder, "security vacuum")


def test_an_unfinished_commit_leaves_the_index_as_it_was(
    opened: Store, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full at any write: an error, the same answers, a clean check, and the next run goes through."""
    put(opened, embedder, *(document(i) for i in range(5)))
    with opened.snapshot() as snapshot:
        before = answers(snapshot, embedder, "nato")
    real = store_files._write
    for failing in range(2):
        left = iter([real] * failing)

        def write(file: object, arrays: object, left: object = left) -> object:
            next_write = next(left, None)
            if next_write is None:
                raise OSError(28, "No space left on device")
            return next_write(file, arrays)

        monkeypatch.setattr(store_files, "_write", write)
        with pytest.raises(StorageError, match="disk is full"):
            put(opened, embedder, document(0, seed=9))
        monkeypatch.undo()
        with opened.snapshot() as snapshot:
            assert before == answers(snapshot, embedder, "nato")
        assert store.complaints(opened) == []
    put(opened, embedder, document(0, seed=9))
    opened.discard_leftovers()
    with opened.tables() as tables:
        names = {f"{segment.id:08d}" for segment in tables.segments()}
    assert names == {file.name for file in (opened.folder / "vectors").iterdir()}
    assert names == {file.name for file in (opened.folder / "lexical").iterdir()}


def test_readers_see_whole_states_while_another_process_writes(opened: Store, embedder: HashEmbedder) -> None:
    """Eight threads search while a process replaces all documents in single commits: no error, no mixture."""
    put(opened, embedder, *(document(i, seed=0) for i in range(30)))
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "from test_store import *; opened = Store(Path(sys.argv[1])); e = HashEmbedder()\n"
        "for seed in range(1, 13): put(opened, e, *(document(i, seed=seed) for i in range(30)))"
    )
    valid = set()
    for seed in range(13):
        valid.add(tuple(sorted(document(i, seed).text for i in range(30))))
    writer = subprocess.Popen([sys.executable, "-c", program, opened.folder, Path(__file__).parent])
    errors: list[BaseException] = []

    def read() -> None:
        try:
            while writer.poll() is None:
                with opened.snapshot() as snapshot:
                    documents = list(snapshot.catalog.documents())
                    texts = tuple(sorted(snapshot.catalog.text(d.id) for d in documents))
                    found = answers(snapshot, embedder, "security vacuum", 20)
                    ids = list(snapshot.catalog.passage_ids())
                    assert len(snapshot.segments.vectors(ids)) == len(ids)
                assert texts in valid
                assert len(found) == 20
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.wait() == 0
    assert errors == []


def test_a_missing_or_changed_file_is_named(opened: Store, embedder: HashEmbedder) -> None:
    """A damaged index is refused with the file's name, and verify lists it."""
    put(opened, embedder, document(1))
    for part in ("vectors", "lexical"):
        (file,) = (opened.folder / part).iterdir()
        good = file.read_bytes()
        file.write_bytes(good[:-1] + b"x")
        with pytest.raises(IndexDamagedError, match=f"{part}/{file.name}"), Store(opened.folder).snapshot():
            pass
        assert [part in complaint for complaint in store.complaints(opened)] == [True]
        file.unlink()
        with pytest.raises(IndexDamagedError, match="is missing"), Store(opened.folder).snapshot():
            pass
        file.write_bytes(good)
    assert store.complaints(opened) == []


def test_verify_finds_what_does_not_belong_together(opened: Store, embedder: HashEmbedder) -> None:
    """A passage without a vector, a vector without a passage, and a text that is not what was cut."""
    put(opened, embedder, document(1), document(2))
    with opened._write() as tables:
        tables._run("DELETE FROM passages WHERE id = 1")
        tables._run("UPDATE texts SET text = CAST('x' || text AS BLOB) WHERE document = 2")
        tables.seals.put(1)
    found = "\n".join(store.complaints(opened))
    assert "a vector stands for passage 1" in found
    assert "d002" in found


def test_vectors_that_are_not_whole_or_not_numbers_cannot_be_stored(opened: Store, embedder: HashEmbedder) -> None:
    """The passage list and the rows must agree, or nothing is committed."""
    d = document(1)
    item = incoming(d, stat_of_text(d), embedder, IndexConfig.of(embedder))
    short = Addition("", d, item.stat, item.passages, np.zeros((0, embedder.dimension), np.float32))
    with pytest.raises(ValueError, match="rows"):
        opened.commit([short])
    with opened.tables() as tables:
        assert list(tables.documents()) == []


def test_an_index_is_found_refused_or_missed_with_a_reason(tmp_path: Path, opened: Store, config: IndexConfig) -> None:
    """No index, a newer one, a damaged card and a taken place each have their own error."""
    path = tmp_path / "index"
    with pytest.raises(IndexExistsError):
        store.create(path, config)
    with pytest.raises(IndexNotFoundError, match="semsearch index"):
        store.current(tmp_path / "none")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(IndexExistsError):
        store.create(tmp_path / "taken", config)
    card = path / store.CARD
    card.write_text(json.dumps({"format": 99, "current": "e1"}))
    with pytest.raises(IndexFormatError, match="pip install -U"):
        store.current(path)
    for bad in ["", "{", "[]", json.dumps({"format": 1, "current": "../../etc"})]:
        card.write_text(bad)
        with pytest.raises(IndexDamagedError, match=r"semsearch\.json"):
            store.current(path)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    """The second one is told at once, and nothing waits."""
    with store.locked(tmp_path / "index"):
        program = (
            "import sys; from pathlib import Path; from semsearch import store\n"
            "with store.locked(Path(sys.argv[1])): pass"
        )
        second = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "index"], capture_output=True, text=True, check=False
        )
    assert second.returncode != 0
    assert IndexLockedError.__name__ in second.stderr
    with store.locked(tmp_path / "index"):
        pass


def test_an_index_without_write_permission_can_be_searched(
    tmp_path: Path, opened: Store, embedder: HashEmbedder
) -> None:
    """A copy without its log, opened as on a read-only disk, gives the same answers."""
    put(opened, embedder, document(1))
    with opened.snapshot() as snapshot:
        before = answers(snapshot, embedder, "nato")
    opened.close()
    assert not (opened.folder / "index.db-wal").exists()
    shutil.copytree(opened.folder, tmp_path / "copy")
    with Store(tmp_path / "copy").snapshot() as snapshot:
        assert before == answers(snapshot, embedder, "nato")


def test_equal_texts_share_a_vector(opened: Store, embedder: HashEmbedder) -> None:
    """A second copy of a document costs no encoding, nor does a document that comes back."""
    one = document(1)
    put(opened, embedder, one)
    encoded = len(embedder.encoded)
    put(opened, embedder, Document("copy", one.text, one.title))
    assert encoded == len(embedder.encoded)
    with opened.snapshot() as snapshot:
        ids = list(snapshot.catalog.passage_ids())
        rows = snapshot.segments.vectors(ids)
    half = len(ids) // 2
    np.testing.assert_array_equal(rows[:half], rows[half:])
    assert terms(one.text)


def test_a_merge_that_fails_does_not_undo_the_commit(
    opened: Store, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With no room to merge, the commit stands, the log says so, and the next commit merges."""

    def full(*_: object) -> None:
        raise StorageError("no room")

    monkeypatch.setattr(Store, "_replace", full)
    for i in range(12):
        put(opened, embedder, document(i))
    assert "could not be merged now: no room" in caplog.text
    with opened.snapshot() as snapshot:
        assert len(snapshot.segments.each) == 12
        before = answers(snapshot, embedder, "nato vote")
    monkeypatch.undo()
    put(opened, embedder, document(0))
    with opened.snapshot() as snapshot:
        assert len(snapshot.segments.each) < 8
        assert before == answers(snapshot, embedder, "nato vote")


def test_who_reads_without_a_log_sees_what_is_committed_later(opened: Store, embedder: HashEmbedder) -> None:
    """Where the log cannot be made, reading goes on without one, and not longer than that; writing is refused."""
    put(opened, embedder, document(1))
    opened.close()
    in_the_way = opened.folder / "index.db-shm"
    in_the_way.unlink(missing_ok=True)
    in_the_way.symlink_to(opened.folder / "nowhere" / "nothing")
    reader, writer = Store(opened.folder), Store(opened.folder)
    with reader.snapshot() as snapshot:
        assert len(answers(snapshot, embedder, "security vote")) > 0
    with pytest.raises(StorageError, match="what was committed is safe"):
        put(writer, embedder, document(2))
    in_the_way.unlink()
    for number in range(2, 12):
        put(writer, embedder, document(number))
    with reader.snapshot() as snapshot:
        assert snapshot.catalog.counts(64)["documents"] == 11
        assert {place[1] for place in snapshot.catalog.places(snapshot.segments.ids.tolist()).values()}
    assert store.complaints(reader) == []


def test_what_cannot_be_tidied_away_is_an_error_for_people(opened: Store, embedder: HashEmbedder) -> None:
    """Neither a leftover nor a merged segment that cannot be deleted ends in an error of the system's."""
    (opened.folder / "vectors" / "00000099").mkdir()
    with pytest.raises(StorageError, match="00000099"):
        opened.discard_leftovers()
    put(opened, embedder, document(1))
    assert store.complaints(opened) == []


def test_the_mark_that_an_index_is_being_made_goes_when_it_is(tmp_path: Path, config: IndexConfig) -> None:
    """A kill between the card and the mark's removal leaves one, which the next writer takes away."""
    made = store.create(tmp_path / "index", config)
    (tmp_path / "index" / "making").touch()
    store.discard_editions(tmp_path / "index", made.folder)
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["e1", store.CARD]
