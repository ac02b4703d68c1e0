"""A web page becomes the text of its article, with its headings and what it says of itself, and nothing around it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.errors import ReadError
from semsearch.read.html import read
from semsearch.types import Document


def page(body: str, head: str = "") -> Document:
    return read("a.html", f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode())


def parts(made: Document) -> list[tuple[str, str]]:
    """Heading and text of each section, without white space around."""
    return [(cut.heading, made.text[cut.start : cut.end].strip()) for cut in made.sections or ()]


def test_an_article_becomes_a_document() -> None:
    """Text, title, date, author, source, language, address and sections of a page as papers make them."""
    made = read(
        "a.html",
        """<!doctype html><html lang="sr-Latn"><head><meta charset="utf-8"><title>Ćuprija | List</title>
        <meta property="og:title" content="Na  Drini ćuprija"><meta property="og:site_name" content="List">
        <meta property="article:published_time" content="2024-02-15T09:30:00+01:00">
        <meta name="author" content="I. A."><link rel="canonical" href="https://example.org/a"></head><body>
        <header><h1>List</h1></header><nav>Politika</nav><article><header><h1>Na Drini ćuprija</h1></header>
        <p>Prvi <b>pas</b>us.</p><h2>Drugi deo</h2><ul><li>jedan</li><li>dva</li></ul><aside>Reklama</aside>
        </article><footer>2024</footer></body></html>""".encode(),
    )
    assert made.text == "Na Drini ćuprija\n\nPrvi pasus.\n\nDrugi deo\n\njedan\n\ndva"
    assert (made.title, made.date) == ("Na Drini ćuprija", "2024-02-15T09:30:00+01:00")
    assert (made.author, made.source, made.language) == ("I. A.", "List", "sr-Latn")
    assert (made.metadata, made.has_lines) == ({"url": "https://example.org/a"}, False)
    assert parts(made) == [("", "Prvi pasus."), ("Drugi deo", "jedan\n\ndva")]


TEXTS = [
    ("<p>a</p><p>b</p>", "a\n\nb"),
    ("<p>a\n\t b&nbsp;c  <i>d</i>e</p>", "a b c de"),
    ("<div>a<div>b</div>c</div>d", "a\n\nb\n\nc\n\nd"),
    ("a<br>b<br/><br>c<br><br><br>d", "a\nb\n\nc\n\nd"),
    ("<pre>\n  a\n    b\r\n\nc\n</pre>d", "  a\n    b\n\nc\n\nd"),
    ("<pre>a <b>b</b>\n<i>c</i></pre>", "a b\nc"),
    ("<ul><li>a<ul><li>b</li></ul></li><li>c", "a\n\nb\n\nc"),
    ("<table><tr><td>a</td><td>b</td></tr><tr><th>c</table>", "a\n\nb\n\nc"),
    ("<dl><dt>a<dd>b</dl><blockquote>c</blockquote>", "a\n\nb\n\nc"),
    ("<figure><img alt=x><figcaption>a</figcaption></figure>b", "a\n\nb"),
    ("<span>a</span><span>b</span> <a href=x>c</a>", "ab c"),
    ("&lt;b&gt; &amp; &quot;&#8222;&hellip;", '<b> & "„…'),
    ("Bundes&shy;wehr zero\u200bwidth", "Bundeswehr zerowidth"),
    ("a<hr>b", "a\n\nb"),
    ("a<nav>x</nav>b", "a\n\nb"),
]


@pytest.mark.parametrize(("body", "text"), TEXTS)
def test_blocks_become_paragraphs(body: str, text: str) -> None:
    """A blank line between blocks, a line for a break, white space collapsed but in `<pre>`."""
    assert page(body).text == text


# fmt: off
FURNITURE = [
    "script", "style", "noscript", "template", "svg", "nav", "header", "footer", "aside", "form", "button",
    "iframe", "select", "textarea",
]
# fmt: on


@pytest.mark.parametrize(
    "furniture",
    [
        *(f"<{tag}>x</{tag}>" for tag in FURNITURE),
        "<!-- x -->",
        "<p hidden>x</p>",
        "<div hidden=until-found><p>x</div>",
        "<span aria-hidden=true>x</span>",
        "<noscript><p>x</p></noscript>",
        "<form><p>x<input value=x></form>",
        "<![CDATA[x]]>",
        "<?x x?>",
    ],
)
def test_what_is_not_the_text_is_dropped(furniture: str) -> None:
    """Scripts, comments, menus, forms, what is hidden."""
    assert page(f"<p>Before.</p>{furniture}<p>After.</p>").text == "Before.\n\nAfter."


def test_what_only_looks_like_furniture_stays() -> None:
    """The header of an article, what is explicitly shown, a form that the whole page stands in."""
    assert page("<main><header>Lead</header></main>").text == "Lead"
    assert page("<p aria-hidden=false>a</p>").text == "a"
    assert page("<form action=/post><article>a</article></form>").text == "a"
    assert read("a.html", b"<body hidden aria-hidden=true>a").text == "a"


CONTENTS = [
    ("<p>a</p><article>b</article><article>longer</article>", "longer"),
    ("<article>one<article>its comment</article></article><article>two</article>", "one\n\nits comment"),
    ("<article><script>long long long</script>a</article><article>bb</article>", "bb"),
    ("<article></article><main>m</main>b", "m"),
    ("<main><p>m</p><article>a</article></main>", "a"),
    ("<aside><article>teaser</article></aside><main>m</main>", "m"),
    ("<div>d</div>b", "d\n\nb"),
]


@pytest.mark.parametrize(("body", "text"), CONTENTS)
def test_the_content_is_the_largest_article_or_the_main_part_or_all(body: str, text: str) -> None:
    """An article's size is that of its text; one without text is none."""
    assert page(body).text == text


def test_headings_divide_the_text_as_in_markdown() -> None:
    """Trails without the title; a heading with nothing below is a section of its own."""
    long = ("long " * 50).strip()
    made = page(f"<p>Kicker</p><h1>T</h1>Lead<h2>A</h2><h3>B</h3><p>b</p><h3>C</h3><h2>D<br>E</h2>e<h2>{long}</h2>")
    assert parts(made) == [
        ("", "Kicker"),
        ("", "Lead"),
        ("A › B", "b"),
        ("A", "C"),
        ("D E", f"e\n\n{long}"),
    ]


TITLES = [
    ("<meta property=og:title content='A &amp; B'><title>C</title>", "<h1>D</h1>x", "A & B", "D"),
    ("<title>C</title>", "<h1> D\n d</h1>x", "D d", ""),
    ("<title> C\n c </title>", "<h2>D</h2>x", "C c", "D"),
    ("<meta property=og:title content='D | The Paper'>", "<h1>D</h1>x", "D", ""),
    ("<meta property=og:title content='Days'>", "<h1>Day</h1>x", "Days", "Day"),
    (
        "<meta property=og:title content='Days - The Paper'><meta property=og:site_name content='The Paper'>",
        "x",
        "Days",
        "",
    ),
    ("<title>Days - the-paper.example</title>", "x", "Days", ""),
    (
        "<title>The Paper » News » A day in May</title>",
        "<h1>The Paper</h1><h2>A day in May</h2>x",
        "A day in May",
        "",
    ),
    ("<title>The Paper - A day in May</title>", "<p>The Paper<p>A day in May<p>x", "A day in May", ""),
    ("<title>Data.Bimap</title>", "<h1>Types</h1>x<h1>Queries</h1>y", "Data.Bimap", "Queries"),
    ("<meta property=og:title content=a-slug-of-words>", "<h1>Words</h1>x", "Words", ""),
    ("<title>Paper | Prices of gas</title>", "<h1>Of Gas</h1><h1>All prices of gas</h1>x", "All prices of gas", ""),
    ("", "x<svg><title>S</title></svg>", "", ""),
]


@pytest.mark.parametrize(("head", "body", "title", "trail"), TITLES)
def test_the_title_is_stated_or_the_first_heading(head: str, body: str, title: str, trail: str) -> None:
    """The heading or line that a stated title has, without the site's name; else og:title, the only h1, `<title>`.

    A heading that repeats it is in no trail.
    """
    made = page(body, head)
    assert (made.title, made.sections[-1].heading if made.sections else None) == (title, trail)


LD = '<script type="application/ld+json">{}</script>'
FACTS: list[tuple[str, dict[str, object]]] = [
    ("<meta name=date content=2024-02-15>", {"date": "2024-02-15"}),
    ("<meta name=DC.date content=2024-02-15><meta name=date content=soon>", {"date": "2024-02-15"}),
    ("<meta name=dcterms.date content=2024-02-15>", {"date": "2024-02-15"}),
    ("<meta name=pub_date content=20240215>", {"date": "2024-02-15"}),
    ("<meta name=sailthru.date content='Thursday, Feb. 15, 2024'>", {"date": "2024-02-15"}),
    ("<link rel=canonical href=https://example.org/2024/2/15/gas/>", {"date": "2024-02-15"}),
    ("<title>Today, Feb 15th, 2024</title>", {"date": "2024-02-15"}),
    (LD.format('{"datePublished": "2024-02-15T10:00Z"}'), {"date": "2024-02-15T10:00:00+00:00"}),
    (LD.format('{"@graph": [{"@type": "Person"}, {"datePublished": "2024-02-15"}]}'), {"date": "2024-02-15"}),
    (
        LD.format('[{"datePublished": "2001-01-01"}, {"@type": ["NewsArticle"], "datePublished": "2024-02-15"}]'),
        {"date": "2024-02-15"},
    ),
    (LD.format("{broken") + LD.format("[" * 10**5) + LD.format('[1, null, {"author": [[]]}]'), {"author": ""}),
    (LD.format('{"author": "A"}'), {"author": "A"}),
    (LD.format('{"author": [{"name": "A"}, {"name": "B\\ud800"}, {}]}'), {"author": "A, B?"}),
    (
        "<meta property=article:author content=https://fb.example/a>" + LD.format('{"author": {"name": "A"}}'),
        {"author": "A"},
    ),
    ("<meta property=article:author content=A>", {"author": "A"}),
    ("<meta name=author content=' '><meta name=AUTHOR content='A  B'>", {"author": "A B"}),
    ("<meta property=og:url content=https://example.org/a>", {"metadata": {"url": "https://example.org/a"}}),
    ("<link rel=canonical href=https://example.org/b>", {"metadata": {"url": "https://example.org/b"}}),
]


@pytest.mark.parametrize(("head", "expected"), FACTS)
def test_the_head_says_what_is_known(head: str, expected: dict[str, object]) -> None:
    """Date, author and address under the names in use; what is broken says nothing."""
    made = page("x", head)
    assert {name: getattr(made, name) for name in expected} == expected


def test_a_time_in_the_content_dates_it_and_then_the_name() -> None:
    """Where the head gives no date."""
    html = b"<time datetime=2020-01-01>old</time><article><time datetime=2024-02-15></time>x</article>"
    assert read("2023-01-01-a.html", html).date == "2024-02-15"
    assert read("2023-01-01-a.html", b"<time datetime=soon>x</time>").date == "2023-01-01"


DATED = [
    "<h1>T</h1><p>By A. B. on 15 February 2024 in Europe</p>x",
    "<div>15.02.2024</div><h1>T</h1>x",
    "<h1>T</h1><p>In May.</p><time>Feb 15, 2024 3:21 PM</time>",
    "<h1>T</h1><p>On 1 May 2001, when nobody had yet thought of what was to come, it began.</p><p>15/2/2024</p>",
    "<h1>T</h1>" + "<p>Words that go on.</p>" * 20 + "Published: 15.2.2024",
    "<h1>T</h1><p>(15.02.2024) Gas fell by a fifth within a month, which nobody had thought possible.</p>",
    "<p>Paper</p><p>1 May 2001</p><article><h3>Words</h3><p>15 Feb 2024</p>x</article>",
    "<h1>T</h1><article>x</article><footer><time class='entry-date published' datetime=2024-02-15>then</time></footer>",
    "<h1>T</h1>x<span property='dc:date dc:created' content=2024-02-15></span><time datetime=2020-01-01>y</time>",
    "<h1>T</h1>x<abbr class=published title=2024-02-15T09:00>this morning</abbr>",
]


@pytest.mark.parametrize("body", DATED)
def test_a_page_is_dated_by_its_marks_and_by_the_lines_around_its_headline(body: str) -> None:
    """Not by a sentence, and not by a comment's time."""
    assert page(body).date[:10] == "2024-02-15"


def test_a_page_that_tells_of_days_is_not_dated_by_them() -> None:
    """Far from the headline, or in the middle of what it says."""
    assert page("<h1>T</h1>" + "<p>Words that go on.</p>" * 20 + "<p>15 February 2024</p>").date == ""
    assert page("<h1>T</h1><p>It was on 15 February 2024 that all of them had left the house at last.</p>").date == ""


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ('<meta charset="windows-1250">', "cp1250"),
        ("<META http-equiv=Content-Type content='text/html; charset=ISO-8859-2'>", "iso8859-2"),
        ('<?xml version="1.0" encoding="windows-1251"?>', "cp1251"),
        ('<meta charset="utf-8">', "utf-8"),
        ('<meta charset="windows-1250">', "utf-8-sig"),
        ('<meta charset="utf-8">', "utf-16"),
    ],
)
def test_the_declared_encoding_is_used_unless_a_mark_says_otherwise(declaration: str, encoding: str) -> None:
    """Even for a word that no detection could tell."""
    word = "реч" if encoding == "cp1251" else "žut"
    assert read("a.html", f"{declaration}<p>{word}".encode(encoding)).text == word


def test_xhtml_may_close_elements_at_once() -> None:
    """In HTML, the rest of the page would be the script."""
    made = read(
        "a.xhtml",
        b'<?xml version="1.0"?><html><head><script src="x"/><title/></head><body><a id="b"/>c<br/>d</body></html>',
    )
    assert made.text == "c\nd"


@pytest.mark.parametrize(
    "data", [b"<p> &nbsp; </p>", b"<title>T</title><script>x</script>", b"<frameset><frame src=x>"]
)
def test_a_page_without_text_is_refused(data: bytes) -> None:
    """A title alone is nothing to cite."""
    with pytest.raises(ReadError, match=r"^no text in it$"):
        read("a.html", data)


MANY = 20_000
HOSTILE = {
    "deep": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "deep and never closed": "<div>x" * MANY,
    "deep inline": "<span>" * MANY + "x",
    "deep lists": "<ul><li>" * MANY + "x",
    "formatting never closed": "".join(f"<p><font size={number % 9}>x" for number in range(MANY // 2)),
    "headings": "<h2>x</h2>" * (MANY // 2),
    "attributes": "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">x",
    "bodies": "".join(f"<body a{number % 9}>" for number in range(MANY)) + "x",
    "comments": "x" + "<!--" * MANY,
    "scripts": "x" + "<script>" * MANY,
    "angles": "x" + "<" * MANY,
    "tags that never end": "x" + "<a " * MANY,
    "space": "x" + " " * 10**6,
    "breaks": "x" + "<br>" * MANY,
    "links to neighbours": "x <p>y" + "<a rel=next href=b>z</a>" * MANY,
    "nested blocks around links to neighbours": "x" + "<div>" * 500 + "<p><a rel=next href=b>z</a>" * (MANY // 4),
    "labels": "x<span>" + "[<a href=b>edit</a>]" * MANY,
    "permalinks": "x" + "<a href=#b>¶</a>" * MANY,
    "texts of articles": "<div class=entry-content>x" * MANY,
    "headlines": f"<title>{'x - ' * 4000}</title>" + "<h2>x</h2>" * (MANY // 2),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pages_are_read_in_linear_time(body: str) -> None:
    """No depth, no repetition crashes the parser or takes it minutes, and the text is there."""
    began = time.process_time()
    assert page(body).text.startswith("x")
    assert time.process_time() - began < 3


@pytest.mark.parametrize("body", ["<b>x</b>" * 500_001, "<p " + "a=b " * 4000 + ">x", "<p a/b/c/d/e>x" * 200_000])
def test_a_page_of_a_million_tags_or_attributes_is_refused(body: str) -> None:
    """They would take gigabytes; one tag with thousands of attributes is cut off instead."""
    if body.count("<") == 1:
        assert page(body).text == "x"
        return
    with pytest.raises(ReadError, match="more than a million tags and attributes"):
        page(body)


def test_the_limits_leave_an_ordinary_page_alone() -> None:
    """Thousands of drawings, anchors that nobody closed and a picture in the page itself change nothing."""
    body = "<svg><path d='M0'/><use/></svg><a name=x>" * 2000 + f"<img src='data:image/png;base64,{'A' * 10**5}'>"
    made = page(f"{body}<article><div><p>One</p></div><section><h2>Two</h2>three</section></article>")
    assert made.text == "One\n\nTwo\n\nthree"


# fmt: off
TAGS = [
    "article", "main", "p", "div", "h1", "h2", "h6", "ul", "li", "pre", "br", "b", "a", "table", "td", "script",
    "style", "nav", "header", "form", "time", "span", "svg", "title",
]
# fmt: on
PIECES = st.one_of(
    st.sampled_from(TAGS).map("<{}>".format),
    st.sampled_from(TAGS).map("</{}>".format),
    st.sampled_from(
        ["<p hidden>", "<!--", "-->", "&amp;", "&lt;p&gt;", "&#0;", " ", "\n", "<time datetime=2024-01-01>"]
    ),
    st.text(max_size=6),
)


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_page_is_divided_without_loss(body: str) -> None:
    """For any markup: text with words in it, sections in order and in bounds, and nothing between but headings."""
    try:
        made = page(body.replace("\0", ""))
    except ReadError:
        return
    assert made.text == made.text.strip("\n") != ""
    made.text.encode()
    end, between = 0, []
    for cut in made.sections or ():
        assert end <= cut.start < cut.end <= len(made.text)
        assert made.text[cut.start : cut.end].strip()
        between += made.text[end : cut.start].split("\n\n")
        end = cut.end
    known = [made.title, *(cut.heading for cut in made.sections or ())]
    for words in (" ".join(block.split()) for block in [*between, *made.text[end:].split("\n\n")]):
        assert any(words.casefold() in heading.casefold() for heading in known)
