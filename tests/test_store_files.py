"""A file of arrays is whole or absent, and what is read is what was written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semsearch.errors import IndexDamagedError, StorageError
from semsearch.store.files import ALIGN, fetched, map_arrays, write_arrays, write_text

ARRAYS = hnp.arrays(
    st.sampled_from([np.dtype("<i8"), np.dtype("<u4"), np.dtype("<u2"), np.dtype("u1"), np.dtype("<f4")]),
    hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=9),
    elements=st.integers(0, 200),
)


@given(st.dictionaries(st.sampled_from("abcde"), st.lists(ARRAYS, min_size=1, max_size=1), max_size=5))
@settings(max_examples=60)
def test_what_is_mapped_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, arrays: dict) -> None:
    """Names, dtypes, shapes and values come back, aligned and read-only."""
    path = tmp_path_factory.mktemp("files") / "a"
    written = write_arrays(path, arrays)
    mapped = map_arrays(path, written)
    assert sorted(arrays) == sorted(mapped)
    for name, (expected,) in arrays.items():
        actual = mapped[name]
        assert (expected.dtype, expected.shape) == (actual.dtype, actual.shape)
        np.testing.assert_array_equal(expected, actual)
        assert not actual.size or (actual.ctypes.data % ALIGN == 0 and not actual.flags.writeable)


def test_pieces_follow_each_other(tmp_path: Path) -> None:
    """An array given in pieces is the pieces end to end."""
    pieces = [
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.ones((2, 2), np.float32),
        np.empty((0, 2), np.float32),
    ]
    written = write_arrays(tmp_path / "a", {"rows": pieces, "ids": [np.arange(5)]})
    mapped = map_arrays(tmp_path / "a", written)
    np.testing.assert_array_equal(np.concatenate(pieces), mapped["rows"])
    np.testing.assert_array_equal(np.arange(5), mapped["ids"])


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """A changed byte anywhere, a shorter and a longer file are all refused."""
    path = tmp_path / "a"
    written = write_arrays(path, {"ids": [np.arange(4)]})
    good = path.read_bytes()
    damaged = [good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :] for i in range(0, len(good), 37)]
    for bad in [*damaged, good[:-1], good + b"\0", b""]:
        path.write_bytes(bad)
        with pytest.raises(IndexDamagedError, match="a: its"):
            map_arrays(path, written)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while writing is a StorageError with advice, and neither the file nor a part of it stays."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"disk is full.*make room"):
        write_arrays(tmp_path / "a", {"ids": [np.arange(4)]})
    assert list(tmp_path.iterdir()) == []


def test_text_is_replaced_at_once(tmp_path: Path) -> None:
    """The old text stays when the new one cannot be written."""
    path = tmp_path / "card"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"


def test_rows_are_read_from_files_large_and_small(tmp_path: Path) -> None:
    """In the order that is asked for, also one row twice; what was cut off since is an error that names it."""
    rng = np.random.default_rng(1)
    written = [rng.standard_normal((count, 64), np.float32) for count in (7, 40_000, 20_000)]
    paths = [tmp_path / name for name in "abc"]
    each = [write_arrays(path, {"rows": [rows]}) for path, rows in zip(paths, written, strict=True)]
    mapped = [map_arrays(path, expected)["rows"] for path, expected in zip(paths, each, strict=True)]
    which, rows = np.array([1, 0, 2, 1, 1]), np.array([39_999, 6, 0, 5, 39_999])
    expected = np.stack([written[i][row] for i, row in zip(which, rows, strict=True)])
    np.testing.assert_array_equal(expected, fetched(mapped, which, rows))
    assert fetched(mapped, which[:0], rows[:0]).shape == (0, 64)
    os.truncate(paths[1], 1_000_000)
    with pytest.raises(IndexDamagedError, match="b: it has been cut off"):
        fetched(mapped, which, rows)
