"""Copies of an article are found whatever was done to them, other articles are not, and each is stored with its own."""

from __future__ import annotations

import importlib.resources
import importlib.util
import json
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Document, Index, store
from semsearch.cli import cli
from semsearch.errors import IndexFormatError
from semsearch.shingles import LEAST, WIDTH, runs, shingles, words
from semsearch.store import Store, copies, database, sketches
from semsearch.testing import HashEmbedder
from semsearch.types import FileStat

ROOT = Path(__file__).parent.parent


def _benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("copies", ROOT / "benchmarks" / "copies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCHMARK = _benchmark()
SEEDS: list[str] = BENCHMARK.articles(ROOT / "seeds")
COPIER = BENCHMARK.Copier(SEEDS[-6:], random.Random(1))
ARTICLE, OTHER = SEEDS[0], SEEDS[1]
LONG = " ".join(f"Word{n} and word{n * 7 % 1009}." for n in range(1500))
STOCK = ["the", "gas", "price", "rose", "fell", "in", "spring", "and", "nato", "said", "that"]
TEXTS = st.lists(st.sampled_from(STOCK), max_size=60).map(" ".join)


def made_up(count: int, rng: random.Random) -> list[str]:
    """Articles on one event: each of 30 sentences about the same people and places, in words of one small stock."""
    who, what = (
        ["The minister", "The envoy", "The mayor", "A general", "The court"],
        ["met", "warned", "praised", "left"],
    )
    where, why = (
        ["in Mostar", "in Sarajevo", "at the border", "by the river"],
        ["over gas", "after the vote", "for peace"],
    )
    return [
        " ".join(
            f"{rng.choice(who)} {rng.choice(what)} {rng.choice(who).lower()} {rng.choice(where)} {rng.choice(why)} "
            f"{' '.join(rng.sample(COPIER.words, 6))}."
            for _ in range(30)
        )
        for _ in range(count)
    ]


def numbers(index: Index) -> dict[str, int]:
    return {d.path: d.id for d in index.documents()}


def copies_of(index: Index, path: str) -> set[str]:
    names = {number: name for name, number in numbers(index).items()}
    with index._edition.store.tables() as tables:
        return {names[number] for number in tables.copies.of(numbers(index)[path])}


def sketch_tables(opened: Store) -> tuple[dict[str, bytes], set[tuple[int, str]]]:
    """What the tables of sketches hold, by path."""
    with opened.tables() as tables:
        paths = {d.id: d.path for d in tables.documents()}
        found = {path: sketches.packed(tables.copies.sketch(number)) for number, path in paths.items()}
        return found, {(key, paths[number]) for key, number in tables.copies.pairs()}


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Index:
    return Index.create(tmp_path / "index", embedder=embedder)


# --- words and sketches


def test_wording_is_compared_as_it_is_folded() -> None:
    """Case, accents, punctuation and script make no other wording; order does."""
    assert words("Скупштина је, «усвојила» ЗАКОН!") == words("Skupština je usvojila zakon")
    assert words("cafe\u0301 Straße") == words("CAFÉ strasse") == ["cafe", "strasse"]
    assert words("安全真空 ok") == ["安", "全", "真", "空", "ok"]
    assert not runs("a b c d e f g h i j k") & runs("k j i h g f e d c b a")
    assert runs("...") == frozenset()
    assert len(shingles("...")) == 0


def test_the_numbers_that_are_stored_never_change() -> None:
    """An index that was made long ago is compared with documents that are added now."""
    assert shingles("one two three four five six seven eight nine ten")[:3].tolist() == [
        1010880963,
        1019997832,
        1592521078,
    ]
    assert shingles("too short to be cut").tolist() == [974468991, 1106225913, 2580198037, 3043193709]


@given(TEXTS, TEXTS)
def test_numbers_say_what_the_runs_say(one: str, two: str) -> None:
    """For any two texts: as many numbers as runs, and as many in common; of a tiny text all or none."""
    if min(len(words(one)), len(words(two))) < LEAST + WIDTH - 1:
        assert np.array_equal(shingles(one), shingles(two)) == (words(one) == words(two))
    else:
        assert len(shingles(one)) == len(runs(one))
        assert len(np.intersect1d(shingles(one), shingles(two))) == len(runs(one) & runs(two))


@given(TEXTS, TEXTS, st.integers(0, 60))
def test_alike_is_exact_for_short_texts(one: str, two: str, taken: int) -> None:
    """For any two texts, one of which took a part of the other: what the sets of runs say, in both directions."""
    two = f"{' '.join(one.split()[:taken])} {two}"
    a, b = runs(one), runs(two)
    common, smaller = len(a & b), min(len(a), len(b))
    expected = words(one) == words(two) != []
    if smaller >= LEAST:
        expected = common >= sketches.LEAST_SHARED * smaller and common >= sketches.LEAST_JACCARD * len(a | b)
    found = [sketches.sketch(Document("", text)) for text in (one, two)]
    assert expected == sketches.alike(*found) == sketches.alike(*reversed(found))


def test_sketches_of_long_texts_are_samples() -> None:
    """Of 4,500 words, half and a third are copies, a twentieth is not, nor is another long text."""
    whole = sketches.sketch(Document("", LONG))
    assert len(whole) == sketches.SIZE
    for share, expected in [(2, True), (3, True), (20, False)]:
        part = sketches.sketch(Document("", LONG[: len(LONG) // share]))
        assert expected == sketches.alike(whole, part) == sketches.alike(part, whole)
    assert not sketches.alike(whole, sketches.sketch(Document("", LONG.replace("and", "or"))))


# --- finding copies


def test_planted_copies_are_found_and_no_others(index: Index) -> None:
    """Nine kinds of copies among real and made-up articles, many on one event: F1 over pairs of 0.95 at the least."""
    rng = random.Random(2)
    originals = [*SEEDS[:-6], *made_up(30, rng)]
    documents = [Document(f"{n}", text) for n, text in enumerate(originals)]
    for kind in [kind for kind in COPIER.kinds if kind != BENCHMARK.QUOTE][:9]:
        chosen = rng.sample(range(len(originals)), 12)
        documents += [Document(f"{n}/{kind}", COPIER.kinds[kind](originals[n])) for n in chosen]
    path = index.path / "catalog.db"
    database.create(path, {})
    connection = database.connect(path, write=True)
    with database.writing(connection, path) as tables:
        by_number = {tables.put(0, d, FileStat(0, -1, ""), None): d.path for d in documents}
    with database.reading(connection, path) as tables:
        found = {(by_number[n], by_number[o]) for n in by_number for o in tables.copies.of(n)}
    connection.close()
    wanted = {(path, path.split("/")[0]) for path in by_number.values() if "/" in path}
    right = wanted & found
    wrong = {(one, two) for one, two in found if one.split("/")[0] != two.split("/")[0]}
    assert len(wanted) == 108
    assert all((two, one) in found for one, two in found)
    assert 2 * len(right) / (2 * len(right) + len(wrong) / 2 + len(wanted - right)) >= 0.95


def test_articles_on_one_event_are_no_copies(index: Index) -> None:
    """No two articles of the sample corpus fold, though several are on the same events, and one in two languages."""
    index.sync(ROOT / "seeds")
    assert {d.path: copies_of(index, d.path) for d in index.documents() if copies_of(index, d.path)} == {}


def test_an_article_is_one_story_in_any_format(index: Index, tmp_path: Path) -> None:
    """Front matter and markup, in which copies differ, do not count."""
    folder = tmp_path / "wire"
    folder.mkdir()
    body = " ".join(ARTICLE.split())[-600:]
    (folder / "a.txt").write_text(body)
    (folder / "b.md").write_text(f"---\ntitle: Other\ndate: 2024-01-02\nsource: A paper\n---\n# Other\n\n{body}\n")
    (folder / "c.html").write_text(f"<html><body><article><h1>Third</h1><p>{body}</p></article></body></html>")
    (folder / "d.txt").write_text(OTHER)
    index.sync(folder)
    assert copies_of(index, "a.txt") == {"b.md", "c.html"}
    assert copies_of(index, "c.html") == {"a.txt", "b.md"}
    assert copies_of(index, "d.txt") == set()


def test_tiny_texts_are_copies_when_they_say_the_same(index: Index) -> None:
    """A part of a tiny text, or a tiny part of a text, is no copy."""
    texts = {
        "a": "No results yet.",
        "b": "no results, yet",
        "c": "No results yet today.",
        "d": f"No results yet. {ARTICLE}",
    }
    index.add([Document(path, text) for path, text in texts.items()])
    assert copies_of(index, "a") == {"b"}
    assert copies_of(index, "c") == copies_of(index, "d") == set()


def test_a_text_with_very_many_copies_has_them_all(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """When each of its keys is common it is found all the same; a common notice below an article changes nothing."""
    monkeypatch.setattr(sketches, "COMMON", 4)
    index.add([Document(f"same{n}", OTHER) for n in range(8)])
    notice = " ".join(OTHER.split()[:40])
    index.add([Document(f"n{n}", f"{text} {notice}") for n, text in enumerate(SEEDS[2:12])])
    index.add([Document("copy", COPIER.cut(SEEDS[2]))])
    assert copies_of(index, "same0") == {f"same{n}" for n in range(1, 8)}
    assert copies_of(index, "n0") == {"copy"}


# --- what is listed

PIECES = [" ".join(f"{word}{n}" for n in range(9)) for word in ("gas", "vote", "court", "river", "notice", "end")]
EDITS = st.lists(st.tuples(st.integers(1, 9), st.sets(st.sampled_from(range(len(PIECES))), max_size=4)), max_size=40)


def in_a_row(edits: list[tuple[int, set[int]]], tables: store.Catalog) -> None:
    """Put, replace and drop documents of a few pieces; no piece drops the document."""
    for number, pieces in edits:
        document = Document(f"{number}", ". ".join(PIECES[piece] for piece in sorted(pieces)))
        old = tables.find("", f"{number}")
        if pieces:
            tables.seals.put(tables.put(0, document, FileStat(0, -1, ""), old))
        elif old:
            tables.drop(old)


@pytest.mark.parametrize(
    ("common", "many", "keys"), [(500, 32, 32), (2, 32, 32), (4, 32, 3), (3, 32, 2), (500, 1, 32), (3, 2, 4)]
)
@settings(deadline=None)
@given(edits=EDITS)
def test_what_is_listed_is_what_is_looked_up(
    edits: list[tuple[int, set[int]]], common: int, many: int, keys: int
) -> None:
    """After any edits, also where keys become common and copies too many, and in whatever order it came to that."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(importlib.resources.files("semsearch.store").joinpath("schema.sql").read_text())
    connection.execute("INSERT INTO folders (id, root) VALUES (0, '')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "COMMON", common)
        patch.setattr(sketches, "KEYS", keys)
        patch.setattr(copies, "MANY", many)
        tables = store.Catalog(connection)
        in_a_row(edits, tables)
        each = [document.id for document in tables.documents()]
        assert [tables.copies.of(number) for number in each] == [tables.copies.looked_up(number) for number in each]
        rows = connection.execute("SELECT document, count(*) FROM copies GROUP BY document").fetchall()
        assert all(number in each and count <= many for number, count in rows)
    connection.close()


# --- what is stored


def test_replacing_and_removing_a_document_takes_its_sketch_along(index: Index) -> None:
    """What a document was is forgotten with it."""
    index.add([Document("a", ARTICLE), Document("b", ARTICLE), Document("c", OTHER)])
    assert copies_of(index, "a") == {"b"}
    index.add([Document("b", OTHER)])
    assert copies_of(index, "a") == set()
    assert copies_of(index, "c") == {"b"}
    index.remove("c")
    assert copies_of(index, "b") == set()
    assert index.verify() == []
    index.remove("a", "b")
    assert sketch_tables(index._edition.store) == ({}, set())


def test_a_synced_index_has_the_sketches_of_a_rebuilt_one(index: Index, tmp_path: Path) -> None:
    """After edits, removals and a rebuild the tables are those of an index that was made from nothing."""
    folder, rng = tmp_path / "articles", random.Random(3)
    folder.mkdir()
    for step in range(12):
        (folder / f"{rng.randrange(6)}.txt").write_text(COPIER.edited(rng.choice(SEEDS[:4]), 0.1))
        if step % 4 == 3:
            rng.choice(sorted(folder.iterdir())).unlink()
        index.sync(folder)
    synced = sketch_tables(index._edition.store)
    with Index.create(tmp_path / "anew", embedder=HashEmbedder()) as anew:
        anew.sync(folder)
        assert sketch_tables(anew._edition.store) == synced
    Index.rebuild(index.path, folder, embedder=HashEmbedder())
    with Index.open(index.path, embedder=HashEmbedder()) as rebuilt:
        assert sketch_tables(rebuilt._edition.store) == synced
        assert rebuilt.verify() == []


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM sketches WHERE document = 1", "UPDATE sketches SET hashes = x'01000000'", "DELETE FROM sketch_keys",
     "INSERT INTO sketch_keys VALUES (7, 99)", "INSERT INTO sketch_keys VALUES (7, 1)",
     "INSERT INTO copies VALUES (1, 7)"],
)  # fmt: skip
def test_verify_finds_sketches_that_do_not_fit(index: Index, damage: str) -> None:
    """Each way in which they can be wrong is reported."""
    index.add([Document("a", ARTICLE)])
    assert index.verify() == []
    with index._edition.store._write() as tables:
        tables._run(damage)
    assert "sketch" in "\n".join(index.verify())


# --- an index of before


def made_before(path: Path, *, readable: bool) -> None:
    """Turn an index into one of format 1, which has no sketches."""
    with closing(sqlite3.connect(store.current(path) / "index.db")) as connection, connection:
        for table in ["seals", "sketches", "sketch_keys", *([] if readable else ["documents"])]:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM settings WHERE name IN ('format', 'seal', 'documents')")
    card = json.loads((path / store.CARD).read_text())
    (path / store.CARD).write_text(json.dumps(card | {"format": 1}))


def test_an_older_index_is_refused_and_made_anew(index: Index, articles: Path, embedder: HashEmbedder) -> None:
    """The message names the command, and the command takes along what never was a file."""
    index.sync(articles)
    index.add([Document("note", ARTICLE)])
    before = [d.path for d in index.documents()]
    index.close()
    made_before(index.path, readable=True)
    with pytest.raises(
        IndexFormatError, match=r"older semsearch; make it anew with `semsearch index FOLDER --rebuild`"
    ):
        Index.open(index.path, embedder=embedder)
    done = CliRunner().invoke(cli, ["index", str(articles), "-i", str(index.path), "--rebuild"])
    assert (done.exit_code, done.exception) == (0, None)
    with Index.open(index.path, embedder=embedder) as rebuilt:
        assert [d.path for d in rebuilt.documents()] == before
        assert rebuilt.verify() == []


def test_an_older_index_that_cannot_be_listed_is_set_aside(
    index: Index, articles: Path, embedder: HashEmbedder
) -> None:
    """It is made anew from its folder, and nothing of it is deleted."""
    index.sync(articles)
    index.close()
    made_before(index.path, readable=False)
    Index.rebuild(index.path, articles, embedder=embedder)
    with Index.open(index.path, embedder=embedder) as rebuilt:
        assert rebuilt.verify() == []
    assert [path.name.split("-")[0] for path in index.path.glob("damaged-*")] == ["damaged"]


def test_a_rebuild_that_an_older_semsearch_began_is_begun_anew(
    index: Index, articles: Path, embedder: HashEmbedder
) -> None:
    """Its edition has not the tables that are needed."""
    index.sync(articles)
    begun = Store.create(index.path / "e2", index.config)
    with begun._write() as tables:
        tables._run("DROP TABLE sketches")
        tables._run("DELETE FROM settings WHERE name = 'format'")
    begun.close()
    Index.rebuild(index.path, articles, embedder=embedder)
    with Index.open(index.path, embedder=embedder) as rebuilt:
        assert rebuilt.verify() == []
