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
