"""Bytes of a text file -> its text, every character of it and nothing else; mends nothing and guesses no format."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from semsearch.errors import ReadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDER = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}
"""What is written under these names uses the larger set, as browsers know (https://encoding.spec.whatwg.org)."""

_DECLARABLE = re.compile(
    r"utf-8|cp(?:125[0-8]|437|85[0-8]|866|874|932|949)|iso8859-\d+|koi8-[ru]|mac-\w+"
    r"|gb18030|big5hkscs|euc_jp|iso2022_jp",
)
_BINARY = "binary data, not text"
_WINDOW = 2**16
_ASCII = bytes(range(0x80))
_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\x1b"))
_MOST_CONTROLS = 0.01
_TYPOGRAPHY = b"\x80\x84\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xab\xb7\xbb"  # in cp1252 and most of its neighbours
_ALBANIAN = b"\xc7\xcb\xe7\xeb"
_WESTERN = bytes({*range(0xC0, 0x100)} - {0xD7, 0xF7}) + _TYPOGRAPHY
_FLOOR = 0.05
_C1 = re.compile("[\x80-\x9f]")
_LATIN, _OTHER = "A-Za-z\u00c0-\u024f", "\u0370-\u052f\u0590-\u06ff"
_MIXED = re.compile(f"[{_LATIN}][{_OTHER}]|[{_OTHER}][{_LATIN}]")
_MOST_MIXED = 0.02


def decode(data: bytes, declared: str = "") -> str:
    """The text, line ends and all; only a byte order mark is dropped.

    The mark decides, then the encoding that the file declares for itself if it is a known one that fits, then UTF-8
    if the bytes are valid UTF-8, then what chardet finds likely. Decoding is strict: no character stands for a byte
    that could not be read, and there are no lone surrogates.

    Raises:
        ReadError: it is not text, or in no known encoding.
    """
    text = _marked(data)
    if text is None and declared:
        text = _declared(data, declared)
    if text is None:
        text = _undeclared(data)
    if "\0" in text:
        raise ReadError(_BINARY)
    return text


def as_utf8(data: bytes, declared: str) -> bytes:
    """A text in UTF-8 and marked so, for where only what surrounds it says its encoding; as it is if it is no text."""
    try:
        return decode(data, declared).encode("utf-8-sig")
    except (ReadError, UnicodeError):
        return data


def _marked(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _strictly(data[len(mark) :], encoding)
            if text is None:
                raise ReadError(f"marked as {encoding[:6].upper()} but damaged")
            return text
    return None


def _declared(data: bytes, label: str) -> str | None:
    """The text in the encoding of this name, None if it is no name that we trust or the bytes do not fit."""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    name = _WIDER.get(name, name)
    text = _strictly(data, name) if _DECLARABLE.fullmatch(name) else None
    return None if text is None or _C1.search(text) else text


def _undeclared(data: bytes) -> str:
    text = _strictly(data, "utf-8")
    if text is not None:
        return text
    if _is_binary(data):
        raise ReadError(_BINARY)
    if _is_nearly_utf8(data):
        raise ReadError("UTF-8 with damaged characters in it")
    for encoding in _likely(data):
        text = _strictly(data, encoding)
        if text is not None and _is_plausible(text):
            return text
    raise ReadError("neither UTF-8 nor a known legacy encoding")


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_binary(data: bytes) -> bool:
    head = data[:_WINDOW]
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return b"\0" in data or controls > _MOST_CONTROLS * len(head)


def _is_nearly_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is valid UTF-8, which no legacy encoding looks like."""
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return _foreign(text) > 3 * damaged


def _likely(data: bytes) -> Iterator[str]:
    """Encodings to try, the likeliest first.

    Chardet is not asked where it has nothing to go by: it knows no Albanian, whose only letters beyond ASCII are ç and
    ë, and makes nothing of a text that has typographic quotes only. Where it is sure of nothing, a text with a few
    Western letters is taken to be Western.
    """
    foreign = data.translate(None, _ASCII)
    if not foreign.translate(None, _ALBANIAN + _TYPOGRAPHY):
        yield "cp1252"
    yield from _detected(data)
    if len(foreign) * 10 <= len(data) and not foreign.translate(None, _WESTERN):
        yield "cp1252"


def _detected(data: bytes) -> list[str]:
    """What chardet finds likely. Its confidence is a similarity: 0.1 to 0.8 for true text, at most 0.03 for noise."""
    import chardet  # noqa: PLC0415 - 50 ms that a folder of UTF-8 need not spend

    eras = chardet.EncodingEra
    found = chardet.detect_all(
        data,
        ignore_threshold=True,
        encoding_era=eras.MODERN_WEB | eras.LEGACY_ISO | eras.LEGACY_MAC | eras.DOS,
        prefer_superset=False,  # it calls cp1250 a superset of ISO 8859-2, where š and ž differ
        compat_names=False,
    )
    return [one["encoding"] for one in found if one["encoding"] and one["confidence"] >= _FLOOR]


def _is_plausible(text: str) -> bool:
    """Whether it has no C1 controls and no words half Latin, half Cyrillic, Greek, Hebrew or Arabic."""
    return not _C1.search(text) and len(_MIXED.findall(text)) <= _MOST_MIXED * _foreign(text)


def _foreign(text: str) -> int:
    """How many characters are not ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))
