"""`semsearch eval` measures what a search finds, on a collection in BEIR layout or a person's own queries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ir_measures
import pytest
from click.testing import CliRunner

from semsearch import Document, Index
from semsearch.cli import cli
from semsearch.errors import UsageError
from semsearch.evaluate import METRICS, as_json, as_table, evaluate, from_json
from semsearch.evaluate.settings import _value, setting
from semsearch.store import CARD
from semsearch.testing import HashEmbedder

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
MEASURES = {
    "nDCG@10": ir_measures.nDCG @ 10,
    "MRR@10": ir_measures.RR @ 10,
    "recall@10": ir_measures.R @ 10,
    "recall@100": ir_measures.R @ 100,
}
CORPUS = [
    {"_id": "gas", "title": "Gas", "text": "Stores of gas are full. Prices of gas fell."},
    {"_id": "pact", "title": "Pact", "text": "The alliance allows no security vacuum in the region."},
    {"_id": "chess", "title": "", "text": "The match of chess was drawn after six hours."},
    {"_id": "tariff", "title": "Tariffs on steel", "text": ""},
    {"_id": "wind", "title": "Wind", "text": "Prices of power fell when the wind blew."},
    {"_id": "blank", "title": " ", "text": ""},
]
QUERIES = [
    {"_id": "1", "text": "prices of gas"},
    {"_id": "2", "text": "security of the region"},
    {"_id": "3", "text": "steel tariffs"},
    {"_id": "4", "text": "never judged"},
]
QRELS = [("1", "gas", 2), ("1", "wind", 1), ("2", "pact", 1), ("2", "chess", 0), ("3", "tariff", 1), ("3", "gone", 1)]


@pytest.fixture
def beir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small collection in BEIR layout, and an empty cache."""
    monkeypatch.setenv("SEMSEARCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    put(folder / "corpus.jsonl", CORPUS)
    put(folder / "queries.jsonl", QUERIES)
    judge(folder / "qrels/test.tsv", QRELS)
    return folder


@pytest.fixture
def own(articles: Path) -> Callable[..., Path]:
    """Writes a file of queries beside an index of the folder of articles."""
    with Index.create(articles.parent / "index", "hash") as made:
        made.sync(articles)

    def write(*lines: object) -> Path:
        file = articles.parent / "own"
        file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        return file

    return write


def put(path: Path, lines: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def judge(path: Path, rows: list[tuple[str, str, int]], header: str = "query-id\tcorpus-id\tscore\n") -> None:
    path.write_text(header + "".join(f"{query}\t{name}\t{grade}\n" for query, name, grade in rows))


def means(found: object) -> dict[str, dict[str, float]]:
    return {each.setting: {metric: each.means[metric].mean for metric in METRICS} for each in found.measured}


def test_every_value_is_that_of_ir_measures(beir: Path, tmp_path: Path) -> None:
    """Documents in the order of their best passages, judged by another library, query by query and in the mean."""
    found = evaluate(beir, index=tmp_path / "index", model="hash")
    assert [each.setting for each in found.measured] == ["dense", "lexical", "hybrid"]
    assert found.queries == {query["_id"]: query["text"] for query in QUERIES[:3]}
    qrels = {query: {name: grade for q, name, grade in QRELS if q == query} for query in found.queries}
    with Index.open(tmp_path / "index") as index:
        for each in found.measured:
            ranked = {
                query: list(
                    dict.fromkeys(hit.path for hit in index.search(text, k=300, **setting(each.setting).arguments))
                )
                for query, text in found.queries.items()
            }
            run = {q: {name: float(-rank) for rank, name in enumerate(names)} for q, names in ranked.items()}
            for metric, measure in MEASURES.items():
                theirs = {value.query_id: value.value for value in ir_measures.iter_calc([measure], qrels, run)}
                assert each.values[metric] == pytest.approx(theirs)
                assert each.means[metric].mean == pytest.approx(sum(theirs.values()) / 3)
                assert each.means[metric].low <= each.means[metric].mean <= each.means[metric].high
    assert means(found)["hybrid"]["recall@10"] == pytest.approx((1 + 1 + 1 / 2) / 3)


def test_what_is_left_out_or_not_there_is_said(beir: Path, tmp_path: Path) -> None:
    """A document without title and text, a judged one that is not there, queries without text or relevant document."""
    put(beir / "queries.jsonl", [*QUERIES, {"_id": "5", "text": " "}])
    judge(beir / "qrels/test.tsv", [*QRELS, ("5", "gas", 1), ("6", "gas", 1), ("4", "gas", 0)])
    found = evaluate(beir, index=tmp_path / "index", model="hash")
    assert found.documents == 5
    assert list(found.queries) == ["1", "2", "3"]
    assert found.notes == (
        "judged queries that are not in queries.jsonl, left out: 1, the first is 6",
        "judged queries with no text in queries.jsonl, left out: 1, the first is 5",
        "queries with no relevant document, left out: 1, the first is 4",
        "documents with neither title nor text, left out: 1, the first is blank",
        "judgements of documents that are not in the index, counted as not found: 1, the first is gone",
    )


def test_an_index_is_built_once_and_completed(beir: Path, tmp_path: Path) -> None:
    """In the cache or where it is told; a whole one costs nothing, one that was broken off costs the rest.

    One in the cache that cannot be read is made anew.
    """
    for place in (None, tmp_path / "index"):
        first, again = HashEmbedder(dimension=64), HashEmbedder(dimension=64)
        found = evaluate(beir, index=place, embedder=first)
        assert len(first.encoded) == 5
        assert evaluate(beir, index=place, embedder=again).index == found.index
        assert again.encoded == []
    inside = Path(evaluate(beir, embedder=first).index)
    assert inside.parent == tmp_path / "cache" / "collections"
    assert evaluate(beir, model="hash").index != str(inside)
    anew = HashEmbedder(dimension=64)
    evaluate(beir, embedder=anew, rebuild=True)
    assert len(anew.encoded) == 5
    (inside / CARD).write_text("{}")
    evaluate(beir, embedder=anew)
    assert len(anew.encoded) == 10
    half, rest = tmp_path / "half", HashEmbedder()
    with Index.create(half, "hash") as index:
        index.add([Document("gas", CORPUS[0]["text"], title="Gas"), Document("chess", CORPUS[2]["text"])])
    assert evaluate(beir, index=half, embedder=rest).documents == 5
    assert len(rest.encoded) == 3


@pytest.mark.parametrize("document", [Document("else", "Another text."), Document("gas", "Another text.", title="Gas")])
def test_an_index_of_something_else_is_left_alone(beir: Path, tmp_path: Path, document: Document) -> None:
    """A document that the corpus does not have, or has with another text: refused, and nothing is added."""
    with Index.create(tmp_path / "index", "hash") as index:
        index.add([document])
    with pytest.raises(UsageError, match=f"holds {document.path}, which is not in .*corpus.jsonl"):
        evaluate(beir, index=tmp_path / "index")
    with Index.open(tmp_path / "index") as index:
        assert len(index.documents()) == 1
    with pytest.raises(UsageError, match="--rebuild is for indexes in the cache"):
        evaluate(beir, index=tmp_path / "index", rebuild=True)
    assert (tmp_path / "index").exists()


def test_a_document_of_many_passages_takes_one_place(tmp_path: Path, beir: Path) -> None:
    """Passages are asked for until they come from enough documents, or there are no more."""
    put(
        beir / "corpus.jsonl",
        [{"_id": "long", "text": "gas " * 64 * 320}, {"_id": "short", "text": "gas and much else besides " * 3}],
    )
    judge(beir / "qrels/test.tsv", [("1", "short", 1)])
    found = evaluate(beir, index=tmp_path / "index", model="hash", settings=["dense"])
    with Index.open(tmp_path / "index") as index:
        assert {hit.path for hit in index.search("prices of gas", k=300, **setting("dense").arguments)} == {"long"}
    assert means(found)["dense"]["MRR@10"] == 1 / 2


def test_which_judgements_are_used(beir: Path, tmp_path: Path) -> None:
    """The only file, test.tsv among several, or the one that is named; the header may be missing."""
    judge(beir / "qrels/test.tsv", QRELS, header="")
    assert list(evaluate(beir, index=tmp_path / "index", model="hash").queries) == ["1", "2", "3"]
    judge(beir / "qrels/dev.tsv", [("4", "gas", 1)])
    assert list(evaluate(beir, index=tmp_path / "index").queries) == ["1", "2", "3"]
    assert list(evaluate(beir, index=tmp_path / "index", split="dev").queries) == ["4"]
    with pytest.raises(UsageError, match=r"no train\.tsv; choose one with --split: dev, test"):
        evaluate(beir, index=tmp_path / "index", split="train")
    (beir / "qrels/test.tsv").unlink()
    assert list(evaluate(beir, index=tmp_path / "index").queries) == ["4"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("qrels/test.tsv", None, "qrels: no .tsv file with judgements"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "test.tsv: holds no judgement"),
        ("qrels/test.tsv", "1\tgas\t0\n2\tpact\t0\n", "test.tsv: no score is above 0"),
        ("qrels/test.tsv", "1\tgas\t1\n2\tpact\n", "test.tsv:2: is not query-id, corpus-id and a whole number"),
        ("qrels/test.tsv", "1\tgas\t1\n2\tpact\tyes\n", "test.tsv:2: is not query-id"),
        ("qrels/test.tsv", "9\tgas\t1\n", "test.tsv: judges 1 queries, but none of them has a text in"),
        ("queries.jsonl", None, "queries.jsonl: cannot be read: No such file"),
        ("queries.jsonl", "", "test.tsv: judges 3 queries, but none of them has a text in"),
        ("queries.jsonl", '{"_id": "1", "text": ""}\n', "none of them has a text in"),
        ("queries.jsonl", '{"_id": "1", "text": "x"}\n\n{"_id": \n', "queries.jsonl:3: is not JSON"),
        ("queries.jsonl", '{"_id": "1", "text": ["x"]}\n', "queries.jsonl:1: text is not text"),
        ("corpus.jsonl", None, "corpus.jsonl: cannot be read: No such file"),
        ("corpus.jsonl", "", "corpus.jsonl: holds no document with a text"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n["b"]\n', "corpus.jsonl:2: is not a JSON object"),
        ("corpus.jsonl", '{"text": "x"}\n', "corpus.jsonl:1: has no _id"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n' * 2, "corpus.jsonl:2: the _id a was there before"),
        ("corpus.jsonl", '{"_id": "a", "text": "\\ud800"}\n', "corpus.jsonl:1: text holds a lone surrogate"),
        ("corpus.jsonl", "\udcff\n", "corpus.jsonl: is not UTF-8"),
    ],
)
def test_what_cannot_be_measured_is_an_error(
    beir: Path, tmp_path: Path, name: str, content: str | None, says: str
) -> None:
    """It names the file and the line or what is missing, and no index is made; it is never a zero."""
    (beir / name).unlink()
    if content is not None:
        (beir / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UsageError) as error:
        evaluate(beir, index=tmp_path / "index", model="hash")
    assert says in str(error.value)
    assert not (tmp_path / "index").exists()


def test_own_queries_find_paths_as_people_write_them(own: Callable[..., Path], articles: Path) -> None:
    """Below the folder, absolute, relative to here, or the end of the path; JSON and tabs mean the same."""
    index = articles.parent / "index"
    for path in ("nato.txt", str(articles / "nato.txt"), "articles/nato.txt", "./nato.txt"):
        for line in (f"security vacuum\t{path}", {"query": "security vacuum", "relevant": [path]}):
            found = evaluate(own(line), index=index)
            assert found.notes == ()
            assert all(each["nDCG@10"] == 1 for each in means(found).values())
    lines = ("security vacuum\tnato.txt", "security vacuum\tsport.html", "chess\tsport.html\tnato.txt")
    objects = [
        {"query": "security vacuum", "relevant": {"nato.txt": 1, "sport.html": 1}},
        {"query": "chess", "relevant": ["sport.html", "nato.txt"]},
    ]
    assert evaluate(own(*lines), index=index).digest == evaluate(own(*objects), index=index).digest


def test_grades_of_own_queries_count(own: Callable[..., Path], articles: Path) -> None:
    """The better article second costs more than the other one second; of two grades for a path the higher one holds."""
    index = articles.parent / "index"
    lines = [{"query": "chess", "relevant": {"nato.txt": grade}} for grade in (3, 1)]
    assert evaluate(own(*lines), index=index).digest == evaluate(own(lines[0]), index=index).digest
    worse = evaluate(own({"query": "chess", "relevant": {"sport.html": 1, "nato.txt": 3}}), index=index)
    better = evaluate(own({"query": "chess", "relevant": {"sport.html": 3, "nato.txt": 1}}), index=index)
    assert means(worse)["hybrid"]["nDCG@10"] < means(better)["hybrid"]["nDCG@10"]


def test_a_passage_is_found_by_a_hit_that_overlaps_it(own: Callable[..., Path], articles: Path) -> None:
    """A hit elsewhere in the same article is a wrong one; beside the article itself it is none."""
    index = articles.parent / "index"
    with Index.open(index) as opened:
        hits = {hit.text: hit for hit in opened.search("prices fell", mode="dense")}
        full, fell = hits["Stores are full."], hits["Prices fell."]
    assert fell.path == full.path

    def ranks(*relevant: str) -> float:
        found = evaluate(own({"query": "prices fell", "relevant": list(relevant)}), index=index, settings=["dense"])
        return means(found)["dense"]["MRR@10"]

    assert ranks(f"energy.md:{fell.start + 2}-{fell.start + 3}") == 1
    assert ranks(f"energy.md:{full.end - 1}-{full.end + 50}") == 1 / 2
    assert ranks("energy.md") == 1
    assert ranks(f"energy.md:{full.end}-{full.end + 50}") == 0
    both = {"query": "prices fell", "relevant": ["energy.md:0-9999", f"energy.md:{full.start}-{full.end}"]}
    assert means(evaluate(own(both), index=index))["dense"]["recall@10"] == 1


def test_what_an_index_does_not_hold_counts_as_not_found(own: Callable[..., Path], articles: Path) -> None:
    """It is said, and it lowers recall; a query that names nothing is left out."""
    file = own(
        {"query": "chess", "relevant": ["sport.html", "gone.txt", "gone.txt:1-2"]}, {"query": "x", "relevant": []}
    )
    found = evaluate(file, index=articles.parent / "index")
    assert found.notes == (
        "queries that name nothing to find, left out: 1, the first is x",
        "judgements of documents that are not in the index, counted as not found: 2, the first is gone.txt",
    )
    assert means(found)["lexical"]["recall@100"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("security vacuum", "own:1: no path follows the query"),
        ("\tnato.txt", "own:1: the query is empty"),
        ('{"query": "x"', "own:1: is not JSON"),
        ('{"query": "x", "relevant": "nato.txt"}', 'own:1: "relevant" is neither a list'),
        ('{"query": "x", "relevant": {"nato.txt": 0.5}}', 'own:1: "relevant" is neither a list'),
        ('{"query": "x", "relevant": []}', "no query has a path that it should find"),
        ("", "no query has a path that it should find"),
        ("x\tnato.txt:5-5", "own:1: the passage nato.txt:5-5 is empty"),
        ("x\tsame.txt", "own:1: same.txt could be any of"),
    ],
)
def test_own_lines_that_cannot_be_understood(own: Callable[..., Path], articles: Path, line: str, says: str) -> None:
    """The error names the file and the line, and what to do."""
    for name in ("one", "two"):
        (articles / name).mkdir()
        (articles / name / "same.txt").write_text(f"A text of {name}.")
    with Index.open(articles.parent / "index") as index:
        index.sync(articles)
    with pytest.raises(UsageError) as error:
        evaluate(own(line), index=articles.parent / "index")
    assert says in str(error.value)


def test_own_queries_need_an_index(own: Callable[..., Path]) -> None:
    """And take nothing that is for collections."""
    with pytest.raises(UsageError, match="takes an index"):
        evaluate(own("x\tnato.txt"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("best", "no mode 'best'"),
        ("hybrid,frobnicate=1", "frobnicate=1"),
        ("hybrid,mode=dense", "mode=dense"),
        ("hybrid,filter=x", "filter=x"),
    ],
)
def test_a_setting_that_a_search_cannot_have(text: str, says: str) -> None:
    """It is refused before anything is read."""
    with pytest.raises(UsageError, match=says):
        evaluate("nowhere", settings=[text])


def test_settings_are_compared_over_the_same_queries(beir: Path, tmp_path: Path) -> None:
    """With another setting or with an earlier run: the difference of the means, its interval and p."""
    place = tmp_path / "index"
    # The shorter text is nearer by its angle, the one that says it three times has more of BM25.
    put(
        beir / "corpus.jsonl",
        [*CORPUS, {"_id": "short", "text": "coal"}, {"_id": "often", "text": "coal coal coal on"}],
    )
    put(beir / "queries.jsonl", [*QUERIES[:3], {"_id": "4", "text": "coal"}])
    judge(beir / "qrels/test.tsv", [*QRELS, ("4", "often", 1)])
    found = evaluate(beir, index=place, model="hash", settings=["dense", "hybrid"], against="lexical")
    assert [(c.setting, c.against, c.metric) for c in found.comparisons] == [
        ("dense", "lexical", "nDCG@10"),
        ("hybrid", "lexical", "nDCG@10"),
    ]
    assert means(found)["dense"]["nDCG@10"] < means(found)["lexical"]["nDCG@10"]
    for comparison in found.comparisons:
        one, other = means(found)[comparison.setting], means(found)["lexical"]
        assert comparison.difference.mean == pytest.approx(one["nDCG@10"] - other["nDCG@10"])
        assert comparison.difference.low <= comparison.difference.mean <= comparison.difference.high
        assert 0 < comparison.p <= 1
    earlier = from_json(as_json(found), "saved")
    assert earlier == found
    again = evaluate(beir, index=place, settings=["dense"], against=earlier)
    assert [(c.against, c.difference.mean, c.p) for c in again.comparisons] == [("earlier dense", 0, 1)]
    one = evaluate(beir, index=place, settings=["lexical"])
    assert evaluate(beir, index=place, settings=["dense"], against=one).comparisons[0].against == "earlier lexical"


def test_what_cannot_be_compared(beir: Path, tmp_path: Path) -> None:
    """A setting with itself, other judgements, a setting that was not measured then, a file of something else."""
    place = tmp_path / "index"
    with pytest.raises(UsageError, match="nothing to compare hybrid with"):
        evaluate(beir, index=place, settings=["hybrid"], against="hybrid")
    earlier = evaluate(beir, index=place, model="hash", settings=["dense", "lexical"])
    with pytest.raises(UsageError, match="hybrid was not measured earlier, only dense, lexical"):
        evaluate(beir, index=place, settings=["hybrid"], against=earlier)
    judge(beir / "qrels/test.tsv", [*QRELS, ("2", "gas", 1)])
    with pytest.raises(UsageError, match="other queries or judgements"):
        evaluate(beir, index=place, settings=["dense"], against=earlier)
    for text in ("", "[]", "{}", '{"schema": "semsearch/eval/0"}', as_json(earlier).replace('"mean"', '"median"')):
        with pytest.raises(UsageError, match="saved: "):
            from_json(text, "saved")


def test_the_table_has_a_row_a_setting(beir: Path, tmp_path: Path) -> None:
    """Columns are aligned; each cell has the mean and its interval."""
    found = evaluate(beir, index=tmp_path / "index", model="hash", against="hybrid")
    lines = list(as_table(found))
    assert lines[0] == f"{beir}: 3 judged queries, 5 documents, hash"
    header, *rows = lines[3:7]
    for column in METRICS:
        at = header.index(column)
        for row, each in zip(rows, found.measured, strict=True):
            mean = each.means[column]
            assert row[at:].startswith(f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]")
    assert [line.split()[:2] for line in lines[-2:]] == [["dense", "hybrid"], ["lexical", "hybrid"]]


def test_on_the_command_line(beir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table or JSON on standard output, all else on standard error; the same values as the library's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMSEARCH_INDEX", "mine")
    ask = ["eval", "small", "--model", "hash", "--setting", "dense", "--setting", "lexical"]
    asked = CliRunner().invoke(cli, [*ask, "--format", "json"], catch_exceptions=False)
    assert asked.exit_code == 0
    assert "warning: documents with neither title nor text, left out: 1" in asked.stderr
    saved = json.loads(asked.stdout)
    found = evaluate(beir, model="hash", settings=["dense", "lexical"])
    assert saved["schema"] == "semsearch/eval/1"
    assert [each["values"] for each in saved["measured"]] == [each.values for each in found.measured]
    assert not Path("indexes").exists()
    Path("saved.json").write_text(asked.stdout)
    shown = CliRunner().invoke(cli, [*ask, "--against", "saved.json"], catch_exceptions=False)
    assert "+0.000 [+0.000, +0.000]  1.0000" in shown.stdout
    assert "warning" not in shown.stdout
    for wrong, says in ((["nowhere"], "no such folder"), (["small", "--against", "best"], "best: is neither")):
        refused = CliRunner().invoke(cli, ["eval", *wrong])
        assert isinstance(refused.exception, UsageError)
        assert says in str(refused.exception)


def test_own_queries_on_the_command_line(
    own: Callable[..., Path], articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the index that is named, or the variable names."""
    monkeypatch.chdir(articles.parent)
    monkeypatch.setenv("SEMSEARCH_INDEX", "./index")
    monkeypatch.setenv("SEMSEARCH_MODEL", "hash")
    own("security vacuum\tnato.txt")
    shown = CliRunner().invoke(cli, ["eval", "own", "--setting", "hybrid"], catch_exceptions=False)
    assert "hybrid   1.000 [1.000, 1.000]" in shown.stdout


def test_the_command_loads_click_alone() -> None:
    """`semsearch eval --help` waits for no library."""
    program = "import sys, semsearch.cli.eval; print({'numpy', 'faiss', 'platformdirs'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_setting_takes_what_a_search_takes() -> None:
    """The mode alone is the search as it is, but that copies are not folded."""
    assert {"mode": "dense"}.items() <= setting("dense").arguments.items()
    assert setting("dense").arguments.get("collapse", False) is False


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("bool", "no", False),
        ("bool", "True", True),
        ("int", "3", 3),
        ("float | None", "0.5", 0.5),
        ("str | None", "2025", "2025"),
    ],
)
def test_a_value_is_what_the_argument_takes(annotation: str, text: str, value: object) -> None:
    """By the argument's annotation; another value is refused, and the message says what fits."""
    assert _value("hybrid", "x", text, annotation) == value
    if not annotation.startswith("str"):
        with pytest.raises(UsageError, match=f"'many' is no value for x .* it takes {annotation[:3]}"):
            _value("hybrid", "x", "many", annotation)


@pytest.mark.model
@pytest.mark.skipif(not (SHARED / "medline").is_dir(), reason="the judged collections are not on this machine")
def test_medline_with_the_real_model(tmp_path: Path) -> None:
    """Thirty real queries over 1,033 abstracts: hybrid reaches an nDCG@10 of 0.70."""
    found = evaluate(SHARED / "medline", index=tmp_path / "index", settings=["hybrid"])
    assert (len(found.queries), found.documents, found.notes) == (30, 1033, ())
    assert means(found)["hybrid"]["nDCG@10"] >= 0.70
