"""What went wrong once and must not again: nothing is deleted that is not ours, nothing stored that cites wrongly."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from semsearch import Document, Index, Section
from semsearch.diff import by_file, diff
from semsearch.errors import (
    FolderError,
    IndexClosedError,
    IndexDamagedError,
    IndexExistsError,
    IndexNotFoundError,
    ModelMismatchError,
    UsageError,
)
from semsearch.store import CARD
from semsearch.testing import HashEmbedder
from semsearch.types import FileStat, Found


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Index:
    return Index.create(tmp_path / "index", embedder=embedder)


def damage(database: Path) -> None:
    """Overwrite all but the first pages."""
    data = database.read_bytes()
    database.write_bytes(data[:12288] + b"\xa5" * (len(data) - 12288))


def test_a_writer_of_another_model_does_not_delete_the_rebuilt_index(index: Index, articles: Path) -> None:
    """An Index that was open before a rebuild with another model is refused, every time, and deletes nothing."""
    index.sync(articles)
    Index.rebuild(index.path, articles, embedder=HashEmbedder(dimension=128))
    for call in (lambda: index.search("alliance"), lambda: index.add([Document("n", "New words.")])):
        for _ in range(2):
            with pytest.raises(ModelMismatchError):
                call()
    with Index.open(index.path, embedder=HashEmbedder(dimension=128)) as anew:
        assert len(anew.search("alliance")) == 4


def test_creation_deletes_nothing_that_is_not_ours(tmp_path: Path, index: Index, articles: Path) -> None:
    """A folder of somebody's, and an index that has lost its card, are refused and stay as they are."""
    mine = tmp_path / "corpus" / "e1" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("keep")
    index.sync(articles)
    (index.path / CARD).unlink()
    for path in (tmp_path / "corpus", index.path):
        before = sorted(path.rglob("*"))
        with pytest.raises(IndexExistsError, match="e1"):
            Index.create(path, embedder=HashEmbedder())
        assert before == sorted(path.rglob("*"))


@pytest.mark.parametrize(
    "left", [["making"], ["making", "lock", "e1"], ["making", "semsearch.json.unfinished", "lock"]]
)
def test_a_creation_that_was_killed_is_begun_again(tmp_path: Path, left: list[str]) -> None:
    """It is no index, and none that is damaged; what it left is taken away, and the index is made."""
    path = tmp_path / "new"
    for name in left:
        (path / name).mkdir(parents=True) if name == "e1" else (path.mkdir(exist_ok=True), (path / name).touch())
    if "e1" in left:
        (path / "e1" / "index.db").touch()
    with pytest.raises(IndexNotFoundError):
        Index.open(path, embedder=HashEmbedder())
    with Index.create(path, embedder=HashEmbedder()) as made:
        made.add([Document("a", "Text.")])
    assert sorted(p.name for p in path.iterdir()) == ["e1", "lock", CARD]


def test_failed_calls_leave_no_litter(tmp_path: Path) -> None:
    """Neither a refused creation nor a rebuild of nothing leaves a lock behind."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(IndexExistsError):
        Index.create(tmp_path / "mine", embedder=HashEmbedder())
    with pytest.raises(IndexNotFoundError):
        Index.rebuild(tmp_path / "nope", tmp_path / "mine", embedder=HashEmbedder())
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["file"]
    assert not (tmp_path / "nope").exists()


@pytest.mark.parametrize(
    "document",
    [
        Document("a", "First part here. Second part.", sections=(Section(17, 29), Section(0, 16))),
        Document("a", "Short.", sections=(Section(0, 99),)),
        Document("a", "Text.", metadata={"x": {1, 2}}),
        Document("a", "Text.", title="\ud800"),
        Document("\udcff", "Text."),
    ],
)
def test_what_would_cite_wrongly_is_refused(index: Index, document: Document) -> None:
    """Sections out of order or out of the text, metadata that is no JSON, characters that are none."""
    with pytest.raises(UsageError):
        index.add([document])
    assert index.documents() == []


def test_a_rebuild_does_not_take_files_in_twice(index: Index, articles: Path) -> None:
    """A folder inside one that the index covers is refused, as in a sync."""
    (articles / "sub").mkdir()
    (articles / "sub" / "s.txt").write_text("Sub article.")
    index.sync(articles)
    with pytest.raises(FolderError, match="twice"):
        Index.rebuild(index.path, articles / "sub", embedder=HashEmbedder())
    assert len(index.documents()) == 4


def test_a_rebuild_with_a_mistyped_folder_leaves_nothing_of_it(index: Index, articles: Path, tmp_path: Path) -> None:
    """Interrupted, and done again with the right one, it holds what it should."""
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "w.txt").write_text("Wrong article.")
    index.sync(articles)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index.rebuild(index.path, wrong, embedder=HashEmbedder(), progress=stop)
    Index.rebuild(index.path, articles, embedder=HashEmbedder())
    assert index.folders() == (str(articles),)
    assert len(index.documents()) == 3


def test_damage_inside_the_database_is_mended_by_what_the_message_says(index: Index, articles: Path) -> None:
    """Pages overwritten, or settings lost: a rebuild goes through with the model that the card names."""
    for i in range(40):
        (articles / f"more{i}.txt").write_text(f"Report {i} on the weather and the harvest. " * 20)
    index.sync(articles)
    index.close()
    damage(index.path / "e1" / "index.db")
    Index.rebuild(index.path, articles)
    with Index.open(index.path) as anew:
        assert anew.config.model == "hash"
        assert len(anew.documents()) == 43
    assert len(list(index.path.glob("damaged-*"))) == 1


def test_a_rebuild_of_a_damaged_index_goes_on_where_it_was(index: Index, articles: Path) -> None:
    """Interrupted again and again, it does not begin from nothing each time."""
    for i in range(600):
        (articles / f"n{i}.txt").write_text(f"Article {i} on subject {i}.")
    index.sync(articles)
    index.close()
    (index.path / "e1" / "index.db").write_bytes(b"nothing")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Index.rebuild(index.path, articles, embedder=HashEmbedder(), progress=stop)
    assert sorted(p.name for p in index.path.glob("e*")) == ["e1", "e2"]
    embedder = HashEmbedder()
    Index.rebuild(index.path, articles, embedder=embedder)
    assert len(embedder.encoded) < 300


def test_a_begun_rebuild_that_is_damaged_is_begun_again(index: Index, articles: Path) -> None:
    """An unfinished edition that cannot be gone on with does not stand in the way of a rebuild."""
    index.sync(articles)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index.rebuild(index.path, articles, embedder=HashEmbedder(), progress=stop)
    with closing(sqlite3.connect(index.path / "e2" / "index.db")) as connection, connection:
        connection.execute("DELETE FROM settings WHERE name = 'seal'")
    Index.rebuild(index.path, articles, embedder=HashEmbedder())
    assert len(index.documents()) == 3
    assert index.verify() == []


def test_without_a_card_nobody_guesses_the_model(index: Index, articles: Path) -> None:
    """Where neither index nor card can be read, the model must be named."""
    index.sync(articles)
    (index.path / CARD).write_text("{")
    with pytest.raises(UsageError, match="--model"):
        Index.rebuild(index.path, articles)
    Index.rebuild(index.path, articles, "hash")
    assert json.loads((index.path / CARD).read_text())["config"]["model"] == "hash"


def test_a_folder_that_has_gone_can_leave_the_index(index: Index, articles: Path, tmp_path: Path) -> None:
    """With allow_empty, by a sync and by a rebuild; without it, nothing is removed."""
    index.sync(articles)
    moved = tmp_path / "moved"
    articles.rename(moved)
    with pytest.raises(FolderError):
        index.sync(articles)
    index.sync(moved)
    with pytest.raises(FolderError, match="--allow-empty"):
        Index.rebuild(index.path, moved, embedder=HashEmbedder())
    assert len(index.documents()) == 6
    Index.rebuild(index.path, moved, embedder=HashEmbedder(), allow_empty=True)
    assert index.folders() == (str(moved),)
    moved.rename(articles)
    assert index.sync(moved, allow_empty=True).removed == 3
    assert index.folders() == ()


def test_patterns_hold_until_others_are_given(index: Index, articles: Path) -> None:
    """A bare run, and a rebuild, use those of the run before."""
    index.sync(articles, exclude=["sport.*"])
    assert index.sync(articles).added == 0
    assert index.changes(articles).added == []
    Index.rebuild(index.path, articles, embedder=HashEmbedder())
    assert len(index.documents()) == 2
    assert index.sync(articles, include=["*"]).added == 1
    assert index.sync(articles).unchanged == 3


def test_status_and_verify_do_not_stumble_over_a_writer(index: Index) -> None:
    """While documents are added and segments merged, status works and verify finds nothing."""
    done = threading.Event()
    found: list[object] = []

    def watch() -> None:
        while not done.is_set():
            try:
                index.status()
                found.extend(index.verify())
            except Exception as error:
                found.append(error)
                raise

    watcher = threading.Thread(target=watch)
    watcher.start()
    for i in range(60):
        index.add([Document(f"d{i}", f"Report {i} on rivers.")])
    done.set()
    watcher.join()
    assert found == []


def test_a_document_is_the_same_however_its_path_is_spelled(index: Index, articles: Path, tmp_path: Path) -> None:
    """`similar` leaves it out of its own hits through `..` and through a link; `remove` counts it once."""
    index.sync(articles)
    (tmp_path / "link").symlink_to(articles)
    for path in (articles / ".." / "articles" / "nato.txt", tmp_path / "link" / "nato.txt"):
        assert not any(hit.path.endswith("nato.txt") for hit in index.similar(path))
    assert index.remove(articles / "nato.txt", articles / ".." / "articles" / "nato.txt") == 1


def test_a_line_means_the_passages_on_it(index: Index, articles: Path) -> None:
    """`similar(line=)` starts from the passages that a hit on that line may be; lines that are not there are errors."""
    long = " ".join(f"Sentence {i} is about ferries and harbours." for i in range(60))
    (articles / "long.txt").write_text(f"Title of it\n\n{long}\n")
    (articles / "other.txt").write_text("Ferries and harbours.")
    index.sync(articles)
    assert index.similar(articles / "long.txt", line=3, k=1)[0].path.endswith("other.txt")
    for line in (0, 2, 99):
        with pytest.raises(UsageError, match=f"line {line}"):
            index.similar(articles / "long.txt", line=line)


def test_a_file_that_became_a_folder_is_stale(index: Index, articles: Path) -> None:
    """And the search goes on."""
    size = articles.stat().st_size
    (articles / "grown.txt").write_text("Bees. " + "x" * (size - 6))
    index.sync(articles)
    (articles / "grown.txt").unlink()
    (articles / "grown.txt").mkdir()
    assert index.search("bees", k=1)[0].stale


def test_a_closed_index_says_so(index: Index) -> None:
    """Nothing is reopened behind the caller's back."""
    index.close()
    for call in (lambda: index.search("x"), index.documents, lambda: index.add([Document("a", "b")])):
        with pytest.raises(IndexClosedError, match="closed"):
            call()


def test_an_index_does_not_depend_on_the_working_folder(
    index: Index, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is made absolute when the index is opened."""
    index.sync(articles)
    monkeypatch.chdir(index.path.parent)
    with Index.open("index", embedder=HashEmbedder()) as opened:
        monkeypatch.chdir("/")
        assert len(opened.search("alliance")) == 4


def test_open_files_do_not_pile_up_over_rebuilds(index: Index, articles: Path) -> None:
    """A reader that outlives rebuilds lets go of the editions that are gone."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("open files cannot be counted here")
    index.sync(articles)
    counts = []
    for _ in range(12):
        Index.rebuild(index.path, articles, embedder=HashEmbedder())
        index.search("alliance")
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
    assert max(counts) - min(counts) < 2 * len(counts)


@pytest.mark.parametrize("wrong", ["*.md", b"x"])
def test_a_string_is_not_taken_for_a_list(index: Index, articles: Path, wrong: str) -> None:
    """Patterns and texts are lists; documents are documents."""
    with pytest.raises(UsageError, match="list"):
        index.sync(articles, include=wrong) if isinstance(wrong, str) else index.add([wrong])
    with pytest.raises(UsageError, match="list"):
        index.encode("peace")


def test_a_vector_is_copied_to_the_last_bit(index: Index, articles: Path) -> None:
    """A rename takes the stored vector as it is."""
    (articles / "n.txt").write_text("Nine different words about ferries and bees stand here.")
    index.sync(articles)
    with index._latest().store.snapshot() as snapshot:
        before = snapshot.segments.vectors(list(snapshot.catalog.passage_ids()))
    (articles / "n.txt").rename(articles / "m.txt")
    index.sync(articles)
    with index._latest().store.snapshot() as snapshot:
        after = snapshot.segments.vectors(list(snapshot.catalog.passage_ids()))
    assert sorted(map(bytes, before)) == sorted(map(bytes, after))
    assert np.isfinite(after).all()


def test_thousands_of_renames_are_found_in_linear_time() -> None:
    """20,000 files of one size that moved at once, each matched with its own."""
    known = by_file({f"a/{i}.txt": (i, FileStat(5, 1, f"digest {i}")) for i in range(20_000)})
    found = [Found(f"b/{i}.txt", 5, 9) for i in range(20_000)]
    changes = diff(found, known, lambda path: FileStat(5, 9, f"digest {path[2:-4]}"))
    assert len(changes.renamed) == 20_000
    assert changes.renamed["b/777.txt"] == ("a/777.txt", {"a/777.txt": 777})


def test_a_missing_database_and_a_folder_in_a_files_place_are_damage(index: Index, articles: Path) -> None:
    """Both are named, with the command that mends them."""
    index.sync(articles)
    (file,) = (index.path / "e1" / "vectors").iterdir()
    file.unlink()
    file.mkdir()
    with Index.open(index.path, embedder=HashEmbedder()) as opened, pytest.raises(IndexDamagedError, match="--rebuild"):
        opened.search("alliance")
    index.close()
    (index.path / "e1" / "index.db").unlink()
    with pytest.raises(IndexDamagedError, match=r"index\.db.*--rebuild"):
        Index.open(index.path)
