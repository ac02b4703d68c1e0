"""A Markdown file is its own text; its front matter describes it and its headings divide it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from semsearch.errors import ReadError
from semsearch.read import front_matter
from semsearch.read.markdown import find_headings, read
from semsearch.types import Document


def document(text: str, path: str = "a.md") -> Document:
    return read(path, text.encode())


def parts(text: str) -> list[tuple[str, str]]:
    """Heading and text of each section, without white space around."""
    return [(cut.heading, text[cut.start : cut.end].strip()) for cut in document(text).sections or ()]


HEADINGS = [
    ("# A", [(1, "A")]),
    ("   ### A ###  ", [(3, "A")]),
    ("###### A", [(6, "A")]),
    ("####### A", []),
    ("    # A", []),
    ("\t# A", []),
    ("#A", []),
    ("#", []),
    ("## ##", []),
    ("# A#", [(1, "A#")]),
    ("# C# and F# #", [(1, "C# and F#")]),
    ("#\tA", [(1, "A")]),
    ("A\n===", [(1, "A")]),
    ("A\r\n---\r\n", [(2, "A")]),
    ("\n\n  A\r  ----  \r", [(2, "A")]),
    ("A\n\n---", []),
    ("A\nB\n---", []),
    ("- A\n---", []),
    ("1. A\n---", []),
    ("> A\n---", []),
    ("    A\n---", []),
    ("| A |\n---", []),
    ("---\n---", []),
    ("A\n=-=", []),
    ("# A\nB\n---", [(1, "A"), (2, "B")]),
    ("```\n# A\n```\n# B", [(1, "B")]),
    ("~~~ md\n# A\n```\n# B\n~~~~\n# C", [(1, "C")]),
    ("````\n```\n# A\n````\n# B", [(1, "B")]),
    ("```\n# never closed", []),
    ("```a`b\n# A", [(1, "A")]),
    ("# **A** [b](c) `d` _e_ \\# f_g", [(1, "A b d e # f_g")]),
    ("# " + "long " * 50, []),
    ("long " * 50 + "\n---", []),
]


@pytest.mark.parametrize(("text", "expected"), HEADINGS)
def test_headings_are_found_where_markdown_has_them(text: str, expected: list[tuple[int, str]]) -> None:
    """With # or underlined, not in code, not in lists, and never a whole paragraph."""
    assert [(heading.level, heading.words) for heading in find_headings(text)] == expected


def test_sections_are_the_bodies_below_headings() -> None:
    """With the trail of headings, the title's not among it; heading lines belong to no section."""
    text = "Before.\n# Title\nLead.\n## One\nIn one.\n### Deep\nIn deep.\n## Two\nIn two.\n# Other\nEnd."
    assert parts(text) == [
        ("", "Before."),
        ("", "Lead."),
        ("One", "In one."),
        ("One › Deep", "In deep."),
        ("Two", "In two."),
        ("Other", "End."),
    ]


SECTIONS = [
    ("No heading.", [("", "No heading.")]),
    ("# Only a title\n", [("", "# Only a title")]),
    ("# T\n## A\n## B\nBody.", [("", "## A"), ("B", "Body.")]),
    ("# T\n## A\n### B\nBody.", [("A › B", "Body.")]),
    ("# T\n## A\n### B\n## C\n", [("A", "### B"), ("", "## C")]),
    ("# T\n# U\nBody.", [("", "# T"), ("U", "Body.")]),
    ("## A\n#### B\nb.\n### C\nc.", [("A › B", "b."), ("A › C", "c.")]),
    ("A\n===\n\nB\n---\n", [("", "B")]),
    ("# A\n```\n## B\n```", [("", "```\n## B\n```")]),
]


@pytest.mark.parametrize(("text", "expected"), SECTIONS)
def test_no_words_are_lost(text: str, expected: list[tuple[str, str]]) -> None:
    """A heading without a body is in a deeper one's trail, or its own line is a section."""
    assert parts(text) == expected


TITLES = [
    ("---\ntitle: A\n---\n# B\nx", "A", [("B", "x")]),
    ("---\ntitle: a & b\n---\n# A & B\nx", "a & b", [("", "x")]),
    ("---\ntitle:\n---\n# B\nx", "B", [("", "x")]),
    ("---\ntitle: [A, B]\n---\nx", "A, B", [("", "x")]),
    ("---\ntitle: 1984\n---\nx", "1984", [("", "x")]),
    ("---\nTitle: |\n  A\n  B\n---\nx", "A B", [("", "x")]),
    ("---\n---\n# B\nx", "B", [("", "x")]),
    ("## B\nx\n# C\ny", "C", [("B", "x"), ("", "y")]),
    ("## B\nx", "", [("B", "x")]),
    ("x", "", [("", "x")]),
]


@pytest.mark.parametrize(("text", "title", "expected"), TITLES)
def test_the_title_is_stated_or_the_first_heading_of_level_1(
    text: str, title: str, expected: list[tuple[str, str]]
) -> None:
    """A heading that repeats the stated title is left out of the trails, another one is not."""
    assert document(text).title == title
    assert parts(text) == expected


FIELDS: list[tuple[str, dict[str, str]]] = [
    ("date: 2024-02-15", {"date": "2024-02-15"}),
    ("date: 2024-02-15T09:30:00+01:00", {"date": "2024-02-15T09:30:00+01:00"}),
    ("date: '15 Feb'\npublished: 2024-02-15", {"date": "2024-02-15"}),
    ("date: 2024-02-30", {"date": "2023-01-01"}),
    ("pubdate: Thu, 15 Feb 2024 09:30:00 +0000", {"date": "2024-02-15T09:30:00+00:00"}),
    ("author: A", {"author": "A"}),
    ("authors: [A, {name: B}, 7]", {"author": "A, B, 7"}),
    ("url: https://example.org", {"source": "https://example.org"}),
    ("source: S\nurl: u", {"source": "S"}),
    ("lang: sr-Latn", {"language": "sr-Latn"}),
    ("language: de", {"language": "de"}),
    ("lang: no", {"language": "no"}),
]


@pytest.mark.parametrize(("fields", "expected"), FIELDS)
def test_the_front_matter_describes_the_document(fields: str, expected: dict[str, str]) -> None:
    """Date, author, source and language under their usual names; the date of the name where none is stated."""
    made = document(f"---\n{fields}\n---\nBody.", "2023-01-01-a.md")
    stated = {"date": "2023-01-01", "author": "", "source": "", "language": ""} | expected
    assert {name: getattr(made, name) for name in stated} == stated


def test_all_fields_are_kept_as_json() -> None:
    """Dates as strings, lists and tables as they are, anything else as text; no NUL, nothing that JSON cannot hold."""
    made = document(
        "---\ntags: [EU, 2, true, null, 1.5]\nnested: {when: 2024-02-15, 1: x}\nt: 2024-02-15 10:00:00\n"
        "bad: 2024-02-30\nnan: .nan\nbig: 99999999999999999999\nbytes: !!binary aGk=\nset: !!set {b, a}\n"
        'nul: "a\\0b"\n---\nBody.'
    )
    assert made.metadata == {
        "tags": ["EU", 2, True, None, 1.5],
        "nested": {"when": "2024-02-15", "1": "x"},
        "t": "2024-02-15T10:00:00",
        "bad": "2024-02-30",
        "nan": "nan",
        "big": "99999999999999999999",
        "bytes": "b'hi'",
        "set": ["a", "b"],
        "nul": "ab",
    }
    json.dumps(made.metadata, allow_nan=False)


def test_toml_is_front_matter_too() -> None:
    """Between lines of +++."""
    made = document('+++\r\ntitle = "A"\r\ndate = 2024-02-15\r\n[extra]\r\nat = 10:30:00\r\n+++\r\nBody.')
    assert (made.title, made.date) == ("A", "2024-02-15")
    assert made.metadata == {"title": "A", "date": "2024-02-15", "extra": {"at": "10:30:00"}}
    assert [made.text[cut.start : cut.end] for cut in made.sections or ()] == ["Body."]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("fence", ["---", "...", "--- \t"])
def test_the_text_holds_the_front_matter_but_no_section_does(fence: str, end: str) -> None:
    """Whatever the line ends and the closing fence are; a byte order mark may stand before it."""
    text = f"---{end}title: A{end}{fence}{end}Body.{end}"
    made = read("a.md", b"\xef\xbb\xbf" + text.encode())
    assert (made.text, made.title) == (text, "A")
    assert [made.text[cut.start : cut.end] for cut in made.sections or ()] == [f"Body.{end}"]


BROKEN = [
    "---\ntitle: [broken\n---\nBody.",
    "---\ntitle: never closed\nBody.",
    "---\nJust a sentence between rules.\n---\nBody.",
    "---\n- a list\n---\nBody.",
    "---\na: &x [1]\nb: *x\n---\nBody.",
    "---\na: !!python/object/apply:os.system [ls]\n---\nBody.",
    "---\na: !!timestamp soon\n---\nBody.",
    "---\na: !!int ''\n---\nBody.",
    "---\n" + "a: b\n" * 14000 + "---\nBody.",
    "---\na: " + "[" * 30 + "]" * 30 + "\n---\nBody.",
    "+++\ntitle = broken\n+++\nBody.",
    "+++\n" + ".".join("abc" * 9) + " = 1\n+++\nBody.",
    " ---\ntitle: not at the start\n---\nBody.",
    "----\ntitle: no fence\n----\nBody.",
]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_front_matter_is_text(text: str) -> None:
    """It is no error, describes nothing, and can be found and cited."""
    made = document(text)
    assert (made.metadata, made.title, made.text) == ({}, "", text)
    assert made.sections is not None
    assert (made.sections[0].start, made.sections[-1].end) == (0, len(text))


@pytest.mark.parametrize(
    "block",
    [
        "---\na: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(9)) + "---\n",
        "---\n" + "[" * 60_000 + "\n---\n",
        "---\n" + "{a: " * 15_000 + "\n---\n",
        "---\n" + "- " * 30_000 + "\n---\n",
        "---\na: " + "1:" * 20_000 + "1\n---\n",
        "+++\n" + "a." * 30_000 + "a=1\n+++\n",
        "+++\n" + "'a' . " * 10_000 + "a=1\n+++\n",
        "+++\na=" + "[" * 60_000 + "\n+++\n",
    ],
)
def test_hostile_front_matter_blows_nothing_up(block: str) -> None:
    """Aliases of aliases, nesting without end, keys and numbers of thousands of parts."""
    began = time.process_time()
    assert front_matter.split(block) == ({}, 0)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "line", ["# ", "#", "# [", "# *", "`", "~", "[a](", " ", "\t", "- ", "-", "_a", "\\", "a\n-\n"]
)
def test_hostile_markdown_takes_no_time(line: str) -> None:
    """Linear in what it repeats."""
    began = time.process_time()
    find_headings(line * 50_000 + "x")
    find_headings("# " + line * 50_000 + "x")
    assert time.process_time() - began < 2


def test_headings_without_end_are_no_article() -> None:
    """Each would be a section, and a passage."""
    with pytest.raises(ReadError, match="more than 100,000 headings"):
        document("# a\n" * 100_001)


def test_front_matter_alone_is_no_article() -> None:
    """There is nothing to cite in it."""
    with pytest.raises(ReadError, match="no text in it, only front matter"):
        document("---\ntitle: A\n---\n \n")


LINES = st.sampled_from(
    ["# A", "## B ##", "### C", "D", "===", "---", "```", "~~~", "+++", "", " ", "- e", "    # f", "title: g", "..."]
)
MARKDOWN = st.lists(st.tuples(LINES | st.text(max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))).map(
    lambda lines: "".join(line + end for line, end in lines)
)


@given(MARKDOWN)
@example("---\n---\n\n# A\n## B")
@settings(max_examples=200, deadline=None)
def test_any_markdown_is_divided_without_loss(text: str) -> None:
    """For any text: exact, sections with words in them, in order, not overlapping; words are in one or in a heading."""
    text = text.replace("\0", "").removeprefix("\ufeff")
    try:
        made = document(text)
    except ReadError:
        assert not text[front_matter.split(text)[1] :].strip()
        return
    assert made.text == text
    begin = end = front_matter.split(text)[1]
    covered: set[int] = set()
    for cut in made.sections or ():
        assert end <= cut.start < cut.end <= len(text)
        assert text[cut.start : cut.end].strip()
        covered.update(range(cut.start, cut.end))
        end = cut.end
    known = [made.title.casefold(), *(cut.heading.casefold() for cut in made.sections or ())]
    for heading in find_headings(text, begin):
        in_a_section = covered.issuperset(range(heading.start, heading.stop))
        assert in_a_section or any(heading.words.casefold() in words for words in known)
        covered.update(range(heading.start, heading.end))
    assert all(text[at].isspace() for at in set(range(begin, len(text))) - covered)
