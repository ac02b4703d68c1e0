"""Writes named arrays into one file that is either whole or absent, and maps them back unread; knows no index.

A file is a line of JSON (name, dtype, shape and place of each array), padded with spaces, then the arrays one after
another, each at a multiple of 64 bytes, little-endian. Nothing in it is code, and its checksum is kept elsewhere.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from weakref import finalize

import numpy as np
import xxhash
from numpy.typing import NDArray

from semsearch.errors import IndexDamagedError, StorageError

Array: TypeAlias = NDArray[Any]
MEND = "run `semsearch repair`; what that cannot mend, `semsearch index FOLDER --rebuild` makes anew"
"""What to do about an index that is damaged."""

ALIGN = 64
_HEADER = 4096
_BLOCK = 1 << 20
_LARGE = 4 << 20
_DTYPES = frozenset({"<i8", "<u8", "<u4", "<u2", "|u1", "<f4", "<f8"})


@dataclass(frozen=True, slots=True)
class Written:
    """What a file must be when it is read again: its size in bytes, XXH3-128 checksum in hex, time of change."""

    size: int
    checksum: str
    mtime_ns: int = -1


def write_arrays(path: Path, arrays: Mapping[str, Sequence[Array]]) -> Written:
    """Write each array, given as the pieces that follow each other along the first axis; durable when it returns.

    Raises:
        StorageError: the disk is full, read-only or fails; nothing is left at `path`.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    with storage(path):
        try:
            with unfinished.open("wb") as file:
                written = _write(file, arrays)
                file.flush()
                os.fsync(file.fileno())
                written = replace(written, mtime_ns=os.fstat(file.fileno()).st_mtime_ns)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return written


def map_arrays(path: Path, expected: Written, *, thorough: bool = False) -> dict[str, Array]:
    """The arrays of a file, read-only and mapped into memory, after its size and checksum were found right.

    Of a large file whose time of change is still that of its writing, only the size is looked at unless it shall be
    `thorough`: to read all of a million vectors takes longer than a search may.

    Raises:
        FileNotFoundError: there is no such file.
        IndexDamagedError: it is not what was written.
    """
    with _opened(path) as file:
        stat = os.fstat(file.fileno())
        if stat.st_size != expected.size:
            raise IndexDamagedError(_damaged(path, "its size is not what was written"))
        untouched = stat.st_size > _LARGE and stat.st_mtime_ns == expected.mtime_ns
        if (thorough or not untouched) and _checksum(file) != expected.checksum:
            raise IndexDamagedError(_damaged(path, "its content is not what was written"))
        data = _Map(file.fileno(), 0, access=mmap.ACCESS_READ)
        data.prepare(file.fileno(), path)
    try:
        return {name: _view(data, entry) for name, entry in json.loads(data[:_HEADER]).items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IndexDamagedError(_damaged(path, f"its header cannot be read ({error})")) from error


def fetched(arrays: Sequence[Array], which: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
    """Some rows of several arrays that are alike but for their length: `rows[i]` of `arrays[which[i]]`, in this order.

    From a large file they are read, not touched through the map: of that the system would map 64 KB around each row,
    which takes twice as long, and in the end all of it would count as this process's memory.

    Raises:
        IndexDamagedError: a file has been cut off since it was opened.
    """
    if not len(rows):
        return np.empty((0, *arrays[0].shape[1:]), arrays[0].dtype)
    readers = {i: _reader(arrays[i]) for i in np.unique(which).tolist()}
    data = b"".join([readers[i](row) for i, row in zip(which.tolist(), rows.tolist(), strict=True)])
    return np.frombuffer(data, arrays[0].dtype).reshape(len(rows), *arrays[0].shape[1:])


def let_go(array: Array) -> None:
    """Give back the memory that a mapped array takes; it is mapped again where it is read. Nothing for other arrays."""
    map_ = _map_of(array)
    if map_ is not None and hasattr(mmap, "MADV_DONTNEED"):
        map_.madvise(mmap.MADV_DONTNEED)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; durable when it returns."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Replace a small text file at once and durably."""
    unfinished = path.with_name(path.name + ".unfinished")
    with storage(path):
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that may be gone already.

    Raises:
        StorageError: it cannot be removed.
    """
    with storage(path):
        path.unlink(missing_ok=True)


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn an error of the disk into one that says what to do.

    Raises:
        StorageError: for any OSError inside.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {advice(error)}") from error


def advice(error: OSError) -> str:
    """What an error of the disk means, and what to do now."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full; what was committed is safe: make room and run the same command again"
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return f"{error.strerror}; the index can be searched, but not changed there"
    return f"{error.strerror or error}; what was committed is safe"


class _Map(mmap.mmap):
    """A mapped file; of a large one also a descriptor to read it by, -1 for others, and where in memory it begins."""

    descriptor = -1
    address = 0
    path = Path()

    def prepare(self, descriptor: int, path: Path) -> None:
        self.path = path
        if len(self) > _LARGE and hasattr(os, "pread"):
            self.descriptor = os.dup(descriptor)
            self.address = np.frombuffer(self, np.uint8).__array_interface__["data"][0]
            finalize(self, os.close, self.descriptor)


def _reader(array: Array) -> Callable[[int], bytes]:
    """What gives the bytes of a row."""
    map_ = _map_of(array)
    if map_ is None or map_.descriptor < 0 or not array.flags.c_contiguous:
        return lambda row: array[row].tobytes()
    descriptor, size = map_.descriptor, array.strides[0]
    start = array.__array_interface__["data"][0] - map_.address

    def read(row: int) -> bytes:
        data = os.pread(descriptor, size, start + row * size)
        if len(data) != size:
            raise IndexDamagedError(_damaged(map_.path, "it has been cut off"))
        return data

    return read


def _map_of(array: Array) -> _Map | None:
    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    return base if isinstance(base, _Map) else None


def _write(file: BinaryIO, arrays: Mapping[str, Sequence[Array]]) -> Written:
    header, place = {}, _HEADER
    for name, pieces in arrays.items():
        rows = sum(len(piece) for piece in pieces)
        shape, dtype = (rows, *pieces[0].shape[1:]), pieces[0].dtype
        header[name] = {"dtype": dtype.str, "shape": shape, "offset": place}
        place += _padded(dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
    checksum, size = xxhash.xxh3_128(), 0
    for block in _blocks(json.dumps(header).encode().ljust(_HEADER), arrays):
        checksum.update(block)
        size += file.write(block)
    return Written(size, checksum.hexdigest())


def _blocks(header: bytes, arrays: Mapping[str, Sequence[Array]]) -> Iterator[bytes | memoryview]:
    if len(header) > _HEADER:
        raise ValueError("too many arrays for one file")
    yield header
    for pieces in arrays.values():
        size = 0
        for piece in pieces:
            size += piece.nbytes
            yield np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data
        yield bytes(_padded(size) - size)


def _opened(path: Path) -> FileIO:
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IndexDamagedError(_damaged(path, f"it cannot be opened ({error.strerror})")) from error


def _checksum(file: FileIO) -> str:
    """Read in blocks and not through the map, whose pages would then count as this process's memory."""
    checksum, block = xxhash.xxh3_128(), memoryview(bytearray(_BLOCK))
    while size := file.readinto(block):
        checksum.update(block[:size])
    return checksum.hexdigest()


def _view(data: mmap.mmap, entry: Mapping[str, Any]) -> Array:
    """An array in a file, which may say anything of its size: Python's numbers do not overflow, NumPy's do."""
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"dtype {entry['dtype']}")
    dtype, shape, offset = np.dtype(entry["dtype"]), tuple(entry["shape"]), entry["offset"]
    count = prod(shape)
    if any(type(number) is not int or not 0 <= number <= len(data) for number in (*shape, offset)):
        raise ValueError(f"shape {shape} at {offset}")
    if offset % ALIGN or offset + count * dtype.itemsize > len(data):
        raise ValueError(f"shape {shape} at {offset} of {len(data)}")
    if not count:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype, count, offset).reshape(shape)


def _padded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _damaged(path: Path, what: str) -> str:
    return f"{path}: {what}; {MEND}"
