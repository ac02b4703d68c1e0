"""Says why a document is or is not among the hits of a search; runs that very search, and changes nothing.

The causes are looked for in the order in which a search meets them: the document is not in the index, the filter or
the query's operators leave it out, another hit stands for it, or too many passages are better.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from semsearch.address import apart, file_of
from semsearch.cite import cite, is_stale, near, span_of_page
from semsearch.filters import Filter
from semsearch.query import Query
from semsearch.rank import Calibration
from semsearch.search import Answer, Mode, Scored, Wish, candidates, find
from semsearch.store import Catalog, Ids, Snapshot, Store, StoredDocument, locate
from semsearch.types import FileStat, Hit

Cause: TypeAlias = Literal[
    "found", "folded", "below", "filtered", "phrase", "excluded", "unmatched", "unlikely",
    "missing", "outside", "ignored", "unread", "new",
]  # fmt: skip
"""`found`: among the hits. `folded`: a hit stands for it. `below`: better passages fill all k places. `filtered`: the
filter refuses it. `phrase`: it lacks a quoted phrase. `excluded`: it holds a -word. `unmatched`: it has no word of the
query, in a search by words. `unlikely`: among the k best, but less relevant than was asked for. Of what is not in the
index: `missing`: no such file or name. `outside`: in no folder of the index. `ignored`: left out by an ignore file, the
patterns of the last run, or as hidden. `unread`: no article. `new`: could be read, but was not yet."""


@dataclass(frozen=True, slots=True)
class Rank:
    """How many are better by one score, plus 1: passages than the document's best one, documents than the document."""

    passage: int
    document: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a document is or is not among the hits.

    Attributes:
        path: what opens the document, or its name; as it was given where the index does not hold it.
        cause: why, for programs; see `Cause`.
        message: the same for people.
        rank: of the hit that it is, or that stands for it; None where it is below the cut or not searched.
        ranks: by "dense", "lexical" and "hybrid", as far as the mode looks at them: among all passages that may be
            found and those of this document. A part that finds nothing of the query in the document is missing.
        best: its best passage with its scores; its `rank` is the hit's for a document that is found, and else the place
            among all passages before folding. None where the index does not hold the document.
        into: the hit that stands for it.
        stale: the file has changed or gone since it was indexed, so that this is about what it was.
    """

    path: str
    cause: Cause
    message: str
    rank: int | None = None
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    best: Hit | None = None
    into: Hit | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """A search, and a document of the index that is asked about, or a page of it, with its passages in rising order."""

    snapshot: Snapshot
    wish: Wish
    document: StoredDocument
    own: list[int]
    stat: Callable[[Path], FileStat]
    calibration: Calibration | None
    min_relevance: float
    page: int

    def hit(self, answer: Answer, rank: int) -> Hit:
        return replace(cite(self.snapshot, [answer], self.stat, self.calibration)[0], rank=rank)


def explain(
    snapshot: Snapshot,
    wish: Wish,
    path: str,
    given: Filter | None,
    stat: Callable[[Path], FileStat],
    calibration: Calibration | None = None,
    min_relevance: float = 0.0,
) -> Explanation:
    """Why the document that a path or name means is or is not among the hits of a search.

    Args:
        snapshot: where the passages are.
        wish: the search, with the passages that `given` admits as `only`.
        path: of a file, from here or from a folder of the index, or the name of a document that never was a file; with
            `#page=3` at its end, of that page.
        given: the filter of the search.
        stat: reads size, time of change and digest of a file.
        calibration: makes a relevance of scores; None leaves it unknown.
        min_relevance: what the search asks of its hits; those without a relevance have it.
    """
    catalog, page = snapshot.catalog, 0
    number = _located(catalog, path)
    if number is None:
        path, page = apart(path)
        number = _located(catalog, path) if page else None
    if number is None:
        return _of_absent(catalog, path)
    document = next(iter(catalog.documents([number])))
    own = sorted(_own(catalog, document, page))
    if not own:
        return Explanation(document.location, "unmatched", "has no passages, so there is nothing to find")
    refusals = _refusals(wish, document, own, given) if given else []
    if wish.only is not None and not refusals:
        own = [number for number in own if number in wish.only]
    case = _Case(snapshot, wish, document, own, stat, calibration, min_relevance, page)
    found = _of_document(case, refusals)
    if not is_stale(document, stat):
        return found
    changed = "the file has changed or gone since it was indexed; `semsearch index FOLDER` takes that in"
    return replace(found, stale=True, message=f"{found.message}; {changed}")


def _own(catalog: Catalog, document: StoredDocument, page: int) -> list[int]:
    """The passages of a document, or those of a page of it.

    Raises:
        UsageError: there is no such page, or nothing on it.
    """
    passages = catalog.passages_of(document.id)
    if not page:
        return [number for number, _, _ in passages]
    return near(passages, span_of_page(catalog.document(document), page))


def _refusals(wish: Wish, document: StoredDocument, own: Sequence[int], given: Filter) -> list[str]:
    """The conditions of a filter that the document does not meet, or that leave out all that is asked about of it."""
    refusals = given.refusals(document)
    if refusals or wish.only is None or np.isin(own, wish.only).any():
        return refusals
    return [f"--path {path}" for path in given.path if apart(path)[1]]


def _of_document(case: _Case, refusals: Sequence[str]) -> Explanation:
    allowed = _allowed(case, case.wish)
    standing = _standing(case, allowed, refused=bool(refusals))
    place, best = _best(case, standing)
    explained = Explanation(
        case.document.location + (f"#page={case.page}" if case.page else ""),
        "below",
        f"below the cut: its best passage is number {place} of {len(standing)}, and k is {case.wish.k}; ask for more",
        ranks=_ranks(case, standing),
        best=case.hit(Answer(best, next(iter(case.snapshot.catalog.passages([best.id])))), place),
    )
    if refusals:
        return replace(explained, cause="filtered", message=f"the filter leaves it out: {', '.join(refusals)}")
    if (unsaid := _refused_by_query(case, allowed)) is not None:
        return replace(explained, cause=unsaid[0], message=unsaid[1])
    return _among(case, explained)


def _among(case: _Case, explained: Explanation) -> Explanation:
    """The same where the document is among the hits or a hit stands for it."""
    answers = find(case.snapshot, case.wish)
    own = set(case.own)
    for rank, answer in enumerate(answers, 1):
        if answer.scored.id in own:
            return _shown(case, replace(explained, best=case.hit(answer, rank), rank=rank), len(answers))
    if (folded := _folded(case, answers)) is not None:
        rank, into = folded
        message = f"folded into hit {rank}, {into.path}, which tells the same story; --no-collapse shows each"
        return replace(explained, cause="folded", message=message, rank=rank, into=into)
    return explained


def _shown(case: _Case, explained: Explanation, hits: int) -> Explanation:
    """The same of a document that is among the best k: shown, unless it is too unlikely to answer."""
    relevance = explained.best.relevance if explained.best else None
    if relevance is not None and relevance < case.min_relevance:
        message = f"left out: its relevance is {relevance:.3f}, and at least {case.min_relevance:g} is asked for"
        return replace(explained, cause="unlikely", message=message, rank=None)
    return replace(explained, cause="found", message=f"among the hits: number {explained.rank} of {hits}")


def _folded(case: _Case, answers: Sequence[Answer]) -> tuple[int, Hit] | None:
    """Rank and hit that stand for the document: it has a passage that was folded, or else is listed as a copy."""
    if not case.wish.collapse:
        return None
    number = case.document.id
    copies = set(case.snapshot.catalog.copies.of(number))
    own = set(case.own)
    folded = (any(candidate.id in own for candidate in answer.folded) for answer in answers)
    # That all of a document is elsewhere says nothing of a page of it.
    listed = (answer.document in copies and not case.page for answer in answers)
    for tests in (folded, listed):
        for rank, (answer, stands) in enumerate(zip(answers, tests, strict=True), 1):
            if stands:
                return rank, case.hit(answer, rank)
    return None


def _allowed(case: _Case, wish: Wish) -> list[Scored] | None:
    """All passages that the query's operators leave, best first; None where it has none."""
    if wish.query is None or not (wish.query.phrases or wish.query.excluded):
        return None
    every = max(len(case.snapshot.segments.ids), 1)
    every_one = replace(wish, k=every, collapse=False, reranker=None)
    return [answer.scored for answer in find(case.snapshot, every_one)]


def _standing(case: _Case, allowed: list[Scored] | None, *, refused: bool) -> list[Scored]:
    """All passages that may be found, best first, and the document's own where it would else not be among them."""
    own = np.array(case.own, np.int64)
    if allowed is not None and not refused and _has_own(case, allowed):
        return allowed
    only: Ids | None = case.wish.only
    if allowed is not None:
        only = np.array(sorted(scored.id for scored in allowed), np.int64)
    if only is not None:
        only = np.union1d(only, own)
    every = len(case.snapshot.segments.ids) if only is None else len(only)
    return list(candidates(case.snapshot, replace(case.wish, only=only), every).passages)


def _has_own(case: _Case, passages: Sequence[Scored]) -> bool:
    own = set(case.own)
    return any(scored.id in own for scored in passages)


def _best(case: _Case, standing: Sequence[Scored]) -> tuple[int, Scored]:
    """Place and scores of the document's best passage; of one that no search found, after all the others."""
    own = set(case.own)
    for place, scored in enumerate(standing, 1):
        if scored.id in own:
            return place, scored
    return len(standing) + 1, Scored(case.own[0], 0.0, None, None)


def _ranks(case: _Case, standing: Sequence[Scored]) -> dict[str, Rank]:
    parts: dict[str, dict[int, float]] = {
        "dense": {s.id: s.dense for s in standing if s.dense is not None},
        "lexical": {s.id: s.lexical for s in standing if s.lexical is not None},
    }
    mode: Mode = case.wish.mode
    parts[mode] = {s.id: s.score for s in standing}
    owners = case.snapshot.catalog.owners(s.id for s in standing)
    ranks = ((part, _rank(scores, owners, case.own, case.document.id)) for part, scores in parts.items())
    return {part: rank for part, rank in ranks if rank is not None}


def _rank(scores: Mapping[int, float], owners: Mapping[int, int], own: Sequence[int], document: int) -> Rank | None:
    best = max((scores[i] for i in own if i in scores), default=None)
    if best is None:
        return None
    above = [i for i, score in scores.items() if score > best]
    return Rank(1 + len(above), 1 + len({owners[i] for i in above} - {document}))


def _refused_by_query(case: _Case, allowed: list[Scored] | None) -> tuple[Cause, str] | None:
    """What of the query leaves out every passage of the document, and why for people."""
    query = case.wish.query
    if query is None or (allowed is not None and _has_own(case, allowed)):
        return None
    if case.wish.mode == "lexical" and not _finds_words(case, query):
        return "unmatched", "no passage of it has a word of the query, and this is a search by words alone"
    if allowed is None:
        return None
    guilty = [one for one in _each_operator(query) if not _admits(case, one)]
    lacking = [f'"{" ".join(phrase)}"' for one in guilty for phrase in one.phrases]
    if lacking:
        return "phrase", f"no passage of it has the phrase {', '.join(lacking)}"
    holding = [f"-{' '.join(said)}" for one in guilty for said in one.excluded]
    if holding:
        return "excluded", f"every passage of it holds what the query leaves out: {', '.join(holding)}"
    together = "has all quoted phrases at once and nothing that the query leaves out"
    return "phrase" if query.phrases else "excluded", f"no passage of it {together}"


def _each_operator(query: Query) -> Iterator[Query]:
    """The query with one of its operators at a time."""
    for phrase in query.phrases:
        yield Query(query.text, phrases=(phrase,))
    for said in query.excluded:
        yield Query(query.text, excluded=(said,))


def _admits(case: _Case, query: Query) -> bool:
    passages = _allowed(case, replace(case.wish, query=query))
    return passages is None or _has_own(case, passages)


def _finds_words(case: _Case, query: Query) -> bool:
    wish = replace(case.wish, query=Query(query.text), only=np.array(case.own, np.int64))
    return bool(candidates(case.snapshot, wish, 1).passages)


def _located(tables: Catalog, path: str) -> int | None:
    """The number of a document by its path from here, by its name, or by its path below a folder of the index."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return None  # a name that is not UTF-8 is never indexed
    number = locate(tables, path)
    if number is None and not os.path.lexists(path):
        below = Path(os.path.normpath(path)).as_posix()
        return next((found for root in tables.folders() if (found := tables.find(root, below)) is not None), None)
    return number


def _of_absent(tables: Catalog, path: str) -> Explanation:
    """Why the index does not hold a document.

    A folder that cannot be listed any more says so as a FolderError.
    """
    shown = os.fsencode(path).decode("utf-8", "replace")
    folders = [Path(root) for root in tables.folders()]
    places = [Path(os.path.abspath(path)), *(Path(os.path.abspath(root / path)) for root in folders)]  # noqa: PTH100 - keeps links
    file = next((place for place in places if os.path.lexists(file_of(str(place)))), None)
    if file is None:
        return Explanation(shown, "missing", "there is no such file, and no document of that name in the index")
    for root in folders:
        for place in (file, file.parent.resolve() / file.name):
            if place != root and place.is_relative_to(root):
                return _of_unindexed(tables, root, place.relative_to(root).as_posix(), shown)
    covered = ", ".join(map(str, folders)) or "none"
    return Explanation(shown, "outside", f"not indexed: it lies outside the folders of the index ({covered})")


def _of_unindexed(tables: Catalog, root: Path, path: str, shown: str) -> Explanation:
    from semsearch.read.why import why_not_read  # noqa: PLC0415 - what is indexed does without it

    if (root / path).is_dir() and not (root / path).is_symlink():
        return Explanation(shown, "unread", "not indexed: it is a folder; name one of its files")
    verdict, reason = why_not_read(root, path, *tables.patterns(str(root)), Store.columns(tables, str(root)))
    if verdict == "ignored":
        return Explanation(shown, "ignored", f"not indexed: left out {reason}")
    if verdict == "unread":
        return Explanation(shown, "unread", f"not indexed: {reason}")
    held = sorted(of for of in tables.known(str(root))[0] if file_of(of) == path)
    if held:
        message = f"holds {len(held)} documents, each with an address of its own; name one, as {root / held[0]}"
        return Explanation(shown, "unread", message)
    new = "it can be read, but is new since the last run, or was removed from the index"
    return Explanation(shown, "new", f"not indexed: {new}; `semsearch index {root}` takes it in")
