-- The truth of an index. What it does not name does not exist; what it names was durable before it was named.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Folders of articles, with the patterns of their last run; number 0 stands for documents that never were files.
CREATE TABLE folders (
    id   INTEGER PRIMARY KEY,
    root TEXT NOT NULL UNIQUE,
    include TEXT NOT NULL DEFAULT '[]',
    exclude TEXT NOT NULL DEFAULT '[]'
);

CREATE TABLE documents (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    folder   INTEGER NOT NULL REFERENCES folders (id),
    path     TEXT NOT NULL,
    size     INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest   TEXT NOT NULL,
    title    TEXT NOT NULL,
    date     TEXT NOT NULL,
    author   TEXT NOT NULL,
    source   TEXT NOT NULL,
    language TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (folder, path)
);

-- Apart from the documents, so that listing them does not read their texts. The text is UTF-8; sections
-- and the code points at which pages begin are JSON.
-- The checksum is of the text and its pages, as `text_seal` makes it.
CREATE TABLE texts (
    document  INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    sections  TEXT NOT NULL,
    pages     TEXT NOT NULL,
    has_lines INTEGER NOT NULL,
    checksum  BLOB NOT NULL,
    text      BLOB NOT NULL
);

-- What tells the copies of a document: see sketches.py. The keys are the first numbers of a sketch, and stand apart so
-- that documents are found by them. Where `listed` is positive, `copies` has all copies of a document: see copies.py.
CREATE TABLE sketches (
    document INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    hashes   BLOB NOT NULL,
    listed   INTEGER NOT NULL
);
CREATE TABLE copies (
    document INTEGER NOT NULL,
    other    INTEGER NOT NULL,
    PRIMARY KEY (document, other)
) WITHOUT ROWID;
CREATE INDEX copies_by_other ON copies (other);
CREATE TABLE sketch_keys (
    hash     INTEGER NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (hash, document)
) WITHOUT ROWID;

-- start and end are code points of the text; embedded is the fingerprint of what the model read.
CREATE TABLE passages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    document   INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    start      INTEGER NOT NULL,
    end        INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    heading    TEXT NOT NULL,
    tokens     INTEGER NOT NULL,
    embedded   BLOB NOT NULL
);
CREATE INDEX passages_of_a_document ON passages (document);
CREATE INDEX passages_that_embed_the_same ON passages (embedded);

-- Files of vectors and of postings for the passages first to last; immutable, replaced by merging.
CREATE TABLE segments (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    first            INTEGER NOT NULL,
    last             INTEGER NOT NULL,
    rows             INTEGER NOT NULL,
    vectors_size     INTEGER NOT NULL,
    vectors_checksum TEXT NOT NULL,
    vectors_mtime_ns INTEGER NOT NULL,
    lexical_size     INTEGER NOT NULL,
    lexical_checksum TEXT NOT NULL,
    lexical_mtime_ns INTEGER NOT NULL
);

-- The one file of lists, by which passages up to the last are found in a large index; derived from the vectors.
CREATE TABLE lists (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    last     INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL
);

-- Passages that are gone, but still have a row in a segment, and with it a vector that may be needed again.
CREATE TABLE tombstones (
    passage  INTEGER PRIMARY KEY,
    embedded BLOB NOT NULL
);
CREATE INDEX tombstones_that_embed_the_same ON tombstones (embedded);

-- Checksums of what is said of a document, by which a changed letter is noticed: see seals.py.
CREATE TABLE seals (
    document INTEGER PRIMARY KEY,
    row      BLOB NOT NULL,
    rest     BLOB NOT NULL
);
