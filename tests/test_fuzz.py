"""Whatever bytes come, what reads people's input keeps its promises: in small, and with what fuzzing once found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.promises import TARGETS, WORDS

DEEP = 100_000
FOUND = [
    ("card", b"[" * DEEP),
    ("card", b'{"a":' * DEEP),
    ("card", b'{"format": 1e999, "current": "e1"}'),
    ("card", b'{"format": 3, "current": "e1", "config": {"dimension": ' + b"[" * DEEP),
    ("card", b'{"format": 9' + b"9" * DEEP + b', "current": "e1"}'),
    ("front_matter", b"---\na: " + b"[" * 30_000 + b"\n---\n"),
    ("html", b"<script type=application/ld+json>" + b"[" * DEEP + b"</script>x"),
    ("html", b'<script type=application/ld+json>{"@type": 1e999, "datePublished": "\\ud800"}</script>x'),
]


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_promises_are_kept_for_any_bytes(name: str, data: st.DataObject) -> None:
    """Also for bytes that look like something: `make torture` and `python -m tests.torture.fuzz` try far more."""
    pieces = st.sampled_from([word.encode() for word in WORDS.get(name, ["a"])]) | st.binary(max_size=12)
    TARGETS[name](b"".join(data.draw(st.lists(pieces, max_size=30))))


@pytest.mark.parametrize(("name", "found"), FOUND, ids=range(len(FOUND)))
def test_what_was_found_once_is_not_found_again(name: str, found: bytes) -> None:
    """Nesting without end and numbers without end are errors of ours, or ordinary text."""
    TARGETS[name](found)
