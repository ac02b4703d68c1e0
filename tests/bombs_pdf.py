"""PDF files that stand for gigabytes, never end, or show nothing to read, made by hand; reads none of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

MIB = 2**20
_LATE = r"took longer than [0-9.]+ s to read"
_SCAN = "has no text layer: it is a scan; run OCR first, for example `ocrmypdf`"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_HARMLESS = rf"{_LATE}|needs more than \d+ MB to read|made its reader crash .signal 6.|a broken PDF"


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is the catalog."""
    data, at = bytearray(b"%PDF-1.7\n"), []
    for number, said in enumerate(objects, 1):
        at.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, said)
    table = b"".join(b"%010d 00000 n \n" % place for place in at)
    size = len(objects) + 1
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return bytes(data + b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def stream(content: bytes, more: bytes = b"") -> bytes:
    """A stream as it is."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more, content)


def deflated(block: bytes, times: int, more: bytes = b"") -> bytes:
    """A stream that is packed twice, so that a few kilobytes stand for a block so many times."""
    inner = zlib.compressobj(9)
    packed = b"".join(inner.compress(block * 1000) for _ in range(times // 1000)) + inner.flush()
    return stream(zlib.compress(packed, 9), b"/Filter [/FlateDecode /FlateDecode] " + more)


def page(content: bytes, *more: bytes, resources: bytes = b"", trailer: bytes = b"", catalog: bytes = b"") -> bytes:
    """A PDF of one page that shows this; further objects have the numbers from 6 on."""
    return paged(stream(content), *more, resources=resources, trailer=trailer, catalog=catalog)


def paged(content: bytes, *more: bytes, resources: bytes = b"", trailer: bytes = b"", catalog: bytes = b"") -> bytes:
    """The same of a stream."""
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F 5 0 R >> %s >> >>" % resources,
        content,
        _FONT,
        *more,
        trailer=trailer,
    )


def laughing() -> bytes:
    """Forms of which each shows the next one ten times."""
    forms = [
        stream(
            b"/X Do " * 10,
            b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>" % n,
        )
        for n in range(7, 17)
    ]
    return page(b"/X Do", *forms, stream(b"BT (x) Tj ET"), resources=b"/XObject << /X 6 0 R >>")


def deep_tree(depth: int) -> bytes:
    """Page trees within each other."""
    nodes = (b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (n + 1) for n in range(2, depth))
    return pdf(b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, b"<< /Type /Page >>")


def packed_objects() -> bytes:
    """A page tree within a stream of objects that unpacks to gigabytes."""
    inside = deflated(b" ", 2 * 2**30, b"/Type /ObjStm /N 1 /First 4")
    head = b"%%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n3 0 obj\n%s\nendobj\n" % inside
    rows = [(0, 0, 255), (1, 9, 0), (2, 3, 0), (1, head.index(b"3 0 obj"), 0), (1, len(head), 0)]
    table = b"".join(bytes([kind]) + place.to_bytes(4, "big") + bytes([more]) for kind, place, more in rows)
    listed = stream(table, b"/Type /XRef /Size 5 /W [1 4 1] /Root 1 0 R")
    return head + b"4 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (listed, len(head))


def ringed() -> bytes:
    """Bookmarks that follow each other in a ring, on a page without text."""
    marks = (b"<< /Title (a) /Parent 6 0 R /Next %d 0 R /First %d 0 R /Dest [3 0 R /Fit] >>" % (n, n) for n in (8, 7))
    return page(b"", b"<< /First 7 0 R /Last 8 0 R /Count 2 >>", *marks, catalog=b"/Outlines 6 0 R")


def scanned() -> bytes:
    """A page that shows a picture alone."""
    picture = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8"
    return page(b"q 600 0 0 800 0 0 cm /I Do Q", stream(bytes(64), picture), resources=b"/XObject << /I 6 0 R >>")


def locked(handler: bytes) -> bytes:
    """A file that some program encrypted, with a password that nobody knows."""
    keys = b"/V 1 /R 2 /P -4 /O <%s> /U <%s>" % (b"5a" * 32, b"a5" * 32)
    return page(b"", b"<< /Filter /%s %s >>" % (handler, keys), trailer=b"/Encrypt 6 0 R /ID [<00> <00>]")


BOMBS: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "content.pdf": (lambda: paged(deflated(b"BT (word) Tj ET ", 2**26)), _HARMLESS),
    "marks.pdf": (lambda: paged(deflated(b"q ", 2**29)), _HARMLESS),
    "objects.pdf": (packed_objects, _HARMLESS),
    "forms.pdf": (laughing, _HARMLESS),
    "tree.pdf": (lambda: deep_tree(100_000), _HARMLESS),
    "loop.pdf": (
        lambda: pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"),
        _HARMLESS,
    ),
    "pages.pdf": (
        lambda: pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 999999999 >>"),
        _HARMLESS,
    ),
    "ring.pdf": (ringed, _SCAN),
    "scanned.pdf": (scanned, _SCAN),
    "locked.pdf": (lambda: locked(b"Standard"), "encrypted: it opens only with its password"),
    "unknown.pdf": (lambda: locked(b"Nobody"), "encrypted in a way that cannot be opened"),
    "cut.pdf": (lambda: page(b"BT (x) Tj ET")[:100], "a broken PDF"),
}
"""By name of the file: what makes it, and a pattern of the reason."""
