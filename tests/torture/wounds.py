"""Ways to damage a file of an index, each reproducible from a seed; knows nothing of what a file holds."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

PAGE = 4096

Wound: TypeAlias = Callable[[Path, Path, random.Random], None]
"""What damages one file, and may need another of the same index."""


def flip(file: Path, _: Path, rng: random.Random) -> None:
    """One bit."""
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def scatter(file: Path, _: Path, rng: random.Random) -> None:
    """A dozen bytes, anywhere."""
    data = bytearray(file.read_bytes())
    for _i in range(12):
        data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(data)


def cut(file: Path, _: Path, rng: random.Random) -> None:
    """All from some place on, sometimes everything."""
    os.truncate(file, rng.choice((0, rng.randrange(file.stat().st_size))))


def lengthen(file: Path, _: Path, rng: random.Random) -> None:
    """Some bytes at the end, or a page of zeros."""
    with file.open("ab") as opened:
        opened.write(rng.choice((rng.randbytes(rng.randrange(1, 5000)), bytes(PAGE))))


def delete(file: Path, _: Path, __: random.Random) -> None:
    """The whole file."""
    file.unlink()


def swap(file: Path, other: Path, _: random.Random) -> None:
    """It and another file."""
    aside = file.with_name("aside")
    file.rename(aside)
    other.rename(file)
    aside.rename(other)


def zero(file: Path, _: Path, rng: random.Random) -> None:
    """A page, as a disk may that has lost one."""
    data = bytearray(file.read_bytes())
    at = rng.randrange(max(len(data) // PAGE, 1)) * PAGE
    data[at : at + PAGE] = bytes(len(data[at : at + PAGE]))
    file.write_bytes(data)


def misplace(file: Path, _: Path, rng: random.Random) -> None:
    """A page, by another of the same file."""
    data = bytearray(file.read_bytes())
    pages = max(len(data) // PAGE, 1)
    one, two = rng.randrange(pages) * PAGE, rng.randrange(pages) * PAGE
    data[one : one + PAGE] = data[two : two + PAGE]
    file.write_bytes(data)


WOUNDS: Mapping[str, Wound] = MappingProxyType(
    {each.__name__: each for each in (flip, scatter, cut, lengthen, delete, swap, zero, misplace)}
)


def wound(name: str, file: Path, other: Path, rng: random.Random, *, keep_time: bool = False) -> None:
    """Damage a file; `keep_time` puts back its time of change, as a failing disk would."""
    before = file.stat()
    WOUNDS[name](file, other, rng)
    if keep_time and file.exists():
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
