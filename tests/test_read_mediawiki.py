"""A dump of a wiki gives its articles as people read them, and each rule of its markup does what it says."""

from __future__ import annotations

import bz2
import random
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from semsearch.errors import ReadError
from semsearch.read import open_file
from semsearch.read.blocks import laid_out
from semsearch.read.wikitext import blocks
from semsearch.types import Document

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="de"><siteinfo>
<sitename>Wikipedia</sitename><dbname>dewiki</dbname><base>https://de.wikipedia.org/wiki/Wikipedia:Hauptseite</base>
<namespaces><namespace key="0" /><namespace key="6" case="first-letter">Datei</namespace>
<namespace key="14">Kategorie</namespace></namespaces></siteinfo>"""
PAGE = """<page><title>{title}</title><ns>{ns}</ns><id>7</id>{more}<revision><id>1</id>
<timestamp>2023-01-01T00:00:00Z</timestamp><text xml:space="preserve">Old text.</text></revision><revision><id>2</id>
<timestamp>2024-02-15T09:30:00Z</timestamp><contributor><username>X</username></contributor>
<text bytes="9" xml:space="preserve">{text}</text></revision></page>"""
ARTICLE = """{{Infobox|name={{lang|en|x}}|image=[[Datei:a.jpg]]}}
[[Datei:Krupanj.jpg|mini|Ein [[Bild]] der Stadt]]
'''Krupanj''' ist eine ''Stadt''<ref name=a>Quelle {{cite|x}}</ref> in [[Serbien|der Republik]] &amp; [[Europa]].<ref/>

== Geschichte ==<!-- alt -->
* Erster [https://example.org/a Punkt] &nbsp;hier
* Zweiter {{lang|sr|Радован}} Punkt
=== Leer ===
== Tabelle ==
{| class="wikitable"
|+ Werte
! Jahr !! Zahl
|-
| style="x" | 1991 || [[5]]
|}
== Weblinks ==
{{Commons|x}}
[[Kategorie:Ort]]
[[en:Krupanj]]
__NOTOC__"""
TEXT = """Krupanj ist eine Stadt in der Republik & Europa.

Geschichte

Erster Punkt hier

Zweiter Радован Punkt

Tabelle

Werte

Jahr\tZahl

1991\t5"""


def dump(*pages: tuple[str, str, str, str]) -> bytes:
    """A dump of pages: title, namespace, what is said besides, text."""
    each = (PAGE.format(title=t, ns=ns, more=more, text=escape(text)) for t, ns, more, text in pages)
    return (HEAD + "".join(each) + "</mediawiki>").encode()


def plain(text: str) -> str:
    return laid_out(blocks(text, {"file"}))[0]


@pytest.mark.parametrize("packed", [False, True])
def test_a_dump_gives_its_articles(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """By their titles, with where the wiki has them; other pages are left out."""
    data = dump(
        ("Krupanj (Mačva)", "0", "", ARTICLE),
        ("Diskussion:Krupanj", "1", "", "Talk."),
        ("Krupań", "0", '<redirect title="Krupanj" />', "#REDIRECT [[Krupanj]]"),
        ("Leer", "0", "", "{{Vorlage}}"),
    )
    name = "wiki.xml.bz2" if packed else "wiki.xml"
    (tmp_path / name).write_bytes(bz2.compress(data) if packed else data)
    with open_file(tmp_path / name, name) as opened:
        article, empty = opened.documents
    assert isinstance(article, Document)
    assert (article.path, article.title) == (f"{name}#Krupanj (Mačva)", "Krupanj (Mačva)")
    assert article.text == TEXT
    assert (article.date, article.source, article.language) == ("2024-02-15T09:30:00+00:00", "Wikipedia", "de")
    assert article.metadata == {"url": "https://de.wikipedia.org/wiki/Krupanj_(Ma%C4%8Dva)"}
    assert [section.heading for section in article.sections or ()] == ["", "Geschichte", "Tabelle"]
    assert not isinstance(empty, Document)
    assert (empty.path, empty.reason) == (f"{name}#Leer", "no text in it")


def test_a_dump_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """After the articles that are whole in it."""
    (tmp_path / "w.xml").write_bytes(dump(("A", "0", "", "One."), ("B", "0", "", "Two. " * 40_000))[:-300])
    found = []
    with open_file(tmp_path / "w.xml", "w.xml") as opened, pytest.raises(ReadError, match="not well-formed"):
        found.extend(opened.documents)
    with open_file(tmp_path / "w.xml", "w.xml") as opened:
        assert next(opened.documents).path == "w.xml#A"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a {{b|c {{d}} e}} f", "a f"),
        ("a {{b [[c|d]] e", "a b d e"),
        ("[[a|b {{c]] d}} e", "b c d e"),
        ("a {{b|{{c|}}}} d {{{e|}}} f", "a d } f"),
        ("a ]] b }} c |} d", "a b c d"),
        ("[[:File:x]] [[File:y|z]]", "File:x"),
        ("a <ref>b", "a b"),
        ("a <REF group=x>b</ref> c<br/>d<ref name=y />e</ref>", "a c\n\nde"),
        ("<b>a</b> &lt;i&gt; <!-- b", "a <i> <!-- b"),
        ("''''' a ''''' ''b''", "a b"),
        ("Ulysse, dans l'''Odyssée'', revient; '''Troie''' brûle", "Ulysse, dans l'Odyssée, revient; Troie brûle"),
        ("dell'''Eneide'' di '''Virgilio'''", "dell'Eneide di Virgilio"),
        ("l''''amour''' et '''''''tout'''''", "l'amour et ''tout"),
        ("'''never closed", "never closed"),
        ("[http://x.y] [//x.y z w] [mailto:a@b c] [not one]", "z w c [not one]"),
        ("= A =\nb\n==C==\n===D===\ne\n==F==", "A\n\nb\n\nC\n\nD\n\ne"),
        ("----\n:a\n; b : c\n#d", "a\n\nb : c\n\nd"),
        ("{{nowrap|5 km}} {{lang-sr|Мачва}}", "5 km Мачва"),
        ("", ""),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    """What marks text is gone, what is text is left, and what is not closed is text."""
    assert plain(markup) == text


def test_any_signs_are_read() -> None:
    """Whatever stands beside what: never an error, and no word that was outside of everything is lost."""
    rng = random.Random(1)
    signs = [
        "{{",
        "}}",
        "[[",
        "]]",
        "{|",
        "|}",
        "|",
        "=",
        "==",
        "\n",
        "<ref>",
        "</ref>",
        "<!--",
        "-->",
        "'''",
        "[//",
        "]",
    ]
    for _ in range(2_000):
        made = "".join(rng.choice([*signs, "word ", "x"]) for _ in range(rng.randrange(40)))
        assert plain(f"first\n\n{made}").startswith("first")


@pytest.mark.parametrize(
    "sign", ["{{", "[[", "{|\n", "<ref>", "<!--", "[//", "[//a ", "=", "''", "<br", "|}", "{{lang|", "&lt"]
)
def test_what_is_never_closed_takes_no_more_than_its_size(sign: str) -> None:
    """A megabyte of it is read at once; the test would not end if that grew with the square."""
    assert isinstance(plain(sign * (2**20 // len(sign))), str)
