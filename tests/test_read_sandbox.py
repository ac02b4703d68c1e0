"""A bomb, a hang or a crash costs one file: it is skipped with its reason, the others are read, no process stays."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch import Index, sync
from semsearch.errors import ReadError
from semsearch.read import READERS, Worker, exchange, files, read_file, sandbox
from semsearch.read.attached import Attached
from semsearch.testing import HashEmbedder
from semsearch.types import Document, Section
from tests import hostile

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")

ROOT = Path(__file__).parent.parent
MARK = "SEMSEARCH_TEST_MARK"
REASONS = {
    "loop": "took longer than 1 s to read",
    "loop in C": "took longer than 1 s to read",
    "sleep": "took longer than 1 s to read",
    "allocate": "needs more than 448 MB to read",
    "allocate at once": "needs more than 448 MB to read",
    "abort": "made its reader crash (signal 6)",
    "segfault": "made its reader crash (signal 11)",
    "leave": "made its reader crash (exit status 3)",
    "exit": "made its reader fail (SystemExit: 0)",
    "fail": "made its reader fail (KeyError: 'no such part')",
    "refuse": "scanned, has no text",
    "flood": "has more than 64 MiB of text in it",
}
END = re.compile(
    r"(read|took longer than [0-9.]+ s to read|needs more than 448 MB to read|made its reader (fail|crash) \(.+\)"
    r"|.+, so it is no article|no text in it|binary data, not text|marked as UTF-16 but damaged)$"
)
TEXTUAL = {f"semsearch.read.{family}:read" for family in ("html", "markdown", "text")}
HARMLESS = {"write": "write written", "fork": "fork forked", "fork in C": "fork in C forked"}


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test before has tried is tried again."""
    monkeypatch.setattr(sandbox, "_ENDINGS", {})


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """What the environment of every process holds that this test starts."""
    mark = f"{os.getpid()} {request.node.name} {time.time_ns()}"
    monkeypatch.setenv(MARK, mark)
    return mark


def marked(mark: str) -> set[int]:
    """The processes that run with this mark; one that has ended and was not waited for has no environment."""
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in environment.read_bytes().split(b"\0"):
                found.add(int(environment.parent.name))
        except OSError:
            continue
    return found - {os.getpid()}


def started(work: Callable[[], object]) -> int:
    """How many processes a call starts."""
    with pytest.MonkeyPatch.context() as patch:
        lives: list[object] = []
        begin = sandbox._Process.__init__

        def count(self: sandbox._Process, memory: int) -> None:
            lives.append(self)
            begin(self, memory)

        patch.setattr(sandbox._Process, "__init__", count)
        work()
        return len(lives)


def wait_until_gone(mark: str) -> None:
    while marked(mark):
        time.sleep(0.01)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(seconds=1) as worker:
        yield worker


@pytest.mark.parametrize(("deed", "reason"), REASONS.items())
def test_a_file_that_ends_its_reader_has_a_reason_and_the_next_is_read(worker: Worker, deed: str, reason: str) -> None:
    """Endless loops in Python and in C, memory without end, crashes, exits and plain failures."""
    with pytest.raises(ReadError) as caught:
        worker.read(hostile.READER, "a.odd", deed.encode())
    assert str(caught.value) == reason
    assert worker.read(hostile.READER, "b.odd", b"A word.")[0].text == "A word."


@pytest.mark.parametrize(("deed", "text"), HARMLESS.items())
def test_what_a_reader_writes_or_starts_does_not_disturb(worker: Worker, deed: str, text: str) -> None:
    """Its standard output and input lead nowhere, and a second process gives no second answer."""
    assert worker.read(hostile.READER, "a.odd", deed.encode())[0].text == text
    assert worker.read(hostile.READER, "b.odd", b"A word.")[0].text == "A word."


def test_recursion_without_end_costs_one_file(worker: Worker) -> None:
    """Python says so."""
    with pytest.raises(ReadError, match=r"^made its reader fail \(RecursionError"):
        worker.read(hostile.READER, "a.odd", b"overflow")


def test_the_limits_are_those_that_are_promised() -> None:
    """Unless somebody says otherwise."""
    assert (sandbox.SECONDS, sandbox.MEMORY) == (4, 448 * 2**20)


def test_what_a_file_before_it_did_is_not_held_against_a_file() -> None:
    """What a reader keeps of each file is too much for one process in the end; that file is read by another."""
    with Worker(memory=64 * hostile.MIB) as worker:
        for _ in range(5):
            assert worker.read(hostile.READER, "a.odd", b"grow")[0].text == "grow grown"


def test_what_has_ended_its_reader_is_not_tried_again(tmp_path: Path) -> None:
    """Who watches a folder does not wait for a hang in it each time that something else is saved."""

    def attempt() -> None:
        with Worker(seconds=1) as worker, pytest.raises(ReadError, match="signal 6"):
            worker.read(hostile.READER, "a.odd", b"abort")

    assert [started(attempt), started(attempt)] == [1, 0]
    with Worker(seconds=2) as worker, pytest.raises(ReadError, match="signal 6"):
        assert started(lambda: worker.read(hostile.READER, "a.odd", b"abort")) == 1


def test_one_process_reads_many_files_and_ends_with_its_owner(mark: str) -> None:
    """None is started before it is needed, or left."""
    with Worker() as worker:
        assert marked(mark) == set()
        worker.read(hostile.READER, "a.odd", b"x")
        first = marked(mark)
        for _ in range(20):
            worker.read(hostile.READER, "a.odd", b"x")
        assert marked(mark) == first
        assert len(first) == 1
    assert marked(mark) == set()
    with pytest.raises(ReadError, match="interrupted"):
        worker.read(hostile.READER, "a.odd", b"x")


def test_what_a_reader_has_started_ends_with_it(mark: str) -> None:
    """Also behind Python's back."""
    with Worker() as worker:
        worker.read(hostile.READER, "a.odd", b"fork in C")
        assert len(marked(mark)) == 2
    wait_until_gone(mark)


@pytest.mark.parametrize("deed", ["x", "loop", "sleep"])
def test_it_ends_with_a_parent_that_is_killed(mark: str, deed: str) -> None:
    """Idle, or in the midst of a hang, which its alarm ends."""
    program = (
        "import time; from semsearch.read import Worker; worker = Worker(seconds=0.5); "
        f"worker.read({hostile.READER!r}, 'a.odd', b'x'); print('ready', flush=True); "
        f"worker.read({hostile.READER!r}, 'a.odd', {deed!r}.encode()); time.sleep(3600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    assert len(marked(mark)) == 2
    time.sleep(0.1)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(mark)


def hostile_folder(folder: Path, *deeds: str) -> Path:
    """Articles that can be read, and between them files that cannot."""
    folder.mkdir()
    for number, deed in enumerate(deeds):
        (folder / f"{number}-{deed}.odd").write_text(deed)
        (folder / f"{number}-good.txt").write_text(f"The ferry of day {number} runs again.")
        (folder / f"{number}-page.html").write_text(f"<article><h1>Bridge {number}</h1><p>It is open.</article>")
    return folder


def test_a_run_goes_on_past_bombs_hangs_and_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: HashEmbedder, mark: str
) -> None:
    """Each is skipped with its reason, all else is in the index, and no process is left."""
    deeds = ["abort", "allocate at once", "fork", "loop", "refuse", "segfault", "write"]
    folder = hostile_folder(tmp_path / "a", *deeds)
    monkeypatch.setattr(files, "READERS", {**READERS, ".odd": hostile.READER})
    monkeypatch.setattr(sync, "Worker", partial(Worker, seconds=1))
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        report = index.sync(folder)
        assert {(skip.path.partition("-")[2].removesuffix(".odd"), skip.reason) for skip in report.skipped} == {
            (deed, REASONS[deed]) for deed in deeds if deed in REASONS
        }
        expected = {path.name for path in folder.iterdir()} - {skip.path for skip in report.skipped}
        assert {Path(document.path).name for document in index.documents()} == expected
        assert report.added == len(expected) == 2 * len(deeds) + 2
    assert marked(mark) == set()


def test_plain_text_is_read_without_a_process(tmp_path: Path, embedder: HashEmbedder) -> None:
    """Nor does a run without changes start one, whatever there is in the folder."""
    folder = hostile_folder(tmp_path / "a", "x")
    for number in range(9):
        (folder / f"{number}.md").write_text("# A heading\n\nWords.")
    os.utime(folder / "0-page.html", (1_700_000_000, 1_700_000_000))
    page = (folder / "0-page.html").rename(tmp_path / "page.html")
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        assert started(lambda: index.sync(folder)) == 0
        page.rename(folder / "0-page.html")
        assert started(lambda: index.sync(folder)) == 1
        assert started(lambda: index.sync(folder)) == 0
        assert started(lambda: index.search("bridge")) == 0


def test_an_interruption_does_not_wait_for_a_hang(tmp_path: Path, mark: str) -> None:
    """Ctrl-C ends a run at once with 130, though a file would hold its reader for minutes."""
    folder = hostile_folder(tmp_path / "a", "sleep")
    program = (
        "from functools import partial; from semsearch import sync; from semsearch.read import READERS, Worker, files; "
        f"files.READERS = {{**READERS, '.odd': {hostile.READER!r}}}; sync.Worker = partial(Worker, seconds=3600); "
        "from semsearch.cli import main; main()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, "index", str(folder), "-i", str(tmp_path / "x"), "--model", "hash"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    while len(marked(mark)) < 2:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate()
    assert run.returncode == 130, said
    assert b"Traceback" not in said
    wait_until_gone(mark)
    with Index.open(tmp_path / "x", embedder=HashEmbedder()) as index:
        assert index.verify() == []


def test_a_process_that_cannot_start_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: HashEmbedder
) -> None:
    """What the index holds of a file stays when its reader cannot be run."""
    folder = hostile_folder(tmp_path / "a", "x")
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        index.sync(folder)
        (folder / "0-page.html").write_text("<p>Another bridge.")
        monkeypatch.setattr(sys, "executable", "/bin/false")
        report = index.sync(folder)
        assert (report.kept, report.removed) == (1, 0)
        assert ["does not start" in skip.reason for skip in report.skipped if skip.path.endswith("html")] == [True]
        monkeypatch.undo()
        assert index.sync(folder).changed == 1


@pytest.mark.parametrize("suffix", sorted(suffix for suffix, reader in READERS.items() if reader in TEXTUAL))
def test_a_document_is_the_same_from_a_process_apart(suffix: str, worker: Worker) -> None:
    """Field by field."""
    name, data = "2024-05-01-a" + suffix, "# Über\n\nGemäß № 5 …\n\n## Teil\n\nWörter 🎈.".encode()
    module, _, attribute = READERS[suffix].partition(":")
    assert worker.read(READERS[suffix], name, data) == [getattr(import_module(module), attribute)(name, data)]


text = st.text(st.characters(codec=None))


@given(text, text, st.lists(st.tuples(st.integers(0), st.integers(0), text)) | st.none(), st.dictionaries(text, text))
def test_every_document_survives_the_pipe(
    body: str, title: str, sections: list[tuple[int, int, str]] | None, metadata: dict[str, str]
) -> None:
    """Also with line ends of all kinds and with lone surrogates, alone and in pairs, which are not mended."""
    cut = None if sections is None else tuple(Section(*section) for section in sections)
    before = Document("a", body + "\ud83d\ude00\ud800", title=title, metadata=metadata, sections=cut)
    given = [before, Attached("b.bin", b"\0\n\xff"), before, Attached("c", b"")]
    sent = exchange.answer(given)
    assert exchange.received(io.BytesIO(sent)) == given
    assert exchange.received(io.BytesIO(exchange.answer(given[:3])[:-1])) is None


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_hostile_file_has_an_end(name: str, tmp_path: Path) -> None:
    """Of each, a document or a reason within the limit."""
    file = tmp_path / name
    file.write_bytes(hostile.FILES[name]())
    with Worker(seconds=1) as worker:
        assert END.match(said_of(file, worker))


def said_of(file: Path, worker: Worker) -> str:
    """The reason why a file is not read, or that it is."""
    try:
        document, stat = read_file(file, file.name, worker)
    except ReadError as error:
        return str(error)
    assert (document.path, stat.size, not document.text.strip()) == (file.name, file.stat().st_size, False)
    return "read"


def test_one_file_alone_is_read_by_a_process_of_its_own(tmp_path: Path, mark: str) -> None:
    """Which is gone when the call is."""
    (tmp_path / "a.html").write_text("<p>A word.")
    assert read_file(tmp_path / "a.html", "a.html")[0].text == "A word."
    assert marked(mark) == set()
