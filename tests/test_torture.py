"""The harnesses of `make torture` in small: each catches the naive store, and finds nothing wrong with ours."""

from __future__ import annotations

import os
import sys

import pytest

from tests.torture import inputs, readers, states, writers

SMALL = {"readers": 2, "commits": 4, "rebuilds": 1, "searches": 150}


def test_readers_of_a_naive_store_see_two_states_at_once() -> None:
    """The harness can tell: texts of one commit with the vectors of another, or a file that is half written."""
    assert readers.with_processes("naive", **SMALL).wrong


@pytest.mark.parametrize("lists", [None, 100], ids=["exact", "lists"])
def test_readers_see_one_state_at_a_time(lists: int | None) -> None:
    """While other processes' documents are committed, merged, listed and made anew."""
    tally = readers.with_processes("semsearch", lists=lists, **SMALL)
    assert tally.wrong == []
    assert len(tally.seen) > 1
    assert tally.searches >= SMALL["searches"]


def test_threads_that_share_an_index_see_one_state_at_a_time() -> None:
    """While another thread syncs it."""
    tally = readers.with_threads(threads=8, commits=4, rebuilds=1)
    assert tally.wrong == []
    assert tally.searches > 0


def test_naive_writers_lose_what_another_wrote() -> None:
    """The harness can tell."""
    assert writers.trial("naive", 2, 1)


@pytest.mark.parametrize("count", [2, 4])
def test_one_writer_works_and_the_others_leave(count: int) -> None:
    """With exit status 2 and a message, on a new index and on one that is there; nothing is lost."""
    assert writers.trial("semsearch", count, 2) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files cannot be made here")
def test_a_naive_reader_does_not_get_to_the_end() -> None:
    """The harness can tell."""
    assert inputs.naive()


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "mkfifo"), reason="such files cannot be made here")
def test_bad_files_are_listed_and_all_others_indexed() -> None:
    """Some ninety that are no articles or change meanwhile, and sixty odd ones; and memory stays small."""
    outcome = inputs.trial(large=False)
    assert outcome.wrong == []
    assert outcome.status == 0


def test_a_mixed_answer_is_recognised() -> None:
    """One text of another state, or one hit that is missing, is enough."""
    numbers = range(3, states.DOCUMENTS, states.TOPICS)
    whole = {states.name(number): (states.text(number, 9), 1.0) for number in numbers}
    assert states.complaints(3, whole) == []
    assert states.complaints(3, {**whole, states.name(3): (states.text(3, 2), 1.0)})
    assert states.complaints(3, dict(list(whole.items())[1:]))
