"""Makes folders of articles for the benchmarks out of the sentences in seeds/; the same numbers give the same files."""

from __future__ import annotations

import random
import re
from pathlib import Path

SEEDS = Path(__file__).parent.parent / "seeds"


def sentences() -> list[str]:
    """English sentences of the sample corpus."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.rglob("*.txt"))]
    found = [s.strip() for text in texts for s in re.split(r"(?<=[.!?])\s+", text)]
    return [s for s in found if 40 < len(s) < 250 and s.isascii()]


def write(folder: Path, files: int, sections: int, length: int, seed: int = 0) -> None:
    """Write Markdown files, each of `sections` sections of `length` sentences: a passage a section.

    A number in each heading makes every passage a different text, so that none is embedded for another.
    """
    rng, pool = random.Random(seed), sentences()
    for number in range(files):
        parts = [f"## Part {number}.{part}\n\n{' '.join(rng.choices(pool, k=length))}\n" for part in range(sections)]
        path = folder / f"{number // 1000:03d}" / f"article-{number:06d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Article {number}\n\n" + "\n".join(parts), encoding="utf-8")
