"""What unpacks beyond reason is refused at once and in little memory, whatever it says of itself."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.errors import ReadError
from semsearch.read import zipped
from semsearch.read.xml import events, texts
from semsearch.read.zipped import Parts

MOST_MEMORY = 200 * 2**20
MEASURE = """
import re, sys
from pathlib import Path
from semsearch.errors import ReadError
from semsearch.read.docx import read
try:
    read("a.docx", Path(sys.argv[1]).read_bytes())
except ReadError as error:
    print(error)
    print(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


RELATIONS = b'<R><Relationship Id="r" Type="x/officeDocument" Target="word/document.xml"/></R>'
LARGE = zipped.MOST_UNPACKED + 1


def entities() -> bytes:
    lines = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "lol"}">' for i in range(12))
    return f"<!DOCTYPE d [{lines}]><d>&a11;</d>".encode()


def bomb(document: bytes) -> bytes:
    return packed({"_rels/.rels": RELATIONS, "word/document.xml": document})


def smaller_said(data: bytes, said: int) -> bytes:
    """The zip, saying of every part of LARGE bytes that it has fewer."""
    return data.replace(LARGE.to_bytes(4, "little"), said.to_bytes(4, "little"))


BOMBS = {
    "large": (lambda: bomb(b" " * LARGE), "unpacks to more than 100 times its size"),
    "large-and-lying": (lambda: smaller_said(bomb(b" " * LARGE), 99), "broken: its part word/document.xml"),
    "many-parts": (lambda: packed({str(i): b"" for i in range(30_000)}), "has more than 20000 parts"),
    "entities": (lambda: bomb(entities()), "declares XML entities"),
    "outside": (lambda: bomb(b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'), "declares XML ent"),
    "deep": (lambda: bomb(b"<a>" * 200_000), "nested too deep"),
    "one-long-name": (lambda: bomb(b"<" + b"a" * (7 * 2**20)), "has a tag without an end"),
    "lzma": (lambda: packed({"_rels/.rels": RELATIONS}, zipfile.ZIP_LZMA), "packed in a way"),
    "nothing": (lambda: packed({"a.txt": b"hello"}), "broken: a zip, but not the document"),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is not counted here")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    """Each with its reason, in a process that never holds more than a fraction of what would come out."""
    made, reason = BOMBS[name]
    file = tmp_path / "a.docx"
    file.write_bytes(made())
    done = subprocess.run([sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True)
    said, memory = done.stdout.splitlines()
    assert said.startswith(reason)
    assert int(memory) * 1024 < MOST_MEMORY


def test_all_parts_together_have_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many parts that are each small enough are as bad as one that is not."""
    monkeypatch.setattr(zipped, "MOST_UNPACKED", 1000)
    parts = Parts(packed({"a": b"x" * 600, "b": b"y" * 600, "c": b"z" * 300}))
    assert parts.read("a") == b"x" * 600
    with pytest.raises(ReadError, match="unpacks to more than"):
        parts.read("b")
    assert parts.read("c") == b"z" * 300


@given(st.dictionaries(st.text("abc/", min_size=1, max_size=4), st.binary(max_size=300), max_size=5))
@settings(max_examples=50, deadline=None)
def test_parts_are_what_was_packed(files: dict[str, bytes]) -> None:
    """Byte for byte, in the order of the directory."""
    parts = Parts(packed(files))
    assert {name: parts.read(name) for name in parts.names()} == files


def test_an_event_for_each_tag_and_text() -> None:
    """In order, without namespaces; of two attributes with one local name, the one in a namespace."""
    source = b'<x:a xmlns:x="u" id="1" x:id="2">b<c/>d</x:a>'
    assert [tuple(event) for event in events([source[:9], source[9:]])] == [
        ("a", "", {"id": "2"}, False),
        ("", "b", {}, False),
        ("c", "", {}, False),
        ("c", "", {}, True),
        ("", "d", {}, False),
        ("a", "", {}, True),
    ]


def test_texts_are_the_first_of_their_names() -> None:
    """In one line; "" where there is none."""
    source = b"<m><t> a\n <i>b</i></t><t>c</t><d/><d>x</d></m>"
    assert texts([source], "t", "d", "e") == {"t": "a b", "d": "x", "e": ""}
