"""`Index`: everything that semsearch can do, one call each; it joins the rooms and knows none of their insides."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, Self

from semsearch import embed, rebuild, store, sync
from semsearch.config import DEFAULT_MODEL, IndexConfig
from semsearch.diff import Changes
from semsearch.edition import Edition, mismatch
from semsearch.errors import (
    IndexNotFoundError,
    ModelMismatchError,
    SemsearchError,
    UsageError,
)
from semsearch.intake import embed as embed_new
from semsearch.intake import incoming, stat_of_text, well_formed, with_vectors
from semsearch.read import reach, walk
from semsearch.searcher import Searcher, Status, card_of
from semsearch.store.repair import Repair, repair
from semsearch.sync import Patterns, Progress, SyncReport
from semsearch.types import NO_COLUMNS, Columns, Document, Embedder, Vectors
from semsearch.watch import moments, patiently

__all__ = ["Index", "Status"]

LOG = logging.getLogger("semsearch")


class Index(Searcher):
    """An index of passages: make one with `create`, open one with `open`, and leave it with `close` or `with`.

    Searching is safe from several threads at once, also while one of them, or another process, writes. One process
    writes at a time.
    """

    @classmethod
    def create(
        cls,
        path: str | Path,
        model: str = DEFAULT_MODEL,
        *,
        overlap: int = 0,
        passage_tokens: int | None = None,
        embedder: Embedder | None = None,
    ) -> Self:
        """Make a new, empty index.

        Args:
            path: a folder that does not exist yet.
            model: a sentence-transformers hub id or local folder.
            overlap: sentences that each passage repeats from the one before it.
            passage_tokens: the most tokens of a passage with its title; None for 126, or what the model reads if less.
            embedder: your own in place of a model; `open` needs it again.

        Raises:
            IndexExistsError: there is something at `path` already.
            ModelError: the model cannot be found, trusted or run.
        """
        path = Path(path).absolute()
        store.check_free(path)
        embedder = embedder or embed.resolve(model)
        config = IndexConfig.of(embedder, overlap, passage_tokens)
        with store.locked(path):
            edition = Edition(store.create(path, config), embedder)
            return cls(path, edition, card_of(path), embedder)

    @classmethod
    def make(
        cls,
        path: str | Path,
        model: str | None = None,
        *,
        overlap: int | None = None,
        passage_tokens: int | None = None,
        embedder: Embedder | None = None,
    ) -> Self:
        """Open the index at `path`, or create it where there is none; what `semsearch index` does before it syncs.

        Args:
            path: of the index.
            model: what it must be made with, as for `create`; None for whatever it was made with.
            overlap: the same.
            passage_tokens: the same.
            embedder: your own in place of a model.

        Raises:
            ModelMismatchError: the index was made with another model.
            UsageError: it was made with another overlap, or passages of another length.
            StoreError: it cannot be opened or created.
        """
        if not (Path(path) / store.CARD).exists():
            model, overlap = model or DEFAULT_MODEL, overlap or 0
            return cls.create(path, model, overlap=overlap, passage_tokens=passage_tokens, embedder=embedder)
        opened = cls.open(path, embedder=embedder)
        try:
            opened.expect(model, overlap, passage_tokens)
        except SemsearchError:
            opened.close()
            raise
        return opened

    @classmethod
    def rebuild(
        cls,
        path: str | Path,
        folder: str | Path,
        model: str = "",
        *,
        overlap: int | None = None,
        passage_tokens: int | None = None,
        embedder: Embedder | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        columns: Columns = NO_COLUMNS,
        allow_empty: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> SyncReport:
        """Make an index anew beside the old one, and put it in its place when it is whole.

        Its other folders, and documents that never were files, are taken along; vectors of your own are not: such
        documents are embedded with the model. When it is stopped, the old index stays in use, and the next rebuild goes
        on from there, unless the index was written to meanwhile. What is left out stays as it was.

        Args:
            path: of the index.
            folder: of articles.
            model: another model for the index.
            overlap: another number of sentences that passages share.
            passage_tokens: another number of tokens that a passage may have.
            embedder: your own in place of a model.
            include: gitignore-style patterns, as for `sync`.
            exclude: patterns of files to leave out.
            columns: which fields of tables (CSV, TSV, JSON Lines) are what; without any, those of the last run.
            allow_empty: leave out folders that are gone or hold no article any more.
            progress: is called after each batch.

        Raises:
            IndexNotFoundError: there is no index.
            FolderError: a folder of the index is missing or holds nothing that can be read.
            UsageError: the index is damaged beyond reading, and nobody says which model it shall have.
            IndexLockedError: another process is writing.
        """
        path, root = Path(path).absolute(), sync.root_of(folder)
        if not path.is_dir():
            raise IndexNotFoundError(f"{path}: no index here; make one with `semsearch index FOLDER`")
        with store.locked(path):
            old = rebuild.look_at_old(path)
            if embedder is None and not model and old.config is None:
                raise UsageError(f"{path}: cannot be read, nor which model it had; name one with `--model`")
            if embedder is None:
                embedder = embed.resolve(model) if model or old.config is None else embed.load(old.config)
            config = rebuild.config_of(old, embedder, overlap, passage_tokens)
            patterns = Patterns(include, exclude, columns)
            return rebuild.rebuild(path, old, root, embedder, config, patterns, progress, allow_empty=allow_empty)

    @classmethod
    def repair(cls, path: str | Path) -> Repair:
        """Mend a damaged index from what is sound in it, without a model; what it cannot use it sets aside.

        Postings, lists, sums and sketches are made anew. Documents whose vectors or texts are lost are marked: the next
        `sync` embeds those again, and leaves the others alone.

        Args:
            path: of the index.

        Raises:
            IndexNotFoundError: there is no index.
            IndexFormatError: another semsearch made it.
            IndexDamagedError: nothing of its catalog can be read; the message says what to do then.
            IndexLockedError: another process is writing.
        """
        path = Path(path).absolute()
        if not path.is_dir():
            raise IndexNotFoundError(f"{path}: no index here; make one with `semsearch index FOLDER`")
        with store.locked(path):
            return repair(path)

    def sync(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        columns: Columns = NO_COLUMNS,
        allow_empty: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> SyncReport:
        """Bring the index up to date with a folder of articles; what it then holds equals a rebuild from nothing.

        Args:
            folder: is walked; `.gitignore` and `.semsearchignore` are heeded, links are not followed.
            include: gitignore-style patterns; only files that match one are read. Without any patterns, those of the
                last run over this folder hold; `["*"]` takes all files.
            exclude: patterns of files to leave out.
            columns: which fields of tables (CSV, TSV, JSON Lines) are what; without any, those of the last run.
            allow_empty: accept that the folder is gone or holds no article any more.
            progress: is called after each batch.

        Raises:
            FolderError: the folder is missing or holds nothing that can be read; nothing was changed.
            IndexLockedError: another process is writing.
            StorageError: the disk is full, read-only or fails; what was committed stays.
        """
        root = self._root(folder)
        with self._writing() as edition:
            patterns = _patterns(edition, root, Patterns(include, exclude, columns))
            changes = sync.find_changes(edition.store, root, patterns, allow_empty=allow_empty)
            patterns.note(edition.store, root)
            return sync.apply(edition.store, root, changes, lambda: edition.embedder, progress, patterns.columns)

    def watch(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        columns: Columns = NO_COLUMNS,
        stop: Event | None = None,
    ) -> Iterator[SyncReport]:
        """Bring the index up to date with a folder, and again whenever files change; gives what each run did.

        A run begins a fifth of a second after the last of several changes, or a second after the first. Changes in
        files that `sync` leaves out begin none. Later on, a folder that is gone or empty, and another process that
        writes to the index, are waited for.

        Args:
            folder: as for `sync`.
            include: the same.
            exclude: the same.
            columns: the same.
            stop: ends it, also from another thread; without it, leave the loop.

        Raises:
            FolderError: the folder is missing or holds nothing that can be read, or cannot be watched.
            IndexLockedError: another process is writing when it begins.
            StorageError: the disk is full, read-only or fails; what was committed stays.
            UsageError: watchfiles is not installed.
        """
        root, stop = self._root(folder), stop or Event()
        with self._latest().used() as edition:
            include, exclude = _patterns(edition, root, Patterns(include, exclude)).lists()
        walk(root, include, exclude)  # a folder that is missing from the start is not waited for

        def run() -> SyncReport:
            return self.sync(root, include=include, exclude=exclude, columns=columns)

        for number, _ in enumerate(moments(root, lambda: reach(root, include, exclude), stop)):
            report = patiently(run, stop) if number else run()
            if report:
                yield report
            if not number:
                self.encode(["opened and warm"])  # or the first article that is saved would wait for the model

    def changes(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        columns: Columns = NO_COLUMNS,
        allow_empty: bool = False,
    ) -> Changes:
        """What `sync` would do; changes nothing."""
        root = self._root(folder)
        with self._latest().used() as edition:
            patterns = _patterns(edition, root, Patterns(include, exclude, columns))
            return sync.find_changes(edition.store, root, patterns, allow_empty=allow_empty)

    def add(self, documents: Sequence[Document], vectors: Sequence[Vectors] | None = None) -> None:
        """Add documents that are no files, each under its `path`; one that is there under that name is replaced.

        Args:
            documents: what to add, all in one step.
            vectors: your own, for each document float32 of shape (passages that `split` gives, dimension). A rebuild
                does not know where they came from, and embeds these documents with the model.

        Raises:
            UsageError: two documents have the same name, one has no text, or vectors do not fit.
            IndexLockedError: another process is writing.
        """
        well_formed(documents)
        stats = [stat_of_text(document) for document in documents]
        with self._writing() as edition:
            with edition.store.tables() as tables:
                numbers = [tables.find("", document.path) for document in documents]
            batch = [
                incoming(document, stat, edition.embedder, edition.config, replaces=number)
                for document, stat, number in zip(documents, stats, numbers, strict=True)
            ]
            if vectors is None:
                additions, _ = embed_new(edition.store, edition.embedder, batch)
            else:
                additions = with_vectors(edition.store, batch, vectors)
            edition.store.commit(additions)

    def add_file(self, stream: BinaryIO, name: str, *, columns: Columns = NO_COLUMNS) -> SyncReport:
        """Add the bytes of a file that stands in no folder, and take out what the index held under its name.

        Args:
            stream: is read to its end first.
            name: its suffix says what it is, where that is a kind that is read: `mail.mbox` holds mails, `mail.mbox#1`
                and so on. Else it is plain text.
            columns: which fields of a table are what.

        Raises:
            UsageError: it is empty, or nothing that can be read: then nothing is taken out.
            IndexLockedError: another process is writing.
        """
        with self._writing() as edition:
            return sync.apply_stream(edition.store, name, stream, lambda: edition.embedder, columns)

    def remove(self, *paths: str | Path) -> int:
        """Remove documents by name or path; how many there were.

        A file that stays in its folder comes back with the next sync.

        Raises:
            UsageError: the index holds no such document; nothing was removed.
        """
        with self._writing() as edition:
            with edition.store.tables() as tables:
                numbers = {str(path): store.locate(tables, str(path)) for path in paths}
            missing = [path for path, number in numbers.items() if number is None]
            if missing:
                raise UsageError(f"the index holds no {missing[0]}; see what it holds with `semsearch list`")
            removals = sorted({number for number in numbers.values() if number is not None})
            edition.store.commit(removals=removals)
            return len(removals)

    def expect(self, model: str | None = None, overlap: int | None = None, passage_tokens: int | None = None) -> None:
        """Make sure that the index is made in a certain way.

        Raises:
            ModelMismatchError: with another model.
            UsageError: with another overlap, or passages of another length.
        """
        if model is not None:
            found = embed.resolve(model)
            if found.fingerprint != self.config.fingerprint:
                raise ModelMismatchError(mismatch(self.path, self.config, found))
        made = ""
        if overlap is not None and overlap != self.config.overlap:
            made = f"was made with an overlap of {self.config.overlap}, not {overlap}"
        if passage_tokens is not None and passage_tokens != self.config.limit:
            made = f"was made with passages of at most {self.config.limit} tokens, not {passage_tokens}"
        if made:
            raise UsageError(f"{self.path}: {made}; leave the option out, or make the index anew with --rebuild")

    @contextmanager
    def _writing(self) -> Iterator[Edition]:
        """Be the one process that writes, for as long as the block lasts; gives what is written to.

        Raises:
            IndexLockedError: another process is writing.
        """
        if not self.path.is_dir():
            raise IndexNotFoundError(f"{self.path}: the index is gone")
        with store.locked(self.path), self._latest().used() as edition:
            # Only who holds the lock publishes, so the latest edition is the published one from here on.
            store.discard_editions(self.path, edition.store.folder, store.current(self.path))
            store.upgrade_card(self.path, edition.store)
            edition.store.discard_leftovers()
            with store.blamed(edition.store):
                yield edition

    def _root(self, folder: str | Path) -> Path:
        """The absolute path by which a folder is known.

        Raises:
            FolderError: it lies inside a folder of the index, or the other way round: files would be in it twice.
        """
        root = sync.root_of(folder)
        sync.check_nesting(root, map(Path, self.folders()))
        return root


def _patterns(edition: Edition, root: Path, given: Patterns) -> Patterns:
    """The patterns that hold: those that are given, else those of the last run."""
    last = Patterns.of_last_run(edition.store, root)
    if last and not given:
        LOG.info("with the patterns of the last run: include %s, exclude %s", *last.lists())
    return given.or_else(last)
