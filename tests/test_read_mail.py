"""A mail becomes its text with subject, sender and date; a saved page becomes the article in it."""

from __future__ import annotations

from base64 import encodebytes
from email import policy
from email.message import EmailMessage

import pytest

from semsearch import Document
from semsearch.errors import ReadError
from semsearch.read import mail as reader
from semsearch.read.attached import Attached
from semsearch.read.mail import read_page


def read(path: str, data: bytes) -> Document:
    """The document of a mail itself."""
    made = reader.read(path, data)
    first = made if isinstance(made, Document) else made[0]
    assert isinstance(first, Document)
    return first


def attached(data: bytes) -> list[tuple[str, bytes]]:
    """The files that are attached to a mail."""
    made = reader.read("a.eml", data)
    return [
        (each.name, each.data) for each in ([] if isinstance(made, Document) else made) if isinstance(each, Attached)
    ]


def mail(text: str = "", page: str = "", **headers: str) -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    given = {"Subject": "Gas", "From": "a@b.c", "Date": "Thu, 15 Feb 2024 09:30:00 +0100 (CET)"} | headers
    for name, value in given.items():
        made[name.replace("_", "-")] = value
    if text:
        made.set_content(text)
    if page and text:
        made.add_alternative(page, subtype="html")
    elif page:
        made.set_content(page, subtype="html")
    return made


def parts(made: Document) -> list[tuple[str, str]]:
    """Heading and text of each section, without white space around."""
    return [(cut.heading, made.text[cut.start : cut.end].strip()) for cut in made.sections or ()]


def test_a_mail_becomes_a_document() -> None:
    """Its plain text rather than its HTML, and names, date and attachments from its headers."""
    made = mail(
        "Cene gasa\n\nČitaj ovo.  \n> staro\n",
        "<p>Not this</p>",
        Subject="Šta je sa gasom " + "i vodom " * 12,
        From='"Ćirić, A." <a@b.c>',
        To="x@y.z, Đ. B. <d@y.z>",
        Message_ID="<1@b.c>",
        In_Reply_To="<0@b.c>",
    )
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="izveštaj.pdf")
    made.add_attachment(mail("Forwarded.", Subject="Old"))
    got = read("a.eml", made.as_bytes())
    assert got.text == "Cene gasa\n\nČitaj ovo.\n> staro"
    assert (got.title, got.author) == ("Šta je sa gasom " + " ".join(["i vodom"] * 12), "Ćirić, A.")
    assert (got.date, got.has_lines, parts(got)) == ("2024-02-15T09:30:00+01:00", False, [("", got.text)])
    assert got.metadata == {
        "to": "x@y.z, Đ. B.",
        "message_id": "1@b.c",
        "in_reply_to": "0@b.c",
        "thread": "0@b.c",
        "attachments": ["izveštaj.pdf", "message.eml"],
    }


def test_html_is_read_where_there_is_no_plain_text() -> None:
    """With its headings, and without what a page has around its text."""
    page = "<html><nav>Menu</nav><h1>Gas</h1><p>Prices <b>fell</b>.</p><h2>Stores</h2><p>Full.</p></html>"
    for text in ("", " \n"):
        got = read("a.eml", mail(text, page).as_bytes())
        assert got.text == "Gas\n\nPrices fell.\n\nStores\n\nFull."
        assert parts(got) == [("", "Prices fell."), ("Stores", "Full.")]


def test_texts_that_follow_one_another_are_all_read() -> None:
    """As lists add a footer."""
    made = mail("One.")
    made.make_mixed()
    footer = EmailMessage()
    footer.set_content("Two.")
    made.attach(footer)
    assert read("a.eml", made.as_bytes()).text == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        (b"", "Čaša".encode(), "Čaša"),
        (b"Content-Type: text/plain; charset=iso-8859-2\n", "Čaša".encode("iso-8859-2"), "Čaša"),
        (b"Content-Type: text/plain; charset=nonsense\n", "Čaša".encode(), "Čaša"),
        (b"Content-Type: text/plain; format=flowed\n", b"It goes \non.\n-- \nMe", "It goes on.\n--\nMe"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", b"SGVsbG8u", "Hello."),
        (b"Content-Type: text/plain\n", b"a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_bodies_are_decoded(head: bytes, body: bytes, text: str) -> None:
    """As they declare, or as they are."""
    assert read("a.eml", b"Subject: x\n" + head + b"\n" + body).text == text


@pytest.mark.parametrize(
    ("head", "title", "author", "date"),
    [
        ("Subject: Čaša\nFrom: Đorđe <a@b.c>".encode(), "Čaša", "Đorđe", "2024-01-02"),
        (b"Subject: =?utf-8?b?xIxhxaFh?= =?iso-8859-2?q?_vode?=", "Čaša vode", "", "2024-01-02"),
        (b"Subject: =?nonsense?q?a?=\nDate: never", "a", "", "2024-01-02"),
        (b"Subject: a\nDate: 15 Feb 2024 08:30 GMT", "a", "", "2024-02-15T08:30:00+00:00"),
        (b"Subject: a\n b\nDate: Mon, 1 Jan 1900 00:00:00 +0000", "a b", "", "2024-01-02"),
    ],
)
def test_headers_are_decoded(head: bytes, title: str, author: str, date: str) -> None:
    """Also those that nobody encoded; a date that cannot be leaves that of the file's name."""
    got = read("2024-01-02-a.eml", head + b"\n\nText.")
    assert (got.title, got.author, got.date) == (title, author, date)


@pytest.mark.parametrize(
    ("headers", "thread"),
    [
        ({"Message_ID": "<3@b.c>", "In_Reply_To": "<2@b.c>", "References": "<1@b.c>\n <2@b.c>"}, "1@b.c"),
        ({"Message_ID": "<2@b.c>", "In_Reply_To": "A note of a@b.c of Monday <1@b.c>"}, "1@b.c"),
        ({"Message_ID": "<1@b.c>"}, "1@b.c"),
        ({"Message_ID": "1@b.c"}, "1@b.c"),
        ({"Message_ID": "<1@b.c>", "References": "none at all"}, "1@b.c"),
        ({}, None),
    ],
)
def test_a_thread_is_named_by_the_mail_that_began_it(headers: dict[str, str], thread: str | None) -> None:
    """As far as a mail says which that is."""
    data = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    assert read("a.eml", f"Subject: x\n{data}\nText.".encode()).metadata.get("thread") == thread


def test_attached_files_have_names_of_their_own() -> None:
    """What has none is named by its type, and what has a name that is taken gets a number; no name leads anywhere."""
    made = mail("Text.")
    for name in ("a.txt", "../..\\a.txt", "a.txt", "a (2).txt", "notes", "picture.png", "x.bin", None):
        made.add_attachment(f"{name}", filename=name)
    picture = EmailMessage()
    picture.set_content(b"x", "image", "png", cid="<1@b.c>")
    made.attach(picture)
    assert [(name, data.decode().strip()) for name, data in attached(made.as_bytes())] == [
        ("a.txt", "a.txt"),
        ("a (2).txt", "../..\\a.txt"),
        ("a (3).txt", "a.txt"),
        ("a (2) (2).txt", "a (2).txt"),
        ("notes.txt", "notes"),
        ("picture.png", ""),
        ("x.bin", ""),
        ("attached.txt", "None"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_names_that_nobody_encoded_are_read(encoding: str) -> None:
    """In whichever encoding their bytes are, and however the header is folded."""
    name = "Годишњи извештај о раду службе.txt"
    head = f'Subject: x\nContent-Type: text/plain\nContent-Disposition: attachment;\n filename="{name}"\n\nText.\n'
    assert attached(head.encode(encoding)) == [(name, b"Text.\n")]


def test_attached_texts_keep_their_encoding() -> None:
    """It is stated in the mail alone, so that they are given as UTF-8, which a page must not contradict."""
    made = mail("Text.")
    made.add_attachment("<meta charset=iso-8859-2>Čaša", "html", "iso-8859-2", filename="a.html")
    made.add_attachment("Čaša", "plain", "utf-8", filename="b.txt")
    (_, page), (_, plain) = attached(made.as_bytes())
    assert (page.decode("utf-8-sig"), page[:3]) == ("<meta charset=iso-8859-2>Čaša\r\n", b"\xef\xbb\xbf")
    assert plain == "Čaša\r\n".encode()


@pytest.mark.parametrize("head", [b"", b"Content-Transfer-Encoding: base64\n"])
def test_an_attached_mail_is_given_as_it_was(head: bytes) -> None:
    """Also where a program has packed it, which no program may; a line that begins with "From" is not quoted."""
    inner = mail("Forwarded.\nFrom here.\n" + "č" * 200, Subject="Old " + "and long " * 20).as_bytes()
    body = head + b"\n" + (encodebytes(inner) if head else inner)
    data = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n" + body
    ((name, found),) = attached(data + b"\n--b--\n")
    assert name == "message.eml"
    assert read(name, found) == read(name, inner)


def nested(depth: int) -> bytes:
    heads = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(depth))
    return ("Subject: x\n" + heads + "\nText.\n").encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no headers at all", "not a mail: it has no headers"),
        (b"Subject: x\n\n  \n", "no text in it"),
        (b"Subject: x\nContent-Type: image/png; name=a.png\n\nx", "no text in it, only a.png"),
        (b"Subject: x\n\n\0\1\2", "binary data, not text"),
        (nested(2000), "nested too deep"),
        (b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n" + b"\n--b\n" * 10_001, "has more than 10000 parts"),
    ],
)
def test_what_cannot_be_read_gives_its_reason(data: bytes, reason: str) -> None:
    """Nothing is skipped in silence."""
    with pytest.raises(ReadError) as caught:
        read("a.eml", data)
    assert str(caught.value) == reason


SAVED = """From: <Saved by a browser>
Snapshot-Content-Location: https://example.org/gas
Subject: Gas | The Paper
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="b"

--b
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable
Content-Location: https://example.org/gas

<html><head><meta charset=3D"utf-8"><title>Gas | The Paper</title></head><body><nav>Menu</nav>=
<article><h1>Gas</h1><p>Prices fell =C4=8D.</p></article></body></html>
--b
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-Location: https://example.org/a.png

iVBORw0KGgo=
--b
Content-Type: text/html
Content-Location: https://ads.example.org/

<html><body><p>An advertisement in a frame, which is longer than the article itself.</p></body></html>
--b--
"""


def test_a_saved_page_is_the_article_in_it() -> None:
    """Without what stands around it or in frames, and with the address that it was saved from."""
    got = read_page("a.mhtml", SAVED.encode())
    assert (got.text, got.title) == ("Gas\n\nPrices fell č.", "Gas")
    assert got.metadata == {"url": "https://example.org/gas"}
    with pytest.raises(ReadError, match=r"^no web page in it$"):
        read_page("a.mhtml", b"Subject: x\n\nText.")
