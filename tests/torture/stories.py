"""What the harnesses interrupt: indexing from nothing, edits, a rebuild, the naive store; interrupts nothing itself.

A story is small, so that thousands can be tried, and has everything in it all the same: batches of a few passages, some
ten commits, merging of segments, lists that are made and extended, and the swap of a rebuild.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from semsearch import Document, Index, rebuild, store, sync
from semsearch.errors import IndexNotFoundError
from semsearch.language import detect
from semsearch.store import Catalog, Store, editions
from semsearch.testing import HashEmbedder
from semsearch.types import Vectors
from tests.torture import naive, shim

BATCH = 6
EXACT = 20
ARTICLES = 26
WORDS = (
    "gas", "vote", "river", "law", "bridge", "court", "army", "rain", "harvest", "ferry", "treaty", "strike", "bank",
    "school", "border", "mayor", "train", "mine",
)  # fmt: skip
QUERIES = ("river bridge law", "treaty strike", "bank school border mayor", "harvest")
State = dict[str, Any]
NOTHING: State = {"state": "", "documents": 0, "complaints": [], "answers": [], "litter": []}


class Marking(HashEmbedder):
    """An embedder that remarks in the record how many texts it is given."""

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        shim.mark(f"encoded {len(texts)}")
        return super().encode_document(texts)


class Story:
    """Something done to `index` with the files in `articles`, again and again from the same beginning."""

    name = ""
    more = 1
    """How many times as often as others it is tried."""

    def __init__(self, work: Path) -> None:
        self.articles, self.index = work / "articles", work / "trial" / "index"
        self.before = work / "before"

    def begin(self) -> None:
        """Make what the story begins with; in a child, as all that follows."""
        write_articles(self.articles, range(ARTICLES))

    def at_hand(self) -> bool:
        """Whether there is something to search."""
        return (self.index / store.CARD).exists()

    def pages(self) -> int:
        """How many pages of 4 KB the beginning takes."""
        files = [file for file in self.before.rglob("*") if file.is_file()]
        return sum(-(-file.stat().st_size // 4096) for file in files)

    def keep(self) -> None:
        """Keep what `begin` made, to go back to."""
        self.index.parent.mkdir(exist_ok=True)
        shutil.copytree(self.index.parent, self.before)

    def reset(self) -> None:
        """Go back to the beginning."""
        shutil.rmtree(self.index.parent, ignore_errors=True)
        shutil.copytree(self.before, self.index.parent)

    def run(self) -> None:
        """Do it, or go on with it."""
        with Index.make(self.index, embedder=Marking()) as index:
            index.sync(self.articles)

    def look(self, queries: Sequence[str] = QUERIES) -> State:
        """The state, what it answers, and what is wrong with it."""
        try:
            index = Index.open(self.index, embedder=HashEmbedder())
        except IndexNotFoundError:
            return NOTHING
        with index:
            complaints = index.verify()
            answers = [self._answer(index, query, mode) for query in queries for mode in ("hybrid", "dense", "lexical")]
            edition = store.current(self.index)
            with closing(Store(edition)) as opened, opened.tables() as tables:
                state, litter = digest(tables), sorted(_litter(self.index, edition, tables))
                documents = tables.counts(0)["documents"]
        return {
            "state": state,
            "documents": documents,
            "complaints": complaints,
            "answers": answers,
            "litter": litter,
        }

    @staticmethod
    def _answer(index: Index, query: str, mode: Any) -> list[list[Any]]:
        hits = index.search(query, k=10, mode=mode)
        return [[h.path, h.start, h.end, h.document_id, h.title, h.date, h.digest, h.text, h.score] for h in hits]


class Build(Story):
    """From nothing: the index is created and filled."""

    name = "build"


class Edit(Story):
    """Articles come, go, change and move, and documents that are no files are added and removed."""

    name = "edit"

    def begin(self) -> None:
        super().begin()
        with Index.make(self.index, embedder=HashEmbedder()) as index:
            index.add([Document(f"note{i}", text(900 + i)) for i in range(3)])
            index.sync(self.articles)
        for i in (0, 1, 2, 3):
            write(self.articles, i, revised=True)
        for i in (4, 9, 10, 11, 12):
            (self.articles / f"n{i:03d}.md").unlink()
        (self.articles / "n013.md").rename(self.articles / "moved.md")
        os.utime(self.articles / "n014.md", (1_600_000_000, 1_600_000_000))
        write_articles(self.articles, range(ARTICLES, ARTICLES + 9))

    def run(self) -> None:
        super().run()
        with Index.open(self.index, embedder=Marking()) as index:
            names = {document.path for document in index.documents()}
            if "note9" not in names:
                index.add([Document("note9", text(909))])
            if "note1" in names:
                index.remove("note1")


class Rebuild(Story):
    """The index is made anew with shorter passages. Once the new one is in its place, the next run is a plain one."""

    name = "rebuild"

    def begin(self) -> None:
        super().begin()
        with Index.make(self.index, embedder=HashEmbedder()) as index:
            index.add([Document(f"note{i}", text(900 + i)) for i in range(3)])
            index.sync(self.articles)

    def run(self) -> None:
        with Index.open(self.index, embedder=HashEmbedder()) as index:
            anew = index.config.limit != 40
        if anew:
            Index.rebuild(self.index, self.articles, passage_tokens=40, embedder=Marking())
        else:
            super().run()


class Naive(Story):
    """The same with a store that is made naively; it can be damaged at fewer points, and is quicker."""

    name = "naive"
    more = 6

    def at_hand(self) -> bool:
        return False

    def run(self) -> None:
        naive.add_missing(self.index, self.articles, Marking(), 3)

    def look(self, queries: Sequence[str] = QUERIES) -> State:
        if not self.index.exists():
            return NOTHING
        try:
            with closing(naive.NaiveStore(self.index, HashEmbedder())) as opened:
                answers = [[list(hit) for hit in opened.search(query, 10)] for query in queries]
                held = opened.paths(), naive.as_list(opened.vectors)
                state = repr(held) if any(held) else ""
                return {**NOTHING, "state": state, "complaints": opened.complaints(), "answers": answers}
        except (RuntimeError, IndexError) as error:
            return {**NOTHING, "state": "damaged", "complaints": [str(error)[:200]]}


STORIES = (Build, Edit, Rebuild)


def text(seed: int) -> str:
    """Some ninety words that depend on the seed alone."""
    rng = random.Random(seed)
    sentences = (" ".join(rng.choices(WORDS, k=rng.randrange(6, 12))) for _ in range(rng.randrange(8, 13)))
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


def write(folder: Path, i: int, *, revised: bool = False) -> None:
    """Write one article; its time of change lies long ago."""
    head = f"---\ntitle: Report {i}\ndate: 2024-01-{i % 28 + 1:02d}\n---\n"
    path = folder / f"n{i:03d}.md"
    path.write_text(f"{head}{text(i)}{' Corrected: the ferry sank.' if revised else ''}\n")
    os.utime(path, (1_500_000_000 + revised, 1_500_000_000 + revised))


def write_articles(folder: Path, numbers: range) -> None:
    """Write these articles."""
    folder.mkdir(exist_ok=True)
    for i in numbers:
        write(folder, i)


def digest(tables: Catalog) -> str:
    """What tells one state of the catalog from another: documents and passages, with their ids and all they say."""
    documents = [repr((d.id, d.root, d.path, d.stat, d.title, d.date, d.language)) for d in tables.documents()]
    passages = map(repr, tables._run("SELECT * FROM passages ORDER BY id"))
    return blake2b("\n".join([*documents, *passages]).encode(), digest_size=12).hexdigest()


def _litter(index: Path, edition: Path, tables: Catalog) -> Iterator[str]:
    """Files that nothing names; those of SQLite's own belong to it."""
    segments = {f"{segment.id:08d}" for segment in tables.segments()}
    lists = tables.lists()
    named = {
        index: {store.CARD, "lock", edition.name},
        edition: {"index.db", "index.db-wal", "index.db-shm", *store.store.PARTS},
        edition / "vectors": segments,
        edition / "lexical": segments,
        edition / "lists": {f"{lists.id:08d}"} if lists else set(),
    }
    for folder, names in named.items():
        yield from (str(file.relative_to(index)) for file in folder.iterdir() if file.name not in names)


def instrument() -> None:
    """Make the stories small, and have the store remark in the record where it is and what it commits.

    Once in a harness, before it forks.
    """
    logging.getLogger("semsearch").addHandler(logging.NullHandler())
    sync.BATCH = rebuild.BATCH = BATCH
    Store.__init__.__defaults__ = (EXACT,)
    detect(text(0))
    for owner, name, phase in (
        (store, "create", "create"),
        (Store, "commit", "commit"),
        (Store, "_merge", "merge"),
        (Store, "_list", "lists"),
        (Store, "discard_leftovers", "leftovers"),
        (Store, "close", "close"),
        (rebuild, "_edition", "new edition"),
        (rebuild, "_put_away", "put away"),
    ):
        setattr(owner, name, _in_phase(getattr(owner, name), phase))
    Store._write = _telling(Store._write)
    publish = _in_phase(_announcing(editions.publish), "swap")
    store.publish = editions.publish = publish
    naive.NaiveStore.add = _committing(naive.NaiveStore.add)
    gc.collect()
    gc.freeze()


def _in_phase(function: Callable[..., Any], phase: str) -> Callable[..., Any]:
    def inside(*arguments: Any, **named: Any) -> Any:
        shim.mark(f"> {phase}")
        try:
            return function(*arguments, **named)
        finally:
            shim.mark("<")

    return inside


def _telling(write: Callable[[Store], Any]) -> Any:
    """A transaction of the current edition says what the state will be, and that it is."""

    @contextmanager
    def telling(self: Store) -> Iterator[Catalog]:
        current = None
        with suppress(IndexNotFoundError):
            current = store.current(self.folder.parent)
        with write(self) as tables:
            yield tables
            if current == self.folder:
                shim.mark(f"intends {digest(tables)}")
        if current == self.folder:
            shim.mark("committed")

    return telling


def _announcing(publish: Callable[..., None]) -> Callable[..., None]:
    """The same of an edition that takes the other's place."""

    def announcing(path: Path, edition: Store) -> None:
        with edition.tables() as tables:
            shim.mark(f"intends {digest(tables)}")
        publish(path, edition)
        shim.mark("committed")

    return announcing


def _committing(add: Callable[..., None]) -> Callable[..., None]:
    """The same of the naive store, whose state is what its files would say."""

    def committing(self: naive.NaiveStore, documents: dict[str, str]) -> None:
        before = self.paths(), naive.as_list(self.vectors)
        rows = HashEmbedder().encode_query(list(documents.values())).round(6).tolist()
        shim.mark(f"intends {([*before[0], *documents], [*before[1], *rows])!r}")
        add(self, documents)
        shim.mark("committed")

    return committing
