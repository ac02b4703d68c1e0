"""The tables of benchmarks/peers.py: medians of all runs, and a row for whatever was measured."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("peers_table", BENCHMARKS / "peers_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for its annotations
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def figures(tables):
    slow = tables.Figures(
        cold=[(9.0, 500.0), (1.0, 100.0), (3.0, 300.0)],
        warm=[0.004, 0.002, 0.0301],
        index=[(10.0, 600.0), (30.0, 400.0), (20.0, 900.0)],
        embedding=[9.0, 25.0, 2.0],
        again=[(7.0, 1.0)],
        size=12.34,
        ndcg={"time": 0.5, "scifact": 0.6254},
    )
    fast = tables.Figures([(0.5, 90.0)], [0.001], [(2.0, 80.0)], [0.0], [(0.4, 1.0)], 1.0, {"time": 1, "scifact": 0})
    return {"ours": slow, "theirs": fast}


def test_searching_has_medians_and_keeps_the_row_of_whoever_is_behind(tables, figures):
    assert tables.searching(figures).split("\n") == [
        "|  | cold query s | peak MB | warm p50 ms | nDCG@10 time | nDCG@10 scifact |",
        "| --- | --- | --- | --- | --- | --- |",
        "| ours | 3.00 | 300 | 4.0 | 0.500 | 0.625 |",
        "| theirs | 0.50 | 90 | 1.0 | 1.000 | 0.000 |",
    ]


def test_what_is_left_of_indexing_without_the_embedding_is_the_median_of_each_runs_difference(tables, figures):
    """Of 1, 5 and 18; the difference of the medians would be 11."""
    assert tables.indexing(figures).split("\n")[2:] == [
        "| ours | 20.0 | 9.0 | 5.0 | 7.0 | 600 | 12.3 |",
        "| theirs | 2.0 | 0.0 | 2.0 | 0.4 | 80 | 1.0 |",
    ]
