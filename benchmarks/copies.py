"""Plants copies among the articles of a folder or a judged collection and counts which are found; judges no ranking.

    python benchmarks/copies.py DIR [--copies N] [--seed S]

Each kind of copy is made of N articles, and all lie in one index with the articles themselves. A tenth of the articles
is left out of it: new words and new leads are from there. A pair is an article and
a copy of it; two copies of one article count neither way. The pairs that are found among the articles themselves are
listed with what they share, because a collection may hold true copies.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semsearch.read import can_read, read_file, walk
from semsearch.store import Catalog, database
from semsearch.types import Document, FileStat, Found


def articles(folder: Path) -> list[str]:
    """The texts of a judged collection, or of the articles in a folder; those of fewer than 60 words are left out."""
    corpus = folder / "corpus.jsonl"
    if corpus.exists():
        rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
        texts = [f"{row.get('title', '')}\n{row['text']}" for row in rows]
    else:
        files = [found for found in walk(folder) if isinstance(found, Found) and can_read(found.path)]
        texts = [read_file(folder / file.path, file.path)[0].text for file in files]
    return [text for text in texts if len(text.split()) >= 60]


QUOTE = "no copy: quotes a tenth"
"""A kind that should not be found."""


class Copier:
    """Makes copies as they come about, with words and sentences from articles that are not in the index."""

    def __init__(self, others: list[str], rng: random.Random) -> None:
        self.rng = rng
        self.words = " ".join(others).split()
        self.sentences = [sentence for text in others for sentence in _sentences(text)]
        self.kinds: dict[str, Callable[[str], str]] = {
            "verbatim": lambda text: text,
            "new lead": self.new_lead,
            "cut to half": self.cut,
            "cut to a third": lambda text: self.cut(text, 1 / 3),
            "2 % of words edited": lambda text: self.edited(text, 0.02),
            "5 % of words edited": lambda text: self.edited(text, 0.05),
            "10 % of words edited": lambda text: self.edited(text, 0.10),
            "new lead, 5 % edited": lambda text: self.edited(self.new_lead(text), 0.05),
            "cut to half, 10 % edited": lambda text: self.edited(self.cut(text), 0.10),
            "20 % of words edited": lambda text: self.edited(text, 0.20),
            "half of it new": lambda text: self.new_lead(text, 2),
            "cut to a fifth": lambda text: self.cut(text, 1 / 5),
            QUOTE: lambda text: self.new_lead(text, 10 / 9),
        }

    def new_lead(self, text: str, part: float = 5) -> str:
        """The first fifth of the sentences, or another part, at least one, are others."""
        own = _sentences(text)
        lead = max(1, int(len(own) / part))
        return " ".join([*self.rng.sample(self.sentences, lead), *own[lead:]])

    def cut(self, text: str, share: float = 0.5) -> str:
        """The end is missing, as an agency's text is cut."""
        words = text.split()
        return " ".join(words[: round(len(words) * share)])

    def edited(self, text: str, share: float) -> str:
        """So many words are replaced, dropped, or followed by a new one."""
        words = text.split()
        for place in self.rng.sample(range(len(words)), round(len(words) * share)):
            new = self.rng.choice(self.words)
            words[place] = self.rng.choice([new, new, "", f"{words[place]} {new}"])
        return " ".join(words)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


@contextmanager
def catalog(texts: list[str]) -> Iterator[tuple[Catalog, float]]:
    """A catalog that holds the texts under their places, counted from 1, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "index.db"
        database.create(path, {})
        connection = database.connect(path, write=True)
        begun = time.perf_counter()
        with database.writing(connection, path) as tables:
            for number, text in enumerate(texts, 1):
                assert tables.put(0, Document(f"{number}", text), FileStat(0, -1, ""), None) == number
        seconds = time.perf_counter() - begun
        with database.reading(connection, path) as tables:
            yield tables, seconds
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=300, help="of each kind, at the most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, texts = random.Random(options.seed), articles(options.folder)
    rng.shuffle(texts)
    others = [texts.pop() for _ in range(len(texts) // 10)]
    copier = Copier(others, rng)
    planted = [
        (kind, number, copier.kinds[kind](texts[number]))
        for kind in copier.kinds
        for number in rng.sample(range(len(texts)), min(options.copies, len(texts)))
    ]
    with catalog(texts + [text for _, _, text in planted]) as (tables, seconds):
        begun = time.perf_counter()
        found = {number: set(tables.copies.of(number)) for number in range(1, len(texts) + len(planted) + 1)}
        looked = time.perf_counter() - begun
    _report(texts, planted, found)
    print(f"\n{len(found)} documents stored in {seconds:.2f} s, {1e3 * looked / len(found):.2f} ms a look-up")


def _report(texts: list[str], planted: list[tuple[str, int, str]], found: dict[int, set[int]]) -> None:
    stories = [*range(len(texts)), *(number for _, number, _ in planted)]
    among = {(one, two) for one in range(1, len(texts) + 1) for two in found[one] if one < two <= len(texts)}
    known = {frozenset(stories[n - 1] for n in pair) for pair in among}
    print(f"{len(texts)} articles, {len(among)} pairs among them")
    for one, two in sorted(among)[:20]:
        print(f"  {' '.join(texts[one - 1].split())[:70]!r} and {' '.join(texts[two - 1].split())[:70]!r}")
    print("\n| kind of copy | copies | precision | recall | F1 |\n|---|---|---|---|---|")
    rows = [(kind, number, place) for place, (kind, number, _) in enumerate(planted, len(texts) + 1)]
    for name in [*dict.fromkeys(kind for kind, _, _ in rows if kind != QUOTE), "all", QUOTE]:
        own = [(number, place) for kind, number, place in rows if kind == name or (name == "all" and kind != QUOTE)]
        right = sum(number + 1 in found[place] for number, place in own)
        # What the articles themselves have a copy of is no mistake: it is listed above.
        wrong = sum(
            stories[other - 1] != number and {stories[other - 1], number} not in known
            for number, place in own
            for other in found[place]
        )
        if name == QUOTE:
            print(f"\n{right} of {len(own)} articles that quote a tenth of another are taken for copies of it")
            continue
        precision, recall = right / max(right + wrong, 1), right / len(own)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        print(f"| {name} | {len(own)} | {precision:.3f} | {recall:.3f} | {f1:.3f} |")


if __name__ == "__main__":
    main()
