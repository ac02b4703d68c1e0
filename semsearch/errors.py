"""Every error that semsearch raises on purpose; what Python itself raises for a bug is not among them.

SemsearchError
├── UsageError            the call cannot be carried out as it was made (an empty query, k of 0)
├── ReadError             one file cannot be read as an article; the run goes on without it
├── FolderError           a folder of articles is missing, empty or cannot be listed
├── ModelError            a model cannot be found, trusted or run
│   ├── ModelNotFoundError    no such model here, and none could be fetched
│   ├── ModelUnsafeError      pickled weights, code of its own, or weights that are not the known ones
│   └── ModelMismatchError    another model than the one that the index was made with
└── StoreError            an index cannot be used
    ├── IndexNotFoundError    there is no index at that place
    ├── IndexExistsError      there is one already
    ├── IndexClosedError      it was closed before this call
    ├── IndexLockedError      another process is writing to it
    ├── IndexFormatError      made by a newer semsearch, or by one that is too old
    ├── IndexDamagedError     a file is missing or is not what was written
    └── StorageError          the disk is full, read-only or fails

Each message says what happened, to which file, and what to do now.
"""


class SemsearchError(Exception):
    """The root: catch this one to catch everything that semsearch raises on purpose."""


class UsageError(SemsearchError):
    """The call cannot be carried out as it was made."""


class ReadError(SemsearchError):
    """One file cannot be read as an article; the message is the reason alone, without the path."""


class FolderError(SemsearchError):
    """A folder of articles is missing, empty or cannot be listed."""


class ModelError(SemsearchError):
    """A model cannot be found, trusted or run."""


class ModelNotFoundError(ModelError):
    """There is no such model on this machine, and none could be fetched."""


class ModelUnsafeError(ModelError):
    """The model would run code of its own, is pickled, or its weights are not the known ones."""


class ModelMismatchError(ModelError):
    """The index was made with another model."""


class StoreError(SemsearchError):
    """An index cannot be used."""


class IndexNotFoundError(StoreError):
    """There is no index at that place."""


class IndexExistsError(StoreError):
    """There is an index at that place already."""


class IndexClosedError(StoreError):
    """The index was closed before this call."""


class IndexLockedError(StoreError):
    """Another process is writing to the index."""


class IndexFormatError(StoreError):
    """The index was made by a version of semsearch that this one cannot read."""


class IndexDamagedError(StoreError):
    """A file of the index is missing or is not what was written."""


class StorageError(StoreError):
    """The disk is full, read-only or fails."""
