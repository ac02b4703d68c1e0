"""Walks a folder and turns files into documents; neither splits them nor remembers them."""

from semsearch.read.files import MAX_BYTES, READERS, can_read, read_file, readers, settled, stat_file
from semsearch.read.opened import Opened, open_file, within
from semsearch.read.sandbox import Worker
from semsearch.read.walk import reach, walk

__all__ = [
    "MAX_BYTES",
    "READERS",
    "Opened",
    "Worker",
    "can_read",
    "open_file",
    "reach",
    "read_file",
    "readers",
    "settled",
    "stat_file",
    "walk",
    "within",
]
