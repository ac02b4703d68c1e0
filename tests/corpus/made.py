"""Articles of `seeds/` as pandoc writes them in other formats; pandoc comes in a wheel, a package of the corpus."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from tests.corpus.packages import CACHE, members, packages

PANDOC = "pypandoc-binary"
ROOT = Path(__file__).parent.parent.parent
FORMATS = {
    ".docx": "Word, of pandoc",
    ".epub": "EPUB, of pandoc",
    ".html": "HTML, of pandoc",
    ".odt": "OpenDocument, of pandoc",
    ".pptx": "PowerPoint, of pandoc",
    ".rtf": "RTF, of pandoc",
}
EVERY = 3
"""One article of three, which is enough for every script and mark that pandoc has to write."""


def articles() -> list[str]:
    """The articles, as paths from the root of the project, without their suffix."""
    found = sorted(path for path in (ROOT / "seeds").rglob("*.md") if path.name != "README.md")
    return [str(path.relative_to(ROOT).with_suffix("")) for path in found][::EVERY]


def stated(article: str) -> list[str]:
    """The title, the date and the author that stand in its front matter, "" where they do not."""
    lines = (ROOT / f"{article}.md").read_text().split("\n---\n")[0].splitlines()
    known = dict(line.split(": ", 1) for line in lines if ": " in line)
    return [known.get(name, "").strip('"') for name in ("title", "date", "author")]


@functools.cache
def made(path: str) -> bytes:
    """An article in the format that the path's suffix names, or its plain text for `.txt`."""
    article, suffix = path.rsplit(".", 1)
    to = {"txt": "plain", "html": "html5"}.get(suffix, suffix)
    whole = [] if suffix == "txt" else ["--standalone"]
    source = ROOT / f"{article}.md"
    command = [str(_pandoc()), *whole, "--wrap=none", "--from=markdown-smart", f"--to={to}", "--output=-", str(source)]
    return subprocess.run(command, capture_output=True, check=True).stdout


@functools.cache
def _pandoc() -> Path:
    place = CACHE / f"pandoc-{packages()[PANDOC].version}"
    if not place.exists():
        begun = place.with_suffix(".begun")
        begun.write_bytes(members(PANDOC)["pypandoc/files/pandoc"])
        begun.chmod(0o755)
        begun.replace(place)
    return place
