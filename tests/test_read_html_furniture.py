"""What is named as standing around the content goes, and no content with it, on pages without elements of HTML 5."""

from __future__ import annotations

import pytest

from semsearch.read.html import read

ARTICLE = "<h1>Gas</h1><p>Prices fell.</p>"
TEXT = "Gas\n\nPrices fell."


def text_of(body: str) -> str:
    return read("a.html", f"<!doctype html><html><body>{body}</body></html>".encode()).text


@pytest.mark.parametrize(
    "named",
    [
        'div class="cookie-consent"',
        'div id="cookieBanner"',
        'div class="col-4 sidebar"',
        'ul class="menu"',
        'div id="comments"',
        'ol class="commentlist"',
        'div class="related-articles"',
        'section class="comments"',
        'table class="navbox nav"',
        'div role="navigation"',
        'details id="toc"',
        'p class="newsletter_signup"',
        'div class="sf_comment_text"',
        'div class="most-popular"',
    ],
)
def test_what_is_named_as_furniture_goes(named: str) -> None:
    """Before the article and after it."""
    tag = named.split(maxsplit=1)[0]
    furniture = f"<{named}><tr><td>Not <b>this</b></tr></{tag}>"
    assert text_of(f"{furniture}<div class='post'>{ARTICLE}</div>{furniture}") == TEXT


@pytest.mark.parametrize(
    "named",
    [
        'div class="page has-sidebar"',
        'div class="post category-social tag-cookies"',
        'section id="cookies"',
        'div class="section" id="comments"',
        'div id="module.comment"',
        'div class="commentary"',
        'div class="elementor-widget elementor-widget-text-editor"',
        'div class="social-security"',
        'div id="related-work"',
        'div class="menu-of-the-day"',
        'div class="sharedmemory"',
        'div class="no_comments"',
        'div class="popular-science"',
        'span class="comment"',
        'code class="hljs-comment"',
    ],
)
def test_what_only_sounds_like_it_stays(named: str) -> None:
    """Topics of posts, sections of manuals, comments in code."""
    tag = named.split(maxsplit=1)[0]
    assert text_of(f"{ARTICLE}<{named}>Kept</{tag}>").split() == [*TEXT.split(), "Kept"]


@pytest.mark.parametrize("inside", [ARTICLE, f"<main>{ARTICLE}</main>", f'<div role="main">{ARTICLE}</div>'])
def test_what_has_the_content_in_it_stays(inside: str) -> None:
    """A wrapper that is named after one of its parts."""
    assert text_of(f'<div class="with menu"><p class="menu">x</p>{inside}</div>') == TEXT


def test_a_page_that_is_nearly_all_furniture_is_read_whole() -> None:
    """Then the names say something else."""
    assert text_of(f"<p>Comments</p><div class='comments'><p>{'All of it. ' * 9}</p></div>").count("All of it.") == 9


LINES = [
    "<div>Next: <a href=b rel=next>Beta</a>, Up: <a href=c rel=up>Top</a></div>",
    "<a class=headerlink href=#gas>¶</a>",
    "<a href=#gas>\uf0c1</a>",
    "<a class=src href=x.rs>source</a>",
    "<span>[<a href=/edit>edit</a>]</span>",
    '<section id="table_of_contents"><a href=#b>Beta</a></section>',
    '<div role="navigation"><h1>The Gazette</h1></div>',
]


@pytest.mark.parametrize("line", LINES)
def test_links_that_say_what_they_are_for_go(line: str) -> None:
    """To the pages before and after, to the place itself, to the source of it; a menu's own headline too."""
    assert text_of(f"<div role=main>{ARTICLE}{line}</div>{line}") == TEXT


def test_links_in_the_text_stay() -> None:
    """Whatever they say."""
    said = "for as long as one cares to read about such things"
    body = f"<p>See <a href=#b>Beta</a>, <a href=c rel=next>which goes on</a> {said}, <a href=x>source</a>.</p>"
    assert text_of(ARTICLE + body).endswith(f"See Beta, which goes on {said}, source.")


LONG = "<p>It fell by a fifth within a month, which nobody had thought possible, and then it fell again.</p>" * 3
SHOWN = "\n\n".join(
    ["It fell by a fifth within a month, which nobody had thought possible, and then it fell again."] * 3
)
NAMED = [
    "div class=entry-content",
    "div id=articleBody",
    "div class='c-story__text large'",
    "section itemprop=articleBody",
    "td class=post-body",
]


@pytest.mark.parametrize("named", NAMED)
def test_what_is_named_as_the_text_of_an_article_is_the_text(named: str) -> None:
    """With the headline and the lead before it, and nothing that comes after."""
    lead = "What the markets had feared for so long has come to pass, and sooner."
    body = f"<h1>Gas</h1><p>By A. B.</p><p>{lead}</p><{named}>{LONG}</{named.split(maxsplit=1)[0]}>"
    body = f"<table><tr>{body}</tr></table>" if named.startswith("td") else body
    assert set(
        text_of(f"<p>Paper</p>{body}<p>A. B. writes of gas for this paper since many years.</p>").split("\n\n")
    ) == {
        "Gas",
        lead,
        *SHOWN.split("\n\n"),
    }


def test_the_innermost_name_holds_unless_there_is_more_around_it() -> None:
    """Papers nest such names; a story's box with a part named alike within it is whole."""
    inner = f"<div class=entry-body>{LONG}</div>"
    assert text_of(f"<div class=entry><p>Share it</p>{inner}<p>More like it</p></div>") == SHOWN
    outer = f"<div class=story-content>{LONG}{LONG}<div class=story-text>{LONG}</div></div>"
    assert text_of(outer).count("a fifth") == 9


def test_a_list_of_articles_is_read_whole() -> None:
    """No one of them is the page's."""
    each = f"<h2>Gas</h2><div class=entry-content>{LONG}</div>"
    assert text_of(each * 3).count("a fifth") == 9


def test_menus_without_names_go_from_around_the_text() -> None:
    """Links before the headline and after the text, on a page that marks nothing; not lists of links in a manual."""
    menu = "".join(f"<div><a href=/{number}>Section {number}</a></div>" for number in range(9))
    assert text_of(f"{menu}<h1>Gas</h1>{LONG}{menu}") == f"Gas\n\n{SHOWN}"
    assert text_of(f"<main>{menu}<h1>Gas</h1>{LONG}{menu}</main>").count("Section") == 18
    parts = "".join(f"<div><a href=#{number}>Part {number}</a></div>" for number in range(9))
    assert text_of(f"<h1>Gas</h1>{parts}{LONG}{parts}").count("Part") == 18


def test_an_article_with_many_comments_is_not_read_with_them() -> None:
    """However many there are; only a page with next to nothing else is."""
    assert text_of(f"{ARTICLE}{LONG}<div id=comments>{LONG * 20}</div>") == f"{TEXT}\n\n{SHOWN}"


def test_teasers_that_are_articles_are_not_the_text() -> None:
    """Where the text is none, and there is far more of it."""
    teaser = "<article><p>The minister explains himself at last, in a talk of an hour with this paper.</p></article>"
    assert text_of(f"<h1>Gas</h1><div class=entry-content>{LONG * 3}</div>{teaser}").count("a fifth") == 9
    assert text_of(f"<h1>Gas</h1><p>It fell by a fifth.</p>{teaser}").startswith("The minister")


def test_a_box_that_is_named_as_a_text_is_none_beside_far_more_of_it() -> None:
    """A related story before the end of the page."""
    box = "<div class=story-content>Another story that is told in a box, at the length of a line or two.</div>"
    assert text_of(f"<main><h1>Gas</h1>{LONG}{box}</main>").count("a fifth") == 3


def test_menus_around_chinese_go_too() -> None:
    """Its words are short."""
    menu = "".join(f"<div><a href=/{number}>新闻</a></div>" for number in range(9))
    told = "中美合作共赢是大势所趋，双方应当采取更多行动，以符合国际社会的共同利益。"
    assert text_of(f"{menu}<h1>合作</h1><p>{told}</p>{menu}") == f"合作\n\n{told}"


def test_of_articles_one_after_another_the_one_with_the_headline_is_read() -> None:
    """Also where the next one is longer; a list of them, none of which is the page's, is read whole."""
    each = [f"<article><h2>Gas {number}</h2>{LONG * number}</article>" for number in (1, 2, 2, 2)]
    page = f"<title>Gas 1 - The Gazette</title>{''.join(each)}"
    assert text_of(page) == f"Gas 1\n\n{SHOWN}"
    assert text_of("".join(each)).count("a fifth") == 21


def test_what_a_page_says_above_its_headline_is_its_masthead() -> None:
    """Where it marks nothing, and unless that is prose."""
    head = "<title>The Gazette - Prices of gas</title>"
    assert text_of(f"{head}<p>The Gazette</p><p>Gazing since 1874</p><h2>Prices of gas</h2>{LONG}").startswith("Prices")
    lead = "What the markets had feared for so long has come to pass, and sooner."
    assert text_of(f"{head}<p>{lead}</p><h2>Prices of gas</h2>{LONG}").startswith(lead)


def test_menus_go_from_within_the_main_part_of_what_says_that_it_is_an_article() -> None:
    """By og:type, or JSON-LD."""
    menu = "".join(f"<div><a href=/{number}>Section {number}</a></div>" for number in range(9))
    body = f"<main>{menu}<h1>Gas</h1>{LONG}{menu}</main>"
    says = (
        "<meta property=og:type content=article>",
        '<script type=application/ld+json>{"@type": "NewsArticle"}</script>',
    )
    assert [text_of(one + body) for one in says] == [f"Gas\n\n{SHOWN}"] * 2
