"""How much of a page's article the HTML reader keeps, and how much around it, beside trafilatura; changes nothing.

Two kinds of pages whose clean text is known: documentation that is installed here, where the generator marks the main
part, and the articles of `seeds/` in the frames that sites put around them (`FRAMES`), with menus, notices on cookies,
related links, comments, sharing and subscribing. `pip install trafilatura`, then `python benchmarks/pages.py`.
"""

from __future__ import annotations

import html
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import trafilatura
from selectolax.lexbor import LexborHTMLParser

from semsearch.errors import ReadError
from semsearch.read.html import read as read_html
from semsearch.read.markdown import read as read_markdown

ROOT = Path(__file__).parent.parent
RUST = next(iter(sorted(Path.home().glob(".rustup/toolchains/stable-*/share/doc/rust/html"))), Path("/nowhere"))
MANUALS = {
    "Rust book (mdBook)": (RUST / "book", "main", ""),
    "Rust reference (mdBook)": (RUST / "reference", "main", ""),
    "Rust std (rustdoc)": (RUST / "std/collections", "#main-content", "nav, rustdoc-toolbar, .anchor, .src"),
    "Node.js API": (Path("/usr/share/doc/nodejs/api"), "#apicontent", ".mark"),
    "npm": (Path("/usr/lib/node_modules/npm/docs/output"), "#content", "#table_of_contents"),
    "Valgrind (DocBook)": (Path("/usr/share/doc/valgrind/html"), "body", ".nav, .navheader, .navfooter"),
    "libffi (Texinfo)": (Path("/usr/share/doc/libffi8/html"), "body", ".nav-panel, .header"),
    "libxslt (GTK-Doc)": (Path("/usr/share/doc/libxslt1-dev/gtk-doc/html"), "body", ".navigation, .footer"),
}
MOST = 60
MENU = ["Home", "World", "Economy", "Science", "Sport", "Weather", "Archive", "Contact"]
RELATED = ["Ten charts on the winter ahead", "Why the harbour stays closed", "A minister explains himself at last"]
COOKIES = "We use cookies to give you the best experience. By clicking Accept you agree to our use of cookies and data."
COMMENTS = [
    "This is exactly what I have been saying for years, and nobody wanted to listen to it.",
    "Nonsense. The author has never been there, as anybody can see from the second paragraph.",
]


@dataclass(frozen=True)
class Page:
    """A page and the words of its clean text."""

    kind: str
    source: str
    truth: Counter[str]


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def links(texts: list[str], kind: str = "li") -> str:
    return "".join(f'<{kind}><a href="/{number}">{text}</a></{kind}>' for number, text in enumerate(texts))


def comments(kind: str) -> str:
    each = (f"<b>reader{number}</b><p>{said}</p><a>Reply</a>" for number, said in enumerate(COMMENTS))
    return "".join(f'<{kind} class="comment-body">{one}</{kind}>' for one in each)


def wordpress(title: str, body: str) -> str:
    return f"""
        <div id="page"><div id="header"><a href="/">The Gazette</a></div>
        <div id="access" role="navigation"><ul class="menu">{links(MENU)}</ul></div>
        <div id="main"><div id="content"><div class="post hentry"><h1 class="entry-title">{title}</h1>
        <div class="entry-meta">Posted on 15 February 2024 by The desk</div><div class="entry-content">{body}
        <div class="sharedaddy"><h3>Share this:</h3><ul><li><a>Facebook</a></li><li><a>Twitter</a></li></ul></div></div>
        <div class="entry-utility">Posted in Europe</div></div>
        <div id="comments"><h3>2 thoughts</h3><ol>{comments("li")}</ol></div></div></div>
        <div id="sidebar" class="widget-area"><h3>Recent posts</h3><ul>{links(RELATED)}</ul></div>
        <div id="footer">Proudly powered by software. All rights reserved.</div></div>"""


def soup(title: str, body: str) -> str:
    return f"""
        <div class="cookie-consent"><p>{COOKIES}</p><button>Accept</button></div>
        <div class="navbar"><div>{links(MENU, "span")}</div></div>
        <div class="container"><div class="row"><div class="col-8"><h1>{title}</h1><div class="byline">By the desk</div>
        <div class="article-body">{body}</div>
        <div class="related-articles"><h4>Read more</h4>{links(RELATED, "div")}</div>
        <div class="newsletter-signup"><p>Subscribe to our newsletter and never miss a story again.</p></div></div>
        <div class="col-4 sidebar"><h4>Most read</h4>{links(RELATED, "div")}</div></div></div>
        <div class="footer"><p>Copyright 2024. Terms of use. Privacy policy. Advertise with us.</p></div>"""


def semantic(title: str, body: str) -> str:
    return f"""
        <header><a>The Gazette</a><nav><ul>{links(MENU)}</ul></nav></header>
        <main><article><header><h1>{title}</h1></header>{body}
        <div class="related"><h3>Related</h3><ul>{links(RELATED)}</ul></div>
        <div class="social-share"><a>Share</a><a>Print</a></div></article>
        <section class="comments"><h2>Comments</h2>{comments("article")}</section></main>
        <aside><ul>{links(RELATED)}</ul></aside><footer><p>Copyright 2024</p></footer>
        <div id="cookie-banner"><p>{COOKIES}</p></div>"""


def table(title: str, body: str) -> str:
    return f"""
        <table width="100%"><tr><td colspan="2"><font size="5">The Gazette</font></td></tr>
        <tr><td width="150">{links(MENU, "p")}</td><td><h2>{title}</h2>{body}</td></tr>
        <tr><td colspan="2"><font size="1">Copyright 2001 The Gazette. Best viewed at 800x600.</font></td></tr>
        </table>"""


def blog(title: str, body: str) -> str:
    return f"""
        <div id="navbar">{links(MENU, "span")}</div>
        <div id="main-wrapper"><div class="post"><h3 class="post-title">{title}</h3><div class="post-body">{body}</div>
        <div class="post-footer">Posted by the desk at 9:30. <a>Email this</a> <a>BlogThis!</a></div></div>
        <div id="comments"><h4>2 comments:</h4>{comments("div")}</div></div>
        <div id="sidebar-wrapper"><h2>Blog archive</h2><ul>{links(RELATED)}</ul></div>"""


FRAMES: dict[str, Callable[[str, str], str]] = {
    "article of WordPress": wordpress,
    "article in divs": soup,
    "article with HTML 5": semantic,
    "article in a table": table,
    "article of a blog": blog,
}


def manuals() -> Iterator[Page]:
    for kind, (folder, selector, without) in MANUALS.items():
        files = sorted(folder.rglob("*.html"))
        for file in files[:: max(len(files) // MOST, 1)][:MOST]:
            source = file.read_bytes().decode("utf-8", "replace")
            tree = LexborHTMLParser(source)
            tree.strip_tags(["script", "style", "template", "noscript", "button", "title"])
            for node in tree.css(without) if without else ():
                node.decompose()
            part = tree.css_first(selector)
            if part is not None and len(truth := words(part.text(separator=" "))) > 50:
                yield Page(kind, source, truth)


def framed() -> Iterator[Page]:
    for file in sorted((ROOT / "seeds").rglob("*.md")):
        made = read_markdown(file.name, file.read_bytes())
        sections = made.sections or ()
        body = "".join(
            f"<h2>{html.escape(s.heading)}</h2>" * bool(s.heading)
            + "".join(f"<p>{html.escape(p)}</p>" for p in made.text[s.start : s.end].strip().split("\n\n"))
            for s in sections
        )
        clean = " ".join([made.title, *(f"{s.heading} {made.text[s.start : s.end]}" for s in sections)])
        for kind, frame in FRAMES.items():
            title = html.escape(made.title)
            head = f'<meta charset="utf-8"><title>{title} | The Gazette</title>'
            page = f"<!doctype html><html><head>{head}</head><body>{frame(title, body)}</body></html>"
            yield Page(kind, page, words(clean))


def ours(source: str) -> str:
    try:
        made = read_html("a.html", source.encode())
    except ReadError:
        return ""
    return made.text


def theirs(source: str) -> str:
    return trafilatura.extract(source, include_comments=False, include_tables=True) or ""


def main() -> None:
    pages = [*framed(), *manuals()]
    print("| pages | number | recall | trafilatura | boilerplate | trafilatura | ms a page | trafilatura |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for kind in dict.fromkeys(page.kind for page in pages):
        chosen = [page for page in pages if page.kind == kind]
        row = []
        for extract in (ours, theirs):
            recalls, extras, times = [], [], []
            for page in chosen:
                began = time.process_time()
                got = words(extract(page.source))
                times.append(time.process_time() - began)
                kept = (got & page.truth).total()
                recalls.append(kept / page.truth.total())
                extras.append((got.total() - kept) / max(got.total(), 1))
            row.append((mean(recalls), mean(extras), median(times) * 1000))
        (r1, b1, t1), (r2, b2, t2) = row
        print(f"| {kind} | {len(chosen)} | {r1:.3f} | {r2:.3f} | {b1:.3f} | {b2:.3f} | {t1:.1f} | {t2:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
