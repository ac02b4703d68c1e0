"""The command line does what its help says, with its exit status, and hits alone on standard output."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from semsearch import Document, Index
from semsearch.cli import main, where
from semsearch.show import FORMATS
from semsearch.store import CARD, FORMAT, locked
from semsearch.store.context import in_context
from semsearch.testing import HashEmbedder
from semsearch.types import embedded_text


@dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(articles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in the folder that holds articles/, with the embedder that needs no model."""
    monkeypatch.chdir(articles.parent)
    monkeypatch.setenv("SEMSEARCH_MODEL", "hash")
    for name in ("SEMSEARCH_INDEX", "SEMSEARCH_FORMAT", "SEMSEARCH_MODE", "NO_COLOR", "SEMSEARCH_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: str | bytes = "") -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["semsearch", *arguments])
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)), "utf-8"))
        with pytest.raises(SystemExit) as left:
            main()
        output = capsys.readouterr()
        return Result(int(left.value.code or 0), output.out, output.err)

    return call


def test_index_then_search(run: Run, articles: Path) -> None:
    """The two commands of the README: an index under ./indexes, and the passage with path, line, title and text."""
    made = run("index", "articles")
    assert (made.status, made.out) == (0, "")
    assert "indexes/articles: 3 added, 0 changed, 0 renamed, 0 removed, 0 unchanged, 0 skipped" in made.err
    assert "4 passages stored, 4 of them embedded" in made.err
    found = run("search", "security vacuum Western Balkans", "-k", "1")
    assert (found.status, found.err) == (0, "")
    first, *rest = found.out.splitlines()
    assert re.fullmatch(r" 1\. NATO and the region  \d\.\d{3}", first)
    assert rest == [
        "    articles/nato.txt:3",
        "    The alliance will not allow a security vacuum in the Western Balkans.",
        "",
    ]
    again = run("index", "articles")
    assert "indexes/articles: up to date, 3 documents unchanged, 0 skipped" in again.err
    assert "nothing had to be embedded" in again.err
    assert sorted(path.name for path in articles.parent.iterdir()) == ["articles", "indexes"]


def test_each_format_has_every_hit(run: Run) -> None:
    """JSON, JSON lines, CSV and paths agree with each other."""
    run("index", "articles")
    ask = ("search", "prices and stores", "--format")
    whole = json.loads(run(*ask, "json").out)
    assert (whole["query"], whole["mode"]) == ("prices and stores", "hybrid")
    hits = whole["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3, 4]
    assert [json.loads(line) for line in run(*ask, "jsonl").out.splitlines()] == [
        {"query": "prices and stores", **hit} for hit in hits
    ]
    rows = list(csv.DictReader(io.StringIO(run(*ask, "csv").out)))
    assert [(row["path"], row["text"], float(row["score"])) for row in rows] == [
        (hit["path"], hit["text"], hit["score"]) for hit in hits
    ]
    assert run(*ask, "paths").out.splitlines() == list(dict.fromkeys(hit["path"] for hit in hits))
    assert set(FORMATS) == {"text", "json", "jsonl", "csv", "paths"}


def test_queries_come_from_standard_input(run: Run) -> None:
    """One a line; JSON is then an array, text names each query."""
    run("index", "articles")
    asked = run("search", "-", "--format", "json", "-k", "1", stdin="alliance\n\nchess match\n")
    assert [(answer["query"], answer["hits"][0]["title"]) for answer in json.loads(asked.out)] == [
        ("alliance", "NATO and the region"),
        ("chess match", "Chess"),
    ]
    assert [line for line in run("search", "-", stdin="alliance\n").out.splitlines() if line.startswith("#")] == [
        "# alliance"
    ]
    assert run("search", "-", stdin="\n").status == 2


def test_explain_and_color(run: Run) -> None:
    """--explain shows the parts and the span; colour marks the words, never where NO_COLOR or a pipe forbids it."""
    run("index", "articles")
    explained = run("search", "alliance", "-k", "1", "--explain").out
    assert "dense 0." in explained
    assert "lexical 0.8263" in explained
    assert "code points 21-90" in explained
    assert "\x1b" not in explained
    colored = run("search", "alliances ALLIANCE", "-k", "1", "--color", "always").out
    assert "The \x1b[1;33malliance\x1b[0m will" in colored


def test_nothing_found_is_status_1(run: Run) -> None:
    """As ripgrep: 0 found, 1 nothing found."""
    run("index", "articles")
    nothing = run("search", "xylophone", "--mode", "lexical")
    assert (nothing.status, nothing.out, nothing.err) == (1, "", "")


def test_similar_finds_what_is_like_a_place(run: Run, articles: Path) -> None:
    """A file, a span of it or a line; the place itself is not among the hits; a file outside the index works too."""
    (articles / "copy.txt").write_text("Another report\n\nThe alliance said it allows no security vacuum there.\n")
    run("index", "articles")
    for place in ("articles/nato.txt", "articles/nato.txt:3", "articles/nato.txt:21-60"):
        (first, *rest) = json.loads(run("similar", place, "--format", "json").out)["hits"]
        assert first["path"].endswith("copy.txt")
        assert not any(hit["path"].endswith("nato.txt") for hit in rest)
    outside = articles.parent / "draft.md"
    outside.write_text("Stores of gas are full.")
    assert json.loads(run("similar", "draft.md", "--format", "json").out)["hits"][0]["heading"] == "Storage"
    assert run("similar", "nowhere.txt").status == 2
    for place in ("articles/nato.txt:900-999", "articles/nato.txt:60-21", "articles/nato.txt:0", "draft.md:9000-9999"):
        nothing = run("similar", place)
        assert (nothing.status, nothing.out) == (2, "")
        assert "no passage of that document" in nothing.err


def test_status_list_and_verify(run: Run, articles: Path) -> None:
    """They tell what the index is and holds, for people and as JSON."""
    run("index", "articles")
    status = run("status").out
    assert "0 passages are longer than 64 tokens" in status
    assert json.loads(run("status", "--json").out)["documents"] == 3
    listed = run("list").out.splitlines()
    assert [line.split("\t") for line in listed] == [
        ["articles/energy.md", "2024-03-01", "Gas prices"],
        ["articles/nato.txt", "", "NATO and the region"],
        ["articles/sport.html", "", "Chess"],
    ]
    assert [json.loads(line)["title"] for line in run("list", "--json").out.splitlines()] == [
        "Gas prices", "NATO and the region", "Chess",
    ]  # fmt: skip
    assert run("verify").status == 0
    (file,) = (articles.parent / "indexes/articles/e1/vectors").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    damaged = run("verify")
    assert damaged.status == 2
    assert file.name in damaged.out
    refused = run("search", "alliance")
    assert refused.status == 2
    assert "--rebuild" in refused.err
    assert "Traceback" not in refused.err
    assert run("index", "articles", "--rebuild").status == 0
    assert run("search", "alliance").status == 0


def test_export_gives_rows_that_match(run: Run, articles: Path) -> None:
    """Line i of the JSONL is row i of the array."""
    run("index", "articles")
    assert run("export", "out").status == 0
    lines = [json.loads(line) for line in (articles.parent / "out/passages.jsonl").read_text().splitlines()]
    vectors = np.load(articles.parent / "out/vectors.npy")
    assert vectors.shape == (len(lines), 256)
    assert [line["row"] for line in lines] == list(range(4))
    for path in {line["path"] for line in lines}:
        own = [line for line in lines if line["path"] == path]
        embedded = [embedded_text(line["title"], line["heading"], line["text"]) for line in own]
        expected = in_context(HashEmbedder().encode_document(embedded), [len(own)])
        np.testing.assert_allclose(vectors[[line["row"] for line in own]], expected, atol=1e-6)
    assert run("export", "out").status == 2


def test_dry_run_lists_and_changes_nothing(run: Run, articles: Path) -> None:
    """Signs say what would happen; no index appears, and an index that is there stays as it is."""
    dry = run("index", "articles", "--dry-run")
    assert dry.out.splitlines() == ["+ energy.md", "+ nato.txt", "+ sport.html"]
    assert not (articles.parent / "indexes").exists()
    run("index", "articles")
    (articles / "nato.txt").rename(articles / "pact.txt")
    (articles / "sport.html").unlink()
    (articles / "energy.md").write_text("New text.")
    (articles / "more.txt").write_text("More.")
    dry = run("index", "articles", "--dry-run")
    assert dry.out.splitlines() == ["+ more.txt", "~ energy.md", "- sport.html", "> nato.txt -> pact.txt"]
    assert "1 to add, 1 changed, 1 renamed, 1 to remove, 0 unchanged" in dry.err
    assert run("list").out.count("\n") == 3


def test_skipped_files_are_listed_with_their_reasons(run: Run, articles: Path) -> None:
    """Bad files a line each; kinds that are not read are counted, and listed with -v."""
    (articles / "bad.txt").write_bytes(b"\0\1\2\3" * 99)
    for name in ("a.jpg", "b.jpg"):
        (articles / name).touch()
    made = run("index", "articles")
    assert made.status == 0
    assert "skipped bad.txt: " in made.err
    assert "skipped 2 files: no reader for .jpg files (-v lists them)" in made.err
    assert "skipped a.jpg: " in run("index", "articles", "-v").err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("index", "nowhere"), "nowhere"),
        (("index", "empty"), "holds no article"),
        (("search", ""), "the query is empty"),
        (("search", "  "), "the query is empty"),
        (("search", "x", "-k", "0"), "-k"),
        (("search", "x", "--mode", "best"), "--mode"),
        (("search", "x", "-i", "none"), "no index here"),
        (("status", "-i", "some/where"), "no index here"),
        (("index", "articles", "--model", "no/such-model-anywhere"), "no/such-model-anywhere"),
        (("frobnicate",), "frobnicate"),
        (("index", "articles/nato.txt"), "nato.txt"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_or_two(
    run: Run, articles: Path, arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2, a message that names it, nothing on standard output, no traceback, and nothing is left behind."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (articles.parent / "empty").mkdir()
    if arguments[0] != "index":
        run("index", "articles")
    before = files_of(articles.parent)
    result = run(*arguments)
    assert (result.status, result.out) == (2, "")
    assert says in result.err
    assert "Traceback" not in result.err
    assert before == files_of(articles.parent)


def files_of(folder: Path) -> list[str]:
    """All files and folders but those by which SQLite's readers know of each other."""
    return sorted(path.name for path in folder.rglob("*") if not path.name.endswith(("-shm", "-wal")))


def test_an_index_of_another_model_or_a_newer_format_is_refused(run: Run, articles: Path) -> None:
    """Both say what to do."""
    run("index", "articles")
    other = run("index", "articles", "--model", "all-MiniLM-L6-v2")
    assert other.status == 2
    assert "was made with the model hash" in other.err
    assert "--rebuild" in other.err
    card = articles.parent / "indexes/articles" / CARD
    card.write_text(json.dumps({"format": FORMAT + 1, "current": "e1"}))
    newer = run("search", "alliance")
    assert newer.status == 2
    assert f"format {FORMAT + 1}" in newer.err


def test_a_second_writer_leaves_with_a_message(run: Run, articles: Path) -> None:
    """And searching goes on meanwhile."""
    run("index", "articles")
    with locked(articles.parent / "indexes/articles"):
        second = run("index", "articles")
        assert second.status == 2
        assert "another process is writing" in second.err
        assert run("search", "alliance").status == 0


def test_which_index_is_meant(run: Run, articles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag, then the variable, then the only one; several are listed, none is an error that says what to do."""
    assert "semsearch index FOLDER" in run("search", "x").err
    run("index", "articles", "-i", "one")
    run("index", "articles")
    assert sorted(path.name for path in (articles.parent / "indexes").iterdir()) == ["one"]
    run("index", "articles", "-i", "./elsewhere/two")
    assert (articles.parent / "elsewhere/two" / CARD).exists()
    run("index", "articles", "-i", "./four")
    assert (articles.parent / "four" / CARD).exists()
    run("index", "articles", "-i", "three")
    several = run("search", "alliance")
    assert several.status == 2
    assert "one, three" in several.err
    assert run("search", "alliance", "-i", "one").status == 0
    monkeypatch.setenv("SEMSEARCH_INDEX", "elsewhere/two")
    assert run("search", "alliance").status == 0
    monkeypatch.delenv("SEMSEARCH_INDEX")
    (articles.parent / "x/one").mkdir(parents=True)
    (articles.parent / "x/one/a.txt").write_text("Text.")
    taken = run("index", "x/one")
    assert taken.status == 2
    assert "name another one with -i" in taken.err


def test_terminal_escapes_in_articles_do_nothing(run: Run, articles: Path) -> None:
    """Control characters of a text and a title are shown as replacement characters."""
    (articles / "evil.txt").write_text("Evil \x1b]0;title\x07\n\nRed \x1b[31malert\x1b[0m \u202egnp.exe\n")
    run("index", "articles")
    out = run("search", "red alert evil", "-k", "1").out
    assert "alert" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_terminal_escapes_in_names_do_nothing(run: Run, articles: Path) -> None:
    """Of a file without a title, and in errors."""
    run("index", "articles")
    with Index.open(articles.parent / "indexes/articles") as index:
        index.add([Document("x\x1b[31m", "A zeppelin.")])
    printed = [
        run("search", "zeppelin", "-k", "1").out,
        *(run(*wrong).err for wrong in (("similar", "no\x1b[31m"), ("no\x1b[31m",), ("index", "no\x1b[31m"))),
    ]
    for text in printed:
        assert "[31m" in text
        assert "\x1b" not in text


def test_a_broken_pipe_is_quiet(run: Run, articles: Path) -> None:
    """`semsearch search … | head -1` prints no error."""
    run("index", "articles")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    for number in range(300):
        (articles / f"{number}.txt").write_text(f"The alliance, part {number}. " + "It said so again. " * 20)
    run("index", "articles")
    for reader, printed in (("true", ""), ("head -c 1", "{")):
        command = (
            f'{sys.executable} -m semsearch search alliance -k 400 -f jsonl | {reader}; echo " ${{PIPESTATUS[0]}}"'
        )
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (f"{printed} 0\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        ("search alliance >&-", 2, "semsearch: standard output cannot be written: it is closed\n"),
        ("search alliance >/dev/full", 2, "semsearch: standard output cannot be written: No space left on device\n"),
        ("--help >/dev/full", 2, "semsearch: standard output cannot be written: No space left on device\n"),
        ("search xylophone --mode lexical >&-", 1, ""),
    ],
)
def test_output_that_cannot_be_written_is_an_error_of_a_line(
    run: Run, articles: Path, arguments: str, status: int, error: str
) -> None:
    """Closed or full; where nothing has to be written, it does not matter."""
    run("index", "articles")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = f"{sys.executable} -m semsearch {arguments}"
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, error)


def test_the_shell_is_told_how_a_word_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the completion script asks."""
    monkeypatch.setenv("_SEMSEARCH_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "semsearch si")
    monkeypatch.setenv("COMP_CWORD", "1")
    told = run()
    assert (told.status, told.out) == (0, "plain,similar\n")


def test_a_query_that_looks_like_an_option_is_explained(run: Run) -> None:
    """Only for a search; after -- it is a query."""
    run("index", "articles")
    refused = run("search", "-5 degrees")
    assert (refused.status, refused.out) == (2, "")
    assert 'semsearch search -- "-5 degrees"' in refused.err
    assert " -- " not in run("status", "-5").err
    assert run("search", "--", "-5 alliance").status == 0


def test_debug_shows_where_an_error_came_from(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before or after the command, or by the variable; the status stays 2. After -- it is a word."""
    for arguments in (("--debug", "search", "x"), ("search", "x", "--debug"), ("search", "--debug", "x")):
        shown = run(*arguments)
        assert (shown.status, shown.out) == (2, "")
        assert shown.err.startswith("Traceback")
        assert "no index below ./indexes" in shown.err.splitlines()[-1]
    for value, shows in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("SEMSEARCH_DEBUG", value)
        assert ("Traceback" in run("search", "x").err) is shows
    assert "Traceback" not in run("search", "--", "--debug").err
    run("index", "articles")
    assert run("search", "alliance", "--debug").status == 0


def test_a_name_that_ends_like_a_place_is_a_name(run: Run, articles: Path) -> None:
    """When the index holds such a document; a place in a document is still one."""
    run("index", "articles")
    with Index.open(articles.parent / "indexes/articles") as index:
        index.add(
            [Document("wire:1", "Stores of gas are full."), Document("wire", "The match was drawn.\n\nIt ended.")]
        )
    for place, text in (("wire:1", "Stores are full."), ("wire:0-20", "The match was drawn.")):
        hits = json.loads(run("similar", place, "--format", "json").out)["hits"]
        assert hits[0]["text"] == text
    assert run("similar", "wire:77-99").status == 2


def test_an_answer_is_printed_before_the_next_query_is_read(run: Run, articles: Path) -> None:
    """A program can ask, read, and ask again; CSV has one header, paths each path once, JSON is one array."""
    run("index", "articles")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "semsearch", "search", "-", "-k", "1", "-f", "csv"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        asked.stdin.write("alliance\n")
        assert asked.stdout.readline().startswith("query,rank,")
        assert asked.stdout.readline().startswith("alliance,1,")
        asked.stdin.write("chess match\n")
        asked.stdin.close()
        assert asked.stdout.read().startswith("chess match,1,")
    assert asked.returncode == 0
    twice = run("search", "-", "-k", "1", "-f", "paths", stdin="alliance\nsecurity vacuum\n")
    assert [Path(line).name for line in twice.out.splitlines()] == ["nato.txt"]
    assert run("search", "-", "-f", "csv", stdin="\n").out == ""


def test_an_empty_folder_is_accepted_for_a_rebuild(run: Run, articles: Path) -> None:
    """With --allow-empty alone."""
    run("index", "articles")
    for file in articles.iterdir():
        file.unlink()
    assert run("index", "articles", "--rebuild").status == 2
    assert run("list").out.count("\n") == 3
    assert run("index", "articles", "--rebuild", "--allow-empty").status == 0
    assert run("list").out == ""


def test_a_dry_run_heeds_the_other_options(run: Run) -> None:
    """It refuses what the run would refuse, and lists every file for a rebuild."""
    run("index", "articles")
    for option in (("--overlap", "1"), ("--model", "all-MiniLM-L6-v2")):
        refused = run("index", "articles", "--dry-run", *option)
        assert (refused.status, refused.out) == (2, "")
        assert "--rebuild" in refused.err
        anew = run("index", "articles", "--dry-run", "--rebuild", *option)
        assert (anew.status, anew.out.splitlines()) == (0, ["+ energy.md", "+ nato.txt", "+ sport.html"])
        assert "indexes/articles: would be made anew" in anew.err


def test_an_index_among_its_articles_is_not_read(run: Run, articles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cd articles; semsearch index .` twice."""
    monkeypatch.chdir(articles)
    run("index", ".")
    assert "up to date, 3 documents unchanged, 0 skipped" in run("index", ".").err


def test_the_card_has_one_name() -> None:
    """It is written down where the store is not loaded."""
    assert where.CARD == CARD
    assert sys.modules["semsearch.read.walk"].INDEX_CARD == CARD


def test_completion_scripts_are_printed(run: Run) -> None:
    """For the three shells, and they call semsearch."""
    for shell in ("bash", "zsh", "fish"):
        assert "_SEMSEARCH_COMPLETE" in run("completion", shell).out
